"""Cooling off: a right granted or reset by another approves nothing for a day.

A new seat waits through its first day unless the chair of its board, or an admin who did not grant it, confirms it. A
person whose password someone else reset waits a day from the reset. Seats granted before the first review was opened
set the installation up, and do not wait. Objections, holds, stops, step-backs, the switch and denials never wait. The
database guards the same for sign-offs, decisions and contracts (docs/adr/0043).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from governance import clock
from governance.models import Entry, Membership, User
from governance.permission_result import Answer, no, yes
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

LASTS = timedelta(hours=24)
AT_ONCE = phrase("You can already object, open a hold, stop the initiative and step it back.")


def first_setup() -> bool:
    """Return True if no review was ever opened. The boards are then filled for the first time."""
    return not Entry.objects.filter(kind=EntryKind.REVIEW_OPENED).exists()


def seat_from(starts_at: datetime) -> datetime:
    """Return when a seat granted now, from `starts_at`, counts for a higher stage."""
    return starts_at if first_setup() else starts_at + LASTS


def wait_a_day(person: User) -> None:
    """Keep the person's signatures from counting for a higher stage for a day.

    For what someone else changed about the account. The caller saves the row. The database demands the same.
    """
    if not first_setup():
        person.signs_from = max(filter(None, (person.signs_from, clock.now() + LASTS)))


def seat_until(seat: Membership, at: datetime) -> datetime | None:
    """Return when the seat's cooling off ends, or None if it is over at `at`."""
    if seat.confirmed_at is not None or seat.signs_from is None or seat.signs_from <= at:
        return None
    return seat.signs_from


def person_until(person: User, at: datetime) -> datetime | None:
    """Return when the person's wait after another's change ends, or None when over."""
    return person.signs_from if person.signs_from is not None and person.signs_from > at else None


def seats_until(seats: Iterable[Membership], at: datetime) -> datetime | None:
    """Return when the first of these seats has cooled off, or None if one counts."""
    ends = [seat_until(seat, at) for seat in seats]
    cooling = [end for end in ends if end is not None]
    return min(cooling) if cooling and len(cooling) == len(ends) else None


def admin_for_a_day(person: User) -> bool:
    """Return True if the account was an admin's a day ago, or in the first setup."""
    then = User.history.filter(id=person.pk, history_date__lte=clock.now() - LASTS)
    row = then.order_by("-history_date", "-history_id").first()
    return first_setup() or (row is not None and row.is_admin)


def may_lift(person: User, seats: Iterable[Membership] = ()) -> Answer:
    """Sign now what lets an initiative rise, by right of any of these seats, or of none."""
    now = clock.now()
    if until := person_until(person, now):
        return no(
            phrase(
                "Someone else reset your password or made you an admin. You can approve a higher "
                "stage from {}.",
                clock.moment_in_words(until),
            ),
            phrase("Wait until then. {}", AT_ONCE),
        )
    if until := seats_until(seats, now):
        return no(
            phrase(
                "Your seat is in its first day. You can approve a higher stage from {}.",
                clock.moment_in_words(until),
            ),
            phrase("Wait until then, or ask the chair or a second admin to confirm the seat. {}", AT_ONCE),
        )
    return yes()


def why_waits(person: User, seats: Iterable[Membership], at: datetime) -> str:
    """Return why the person approves nothing yet, and from when they do, or "". The text is for others."""
    if until := person_until(person, at):
        return phrase(
            "{} cannot approve before {}, because someone else reset the password or made this "
            "person an admin",
            person,
            clock.moment_in_words(until),
        )
    if until := seats_until(seats, at):
        return phrase(
            "{} cannot approve before {}, because the seat is in its first day",
            person,
            clock.moment_in_words(until),
        )
    return ""
