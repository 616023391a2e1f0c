"""Sealing: committed entries get their places in the tree, and its head is signed and can be handed out.

An entry that commits late may have a lower id than one that is sealed already. So an entry's place is the order of
sealing, not its id: each sealing takes every visible entry that has no leaf yet. It does not look below its floor.
Each checkpoint carries a mark: how far ids were counted, and a transaction id given out after that. Whoever writes an
entry has its transaction id before it draws the entry's id; so once no transaction with a lower id than the mark's
runs, nothing new can appear at or below its count. A sealing that finds the last mark final sets a new one, and as
it still looked from the old floor, the old mark is from then on the floor. Until then the mark is carried along.

The mark's transaction id is the sealing's own, not the upper end of a snapshot: that lies one past the highest
transaction that is over, and a running one may be beyond it.
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
# The bytes of a leaf, of an entry `e`: everything of it but its body, which the digest commits to.
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
    """The stored tree is not the one that was signed last, or not by a key of ours: nothing is signed on top of it."""


class NotSealedYet(LookupError):
    """The entry has no place in the tree yet; seconds after its commit it has."""


@dataclass(frozen=True)
class Mark:
    """How far ids of entries were counted, and a transaction id that was given out after counting."""

    counted: int
    running_to: int


@dataclass(frozen=True)
class Backlog:
    """Entries that are committed and not sealed: how many, and how long the oldest waits by the real clock."""

    count: int
    age: timedelta

    @property
    def late(self) -> bool:
        """Whether that is longer than sealing ever takes when it runs."""
        return self.age > LATE


def database() -> str:
    """The connection that seals: one of its own where it is set up."""
    return "sealer" if "sealer" in settings.DATABASES else "default"


# --- Sealing ------------------------------------------------------------------------------------------------


def seal(*, wait: bool = True) -> Checkpoint | None:
    """Seal every committed entry that is not sealed; the new checkpoint, or None when there is nothing new.

    One sealing at a time: with `wait` it waits for its turn, without it leaves the work to the one that is at it.
    Raises AuditLogBroken, having written nothing, when the stored tree is not the one signed last, or was signed last
    with a key that is not known here.
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
    """Seal as soon as the running transaction is committed; a queue that does not answer does not undo the act.

    What is replayed in a simulated time is sealed by whoever replays it, at its end.
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
    """A Mark made now, its two parts in this order; None in a transaction that has its id already from before."""
    cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
    (fresh,) = cursor.fetchone()
    cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM governance_entry_id_seq")
    (counted,) = cursor.fetchone()
    cursor.execute("SELECT pg_current_xact_id()::text::bigint")
    (running_to,) = cursor.fetchone()
    return Mark(counted, running_to) if fresh else None


def _final(cursor: CursorWrapper, last: Checkpoint) -> bool:
    """Whether every transaction from before the last mark is over. Ids beyond our own are those of another server."""
    cursor.execute(
        "SELECT %(mark)s <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        " OR %(mark)s > pg_current_xact_id()::text::bigint",
        {"mark": last.running_to},
    )
    return bool(cursor.fetchone()[0])


def _floor(cursor: CursorWrapper, last: Checkpoint | None) -> int:
    """The id up to which every entry that will ever be there is sealed: the count of the mark before the last."""
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
    """Give every unsealed entry above the floor the next place, in one statement and so from one view; how many."""
    cursor.execute(
        "INSERT INTO governance_leaf (position, entry_id, data, hash)"
        " SELECT %s + n, id, data, sha256('\\x00'::bytea || data) FROM ("
        f" SELECT e.id, row_number() OVER (ORDER BY e.id) - 1 AS n, {LEAF_DATA} AS data FROM {UNSEALED}"
        ") AS fresh ORDER BY n",
        [size, floor],
    )
    return int(cursor.rowcount)


def _grow(cursor: CursorWrapper, using: str, last: Checkpoint | None, size: int) -> verify.Peaks:
    """The peaks of the tree with its new leaves; the nodes that became full on the way are stored."""
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
            f"The leaves that are stored do not make the root of checkpoint {last.pk}; run verify_audit_log."
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
    """Sign the checkpoint over these peaks; the leaves from `size` on are new.

    Its time is the database's real clock, later than the last checkpoint and not before any entry that it covers. The
    clock of a server can step back; verification compares the three.
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
    """From when on each transaction sealed here is part of every day: now, or its own moment if that is simulated."""
    cursor.execute(
        "INSERT INTO governance_sealing (xact, checkpoint_id, known_at)"
        " SELECT e.xact, %s, CASE WHEN bool_or(e.simulated) THEN max(e.recorded_at) ELSE %s END"
        " FROM governance_leaf AS l JOIN governance_entry AS e ON e.id = l.entry_id"
        " WHERE l.position >= %s GROUP BY e.xact ON CONFLICT (xact) DO NOTHING",
        [checkpoint.pk, checkpoint.at, size],
    )


# --- What can be asked of it --------------------------------------------------------------------------------


def newest() -> Checkpoint | None:
    """The newest checkpoint."""
    return once(("newest checkpoint",), lambda: Checkpoint.objects.order_by("-pk").first())


def backlog() -> Backlog:
    """What waits to be sealed. Entries of a simulated time are counted, but have no age."""
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
    """The first checkpoint that covers the entry. Raises NotSealedYet."""
    leaf = Leaf.objects.filter(entry_id=entry.pk).only("position").first()
    found = leaf and Checkpoint.objects.filter(size__gt=leaf.position).order_by("size", "pk").first()
    if not found:
        raise NotSealedYet(f"Entry {entry.pk} is not sealed yet; it will be within seconds.")
    return found


def receipt_of(entry: Entry) -> bytes:
    """A file that proves by itself that the entry is in the audit log, word for word. Raises NotSealedYet.

    Of an entry whose body was erased the receipt shows what is left: its place, its leaf and nothing of the body.
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
    """Once a week every auditor is sent the newest checkpoint: kept elsewhere, it tells whether we changed the past."""
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
