"""Rows of many tables around the same keys, in one query that is built once a process.

These queries are for rows that every act or page reads again: the framework would take longer to build the queries
than the database to answer them (ADR 51). Only modules that hold nothing but such queries use this one.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, models
from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.base import ModelState
from django.db.models.functions import Cast
from django.db.utils import DEFAULT_DB_ALIAS

from governance import clock
from governance.database import prepared_statements, request_memo

MANY = 20  # tables, from which on planning a query about a few keys takes longer than answering it
# What JSON has no type for; the first that fits, because a moment is a kind of day to the framework.
_FROM_JSON = {
    models.DateTimeField: datetime.fromisoformat,
    models.DateField: date.fromisoformat,
    models.DecimalField: Decimal,
    models.FloatField: float,  # JSON has a whole number without its point
}


class Given(Value):
    """A place in a query for a moment, a day or some days, which are given by name, such as "now"."""

    def __init__(self, name: str, form: str = "{}"):
        super().__init__(form.format(f"plumbline_given_{name}"), output_field=models.DateTimeField())

    def as_sql(self, compiler, connection) -> tuple[str, list]:
        """Return the mark that `Batch` finds again."""
        return self.value, []


def words_of(query: QuerySet) -> str:
    """Return the unordered SQL of the query. A `Given` becomes a place such as `%(now)s`."""
    with connection.cursor() as cursor:
        said = cursor.mogrify(*query.order_by().query.sql_with_params()).replace("%", "%%")
    return re.sub(r"plumbline_given_(\w+)", r"%(\1)s", said)


class JSONList(Func):
    """The values of a row as plain JSON, which is read in half the time of jsonb."""

    function = "json_build_array"
    output_field = models.Field()  # the driver reads plain JSON; a JSONField would read that once more


@dataclass(frozen=True)
class Rows:
    """Rows of one table with a path to the key that they belong to.

    Annotations are read with the rows. `joined` names related rows with some of their columns, the key among them, a
    nearer row before those beyond it. `only` are the columns of the row itself that are read, or all but those
    `without`. The others are read when asked for. `keys` names the set of keys, if there are several sets. The query
    must hold a `Given` instead of a moment of the clock, because its SQL is made once.
    """

    rows: QuerySet
    by: str
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    keys: str = "keys"

    def sql(self, name: str) -> str:
        """Return the query for each row as text: `name`, the key and the list of values."""
        told = [F(one.attname) for one in self._own()] + list(map(F, self.rows.query.annotation_select))
        for path in self.joined:
            told.append(JSONList(*(F(f"{path}__{one.attname}") for one in self._related(path))))
        rows = self.rows.filter(**{self.by: Given(self.keys, "ANY({}::bigint[])")})
        return words_of(rows.values_list(Value(name), F(self.by), Cast(JSONList(*told), TextField())))

    def reader(self) -> Callable[[list], models.Model]:
        """Return the function that makes a row of the model from the values of one result."""
        annotated = {name: one.output_field for name, one in self.rows.query.annotation_select.items()}
        own = self._own()
        whole = _maker(self.rows.model, own, annotated)
        joined = []
        for place, path in enumerate(self.joined, len(own) + len(annotated)):
            *between, _ = path.split("__")
            related = self._related(path)
            joined.append((place, between, self._field(path), _maker(related[0].model, related)))

        def read(told: list) -> models.Model:
            row = whole(told)
            for place, between, relation, make in joined:
                holder = row
                for name in between:
                    holder = holder and getattr(holder, name)
                if holder is not None:
                    relation.set_cached_value(holder, None if told[place][0] is None else make(told[place]))
            return row

        return read

    def _own(self) -> list[models.Field]:
        """Return the columns of the row itself that are read."""
        every = self.rows.model._meta.concrete_fields
        return [
            one
            for one in every
            if one.attname not in self.without and one.attname in (self.only or (one.attname,))
        ]

    def _field(self, path: str) -> models.Field:
        """Return the field at the end of a path from the row."""
        model, found = self.rows.model, None
        for name in path.split("__"):
            found = model._meta.get_field(name)
            model = found.related_model
        return found

    def _related(self, path: str) -> list[models.Field]:
        """Return the columns of a related row that are read, in the order of its model."""
        fields = self._field(path).related_model._meta.concrete_fields
        return [one for one in fields if one.attname in self.joined[path]]


class Batch:
    """Rows of many tables around the same keys, asked together."""

    def __init__(self, **tables: Rows) -> None:
        self._tables = tables
        # By table, once it was asked: its SQL and its reader.
        self._made: dict[str, tuple[str, Callable]] = {}

    def ask(
        self,
        keys: Iterable[int] | Mapping[str, Iterable[int]],
        *names: str,
        **moments: datetime | date | list[date],
    ) -> dict[str, list]:
        """Return the rows around any of these keys by table, oldest first.

        Without `names` all tables are read. `keys`: one set for all tables, or several by their names. A table with
        an empty set is not asked. `moments`: the values of each `Given`.
        """
        found: dict[str, list] = {name: [] for name in names or self._tables}
        for name, _, row in self._read(keys, found, moments):
            found[name].append(row)
        return found

    def of(self, key: int, name: str) -> list:
        """Return the rows of one table around the key. A look reads and keeps all tables at once."""
        return (self.ask([key], name) if request_memo.kept() is None else self.around(key))[name]

    def around(self, key: int) -> dict[str, list]:
        """Return the rows around the key by table. A running look keeps them."""
        kept = request_memo.kept()
        if kept is None:
            return self.ask([key])
        self.together([key])
        return kept[self, key]

    def together(self, keys: Iterable[int]) -> None:
        """Read everything around all these keys now, for the running look."""
        kept = request_memo.kept()
        missing = [] if kept is None else [key for key in keys if (self, key) not in kept]
        if not missing:
            return
        found: dict[tuple, dict[str, list]] = {
            (self, key): {name: [] for name in self._tables} for key in missing
        }
        with prepared_statements.planned_once() if len(self._tables) >= MANY else nullcontext():
            for name, key, row in self._read(missing, self._tables, {}):
                found[self, key][name].append(row)
        kept.update(found)

    def _read(self, keys, names: Iterable[str], moments: dict) -> list[tuple[str, int, models.Model]]:
        sets = {
            name: list(some) for name, some in (keys if isinstance(keys, Mapping) else {"keys": keys}).items()
        }
        asked = [name for name in names if sets[self._tables[name].keys]]
        if not asked:
            return []
        for name in asked:
            if name not in self._made:
                self._made[name] = self._tables[name].sql(name), self._tables[name].reader()
        with prepared_statements.cursor() as cursor:
            words = " UNION ALL ".join(f"({self._made[name][0]})" for name in asked)
            cursor.execute(words, {"now": clock.now()} | sets | moments)
            rows = cursor.fetchall()
        told = json.loads(f"[{','.join(row[2] for row in rows)}]")
        found = [
            (name, key, self._made[name][1](one)) for (name, key, _), one in zip(rows, told, strict=True)
        ]
        return sorted(found, key=lambda one: one[2].pk)


def _maker(
    model: type[models.Model], fields: list[models.Field], annotated: dict[str, models.Field] | None = None
) -> Callable[[list], models.Model]:
    """Return the function that makes a row of the model from values as JSON has them.

    The values are those of these columns and annotations. Columns not given are read when asked for. The function
    avoids `Model.__init__`, which took some 15 % of a promotion.
    """
    names = [*(one.attname for one in fields), *(annotated or {})]
    converted = [
        (place, next(read for kind, read in _FROM_JSON.items() if isinstance(one, kind)))
        for place, one in enumerate([*fields, *(annotated or {}).values()])
        if isinstance(one, tuple(_FROM_JSON))
    ]

    def make(told: list) -> models.Model:
        for place, read in converted:
            if told[place] is not None:
                told[place] = read(told[place])
        row = model.__new__(model)
        values = row.__dict__
        values["_state"] = state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        values.update(zip(names, told, strict=False))
        return row

    return make
