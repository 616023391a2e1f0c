"""Initiatives from imported rows, set-wise, with units, stages and entries."""

from collections import defaultdict

from django.utils.text import slugify

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Unit, User
from governance.vocabulary import Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Part
from initiatives.lifecycle.facts import supported_stage, supported_stage_rows
from initiatives.models import ImportBatch, ImportRow, Initiative, Link, Review, StageChange
from initiatives.models.imports import ROOT
from initiatives.models.initiative import machine
from initiatives.models.stage_machine import REPORTED, make_move, offered
from initiatives.portfolio.imports.inventories.inventory_sources import FIELDS, newcomer, source_for
from initiatives.portfolio.registration.actions import next_numbers

# What a row may become: an idea has no approved stage, and is registered without a stage change.
TARGETS = tuple(
    stage
    for stage in Stage
    if stage == Stage.PROPOSED
    or any(one.custom["kind"] == REPORTED and one.target == stage for one in machine())
)
MADE_HERE = "imported-"  # how the codes of units begin that an import made
NOT_REPORTED = "Not reported by its source."


def import_rows(
    batch: ImportBatch,
    rows: list[ImportRow],
    by: User | None,
    units: dict[tuple[str, str], Unit] | None = None,
) -> None:
    """Register initiatives from rows as ideas, then move them to reported stages.

    The audit log gets an entry of each. `units` has the unit of each (organisation, part) of the rows. Units of an
    external inventory are created.
    """
    if not rows:
        return
    now = clock.now()
    units = units_of(rows, own=batch.own) if units is None else units
    initiatives = row_history.insert_many(
        Initiative,
        [
            Initiative(
                number=number,
                title=row.mapped["title"],
                unit=units[row.mapped["organisation"], row.mapped["bureau"]],
                problem=row.mapped["problem"] or NOT_REPORTED,
                since=now,
                registered_at=now,
                source_organisation=row.mapped["organisation"],
                source_key=row.mapped["key"],
            )
            for number, row in zip(next_numbers(len(rows)), rows, strict=True)
        ],
    )
    supported = _supported_as_idea(initiatives[0])
    moves, ideas = [], []
    for initiative, row in zip(initiatives, rows, strict=True):
        row.initiative = initiative
        if row.mapped["stage"] == Stage.PROPOSED:
            ideas.append((initiative, row))
            continue
        why = (
            f"Asserted by source {batch.source}, line {row.line}: \u201c{row.mapped['stage_raw'][:200]}\u201d"
        )
        if row.mapped.get("by_hand"):
            why += f". Stage chosen by hand: {row.mapped['by_hand']}"
        moves.append((initiative, row, why))
    _record_ideas(batch, ideas)
    moves_written = entries.record_many(
        EntryKind.STAGE_CHANGED,
        [
            (
                initiative,
                {
                    "from": initiative.stage,
                    "to": row.mapped["stage"],
                    "basis": "import",
                    "why": why,
                    "reported": True,
                    "batch": batch.pk,
                    "line": row.line,
                    "raw_digest": row.raw_digest,
                    "supported": supported,
                },
            )
            for initiative, row, why in moves
        ],
    )
    StageChange.objects.bulk_create(
        [
            StageChange(
                initiative=initiative,
                from_stage=initiative.stage,
                to_stage=row.mapped["stage"],
                basis="import",
                reason=why,
                by=by,
                at=now,
                supported_then=supported,
                entry_id=entry.pk,
            )
            for (initiative, row, why), entry in zip(moves, moves_written, strict=True)
        ],
        batch_size=1000,
    )
    alike = defaultdict(list)
    for initiative, row, _ in moves:
        make_move(initiative, offered(initiative, kind=REPORTED, target=row.mapped["stage"]))
        initiative.basis, initiative.since = "import", now
        alike[initiative.stage].append(initiative)
    for same in alike.values():
        row_history.update_alike(Initiative, same, ["stage", "basis", "since"])
        supported_stage_rows.rewrite_alike(same)


def _record_ideas(batch: ImportBatch, ideas: list[tuple[Initiative, ImportRow]]) -> None:
    """Record ideas of a list, which have no approved stage and no owner."""
    if not ideas:
        return
    entries.record_many(
        EntryKind.REGISTERED,
        [
            (
                initiative,
                {
                    "unit": initiative.unit.name,
                    "problem": initiative.problem,
                    "owner": "nobody yet",
                    "successor_of": None,
                    "reported": True,
                    "batch": batch.pk,
                    "line": row.line,
                    "raw_digest": row.raw_digest,
                },
            )
            for initiative, row in ideas
        ],
    )
    supported_stage_rows.rewrite_alike([initiative for initiative, _ in ideas])


def _supported_as_idea(initiative: Initiative) -> str:
    return supported_stage.judged(initiative).support.supported


def units_of(rows: list[ImportRow], *, own: bool) -> dict[tuple[str, str], Unit]:
    """Return the unit of each (organisation, part): an existing or a new one.

    An external inventory uses units below "Imported" and those that an admin took over. With `own`, the list uses units
    of the organisation and adds new ones.
    """
    pairs = {(row.mapped["organisation"], row.mapped["bureau"]) for row in rows}
    root = None if own else Unit.objects.filter(code=ROOT[1]).first() or add_units([(*ROOT, None)])[0]
    here: dict[str, Unit] = {}
    for unit in Unit.objects.living().order_by("id"):
        if unit.code != ROOT[1] and (
            not unit.imported if root is None else unit.parent_id == root.pk or _taken_over(unit)
        ):
            here.setdefault(unit.name.casefold(), unit)
    codes = set(Unit.objects.values_list("code", flat=True))
    names = {organisation for organisation, _ in pairs}
    missing = [name for name in sorted(names) if name.casefold() not in here]
    for unit in add_units([(name, unit_code(name, codes), root) for name in missing]):
        here[unit.name.casefold()] = unit
    parts = {
        (unit.parent_id, unit.name.casefold()): unit
        for unit in Unit.objects.living().filter(parent__in=[here[name.casefold()] for name in names])
    }
    wanted = []
    for organisation, bureau in sorted(pairs):
        above = here[organisation.casefold()]
        if bureau and (above.pk, bureau.casefold()) not in parts and above.code.startswith(MADE_HERE):
            parts[above.pk, bureau.casefold()] = above  # holds the place, so that each is wanted once
            wanted.append((bureau, unit_code(f"{organisation} {bureau}", codes), above))
    for unit in add_units(wanted):
        parts[unit.parent_id, unit.name.casefold()] = unit
    return {
        (organisation, bureau): parts.get((above.pk, bureau.casefold()), above)
        for organisation, bureau in pairs
        for above in [here[organisation.casefold()]]
    }


def _taken_over(unit: Unit) -> bool:
    return unit.code.startswith(MADE_HERE) and not unit.imported


def unit_stays(keys: list[int]) -> dict[int, str]:
    """Return by key why an initiative must keep its unit: its links or reviews."""
    linked = Link.objects.current().filter(initiative__in=keys).values_list("initiative", flat=True)
    stays = dict.fromkeys(
        linked, "The initiative has links to systems, whose residency was checked for its current unit."
    )
    reviewed = Review.objects.filter(initiative__in=keys).values_list("initiative", flat=True)
    return stays | dict.fromkeys(reviewed, "A board has reviewed the initiative.")


def add_units(wanted: list[tuple[str, str, Unit | None]]) -> list[Unit]:
    """Add units by (name, code, parent), set-wise, with their entries."""
    if not wanted:
        return []
    units = row_history.insert_many(
        Unit,
        [
            Unit(name=name, code=code, parent=parent, path=f"{parent.path if parent else '/'}{code}/")
            for name, code, parent in wanted
        ],
    )
    entries.record_many(
        EntryKind.UNIT_ADDED,
        [
            (
                None,
                {"unit": unit.name, "code": unit.code, "parent": unit.parent.name if unit.parent else None},
            )
            for unit in units
        ],
    )
    return units


def unit_code(name: str, taken: set[str], prefix: str = MADE_HERE) -> str:
    """Return a free code made of the name, and add it to `taken`."""
    stem = code = f"{prefix}{slugify(name) or 'unit'}"[:34].rstrip("-")
    number = 1
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    taken.add(code)
    return code


def said_by_source(initiative: Initiative) -> dict | None:
    """Return the newest row of an imported initiative as its source has it, or None.

    `shared` has the initiatives of the same file that may be the same system, each with its reason.
    """
    rows = initiative.import_rows.filter(done_at__isnull=False).exclude(
        decision__in=("merge", "triage", "reject")
    )
    row = rows.select_related("batch").order_by("-batch_id").first()
    if row is None:
        return None
    source = source_for(row.batch.source) or newcomer(row.batch.source)
    lines = {hint["line"]: hint["text"] for hint in row.mapped.get("suggestions", ())}
    others = row.batch.rows.filter(line__in=lines, initiative__confidential=False).exclude(
        initiative=initiative
    )
    columns = list(source.questions) or row.batch.columns
    read = row.mapped | {"stage": row.mapped.get("stage_raw", "")}
    answers = row.mapped.get("answers", {})
    return {
        "row": row,
        "source": source.words,
        "cells": [
            *((words, read.get(name) or "") for name, words in FIELDS.items()),
            *(
                (source.questions.get(name, name), _written(answers[name]))
                for name in columns
                if name in answers
            ),
        ],
        "shared": [(other.initiative, lines[other.line]) for other in others.select_related("initiative")],
    }


def _written(raw: str | None) -> str:
    """Return a cell as it came, or "" for an empty list."""
    return raw if raw and raw.strip("[]'\" ") else ""


def beside_initiative(person, initiative: Initiative) -> Part | None:
    """Return the part of an imported initiative's page with its source's row, or None."""
    said = said_by_source(initiative) if initiative.imported else None
    return Part("initiatives/imports/inventories/_said_by_source.html", said) if said else None
