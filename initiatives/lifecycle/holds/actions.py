"""Acts on holds, obligations and gaps."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.gates import criteria
from governance.models import User
from governance.permission_result import Answer, Conflict, no
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, ObligationKind, ReviewOutcome, Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import initiative_rows, rulebook_in_effect, supported_stage
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.findings.obligations import complete_row, write_obligations
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reminders import telling
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
    """The last day to restore a lost support, and the reason of the loss."""

    until: date
    why: str


def hold(*, initiative: Initiative, reason: str, by: User) -> Hold:
    """Raise a concern that blocks decisions until the chair lifts it."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what must stop. The chair uses your text to decide."})
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
    """Lift a liftable hold, or one that people opened, as chair with a reason."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why the hold is no longer needed."})
    with act("lift hold", by=by, initiative=hold.initiative_id, reason=reason) as initiative:
        hold = Hold.objects.select_related("initiative").get(pk=hold.pk)
        if hold.lifted_at:
            raise Conflict("This hold was already lifted.")
        initiative_permissions.may_lift(hold, by).or_refuse()
        _close(initiative, hold, reason.strip(), by)
        rewrite_supported_stage(initiative)
        telling.tell(
            initiative,
            [hold.opened_by, *alerts.readers(initiative, ())],
            "hold lifted",
            f"hold:{hold.pk}",
            f"{by} lifted a hold ({hold.get_kind_display().lower()})",
            but=by,
            text=hold.lift_reason,
            link=initiative.get_absolute_url(),
        )
    return hold


def open_system_hold(initiative: Initiative, kind: str, reason: str) -> Hold | None:
    """Open a hold with a cause inside the running act, unless one is open."""
    if initiative.holds.open().filter(kind=kind, opened_by__isnull=True).exists():
        return None
    row = Hold(initiative=initiative, kind=kind, reason=reason, opened_at=clock.now())
    row.save()
    entries.record(EntryKind.HOLD_OPENED, initiative=initiative, hold_kind=kind, why=reason)
    alerts.tell_holds([row])
    return row


def close_system_hold(initiative: Initiative, kind: str, why: str) -> None:
    """Close a hold with its cause, inside the running act. A residency hold becomes liftable by the chair."""
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
    """Write an obligation inside the running act. A source has one open obligation.

    It stays with this responsible person.
    """
    obligations = open_obligations(
        initiative, [Obligation(kind=kind, source=source, text=text, due=due, responsible=responsible)]
    )
    return obligations[0] if obligations else None


def open_obligations(initiative: Initiative, wanted: list[Obligation]) -> list[Obligation]:
    """Write these obligations of the initiative, set-wise, as `open_obligation` does.

    Returns those that were not open already.
    """
    known = {(obligation.kind, obligation.source) for obligation in initiative_rows.obligations(initiative)}
    new = [obligation for obligation in wanted if (obligation.kind, obligation.source) not in known]
    if not new:
        return []
    for obligation in new:
        obligation.initiative = initiative
    write_obligations(new)
    return new


def complete(*, obligation: Obligation, note: str, by: User) -> Obligation:
    """Complete an obligation, with evidence if a gate left it.

    See docs/domain.md, invariant 14. The responsible person or the owner completes it. If that person is gone,
    sponsor or chair do. Raises Refused with the people who may.
    """
    with act("complete", by=by, initiative=obligation.initiative_id, reason=note) as initiative:
        obligation = Obligation.objects.select_related("responsible").get(pk=obligation.pk)
        may_complete(initiative, obligation, by).or_refuse()
        if obligation.completed_at:
            raise Conflict(
                phrase("This obligation was completed on {}.", clock.local_day(obligation.completed_at))
            )
        if obligation.kind == "criterion":
            judged = supported_stage.judged(initiative)
            rulebook, states, key = judged.rulebook, judged.states, obligation.source.split(":")[0]
            asked = rulebook.criteria.get(key)  # a newer rulebook may no longer ask it
            if asked and not all(states[wanted].satisfies(asked.gate) for wanted in asked.requirements):
                no(
                    phrase("Not shown yet: {}", asked.question),
                    "Answer the requirement under Requirements, with evidence.",
                ).or_refuse()
        if obligation.kind in ("post_mortem", "retrospective"):
            no(
                "A published and confirmed post-mortem completes this obligation.",
                "Write the post-mortem on its page.",
            ).or_refuse()
        if obligation.kind in ("step_back", "vacancy", "unknown"):
            no(
                "This obligation is completed automatically when its cause is gone.",
                "Record the fact in the integration register."
                if obligation.kind == "unknown"
                else "Add the missing evidence, or ask the chair.",
            ).or_refuse()
        if obligation.kind == "measurement":
            no(
                "A new measurement completes this obligation.", "Send a measurement on the Adoption tab."
            ).or_refuse()
        if obligation.kind == "service_account":
            no(
                "This obligation is completed when the account is closed.",
                "Open the page of the system, and record that the account is closed.",
            ).or_refuse()
        if obligation.kind == ObligationKind.FEED:
            no(
                "The system's owner completes this obligation.",
                "Ask the owner to confirm on the feed's page that the feed is switched off.",
                f"/feeds/{obligation.pk}/",
            ).or_refuse()
        if obligation.kind == ObligationKind.SHOWN_BY and (missing := lacking(initiative)):
            no(
                phrase(
                    "{} requirements of {} are not met yet.",
                    len(missing),
                    label(initiative.get_stage_display()),
                ),
                "Answer the requirements under Requirements, with evidence.",
            ).or_refuse()
        if obligation.kind == ObligationKind.STEPPED_BACK and not note.strip():
            raise ValidationError({"note": "Write what changed since the step back."})
        complete_row(obligation, by=by, note=note.strip() or "Completed")
        rewrite_supported_stage(initiative)
    return obligation


def may_complete(initiative: Initiative, obligation: Obligation, by: User):
    """Allow the responsible person and the owner to complete an obligation.

    The same people may write what is due. If that person is gone, the sponsor or the chair may.
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
        phrase("Only {} can complete this.", responsible or "the owner"),
        "If that person has left, ask the sponsor or the chair.",
    )


def lacking(initiative: Initiative) -> list[str]:
    """Return the keys of the requirements that its approved stage lacks now."""
    return criteria.gaps_to(supported_stage.judged(initiative), initiative.stage)


def may_set_day(initiative: Initiative, by: User) -> Answer:
    """Allow the accepted owner to set the day for an imported initiative."""
    if (
        not initiative.imported
        or initiative.stage not in RUNNING_STAGES
        or initiative.withdrawn_at
        or initiative.unit.imported
    ):
        return no(
            "You can set this day only if an import reported the stage and your organisation owns the "
            "initiative.",
            "Open the overview of the initiative to see what is missing.",
        )
    if not initiative_permissions.is_owner(initiative, by):
        return no(
            "Only the owner can set this day.",
            "Ask the owner. If no one owns the initiative, propose an owner first.",
        )
    return initiative_permissions.yes()


def show_by(*, initiative: Initiative, due: date, reason: str = "", by: User) -> Obligation:
    """Set the day by which a reported stage shows what it lacks, or change it.

    A change needs a reason. Gates do not read this day. It blocks no decision and changes no stage.
    """
    with act(
        "set the day to show a stage", by=by, initiative=initiative, reason=reason.strip()
    ) as initiative:
        may_set_day(initiative, by).or_refuse()
        if due < clock.today():
            raise ValidationError({"due": "The day is in the past. Choose today or later."})
        before = initiative.obligations.open().filter(kind=ObligationKind.SHOWN_BY).first()
        if before is None and not lacking(initiative):
            raise ValidationError("All requirements of the approved stage are met, so no day is needed.")
        if before is not None:
            if not reason.strip():
                raise ValidationError({"reason": "Explain why the day changes."})
            complete_row(before, by=by, note=f"Another day: {reason.strip()}")
        row = Obligation(
            initiative=initiative,
            kind=ObligationKind.SHOWN_BY,
            source="import",
            text=f"Show the evidence that {initiative.get_stage_display()} asks for",
            due=due,
            responsible=by,
        )
        write_obligations([row])
    return row


def complete_confirmed(*, obligation: Obligation, by: User, note: str) -> Obligation:
    """Complete a post-mortem's obligation inside the act that confirms it."""
    complete_row(obligation, by=by, note=note)
    rewrite_supported_stage(obligation.initiative)
    return obligation


def excuse_obligation(*, obligation: Obligation, initiative: Initiative, reason: str, by: User) -> Excuse:
    """Let one decision here pass an overdue obligation, as acting chair.

    The obligation stays due and still blocks all other initiatives. It is let pass once for an initiative
    (docs/domain.md, invariant 14). Raises ValidationError, Refused.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Explain why this decision is allowed while the obligation is due."})
    with act("excuse obligation", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_raise(initiative, by).or_refuse()
        obligation = Obligation.objects.select_related("initiative").get(pk=obligation.pk)
        may_excuse(obligation, initiative).or_refuse()
        row = Excuse(
            obligation=obligation, initiative=initiative, reason=reason.strip(), by=by, at=clock.now()
        )
        row.save()
        # Readers of this initiative need not be able to open another one, so its words are not in the entry.
        here = obligation.initiative_id == initiative.pk
        entries.record(
            EntryKind.OBLIGATION_EXCUSED,
            initiative=initiative,
            obligation=obligation.pk,
            text=obligation.text if here else "",
        )
    return row


def may_excuse(obligation: Obligation, initiative: Initiative) -> Answer:
    """Allow an excuse if the obligation blocks a decision and has none yet."""
    open_review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
    if open_review is None or open_review.gate not in HELD_UP:
        return no(
            phrase("No review of {} for MVP or production is open.", initiative.ref),
            "Wait until a review is open, then allow the decision.",
        )
    if obligation.responsible_id not in {person.pk for person in initiative_rows.answering(initiative)}:
        return no(
            phrase("This obligation does not block {}.", initiative.ref),
            "Choose an initiative of the person who is responsible for the obligation.",
        )
    if obligation.completed_at is not None or obligation.due >= clock.today():
        return no("This obligation is not overdue, so it blocks no decision.")
    if Excuse.objects.filter(obligation=obligation, initiative=initiative).exists():
        return no(
            phrase("A decision on {} was already allowed once despite this obligation.", initiative.ref),
            "First complete the obligation.",
        )
    return initiative_permissions.yes()


def held_up(obligation: Obligation) -> list[Initiative]:
    """Return initiatives whose open review this blocks, or would once overdue."""
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
    """Open the grace obligation on a loss of support, complete it on return.

    Set-wise, by the present support of each initiative. Support is lost at once, and grace does not delay that
    (rulebook, grace_days). Reported stages have no obligations. `grace` is the end and the reason, if not the
    rulebook's own days. Returns the opened obligations.
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
                note = (
                    "The evidence supports the stage again"
                    if supported
                    else f"The initiative is {initiative.stage}"
                )
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
                    f"{support[initiative.pk].label}{grace.why if grace else ''}: add the missing "
                    "evidence, or the chair decides whether the initiative steps back"
                ),
                due=grace.until if grace else day + timedelta(days=days),
                responsible=owner.person if owner else None,
            )
        )
    write_obligations(opened)
    return opened


def last_supported(initiatives: list[Initiative]) -> dict[int, date]:
    """Return the last day on which the approved stage of each was supported, by key.

    They have just lost it. Evidence expires at midnight, and the previous row foretold that moment. If an act of
    today ended the support, the day is today.
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
    """End obligations of stages that were left, in the act of the step back.

    They are the open criteria of those gates, and the choice between an owner and a step back. Obligations to write
    something stay (ADR 0035).
    """
    left = RUNNING_STAGES[STAGE_RANK[initiative.stage] + 1 :]
    moves = StageChange.objects.filter(initiative=initiative, to_stage__in=left).values_list("pk", flat=True)
    ends = tuple(f":{key}" for key in moves)
    for obligation in initiative_rows.obligations(initiative):
        of_gate = obligation.kind == "criterion" and obligation.source.endswith(ends)
        if of_gate or obligation.kind in (ObligationKind.VACANCY, ObligationKind.SHOWN_BY):
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
    """Record an unresolved point with downstream effects, owner and day."""
    wrong = {}
    if not text.strip():
        wrong["text"] = "Describe what is unresolved."
    if due < clock.today():
        wrong["due"] = "The day is in the past. Choose today or later."
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
    """Close a gap with evidence, or accept it as owner (docs/domain.md, invariant 15)."""
    with act("close gap", by=by, initiative=gap.initiative_id) as initiative:
        gap = Gap.objects.select_related("ended_risk").get(pk=gap.pk)
        if gap.closed_at:
            raise Conflict("This gap was already closed.")
        if gap.owner_id != by.pk:
            initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if evidence is None and gap.owner_id != by.pk:
            no(
                "Only the gap's owner can close the gap without evidence, by accepting it.",
                phrase("Choose evidence, or ask {}.", gap.owner),
            ).or_refuse()
        if evidence is None and gap.ended_risk is not None:
            no(
                phrase(
                    "This gap is the risk “{}”, whose acceptance ended. The gap's owner cannot accept "
                    "the risk.",
                    gap.ended_risk.title,
                ),
                "Choose evidence that the risk is gone, or ask the risk seat to accept the risk again.",
                reverse("accepted-risks", args=[initiative.ref]),
            ).or_refuse()
        if evidence is None:
            gap.owner_accepted_at = gap.owner_accepted_at or clock.now()
        gap.closed_at, gap.closed_by, gap.closed_with = clock.now(), by, evidence
        gap.save()
        shown_by = evidence.pk if evidence else None
        entries.record(EntryKind.GAP_CLOSED, initiative=initiative, text=gap.text, evidence=shown_by)
    return gap
