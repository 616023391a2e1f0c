"""Logs that go to files before the answer, and later in batches to the database.

The sender must not wait for the database, and answered lines must not be lost with the process or the machine. Each
process therefore appends lines to its own spool file, and has them on disk before it answers. A thread of the process
brings a full or old file over, or leaves it for a worker. A file without a lock was left by a killed process, and is
brought over likewise. The log refuses lines if too much waits, or for too long.
"""

import errno
import fcntl
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from governance.runtime import spool_files

log = structlog.get_logger("plumbline.logs")

ENOUGH_ROOM = 5 << 20  # bytes that must be free before a disk that was full is written to again
ORPHANS_EVERY = 60.0  # seconds between two looks for files that nobody holds


class TooMuchWaits(OSError):
    """More waits for the database than may: nothing is taken until it was brought over."""


class Written(NamedTuple):
    """The place of a written line: its file, and the size to have on disk."""

    spool: spool_files.Spool
    size: int


class Kept(Protocol):
    """The argument of `SpooledLog.sync`."""

    @property
    def spool(self) -> spool_files.Spool:
        """Return the file."""

    @property
    def size(self) -> int:
        """Return the size up to which the file must be on disk."""


class Loader:
    """Brings files of one log into the database, each line once.

    `write(name, lines)` writes one batch in one transaction under a name, or nothing if it has the name.
    `came_over(name)` returns True if it has the name. If `write` raises DatabaseError for the content of the lines, or
    ValueError, LookupError or TypeError, the lines are tried in halves, down to those that do not fit.
    """

    def __init__(
        self,
        what: str,
        *,
        write: Callable[[str, list[bytes]], None],
        came_over: Callable[[str], bool],
        part: int,
    ):
        self.what, self.write, self.came_over = what, write, came_over
        self.part = part  # bytes in one batch

    def bring_orphans(self, folder: Path) -> int:
        """Bring over the files that no process writes. Returns the number of lines."""
        count = 0
        for path in sorted(folder.glob(f"*{spool_files.WAITING}")):
            try:
                with open(path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    count += self.bring(path)
            except (FileNotFoundError, BlockingIOError):
                continue
            except OSError as trouble:
                log.error(
                    "a file of a log cannot be opened", file=path.name, log=self.what, trouble=str(trouble)
                )
        return count

    def bring_aside(self, folder: Path) -> int:
        """Try the files that were set aside once more. Returns the number of lines. Unfit lines are set aside again."""
        for path in spool_files.waiting(folder).aside:
            # Under a name of its own: what came over from the file before is told by its name and place.
            path.rename(path.with_name(f"{uuid.uuid4().hex}{spool_files.WAITING}"))
        return self.bring_orphans(folder)

    def bring(self, path: Path) -> int:
        """Write the lines of one file once, in parts of bounded size, and remove it. Returns how many.

        Lines that the database refuses, or that cannot be read, are set aside and logged. They block no others and are
        not lost.
        """
        count = 0
        unfit: list[bytes] = []
        if not self.came_over(path.stem):  # else it was brought over, and only not removed
            try:
                for first, lines, whole in self._parts(path):
                    written, left = self._bring_lines(path.stem, first, lines, whole=whole)
                    count += written
                    unfit += left
            except FileNotFoundError:
                return 0
            except OSError as trouble:
                log.error(
                    "a file cannot be read, and is set aside",
                    file=path.name,
                    log=self.what,
                    trouble=str(trouble),
                )
                path.rename(path.with_suffix(spool_files.ASIDE))
                return count
        if unfit:
            spool_files.set_aside(path, unfit)
            aside = path.with_suffix(spool_files.ASIDE).name
            log.error("lines were set aside", file=aside, log=self.what, count=len(unfit))
        path.unlink(missing_ok=True)
        return count

    def _parts(self, path: Path) -> Iterator[tuple[int, list[bytes], bool]]:
        """The lines of a file, some megabytes at a time: the place of the first, the lines, and whether they are all.

        A last line that was cut off by a crash was never answered, and is left out.
        """
        lines: list[bytes] = []
        first = size = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n") and not line.endswith(b'"}'):
                    continue
                if lines and size + len(line) > self.part:
                    yield first, lines, False
                    first, lines, size = first + len(lines), [], 0
                lines.append(line.rstrip(b"\n"))
                size += len(line)
        if lines:
            yield first, lines, first == 0

    def _bring_lines(
        self, stem: str, first: int, lines: list[bytes], *, whole: bool
    ) -> tuple[int, list[bytes]]:
        """Write lines as one batch, or in halves where one does not fit: how many, and the lines that do not."""
        try:
            self.write(stem if whole else f"{stem}:{first}-{first + len(lines)}", lines)
        except (DatabaseError, ValueError, LookupError, TypeError, RecursionError) as trouble:
            if isinstance(trouble, DatabaseError) and not _unfit(trouble):
                raise
            if len(lines) == 1:
                log.error(
                    "a line does not fit the database",
                    place=f"{stem}:{first}",
                    log=self.what,
                    trouble=str(trouble),
                )
                return 0, lines
            half = len(lines) // 2
            one, left = self._bring_lines(stem, first, lines[:half], whole=False)
            other, right = self._bring_lines(stem, first + half, lines[half:], whole=False)
            return one + other, left + right
        return len(lines), []


def _unfit(trouble: DatabaseError) -> bool:
    """Return True if the lines themselves are refused (data, constraint, limit). A retry cannot help."""
    return (getattr(trouble.__cause__, "sqlstate", None) or "")[:2] in ("22", "23", "54")


class SpooledLog:
    """The log of one process. Its thread begins with the first line.

    With `brings` the process brings its files over itself. Without it, the process leaves them to a worker. On a host
    without a worker the process brings over what was left for a minute. `reserve` bytes of the disk are left to others.
    """

    def __init__(
        self,
        folder: Path,
        loader: Loader,
        *,
        every: float,
        largest: int,
        most_waiting: int,
        longest_wait: float,
        brings: bool = True,
        reserve: int = 0,
    ):
        self.loader, self.brings, self.reserve = loader, brings, reserve
        self.every = every  # seconds between two batches
        self.largest = largest  # lines in one file, after which the next begins
        self.most_waiting = most_waiting  # bytes that may wait, of all processes that share the folder
        self.longest_wait = longest_wait  # seconds that a line of this process may wait
        self._folder = folder
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._bringing = threading.Lock()  # one at a time: whoever waits for it finds nothing left
        self._spool: spool_files.Spool | None = None
        self._full: list[spool_files.Spool] = []
        self._thread: threading.Thread | None = None
        self._orphans_at = self._looked_at = 0.0
        self._waiting = 0  # bytes in the folder, of all processes, when it was last looked at
        self._no_room = False

    def append_lines(self, lines: Iterable[bytes]) -> list[Written]:
        """Write whole lines. They are on disk once the result was passed to `sync`. Raises OSError."""
        with self._lock:
            if self._process != os.getpid():
                self._begin()  # a fork took this over: the files are its parent's
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._look()
            found = []
            try:
                for line in lines:
                    spool = self._current()
                    found.append(Written(spool, spool.add(line)))
            except OSError as trouble:
                self._no_room = trouble.errno in (errno.ENOSPC, errno.EDQUOT)
                raise
            if self._thread is None and settings.DECISION_LOG_WRITES_ITSELF:
                self._thread = threading.Thread(target=self._keep_writing, name=self.loader.what, daemon=True)
                self._thread.start()
            return found

    def sync(self, kept: Iterable[Kept]) -> None:
        """Return once all of these are on disk. Raises OSError."""
        upto: dict[spool_files.Spool, int] = {}
        for one in kept:
            upto[one.spool] = max(one.size, upto.get(one.spool, 0))
        for spool, size in upto.items():
            spool.sync(size)

    def _current(self) -> spool_files.Spool:
        spool = self._spool
        if spool is not None and (
            spool.broken or spool.count >= self.largest or spool.size >= self.loader.part
        ):
            self._full.append(spool)
            self._spool = None
        if self._spool is None:
            self._spool = spool_files.Spool(self._folder)
        return self._spool

    def _look(self) -> None:
        """Whether one more may be written. Raises OSError.

        A disk that was full is not written to before there is some room: the few bytes that each batch gives back
        would else take and refuse by turns.
        """
        now = time.monotonic()
        if self._no_room or self.reserve:
            if shutil.disk_usage(self._folder).free < max(ENOUGH_ROOM, self.reserve):
                raise OSError(errno.ENOSPC, "the disk of the data folder is full")
            self._no_room = False
        oldest = self._full[0] if self._full else self._spool
        if oldest is not None and now - oldest.begun > self.longest_wait:
            raise TooMuchWaits(f"{self.loader.what} have waited for over {self.longest_wait:.0f} seconds")
        if now - self._looked_at >= self.every:
            self._looked_at, self._waiting = now, spool_files.waiting(self._folder).size
        if self._waiting > self.most_waiting:
            raise TooMuchWaits(
                f"more than {self.most_waiting} bytes of {self.loader.what} wait for the database"
            )

    def bring_over(self) -> int:
        """Bring all waiting lines into the database, or leave them to a worker. Returns their number.

        If the database is away, lines stay in their file until the next time. The current file grows until then.
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
            count += self.loader.bring(spool.path) if self.brings else spool.count
            with self._lock:
                self._full.remove(spool)
                self._looked_at = 0.0  # there is less now
            spool.close()
        return count

    def tend(self) -> None:
        """Let go of the file, and once a minute bring over what no process and no worker of this host took."""
        self.bring_over()
        if time.monotonic() >= self._orphans_at:
            self._orphans_at = time.monotonic() + ORPHANS_EVERY
            self.loader.bring_orphans(self._folder)

    def abandon(self) -> None:
        """Close the files as a killed process does. The search for orphans brings them over."""
        with self._lock:
            for spool in [*self._full, self._spool]:
                if spool is not None:
                    spool.close()
            self._begin()

    def _keep_writing(self) -> None:
        while True:
            time.sleep(self.every)
            try:
                self.tend()
            except (DatabaseError, OSError) as trouble:
                log.warning("lines wait in their files", log=self.loader.what, trouble=str(trouble))
                connections.close_all()
                time.sleep(self.every)
