"""Planning an import: what each row of a file would become. Writes nothing."""

import hashlib
import re
from collections import Counter, defaultdict
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
    done = ImportRow.objects.filter(
        batch__source__in=family_of(source), batch__undone_at__isnull=True, done_at__isnull=False
    )
    earlier = Earlier(digests=dict(done.values_list("raw_digest", "initiative_id")))
    imported = done.filter(initiative__isnull=False).values_list("initiative_id", flat=True)
    for case in Initiative.objects.live().filter(pk__in=imported):
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
    return {"rows": sum(found.values())} | {word: found[decision] for decision, word in COUNTED.items()}


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
    often_key = Counter((r.mapped["organisation"].casefold(), r.mapped["key"]) for r in rows)
    often_name = Counter((r.mapped["organisation"].casefold(), r.mapped["title"].casefold()) for r in rows)
    first: dict[str, ImportRow] = {}
    for row in rows:
        if row.raw_digest in earlier.digests and not backfill:
            row.decision, row.initiative_id = "unchanged", earlier.digests[row.raw_digest]
            continue
        if row.raw_digest in first:
            row.decision = "merge"
            text = f"The same line as line {first[row.raw_digest].line}, to the last letter."
            row.problems.append(problem("same line", text))
            continue
        first[row.raw_digest] = row
        known = _known(row, earlier, often_key, often_name)
        if backfill:
            _backfill(row, known)
        elif known:
            _seen_before(row, known)
        elif not row.mapped["stage"] or not row.mapped["organisation"]:
            row.decision = "triage"


def _known(row: ImportRow, earlier: Earlier, often_key: Counter, often_name: Counter) -> Known | None:
    """The one case this row speaks of: by an id that is used once on both sides, else by a name that is."""
    organisation = row.mapped["organisation"].casefold()
    by_key, by_name = (organisation, row.mapped["key"]), (organisation, row.mapped["title"].casefold())
    if row.mapped["key"] and often_key[by_key] == 1 and len(earlier.by_key.get(by_key, ())) == 1:
        return earlier.by_key[by_key][0]
    if often_name[by_name] == 1 and len(earlier.by_name.get(by_name, ())) == 1:
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
