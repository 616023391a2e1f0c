"""Values of a rulebook exchanged in its text: all else stays as it was written, and problems find their field."""

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
