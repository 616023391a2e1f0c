"""A list of destroyed keys beside the masters. An older database destroys them again.

The operator needs the folder of the masters to read a restored database, from any kind of backup. The list is in that
folder. A line has the number of a key and when it was made and destroyed, and names no one.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from governance.interaction_log import keys, loading
from governance.models import InteractionKey
from governance.runtime.spool_files import sync_folder

LIST = "destroyed"
_GUARD = "ALTER TABLE governance_interactionkey {} TRIGGER destroyed_stays_destroyed"
_AGAIN = """
UPDATE governance_interactionkey k SET wrapped = NULL, destroyed_at = told.destroyed_at
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS told (id, made_at, destroyed_at)
 WHERE k.id = told.id AND k.made_at = told.made_at AND k.wrapped IS NOT NULL
   AND (%s OR NOT plumbline_initiative_held(k.initiative_number))
"""


def path() -> Path:
    """Return the path of the list."""
    return keys.folder() / LIST


def write() -> int:
    """Add the destroyed keys that the list lacks, and return how many. Call it after the commit."""
    rows = InteractionKey.objects.filter(wrapped__isnull=True).values_list("pk", "made_at", "destroyed_at")
    with _alone():
        told = lines()
        known = {(one["key"], one["made_at"]) for one in told}
        new = [
            {"key": key, "made_at": made.isoformat(), "destroyed_at": gone.isoformat()}
            for key, made, gone in rows.order_by("pk")
            if gone is not None and (key, made.isoformat()) not in known
        ]
        if new:
            _put([*told, *new])
    return len(new)


def write_later() -> None:
    """`write`, once the running transaction is committed."""
    transaction.on_commit(write, robust=True)  # what fails is written by the next run of the worker


def again(*, as_owner: bool = False) -> int:
    """Destroy the listed keys that this database still has, and return how many.

    Runs in the current transaction. Keys under a hold stay. `as_owner` sets holds aside, as a restore does, because an
    older database does not know that a hold was lifted before the key was destroyed. Raises OSError, ValueError if the
    list cannot be read.
    """
    if not (told := lines()):
        return 0
    with connection.cursor() as cursor:
        if as_owner:
            cursor.execute(_GUARD.format("DISABLE"))
        columns = [[one[name] for one in told] for name in ("key", "made_at", "destroyed_at")]
        cursor.execute(_AGAIN, [*columns, as_owner])
        count = cursor.rowcount
        if as_owner:
            cursor.execute(_GUARD.format("ENABLE"))
    return count


def join(told: str) -> None:
    """Add the lines of another copy of the list that this one lacks."""
    with _alone():
        mine = lines()
        _put([*mine, *(one for one in map(json.loads, told.splitlines()) if one not in mine)])


def forget(today: date) -> int:
    """Remove keys from the list that expired by themselves. Returns how many lines."""
    with _alone():
        told = lines()
        remembered = loading.rows_kept()
        kept = [
            one for one in told if datetime.fromisoformat(one["destroyed_at"]).date() + remembered > today
        ]
        if len(kept) < len(told):
            _put(kept)
    return len(told) - len(kept)


def lines() -> list[dict[str, Any]]:
    """Return the lines of the list. Raises OSError, ValueError if it cannot be read."""
    if not path().exists():
        return []
    return [json.loads(line) for line in path().read_text().splitlines()]


@contextmanager
def _alone() -> Iterator[None]:
    """Lock the list, so that no other process writes it meanwhile."""
    mark = os.open(keys.folder(), os.O_RDONLY)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX)
        yield
    finally:
        os.close(mark)


def _put(told: list[dict[str, Any]]) -> None:
    """Have the list say this: the whole of it, or nothing new."""
    draft = path().with_suffix(".draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(json.dumps(one) + "\n" for one in told)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path())
    sync_folder(path().parent)
