"""A risk tier belongs to the scope it was confirmed for: what it leaves out once another scope is in force."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance import clock
from governance.gates import criteria, levels, turning_points
from governance.gates.gate_inputs import FindingFact
from governance.gates.requirements import state_of
from governance.rulebook import parse, shipped_text
from governance.vocabulary import Tier
from tests.support.rules.gate_facts import AT, LONG_AGO, everything, item, one

RULEBOOK = parse(shipped_text())
LEFT_OUT = next(key for key, asked in RULEBOOK.requirements.items() if Tier.MINIMAL in asked.left_out)
GRACE = timedelta(days=RULEBOOK.freshness.tier_grace_days)
DAY = timedelta(days=1)


def minimal(*spans, **fields):
    return one(
        "mvp.problem", tier="minimal", approved_stage="mvp", tier_scope=2, tier_outdated=spans, **fields
    )


def state(facts, at=AT, key=LEFT_OUT):
    return state_of(facts, RULEBOOK, key, at)


def test_a_tier_of_the_scope_in_force_leaves_out_what_it_left_out():
    found = state(minimal())
    assert found.state == "not_asked"
    assert "after" not in found.words


def test_during_the_grace_the_requirement_says_until_when_it_is_left_out():
    found = state(minimal((AT - GRACE, None)))
    assert found.state == "not_asked"
    ends = f"{clock.local_day(AT):%-d %B %Y}"
    assert found.words.endswith(
        f"This requirement is asked after {ends}, unless the tier is confirmed for the current scope and purpose."
    )


def test_after_the_grace_it_counts_as_open_and_says_why():
    found = state(minimal((AT - GRACE - DAY, None)))
    assert found.state == "unanswered"
    assert not found.satisfied
    assert "the minimal risk tier was not confirmed for the current scope and purpose" in found.words


def test_what_the_tier_asks_is_asked_as_before():
    facts = minimal((AT - GRACE - DAY, None))
    assert state(facts, key="mvp.problem") == state(minimal(), key="mvp.problem")


def test_it_is_asked_at_the_lowest_tier_that_asks_it():
    facts, asked = minimal((LONG_AGO, None)), RULEBOOK.requirements[LEFT_OUT]
    for gate in RULEBOOK.gates_asking(LEFT_OUT):
        assert levels.level_asked(facts, RULEBOOK, asked, gate, AT) == asked.level_for(Tier.LIMITED, gate)


def test_a_narrower_scope_for_a_while_does_not_start_the_grace_again():
    away = (AT - 2 * GRACE, AT - GRACE)
    back = (AT - DAY, None)
    assert state(minimal(away)).state == "not_asked"
    assert state(minimal(away, back)).state == "unanswered"


def test_it_is_asked_from_the_day_after_the_grace_though_nobody_does_anything():
    facts = minimal((AT - DAY, None))
    asked_from = clock.midnight_after(clock.local_day(AT - DAY) + GRACE)
    assert asked_from in list(turning_points.turning_points(facts, RULEBOOK))
    told = turning_points.outlook(facts, RULEBOOK, AT)
    by_moment = {judged.at: judged.states[LEFT_OUT].state for judged in told}
    assert by_moment[AT] == "not_asked"
    assert by_moment[asked_from] == "unanswered"


def test_support_falls_after_the_grace_and_not_before():
    facts = replace(everything("production"), tier="minimal", tier_outdated=((AT - DAY, None),))
    facts = replace(facts, items=tuple(one for one in facts.items if LEFT_OUT not in one.covers))
    facts = replace(facts, answers={key: said for key, said in facts.answers.items() if key != LEFT_OUT})
    before = criteria.judge(facts, RULEBOOK, AT)
    after = criteria.judge(facts, RULEBOOK, AT + GRACE + DAY)
    assert before.states[LEFT_OUT].satisfied
    gates = RULEBOOK.gates_asking(LEFT_OUT)
    assert LEFT_OUT in {key for gate in gates for key in criteria.open_at(after, gate)}


@pytest.mark.parametrize(("since", "holds"), [(AT - DAY, False), (AT - GRACE - DAY, True)])
def test_what_the_register_says_against_it_holds_after_the_grace(since, holds):
    said = FindingFact(
        LEFT_OUT, "It disagrees.", "", "", LONG_AGO, hold="definition_conflict", hold_words="Held"
    )
    facts = minimal((since, None), requirement_findings=(said,))
    assert bool(criteria.holds_at(facts, RULEBOOK, AT)) is holds


def test_an_answer_that_is_shown_meets_it():
    asked = RULEBOOK.requirements[LEFT_OUT]
    kind = next(kind for kind in asked.evidence if kind != "attestation")
    facts = one(LEFT_OUT, item(1, LEFT_OUT, kind=kind), tier="minimal", tier_outdated=((LONG_AGO, None),))
    assert state(facts).level
