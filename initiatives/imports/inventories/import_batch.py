"""Planning an import: what each row of a file would become. Writes nothing."""

import hashlib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

from django.db.models.fields.json import KeyTextTransform

from governance.ledger.record import canonical
from governance.tables.columns import order_of
from governance.tables.reader import Line
from governance.vocabulary import Stage
from initiatives.imports.assertions.asserted_moves import BY_ID, BY_LINE, BY_NAME, SAME, asserted_move
from initiatives.imports.inventories.inventory_columns import map_row, problem, settled
from initiatives.imports.inventories.inventory_sources import KNOWN, Source
from initiatives.models import ImportBatch, ImportRow, Initiative
from initiatives.models.initiative import machine
from initiatives.models.stage_machine import CLAIM, CORRECTION

COUNTED = {
    "import": "imported",
    "merge": "merged",
    "triage": "triaged",
    "reject": "rejected",
    "unchanged": "unchanged",
}
# Decided since, about moves: told where there are any.
DECIDED = {"taken": "taken", "left": "left"}
PAIRED = ("move", "stage_before", "paired_by")  # what a row keeps of the pair it makes with an older list
LARGEST_SHARED_GROUP = 10  # a name that more parts of an organisation use says what a thing is, not which one


@dataclass(frozen=True)
class Known:
    """A case that an earlier file of the family brought in, and the stage that the newest of them asserts."""

    pk: int
    ref: str
    asserted: str


@dataclass
class Earlier:
    """What earlier files of the same family left behind: lines already dealt with, and cases by id and by name."""

    digests: dict[str, int | None] = field(default_factory=dict)
    by_key: dict[tuple[str, str], dict[int, Known]] = field(default_factory=lambda: defaultdict(dict))
    by_name: dict[tuple[str, str], dict[int, Known]] = field(default_factory=lambda: defaultdict(dict))
    asserted: dict[int, str] = field(default_factory=dict)

    def says(self, row: ImportRow) -> bool:
        """Whether this very line was dealt with, and no list since asserts another stage of its case."""
        if row.raw_digest not in self.digests:
            return False
        case = self.digests[row.raw_digest]
        return case is None or self.asserted.get(case, row.mapped["stage"]) == row.mapped["stage"]


def family_of(source: Source) -> list[str]:
    """The keys of the sources that speak of the same systems."""
    return [known.key for known in KNOWN.values() if known.family == source.family] or [source.key]


def digest_of(cells: dict[str, str]) -> str:
    """SHA-256 of a row as it came: two lines are the same only when every cell is."""
    return hashlib.sha256(canonical(cells)).hexdigest()


def earlier_of(source: Source, *, but: ImportBatch | None = None) -> Earlier:
    """What this family left behind, in two queries; `but`: leaving out the rows of this batch.

    Names and ids are those of the rows: a case that was renamed here is found by what its source calls it.
    """
    done = ImportRow.objects.filter(
        batch__source__in=family_of(source), batch__undone_at__isnull=True, done_at__isnull=False
    )
    if but is not None:
        done = done.exclude(batch=but)
    earlier = Earlier(digests=dict(done.values_list("raw_digest", "initiative_id")))
    tied = (
        done.filter(initiative__isnull=False, initiative__withdrawn_at__isnull=True)
        .exclude(decision__in=("merge", "reject"))
        .order_by("batch_id", "line")
    )
    columns = [KeyTextTransform(name, "mapped") for name in ("organisation", "key", "title", "stage")]
    rows = tied.values_list("initiative_id", "initiative__number", "batch__reading__backfill", *columns)
    asserted, named = earlier.asserted, []
    for pk, number, backfill, organisation, key, title, stage in rows:
        if not backfill or pk not in asserted:
            asserted[pk] = stage or ""
        named.append((pk, number, organisation.casefold(), key, title.casefold()))
    for pk, number, organisation, key, title in named:
        known = Known(pk, Initiative.ref_of(number), asserted[pk])
        if key:
            earlier.by_key[organisation, key][pk] = known
        earlier.by_name[organisation, title][pk] = known
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
    stage_column = settled(source, columns).columns.get("stage")
    seen = Counter(line.cells.get(stage_column, "") for line in lines) if stage_column else {}
    # A column with hundreds of different words is no stage, and remembering them all helps nobody.
    source = settled(source, columns, [raw for raw, _ in Counter(seen).most_common(200)])
    began = source.columns.get("began")
    if began and not source.dates:
        source = replace(source, dates=order_of(line.cells.get(began, "") for line in lines))
    rows = []
    for line in lines:
        mapped, problems = map_row(line, source, organisation)
        rows.append(
            ImportRow(
                line=line.number,
                raw=line.cells,
                raw_digest=digest_of(line.cells),
                mapped=mapped,
                problems=problems,
                decision="import",
            )
        )
    _flag_mailboxes(rows)
    _group_repeats(rows)
    _suggest_shared(rows)
    _decide(rows, earlier, backfill)
    return rows, source


def counted(rows) -> dict[str, int]:
    """Rows by what becomes of them, in the words of the report; `rows` are objects with a decision."""
    found = Counter(row.decision for row in rows)
    return (
        {"rows": sum(found.values())}
        | {word: found[decision] for decision, word in COUNTED.items()}
        | {word: found[decision] for decision, word in DECIDED.items() if found[decision]}
    )


def _flag_mailboxes(rows: list[ImportRow]) -> None:
    """A contact that stands on several systems is a mailbox, not a person: nobody is made an owner of it."""
    contacts = Counter(row.mapped["contact"].casefold() for row in rows if "@" in row.mapped["contact"])
    for row in rows:
        often = contacts[row.mapped["contact"].casefold()]
        if often > 1:
            text = f"The contact stands on {often} rows: a shared mailbox, not an owner."
            row.problems.append(problem("shared mailbox", text, value=row.mapped["contact"]))


def _group_repeats(rows: list[ImportRow]) -> None:
    """Rows that share organisation and id, and rows that share everything, are listed as groups."""
    by_key, by_digest = defaultdict(list), defaultdict(list)
    for row in rows:
        by_digest[row.raw_digest].append(row)
        if row.mapped["key"]:
            by_key[row.mapped["organisation"].casefold(), row.mapped["key"]].append(row)
    for same in by_key.values():
        if len(same) > 1:
            different = len({row.raw_digest for row in same})
            for row in same:
                row.group = f"{row.mapped['organisation']}: {row.mapped['key']}"[:160]
                if different > 1:
                    text = f"The source uses {row.mapped['key']} for {different} different systems."
                    row.problems.append(problem("repeated id", text, value=row.mapped["key"]))
    for same in by_digest.values():
        if len(same) > 1 and not same[0].group:
            for row in same:
                row.group = f"{row.mapped['organisation']}: no id, {row.mapped['title']}"[:160]


def _suggest_shared(rows: list[ImportRow]) -> None:
    """Two parts of one organisation name the same system, and one row speaks of the other part: perhaps one system."""
    named = defaultdict(list)
    for row in rows:
        named[row.mapped["organisation"].casefold(), row.mapped["title"].casefold()].append(row)
    for same in named.values():
        if not 1 < len(same) <= LARGEST_SHARED_GROUP:
            continue
        for one in same:
            for other in same:
                mine, theirs = one.mapped["bureau"], other.mapped["bureau"]
                if mine.casefold() != theirs.casefold() and (
                    _speaks_of(one, theirs) or _speaks_of(other, mine)
                ):
                    one.mapped["suggestions"].append(
                        {
                            "kind": "shared system",
                            "line": other.line,
                            "text": f"{theirs} reports {other.mapped['title']} as well (line {other.line}): "
                            "perhaps one system, provided by one and used by the other.",
                        }
                    )


def _speaks_of(row: ImportRow, bureau: str) -> bool:
    if len(bureau) < 2:
        return False
    pattern = re.compile(rf"(?<!\w){re.escape(bureau)}(?!\w)")
    own = row.mapped["bureau"]
    return any(pattern.search(cell) for cell in row.raw.values() if cell != own)


def _decide(rows: list[ImportRow], earlier: Earlier, backfill: bool) -> None:
    first: dict[str, ImportRow] = {}
    for row in rows:
        if not backfill and earlier.says(row):
            row.decision, row.initiative_id = "unchanged", earlier.digests[row.raw_digest]
            if row.initiative_id is not None:
                row.paired_by, row.move, row.stage_before = BY_LINE, SAME, row.mapped["stage"]
            first.setdefault(row.raw_digest, row)
        elif row.raw_digest in first:
            row.decision = "merge"
            text = f"The same line as line {first[row.raw_digest].line}, to the last letter."
            row.problems.append(problem("same line", text))
        else:
            first[row.raw_digest] = row
            if not row.mapped["stage"] or not row.mapped["organisation"]:
                row.decision = "triage"
    pair(list(first.values()), earlier, backfill=backfill)


def pair(rows: list[ImportRow], earlier: Earlier, *, backfill: bool = False) -> None:
    """Tie each row that is to be imported to the case that it speaks of, by an id that is used once on both sides.

    A name ties nothing: the cases that bear it are proposed, for a person to confirm or refuse. `rows`: the different
    lines of one file; those that are dealt with already only say which ids and names it uses more than once.
    """
    often_key = Counter(_key_of(row) for row in rows)
    often_name = Counter(_name_of(row) for row in rows)
    tied = {row.initiative_id for row in rows if row.decision == "unchanged"}
    waiting = [row for row in rows if row.decision in ("import", "triage") and row.initiative_id is None]
    for row in waiting:
        known = list(earlier.by_key.get(_key_of(row), {}).values()) if row.mapped["key"] else []
        if len(known) == 1 and often_key[_key_of(row)] == 1:
            _tie(row, known[0], backfill)
            tied.add(known[0].pk)
    for row in waiting:
        named = earlier.by_name.get(_name_of(row), {}).values() if row.initiative_id is None else ()
        known = [one for one in named if one.pk not in tied]
        if known and max(len(known), often_name[_name_of(row)]) <= LARGEST_SHARED_GROUP:
            _propose(row, known, often_name[_name_of(row)], backfill)
        elif backfill and row.initiative_id is None:
            row.decision = "triage"
            text = "Only the older file knows it: no initiative here goes back to it."
            row.problems.append(problem("known", text))


def _key_of(row: ImportRow) -> tuple[str, str]:
    return row.mapped["organisation"].casefold(), row.mapped["key"]


def _name_of(row: ImportRow) -> tuple[str, str]:
    return row.mapped["organisation"].casefold(), row.mapped["title"].casefold()


def _tie(row: ImportRow, known: Known, backfill: bool) -> None:
    """The row speaks of a case that is here: details stay in its row, another stage is for a person to judge."""
    row.initiative_id, row.paired_by = known.pk, BY_ID
    _say_move(row, known, backfill)
    row.decision = "unchanged" if row.move == SAME or backfill else "triage"


def _propose(row: ImportRow, known: list[Known], often: int, backfill: bool) -> None:
    row.paired_by, row.decision = BY_NAME, "triage"
    row.mapped["candidates"] = [one.pk for one in known]
    if len(known) == 1 and often == 1:
        text = f"{known[0].ref} has this name: a person says whether it is this system."
        _say_move(row, known[0], backfill)
    else:
        refs = ", ".join(one.ref for one in known)
        text = f"{often} rows and {refs} have this name: a person says which is which, or that it is another system."
    row.problems.append(problem("same name", text))


def _say_move(row: ImportRow, known: Known, backfill: bool) -> None:
    """What the row asserts beside the list before, or, where it is the older one, beside the list after it."""
    before, after = known.asserted, row.mapped["stage"]
    if backfill:
        before, after = after, before
    row.stage_before, row.move = before, asserted_move(before, after)
    if row.move == SAME:
        if row.paired_by != BY_NAME:
            text = f"{known.ref} is this system; only its details differ."
            row.problems.append(problem("known", text))
        return
    told = [Stage.word(stage) or "not reported" for stage in (before, after)]
    words = f"{known.ref} was {told[0]}, and is {told[1]} according to its source."
    if (before, after) in _moves():
        words += " Such a move is decided at its gate; what an import claimed, a person may correct by it."
    else:
        words += " No move leads from one to the other here: look at both claims."
    row.problems.append(problem("moved", words, value=f"{before or '?'} -> {after or '?'}"))


def _moves() -> set[tuple[str, str]]:
    """The moves of the machine, without those that only an import makes."""
    return {(one.source, one.target) for one in machine() if one.custom["kind"] not in (CLAIM, CORRECTION)}
