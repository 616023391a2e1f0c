"""What the interaction log says of requirements, at the boundaries of its predicates."""

from dataclasses import replace
from datetime import date

import pytest

from initiatives.interactions.comparison import ways
from initiatives.interactions.comparison.day_figures import edge_of
from initiatives.interactions.comparison.ways import Figures, Promise

NOTHING = Figures(date(2026, 3, 2), date(2026, 3, 29))


def figures(**said) -> Figures:
    return replace(NOTHING, **said)


def test_what_is_missing_is_unknown_in_every_way():
    for held in (
        ways.complete(NOTHING),
        ways.sourced(NOTHING),
        ways.within_scope(NOTHING, 10),
        ways.within_scope(figures(subjects=0), 10),
        ways.errors(NOTHING, 0.5),
        ways.fast(NOTHING, 1000, ways.HALF),
        ways.as_promised(NOTHING, Promise(100, 1000, 0.5)),
    ):
        assert held.holds is None


@pytest.mark.parametrize(
    ("logged", "expected", "holds"), [(73, 73, True), (72, 72, None), (91, 100, None), (90, 100, False)]
)
def test_a_log_is_whole_by_the_lower_end_of_its_interval(logged, expected, holds):
    held = ways.complete(figures(logged=logged, expected=expected))
    assert held.holds is holds
    assert f"{logged} of {expected} allowed calls" in held.words


@pytest.mark.parametrize(
    ("sourced", "outputs", "holds"),
    [(73, 73, True), (72, 72, None), (91, 100, None), (90, 100, False), (0, 1, False)],
)
def test_outputs_name_their_sources_by_the_lower_end_too(sourced, outputs, holds):
    held = ways.sourced(figures(sourced=sourced, outputs=outputs))
    assert held.holds is holds
    assert "with 95 % confidence" in held.words


def test_a_system_that_chooses_what_it_reports_measures_nothing():
    whole = figures(
        sampling=True, logged=500, expected=500, sourced=500, outputs=500, subjects=3, named=500, calls=500
    )
    assert ways.complete(whole).holds is None
    assert ways.sourced(whole).holds is None
    assert ways.within_scope(whole, 10).holds is None
    assert ways.within_scope(whole, 2).holds is False, "more people than declared are too many all the same"


@pytest.mark.parametrize(("subjects", "holds"), [(9, True), (10, True), (11, False)])
def test_as_many_people_as_the_scope_declares_and_no_more(subjects, holds):
    assert ways.within_scope(figures(subjects=subjects, named=500, calls=500), 10).holds is holds


@pytest.mark.parametrize(("named", "calls", "holds"), [(73, 73, True), (72, 72, None), (80, 100, None)])
def test_people_are_counted_only_where_calls_name_them(named, calls, holds):
    held = ways.within_scope(figures(subjects=2, named=named, calls=calls), 10)
    assert held.holds is holds
    assert ("calls name a person" in held.words) is (holds is None)


@pytest.mark.parametrize(
    ("failed", "tried", "holds"), [(0, 377, True), (0, 376, None), (2, 100, None), (9, 100, False)]
)
def test_errors_are_held_by_the_upper_end_and_disproved_by_the_lower(failed, tried, holds):
    held = ways.errors(figures(failed=failed, tried=tried), 0.0101)
    assert held.holds is holds
    assert f"{failed} of {tried} calls failed" in held.words


def test_times_are_read_from_buckets_against_the_team_and_never_for_it():
    at = figures(durations={80: 500})  # 80: up to 1,024 ms, more than 939
    assert edge_of(80) == 1024
    assert ways.fast(at, 1024, ways.MOST).holds is True
    assert ways.fast(at, 1023, ways.MOST).holds is None, (
        "in the bucket, some may have been slower and some not"
    )
    assert ways.fast(at, 939, ways.MOST).holds is False
    assert at.quantile(0.5) == at.quantile(0.95) == 1024


@pytest.mark.parametrize(
    ("slow", "of", "holds"), [(0, 73, True), (0, 72, None), (5, 100, None), (12, 100, False)]
)
def test_ninety_five_in_a_hundred_with_confidence(slow, of, holds):
    held = ways.fast(figures(durations={40: of - slow, 100: slow}), 1000, ways.MOST)
    assert held.holds is holds


def test_what_is_promised_holds_as_a_whole():
    promise = Promise(100, 1000, 0.02)
    good = figures(calls=600, tried=600, failed=0, durations={40: 590, 70: 10})
    assert ways.as_promised(good, promise).holds is True
    assert ways.as_promised(replace(good, sampling=True), promise).holds is None
    untimed = replace(good, durations={40: 300})
    assert ways.as_promised(untimed, promise).holds is None
    assert "report their duration" in ways.as_promised(untimed, promise).words
    failing = ways.as_promised(replace(good, failed=60, tried=660), promise)
    assert failing.holds is False
    assert "came back" not in failing.words, "only what is missed is told"
    assert ways.as_promised(replace(good, durations={70: 600}), promise).holds is False, (
        "the median is missed"
    )
