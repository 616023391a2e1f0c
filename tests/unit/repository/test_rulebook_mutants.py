"""The changes that `tests.drills.rulebook_mutants` tries: single, valid, the same for a seed, and told apart."""

from functools import cache
from pathlib import Path

import pytest

from governance.rulebook import parse, shipped_text
from tests.drills.rulebook_mutants import ACTS, PURE, changes, looked_at
from tests.support.paths import ROOT
from tests.support.rules.rulebook_editing import read, with_values

SOURCE = shipped_text()


@cache
def known():
    """What gates look at in the shipped rulebook."""
    return looked_at(parse(SOURCE))


def felt(**places):
    """Whether a gate looks at what is exchanged, each place with its words joined by slashes."""
    text = with_values(read(SOURCE), {tuple(place.split("/")): value for place, value in places.items()})
    return looked_at(parse(text.source)) != known()


def test_a_seed_gives_the_same_single_changes_and_another_seed_others():
    first = list(changes(SOURCE, 5, 2))
    assert first == list(changes(SOURCE, 5, 2))
    assert {str(one) for one in first} != {str(one) for one in changes(SOURCE, 6, 2)}
    for change in first:
        assert read(change.source).value(change.place) == change.after != change.before


@pytest.mark.parametrize(
    ("place", "value", "looked"),
    [
        ("requirement/prod.q03_logged/fresh_days", 364, True),
        ("requirement/prod.q03_logged/level/limited", "documented", True),
        ("requirement/prod.q03_logged/question", "What is kept?", True),
        ("criterion/production.observability/seat", "service_operations", True),
        ("gates/retire/quorum", 1, True),
        ("requirement/prod.q03_logged/counts", "a sample", False),
        ("requirement/int.identity/fresh_days_minimal", 30, False),
        ("requirement/mvp.owner/level/high", "documented", False),
        ("gates/retire/note", "Said aloud.", False),
    ],
)
def test_what_no_gate_looks_at_is_told_apart(place, value, looked):
    assert felt(**{place: value}) == looked


def test_the_tests_it_asks_are_there():
    paths = [Path(ROOT, word) for word in (*PURE, *ACTS) if not word.startswith("--")]
    assert all(path.is_file() for path in paths)
