"""Levels where two rules meet: offered for another requirement, refused and failed, replaced, by two persons, alone."""

from dataclasses import replace

import pytest

from governance.gates import levels, sign_off_statement
from governance.gates.criteria import judge
from governance.gates.gate_inputs import FindingFact, StandsAlone, Verification
from governance.gates.requirements import state_of, states_at
from governance.vocabulary import Level, Seat
from tests.support.rules.gate_facts import CONTRACT, LONG_AGO, MODEL, days_ago, evidence_of, item, one, reply
from tests.support.rules.random_facts import AT, RULEBOOK

DESCRIBED = ((LONG_AGO, None),)


def state(facts, key):
    return state_of(facts, RULEBOOK, key, AT)


def said(found, key, *people, shows=True, version=1):
    """The item with the verdict of these people, whoever spoke of it before."""
    words = tuple(
        Verification(person, f"Person {person}", found.added_at, version, found.fingerprint, shows, "Page 2.")
        for person in people
    )
    return replace(found, verifications={key: (*found.verifications.get(key, ()), *words)})


ACCEPTANCE = {"kind": "attestation", "acceptance_role": "owner", "acceptance_open": True}


@pytest.mark.parametrize(
    ("key", "fields", "level"),
    [
        ("production.business_depends", ACCEPTANCE, Level.STATED),
        ("gov.record_owner", ACCEPTANCE, Level.STATED),
        ("int.sources_condition", {"kind": "system_record", "generated": True}, Level.DOCUMENTED),
        ("mvp.rollout", {"kind": "system_record", "generated": True}, Level.DOCUMENTED),
        ("int.residency", {"kind": "contract_clause", "clause_of": CONTRACT.id}, Level.DOCUMENTED),
    ],
)
def test_what_is_measured_for_one_requirement_is_not_for_another_that_the_team_offers_it_for(
    key, fields, level
):
    """`ways` says how a requirement is measured, and these name neither acceptance nor index nor clause, or another."""
    facts = one(key, item(1, key, **fields), tier="limited", described=DESCRIBED)
    assert state(facts, key).level == level


def test_that_a_failure_shows_nothing_does_not_bring_an_older_pass_back():
    key = "prod.q10_outage"
    passed = said(item(1, key, kind="drill_record", observed_on=days_ago(9)), key, 98)
    failed = item(2, key, kind="drill_record", result="fail")
    assert state(one(key, passed, failed, tier="limited"), key).state == "failing"
    doubted = said(failed, key, 99, shows=False)
    assert state(one(key, passed, doubted, tier="limited"), key).state == "failing"


def test_two_persons_open_what_is_asked_and_not_what_lies_beside_it():
    key = "int.audit_trail"
    drill = said(item(1, key, kind="drill_record"), key, 98)
    sample = said(item(2, key, kind="log_sample"), key, 98, 99)
    facts = one(key, drill, sample, tier="high")
    assert state(facts, key).below == {"production"}
    both = said(drill, key, 99)
    assert state(replace(facts, items=(both, sample)), key).satisfied


@pytest.mark.parametrize(
    ("old", "new", "tier"),
    [
        ("mvp.observability", "prod.q03_logged", "limited"),
        ("mvp.possibility", "prod.performance", "high"),
        ("mvp.expectations", "prod.q11_expectations", "high"),
    ],
)
def test_a_production_form_below_what_the_gate_to_mvp_asks_does_not_satisfy_it(old, new, tier):
    facts = one(new, evidence_of(new, 1), tier=tier, approved_stage="production")
    assert state(facts, new).level == Level.DOCUMENTED
    assert RULEBOOK.requirements[old].level_for(tier, "mvp") == Level.VERIFIED
    assert not state(facts, old).satisfies("mvp")


def test_at_high_risk_one_person_does_not_accept_that_a_initiative_stands_alone():
    key = "int.inventory"
    facts = replace(
        one("mvp.risk", tier="high"), alone=(StandsAlone(LONG_AGO, None, "Ines", frozenset({98})),)
    )
    assert state(facts, key).below == {"production"}
    assert state(replace(facts, tier="limited"), key).satisfied
    both = replace(facts, alone=(StandsAlone(LONG_AGO, None, "Ines", frozenset({98, 99})),))
    assert state(both, key).satisfied


def test_what_the_register_says_counts_for_a_initiative_that_stands_alone_too():
    """A fallback drill that failed or is overdue needs no link to speak of."""
    key, alone = "int.fallback", StandsAlone(LONG_AGO, None, "Ines", frozenset({98}))
    facts = replace(one(key, tier="limited"), alone=(alone,), answers={key: reply()})
    assert state(facts, key).satisfied
    overdue = FindingFact(key, "The last drill is overdue.", "Run it.", "", LONG_AGO)
    assert not state(replace(facts, requirement_findings=(overdue,)), key).satisfied


@pytest.mark.parametrize("key", ["proto.assumptions", "proto.limitations"])
def test_putting_the_model_recorded_costs_a_prototype_nothing(key):
    before = one(key, item(1, key, kind="attestation", components=frozenset()), deployments=())
    assert state(before, key).satisfied
    assert state(replace(before, deployments=(MODEL,)), key).satisfied


def test_a_sign_off_does_not_stale_because_the_production_form_was_verified():
    """What only improves stales nothing, although the other requirement has an answer of another version."""
    old, new = "mvp.expectations", "prod.q11_expectations"
    own, form = item(1, old), item(2, new)
    answers = {old: reply(version=1), new: reply(version=2)}
    before = replace(one(old, own, form, tier="high"), answers=answers)
    covered = sign_off_statement.seat_facts(judge(before, RULEBOOK, AT), "mvp", "risk_compliance")
    seen = said(form, new, 98, 99, version=2)
    after = replace(before, items=(own, seen))
    assert state(after, old).satisfies("mvp")
    assert sign_off_statement.stale_reasons(covered, judge(after, RULEBOOK, AT), AT) == []


def short(tier, gate, people):
    facts = one("mvp.problem", tier=tier, described=DESCRIBED)
    found = levels.too_few_verifiers(facts, RULEBOOK, gate, states_at(facts, RULEBOOK, AT), people, AT)
    return [reason.text for reason in found]


def test_whether_enough_people_can_verify_is_said_for_each_seat():
    """At high risk two for production, else one; whoever holds two seats that sign for a requirement is one person."""
    alone = {seat: (place,) for place, seat in enumerate(RULEBOOK.seats)}
    two = {seat: (place, place + 10) for place, seat in enumerate(RULEBOOK.seats)}
    assert short("limited", "production", alone) == short("high", "mvp", alone) == []
    assert short("high", "production", two) == []
    seats = {seat for text in short("high", "production", alone) for seat in Seat if Seat.word(seat) in text}
    assert seats == set(RULEBOOK.seats)
    assert short("high", "production", dict.fromkeys(RULEBOOK.seats, (7,)))
    without = short("limited", "production", alone | {"service_operations": ()})
    assert len(without) == 1
    assert without[0].startswith("No one can verify ")
    assert without[0].endswith("that Service operations signs for.")
