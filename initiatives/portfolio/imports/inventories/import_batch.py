"""The plan of an import: the result of each row of a file. Writes no row."""

import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from django.db.models.fields.json import KeyTextTransform

from governance.audit_log.entries import canonical
from governance.tables.cell_values import folded
from governance.tables.column_values import sample
from governance.tables.columns import against_order
from governance.tables.reader import Line
from governance.vocabulary import Stage
from initiatives.models import ImportBatch, ImportRow, Initiative
from initiatives.portfolio.imports.inventories.inventory_columns import long_units, map_row, problem, resolved
from initiatives.portfolio.imports.inventories.inventory_sources import KNOWN, Source

COUNTED = {
    "import": "imported",
    "merge": "merged",
    "triage": "triaged",
    "reject": "rejected",
    "unchanged": "unchanged",
    "change": "changed",
}
OPEN_TO_CHANGE = ("title", "problem")  # what a newer file proposes of an initiative that is here
MOST_WORDS = 200  # for stages that are remembered
MANY_WORDS = 5_000  # that are counted at a time to find them
LARGEST_SHARED_GROUP = 10  # a name that more parts of an organisation use says what a thing is, not which one


@dataclass(frozen=True)
class Known:
    """An initiative that an earlier file of the family brought in, and its stage now."""

    pk: int
    ref: str
    stage: str


@dataclass
class Earlier:
    """The results of earlier files of the family: lines and initiatives."""

    digests: dict[str, int | None] = field(default_factory=dict)
    by_key: dict[tuple[str, str], dict[int, Known]] = field(default_factory=lambda: defaultdict(dict))
    by_name: dict[tuple[str, str], dict[int, Known]] = field(default_factory=lambda: defaultdict(dict))


def family_of(source: Source) -> list[str]:
    """Return the keys of the sources that list the same systems."""
    return [known.key for known in KNOWN.values() if known.family == source.family] or [source.key]


def digest_of(cells: dict[str, str]) -> str:
    """Return the SHA-256 of a row as it came. Rows are equal only if each cell is."""
    return hashlib.sha256(canonical(cells)).hexdigest()


def read_before(digest: str, source: str, *, own: bool, encoding: str, sheet: str) -> ImportBatch | None:
    """Return the first batch of this file that these choices read in the same way."""
    for first in ImportBatch.objects.current().filter(sha256=digest, source=source, own=own, repeats=None):
        if encoding in ("", first.encoding) and sheet in ("", first.reading.get("sheet", "")):
            return first
    return None


def earlier_of(source: Source, *, but: ImportBatch | None = None) -> Earlier:
    """Return the results of this family in two queries, without those of `but`.

    Names and ids are those of the rows. A renamed initiative is found by the name in its source.
    """
    done = ImportRow.objects.filter(
        batch__source__in=family_of(source), batch__undone_at__isnull=True, done_at__isnull=False
    )
    if but is not None:
        done = done.exclude(batch=but)
    earlier = Earlier(digests=dict(done.order_by("batch_id").values_list("raw_digest", "initiative_id")))
    tied = (
        done.filter(initiative__isnull=False, initiative__withdrawn_at__isnull=True)
        .exclude(decision__in=("merge", "reject"))
        .order_by("batch_id", "line")
    )
    columns = [KeyTextTransform(name, "mapped") for name in ("organisation", "key", "title")]
    rows = tied.values_list("initiative_id", "initiative__number", "initiative__stage", *columns)
    for pk, number, stage, organisation, key, title in rows:
        known = Known(pk, Initiative.ref_of(number), stage)
        if key:
            earlier.by_key[organisation.casefold(), key][pk] = known
        earlier.by_name[organisation.casefold(), folded(title)][pk] = known
    return earlier


def planned(
    lines: Callable[[], Iterator[Line]],
    columns: list[str],
    source: Source,
    earlier: Earlier,
    *,
    organisation: str = "",
) -> tuple[Iterator[ImportRow], Source]:
    """Return an unsaved row per line with its decision, one at a time, and the resolved source.

    `lines` returns the lines at each call. Each row is read twice. Only the facts that other rows need stay in memory.
    """
    source = _resolved_on(lines, columns, source)
    told, tied = _Told(), set()
    for line in lines():
        mapped, _ = map_row(line, source, organisation)
        digest = told.add(line, mapped)
        if digest in earlier.digests:
            tied.add(earlier.digests[digest])
    tied |= _tied_by_id(told.different, earlier)
    told.listen(lines)

    def rows() -> Iterator[ImportRow]:
        first: dict[bytes, int] = {}
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
            _decide(row, first, earlier, told, tied)
            if "title" not in source.columns and row.decision == "import":
                row.decision = "triage"  # nothing of it has a name
            yield row

    return rows(), source


def _resolved_on(lines: Callable[[], Iterator[Line]], columns: list[str], source: Source) -> Source:
    """Return the source with the columns, stage words and day order of this file."""
    values = sample(lines()) if source.guessed else {}
    found = resolved(source, columns, values=values).columns
    stages: Counter[str] = Counter()
    dates = source.dates
    stage, began = found.get("stage"), found.get("began")
    for line in lines() if stage or began else ():
        if stage:
            stages[line.cells.get(stage, "")] += 1
            if len(stages) > MANY_WORDS:
                stages = Counter(dict(stages.most_common(MOST_WORDS)))
        if began and source.guessed and against_order([line.cells.get(began, "")], dates):
            dates = ""
    # A column with hundreds of different words is no stage, and remembering them all helps nobody.
    source = resolved(source, columns, [raw for raw, _ in stages.most_common(MOST_WORDS)], values=values)
    # An order that was remembered is asked about again if a day of this file is against it.
    return replace(source, dates=dates)


def reading_of(used: Source) -> dict:
    """Return how the source reads the file, as its batch keeps it."""
    return {
        "columns": used.columns,
        "stages": {word: list(meaning) for word, meaning in used.stages.items()} if used.guessed else {},
        "fixed": used.fixed,
        "dates": used.dates,
    }


def counted(rows) -> dict[str, int]:
    """Return the number of rows by result. `rows` are objects with a decision."""
    return counts_of(Counter(row.decision for row in rows))


def counts_of(found: Mapping[str, int]) -> dict[str, int]:
    """Return the number of rows by decision, in the words of the report, and in all."""
    return {"rows": sum(found.values())} | {
        word: found.get(decision, 0) for decision, word in COUNTED.items()
    }


class _Told:
    """The facts of each row that other rows need: organisation, id, name and part."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.contacts: Counter[str] = Counter()
        self.digests: Counter[bytes] = Counter()
        self.different: Counter[tuple[str, str]] = Counter()  # lines of an id, each once
        self.apart: Counter[tuple[str, str]] = Counter()  # lines of a name, each once
        self.lines: list[int] = []
        self.speaks: dict[int, set[str]] = {}

    def add(self, line: Line, mapped: dict) -> str:
        """Add one row, and return its digest."""
        self.lines.append(line.number)
        organisation = sys.intern(mapped["organisation"].casefold())
        name = organisation, folded(mapped["title"])
        self.by_name[name].append(len(self.parts))
        self.parts.append(sys.intern(mapped["bureau"]))
        digest = digest_of(line.cells)
        short = bytes.fromhex(digest)
        self.apart[name] += not self.digests[short]
        if mapped["key"]:
            self.different[organisation, mapped["key"]] += not self.digests[short]
        self.digests[short] += 1
        if "@" in mapped["contact"]:
            self.contacts[mapped["contact"].casefold()] += 1
        return digest

    def flag(self, row: ImportRow) -> None:
        """Note on a row a shared mailbox or repeated id."""
        mapped, problems = row.mapped, row.problems
        often = self.contacts[mapped["contact"].casefold()]
        if often > 1:
            # A contact that stands on several systems is a mailbox, not a person: nobody is made an owner of it.
            text = f"{often} rows have this contact. It is a shared mailbox, not an owner."
            problems.append(problem("shared mailbox", text, value=mapped["contact"]))
        key = mapped["organisation"].casefold(), mapped["key"]
        if mapped["key"] and self.different[key] > 1:
            text = f"The source uses {mapped['key']} for {self.different[key]} different systems."
            problems.append(problem("repeated id", text, value=mapped["key"]))

    def listen(self, lines: Callable[[], Iterator[Line]]) -> None:
        """Note the rows that name another part with a system of the same name."""
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
        """Suggest that two parts share a system, if one of them names the other."""
        if place not in self.speaks:
            return
        mine = self.parts[place]
        for other in self.by_name[_name_of(row)]:
            theirs = self.parts[other]
            if mine.casefold() != theirs.casefold() and (
                theirs in self.speaks[place] or mine in self.speaks[other]
            ):
                row.mapped["suggestions"].append(
                    {
                        "kind": "shared system",
                        "line": self.lines[other],
                        "text": f"{theirs} also reports {row.mapped['title']} (line {self.lines[other]}). "
                        "Perhaps one organisation provides the system and the other uses it.",
                    }
                )


def _speaks_of(line: Line, own: str, part: str) -> bool:
    if len(part) < 2:
        return False
    pattern = re.compile(rf"(?<!\w){re.escape(part)}(?!\w)")
    return any(pattern.search(cell) for cell in line.cells.values() if cell != own)


def _decide(
    row: ImportRow, first: dict[bytes, int], earlier: Earlier, told: _Told, tied: set[int | None]
) -> None:
    digest = bytes.fromhex(row.raw_digest)
    if row.raw_digest in earlier.digests:
        row.decision, row.initiative_id = "unchanged", earlier.digests[row.raw_digest]
        first.setdefault(digest, row.line)
        return
    if digest in first:
        row.decision = "merge"
        text = f"This line is identical to line {first[digest]}."
        row.problems.append(problem("same line", text))
        return
    first[digest] = row.line
    unsure = any(each["kind"] == "shifted" for each in row.problems) or long_units(row.mapped)
    if not row.mapped["stage"] or not row.mapped["organisation"] or unsure:
        row.decision = "triage"
    _match_one(row, earlier, told.different[_key_of(row)], told.apart[_name_of(row)], tied)


def match(rows: list[ImportRow], earlier: Earlier) -> None:
    """Find the initiative of each waiting row by an id that both sides use once.

    A name alone matches none: a person decides. `rows` are the different lines of one file. Rows that are done only
    show which ids and names are used more than once.
    """
    often_key = Counter(_key_of(row) for row in rows)
    often_name = Counter(_name_of(row) for row in rows)
    tied = {row.initiative_id for row in rows if row.decision == "unchanged"} | _tied_by_id(
        often_key, earlier
    )
    for row in rows:
        if row.decision in ("import", "triage") and row.initiative_id is None:
            _match_one(row, earlier, often_key[_key_of(row)], often_name[_name_of(row)], tied)


def _tied_by_id(often: Mapping[tuple[str, str], int], earlier: Earlier) -> set[int]:
    """Return initiatives with an id that this file and the earlier ones use once."""
    found = (earlier.by_key.get(key, {}) for key, count in often.items() if count == 1 and key[1])
    return {pk for known in found if len(known) == 1 for pk in known}


def _match_one(
    row: ImportRow, earlier: Earlier, often_key: int, often_name: int, tied: set[int | None]
) -> None:
    known = list(earlier.by_key.get(_key_of(row), {}).values()) if row.mapped["key"] else []
    if len(known) == 1 and often_key == 1:
        _tie(row, known[0])
        return
    named = [one for one in earlier.by_name.get(_name_of(row), {}).values() if one.pk not in tied]
    if named and max(len(named), often_name) <= LARGEST_SHARED_GROUP:
        row.decision, row.mapped["candidates"] = "triage", [one.pk for one in named]
        refs = ", ".join(one.ref for one in named)
        have = "has" if len(named) == 1 else "have"
        text = (
            f"{refs} {have} this name. Reject the row if it is the same system. Import the row if it is a "
            "different system."
        )
        row.problems.append(problem("same name", text))


def _key_of(row: ImportRow) -> tuple[str, str]:
    return row.mapped["organisation"].casefold(), row.mapped["key"]


def _name_of(row: ImportRow) -> tuple[str, str]:
    return row.mapped["organisation"].casefold(), folded(row.mapped["title"])


def _tie(row: ImportRow, known: Known) -> None:
    """Tie the row to a known initiative. Another stage is asked about and never moved."""
    row.initiative_id, stage = known.pk, row.mapped["stage"]
    if stage and stage != known.stage:
        row.decision = "triage"
        text = (
            f"{known.ref} is {Stage.word(known.stage)} here, and {Stage.word(stage)} in its source. An "
            "import does not change the stage. Reject the row if it is the same system. Import the row "
            "if it is a different system."
        )
        row.problems.append(problem("moved", text, value=f"{known.stage} -> {stage}"))
    else:
        row.decision = "unchanged"
        row.problems.append(problem("known", f"{known.ref} is this system."))


def propose_changes(rows: list[ImportRow]) -> None:
    """Note on rows tied by id which words of the initiative they would change."""
    waiting = [row for row in rows if row.decision == "unchanged" and _by_id(row)]
    initiatives = Initiative.objects.in_bulk({row.initiative_id for row in waiting})
    for row in waiting:
        initiative = initiatives[row.initiative_id]
        row.mapped["changes"] = [
            {"field": name, "before": getattr(initiative, name), "after": row.mapped[name]}
            for name in OPEN_TO_CHANGE
            if not initiative.closed and row.mapped[name] and row.mapped[name] != getattr(initiative, name)
        ]
        if row.mapped["changes"]:
            row.decision = "change"


def _by_id(row: ImportRow) -> bool:
    return any(each["kind"] == "known" for each in row.problems)
