"""Waves of a catch-up plan: where each requirement falls, what days may be, and how far a wave is."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from governance.rulebook import load_version, parse
from governance.vocabulary import Layer
from initiatives.catch_up import waves

BOOK = parse(load_version("2026.2"))
TODAY = date(2030, 5, 6)


@pytest.mark.parametrize(
    ("key", "tier", "wave"),
    [
        ("proto.question", "limited", 1),
        ("proto.limitations", "", 1),
        ("mvp.owner", "limited", 1),
        ("prod.q06_human_review", "limited", 1),
        ("prod.q10_outage", "limited", 2),
        ("prod.q10_outage", "high", 1),
        ("int.fallback", "high", 1),
        ("gov.autonomy", "high", 2),
        ("gov.enforced", "limited", 2),
        ("gov.enforced", "high", 1),
        ("int.definitions", "high", 2),
        ("layer.policy", "limited", 2),
        ("adopt.trust", "high", 3),
        ("adopt.usage", "limited", 3),
        ("mvp.users", "limited", 3),
        ("production.business_depends", "high", 3),
        ("never.heard_of", "high", 3),
    ],
)
def test_each_requirement_has_its_wave(key, tier, wave):
    assert waves.wave_of(BOOK, key, tier) == wave


def test_a_rulebook_of_ones_own_falls_into_waves_by_its_layers():
    asked = replace(BOOK.requirements["mvp.users"], key="own.key", layer=Layer.INTEGRATION)
    own = replace(BOOK, digest="own", requirements={**BOOK.requirements, "own.key": asked})
    assert waves.wave_of(own, "own.key", "limited") == 2
    assert waves.wave_of(replace(own, scale_tests={}), "adopt.trust", "") == 3


def test_all_of_the_last_gate_is_proposed_once_and_in_order():
    keys = [key for gate in ("prototype", "mvp", "production") for key in BOOK.gates[gate].requirements()]
    keys = list(dict.fromkeys(keys))
    found = waves.proposed(BOOK, keys, "limited")
    assert list(found) == [1, 2, 3]
    assert sorted(key for of in found.values() for key in of) == sorted(keys)
    assert all(of == [key for key in keys if key in of] for of in found.values())
    # Nothing that the gate to the prototype asks waits for a later wave: nothing above it is supported before.
    assert {*BOOK.gates["prototype"].requirements()} <= {*found[1]}


def test_days_lie_ahead_and_in_order():
    days = waves.default_days(TODAY)
    assert not waves.wrong_days(days, TODAY)
    assert list(days.values()) == sorted(days.values())
    assert waves.wrong_days({1: TODAY - timedelta(days=1)}, TODAY) == {
        1: "The day of a wave lies ahead, or is today."
    }
    back = {1: TODAY + timedelta(days=9), 2: TODAY + timedelta(days=3), 3: TODAY + timedelta(days=9)}
    assert list(waves.wrong_days(back, TODAY)) == [2]


@dataclass
class Row:
    number: int
    due: date
    requirements: list[str]


def test_progress_is_what_is_not_missing_now():
    rows = [Row(2, TODAY, ["c"]), Row(1, TODAY - timedelta(days=1), ["a", "b"])]
    first, second = found = waves.with_progress(rows, ["b", "x"])
    assert (first.number, first.met, first.open, first.done) == (1, 1, ("b",), False)
    assert first.overdue(TODAY)
    assert not first.overdue(TODAY - timedelta(days=1))
    assert second.done
    assert not second.overdue(TODAY + timedelta(days=99))
    assert waves.outside(found, ["b", "x"]) == ["x"]
