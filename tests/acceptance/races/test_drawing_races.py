"""Races around drawing: workers draw at once, while a seat refuses what was drawn. Each requirement is drawn once.

Six rounds in the suite, `--rounds 500` runs them at full length.
"""

from functools import partial

import pytest

from adoption.demo import initiative_acts
from governance.models import Checkpoint
from governance.transparency_log import as_of, sealing
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.drawn_requirements import actions
from initiatives.models import DrawnRequirement, Evidence
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring

pytestmark = pytest.mark.django_db(transaction=True)

FULL, SUITE = 500, 6


@pytest.fixture
def numbers(rounds):
    """The rounds to run."""
    return range(rounds if rounds >= FULL else SUITE)


@pytest.fixture
def initiative():
    """An MVP of minimal risk that is ready for production, with its cast."""
    cast = factories.make_cast()
    return cast, factories.make_minimal(cast)


def drawn_for(review) -> list[DrawnRequirement]:
    return list(DrawnRequirement.objects.filter(review=review).order_by("pk"))


def refuse(initiative, found, key, person):
    item = Evidence.objects.get(pk=found.states[key].items[0].id)
    verification_actions.open_item(initiative=initiative, evidence=item, way="look", by=person)
    return verification_actions.verify(
        evidence=item,
        requirement=key,
        shows=False,
        place="",
        words=f"{item} says the opposite.",
        fingerprint=item.fingerprint,
        answer_version=found.states[key].answer_version,
        by=person,
    )


def test_workers_draw_at_once_and_each_requirement_once(initiative, numbers):
    cast, initiative = initiative
    workers = [partial(actions.draw, initiative.pk)] * SIZE
    with Ring() as ring:
        for _ in numbers:
            review = review_actions.open_review(initiative=initiative, by=cast.owner)
            sealing.seal()
            found = ring.run(workers)
            assert [str(one) for one in found if one.kind != "done"] == []
            assert sorted(len(one.value) for one in found) == [0] * (SIZE - 1) + [5]
            rows = drawn_for(review)
            assert [row.place for row in rows] == [1, 2, 3, 4, 5]
            assert len({row.requirement for row in rows}) == 5

            # A seat refuses one of them while the workers look: it brings exactly one, sooner or later.
            judged = supported_stage.judged(initiative_acts.fresh(initiative))
            key = next(
                (row.requirement for row in rows if judged.states[row.requirement].level == "documented"),
                None,
            )
            if key is not None:
                seat = review.parsed_rulebook.seats_asking(key)[0]
                rival = partial(refuse, initiative, judged, key, cast.seats[seat])
                found = ring.run([*workers[1:], rival])
                assert [str(one) for one in found if one.kind != "done"] == []
                found = ring.run(workers)
                assert [str(one) for one in found if one.kind != "done"] == []
                rows = drawn_for(review)
                assert [row.replaces.requirement for row in rows[5:]] == [key]
            review_actions.withdraw_review(review=review, reason="Once more.", by=cast.owner)
    assert DrawnRequirement.objects.filter(replaces__isnull=False).exists()


def test_a_past_day_knows_what_was_drawn_then(initiative):
    cast, initiative = initiative
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    before = sealing.seal()
    assert len(actions.draw(initiative.pk)) == 5
    after = sealing.seal()
    assert before.pk < after.pk == Checkpoint.objects.latest("pk").pk
    with as_of.day(before.at):
        assert supported_stage.facts_of(initiative_acts.fresh(initiative)).drawn == ()
    with as_of.day(after.at):
        told = supported_stage.facts_of(initiative_acts.fresh(initiative)).drawn
    assert [one.requirement for one in told] == [row.requirement for row in drawn_for(review)]
