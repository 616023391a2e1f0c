"""Acts on tables and documents of systems: read, map, choose and confirm.

Rows enter the register after they are confirmed. A register value is replaced only if someone ticked it. Rows are
compared again as they enter, and rows that changed meanwhile wait.
"""

import hashlib
import time

from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, Exists, OuterRef
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict, no
from governance.queue.task_base import after_commit
from governance.tables.column_values import sample
from governance.tables.columns import plain
from governance.tables.reader import Line
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.systems import import_permissions
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stages
from initiatives.models import (
    Evidence,
    EvidenceNames,
    System,
    SystemImport,
    SystemImportMapping,
    SystemImportRow,
)
from initiatives.models.imports import REGISTER_KINDS
from initiatives.portfolio.imports.systems import source_documents
from initiatives.portfolio.imports.systems.cells import orders_of, problem, read_rows
from initiatives.portfolio.imports.systems.column_guesses import export_of, headers_digest, mapping_for
from initiatives.portfolio.imports.systems.row_comparison import compare, scope_of
from initiatives.portfolio.imports.systems.row_entry import Written, enter_new, replace
from initiatives.portfolio.imports.systems.table_fields import FIELDS
from initiatives.portfolio.imports.systems.table_words import LEAVE_OUT

TOGETHER = 250  # rows that enter in one transaction
LONGEST_CAUSE = 250
WRITTEN = ["mapped", "state", "problems", "takes", "entered"]


def read_system_import(
    *, content: bytes, file_name: str, kind: str, encoding: str = "", by: User
) -> tuple[SystemImport, bool]:
    """Read a table or document and keep its rows, compared with the register.

    No row is live. The same file again is the first one, found by SHA-256: returns the first and True. Raises
    CodePageUnsure if someone must choose the code page, ValidationError on a fault of the file, and Refused.
    """
    if kind not in REGISTER_KINDS:
        raise ValidationError({"kind": "Choose the contents of the table."})
    with act("read system import", by=by):
        import_permissions.may_bring(by, kind).or_refuse()
        digest = hashlib.sha256(content).hexdigest()
        first = SystemImport.objects.current().filter(sha256=digest, kind=kind)
        if not import_permissions.may_see_all(by):
            first = first.filter(by=by)
        known = first.order_by("pk").first()
        if known is not None:
            entries.record(
                EntryKind.SYSTEM_IMPORT_READ,
                table=known.pk,
                kind_of_rows=kind,
                file=file_name[-200:],
                repeats=known.pk,
            )
            return known, True
        table = source_documents.read(content, kind, encoding)
        chosen, remembered = mapping_for(kind, table.columns, sample(table.lines))
        export = export_of(kind, table.columns)
        notes = list(table.remarks)
        if export is not None:
            notes.append(f"Plumbline recognised the columns of the export “{export.words}”.")
            if export.remark:
                notes.append(export.remark)
        changed = chosen.get("last_updated_on", {}).get("columns", [""])[0]
        if export is None and plain(changed) == "sys updated on":
            notes.append(
                "“sys_updated_on” is the last change of the entry in the CMDB. Plumbline uses this "
                "date as the last update of the system."
            )
        if remembered:
            notes.append("The columns have the same meaning as in the last table with these headers.")
        batch = SystemImport(
            kind=kind,
            file_name=file_name[-200:],
            sha256=digest,
            headers=table.columns,
            notes=notes,
            by=by,
            at=clock.now(),
        )
        rows = _compared(batch, chosen, table.lines, by)
        batch.save()
        for row in rows:
            row.batch = batch
        SystemImportRow.objects.bulk_create(rows, batch_size=500)
        entries.record(
            EntryKind.SYSTEM_IMPORT_READ,
            table=batch.pk,
            kind_of_rows=kind,
            file=batch.file_name,
            sha256=digest,
            rows=len(rows),
            repeats=None,
        )
    return batch, False


def _compared(batch: SystemImport, chosen: dict, lines: list[Line], by: User) -> list[SystemImportRow]:
    dates = orders_of(batch.kind, chosen, lines)
    batch.columns = {"fields": chosen, "dates": dates}
    rows = read_rows(batch.kind, batch.headers, chosen, dates, lines)
    compare(batch.kind, rows, scope_of(by))
    return rows


def map_system_import(*, batch: SystemImport, columns: dict[str, dict], by: User) -> SystemImport:
    """Set the columns of the fields, remember them for these headers, and read again.

    `columns`: field -> {"columns": [first, second], "value": for all rows, "words": what a word of it means, "order":
    how its days are written}. Raises ValidationError by field, and Conflict once the table is confirmed.
    """
    chosen, wrong = {}, {}
    for field in FIELDS[batch.kind]:
        how = columns.get(field.name, {})
        there = [name for name in how.get("columns", ()) if name]
        if any(name not in batch.headers for name in there):
            wrong[field.name] = "Choose one of the columns of the table."
        value = (how.get("value") or "").strip()
        if field.needed and not there and not value:
            wrong[field.name] = "Choose the column with this value" + (
                ", or name one value for all rows." if field.fixable else "."
            )
        if there or value:
            chosen[field.name] = {"columns": there} | ({"value": value} if value else {})
            if field.reads == "day" and how.get("order") in ("mdy", "dmy"):
                chosen[field.name]["order"] = how["order"]
            if field.reads == "choice" and (words := how.get("words")):
                known = {LEAVE_OUT, *field.choices}
                chosen[field.name]["words"] = {word: key for word, key in words.items() if key in known}
    if wrong:
        raise ValidationError(wrong)
    with act("map system import", by=by, reason="Mapping of a table confirmed"):
        batch = _open(batch, by)
        row = SystemImportMapping.objects.filter(
            kind=batch.kind, headers=headers_digest(batch.headers)
        ).first() or SystemImportMapping(kind=batch.kind, headers=headers_digest(batch.headers))
        before = row.columns
        row.columns, row.by, row.at = chosen, by, clock.now()
        if before != chosen:
            row.save()
        was = {one.line: one for one in batch.rows.all()}
        lines = [
            Line(
                one.line,
                {name: one.raw.get(name, "") for name in batch.headers},
                tuple(said["text"] for said in one.problems if said.get("odd")),
            )
            for one in sorted(was.values(), key=lambda one: one.line)
        ]
        rows = _compared(batch, chosen, lines, by)
        for each in rows:
            each.pk, each.batch = was[each.line].pk, batch
            # What somebody decided stays decided where the row still says the same.
            if each.state == "differs":
                each.takes = [name for name in was[each.line].takes if name in each.mapped["differs"]]
        SystemImportRow.objects.bulk_update(rows, WRITTEN, batch_size=500)
        batch.save()
        entries.record(
            EntryKind.SYSTEM_IMPORT_MAPPED, table=batch.pk, kind_of_rows=batch.kind, columns=chosen
        )
    return batch


def choose_rows(
    *, batch: SystemImport, takes: dict[int, list[str]], left_out: dict[int, bool], by: User
) -> SystemImport:
    """Choose which fields of rows replace the register's, and which rows stay out."""
    with act("choose system import rows", by=by):
        batch = _open(batch, by)
        rows = list(batch.rows.select_for_update().filter(pk__in={*takes, *left_out}))
        changed = 0
        for row in rows:
            before = (row.state, row.takes)
            if row.state == "differs" and row.pk in takes:
                row.takes = [name for name in takes[row.pk] if name in row.mapped["differs"]]
            if row.pk in left_out:
                _leave(row, left_out[row.pk])
            changed += before != (row.state, row.takes)
        SystemImportRow.objects.bulk_update(rows, ["state", "takes", "mapped"], batch_size=500)
        entries.record(EntryKind.SYSTEM_IMPORT_ROWS_CHOSEN, table=batch.pk, rows=changed)
    return batch


def _leave(row: SystemImportRow, out: bool) -> None:
    """Leave a row out, or take it in again as what it was."""
    if out and row.state in ("new", "differs"):
        row.mapped["was"], row.state, row.takes = row.state, "skipped", []
    elif not out and row.state == "skipped" and row.mapped.get("was"):
        row.state = row.mapped.pop("was")


def take_column(*, batch: SystemImport, field: str, take: bool, by: User) -> int:
    """Take a field of the table, or the register's, on each differing row. Return how many."""
    with act("choose system import rows", by=by):
        batch = _open(batch, by)
        rows = list(
            batch.rows.select_for_update()
            .filter(state="differs", mapped__differs__has_key=field)
            .order_by("line")
        )
        for row in rows:
            row.takes = [name for name in row.takes if name != field] + ([field] if take else [])
        SystemImportRow.objects.bulk_update(rows, ["takes"], batch_size=500)
        entries.record(
            EntryKind.SYSTEM_IMPORT_ROWS_CHOSEN, table=batch.pk, rows=len(rows), field=field, take=take
        )
    return len(rows)


def leave_rows(*, batch: SystemImport, state: str, words: str = "", by: User) -> int:
    """Leave out each row in this state with these words in its name. Return how many."""
    with act("choose system import rows", by=by):
        batch = _open(batch, by)
        rows = batch.rows.select_for_update().filter(state=state)
        if words:
            rows = rows.filter(mapped__label__icontains=words)
        found = list(rows) if state in ("new", "differs") else []
        for row in found:
            _leave(row, True)
        SystemImportRow.objects.bulk_update(found, ["state", "takes", "mapped"], batch_size=500)
        entries.record(EntryKind.SYSTEM_IMPORT_ROWS_CHOSEN, table=batch.pk, rows=len(found), left_out=True)
    return len(found)


def confirm_system_import(*, batch: SystemImport, by: User) -> SystemImport:
    """Confirm a table. Its rows then enter the register, a few hundred at a time."""
    with act("confirm system import", by=by):
        batch = _open(batch, by)
        new = batch.rows.filter(state="new").count()
        replaced = batch.rows.waiting().filter(state="differs").count()
        if not new and not replaced:
            no(
                "No row of this table is new, and you selected no difference, so the import would change "
                "nothing.",
                "Select values that replace those of the register, or discard the file.",
                batch.get_absolute_url(),
            ).or_refuse()
        batch.confirmed_at, batch.confirmed_by = clock.now(), by
        batch.save()
        entries.record(
            EntryKind.SYSTEM_IMPORT_CONFIRMED,
            table=batch.pk,
            kind_of_rows=batch.kind,
            new=new,
            replaced=replaced,
        )
    return batch


def enter_rows(batch: SystemImport, *, seconds: float | None = None) -> int:
    """Enter rows of a confirmed table for `seconds`, or to the end. Return the rest.

    Rows enter in the name of the person who confirmed. Each few hundred are one transaction, so a stop loses no row.
    """
    until = None if seconds is None else time.monotonic() + seconds
    while _enter_some(batch) and (until is None or time.monotonic() < until):
        pass
    return batch.rows.waiting().count()


def _enter_some(batch: SystemImport) -> bool:
    """Enter the next rows, and return False if none is left."""
    by = batch.confirmed_by
    if by is None:
        raise Conflict("This table is not confirmed. Confirm it first.")
    with act("enter system import", by=by, register=True, reason=f"From the table {batch.file_name}"):
        import_permissions.may_bring(by, batch.kind).or_refuse()
        waiting = batch.rows.select_for_update(of=("self",)).waiting()
        if batch.kind == "links":
            initiative = Cast(KT("mapped__values__initiative"), BigIntegerField())
            waiting = waiting.order_by(initiative, "line")
        rows = list(waiting[:TOGETHER])
        if not rows:
            return False
        _enter(batch, rows, by)
        SystemImportRow.objects.bulk_update(rows, WRITTEN, batch_size=500)
        if not batch.rows.waiting().exists():
            states = dict.fromkeys(("entered", "replaced"), 0)
            for state in batch.rows.filter(state__in=states).values_list("state", flat=True):
                states[state] += 1
            entries.record(EntryKind.SYSTEM_IMPORT_ENTERED, table=batch.pk, kind_of_rows=batch.kind, **states)
    return True


def _enter(batch: SystemImport, rows: list[SystemImportRow], by: User) -> None:
    """Compare rows with the register again, and write those still as confirmed."""
    before = {row.pk: (row.state, dict(row.mapped["differs"]), list(row.takes)) for row in rows}
    compare(batch.kind, rows, scope_of(by))
    new, replaced = [], []
    for row in rows:
        state, differs, takes = before[row.pk]
        now = row.mapped["differs"]
        if state == "new" and row.state == "new":
            new.append(row)
        elif (
            state == "differs"
            and row.state == "differs"
            and all(now.get(one) == differs[one] for one in takes)
        ):
            replaced.append(row)
        else:
            row.takes = []
            if row.state != "wrong":
                row.problems.append(
                    problem("The register changed after you looked at it, so this row was not imported.")
                )
            if row.state == "new":  # what it differed from is gone
                row.mapped["was"], row.state = "new", "skipped"
    _lock(batch.kind, rows)
    written = enter_new(batch.kind, new, by)
    for row in replaced:
        one = replace(batch.kind, row, by)
        written.keys |= one.keys
        written.initiatives |= one.initiatives
        for initiative, causes in one.causes.items():
            written.causes[initiative] += causes
    for row in new:
        row.state, row.entered = "entered", written.keys[row.pk]
    for row in replaced:
        row.state, row.entered = "replaced", written.keys[row.pk]
    _reach(written, by)


def _lock(kind: str, rows: list[SystemImportRow]) -> None:
    """Lock the initiatives of link rows before a row is written."""
    if kind == "links":
        lock_initiatives(
            row.mapped["values"]["initiative"] for row in rows if row.state in ("new", "differs")
        )


def _reach(written: Written, by: User) -> None:
    """Update affected initiatives: voided evidence, findings and supported stage."""
    initiatives = lock_initiatives(written.initiatives)
    items = Evidence.objects.filter(initiative__in=written.causes, withdrawn_at__isnull=True)
    relied = set(items.values_list("initiative", flat=True))
    named: dict[int, set[int]] = {}
    for initiative, system in EvidenceNames.objects.filter(
        evidence__initiative__in=written.causes, system__isnull=False
    ).values_list("evidence__initiative", "system"):
        named.setdefault(initiative, set()).add(system)
    systems = System.objects.in_bulk({key for causes in written.causes.values() for _, _, key in causes})
    pulled = []
    for initiative in initiatives:
        if initiative.pk not in relied:
            continue
        for trigger, words, key in _together(written.causes[initiative.pk], named.get(initiative.pk, set())):
            pull(initiative, [trigger], words[:LONGEST_CAUSE], by=by, system=systems[key])
        pulled.append(initiative)
    rewritten = {initiative.pk for initiative in follow(initiatives)}
    waiting = [initiative for initiative in pulled if initiative.pk not in rewritten]
    if waiting:
        rewrite_supported_stages(waiting)


def _together(causes: list[tuple[str, str, int]], named: set[int]) -> list[tuple[str, str, int]]:
    """Return the causes by trigger, with one for each system that evidence names."""
    found, rest = [], {}
    for trigger, words, key in dict.fromkeys(causes):
        if key in named:
            found.append((trigger, words, key))
        else:
            rest.setdefault(trigger, []).append((words, key))
    for trigger, others in rest.items():
        count = f"{len(others)} changes: " if len(others) > 1 else ""
        found.append((trigger, count + "; ".join(words for words, _ in others), others[0][1]))
    return found


def drop_system_import(*, batch: SystemImport, by: User) -> SystemImport:
    """Discard a table that is not confirmed, with its rows. The audit log keeps its upload."""
    with act("drop system import", by=by):
        batch = _open(batch, by)
        batch.dropped_at = clock.now()
        batch.save()
        batch.rows.all().delete()
        entries.record(
            EntryKind.SYSTEM_IMPORT_DROPPED, table=batch.pk, kind_of_rows=batch.kind, file=batch.file_name
        )
    return batch


def _open(batch: SystemImport, by: User) -> SystemImport:
    """Return the table, locked, while it can still be changed."""
    batch = SystemImport.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    import_permissions.may_work_on(batch, by).or_refuse()
    if batch.dropped_at:
        raise Conflict("This file was discarded. Import it again.")
    if batch.confirmed_at:
        raise Conflict(
            "This table is already confirmed, and its rows are imported or being imported. Import the "
            "next table."
        )
    return batch


def go_on() -> None:
    """Start the worker on the remaining rows of confirmed tables."""
    after_commit("initiatives.tasks.enter_system_imports")


def enter_waiting(*, seconds: float) -> int:
    """Enter rows of confirmed tables for `seconds`, oldest table first. Return the rest.

    A table waits if the person who confirmed it may no longer bring it. An admin reads such tables again.
    """
    until, left = time.monotonic() + seconds, 0
    for batch in waiting_system_imports():
        if import_permissions.may_bring(batch.confirmed_by, batch.kind):
            left += enter_rows(batch, seconds=max(0, until - time.monotonic()))
    return left


def waiting_system_imports() -> list[SystemImport]:
    """Return the confirmed tables with rows that have not entered, the oldest first."""
    waiting = SystemImportRow.objects.waiting().filter(batch=OuterRef("pk"))
    found = SystemImport.objects.current().filter(Exists(waiting), confirmed_at__isnull=False)
    return list(found.select_related("confirmed_by").order_by("pk"))
