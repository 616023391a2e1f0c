"""The structured part of a clause: kept and read back, told apart, and what is wrong with it by itself."""

import json
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.contracts.clauses import (
    COMPARISONS,
    FAILURES,
    LARGEST,
    LONGEST_WAIT,
    PARTS,
    Terms,
    Test,
    fingerprint,
    problems,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
NUMBER = st.none() | st.integers(0, LARGEST)
DAY = st.none() | st.dates()
TESTS = st.lists(
    st.builds(
        Test,
        st.sampled_from([*PARTS]),
        TEXT,
        st.sampled_from([*COMPARISONS]),
        TEXT | st.integers() | st.booleans() | TEXTS,
    ),
    max_size=3,
).map(tuple)
PARTS_OF_TERMS = {
    "action": TEXT,
    "resource": TEXT,
    "audience": TEXTS,
    "weekdays": st.lists(st.integers(1, 7), max_size=7).map(tuple),
    "from_minute": NUMBER,
    "until_minute": NUMBER,
    "holds_from": DAY,
    "holds_until": DAY,
    "over": NUMBER,
    "up_to": NUMBER,
    "currency": TEXT,
    "most": NUMBER,
    "tests": TESTS,
    "approvers": TEXTS,
    "minutes": NUMBER,
    "four_eyes": st.booleans(),
    "failure": TEXT,
    "then": TEXT,
    "regions": TEXTS,
    "days": NUMBER,
}
TERMS = st.builds(Terms, **PARTS_OF_TERMS)


def test_every_part_of_the_terms_is_tried_here():
    assert set(PARTS_OF_TERMS) == {one.name for one in fields(Terms)}


@given(TERMS)
@settings(max_examples=150, deadline=None)
def test_terms_come_back_from_a_row_as_they_were(terms):
    stored = terms.stored()
    back = Terms.read(json.loads(json.dumps(stored)))
    assert back == terms
    # Equality takes True for 1; the types are the same too.
    assert [type(one.value) for one in back.tests] == [type(one.value) for one in terms.tests]
    assert back.stored() == stored
    assert all(
        value is not None and value is not False and value not in ("", []) for value in stored.values()
    )


@given(TERMS, TERMS)
@settings(max_examples=80, deadline=None)
def test_a_fingerprint_tells_clauses_apart(one, other):
    assert fingerprint("autonomy", "A.", one) == fingerprint("autonomy", "A.", Terms.read(one.stored()))
    assert (fingerprint("autonomy", "A.", one) == fingerprint("autonomy", "A.", other)) is (
        one.stored() == other.stored()
    )
    assert fingerprint("autonomy", "A.", one) != fingerprint("human_approval", "A.", one)
    assert fingerprint("autonomy", "A.", one) != fingerprint("autonomy", "B.", one)


def test_a_fingerprint_knows_a_truth_from_a_number_and_a_number_from_a_text():
    said = [
        fingerprint("autonomy", "A.", Terms(tests=(Test("resource", "a", "equals", value),)))
        for value in (True, 1, "1", "true", False, 0, "", ("1",))
    ]
    assert len(set(said)) == len(said)


def test_nothing_is_kept_of_what_says_nothing():
    assert Terms().stored() == {}
    assert Terms.read({}) == Terms()
    assert Terms(from_minute=0, over=0).stored() == {"from_minute": 0, "over": 0}


@pytest.mark.parametrize(
    "stored",
    [
        {"colour": "red"},
        {"action": 5},
        {"action": None},
        {"action": ["send"]},
        {"audience": "staff"},
        {"audience": [1]},
        {"weekdays": ["1"]},
        {"weekdays": [True]},
        {"from_minute": "8"},
        {"most": True},
        {"most": 1.0},
        {"minutes": [1]},
        {"four_eyes": 1},
        {"four_eyes": "no"},
        {"holds_from": "yesterday"},
        {"holds_from": 20260310},
        {"holds_until": "2026-02-30"},
        {"tests": "resource"},
        {"tests": [["resource", "status", "equals"]]},
        {"tests": [["resource", "status", "equals", "a", "b"]]},
        {"tests": [["resource", "status", "equals", None]]},
        {"tests": [["resource", "status", "equals", 1.5]]},
        {"tests": [["resource", "status", "one_of", [1]]]},
        {"tests": [["resource", 1, "equals", "a"]]},
        {"tests": None},
        {"tests": [5]},
    ],
    ids=repr,
)
def test_what_was_not_written_here_is_not_read(stored):
    with pytest.raises((TypeError, ValueError)):
        Terms.read(stored)


SOUND = Terms(
    action="send",
    weekdays=(1, 7),
    from_minute=0,
    until_minute=1440,
    holds_from=date(2026, 1, 1),
    holds_until=date(2026, 1, 1),
    over=0,
    up_to=LARGEST,
    currency="EUR",
    most=1,
    tests=(
        Test("resource", "status", "one_of", ("open",)),
        Test("action", "level", "at_least", -LARGEST),
        Test("context", "urgent", "equals", False),
    ),
    minutes=LONGEST_WAIT,
    failure="low_confidence",
    then="ask",
    days=730,
)


def test_nothing_is_wrong_with_sound_terms_at_their_bounds():
    for kind in ("autonomy", "human_approval", "edge_policy", "retention"):
        assert problems(kind, SOUND) == {}
        assert problems(kind, Terms()) == {}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"weekdays": (0,)}, "weekdays"),
        ({"weekdays": (1, 8)}, "weekdays"),
        ({"from_minute": None}, "until_minute"),
        ({"until_minute": None}, "until_minute"),
        ({"from_minute": 540, "until_minute": 540}, "until_minute"),
        ({"from_minute": 1440, "until_minute": 60}, "until_minute"),
        ({"until_minute": 1441}, "until_minute"),
        ({"from_minute": -1}, "until_minute"),
        ({"holds_until": date(2025, 12, 31)}, "holds_until"),
        ({"over": -1}, "over"),
        ({"up_to": LARGEST + 1}, "up_to"),
        ({"over": 500, "up_to": 500}, "up_to"),
        ({"currency": ""}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "ÄÖÜ"}, "currency"),
        ({"most": 0}, "most"),
        ({"most": LARGEST + 1}, "most"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": LONGEST_WAIT + 1}, "minutes"),
        ({"failure": "weather"}, "failure"),
        ({"then": "hope"}, "then"),
        ({"days": 729}, "days"),
        ({"tests": (Test("weather", "a", "equals", "b"),)}, "tests"),
        ({"tests": (Test("resource", " ", "equals", "b"),)}, "tests"),
        ({"tests": (Test("resource", "a", "like", "b"),)}, "tests"),
        ({"tests": (Test("resource", "a", "at_least", "3"),)}, "tests"),
        ({"tests": (Test("resource", "a", "at_most", True),)}, "tests"),
        ({"tests": (Test("resource", "a", "equals", LARGEST + 1),)}, "tests"),
        ({"tests": (Test("resource", "a", "equals", ("b",)),)}, "tests"),
        ({"tests": (Test("resource", "a", "differs", 1.5),)}, "tests"),
        ({"tests": (Test("resource", "a", "equals", None),)}, "tests"),
        ({"tests": (Test("resource", "a", "one_of", "b"),)}, "tests"),
        ({"tests": (Test("resource", "a", "one_of", ()),)}, "tests"),
        ({"tests": (Test("resource", "a", "one_of", (1,)),)}, "tests"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_said_where_it_is(terms, field):
    wrong = problems("edge_policy", replace(SOUND, **terms))
    assert set(wrong) == {field}
    assert wrong[field].endswith(".")


def test_failures_and_consequences_are_asked_of_edge_policies_only():
    assert problems("autonomy", Terms(failure="weather", then="hope")) == {}
    assert all(problems("edge_policy", Terms(failure=one)) == {} for one in FAILURES)
