"""Acts that move an initiative by `change_stage`. `reported_stages` imports stages set-wise."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django_fsm import Transition

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.database.row_history import update_where
from governance.models import Rulebook, User
from governance.permission_result import Conflict, no
from governance.transparency_log import sealing
from governance.vocabulary import RUNNING_STAGES, ObligationKind, ReviewOutcome, Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.contributions import contributed
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import STOP_REASON
from initiatives.lifecycle.evidence.actions import create_evidence
from initiatives.lifecycle.facts import initiative_rows, rulebook_in_effect, supported_stage
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.holds.actions import end_obligations_of_stage, open_obligation, open_obligations
from initiatives.lifecycle.holds.dependant_deeds import end_row
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, end_ties, rewrite_supported_stage
from initiatives.lifecycle.initiative.review_state import ReviewSnapshot
from initiatives.lifecycle.initiative.who_may import judgement_of_stop
from initiatives.lifecycle.scope.actions import check_scope, new_scope, scope_now, start_scope
from initiatives.lifecycle.stages.permissions import may_confirm_production
from initiatives.models import (
    Answer,
    ChangeRecord,
    Continuation,
    DeclaredGoal,
    Initiative,
    Link,
    Obligation,
    Review,
    ScopeVersion,
    StageChange,
    Voiding,
)
from initiatives.models.stage_machine import EMERGENCY, REOPENING, STEP_BACK, STOP, judged, make_move, offered

STOP_REASONS = {
    "answered_no": "Answered: the idea is not worth going on",
    "no_value": "No value was shown",
    "risk": "The risk is too high",
    "cost": "The cost is too high",
    "blocked": "Blocked by something outside",
    "other": "Another reason",
}


def change_stage(
    initiative: Initiative,
    move: Transition,
    *,
    reason: str,
    by: User | None,
    snapshot: ReviewSnapshot | None = None,
) -> StageChange:
    """Move the initiative: transition, entry, StageChange, save, in order.

    The database refuses the save without the two rows before it (docs/domain.md, invariant 1). `move` is offered by
    the initiative (`stage_machine.offered`). `snapshot` is the deciding review as judged in this act, which gives the
    supported stage. Raises TransitionNotAllowed for a move that the machine does not have.
    """
    source, basis = initiative.stage, move.custom["basis"]
    now = clock.now()
    supported, review = _supported(initiative, snapshot, now), snapshot.review if snapshot else None
    make_move(initiative, move)
    target = initiative.stage
    entry = entries.record(
        EntryKind.STAGE_CHANGED,
        initiative=initiative,
        **{"from": source, "to": target},
        basis=basis,
        why=reason,
        review=review.pk if review else None,
        supported=supported,
    )
    change = StageChange(
        initiative=initiative,
        from_stage=source,
        to_stage=target,
        basis=basis,
        review=review,
        reason=reason,
        by=by,
        at=now,
        supported_then=supported,
        entry_id=entry.pk,
    )
    change.save()
    initiative.basis, initiative.since = basis, now
    row_history.update_alike(Initiative, [initiative], ["stage", "basis", "since"])
    sealing.soon()
    return change


def _supported(initiative: Initiative, snapshot: ReviewSnapshot | None, now) -> str:
    """Return the supported stage before the move, by the rulebook that decides."""
    if (
        snapshot is not None
        and snapshot.judged.rulebook == rulebook_in_effect.rulebook_of(initiative, now).parsed
    ):
        return snapshot.judged.support.supported
    return supported_stage.judged(initiative, at=now).support.supported


def promote(
    initiative: Initiative,
    move: Transition,
    snapshot: ReviewSnapshot,
    scopes: list[ScopeVersion],
    declared: list[DeclaredGoal],
    *,
    by: User,
) -> StageChange:
    """Apply a decision to approve to the initiative, inside the act of the decision.

    `scopes` and `declared` are those of the initiative, as they were read in this act.
    """
    review, rulebook = snapshot.review, snapshot.judged.rulebook
    gate = rulebook.gates[review.gate]
    change = change_stage(initiative, move, reason=review.reason, by=by, snapshot=snapshot)
    for scope in scopes:
        if scope.starts_at is None and scope.ended_at is None and scope.for_stage == gate.to:
            start_scope(initiative, scope, scope_now(scopes), by=by)
    if gate.to == Stage.MVP:
        row_history.update_where(DeclaredGoal, [row.pk for row in declared], frozen_at=clock.now())
    if gate.to == Stage.PRODUCTION:
        open_written_obligation(
            initiative,
            "retrospective",
            f"production:{change.pk}",
            rulebook.freshness.retrospective_after_go_live_days,
            "Retrospective after go-live",
        )
    _open_later_criteria(initiative, rulebook, gate.key, change, emergency=False)
    return change


def step_back(
    *, initiative: Initiative, reason: str, users_told: str, scope: dict, target: str = "", by: User
) -> Initiative:
    """Take production or an MVP back to a lower stage as chair, with a smaller scope.

    `target` is the new stage, by default the next lower one. `users_told` is how users were told. `scope` has the
    fields of the smaller scope (see record_scope). For a prototype, dependants end and its links no longer carry
    production data. The owner answers the reason before the initiative is promoted again.
    """
    wrong = {}
    if not reason.strip():
        wrong["reason"] = "Explain why the stage is withdrawn."
    if not users_told.strip():
        wrong["users_told"] = "Write how and when the users were told."
    if wrong:
        raise ValidationError(wrong)
    with act("step back", by=by, initiative=initiative, reason=reason, register=True) as initiative:
        initiative_permissions.may_chair(initiative, by).or_refuse()
        move = _step_back_to(initiative, target)
        target = move.target
        was, depending = initiative.stage, alerts.depending([initiative])
        _cut_scope(initiative, target, scope, by)
        _withdraw_open_review(initiative, by, "The initiative stepped back.")
        if target == "prototype":
            for dependant in initiative.dependants.filter(ended_at__isnull=True).select_related("statement"):
                end_row(initiative, dependant, "The initiative stepped back to a prototype")
            update_where(
                Link, list(initiative.links.filter(live=True).values_list("pk", flat=True)), live=False
            )
            follow([initiative])
        entries.record(EntryKind.USERS_TOLD, initiative=initiative, how=users_told.strip())
        change = change_stage(initiative, move, reason=reason.strip(), by=by)
        end_obligations_of_stage(initiative, was)
        open_written_obligation(
            initiative,
            ObligationKind.STEPPED_BACK,
            f"{ObligationKind.STEPPED_BACK}:{change.pk}",
            Rulebook.objects.current().parsed.freshness.post_mortem_due_days,
            f"Explain what changed since the step back: {reason.strip()}"[:250],
        )
        rewrite_supported_stage(initiative)
        alerts.tell_end(initiative, "stepped back", was, reason.strip(), depending)
    return initiative


def lower_stages(initiative: Initiative) -> list[str]:
    """Return the lower stages of the initiative, highest first. Raises Refused if it has none."""
    lower = [stage for stage in reversed(RUNNING_STAGES) if offered(initiative, kind=STEP_BACK, target=stage)]
    if not lower:
        no(phrase("An initiative that is {} has no stage to step back to.", initiative.stage)).or_refuse()
    return lower


def _step_back_to(initiative: Initiative, target: str) -> Transition:
    """Return the step back to this or the next lower stage. Raises Refused, ValidationError for others."""
    lower = lower_stages(initiative)
    if target and target not in lower:
        raise ValidationError({"target": "Choose a stage below the approved stage."})
    return offered(initiative, kind=STEP_BACK, target=target or lower[0])


def _cut_scope(initiative: Initiative, target: str, fields: dict, by: User) -> None:
    current = scope_now(initiative_rows.rows(initiative, "scopes"))
    wrong = check_scope(initiative, fields, "")
    if target == "prototype" and (fields.get("rollout") or fields.get("live_data")):
        wrong["rollout"] = (
            "A prototype must not have a rollout or production data. Remove both from the scope."
        )
    if wrong:
        raise ValidationError(wrong)
    scope = new_scope(initiative, "", by, fields)
    if current is not None and scope.wider_than(current):
        raise ValidationError(
            {"user_count": "The new scope is wider than the current one. Make it smaller to step back."}
        )
    start_scope(initiative, scope, current, by=by)


def stop(*, initiative: Initiative, reason_code: str, reason: str, by: User) -> Initiative:
    """Stop an initiative at once. All but ideas then need a post-mortem and a clean-up."""
    wrong = {}
    if reason_code not in STOP_REASONS:
        wrong["reason_code"] = "Choose the reason that fits best."
    if not reason.strip():
        wrong["reason"] = "Write one sentence: what was learned?"
    if wrong:
        raise ValidationError(wrong)
    with act("stop", by=by, initiative=initiative, reason=reason, register=True) as initiative:
        initiative_permissions.may_stop(initiative, by).or_refuse()
        was, idea = initiative.stage, initiative.stage == Stage.PROPOSED
        text = f"{STOP_REASONS[reason_code]}. {reason.strip()}"
        _answer_stop_reason(initiative, text, by)
        _withdraw_open_review(initiative, by, "The initiative was stopped.")
        change = change_stage(initiative, offered(initiative, kind=STOP), reason=text, by=by)
        end_ties(initiative, "The initiative was stopped", by=by)
        if not idea:
            rulebook = Rulebook.objects.current().parsed
            open_written_obligation(
                initiative,
                "post_mortem",
                f"stop:{change.pk}",
                rulebook.freshness.post_mortem_due_days,
                "Post-mortem after stopping",
            )
            _open_later_criteria(initiative, rulebook, "stop", change, emergency=False)
        rewrite_supported_stage(initiative)
        alerts.tell_end(initiative, "initiative stopped", was, text)
    return initiative


def _answer_stop_reason(initiative: Initiative, text: str, by: User) -> None:
    row = Answer.objects.filter(initiative=initiative, requirement=STOP_REASON).first()
    row = row or Answer(initiative=initiative, requirement=STOP_REASON, version=0)
    row.kind, row.text, row.version, row.by, row.at = "answered", text, row.version + 1, by, clock.now()
    row.save()
    create_evidence(
        initiative,
        kind="attestation",
        title=f"Reason given by {by.full_name}",
        note=text,
        observed_on=clock.today(),
        covers=[STOP_REASON],
        by=by,
    )


def retire(*, initiative: Initiative, reason: str, by: User) -> Initiative:
    """Retire production in an emergency, as chair alone. The gate becomes dated obligations.

    The usual way is a review of the gate `retire`.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Describe the emergency."})
    with act("retire", by=by, initiative=initiative, reason=reason, register=True) as initiative:
        initiative_permissions.may_chair(initiative, by).or_refuse()
        move = emergency_of(initiative)
        _withdraw_open_review(initiative, by, "The initiative was retired in an emergency.")
        retire_row(initiative, move, reason=reason.strip(), by=by)
        rewrite_supported_stage(initiative)
        alerts.tell_end(initiative, "initiative stopped", "production", reason.strip())
    return initiative


def emergency_of(initiative: Initiative) -> Transition:
    """Return the offered retirement without a review. Raises Refused if the stage has none."""
    move = offered(initiative, kind=EMERGENCY)
    if move is None:
        no(
            "This initiative is not in production, so it cannot be retired.",
            "If the initiative is a prototype or an MVP, stop it instead.",
        ).or_refuse()
    return move


def retire_row(
    initiative: Initiative, move: Transition, *, reason: str, by: User, snapshot: ReviewSnapshot | None = None
) -> StageChange:
    """Retire inside the running act, with the obligations after it. Both reviews and emergencies use it."""
    rulebook = snapshot.judged.rulebook if snapshot else Rulebook.objects.current().parsed
    change = change_stage(initiative, move, reason=reason, by=by, snapshot=snapshot)
    open_written_obligation(
        initiative,
        "post_mortem",
        f"retire:{change.pk}",
        rulebook.freshness.post_mortem_due_days,
        "End-of-life review after retiring",
    )
    _open_later_criteria(initiative, rulebook, "retire", change, emergency=move.custom["kind"] == EMERGENCY)
    end_ties(initiative, "The initiative was retired", by=by)
    return change


def reopen(*, initiative: Initiative, reason: str, by: User) -> Initiative:
    """Reopen a stopped initiative as chair, after its post-mortem. Old evidence and sign-offs do not count."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why the initiative is worth another attempt."})
    with act("reopen", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_raise(initiative, by).or_refuse()
        judgement = judgement_of_stop(initiative)
        with judged(initiative, judgement):
            move = offered(initiative, kind=REOPENING)
            if move is None and not judgement.post_mortem_written:
                no(
                    "The post-mortem of this initiative is still due.", "First publish the post-mortem."
                ).or_refuse()
            _end_old_evidence(initiative, by)
            for end in contributed.reopeners:
                end(initiative, "The initiative was reopened", by=by)
            change_stage(initiative, move, reason=reason.strip(), by=by)
        rewrite_supported_stage(initiative)
    return initiative


def _end_old_evidence(initiative: Initiative, by: User) -> None:
    change = ChangeRecord(
        initiative=initiative,
        what=f"Reopened on {clock.today():%-d %B %Y}",
        triggers=["reopened"],
        effective_at=clock.now(),
        recorded_by=by,
        recorded_at=clock.now(),
    )
    change.save()
    Voiding.objects.bulk_create(
        Voiding(
            evidence=item,
            requirement=cover.requirement,
            trigger="reopened",
            cause=change.what,
            change=change,
            effective_at=change.effective_at,
            recorded_at=clock.now(),
        )
        for item in initiative.evidence.prefetch_related("coverage")
        for cover in item.coverage.all()
    )
    for answer in initiative.answers.filter(accepted_at__isnull=False):
        answer.accepted_by, answer.accepted_at, answer.accepted_seat = None, None, ""
        answer.second_by, answer.second_at, answer.second_seat = None, None, ""
        answer.save()
    for waiver in initiative.waivers.filter(refused_at__isnull=True, until__gte=clock.today()):
        waiver.refused_by, waiver.refused_at, waiver.refused_reason = by, clock.now(), change.what
        waiver.save()


def reattest(*, initiative: Initiative, reason: str, by: User) -> Initiative:
    """Confirm production again as chair, after owner and support owner accepted again.

    Their acceptances must be younger than the rulebook's grace days. The requirements drawn for this acceptance at
    minimal risk must be verified, and they replace those drawn earlier.
    """
    with act("re-attest", by=by, initiative=initiative, reason=reason) as initiative:
        may_confirm_production(initiative, by).or_refuse()
        initiative.reattested_at = clock.now()
        initiative.save()
        entries.record(EntryKind.RE_ATTESTED, initiative=initiative)
        rewrite_supported_stage(initiative)
    return initiative


def end_to_decide(initiative: Initiative) -> date:
    """Return the end of the stage that the chair is to decide now. Raises Refused if there is none."""
    ends = supported_stage.review_by(initiative)
    if ends is None:
        no("This stage has no end date.").or_refuse()
    if supported_stage.decision_due(initiative) is None:
        no(phrase("This stage may run until {}. A decision is not needed yet.", ends)).or_refuse()
    return ends


def continue_stage(*, initiative: Initiative, reason: str, until: date, was: date, by: User) -> Continuation:
    """Continue a prototype or MVP past its age, as chair, with a reason and a new end.

    `was` is the end that the person saw. A second decision on the same end raises Conflict. The new end is at most
    the rulebook's maximum age ahead. Raises ValidationError, and Refused also before the first reminder of the end.
    """
    wrong = {}
    if not reason.strip():
        wrong["reason"] = "Write what the initiative still has to find out, and why this is worth the time."
    if until <= clock.today():
        wrong["until"] = "Choose an end date after today."
    if wrong:
        raise ValidationError(wrong)
    with act("continue", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_continue(initiative, by).or_refuse()
        rulebook = rulebook_in_effect.rulebook_of(initiative).parsed
        ends, most = end_to_decide(initiative), rulebook.stages[initiative.stage].max_days_before_review
        if ends != was:
            raise Conflict(phrase("The end was already moved to {}.", ends))
        last = clock.today() + timedelta(days=most)
        if until > last:
            raise ValidationError(
                {"until": phrase("Choose {} or an earlier day. The limit is {} days from today.", last, most)}
            )
        row = Continuation(
            initiative=initiative,
            stage=initiative.stage,
            until=until,
            reason=reason.strip(),
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.CONTINUED,
            initiative=initiative,
            stage=initiative.stage,
            was=was,
            until=until,
            why=row.reason,
        )
    return row


def open_written_obligation(initiative: Initiative, kind: str, source: str, days: int, text: str) -> None:
    """Open a text obligation for its day's owner (docs/domain.md, invariant 14)."""
    responsible = owner_of_that_day(initiative) or (None if initiative.imported else initiative.registered_by)
    open_obligation(
        initiative,
        kind,
        source=source,
        text=text,
        due=clock.today() + timedelta(days=days),
        responsible=responsible,
    )


def owner_of_that_day(initiative: Initiative) -> User | None:
    """Return the owner, else the last one if active. Leaving a role completes no obligation."""
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    if owner is not None:
        return owner.person
    owned = [row for row in initiative_rows.roles(initiative) if row.role == Role.OWNER and row.accepted_at]
    last = max(owned, key=lambda row: row.accepted_at, default=None)
    return last.person if last is not None and last.person.is_active else None


def later_criteria(rulebook, gate: str, *, emergency: bool) -> list[tuple]:
    """Return the criteria left for after the move, each with its days.

    Criteria on post-mortems are left out, because each of these moves opens that obligation anyway (docs/domain.md,
    invariant 14).
    """
    found = []
    for criterion in rulebook.gates[gate].criteria:
        days = criterion.due_days
        if emergency and days is None:
            days = criterion.emergency_due_days
        if days is not None and not criterion.key.endswith(".postmortem"):
            found.append((criterion, days))
    return found


def _open_later_criteria(
    initiative: Initiative, rulebook, gate: str, change: StageChange, *, emergency: bool
) -> None:
    """Turn criteria with a term into dated obligations, except those on post-mortems."""
    later = later_criteria(rulebook, gate, emergency=emergency)
    if not later:
        return
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    open_obligations(
        initiative,
        [
            Obligation(
                kind="criterion",
                source=f"{criterion.key}:{change.pk}",
                text=criterion.question[:250],
                due=clock.today() + timedelta(days=days),
                responsible=owner.person if owner else initiative.registered_by,
            )
            for criterion, days in later
        ],
    )


def _withdraw_open_review(initiative: Initiative, by: User, why: str) -> None:
    for review in initiative.reviews.filter(outcome=ReviewOutcome.OPEN):
        end_review(review, ReviewOutcome.WITHDRAWN, by=by, reason=why)


def end_review(review: Review, outcome: str, *, by: User | None, reason: str, findings=None) -> None:
    """End a review inside the running act. Raises Conflict if it has already ended."""
    if not review.is_open:
        raise Conflict("This review has already ended.")
    review.outcome, review.ended_at, review.ended_by = outcome, clock.now(), by
    review.reason, review.findings = reason, findings
    row_history.update_alike(Review, [review], ["outcome", "ended_at", "ended_by", "reason", "findings"])
    entries.record(
        EntryKind(f"review {outcome.replace('_', ' ')}"),
        initiative=review.initiative,
        review=review.pk,
        gate=review.gate,
        why=reason,
        findings=findings,
    )
