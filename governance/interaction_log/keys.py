"""Keys of interactions: a master in a file, keys of persons or conversations by initiative and month under it,
pseudonyms.

The database, and each copy of it, holds ciphertext and wrapped keys. Only the master, which is in none of them, opens
these. A master serves a month; `change_master` wraps all keys under the next one, and destroys those that are older
than any backup of the database: from then on no copy of a key that was destroyed meanwhile can be opened.
"""

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hmac import digest as hmac_digest
from pathlib import Path

from django.conf import settings
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
    """The file of the master key that a key is wrapped under is not there."""


def folder() -> Path:
    """Where the secrets lie that no backup of the database holds; made for its owner alone."""
    place = Path(settings.INTERACTION_KEYS_DIR)
    if not place.exists():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def _secret(place: Path, name: str) -> bytes:
    found = secret_files.seed(name, "", str(place / name))
    if found is None:
        raise NoMaster(f"the file {place / name} holds no key")
    return found


@cache
def _kept(place: Path, name: str) -> bytes:
    folder()
    secret_files.kept(place, name)
    return _secret(place, name)


@cache
def _there(place: Path, name: str) -> bytes:
    if not (place / name).exists():
        raise NoMaster(f"the master key {place / name} is not there: put it back from its own backup")
    return _secret(place, name)


def masters() -> list[str]:
    """The names of the masters that are there, the newest last."""
    return sorted(path.name.removeprefix(_MASTER) for path in folder().glob(f"{_MASTER}*"))


def master(name: str) -> bytes:
    """The master key of this name. Raises NoMaster."""
    return _there(folder(), f"{_MASTER}{name}")


def forget_read() -> None:
    """Read the files of keys anew: some were put back, or destroyed."""
    _there.cache_clear()
    _kept.cache_clear()
    _pseudonyms.cache_clear()


def current() -> tuple[str, bytes]:
    """The name and the key of the master that is wrapped under now; the first is made on the way."""
    place = folder()
    name = next(iter(masters()[-1:]), None) or f"{clock.now():%Y-%m}"
    return name, _kept(place, f"{_MASTER}{name}")


def pseudonym(kind: str, *parts: str) -> bytes:
    """What stands in rows for a text that nobody reads there: the same for the same, and nothing without the key."""
    said = "\0".join((kind, *parts)).encode()
    return hmac_digest(_pseudonyms(str(settings.INTERACTION_KEYS_DIR)), said, "sha256")[:PSEUDONYM]


@cache
def _pseudonyms(place: str) -> bytes:
    return _kept(Path(place), _PSEUDONYMS)


def month_of(moment: datetime) -> str:
    """The month of a moment (UTC), as keys have it."""
    return f"{moment.astimezone(UTC):%Y-%m}"


# --- Keys of months ---------------------------------------------------------------------------------------------------


def for_writing(
    initiative: int, wanted: Iterable[tuple[bytes, str]]
) -> dict[tuple[bytes, str], tuple[int, bytes]]:
    """By holder and month, the row and the key to wrap under in an initiative (its number); what is missing is made.

    Raises DatabaseError, NoMaster.
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
    """By row, the keys that are still there. Raises NoMaster."""
    kept = InteractionKey.objects.filter(pk__in=set(rows), wrapped__isnull=False)
    return {row.pk: _opened(row) for row in kept}


def _opened(row: InteractionKey) -> bytes:
    return bodies.unwrapped(bytes(row.wrapped or b""), master(row.master))


def destroy(rows: Iterable[int]) -> int:
    """Destroy the keys of these rows; how many were there. What they encrypted cannot be read any more.

    A copy of the database that is older still has them wrapped: they are gone for good once the master that wrapped
    them is destroyed (`change_master`), and a restore destroys them again
    (`governance.interaction_retention.destroyed`). Raises DatabaseError where a legal hold is on their initiative.
    """
    return InteractionKey.objects.filter(pk__in=list(rows), wrapped__isnull=False).update(
        wrapped=None, destroyed_at=clock.now()
    )


# --- The master -------------------------------------------------------------------------------------------------------


def change_master(*, today: date, backup_days: int) -> tuple[int, list[str]]:
    """Wrap every key under the master of this month, and destroy masters that only copies need; how many, and which.

    A master that was succeeded is destroyed `backup_days` after the month that it served ended: by then no backup is
    left whose keys it opens.
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
    """Write over a file and remove it. What a disk or a file system keeps of it by itself is beyond reach."""
    with open(path, "r+b") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
