"""The log of decisions: written to a file before the answer, then to the database.

Each decision is one line (`governance.queue.spooled_log`). About every second a batch goes to the database in one
transaction: one row that commits to all its decisions, and with its capture one entry of the audit log. If too many
lines wait, or one waits for too long, every request is denied until they are written.
"""

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from governance.audit_log import entries
from governance.database import row_history
from governance.models import DecisionBatch, PolicyDecision
from governance.queue.spooled_log import Loader, SpooledLog
from governance.runtime import spool_files

EVERY = 0.5  # seconds between two batches
LARGEST = 5_000  # decisions in one batch, after which the next file begins
PART = 16 << 20  # bytes in one batch, likewise: the database takes no more than 256 megabytes of JSON at once
MOST_WAITING = 256 << 20  # bytes that may wait, of all processes that share the folder
LONGEST_WAIT = 600.0  # seconds that a decision of this process may wait
SYSTEM = "decision log"
_DIGEST = slice(-66, -2)  # where a line ends with its digest: ..."digest":"<64 hexadecimal digits>"}

# The fields that a row commits to, in the order of its columns. `salt`, `digest`, `batch` and `place` are extra.
FIELDS = (
    "at",
    "initiative_number",
    "version_number",
    "contract_digest",
    "key_id",
    "subject",
    "action",
    "resource",
    "outcome",
    "code",
    "clauses",
    "reason",
    "request",
    "request_id",
    "approval",
    "took_us",
)
_WRITE = f"""
INSERT INTO governance_policydecision ({", ".join(FIELDS)}, batch_id, place, digest, salt)
SELECT {", ".join(f"t.{name}" for name in FIELDS)}, %s, e.place - 1, decode(t.digest, 'hex'), decode(t.salt, 'hex')
  FROM jsonb_array_elements(%s) WITH ORDINALITY AS e(line, place), jsonb_to_record(e.line) AS t(
       at timestamptz, initiative_number integer, version_number integer, contract_digest text, key_id bigint,
       subject text,
       action text, resource text, outcome text, code text, clauses jsonb, reason text, request jsonb,
       request_id text, approval uuid, took_us integer, digest text, salt text)
 ORDER BY e.place
"""


def commitment(row: dict[str, Any], salt: bytes) -> bytes:
    """Return the digest of a decision's fields, in canonical bytes, under its salt."""
    return entries.commitment(salt, entries.canonical({name: row[name] for name in FIELDS}))


def batch_digest(digests: list[bytes]) -> str:
    """Return the SHA-256 over the digests of a batch, in order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


class Kept(NamedTuple):
    """The place of a written decision: its file, the size to sync to, and its digest."""

    spool: spool_files.Spool
    size: int
    digest: bytes


class Log(SpooledLog):
    """The decisions of one process."""

    def __init__(self, folder: Path):
        super().__init__(
            folder,
            loader,
            every=EVERY,
            largest=LARGEST,
            most_waiting=MOST_WAITING,
            longest_wait=LONGEST_WAIT,
        )

    def write(self, row: dict[str, Any]) -> None:
        """Keep one decision (its FIELDS), on disk when this returns.

        Raises OSError if it cannot be kept. Then the call must not be allowed.
        """
        self.sync([self.append(row)])

    def append(self, row: dict[str, Any]) -> Kept:
        """Write one decision, which is kept once `sync` has its result. Raises OSError."""
        salt, said = secrets.token_bytes(32), entries.canonical(row)
        digest = entries.commitment(salt, said)
        line = said[:-1] + f',"salt":"{salt.hex()}","digest":"{digest.hex()}"}}\n'.encode()
        (written,) = self.append_lines([line])
        return Kept(*written, digest)


# --- Into the database -----------------------------------------------------------------------------------------------


def _write_once(name: str, lines: list[bytes]) -> None:
    with row_history.acting(system=SYSTEM):
        # One writer at a time for each name. A batch that is in the table only left its file behind.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
        if not DecisionBatch.objects.filter(spool=name).exists():
            _write(name, lines)


def _write(name: str, lines: list[bytes]) -> None:
    """Write the lines to the database unparsed. Parsing would delay the callers."""
    first, last = (datetime.fromisoformat(json.loads(line)["at"]) for line in (lines[0], lines[-1]))
    batch = DecisionBatch(
        spool=name,
        count=len(lines),
        first_at=min(first, last),
        last_at=max(first, last),
        digest=batch_digest([bytes.fromhex(line[_DIGEST].decode()) for line in lines]),
    )
    batch.save()
    with connection.cursor() as cursor:
        # Threads write their lines a little out of order, also at the turn of a month.
        for moment in (min(first, last) - timedelta(minutes=1), max(first, last) + timedelta(minutes=1)):
            cursor.execute("SELECT plumbline_decisions_of(%s)", [moment])
        cursor.execute(_WRITE, [batch.pk, (b"[" + b",".join(lines) + b"]").decode()])


def _came_over(name: str) -> bool:
    return DecisionBatch.objects.filter(spool=name).exists()


loader = Loader("decisions", write=_write_once, came_over=_came_over, part=PART)


# --- Verification ----------------------------------------------------------------------------------------------------


def broken(batch: DecisionBatch) -> str:
    """Return the fault of a batch against its decisions now, or "".

    A decision without a salt was erased on purpose, but its digest must still fit the batch. The decisions are read
    from the database that the batch came from.
    """
    written = PolicyDecision.objects.using(batch._state.db).filter(batch=batch)
    rows = list(written.order_by("place").values())
    if len(rows) != batch.count:
        return f"batch {batch.pk} has {len(rows)} decisions, but {batch.count} were written"
    if batch_digest([bytes(row["digest"]) for row in rows]) != batch.digest:
        return f"the decisions of batch {batch.pk} do not match its digest"
    for row in rows:
        if row["salt"] is None:
            continue
        said = row | {
            "approval": str(row["approval"]) if row["approval"] else None,
            "at": row["at"].isoformat(),
        }
        if commitment(said, bytes(row["salt"])) != bytes(row["digest"]):
            return f"decision {row['id']} of batch {batch.pk} was changed after it was written"
    return ""


decisions = Log(settings.DECISIONS_DIR)
