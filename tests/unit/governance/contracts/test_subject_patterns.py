"""Test subjects of a prototype: which are declared well, and whom they fit."""

import random
import re

import pytest

from governance.contracts.subject_patterns import LONGEST, MOST, fits, wrong_with


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("user:alice", "user:alice", True),
        ("user:alice", "user:Alice", False),
        ("user:alice", "user:alice2", False),
        ("user:alice", "agent:user:alice", False),
        ("user:test-*", "user:test-1", True),
        ("user:test-*", "user:test-", True),
        ("user:test-*", "agent:test-1", False),
        ("user:test-*", "user:atest-1", False),
        ("user:*@test.example", "user:a@test.example", True),
        ("user:*@test.example", "user:a@test.example.org", False),
        ("user:a*a", "user:a", False),
        ("user:a*a", "user:aa", True),
        ("user:a*b*c", "user:a1b2b3c", True),
        ("user:a*b*c", "user:acb", False),
        ("user:t?", "user:t1", False),
        ("user:[ab]", "user:a", False),
        ("user:a.c", "user:abc", False),
    ],
)
def test_a_name_fits_as_written_and_the_star_stands_for_anything(pattern, name, expected):
    assert fits([pattern], name) is expected
    assert fits(["other:one", pattern], name) is expected


def test_without_any_nobody_fits():
    assert not fits([], "user:alice")


def test_it_reads_as_a_regular_expression_would():
    chance = random.Random(7)
    for _ in range(5_000):
        pattern = "u:" + "".join(chance.choice("ab*") for _ in range(chance.randint(1, 7)))
        name = "u:" + "".join(chance.choice("ab") for _ in range(chance.randint(0, 9)))
        expected = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
        assert fits([pattern], name) is expected, (pattern, name)


def test_many_stars_cost_no_more_than_the_name_is_long():
    """A regular expression would try for longer than anybody waits."""
    assert not fits(["user:" + "a*" * 90 + "b"], "user:" + "a" * 100)


@pytest.mark.parametrize("well", [[], ["user:alice"], ["user:test-*", "agent:*-lab"], ["urn:x:y*"]])
def test_what_names_subjects_is_taken(well):
    assert wrong_with(well) == ""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("alice", "Write a test subject as type:id"),
        (":alice", "Write a test subject as type:id"),
        ("user:", "Write a test subject as type:id"),
        ("*", "Write a test subject as type:id"),
        ("u*:alice", "Write a test subject as type:id"),
        ("user:a\x00b", "Write a test subject as type:id"),
        ("user:*", "matches everyone"),
        ("user:***", "matches everyone"),
        ("user:" + "a" * LONGEST, f"longer than {LONGEST}"),
    ],
)
def test_what_names_nobody_or_everybody_is_refused_with_the_way_to_fix_it(wrong, says):
    assert says in wrong_with(["user:alice", wrong])


def test_there_are_so_many_and_no_more():
    assert wrong_with([f"user:{n}" for n in range(MOST)]) == ""
    assert f"{MOST} are possible" in wrong_with([f"user:{n}" for n in range(MOST + 1)])
