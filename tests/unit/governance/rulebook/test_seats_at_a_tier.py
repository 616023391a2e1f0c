"""Fewer seats sign at minimal risk: who signs for what, quorums, and the same rule in the offline verifier."""

from dataclasses import replace

import pytest

from governance.gates import criteria
from governance.gates.criteria import SeatState
from governance.gates.evidence_rules import undeclared
from governance.gates.gate_inputs import Declared
from governance.offline import verify
from governance.rulebook import RulebookErrors, parse, shipped_text
from governance.transparency_log import signing_rules
from governance.vocabulary import Seat, Tier
from tests.support.rules.gate_facts import AT, one

SOURCE = shipped_text()
SNAPSHOT = ("business_value", "risk_compliance")
GOALS = 'declared_goals_minimal = ["user_usefulness", "bounded_business_value"]'
STATED = 'seats_minimal = ["business_value", "risk_compliance"]'


@pytest.fixture(scope="module")
def rulebook():
    return parse(SOURCE)


def seats(*held):
    """A board on which these seats are held, each by a person of its own."""
    people = {seat: number for number, seat in enumerate(held, 1)}
    return {
        seat: SeatState(seat, (seat,), (), (people[seat],)) if seat in people else SeatState(seat)
        for seat in Seat
    }


@pytest.mark.parametrize("tier", ["", Tier.LIMITED, Tier.HIGH])
def test_every_seat_signs_at_other_tiers(rulebook, tier):
    assert rulebook.at_tier(tier) is rulebook


@pytest.mark.parametrize("gate", ["prototype", "mvp", "production", "retire"])
def test_two_seats_sign_for_everything_at_minimal_risk(rulebook, gate):
    minimal, usual = rulebook.at_tier(Tier.MINIMAL).gates[gate], rulebook.gates[gate]
    assert set(minimal.seats) <= set(SNAPSHOT)
    assert set(minimal.must_include) <= set(minimal.seats)
    assert minimal.quorum == min(usual.quorum, len(minimal.seats))
    assert minimal.requirements() == usual.requirements()
    for here, there in zip(minimal.criteria, usual.criteria, strict=True):
        assert here.seat == (there.seat if there.seat in SNAPSHOT else "risk_compliance")


def test_what_another_seat_verifies_goes_to_the_seat_that_signs_for_it(rulebook):
    assert rulebook.seats_asking("prod.q03_logged") == ("security_privacy",)
    assert rulebook.at_tier(Tier.MINIMAL).seats_asking("prod.q03_logged") == ("risk_compliance",)


def test_two_people_reach_production_at_minimal_risk_and_nowhere_else(rulebook):
    board = seats(*SNAPSHOT)
    assert criteria.reach(rulebook, "production", Tier.MINIMAL, board) == ()
    for tier in ("", Tier.LIMITED, Tier.HIGH):
        assert criteria.reach(rulebook, "production", tier, board)
    assert criteria.reach(rulebook, "production", Tier.MINIMAL, seats("business_value"))


def test_one_person_in_both_seats_reaches_no_quorum(rulebook):
    alone = {seat: SeatState(seat, ("Ida",), (), (7,)) for seat in Seat}
    assert criteria.reach(rulebook, "production", Tier.MINIMAL, alone)


def test_the_guards_of_the_database_are_given_the_same_seats(rulebook):
    rules = {(row["about"], row["tier"]): row for row in signing_rules.rules_of(rulebook)}
    assert set(rules["production", "minimal"]["seats"]) == set(SNAPSHOT)
    assert rules["production", "minimal"]["quorum"] == 2
    assert rules["production", "limited"]["quorum"] == 5
    assert set(rules["mvp", "minimal"]["must_include"]) == set(SNAPSHOT)


@pytest.mark.parametrize("gate", ["prototype", "mvp", "production", "retire"])
@pytest.mark.parametrize("tier", ["", *Tier])
def test_the_verifier_counts_as_the_rules_do(rulebook, gate, tier):
    ours, theirs = rulebook.at_tier(tier).gates[gate], verify.rules_of(SOURCE).gate_at(gate, tier)
    assert theirs.seats == set(ours.seats)
    assert theirs.must_include == ours.must_include
    assert verify.quorum_for(tier, theirs.quorum, theirs.quorum_high_risk) == ours.quorum_for(tier)


def test_a_text_that_says_nothing_of_it_has_every_seat_sign():
    rulebook = parse(SOURCE.replace(STATED, "").replace(GOALS, ""))
    assert rulebook.at_tier(Tier.MINIMAL) is rulebook
    assert parse(SOURCE.replace(STATED, "")).at_tier(Tier.MINIMAL).gates["production"].quorum == 5
    assert verify.rules_of(SOURCE.replace(STATED, "")).gate_at("production", "minimal").quorum == 5


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ('seats_minimal = ["business_value"]', "only 1 seats sign at minimal risk"),
        ("seats_minimal = []", "only 0 seats sign at minimal risk"),
        ('seats_minimal = ["business_value", "nobody"]', "nobody"),
    ],
)
def test_too_few_seats_and_unknown_ones_are_refused(instead, words):
    with pytest.raises(RulebookErrors, match=words):
        parse(SOURCE.replace(STATED, instead))


# --- Goals that are declared -----------------------------------------------------------------------------------------


def test_an_mvp_at_minimal_risk_declares_fewer_goals_and_is_compared_with_these():
    facts = one("mvp.advance_evidence", tier="minimal", declared={})
    rulebook = parse(SOURCE)
    assert undeclared(facts, rulebook, "minimal") == ["user usefulness", "bounded business value"]
    assert len(undeclared(facts, rulebook, "limited")) == 5
    declared = {key: Declared(key, "Shown.", "met") for key in ("user_usefulness", "bounded_business_value")}
    reasons = [
        criteria.judge(replace(facts, tier=tier, declared=declared), rulebook, AT)
        .findings["production.mvp_goals"]
        .reasons
        for tier in (Tier.MINIMAL, Tier.LIMITED)
    ]
    assert [sum("has no result yet" in one for one in said) for said in reasons] == [0, 3]


def test_a_goal_at_minimal_risk_alone_is_refused():
    with pytest.raises(RulebookErrors, match='"speed" is not listed in declared_goals'):
        parse(SOURCE.replace(GOALS, GOALS.replace("user_usefulness", "speed")))


OUT = 'left_out = { minimal = "what it has to show is declared with the evidence to advance" }'
LEVELS = 'level_at_mvp = { limited = "documented", high = "verified" }'


@pytest.mark.parametrize(
    ("place", "instead", "words"),
    [
        (OUT, OUT.replace("minimal", "limited"), "is listed under both level and left_out"),
        (OUT, "", '"minimal" is missing'),
        (OUT, OUT.replace("{", '{ tiny = "it is small",'), "tiny"),
        (OUT, 'left_out = { minimal = " " }', "has the wrong type or is blank"),
        (
            LEVELS,
            LEVELS.replace("{", '{ minimal = "documented",'),
            "is in left_out, but also in level_at_mvp",
        ),
    ],
)
def test_a_tier_that_is_left_out_says_why_and_has_no_level(place, instead, words):
    before, row, after = SOURCE.partition(f"{LEVELS}\n{OUT}\n")
    assert row
    with pytest.raises(RulebookErrors, match=words):
        parse(before + row.replace(place, instead) + after)


def test_evidence_lasts_longer_at_minimal_risk_and_shorter_at_high(rulebook):
    asked = rulebook.requirements["mvp.risk"]
    assert asked.days(Tier.MINIMAL) > asked.days(Tier.LIMITED) > asked.days(Tier.HIGH)
    assert asked.days("") == asked.days(Tier.LIMITED)
    assert rulebook.requirements["mvp.problem"].days(Tier.MINIMAL) == 0  # until a trigger ends it
