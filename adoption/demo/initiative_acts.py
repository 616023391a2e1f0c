"""The life of an initiative, act by act, through the same actions that the pages call. Nothing is written past them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from adoption.demo.artefacts import details_of, from_register, log_of, pdf, verify_gate, written_by_a_register
from governance import clock
from governance.contracts.clauses import Terms
from governance.gates import requirements, sign_off_statement
from governance.gates.requirements import ACCEPTED_IN_PERSON, GENERATED_ONLY, states_at
from governance.models import Board, Clause, Rulebook, Unit, User
from governance.people.boards import board_for
from governance.transparency_log import sealing
from governance.vocabulary import EvidenceKind, Seat, Stage
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import control_mapping
from initiatives.contracts.documents.actions import Written
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence import governance_index
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.act import together
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.drawn_requirements.actions import draw_due
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import Evidence, Initiative, Review, SignOff

WORKING_ROLES = ("support_owner", "technical_lead", "data_steward", "record_owner")

VOCABULARY = [
    ("action", "summarise", "summarise the notes of an account"),
    ("action", "send_reply", "send a reply to a customer"),
    ("audience", "account_managers", "account managers of the pilot teams"),
]
ACCOUNT_MANAGERS = ("account_managers",)
# What applies when something goes wrong: nothing is done, or the named people are asked.
EDGES = {
    "source_unavailable": "refuse", "sources_conflict": "ask", "low_confidence": "ask", "unexpected_input": "refuse",
    "personal_data": "refuse", "model_unavailable": "refuse",
}  # fmt: skip
ASKED = {"approvers": ("support_owner", "owner"), "minutes": 240}
CLAUSES = [
    Written("autonomy", terms=Terms(action="summarise", audience=ACCOUNT_MANAGERS, most=200)),
    Written("human_approval", terms=Terms(action="send_reply", audience=ACCOUNT_MANAGERS, **ASKED)),
    *(
        Written("edge_policy", terms=Terms(failure=failure, then=then, **(ASKED if then == "ask" else {})))
        for failure, then in EDGES.items()
    ),
    Written("record_owner"),
]


CLAUSE_FOR = {
    "gov.autonomy": "autonomy",
    "gov.edge_policies": "edge_policy",
    "gov.record_owner": "record_owner",
}


@dataclass
class Team:
    """Who works on an initiative, and whose board decides it."""

    owner: User
    support: User
    lead: User
    steward: User
    chair: User
    seats: dict[str, User]
    board: Board
    unit: Unit
    record_owner: User | None = None
    reader: User | None = None
    # By seat, a second holder: at high risk two persons verify.
    deputies: dict[str, User] = field(default_factory=dict)


# What enforces a clause, by its kind: the layer it works in, and the control.
CONTROLS = {
    "autonomy": ("policy", "What is not allowed by the policy in force is denied before it runs."),
    "human_approval": ("runtime", "The call waits for an answer; without one in time nothing is done."),
    "edge_policy": ("runtime", "The failure is caught where it happens, and what the clause says is done."),
    "record_owner": ("observability", "The record owner reads the change log every Monday."),
    "audience": ("policy", "Who is not in the group is denied."),
    "retention": ("observability", "Records are kept for their time; what was removed is checked yearly."),
    "residency": ("runtime", "Calls leave through one gateway, which knows the allowed regions."),
}


def map_contract(initiative: Initiative, item: Evidence, team: Team) -> None:
    """Name a control, shown by the item, for each clause of the contract in force that has none."""
    facts = supported_stage.facts_of(fresh(initiative))
    in_force = next((version for version in facts.contracts if version.in_force_at(clock.now())), None)
    if in_force is None or not in_force.unmapped:
        return
    missing = [number for number, _ in in_force.unmapped]
    for clause in Clause.objects.filter(version=in_force.id, number__in=missing):
        layer, control = CONTROLS[clause.kind]
        control_mapping.map_clause(
            initiative=initiative, clause=clause, layer=layer, control=control, evidence=item, by=team.owner
        )


def complete(initiative: Initiative, item: Evidence, team: Team) -> None:
    """Map the contract if the item is offered for the requirement that every clause has a control."""
    if item.coverage.filter(requirement=requirements.ENFORCED).exists():
        map_contract(initiative, item, team)


def staff(initiative: Initiative, team: Team, roles=WORKING_ROLES) -> None:
    """Propose the working roles as owner; each person accepts in person."""
    people = {
        "support_owner": team.support,
        "technical_lead": team.lead,
        "data_steward": team.steward,
        "record_owner": team.record_owner or team.support,
    }
    for role in roles:
        if initiative.roles.in_force().filter(role=role).exists():
            continue
        assignment = role_actions.propose_role(
            initiative=initiative, role=role, person=people[role], by=team.owner
        )
        if assignment.accepted_at is None:
            role_actions.accept_role(assignment=assignment, by=people[role])


def contract(initiative: Initiative, team: Team, clauses=CLAUSES, vocabulary=VOCABULARY) -> None:
    """Write a contract as owner and have the two seats the rulebook names put it in force."""
    contract_actions.save_contract(
        initiative=initiative, clauses=clauses, vocabulary=vocabulary, by=team.owner
    )
    version = contract_actions.propose_contract(initiative=initiative, by=team.owner)
    for seat in Rulebook.objects.current().parsed.contract.seats:
        contract_actions.approve_contract(
            version=version, seat=seat, digest=version.digest, by=team.seats[seat]
        )


def parts(initiative: Initiative, team: Team, model: str = "m-4", application: str = "1.0") -> None:
    """Record the model and the application that run, as owner: before anything is attested about them."""
    components_actions.record_component(
        initiative=initiative,
        layer="model",
        name="Language model",
        version=model,
        vendor="Modelwright",
        region="eu-west",
        by=team.owner,
    )
    components_actions.record_component(
        initiative=initiative, layer="application", name="Assistant", version=application, by=team.owner
    )


def kind_for(requirement, rulebook) -> str:
    """The kind of evidence that satisfies a requirement in the plainest way; one that a register writes last."""
    if requirement.min_evidence:
        return requirement.min_evidence
    if requirement.min_condition:
        return "test_report"
    kinds = sorted(requirement.evidence, key=lambda kind: written_by_a_register(kind, rulebook))
    return next((kind for kind in kinds if kind != "attestation"), "attestation")


def ground(
    initiative: Initiative,
    key: str,
    team: Team,
    *,
    observed_on: date | None = None,
    title: str = "",
    text: str = "",
    result: str = "pass",
    by: User | None = None,
    **options,
) -> Evidence | None:
    """Answer one requirement and add evidence that satisfies it. Returns the item; None where saying so is the
    evidence.
    """
    rulebook = Rulebook.objects.current().parsed
    asked = rulebook.requirements[key]
    if key in GENERATED_ONLY:
        return governance_index.generate_index(initiative=initiative, by=team.owner)
    needs_evidence = say(initiative, key, team, observed_on=observed_on, text=text, by=by)
    if not needs_evidence:
        return None
    title = (
        title
        or f"{asked.question.rstrip('?')}: {kind_for(asked, rulebook).replace('_', ' ')} of {initiative.ref}"
    )
    return prove(
        initiative, [key], team, title=title, observed_on=observed_on, result=result, by=by, **options
    )


def say(
    initiative: Initiative, key: str, team: Team, *, observed_on=None, text: str = "", by: User | None = None
) -> bool:
    """Answer one requirement, attesting it where the rulebook takes that. True when it needs evidence beside."""
    rulebook = Rulebook.objects.current().parsed
    asked = rulebook.requirements[key]
    if key in ACCEPTED_IN_PERSON:
        return False  # met by the acceptance itself, which also writes the answer
    attested = "attestation" in asked.evidence
    requirement_actions.answer(
        initiative=initiative,
        requirement=key,
        kind="answered",
        text=text or f"{asked.counts[:1].upper()}{asked.counts[1:]}.",
        true_as_of=(observed_on or clock.today()) if attested else None,
        by=by or team.owner,
    )
    return kind_for(asked, rulebook) != "attestation" or bool(asked.min_evidence)


def prove(
    initiative: Initiative,
    keys: list[str],
    team: Team,
    *,
    title: str,
    observed_on=None,
    result="pass",
    by=None,
    **options,
) -> Evidence:
    """Add one item of the kind that the first of these requirements asks for, covering all of them, and complete it."""
    rulebook = Rulebook.objects.current().parsed
    asked = rulebook.requirements[keys[0]]
    kind = kind_for(asked, rulebook)
    observed_on = observed_on or clock.today()
    fields = {"result": result} if kind in rulebook.result_kinds else {}
    if kind in rulebook.condition_kinds:
        fields["condition"] = asked.min_condition or "bounded_real"
    if kind == "contract_clause":
        version = initiative.contract.in_force_at(clock.now())
        fields["clause"] = version.clauses.filter(kind=CLAUSE_FOR.get(keys[0], "human_approval")).first()
    elif kind == EvidenceKind.LOG_SAMPLE:
        fields["file"] = log_of(title, observed_on)
    else:
        fields["file"] = pdf(f"{title} {observed_on}")
    if kind in rulebook.detailed_kinds:
        fields["details"] = details_of(kind, observed_on, str(team.chair), next(iter(asked.tested), ""))
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind=kind,
        title=title[:200],
        observed_on=observed_on,
        covers=keys,
        by=by or team.owner,
        **(fields | options),
    )
    complete(initiative, item, team)
    return item


def ground_gate(
    initiative: Initiative, gate: str, team: Team, *, observed_on: date | None = None, skip=()
) -> None:
    """Meet everything a gate asks for that is not met yet, as the owner would over some weeks.

    Its acts are one transaction, and the supported stage is worked out once, at their end.
    """
    with together():
        _ground(fresh(initiative), gate, team, observed_on, skip)


def _ground(initiative, gate, team, observed_on, skip) -> None:
    rulebook = Rulebook.objects.current().parsed
    if gate == "mvp":
        propose_and_confirm_tier(initiative, team)
        for key in requirement_actions.declared_goal_keys(fresh(initiative).tier):
            if not initiative.declared_goals.filter(key=key).exists():
                requirement_actions.declare(
                    initiative=initiative,
                    key=key,
                    text=f"By the end of the trial: {key.replace('_', ' ')} shown.",
                    by=team.owner,
                )
    measured = {key for key in rulebook.gates[gate].requirements() if key.startswith("adopt.")} - set(skip)
    if measured:
        from adoption.demo.measures import adopted  # whose initiatives are made of these acts

        adopted(initiative, team, measured, until=observed_on)
    if gate == "production":
        for row in initiative.declared_goals.filter(result=""):
            requirement_actions.report_outcome(
                initiative=initiative, key=row.key, result="met", outcome="Shown in the trial.", by=team.owner
            )
    states = states_at(supported_stage.facts_of(initiative), rulebook, clock.now())
    piles: dict[tuple, list[str]] = {}
    for key in rulebook.gates[gate].requirements():
        if key in skip or states[key].satisfies(gate) or key in rulebook.deferred(gate):
            continue
        if key in GENERATED_ONLY:
            continue  # generated when the review is opened
        if say(initiative, key, team, observed_on=observed_on):
            piles.setdefault(pile_of(rulebook.requirements[key], rulebook), []).append(key)
    for (kind, *_), keys in piles.items():
        if written_by_a_register(kind, rulebook):
            from_register(initiative, kind, keys, owner=team.owner, lead=team.lead)
            continue
        title = f"{kind.replace('_', ' ').capitalize()} for {rulebook.gates[gate].title}: {keys[0]}"
        prove(initiative, keys, team, title=title, observed_on=observed_on)


def pile_of(asked, rulebook) -> tuple:
    """What can share one item: the same kind about the same, under the same condition.

    Each layer's audit and each clause stand by themselves.
    """
    alone = asked.key if asked.group == "layer" else CLAUSE_FOR.get(asked.key, "")
    return kind_for(asked, rulebook), asked.min_condition, alone, asked.tested[:1]


def propose_and_confirm_tier(initiative: Initiative, team: Team, tier: str = "limited") -> Initiative:
    """The owner proposes a tier, where none is confirmed; the risk seat confirms it for the scope that is ahead."""
    if review_state.tier_confirmed(initiative, Stage.MVP):
        return initiative
    if not initiative.tier:
        detail_actions.propose_tier(
            initiative=initiative,
            tier=tier,
            worst_credible_harm="A wrong summary costs a customer time.",
            by=team.owner,
        )
        initiative = fresh(initiative)
    return detail_actions.confirm_tier(
        initiative=initiative, tier=initiative.proposed_tier, by=team.seats["risk_compliance"]
    )


def sign_off(
    review: Review,
    seat: str,
    by: User,
    verdict: str = "approve",
    *,
    reason: str = "",
    criteria=(),
    condition=None,
    hold: Callable[[User, str, datetime], None] | None = None,
) -> SignOff:
    """Read the statement for a seat and sign exactly that. `hold` has the act be signed by what the person has."""
    at = clock.now()
    review = Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)
    snapshot = review_state.snapshot_of(review)
    text, covered = sign_off_actions.statement_for(
        snapshot, seat, by, verdict=verdict, reason=reason, criteria=criteria, condition=condition, at=at
    )
    last = review.sign_offs.filter(seat=seat, replaced_by__isnull=True).first()
    if hold is not None:
        hold(by, text, at)
    return sign_off_actions.sign_off(
        review=review,
        seat=seat,
        verdict=verdict,
        digest=sign_off_statement.digest(text),
        prepared_at=at,
        reason=reason,
        criteria=criteria,
        condition=condition,
        replaces=last,
        seen=covered,
        by=by,
    )


def sign_offs(review: Review, team: Team, seats=tuple(Seat)) -> None:
    """Every seat that has a criterion at the gate approves."""
    for seat in seats:
        if review.parsed_rulebook.criteria_of(review.gate, seat):
            sign_off(review, seat, team.seats[seat])


def pass_gate(initiative: Initiative, team: Team, *, reason: str = "Ready.") -> Review:
    """Open the review that is next, let every seat sign, and decide it as chair."""
    initiative = fresh(initiative)
    if initiative.stage in (Stage.PROTOTYPE, Stage.MVP):
        propose_and_confirm_tier(initiative, team)
    review = review_actions.open_review(initiative=fresh(initiative), by=team.owner)
    draw_and_verify(review, team)
    sign_offs(review, team)
    return review_actions.decide(review=review, outcome="approved", reason=reason, by=team.chair)


def draw_and_verify(review: Review, team: Team) -> None:
    """Where requirements are drawn for the review: seal it, have them drawn, and have seats verify them."""
    if review.gate == "production" and review.parsed_rulebook.drawn_at(review.initiative.tier):
        sealing.seal()
        draw_due([review.initiative_id])
        verify_gate(review.initiative, review.gate, team.seats, team.deputies)


def plan_scope(
    initiative: Initiative, team: Team, *, users: int = 40, stage: str = "mvp", days: int = 90, **fields
) -> None:
    """Plan the bound of the next stage, before anybody signs for it."""
    scope_actions.record_scope(
        initiative=initiative,
        for_stage=stage,
        users="Account managers of two teams",
        departments=["Account management"],
        places=["Zurich"],
        data_classes=["customer notes"],
        user_count=users,
        ends_on=clock.today() + timedelta(days=days) if days else None,
        rollout=True,
        live_data=True,
        by=team.owner,
        **fields,
    )


def to_prototype(initiative: Initiative, team: Team) -> Initiative:
    """Take an idea through the prototype gate."""
    parts(initiative, team)
    ground_gate(initiative, "prototype", team)
    pass_gate(initiative, team, reason="Worth exploring beside the other ideas.")
    return fresh(initiative)


def to_mvp(initiative: Initiative, team: Team, **options) -> Initiative:
    """Take a prototype through the MVP gate, with people, contract, parts and a planned bound."""
    staff(initiative, team)
    contract(fresh(initiative), team)
    plan_scope(initiative, team)
    ground_gate(initiative, "mvp", team, **options)
    pass_gate(initiative, team, reason="A bounded trial with an owner, a contract and an end date.")
    return fresh(initiative)


def to_production(initiative: Initiative, team: Team, **options) -> Initiative:
    """Take an MVP through the production gate."""
    ground_gate(initiative, "production", team, **options)
    pass_gate(initiative, team, reason="The business may depend on it.")
    return fresh(initiative)


def fresh(initiative: Initiative) -> Initiative:
    """The initiative, read again: a protected stage is not refreshed in place (docs/architecture.md, trap 3)."""
    return Initiative.objects.select_related("unit", "contract").get(pk=initiative.pk)


def team_for(unit: Unit, *, owner: User, support: User, lead: User, steward: User) -> Team:
    """The team of a unit, with the board that decides its initiatives and whoever holds each seat first."""
    own = board_for(unit)
    held: dict[str, User] = {}
    second: dict[str, User] = {}
    rows = own.memberships.held_at(clock.now()).filter(delegate_of__isnull=True)
    for membership in rows.select_related("person").order_by("pk"):
        (second if membership.seat in held else held).setdefault(membership.seat, membership.person)
    return Team(
        owner=owner,
        support=support,
        lead=lead,
        steward=steward,
        chair=held["chair"],
        seats={seat: held[seat] for seat in Seat if seat in held},
        board=own,
        unit=unit,
        deputies=second,
    )
