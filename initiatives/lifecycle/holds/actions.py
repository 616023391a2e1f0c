"""Holds, obligations and gaps: what stands against an initiative, and how it goes away."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.gates import criteria
from governance.models import User
from governance.permission_result import Answer, Conflict, no
from governance.vocabulary import RUNNING_STAGES, ObligationKind, ReviewOutcome, Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import initiative_rows, rulebook_in_effect, supported_stage
from initiatives.lifecycle.facts.supported_stage import facts_of
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import (
    Evidence,
    Excuse,
    Gap,
    Hold,
    Initiative,
    Obligation,
    PastSupportedStage,
    Review,
    RoleAssignment,
    StageChange,
)

# Gates whose decision an overdue obligation of the owner holds up (docs/domain.md, invariant 14).
HELD_UP = ("mvp", "production")


@dataclass(frozen=True)
class Grace:
    """Until when what fell may be brought back, and why it fell, as the words behind the label."""

    until: date
    why: str


def hold(*, initiative: Initiative, reason: str, by: User) -> Hold:
    """Raise a concern that blocks decisions until the chair lifts it."""
    if not reason.strip():
        raise ValidationError({"reason": "Say what must not go on, so that the chair can judge it."})
    with act("hold", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_hold(initiative, by).or_refuse()
        row = Hold(
            initiative=initiative, kind="concern", reason=reason.strip(), opened_by=by, opened_at=clock.now()
        )
        row.save()
        entries.record(EntryKind.HOLD_OPENED, initiative=initiative, hold_kind=row.kind, why=row.reason)
        rewrite_supported_stage(initiative)
        alerts.tell_holds([row])
    return row


def lift_hold(*, hold: Hold, reason: str, by: User) -> Hold:
    """Lift a hold that people opened, or one that is marked liftable: the chair, with a reason."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why the hold is no longer needed."})
    with act("lift hold", by=by, initiative=hold.initiative_id, reason=reason) as initiative:
        hold = Hold.objects.select_related("initiative").get(pk=hold.pk)
        if hold.lifted_at:
            raise Conflict("This hold was lifted already.")
        initiative_permissions.may_lift(hold, by).or_refuse()
        _close(initiative, hold, reason.strip(), by)
        rewrite_supported_stage(initiative)
    return hold


def open_system_hold(initiative: Initiative, kind: str, reason: str) -> Hold | None:
    """Open a hold with a cause, inside the running act; the one that is open already stays."""
    if initiative.holds.open().filter(kind=kind, opened_by__isnull=True).exists():
        return None
    row = Hold(initiative=initiative, kind=kind, reason=reason, opened_at=clock.now())
    row.save()
    entries.record(EntryKind.HOLD_OPENED, initiative=initiative, hold_kind=kind, why=reason)
    alerts.tell_holds([row])
    return row


def close_system_hold(initiative: Initiative, kind: str, why: str) -> None:
    """Close a hold with its cause, inside the running act. Residency waits for the chair: it becomes liftable."""
    for row in initiative.holds.open().filter(kind=kind, opened_by__isnull=True):
        if kind == "residency":
            row.liftable_since = row.liftable_since or clock.now()
            row.save()
        else:
            _close(initiative, row, why, None)


def _close(initiative: Initiative, row: Hold, why: str, by: User | None) -> None:
    row.lifted_at, row.lifted_by, row.lift_reason = clock.now(), by, why
    row.save()
    entries.record(EntryKind.HOLD_LIFTED, initiative=initiative, hold_kind=row.kind, why=why)


def open_obligation(
    initiative: Initiative, kind: str, *, source: str, text: str, due: date, responsible: User | None
) -> Obligation | None:
    """Write an obligation inside the running act; one open obligation per source.

    It stays with this responsible person for good.
    """
    obligations = open_obligations(
        initiative, [Obligation(kind=kind, source=source, text=text, due=due, responsible=responsible)]
    )
    return obligations[0] if obligations else None


def open_obligations(initiative: Initiative, wanted: list[Obligation]) -> list[Obligation]:
    """Write these obligations of the initiative, set-wise; otherwise as `open_obligation`.

    Returns those that were not open already.
    """
    known = {(obligation.kind, obligation.source) for obligation in initiative_rows.obligations(initiative)}
    new = [obligation for obligation in wanted if (obligation.kind, obligation.source) not in known]
    if not new:
        return []
    for obligation in new:
        obligation.initiative = initiative
    _write_obligations(new)
    return new


def _write_obligations(new: list[Obligation]) -> None:
    """Save new obligations, of one initiative or of many, set-wise, with an entry each."""
    for obligation in new:
        obligation.opened_at = clock.now()
    row_history.insert_many(Obligation, new)
    entries.record_many(
        EntryKind.OBLIGATION_OPENED,
        [
            (
                obligation.initiative,
                {
                    "obligation": obligation.pk,
                    "obligation_kind": obligation.kind,
                    "text": obligation.text,
                    "due": obligation.due,
                    "responsible": obligation.responsible.full_name if obligation.responsible else None,
                },
            )
            for obligation in new
        ],
    )


def complete(*, obligation: Obligation, note: str, by: User) -> Obligation:
    """Complete an obligation: the responsible person, the owner, or sponsor and chair where that person is gone.

    See docs/domain.md, invariant 14.

    Items of a gate need evidence that covers them. Raises Refused with who may.
    """
    with act("complete", by=by, initiative=obligation.initiative_id, reason=note) as initiative:
        obligation = Obligation.objects.select_related("responsible").get(pk=obligation.pk)
        may_complete(initiative, obligation, by).or_refuse()
        if obligation.completed_at:
            raise Conflict(f"It was completed on {clock.local_day(obligation.completed_at):%-d %B %Y}.")
        if obligation.kind == "criterion":
            judged = supported_stage.judged(initiative, _facts(initiative))
            rulebook, states, key = judged.rulebook, judged.states, obligation.source.split(":")[0]
            if not all(
                states[wanted].satisfies(rulebook.criteria[key].gate)
                for wanted in rulebook.criteria[key].requirements
            ):
                no(
                    f"{rulebook.criteria[key].question} Not shown yet.",
                    "Answer it under Requirements, with evidence.",
                ).or_refuse()
        if obligation.kind in ("post_mortem", "retrospective"):
            no(
                "It is completed by publishing the post-mortem and its confirmation.", "Write it on its page."
            ).or_refuse()
        if obligation.kind in ("step_back", "vacancy"):
            no(
                "It is completed automatically when its cause is gone.",
                "Bring the support back, or ask the chair.",
            ).or_refuse()
        if obligation.kind == "measurement":
            no("A new measurement completes it.", "Send one on the Adoption tab.").or_refuse()
        if obligation.kind == "service_account":
            no("Closing the account completes it.", "Record that on the page of its system.").or_refuse()
        if obligation.kind == ObligationKind.FEED:
            no(
                "It is completed by the word of the system's owner.",
                "They say so on its page.",
                f"/feeds/{obligation.pk}/",
            ).or_refuse()
        if obligation.kind == ObligationKind.SHOWN_BY and (missing := lacking(initiative)):
            no(
                f"{len(missing)} of what {initiative.get_stage_display()} asks are not shown yet.",
                "Answer them under Requirements, with evidence.",
            ).or_refuse()
        complete_row(obligation, by=by, note=note.strip() or "Completed")
        rewrite_supported_stage(initiative)
    return obligation


def may_complete(initiative: Initiative, obligation: Obligation, by: User):
    """Who may complete an obligation or write what is due: the responsible person; sponsor or chair where that person
    is gone.
    """
    responsible = obligation.responsible
    if responsible is not None and responsible.pk == by.pk and by.is_active:
        return initiative_permissions.yes()
    if initiative_permissions.is_owner(initiative, by):
        return initiative_permissions.yes()
    gone = (
        responsible is None
        or not responsible.is_active
        or initiative_permissions.accepted(initiative, Role.OWNER) is None
    )
    if gone and (
        "sponsor" in initiative_permissions.roles_of(initiative, by)
        or initiative_permissions.is_acting_chair(initiative, by)
    ):
        return initiative_permissions.yes()
    return no(
        f"Only {responsible or 'the owner'} completes this.",
        "Where that person is gone, sponsor or chair do.",
    )


def complete_row(obligation: Obligation, *, by: User | None, note: str) -> None:
    """Mark an obligation completed inside the running act."""
    obligation.completed_at, obligation.completed_by, obligation.completed_note = clock.now(), by, note
    obligation.save()
    entries.record(
        EntryKind.OBLIGATION_COMPLETED,
        initiative=obligation.initiative,
        obligation=obligation.pk,
        text=obligation.text,
        note=note,
    )


def lacking(initiative: Initiative) -> list[str]:
    """The requirements that are missing now for its approved stage, by key."""
    return criteria.gaps_to(supported_stage.judged(initiative), initiative.stage)


def may_set_day(initiative: Initiative, by: User) -> Answer:
    """Who sets the day by which an imported initiative shows what is missing: its owner, who accepted in person."""
    if (
        not initiative.imported
        or initiative.stage not in RUNNING_STAGES
        or initiative.withdrawn_at
        or initiative.unit.imported
    ):
        return no(
            "Only an initiative of your own whose stage an import reports has such a day.",
            "What any other lacks stands on its overview, and a gate decides on it.",
        )
    if not initiative_permissions.is_owner(initiative, by):
        return no("The owner sets this day.", "Ask the owner; without one, propose an owner first.")
    return initiative_permissions.yes()


def show_by(*, initiative: Initiative, due: date, reason: str = "", by: User) -> Obligation:
    """Set the day by which an imported initiative shows what its reported stage lacks, or another day with a reason.

    Nothing that gates read looks at it: it holds up no decision and changes no stage.
    """
    with act(
        "set the day to show a stage", by=by, initiative=initiative, reason=reason.strip()
    ) as initiative:
        may_set_day(initiative, by).or_refuse()
        if due < clock.today():
            raise ValidationError({"due": "The day lies in the past. Choose today or later."})
        before = initiative.obligations.open().filter(kind=ObligationKind.SHOWN_BY).first()
        if before is None and not lacking(initiative):
            raise ValidationError("Nothing is missing for its approved stage.")
        if before is not None:
            if not reason.strip():
                raise ValidationError({"reason": "Say why the day changes."})
            complete_row(before, by=by, note=f"Another day: {reason.strip()}")
        row = Obligation(
            initiative=initiative,
            kind=ObligationKind.SHOWN_BY,
            source="import",
            text=f"Show what {initiative.get_stage_display()} asks and is missing",
            due=due,
            responsible=by,
        )
        _write_obligations([row])
    return row


def _facts(initiative: Initiative):
    return facts_of(initiative)


def complete_confirmed(*, obligation: Obligation, by: User, note: str) -> Obligation:
    """Complete a post-mortem's obligation in the act that confirms it; called by the app above, inside its own act."""
    complete_row(obligation, by=by, note=note)
    rewrite_supported_stage(obligation.initiative)
    return obligation


def excuse_obligation(*, obligation: Obligation, initiative: Initiative, reason: str, by: User) -> Excuse:
    """Let one decision on one initiative pass an overdue obligation of its owner, as the chair who decides there.

    See docs/domain.md, invariant 14.

    It stays due, and holds up every other initiative as before. Once for an obligation and an initiative. Raises
    ValidationError, Refused.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why this decision may go on while that is due."})
    with act("excuse obligation", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_raise(initiative, by).or_refuse()
        obligation = Obligation.objects.select_related("initiative").get(pk=obligation.pk)
        may_excuse(obligation, initiative).or_refuse()
        row = Excuse(
            obligation=obligation, initiative=initiative, reason=reason.strip(), by=by, at=clock.now()
        )
        row.save()
        obligation_on = obligation.initiative.ref
        entries.record(
            EntryKind.OBLIGATION_EXCUSED,
            initiative=initiative,
            obligation=obligation.pk,
            text=obligation.text,
            obligation_on=obligation_on,
        )
    return row


def may_excuse(obligation: Obligation, initiative: Initiative) -> Answer:
    """Whether there is a decision on this initiative that the obligation holds up, and no word of the chair on it
    yet.
    """
    open_review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
    if open_review is None or open_review.gate not in HELD_UP:
        return no(
            f"No review of {initiative.ref} for MVP or production is open.",
            "Let it pass once one waits for it.",
        )
    if obligation.responsible_id not in {person.pk for person in initiative_rows.answering(initiative)}:
        return no(
            f"{initiative.ref} is not held up by this obligation.",
            "It holds up initiatives of the person who has it.",
        )
    if obligation.completed_at is not None or obligation.due >= clock.today():
        return no("This obligation is not overdue: it holds nothing up.")
    if Excuse.objects.filter(obligation=obligation, initiative=initiative).exists():
        return no(
            f"A decision on {initiative.ref} was let pass this obligation once already; once is all.",
            "The obligation has to be completed.",
        )
    return initiative_permissions.yes()


def held_up(obligation: Obligation) -> list[Initiative]:
    """The initiatives whose open review this obligation holds up, or would once it is overdue."""
    owned = RoleAssignment.objects.filter(
        person=obligation.responsible_id, role=Role.OWNER, accepted_at__isnull=False
    )
    found = Review.objects.filter(
        outcome=ReviewOutcome.OPEN, gate__in=HELD_UP, initiative__in=owned.values("initiative")
    ).select_related("initiative__unit")
    initiatives = [row.initiative for row in found.order_by("initiative__number")]
    return [
        initiative
        for initiative in initiatives
        if obligation.responsible_id in {person.pk for person in initiative_rows.answering(initiative)}
    ]


def follow_support(
    initiatives: list[Initiative], support: dict[int, criteria.Support], grace: Grace | None = None
) -> list[Obligation]:
    """Open the obligation of the grace days when an MVP or production lost its support; complete it when that returns.

    Set-wise, by what is supported now of each initiative. Grace never delays the truth: support fell already (rulebook,
    grace_days). Imported claims have no obligations. `grace`: until when and why, where that is not the rulebook's own
    days. Returns the obligations that were opened.
    """
    falling = []
    for initiative in initiatives:
        still_open = []
        supported = support[initiative.pk].supports_approved_stage
        for obligation in [
            obligation
            for obligation in initiative_rows.obligations(initiative)
            if obligation.kind == "step_back"
        ]:
            if supported or initiative.stage not in (Stage.MVP, Stage.PRODUCTION):
                note = "Support returned" if supported else f"The initiative is {initiative.stage}"
                complete_row(obligation, by=None, note=note)
            elif obligation.source.partition(":")[0] != initiative.stage:
                # It spoke of the stage before: what is due now is said anew, with its own days.
                complete_row(obligation, by=None, note=f"The initiative is {initiative.stage} now")
            else:
                still_open.append(obligation)
        if (
            not supported
            and initiative.stage in (Stage.MVP, Stage.PRODUCTION)
            and not initiative.imported
            and not still_open
        ):
            falling.append(initiative)
    if not falling:
        return []
    opened, last = [], last_supported(falling)
    for initiative in falling:
        days = rulebook_in_effect.rulebook_of(initiative).parsed.freshness.grace_days
        owner, day = initiative_permissions.accepted(initiative, Role.OWNER), last[initiative.pk]
        opened.append(
            Obligation(
                initiative=initiative,
                kind="step_back",
                source=f"{initiative.stage}:{day.isoformat()}",
                text=(
                    f"{support[initiative.pk].label}{grace.why if grace else ''}: "
                    "bring the support back, or the chair is "
                    "asked to step back"
                ),
                due=grace.until if grace else day + timedelta(days=days),
                responsible=owner.person if owner else None,
            )
        )
    _write_obligations(opened)
    return opened


def last_supported(initiatives: list[Initiative]) -> dict[int, date]:
    """The last day on which the approved stage of each was supported, by key; they have just lost it.

    What ended by age ended at a midnight, and the day before was its last: so the supported stage before foretold.
    Whatever an act of today ended was supported today.
    """
    now = clock.now()
    newest = PastSupportedStage.objects.filter(initiative__in=initiatives, computed_at__lt=now).order_by(
        "initiative_id", "-id"
    )
    foretold = {row.initiative_id: row for row in newest.distinct("initiative_id")}
    last = {}
    for initiative in initiatives:
        fell, row = now, foretold.get(initiative.pk)
        if row is not None and row.computed_at >= initiative.since:
            for span in reversed([one for one in row.spans if datetime.fromisoformat(one["from_at"]) <= now]):
                if not span["unsupported_stages"]:
                    break
                fell = datetime.fromisoformat(span["from_at"])
        last[initiative.pk] = clock.last_day_before(fell)
    return last


def end_obligations_of_stage(initiative: Initiative, was: str) -> None:
    """What was due because of a stage that the initiative no longer has ends with the step back, in the running act.

    What the gate to that stage left to do, and the choice between an owner and a step back, which is made now. What is
    What is due in writing stays (ADR 0035).
    """
    moves = StageChange.objects.filter(initiative=initiative, to_stage=was).values_list("pk", flat=True)
    ends = tuple(f":{key}" for key in moves)
    for obligation in initiative_rows.obligations(initiative):
        left = obligation.kind == "criterion" and obligation.source.endswith(ends)
        if left or obligation.kind in (ObligationKind.VACANCY, ObligationKind.SHOWN_BY):
            complete_row(
                obligation, by=None, note=f"The initiative stepped back from {was} to {initiative.stage}"
            )


def open_gap(
    *,
    initiative: Initiative,
    text: str,
    owner: User,
    due: date,
    downstream: list[str],
    review: Review | None = None,
    by: User,
) -> Gap:
    """Record something unresolved that bites downstream, with who owns it and until when."""
    wrong = {}
    if not text.strip():
        wrong["text"] = "Say what is unresolved."
    if due < clock.today():
        wrong["due"] = "The day lies in the past."
    if wrong:
        raise ValidationError(wrong)
    with act("open gap", by=by, initiative=initiative) as initiative:
        may = initiative_permissions.may_collaborate(initiative, by)
        if not may and not initiative_permissions.is_acting_chair(initiative, by):
            may.or_refuse()
        gap = Gap(
            initiative=initiative,
            text=text.strip(),
            owner=owner,
            due=due,
            downstream=downstream,
            review=review,
            opened_at=clock.now(),
            owner_accepted_at=clock.now() if owner == by else None,
        )
        gap.save()
        entries.record(
            EntryKind.GAP_OPENED,
            initiative=initiative,
            text=gap.text,
            owner=owner.full_name,
            due=due,
            downstream=downstream,
        )
    return gap


def close_gap(*, gap: Gap, evidence: Evidence | None = None, by: User) -> Gap:
    """Close a gap with evidence, or as the owner who accepts to live with it (docs/domain.md, invariant 15)."""
    with act("close gap", by=by, initiative=gap.initiative_id) as initiative:
        gap = Gap.objects.get(pk=gap.pk)
        if gap.closed_at:
            raise Conflict("This gap was closed already.")
        if gap.owner_id != by.pk:
            initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if evidence is None and gap.owner_id != by.pk:
            no(
                "Without evidence only the gap's owner closes it, by accepting it.", f"Ask {gap.owner}."
            ).or_refuse()
        if evidence is None:
            gap.owner_accepted_at = gap.owner_accepted_at or clock.now()
        gap.closed_at, gap.closed_by, gap.closed_with = clock.now(), by, evidence
        gap.save()
        entries.record(
            EntryKind.GAP_CLOSED,
            initiative=initiative,
            text=gap.text,
            evidence=evidence.pk if evidence else None,
        )
    return gap
