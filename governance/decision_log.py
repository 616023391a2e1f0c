"""The log of decisions: written to a file before the answer goes out, and from there in batches into the database.

A decision must not wait for the database, and must not be lost with the process that took it. So each process appends
one line a decision to a spool file of its own, and a thread of it brings them over about every second: one batch, one
transaction, one row that commits to all of them, and with its capture one entry of the record. Files that a process
left behind when it was killed, which nobody holds a lock on any more, are brought over by the next that starts.
"""

import errno
import fcntl
import hashlib
import json
import os
import secrets
import threading
import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DataError, connection, connections
from django.db import Error as DatabaseError

from governance import history, ledger
from governance.models import DecisionBatch, PolicyDecision

log = structlog.get_logger("plumbline.decisions")

EVERY = 0.5  # seconds between two batches
LARGEST = 5_000  # decisions in one batch, after which the next file begins
ORPHANS_EVERY = 60.0  # seconds between two looks for files that nobody holds
SYSTEM = "decision log"
_DIGEST = slice(-66, -2)  # where a line ends with its digest: ..."digest":"<64 hexadecimal digits>"}

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
SELECT {", ".join(f"t.{name}" for name in FIELDS)}, %s, e.place - 1, decode(t.digest, 'hex'), decode(t.salt, 'hex')
  FROM jsonb_array_elements(%s) WITH ORDINALITY AS e(line, place), jsonb_to_record(e.line) AS t(
       at timestamptz, case_number integer, version_number integer, contract_digest text, key_id bigint, subject text,
       action text, resource text, outcome text, code text, clauses jsonb, reason text, request jsonb,
       request_id text, approval uuid, took_us integer, digest text, salt text)
 ORDER BY e.place
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
        # It takes its name once it is locked: before that, whoever looks for orphans would take it for one.
        draft = self.path.with_suffix(".new")
        self._file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        draft.rename(self.path)
        self._size = 0

    def add(self, line: bytes) -> None:
        """Append a line, whole or not at all. Raises OSError."""
        try:
            if os.write(self._file, line) != len(line):
                raise OSError(errno.ENOSPC, "a decision did not fit on the disk")
        except OSError:
            os.ftruncate(self._file, self._size)  # what was begun would spoil the next line
            raise
        self._size += len(line)
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
        self._bringing = threading.Lock()  # one at a time: whoever waits for it finds nothing left
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
        with self._bringing:
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
    lines = _lines(path)
    if lines:
        try:
            _write_once(path.stem, lines)
        except DataError as trouble:
            # It must not hold up the files behind it, and is not thrown away.
            log.error(
                "decisions cannot be read; their file is kept aside", file=path.name, trouble=str(trouble)
            )
            path.rename(path.with_suffix(".unread"))
            return 0
    path.unlink(missing_ok=True)
    return len(lines)


def _lines(path: Path) -> list[bytes]:
    """The lines of a file; a last one that was cut off by a crash was never answered, and is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [line for line in lines if line.endswith(b'"}')]


def _write_once(name: str, lines: list[bytes]) -> None:
    with history.acting(system=SYSTEM):
        # One at a time for each file: a file that is already in the table was only not removed.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
        if not DecisionBatch.objects.filter(spool=name).exists():
            _write(name, lines)


def _write(name: str, lines: list[bytes]) -> None:
    """The lines go to the database as they are: to read and write each anew would hold up those who ask meanwhile."""
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
        # Threads write their lines a little out of order, at the turn of a month too.
        for moment in (min(first, last) - timedelta(minutes=1), max(first, last) + timedelta(minutes=1)):
            cursor.execute("SELECT plumbline_decisions_of(%s)", [moment])
        cursor.execute(_WRITE, [batch.pk, (b"[" + b",".join(lines) + b"]").decode()])


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
