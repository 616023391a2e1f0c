"""Votes: the statement written, signed as it was read, withdrawn. Every act locks the case first."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from governance import boards, clock, ledger, seals, statements
from governance.answers import Conflict, no
from governance.boards import board_for
from governance.models import User
from governance.notify import owe as owe_notice
from governance.reading import one_look
from initiatives import board, permissions, sources
from initiatives.actions.base import act
from initiatives.actions.reviews import still_open
from initiatives.actions.turns import tell_turn
from initiatives.models import Review, SignOff
from initiatives.models.reviews import CONDITION, OBJECT, RECUSE, VERDICTS, WITHDRAWN


def statement_for(
    review: Review,
    seat: str,
    person: User,
    *,
    verdict: str,
    reason: str = "",
    criteria=(),
    condition=None,
    at,
    sitting=None,
) -> tuple[str, dict]:
    """The statement that this person would sign now for this seat, and the facts it covers. Writes nothing."""
    sitting = sitting or board.sit(review)
    covered = statements.seat_facts(
        sitting.facts, sitting.book, review.gate, seat, sitting.at, sitting.states
    )
    where = board_for(sitting.case.unit)
    covered["board"] = where.pk if where else None
    holder = boards.holder_stood_in_for(list(sitting.bench.members), seat, person)
    if holder is not None:
        covered["delegate_of"] = [holder.pk, holder.full_name]
    text = statements.write(
        sitting.book,
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
    """Cast a vote on exactly the statement whose digest the person saw.

    `replaces`: the vote of this seat that the person saw standing; Conflict when another came first.
    Raises Conflict with what changed when the facts moved since the page was opened.
    """
    check_vote(review, seat, verdict, reason, criteria, condition)
    with act("sign off", by=by, case=review.initiative_id) as case:
        with one_look():  # after the lock and before anything is written: each thing is read once
            review = still_open(review, case)
            permissions.may_sign(review, seat, by, verdict=verdict).or_refuse()
            last = sources.last_vote(review, seat)
            seen_last = replaces.pk if isinstance(replaces, SignOff) else replaces
            if (last.pk if last else None) != seen_last:
                if last is not None and last.person_id == by.pk and last.digest == digest:
                    return last  # the same press twice: the first one stands
                raise Conflict(
                    _who_was_first(last),
                    "Read it, then vote on it if you still want to.",
                    review.get_absolute_url(),
                )
            sitting = board.sit(review, case)
            text, covered = statement_for(
                review,
                seat,
                by,
                verdict=verdict,
                reason=reason,
                criteria=criteria,
                condition=condition,
                at=prepared_at,
                sitting=sitting,
            )
            if statements.digest(text) != digest:
                raise Conflict(
                    _what_changed(seen, sitting, prepared_at),
                    "Read it again and sign what is true now.",
                    review.get_absolute_url(),
                )
            evidence = sorted(int(pk) for pk in covered["evidence"])
            if verdict.startswith("approve"):
                may_approve(case, covered, evidence, sitting, by)
            chair, _ = permissions.acting_chair(case, list(sitting.bench.members))
        try:
            with transaction.atomic():
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
                    covered_evidence=evidence,
                    replaces=last,
                    at=clock.now(),
                )
                row.save()
        except IntegrityError:
            first = review.sign_offs.filter(seat=seat).order_by("-id").select_related("person").first()
            raise Conflict(_who_was_first(first), "Read it.", review.get_absolute_url()) from None
        ledger.record(
            "signed off",
            case=case,
            review=review.pk,
            gate=review.gate,
            seat=seat,
            verdict=verdict,
            statement=text,
            digest=digest,
            replaces=last.pk if last else None,
            on_behalf_of=boards.holder_stood_in_for(list(sitting.bench.members), seat, by),
        )
        seals.soon()
        voted = board.with_vote(sitting, row)
        if chair is not None:
            _tell_when_ready(chair, voted)
        if verdict == OBJECT:
            tell_turn(voted)
    return row


def check_vote(review: Review, seat: str, verdict: str, reason: str, criteria, condition) -> None:
    """Raise ValidationError by field when a vote is not complete."""
    book = review.rulebook.book
    wrong = {}
    own = (
        {criterion.key for criterion in book.criteria_of(review.gate, seat)}
        if review.gate in book.gates
        else set()
    )
    if verdict not in VERDICTS or verdict == WITHDRAWN:
        wrong["verdict"] = "Choose approve, approve with a condition, object, or recuse."
    if verdict == OBJECT and (not criteria or set(criteria) - own):
        wrong["criteria"] = "Name the criteria of your seat that you object to."
    if verdict in (OBJECT, RECUSE) and not reason.strip():
        wrong["reason"] = "Say why, so that others can answer it."
    if verdict == CONDITION and not (
        condition and condition.get("text") and condition.get("owner") and condition.get("due")
    ):
        wrong["condition"] = "Write the condition, who meets it, and by which day."
    if not own and verdict != RECUSE:
        wrong["seat"] = "This seat has no criterion at this gate."
    if wrong:
        raise ValidationError(wrong)


def may_approve(case, covered, evidence, sitting, by) -> None:
    """Refuse an approval that rests on the signer's own work, or on criteria that are not met."""
    if permissions.authored(case, by, evidence):
        no(
            "You wrote evidence that this vote would rest on.", "Somebody else in the seat can sign."
        ).or_refuse()
    if covered["contract"] and permissions.wrote_contract(case, by):
        no(
            "You wrote the contract that this vote would rest on.", "Somebody else in the seat can sign."
        ).or_refuse()
    blocking = {criterion.key for criterion in sitting.book.criteria.values() if criterion.blocking}
    unmet = [
        key
        for key, state in covered["criteria"].items()
        if key in blocking and state not in ("met", "waived")
    ]
    if unmet:
        asked = " ".join(sitting.book.criteria[key].question for key in unmet)
        no(
            f"You would approve what is not met: {asked}", "The owner can mend it; you can object, or wait."
        ).or_refuse()


def _who_was_first(row: SignOff | None) -> str:
    if row is None:
        return "The vote you saw is gone."
    said = row.get_verdict_display().lower()
    return f"{row.person} voted first for this seat: {said}, at {clock.moment_in_words(row.at)}."


def _what_changed(seen: dict | None, sitting, prepared_at) -> str:
    reasons = []
    if seen:
        reasons = statements.stale_reasons(
            seen, sitting.facts, sitting.book, sitting.at, prepared_at, sitting.states
        )
    return (
        "Changed since you opened it: " + ("; ".join(reasons) or "the facts behind the statement moved") + "."
    )


def withdraw_vote(*, sign_off: SignOff, reason: str, by: User) -> SignOff:
    """Withdraw one's own vote: a new row; the old one stays readable."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why you withdraw it."})
    with act("withdraw vote", by=by, case=sign_off.review.initiative_id, reason=reason) as case:
        review = still_open(sign_off.review, case)
        row = review.sign_offs.latest().filter(pk=sign_off.pk).first()
        if row is None:
            raise Conflict("This vote was replaced or withdrawn already.", "", review.get_absolute_url())
        if row.person_id != by.pk and not permissions.holds_seat(case, by, row.seat):
            no("Only its signer, or who holds the seat now, withdraws a vote.").or_refuse()
        text, covered = statement_for(
            review, row.seat, by, verdict=WITHDRAWN, reason=reason.strip(), at=clock.now()
        )
        new = SignOff(
            review=review,
            seat=row.seat,
            person=by,
            verdict=WITHDRAWN,
            reason=reason.strip(),
            statement=text,
            digest=statements.digest(text),
            facts=covered,
            replaces=row,
            at=clock.now(),
        )
        new.save()
        ledger.record(
            "vote withdrawn", case=case, review=review.pk, seat=row.seat, statement=text, digest=new.digest
        )
        seals.soon()
    return new


def _tell_when_ready(chair: User, sitting: board.Sitting) -> None:
    if not sitting.verdict.decidable:
        return
    case, review = sitting.case, sitting.review
    owe_notice(
        chair,
        "ready to decide",
        f"review:{review.pk}",
        period=clock.today().isoformat(),
        subject=f"{case.ref} {case.title}: ready for your decision",
        text="Every blocking criterion is met and the seats that must sign have signed.",
        link=review.get_absolute_url(),
        case_ref=case.ref,
        due_on=clock.local_day(review.expires_at),
    )
