"""The log of decisions: written to a file before the answer goes out, and from there in batches into the database.

A decision must not wait for the database, and must not be lost with the process that took it. So each process appends
one line a decision to a spool file of its own, and a thread of it brings them over about every second: one batch, one
transaction, one row that commits to all of them, and with its capture one entry of the record. Files that a process
left behind when it was killed, which nobody holds a lock on any more, are brought over by the next that starts.
"""

import fcntl
import hashlib
import json
import os
import secrets
import threading
import time
import uuid
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections

from governance import history, ledger
from governance.models import DecisionBatch, PolicyDecision

log = structlog.get_logger("plumbline.decisions")

EVERY = 0.5  # seconds between two batches
LARGEST = 5_000  # decisions in one batch, after which the next file begins
ORPHANS_EVERY = 60.0  # seconds between two looks for files that nobody holds
SYSTEM = "decision log"

# What a row commits to, in the order of its columns; `salt`, `digest`, `batch` and `place` come on top.
FIELDS = (
    "at",
    "case_number",
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
SELECT {", ".join(f"t.{name}" for name in FIELDS)}, %s, t.place, decode(t.digest, 'hex'), decode(t.salt, 'hex')
  FROM jsonb_to_recordset(%s) AS t(
       at timestamptz, case_number integer, version_number integer, contract_digest text, key_id bigint, subject text,
       action text, resource text, outcome text, code text, clauses jsonb, reason text, request jsonb,
       request_id text, approval uuid, took_us integer, place integer, digest text, salt text)
 ORDER BY t.place
"""


def commitment(row: dict, salt: bytes) -> bytes:
    """The digest of a decision: the canonical bytes of its fields under its salt."""
    return ledger.commitment(salt, ledger.canonical({name: row[name] for name in FIELDS}))


def batch_digest(digests: list[bytes]) -> str:
    """SHA-256 over the digests of a batch, in order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


class _Spool:
    """One file of decisions, locked by whoever writes it."""

    def __init__(self, folder: Path):
        self.name = uuid.uuid4().hex
        self.path = folder / f"{self.name}.jsonl"
        self.count = 0
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def add(self, line: bytes) -> None:
        os.write(self._file, line)
        self.count += 1

    def close(self) -> None:
        os.close(self._file)


class Log:
    """The log of one process. Its thread begins with the first decision."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._spool: _Spool | None = None
        self._full: list[_Spool] = []
        self._thread: threading.Thread | None = None
        self._orphans_at = 0.0

    def write(self, row: dict) -> None:
        """Keep one decision (its FIELDS). Raises OSError when it cannot be kept: then nothing may be allowed."""
        salt, said = secrets.token_bytes(32), ledger.canonical(row)
        digest = ledger.commitment(salt, said)
        line = said[:-1] + f',"salt":"{salt.hex()}","digest":"{digest.hex()}"}}\n'.encode()
        with self._lock:
            if self._process != os.getpid():
                self._begin()  # a fork took this over: the files are its parent's
            if self._spool is not None and self._spool.count >= LARGEST:
                self._full.append(self._spool)
                self._spool = None
            if self._spool is None:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._spool = _Spool(self._folder)
            self._spool.add(line)
            if self._thread is None and settings.DECISION_LOG_WRITES_ITSELF:
                self._thread = threading.Thread(target=self._keep_writing, name="decision log", daemon=True)
                self._thread.start()

    def bring_over(self) -> int:
        """Bring everything that waits into the database; how many decisions that was.

        What the database does not take stays in its file, and is brought over the next time.
        """
        with self._lock:
            if self._spool is not None:
                self._full.append(self._spool)
                self._spool = None
            waiting = list(self._full)
        count = 0
        for spool in waiting:
            count += _bring(spool.path)
            spool.close()
            with self._lock:
                self._full.remove(spool)
        return count

    def abandon(self) -> None:
        """Let go of the files, as a process does that is killed: whoever looks for orphans brings them over."""
        with self._lock:
            for spool in [*self._full, self._spool]:
                if spool is not None:
                    spool.close()
            self._spool, self._full = None, []

    def _keep_writing(self) -> None:
        while True:
            time.sleep(EVERY)
            try:
                self.bring_over()
                if time.monotonic() >= self._orphans_at:
                    self._orphans_at = time.monotonic() + ORPHANS_EVERY
                    bring_orphans(self._folder)
            except (DatabaseError, OSError) as trouble:
                log.warning("decisions wait in their files", trouble=str(trouble))
                connections.close_all()
                time.sleep(EVERY)


def bring_orphans(folder: Path) -> int:
    """Bring over the files that nobody writes any more; how many decisions that was."""
    count = 0
    for path in sorted(folder.glob("*.jsonl")):
        with suppress(FileNotFoundError), open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            count += _bring(path)
    return count


def _bring(path: Path) -> int:
    """Write the decisions of one file as one batch, once, and remove the file."""
    rows = _rows(path)
    if rows:
        with history.acting(system=SYSTEM):
            # One at a time for each file: a file that is already in the table was only not removed.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [path.stem])
            if not DecisionBatch.objects.filter(spool=path.stem).exists():
                _write(path.stem, rows)
    path.unlink(missing_ok=True)
    return len(rows)


def _rows(path: Path) -> list[dict]:
    """The lines of a file; a last one that was cut off by a crash was never answered, and is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def _write(name: str, rows: list[dict]) -> None:
    moments = sorted({datetime.fromisoformat(row["at"]) for row in rows})
    batch = DecisionBatch(
        spool=name,
        count=len(rows),
        first_at=moments[0],
        last_at=moments[-1],
        digest=batch_digest([bytes.fromhex(row["digest"]) for row in rows]),
    )
    batch.save()
    for place, row in enumerate(rows):
        row["place"] = place
    with connection.cursor() as cursor:
        for month in sorted({moment.strftime("%Y-%m-01T12:00:00+00:00") for moment in moments}):
            cursor.execute("SELECT plumbline_decisions_of(%s)", [month])
        cursor.execute(_WRITE, [batch.pk, json.dumps(rows, ensure_ascii=False)])


# --- Verification ----------------------------------------------------------------------------------------------------


def broken(batch: DecisionBatch) -> str:
    """What is wrong with a batch against its decisions as they stand; empty when all is as it was written.

    A decision whose salt was destroyed has been erased on purpose; its digest still has to fit the batch. They are read
    from the database that the batch came from.
    """
    written = PolicyDecision.objects.using(batch._state.db).filter(batch=batch)
    rows = list(written.order_by("place").values())
    if len(rows) != batch.count:
        return f"batch {batch.pk} has {len(rows)} decisions, and was written with {batch.count}"
    if batch_digest([bytes(row["digest"]) for row in rows]) != batch.digest:
        return f"the decisions of batch {batch.pk} do not give its digest"
    for row in rows:
        if row["salt"] is None:
            continue
        said = row | {
            "approval": str(row["approval"]) if row["approval"] else None,
            "at": row["at"].isoformat(),
        }
        if commitment(said, bytes(row["salt"])) != bytes(row["digest"]):
            return f"decision {row['id']} of batch {batch.pk} is not as it was written"
    return ""


decisions = Log(settings.DECISIONS_DIR)
