"""Values of a rulebook exchanged in its text: all else stays as it was written, and problems find their field."""

import copy
import difflib
import random
import re

import pytest

from governance.rulebook import RulebookErrors, parse, shipped_text
from governance.rulebook.editing import problems_at, read, with_values


@pytest.fixture(scope="module")
def text():
    return read(shipped_text())


def test_a_value_is_exchanged_added_and_taken_away_and_nothing_else_moves(text):
    key = next(row["key"] for row in text.raw["requirement"] if "fresh_days_high_risk" not in row)
    other = next(row["key"] for row in text.raw["requirement"] if "fresh_days_high_risk" in row)
    values = {
        ("version",): "2026.9",
        ("requirement", key, "fresh_days"): 11,
        ("requirement", key, "fresh_days_high_risk"): 7,
        ("requirement", other, "fresh_days_high_risk"): None,
        ("gates", "mvp", "note"): 'He said "no",\nthen = [yes] # perhaps',
        ("freshness", "warn_days_before"): [20, 5],
    }
    changed = with_values(text, values)
    for place, value in values.items():
        assert changed.value(place) == value
    before, after = text.source.splitlines(), changed.source.splitlines()
    assert [line for line in before if line.startswith("#")] == [
        line for line in after if line.startswith("#")
    ]
    assert len(set(before) ^ set(after)) <= 2 * len(values)
    assert with_values(changed, {place: text.value(place) for place in values}).raw == text.raw
    assert parse(changed.source).requirements[key].days("high") == 7


def test_what_is_not_edited_is_written_as_it_was(text):
    assert with_values(text, {}).source == text.source
    key = text.raw["requirement"][3]["key"]
    changed = with_values(text, {("requirement", key, "severity"): "advisory"}).source
    marks = [line[:1] for line in difflib.ndiff(text.source.splitlines(), changed.splitlines())]
    assert (marks.count("-"), marks.count("+")) == (1, 1)


@pytest.mark.parametrize("turn", range(3))
def test_tables_in_any_order_keep_their_values_and_remarks(text, turn):
    head, *parts = re.split(r"(?m)^(?=\[)", text.source)
    random.Random(turn).shuffle(parts)
    mixed = read("".join([head, *(f"{part}# {n}\n" for n, part in enumerate(parts))]))
    keys = [mixed.raw[name][-1]["key"] for name in ("requirement", "criterion")]
    values = {
        ("requirement", keys[0], "fresh_days"): 33,
        ("criterion", keys[1], "question"): "Is it so?",
        ("gates", "prototype", "note"): "Shorter",
    }
    changed = with_values(mixed, values)
    expected = copy.deepcopy(mixed.raw)
    expected["requirement"][-1]["fresh_days"] = 33
    expected["criterion"][-1]["question"] = "Is it so?"
    expected["gates"]["prototype"]["note"] = "Shorter"
    assert changed.raw == expected
    assert {f"# {n}" for n in range(len(parts))} <= set(changed.source.splitlines())


def test_the_loaders_problems_come_back_to_their_field(text):
    with pytest.raises(RulebookErrors) as caught:
        with_values(text, {("gates", "mvp", "quorum"): 99, ("freshness", "waiver_max_days"): 500})
    at_gate = problems_at(text, caught.value, "gates", "mvp")
    assert set(at_gate) == {"quorum", ""}
    assert "larger than" in at_gate["quorum"][0].what
    assert set(problems_at(text, caught.value, "freshness")) == {"waiver_max_days", ""}


def test_production_must_be_accepted_again_one_day(text):
    with pytest.raises(RulebookErrors):
        with_values(text, {("stages", "production", "reattest_days"): None})
