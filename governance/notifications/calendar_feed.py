"""A calendar for other programs (RFC 5545), with due days and no private text."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Calendar, Event, vDuration

from governance import clock
from governance.vocabulary.readable_text import shown


@dataclass(frozen=True)
class DueDay:
    """Something due to a person on a day. `key` stays the same if the day moves.

    `words` contain at most its reference and title. `link` is a path. `changes` grows with each change (SEQUENCE).
    """

    key: str
    day: date
    words: str
    link: str
    place: str = ""
    changes: int = 0


def written(days: Iterable[DueDay], *, name: str) -> bytes:
    """Return the calendar as bytes, with one free all-day event for each due day."""
    feed = Calendar()
    feed.add("version", "2.0")
    feed.add("prodid", "-//Plumbline//What is due to me//EN")
    feed.add("calscale", "GREGORIAN")
    feed.add("method", "PUBLISH")
    feed.add("x-wr-calname", name)
    feed.add("refresh-interval", vDuration(timedelta(hours=6)), parameters={"VALUE": "DURATION"})
    feed.add("x-published-ttl", "PT6H")
    stamp = clock.midnight_before(clock.today()).astimezone(UTC)
    for due in sorted(days, key=lambda due: (due.day, due.key)):
        event = Event()
        event.add("uid", f"{due.key}@{urlsplit(settings.ADDRESS).hostname}")
        event.add("dtstamp", stamp)
        event.add("dtstart", due.day)
        event.add("dtend", due.day + timedelta(days=1))
        event.add("summary", shown("\n".join(due.words.splitlines())))
        event.add("url", f"{settings.ADDRESS}{due.link}")
        event.add("transp", "TRANSPARENT")
        event.add("sequence", due.changes)
        if due.place:
            event.add("location", shown(due.place))
        feed.add_component(event)
    return feed.to_ical()
