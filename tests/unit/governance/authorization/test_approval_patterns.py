"""Signs that approvals are given unread: with the figures, and silent where there are too few."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.authorization import approval_patterns
from governance.authorization.approval_patterns import ALONE, FAST, ROW, Given

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
WORDS = 480  # two minutes to read; a quarter of that is thirty seconds


def given(count, *, took=120.0, approved=True, key=1, person="Marta", words=WORDS, first=0):
    return [
        Given(key, person, approved, START + timedelta(hours=first + n), timedelta(seconds=took), words)
        for n in range(count)
    ]


def sign(kind, rows, person="Marta"):
    return next(one for one in approval_patterns.signs(rows) if (one.kind, one.person) == (kind, person))


@pytest.mark.parametrize(
    ("rows", "stands"),
    [
        (given(9, took=1), None),
        (given(10, took=29.9), True),
        (given(10, took=30), False),
        (given(5, took=1) + given(5, took=200, first=5), False),
        (given(6, took=1) + given(4, took=200, first=6), True),
        (given(10, took=0), True),
        (given(20, words=0, took=1), None),
    ],
)
def test_faster_than_it_can_be_read(rows, stands):
    assert sign(FAST, rows).stands is stands


def test_the_figures_are_said():
    fast = sign(FAST, given(12, took=4))
    assert fast.figures == (
        "Marta answered 12 requests, and half of these requests within 4 seconds of opening. "
        "Reading a request takes 2 minutes at 240 words a minute."
    )
    assert fast.words == "Answered faster than a person can read"
    assert sign(FAST, given(3)).figures == "Marta gave 3 of the 10 answers that this check needs."


@pytest.mark.parametrize(
    ("rows", "stands"),
    [
        (given(19), None),
        (given(20), True),
        (given(19) + given(1, approved=False, first=19), False),
        (given(19) + given(1, approved=False, first=19) + given(19, first=20), False),
        (given(20) + given(5, approved=False, first=20), True),
        (given(20, approved=False), False),
    ],
)
def test_everything_approved(rows, stands):
    assert sign(ROW, rows).stands is stands
    assert sign(ROW, list(reversed(rows))).stands is stands, "whatever the order they come in"


@pytest.mark.parametrize(
    ("hers", "others", "stands"),
    [(19, 0, None), (20, 0, True), (18, 2, True), (17, 3, False), (89, 11, False)],
)
def test_one_person_decides(hers, others, stands):
    rows = given(hers) + given(others, key=2, person="Karim")
    assert sign(ALONE, rows).stands is stands
    if others:
        assert not sign(ALONE, rows, "Karim").stands


def test_two_people_of_one_name_are_two():
    rows = given(10, took=1) + given(10, key=2, took=1)
    assert [one.stands for one in approval_patterns.signs(rows) if one.kind == ROW] == [None, None]


def test_what_stands_comes_first_and_nothing_is_said_of_nobody():
    assert approval_patterns.signs([]) == []
    order = [
        one.stands for one in approval_patterns.signs(given(20, took=1) + given(3, key=2, person="Karim"))
    ]
    assert order == sorted(order, key=[True, None, False].index)


def test_words_are_counted_and_times_said():
    assert approval_patterns.words_in(["one two", "", "three"]) == 3
    said = [approval_patterns.seconds(timedelta(seconds=count)) for count in (0.2, 1, 119, 120, 300)]
    assert said == ["less than a second", "1 second", "119 seconds", "2 minutes", "5 minutes"]


def test_how_each_person_answers_is_counted():
    answers = [
        *given(2, took=10, key=2, person="Karim"),
        *given(1, took=3, approved=False),
        *given(1, took=5, approved=False, first=1),
        *given(1, took=400, first=2),
        *given(1, took=7, key=3, person="Marta"),
    ]
    found = approval_patterns.approvers(answers)
    assert [(row.person, row.answered, row.refused, row.seconds) for row in found] == [
        ("Marta", 3, 2, 5),
        ("Karim", 2, 0, 10),
        ("Marta", 1, 0, 7),
    ]
    assert approval_patterns.approvers([]) == []
