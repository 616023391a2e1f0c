"""What may be published of a survey, over numbers alone: no figure and no difference rests on fewer than five."""

from itertools import combinations
from math import sqrt
from random import Random
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adoption.surveys.disclosure_control import LEAST, estimate, merged, of_set, parts, published, student

COUNTS = st.dictionaries(st.integers(0, 7), st.integers(0, 12), max_size=8)


@given(COUNTS)
def test_no_part_and_no_rest_has_fewer_than_five(counts):
    found = parts(counts)
    if sum(counts.values()) < LEAST:
        assert found == []
        return
    assert sorted(team for part in found for team in part) == sorted(counts), "each team once"
    sizes = [sum(counts[team] for team in part) for part in found]
    # Whatever of it somebody takes from everybody: five or more are left, or nobody.
    for number in range(1, len(sizes) + 1):
        for some in combinations(sizes, number):
            assert sum(some) >= LEAST
            assert sum(sizes) - sum(some) == 0 or sum(sizes) - sum(some) >= LEAST


@given(st.lists(st.lists(st.integers(0, 100), max_size=9), min_size=1, max_size=4))
def test_what_is_published_adds_up_and_hides_what_is_small(teams):
    answered = {place: len(values) for place, values in enumerate(teams)}
    sums = {
        place: {"q": [len(values), sum(values), sum(value**2 for value in values)]}
        for place, values in enumerate(teams)
    }
    found = published(answered, sums, ["q", "never"])
    everybody = [value for values in teams for value in values]
    if len(everybody) < LEAST:
        assert found is None
        return
    question = found["questions"]["q"]
    assert question["all"]["n"] == len(everybody) == found["answered"]
    assert question["all"]["mean"] == pytest.approx(sum(everybody) / len(everybody), abs=0.06)
    assert question["all"]["sd"] == pytest.approx(stdev(everybody), abs=0.06)
    assert question["all"]["low"] <= question["all"]["mean"] + 0.06
    assert question["all"]["high"] >= question["all"]["mean"] - 0.06
    if question["parts"]:
        assert sum(part["n"] for part in question["parts"]) == len(everybody)
        assert min(part["n"] for part in question["parts"]) >= LEAST
    assert found["questions"]["never"] == {"all": None, "parts": []}


def test_a_question_that_few_answered_says_nothing_although_the_survey_does():
    found = published({0: 6, 1: 6}, {0: {"q": [4, 200, 10000]}, 1: {"q": [0, 0, 0]}}, ["q"])
    assert found["questions"]["q"] == {"all": None, "parts": []}


def test_teams_are_asked_together_until_five_are():
    teams = [{"name": name, "invited": n} for name, n in (("A", 9), ("B", 2), ("C", 7), ("D", 1))]
    assert merged(teams) == [{"name": "A", "invited": 9}, {"name": "B, C, D", "invited": 10}]
    assert merged(teams[1:2]) == []


def test_student_as_in_the_tables():
    # Two-sided 95 % quantiles, as tables of Student's t print them.
    for freedom, value in {6: 2.4469, 8: 2.3060, 10: 2.2281, 20: 2.0860, 30: 2.0423, 120: 1.9799}.items():
        assert student(freedom) == pytest.approx(value, abs=0.001)


@pytest.mark.parametrize("n", [5, 12, 60])
@pytest.mark.parametrize("chances", [(1, 1, 1, 1, 1, 1, 1), (0, 0, 1, 2, 6, 8, 4), (0, 0, 0, 0, 0, 1, 9)])
def test_the_interval_holds_the_truth_as_often_as_it_says(n, chances, rounds):
    values, dice = [step * 100 / 6 for step in range(7)], Random(n * 1000 + sum(chances))
    truth = sum(value * chance for value, chance in zip(values, chances, strict=True)) / sum(chances)
    tries = 2000 if rounds >= 500 else 300
    held = 0
    for _ in range(tries):
        drawn = dice.choices(values, chances, k=n)
        found = estimate([n, sum(drawn), sum(value**2 for value in drawn)])
        held += found["low"] - 0.05 <= truth <= found["high"] + 0.05
    assert held / tries >= 0.95 - 2.5 * sqrt(0.95 * 0.05 / tries)


def test_where_all_say_the_same_the_interval_stays_wide():
    assert estimate([5, 500, 50000])["low"] < 60
    assert estimate([500, 50000, 5_000_000])["low"] > 98


def test_a_set_is_worked_out_from_its_questions_alone():
    one = {"n": 6, "mean": 80.0, "sd": 9.0, "low": 60.0, "high": 90.0}
    two = {"n": 5, "mean": 30.0, "sd": 12.0, "low": 20.0, "high": 50.0}
    assert of_set([(one, False), (two, True)]) == {
        "mean": 75.0,
        "sd": 10.5,
        "low": 55.0,
        "high": 85.0,
        "n": 5,
    }
    assert of_set([(one, False), (None, False)]) is None
    assert of_set([]) is None
