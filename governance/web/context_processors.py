"""Template context of every page: inbox count, unread notifications, the person."""

from functools import cache

from governance.database.request_memo import once
from governance.notifications import inbox as notification_inbox
from governance.people.boards import seats_held


def everywhere(request) -> dict:
    """Context of base.html for people who are signed in; lazy, so that a page without the frame pays nothing,
    and asked once however often the frame says it. On another day nothing waits for anybody: only the day is said.
    """
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return {"as_of": None}
    look = getattr(request, "look", None)
    if look is not None:
        return {"as_of": look}
    counts = cache(lambda: notification_inbox.counts_for(person))
    return {
        "as_of": None,
        "inbox_count": lambda: counts()[0],
        "unread_notifications": lambda: once(
            ("unread", person.pk), lambda: counts()[1]
        ),  # the inbox has read it
        "seat_line": cache(lambda: seat_line(person)),
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
