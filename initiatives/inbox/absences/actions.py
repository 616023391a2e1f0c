"""Acts on planned absences, with delegates who accept in person.

A delegation lifts no bar of separation of duties. The module is in this package because a delegate becomes a team
member of initiatives. The people of an absence are locked in the order of their keys, so that plans that would meet
follow each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.models import Absence, Delegation, Membership, User
from governance.notifications.notify import notify
from governance.people import cooling_off
from governance.people.boards import seats_held
from governance.permission_result import Conflict, no
from governance.vocabulary import Seat
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reminders.wording import days_of
from initiatives.portfolio.units import decision_gaps
from initiatives.portfolio.units.leaving import end_loan, tell_owners

LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Asked:
    """A request to stand in, for a seat, or for roles if `membership` is None."""

    delegate: User
    membership: Membership | None = None


def plan_absence(*, first: date, last: date, asked: Iterable[Asked], by: User) -> Absence:
    """Plan an absence of the person `by`, from `first` to `last`, both included.

    Each delegate is asked, and accepts in person. Raises ValidationError that names `first`, `last`, `roles` or
    `seat-<key>`: the days are not ahead, the absence meets another, or a delegate is away too or is the person.
    """
    asked = list(asked)
    with act("plan absence", by=by, reason="Absence planned"):
        _locked([by, *(one.delegate for one in asked)])
        check_plan(first=first, last=last, asked=asked, by=by)
        absence = Absence(
            person=by,
            starts_at=max(clock.midnight_before(first), clock.now()),
            ends_at=clock.midnight_after(last),
            planned_at=clock.now(),
        )
        absence.save()
        rows = [
            Delegation(absence=absence, membership=one.membership, delegate=one.delegate) for one in asked
        ]
        for row in rows:
            row.save()
            _ask(row)
        entries.record(
            EntryKind.ABSENCE_PLANNED,
            absence=absence.pk,
            first=first,
            last=last,
            delegates=[{"person": row.delegate.full_name, "what": row.what} for row in rows],
        )
        decision_gaps.tell_at_once(decision_gaps.boards_chaired(seats_held(by)))
    return absence


def check_plan(*, first: date, last: date, asked: Iterable[Asked], by: User) -> None:
    """Raise ValidationError by field if this absence cannot be planned. Writes nothing."""
    _check_days(first, last, by)
    starts_at, ends_at = clock.midnight_before(first), clock.midnight_after(last)
    wrong = {}
    for one in asked:
        name = f"seat-{one.membership.pk}" if one.membership else "roles"
        if problem := _cannot_stand_in(one, starts_at, ends_at, by):
            wrong[name] = problem
    if wrong:
        raise ValidationError(wrong)


def _check_days(first: date, last: date, by: User) -> None:
    if first < clock.today():
        raise ValidationError({"first": "The first day is in the past. Choose today or later."})
    if last < first:
        raise ValidationError({"last": "The last day is before the first day. Correct one of the days."})
    if last - first > LONGEST:
        raise ValidationError(
            {
                "last": (
                    "The absence is longer than a year. Choose other days, or hand over your initiatives "
                    "and ask an admin to end your seats."
                )
            }
        )
    starts_at, ends_at = clock.midnight_before(first), clock.midnight_after(last)
    other = by.absences.meeting(starts_at, ends_at).first()
    if other is not None:
        raise ValidationError(
            {
                "first": phrase(
                    "You already planned an absence {}. End that absence first, or choose other days.",
                    days_of(other),
                )
            }
        )
    for_others = Delegation.objects.agreed().filter(delegate=by)
    met = for_others.filter(absence__in=Absence.objects.meeting(starts_at, ends_at)).select_related(
        "absence__person"
    )
    if one := met.first():
        who = one.absence.person
        raise ValidationError(
            {
                "first": phrase(
                    "You stand in for {} {}. Choose other days, or first decline to act for {} in that "
                    "time, so that {} can choose someone else.",
                    who,
                    days_of(one.absence),
                    who,
                    who,
                )
            }
        )


def _cannot_stand_in(one: Asked, starts_at, ends_at, by: User) -> str:
    """Return why this person cannot be asked, with the remedy, or an empty text."""
    delegate = one.delegate
    if delegate.pk == by.pk:
        return "You cannot stand in for yourself. Choose someone else, or no one."
    if not delegate.is_active:
        return f"{delegate} is no longer active. Choose someone else."
    met = delegate.absences.meeting(starts_at, ends_at).first()
    if met is not None:
        return f"{delegate} is away {days_of(met)}. Choose someone else, or other days."
    if one.membership is None:
        return ""
    if one.membership.person_id != by.pk or one.membership.seat not in Seat:
        return "You do not sign for this seat, so no one can stand in for you in this seat."
    if one.membership.delegate_of_id is not None:
        return (
            "You stand in for someone else in this seat, so you cannot lend it. Ask its holder, or an admin."
        )
    seat_ends = one.membership.ends_at
    if seat_ends is not None and seat_ends <= starts_at:
        return f"This seat ends on {clock.local_day(seat_ends):%-d %B %Y}, before the absence. Choose no one."
    held = Membership.objects.filter(board=one.membership.board, seat=one.membership.seat, person=delegate)
    if held.held_at(starts_at).exists():
        return f"{delegate} already holds this seat. Choose someone else, or no one."
    return ""


def accept_delegation(*, delegation: Delegation, by: User) -> Delegation:
    """Accept in person to stand in. For a seat, this creates a delegate's seat for the absence."""
    with act("accept delegation", by=by, reason="Accepted to stand in"):
        delegation = _answered_by(delegation, by)
        absence = delegation.absence
        if met := by.absences.meeting(absence.starts_at, absence.ends_at).first():
            no(
                phrase("You are away {}.", days_of(met)),
                phrase("Decline, so that {} can choose someone else.", absence.person),
            ).or_refuse()
        if delegation.membership is not None:
            delegation.stands = _seat(delegation)
        delegation.accepted_at = clock.now()
        delegation.save()
        entries.record(
            EntryKind.DELEGATION_ACCEPTED,
            on_behalf_of=absence.person,
            absence=absence.pk,
            person=absence.person.full_name,
            what=delegation.what,
        )
        _tell_person(delegation, f"{by} stands in for you {days_of(absence)}", f"For {delegation.what}.")
    return delegation


def _seat(delegation: Delegation) -> Membership:
    absence, held = delegation.absence, delegation.membership
    starts_at = max(absence.starts_at, clock.now())
    ended = held.ends_at is not None and held.ends_at <= starts_at
    if held.delegate_of_id is not None or ended or not held.holds_at(clock.now()):
        no(
            phrase("{} no longer holds that seat then, or only stands in for it.", absence.person),
            "Decline: no one needs to stand in for that seat.",
        ).or_refuse()
    seat = Membership(
        board=held.board,
        seat=held.seat,
        person=delegation.delegate,
        delegate_of=held,
        granted_by=absence.person,
        starts_at=starts_at,
        ends_at=min(absence.ends_at, held.ends_at or absence.ends_at),
        signs_from=cooling_off.seat_from(starts_at),
    )
    seat.save()
    entries.record(
        EntryKind.APPOINTED,
        person=seat.person.full_name,
        person_id=seat.person_id,
        seat=seat.seat,
        board=seat.board.name,
        delegate_of=absence.person.full_name,
    )
    return seat


def decline_delegation(*, delegation: Delegation, reason: str = "", by: User) -> Delegation:
    """Decline to stand in, or stop standing in. The absent person is notified and can ask someone else."""
    with act("decline delegation", by=by, reason=reason or "Declined to stand in"):
        delegation = _answered_by(delegation, by, open_only=False)
        gave_back = delegation.accepted_at is not None
        end_loan(delegation, reason.strip())
        absence = delegation.absence
        kind = EntryKind.DELEGATION_RETURNED if gave_back else EntryKind.DELEGATION_DECLINED
        entries.record(kind, absence=absence.pk, person=absence.person.full_name, what=delegation.what)
        _tell_person(
            delegation,
            f"{by} does not stand in for you {days_of(absence)}",
            f"No one stands in for {delegation.what} now. {reason.strip()}".strip(),
        )
        if gave_back:
            tell_owners(delegation)
    return delegation


def name_delegate(*, absence: Absence, asked: Asked, by: User) -> Delegation:
    """Ask someone else after a delegate declined or gave up. Raises ValidationError as `plan_absence`."""
    with act("name delegate", by=by, reason="Absence planned"):
        _locked([by, asked.delegate])
        absence = Absence.objects.select_for_update().get(pk=absence.pk)
        _own(absence, by)
        if problem := _cannot_stand_in(asked, absence.starts_at, absence.ends_at, by):
            raise ValidationError({"delegate": problem})
        if absence.delegations.filter(ended_at__isnull=True, membership=asked.membership).exists():
            raise Conflict(
                "Someone was already asked, or already stands in. Open the absence again.",
                "",
                reverse("away"),
            )
        row = Delegation(absence=absence, membership=asked.membership, delegate=asked.delegate)
        row.save()
        _ask(row)
        entries.record(
            EntryKind.DELEGATE_NAMED, absence=absence.pk, person=asked.delegate.full_name, what=row.what
        )
    return row


def end_absence(*, absence: Absence, by: User) -> Absence:
    """End an absence now, or cancel it before it begins. Its delegates no longer stand in."""
    with act("end absence", by=by, reason="Absence ended"):
        absence = Absence.objects.select_for_update().get(pk=absence.pk)
        if not by.is_admin:
            _own(absence, by)
        if absence.ends_at <= clock.now():
            raise Conflict("This absence is already over.", "", reverse("away"))
        absence.ends_at = max(clock.now(), absence.starts_at)
        absence.save()
        for row in absence.delegations.filter(ended_at__isnull=True):
            end_loan(row, "The absence ended")
        entries.record(EntryKind.ABSENCE_ENDED, absence=absence.pk, person=absence.person.full_name)
    return absence


def _locked(people: Iterable[User]) -> None:
    keys = {person.pk for person in people}
    list(User.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


def _answered_by(delegation: Delegation, by: User, *, open_only: bool = True) -> Delegation:
    """Return the locked delegation of an absence that has not ended. Raises Refused for others."""
    _locked([by])
    rows = Delegation.objects.select_for_update(of=("self",)).select_related(
        "absence__person", "delegate", "membership__board", "membership__person", "stands__board"
    )
    delegation = rows.get(pk=delegation.pk)
    if delegation.delegate_id != by.pk or not by.is_active:
        no(
            phrase("Only {} can answer this request.", delegation.delegate),
            phrase("Ask {} to answer, or ask someone else to stand in.", delegation.delegate),
        ).or_refuse()
    refuse_answered(delegation, open_only=open_only)
    return delegation


def refuse_answered(delegation: Delegation, *, open_only: bool = True) -> None:
    """Raise Conflict if the request was answered, or its absence is over."""
    answered = delegation.ended_at or (open_only and delegation.accepted_at)
    if answered or delegation.absence.ends_at <= clock.now():
        raise Conflict("This request was already answered, or the absence is over.", "", reverse("away"))


def _own(absence: Absence, by: User) -> None:
    if absence.person_id != by.pk or not by.is_active:
        no(
            phrase("This absence belongs to {}.", absence.person),
            phrase("Ask {}, or an admin.", absence.person),
        ).or_refuse()


def _ask(row: Delegation) -> None:
    notify(
        row.delegate,
        "delegate",
        f"delegation:{row.pk}",
        subject=f"{row.absence.person} asks you to stand in {days_of(row.absence)}",
        text=f"You stand in for {row.what} after you have accepted. You can also decline.",
        link=reverse("row-act", args=["delegations", row.pk, "accept"]),
    )


def _tell_person(row: Delegation, subject: str, text: str) -> None:
    notify(
        row.absence.person,
        "delegate answered",
        f"delegation:{row.pk}",
        period="ended" if row.ended_at else "accepted",
        subject=subject,
        text=text,
        link=reverse("away"),
    )
