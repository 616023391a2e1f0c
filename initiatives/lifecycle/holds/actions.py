"""Acts on holds, obligations and gaps."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance import clock
from governance.audit_log.deed import EntryOf
from governance.gates import criteria
from governance.models import User
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, ObligationKind, ReviewOutcome, Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.facts import initiative_rows, rulebook_in_effect, supported_stage
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.findings.obligations import complete_row, write_obligations
from initiatives.lifecycle.initiative.act import rewrite_supported_stage
from initiatives.models import (
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
OPENED = EntryOf(
    EntryKind.HOLD_OPENED,
    "{hold_kind:opened}, {hold_kind:hold}: {why}",
    lambda hold: {"hold_kind": hold.kind, "why": hold.reason},
)
LIFTED = EntryOf(
    EntryKind.HOLD_LIFTED,
    "{hold_kind:lifted}, {hold_kind:hold}: {why}",
    lambda hold: {"hold_kind": hold.kind, "why": hold.lift_reason},
)


@dataclass(frozen=True)
class Grace:
    """The last day to restore a lost support, and the reason of the loss."""

    until: date
    why: str


def open_system_hold(initiative: Initiative, kind: str, reason: str) -> Hold | None:
    """Open a hold with a cause inside the running act, unless one is open."""
    if initiative.holds.open().filter(kind=kind, opened_by__isnull=True).exists():
        return None
    row = Hold(initiative=initiative, kind=kind, reason=reason, opened_at=clock.now())
    row.save()
    OPENED.record(row, initiative)
    alerts.tell_holds([row])
    return row


def close_system_hold(initiative: Initiative, kind: str, why: str) -> None:
    """Close a hold with its cause, inside the running act. A residency hold becomes liftable by the chair."""
    for row in initiative.holds.open().filter(kind=kind, opened_by__isnull=True):
        if kind == "residency":
            row.liftable_since = row.liftable_since or clock.now()
            row.save()
        else:
            row.lifted_at, row.lift_reason = clock.now(), why
            row.save()
            LIFTED.record(row, initiative)


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


def lacking(initiative: Initiative) -> list[str]:
    """Return the keys of the requirements that its approved stage lacks now."""
    return criteria.gaps_to(supported_stage.judged(initiative), initiative.stage)


def complete_confirmed(*, obligation: Obligation, by: User, note: str) -> Obligation:
    """Complete a post-mortem's obligation inside the act that confirms it."""
    complete_row(obligation, by=by, note=note)
    rewrite_supported_stage(obligation.initiative)
    return obligation


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
        owner, day = roles_and_seats.accepted(initiative, Role.OWNER), last[initiative.pk]
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
