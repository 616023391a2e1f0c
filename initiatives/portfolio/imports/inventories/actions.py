"""Acts that import inventories: the rows of a source become reported stages only."""

import hashlib
from collections import Counter
from collections.abc import Container
from dataclasses import replace
from datetime import date
from functools import partial

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils.text import slugify
from psycopg.errors import LockNotAvailable

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.organisation.unit_import import LONGEST_NAME
from governance.people import cooling_off
from governance.people.permissions import may_import
from governance.permission_result import Conflict, all_of, no
from governance.tables.columns import present
from governance.tables.encodings import CodePageUnsure
from governance.tables.reader import Table, TableFile, open_table
from governance.vocabulary import Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ImportBatch, ImportRow, Initiative, InventorySource
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.inventories import batch_rows, import_batch
from initiatives.portfolio.imports.inventories.inventory_columns import long_units, problem
from initiatives.portfolio.imports.inventories.inventory_sources import (
    FIELDS,
    Source,
    newcomer,
    source_for,
    source_words,
)
from initiatives.portfolio.imports.inventories.reported_stages import TARGETS, import_rows

BY_HAND = "Asserted by its source, decided by hand"
NO_NAMES = (
    "No column with the names of systems is known, so you cannot confirm rows. Choose the column on the "
    "page of the file, under “Columns”."
)
NAME_IT = "Name the source with letters or digits, for example acme-2026."
WAITS_FOR_ANOTHER = "5s"  # less than what ends a statement of the web server, which could not say why


class ImportUnderWay(Conflict):
    """Another import holds the lock. The same act succeeds once the lock is free."""


def upload_batch(
    *,
    content: bytes,
    file_name: str,
    source: str,
    encoding: str = "",
    organisation: str = "",
    published_on: date | None = None,
    own: bool = False,
    by: User | None = None,
    system: str = "",
    sheet: str = "",
    progress: batch_rows.Progress | None = None,
) -> ImportBatch:
    """Read a file and keep each row with its planned result. Rows are live once confirmed.

    `own` marks a list of the organisation's systems. A list of another organisation is kept apart. The same file again
    is linked to the first by SHA-256 and brings no rows. `sheet` is the sheet of a workbook, or else the source's last
    one, or else the likeliest. `progress` gets the rows done and the rows in all, and may raise to end the upload.
    Raises CodePageUnsure if someone must choose the code page, ValidationError on the wrong field, and Refused
    unless `by` is an admin.
    """
    key = slugify(source)[:60]
    described = source_for(key) or newcomer(key)
    if key in ("", OWN_SHEET):  # sheets of one's own are read on a page of their own
        raise ValidationError({"source": NAME_IT})
    published_on = published_on or described.published_on
    with act("upload inventory", by=by, system=system, reason=f"Asserted by source {described.words}"):
        refuse_unless_admin(by)
        one_import_at_a_time()
        batch = new_batch(described.key, content, file_name, by)
        batch.own, batch.published_on = own, published_on
        choices = {"own": own, "encoding": encoding, "sheet": sheet}
        batch.repeats = first = import_batch.read_before(batch.sha256, described.key, **choices)
        if first is not None:
            rows = first.rows.count()
            batch.encoding, batch.columns, batch.reading = first.encoding, first.columns, first.reading
            batch.counts = {
                "rows": rows,
                **dict.fromkeys(import_batch.COUNTED.values(), 0),
                "unchanged": rows,
            }
            batch.save()
        else:
            _refuse_older(described, published_on)
            opened = open_inventory(content, described, encoding, sheet)
            table = opened.table
            _refuse_other_columns(described, table.columns)
            rows, used = import_batch.planned(
                batch_rows.told_of(opened.lines, progress, opened.rows),
                table.columns,
                replace(described, since_1904=table.since_1904),
                import_batch.earlier_of(described),
                organisation=organisation.strip(),
            )
            note_reading(batch, table, encoding, sheet)
            batch.reading |= {
                "organisation": organisation.strip(),
                **import_batch.reading_of(used),
            }
            batch.save()
            batch.counts = batch_rows.keep(batch, rows, progress, opened.rows)
            batch.save()
        record_upload(batch)
    return batch


def new_batch(source: str, content: bytes, file_name: str, by: User | None) -> ImportBatch:
    """Return the batch of a file that was just sent, not saved yet."""
    return ImportBatch(
        source=source,
        file_name=file_name[-200:],
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        uploaded_by=by,
        uploaded_at=clock.now(),
    )


def note_reading(batch: ImportBatch, table: Table, encoding: str, sheet: str) -> None:
    """Note on the batch how its file was read. `encoding` and `sheet` are chosen values."""
    batch.encoding, batch.columns = table.encoding, table.columns
    batch.reading = {
        "delimiter": table.delimiter,
        "sheet": table.sheet,
        "sheet_chosen": bool(sheet),
        "code_page_chosen": bool(encoding) and not table.encoding.startswith("utf"),
        "since_1904": table.since_1904,
        "header_line": table.header_line,
        "remarks": table.remarks,
    }


def record_upload(batch: ImportBatch) -> None:
    """Record that the file was read. Runs inside an act."""
    entries.record(
        EntryKind.INVENTORY_UPLOADED,
        batch=batch.pk,
        source=source_words(batch.source) if batch.source == OWN_SHEET else batch.source,
        file=batch.file_name,
        sha256=batch.sha256,
        repeats=batch.repeats_id,
        counts=batch.counts,
    )


def check_columns(columns: dict[str, str], fields: Container[str], known: list[str]) -> dict[str, str]:
    """Return the columns that were chosen, by field. Raises ValidationError by field on what cannot be."""
    chosen = {role: column for role, column in columns.items() if column}
    wrong = {} if chosen.get("title") else {"title": "Choose the column with the names."}
    for role, column in columns.items():
        if role not in fields or (column and column not in known):
            wrong[role] = "Choose one of the columns of the file."
        elif column and list(chosen.values()).count(column) > 1:
            wrong[role] = "Another field uses this column. Choose a different column for each field."
    if wrong:
        raise ValidationError(wrong)
    return chosen


def _refuse_other_columns(described: Source, columns: list[str]) -> None:
    """Refuse a file of a known source without the source's column for names."""
    title = described.columns.get("title", "")
    if not described.guessed and not present(columns, [title]):
        raise ValidationError(
            {
                "source": phrase(
                    "The file has no column “{}”, which contains the names in {}. Choose “a source not "
                    "listed”, then choose the column on the next page.",
                    title,
                    described.words,
                )
            }
        )


def refuse_unless_admin(by: User | None) -> None:
    """Raise Refused unless `by` is an admin who may act. The system may."""
    if by is not None:
        all_of(may_import(by), cooling_off.may_lift(by)).or_refuse()


def one_import_at_a_time() -> None:
    """Take the lock of imports, or raise ImportUnderWay after a wait. Two at once could add a system twice."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAITS_FOR_ANOTHER])
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline import'))")
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise ImportUnderWay(
            "Another import is running. Two imports at once could add the same system twice.",
            "Send the file again in a minute or two.",
            "/imports/",
        ) from None


def open_inventory(content: bytes, described: Source, encoding: str = "", sheet: str = "") -> TableFile:
    """Return the table of a source's file, by default in its code page and sheet.

    Raises CodePageUnsure if someone must choose the code page, ValidationError on the wrong field.
    """
    expected = tuple(described.columns.values())
    try:
        opened = open_table(content, encoding=encoding, expected=expected, sheet=sheet)
    except CodePageUnsure:
        if described.code_page and not encoding:
            return open_table(content, encoding=described.code_page, expected=expected)
        raise
    before = described.sheet
    if before and not sheet and before != opened.table.sheet and before in dict(opened.table.sheets):
        return open_table(content, expected=expected, sheet=before)
    return opened


def _refuse_older(described: Source, published_on: date | None) -> None:
    """Refuse a file older than an imported one, because its values are outdated."""
    newer = (
        ImportBatch.objects.current()
        .filter(
            source__in=import_batch.family_of(described),
            confirmed_at__isnull=False,
            published_on__gt=published_on,
        )
        .order_by("-published_on")
        .first()
        if published_on
        else None
    )
    if newer:
        raise ValidationError(
            {
                "published_on": phrase(
                    "This file, of {}, is older than {}, of {}, which was imported already. Upload a "
                    "newer file.",
                    published_on,
                    newer.file_name,
                    newer.published_on,
                )
            }
        )


def map_batch(
    *,
    batch: ImportBatch,
    columns: dict[str, str],
    stages: dict[str, str] | None = None,
    organisation: str = "",
    dates: str = "",
    by: User,
    progress: batch_rows.Progress | None = None,
) -> ImportBatch:
    """Set the columns and the meaning of stage words, and keep them for the source.

    Raises ValidationError on invalid values, and Conflict once rows of the file are live.
    """
    chosen = check_columns(columns, FIELDS, batch.columns)
    with act("map inventory", by=by, reason="Mapping of an inventory confirmed"):
        refuse_unless_admin(by)
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        batch_rows.still_current(batch)
        if batch.rows.filter(done_at__isnull=False).exists():
            raise Conflict(
                "Rows of this file are imported, so its mapping cannot change.",
                "Undo the import, then upload the file again.",
                f"/rows/imports/{batch.pk}/undo/",
            )
        described = source_for(batch.source) or newcomer(batch.source)
        if not described.guessed:
            no("You cannot change the mapping of this source, because it is part of Plumbline.").or_refuse()
        meanings = dict(described.stages)
        for word, stage in (stages or {}).items():
            meanings[word] = (stage if stage in TARGETS else "", "medium", "Chosen by hand.")
        described = replace(described, columns=chosen, stages=meanings, dates=dates, guessed=True)
        fixed = {role: "" for role in FIELDS if role not in chosen}
        fixed |= {"organisation": organisation.strip()} if organisation.strip() else {}
        remember(batch, described, fixed)
        in_all = batch.rows.count()
        rows, used_source = import_batch.planned(
            batch_rows.told_of(partial(batch_rows.lines_of, batch), progress, in_all),
            batch.columns,
            replace(described, fixed=fixed, since_1904=bool(batch.reading.get("since_1904"))),
            import_batch.earlier_of(described, but=batch),
            organisation=organisation.strip(),
        )
        batch.counts = batch_rows.map_again(batch, rows, progress, in_all)
        batch.reading |= {"organisation": organisation.strip(), **import_batch.reading_of(used_source)}
        batch.save()
        entries.record(
            EntryKind.INVENTORY_MAPPED,
            batch=batch.pk,
            source=batch.source,
            columns=chosen,
            stages={word: list(meaning) for word, meaning in meanings.items()},
        )
    return batch


def remember(batch: ImportBatch, described: Source, fixed: dict[str, str]) -> InventorySource:
    """Keep how this source is read. `fixed` has values without a column. Runs inside an act."""
    row = InventorySource.objects.filter(key=batch.source).first() or InventorySource(
        key=batch.source, words=described.words
    )
    row.columns, row.dates = described.columns, described.dates
    row.stages = {word: list(meaning) for word, meaning in described.stages.items()}
    row.fixed = fixed
    remember_file(row, batch)
    return row


def remember_file(row: InventorySource, batch: ImportBatch) -> None:
    """Save the source with the chosen sheet and code page of its file."""
    if batch.reading.get("sheet_chosen"):
        row.sheet = batch.reading["sheet"][:100]
    if batch.reading.get("code_page_chosen"):
        row.code_page = batch.encoding
    row.save()


def confirm_batch(
    *,
    batch: ImportBatch,
    organisations: list[str] | None = None,
    by: User | None = None,
    system: str = "",
    progress: batch_rows.Progress | None = None,
) -> dict[str, int]:
    """Make the rows of the batch live, all or by organisation. Return what this run did.

    A repeated file uses the rows of the first. A run that waited finds rows imported meanwhile unchanged. Raises
    ValidationError if no column of the file holds the names.
    """
    reason = f"Asserted by source {batch.source}, file {batch.file_name}"
    with act("confirm inventory", by=by, system=system, reason=reason):
        refuse_unless_admin(by)
        one_import_at_a_time()
        if batch.repeats_id and not batch.rows.exists():
            batch = batch.repeats
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        batch_rows.still_current(batch)
        waiting = batch.rows.filter(done_at__isnull=True).order_by("line")
        if organisations is not None:
            waiting = waiting.filter(mapped__organisation__in=organisations)
        if not batch.reading.get("columns", {}).get("title"):
            raise ValidationError({"title": NO_NAMES})
        batch_rows.match_again(batch, waiting)
        keys = list(waiting.values_list("pk", flat=True))
        total = len(keys) if organisations is not None else batch.rows.count()
        now, found = clock.now(), Counter()
        for start in range(0, len(keys), batch_rows.AT_A_TIME):
            rows = list(
                ImportRow.objects.filter(pk__in=keys[start : start + batch_rows.AT_A_TIME])
                .defer("raw", "problems")
                .order_by("line")
            )
            batch_rows.mark_what_is_done(batch, rows)
            import_rows(batch, [row for row in rows if row.decision == "import"], by)
            batch_rows.join_twins(batch, rows)
            batch_rows.write_outcomes(rows, now)
            found.update(row.decision for row in rows)
            if progress:
                progress(found.total(), len(keys))
        done = import_batch.counts_of(found)
        counts = done | {"rows": total, "unchanged": done["unchanged"] + total - len(keys)}
        if keys:
            batch.confirmed_by, batch.confirmed_at, batch.counts = by, now, counts
            batch.save()
            _remember_confirmed(batch)
            entries.record(
                EntryKind.INVENTORY_CONFIRMED,
                batch=batch.pk,
                source=batch.source,
                organisations=organisations,
                counts=counts,
            )
    return counts


def _remember_confirmed(batch: ImportBatch) -> None:
    """Keep the confirmed guesses for the next file of the source. Missing ones are guessed."""
    source = source_for(batch.source) or newcomer(batch.source)
    if not source.guessed:
        return
    read = batch.reading
    meanings = {word: tuple(meaning) for word, meaning in read.get("stages", {}).items()}
    confirmed = replace(source, columns=read.get("columns", {}), stages=meanings, dates=read.get("dates", ""))
    remember(batch, confirmed, fixed=read.get("fixed", {}))


def _no_second_initiative(row: ImportRow) -> None:
    """Raise Refused if a later import added a system of this id or name, still unseen."""
    if row.initiative_id is not None or "candidates" in row.mapped:
        return  # the page of the row names it, and somebody looked
    source = source_for(row.batch.source) or newcomer(row.batch.source)
    import_batch.match([row], import_batch.earlier_of(source, but=row.batch))
    known = Initiative.objects.filter(pk__in=[row.initiative_id, *row.mapped.get("candidates", ())])
    if known:
        refs = ", ".join(initiative.ref for initiative in known)
        no(
            phrase("A later import added a system with this id or name: {}.", refs),
            "Reject this row. The file still contains the row.",
        ).or_refuse()


def decide_row(*, row: ImportRow, stage: str = "", reason: str = "", by: User) -> ImportRow:
    """Decide a row that is set aside: give it a stage, or reject it without one.

    Both need a reason. It becomes live at once if its part of the batch was confirmed, otherwise with the confirmation.
    A stage makes the row a separate initiative, even if one with its id or name exists, which stays as it is.
    """
    _check_decision(stage, reason)
    with act("decide imported row", by=by, reason=f"{BY_HAND}: {reason.strip()}"):
        refuse_unless_admin(by)
        one_import_at_a_time()
        row = ImportRow.objects.select_for_update(of=("self",)).select_related("batch").get(pk=row.pk)
        batch_rows.still_current(row.batch)
        if row.decision not in ("triage", "reject") or (row.decision == "reject" and row.done_at):
            raise Conflict(
                phrase("This row is decided already: {}.", label(row.get_decision_display(), inside=True))
            )
        if stage:
            _no_second_initiative(row)
        if stage and not row.mapped["organisation"]:
            no(
                "The row names no organisation.",
                "Choose the column with the organisation on the page of the file, or name one "
                "organisation for all rows.",
                f"/imports/{row.batch_id}/",
            ).or_refuse()
        if stage and (long := long_units(row.mapped)):
            no(
                phrase("“{}” is longer than {} letters.", long[0], LONGEST_NAME),
                "Shorten the name in the source, and upload the file again.",
                f"/imports/{row.batch_id}/",
            ).or_refuse()
        row.mapped["by_hand"] = reason.strip()
        row.decision = "import" if stage else "reject"
        if stage:
            row.mapped["stage"], row.initiative = stage, None
        row.problems.append(problem("decided", f"Decided by {by.full_name}: {reason.strip()}"))
        if stage and row.done_at:
            import_rows(row.batch, [row], by)
        row.save(update_fields=["mapped", "decision", "problems", "initiative"])
        entries.record(
            EntryKind.IMPORTED_ROW_DECIDED,
            initiative=row.initiative,
            batch=row.batch_id,
            stage=stage or None,
            line=row.line,
            decision=row.decision,
        )
        batch_rows.count_again(row.batch_id)
    return row


def _check_decision(stage: str, reason: str) -> None:
    wrong = {}
    if not reason.strip():
        wrong["reason"] = "Explain how you know the stage, so that others understand it."
    if stage and stage not in TARGETS:
        wrong["stage"] = (
            f"Choose one of {', '.join(Stage(name).label for name in TARGETS)}, or reject the row."
        )
    if wrong:
        raise ValidationError(wrong)
