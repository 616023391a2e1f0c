"""Cells of effort: hours as people write them, and the week of a day. Only clear values are read."""

import re
from datetime import date, timedelta
from decimal import Decimal

from governance.tables.cell_values import folded
from governance.tables.numbers import Amount, read_number

CENT = Decimal("0.01")
HOURS_A_DAY, HOURS_A_WEEK = 8, 40
# Hours of one unit. A day of work has eight.
PER_UNIT = {"seconds": Decimal(3600), "minutes": Decimal(60), "hours": Decimal(1), "days": Decimal("0.125")}
# Words for a unit, the smallest unit first.
UNIT_WORDS = {
    "seconds": re.compile(r"\b(?:seconds?|secs?|sekunden?|secondes?|segundos?)\b"),
    "minutes": re.compile(r"\b(?:minutes?|mins?|minuten?|minutos?)\b"),
    "hours": re.compile(r"\b(?:hours?|hrs?|h|stunden?|std|heures?|horas?|uren)\b"),
    "days": re.compile(r"\b(?:days?|man days|person days|tage?|pt|jours?|dias|dagen)\b"),
}
ONE_UNIT = re.compile(r"(\d{1,5}(?:[.,]\d{1,2})?)\s*([a-z]{1,8})\.?")
LONGEST_TIME = 60  # characters of a duration
MOST_HOURS = 2_000  # of one line


def monday(day: date) -> date:
    """Return the Monday of the week that contains the day."""
    return day - timedelta(days=day.weekday())


def _unit_of(word: str) -> str:
    """Return the unit that a word in lower case names, or ""."""
    return next((unit for unit, words in UNIT_WORDS.items() if words.search(word)), "")


def read_hours(text: str, heading: str) -> Amount:
    """Return the hours in a cell: a duration that names its units, or a number in the unit of its heading."""
    named_above = {unit for unit, words in UNIT_WORDS.items() if words.search(folded(heading))}
    units = named_above or {"hours", "minutes"}
    named = clocked(text)
    if named is not None and not (text.count(":") == 1 and units != {"hours"}):
        found = {named}
    else:
        number = read_number(text, most=MOST_HOURS if len(units) == 1 else None)
        values = number.either or (number.value,)
        found = {value / PER_UNIT[unit] for value in values if value is not None for unit in units}
    hours = sorted({value.quantize(CENT) for value in found})
    if len(hours) == 1 and 0 < hours[0] <= MOST_HOURS:
        return Amount(hours[0])
    return Amount(None, either=tuple(hours) if len(hours) > 1 else ())


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
    if (one := ONE_UNIT.fullmatch(text)) and (unit := _unit_of(one[2])):
        return Decimal(one[1].replace(",", ".")) / PER_UNIT[unit]
    return None
