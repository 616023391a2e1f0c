"""Template context of every page: inbox count, the person."""

from functools import cache

from governance.database import replica
from governance.notifications import inbox as notification_inbox
from governance.operations import versions
from governance.people.boards import seats_held


def everywhere(request) -> dict:
    """Return the context of base.html for people who are signed in.

    `data_as_of` is the moment of the data on a page that was read from a replica which lags.

    `installed` has the versions of the installation for admins, and is None for all others.

    `preparing` is the progress of a start that still builds the demo, or None.

    The context is lazy, so a page without the frame pays nothing, and each value is computed once. A page of another
    day has no tasks, only the day.
    """
    person = getattr(request, "user", None)
    progress = getattr(request, "preparing", None)
    if person is None or not person.is_authenticated:
        return {"as_of": None, "data_as_of": None, "preparing": progress, "installed": None}
    measured = replica.read_from()
    told = {"data_as_of": measured.told_as_of if measured else None, "preparing": progress}
    look = getattr(request, "look", None)
    if look is not None:
        return told | {"as_of": look, "installed": None}
    return told | {
        "as_of": None,
        "inbox_count": cache(lambda: notification_inbox.count_for(person)),
        "seat_line": cache(lambda: seat_line(person)),
        "installed": cache(versions.shown) if person.is_admin else None,
    }


def seat_line(person) -> str:
    """Who one is here, in one line: seats first, then unit."""
    seats = [f"{member.get_seat_display().lower()}, {member.board}" for member in seats_held(person)]
    if person.is_admin:
        seats.append("admin")
    if person.is_auditor:
        seats.append("auditor")
    if person.is_privacy_officer:
        seats.append("privacy officer")
    return "; ".join(seats) or (person.unit.name if person.unit_id else "")
