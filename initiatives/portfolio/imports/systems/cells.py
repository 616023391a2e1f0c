"""Cells of a table read as values by field, with people, systems and initiatives.

No row of the register is made here. A name that the register does not have stays blank, and the row shows it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from governance import clock
from governance.models import Unit, User
from governance.tables.columns import first_day, order_of, parse_date, plain
from governance.tables.numbers import parse_number
from governance.tables.reader import Line
from initiatives.integration.comparison import facets
from initiatives.integration.residency import findings as residency_findings
from initiatives.integration.residency import regions
from initiatives.models import Initiative, ServiceAccount, System, SystemImportRow, Vendor
from initiatives.models.integration.definitions import SAID
from initiatives.portfolio.imports.inventories.inventory_columns import NOTHING
from initiatives.portfolio.imports.systems.column_guesses import gone_at_source
from initiatives.portfolio.imports.systems.openapi import in_words
from initiatives.portfolio.imports.systems.table_fields import FIELDS, Field
from initiatives.portfolio.imports.systems.table_words import LEAVE_OUT, choice_of, gone_by_status

PAST = ("last_updated_on", "organised_on", "in_service_since")
YES = {"yes", "true", "1", "ja", "wahr", "y", "j", "x", "t"}
NO = {"no", "false", "0", "nein", "falsch", "n", "f"}
LONGEST_TEXT = 10_000  # characters of a text without a limit of its own
MOST_PARTS = 60  # of a list
WITH_AT = re.compile(r"(?<![^\s<>;,()])[^\s<>;,()]+@[^\s<>;,()]+")  # what may be an email address
LONGEST_PART = 120
MOST_NUMBER = 10_000_000  # which no number of days or seconds reaches


def problem(text: str, field: str = "", *, wrong: bool = False) -> dict:
    """Return a problem of a row: a sentence, its field, and if it keeps the row out."""
    return {"text": text, "field": field, "wrong": wrong}


class Lookups:
    """The register's rows by the names that tables use. Each kind is read once."""

    def __init__(self, refs: Iterable[str] = ()):
        self.refs = refs

    @cached_property
    def people(self) -> dict[str, set[tuple[int, str]]]:
        """Return active people by login, email and name ("Doe, Jane" too), in lower case."""
        found = defaultdict(set)
        for pk, login, email, name in User.objects.filter(is_active=True).values_list(
            "pk", "login", "email", "full_name"
        ):
            first, _, last = name.rpartition(" ")
            for word in (login, email, name, f"{last}, {first}" if first else ""):
                if word:
                    found[word.casefold()].add((pk, name))
        return found

    @cached_property
    def systems(self) -> dict[str, set[tuple[int, str]]]:
        """Return the systems in use by name, and by their key."""
        found = defaultdict(set)
        for pk, name, key in System.objects.current().values_list("pk", "name", "source_key"):
            found[name.casefold()].add((pk, name))
            if key:
                found[key.casefold()].add((pk, name))
        return found

    @cached_property
    def vendors(self) -> dict[str, set[tuple[int, str]]]:
        """Return the vendors by name."""
        return _by_name(Vendor.objects.values_list("pk", "name"))

    @cached_property
    def units(self) -> dict[str, set[tuple[int, str]]]:
        """Return the units by name. Several can have the same name."""
        return _by_name(Unit.objects.values_list("pk", "name"))

    @cached_property
    def regions(self) -> set[str]:
        """Return the keys of all known regions."""
        return {*regions.known(), *(regions.key_of(key) for key, _ in residency_findings.added())}

    @cached_property
    def accounts(self) -> dict[tuple[int, str], set[tuple[int, str]]]:
        """Open service accounts by system and name, and by system and key."""
        found = defaultdict(set)
        rows = ServiceAccount.objects.open().values_list("pk", "system", "name", "source_key")
        for pk, system, name, key in rows:
            found[system, name.casefold()].add((pk, name))
            if key:
                found[system, key.casefold()].add((pk, name))
        return found

    @cached_property
    def initiatives(self) -> dict[str, set[tuple[int, str]]]:
        """Return the named initiatives by reference."""
        numbers = {
            int(found[1]) for ref in self.refs if (found := re.fullmatch(r"(?i)AI-0*(\d{1,9})", ref.strip()))
        }
        rows = Initiative.objects.filter(number__in=numbers).only("number", "title")
        return {initiative.ref.casefold(): {(initiative.pk, initiative.ref)} for initiative in rows}


def _by_name(rows) -> dict[str, set[tuple[int, str]]]:
    found = defaultdict(set)
    for pk, name in rows:
        found[name.casefold()].add((pk, name))
    return found


def orders_of(kind: str, chosen: dict[str, dict], lines: list[Line]) -> dict[str, str]:
    """Return the order of month and day by date column: certain, or else chosen."""
    said = {
        column: chosen[field.name].get("order", "")
        for field in FIELDS[kind]
        if field.reads == "day"
        for column in chosen.get(field.name, {}).get("columns", ())
    }
    return {
        column: order_of(line.cells.get(column, "")[:40] for line in lines) or order
        for column, order in said.items()
    }


def can_be_two_days(cell: str) -> bool:
    """Return True if a day can be read month first and day first, and the two differ."""
    text = cell[:60]
    return not parse_date(text) and bool(parse_date(text, "mdy")) and bool(parse_date(text, "dmy"))


def read_rows(
    kind: str, columns: list[str], chosen: dict[str, dict], dates: dict[str, str], lines: list[Line]
) -> list[SystemImportRow]:
    """Return one unsaved row per line with values and problems, without the register."""
    wanted = chosen.get("initiative", {})
    refs = {line.cells.get(column, "") for line in lines for column in wanted.get("columns", ())}
    known = Lookups({*refs, wanted.get("value", "")})
    rows = [_row(kind, columns, chosen, dates, line, known) for line in lines]
    fold_repeats(kind, rows)
    return rows


def _row(kind, columns, chosen, dates, line: Line, known: Lookups) -> SystemImportRow:
    row = SystemImportRow(
        line=line.number,
        raw={name: cell for name, cell in line.cells.items() if cell},
        mapped={"values": {}, "words": {}, "differs": {}, "target": None},
        problems=[problem(text) | {"odd": True} for text in line.odd],
        state="new",
    )
    values, words = row.mapped["values"], row.mapped["words"]
    texts = {field.name: _cell(field, chosen, line.cells, row.problems) for field in FIELDS[kind]}
    _complete(kind, texts)
    for field in FIELDS[kind]:
        text, column = texts[field.name]
        if field.part or not text or text.casefold() in NOTHING:
            continue
        answered = chosen.get(field.name, {}).get("words", {})
        if field.reads == "choice" and choice_of(text, field.choices, answered) == LEAVE_OUT:
            row.state = "skipped"
            row.problems.append(
                problem(f"Rows with “{text[:60]}” in “{column[:60]}” are left out.", field.name)
            )
            continue
        value, said = _understood(field, text, dates.get(column, ""), answered, values, known, row.problems)
        if value is not None:
            values[field.name], words[field.name] = value, said
    row.mapped["label"] = _label(kind, words, texts)
    if column := gone_at_source(kind, columns, line.cells):
        row.state = "skipped"
        row.problems.append(problem(f"“{column}” shows that this row is retired in the source."))
    _look_at_status(row, chosen.get("status", {}).get("columns", ()), line.cells)
    if row.state == "new":
        _ask_for_needed(kind, row)
    return row


def _look_at_status(row: SystemImportRow, columns: Iterable[str], cells: dict[str, str]) -> None:
    """Leave a row out if its source marks the thing as gone."""
    for column in columns:
        text = cells.get(column, "").strip()
        gone = gone_by_status(column, text) if text else ""
        if gone == "unknown":
            said = f"“{column}” is “{text[:40]}”. Check in the source if this value means “retired”."
            row.problems.append(problem(said, "status"))
        elif gone:
            row.state, row.mapped["retired"] = "skipped", True
            row.mapped["words"]["status"] = text if gone == plain(text) else f"{text} ({gone})"
            row.problems.append(
                problem(f"“{column}” is “{text[:40]}” ({gone}), so the row is left out.", "status")
            )
            return


def _cell(field: Field, chosen, cells: dict[str, str], problems: list[dict]) -> tuple[str, str]:
    """Return a field's text and column: the first filled one, or the value for all."""
    how = chosen.get(field.name, {})
    for column in how.get("columns", ()):
        text = cells.get(column, "").strip()
        if text and text.casefold() not in NOTHING:
            return text, column
    return how.get("value", "").strip(), ""


def _complete(kind: str, texts: dict[str, tuple[str, str]]) -> None:
    """Complete fields made of several columns: object and field, type and length."""
    if kind == "systems" and re.match(r"(?i)https?://", texts["name"][0]):
        texts["name"] = (re.sub(r"(?i)^https?://", "", texts["name"][0]).rstrip("/"), texts["name"][1])
    if kind != "definitions":
        return
    (name, column), (owner, _) = texts["field"], texts["object"]
    if name and owner and not name.casefold().startswith(f"{owner.casefold()}."):
        texts["field"] = (f"{owner}.{name}", column)
    if name and not texts["term"][0]:
        texts["term"] = (in_words(re.split(r"[.\[\]]+", name)[-1].removesuffix("__c")), column)
    (shape, _), (size, _) = texts["type"], texts["length"]
    if not texts["identifier_format"][0] and size.isdigit() and int(size):
        texts["identifier_format"] = (f"{shape or 'text'}, at most {int(size)} characters", "")


def _label(kind: str, words: dict[str, str], texts) -> str:
    """Return the name of the row on the page."""
    if kind == "links":
        said = [words.get("initiative") or texts["initiative"][0], words.get("system") or texts["system"][0]]
        return " to ".join(part for part in said if part)[:200]
    if kind == "definitions":
        said = [words.get("term"), words.get("system") or texts["system"][0], words.get("field")]
        return ", ".join(part for part in said if part)[:200]
    return (words.get("name") or texts["name"][0])[:200]


def _ask_for_needed(kind: str, row: SystemImportRow) -> None:
    """Add a problem for each needed field that is missing and has no problem yet."""
    values, told = row.mapped["values"], {one["field"] for one in row.problems if one["wrong"]}
    for field in FIELDS[kind]:
        if field.needed and field.name not in values and field.name not in told:
            row.problems.append(
                problem(
                    f"“{field.words}” is missing. Add it to the table, or choose a value for all rows.",
                    field.name,
                    wrong=True,
                )
            )
    if kind == "definitions" and not told and ("field" in values or "meaning" in values):
        if "field" not in values:
            # A glossary says what a term means, and names no field.
            row.mapped["values"].setdefault("term_meaning", values.pop("meaning"))
            row.mapped["words"].setdefault("term_meaning", row.mapped["words"].pop("meaning"))
            for name in ("system", *SAID):
                values.pop(name, None)
        elif "system" not in values:
            text = (
                "The row names no system that is in the register. Import the system first, or choose "
                "one system for all rows."
            )
            row.problems.append(problem(text, "system", wrong=True))
        elif "meaning" not in values and row.state == "new":
            row.state = "skipped"
            row.problems.append(
                problem(
                    "A definition needs a meaning, but the source has no meaning for this field.", "meaning"
                )
            )
    for name, text in facets.wrong(values).items():
        row.problems.append(problem(text, name, wrong=True))
    first, last = values.get("valid_from"), values.get("valid_to")
    if first and last and last < first:
        row.problems.append(problem("The last day is before the first day.", "valid_to", wrong=True))
    if any(one["wrong"] for one in row.problems):
        row.state = "wrong"


# --- One cell --------------------------------------------------------------------------------------------------------


def _understood(
    field: Field, text: str, order: str, answered: dict, values, known: Lookups, problems: list[dict]
):
    """Return the value and words of a cell, or (None, "") with a problem if unclear."""
    if field.reads == "text":
        longest = field.longest or LONGEST_TEXT
        if len(text) > longest:
            said = (
                f"“{field.words}” has {len(text):,} characters, more than the {longest:,} allowed. "
                "Shorten it."
            )
            problems.append(problem(said, field.name, wrong=True))
            return None, ""
        text = text.replace("\x00", "")
        return text, text
    read = {
        "choice": _choice,
        "day": _day,
        "yes_no": _yes_no,
        "number": _number,
        "list": _list,
        "person": _person,
        "system": _system,
        "account": _account,
        "initiative": _initiative,
        "vendor": _vendor,
        "unit": _unit,
    }[field.reads]
    return read(field, text, order=order, answered=answered, values=values, known=known, problems=problems)


def _choice(field, text, *, answered, problems, **_):
    if key := choice_of(text, field.choices, answered):
        return key, field.choices[key]
    known = ", ".join(words.partition(":")[0].lower() for words in field.choices.values())
    problems.append(
        problem(
            f"“{text[:60]}” is not a known value of {field.words.lower()}. Known values: {known}. Choose "
            "its meaning under Columns.",
            field.name,
            wrong=True,
        )
    )
    return None, ""


def _day(field, text, *, order, problems, **_):
    day = parse_date(text[:60], order)
    if field.name == "in_service_since":
        day = first_day(day)  # people know the year; its first day stands for it
    if field.name in PAST and day > clock.today().isoformat():
        problems.append(problem(f"{text[:60]} is in the future, so “{field.words}” stays blank.", field.name))
        return None, ""
    if len(day) == 10:
        return day, day
    problems.append(problem(f"“{text[:60]}” is not a clear date, so the field stays blank.", field.name))
    return None, ""


def _yes_no(field, text, *, problems, **_):
    bare = text.casefold()
    if bare in YES or bare in NO:
        return bare in YES, "yes" if bare in YES else "no"
    problems.append(problem(f"“{text[:60]}” is neither yes nor no, so the field stays blank.", field.name))
    return None, ""


def _number(field, text, *, problems, **_):
    number = parse_number(text)
    if number is not None and 0 < number == int(number) < MOST_NUMBER:
        return int(number), str(int(number))
    problems.append(
        problem(f"“{text[:60]}” is not a whole number above zero, so the field stays blank.", field.name)
    )
    return None, ""


def _list(field, text, *, known, problems, **_):
    parts = list(dict.fromkeys(" ".join(part.split()) for part in re.split(r"[;,|\n]", text) if part.strip()))
    if len(parts) > MOST_PARTS or any(len(part) > LONGEST_PART for part in parts):
        problems.append(
            problem(f"“{field.words}” is not a list of words, so the field stays blank.", field.name)
        )
        return None, ""
    if field.name == "regions" and (
        strange := [one for one in parts if regions.key_of(one) not in known.regions]
    ):
        said = (
            f"{residency_findings.nobody_knows(strange)}. {residency_findings.FIND_OUT} Add the missing "
            "regions under Regions."
        )
        problems.append(problem(said, field.name))
    return parts, ", ".join(parts)


def _person(field, text, *, known, problems, **_):
    """Return the person of a cell by login, address or full name: the first known."""
    if len(text) > 500:
        problems.append(
            problem(f"“{field.words}” is too long to name a person, so the field stays blank.", field.name)
        )
        return None, ""
    tries = [text, *re.split(r"[;|\n/]", text), *WITH_AT.findall(text)]
    tries += [re.split(r"[<(]", text, maxsplit=1)[0]]
    for name in dict.fromkeys(part.strip().casefold() for part in tries):
        found = known.people.get(name, ())
        if len(found) == 1:
            return next(iter(found))
        if len(found) > 1:
            said = (
                f"Several people here are called “{text[:80]}”, so “{field.words}” stays blank. Enter a "
                "login."
            )
            problems.append(problem(said, field.name))
            return None, ""
    what = "address" if _is_address(text) else "name"
    said = f"No one here has the {what} “{text[:80]}”, so “{field.words}” stays blank."
    problems.append(problem(said, field.name))
    return None, ""


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _one(found, field, text, problems, *, what: str, fix: str, wrong: bool):
    if found and len(found) == 1:
        return next(iter(found))
    said = (
        f"The register has {'several' if found else 'no'} {what}{'s' if found else ''} called "
        f"“{text[:80]}”{fix}."
    )
    problems.append(problem(said, field.name, wrong=wrong))
    return None, ""


def _system(field, text, *, known, problems, **_):
    found = known.systems.get(text.casefold())
    fix = (
        ". Import the system first, then check again"
        if field.needed or field.fixable
        else ", so the field stays blank"
    )
    return _one(found, field, text, problems, what="system", fix=fix, wrong=field.needed)


def _account(field, text, *, values, known, problems, **_):
    found = known.accounts.get((values.get("system"), text.casefold()))
    return _one(
        found,
        field,
        text,
        problems,
        what="open account",
        fix=" in that system, so the field stays blank",
        wrong=False,
    )


def _initiative(field, text, *, known, problems, **_):
    found = known.initiatives.get(text.strip().casefold())
    if not found and (bare := re.fullmatch(r"(?i)AI-0*(\d{1,9})", text.strip())):
        found = known.initiatives.get(f"ai-{int(bare[1]):04d}")
    return _one(found, field, text, problems, what="initiative", fix=" (AI-0042)", wrong=True)


def _vendor(field, text, *, known, problems, **_):
    found = known.vendors.get(text.casefold())
    return _one(found, field, text, problems, what="vendor", fix=", so the field stays blank", wrong=False)


def _unit(field, text, *, known, problems, **_):
    found = known.units.get(text.casefold())
    return _one(found, field, text, problems, what="unit", fix=", so the field stays blank", wrong=False)


# --- The same thing on several lines ---------------------------------------------------------------------------------


def key_of(kind: str, values: dict) -> tuple:
    """Return the key of a row. Rows with the same key describe the same thing."""
    if kind == "systems":
        return (values.get("name", "").casefold(),)
    if kind == "accounts":
        return (values.get("system"), values.get("name", "").casefold())
    if kind == "links":
        return (values.get("initiative"), values.get("system"), values.get("pattern"))
    if "field" not in values:
        return ("term", values.get("term", "").casefold())
    return (values.get("system"), values["field"].casefold(), values.get("valid_from"))


def fold_repeats(kind: str, rows: list[SystemImportRow]) -> None:
    """Fold lines with one key into the first, which takes the missing values.

    The earliest day of review counts. Lines with different values are not merged: the later is wrong.
    """
    first: dict[tuple, SystemImportRow] = {}
    for row in rows:
        if row.state != "new":
            continue
        values = row.mapped["values"]
        before = first.setdefault(key_of(kind, values), row)
        if before is row:
            continue
        kept = before.mapped["values"]
        soonest = min(filter(None, (kept.get("review_by"), values.get("review_by"))), default=None)
        # The key says that the names are the same but for the initiative of their letters.
        told = [
            name for name in values if name in kept and name not in ("review_by", "name", "term", "field")
        ]
        other = [name for name in told if not alike(kept[name], values[name])]
        if other:
            row.state = "wrong"
            said = ", ".join(field.words for field in FIELDS[kind] if field.name in other)
            text = (
                f"Line {before.line} has the same key and other values ({said}). Remove one of the two lines."
            )
            row.problems.append(problem(text, other[0], wrong=True))
            continue
        row.state = "skipped"
        row.problems.append(problem(f"Line {before.line} has the same key."))
        added = [name for name in values if name not in kept]
        if added:
            before.problems.append(problem(f"Completed from line {row.line}."))
        for name in added:
            kept[name], before.mapped["words"][name] = values[name], row.mapped["words"][name]
        if soonest:
            kept["review_by"] = before.mapped["words"]["review_by"] = soonest


def alike(one, other) -> bool:
    """Return True if values are equal but for spaces, list order, and capitals in lists."""
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.split()) == " ".join(other.split())
    if isinstance(one, list) and isinstance(other, list):
        return sorted(part.casefold() for part in one) == sorted(part.casefold() for part in other)
    return one == other
