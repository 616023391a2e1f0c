"""The rows of a batch, some at a time: saved, mapped again, and given results."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.models import Count

from governance.permission_result import Conflict
from governance.tables.reader import Line
from governance.vocabulary.phrases import phrase
from initiatives.models import ImportBatch, ImportRow
from initiatives.portfolio.imports.inventories import import_batch
from initiatives.portfolio.imports.inventories.inventory_sources import newcomer, source_for

AT_A_TIME = 500  # rows that are held at once
Progress = Callable[
    [int, int], None
]  # is told rows done and rows in all; may raise to end what it is told of


def still_current(batch: ImportBatch) -> None:
    """Raise Conflict if the file was discarded, or its import undone."""
    if batch.discarded_at or batch.undone_at:
        what = "discarded" if batch.discarded_at else "undone"
        raise Conflict(phrase("This import was {}.", what), "Upload the file again.", "/imports/")


def told_of(
    lines: Callable[[], Iterator[Line]], progress: Progress | None, rows: int
) -> Callable[[], Iterator[Line]]:
    """Return a reader of the lines that calls `progress` now and then."""

    def told() -> Iterator[Line]:
        for place, line in enumerate(lines()):
            if progress and place % AT_A_TIME == 0:
                progress(0, rows)
            yield line

    return told if progress else lines


def keep(batch: ImportBatch, rows: Iterator[ImportRow], progress: Progress | None, in_all: int) -> dict:
    """Save the rows of a batch, some at a time, and return their number by result."""
    found: Counter[str] = Counter()
    while some := list(islice(rows, AT_A_TIME)):
        import_batch.propose_changes(some)
        for row in some:
            row.batch = batch
        ImportRow.objects.bulk_create(some)
        found.update(row.decision for row in some)
        if progress:
            progress(found.total(), in_all)
    return import_batch.counts_of(found)


def lines_of(batch: ImportBatch) -> Iterator[Line]:
    """Yield the rows of a batch as they came, in their order."""
    kept = batch.rows.order_by("line").values_list("line", "raw", "mapped__odd")
    for number, raw, odd in kept.iterator(chunk_size=AT_A_TIME):
        yield Line(number, raw, tuple(odd or ()))


def map_again(batch: ImportBatch, rows: Iterator[ImportRow], progress: Progress | None, in_all: int) -> dict:
    """Write over how the rows of a batch were read, some at a time."""
    found: Counter[str] = Counter()
    keys = dict(batch.rows.values_list("line", "pk"))
    while some := list(islice(rows, AT_A_TIME)):
        import_batch.propose_changes(some)
        for row in some:
            row.pk, row.batch = keys[row.line], batch
        write_readings(some)
        found.update(row.decision for row in some)
        if progress:
            progress(found.total(), in_all)
    return import_batch.counts_of(found)


def write_readings(rows: list[ImportRow]) -> None:
    """Write over how rows of a batch were read, one statement for some at a time."""
    for start in range(0, len(rows), AT_A_TIME):
        told = [
            {name: getattr(row, name) for name in ("id", "mapped", "problems", "decision", "initiative_id")}
            for row in rows[start : start + AT_A_TIME]
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE initiatives_importrow AS r SET mapped = o.mapped, problems = o.problems,"
                " decision = o.decision, initiative_id = o.initiative_id"
                " FROM jsonb_to_recordset(%s) AS o (id bigint, mapped jsonb, problems jsonb, decision text,"
                " initiative_id bigint) WHERE r.id = o.id",
                [json.dumps(told)],
            )


def write_outcomes(rows: list[ImportRow], now: datetime) -> None:
    """Write decision, initiative and moment of rows at once. Proposed changes then wait for an answer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE initiatives_importrow AS r SET decision = o.decision,"
            " initiative_id = o.initiative_id, done_at = %s,"
            " mapped = CASE o.decision WHEN 'change' THEN r.mapped || '{\"proposed\": true}' ELSE r.mapped END"
            " FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS o (id, decision, initiative_id) WHERE r.id = o.id",
            [
                now,
                [row.pk for row in rows],
                [row.decision for row in rows],
                [row.initiative_id for row in rows],
            ],
        )


def count_again(pk: int) -> None:
    """Count the rows of a batch by result, once some were decided. Runs inside an act."""
    batch = ImportBatch.objects.select_for_update().get(pk=pk)
    tally = batch.rows.order_by().values_list("decision").annotate(n=Count("pk"))
    batch.counts = import_batch.counts_of(dict(tally))
    batch.save()


def mark_what_is_done(batch: ImportBatch, rows: list[ImportRow]) -> None:
    """Mark lines as unchanged if another batch of the family made them live meanwhile.

    A rejected row stays rejected.
    """
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
        if row.raw_digest in digests and row.decision not in ("unchanged", "reject"):
            row.decision, row.initiative_id = "unchanged", digests[row.raw_digest]


def join_twins(batch: ImportBatch, rows: list[ImportRow]) -> None:
    """Give each merged line the initiative of the line that it repeats."""
    merged = [row for row in rows if row.decision == "merge"]
    if not merged:
        return
    twins = {row.raw_digest: row.initiative_id for row in rows if row.decision == "import"} | dict(
        batch.rows.filter(initiative__isnull=False).values_list("raw_digest", "initiative_id")
    )
    for row in merged:
        row.initiative_id = twins.get(row.raw_digest)


def match_again(batch: ImportBatch, waiting) -> None:
    """Match rows with systems that another batch of the family added meanwhile."""
    source = source_for(batch.source) or newcomer(batch.source)
    since = ImportBatch.objects.current().filter(
        source__in=import_batch.family_of(source), confirmed_at__gt=batch.uploaded_at
    )
    if not since.exclude(pk=batch.pk).exists():
        return
    untold = waiting.filter(initiative=None).exclude(mapped__has_key="candidates")
    new = list(untold.exclude(decision="merge").defer("raw"))
    mark_what_is_done(batch, new)  # what was entered meanwhile, line by line, needs no question
    import_batch.match(new, import_batch.earlier_of(source, but=batch))
    import_batch.propose_changes(new)
    write_readings([row for row in new if row.initiative_id or "candidates" in row.mapped])
