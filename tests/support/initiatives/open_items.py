"""What is open on an initiative, by its rows and its judgement and never by an inbox, with where it is done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse

from adoption.models import BehaviourReport, Incident, PostMortem, Survey
from governance import clock
from governance.gates import criteria
from governance.gates.requirements import BY_ACCEPTANCE, BY_VERIFYING, GENERATED_ONLY
from governance.models import ClauseComment, ContractApproval, Delegation, Rulebook
from governance.vocabulary import STAGE_RANK, Stage
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.models import (
    AcceptedRisk,
    ApprovalRequest,
    DefinitionConflict,
    Initiative,
    KillSwitch,
    Waiver,
)
from initiatives.models.initiative import gate_out_of

NEAR = timedelta(days=14)


@dataclass(frozen=True)
class OpenItem:
    """Something that keeps an initiative from going on, and the addresses at any of which somebody resolves it."""

    words: str
    places: frozenset[str]


def _item(words: str, *places: str) -> OpenItem:
    return OpenItem(words, frozenset(places))


def _of(name: str, *args) -> str:
    return reverse(name, args=args)


def _row(rows: str, pk: int, verb: str) -> str:
    return reverse("row-act", args=[rows, pk, verb])


def open_items(initiative: Initiative) -> list[OpenItem]:
    """Everything that is open on an initiative now."""
    parts = (_roles, _consents, _others, _days, _contracts, _holds, _obligations, _reviews, _requirements)
    return [item for part in parts for item in part(initiative)]


def _roles(initiative: Initiative) -> Iterator[OpenItem]:
    for row in initiative.roles.filter(
        accepted_at__isnull=True, ended_at__isnull=True, declined_at__isnull=True
    ):
        yield _item(
            f"role {row.role} waits for {row.person}", _row("roles", row.pk, "accept"), _of("roles-to-accept")
        )
    for row in Delegation.objects.filter(ended_at__isnull=True, accepted_at__isnull=True):
        yield _item(f"{row.delegate} is asked to stand in", _row("delegations", row.pk, "accept"))


def _consents(initiative: Initiative) -> Iterator[OpenItem]:
    for rows, model in (("waivers", Waiver), ("accepted-risks", AcceptedRisk)):
        for row in model.objects.unanswered().filter(initiative=initiative, until__gte=clock.today()):
            yield _item(f"{rows} {row.pk} lacks a consent", _row(rows, row.pk, "agree"))
    for row in initiative.answers.filter(kind="not_applicable", accepted_at__isnull=True):
        yield _item(
            f"{row.requirement} is said not to apply",
            _of("requirement-accept", initiative.ref, row.requirement),
        )
    if initiative.standalone_declarations.filter(accepted_at__isnull=True, ended_at__isnull=True).exists():
        yield _item(
            "stands alone, says its owner",
            _of("initiative-act", initiative.ref, "accept-alone"),
            _of("seat-decisions", initiative.ref),
        )
    if initiative.proposed_tier not in ("", initiative.tier) and not initiative.closed:
        yield _item(
            f"tier {initiative.proposed_tier} is proposed",
            _of("initiative-act", initiative.ref, "confirm-tier"),
            _of("seat-decisions", initiative.ref),
        )


def _others(initiative: Initiative) -> Iterator[OpenItem]:
    for row in initiative.links.filter(ended_at__isnull=True, answers__isnull=True):
        yield _item(f"the owner of {row.system} has not answered", _of("link-answer", row.pk))
    for row in initiative.dependants.waiting():
        yield _item(
            f"{row.executive} has not stated that {row} depends on it", _row("dependants", row.pk, "state")
        )
    for row in ApprovalRequest.objects.waiting_at(clock.now()).filter(initiative=initiative):
        yield _item("a call waits", _of("approval", row.reference))
    for row in initiative.changes.all():
        if row.incomplete:
            yield _item(f"the change “{row}” is incomplete", _row("changes", row.pk, "complete"))
    for row in BehaviourReport.objects.waiting().filter(initiative=initiative):
        yield _item(
            "a behaviour report waits", row.get_absolute_url(), _row(row.slug, row.pk, "judge-answered")
        )
    for row in PostMortem.objects.filter(initiative=initiative, state=PostMortem.IN_REVIEW):
        yield _item("a post-mortem waits", _of("post-mortem-confirm", row.pk))
    for row in Survey.objects.filter(initiative=initiative, state=Survey.OPEN, closes__lt=clock.today()):
        yield _item(f"the survey “{row}” is over", _of("survey-close", row.pk))


def _days(initiative: Initiative) -> Iterator[OpenItem]:
    """What has a last day that is near: the end of a stage, an accepted risk, a drill."""
    today = clock.today()
    if initiative.closed or initiative.withdrawn_at:
        return
    if supported_stage.decision_due(initiative) is not None:
        yield _item("its stage ends", _of("initiative-act", initiative.ref, "continue"))
    confirm_by = supported_stage.reattest_by(initiative)
    if confirm_by is not None and confirm_by <= today + timedelta(days=30):
        again = initiative.roles.in_force().filter(role__in=("owner", "support_owner"))
        yield _item(
            "to confirm again",
            _of("initiative-act", initiative.ref, "confirm-production"),
            *(_row("roles", row.pk, "accept-again") for row in again),
        )
    for row in AcceptedRisk.objects.live().filter(initiative=initiative, risk_at__isnull=False):
        if row.review_by <= today + NEAR:
            yield _item(f"to review: {row}", _row("accepted-risks", row.pk, "review"))
    for row in initiative.drills.current().filter(next_due__lte=today + NEAR):
        yield _item(f"to repeat: {row}", _of("initiative-act", initiative.ref, "record-drill"))


def _contracts(initiative: Initiative) -> Iterator[OpenItem]:
    contract = getattr(initiative, "contract", None)
    if contract is None:
        return
    objecting = list(ClauseComment.objects.objections().filter(contract=contract))
    for row in objecting:
        yield _item(
            f"{row.seat} objects to the contract",
            _row("comments", row.pk, "resolve"),
            _of("initiative-act", initiative.ref, "withdraw-contract"),
            _of("contract-edit", initiative.ref),
        )
    for version in contract.versions.filter(state="in_review"):
        signed = ContractApproval.objects.filter(version=version, digest=version.digest)
        spoken = {*signed.values_list("seat", flat=True), *(row.seat for row in objecting)}
        for seat in Rulebook.objects.current().parsed.contract.seats:
            if seat not in spoken:
                yield _item(
                    f"{seat} has not signed the contract",
                    _of("contract-approve", initiative.ref),
                    _of("seat-decisions", initiative.ref),
                )


def _holds(initiative: Initiative) -> Iterator[OpenItem]:
    if initiative.closed:
        return
    for row in initiative.holds.open().filter(opened_by__isnull=False):
        yield _item(f"held: {row}", _row("holds", row.pk, "lift"))
    if KillSwitch.objects.filter(initiative=initiative, released_at__isnull=True).exists():
        yield _item("its systems are switched off", _of("initiative-act", initiative.ref, "switch-on"))
    for row in DefinitionConflict.objects.open().filter(initiative=initiative):
        yield _item(
            f"definitions disagree: {row}",
            _row("conflicts", row.pk, "reconcile"),
            _row("conflicts", row.pk, "accept"),
        )
    for row in Incident.objects.unfinished().filter(initiative=initiative):
        acts = ("state", "close", "known", "parts", "clock")
        yield _item(
            f"incident {row}", _of("incident", row.pk), *(_row("incidents", row.pk, verb) for verb in acts)
        )


def _obligations(initiative: Initiative) -> Iterator[OpenItem]:
    for row in initiative.obligations.open():
        if row.kind in ("post_mortem", "retrospective"):
            account = PostMortem.objects.filter(obligation=row).first()
            if account is None:
                yield _item(f"to write: {row}", _of("post-mortem-start", row.pk))
            elif account.state != PostMortem.IN_REVIEW:
                yield _item(f"to write: {row}", _of("post-mortem", account.pk))
        elif row.kind == "measurement":
            yield _item(f"to measure: {row}", _of("measure", int(row.source.partition(":")[2])))
        elif row.kind == "feed":
            yield _item(f"to shut: {row}", _of("feed-shut", row.pk))
        elif row.kind == "criterion":
            yield _item(f"to complete: {row}", _row("obligations", row.pk, "complete"))
        elif row.kind == "step_back" and row.due < clock.today():
            yield _item("its grace is over", _of("initiative-act", initiative.ref, "demote"))
        elif row.kind == "vacancy":
            yield _item(f"to fill: {row}", _of("initiative-act", initiative.ref, "role-propose"))
    for review in initiative.reviews.all():
        for row in review.conditions.filter(met_at__isnull=True):
            yield _item(f"condition: {row}", _row("conditions", row.pk, "meet"))
    for row in initiative.gaps.filter(closed_at__isnull=True):
        yield _item(f"gap: {row}", _row("gaps", row.pk, "close"))


def _reviews(initiative: Initiative) -> Iterator[OpenItem]:
    # Without an owner, a successor comes first, who then answers.
    owned = initiative.roles.in_force().filter(role="owner").exists()
    successor = () if owned else (_of("initiative-act", initiative.ref, "role-propose"),)
    for review in initiative.reviews.filter(outcome="open"):
        for row in review.questions.filter(answered_at__isnull=True):
            yield _item(f"question: {row.text}", _row("questions", row.pk, "answer"), *successor)
        verdict = review_state.snapshot_of(review).verdict
        if verdict.decidable:
            yield _item("the review can be decided", _of("review-decide", review.pk))
            continue
        if any(finding.blocks for finding in verdict.findings):
            continue  # what they lack is told one by one
        rules = review.parsed_rulebook.gates[review.gate]
        for row in verdict.sign_offs:
            if row.verdict == "object" and row.criteria:
                keys = {key for one in rules.criteria if one.key in row.criteria for key in one.requirements}
                yield _item(
                    f"{row.seat} objects at the review",
                    _of("sign", review.pk, row.seat),
                    *(_of("requirement", initiative.ref, key) for key in keys),
                )
        fresh = {row.seat for row in verdict.sign_offs if row.fresh}
        for seat in rules.must_include:
            if seat not in fresh and not any(row.verdict == "object" for row in verdict.sign_offs):
                yield _item(f"{seat} has not signed", _of("sign", review.pk, seat))


def _requirements(initiative: Initiative) -> Iterator[OpenItem]:
    """What the approved stage and the next gate lack; and that nobody asked the board where nothing is lacking."""
    if initiative.closed:
        return
    people = initiative.roles.in_force().filter(role="owner")
    stands_in = initiative.registered_by_id and not initiative.roles.filter(
        role="owner", accepted_at__isnull=False
    )
    if not people.exists() and not stands_in:
        yield _item("it has no owner", _of("initiative-act", initiative.ref, "role-propose"))
        return
    facts = supported_stage.facts_of(initiative)
    judged = criteria.judge(facts, Rulebook.objects.current().parsed, clock.now())
    stages = [
        stage for stage in (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION) if _is_below(stage, initiative)
    ]
    following = gate_out_of(initiative.stage)
    wanted = [*stages, following] if following in judged.rulebook.gates and following != "retire" else stages
    lacking = {gate: _lacking(judged, gate) for gate in wanted}
    for key, place in sorted({item for found in lacking.values() for item in found}):
        if key in GENERATED_ONLY:
            continue  # generated when the board is asked
        proposed = initiative.roles.filter(
            accepted_at__isnull=True, ended_at__isnull=True, declined_at__isnull=True
        )
        yield _item(
            f"{key} is not met",
            _of("requirement", initiative.ref, key),
            *(_row("roles", row.pk, "accept") for row in proposed),
            *([_of("initiative-act", initiative.ref, "role-propose")] if place == BY_ACCEPTANCE else ()),
            *(_verifying(initiative, key) if place == BY_VERIFYING else ()),
        )
    left = {key for found in lacking.values() for key, _ in found} - GENERATED_ONLY
    if following in lacking and following != "retire" and not left:
        reviews = initiative.reviews.filter(outcome="open")
        if not reviews.exists():
            yield _item(f"nobody asked the board for {following}", _of("review-open", initiative.ref))


def _verifying(initiative: Initiative, key: str) -> list[str]:
    items = initiative.evidence.filter(coverage__requirement=key, withdrawn_at__isnull=True)
    return [_of("evidence-verify", initiative.ref, item.pk, key) for item in items]


def _is_below(stage: str, initiative: Initiative) -> bool:
    return STAGE_RANK[stage] <= STAGE_RANK[initiative.stage]


def _lacking(judged, gate: str) -> set[tuple[str, str]]:
    return {
        (state.key, state.place)
        for finding in judged.at_gate(gate)
        if finding.blocks
        for state in finding.requirements
        if not state.satisfies(gate) and judged.rulebook.requirements[state.key].blocking
    }
