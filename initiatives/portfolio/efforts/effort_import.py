"""Lines of an issue tracker read as effort, with the meaning of each column.

A tracker names its parts freely, so each word of its components or labels gets a layer. Work logs are read one by one,
each with its own day, author and time. A day, number, unit or author with two readings is asked about once per file
(`questions`). Guesses are shown, and unreadable lines are reported and stay out.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from governance.tables.column_values import Guide, sample
from governance.tables.columns import order_of, parse_date, plain, spaced
from governance.tables.numbers import decimal_marks, parse_number, read_amount
from governance.tables.reader import Line, Table
from governance.vocabulary import Layer
from governance.vocabulary.readable_text import shown
from initiatives.portfolio.efforts.effort_cells import (
    LOG_HEADERS,
    MOST_HOURS,
    Log,
    clocked,
    counts_days,
    days_alone,
    hours_of,
    is_number,
    log_of,
    unit_of,
    unread,
)

FIELDS = {
    "date": "Day of the work",
    "spent": "Time spent",
    "waited": "Days waited",
    "money": "Money",
    "currency": "Currency",
    "layer": "Layer, component or label",
    "waits_for": "Reason for waiting",
    "key": "Issue key",
    "author": "Person",
    "words": "Description",
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
    "author": ("author", "worklog author", "user", "username", "full name", "logged by"),
    "words": ("summary", "issue summary", "title", "description", "comment", "work description"),
}
GUIDE = Guide(ALIASES, {"date": "day", "money": "amount", "currency": "currency"})
# Columns with the day of the last change of an issue: the work was done on that day or before.
CHANGED = frozenset(("updated", "changed date", "state changed date", "resolved", "created", "closed"))
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
MOST_DAYS = 366
MOST_MONEY = Decimal(10) ** 11
WORDS_ASKED = 30  # of a tracker's words that are given a layer by hand; the rest goes where no word does
DATE_ORDERS = ("mdy", "dmy")
SURE_ONLY = "sure"  # an answer to how days and numbers are written: lines that can mean two things stay out
ISSUE = 20  # letters of a key that tell the issue
GUESS = "guessed".ljust(20, "-")  # the rest of a key, of a guessed line


@dataclass(frozen=True)
class How:
    """The reading of a table: columns by field, the layer of each word, and the units.

    `unit`, `dates` and `decimals` are "" until someone answers what the file leaves open. `otherwise` is the
    layer of lines whose words have none. `currency` is for lines that name none. `people` has the key of the
    person by author as written, in lower case, or None for someone without an account here.
    """

    columns: dict[str, str]
    layers: dict[str, str] = field(default_factory=dict)
    unit: str = ""
    dates: str = ""
    otherwise: str = "integration"
    currency: str = ""
    decimals: str = ""
    people: dict[str, int | None] = field(default_factory=dict)

    def kept(self) -> dict:
        """Return what the next table with the same headers reuses: all but the authors."""
        return {name: value for name, value in vars(self).items() if name != "people"}


@dataclass(frozen=True)
class Worked:
    """One piece of work as it is understood: a work log, or a line without one.

    `key` is the same for the same issue, day and author, and reveals none of them. `remarks` names what was
    guessed. `problems` has the reasons why the line cannot enter. A line without problems can.
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
    author: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def week(self) -> date | None:
        """Return the Monday of the week of the work."""
        return monday(self.day) if self.day else None

    @property
    def amounts(self) -> tuple:
        """Return the values that two equal lines share."""
        return self.week, self.layer, self.hours, self.waited, self.money, self.currency

    @property
    def issue(self) -> str:
        """Return the part of the key that all lines of one issue share."""
        return self.key[:ISSUE]

    @property
    def guessed(self) -> bool:
        """Return True if its day is that of the last change, not of the work."""
        return self.key.endswith(GUESS)


def monday(day: date) -> date:
    """Return the Monday of the week that contains the day."""
    return day - timedelta(days=day.weekday())


def _base(header: str) -> str:
    """Return a header for comparison, without the reader's number for repeats."""
    return re.sub(r" \(\d+\)$", "", plain(header))


def headers_of(table: Table) -> str:
    """Return a hash that tables with the same headers share. Repeats do not count."""
    names = dict.fromkeys(_base(name) for name in table.columns)
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()


def log_columns(table: Table) -> list[str]:
    """Return the columns with work logs, by their header or by most of their cells."""
    found = []
    for column in table.columns:
        cells = [cell for line in table.lines if (cell := line.cells.get(column, "").strip())]
        logs = [log for cell in cells if ";" in cell and (log := log_of(cell))]
        named = _base(column) in LOG_HEADERS
        if logs and (named or 2 * len([log for log in logs if _readings(log.day)]) > len(cells)):
            found.append(column)
    return found


def guessed(table: Table) -> How:
    """Return the likely reading of a table that no one has mapped yet."""
    logs = log_columns(table)
    columns = GUIDE.guess([name for name in table.columns if name not in logs], sample(table.lines))
    words = words_of(table, columns.get("layer", ""))
    return How(
        columns,
        {word: layer for word in words if (layer := guess_layer(word))},
        _unit(table, columns.get("spent", ""), logs),
        order_of(_days(table, columns, logs)),
        decimals=_decimals(table, columns),
    )


def remembered(table: Table, kept: dict) -> How:
    """Return the last reading of a table with these headers. The file itself comes first."""
    how = How(**{name: kept[name] for name in How.__dataclass_fields__ if name in kept})
    columns = {name: column for name, column in how.columns.items() if column in table.columns}
    logs = log_columns(table)
    new = [word for word in words_of(table, columns.get("layer", "")) if word not in how.layers]
    return replace(
        how,
        columns=columns,
        layers=how.layers | {word: guess_layer(word) for word in new},
        unit=_unit(table, columns.get("spent", ""), logs) or how.unit,
        dates=order_of(_days(table, columns, logs)) or how.dates,
        decimals=_decimals(table, columns) or how.decimals,
    )


def _cells(table: Table, columns: dict[str, str], *roles: str) -> list[str]:
    names = [columns[role] for role in roles if columns.get(role)]
    return [cell for line in table.lines for name in names if (cell := line.cells.get(name, ""))]


def _days(table: Table, columns: dict[str, str], logs: list[str]) -> list[str]:
    """Return the days of the table as written, from its day column and its work logs."""
    found = [" ".join(cell[:60].split()) for cell in _cells(table, columns, "date")]
    cells = (line.cells.get(name, "") for line in table.lines for name in logs)
    return found + [log.day for cell in cells if cell and (log := log_of(cell))]


def _decimals(table: Table, columns: dict[str, str]) -> str:
    """Return the decimal mark that the table's numbers share, or "" for none or two."""
    marks = decimal_marks(map(days_alone, _cells(table, columns, "spent", "waited", "money")))
    return marks.pop() if len(marks) == 1 else ""


def _unit(table: Table, column: str, logs: list[str]) -> str:
    """Return the unit of the time spent, by its header or matching work logs, or ""."""
    if named := unit_of(spaced(column)):
        return named
    for line in table.lines:
        found = [log.seconds for name in logs if (log := log_of(line.cells.get(name, "")))]
        cell = line.cells.get(column, "")
        if found and clocked(cell) is None and hours_of(cell, "seconds") == Decimal(sum(found)) / 3600:
            return "seconds"
    return ""


def questions(table: Table, how: How) -> dict[str, str]:
    """Return the open questions of this file by field of `How`, each with an example."""
    asked, logs = {}, log_columns(table)
    if not how.dates:
        open_day = next((day for day in _days(table, how.columns, logs) if len(_readings(day)) > 1), "")
        if open_day:
            first, second = (f"{date.fromisoformat(day):%-d %B %Y}" for day in _readings(open_day))
            asked["dates"] = f"“{open_day}” can be {first} or {second}. Choose the date format of this file."
    if not how.unit:
        spent = how.columns.get("spent", "")
        lines = [line for line in table.lines if not any(log_of(line.cells.get(name, "")) for name in logs)]
        cells = (line.cells.get(spent, "") for line in lines)
        without = next(filter(is_number, cells), "")
        if without:
            asked["unit"] = (
                f"“{without[:40]}” in “{spent[:60]}” has no unit. Choose the unit of the time spent."
            )
    if not how.decimals:
        cells = [
            cell
            for cell in _cells(table, how.columns, "spent")
            if hours_of(cell, how.unit or "hours") is None
        ]
        days = map(days_alone, _cells(table, how.columns, "waited"))
        cells += [cell for cell in days if parse_number(cell, most=MOST_DAYS) is None]
        for cell in cells + _cells(table, how.columns, "money"):
            if either := read_amount(cell).either:
                few, many = either
                asked["decimals"] = (
                    f"“{cell[:40]}” can be {few.normalize():f} or {many:,.0f}. Choose the decimal mark of this file."
                )
                break
    return asked


def remarks_of(table: Table, how: How) -> list[str]:
    """Return remarks on the reading of a table: its work logs, and days as hours."""
    logs, said = log_columns(table), []
    if logs:
        columns = "1 column" if len(logs) == 1 else f"{len(logs)} columns"
        said.append(
            f"Work logs are read from {columns} named “{_base(logs[0])}”. Each work log has a day, an "
            "author and a time. The time spent of a row counts only if its issue has no work log."
        )
    spent = _cells(table, how.columns, "spent")
    if how.unit == "days" or any(counts_days(cell) for cell in spent):
        said.append(
            "A day counts as 8 hours, a week as 40 hours. If your tracker uses other values, export hours."
        )
    return said


def words_of(table: Table, column: str) -> list[str]:
    """Return the words of the column that gives the layer, the most frequent first."""
    if not column:
        return []
    found = Counter(word for line in table.lines for word in _parts(line.cells.get(column, "")))
    return [word for word, _ in found.most_common(WORDS_ASKED)]


def _parts(cell: str) -> list[str]:
    parts = (plain(part)[:80] for part in re.split(r"[,;|\n]", cell[:2_000]))
    return list(dict.fromkeys(part for part in parts if part))


def guess_layer(word: str) -> str:
    """Return the layer that a tracker's word most likely means, or ""."""
    parts = re.split(r"[^a-z]+", word)
    for layer, starts in LAYER_WORDS.items():
        if any(
            part.startswith(start) if len(start) > 3 else part == start for part in parts for start in starts
        ):
            return layer
    return ""


def read(table: Table, how: How, today: date) -> list[Worked]:
    """Return each piece of work in the order of the file. A day after `today` is a problem."""
    logs, found = log_columns(table), []
    key = how.columns.get("key", "")
    logged = {
        plain(line.cells.get(key, ""))
        for line in table.lines
        if any(log_of(line.cells.get(name, "")) for name in logs)
    }
    for line in table.lines:
        cells = [cell for name in logs if (cell := line.cells.get(name, "").strip())]
        found += [_read_log(line, cell, how, today) for cell in cells]
        whole = not cells and plain(line.cells.get(key, "")) not in logged - {""}
        amounts = ("waited", "money", *(("spent",) if whole else ()))
        if whole or any(line.cells.get(how.columns.get(role, ""), "").strip() for role in amounts):
            found.append(_read(line, how, today, spent=whole))
        if cells and (odd := _other_sum(line, cells, how)):
            found[-1] = replace(found[-1], remarks=(*found[-1].remarks, odd))
    return found


def _other_sum(line: Line, cells: list[str], how: How) -> str:
    """Return a remark if the time spent of a row differs from its work logs, or ""."""
    spent = line.cells.get(how.columns.get("spent", ""), "")
    hours = hours_of(spent, how.unit, how.decimals) if spent.strip() else None
    logged = Decimal(sum(log.seconds for cell in cells if (log := log_of(cell)))) / 3600
    if hours is None or abs(hours - logged) < Decimal("0.01"):
        return ""
    return (
        f"The time spent of this row is {hours:.2f} h, but its work logs add up to {logged:.2f} h. "
        "The work logs are used."
    )


def _text(line: Line, how: How, role: str) -> str:
    return re.sub(r"\s+", " ", line.cells.get(how.columns.get(role, ""), "")[:2_000]).strip()


def _layer(line: Line, how: How) -> str:
    found = (how.layers.get(word) for word in _parts(line.cells.get(how.columns.get("layer", ""), "")))
    return next((layer for layer in found if layer in Layer), how.otherwise)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(plain(part) for part in parts).encode()).hexdigest()[:ISSUE]


def _said(*parts: str) -> str:
    said = shown(": ".join(part for part in parts if part))
    return said if len(said) <= 250 else said[:249].rstrip() + "…"


def _read_log(line: Line, cell: str, how: How, today: date) -> Worked:
    problems: list[str] = []
    log = log_of(cell)
    if log is None:
        problems.append(
            f"“{cell[:40]}” is not a work log. A work log has comment, day, author and seconds, "
            "separated by semicolons."
        )
        log = Log("", "", "", 0)
    day = _day(log.day, how.dates, today, problems) if log.day else None
    hours = _hours(str(log.seconds), "seconds", "", problems)
    if not hours and not problems:
        problems.append("The work log has no time. Enter its seconds.")
    key, words = _text(line, how, "key"), _text(line, how, "words")
    return Worked(
        line.number,
        _digest(key or words) + _digest(day.isoformat() if day else "", log.author),
        day,
        _layer(line, how),
        hours,
        None,
        None,
        "",
        "",
        _said(key, words, log.comment),
        tuple(problems),
        log.author,
    )


def _read(line: Line, how: How, today: date, *, spent: bool) -> Worked:
    def cell(role: str) -> str:
        return _text(line, how, role)

    problems: list[str] = []
    day = _day(cell("date"), how.dates, today, problems)
    hours = _hours(cell("spent"), how.unit, how.decimals, problems) if spent else None
    waited = _waited(cell("waited"), how.decimals, problems)
    money, currency = _money(cell("money"), cell("currency").upper(), how, problems)
    if money and not re.fullmatch(r"[A-Z]{3}", currency):
        problems.append("The amount needs a currency of three letters, for example EUR.")
    if not (hours or waited or money) and not problems:
        problems.append("The line has no time, no money and no days waited.")
    key, words, author = cell("key"), cell("words"), cell("author")
    dated = how.columns.get("date", "")
    guess = _base(dated) in CHANGED
    entry = GUESS if guess else _digest(day.isoformat() if day else "", author)
    said = _said(key, words)
    if guess:
        said = f"{said[:215]} (week guessed from “{dated[:12]}”)".strip()
    return Worked(
        line.number,
        _digest(key or words) + entry,
        day,
        _layer(line, how),
        hours,
        waited,
        money,
        currency,
        shown(cell("waits_for"))[:160] if waited else "",
        said,
        tuple(problems),
        author,
        (f"The week is guessed from “{dated[:60]}”, the day of the last change.",) if guess else (),
    )


def _readings(raw: str) -> list[str]:
    """Return the possible days of a text, as ISO days."""
    if day := parse_date(raw):
        return [day] if len(day) == 10 else []
    days = (parse_date(raw, order) for order in DATE_ORDERS)
    return list(dict.fromkeys(day for day in days if len(day) == 10))


def _day(raw: str, order: str, today: date, problems: list[str]) -> date | None:
    read_as = parse_date(raw, order if order in DATE_ORDERS else "")
    if len(read_as) != 10:
        can_be = [f"{date.fromisoformat(one):%-d %B %Y}" for one in _readings(raw)]
        if not raw:
            problems.append("The line has no day.")
        elif len(can_be) > 1:
            problems.append(f"“{raw[:40]}” can be {can_be[0]} or {can_be[1]}. Choose the date format.")
        else:
            problems.append(f"“{raw[:40]}” cannot be read as a day. Use YYYY-MM-DD, for example 2026-11-16.")
        return None
    day = date.fromisoformat(read_as)
    if day > today:
        problems.append(f"{day:%-d %B %Y} is in the future.")
    return day


def _hours(raw: str, unit: str, mark: str, problems: list[str]) -> Decimal | None:
    """Return the hours of a number in the unit, or of a duration that names its units."""
    if not raw:
        return None
    found = hours_of(raw, unit, mark)
    if found is None:
        if is_number(raw) and not unit:
            problems.append(f"“{raw[:40]}” has no unit. Choose the unit of the time spent.")
        else:
            problems.append(unread(raw, "time. Use 1.5, 1:30 or 1h 30m"))
        return None
    if found > MOST_HOURS:
        problems.append(f"{found:.0f} hours in one line are too many. Check the unit of the time spent.")
        return None
    return found.quantize(Decimal("0.01")) or None


def _waited(raw: str, mark: str, problems: list[str]) -> Decimal | None:
    """Return the days waited, or None for an empty cell."""
    number = parse_number(days_alone(raw), mark, most=MOST_DAYS)
    if raw and (number is None or number < 0):
        problems.append(unread(raw, "days waited"))
        return None
    return number.quantize(Decimal("0.01")) or None if number is not None else None


def _money(raw: str, named: str, how: How, problems: list[str]) -> tuple[Decimal | None, str]:
    """Return an amount and its currency: from the cell, its column, or else the file."""
    amount = read_amount(raw, how.decimals, currency=named or how.currency)
    if raw and (amount.value is None or not 0 <= amount.value <= MOST_MONEY):
        problems.append(unread(raw, "money"))
        return None, ""
    if not amount.value:
        return None, ""
    if amount.currency and named and amount.currency != named:
        problems.append(f"“{raw[:40]}” is in {amount.currency}, but the row has the currency {named[:20]}.")
    return amount.value, amount.currency or named or how.currency
