"""Cells of an issue tracker's table: durations, numbers and work logs. Only clear values are read."""

import re
from dataclasses import dataclass
from decimal import Decimal

from governance.tables.numbers import parse_number, read_amount

HOURS_A_DAY, HOURS_A_WEEK = 8, 40
# Hours of one unit. A day of work has eight.
PER_UNIT = {"seconds": Decimal(3600), "minutes": Decimal(60), "hours": Decimal(1), "days": Decimal("0.125")}
# Words of headers that name the unit of their numbers, the smallest unit first.
UNIT_WORDS = {
    "seconds": re.compile(r"\b(?:seconds?|secs?|sekunden?|secondes?|segundos?)\b"),
    "minutes": re.compile(r"\b(?:minutes?|mins?|minuten?|minutos?)\b"),
    "hours": re.compile(r"\b(?:hours?|hrs?|h|stunden?|std|heures?|horas?|uren)\b"),
    "days": re.compile(r"\b(?:days?|man days|person days|tage?|pt|jours?|dias|dagen)\b"),
}
ONE_UNIT = re.compile(r"(\d{1,5}(?:[.,]\d{1,2})?)\s*([a-z]{1,8})\.?")
LONGEST_TIME = 60  # characters of a duration
MOST_HOURS = 2_000  # of one line: beyond that its unit is another
LONGEST_LOG_PART = 200  # characters of the day and of the author of a work log
LOG_HEADERS = frozenset(("log work", "work log", "work logs", "worklog", "worklogs", "arbeit protokollieren"))


@dataclass(frozen=True)
class Log:
    """One work log of a cell: comment, day and author as written, and seconds."""

    comment: str
    day: str
    author: str
    seconds: int


def log_of(cell: str) -> Log | None:
    """Return the work log of a "comment;day;author;seconds" cell, or None.

    The parts are taken from the right, because a comment can contain semicolons, quotation marks and line breaks.
    """
    parts = cell.strip().rsplit(";", 3)
    if len(parts) == 3:
        parts = ["", *parts]
    if len(parts) != 4:
        return None
    comment, day, author, seconds = (" ".join(part.split()) for part in parts)
    if not re.fullmatch(r"\d{1,9}", seconds) or not re.search(r"\d", day):
        return None
    if not author or max(len(day), len(author)) > LONGEST_LOG_PART:
        return None
    return Log(comment, day, author, int(seconds))


def unit_of(header: str) -> str:
    """Return the unit that a header names, in lower case, or "" if it names none."""
    return next((unit for unit, words in UNIT_WORDS.items() if words.search(header)), "")


def clocked(text: str) -> Decimal | None:
    """Return the hours of a duration that names its units, or None for other text.

    Read are 1:30, 2h30, 1w 2d 3h 30m, 1.5 h and 90 min.
    A day has 8 hours, a week 5 days.
    """
    text = text.strip().casefold()
    if len(text) > LONGEST_TIME:
        return None
    said = re.fullmatch(
        r"(?:(\d{1,3})\s*w)?\s*(?:(\d{1,3})\s*d)?\s*(?:(\d{1,5})\s*h)?\s*(?:(\d{1,5})\s*m)?", text
    )
    if text and said:
        weeks, days, hours, minutes = (Decimal(part or 0) for part in said.groups())
        return weeks * HOURS_A_WEEK + days * HOURS_A_DAY + hours + minutes / 60
    if short := re.fullmatch(r"(\d{1,4})\s*[:h]\s*([0-5]\d)(?::([0-5]\d))?", text):
        return Decimal(short[1]) + Decimal(short[2]) / 60 + Decimal(short[3] or 0) / 3600
    if (one := ONE_UNIT.fullmatch(text)) and (unit := unit_of(one[2])):
        return Decimal(one[1].replace(",", ".")) / PER_UNIT[unit]
    return None


def counts_days(text: str) -> bool:
    """Return True if a duration uses days or weeks. A tracker's settings decide their hours."""
    return bool(re.search(r"\d\s*(?:[wd]|days?|tage?)\b", text.casefold())) and clocked(text) is not None


def hours_of(text: str, unit: str, mark: str = "") -> Decimal | None:
    """Return the hours of a duration with units or of a number in `unit`, or None.

    `mark`: decimal mark of numbers with two readings. Without it, None if both could be the hours of one line.
    """
    found = clocked(text)
    if found is not None or not unit:
        return found
    if unit == "seconds":  # written whole: a mark before three digits parts thousands
        text = re.sub(r"(?<=\d)[.,](?=\d{3}(?:\D|$))", "", text[:LONGEST_TIME])
    number = parse_number(text, mark, most=MOST_HOURS * PER_UNIT[unit])
    if number is None:
        number = parse_number(text, mark)
    return None if number is None or number < 0 else number / PER_UNIT[unit]


def is_number(text: str) -> bool:
    """Return True if the text is a number without a unit, and not nought."""
    return bool(parse_number(text, "."))


def days_alone(cell: str) -> str:
    """Return a number of days without the word."""
    return re.sub(r" ?(?:days?|d)$", "", " ".join(cell[:60].split()).casefold())


def unread(raw: str, words: str) -> str:
    """Return why a number was not read, and how to correct it."""
    if read_amount(days_alone(raw)).either:
        return f"“{raw[:40]}” can mean two numbers. Choose the decimal mark."
    return f"“{raw[:40]}” cannot be read as {words}."
