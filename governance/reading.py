"""One look: what is asked twice is read once, on a page, or in the part of an act between its lock and its writing."""

import json
import re
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.base import ModelState
from django.db.models.functions import Cast
from django.db.utils import DEFAULT_DB_ALIAS

from governance import clock, prepared

_look: ContextVar[dict | None] = ContextVar("plumbline_look", default=None)


@contextmanager
def one_look():
    """While this is open, `once` remembers; inside another look it is part of that one.

    Only around what reads: a page that is looked at, never a page sent; in an act what it judges, after its lock and
    before its first write, never the whole act.
    """
    if _look.get() is not None:
        yield
        return
    token = _look.set({})
    try:
        yield
    finally:
        _look.reset(token)


@contextmanager
def afresh():
    """Inside, and afterwards too, everything is read anew: whoever acts may change what was read."""
    kept = _look.get()
    token = _look.set(None)
    try:
        yield
    finally:
        _look.reset(token)
        if kept is not None:
            kept.clear()


def once(key: tuple, read: Callable):
    """What `read` returns: kept under `key` until the running look ends, read every time where nobody looks."""
    kept = _look.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    return kept[key]


def counts(*rows: QuerySet) -> tuple[int, ...]:
    """How many rows each of these has, in one question to the database."""
    return _of_each("(SELECT count(*) FROM ({}) of_them)", rows)


def lists(*rows: QuerySet) -> tuple[list[int], ...]:
    """The keys of each of these, or the one column it asks for, in their order, in one question to the database."""
    return _of_each("ARRAY({})", rows)


def _of_each(question: str, rows: Iterable[QuerySet]) -> tuple:
    asked, values = [], []
    for one in rows:
        try:
            one = one if one.query.values_select else one.values("pk")
            sql, given = one.query.sql_with_params()
        except EmptyResultSet:
            sql, given = "SELECT 1 WHERE false", ()
        asked.append(question.format(sql))
        values += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked)}", values)
        return cursor.fetchone()


# Stands for the keys while the SQL of a question is made; no key of ours is ever that high.
ANY_KEY = 8_999_999_999_999_999_989
_GIVEN = "plumbline_moment_"

# What JSON has no type for; the first that fits, because a moment is a kind of day to the framework.
_FROM_JSON = {
    models.DateTimeField: datetime.fromisoformat,
    models.DateField: date.fromisoformat,
    models.DecimalField: Decimal,
}


@dataclass(frozen=True)
class Around:
    """Rows of one table that belong to a key: which rows, and by which path to the key.

    Annotations come along as attributes, as JSON has them. `joined` names related rows that come along with some of
    their columns, the key first, and of a row between them and this one ("delegate_of__person") what points; `without`
    columns that stay behind, `keys` the set of keys it is asked with where there are several. The query must not hold
    a moment of the clock, because its SQL is made once: it holds a `Moment`. `Moment("now")` is told by itself.
    """

    rows: QuerySet
    by: str
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    keys: str = "keys"

    @property
    def _own(self) -> list[str]:
        """The columns of the row itself that come along."""
        concrete = self.rows.model._meta.concrete_fields
        return [one.attname for one in concrete if one.column not in self.without]

    def asked(self, name: str) -> QuerySet:
        """The query that tells each row as text: its name, its key, and by place its columns and what comes along."""
        told = [F(column) for column in (*self._own, *self.rows.query.annotations)]
        told += [
            JSONList(*(F(f"{path}__{column}") for column in columns)) for path, columns in self.joined.items()
        ]
        rows = self.rows.filter(**{f"{self.by}__in": [ANY_KEY]}).order_by()
        return rows.values_list(Value(name), F(self.by), Cast(JSONList(*told), TextField()))

    def reader(self) -> Callable[[list], models.Model]:
        """What makes a row of the model from what is told of it."""
        own, annotated = self._own, list(self.rows.query.annotations)
        places = {path: place for place, path in enumerate(self.joined, len(own) + len(annotated))}
        whole = maker(self.rows.model, own, annotated)
        joined = [
            (path, places[path], maker(self._model_at(path), columns))
            for path, columns in self.joined.items()
            if "__" not in path
        ]
        behind = []
        for path, columns in self.joined.items():
            if "__" in path:
                between, name = path.split("__")
                make_between = maker(self._model_at(between), ["id", f"{name}_id"])
                behind.append(
                    (places[path], between, name, maker(self._model_at(path), columns), make_between)
                )

        def read(told: list) -> models.Model:
            row = whole(told)
            related = row._state.fields_cache
            for path, place, make in joined:
                related[path] = None if told[place][0] is None else make(told[place])
            for place, between, name, make, make_between in behind:
                related.setdefault(between)
                if told[place][0] is not None:
                    known = (getattr(row, f"{between}_id"), told[place][0])
                    related[between] = related[between] or make_between(known)
                    related[between]._state.fields_cache[name] = make(told[place])
            return row

        return read

    def _model_at(self, path: str) -> type[models.Model]:
        model = self.rows.model
        for name in path.split("__"):
            model = model._meta.get_field(name).related_model
        return model


class Moment(Func):
    """Stands in the query of a question for a moment, or a day, that is told by its name whenever it is asked."""

    def __init__(self, name: str):
        super().__init__(template=f"{_GIVEN}{name}", output_field=models.DateTimeField())


class Question:
    """Rows of many tables around the same keys in one question to the database, whose SQL is made once a process.

    Building a query costs the framework more than answering it costs the database; the facts of a case are read in
    every act and on every page, always in the same words.
    """

    def __init__(self, **tables: Around) -> None:
        self._tables = tables
        self._readers: dict[str, Callable[[list], models.Model]] = {}
        self._sql: dict[str, str] = {}

    def ask(
        self, keys: Iterable[int] | dict[str, Iterable[int]], *names: str, **moments: datetime | date
    ) -> dict[str, dict[int, list]]:
        """For each table, or each named one, the rows of every key that has any, oldest first.

        `keys`: one set for all tables, or several by their names; a table whose set is empty is not asked. `moments`:
        what the `Moment`s of the queries stand for.
        """
        sets = {
            name: list(some) for name, some in (keys if isinstance(keys, dict) else {"keys": keys}).items()
        }
        names = names or tuple(self._tables)
        found: dict[str, dict[int, list]] = {name: {} for name in names}
        asked = [name for name in names if sets[self._tables[name].keys]]
        if not asked:
            return found
        words = " UNION ALL ".join(f"({self._sql.get(name) or self._words(name)})" for name in asked)
        with prepared.cursor() as cursor:
            cursor.execute(words, {"now": clock.now()} | sets | moments)
            rows = cursor.fetchall()
        for (name, key, _), told in zip(
            rows, json.loads(f"[{','.join(row[2] for row in rows)}]"), strict=True
        ):
            found[name].setdefault(key, []).append(self._readers[name](told))
        for name, by_key in found.items():
            key_of = attrgetter(self._tables[name].rows.model._meta.pk.attname)
            for of_key in by_key.values():
                of_key.sort(key=key_of)
        return found

    def _words(self, name: str) -> str:
        table = self._tables[name]
        self._readers[name] = table.reader()
        sql, values = table.asked(name).query.sql_with_params()
        with connection.cursor() as cursor:
            said = cursor.mogrify(sql, values).replace("%", "%%")
        said = said.replace(f"IN ({ANY_KEY})", f"= ANY(%({table.keys})s::bigint[])")
        self._sql[name] = re.sub(rf"{_GIVEN}(\w+)", r"%(\1)s", said)
        return self._sql[name]

    def each(self, keys: list[int], name: str) -> dict[int, list]:
        """For every key its rows in that table. Who looks reads all tables at once, and keeps them for the look."""
        kept = _look.get()
        if kept is None:
            return self._by(keys, self.ask(keys, name)[name])
        self.together(keys)
        return {key: kept[self, name, key] for key in keys}

    def together(self, keys: Iterable[int]) -> None:
        """Read everything around all these keys now, for the running look."""
        kept = _look.get()
        if kept is None:
            return
        first = next(iter(self._tables))
        missing = [key for key in keys if (self, first, key) not in kept]
        if missing:
            for name, found in self.ask(missing).items():
                kept.update({(self, name, key): rows for key, rows in self._by(missing, found).items()})

    @staticmethod
    def _by(keys: Iterable[int], found: dict[int, list]) -> dict[int, list]:
        return {key: found.get(key, []) for key in keys}


class Whose:
    """Which keys have any row at all, of many kinds, in one question to the database whose SQL is made once a process.

    `kinds`: rows each, and the column that names the key; they must not hold a moment of the clock.
    """

    def __init__(self, **kinds: tuple[QuerySet, str]) -> None:
        self._kinds = kinds
        self._sql = ""

    def ask(self, keys: Iterable[int]) -> dict[str, set[int]]:
        """For each kind those of these keys that have a row of it."""
        self._sql = self._sql or self._words()
        with prepared.cursor() as cursor:
            cursor.execute(self._sql, {"keys": list(keys)})
            return dict(zip(self._kinds, map(set, cursor.fetchone()), strict=True))

    def _words(self) -> str:
        asked = []
        for rows, by in self._kinds.values():
            query = rows.filter(**{f"{by}__in": [ANY_KEY]}).order_by().values_list(by, flat=True).query
            with connection.cursor() as cursor:
                said = cursor.mogrify(*query.sql_with_params()).replace("%", "%%")
            asked.append(f"ARRAY({said.replace(f'IN ({ANY_KEY})', '= ANY(%(keys)s::bigint[])')})")
        return f"SELECT {', '.join(asked)}"


class JSONList(Func):
    """What a row tells, by place.

    Plain JSON without names: the server writes it, and we read it, in half the time that objects of jsonb take.
    """

    function = "json_build_array"
    output_field = models.Field()  # the driver reads plain JSON; a JSONField would read that once more


def maker(
    model: type[models.Model], columns: Iterable[str], annotated: Iterable[str] = ()
) -> Callable[[Iterable], models.Model]:
    """What makes a row from the values of these columns as JSON has them, as the table's own query would give it.

    What is `annotated` comes after them; columns it is not given are read when asked for. It goes past
    `Model.__init__`, which would cost more than everything else that is done with a row.
    """
    known = {name: one for one in model._meta.concrete_fields for name in (one.attname, one.column)}
    fields = [known[name] for name in columns]
    names = [*(one.attname for one in fields), *annotated]
    converted = [
        (one.attname, next(read for kind, read in _FROM_JSON.items() if isinstance(one, kind)))
        for one in fields
        if isinstance(one, tuple(_FROM_JSON))
    ]

    def make(told: Iterable) -> models.Model:
        row = model.__new__(model)
        values = row.__dict__
        values["_state"] = state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        values.update(zip(names, told, strict=False))
        for name, convert in converted:
            if values[name] is not None:
                values[name] = convert(values[name])
        return row

    return make
