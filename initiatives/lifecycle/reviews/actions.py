"""Acts on reviews: open, ask, sign off, return, decide. Each act locks the initiative first.

See docs/architecture.md, trap 8.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.core.exceptions import ValidationError
from django_fsm import Transition

from governance import clock
from governance.audit_log import entries
from governance.database import shown_state
from governance.database.request_memo import one_look
from governance.models import Rulebook, User
from governance.people.boards import board_for
from governance.permission_result import Answer, Conflict, Refused, no
from governance.transparency_log import sealing
from governance.vocabulary import ReviewOutcome, Role, SignOffVerdict, Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.evidence.governance_index import write_index
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.findings.sync import follow_more
from initiatives.lifecycle.holds import condition_deeds
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reminders.telling import tell
from initiatives.lifecycle.reviews import checkpoint_mails, turn_notifications
from initiatives.lifecycle.reviews import permissions as review_permissions
from initiatives.lifecycle.stages.actions import end_review, owner_of_that_day, promote, retire_row
from initiatives.models import Condition, Initiative, Question, Review, RoleAssignment
from initiatives.models.initiative import gate_out_of
from initiatives.models.stage_machine import judged, offered


def open_review(*, initiative: Initiative, by: User) -> Review:
    """Submit the initiative to the gate that leads out of its stage. It has one open review at most."""
    with act("open review", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        if board_for(initiative.unit) is None:
            no(
                "No board is responsible for this unit.",
                "Ask an admin to give this unit, or a unit above it, a board.",
            ).or_refuse()
        gate = gate_out_of(initiative.stage)
        running = initiative.reviews.filter(outcome=ReviewOutcome.OPEN).first()
        if running is not None:
            raise Conflict(
                phrase(
                    "A review of the gate {} has been open since {}.",
                    running.gate,
                    clock.local_day(running.opened_at),
                ),
                "Continue that review, or withdraw it first.",
                running.get_absolute_url(),
            )
        review_state.tier_confirmed(initiative, gate).or_refuse()
        rulebook = Rulebook.objects.current()
        if gate == "production":
            write_index(initiative, by)
        review = Review(
            initiative=initiative,
            gate=gate,
            rulebook=rulebook,
            opened_by=by,
            opened_at=clock.now(),
            expires_at=clock.now() + timedelta(days=rulebook.parsed.freshness.review_expires_days),
        )
        review.save()
        entries.record(
            EntryKind.REVIEW_OPENED,
            initiative=initiative,
            review=review.pk,
            gate=gate,
            rulebook=rulebook.version,
        )
        if not follow_more(initiative):
            rewrite_supported_stage(initiative)
        turn_notifications.tell_seats(initiative, review)
    return review


def still_open(review: Review, initiative: Initiative) -> Review:
    """Return the review, read after the lock. Raises Conflict naming who ended it and when."""
    review = next(row for row in initiative_rows.reviews(initiative) if row.pk == review.pk)
    review.rulebook = Rulebook.objects.kept(review.rulebook_id)
    refuse_closed(review)
    return review


def refuse_closed(review: Review) -> None:
    """Raise Conflict naming who ended the review and when, if it has ended."""
    if not review.is_open:
        who = review.ended_by.full_name if review.ended_by else "the system"
        raise Conflict(
            phrase(
                "This review was already {} by {} at {}.",
                label(review.get_outcome_display(), inside=True),
                who,
                clock.moment_in_words(review.ended_at),
            ),
            "Read the decision.",
            review.get_absolute_url(),
        )


def decide(
    *,
    review: Review,
    outcome: str,
    reason: str,
    conditions: list[dict] | None = None,
    shown: Mapping[str, str] | None = None,
    by: User,
) -> Review:
    """Decide a review as chair: approve, approve with conditions, or refuse. One locked transaction.

    `conditions` have text, owner (User), due, and `sign_off`: the key of the current sign-off that proposed it, or None
    for one of the chair. `shown` are the marks of what the page of the decision showed
    (`review_state.decision_facts`). Raises Refused with every reason if it is not decidable, ShownOtherwise if what was
    shown has changed, and Conflict if someone decided earlier.
    """
    if outcome not in (ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS, ReviewOutcome.REFUSED):
        raise ValidationError({"outcome": "Choose “Approve”, “Approve with conditions” or “Reject”."})
    if outcome == ReviewOutcome.REFUSED and not reason.strip():
        raise ValidationError(
            {"reason": "Explain why the gate is rejected, so that the team can learn from it."}
        )
    conditions = conditions or []
    retiring = review.gate == "retire"  # what an initiative was tied to ends with it
    with act(
        "decide", by=by, initiative=review.initiative_id, reason=reason, register=retiring
    ) as initiative:
        with one_look():  # after the lock and before anything is written: each thing is read once
            review = still_open(review, initiative)
            rises = outcome != ReviewOutcome.REFUSED and not retiring
            (initiative_permissions.may_raise if rises else initiative_permissions.may_chair)(
                initiative, by
            ).or_refuse()
            snapshot, team = review_state.snapshot_of(review, initiative), _team(initiative)
            scopes, declared = (
                initiative_rows.rows(initiative, "scopes"),
                initiative_rows.rows(initiative, "declared_goals"),
            )
        if shown is not None:
            now = shown_state.marks(review_state.decision_facts(snapshot))
            shown_state.refuse_changed(shown_state.changed(shown, now))
        with judged(initiative, snapshot.for_moves):
            move = _move_of(snapshot, outcome)
            _check_conditions(snapshot, outcome, conditions)
            found = frozen_findings(snapshot)
            end_review(review, outcome, by=by, reason=reason.strip(), findings=found)
            for wanted in conditions if outcome == ReviewOutcome.WITH_CONDITIONS else []:
                _fix_condition(snapshot, review, wanted, by)
            if move is None:
                if initiative.stage != Stage.PROPOSED and not retiring:
                    _open_after_refusal(initiative, review)
            elif retiring:
                retire_row(initiative, move, reason=reason.strip(), by=by, snapshot=snapshot)
            else:
                promote(initiative, move, snapshot, scopes, declared, by=by)
        rewrite_supported_stage(initiative)
        sealing.soon()
        checkpoint_mails.soon()  # after the sealing that it waits for
        _tell(team, initiative, review)
    return review


def _move_of(snapshot: review_state.ReviewSnapshot, outcome: str) -> Transition | None:
    """Return the move that this outcome makes, or None for a refusal.

    Raises Refused if the initiative does not offer it now.
    """
    if outcome == ReviewOutcome.REFUSED:
        if not snapshot.judged_sign_offs:
            no("No seat has signed off yet.", "Return the review with questions instead.").or_refuse()
        return None
    move = offered(snapshot.initiative, gate=snapshot.review.gate)
    if move is None:
        raise Refused(Answer(False, snapshot.verdict.blockers))
    return move


def _check_conditions(snapshot: review_state.ReviewSnapshot, outcome: str, conditions: list[dict]) -> None:
    """Raise ValidationError if the conditions of the signers do not fit the outcome."""
    proposed = any(row.verdict == SignOffVerdict.CONDITION for row in snapshot.sign_offs)
    if outcome == ReviewOutcome.APPROVED and (proposed or conditions):
        raise ValidationError(
            {
                "outcome": "Signers attached conditions. Choose “Approve with conditions” and enter each condition."
            }
        )
    if outcome == ReviewOutcome.WITH_CONDITIONS and not conditions:
        raise ValidationError(
            {"conditions": "Write at least one condition, with its owner and its due date."}
        )


def _fix_condition(snapshot: review_state.ReviewSnapshot, review: Review, wanted: dict, by: User) -> None:
    proposed = {row.pk: row.person for row in snapshot.sign_offs if row.verdict == SignOffVerdict.CONDITION}
    if wanted.get("sign_off") and wanted["sign_off"] not in proposed:
        raise shown_state.ShownOtherwise([phrase("the condition “{}”", wanted["text"])])
    if not wanted.get("text") or wanted.get("due") is None or wanted["due"] < clock.today():
        raise ValidationError({"conditions": "This condition has no text, or no due date after today."})
    condition = Condition(
        review=review,
        text=wanted["text"],
        owner=wanted["owner"],
        due=wanted["due"],
        proposed_by=proposed.get(wanted.get("sign_off"), by),
    )
    condition.save()
    condition_deeds.FIXED.record(condition, review.initiative)


def _open_after_refusal(initiative: Initiative, review: Review) -> None:
    days = review.parsed_rulebook.freshness.post_mortem_due_days
    open_obligation(
        initiative,
        "post_mortem",
        source=f"refusal:{review.pk}",
        text="Post-mortem after refusal",
        due=clock.today() + timedelta(days=days),
        responsible=owner_of_that_day(initiative) or review.opened_by,
    )


def _team(initiative: Initiative) -> list[RoleAssignment]:
    return [row for row in initiative_rows.roles(initiative) if row.in_force]


def _tell(team: list[RoleAssignment], initiative: Initiative, review: Review) -> None:
    gate = review.parsed_rulebook.gates[review.gate]
    tell(
        initiative,
        [row.person for row in team],
        "decided",
        f"review:{review.pk}",
        f"{gate.title} was {review.get_outcome_display().lower()}",
        roles=team,
        text=review.reason,
        link=review.get_absolute_url(),
    )


def frozen_findings(snapshot: review_state.ReviewSnapshot) -> dict:
    """Return the decided review as plain values. It has criteria, requirements, sign-offs and support."""
    return {
        "at": snapshot.judged.at.isoformat(),
        "rulebook": snapshot.judged.rulebook.version,
        "rulebook_digest": snapshot.judged.rulebook.digest,
        "approved_stage": snapshot.judged.facts.approved_stage,
        "tier": snapshot.judged.facts.tier,
        "criteria": [
            {
                "key": finding.criterion.key,
                "question": finding.criterion.question,
                "state": finding.state,
                "reasons": list(finding.reasons),
                "requirements": [
                    {
                        "key": s.key,
                        "state": s.state,
                        "level": s.level,
                        "satisfied": s.satisfies(finding.criterion.gate),
                        "words": s.words,
                        "evidence": [i.id for i in s.items],
                    }
                    for s in finding.requirements
                ],
            }
            for finding in snapshot.verdict.findings
        ],
        "sign_offs": [
            {
                "seat": row.seat,
                "person": row.person.full_name,
                "verdict": row.verdict,
                "digest": row.digest,
                "stale": list(sign_off.stale),
                "at": row.at.isoformat(),
            }
            for row, sign_off in zip(snapshot.sign_offs, snapshot.judged_sign_offs, strict=True)
        ],
        "declared": {key: [d.declared, d.result] for key, d in snapshot.judged.facts.declared.items()},
    }


def _end(review: Review, initiative: Initiative, outcome: str, *, by: User | None, reason: str) -> None:
    """End a review without a decision. Its objections end too, which changes scale tests."""
    end_review(review, outcome, by=by, reason=reason)
    if review.sign_offs.latest().filter(verdict=SignOffVerdict.OBJECT).exists():
        rewrite_supported_stage(initiative)


def return_review(*, review: Review, reason: str, by: User) -> Review:
    """Return a review to its owner with questions, as chair. The next attempt starts from the same answers."""
    if not reason.strip():
        raise ValidationError(
            {"reason": "Write what must be answered before the review can be opened again."}
        )
    with act("return review", by=by, initiative=review.initiative_id, reason=reason) as initiative:
        review = still_open(review, initiative)
        initiative_permissions.may_chair(initiative, by).or_refuse()
        _end(review, initiative, ReviewOutcome.RETURNED, by=by, reason=reason.strip())
        _tell(_team(initiative), initiative, review)
    return review


def withdraw_review(*, review: Review, reason: str, by: User) -> Review:
    """Withdraw an open review, as the owner of the initiative."""
    with act("withdraw review", by=by, initiative=review.initiative_id, reason=reason) as initiative:
        review = still_open(review, initiative)
        initiative_permissions.may_manage(initiative, by).or_refuse()
        _end(review, initiative, ReviewOutcome.WITHDRAWN, by=by, reason=reason.strip())
    return review


def rebase_review(*, review: Review, by: User) -> Review:
    """Move an open review to the rulebook in force, as owner. All its sign-offs become stale."""
    with act("move review to rulebook", by=by, initiative=review.initiative_id) as initiative:
        review = still_open(review, initiative)
        initiative_permissions.may_manage(initiative, by).or_refuse()
        current = Rulebook.objects.current()
        if review.rulebook_id == current.pk:
            no("This review already uses the rulebook in force.").or_refuse()
        before, review.rulebook = review.rulebook.version, current
        review.save()
        entries.record(
            EntryKind.REVIEW_MOVED_TO_RULEBOOK,
            initiative=initiative,
            review=review.pk,
            before=before,
            after=current.version,
        )
        turn_notifications.tell_moved(initiative, review, by)
    return review


def expire_reviews(*, system: str = "review expiry") -> list[Review]:
    """End overdue reviews. An overdue review is not decidable even before this job runs."""
    ended = []
    for row in Review.objects.filter(outcome=ReviewOutcome.OPEN, expires_at__lte=clock.now()).order_by(
        "initiative_id"
    ):
        with act("expire review", system=system, initiative=row.initiative_id) as initiative:
            review = Review.objects.select_related("initiative").get(pk=row.pk)
            if review.is_open and review.expires_at <= clock.now():
                _end(
                    review,
                    initiative,
                    ReviewOutcome.EXPIRED,
                    by=None,
                    reason="No one decided the review in time.",
                )
                _tell(_team(initiative), initiative, review)
                ended.append(review)
    return ended


def ask_question(*, review: Review, criterion: str, text: str, by: User) -> Question:
    """Ask about one criterion, apart from any verdict."""
    if not text.strip():
        raise ValidationError({"text": "Write the question before you send it."})
    with act("ask", by=by, initiative=review.initiative_id) as initiative:
        review = still_open(review, initiative)
        review_permissions.may_ask(review, by).or_refuse()
        if criterion not in {c.key for c in review.parsed_rulebook.gates[review.gate].criteria}:
            raise ValidationError({"criterion": "Choose one of the gate's criteria."})
        question = Question(
            review=review, criterion=criterion, text=text.strip(), asked_by=by, asked_at=clock.now()
        )
        question.save()
        entries.record(
            EntryKind.ASKED, initiative=initiative, review=review.pk, criterion=criterion, text=question.text
        )
        owner = roles_and_seats.accepted(initiative, Role.OWNER)
        tell(
            initiative,
            [owner.person if owner else None],
            "question",
            f"review:{review.pk}:question:{question.pk}",
            f"{by} asks",
            text=question.text,
            link=review.get_absolute_url(),
        )
    return question


def answer_question(*, question: Question, text: str, by: User) -> Question:
    """Answer a board's question, as owner or a person on the initiative."""
    if not text.strip():
        raise ValidationError({"text": "Write the answer before you send it."})
    with act("answer question", by=by, initiative=question.review.initiative_id) as initiative:
        still_open(question.review, initiative)
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        question = Question.objects.select_related("asked_by", "review").get(pk=question.pk)
        if question.answer:
            raise Conflict(
                phrase("{} already answered this question.", question.answered_by),
                "",
                question.review.get_absolute_url(),
            )
        question.answer, question.answered_by, question.answered_at = text.strip(), by, clock.now()
        question.save()
        entries.record(
            EntryKind.QUESTION_ANSWERED,
            initiative=initiative,
            review=question.review_id,
            criterion=question.criterion,
            text=question.answer,
        )
        tell(
            initiative,
            [question.asked_by],
            "answered",
            f"question:{question.pk}",
            "your question was answered",
            text=question.answer,
            link=question.review.get_absolute_url(),
        )
    return question
