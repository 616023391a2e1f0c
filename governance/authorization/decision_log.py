"""The log of decisions: written to a file before the answer goes out, and from there in batches into the database.

A decision must not wait for the database, and must not be lost with the process, or the machine, that took it. So each
process appends one line a decision to a spool file of its own, has it on disk, and a thread of it brings them over
about every second: one batch, one transaction, one row that commits to all of them, and with its capture one entry of
the record. Files that a process left behind when it was killed, which nobody holds a lock on any more, are brought over
by the next that starts. Where too much waits, or for too long, nothing is allowed until it was brought over.
"""

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections

from governance.authorization import decision_spool
from governance.database import row_history
from governance.ledger import record
from governance.models import DecisionBatch, PolicyDecision

log = structlog.get_logger("plumbline.decisions")

EVERY = 0.5  # seconds between two batches
LARGEST = 5_000  # decisions in one batch, after which the next file begins
PART = 16 << 20  # bytes in one batch, likewise: the database takes no more than 256 megabytes of JSON at once
MOST_WAITING = 256 << 20  # bytes that may wait, of all processes that share the folder
LONGEST_WAIT = 600.0  # seconds that a decision of this process may wait
ENOUGH_ROOM = 5 << 20  # bytes that must be free before a disk that was full is written to again
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


def commitment(row: dict[str, Any], salt: bytes) -> bytes:
    """The digest of a decision: the canonical bytes of its fields under its salt."""
    return record.commitment(salt, record.canonical({name: row[name] for name in FIELDS}))


def batch_digest(digests: list[bytes]) -> str:
    """SHA-256 over the digests of a batch, in order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


class TooMuchWaits(OSError):
    """More decisions wait for the database than may: nothing is allowed until they were brought over."""


class Kept(NamedTuple):
    """Where a decision was written down: its file, up to which size it has to be on disk, and its digest."""

    spool: decision_spool.Spool
    size: int
    digest: bytes


class Log:
    """The log of one process. Its thread begins with the first decision."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._bringing = threading.Lock()  # one at a time: whoever waits for it finds nothing left
        self._spool: decision_spool.Spool | None = None
        self._full: list[decision_spool.Spool] = []
        self._thread: threading.Thread | None = None
        self._orphans_at = self._looked_at = 0.0
        self._waiting = 0  # bytes in the folder, of all processes, when it was last looked at
        self._no_room = False

    def write(self, row: dict[str, Any]) -> None:
        """Keep one decision (its FIELDS), on disk when this returns.

        Raises OSError when it cannot be kept: then nothing may be allowed.
        """
        self.sync([self.append(row)])

    def append(self, row: dict[str, Any]) -> Kept:
        """Write one decision down; it is kept once what is returned here was handed to `sync`. Raises OSError."""
        salt, said = secrets.token_bytes(32), record.canonical(row)
        digest = record.commitment(salt, said)
        line = said[:-1] + f',"salt":"{salt.hex()}","digest":"{digest.hex()}"}}\n'.encode()
        with self._lock:
            if self._process != os.getpid():
                self._begin()  # a fork took this over: the files are its parent's
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._look()
            try:
                spool = self._current()
                kept = spool.add(line)
            except OSError as trouble:
                self._no_room = trouble.errno in (errno.ENOSPC, errno.EDQUOT)
                raise
            if self._thread is None and settings.DECISION_LOG_WRITES_ITSELF:
                self._thread = threading.Thread(target=self._keep_writing, name="decision log", daemon=True)
                self._thread.start()
            return Kept(spool, kept, digest)

    def sync(self, kept: list[Kept]) -> None:
        """Return once all of these are on disk. Raises OSError."""
        upto: dict[decision_spool.Spool, int] = {}
        for spool, size, _ in kept:
            upto[spool] = max(size, upto.get(spool, 0))
        for spool, size in upto.items():
            spool.sync(size)

    def _current(self) -> decision_spool.Spool:
        spool = self._spool
        if spool is not None and (spool.broken or spool.count >= LARGEST or spool.size >= PART):
            self._full.append(spool)
            self._spool = None
        if self._spool is None:
            self._spool = decision_spool.Spool(self._folder)
        return self._spool

    def _look(self) -> None:
        """Whether one more may be written. Raises OSError.

        A disk that was full is not written to before there is some room: the few bytes that each batch gives back
        would else allow and deny by turns.
        """
        now = time.monotonic()
        if self._no_room:
            if shutil.disk_usage(self._folder).free < ENOUGH_ROOM:
                raise OSError(errno.ENOSPC, "there is no room on the disk of the data folder")
            self._no_room = False
        oldest = self._full[0] if self._full else self._spool
        if oldest is not None and now - oldest.begun > LONGEST_WAIT:
            raise TooMuchWaits(f"decisions have waited for the database for over {LONGEST_WAIT:.0f} seconds")
        if now - self._looked_at >= EVERY:
            self._looked_at, self._waiting = now, decision_spool.waiting(self._folder).size
        if self._waiting > MOST_WAITING:
            raise TooMuchWaits(f"decisions of over {MOST_WAITING} bytes wait for the database")

    def bring_over(self) -> int:
        """Bring everything that waits into the database; how many decisions that was.

        What waits because the database is away stays in its file, and is brought over the next time; the file that is
        being written goes on until then.
        """
        with self._bringing:
            count = self._bring_full()
            with self._lock:
                if self._spool is not None:
                    self._full.append(self._spool)
                    self._spool = None
            return count + self._bring_full()

    def _bring_full(self) -> int:
        count = 0
        with self._lock:
            full = list(self._full)
        for spool in full:
            spool.finish()
            count += bring(spool.path)
            with self._lock:
                self._full.remove(spool)
                self._looked_at = 0.0  # there is less now
            spool.close()
        return count

    def abandon(self) -> None:
        """Let go of the files, as a process does that is killed: whoever looks for orphans brings them over."""
        with self._lock:
            for spool in [*self._full, self._spool]:
                if spool is not None:
                    spool.close()
            self._begin()

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


# --- Into the database -----------------------------------------------------------------------------------------------


def bring_orphans(folder: Path) -> int:
    """Bring over the files that nobody writes any more; how many decisions that was."""
    count = 0
    for path in sorted(folder.glob(f"*{decision_spool.WAITING}")):
        try:
            with open(path, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                count += bring(path)
        except (FileNotFoundError, BlockingIOError):
            continue
        except OSError as trouble:
            log.error("a file of decisions cannot be opened", file=path.name, trouble=str(trouble))
    return count


def bring_aside(folder: Path) -> int:
    """Try once more what was set aside; how many decisions that was. What still does not fit is set aside again."""
    for path in decision_spool.waiting(folder).aside:
        # Under a name of its own: what came over from the file before is told by its name and place.
        path.rename(path.with_name(f"{uuid.uuid4().hex}{decision_spool.WAITING}"))
    return bring_orphans(folder)


def bring(path: Path) -> int:
    """Write the decisions of one file, once, in parts of bounded size, and remove it; how many were written.

    Lines that the database does not take, or that cannot be read, are set aside and told: they hold up nobody, and are
    not lost.
    """
    count, unfit = 0, []
    if not DecisionBatch.objects.filter(
        spool=path.stem
    ).exists():  # it was brought over, and only not removed
        try:
            for first, lines, whole in _parts(path):
                written, left = _bring_lines(path.stem, first, lines, whole=whole)
                count += written
                unfit += left
        except FileNotFoundError:
            return 0
        except OSError as trouble:
            log.error(
                "decisions cannot be read; their file is set aside", file=path.name, trouble=str(trouble)
            )
            path.rename(path.with_suffix(decision_spool.ASIDE))
            return count
    if unfit:
        decision_spool.set_aside(path, unfit)
        log.error(
            "decisions were set aside", file=path.with_suffix(decision_spool.ASIDE).name, count=len(unfit)
        )
    path.unlink(missing_ok=True)
    return count


def _parts(path: Path) -> Iterator[tuple[int, list[bytes], bool]]:
    """The lines of a file, some megabytes at a time: the place of the first, the lines, and whether they are all.

    A last line that was cut off by a crash was never answered, and is left out.
    """
    lines: list[bytes] = []
    first = size = 0
    with open(path, "rb") as file:
        for line in file:
            if not line.endswith(b"\n") and not line.endswith(b'"}'):
                continue
            if lines and size + len(line) > PART:
                yield first, lines, False
                first, lines, size = first + len(lines), [], 0
            lines.append(line.rstrip(b"\n"))
            size += len(line)
    if lines:
        yield first, lines, first == 0


def _bring_lines(stem: str, first: int, lines: list[bytes], *, whole: bool) -> tuple[int, list[bytes]]:
    """Write lines as one batch, or in halves where one of them does not fit: how many, and the lines that do not."""
    try:
        _write_once(stem if whole else f"{stem}:{first}-{first + len(lines)}", lines)
    except (DatabaseError, ValueError, LookupError, TypeError, RecursionError) as trouble:
        if isinstance(trouble, DatabaseError) and not _unfit(trouble):
            raise
        if len(lines) == 1:
            log.error("a decision does not fit the database", place=f"{stem}:{first}", trouble=str(trouble))
            return 0, lines
        half = len(lines) // 2
        one, left = _bring_lines(stem, first, lines[:half], whole=False)
        other, right = _bring_lines(stem, first + half, lines[half:], whole=False)
        return one + other, left + right
    return len(lines), []


def _unfit(trouble: DatabaseError) -> bool:
    """Whether the lines themselves are refused (data, a constraint, a limit), so that trying again would not help."""
    return (getattr(trouble.__cause__, "sqlstate", None) or "")[:2] in ("22", "23", "54")


def _write_once(name: str, lines: list[bytes]) -> None:
    with row_history.acting(system=SYSTEM):
        # One at a time for each name: what is already in the table was only not removed.
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
