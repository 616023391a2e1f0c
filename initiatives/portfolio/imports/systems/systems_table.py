"""The reading of a table of systems: the system of each line, or its problems. Writes nothing.

A system that is in the register changes only if someone takes a change. A cell that cannot be read stays blank, and the
line names it.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from governance import clock
from governance.models import Unit, User
from governance.organisation import table_lines
from governance.organisation.table_lines import Lines, read_lines, refuse_twice
from governance.people.people_matching import active_people, name_key
from governance.tables.cell_values import is_blank
from governance.tables.columns import first_day, named, parse_date, plain, why_no_day
from governance.tables.reader import Table
from governance.vocabulary.phrases import in_the_future
from initiatives.integration.residency import findings as residency_findings
from initiatives.models import System, Vendor
from initiatives.models.integration.systems import SYSTEM_KINDS
from initiatives.portfolio.imports.portfolio import queries
from initiatives.portfolio.imports.systems.class_words import LEAVE_OUT, gone_by_status, kind_of

# Each column by the headings of tables and exports; the first is ours.
COLUMNS = {
    "name": (
        "name", "system", "system name", "application", "title", "display name", "displayname", "site url",
        "application name", "metadata.name", "systemname", "anwendung", "bezeichnung", "titel",
    ),
    "kind": (
        "kind", "type", "system type", "system kind", "category", "sys class name", "class", "ci class", "ci type",
        "finalclass", "spec.type", "art", "typ", "systemart", "kategorie",
    ),
    "owner": (
        "owner", "owned by", "system owner", "owners", "responsible", "owner principal name", "contact",
        "application owner", "it owner", "spec.owner", "maintainer", "verantwortlich", "besitzer",
    ),
    "other_owner": ("managed by", "supported by", "owner display name", "business owner", "service owner"),
    "location": ("location", "url", "address", "site url", "environmentname", "path", "ort", "adresse"),
    "purpose": (
        "purpose", "description", "short description", "metadata.description", "comment", "zweck", "beschreibung",
    ),
    "vendor": ("vendor", "supplier", "manufacturer", "hersteller", "anbieter"),
    "unit": ("unit", "department", "business unit", "abteilung", "bereich", "einheit"),
    "last_updated_on": (
        "last updated", "last update", "last activity date", "last modified", "sys updated on", "updated on",
        "updated at", "updatedat", "modified", "letzte änderung", "zuletzt geändert",
    ),
    "in_service_since": ("in service since", "go live", "go-live date", "createdtime", "in betrieb seit"),
    "regions": ("regions", "region", "u region", "hosting region", "geo location", "data location", "standort"),
    "source_key": (
        "key", "number", "id", "sys id", "cmdb id", "ci number", "asset id", "identifier", "site id",
        "connectorname", "external id", "asset tag", "correlation id", "kennung", "inventarnummer",
    ),
    "status": (
        "status", "install status", "lifecycle", "lifecycle status", "spec.lifecycle", "betriebsstatus",
        "is deleted",
    ),
    "other_status": ("operational status", "life cycle stage"),
}  # fmt: skip
NEEDED = ("name",)
EXAMPLE = (
    "name,kind,owner,purpose,key\nOrder hub,Home-grown system,,Takes orders from the shops,BS001001\n"
    "Price list,Wiki,,Prices of all products,\n"
)
TEXTS = ("name", "location", "source_key", "purpose")
LONGEST = {name: System._meta.get_field(name).max_length or 10_000 for name in TEXTS}
SAID = {"owner": "active person", "unit": "unit", "vendor": "vendor"}
# What a line may change of a system that is in the register.
OPEN_TO_CHANGE = (
    *(
        "name",
        "kind",
        "owner",
        "purpose",
        "location",
        "vendor",
        "unit",
        "last_updated_on",
        "in_service_since",
    ),
    *("regions", "source_key"),
)
ALL = "*"  # instead of the number of a line: each change of a field
MOST_WORDS = 60  # for a kind, that are asked
MOST_PARTS, LONGEST_PART = 60, 120  # of a list of regions, and letters of one region
ADDRESS = re.compile(r"(?i)^https?://")


@dataclass
class Line(table_lines.Line):
    """One line of the table: the fields of its system.

    `offered` has the sentence of each change of a system that is in the register, and `taken` the values to change.
    """

    known: System | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)
    taken: dict[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """Return the number of rows that the line adds or changes."""
        return super().changes + bool(self.taken)

    @property
    def name(self) -> str:
        """Return the name of the system."""
        return self.cells["name"]


def read(table: Table, kinds: Mapping[str, str], taken: Container[str] = ()) -> Lines[Line]:
    """Read the table against the register. `kinds`: the chosen kind by word, or LEAVE_OUT.

    `taken` has the changes to make, by line and field: "12 owner", or "* owner" for all. Raises ValidationError if it
    is not a table of systems. Each line has its own problems.
    """
    lines = read_lines(table, Line, COLUMNS, NEEDED, unique=False)
    columns = named(table.columns, COLUMNS)
    people, units, vendors = active_people(), queries.units_by_word(), queries.vendors_by_word()
    rows = {
        "owner": User.objects.active().in_bulk(),
        "unit": Unit.objects.own().in_bulk(),
        "vendor": {row.name: row for row in Vendor.objects.shared()},
    }
    for line in lines:
        cells = line.cells
        cells |= {name: "" for name, cell in cells.items() if name != "name" and is_blank(cell)}
        cells["owner"] = cells["owner"] or cells["other_owner"]
        _read_texts(line)
        _read_kind(line, kinds)
        for name, key in (
            ("owner", people.match(cells["owner"]).person),
            ("unit", units.get(name_key(cells["unit"]))),
            ("vendor", vendors.get(name_key(cells["vendor"]))),
        ):
            _read_row(line, name, rows[name].get(key))
        _read_days(line)
        _read_regions(line)
        for name in ("status", "other_status"):
            _look_at_status(line, columns.get(name, ""), cells[name])
    staying = [line for line in lines if not line.out]
    refuse_twice(staying, "name", "name")
    refuse_twice(staying, "source_key", "key")
    _find_known(lines)
    _compare(staying, taken)
    return Lines(lines)


def words_asked(table: Table) -> list[str]:
    """Return the words for a kind that are not known, each once: "" for lines without one. Left out lines ask none."""
    lines = [line for line in read(table, {}).lines if not line.out and "kind" not in line.fields]
    return list(dict.fromkeys(plain(line.cells["kind"])[:120] for line in lines))[:MOST_WORDS]


def _read_texts(line: Line) -> None:
    line.cells["name"] = ADDRESS.sub("", line.cells["name"]).rstrip("/")
    if not line.name:
        line.problems.append("The name is missing.")
    for name in TEXTS:
        if len(text := line.cells[name]) > (most := LONGEST[name]):
            line.problems.append(f"The {COLUMNS[name][0]} is longer than {most:,} letters. Shorten it.")
        line.fields[name] = text


def _read_kind(line: Line, kinds: Mapping[str, str]) -> None:
    word = line.cells["kind"]
    kind = kind_of(word, kinds)
    if kind == LEAVE_OUT:
        line.out = True
        line.remarks.append(
            f"You chose to leave out “{word[:60]}”." if word else "You chose to leave it out."
        )
    elif kind:
        line.fields["kind"] = kind
    else:
        said = f"The kind “{word[:60]}” is not known" if word else "The line has no kind"
        line.problems.append(f"{said}. Choose the kind below the lines.")


def _read_row(line: Line, name: str, row: User | Unit | Vendor | None) -> None:
    """Set a person, unit or vendor, or remark that the name is not that of exactly one."""
    if row is not None:
        line.fields[name] = row
    elif text := line.cells[name]:
        line.remarks.append(
            f"“{text[:80]}” is not the name of exactly one {SAID[name]}. The {name} stays blank."
        )


def _read_days(line: Line) -> None:
    for name, text in (
        ("last_updated_on", parse_date(line.cells["last_updated_on"])),
        ("in_service_since", first_day(parse_date(line.cells["in_service_since"]))),
    ):
        day = date.fromisoformat(text) if len(text) == 10 else None
        if day is not None and day <= clock.today():
            line.fields[name] = day
        elif cell := line.cells[name]:
            why = in_the_future(day, clock.today()) if day else why_no_day(cell)
            line.remarks.append(f"{why} The day stays blank.")


def _read_regions(line: Line) -> None:
    parts = list(
        dict.fromkeys(part.strip() for part in re.split(r"[;,|]", line.cells["regions"]) if part.strip())
    )
    if len(parts) > MOST_PARTS or any(len(part) > LONGEST_PART for part in parts):
        line.problems.append("The regions are not a list of words. Shorten the cell.")
        return
    if parts:
        line.fields["regions"] = parts
        if strange := residency_findings.strange(parts):
            line.remarks.append(f"{residency_findings.nobody_knows(strange)}. {residency_findings.FIND_OUT}")


def _look_at_status(line: Line, column: str, text: str) -> None:
    """Leave a line out if its source marks the system as gone."""
    gone = gone_by_status(column, text) if text else ""
    if gone == "unknown":
        line.remarks.append(f"“{column}” is “{text[:40]}”. Check in the source if this means “retired”.")
    elif gone:
        line.out, line.problems = True, []
        line.remarks.append(f"“{column}” is “{text[:40]}” ({gone}).")


def _find_known(lines: list[Line]) -> None:
    """Find the system in use with the name or the key of each line."""
    by_name: dict[str, System] = {}
    by_key: dict[str, list[System]] = {}
    for system in System.objects.current().select_related("owner", "vendor", "unit"):
        by_name[system.name.casefold()] = system
        if system.source_key:
            by_key.setdefault(system.source_key.casefold(), []).append(system)
    for line in lines:
        keyed = by_key.get(line.cells["source_key"].casefold(), [])
        line.known = by_name.get(line.name.casefold()) or (keyed[0] if len(keyed) == 1 else None)
        if line.out and line.known:
            line.remarks.append(
                f"“{line.known}” is in use in the register. Retire it there, or ask its owner."
            )
        elif line.known and len(keyed) == 1 and keyed[0] != line.known:
            line.problems.append(
                f"The key belongs to {keyed[0]}, but the name belongs to {line.known}. Correct one of them."
            )


def _compare(lines: list[Line], taken: Container[str]) -> None:
    """Note what differs from the system in the register. Two lines of one system are a problem."""
    first: dict[int, int] = {}
    for line in lines:
        if line.known is None:
            continue
        if (number := first.setdefault(line.known.pk, line.number)) != line.number and not line.problems:
            line.problems.append(f"Line {number} is also {line.known}. Keep one of the two lines.")
        for name in OPEN_TO_CHANGE:
            here, there = getattr(line.known, name), line.fields.get(name)
            if not there or there == here:
                continue
            before, after = _shown(name, here), _shown(name, there)
            line.offered[name] = (
                f"The {COLUMNS[name][0]} is {before} in the register, and {after} in the table."
            )
            if f"{line.number} {name}" in taken or f"{ALL} {name}" in taken:
                line.taken[name] = there
        line.remarks += line.offered.values()


def _shown(name: str, value: Any) -> str:
    if name == "kind":
        return str(SYSTEM_KINDS.get(value, value))
    return (", ".join(value) if isinstance(value, list) else str(value or "")) or "blank"
