"""Keys of interactions, their master keys in files, and pseudonyms.

A key is for a person or a conversation of an initiative in a month. The database and its copies have only ciphertext
and wrapped keys, which only the master opens. A master serves a month. `change_master` wraps all keys under the next
one, and destroys masters older than any database backup. After that no copy of a destroyed key can be opened.
"""

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hmac import digest as hmac_digest
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from governance import clock
from governance.interaction_log import bodies
from governance.models import InteractionKey
from governance.runtime import secret_files

PSEUDONYM = 16  # bytes
_MASTER, _PSEUDONYMS = "master-", "pseudonyms"
_READ = """
SELECT DISTINCT ON (holder, month) holder, month, id, master, wrapped FROM governance_interactionkey
 WHERE initiative_number = %s AND (holder, month) IN (SELECT * FROM unnest(%s::bytea[], %s::text[]))
   AND wrapped IS NOT NULL
"""
_MAKE = """
INSERT INTO governance_interactionkey (initiative_number, holder, month, master, wrapped)
SELECT %s, * FROM unnest(%s::bytea[], %s::text[], %s::text[], %s::bytea[])
ON CONFLICT (holder, initiative_number, month) WHERE wrapped IS NOT NULL DO NOTHING
"""


class NoMaster(RuntimeError):
    """The file of the master key that wraps a key is missing."""


def folder() -> Path:
    """Return the folder of the secrets that are not in backups, for its owner alone."""
    place = Path(settings.INTERACTION_KEYS_DIR)
    if not place.exists():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def _secret(place: Path, name: str) -> bytes:
    found = secret_files.seed(name, "", str(place / name))
    if found is None:
        raise NoMaster(f"the file {place / name} contains no key")
    return found


@cache
def _kept(place: Path, name: str) -> bytes:
    folder()
    secret_files.kept(place, name)
    return _secret(place, name)


@cache
def _there(place: Path, name: str) -> bytes:
    if not (place / name).exists():
        raise NoMaster(f"the master key {place / name} is missing. Restore it from the backup of the keys")
    return _secret(place, name)


def masters() -> list[str]:
    """Return the names of the available masters, the newest last."""
    return sorted(path.name.removeprefix(_MASTER) for path in folder().glob(f"{_MASTER}*"))


def master(name: str) -> bytes:
    """Return the master key of this name. Raises NoMaster."""
    return _there(folder(), f"{_MASTER}{name}")


def forget_read() -> None:
    """Read the key files again, because some were restored or destroyed."""
    _there.cache_clear()
    _kept.cache_clear()
    _pseudonyms.cache_clear()


def current() -> tuple[str, bytes]:
    """Return name and key of the current master, and make the first one if needed."""
    place = folder()
    name = next(iter(masters()[-1:]), None) or f"{clock.now():%Y-%m}"
    return name, _kept(place, f"{_MASTER}{name}")


def pseudonym(kind: str, *parts: str) -> bytes:
    """Return a text's pseudonym in rows, which is the same for the same text and key."""
    said = "\0".join((kind, *parts)).encode()
    return hmac_digest(_pseudonyms(str(settings.INTERACTION_KEYS_DIR)), said, "sha256")[:PSEUDONYM]


@cache
def _pseudonyms(place: str) -> bytes:
    return _kept(Path(place), _PSEUDONYMS)


def month_of(moment: datetime) -> str:
    """Return the month of a moment (UTC), as keys have it."""
    return f"{moment.astimezone(UTC):%Y-%m}"


# --- Keys of months ---------------------------------------------------------------------------------------------------


def for_writing(
    initiative: int, wanted: Iterable[tuple[bytes, str]]
) -> dict[tuple[bytes, str], tuple[int, bytes]]:
    """Return row and key by holder and month, for an initiative (its number).

    Missing keys are made. Raises DatabaseError, NoMaster.
    """
    pairs = list(dict.fromkeys(wanted))
    found = _read(initiative, pairs)
    missing = [pair for pair in pairs if pair not in found]
    if missing:
        name, under = current()
        with connection.cursor() as cursor:
            cursor.execute(
                _MAKE,
                [
                    initiative,
                    [holder for holder, _ in missing],
                    [month for _, month in missing],
                    [name] * len(missing),
                    [bodies.wrapped(bodies.new_key(), under) for _ in missing],
                ],
            )
        found |= _read(initiative, missing)
    return found


def _read(initiative: int, pairs: list[tuple[bytes, str]]) -> dict[tuple[bytes, str], tuple[int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [initiative, [holder for holder, _ in pairs], [month for _, month in pairs]])
        return {
            (bytes(holder), month): (row, bodies.unwrapped(bytes(wrapped), master(name)))
            for holder, month, row, name, wrapped in cursor.fetchall()
        }


def for_reading(rows: Iterable[int]) -> dict[int, bytes]:
    """Return the keys that still exist, by row. Raises NoMaster."""
    kept = InteractionKey.objects.filter(pk__in=set(rows), wrapped__isnull=False)
    return {row.pk: _opened(row) for row in kept}


def condition() -> str:
    """Return "ok" if this host opens the newest key, or what to do. Strangers may read it: it has no path."""
    newest = InteractionKey.objects.filter(wrapped__isnull=False).order_by("-pk").first()
    try:
        if newest is not None:
            _opened(newest)
    except (NoMaster, ImproperlyConfigured, bodies.Unreadable):
        return (
            "this host cannot open the newest key of interactions. Share the folder PLUMBLINE_INTERACTION_KEYS "
            "between all hosts, or restore it by `manage.py interaction_keys`"
        )
    return "ok"


def _opened(row: InteractionKey) -> bytes:
    return bodies.unwrapped(bytes(row.wrapped or b""), master(row.master))


def destroy(rows: Iterable[int]) -> int:
    """Destroy the keys of these rows, and return how many. Their data is unreadable.

    An older copy of the database still has the wrapped keys, until the master that wrapped them is destroyed
    (`change_master`). A restore destroys the keys again (`governance.interaction_retention.destroyed`). Raises
    DatabaseError if a legal hold is on their initiative.
    """
    return InteractionKey.objects.filter(pk__in=list(rows), wrapped__isnull=False).update(
        wrapped=None, destroyed_at=clock.now()
    )


# --- The master -------------------------------------------------------------------------------------------------------


def change_master(*, today: date, backup_days: int) -> tuple[int, list[str]]:
    """Wrap all keys under this month's master, and destroy outdated masters.

    Returns the number of keys wrapped and the names of the destroyed masters. An earlier master is destroyed
    `backup_days` after the end of its month, when no backup is left whose keys it opens.
    """
    name = f"{today:%Y-%m}"
    under = _kept(folder(), f"{_MASTER}{name}")
    count = 0
    while rows := _under_another(name):
        with transaction.atomic():
            for row in InteractionKey.objects.select_for_update().filter(pk__in=rows, wrapped__isnull=False):
                key = _opened(row)
                InteractionKey.objects.filter(pk=row.pk).update(
                    wrapped=bodies.wrapped(key, under), master=name
                )
                count += 1
    gone = [one for one in masters() if one < name and _ended(one) + timedelta(days=backup_days) < today]
    for one in gone:
        _destroy_file(folder() / f"{_MASTER}{one}")
    if gone:
        forget_read()
    return count, gone


def _under_another(name: str) -> list[int]:
    others = InteractionKey.objects.filter(wrapped__isnull=False).exclude(master=name)
    return list(others.values_list("pk", flat=True)[:2000])


def _ended(name: str) -> date:
    first = date.fromisoformat(f"{name}-01")
    return (first + timedelta(days=32)).replace(day=1)


def _destroy_file(path: Path) -> None:
    """Overwrite and remove a file. Copies by the disk or file system are not reached."""
    with open(path, "r+b") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
