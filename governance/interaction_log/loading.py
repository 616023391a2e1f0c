"""Load interactions from files into the database, a batch in each transaction.

Each batch has one entry of the audit log. A call is kept once by its span in the initiative, however often it is sent.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Exists, OuterRef

from governance import clock
from governance.database import row_history
from governance.models import Entry, Interaction, InteractionBatch, InteractionDigest
from governance.offline.verify import Peaks, leaf_hash
from governance.queue.spooled_log import Loader
from governance.runtime import spool_files
from governance.vocabulary.entry_kinds import EntryKind

SYSTEM = "interaction log"
PART = 32 << 20  # bytes in one batch
KEPT = timedelta(days=730)  # that rows are kept at least after their month
# The columns of a row that a line has unchanged.
_PLAIN = (
    "at",
    "received_at",
    "initiative_number",
    "key_id",
    "kind",
    "action",
    "has_input",
    "has_output",
    "has_source",
    "failed",
    "milliseconds",
    "unread",
    "model",
    "version",
    "tokens_in",
    "tokens_out",
    "size",
    "stored",
    "odd_clock",
    "sampled",
    "holder_key",
    "place",
)
_BYTES = ("call", "mark", "conversation", "subject", "decision", "digest")
# Files from an earlier version do not have these columns. Columns without a default here become NULL.
_KEPT = {
    "action": "coalesce(t.action, '')",
    "has_input": "coalesce(t.has_input, false)",
    "has_output": "coalesce(t.has_output, false)",
}
_SELECTED = (
    *(_KEPT.get(name, f"t.{name}") for name in _PLAIN),
    *(f"decode(t.{name}, 'hex')" for name in _BYTES),
)
_WRITE = f"""
INSERT INTO governance_interaction ({", ".join((*_PLAIN, *_BYTES))}, batch_id)
SELECT {", ".join(_SELECTED)}, %s
  FROM jsonb_to_recordset(%s) AS t(
       at timestamptz, received_at timestamptz, initiative_number integer, key_id bigint, kind text, action text,
       has_input boolean, has_output boolean, has_source boolean, failed boolean, milliseconds integer,
       unread jsonb,
       model text, version text,
       tokens_in integer, tokens_out integer, size integer, stored integer, odd_clock boolean,
       sampled double precision, holder_key bigint, place integer, call text, mark text, conversation text,
       subject text, decision text, digest text)
 ORDER BY t.place
"""
_KEEP = (
    "COPY governance_interactionbody (day, initiative_number, batch_id, place, content, wrapped) FROM STDIN"
)


def root_of(digests: list[bytes]) -> str:
    """Return the root, in hexadecimal, of the tree over a batch's digests (RFC 6962)."""
    peaks = Peaks()
    for digest in digests:
        peaks.push(leaf_hash(digest))
    return peaks.root().hex()


def _write_once(name: str, lines: list[bytes]) -> None:
    with row_history.acting(system=SYSTEM):
        with connection.cursor() as cursor:
            # One at a time, because two files at once would not see that they have the same call.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline interactions come over'))")
        if not _came_over(name) and (rows := _new([json.loads(line) for line in lines])):
            _write(name, rows)


def _new(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that are not yet kept, each once."""
    calls = {bytes.fromhex(row["call"]) for row in rows}
    known = {
        (bytes(call).hex(), bytes(mark).hex())
        for call, mark in Interaction.objects.filter(call__in=calls).values_list("call", "mark")
    }
    found = []
    for row in rows:
        if (name := (row["call"], row["mark"])) not in known:
            known.add(name)
            found.append(row)
    return found


def _write(name: str, rows: list[dict[str, Any]]) -> None:
    moments = [datetime.fromisoformat(row["at"]) for row in rows]
    day = clock.now().astimezone(UTC).date()
    batch = InteractionBatch(
        spool=name,
        count=len(rows),
        first_at=min(moments),
        last_at=max(moments),
        day=day,
        root=root_of([bytes.fromhex(row["digest"]) for row in rows]),
    )
    batch.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT plumbline_bodies_of(%s)", [day])
        with cursor.copy(_KEEP) as copy:
            for place, row in enumerate(rows):
                row["place"] = place
                body, wrapped = b64decode(row.pop("body")), bytes.fromhex(row.pop("wrapped"))
                copy.write_row((day, row["initiative_number"], batch.pk, place, body, wrapped))
        for month in {
            (moment.astimezone(UTC).year, moment.astimezone(UTC).month): moment for moment in moments
        }.values():
            cursor.execute("SELECT plumbline_interactions_of(%s)", [month])
        cursor.execute(_WRITE, [batch.pk, json.dumps(rows)])


def _came_over(name: str) -> bool:
    return InteractionBatch.objects.filter(spool=name).exists()


loader = Loader("interactions", write=_write_once, came_over=_came_over, part=PART)


def set_aside(initiative: int | None = None) -> int:
    """Return how many refused reports wait in files, of an initiative (number) or all."""
    holding = b"" if initiative is None else b'"initiative_number":%d,' % initiative
    return spool_files.lines_aside(Path(settings.INTERACTIONS_DIR) / "waiting", holding)


def digests_of(batch: InteractionBatch) -> list[bytes]:
    """Return the digests of a batch by place, expired rows included."""
    return _digests(batch)[0]


def _digests(batch: InteractionBatch) -> tuple[list[bytes], set[str]]:
    """Return the digests of a batch by place, and the months of its expired rows."""
    using = batch._state.db
    rows = Interaction.objects.using(using).filter(batch=batch).order_by("place")
    left = InteractionDigest.objects.using(using).filter(batch=batch).order_by("place")
    found = [(place, bytes(digest)) for place, digest in rows.values_list("place", "digest")]
    expired = list(left.values_list("place", "digest", "month"))
    found += [(place, bytes(digest)) for place, digest, _ in expired]
    return [digest for _, digest in sorted(found)], {month for *_, month in expired}


def expired_months(using: str) -> set[str]:
    """Return the months whose rows have expired in time, by entries of retention."""
    found = set()
    for entry in (
        Entry.objects.using(using).filter(kind=EntryKind.INTERACTIONS_EXPIRED).select_related("body")
    ):
        for month in entry.facts["facts"]["months"]:
            if end_of(month) + KEPT <= entry.at:
                found.add(month)
    return found


def rows_kept() -> timedelta:
    """Return how long rows are kept after their month: as long as bodies, and KEPT at least."""
    return max(KEPT, timedelta(days=settings.INTERACTION_DAYS))


def end_of(month: str) -> datetime:
    """Return the first moment (UTC) after a month such as 2026-11."""
    return (datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC) + timedelta(days=32)).replace(day=1)


def broken(batch: InteractionBatch, expired: set[str] | None = None) -> str:
    """Return the fault of a batch against its rows now, or "".

    `expired` has the months whose rows may be missing (`expired_months`), if known. A batch of these months has no
    row, or it has the digests of its expired rows beside the other rows.
    """
    using = batch._state.db or DEFAULT_DB_ALIAS
    found, left = _digests(batch)
    if left or not found:
        expired = expired_months(using) if expired is None else expired
        if not found and _months(batch.first_at, batch.last_at) <= expired:
            return ""
        if early := sorted(left - expired):
            return (
                f"rows of batch {batch.pk} are missing, but their retention has not expired: "
                f"{', '.join(early)}"
            )
    if len(found) != batch.count:
        return f"batch {batch.pk} has {len(found)} interactions, but {batch.count} were written"
    if root_of(found) != batch.root:
        return f"the interactions of batch {batch.pk} do not match its root"
    return ""


def _months(first: datetime, last: datetime) -> set[str]:
    """Return every month (UTC) from one moment to another."""
    found, end = set(), first.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while end <= last:
        found.add(f"{end:%Y-%m}")
        end = end_of(f"{end:%Y-%m}")
    return found


def unsealed(since: int, using: str) -> Iterator[tuple[str, str, str]]:
    """Yield the faults in batches from this transaction on, with table and key.

    This function checks rows, which commit to the bodies. Bodies are checked at each reading
    (`governance.interaction_log.reading`).
    """
    table = InteractionBatch._meta.db_table
    batches = InteractionBatch.objects.using(using).filter(xact__gte=since).order_by("pk")
    expired = expired_months(using)
    for batch in batches.iterator(chunk_size=500):
        if why := broken(batch, expired):
            yield why, table, str(batch.pk)
    known = InteractionBatch.objects.using(using).filter(pk=OuterRef("batch_id"))
    left = Interaction.objects.using(using).filter(~Exists(known)).order_by("pk").values_list("pk", flat=True)
    for row in left[:100]:
        yield f"interaction {row} belongs to no batch", Interaction._meta.db_table, str(row)
