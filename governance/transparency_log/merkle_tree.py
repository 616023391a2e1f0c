"""Read the Merkle tree over the audit log: peaks, inclusion, consistency proofs.

Stored are the hashes of leaves and of each full subtree of 256, 65,536, 16,777,216 ... leaves. Any other hash is made
from at most 255 of those below it, so that a proof in a tree of a million reads some hundreds of rows. The rules of
RFC 6962 are in `governance.offline.verify`, which checks these proofs.
"""

from collections.abc import Callable

from django.db import connections

from governance.offline.verify import EMPTY_ROOT, Peaks, Rejected, node_hash

STEP = 8  # every so many levels the subtrees are stored
LEVELS = (8, 16, 24)


def kept(level: int) -> bool:
    """Return True if full subtrees of 2 ** level leaves are stored."""
    return level in LEVELS


class Tree:
    """The stored tree on one connection. The object keeps the hashes that it has read."""

    def __init__(self, using: str = "default"):
        self.using = using
        self._blocks: dict[tuple[int, int], list[bytes]] = {}

    def size(self) -> int:
        """Return the number of leaves, including those under no checkpoint yet."""
        with connections[self.using].cursor() as cursor:
            cursor.execute("SELECT coalesce(max(position) + 1, 0) FROM governance_leaf")
            (size,) = cursor.fetchone()
        return int(size)

    def peaks(self, size: int, on_full: Callable[[int, int, bytes], None] | None = None) -> Peaks:
        """Return the full subtrees of the tree as it was at `size`, ready to grow."""
        return Peaks(size, [self._full(level, index) for level, index in full_subtrees(0, size)], on_full)

    def root(self, size: int) -> bytes:
        """Return the root of the tree as it was at `size`."""
        return self.range(0, size) if size else EMPTY_ROOT

    def inclusion(self, position: int, size: int) -> list[bytes]:
        """Return the proof that the leaf at `position` is in the tree of size `size`."""
        if not 0 <= position < size:
            raise Rejected(f"Position {position} is not in a tree of size {size}.")
        proof, start, end = [], 0, size
        while end - start > 1:
            middle = start + split(end - start)
            if position < middle:
                proof.append(self.range(middle, end))
                end = middle
            else:
                proof.append(self.range(start, middle))
                start = middle
        return proof[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of size `old` is the beginning of that of `new`."""
        if not 0 <= old <= new:
            raise Rejected(f"A tree of size {old} cannot be the beginning of one of size {new}.")
        if old in (0, new):
            return []
        proof, start, end, whole = [], 0, new, True
        while end != old:
            middle = start + split(end - start)
            if old <= middle:
                proof.append(self.range(middle, end))
                end = middle
            else:
                proof.append(self.range(start, middle))
                start, whole = middle, False
        if not whole:
            proof.append(self.range(start, end))
        return proof[::-1]

    def range(self, start: int, end: int) -> bytes:
        """Return the hash over the leaves from `start` up to `end`, as in the tree."""
        hashes = [self._full(level, index) for level, index in full_subtrees(start, end)]
        total = hashes.pop()
        while hashes:
            total = node_hash(hashes.pop(), total)
        return total

    def _full(self, level: int, index: int) -> bytes:
        """Return the hash of the full subtree number `index` of 2 ** level leaves."""
        below = min(level - level % STEP, LEVELS[-1])
        width = 1 << (level - below)
        row = self._block(below, index * width, width)
        while len(row) > 1:
            row = [node_hash(row[n], row[n + 1]) for n in range(0, len(row), 2)]
        return row[0]

    def _block(self, level: int, first: int, width: int) -> list[bytes]:
        """Return `width` neighbouring stored hashes from one block. A gap raises Rejected."""
        key = (level, first >> STEP)
        if key not in self._blocks:
            begin = key[1] << STEP
            table = (
                "governance_leaf WHERE position"
                if level == 0
                else 'governance_node WHERE level = %s AND "index"'
            )
            order = "position" if level == 0 else '"index"'
            with connections[self.using].cursor() as cursor:
                cursor.execute(
                    f"SELECT {order}, hash FROM {table} >= %s AND {order} < %s ORDER BY {order}",
                    [*([level] if level else []), begin, begin + (1 << STEP)],
                )
                rows = cursor.fetchall()
            if [place for place, _ in rows] != list(range(begin, begin + len(rows))):
                raise Rejected(f"The stored tree has a gap at level {level} after {begin}.")
            self._blocks[key] = [bytes(hash) for _, hash in rows]
        start = first & ((1 << STEP) - 1)
        found = self._blocks[key][start : start + width]
        if len(found) != width:
            raise Rejected(f"The stored tree has no hash {first + len(found)} at level {level}.")
        return found


def split(size: int) -> int:
    """Return the largest power of two below `size`, where RFC 6962 splits a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def full_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Return (level, index) of the full subtrees over `start` to `end`, from the left.

    `start` must be where a subtree as large as the range may begin, as it is in every proof.
    """
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start & ((1 << level) - 1):
            raise Rejected(f"No subtree of level {level} begins at {start}.")
        parts.append((level, start >> level))
        start += 1 << level
    return parts
