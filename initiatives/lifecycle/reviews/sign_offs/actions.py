"""Acts on sign-offs: write the statement, sign it as read, withdraw it. Each locks the initiative first."""

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from governance import clock
from governance.audit_log import entries
from governance.database.request_memo import one_look
from governance.gates import sign_off_statement
from governance.gates.separation_of_duties import why_own_work
from governance.models import User
from governance.people import boards
from governance.permission_result import Answer, Conflict, no, yes
from governance.transparency_log import sealing
from governance.vocabulary import APPROVING, BoardRole, SignOffVerdict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import signer_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reminders.telling import tell
from initiatives.lifecycle.reviews import permissions as review_permissions
from initiatives.lifecycle.reviews.actions import still_open
from initiatives.lifecycle.reviews.turn_notifications import tell_turn
from initiatives.models import Initiative, Question, Review, SignOff


def statement_for(
    snapshot: review_state.ReviewSnapshot,
    seat: str,
    person: User,
    *,
    verdict: str,
    reason: str = "",
    criteria=(),
    condition=None,
    at,
) -> tuple[str, dict]:
    """Return the statement that this person would sign for this seat, and its facts. Writes nothing."""
    covered = sign_off_statement.seat_facts(snapshot.judged, snapshot.review.gate, seat)
    where = snapshot.eligible_signers.board
    covered["board"] = where.pk if where else None
    covered["questions"] = [
        [asked.asked_by.full_name, asked.text]
        for asked in initiative_rows.questions(snapshot.review)
        if asked.criterion in covered["criteria"] and not asked.answer
    ]
    holder = boards.holder_stood_in_for(snapshot.eligible_signers.members, seat, person)
    if holder is not None:
        covered["delegate_of"] = [holder.pk, holder.full_name]
    text = sign_off_statement.write(
        snapshot.judged.rulebook,
        covered,
        person=person,
        board=where.name if where else "no board",
        delegate_of=holder,
        verdict=verdict,
        reason=reason,
        objected=tuple(criteria),
        condition=condition,
        at=at,
    )
    return text, covered


def sign_off(
    *,
    review: Review,
    seat: str,
    verdict: str,
    digest: str,
    prepared_at,
    reason: str = "",
    criteria: tuple[str, ...] = (),
    condition: dict | None = None,
    replaces: SignOff | int | None = None,
    seen: dict | None = None,
    by: User,
) -> SignOff:
    """Cast a sign-off on exactly the statement whose digest the person saw.

    `replaces` is the sign-off of this seat that the person saw as current. Raises Conflict if another came first, and
    Conflict with the changes if the facts changed since the page was opened.
    """
    check_sign_off(review, seat, verdict, reason, criteria, condition)
    with act("sign off", by=by, initiative=review.initiative_id) as initiative:
        with one_look():  # after the lock and before anything is written: each thing is read once
            review = still_open(review, initiative)
            initiative_permissions.may_sign(review, seat, by, verdict=verdict).or_refuse()
            last = initiative_rows.last_sign_off(review, seat)
            if (last.pk if last else None) != (replaces.pk if isinstance(replaces, SignOff) else replaces):
                if last is not None and last.person_id == by.pk and last.digest == digest:
                    return last  # the same press twice: the first one counts
                raise Conflict(
                    _who_was_first(last),
                    "Read the other sign-off. Sign off again if you still want to.",
                    review.get_absolute_url(),
                )
            snapshot = review_state.snapshot_of(review, initiative)
            words = {"reason": reason, "criteria": criteria, "condition": condition}
            text, covered = statement_for(snapshot, seat, by, verdict=verdict, at=prepared_at, **words)
            if sign_off_statement.digest(text) != digest:
                raise Conflict(
                    _what_changed(seen, snapshot, prepared_at),
                    "Read the statement again, then sign it.",
                    review.get_absolute_url(),
                )
            if verdict in APPROVING:
                may_approve(snapshot, covered, by).or_refuse()
            chair, _ = roles_and_seats.acting_chair(initiative, list(snapshot.eligible_signers.members))
        row = SignOff(
            review=review,
            seat=seat,
            person=by,
            verdict=verdict,
            reason=reason.strip(),
            criteria=list(criteria),
            condition=condition,
            statement=text,
            digest=digest,
            facts=covered,
            covered_evidence=sorted(_evidence_of(covered)),
            replaces=last,
            at=clock.now(),
        )
        _save_first(row)
        _record(
            row,
            initiative,
            on_behalf_of=boards.holder_stood_in_for(snapshot.eligible_signers.members, seat, by),
        )
        if SignOffVerdict.OBJECT in (verdict, last.verdict if last else ""):
            rewrite_supported_stage(initiative)  # an objection counts against scale tests
        after = review_state.with_sign_off(snapshot, row)
        if chair is not None:
            _tell_when_ready(chair, after)
        if verdict == SignOffVerdict.OBJECT:
            tell_turn(after)
    return row


def _save_first(row: SignOff) -> None:
    """Save the sign-off. Raises Conflict if another of its seat was saved meanwhile."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        first = row.review.sign_offs.filter(seat=row.seat).order_by("-id").select_related("person").first()
        raise Conflict(_who_was_first(first), "Read the sign-off.", row.review.get_absolute_url()) from None


def _record(row: SignOff, initiative: Initiative, *, on_behalf_of: User | None) -> None:
    entries.record(
        EntryKind.SIGNED_OFF,
        initiative=initiative,
        review=row.review_id,
        gate=row.review.gate,
        seat=row.seat,
        verdict=row.verdict,
        statement=row.statement,
        digest=row.digest,
        replaces=row.replaces_id,
        on_behalf_of=on_behalf_of,
    )
    sealing.soon()


def check_sign_off(review: Review, seat: str, verdict: str, reason: str, criteria, condition) -> None:
    """Raise ValidationError by field if a sign-off is not complete."""
    rulebook = review.parsed_rulebook
    wrong = {}
    own = (
        {criterion.key for criterion in rulebook.criteria_of(review.gate, seat)}
        if review.gate in rulebook.gates
        else set()
    )
    if verdict not in SignOffVerdict or verdict == SignOffVerdict.WITHDRAWN:
        wrong["verdict"] = "Choose “Approve”, “Approve with a condition”, “Object” or “Recuse yourself”."
    if verdict == SignOffVerdict.OBJECT and (not criteria or set(criteria) - own):
        wrong["criteria"] = "Choose the criteria of your seat that you object to."
    if verdict in (SignOffVerdict.OBJECT, SignOffVerdict.RECUSE) and not reason.strip():
        wrong["reason"] = "Give a reason, so that others can answer it."
    if verdict == SignOffVerdict.CONDITION and not (
        condition and condition.get("text") and condition.get("owner") and condition.get("due")
    ):
        wrong["condition"] = "Write the condition, its owner and its due date."
    if not own and verdict != SignOffVerdict.RECUSE:
        wrong["seat"] = "This seat has no criterion at this gate, so it cannot object."
    if wrong:
        raise ValidationError(wrong)


def may_approve(snapshot: review_state.ReviewSnapshot, covered: dict, person: User) -> Answer:
    """Allow approving met facts that do not rest on the signer's own work."""
    wrote = review_state.rests_on(
        covered, _evidence_of(covered), snapshot.eligible_signers, snapshot.judged.facts
    )
    if own := why_own_work(replace(signer_of(person), name="You"), wrote):
        return no(f"{own[0]}.", "Ask another holder of the seat to sign.")
    unmet = [
        finding.criterion.question
        for finding in snapshot.judged.at_gate(snapshot.review.gate)
        if finding.criterion.seat == covered["seat"] and finding.blocks
    ]
    if unmet:
        return no(
            phrase("You cannot approve, because these criteria are not met: {}", " ".join(unmet)),
            "Ask the owner to meet the criteria, or object.",
        )
    return yes()


def _evidence_of(covered: dict) -> set[int]:
    """Return the keys of the evidence that a statement covers."""
    return {int(pk) for pk in covered["evidence"]}


def _who_was_first(row: SignOff | None) -> str:
    if row is None:
        return "The sign-off you saw no longer exists."
    said = row.get_verdict_display().lower()
    return f"{row.person} signed off first for this seat: {said}, at {clock.moment_in_words(row.at)}."


def _what_changed(seen: dict | None, snapshot, prepared_at) -> str:
    reasons = []
    if seen:
        reasons = sign_off_statement.stale_reasons(seen, snapshot.judged, prepared_at)
    return (
        "Changed after you opened the page: "
        + ("; ".join(reasons) or "the facts behind the statement changed")
        + "."
    )


def withdraw_sign_off(*, sign_off: SignOff, reason: str, by: User) -> SignOff:
    """Withdraw a sign-off with a new row. The old row stays readable."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why you withdraw the sign-off."})
    with act(
        "withdraw sign-off", by=by, initiative=sign_off.review.initiative_id, reason=reason
    ) as initiative:
        review = still_open(sign_off.review, initiative)
        row = review.sign_offs.latest().filter(pk=sign_off.pk).first()
        if row is None:
            raise Conflict("This sign-off was already replaced or withdrawn.", "", review.get_absolute_url())
        review_permissions.may_withdraw_sign_off(row, by).or_refuse()
        snapshot = review_state.snapshot_of(review)
        text, covered = statement_for(
            snapshot, row.seat, by, verdict=SignOffVerdict.WITHDRAWN, reason=reason.strip(), at=clock.now()
        )
        new = SignOff(
            review=review,
            seat=row.seat,
            person=by,
            verdict=SignOffVerdict.WITHDRAWN,
            reason=reason.strip(),
            statement=text,
            digest=sign_off_statement.digest(text),
            facts=covered,
            replaces=row,
            at=clock.now(),
        )
        new.save()
        if row.verdict == SignOffVerdict.OBJECT:
            rewrite_supported_stage(initiative)
        entries.record(
            EntryKind.SIGN_OFF_WITHDRAWN,
            initiative=initiative,
            review=review.pk,
            seat=row.seat,
            statement=text,
            digest=new.digest,
        )
        sealing.soon()
    return new


def may_reply(objection: SignOff, person: User) -> Answer:
    """Allow people who work on the initiative to reply to a current objection."""
    review = objection.review
    if not review.is_open:
        return no("This review has ended.")
    if objection.verdict != SignOffVerdict.OBJECT or SignOff.objects.filter(replaces=objection).exists():
        return no(
            "This objection was already answered or withdrawn.",
            "Open the review to see the current objections.",
        )
    return initiative_permissions.may_collaborate(review.initiative, person)


def reply(*, objection: SignOff, text: str, criterion: str = "", by: User) -> Question:
    """Reply to an objection at its criterion, and ask its seat to look again.

    The reason of the objection is recorded there as the question of the reply.
    """
    criterion = criterion or objection.criteria[0]
    if not text.strip():
        raise ValidationError({"text": "Write the reply before you send it."})
    if criterion not in objection.criteria:
        raise ValidationError({"criterion": "Choose a criterion that the seat objects to."})
    with act("reply to objection", by=by, initiative=objection.review.initiative_id) as initiative:
        review = still_open(objection.review, initiative)
        may_reply(objection, by).or_refuse()
        question = Question(
            review=review,
            criterion=criterion,
            text=objection.reason,
            asked_by=objection.person,
            asked_at=objection.at,
            answer=text.strip(),
            answered_by=by,
            answered_at=clock.now(),
        )
        question.save()
        entries.record(
            EntryKind.QUESTION_ANSWERED,
            initiative=initiative,
            review=review.pk,
            criterion=criterion,
            text=question.answer,
        )
        tell_turn(review_state.snapshot_of(review, initiative))
    return question


def _tell_when_ready(chair: User, snapshot: review_state.ReviewSnapshot) -> None:
    if not snapshot.verdict.decidable:
        return
    initiative, review = snapshot.initiative, snapshot.review
    tell(
        initiative,
        [chair],
        "ready to decide",
        f"review:{review.pk}",
        "ready for your decision",
        seat=BoardRole.CHAIR,
        period=clock.today().isoformat(),
        text="Every blocking criterion is met, and the seats that must sign have signed.",
        link=review.get_absolute_url(),
        due_on=clock.local_day(review.expires_at),
    )
