"""Judge the audit log: whether each recorded change was allowed, in one pass.

The rules are those of `governance.offline.verify`, which an export contains: one judge for the live record and for a
copy elsewhere. The judge names tables of the apps above as the audit log does, and imports none of them.
"""

from collections.abc import Iterator
from datetime import UTC

from governance.offline.verify import GOVERNED, JUDGED_ACTS, Breach, Judge
from governance.transparency_log.recomputation import stream

ENTRIES = """
SELECT e.id, e.kind, e.actor_id, e.initiative_ref, e."table", e.key, e.operation, e.xact, e.at, e.recorded_at, b.body
  FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
 WHERE e."table" = ANY (%s) OR (e."table" = '' AND e.kind = ANY (%s)) ORDER BY e.id
"""
NAMES = ("id", "kind", "actor", "initiative", "table", "key", "operation", "xact")


def judge(using: str = "default") -> Judge:
    """Return a judge that has read the whole audit log. Check the bodies first."""
    found = Judge()
    for *said, at, recorded_at, body in stream(using, ENTRIES, [list(GOVERNED), list(JUDGED_ACTS)]):
        entry = dict(zip(NAMES, said, strict=True))
        entry |= {
            "at": at.astimezone(UTC).isoformat(),
            "recorded_at": recorded_at.astimezone(UTC).isoformat(),
        }
        found.look(entry, body or None)
    return found


def breaches(found: Judge, since: int) -> Iterator[Breach]:
    """Return the breaches in transactions from `since` on, in the order of the log."""
    return (breach for breach in found.finish() if breach.xact >= since)
