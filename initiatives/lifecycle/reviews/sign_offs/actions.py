"""Sign-offs: the statement written, signed as it was read, withdrawn. Every act locks the initiative first."""

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from governance import clock
from governance.audit_log import entries
from governance.database.request_memo import one_look
from governance.gates import sign_off_statement
from governance.gates.separation_of_duties import why_own_work
from governance.models import User
from governance.notifications.notify import notify
from governance.people import boards
from governance.permission_result import Answer, Conflict, no, yes
from governance.transparency_log import sealing
from governance.vocabulary import APPROVING, SignOffVerdict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.signers import signer_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reviews.actions import still_open
from initiatives.lifecycle.reviews.turn_notifications import tell_turn
from initiatives.models import Initiative, Review, SignOff


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
    """The statement that this person would sign now for this seat, and the facts it covers. Writes nothing."""
    covered = sign_off_statement.seat_facts(snapshot.judged, snapshot.review.gate, seat)
    where = snapshot.eligible_signers.board
    covered["board"] = where.pk if where else None
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

    `replaces`: the sign-off of this seat that the person saw as current; Conflict when another came first.
    Raises Conflict with what changed when the facts moved since the page was opened.
    """
    check_sign_off(review, seat, verdict, reason, criteria, condition)
    with act("sign off", by=by, initiative=review.initiative_id) as initiative:
        with one_look():  # after the lock and before anything is written: each thing is read once
            review = still_open(review, initiative)
            initiative_permissions.may_sign(review, seat, by, verdict=verdict).or_refuse()
            last = initiative_rows.last_sign_off(review, seat)
            if (last.pk if last else None) != (replaces.pk if isinstance(replaces, SignOff) else replaces):
                if last is not None and last.person_id == by.pk and last.digest == digest:
                    return last  # the same press twice: the first one stands
                raise Conflict(
                    _who_was_first(last),
                    "Read it, then sign-off on it if you still want to.",
                    review.get_absolute_url(),
                )
            snapshot = review_state.snapshot_of(review, initiative)
            words = {"reason": reason, "criteria": criteria, "condition": condition}
            text, covered = statement_for(snapshot, seat, by, verdict=verdict, at=prepared_at, **words)
            if sign_off_statement.digest(text) != digest:
                raise Conflict(
                    _what_changed(seen, snapshot, prepared_at),
                    "Read it again and sign what is true now.",
                    review.get_absolute_url(),
                )
            if verdict in APPROVING:
                may_approve(snapshot, covered, by).or_refuse()
            chair, _ = initiative_permissions.acting_chair(
                initiative, list(snapshot.eligible_signers.members)
            )
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
        after = review_state.with_sign_off(snapshot, row)
        if chair is not None:
            _tell_when_ready(chair, after)
        if verdict == SignOffVerdict.OBJECT:
            tell_turn(after)
    return row


def _save_first(row: SignOff) -> None:
    """Save the sign-off. Raises Conflict where another of its seat was saved meanwhile."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        first = row.review.sign_offs.filter(seat=row.seat).order_by("-id").select_related("person").first()
        raise Conflict(_who_was_first(first), "Read it.", row.review.get_absolute_url()) from None


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
    """Raise ValidationError by field when a sign-off is not complete."""
    rulebook = review.parsed_rulebook
    wrong = {}
    own = (
        {criterion.key for criterion in rulebook.criteria_of(review.gate, seat)}
        if review.gate in rulebook.gates
        else set()
    )
    if verdict not in SignOffVerdict or verdict == SignOffVerdict.WITHDRAWN:
        wrong["verdict"] = "Choose approve, approve with a condition, object, or recuse."
    if verdict == SignOffVerdict.OBJECT and (not criteria or set(criteria) - own):
        wrong["criteria"] = "Name the criteria of your seat that you object to."
    if verdict in (SignOffVerdict.OBJECT, SignOffVerdict.RECUSE) and not reason.strip():
        wrong["reason"] = "Say why, so that others can answer it."
    if verdict == SignOffVerdict.CONDITION and not (
        condition and condition.get("text") and condition.get("owner") and condition.get("due")
    ):
        wrong["condition"] = "Write the condition, who meets it, and by which day."
    if not own and verdict != SignOffVerdict.RECUSE:
        wrong["seat"] = "This seat has no criterion at this gate."
    if wrong:
        raise ValidationError(wrong)


def may_approve(snapshot: review_state.ReviewSnapshot, covered: dict, person: User) -> Answer:
    """Approve what these facts cover: not what rests on the signer's own work, nor what is not met."""
    wrote = review_state.rests_on(
        covered, _evidence_of(covered), snapshot.eligible_signers, snapshot.judged.facts
    )
    if own := why_own_work(replace(signer_of(person), name="You"), wrote):
        return no(f"{own[0]}.", "Somebody else in the seat can sign.")
    unmet = [
        finding.criterion.question
        for finding in snapshot.judged.at_gate(snapshot.review.gate)
        if finding.criterion.seat == covered["seat"] and finding.blocks
    ]
    if unmet:
        return no(
            f"You would approve what is not met: {' '.join(unmet)}",
            "The owner can fix it; you can object, or wait.",
        )
    return yes()


def _evidence_of(covered: dict) -> set[int]:
    """Keys of the evidence that a statement covers."""
    return {int(pk) for pk in covered["evidence"]}


def _who_was_first(row: SignOff | None) -> str:
    if row is None:
        return "The sign-off you saw is gone."
    said = row.get_verdict_display().lower()
    return f"{row.person} signed off first for this seat: {said}, at {clock.moment_in_words(row.at)}."


def _what_changed(seen: dict | None, snapshot, prepared_at) -> str:
    reasons = []
    if seen:
        reasons = sign_off_statement.stale_reasons(seen, snapshot.judged, prepared_at)
    return (
        "Changed since you opened it: " + ("; ".join(reasons) or "the facts behind the statement moved") + "."
    )


def withdraw_sign_off(*, sign_off: SignOff, reason: str, by: User) -> SignOff:
    """Withdraw one's own sign-off: a new row; the old one stays readable."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why you withdraw it."})
    with act(
        "withdraw sign-off", by=by, initiative=sign_off.review.initiative_id, reason=reason
    ) as initiative:
        review = still_open(sign_off.review, initiative)
        row = review.sign_offs.latest().filter(pk=sign_off.pk).first()
        if row is None:
            raise Conflict("This sign-off was replaced or withdrawn already.", "", review.get_absolute_url())
        initiative_permissions.may_withdraw_sign_off(row, by).or_refuse()
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


def _tell_when_ready(chair: User, snapshot: review_state.ReviewSnapshot) -> None:
    if not snapshot.verdict.decidable:
        return
    initiative, review = snapshot.initiative, snapshot.review
    notify(
        chair,
        "ready to decide",
        f"review:{review.pk}",
        period=clock.today().isoformat(),
        subject=f"{initiative.ref} {initiative.title}: ready for your decision",
        text="Every blocking criterion is met and the seats that must sign have signed.",
        link=review.get_absolute_url(),
        initiative_ref=initiative.ref,
        due_on=clock.local_day(review.expires_at),
    )
