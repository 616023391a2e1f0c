"""Planning an import: what each row of a file would become. Writes nothing."""

import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from governance.ledger.record import canonical
from governance.tables.columns import order_of
from governance.tables.reader import Line
from governance.vocabulary import Stage
from initiatives.imports.inventories.inventory_columns import map_row, problem, settled
from initiatives.imports.inventories.inventory_sources import KNOWN, Source
from initiatives.models import ImportRow, Initiative

COUNTED = {
    "import": "imported",
    "merge": "merged",
    "triage": "triaged",
    "reject": "rejected",
    "unchanged": "unchanged",
}
MOST_WORDS = 200  # for stages that are remembered
MANY_WORDS = 5_000  # that are counted at a time to find them
LARGEST_SHARED_GROUP = 10  # a name that more parts of an organisation use says what a thing is, not which one


@dataclass(frozen=True)
class Known:
    """A case that an earlier file of the family brought in."""

    pk: int
    ref: str
    stage: str


@dataclass
class Earlier:
    """What earlier files of the same family left behind: lines already dealt with, and cases by id and by name."""

    digests: dict[str, int | None] = field(default_factory=dict)
    by_key: dict[tuple[str, str], list[Known]] = field(default_factory=lambda: defaultdict(list))
    by_name: dict[tuple[str, str], list[Known]] = field(default_factory=lambda: defaultdict(list))


def family_of(source: Source) -> list[str]:
    """The keys of the sources that speak of the same systems."""
    return [known.key for known in KNOWN.values() if known.family == source.family] or [source.key]


def digest_of(cells: dict[str, str]) -> str:
    """SHA-256 of a row as it came: two lines are the same only when every cell is."""
    return hashlib.sha256(canonical(cells)).hexdigest()


def earlier_of(source: Source) -> Earlier:
    """What this family left behind, in two queries."""
    done = ImportRow.objects.filter(batch__source__in=family_of(source), done_at__isnull=False)
    earlier = Earlier(digests=dict(done.values_list("raw_digest", "initiative_id")))
    imported = done.filter(initiative__isnull=False).values_list("initiative_id", flat=True)
    for case in Initiative.objects.filter(pk__in=imported):
        known = Known(case.pk, case.ref, case.stage)
        if case.source_key:
            earlier.by_key[case.source_organisation.casefold(), case.source_key].append(known)
        earlier.by_name[case.source_organisation.casefold(), case.title.casefold()].append(known)
    return earlier


def preview(
    lines: list[Line],
    columns: list[str],
    source: Source,
    earlier: Earlier,
    *,
    organisation: str = "",
    backfill: bool = False,
) -> tuple[list[ImportRow], Source]:
    """One unsaved row per line with its decision, and the source as it was settled on this file."""
    rows, source = planned(
        lambda: iter(lines), columns, source, earlier, organisation=organisation, backfill=backfill
    )
    return list(rows), source


def planned(
    lines: Callable[[], Iterator[Line]],
    columns: list[str],
    source: Source,
    earlier: Earlier,
    *,
    organisation: str = "",
    backfill: bool = False,
) -> tuple[Iterator[ImportRow], Source]:
    """As `preview`, but one row after the other: of a large file only what tells its rows apart is held.

    `lines` gives the lines of the file each time it is called; a row is read twice, first for what others need of it.
    """
    source = _settled_on(lines, columns, source)
    told = _Told()
    for line in lines():
        mapped, _ = map_row(line, source, organisation)
        told.add(line, mapped)
    told.listen(lines)

    def rows() -> Iterator[ImportRow]:
        first: dict[str, int] = {}
        for place, line in enumerate(lines()):
            mapped, problems = map_row(line, source, organisation)
            row = ImportRow(
                line=line.number,
                raw=line.cells,
                raw_digest=digest_of(line.cells),
                mapped=mapped,
                problems=problems,
                decision="import",
            )
            told.flag(row)
            told.suggest_shared(row, place)
            _decide(row, first, earlier, told, backfill)
            if "title" not in source.columns and row.decision == "import":
                row.decision = "triage"  # nothing of it has a name
            yield row

    return rows(), source


def _settled_on(lines: Callable[[], Iterator[Line]], columns: list[str], source: Source) -> Source:
    """The source with its columns found in this file, the words for stages that stand there, the order of its days."""
    found = settled(source, columns).columns
    stages: Counter[str] = Counter()
    orders: set[str] = set()
    stage, began = found.get("stage"), found.get("began")
    for line in lines() if stage or began else ():
        if stage:
            stages[line.cells.get(stage, "")] += 1
            if len(stages) > MANY_WORDS:
                stages = Counter(dict(stages.most_common(MOST_WORDS)))
        if began and not source.dates:
            orders.add(order_of([line.cells.get(began, "")]))
    # A column with hundreds of different words is no stage, and remembering them all helps nobody.
    source = settled(source, columns, [raw for raw, _ in stages.most_common(MOST_WORDS)])
    orders.discard("")
    return replace(source, dates=orders.pop()) if not source.dates and len(orders) == 1 else source


def counted(rows) -> dict[str, int]:
    """Rows by what becomes of them, in the words of the report; `rows` are objects with a decision."""
    return counts_of(Counter(row.decision for row in rows))


def counts_of(found: Mapping[str, int]) -> dict[str, int]:
    """How many rows each decision has, in the words of the report; all of them together are the rows."""
    return {"rows": sum(found.values())} | {
        word: found.get(decision, 0) for decision, word in COUNTED.items()
    }


class _Told:
    """What of every row the others need: whose it is, its id, its name, its part, and whether it is another again."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.keys: Counter[tuple[str, str]] = Counter()
        self.contacts: Counter[str] = Counter()
        self.digests: Counter[bytes] = Counter()
        self.different: Counter[tuple[str, str]] = Counter()
        self.lines: list[int] = []
        self.speaks: dict[int, set[str]] = {}

    def add(self, line: Line, mapped: dict) -> None:
        """One row more."""
        self.lines.append(line.number)
        organisation = sys.intern(mapped["organisation"].casefold())
        name = organisation, mapped["title"].casefold()
        self.by_name[name].append(len(self.parts))
        self.parts.append(sys.intern(mapped["bureau"]))
        short = bytes.fromhex(digest_of(line.cells))
        if mapped["key"]:
            self.keys[organisation, mapped["key"]] += 1
            self.different[organisation, mapped["key"]] += not self.digests[short]
        self.digests[short] += 1
        if "@" in mapped["contact"]:
            self.contacts[mapped["contact"].casefold()] += 1

    def flag(self, row: ImportRow) -> None:
        """Say of a row what others tell of it: a shared mailbox, a repeated id; rows alike stand in one group."""
        mapped, problems = row.mapped, row.problems
        often = self.contacts[mapped["contact"].casefold()]
        if often > 1:
            # A contact that stands on several systems is a mailbox, not a person: nobody is made an owner of it.
            text = f"The contact stands on {often} rows: a shared mailbox, not an owner."
            problems.append(problem("shared mailbox", text, value=mapped["contact"]))
        key = mapped["organisation"].casefold(), mapped["key"]
        if mapped["key"] and self.keys[key] > 1:
            row.group = f"{mapped['organisation']}: {mapped['key']}"[:160]
            if self.different[key] > 1:
                text = f"The source uses {mapped['key']} for {self.different[key]} different systems."
                problems.append(problem("repeated id", text, value=mapped["key"]))
        elif self.digests[bytes.fromhex(row.raw_digest)] > 1:
            row.group = f"{mapped['organisation']}: no id, {mapped['title']}"[:160]

    def listen(self, lines: Callable[[], Iterator[Line]]) -> None:
        """Note which rows speak of another part of their organisation that has a system of the same name."""
        sharers: dict[int, list[int]] = {}
        for places in self.by_name.values():
            if (
                1 < len(places) <= LARGEST_SHARED_GROUP
                and len({self.parts[p].casefold() for p in places}) > 1
            ):
                sharers |= dict.fromkeys(places, places)
        for place, line in enumerate(lines()) if sharers else ():
            if place in sharers:
                others = {self.parts[other] for other in sharers[place]} - {self.parts[place]}
                self.speaks[place] = {part for part in others if _speaks_of(line, self.parts[place], part)}

    def suggest_shared(self, row: ImportRow, place: int) -> None:
        """Two parts of one organisation name the same system, and one speaks of the other: perhaps one system."""
        if place not in self.speaks:
            return
        mine = self.parts[place]
        for other in self.by_name[row.mapped["organisation"].casefold(), row.mapped["title"].casefold()]:
            theirs = self.parts[other]
            if mine.casefold() != theirs.casefold() and (
                theirs in self.speaks[place] or mine in self.speaks[other]
            ):
                row.mapped["suggestions"].append(
                    {
                        "kind": "shared system",
                        "line": self.lines[other],
                        "text": f"{theirs} reports {row.mapped['title']} as well (line {self.lines[other]}): "
                        "perhaps one system, provided by one and used by the other.",
                    }
                )


def _speaks_of(line: Line, own: str, part: str) -> bool:
    if len(part) < 2:
        return False
    pattern = re.compile(rf"(?<!\w){re.escape(part)}(?!\w)")
    return any(pattern.search(cell) for cell in line.cells.values() if cell != own)


def _decide(row: ImportRow, first: dict[bytes, int], earlier: Earlier, told: _Told, backfill: bool) -> None:
    if row.raw_digest in earlier.digests and not backfill:
        row.decision, row.initiative_id = "unchanged", earlier.digests[row.raw_digest]
        return
    digest = bytes.fromhex(row.raw_digest)
    if digest in first:
        row.decision = "merge"
        row.problems.append(
            problem("same line", f"The same line as line {first[digest]}, to the last letter.")
        )
        return
    first[digest] = row.line
    known = _known(row, earlier, told)
    if backfill:
        _backfill(row, known)
    elif known:
        _seen_before(row, known)
    elif not row.mapped["stage"] or not row.mapped["organisation"]:
        row.decision = "triage"


def _known(row: ImportRow, earlier: Earlier, told: _Told) -> Known | None:
    """The one case this row speaks of: by an id that is used once on both sides, else by a name that is."""
    organisation = row.mapped["organisation"].casefold()
    by_key, by_name = (organisation, row.mapped["key"]), (organisation, row.mapped["title"].casefold())
    if row.mapped["key"] and told.keys[by_key] == 1 and len(earlier.by_key.get(by_key, ())) == 1:
        return earlier.by_key[by_key][0]
    if len(told.by_name[by_name]) == 1 and len(earlier.by_name.get(by_name, ())) == 1:
        return earlier.by_name[by_name][0]
    return None


def _seen_before(row: ImportRow, known: Known) -> None:
    """A newer file speaks of a case that is here: details stay in its row; another stage is for a person to judge."""
    row.initiative_id = known.pk
    if row.mapped["stage"] in ("", known.stage):
        row.decision = "unchanged"
        row.problems.append(problem("known", f"{known.ref} is this system; only its details differ."))
        return
    row.decision = "triage"
    row.problems.append(_move(known.ref, known.stage, row.mapped["stage"]))


def _move(ref: str, before: str, after: str) -> dict:
    words = f"{ref} was {Stage(before).label}, and is {Stage(after).label} according to its source."
    if (before, after) in _moves():
        text = f"{words} Such a move is decided at its gate, not by an import."
    else:
        text = f"{words} No move leads from one to the other here: look at both claims."
    return problem("moved", text, value=f"{before} -> {after}")


def _moves() -> set[tuple[str, str]]:
    """The moves of the machine, without those that only an import makes."""
    return {
        (move.source, move.target)
        for move in Initiative._meta.get_field("stage").get_all_transitions(Initiative)
        if not move.name.startswith("claim_")
    }


def _backfill(row: ImportRow, known: Known | None) -> None:
    """An older file adds what was asserted then, and moves nothing."""
    if known is None:
        row.decision = "triage"
        row.problems.append(
            problem("known", "Only the older file knows it: no initiative here goes back to it.")
        )
        return
    row.decision, row.initiative_id = "unchanged", known.pk
    before = row.mapped["stage"]
    if before and before != known.stage:
        row.problems.append(_move(known.ref, before, known.stage))
