"""Initiatives in many states, each built by acts: a stage, and what somebody did to it, alone and in pairs.

`states()` names every state. `build` lays one down: each stage is built once a process, and laid down again for the
next state. A pair of acts that the rules refuse is not a state: `build` returns None.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import time_machine
from django.db import connection

from adoption.demo import initiative_acts
from adoption.demo.initiative_acts import fresh
from adoption.incidents import actions as incident_actions
from adoption.reports.actions import report_behaviour_report
from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.operations import heartbeats
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import comments
from initiatives.contracts.enforcement import kill_switch
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.integration.components.actions import record_component
from initiatives.integration.definitions import actions as definition_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements import standalone
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import Initiative, Review
from tests.support import factories
from tests.support.initiatives import answered_surveys

DAY = timedelta(days=1)
GATE_OF = {"proposed": "prototype", "prototype": "mvp", "mvp": "production"}


@dataclass(frozen=True)
class State:
    """A stage, and the acts upon it by name. `days`: how long nobody did anything since."""

    stage: str
    turns: tuple[str, ...] = ()
    days: int = 0

    def __str__(self) -> str:
        return "-".join([self.stage, *self.turns, *([f"after{self.days}days"] if self.days else [])])


# --- Stages ----------------------------------------------------------------------------------------------------------


def _ready(build: Callable) -> Callable:
    def ready(cast):
        initiative = build(cast)
        return factories.make_ready(cast, initiative, GATE_OF[initiative.stage])

    return ready


def _manned(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    return fresh(initiative)


def _with_parts(cast):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    return fresh(initiative)


def _stopped(cast):
    initiative = factories.make_mvp(cast)
    return stage_actions.stop(
        initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner
    )


def _retired(cast):
    initiative = factories.make_production(cast)
    initiative_acts.ground_gate(initiative, "retire", cast.team)
    review = review_actions.open_review(initiative=fresh(initiative), by=cast.owner)
    initiative_acts.sign_offs(review, cast.team)
    review_actions.decide(review=review, outcome="approved", reason="It served.", by=cast.chair)
    return fresh(initiative)


def _shipped_idea(cast):
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return _with_parts(cast)


STAGES: dict[str, Callable] = {
    "idea": factories.make_initiative,
    "idea_ready": _ready(_with_parts),
    "prototype": factories.make_prototype,
    "prototype_manned": _manned,
    "prototype_ready": _ready(_manned),
    "mvp": factories.make_mvp,
    "mvp_ready": _ready(factories.make_mvp),
    "production": factories.make_production,
    "stopped": _stopped,
    "retired": _retired,
    "shipped_idea": _shipped_idea,
    "shipped_mvp": factories.make_minimal,
}
OPEN = tuple(name for name in STAGES if name not in ("stopped", "retired"))
READY = ("idea_ready", "prototype_ready", "mvp_ready")
REVIEWED = (*READY, "mvp", "shipped_mvp")
WITH_EVIDENCE = ("prototype", "prototype_ready", "mvp", "mvp_ready", "production")
WITH_CONTRACT = ("prototype_manned", "prototype_ready", "mvp", "mvp_ready", "production")


# --- Acts ------------------------------------------------------------------------------------------------------------


def _open(cast, initiative) -> Review:
    known = initiative.reviews.filter(outcome="open").first()
    if known is None and initiative.stage in ("prototype", "mvp"):
        initiative_acts.propose_and_confirm_tier(fresh(initiative), cast.team)
    return known or review_actions.open_review(initiative=fresh(initiative), by=cast.owner)


def _criterion(review, seat):
    return review.parsed_rulebook.criteria_of(review.gate, seat)[0]


def _seat_of(review) -> str:
    return next(
        seat for seat in factories.SEAT_LOGINS if review.parsed_rulebook.criteria_of(review.gate, seat)
    )


def review_open(cast, initiative):
    _open(cast, initiative)


def review_question(cast, initiative):
    review = _open(cast, initiative)
    seat = _seat_of(review)
    review_actions.ask_question(
        review=review, criterion=_criterion(review, seat).key, text="Who says so?", by=cast.seats[seat]
    )


def review_objection(cast, initiative):
    review = _open(cast, initiative)
    seat = _seat_of(review)
    initiative_acts.sign_off(
        review,
        seat,
        cast.seats[seat],
        "object",
        reason="The users are not named.",
        criteria=(_criterion(review, seat).key,),
    )


def review_answered(cast, initiative):
    review_objection(cast, initiative)
    review = initiative.reviews.get(outcome="open")
    key = _criterion(review, _seat_of(review)).requirements[0]
    asked = review.parsed_rulebook.requirements[key]
    requirement_actions.answer(
        initiative=fresh(initiative),
        requirement=key,
        kind="answered",
        text="The users of two teams, by name.",
        true_as_of=clock.today() if "attestation" in asked.evidence else None,
        by=cast.owner,
    )


def review_signed(cast, initiative):
    initiative_acts.sign_offs(_open(cast, initiative), cast.team)


def review_half_signed(cast, initiative):
    review = _open(cast, initiative)
    initiative_acts.sign_offs(review, cast.team, [_seat_of(review)])


def review_returned(cast, initiative):
    review_actions.return_review(
        review=_open(cast, initiative), reason="Name the users first.", by=cast.chair
    )


def review_refused(cast, initiative):
    review = _open(cast, initiative)
    initiative_acts.sign_offs(review, cast.team)
    review_actions.decide(review=review, outcome="refused", reason="Not this year.", by=cast.chair)


def review_conditions(cast, initiative):
    review = _open(cast, initiative)
    initiative_acts.sign_offs(review, cast.team)
    condition = {"text": "Log more", "owner": cast.owner, "due": clock.today() + 20 * DAY}
    review_actions.decide(
        review=review, outcome="approved_with_conditions", reason="", conditions=[condition], by=cast.chair
    )


def contract_draft(cast, initiative):
    contract_actions.save_contract(
        initiative=fresh(initiative),
        clauses=initiative_acts.CLAUSES[::-1],
        vocabulary=initiative_acts.VOCABULARY,
        by=cast.owner,
    )


def contract_proposed(cast, initiative):
    contract_draft(cast, initiative)
    return contract_actions.propose_contract(initiative=fresh(initiative), by=cast.owner)


def contract_half_signed(cast, initiative):
    version = contract_proposed(cast, initiative)
    seat = Rulebook.objects.current().parsed.contract.seats[0]
    contract_actions.approve_contract(version=version, seat=seat, digest=version.digest, by=cast.seats[seat])


def contract_objection(cast, initiative):
    version = contract_proposed(cast, initiative)
    seat = Rulebook.objects.current().parsed.contract.seats[0]
    comments.object_to_contract(
        version=version,
        seat=seat,
        number=version.clauses.first().number,
        text="Two hundred are too many.",
        digest=version.digest,
        by=cast.seats[seat],
    )


def contract_comment(cast, initiative):
    contract_draft(cast, initiative)
    draft = contract_actions.in_preparation(fresh(initiative))
    comments.comment_on_clause(
        initiative=fresh(initiative), number=draft.clauses.first().number, text="Why?", by=cast.seat_risk
    )


def hold_by_seat(cast, initiative):
    hold_deeds.hold(initiative=fresh(initiative), reason="A doubt.", by=cast.seat_security)


def hold_by_owner(cast, initiative):
    hold_deeds.hold(initiative=fresh(initiative), reason="A doubt.", by=cast.owner)


def conflict(cast, initiative):
    crm = factories.make_system(cast, "CRM", owner=cast.outsider)
    factories.make_link(cast, fresh(initiative), crm, agreed=True)
    factories.make_term(cast, "customer")
    use = definition_actions.use_term(initiative=fresh(initiative), name="customer", by=cast.owner)
    says = {"term": use.term, "system": crm, "field": "customer_id", "by": cast.owner}
    year = clock.today().replace(month=1, day=1)
    definition_actions.define(meaning="contract", counted_unit="contract", valid_to=year - DAY, **says)
    definition_actions.define(meaning="payer", counted_unit="payer", valid_from=year, **says)


def switched_off(cast, initiative):
    kill_switch.switch_off(initiative=fresh(initiative), reason="It answered rudely.", by=cast.owner)


def incident(cast, initiative):
    incident_actions.open_incident(
        initiative=fresh(initiative), severity=3, title="Slow answers", by=cast.owner
    )


def incident_grave(cast, initiative):
    incident_actions.open_incident(
        initiative=fresh(initiative), severity=1, title="Wrong answers", wrong_output=True, by=cast.owner
    )


def evidence_withdrawn(cast, initiative):
    kinds = ("document", "test_report", "approval")
    item = next(
        item
        for item in initiative.evidence.filter(withdrawn_at__isnull=True, superseded_by__isnull=True)
        if item.kind in kinds
    )
    evidence_actions.withdraw_evidence(evidence=item, reason="The wrong file.", by=cast.owner)


def answered_no(cast, initiative):
    requirement_actions.answer(
        initiative=fresh(initiative), requirement="gov.impact", kind="no", text="Not yet.", by=cast.owner
    )


def not_applicable(cast, initiative):
    requirement_actions.answer(
        initiative=fresh(initiative),
        requirement="mvp.workflow",
        kind="not_applicable",
        text="There is no workflow.",
        by=cast.owner,
    )


def gap(cast, initiative):
    hold_deeds.open_gap(
        initiative=fresh(initiative),
        text="Two lists of customers.",
        owner=cast.owner,
        due=clock.today() + 20 * DAY,
        downstream=[],
        by=cast.owner,
    )


def criterion_obligation(cast, initiative):
    with acting(system="test", reason="As a decision opens it"):
        hold_actions.open_obligation(
            initiative,
            "criterion",
            source="production.mvp_goals:test",
            text="Show the goals",
            due=clock.today() + 10 * DAY,
            responsible=cast.owner,
        )


def tier_proposed(cast, initiative):
    detail_actions.propose_tier(
        initiative=fresh(initiative),
        tier="high",
        worst_credible_harm="A wrong summary costs a customer money.",
        by=cast.owner,
    )


def alone_declared(cast, initiative):
    return standalone.declare(
        initiative=fresh(initiative), reason="Notes are typed in and read out.", by=cast.owner
    )


def alone_accepted(cast, initiative):
    standalone.accept(declaration=alone_declared(cast, initiative), by=cast.seat_architecture)


def waiver_asked(cast, initiative):
    rulebook = Rulebook.objects.current().parsed
    gate = GATE_OF[fresh(initiative).stage]
    key = next(key for key in rulebook.gates[gate].requirements() if rulebook.waivable_requirement(key))
    return WAIVERS.ask(
        fresh(initiative), key=key, reason="Later.", until=clock.today() + 20 * DAY, by=cast.owner
    )


def waiver_half(cast, initiative):
    WAIVERS.agree(row=waiver_asked(cast, initiative), by=cast.seat_risk)


def waiver_in_force(cast, initiative):
    waiver = waiver_asked(cast, initiative)
    WAIVERS.agree(row=waiver, by=cast.seat_risk)
    waiver.refresh_from_db()
    WAIVERS.agree(row=waiver, by=cast.chair)


def role_proposed(cast, initiative):
    role_actions.propose_role(
        initiative=fresh(initiative), role="sponsor", person=cast.sponsor, by=cast.owner
    )


def support_revoked(cast, initiative):
    _revoke(cast, initiative, "support_owner", cast.owner)


def owner_revoked(cast, initiative):
    _revoke(cast, initiative, "owner", cast.owner)


def _revoke(cast, initiative, role, by):
    row = fresh(initiative).roles.in_force().get(role=role)
    role_actions.revoke_role(assignment=row, reason="Left the team.", by=by)


def owner_away(cast, initiative):
    absence_actions.plan_absence(
        first=clock.today(), last=clock.today() + 9 * DAY, asked=[Asked(cast.lead)], by=cast.owner
    )


def link_asked(cast, initiative):
    factories.make_link(cast, fresh(initiative), factories.make_system(cast, "Ledger"))


def dependant_asked(cast, initiative):
    dependant_deeds.add_dependant(
        initiative=fresh(initiative),
        who="Sales",
        for_what="Calls",
        bearable_outage_hours=4,
        executive=cast.sponsor,
        by=cast.owner,
    )


def component_changed(cast, initiative):
    record_component(
        initiative=fresh(initiative), layer="application", name="Assistant", version="2.0", by=cast.owner
    )


def call_waiting(cast, initiative):
    factories.make_request(fresh(initiative), factories.make_key(cast, fresh(initiative))[0])


def behaviour_report(cast, initiative):
    report_behaviour_report(
        initiative=fresh(initiative),
        kind="ignored",
        group="Team North",
        words="They forgot it.",
        source="seen",
        observed_on=clock.today(),
        by=cast.owner,
    )


def risk_asked(cast, initiative):
    factories.ask_risk(cast, fresh(initiative), days=60, review_days=20)


def risk_accepted(cast, initiative):
    ACCEPTED_RISKS.agree(
        row=factories.ask_risk(cast, fresh(initiative), days=60, review_days=20), by=cast.seat_risk
    )


def survey_open(cast, initiative):
    answered_surveys.opened(cast, fresh(initiative))


def drill_soon(cast, initiative):
    factories.make_drill(cast, fresh(initiative), next_due=clock.today() + 10 * DAY)


TURNS: dict[str, tuple[str, tuple[str, ...], Callable]] = {
    act.__name__: (dimension, stages, act)
    for dimension, stages, acts in (
        ("review", REVIEWED, (review_open, review_question, review_objection)),
        (
            "review",
            READY,
            (
                review_answered,
                review_half_signed,
                review_signed,
                review_returned,
                review_refused,
                review_conditions,
            ),
        ),
        ("contract", ("prototype", *WITH_CONTRACT), (contract_draft, contract_comment)),
        ("contract", WITH_CONTRACT, (contract_proposed, contract_half_signed, contract_objection)),
        (
            "hold",
            ("prototype_manned", "mvp", "mvp_ready", "production"),
            (hold_by_seat, hold_by_owner, conflict, switched_off, incident, incident_grave),
        ),
        ("support", WITH_EVIDENCE, (evidence_withdrawn,)),
        ("support", ("prototype", "mvp", "mvp_ready", "production"), (answered_no, not_applicable)),
        ("obligation", ("mvp", "production"), (gap, criterion_obligation, component_changed)),
        ("tier", ("prototype", "prototype_ready", "mvp", "mvp_ready"), (tier_proposed,)),
        ("alone", ("idea_ready", "prototype", "mvp", "mvp_ready"), (alone_declared, alone_accepted)),
        ("waiver", ("prototype", "mvp"), (waiver_asked, waiver_half, waiver_in_force)),
        ("roles", OPEN[:8], (role_proposed, owner_revoked)),
        ("roles", ("prototype_manned", "mvp", "mvp_ready", "production"), (support_revoked, owner_away)),
        ("others", ("prototype", "mvp", "production"), (link_asked,)),
        ("others", ("mvp", "production"), (dependant_asked, call_waiting, behaviour_report)),
        ("risk", ("mvp", "production"), (risk_asked, risk_accepted)),
        ("survey", ("mvp", "production"), (survey_open, drill_soon)),
    )
    for act in acts
}


def states() -> Iterator[State]:
    """Every stage, with each act that it takes, with pairs of acts of two dimensions, and some of them much later."""
    for stage in STAGES:
        yield State(stage)
    for name, (_, stages, _) in TURNS.items():
        for stage in stages:
            yield State(stage, (name,))
    pairs = [
        (one, other)
        for one, other in itertools.combinations(TURNS, 2)
        if TURNS[one][0] != TURNS[other][0] and set(TURNS[one][1]) & set(TURNS[other][1])
    ]
    for number, (one, other) in enumerate(pairs):
        common = [stage for stage in TURNS[one][1] if stage in TURNS[other][1]]
        yield State(common[number % len(common)], (one, other))
    for days in (40, 100, 400):
        for stage in ("prototype_ready", "mvp", "mvp_ready", "production"):
            yield State(stage, (), days)
    yield State("mvp", ("waiver_in_force",), 40)
    yield State("mvp_ready", ("review_open",), 40)
    yield State("mvp", ("survey_open", "risk_accepted"), 18)
    yield State("production", ("survey_open", "drill_soon"), 18)
    for days in (245, 275):
        yield State("mvp", (), days)
    for days in (345, 370):
        yield State("production", (), days)
    yield State("production", ("criterion_obligation", "gap"), 40)


def chosen(rounds: int) -> list[State]:
    """Each stage, each act at one stage, some pairs and what time did; at full length every state."""
    everything = list(states())
    if rounds >= 500:
        return everything
    one_act = [
        State(stages[number % len(stages)], (name,))
        for number, (name, (_, stages, _)) in enumerate(TURNS.items())
    ]
    pairs = [state for state in everything if len(state.turns) > 1 and not state.days]
    return [
        *map(State, STAGES),
        *one_act,
        *pairs[:: len(pairs) // 12],
        *[state for state in everything if state.days][::2],
    ]


def build(cast, state: State) -> Initiative | None:
    """The initiative in this state; None if the rules refuse an act. The clock stands at the day of its last act."""
    initiative = STAGES[state.stage](cast)
    connection.check_constraints()  # deferred triggers look at the stage before somebody acts on it
    for name in state.turns:
        try:
            TURNS[name][2](cast, fresh(initiative))
        except Refused:
            return None
    return fresh(initiative)


@contextmanager
def laid_down(cast, state: State) -> Iterator[Initiative | None]:
    """The initiative in this state, on the day of the state; None if the rules refuse an act."""
    initiative = build(cast, state)
    with time_machine.travel(clock.now() + state.days * DAY, tick=False):
        if initiative is not None and state.days:
            pass_time()
        yield initiative and fresh(initiative)


def pass_time() -> None:
    """What scheduler and worker do as days go by."""
    heartbeats.say("scheduler", "of tests")
    heartbeats.say("worker", "celery@of tests")
    review_actions.expire_reviews()
    periodic.recompute()
    periodic.correct()
