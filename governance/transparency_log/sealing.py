"""Seal committed entries: give them places in the tree, and sign its head.

An entry that commits late may have a lower id than a sealed one. So an entry's place is the order of sealing, not its
id: each sealing takes every visible entry without a leaf, from its floor on. Each checkpoint carries a mark: the
highest id that was counted, and a transaction id given out after that. A writer has its transaction id before it draws
the entry's id. So if no transaction with a lower id than the mark's runs, no new entry can appear up to the mark's
count. A sealing that finds the last mark final sets a new one, and the old mark becomes the floor, because this
sealing still started at the old floor. Each checkpoint repeats the last mark until the mark is final.

The mark's transaction id is the sealing's, not the upper end of a snapshot. The upper end is one past the highest
finished transaction, and a running one may be beyond it.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from governance import clock
from governance.database.request_memo import once
from governance.models import Checkpoint, Entry, EntryBody, Leaf, User
from governance.notifications.due import Due
from governance.offline import verify
from governance.queue.task_base import named
from governance.transparency_log import signing_keys
from governance.transparency_log.merkle_tree import LEVELS, Tree

BATCH = 10_000  # hashes read and pushed at once
WIDE = 20_000  # ids looked through again and again in vain, after which a quiet checkpoint moves the floor
LATE = timedelta(seconds=60)  # an entry that waits longer to be sealed is worth a warning

MOMENT = "to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
# The bytes of a leaf for an entry `e`: all its fields and the digest, which commits to its body.
LEAF_DATA = (
    "convert_to(json_build_object('id', e.id, 'kind', e.kind, 'actor', e.actor_id,"
    " 'on_behalf_of', e.on_behalf_of_id, 'initiative', e.initiative_ref, 'table', e.\"table\", 'key', e.key,"
    " 'operation', e.operation, 'xact', e.xact, 'request', e.request_id,"
    f" 'at', {MOMENT % 'e.at'}, 'recorded_at', {MOMENT % 'e.recorded_at'},"
    " 'simulated', e.simulated, 'digest', encode(e.digest, 'hex'))::text, 'UTF8')"
)
UNSEALED = (
    "governance_entry AS e WHERE e.id > %s"
    " AND NOT EXISTS (SELECT FROM governance_leaf AS l WHERE l.entry_id = e.id)"
)


class AuditLogBroken(RuntimeError):
    """The stored tree is not the last signed one, or an unknown key signed it."""


class NotSealedYet(LookupError):
    """The entry has no place in the tree yet. It gets one seconds after its commit."""


@dataclass(frozen=True)
class Mark:
    """The highest counted id of entries, and a transaction id given out after that."""

    counted: int
    running_to: int


@dataclass(frozen=True)
class Backlog:
    """The unsealed committed entries: their number, and the real wait of the oldest."""

    count: int
    age: timedelta

    @property
    def late(self) -> bool:
        """Return True if the wait is longer than a working sealing ever takes."""
        return self.age > LATE


def database() -> str:
    """Return the connection that seals: the sealer's if it is set up, or the default."""
    return "sealer" if "sealer" in settings.DATABASES else "default"


# --- Sealing ------------------------------------------------------------------------------------------------


def seal(*, wait: bool = True) -> Checkpoint | None:
    """Seal every committed entry. Return the new checkpoint, or None if there is none.

    One sealing runs at a time. With `wait` it waits for its turn, and without it leaves the work to the running one.
    Raises AuditLogBroken, with nothing written, if the stored tree is not the last signed one, or an unknown key
    signed last.
    """
    using = database()
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        if not _our_turn(cursor, wait):
            return None
        last = Checkpoint.objects.using(using).order_by("-pk").first()
        mark = _new_mark(cursor)
        moves = mark is not None and (last is None or _final(cursor, last))
        floor = _floor(cursor, last)
        if last and (why := signing_keys.stray(last, using)):
            raise AuditLogBroken(why)
        size = last.size if last else 0
        added = _append_leaves(cursor, floor, size)
        if not added and not (last and moves and last.counted - floor > WIDE):
            return None
        peaks = _grow(cursor, using, last, size + added)
        if mark is None or not moves:
            mark = Mark(last.counted, last.running_to) if last else Mark(0, 0)
        checkpoint = _sign(cursor, using, peaks, mark, last, size)
        if added:
            _make_known(cursor, checkpoint, size)
        return checkpoint


def soon() -> None:
    """Seal after the commit of the running transaction. A queue fault undoes no act.

    In a simulated time, the replay seals its entries itself at its end.
    """
    if clock.simulating() or any(told[1] is _ask_for_it for told in connection.run_on_commit):
        return
    transaction.on_commit(_ask_for_it, robust=True)


def _ask_for_it() -> None:
    named("governance.tasks.seal_audit_log").delay(wait=True)


def _our_turn(cursor: CursorWrapper, wait: bool) -> bool:
    name = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    cursor.execute(f"SELECT {name}(hashtext('plumbline seal'))")
    return wait or bool(cursor.fetchone()[0])


def _new_mark(cursor: CursorWrapper) -> Mark | None:
    """Return a new Mark, or None in a transaction that already had its id."""
    cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
    (fresh,) = cursor.fetchone()
    cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM governance_entry_id_seq")
    (counted,) = cursor.fetchone()
    cursor.execute("SELECT pg_current_xact_id()::text::bigint")
    (running_to,) = cursor.fetchone()
    return Mark(counted, running_to) if fresh else None


def _final(cursor: CursorWrapper, last: Checkpoint) -> bool:
    """Return True if transactions below the last mark are over, or of another server."""
    cursor.execute(
        "SELECT %(mark)s <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        " OR %(mark)s > pg_current_xact_id()::text::bigint",
        {"mark": last.running_to},
    )
    return bool(cursor.fetchone()[0])


def _floor(cursor: CursorWrapper, last: Checkpoint | None) -> int:
    """Return the id up to which all entries are sealed: the count of the earlier mark."""
    if last is None:
        return 0
    cursor.execute(
        "SELECT counted FROM governance_checkpoint WHERE (counted, running_to) <> (%s, %s)"
        " ORDER BY id DESC LIMIT 1",
        [last.counted, last.running_to],
    )
    found = cursor.fetchone()
    return found[0] if found else 0


def _append_leaves(cursor: CursorWrapper, floor: int, size: int) -> int:
    """Give unsealed entries above the floor their places, at once. Return how many."""
    cursor.execute(
        "INSERT INTO governance_leaf (position, entry_id, data, hash)"
        " SELECT %s + n, id, data, sha256('\\x00'::bytea || data) FROM ("
        f" SELECT e.id, row_number() OVER (ORDER BY e.id) - 1 AS n, {LEAF_DATA} AS data FROM {UNSEALED}"
        ") AS fresh ORDER BY n",
        [size, floor],
    )
    return int(cursor.rowcount)


def _grow(cursor: CursorWrapper, using: str, last: Checkpoint | None, size: int) -> verify.Peaks:
    """Return the peaks of the tree with its new leaves, and store its new full nodes."""
    nodes: list[tuple[int, int, bytes]] = []

    def full(level: int, index: int, hash: bytes) -> None:
        if level in LEVELS:
            nodes.append((level, index, hash))

    try:
        peaks = Tree(using).peaks(last.size if last else 0, on_full=full)
    except verify.Rejected as gap:
        raise AuditLogBroken(str(gap)) from None
    if last and peaks.root() != bytes(last.root):
        raise AuditLogBroken(
            f"The stored leaves do not have the root of checkpoint {last.pk}. Run verify_audit_log."
        )
    while peaks.size < size:
        cursor.execute(
            "SELECT string_agg(hash, ''::bytea ORDER BY position) FROM governance_leaf"
            " WHERE position >= %s AND position < %s",
            [peaks.size, peaks.size + BATCH],
        )
        hashes = bytes(cursor.fetchone()[0])
        for start in range(0, len(hashes), 32):
            peaks.push(hashes[start : start + 32])
        if nodes:
            cursor.execute(
                'INSERT INTO governance_node (level, "index", hash)'
                " SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bytea[])",
                [list(column) for column in zip(*nodes, strict=True)],
            )
            nodes.clear()
    return peaks


def _sign(
    cursor: CursorWrapper, using: str, peaks: verify.Peaks, mark: Mark, last: Checkpoint | None, size: int
) -> Checkpoint:
    """Sign the checkpoint over these peaks. The leaves from `size` on are new.

    Its time is the database's real clock, later than the last checkpoint and not before any entry that it covers. The
    clock of a server can step back, so verification compares the three.
    """
    cursor.execute(
        "SELECT greatest(clock_timestamp(), %s::timestamptz + interval '1 microsecond', ("
        " SELECT max(e.recorded_at) FROM governance_leaf AS l JOIN governance_entry AS e ON e.id = l.entry_id"
        " WHERE l.position >= %s AND NOT e.simulated))",
        [last.at if last else None, size],
    )
    (at,) = cursor.fetchone()
    origin, root = signing_keys.origin(using), peaks.root()
    return Checkpoint.objects.using(using).create(
        origin=origin,
        size=peaks.size,
        root=root,
        note=signing_keys.signed_note(origin, peaks.size, root, at),
        at=at,
        counted=mark.counted,
        running_to=mark.running_to,
    )


def _make_known(cursor: CursorWrapper, checkpoint: Checkpoint, size: int) -> None:
    """Record when each sealed transaction becomes known: now, or its simulated moment."""
    cursor.execute(
        "INSERT INTO governance_sealing (xact, checkpoint_id, known_at)"
        " SELECT e.xact, %s, CASE WHEN bool_or(e.simulated) THEN max(e.recorded_at) ELSE %s END"
        " FROM governance_leaf AS l JOIN governance_entry AS e ON e.id = l.entry_id"
        " WHERE l.position >= %s GROUP BY e.xact ON CONFLICT (xact) DO NOTHING",
        [checkpoint.pk, checkpoint.at, size],
    )


# --- What can be asked of it --------------------------------------------------------------------------------


def newest() -> Checkpoint | None:
    """Return the newest checkpoint."""
    return once(("newest checkpoint",), lambda: Checkpoint.objects.order_by("-pk").first())


def backlog() -> Backlog:
    """Return the unsealed entries. Entries of a simulated time count, but have no age."""
    return once(("backlog",), _backlog)


def _backlog() -> Backlog:
    with connections["default"].cursor() as cursor:
        floor = _floor(cursor, newest())
        cursor.execute(
            "SELECT count(*), coalesce(clock_timestamp() - min(e.recorded_at) FILTER (WHERE NOT e.simulated),"
            f" interval '0') FROM {UNSEALED}",
            [floor],
        )
        return Backlog(*cursor.fetchone())


def checkpoint_for(entry: Entry) -> Checkpoint:
    """Return the first checkpoint that covers the entry. Raises NotSealedYet."""
    leaf = Leaf.objects.filter(entry_id=entry.pk).only("position").first()
    found = leaf and Checkpoint.objects.filter(size__gt=leaf.position).order_by("size", "pk").first()
    if not found:
        raise NotSealedYet(f"Entry {entry.pk} is not sealed yet. Try again in a few seconds.")
    return found


def receipt_of(entry: Entry) -> bytes:
    """Return a file that proves the entry, word for word. Raises NotSealedYet.

    The receipt of an entry with an erased body has its place and its leaf, without the body.
    """
    checkpoint = checkpoint_for(entry)
    leaf = Leaf.objects.get(entry_id=entry.pk)
    body = EntryBody.objects.get(entry_id=entry.pk)
    erased = not bytes(body.salt)
    proof = Tree().inclusion(leaf.position, checkpoint.size)
    signed = {(line.name, line.key_id) for line in verify.parse_note(checkpoint.note).signatures}
    return verify.receipt_bytes(
        {
            "format": verify.RECEIPT,
            "position": leaf.position,
            "leaf": bytes(leaf.data).decode(),
            "body": None if erased else bytes(body.body).decode(),
            "salt": None if erased else base64.b64encode(bytes(body.salt)).decode(),
            "proof": [base64.b64encode(hash).decode() for hash in proof],
            "checkpoint": checkpoint.note,
            "keys": [str(key) for key in signing_keys.known() if (key.name, key.key_id) in signed],
        }
    )


def checkpoints_due(moment: datetime) -> Iterator[Due]:
    """Yield the newest checkpoint for every auditor, weekly, as proof against changes."""
    checkpoint = newest()
    if checkpoint is None:
        return
    year, week, _ = clock.local_day(moment).isocalendar()
    for person in User.objects.filter(is_auditor=True, is_active=True).order_by("pk"):
        yield Due(
            person,
            "checkpoint",
            "audit log",
            f"The audit log's checkpoint of week {week}, {year}, to keep: {checkpoint.size} entries",
            text=checkpoint.note,
            link="/audit-log/",
            period=f"{year}-W{week:02}",
        )
