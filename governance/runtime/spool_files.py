"""Files in which lines of a log wait for the database, with a bounded size.

The lines are on disk before their sender is answered. The writer of a file holds a lock on it. A file without a lock
was left by a process that ended.
"""

import errno
import fcntl
import os
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

WAITING, ASIDE = ".jsonl", ".unread"  # what waits, and what the database did not take


class Spool:
    """A file of lines, locked by its writing process."""

    def __init__(self, folder: Path):
        self.path = folder / f"{uuid.uuid4().hex}{WAITING}"
        self.begun = time.monotonic()
        self.count = self.size = self._synced = 0
        self.broken = False  # once its disk failed: nothing more is written to it
        self._syncing = threading.Lock()
        # It takes its name once it is locked: before that, whoever looks for orphans would take it for one.
        draft = self.path.with_suffix(".new")
        self._file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        draft.rename(self.path)
        sync_folder(folder)

    def add(self, line: bytes) -> int:
        """Append a line, whole or not at all. Returns the size to give to `sync`. Raises OSError."""
        try:
            if os.write(self._file, line) != len(line):
                raise OSError(errno.ENOSPC, "a line did not fit on the disk")
        except OSError:
            os.ftruncate(self._file, self.size)  # what was begun would spoil the next line
            raise
        self.size += len(line)
        self.count += 1
        return self.size

    def sync(self, upto: int) -> None:
        """Return once the file is on disk up to `upto`. Raises OSError if lines after the last sync are lost.

        One thread at a time syncs every line written until then. A thread that waited mostly finds its line on disk.
        """
        with self._syncing:
            if upto <= self._synced:
                return
            if self.broken:
                raise OSError(errno.EIO, "a log file could not be saved to the disk")
            size = self.size
            try:
                getattr(os, "fdatasync", os.fsync)(self._file)  # some systems have only the other
            except OSError:
                self.broken = True
                raise
            self._synced = size

    def finish(self) -> None:
        """End the writing: keep lines on disk, remove lines that were never confirmed."""
        with suppress(OSError):
            self.sync(self.size)
        with self._syncing:
            if self.broken:
                os.ftruncate(self._file, self._synced)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def sync_folder(folder: Path) -> None:
    """Have the names in the folder on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def set_aside(path: Path, lines: list[bytes]) -> None:
    """Keep lines that the database does not take beside the file they came from, which may go then."""
    draft = path.with_suffix(".aside")
    with open(draft, "wb") as file:
        file.writelines(line + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path.with_suffix(ASIDE))
    sync_folder(path.parent)


def lines_aside(folder: Path, holding: bytes = b"") -> int:
    """Count the lines that were set aside in a folder. With `holding`, only lines with these bytes count."""
    count = 0
    for path in folder.glob(f"*{ASIDE}"):
        with suppress(OSError), open(path, "rb") as file:
            count += sum(holding in line for line in file)
    return count


@dataclass(frozen=True)
class Waiting:
    """The waiting files: their bytes, the time of the oldest, and files set aside."""

    size: int
    since: datetime | None
    aside: list[Path]


def waiting(folder: Path) -> Waiting:
    """Return what waits in the folder, from every process."""
    sizes, times = [], []
    for path in folder.glob(f"*{WAITING}"):
        with suppress(FileNotFoundError):
            found = path.stat()
            sizes.append(found.st_size)
            times.append(found.st_mtime)
    since = datetime.fromtimestamp(min(times), UTC) if times else None
    return Waiting(sum(sizes), since, sorted(folder.glob(f"*{ASIDE}")))
