"""What was built once by real acts, laid down again for the next test: minutes saved, no act skipped.

The first test of a process that asks for a cast or a case builds it through the actions. Its rows are kept, and later
tests get the same rows instead of the same acts again: the database has them in tables beside its own (`kept_1`, ...),
and lays them down in one statement. Days matter to proof, so a snapshot serves only its day.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.utils import DatabaseError

from governance import clock
from initiatives.models import Evidence, Initiative

APPS = ("governance", "initiatives", "adoption")


@dataclass
class Snapshot:
    """Rows by table, as COPY wrote them, and the files they speak of."""

    made: object
    owner: int
    rows: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


_kept: dict[tuple, Snapshot] = {}


# What was laid down is sealed anew, like everything that is there; and nobody is signed in by it.
LEFT_OUT = ("Checkpoint", "Leaf", "Node", "Sealing", "Timestamp", "Session")


def tables() -> list[tuple[str, str]]:
    """Every table of the project with its primary key, but for the tree over the entries and the sessions."""
    return [
        (model._meta.db_table, model._meta.pk.column)
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in LEFT_OUT
    ]


def remembered(key: str, build: Callable, *, over=None):
    """What `build` makes: made now, or laid down from an earlier test of this day. `over` is the cast it stands on."""
    place = (key, clock.today(), connection.settings_dict["NAME"])
    known = _kept.get(place)
    if known is not None and (over is None or over.owner.pk == known.owner) and _lay(known):
        return copy.deepcopy(known.made)
    before = _highest()
    made = build()
    owner = (over or made).owner.pk
    _kept[place] = Snapshot(copy.deepcopy(made), owner, _rows_after(before), _files_after(before))
    return made


def empty_of_cases() -> bool:
    """Whether a case may be laid down: its rows would be the only ones."""
    return not Initiative.objects.exists()


def _highest() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', coalesce(max({pk}), 0) FROM {name}" for name, pk in tables()
            )
        )
        return dict(cursor.fetchall())


def _rows_after(before: dict[str, int]) -> dict[str, bytes]:
    rows = {}
    for name, pk in tables():
        with (
            connection.connection.cursor() as cursor,
            cursor.copy(f"COPY (SELECT * FROM {name} WHERE {pk} > {before[name]}) TO STDOUT") as out,
        ):
            data = b"".join(bytes(chunk) for chunk in out)
        if data:
            rows[name] = data
    return rows


def _files_after(before: dict[str, int]) -> dict[str, bytes]:
    names = (
        Evidence.objects.filter(pk__gt=before["initiatives_evidence"])
        .exclude(file="")
        .values_list("file", flat=True)
    )
    return {name: default_storage.open(name).read() for name in names}


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
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(content))
    return True


# By database and snapshot: the statement that lays its rows down.
_stored: dict[tuple[int, int], str] = {}


def _store(snapshot: Snapshot, schema: str) -> str:
    """Put the rows into tables of their own, by a connection whose work stays; the statement that lays them down."""
    from tests.plumbing import url_of  # a plugin: pytest wants to be the first to import it

    with psycopg.connect(url_of(connection.settings_dict["NAME"])) as beside:
        beside.execute(f"CREATE SCHEMA {schema}")
        for name, data in snapshot.rows.items():
            beside.execute(f"CREATE TABLE {schema}.{name} (LIKE public.{name})")
            _copy(beside, f"{schema}.{name}", data)
    laid = (f"INSERT INTO {name} SELECT * FROM {schema}.{name}" for name in snapshot.rows)
    return "; ".join(
        [
            "SET LOCAL session_replication_role = replica",
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
        "SELECT setval('plumbline_case_number', greatest((SELECT last_value FROM plumbline_case_number),"
        " (SELECT coalesce(max(number), 1) FROM initiatives_initiative)))"
    )


_found: list[tuple[str, str, str]] = []


def _sequences(cursor) -> list[tuple[str, str, str]]:
    if not _found:
        for name, pk in tables():
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [name, pk])
            sequence = cursor.fetchone()[0]
            if sequence:
                _found.append((name, pk, sequence))
    return _found
