"""The plan for each row of an organisation's sheet: new, a change, or neither.

The plan writes no data. A blank cell changes no value. Stage, level and roles are decided here and are never taken from
a sheet.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from governance.audit_log.csv_export import unquoted
from governance.organisation.unit_import import LONGEST_NAME
from governance.people.people_matching import addresses_in
from governance.tables.cell_values import folded, is_blank
from governance.tables.columns import days_in, parse_date
from governance.tables.numbers import Amount, currency_of, read_amount, unit_of
from governance.tables.reader import Line
from governance.vocabulary import Stage, Tier
from governance.vocabulary.currencies import wrong_currency
from initiatives.models import ImportRow, Initiative
from initiatives.models.imports import OWN
from initiatives.portfolio.imports.inventories.import_batch import digest_of
from initiatives.portfolio.imports.inventories.inventory_columns import problem
from initiatives.portfolio.imports.portfolio.portfolio_columns import (
    AMOUNTS,
    FIELDS,
    UNREAD,
    parse_go_live,
    parse_tier,
)

OUR_REFERENCE = re.compile(r"AI-\d{4,9}", re.IGNORECASE)
NEW_UNIT = "new"
HERE_NAMED = 5  # initiatives that the problem of a row names
APART = "apart"  # the answer that lines with one name are different initiatives
INVITE = "invite"  # the answer for an owner who has no account yet
# What a sheet proposes of an initiative that is here; the rest is decided elsewhere.
OPEN_TO_CHANGE = ("title", "problem", "vendor", *AMOUNTS, "currency", "go_live_on", "ticket")
DECIDED = {
    "stage": "The board decides a stage at its gate.",
    "owner": "A person must accept a role. Propose the owner on the People page of the initiative.",
    "tier": "Propose a risk tier on the page of the initiative. The risk seat confirms the tier.",
    "unit": "The unit decides which board is responsible. An admin can set it for several initiatives.",
}
WORKED_OUT = "Plumbline computes this value from evidence, so a sheet cannot change it."
LIMITS = {"title": 200, "vendor": 160, "ticket": 160, "problem": 4000}


@dataclass(frozen=True)
class Here:
    """An initiative here, with the fields that a sheet may change, as plain values."""

    pk: int
    ref: str
    values: dict[str, Any]
    exported: dict[str, str] = field(default_factory=dict)  # its row of our own export, by header


@dataclass
class Look:
    """Initiatives that rows may speak of: by reference, ticket or title, or by an equal line of an earlier sheet."""

    by_ref: dict[str, Here] = field(default_factory=dict)
    by_ticket: dict[str, list[Here]] = field(default_factory=lambda: defaultdict(list))
    by_title: dict[str, list[Here]] = field(default_factory=lambda: defaultdict(list))
    by_digest: dict[str, Here] = field(default_factory=dict)  # of the same line in an earlier sheet

    def add(self, one: Here, *, own: bool = True) -> None:
        """Add one initiative. One of another organisation is found by its reference alone."""
        self.by_ref[one.ref] = one
        if not own:
            return
        if ticket := one.values.get("ticket"):
            self.by_ticket[str(ticket).casefold()].append(one)
        self.by_title[folded(str(one.values["title"]))].append(one)


def plan(lines: Iterable[Line], reading: dict, look: Look) -> list[ImportRow]:
    """Return one unsaved row per line with its decision. `actions` keeps `reading`.

    Lines that seem to be one initiative are set aside until someone answers. The questions are in `repeated` of
    `reading`.
    """
    rows = [_row(line, reading) for line in lines]
    first: dict[str, ImportRow] = {}
    for row in rows:
        if row.raw_digest in first:
            row.decision = "merge"
            text = f"This line is identical to line {first[row.raw_digest].line}."
            row.problems.append(problem("same line", text))
        else:
            first[row.raw_digest] = row
    answers = {each["lines"]: each["answer"] for each in reading.get("repeated", ())}
    reading["repeated"] = []
    unknown = [row for row in rows if row.decision == "import" and row.raw_digest not in look.by_digest]
    out = _ask_about_repeated(unknown, reading, answers)
    left = [row for row in rows if row.decision != "merge" and row.line not in out]
    often = Counter(row.mapped["key"].casefold() for row in left)
    named = Counter(row.mapped["title"].casefold() for row in left)
    for row in left:
        known = look.by_digest.get(row.raw_digest) or _known(row, look, often, named)
        if known is None and row.decision == "import":
            known = _ask_which_is_here(row, look, reading, answers)
        if known is not None:
            _compare(row, known, reading)
        elif row.decision == "import":
            _look_at_new(row)
    return rows


def _ask_which_is_here(row: ImportRow, look: Look, reading: dict, answers: dict[str, str]) -> Here | None:
    """Ask about a row with the name of initiatives that are here. Return the one that was chosen.

    The row is set aside until someone chooses one of them, or a new initiative.
    """
    title, ticket = row.mapped["title"], row.mapped["key"]
    same = {
        one.ref: one
        for one in (*look.by_ticket.get(ticket.casefold(), ()), *look.by_title.get(folded(title), ()))
    }
    if not same:
        return None
    line = str(row.line)
    answer = answers.get(line, "")
    reading["repeated"].append(
        {"lines": line, "about": f"“{title[:80]}”", "answer": answer, "here": list(same)}
    )
    if answer != APART and answer not in same:
        row.decision = "triage"
        refs = ", ".join(list(same)[:HERE_NAMED])
        row.problems.append(
            problem("repeated", f"The row may be {refs}. Choose above which initiative it is, or a new one.")
        )
    return same.get(answer)


def _ask_about_repeated(rows: list[ImportRow], reading: dict, answers: dict[str, str]) -> set[int]:
    """Return the lines set aside or left out, because others seem to be the same initiative."""
    out = set()
    for group in _repeated(rows):
        lines = ", ".join(str(row.line) for row in group)
        answer = answers.get(lines, "")
        title, ticket = group[0].mapped["title"] or group[0].mapped["reference"], group[0].mapped["key"]
        about = f"“{title[:80]}”" + (f", ticket {ticket[:40]}" if ticket else "")
        reading["repeated"].append({"lines": lines, "about": about, "answer": answer})
        for row in group:
            if answer in (APART, str(row.line)):
                continue
            row.decision = "reject" if answer else "triage"
            text = (
                f"Line {answer} was chosen for this initiative, so this line is not imported."
                if answer
                else f"Lines {lines[:80]} seem to be one initiative. Choose above how many initiatives they are."
            )
            row.problems.append(problem("repeated", text))
            out.add(row.line)
    return out


def _repeated(rows: list[ImportRow]) -> Iterator[list[ImportRow]]:
    """Yield groups of rows that share a reference, ticket or title. Capitals, accents and spaces do not count."""
    named: dict[tuple[str, str], list[ImportRow]] = defaultdict(list)
    for row in rows:
        for name in _names_of(row):
            named[name].append(row)
    seen: set[int] = set()
    for row in rows:
        group: dict[int, ImportRow] = {}
        waiting = [] if row.line in seen else [row]
        while waiting:
            one = waiting.pop()
            group[one.line] = one
            found = [other for name in _names_of(one) for other in named.pop(name, ())]
            waiting += [other for other in found if other.line not in group]
        seen |= group.keys()
        if len(group) > 1:
            yield [group[line] for line in sorted(group)]


def _names_of(row: ImportRow) -> list[tuple[str, str]]:
    """Return the names by which two rows are one initiative. A reference of Plumbline counts alone."""
    roles = ("reference",) if row.mapped["reference"] else ("key", "title")
    return [(role, folded(row.mapped[role])) for role in roles if row.mapped[role]]


def _look_at_new(row: ImportRow) -> None:
    """Note what a row for a new initiative lacks. It waits without a stage, not without an owner."""
    mapped = row.mapped
    if not mapped["stage"]:
        row.decision, said = "triage", mapped["stage_raw"][:120]
        words = f"“{said}” is not a known stage" if said else "The row has no status"
        row.problems.append(problem("no stage", f"{words}. Choose its meaning above."))
    if mapped["invite"]:
        text = f"{mapped['invite']} is invited when the sheet is published, and asked to become the owner."
        row.problems.append(problem("owner", text, value=mapped["contact"]))
    elif mapped["contact"] and not mapped["owner"]:
        text = (
            f"No one is asked to become the owner, because “{mapped['contact'][:80]}” is not a clear match."
        )
        row.problems.append(problem("owner", text, value=mapped["contact"]))


def _row(line: Line, reading: dict) -> ImportRow:
    problems: list[dict] = [problem("shifted", text) for text in line.odd]
    columns = reading["columns"]

    def cell(role: str) -> str:
        return text_in(line, columns.get(role), reading)

    mapped: dict[str, Any] = {
        "organisation": OWN,
        "bureau": cell("unit"),
        "key": cell("ticket")[:160],
        "contact": cell("owner"),
        "stage_raw": cell("stage"),
        "reference": cell("reference"),
        "began": "",
        "suggestions": [],
        "odd": list(line.odd),
        "changes": [],
        "refused": [],
    }
    own_reference = bool(mapped["reference"]) and not OUR_REFERENCE.fullmatch(mapped["reference"])
    if own_reference:  # one of the sheet's own, by which a later sheet finds the row again
        mapped["key"] = mapped["key"] or mapped["reference"][:160]
        mapped["reference"] = ""
    for role in LIMITS:
        text = cell(role)
        if role == "vendor":
            text = reading.get("vendors", {}).get(text, text)
        if text and role == "problem":
            text = _as_typed(line.cells[columns[role]], reading).strip()  # with its lines
        mapped[role] = _short(role, text, problems)
    mapped["stage"], mapped["confidence"] = (*reading["stages"].get(mapped["stage_raw"], ["", "none"]), "")[
        :2
    ]
    mapped["unit"] = reading["units"].get(mapped["bureau"], "") or reading["unit"]
    if long_unit := mapped["unit"] == NEW_UNIT and len(mapped["bureau"]) > LONGEST_NAME:
        said = f"The department “{mapped['bureau']}” is longer than {LONGEST_NAME} characters"
        problems.append(problem("cut", f"{said}. Choose a unit above, or shorten the name in the sheet."))
    if len(addresses := addresses_in(mapped["contact"])) > 1:
        said = f"The owner cell has {len(addresses)} email addresses: {', '.join(addresses)}"
        text = f"{said}. One person is asked to become the owner. Propose the others on the People page."
        problems.append(problem("owner", text, value=mapped["contact"]))
    owner = reading["people"].get(mapped["contact"]) or {}
    mapped["owner"] = owner.get("person")
    mapped["invite"] = owner["address"] if owner.get("how") == INVITE else ""
    mapped |= _money(cell, reading, problems)
    mapped |= _other(cell, reading, problems)
    if mapped["go_live_on"]:
        one = {"field": "go_live_on", "raw": cell("go_live_on")[:60], "value": mapped["go_live_on"]}
        mapped["read"].append(one)
    if mapped["tier"]:
        one = {"field": "tier", "raw": cell("tier")[:60], "value": str(Tier.word(mapped["tier"]))}
        mapped["read"].append(one)
    read = {column for role, column in columns.items() if not (own_reference and role == "reference")}
    mapped["answers"] = {name: text for name, text in line.cells.items() if name not in read}
    row = ImportRow(
        line=line.number,
        raw=line.cells,
        raw_digest=digest_of(line.cells),
        mapped=mapped,
        problems=problems,
        decision="triage" if line.odd or long_unit else "import",
    )
    if "title" not in columns and not mapped["reference"]:
        row.decision = "triage"
        problems.append(problem("no name", "No column is known for the title. Choose it above."))
    elif not mapped["title"] and not mapped["reference"]:
        row.decision = "reject"
        problems.append(problem("no name", "The row has no title, so it is not imported."))
    return row


def text_in(line: Line, column: str | None, reading: dict) -> str:
    """Return the text of a cell with single spaces, or "" for N/A, dash or no column."""
    text = " ".join(_as_typed(line.cells.get(column, ""), reading).split()) if column else ""
    return "" if is_blank(text) else text


def _as_typed(cell: str, reading: dict) -> str:
    """Return a cell as a person typed it. Only an export of Plumbline has quoted cells."""
    return unquoted(cell) if reading.get("export") else cell


def _short(role: str, text: str, problems: list[dict]) -> str:
    if len(text) <= LIMITS[role]:
        return text
    words = FIELDS[role].lower()
    problems.append(
        problem("cut", f"The {words} is longer than {LIMITS[role]} characters. The row keeps the full text.")
    )
    return text[: LIMITS[role] - 1].rstrip() + "…"


def _money(cell, reading: dict, problems: list[dict]) -> dict[str, Any]:
    """Return amounts as text, and their currency from the column, cell or choice."""
    found: dict[str, str] = {}
    named = currency_of(cell("currency"), reading["currency"]) or cell("currency").upper()
    own = named or reading["currency"]
    currencies = {named} - {""}
    for role in AMOUNTS:
        raw = cell(role)
        heading = unit_of(reading["columns"].get(role) or "")
        marks = {".": reading["point"], ",": reading["comma"]}
        amount = read_amount(raw, marks, currency=own, heading=heading)
        if raw and (odd := _odd(role, raw, amount)):
            problems.append(odd)
        if amount.value is not None and amount.value >= 0:
            found[role] = str(amount.value)
            currencies |= {amount.currency} - {""}
    currency = next(iter(currencies)) if len(currencies) == 1 else "" if currencies else reading["currency"]
    if len(currencies) > 1:
        text = (
            f"The row has several currencies ({', '.join(sorted(currencies))}), so its amounts are left out."
        )
        problems.append(problem("invalid", text))
    elif found and not currency:
        problems.append(
            problem("invalid", "The row has an amount without a currency. Choose a currency above.")
        )
    elif currency and wrong_currency(currency):
        problems.append(problem("invalid", f"“{currency[:20]}” is not a currency of ISO 4217."))
        currency = ""
    read = [
        {"field": role, "raw": cell(role)[:60], "value": f"{Decimal(value):,.2f} {currency}".rstrip()}
        for role, value in found.items()
    ]
    if not currency:
        return dict.fromkeys((*AMOUNTS, "currency"), "") | {"read": read}
    if found and reading["currency"] and currency != reading["currency"]:
        text = f"The amounts of this row are in {currency}, not in {reading['currency']} as chosen above."
        problems.append(problem("currency", text))
    return {role: found.get(role, "") for role in AMOUNTS} | {
        "currency": currency if found else "",
        "read": read,
    }


def _odd(role: str, raw: str, amount: Amount) -> dict | None:
    """Return the problem of an unread, estimated or negative amount, or None."""
    kind, said = "invalid", ""
    if amount.value is None and amount.either:
        can = " or ".join(f"{value:,.2f}" for value in amount.either)
        how = "Choose how amounts are written" if amount.mark else "The heading and the cell both have a unit"
        kind, said = "two readings", f"can mean {can}. {how}."
    elif amount.value is None:
        said = f"{UNREAD[role]}."
    elif amount.value < 0:
        said = "is below zero, so it is left out."
    elif amount.about:
        kind, said = "about", f"is an estimate. Plumbline keeps only the number {amount.value:,.2f}."
    words = f"{FIELDS[role]}: \u201c{raw[:60]}\u201d {said}"
    return problem(kind, words, column=amount.mark, value=raw) if said else None


def _other(cell, reading: dict, problems: list[dict]) -> dict[str, str]:
    raw, tier = cell("go_live_on"), cell("tier")
    day, read = parse_go_live(raw, reading["dates"]) if raw else None, parse_tier(tier)
    if raw and day is None and (found := days_in(raw)):
        text = f"{FIELDS['go_live_on']}: “{raw[:60]}” can be {', '.join(found)}. Choose the date format."
        problems.append(problem("two readings", text, column="/", value=raw))
    elif raw and day is None:
        problems.append(_unread("go_live_on", raw))
    if tier and not read and not reading.get("export"):
        problems.append(_unread("tier", tier))
    return {"go_live_on": day.isoformat() if day else "", "tier": read}


def _unread(role: str, raw: str) -> dict:
    return problem("invalid", f"{FIELDS[role]}: \u201c{raw[:60]}\u201d {UNREAD[role]}.", value=raw)


def _known(row: ImportRow, look: Look, often: Counter[str], named: Counter[str]) -> Here | None:
    """Return the initiative of a row by reference, or by a unique ticket or title."""
    if ref := row.mapped["reference"]:
        if ref in look.by_ref:
            return look.by_ref[ref]
        row.decision = "reject"
        row.problems.append(
            problem(
                "known",
                f"There isn't an initiative {ref[:40]} here. Empty the cell to register a new initiative.",
            )
        )
        return None
    ticket = row.mapped["key"].casefold()
    if ticket and often[ticket] == 1 and len(look.by_ticket.get(ticket, ())) == 1:
        return look.by_ticket[ticket][0]
    title = row.mapped["title"].casefold()
    same = [
        one for one in look.by_title.get(folded(title), ()) if str(one.values["title"]).casefold() == title
    ]
    return same[0] if len(same) == 1 and named[title] == 1 else None


def _compare(row: ImportRow, known: Here, reading: dict) -> None:
    """Note the values of the row that differ here, as proposed changes or as refused."""
    row.initiative_id = known.pk
    changes = row.mapped["changes"]
    refused = row.mapped["refused"]
    for role in OPEN_TO_CHANGE:
        said, here = row.mapped["key" if role == "ticket" else role], known.values.get(role)
        if not said or _same(role, said, here):
            continue
        changes.append({"field": role, "before": text_of(here), "after": said})
    if reading.get("export"):
        refused += _edits_of_export(row.raw, known)
    else:
        refused += _decided_elsewhere(row.mapped, known)
    row.decision = "change" if changes else "unchanged"
    for each in refused:
        said, stays = each["after"][:80], each["before"][:80]
        text = f"{each['words']}: “{said}” is not imported. The value stays “{stays}”. {each['why']}"
        row.problems.append(problem("refused", text, value=each["after"]))


def _decided_elsewhere(mapped: dict, known: Here) -> Iterator[dict]:
    said = {
        "stage": Stage.word(mapped["stage"]) if mapped["stage"] else "",
        "tier": Tier.word(mapped["tier"]) if mapped["tier"] else "",
        "owner": known.values["owners"].get(mapped["owner"], mapped["contact"]) if mapped["owner"] else "",
        "unit": "" if mapped["unit"] in (NEW_UNIT, known.values["unit_key"]) else mapped["bureau"],
    }
    for role, words in said.items():
        here = known.values[role]
        if words and words.casefold() != here.casefold():
            yield {"words": FIELDS[role], "before": here or "nothing", "after": words, "why": DECIDED[role]}


def _edits_of_export(raw: dict[str, str], known: Here) -> Iterator[dict]:
    """Yield the edited cells of an export of Plumbline that a sheet cannot change."""
    whys = {"Approved stage": "stage", "Owner": "owner", "Risk tier": "tier", "Unit": "unit"}
    for header, here in known.exported.items():
        if header not in raw:
            continue
        if alike(raw[header], here):
            continue
        said = " ".join(unquoted(raw[header]).split())
        why = DECIDED[whys[header]] if header in whys else WORKED_OUT
        yield {"words": header, "before": here or "nothing", "after": said or "a blank cell", "why": why}


def alike(said: str, here: str) -> bool:
    """Return True if a cell equals the exported value, as a spreadsheet may write it."""
    said, here = " ".join(unquoted(said).split()), " ".join(unquoted(here).split())
    if said == here:
        return True
    if (day := parse_date(here)) and len(day) == 10:
        return parse_date(said) == day
    try:
        return Decimal(said) == Decimal(here)
    except InvalidOperation:
        return False


def _same(role: str, said: str, here: Any) -> bool:
    if role in AMOUNTS:
        return here is not None and Decimal(said) == here
    if role == "go_live_on":
        return isinstance(here, date) and here.isoformat() == said
    return " ".join(str(here or "").split()) == " ".join(said.split())


def values_of(initiative: Initiative) -> dict[str, Any]:
    """Return the current values that a sheet may change. `initiative` has its business case."""
    row = getattr(initiative, "business_case", None)
    said = {
        name: getattr(row, name, None) for name in ("vendor", *AMOUNTS, "currency", "go_live_on", "ticket")
    }
    return {"title": initiative.title, "problem": initiative.problem} | said


def value_of(name: str, text: str) -> Any:
    """Return a field of the business case from the text of a proposed change."""
    if name in AMOUNTS:
        return Decimal(text)
    return date.fromisoformat(text) if name == "go_live_on" else text


def text_of(here: Any) -> str:
    """Return a value as a proposed change names it."""
    return "" if here is None else here.isoformat() if isinstance(here, date) else str(here)
