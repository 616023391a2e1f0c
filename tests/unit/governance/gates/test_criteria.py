"""What a stage is supported by and for how long, and what blocks a review: the pure rules, case by case."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.gates import criteria, standards, turning_points
from governance.gates.criteria import JudgedSignOff, SeatState, reach
from governance.gates.gate_inputs import (
    ConditionFact,
    ContractState,
    Declared,
    DeploymentFact,
    FindingFact,
    HoldFact,
    ObligationFact,
    Void,
    WaiverFact,
)
from governance.gates.requirements import state_of, states_at
from governance.rulebook import parse
from tests.support.rules.gate_facts import (
    AT,
    CONTRACT,
    LONG_AGO,
    MODEL,
    RULEBOOK,
    SHOWN,
    TODAY,
    days_ago,
    everything,
    evidence_of,
    item,
    one,
    reply,
)
from tests.support.rules.plain_rulebook import plain_text

DAY = timedelta(days=1)


def state(facts, key, at=AT):
    return state_of(facts, RULEBOOK, key, at)


def supported(facts, at=AT):
    return criteria.judge(facts, RULEBOOK, at).support


@pytest.mark.parametrize(("result", "met"), [("met", True), ("missed", False), ("", False)])
def test_what_was_declared_is_compared_at_production(result, met):
    facts = everything("mvp")
    declared = facts.declared | {"workflow_fit": Declared("workflow_fit", "Fits.", result)}
    found = finding(replace(facts, declared=declared), "production.mvp_goals")
    assert found.met is met


def finding(facts, key, at=AT):
    return criteria.judge(facts, RULEBOOK, at).findings[key]


def waiver(key, until=TODAY, since=LONG_AGO):
    return WaiverFact(key, since, until, "the audit is in January")


def test_a_waived_criterion_is_waived_and_not_met():
    facts = everything("prototype", without=["mvp.workflow"], waivers=(waiver("mvp.workflow_known"),))
    found = finding(facts, "mvp.workflow_known")
    assert found.state == "waived"
    assert not found.blocks
    assert supported(facts).supported == "production"


@pytest.mark.parametrize("test", ["governance", "integration", "adoption"])
def test_a_scale_test_is_never_waived(test):
    first = RULEBOOK.scale_tests[test].items[0]
    facts = everything("mvp", without=[first], waivers=(waiver(f"production.test_{test}"), waiver(first)))
    assert finding(facts, f"production.test_{test}").state == "unmet"
    assert supported(facts).tests[test] == "not_yet"
    assert supported(facts).supported != "production"


def test_an_item_of_a_scale_test_is_not_waived_although_a_rulebook_marks_it_so():
    """What the rulebook may not allow is not allowed by it either (docs/domain.md, invariant 10)."""
    first, second = plain_text().split('key = "layer.policy"', 1)
    rulebook = parse(f'{first}key = "layer.policy"{second.replace("waivable = false", "waivable = true", 1)}')
    assert rulebook.requirements["layer.policy"].waivable
    facts = everything("mvp", without=["layer.policy"], waivers=(waiver("layer.policy"),))
    states = states_at(facts, rulebook, AT)
    assert states["layer.policy"].state == "unanswered"
    assert standards.scale_tests(rulebook, states)["governance"] is False


# What is supported


@pytest.mark.parametrize("approved_stage", ["proposed", "prototype", "mvp", "production"])
def test_everything_grounded_supports_production(approved_stage):
    found = supported(everything(approved_stage))
    assert found.supported == "production"
    assert found.supports_approved_stage
    assert found.label == ""


@pytest.mark.parametrize(
    ("approved_stage", "without", "expected", "label"),
    [
        ("production", "prod.monitoring", "mvp", "Production: not supported by current evidence"),
        ("production", "mvp.problem", "prototype", "Production: not supported by current evidence"),
        ("production", "proto.question", "proposed", "Production: not supported by current evidence"),
        ("mvp", "mvp.workflow", "prototype", "MVP: not supported by current evidence"),
        ("mvp", "proto.scope", "proposed", "MVP: not supported by current evidence"),
        ("prototype", "prototype.selected", "proposed", "Prototype: not supported by current evidence"),
        ("mvp", "prod.monitoring", "mvp", ""),
    ],
)
def test_an_approved_stage_that_is_not_supported_is_named(approved_stage, without, expected, label):
    found = supported(everything(approved_stage, without=[without]))
    assert (found.supported, found.label) == (expected, label)
    assert found.supports_approved_stage is (label == "")


@pytest.mark.parametrize("key", ["int.definitions", "int.sources_condition", "mvp.lessons_read"])
def test_advisory_criteria_never_block(key):
    assert supported(everything("prototype", without=[key])).supported in ("mvp", "production")


def test_an_advisory_requirement_never_blocks_a_blocking_criterion():
    assert supported(everything("mvp", without=["int.systems_owned"])).supported == "production"


def test_a_stage_above_is_not_reached_over_a_gap_below():
    assert supported(everything("production", without=["mvp.override"])).supported == "prototype"


@pytest.mark.parametrize("key", sorted(RULEBOOK.scale_items))
def test_production_needs_every_item_of_the_three_tests(key):
    facts = everything("mvp", without=[key])
    assert supported(facts).supported != "production"
    assert "not_yet" in supported(facts).tests.values()


@pytest.mark.parametrize(
    ("cap", "expected"), [("mvp", "mvp"), ("prototype", "prototype"), (None, "production")]
)
def test_a_hold_caps_what_is_supported(cap, expected):
    facts = everything("production", holds=(HoldFact("kind", "Held", "for a reason", cap, True),))
    found = supported(facts)
    assert found.supported == expected
    assert found.held_by == (("Held",) if cap else ())


def test_two_holds_cap_at_the_lower():
    holds = (HoldFact("a", "A", "", "mvp", True), HoldFact("b", "B", "", "prototype", True))
    assert supported(everything("production", holds=holds)).supported == "prototype"
    assert supported(everything("production", holds=holds[::-1])).supported == "prototype"


def test_a_cap_does_not_lift():
    facts = everything("mvp", without=["mvp.problem"], holds=(HoldFact("a", "A", "", "mvp", True),))
    assert supported(facts).supported == "prototype"


def test_production_past_its_day_is_held_at_mvp():
    facts = everything("production", reattest_by=TODAY)
    assert supported(facts).supported == "production"
    late = supported(facts, clock.midnight_after(TODAY))
    assert late.supported == "mvp"
    assert late.label == "Production: not supported by current evidence"
    assert (
        supported(replace(facts, approved_stage="mvp"), clock.midnight_after(TODAY)).supported == "production"
    )


@pytest.mark.parametrize("approved_stage", ["stopped", "retired"])
def test_a_closed_initiative_supports_nothing_and_falls_short_of_nothing(approved_stage):
    found = supported(everything(approved_stage))
    assert (found.supported, found.unsupported_stages, found.label) == ("", 0, "")


def test_a_criterion_with_a_term_never_blocks_the_move():
    facts = everything("production")
    found = finding(facts, "retire.records_kept")
    assert found.state == "later"
    assert not found.blocks


# Outlook


def assert_outlook_is_true(facts, moments):
    rows = turning_points.outlook(facts, RULEBOOK, AT)
    assert [row.at for row in rows] == sorted({row.at for row in rows})
    for moment in [*moments, *(row.at for row in rows)]:
        if moment < AT:
            continue
        said = next(row for row in reversed(rows) if row.at <= moment)
        direct = criteria.judge(facts, RULEBOOK, moment)
        wrong = [key for key in direct.states if direct.states[key].state != said.states[key].state]
        assert not wrong, f"{moment}: said since {said.at}, differs: {wrong}"
        assert said.support == direct.support, moment


def test_the_outlook_sees_a_planned_model_start():
    start = AT + 5 * DAY
    facts = everything(
        "prototype",
        deployments=(replace(MODEL, until=start), DeploymentFact(2, 1, "model", "m-5", start, None)),
    )
    prepared = tuple(
        replace(one, components=frozenset({1, 2})) if index % 2 else one
        for index, one in enumerate(facts.items)
    )
    voided = replace(
        prepared[0], voids={key: (Void(start, "scope", "at the same moment"),) for key in prepared[0].covers}
    )
    assert_outlook_is_true(
        replace(facts, items=(voided, *prepared[1:])), [start, start - timedelta(seconds=1)]
    )


def test_what_names_the_incoming_model_counts_from_its_start_in_the_outlook():
    start = AT + 5 * DAY
    facts = one(
        "mvp.possibility",
        item(1, "mvp.possibility", kind="test_report", components=frozenset({2})),
        # another requirement's item is voided at that very moment
        item(2, "mvp.users", voids={"mvp.users": (Void(start, "scope", "wider"),)}),
        deployments=(replace(MODEL, until=start), DeploymentFact(2, 1, "model", "m-5", start, None)),
    )
    assert_outlook_is_true(facts, [start])


MOMENTS = st.integers(0, 500 * 24).map(lambda hours: AT + timedelta(hours=hours))
LATER_DAYS = st.integers(0, 420).map(lambda days: clock.midnight_before(TODAY + days * DAY))


@st.composite
def any_facts(draw):
    """An initiative with much in it that ends, starts or ages at moments to come."""
    facts = everything(draw(st.sampled_from(["proposed", "prototype", "mvp", "production"])))
    model_ends, contract_ends = draw(LATER_DAYS), draw(LATER_DAYS)
    deployments = (MODEL,)
    if draw(st.booleans()):
        deployments = (
            replace(MODEL, until=model_ends),
            DeploymentFact(2, 1, "model", "m-5", model_ends, None),
        )
    contracts = (CONTRACT,)
    if draw(st.booleans()):
        contracts = (
            replace(CONTRACT, until=contract_ends),
            ContractState(2, 2, "d" * 64, contract_ends, None),
        )
    items, answers = [], dict(facts.answers)
    lacking = draw(st.sets(st.sampled_from(sorted(answers)), max_size=3))
    for one_item in facts.items:
        (key,) = one_item.covers
        observed = TODAY - draw(st.integers(0, 60)) * DAY
        voids = {}
        if draw(st.integers(0, 19)) == 0:
            voids = {key: (Void(draw(LATER_DAYS), "scope", "wider"),)}
        items.append(
            replace(
                one_item,
                observed_on=observed,
                voids=voids,
                components=draw(st.sampled_from([{1}, {1, 2}, {2}])) if len(deployments) > 1 else {1},
                clause_of=one_item.clause_of and draw(st.sampled_from([1, 2])),
            )
        )
        if key in lacking:
            answers[key] = draw(
                st.sampled_from(
                    [reply("no"), reply("not_applicable"), reply("not_applicable", accepted_on=observed)]
                )
            )
    return replace(
        facts,
        items=tuple(items),
        answers=answers,
        deployments=deployments,
        contracts=contracts,
        tier=draw(st.sampled_from(["", "limited", "high"])),
        imported=draw(st.booleans()),
        decided=draw(st.sampled_from([{}, {"mvp": TODAY}, {"mvp": TODAY, "production": TODAY}])),
        waivers=tuple(
            waiver(key, until=TODAY + draw(st.integers(0, 90)) * DAY)
            for key in draw(st.sets(st.sampled_from(["mvp.users", "mvp.workflow_known", "int.identity"])))
        ),
        reattest_by=draw(st.sampled_from([None, TODAY, TODAY + 100 * DAY])),
        requirement_findings=tuple(
            FindingFact(
                key, "Words.", "", "", draw(LATER_DAYS), hold=draw(st.sampled_from(["", "residency"]))
            )
            for key in draw(st.sets(st.sampled_from(["int.residency", "mvp.workflow", "int.identity"])))
        ),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(any_facts(), st.lists(MOMENTS, min_size=3, max_size=6))
def test_the_outlook_equals_what_is_supported_at_each_moment(facts, moments):
    assert_outlook_is_true(facts, moments)


# Reviews


def sign_offs(gate, seats=None, **fields):
    keys = RULEBOOK.gates[gate].seats if seats is None else seats
    return tuple(
        JudgedSignOff(seat, place, f"Holder of {seat}", "approve", AT, **fields)
        for place, seat in enumerate(keys, 1)
    )


def seat_holders(*without):
    return {
        seat: SeatState(seat, () if seat in without else (f"Holder of {seat}",)) for seat in RULEBOOK.seats
    }


def judged(facts, gate="production", *, cast=None, seats=None, at=AT):
    return criteria.verdict_of(
        criteria.judge(facts, RULEBOOK, at),
        gate,
        sign_offs=sign_offs(gate) if cast is None else cast,
        seats=seats or seat_holders(),
    )


def words(verdict):
    return " | ".join(str(reason) for reason in verdict.blockers)


@pytest.mark.parametrize(
    ("approved_stage", "gate"), [("proposed", "prototype"), ("prototype", "mvp"), ("mvp", "production")]
)
def test_a_review_with_everything_is_decidable(approved_stage, gate):
    verdict = judged(everything(approved_stage), gate)
    assert verdict.decidable, words(verdict)
    assert verdict.reachable
    assert verdict.missing_seats == ()


@pytest.mark.parametrize("key", [c.key for c in RULEBOOK.gates["production"].criteria if c.blocking])
def test_every_blocking_criterion_blocks_alone(key):
    asked = (
        next(
            k
            for k in RULEBOOK.criteria[key].requirements
            if RULEBOOK.requirements[k].blocking and k != "mvp.success"
        )
        if key != "production.mvp_goals"
        else "mvp.success"
    )
    facts = everything("mvp", without=[asked])
    # what the MVP stands on falls too, so only the criterion's own words are looked for
    assert RULEBOOK.criteria[key].question in words(judged(facts))


def test_a_waived_criterion_does_not_block():
    facts = everything(
        "mvp", without=["production.lessons_captured"], waivers=(waiver("production.lessons_captured"),)
    )
    assert judged(facts).decidable


def test_the_approved_stage_must_be_supported_now():
    facts = everything("mvp", without=["mvp.workflow"])
    assert "MVP: not supported by current evidence" in words(judged(facts))


def test_retire_does_not_ask_for_support_holds_or_conditions():
    facts = replace(
        everything("production", without=["mvp.problem"]),
        holds=(HoldFact("concern", "Someone raised a concern", "stop", None, True),),
        conditions=(ConditionFact("Write it", "Marta", days_ago(1)),),
        obligations=(ObligationFact(1, "post_mortem", "Post-mortem", 7, days_ago(1), "AI-0002"),),
    )
    extra = {key: reply() for key in RULEBOOK.gates["retire"].requirements()}
    evidence = tuple(evidence_of(key, 900 + n) for n, key in enumerate(extra))
    facts = replace(facts, answers=facts.answers | extra, items=(*facts.items, *evidence))
    verdict = judged(facts, "retire")
    assert verdict.decidable, words(verdict)


@pytest.mark.parametrize("seat", RULEBOOK.gates["production"].must_include)
def test_a_seat_that_must_sign_is_missed(seat):
    cast = tuple(sign_off for sign_off in sign_offs("production") if sign_off.seat != seat)
    verdict = judged(everything("mvp"), cast=cast)
    assert not verdict.decidable
    assert seat in verdict.missing_seats
    assert "must be among the signers" in words(verdict)


def test_the_quorum_counts_fresh_approvals():
    needed = RULEBOOK.gates["production"].must_include
    assert "4 of 5 seats" in words(judged(everything("mvp"), cast=sign_offs("production", needed)))
    assert judged(everything("mvp"), cast=sign_offs("production", [*needed, "adoption_change"])).decidable


def test_a_high_tier_needs_a_larger_quorum():
    five = [seat for seat in RULEBOOK.gates["production"].seats if seat != "adoption_change"]
    assert judged(everything("mvp"), cast=sign_offs("production", five)).decidable
    verdict = judged(everything("mvp", tier="high"), cast=sign_offs("production", five))
    assert verdict.quorum == 6
    assert "5 of 6 seats" in words(verdict)


def test_a_stale_approval_of_a_seat_that_must_sign_blocks():
    cast = [
        replace(sign_off, stale=("the scope changed",)) if sign_off.seat == "risk_compliance" else sign_off
        for sign_off in sign_offs("production")
    ]
    verdict = judged(everything("mvp"), cast=tuple(cast))
    assert "Risk and compliance must sign again: the scope changed" in words(verdict)
    assert "risk_compliance" in verdict.missing_seats


def test_a_stale_approval_beyond_the_quorum_does_not_block():
    cast = [
        replace(sign_off, stale=("no longer holds the seat",))
        if sign_off.seat == "adoption_change"
        else sign_off
        for sign_off in sign_offs("production")
    ]
    assert judged(everything("mvp"), cast=tuple(cast)).decidable


def test_a_stale_approval_that_the_quorum_needs_blocks():
    cast = tuple(
        replace(sign_off, stale=("aged",)) if sign_off.seat == "adoption_change" else sign_off
        for sign_off in sign_offs(
            "production", [*RULEBOOK.gates["production"].must_include, "adoption_change"]
        )
    )
    assert "Adoption and change must sign again" in words(judged(everything("mvp"), cast=cast))


def test_an_objection_to_a_blocking_criterion_stands_against_everybody():
    cast = tuple(
        replace(sign_off, verdict="object", criteria=("production.test_adoption",))
        if sign_off.seat == "adoption_change"
        else sign_off
        for sign_off in sign_offs("production")
    )
    verdict = judged(everything("mvp"), cast=cast)
    assert verdict.fresh_approvals == 5
    assert "objects to “Is the adoption scale test passed?”" in words(verdict)


def test_an_objection_to_an_advisory_criterion_does_not_block():
    cast = tuple(
        replace(sign_off, verdict="object", criteria=("production.systems_owned",))
        if sign_off.seat == "architecture_integration"
        else sign_off
        for sign_off in sign_offs("production")
    )
    assert judged(everything("mvp"), cast=cast).decidable


def test_recusal_lowers_who_may_sign_and_not_the_quorum():
    two = ("adoption_change", "architecture_integration")
    cast = tuple(replace(v, verdict="recuse") if v.seat in two else v for v in sign_offs("production"))
    verdict = judged(everything("mvp"), cast=cast, seats=seat_holders(*two))
    assert verdict.quorum == 5
    assert not verdict.reachable
    assert "quorum cannot be reached: 5 seats must sign, and 4 can" in words(verdict)


@pytest.mark.parametrize("cap", ["mvp", None])
def test_a_blocking_hold_blocks_and_another_does_not(cap):
    hold = HoldFact("kind", "Held by somebody", "because", cap, True)
    assert "Held by somebody" in words(judged(everything("mvp", holds=(hold,))))
    quiet = replace(hold, blocking=False, cap=None)
    assert judged(everything("mvp", holds=(quiet,))).decidable


def test_a_condition_blocks_from_the_day_after_it_was_due():
    facts = everything("mvp", conditions=(ConditionFact("Train the second team", "Karim", TODAY),))
    assert judged(facts).decidable
    assert "Train the second team" in words(judged(facts, at=clock.midnight_after(TODAY)))


def test_an_overdue_obligation_of_the_owner_blocks_the_two_later_gates_only():
    obligation = ObligationFact(1, "post_mortem", "Post-mortem after stopping", 7, TODAY, "AI-0009")
    tomorrow = clock.midnight_after(TODAY)
    assert judged(everything("mvp", obligations=(obligation,))).decidable
    assert "AI-0009" in words(judged(everything("mvp", obligations=(obligation,)), at=tomorrow))
    assert "AI-0009" in words(judged(everything("prototype", obligations=(obligation,)), "mvp", at=tomorrow))
    assert judged(everything("proposed", obligations=(obligation,)), "prototype", at=tomorrow).decidable
    assert judged(everything("mvp", obligations=(replace(obligation, excused=True),)), at=tomorrow).decidable


# Who can sign at all


def test_a_full_board_can_reach_every_quorum():
    for gate in ("prototype", "mvp", "production", "retire"):
        assert criteria.reach(RULEBOOK, gate, "high", seat_holders()) == ()


def test_a_seat_that_must_sign_and_cannot_is_named_with_the_reason():
    seats = seat_holders() | {
        "risk_compliance": SeatState("risk_compliance", (), ("Ines wrote the evidence",))
    }
    (reason,) = criteria.reach(RULEBOOK, "mvp", "", seats)
    assert "Ines wrote the evidence" in str(reason)
    assert "delegate" in reason.remedy


def test_seats_without_a_criterion_at_the_gate_do_not_help_the_quorum():
    # Retiring is signed by operations, adoption and security: two are needed.
    reasons = criteria.reach(RULEBOOK, "retire", "", seat_holders("adoption_change", "security_privacy"))
    assert "quorum cannot be reached: 2 seats must sign, and 1 can" in str(reasons[0])
    mvp = seat_holders("adoption_change", "security_privacy", "architecture_integration")
    assert "3 seats must sign, and 2 can" in str(criteria.reach(RULEBOOK, "mvp", "", mvp)[0])


def test_a_high_tier_may_be_out_of_reach_where_a_limited_one_is_not():
    seats = seat_holders("adoption_change")
    assert criteria.reach(RULEBOOK, "production", "limited", seats) == ()
    assert criteria.reach(RULEBOOK, "production", "high", seats)


def test_somebody_in_two_seats_signs_for_one():
    """One person signs one seat: two seats held by the same person count once towards the quorum.

    See docs/domain.md, invariant 5.
    """
    alone = {key: SeatState(key, ("Ines",), (), (7,)) for key in seat_holders()}
    reasons = reach(RULEBOOK, "mvp", "limited", alone)
    assert any("3 seats must sign, and 1 can" in reason.text for reason in reasons)
    several = {key: SeatState(key, (key,), (), (number,)) for number, key in enumerate(seat_holders())}
    assert reach(RULEBOOK, "mvp", "limited", several) == ()


# What runs


def shown(facts, at=AT):
    judged = criteria.judge(facts, RULEBOOK, at)
    return judged.support.tests["governance"], judged.findings["production.test_governance"].state


@pytest.mark.parametrize("stage", ["mvp", "production"])
@pytest.mark.parametrize(
    ("measured", "without", "words"),
    [
        ((), ("enforcement", "log"), "Not enforced here. No log here."),
        (SHOWN[:1], ("log",), "No log here."),
        (SHOWN[1:], ("enforcement",), "Not enforced here."),
    ],
)
def test_governance_is_documented_at_best_where_nothing_that_runs_shows_it(stage, measured, without, words):
    facts = everything(stage, measured=measured)
    assert shown(facts) == ("documented", "documented")
    found = finding(facts, "production.test_governance")
    assert (found.met, found.blocks, found.reasons) == (True, False, (words,))
    support = supported(facts)
    assert (support.runs_without, support.supported) == (without, "production"), "no gate is blocked"
    assert {support.tests["integration"], support.tests["adoption"]} == {"passes"}
    assert shown(everything(stage)) == ("passes", "met")


def test_governance_that_is_not_met_is_not_documented():
    facts = everything("production", without=["gov.enforced"], measured=())
    assert shown(facts) == ("not_yet", "unmet")


def test_what_runs_is_shown_until_its_period_is_over():
    end = AT + timedelta(days=3)
    facts = everything("production", measured=(replace(SHOWN[0], until=end), SHOWN[1]))
    assert [shown(facts, at)[0] for at in (AT, end)] == ["passes", "documented"]
    outlook = turning_points.outlook(facts, RULEBOOK, AT)
    assert end in [one.at for one in outlook]
    assert next(one for one in outlook if one.at == end).support.tests["governance"] == "documented"
    assert not any(one.support.tests["governance"] == "passes" for one in outlook if one.at >= end)
