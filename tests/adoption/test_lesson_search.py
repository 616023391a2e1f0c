"""The search over lessons finds what a colleague means: measured on questions written before there was a search."""

import pytest

from adoption import library
from adoption.models import Lesson
from governance import clock
from governance.history import acting, insert_many
from initiatives.models import System
from tests import snapshots
from tests.labelled import lessons as labelled

LEAST = 0.85  # of the lessons that answer a question, among the first five

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def keys(cast) -> dict[int, str]:
    """The labelled lessons in the library; by key, what each is called in the set."""
    told = labelled.lessons()
    with acting(system="test"):
        names = sorted({name for one in told for name in one["systems"]})
        who = {"described_by": cast.lead, "described_at": clock.now()}
        systems = insert_many(System, [System(name=name, kind="bought", **who) for name in names])
        of = {system.name: system.pk for system in systems}
        rows = insert_many(
            Lesson,
            [
                Lesson(
                    **{name: one[name] for name in ("text", "instead", "layer", "tags", "vendors", "source")},
                    pattern=one["pattern"][:20],
                    systems=[of[name] for name in one["systems"]],
                    entered_by=cast.admin,
                    entered_at=clock.now(),
                    confirmed_by=cast.seat_adoption,
                    confirmed_at=clock.now(),
                )
                for one in told
            ],
        )
    return {row.pk: one["id"] for row, one in zip(rows, told, strict=True)}


@pytest.mark.parametrize("half", labelled.HALVES)
def test_the_right_lesson_is_among_the_first_five(half, keys):
    score = labelled.score(half, lambda asked: [keys[hit.lesson] for hit in library.search(asked)])
    assert score.recall() >= LEAST, score.misses
