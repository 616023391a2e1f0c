"""Recompute the sealed audit log from its bytes: entries, leaves, nodes, roots.

One walk goes over the leaves in order with the tree's peaks, and compares each checkpoint. Memory use does not grow
with the log.
"""

import hmac
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.conf import settings
from django.db import connections, transaction

from governance.models import Checkpoint
from governance.offline import verify
from governance.transparency_log import sealing, signing_keys
from governance.transparency_log.merkle_tree import Tree, kept

AT_ONCE = 1000
_numbers = count(1)

LEAVES = f"""
SELECT l.position, l.entry_id, l.data, l.hash, e.id IS NOT NULL, e.digest, b.body, b.salt,
       CASE WHEN e.id IS NOT NULL AND l.data IS DISTINCT FROM ({sealing.LEAF_DATA}) THEN {sealing.LEAF_DATA} END AS now,
       CASE WHEN NOT e.simulated THEN e.recorded_at END
  FROM governance_leaf l
  LEFT JOIN governance_entry e ON e.id = l.entry_id
  LEFT JOIN governance_entrybody b ON b.entry_id = l.entry_id
 WHERE l.position >= %s ORDER BY l.position
"""
CHECKPOINTS = """
SELECT id, size, root, origin, at, note FROM governance_checkpoint WHERE size >= %s ORDER BY size, id
"""
# In the order in which a growing tree fills them.
NODES = """
SELECT level, index, hash FROM governance_node
 WHERE (index + 1) << level > %s ORDER BY (index + 1) << level, level
"""


@contextmanager
def one_look(using: str) -> Iterator[None]:
    """Open a read-only transaction with one state of the database, or use an open one."""
    connection = connections[using]
    fresh = not connection.in_atomic_block
    with transaction.atomic(using=using):
        with connection.cursor() as cursor:
            if fresh:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Large sorts need no files with this memory. Compilation of the queries takes longer than their run.
            cursor.execute("SET LOCAL work_mem = '64MB'")
            cursor.execute("SET LOCAL jit = off")
        yield


def stream(
    using: str, query: str, values: Sequence[Any] | Mapping[str, Any], at_once: int = AT_ONCE
) -> Generator[tuple[Any, ...]]:
    """Yield the rows of a query, `at_once` in memory at a time, with binary values."""
    connection = connections[using]
    connection.ensure_connection()
    with connection.connection.cursor(f"verify_{next(_numbers)}", binary=True) as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(at_once):
            yield from rows


@dataclass(frozen=True)
class Log:
    """The name of the log, and the keys that may sign its heads."""

    origin: str
    keys: tuple[verify.VerifierKey, ...]

    @classmethod
    def read(cls, using: str, trusted: Iterable[str] = ()) -> "Log":
        """Return the log with the origin of the settings, or of the oldest checkpoint.

        The newest may be the changed one. `trusted` has keys beside those of the settings. Raises offline.Rejected for
        a bad key.
        """
        oldest = Checkpoint.objects.using(using).order_by("size", "pk").values_list("note", flat=True).first()
        origin = settings.ORIGIN or (oldest.split("\n")[0] if oldest else signing_keys.origin(using))
        others = map(verify.parse_key, [*settings.FORMER_KEYS, *trusted])
        return cls(origin, (signing_keys.signer(origin).vkey, *others))

    def check(self, text: bytes) -> verify.Note:
        """Return a held checkpoint that one of the keys signed. Raises offline.Rejected."""
        return verify.note_verify(text, self.keys, origin=self.origin)[0]


class Walk:
    """A walk through the sealed log from `since` on, which gives `report` each fault."""

    def __init__(self, report: Any, *, since: int, held: list[verify.Note], log: "Log", using: str) -> None:
        self.report, self.since, self.log, self.using = report, since, log, using
        self.held = list(held)
        self.peaks = Tree(using).peaks(since, on_full=self._full)
        self.nodes: Iterator[tuple[Any, ...]] = iter(())
        self.checkpoints: Iterator[tuple[Any, ...]] = iter(())
        self.coming: tuple[Any, ...] | None = None  # the next checkpoint
        self.good = since  # the size up to which the roots are right
        self.broken = False  # a root was wrong, or a leaf is missing: those after it cannot be right
        self.nodes_differ = False
        self.newest: datetime | None = (
            None  # when the newest entry so far was recorded, of those by the real clock
        )

    def go(self) -> None:
        """Walk through the log."""
        with (
            closing(stream(self.using, NODES, [self.since])) as self.nodes,
            closing(stream(self.using, CHECKPOINTS, [self.since])) as self.checkpoints,
            closing(stream(self.using, LEAVES, [self.since])) as leaves,
        ):
            self.coming = next(self.checkpoints, None)
            self._heads()
            self._leaves(leaves)
            self._beyond()

    def _leaves(self, leaves: Iterator[tuple[Any, ...]]) -> None:
        expected, digest_of, leaf_hash, peaks = (
            self.since,
            hmac.digest,
            verify.leaf_hash,
            self.peaks,
        )
        wanted = self._wanted()
        for position, entry, data, hash, there, digest, body, salt, now, recorded_at in leaves:
            if position != expected:
                self._say("leaf", expected, None, f"position {expected} is missing", "governance_leaf")
                self.broken = True
                break
            expected += 1
            computed = leaf_hash(data)
            if computed != hash:
                words = "the hash of a leaf does not match its bytes"
                self._say("leaf", position, entry, words, "governance_leaf", "hash")
            if not there or now is not None:
                self._unlike(position, entry, data, now)
            if body is None:
                self._say(
                    "body", position, entry, f"the body of entry {entry} is gone", "governance_entrybody"
                )
            elif not body and not salt:
                self.report.erased += 1
            elif there and digest_of(salt, body, "sha256") != digest:
                words = f"the body of entry {entry} does not have its recorded digest"
                self._say("body", position, entry, words, "governance_entrybody", "body")
            if recorded_at is not None and (self.newest is None or recorded_at > self.newest):
                self.newest = recorded_at
            peaks.push(computed)
            if peaks.size == wanted:
                self._heads()
                wanted = self._wanted()
        self.report.leaves = expected - self.since

    def _say(
        self, place: str, position: int, entry: int | None, words: str, table: str, field: str = ""
    ) -> None:
        key = str(position if table == "governance_leaf" else entry)
        self.report.add(words, place, position=position, entry=entry, table=table, key=key, field=field)

    def _unlike(self, position: int, entry: int, data: bytes, now: bytes | None) -> None:
        """Report the field in which a leaf and its entry differ. `now` None: no entry."""
        try:
            sealed = json.loads(data)
            said, current = sealed["id"], json.loads(now or b"{}")
            fields = [name for name in current if sealed.get(name, ...) != current[name]]
        except (ValueError, TypeError, KeyError):
            said, fields = entry, [""]
        if said != entry:
            words = f"leaf {position} points to entry {entry}, but belongs to entry {said}"
            self._say("leaf", position, entry, words, "governance_leaf", "entry_id")
        elif now is None:
            self._say("entry", position, entry, f"entry {entry} is gone", "governance_entry")
        else:
            words = f"entry {entry} was changed after it was sealed"
            self._say("entry", position, entry, words, "governance_entry", fields[0] if fields else "")

    # --- Nodes and heads --------------------------------------------------------------------------------------------

    def _full(self, level: int, index: int, hash: bytes) -> None:
        """Compare the stored hash of a full subtree with this one, if it is stored."""
        if self.nodes_differ or not kept(level):
            return
        if next(self.nodes, None) != (level, index, hash):
            self.nodes_differ = True
            begin, end = index << level, ((index + 1) << level) - 1
            self.report.add(
                f"the node over positions {begin} to {end} does not match its leaves", "node",
                position=begin, table="governance_node", key=f"{level}/{index}", field="hash",
            )  # fmt: skip

    def _wanted(self) -> int:
        """Return the next size at which a root must be compared."""
        sizes = [note.size for note in self.held[:1]] + ([self.coming[1]] if self.coming else [])
        return min(sizes, default=-1)

    def _heads(self) -> None:
        """Compare all checkpoints at the tree's current size."""
        size = self.peaks.size
        while self.coming is not None and self.coming[1] == size:
            self._head(self.coming)
            self.coming = next(self.checkpoints, None)
        while self.held and self.held[0].size == size:
            note, root = self.held.pop(0), self.peaks.root()
            if note.root != root:
                self.report.add(
                    f"the audit log was rewritten. The root at size {size} is {root.hex()}, but the "
                        f"checkpoint you hold has {note.root.hex()}", "held", position=size,
                )  # fmt: skip

    def _head(self, checkpoint: tuple[Any, ...]) -> None:
        key, size, root, origin, at, note = checkpoint
        self.report.checkpoints += 1
        self.report.newest_size = size

        def wrong(words: str, field: str) -> None:
            self.report.add(
                f"checkpoint {key} of size {size}: {words}", "checkpoint",
                position=size, table="governance_checkpoint", key=str(key), field=field,
            )  # fmt: skip

        try:
            signed, _ = verify.note_verify(note, self.log.keys, origin=self.log.origin, known_only=True)
            signed_at = signed.at
        except verify.Rejected as why:
            wrong(str(why), "note")
            return
        for column, beside, said in (
            ("size", size, signed.size),
            ("root", root, signed.root),
            ("origin", origin, signed.origin),
            ("at", at.astimezone(UTC).replace(tzinfo=None), signed_at),
        ):
            if beside != said:
                wrong(f"the stored {column} differs from the signed {column}", column)
        if self.newest is not None and at < self.newest:
            wrong("the checkpoint is older than an entry that the checkpoint covers", "at")
        if not self.broken and size == self.peaks.size:
            if signed.root == self.peaks.root():
                self.good = size
            else:
                self.broken = True
                wrong((
                    f"the root does not match the leaves: an entry between positions {self.good} and "
                    f"{size - 1} was changed"
                ), "root")  # fmt: skip

    def _beyond(self) -> None:
        """Report checkpoints and nodes that cover more leaves than there are."""
        size = self.peaks.size
        while self.coming is not None:
            self.broken, ahead = True, self.coming
            self.report.add(
                f"checkpoint {ahead[0]} covers {ahead[1]} entries, but there are {size}", "checkpoint",
                position=size, table="governance_checkpoint", key=str(ahead[0]), field="size",
            )  # fmt: skip
            self.coming = next(self.checkpoints, None)
        for note in self.held:
            self.report.add(
                f"the audit log was cut: the checkpoint you hold covers {note.size} entries, but there are "
                f"{size}",
                "held", position=size,
            )  # fmt: skip
        extra = next(self.nodes, None) if not self.nodes_differ else None
        if extra is not None:
            level, index, _ = extra
            self.report.add(
                f"node {level}/{index} covers leaves that are missing", "node",
                position=index << level, table="governance_node", key=f"{level}/{index}",
            )  # fmt: skip
        if not self.broken and self.good < size:
            self.report.add(
                (
                    f"positions {self.good} to {size - 1} are not covered by a checkpoint"
                ), "checkpoint", position=self.good,
                table="governance_leaf", key=str(self.good),
            )  # fmt: skip
