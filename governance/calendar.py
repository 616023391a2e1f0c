"""A calendar as other programs read it (RFC 5545): days on which something is due, and nothing private about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from governance import clock

LINE = 75  # octets; a longer line is folded


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
    stamp = clock.midnight_before(clock.today()).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Plumbline//What is due to me//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "X-PUBLISHED-TTL:PT6H",
    ]
    for due in sorted(days, key=lambda due: (due.day, due.key)):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(due.key)}@{urlsplit(settings.ADDRESS).hostname}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{due.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{due.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_text(due.words)}",
            f"URL:{settings.ADDRESS}{due.link}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def folded(line: str) -> bytes:
    """The line in UTF-8, folded after at most 75 octets, never inside a letter."""
    parts, room = [b""], LINE
    for letter in line:
        octets = letter.encode()
        if len(parts[-1]) + len(octets) > room:
            parts.append(b"")
            room = LINE - 1  # the space that begins the rest
        parts[-1] += octets
    return b"\r\n ".join(parts) + b"\r\n"


def _text(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    plain = escaped.replace("\r\n", "\\n").replace("\n", "\\n")
    return "".join(letter for letter in plain if letter >= " " and letter != "\x7f")
