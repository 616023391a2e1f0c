"""Each requirement and each gate of rulebook 1.0 against what was agreed on, by what the rules do with an
initiative.
"""

import hashlib
import re
from types import SimpleNamespace

import pytest

from governance.gates import drawing, sign_off_statement
from governance.gates.criteria import judge, verdict_of
from governance.gates.gate_inputs import Measured, WaiverFact
from governance.gates.requirements import state_of
from governance.rulebook import parse, shipped_text
from tests.support.rules import agreed_gates
from tests.support.rules.agreed_cases import (
    CONDITIONS,
    CRITERIA,
    GATES,
    GENERATED,
    IN_PERSON,
    KINDS,
    LEVELS,
    ONLY_FROM_OUTSIDE,
    QUESTIONS,
    SEATS,
    TIERS,
    WITH_CONDITION,
    artefact,
    at_level,
    board,
    days_before,
    initiative,
    shown,
    sign_offs,
)
from tests.support.rules.gate_facts import AT, LONG_AGO, TODAY

RULEBOOK = parse(shipped_text())
WAYS = (
    "acceptance",
    "clause",
    "index",
    "agreement",
    "measurements",
    "decisions",
    "interactions",
    "monitoring",
    "pipeline",
)
MOMENT = "2026-11-02T12:00:00+00:00"
each_question = pytest.mark.parametrize("row", QUESTIONS.values(), ids=QUESTIONS)
each_gate = pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
each_tier = pytest.mark.parametrize("tier", TIERS)


def state(facts, key):
    return state_of(facts, RULEBOOK, key, AT)


def holds(facts, key, gate):
    return state(facts, key).satisfies(gate)


def gates_of(row):
    """The gates that ask this requirement, as agreed."""
    return [gate for gate in GATES if any(row.key in one.asks for one in GATES[gate].criteria)]


def verdict(judged, gate, signers):
    """What a board says of which these seats approve."""
    return verdict_of(judged, gate.key, sign_offs=sign_offs(signers), seats=board())


def test_every_requirement_criterion_and_gate_has_its_line_and_every_line_is_asked():
    assert set(QUESTIONS) == set(RULEBOOK.requirements)
    assert set(CRITERIA) == set(RULEBOOK.criteria)
    assert set(GATES) == set(RULEBOOK.gates)


@each_gate
@each_tier
def test_a_gate_holds_on_what_was_agreed_and_says_so_to_each_seat(gate, tier):
    said = verdict(judge(shown(gate.key, tier), RULEBOOK, AT), gate, gate.seats(tier))
    assert [one.text for one in said.blockers] == []
    assert {one.criterion.key: one.state for one in said.findings} == {
        row.key: "met" for row in gate.criteria
    }
    assert {one.criterion.key: one.criterion.seat for one in said.findings} == {
        row.key: row.seat_at(tier) for row in gate.criteria
    }


@each_question
def test_one_answer_missing_stops_the_gate_for_the_seats_that_sign_for_it(row):
    for tier in row.level:
        for gate in (GATES[key] for key in gates_of(row)):
            judged = judge(shown(gate.key, tier, without={row.key}), RULEBOOK, AT)
            said = verdict(judged, gate, gate.seats(tier))
            asking = [one for one in gate.criteria if row.key in one.asks]
            felt = [one for one in asking if row.blocking or not one.blocking]
            unmet = {one.criterion.key: one for one in said.findings if not one.met}
            assert {key: (one.criterion.seat, one.state) for key, one in unmet.items()} == {
                one.key: (one.seat_at(tier), "unmet" if one.due is None else "later") for one in felt
            }
            stopped = {one.key for one in felt if one.blocking and one.due is None}
            assert {key for key, one in unmet.items() if one.blocks} == stopped
            assert len(said.blockers) == len(stopped)
            assert all(one.remedy == f"{row.person} can fix it." for one in said.blockers)
            covered = {seat: sign_off_statement.seat_facts(judged, gate.key, seat) for seat in SEATS}
            named = {seat for seat, said in covered.items() if row.key in said["requirements"]}
            assert named == {one.seat_at(tier) for one in asking}


@each_question
def test_a_tier_that_leaves_a_requirement_out_asks_nothing(row):
    for tier in TIERS:
        assert (state(initiative(tier), row.key).state == "not_asked") == (tier not in row.level)


@each_question
def test_each_gate_asks_for_its_level_and_for_no_more(row):
    for tier in row.level:
        for gate in gates_of(row):
            asked = row.asked(gate, tier)
            assert holds(initiative(tier, [row.key], *at_level(row.key, asked)), row.key, gate)
            lower = "" if row.key in ONLY_FROM_OUTSIDE else LEVELS[LEVELS.index(asked) - 1]
            assert not holds(initiative(tier, [row.key], *at_level(row.key, lower)), row.key, gate)


@each_question
def test_only_the_agreed_kinds_of_artefact_show_it(row):
    for tier in row.level:
        none = state(initiative(tier, [row.key]), row.key)
        said = re.fullmatch(r"No evidence yet: (.*)\.", none.words)[1]
        assert set(said.split(" or ")) == {kind.replace("_", " ") for kind in row.kinds}
        for kind in KINDS:
            found = state(initiative(tier, [row.key], artefact(row.key, kind=kind)), row.key)
            if kind == "attestation" and row.must != kind:
                # A person's word states it, whatever is listed; the person's own acceptance of a role is more.
                enough = row.level[tier] == "stated" or row.key in IN_PERSON
                expected = "met" if enough else "unproven" if row.key in GENERATED else "below"
            elif kind not in row.kinds:
                expected = "unproven"
            elif (row.must and kind != row.must) or (row.condition and kind not in WITH_CONDITION):
                expected = "weak"
            else:
                expected = "met"
            assert (kind, found.state) == (kind, expected)


@each_question
def test_a_trial_counts_from_the_agreed_condition_on(row):
    for kind in set(row.kinds) & set(WITH_CONDITION) if row.must in ("", *WITH_CONDITION) else ():
        for tier in row.level:
            for condition in CONDITIONS:
                tried = artefact(row.key, kind=kind, condition=condition)
                enough = CONDITIONS.index(condition) >= CONDITIONS.index(row.condition)
                assert (state(initiative(tier, [row.key], tried), row.key).state == "met") == enough


@each_question
def test_evidence_stands_to_its_last_day_and_not_a_day_longer(row):
    for tier, days in row.days.items():
        last = artefact(row.key, observed=days_before(days or 5000))
        assert state(initiative(tier, [row.key], last), row.key).state == "met"
        if days:
            older = artefact(row.key, observed=days_before(days + 1))
            assert state(initiative(tier, [row.key], older), row.key).state == "expired"


@each_question
def test_it_is_measured_in_the_agreed_ways_alone(row):
    for tier in row.level:
        for way in WAYS:
            measured = initiative(tier, measured=(Measured(row.key, way, "41 of 60.", LONG_AGO),))
            assert (way, state(measured, row.key).state == "met") == (way, way in row.ways)


@each_question
def test_it_is_unknown_without_the_register_or_the_model_that_it_is_about(row):
    about_model = "model_version" in row.changes and not row.key.startswith("proto.")
    for tier in row.level:
        items = at_level(row.key, "verified")
        undescribed = initiative(tier, [row.key], *items, described=())
        assert (state(undescribed, row.key).state == "unknown") == row.of_register
        no_model = initiative(tier, [row.key], *items, deployments=())
        assert (state(no_model, row.key).state == "unknown") == about_model


@each_question
def test_it_alone_is_waived_where_that_was_agreed(row):
    for tier in row.level:
        waived = initiative(tier, waivers=(WaiverFact(row.key, LONG_AGO, TODAY, "next month"),))
        assert (state(waived, row.key).state == "waived") == row.waivable


@pytest.mark.parametrize("row", CRITERIA.values(), ids=CRITERIA)
@each_tier
def test_a_criterion_is_waived_as_a_whole_where_that_was_agreed(row, tier):
    asked = [key for key in row.asks if QUESTIONS[key].asked(row.gate, tier)]
    asked = [key for key in asked if QUESTIONS[key].blocking or not row.blocking]
    if not asked:
        return
    waiver = WaiverFact(row.key, LONG_AGO, TODAY, "next month")
    facts = shown(row.gate, tier, without=set(asked[:1]), waivers=(waiver,))
    said = judge(facts, RULEBOOK, AT).findings[row.key].state
    alone = asked[0] == row.key and QUESTIONS[row.key].waivable
    open_state = "unmet" if row.due is None else "later"
    assert said == ("with_waiver" if alone else "waived" if row.waivable else open_state)


@each_gate
@each_tier
def test_so_many_seats_sign_and_these_among_them(gate, tier):
    judged = judge(shown(gate.key, tier), RULEBOOK, AT)
    seats, must = gate.seats(tier), gate.must_sign_at(tier)
    quorum = gate.quorum[tier]
    enough = [*must, *(seat for seat in seats if seat not in must)][:quorum]
    assert [one.text for one in verdict(judged, gate, enough).blockers] == []
    if quorum:
        fewer = verdict(judged, gate, enough[:-1])
        if enough[-1] in must:  # named once, by its seat
            assert fewer.missing_seats == (enough[-1],)
        else:
            short = f"{quorum - 1} of {quorum} seats have a current approval."
            assert short in [one.text for one in fewer.blockers]
    for seat in seats:
        said = verdict(judged, gate, [one for one in seats if one != seat])
        assert (said.missing_seats == (seat,)) == (seat in must)


@each_gate
@each_tier
def test_a_statement_asks_in_the_agreed_words(gate, tier):
    judged = judge(shown(gate.key, tier), RULEBOOK, AT)
    for seat in gate.seats(tier):
        text = sign_off_statement.write(
            judged.rulebook,
            sign_off_statement.seat_facts(judged, gate.key, seat),
            person=SimpleNamespace(pk=1, full_name="Ines Ott"),
            board="Board of trials",
            verdict="approve",
            at=AT,
        )
        assert f"meets these criteria of the gate {gate.title}:" in text
        lines = re.findall(r"^( *)- (.*) \(([a-z0-9_.]+)(?:, answer \d+)?\):", text, re.MULTILINE)
        mine = [row for row in gate.criteria if row.seat_at(tier) == seat]
        said = {(bool(indent), key): _letters(words) for indent, words, key in lines}
        assert said == {(False, row.key): row.words for row in mine} | {
            (True, key): QUESTIONS[key].words for row in mine for key in row.asks
        }


def _letters(words):
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def test_an_approval_counts_for_the_agreed_days():
    facts = shown("prototype", "limited")
    signed = sign_off_statement.seat_facts(judge(facts, RULEBOOK, AT), "prototype", "business_value")
    for days, why in (
        (agreed_gates.SIGN_OFF_DAYS, []),
        (agreed_gates.SIGN_OFF_DAYS + 1, [f"signed more than {agreed_gates.SIGN_OFF_DAYS} days ago"]),
    ):
        at = AT - (TODAY - days_before(days))
        assert sign_off_statement.stale_reasons(signed, judge(facts, RULEBOOK, AT), at) == why


def test_so_many_requirements_are_drawn_at_minimal_risk_and_none_at_others():
    for tier in TIERS:
        facts = shown("production", tier)
        draws_due = drawing.draws_due(judge(facts, RULEBOOK, AT))
        assert len(draws_due) == (agreed_gates.DRAWN_AT_MINIMAL if tier == "minimal" else 0)
