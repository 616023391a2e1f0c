"""Importing inventories: what a source claims becomes cases with a claimed stage, and nothing else comes of it."""

import hashlib
from dataclasses import replace
from datetime import date

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils.text import slugify
from psycopg.errors import LockNotAvailable

from governance import clock
from governance.ledger import record
from governance.models import User
from governance.people import cooling_off
from governance.people.permissions import may_import
from governance.permission_result import Conflict, all_of, no
from governance.tables.encodings import CodePageUnsure
from governance.tables.reader import Line, read_table
from governance.vocabulary import Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act
from initiatives.imports.assertions.actions import decide_move
from initiatives.imports.assertions.asserted_moves import BY_NAME
from initiatives.imports.inventories import import_batch
from initiatives.imports.inventories.claims import TARGETS, import_rows
from initiatives.imports.inventories.inventory_columns import problem
from initiatives.imports.inventories.inventory_sources import FIELDS, Source, newcomer, source_for
from initiatives.models import ImportBatch, ImportRow, Initiative, InventorySource

WAITS_FOR_ANOTHER = "5s"  # less than what ends a statement of the web server, which could not say why


def upload_batch(
    *,
    content: bytes,
    file_name: str,
    source: str,
    encoding: str = "",
    organisation: str = "",
    published_on: date | None = None,
    backfill: bool = False,
    own: bool = False,
    by: User | None = None,
    system: str = "",
) -> ImportBatch:
    """Read a file and keep every row with what would become of it. Nothing is live until it is confirmed.

    `own`: it lists systems of one's own organisation; what others list lives apart from these.

    The same file again is linked to the first by SHA-256 and brings no rows. Raises CodePageUnsure when somebody must
    choose the code page, ValidationError on the field that is wrong, Refused for everybody but admins.
    """
    key = slugify(source)[:60]
    described = source_for(key) or newcomer(key)
    if not key:
        raise ValidationError({"source": "Name the source with letters or digits, like acme-2026."})
    published_on = published_on or described.published_on
    with act("upload inventory", by=by, system=system, reason=f"Asserted by source {described.words}"):
        _may_import(by)
        one_import_at_a_time()
        digest = hashlib.sha256(content).hexdigest()
        standing = ImportBatch.objects.standing()
        first = standing.filter(sha256=digest, source=described.key, repeats=None).first()
        batch = ImportBatch(
            source=described.key,
            file_name=file_name[-200:],
            sha256=digest,
            size=len(content),
            uploaded_by=by,
            uploaded_at=clock.now(),
            published_on=published_on,
            repeats=first,
            own=own,
        )
        if first is not None and encoding in ("", first.encoding) and _as_before(first, backfill):
            rows = first.rows.count()
            batch.encoding, batch.columns, batch.reading = first.encoding, first.columns, first.reading
            batch.counts = {
                "rows": rows,
                **dict.fromkeys(import_batch.COUNTED.values(), 0),
                "unchanged": rows,
            }
            batch.save()
        else:
            _refuse_older(described, published_on, backfill)
            table = _read(content, described, encoding)
            rows, used = import_batch.preview(
                table.lines,
                table.columns,
                described,
                import_batch.earlier_of(described),
                organisation=organisation.strip(),
                backfill=backfill,
            )
            batch.encoding, batch.columns = table.encoding, table.columns
            batch.counts = import_batch.counted(rows)
            batch.reading = {
                "delimiter": table.delimiter,
                "sheet": table.sheet,
                "header_line": table.header_line,
                "remarks": table.remarks,
                "organisation": organisation.strip(),
                "backfill": backfill,
                **_reading_of(used),
            }
            batch.save()
            for row in rows:
                row.batch = batch
            ImportRow.objects.bulk_create(rows, batch_size=500)
        record.record(
            EntryKind.INVENTORY_UPLOADED,
            batch=batch.pk,
            source=batch.source,
            file=batch.file_name,
            sha256=digest,
            repeats=first.pk if first else None,
            counts=batch.counts,
        )
    return batch


def _as_before(first: ImportBatch, backfill: bool) -> bool:
    return bool(first.reading.get("backfill")) == backfill


def _reading_of(used: Source) -> dict:
    return {
        "columns": used.columns,
        "stages": {word: list(meaning) for word, meaning in used.stages.items()} if used.guessed else {},
        "fixed": used.fixed,
        "dates": used.dates,
    }


def _may_import(by: User | None) -> None:
    if by is not None:
        all_of(may_import(by), cooling_off.may_lift(by)).or_refuse()


def still_standing(batch: ImportBatch) -> None:
    """Raise Conflict where the file was thrown away, or its import undone, meanwhile."""
    if batch.discarded_at or batch.undone_at:
        what = "thrown away" if batch.discarded_at else "undone"
        raise Conflict(f"This import was {what}.", "Upload the file again.", "/imports/")


def one_import_at_a_time() -> None:
    """Two imports at once could both find a system missing: the second waits a moment, then Conflict says why."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAITS_FOR_ANOTHER])
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline import'))")
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise Conflict(
            "Another import is under way; two at once could enter the same system twice.",
            "Nothing of yours was taken. Send it again when the other one is done, in a minute or two.",
            "/imports/",
        ) from None


def _read(content: bytes, described: Source, encoding: str):
    expected = tuple(described.columns.values())
    try:
        return read_table(content, encoding=encoding, expected=expected)
    except CodePageUnsure:
        if described.code_page and not encoding:
            return read_table(content, encoding=described.code_page, expected=expected)
        raise


def _refuse_older(described: Source, published_on: date | None, backfill: bool) -> None:
    """An older file would take claims back: it is refused unless it is only to add what was asserted then."""
    newer = (
        ImportBatch.objects.standing()
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
    if newer and not backfill:
        raise ValidationError(
            {
                "backfill": f"This file is of {published_on:%-d %B %Y}; {newer.file_name} of "
                f"{newer.published_on:%-d %B %Y} was imported already. Choose \u201cbackfill history\u201d to keep "
                "what it asserted then beside the initiatives; no claim goes back."
            }
        )
    if backfill and not newer:
        raise ValidationError(
            {"backfill": "No newer file of this source was imported: there is nothing to fill in behind."}
        )


def map_batch(
    *,
    batch: ImportBatch,
    columns: dict[str, str],
    stages: dict[str, str] | None = None,
    organisation: str = "",
    dates: str = "",
    by: User,
) -> ImportBatch:
    """Say which column holds what and what each word for a stage means; remembered for the next file of the source.

    Raises ValidationError on what cannot be; Conflict once rows of the batch are live.
    """
    wrong = {}
    if not columns.get("title"):
        wrong["title"] = "Choose the column with the names of the systems."
    used = [column for column in columns.values() if column]
    for role, column in columns.items():
        if role not in FIELDS or (column and column not in batch.columns):
            wrong[role] = "Choose one of the columns of the file."
        elif column and used.count(column) > 1:
            wrong[role] = "Two fields cannot share a column."
    if wrong:
        raise ValidationError(wrong)
    with act("map inventory", by=by, reason="Mapping of an inventory confirmed"):
        _may_import(by)
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        still_standing(batch)
        if batch.rows.filter(done_at__isnull=False).exists():
            raise Conflict(
                "Rows of this file are live: its mapping stays. Upload the next file to map it anew."
            )
        described = source_for(batch.source) or newcomer(batch.source)
        if not described.guessed:
            no("This source is known: its mapping is part of Plumbline.").or_refuse()
        meanings = dict(described.stages)
        for word, stage in (stages or {}).items():
            meanings[word] = (stage if stage in TARGETS else "", "medium", "Chosen by hand.")
        chosen = {role: column for role, column in columns.items() if column}
        described = replace(described, columns=chosen, stages=meanings, dates=dates, guessed=True)
        left_out = {role: "" for role in FIELDS if role not in chosen}
        row = InventorySource.objects.filter(key=batch.source).first() or InventorySource(
            key=batch.source, words=described.words
        )
        row.columns, row.dates = chosen, dates
        row.stages = {word: list(meaning) for word, meaning in meanings.items()}
        row.fixed = left_out | ({"organisation": organisation.strip()} if organisation.strip() else {})
        row.save()
        lines = [Line(r.line, r.raw, tuple(r.mapped.get("odd", ()))) for r in batch.rows.order_by("line")]
        rows, used_source = import_batch.preview(
            lines,
            batch.columns,
            replace(described, fixed=row.fixed),
            import_batch.earlier_of(described),
            organisation=organisation.strip(),
            backfill=bool(batch.reading.get("backfill")),
        )
        keys = dict(batch.rows.values_list("line", "pk"))
        for each in rows:
            each.pk, each.batch = keys[each.line], batch
        ImportRow.objects.bulk_update(
            rows,
            ["mapped", "problems", "decision", "group", "initiative", *import_batch.PAIRED],
            batch_size=500,
        )
        batch.reading |= {"organisation": organisation.strip(), **_reading_of(used_source)}
        batch.counts = import_batch.counted(rows)
        batch.save()
        record.record(
            EntryKind.INVENTORY_MAPPED, batch=batch.pk, source=batch.source, columns=chosen, stages=row.stages
        )
    return batch


def confirm_batch(
    *,
    batch: ImportBatch,
    organisations: list[str] | None = None,
    by: User | None = None,
    system: str = "",
) -> dict[str, int]:
    """Make the rows of the batch live, all or those of the named organisations. Returns what this run did.

    A repeated file stands for the first. Whoever waited finds rows that were imported meanwhile unchanged.
    """
    reason = f"Asserted by source {batch.source}, file {batch.file_name}"
    with act("confirm inventory", by=by, system=system, reason=reason):
        _may_import(by)
        one_import_at_a_time()
        if batch.repeats_id and not batch.rows.exists():
            batch = batch.repeats
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        still_standing(batch)
        waiting = batch.rows.filter(done_at__isnull=True).order_by("line")
        if organisations is not None:
            waiting = waiting.filter(mapped__organisation__in=organisations)
        rows = list(waiting)
        total = len(rows) if organisations is not None else batch.rows.count()
        _notice_what_is_done(batch, rows)
        _pair_again(batch, rows)
        import_rows(batch, [row for row in rows if row.decision == "import"], by)
        _join_twins(batch, rows)
        now = clock.now()
        write_outcomes(rows, now)
        done = import_batch.counted(rows)
        counts = done | {"rows": total, "unchanged": done["unchanged"] + total - len(rows)}
        if rows:
            batch.confirmed_by, batch.confirmed_at, batch.counts = by, now, counts
            batch.save()
            record.record(
                EntryKind.INVENTORY_CONFIRMED,
                batch=batch.pk,
                source=batch.source,
                organisations=organisations,
                counts=counts,
            )
    return counts


def write_outcomes(rows: list[ImportRow], now) -> None:
    """Decision, case and moment of every row, in one statement: thousands at once are the rule here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE initiatives_importrow AS r SET decision = o.decision, initiative_id = o.case_id, done_at = %s"
            " FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS o (id, decision, case_id) WHERE r.id = o.id",
            [
                now,
                [row.pk for row in rows],
                [row.decision for row in rows],
                [row.initiative_id for row in rows],
            ],
        )


def _notice_what_is_done(batch: ImportBatch, rows: list[ImportRow]) -> None:
    """Lines that another batch of the family made live since this one was read are unchanged now."""
    if batch.reading.get("backfill"):
        return
    source = source_for(batch.source) or newcomer(batch.source)
    digests = dict(
        ImportRow.objects.filter(
            batch__source__in=import_batch.family_of(source),
            batch__undone_at__isnull=True,
            done_at__gt=batch.uploaded_at,
            raw_digest__in=[row.raw_digest for row in rows],
        )
        .exclude(batch=batch)
        .values_list("raw_digest", "initiative_id")
    )
    for row in rows:
        if row.raw_digest in digests and row.decision != "unchanged":
            row.decision, row.initiative_id = "unchanged", digests[row.raw_digest]


def _pair_again(batch: ImportBatch, rows: list[ImportRow]) -> None:
    """Systems that another batch of the family brought in since this one was read are no new cases."""
    source = source_for(batch.source) or newcomer(batch.source)
    since = ImportBatch.objects.filter(
        source__in=import_batch.family_of(source), confirmed_at__gt=batch.uploaded_at
    )
    if batch.reading.get("backfill") or not since.exclude(pk=batch.pk).exists():
        return
    new = [row for row in rows if row.decision != "merge" and not row.paired_by]
    import_batch.pair(new, import_batch.earlier_of(source, but=batch))
    found = [row for row in new if row.paired_by]
    ImportRow.objects.bulk_update(found, ["mapped", "problems", *import_batch.PAIRED], batch_size=500)


def _join_twins(batch: ImportBatch, rows: list[ImportRow]) -> None:
    """A merged line belongs to the case of the line it repeats."""
    merged = [row for row in rows if row.decision == "merge"]
    if not merged:
        return
    twins = {row.raw_digest: row.initiative_id for row in rows if row.decision == "import"} | dict(
        batch.rows.filter(initiative__isnull=False).values_list("raw_digest", "initiative_id")
    )
    for row in merged:
        row.initiative_id = twins.get(row.raw_digest)


def _no_second_case(row: ImportRow) -> None:
    """Raises Refused while a case may be this system: first a person says whether it is."""
    if row.paired_by == BY_NAME:
        no(
            "An initiative of this name may be this system: whether it is must be said first.",
            "Say on the page of the row which one it is, or that it is another.",
            f"/imports/rows/{row.pk}/decide/",
        ).or_refuse()
    if row.paired_by:  # somebody looked, and said that it is another system
        return
    source = source_for(row.batch.source) or newcomer(row.batch.source)
    import_batch.pair([row], import_batch.earlier_of(source, but=row.batch))
    if row.paired_by:
        known = Initiative.objects.filter(pk__in=[row.initiative_id, *row.mapped.get("candidates", ())])
        refs = ", ".join(case.ref for case in known)
        no(
            f"A list imported since brought this system in already, by its id or its name: {refs}.",
            "Reject this row; what it says stays in its file.",
        ).or_refuse()


def decide_row(*, row: ImportRow, stage: str = "", reason: str = "", by: User) -> ImportRow:
    """Decide a row set aside: give it a stage by hand, or reject it (no stage). Either needs a reason.

    It becomes live at once when its part of the batch was confirmed, otherwise with the confirmation. Of a row that
    speaks of a case that is here, the stage is what that case claims from now on; no stage leaves its claim.
    """
    wrong = {}
    if not reason.strip():
        wrong["reason"] = "Say how you know, so that others can follow it."
    if stage and stage not in TARGETS:
        wrong["stage"] = (
            f"Choose one of {', '.join(Stage(name).label for name in TARGETS)}, or reject the row."
        )
    if wrong:
        raise ValidationError(wrong)
    if row.initiative_id is not None and row.decision == "triage":
        return decide_move(row=row, stage=stage, reason=reason, by=by)
    with act(
        "decide imported row", by=by, reason=f"Asserted by its source; decided by hand: {reason.strip()}"
    ):
        _may_import(by)
        one_import_at_a_time()
        row = ImportRow.objects.select_for_update(of=("self",)).select_related("batch").get(pk=row.pk)
        still_standing(row.batch)
        if row.decision not in ("triage", "reject") or (row.decision == "reject" and row.done_at):
            raise Conflict(f"This row is decided already: {row.get_decision_display().lower()}.")
        if row.initiative_id is not None:
            raise Conflict("Somebody has just said which initiative this row speaks of: look at it again.")
        if stage:
            _no_second_case(row)
        if stage and not row.mapped["organisation"]:
            no(
                "The row names no organisation.",
                "Say on the page of its file which column holds it, or name one for all rows.",
                f"/imports/{row.batch_id}/",
            ).or_refuse()
        row.mapped["by_hand"] = reason.strip()
        if stage:
            row.mapped["stage"], row.decision = stage, "import"
            if row.done_at:
                import_rows(row.batch, [row], by)
        else:
            row.decision = "reject"
        row.problems.append(problem("decided", f"Decided by {by.full_name}: {reason.strip()}"))
        row.save()
        counts = import_batch.counted(row.batch.rows.only("decision"))
        batch = ImportBatch.objects.get(pk=row.batch_id)
        batch.counts = counts
        batch.save()
        record.record(
            EntryKind.IMPORTED_ROW_DECIDED,
            case=row.initiative,
            batch=row.batch_id,
            line=row.line,
            stage=stage or None,
            decision=row.decision,
        )
    return row
