"""Cooling off: whatever somebody else granted or reset approves nothing for a day.

A new seat waits through its first day unless the chair of its board, or an admin who did not grant it, confirms it;
whoever's password somebody else reset waits a day from then. Seats granted before the first review was ever opened set
the installation up, and wait for nothing. Objections, holds, stops, step-backs, the switch and denials never wait. The
database holds the same for sign-offs, decisions and contracts (docs/adr/0043).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from governance import clock
from governance.models import Entry, Membership, User
from governance.permission_result import Answer, no, yes
from governance.vocabulary.entry_kinds import EntryKind

LASTS = timedelta(hours=24)
AT_ONCE = "Objecting, holding, stopping and stepping back wait for nothing."


def first_setup() -> bool:
    """Whether no review was ever opened on this installation: its boards are being filled for the first time."""
    return not Entry.objects.filter(kind=EntryKind.REVIEW_OPENED).exists()


def seat_from(starts_at: datetime) -> datetime:
    """From when a seat that is granted now and begins at `starts_at` signs what lets an initiative rise."""
    return starts_at if first_setup() else starts_at + LASTS


def wait_a_day(person: User) -> None:
    """Let the person sign nothing for a day that lets an initiative rise, unless the installation is being set up.

    For what someone else changed about the account; the caller saves the row. The database demands the same.
    """
    if not first_setup():
        person.signs_from = max(filter(None, (person.signs_from, clock.now() + LASTS)))


def seat_until(seat: Membership, at: datetime) -> datetime | None:
    """Until when the seat cools off; None once it does not at `at`."""
    if seat.confirmed_at is not None or seat.signs_from is None or seat.signs_from <= at:
        return None
    return seat.signs_from


def person_until(person: User, at: datetime) -> datetime | None:
    """Until when the person waits after somebody else changed the account; None when they do not at `at`."""
    return person.signs_from if person.signs_from is not None and person.signs_from > at else None


def seats_until(seats: Iterable[Membership], at: datetime) -> datetime | None:
    """Until when all of these seats cool off; None where one of them counts, or there is none."""
    ends = [seat_until(seat, at) for seat in seats]
    cooling = [end for end in ends if end is not None]
    return min(cooling) if cooling and len(cooling) == len(ends) else None


def admin_for_a_day(person: User) -> bool:
    """Whether the account was an admin's a day ago already, or all is set up for the first time."""
    then = User.history.filter(id=person.pk, history_date__lte=clock.now() - LASTS)
    row = then.order_by("-history_date", "-history_id").first()
    return first_setup() or (row is not None and row.is_admin)


def may_lift(person: User, seats: Iterable[Membership] = ()) -> Answer:
    """Sign now what lets an initiative rise, by right of any of these seats, or of none."""
    now = clock.now()
    if until := person_until(person, now):
        return no(
            "Somebody else reset your password or made you an admin. You can sign what lets an initiative rise "
            f"from {clock.moment_in_words(until)} on.",
            f"Wait until then. {AT_ONCE}",
        )
    if until := seats_until(seats, now):
        return no(
            "Your seat is in its first day. You can sign what lets an initiative rise from "
            f"{clock.moment_in_words(until)} on.",
            f"Wait until then, or ask the chair or a second admin to confirm the seat. {AT_ONCE}",
        )
    return yes()


def why_waits(person: User, seats: Iterable[Membership], at: datetime) -> str:
    """Why the person signs nothing yet that lets an initiative rise, and from when they do, for others to read; else
    empty.
    """
    if until := person_until(person, at):
        return (
            f"{person} approves nothing before {clock.moment_in_words(until)}: somebody else reset the password "
            "or made them an admin"
        )
    if until := seats_until(seats, at):
        return (
            f"{person} approves nothing before {clock.moment_in_words(until)}: the seat is in its first day"
        )
    return ""
