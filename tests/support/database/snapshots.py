"""What was built once by real acts, laid down again for the next test: minutes saved, no act skipped.

The first test of a process that asks for a cast, an initiative or a fixture that is `kept` builds it through the
actions. What that wrote is kept, and later tests get the same rows instead of the same acts again: the database has
them in tables beside its own (`kept_1`, ...), and lays them down in one statement. Days matter to evidence, so a
snapshot serves only its day; and acts follow from what they find, so it is laid down only where exactly that is there
which it was built upon.
"""

import copy
import functools
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.utils import DatabaseError

from governance import clock

APPS = ("governance", "initiatives", "adoption")


@dataclass(eq=False)
class Snapshot:
    """What acts wrote: rows by table as COPY wrote them, keys of rows that were changed or removed, and files.

    `again` gives what they returned, anew each time.
    """

    again: Callable[[], object]
    rows: dict[str, bytes] = field(default_factory=dict)
    gone: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


class Place(NamedTuple):
    """Which database, and its last entry: no two states have the same, for numbers do not go back (see `forget`)."""

    database: int
    entry: int


_kept: dict[tuple, Snapshot] = {}
# What is known to be in a database that has a certain last entry, and nothing else: None is nobody at all.
_stands: dict[Place, Snapshot | None] = {}


# What was laid down is sealed anew, like everything that is there; and nobody is signed in by it.
LEFT_OUT = ("Checkpoint", "Cosignature", "Leaf", "Node", "Sealing", "Timestamp", "Session")


@functools.cache
def tables() -> dict[str, str]:
    """Every table of the project with its primary key, but for the tree over the entries and the sessions."""
    return {
        model._meta.db_table: model._meta.pk.column
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in LEFT_OUT
    }


def kept(fixture: Callable) -> Callable:
    """For a fixture that does nothing but act, upon nothing but other such fixtures: its acts are done once."""

    @functools.wraps(fixture)
    def laid(**given):
        return remembered(f"{fixture.__module__}.{fixture.__qualname__}", lambda: fixture(**given))

    return laid


def remembered(key: object, build: Callable):
    """What `build` makes: made now, or laid down from an earlier test of this day that stood where this one stands."""
    here = _here()
    if here not in _stands:
        return build()
    now = clock.now()  # one of a whole second stands still: the story goes on from exactly there
    place = (key, now if now.microsecond == 0 else clock.today(), bool(clock.simulating()), _stands[here])
    known = _kept.get(place)
    if known is None or not _lay(known):
        before = _marks()
        made = build()
        known = _kept[place] = _difference(_repeating(made), before, _marks())
    else:
        made = known.again()
    _stands[_here()] = known
    return made


def forget() -> None:
    """A database was emptied, and its numbers begin again."""
    _stands.clear()
    _advanced.clear()


def _repeating(made: object) -> Callable[[], object]:
    """What gives copies of this as it is now. Packed once, it is copied in a tenth of the time, where it can be."""
    try:
        return functools.partial(pickle.loads, pickle.dumps(made))
    except (pickle.PicklingError, AttributeError, TypeError):  # of a class that has no name of its own
        return functools.partial(copy.deepcopy, copy.deepcopy(made))


def _here() -> Place:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()),"
            " (SELECT max(id) FROM governance_entry), EXISTS (SELECT FROM governance_user)"
        )
        database, entry, anybody = cursor.fetchone()
    if not anybody:
        _stands[Place(database, 0)] = None
        return Place(database, 0)
    return Place(database, entry)


def _marks() -> dict[tuple[str, int], str]:
    """A digest of every row, by table and key."""
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', {pk}, md5({name}::text) FROM {name}" for name, pk in tables().items()
            )
        )
        return {(name, pk): digest for name, pk, digest in cursor.fetchall()}


def _difference(again: Callable[[], object], before: dict, after: dict) -> Snapshot:
    """What is in the database now and was not, or not like that, before."""
    written: dict[str, list[int]] = {}
    gone: dict[str, list[int]] = {}
    for (name, pk), digest in after.items():
        if before.get((name, pk)) != digest:
            written.setdefault(name, []).append(pk)
    for (name, pk), digest in before.items():
        if after.get((name, pk)) != digest:
            gone.setdefault(name, []).append(pk)
    rows = {}
    for name, keys in written.items():
        with (
            connection.connection.cursor() as cursor,
            cursor.copy(f"COPY (SELECT * FROM {name} WHERE {_among(name, keys)}) TO STDOUT") as out,
        ):
            rows[name] = b"".join(bytes(chunk) for chunk in out)
    return Snapshot(again, rows, gone, _files(written.get("initiatives_evidence", [])))


def _among(table: str, keys: list[int]) -> str:
    return f"{tables()[table]} IN ({', '.join(map(str, keys))})"


def _files(items: list[int]) -> dict[str, bytes]:
    found = apps.get_model("initiatives.Evidence").objects.filter(pk__in=items).exclude(file="")
    return {name: default_storage.open(name).read() for name in found.values_list("file", flat=True)}


def _lay(snapshot: Snapshot) -> bool:
    """Put the rows back; False where this login may not switch triggers off, or the rows are there already."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            place = (cursor.fetchone()[0], id(snapshot))
            if place in _stored:
                cursor.execute(_stored[place])
            elif place in _advanced:  # the second time: this database is one that many tests share
                _stored[place] = _store(snapshot, f"kept_{len(_stored)}")
                cursor.execute(_stored[place])
            else:
                cursor.execute("SET LOCAL session_replication_role = replica")
                for statement in _removing(snapshot):
                    cursor.execute(statement)
                for name, data in snapshot.rows.items():
                    _copy(connection.connection, name, data)
                cursor.execute("SET LOCAL session_replication_role = origin")
            if place not in _advanced:
                _advance(cursor)
                _advanced.add(place)
    except DatabaseError:
        return False
    except Exception as trouble:  # psycopg's own, from the raw cursor
        if type(trouble).__module__.startswith("psycopg"):
            return False
        raise
    for name, content in snapshot.files.items():
        # Another test may have removed it, or written something else into its place.
        if not default_storage.exists(name) or default_storage.open(name).read() != content:
            default_storage.delete(name)
            default_storage.save(name, ContentFile(content))
    return True


def _removing(snapshot: Snapshot) -> list[str]:
    return [f"DELETE FROM {name} WHERE {_among(name, keys)}" for name, keys in snapshot.gone.items()]


# By database and snapshot: the statement that lays its rows down.
_stored: dict[tuple[int, int], str] = {}


def _store(snapshot: Snapshot, schema: str) -> str:
    """Put the rows into tables of their own, by a connection whose work stays; the statement that lays them down."""
    from tests.support.plugin import url_of  # a plugin: pytest wants to be the first to import it

    with psycopg.connect(url_of(connection.settings_dict["NAME"])) as beside:
        beside.execute(f"CREATE SCHEMA {schema}")
        for name, data in snapshot.rows.items():
            beside.execute(f"CREATE TABLE {schema}.{name} (LIKE public.{name})")
            _copy(beside, f"{schema}.{name}", data)
    laid = (f"INSERT INTO {name} SELECT * FROM {schema}.{name}" for name in snapshot.rows)
    return "; ".join(
        [
            "SET LOCAL session_replication_role = replica",
            *_removing(snapshot),
            *laid,
            "SET LOCAL session_replication_role = origin",
        ]
    )


def _copy(to: psycopg.Connection, table: str, data: bytes) -> None:
    with to.cursor() as raw, raw.copy(f"COPY {table} FROM STDIN") as into:
        into.write(data)


# By database and snapshot: a sequence does not go back with a test's transaction.
_advanced: set[tuple[int, int]] = set()


def _advance(cursor) -> None:
    """Move every sequence past the rows that were laid down."""
    cursor.execute(
        "SELECT "
        + ", ".join(
            f"setval('{pair}', greatest((SELECT last_value FROM {pair}), (SELECT coalesce(max({pk}), 1) FROM {name})))"
            for name, pk, pair in _sequences(cursor)
        )
    )
    cursor.execute(
        "SELECT setval('plumbline_initiative_number', greatest((SELECT last_value FROM plumbline_initiative_number),"
        " (SELECT coalesce(max(number), 1) FROM initiatives_initiative)))"
    )


_found: list[tuple[str, str, str]] = []


def _sequences(cursor) -> list[tuple[str, str, str]]:
    if not _found:
        for name, pk in tables().items():
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [name, pk])
            sequence = cursor.fetchone()[0]
            if sequence:
                _found.append((name, pk, sequence))
    return _found
