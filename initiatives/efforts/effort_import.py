"""Lines of an issue tracker as effort: which column holds what, and what each line says. Nothing is guessed silently.

A tracker names its parts as it likes, so its words for components or labels are given a layer each. What cannot be read
without guessing is said line by line, and stays out.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from governance.tables.columns import guess_columns, order_of, parse_date, parse_number, plain
from governance.tables.reader import Line, Table
from governance.vocabulary import Layer

FIELDS = {
    "date": "Day of the work",
    "spent": "Time spent",
    "waited": "Days waited",
    "money": "Money",
    "currency": "Currency",
    "layer": "Layer, component or label",
    "waits_for": "For whom or what it waits",
    "key": "Key of the issue",
    "author": "Who did it",
    "words": "What it was",
}
ALIASES = {
    "date": (
        *("started", "work date", "worklog date", "work started", "date", "day", "logged on", "updated"),
        *("changed date", "state changed date"),
    ),
    "spent": (
        *("time spent (seconds)", "time spent seconds", "seconds", "time spent", "hours", "hours spent"),
        *("logged hours", "minutes", "spent", "duration", "worklog"),
    ),
    "waited": ("days waited", "waited days", "days blocked", "blocked days", "waiting days", "waited"),
    "money": ("money", "cost", "amount", "costs"),
    "currency": ("currency",),
    "layer": ("layer", "component", "components", "component/s", "labels", "label", "epic", "area"),
    "waits_for": ("waiting for", "waits for", "waiting on", "blocked by", "blocker", "blocked on"),
    "key": ("issue key", "key", "issue", "ticket", "issue id", "id", "work item", "number"),
    "author": ("author", "worklog author", "user", "username", "full name", "logged by", "assignee"),
    "words": ("summary", "issue summary", "title", "description", "comment", "work description"),
}
UNITS = {"hours": "hours", "minutes": "minutes", "seconds": "seconds"}
PER_HOUR = {"hours": Decimal(1), "minutes": Decimal(60), "seconds": Decimal(3600)}
# The first layer of which a word begins like one of these.
LAYER_WORDS = {
    "integration": (
        *("integration", "interface", "api", "connector", "sso", "etl", "pipeline", "data", "migration"),
        *("mapping", "schema", "gateway", "identity", "access", "crm", "erp", "sharepoint", "salesforce"),
    ),
    "policy": ("policy", "legal", "compliance", "privacy", "security", "dpia", "contract", "risk", "audit"),
    "observability": ("observability", "monitoring", "logging", "dashboard", "metric", "alert", "trace"),
    "runtime": ("runtime", "infra", "deploy", "kubernetes", "hosting", "ops", "release", "sre", "network"),
    "model": ("model", "prompt", "llm", "training", "evaluation", "fine", "embedding", "ml"),
    "application": ("application", "app", "frontend", "backend", "ui", "ux", "web", "feature", "product"),
}
HOURS_A_DAY, HOURS_A_WEEK = 8, 40
MOST_HOURS = 2_000  # of one line: beyond that its unit is another
MOST_DAYS = 366
MOST_MONEY = Decimal(10) ** 11
WORDS_ASKED = 30  # of a tracker's words that are given a layer by hand; the rest goes where no word does


@dataclass(frozen=True)
class How:
    """How the table is read: columns by field, the layer of each word, the unit of time, the order of days.

    `otherwise`: the layer of lines whose words have none. `currency`: of lines that name none.
    """

    columns: dict[str, str]
    layers: dict[str, str] = field(default_factory=dict)
    unit: str = "hours"
    dates: str = ""
    otherwise: str = "integration"
    currency: str = ""

    def kept(self) -> dict:
        """As it is remembered for the next table with the same headers."""
        return dict(vars(self))


@dataclass(frozen=True)
class Worked:
    """One line as it is understood. `key` is the same for the same issue, day and author, and tells neither.

    `problems`: why it cannot enter; a line without any can.
    """

    line: int
    key: str
    day: date | None
    layer: str
    hours: Decimal | None
    waited: Decimal | None
    money: Decimal | None
    currency: str
    waits_for: str
    words: str
    problems: tuple[str, ...]

    @property
    def week(self) -> date | None:
        """The Monday of its week."""
        return monday(self.day) if self.day else None

    @property
    def amounts(self) -> tuple:
        """What two lines must share to be the same line."""
        return self.week, self.layer, self.hours, self.waited, self.money, self.currency


def monday(day: date) -> date:
    """The Monday of the week that the day lies in."""
    return day - timedelta(days=day.weekday())


def headers_of(table: Table) -> str:
    """What tables with the same headers share: a hash of them."""
    return hashlib.sha256("\x1f".join(plain(name) for name in table.columns).encode()).hexdigest()


def guessed(table: Table) -> How:
    """How a table that nobody mapped yet is most likely read."""
    columns = guess_columns(table.columns, ALIASES)
    values = {name: [line.cells.get(columns.get(name, ""), "") for line in table.lines] for name in FIELDS}
    words = words_of(table, columns.get("layer", ""))
    return How(
        columns,
        {word: layer for word in words if (layer := guess_layer(word))},
        _unit(columns.get("spent", ""), values["spent"]),
        order_of(values["date"]),
    )


def remembered(table: Table, kept: dict) -> How:
    """How a table with these headers was read the last time; words that are new since are guessed."""
    how = How(**{name: kept[name] for name in How.__dataclass_fields__ if name in kept})
    new = [word for word in words_of(table, how.columns.get("layer", "")) if word not in how.layers]
    return replace(how, layers=how.layers | {word: guess_layer(word) for word in new})


def _unit(header: str, values: list[str]) -> str:
    """Seconds, minutes or hours: by the header, else by numbers that are no hours."""
    name = plain(header)
    for unit in ("second", "minute", "hour"):
        if unit in name:
            return f"{unit}s"
    numbers = [int(value) for value in values if re.fullmatch(r"\d{1,9}", value.strip())]
    return "seconds" if numbers and sorted(numbers)[len(numbers) // 2] >= 300 else "hours"


def words_of(table: Table, column: str) -> list[str]:
    """The words of the column that is to give the layer, the most frequent first."""
    if not column:
        return []
    found = Counter(word for line in table.lines for word in _parts(line.cells.get(column, "")))
    return [word for word, _ in found.most_common(WORDS_ASKED)]


def _parts(cell: str) -> list[str]:
    parts = (plain(part)[:80] for part in re.split(r"[,;|\n]", cell[:2_000]))
    return list(dict.fromkeys(part for part in parts if part))


def guess_layer(word: str) -> str:
    """The layer that a tracker's word for a part most likely means; "" when it says nothing known."""
    parts = re.split(r"[^a-z]+", word)
    for layer, starts in LAYER_WORDS.items():
        if any(
            part.startswith(start) if len(start) > 3 else part == start for part in parts for start in starts
        ):
            return layer
    return ""


def read(table: Table, how: How, today: date) -> list[Worked]:
    """Every line as it is understood; days after `today` have not come."""
    return [_read(line, how, today) for line in table.lines]


def _read(line: Line, how: How, today: date) -> Worked:
    def cell(role: str) -> str:
        return re.sub(r"\s+", " ", line.cells.get(how.columns.get(role, ""), "")[:2_000]).strip()

    problems = []
    day = _day(cell("date"), how.dates, today, problems)
    hours = _hours(cell("spent"), how.unit, problems)
    waited = _number(cell("waited"), "days waited", MOST_DAYS, problems)
    money = _number(cell("money"), "money", MOST_MONEY, problems)
    currency = (cell("currency") or how.currency).upper() if money else ""
    if money and not re.fullmatch(r"[A-Z]{3}", currency):
        problems.append("The money names no currency of three letters.")
    if not (hours or waited or money) and not problems:
        problems.append("It says neither time nor money nor days waited.")
    found = (how.layers.get(word) for word in _parts(line.cells.get(how.columns.get("layer", ""), "")))
    key, words = cell("key"), cell("words")
    said = ": ".join(part for part in (key, words) if part)
    parts = (key or words, day.isoformat() if day else "", cell("author"))
    return Worked(
        line.number,
        hashlib.sha256("\x1f".join(plain(part) for part in parts).encode()).hexdigest()[:40],
        day,
        next((layer for layer in found if layer in Layer), how.otherwise),
        hours,
        waited,
        money,
        currency,
        cell("waits_for")[:160] if waited else "",
        said if len(said) <= 250 else said[:249].rstrip() + "…",
        tuple(problems),
    )


def _day(raw: str, order: str, today: date, problems: list[str]) -> date | None:
    read_as = parse_date(raw, order)
    if len(read_as) != 10:
        said = f"“{raw[:40]}” is no day that can be read without guessing." if raw else "It has no day."
        problems.append(said)
        return None
    day = date.fromisoformat(read_as)
    if day > today:
        problems.append(f"{day:%-d %B %Y} has not come yet.")
    return day


def clocked(text: str) -> Decimal | None:
    """Hours of 1:30, of 2h30, or of a tracker's 1w 2d 3h 30m (days of 8 hours, weeks of 5 days); None for all else."""
    text = text.strip().casefold()
    said = re.fullmatch(
        r"(?:(\d{1,3})\s*w)?\s*(?:(\d{1,3})\s*d)?\s*(?:(\d{1,5})\s*h)?\s*(?:(\d{1,5})\s*m)?", text
    )
    if text and said:
        weeks, days, hours, minutes = (Decimal(part or 0) for part in said.groups())
        return weeks * HOURS_A_WEEK + days * HOURS_A_DAY + hours + minutes / 60
    if short := re.fullmatch(r"(\d{1,4})\s*[:h]\s*([0-5]\d)(?::[0-5]\d)?", text):
        return Decimal(short[1]) + Decimal(short[2]) / 60
    return None


def _hours(raw: str, unit: str, problems: list[str]) -> Decimal | None:
    """Hours, of a number in the unit, or as `clocked` reads them."""
    text = raw.casefold()
    found = clocked(text)
    if found is None:
        number = parse_number(text, thousands=unit != "hours")
        if number is None or number < 0:
            if text:
                problems.append(f"“{raw[:40]}” is no time spent.")
            return None
        found = number / PER_HOUR[unit]
    if found > MOST_HOURS:
        problems.append(f"{found:.0f} hours in one line: is the time in another unit?")
        return None
    return found.quantize(Decimal("0.01")) or None


def _number(raw: str, words: str, most, problems: list[str]) -> Decimal | None:
    """A number that is not negative; nothing for nothing."""
    if not raw:
        return None
    number = parse_number(re.sub(r"^[^\d-]{1,3}|\s*(days?|d)$", "", raw.casefold()), thousands=True)
    if number is None or not 0 <= number <= most:
        problems.append(f"“{raw[:40]}” cannot be read as {words}.")
        return None
    return number.quantize(Decimal("0.01")) or None
