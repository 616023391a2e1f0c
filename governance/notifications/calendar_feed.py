"""A calendar as other programs read it (RFC 5545): days on which something is due, and nothing private about them."""

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
    """Something due to a person on a day. `key` names it for ever, so that a moved day moves its event.

    `words` say what it is, with reference and title at most; `link` is a path.
    """

    key: str
    day: date
    words: str
    link: str


def written(days: Iterable[DueDay], *, name: str) -> bytes:
    """The calendar as bytes: one event a day that is due, all day, busy to nobody; the same days, the same bytes."""
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
        feed.add_component(event)
    return feed.to_ical()
