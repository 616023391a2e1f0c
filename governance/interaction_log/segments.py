"""Where bodies lie: Parquet files by case and day, written once. Those of a day that is over become one.

Of a batch, one file a case; once the day (UTC, of the batch) is over, `close` puts the files of a case into one. To
read, look at the file of the batch first and at that of the day second: it is whole before the others go. A body is
found by case, day, batch and place. Nothing here is readable without the keys.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from django.conf import settings

from governance.runtime.spool_files import sync_folder

_WRITE = """
COPY (SELECT {batch}::BIGINT AS batch, place::INTEGER AS place, from_base64(body) AS body, unhex(wrapped) AS wrapped
        FROM read_json('{source}', format = 'newline_delimited', maximum_object_size = 67108864,
                       columns = {{place: 'INTEGER', body: 'VARCHAR', wrapped: 'VARCHAR'}}) ORDER BY place)
  TO '{draft}' (FORMAT parquet, COMPRESSION uncompressed)"""
_JOIN = """
COPY (SELECT batch, place, body, wrapped FROM read_parquet({parts}) WHERE {wanted} ORDER BY batch, place)
  TO '{draft}' (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 2048)"""
_FIND = (
    "SELECT batch, place, body, wrapped FROM read_parquet(?) WHERE batch = ? AND place IN (SELECT unnest(?))"
)


Damaged = duckdb.Error  # a file that cannot be read as what was written


class Place(NamedTuple):
    """Where a body lies."""

    case: int
    day: date
    batch: int
    place: int


class Body(NamedTuple):
    """What lies there: the body encrypted, and its key wrapped."""

    content: bytes
    wrapped: bytes


def folder() -> Path:
    """Where the segments lie."""
    return Path(settings.INTERACTIONS_DIR) / "segments"


def _whole(case: int, day: date) -> Path:
    return folder() / str(case) / f"{day}.parquet"


def _part(case: int, day: date, batch: int) -> Path:
    return folder() / str(case) / str(day) / f"{batch}.parquet"


@contextmanager
def _database() -> Iterator[Any]:
    """A database in memory that reads and writes files, of one thread: the machine has other work."""
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "512MB"})
    try:
        yield connection
    finally:
        connection.close()


def write(case: int, day: date, batch: int, rows: Iterable[tuple[int, str, str]]) -> None:
    """Keep the bodies of a case in a batch: place, body in Base64, wrapped key in hexadecimal. On disk on return."""
    path = _part(case, day, batch)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = path.with_suffix(".lines")
    with open(source, "w") as file:
        for place, body, wrapped in rows:
            file.write(json.dumps({"place": place, "body": body, "wrapped": wrapped}) + "\n")
    try:
        with _database() as database:
            _kept(database, _WRITE, path, batch=int(batch), source=_quoted(source))
    finally:
        source.unlink()


def read(places: Iterable[Place]) -> dict[Place, Body]:
    """The bodies that lie at these places, as far as they are there."""
    groups: dict[tuple[int, date, int], list[int]] = {}
    for one in places:
        groups.setdefault((one.case, one.day, one.batch), []).append(one.place)
    found: dict[Place, Body] = {}
    with _database() as database:
        for (case, day, batch), wanted in groups.items():
            # In this order: a file of a batch that is gone is in that of its day, which was there before it went.
            rows = _rows(database, _part(case, day, batch), batch, wanted)
            if len(rows) < len(wanted):
                rows += _rows(database, _whole(case, day), batch, wanted)
            for of, place, content, wrapped in rows:
                found[Place(case, day, of, place)] = Body(bytes(content), bytes(wrapped))
    return found


def _rows(database: Any, path: Path, batch: int, places: list[int]) -> list[Any]:
    """The bodies of a batch in a file; none where it is not there, or goes just now."""
    if not path.exists():
        return []
    try:
        return list(database.execute(_FIND, [str(path), batch, places]).fetchall())
    except duckdb.IOException:
        if path.exists():
            raise
        return []


class Segment(NamedTuple):
    """The bodies of a case that came in on a day: one file, or while the day goes on one for each batch."""

    case: int
    day: date

    @property
    def paths(self) -> list[Path]:
        """Its files."""
        parts = folder() / str(self.case) / str(self.day)
        whole = _whole(self.case, self.day)
        return [*sorted(parts.glob("*.parquet")), *([whole] if whole.exists() else [])]

    def bodies(self) -> int:
        """How many bodies lie in it; those that lie in two of its files, after a crash, count once. Raises Damaged."""
        if not (paths := self.paths):
            return 0
        with _database() as database:
            (count,) = database.execute(
                "SELECT count(*) FROM (SELECT DISTINCT batch, place FROM read_parquet(?))",
                [[str(path) for path in paths]],
            ).fetchone()
        return int(count)

    def remove(self) -> None:
        """Remove its files. Safe to repeat."""
        for path in self.paths:
            path.unlink(missing_ok=True)
        _remove_folder(folder() / str(self.case) / str(self.day))


def segments() -> list[Segment]:
    """Every case and day that something lies of, sorted."""
    found = set()
    for path in folder().glob("*/*"):
        if path.is_dir() or path.suffix == ".parquet":
            found.add(Segment(int(path.parent.name), date.fromisoformat(path.name.removesuffix(".parquet"))))
    return sorted(found)


def open_days(before: date) -> list[tuple[int, date]]:
    """Cases and days before this one whose files are not one yet."""
    found = []
    for path in sorted(folder().glob("*/*")):
        if path.is_dir() and (day := date.fromisoformat(path.name)) < before:
            found.append((int(path.parent.name), day))
    return found


def close(case: int, day: date, batches: Iterable[int]) -> int:
    """Put the files of these batches of a day into one, with what that has already; how many bodies it has then.

    Files of batches that are none (their transaction was rolled back) go. Safe to repeat, wherever it was killed.
    """
    whole, inner = _whole(case, day), folder() / str(case) / str(day)
    parts = {batch: path for batch in batches if (path := _part(case, day, batch)).exists()}
    count = 0
    with _database() as database:
        if parts and whole.exists():  # of a host whose clock is behind, or left by whoever was killed
            known = database.execute("SELECT DISTINCT batch FROM read_parquet(?)", [str(whole)]).fetchall()
            for (batch,) in known:
                parts.pop(batch, None)
        if parts:
            sources = [*parts.values(), *([whole] if whole.exists() else [])]
            _kept(database, _JOIN, whole, parts=_listed(sources), wanted="true")
        if whole.exists():
            (count,) = database.execute("SELECT count(*) FROM read_parquet(?)", [str(whole)]).fetchone()
    _remove_folder(inner)
    return int(count)


def keep_only(segment: Segment, batches: Iterable[int]) -> None:
    """Leave in the file of a day the bodies of these batches: what a database that was restored knows of it."""
    known = ", ".join(str(int(batch)) for batch in batches)
    for path in segment.paths:
        with _database() as database:
            wanted = f"batch IN ({known})" if known else "false"
            (left, others) = database.execute(
                f"SELECT count(*) FILTER (WHERE {wanted}), count(*) FILTER (WHERE NOT ({wanted})) FROM read_parquet(?)",
                [str(path)],
            ).fetchone()
            if others and left:
                _kept(database, _JOIN, path, parts=_listed([path]), wanted=wanted)
        if not left:
            path.unlink()


def _remove_folder(inner: Path) -> None:
    """Remove a folder of the files of a day, where it is there."""
    if inner.exists():
        for path in inner.iterdir():
            path.unlink()
        inner.rmdir()


def _listed(paths: list[Path]) -> str:
    return "[" + ", ".join(f"'{_quoted(path)}'" for path in paths) + "]"


def _kept(database: Any, statement: str, path: Path, **about: object) -> None:
    """Have a statement write a file that appears under its name once it is whole and on disk, and is read-only."""
    draft = path.with_suffix(".draft")
    database.execute(statement.format(draft=_quoted(draft), **about))
    with open(draft, "rb+") as file:
        os.fsync(file.fileno())
    draft.chmod(0o400)
    draft.rename(path)
    sync_folder(path.parent)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
