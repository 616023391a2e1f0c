"""The history of a case as people read it: one sentence an act, and the rows that changed in the same transaction."""

import json
from dataclasses import dataclass
from functools import cache

from django.db.models import BooleanField, ExpressionWrapper, JSONField, Q, QuerySet
from django.db.models.expressions import RawSQL

from governance import erased
from governance.models import Clause, Contract, ContractVersion, Entry, EntryBody, User
from initiatives import models, words

# Acts of others that only auditors and admins see: what was refused, and who read what.
PRIVATE = ("refused", "evidence opened", "past read")
# Fields that say nothing to a reader, or that the sentence says already.
SILENT = {"id", "initiative", "contract", "version", "component", "review", "evidence"}
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Line:
    """One act: when, who, what in words, why, whether the moment was simulated, and the rows behind it."""

    at: object
    who: str
    text: str
    reason: str
    simulated: bool
    rows: tuple = ()


@dataclass(frozen=True)
class Row:
    """One changed row: what it is, what happened to it, and its fields before and after."""

    what: str
    happened: str
    changes: tuple


def without_private(entries, person):
    """The entries that this person may read: refusals and readings only where they are their own."""
    return entries.filter(~Q(kind__in=PRIVATE) | Q(actor_id=person.pk))


def lines(case, entries: QuerySet, book) -> list[Line]:
    """The entries in words, each with the rows its transaction changed; the first entry of a transaction has them.

    One question to the database: the acts, and the changes of rows that the database wrote down beside them.
    """
    acts, changes = [], []
    for row in _with_their_rows(case, entries):
        if row.told:
            acts.append(_act(row))
        else:
            changes.append(row)
    rows = _rows_by_transaction(changes)
    gone = erased.words_for(acts)
    result = []
    for entry in reversed(acts):
        body = entry.facts
        text = gone.get(entry.pk) or words.sentence(entry.kind, body.get("facts") or {}, book)
        reason = body.get("reason") or ""
        result.append(
            Line(
                at=entry.at,
                who="" if entry.pk in gone else body["actor"]["name"],
                text=text,
                reason="" if reason in text else reason,
                simulated=entry.simulated,
                rows=tuple(rows.pop(entry.xact, ())),
            )
        )
    return result


HAPPENED = {"+": "added", "~": "changed", "-": "removed"}
MODELS = (
    models.Initiative,
    models.RoleAssignment,
    models.Answer,
    models.Evidence,
    models.ProofItem,
    models.Component,
    models.ScopeVersion,
    models.ChangeRecord,
    models.Dependant,
    models.Review,
    models.Waiver,
    models.Hold,
    models.Obligation,
    models.Gap,
    models.Coverage,
    models.ComponentVersion,
    models.Question,
    models.Condition,
    Contract,
    ContractVersion,
    Clause,
)
# The names of everybody of whom a changed row speaks, out of its body.
NAMES = """
CASE WHEN governance_entry."table" <> '' THEN (
 SELECT jsonb_object_agg(person.id, person.full_name) FROM governance_user person WHERE person.id IN (
  SELECT said.value::bigint
    FROM (SELECT nullif(convert_from(governance_entrybody.body, 'UTF8'), '')::jsonb AS body) told,
         LATERAL (SELECT * FROM jsonb_each_text(nullif(told.body->'before', 'null'))
                  UNION ALL SELECT * FROM jsonb_each_text(nullif(told.body->'after', 'null'))) said
   WHERE said.key = ANY(%s) AND said.value IS NOT NULL))
ELSE NULL END
"""


COLUMNS = ("id", "kind", "actor_id", "xact", "at", "simulated")  # in the order of the model


def _with_their_rows(case, entries: QuerySet) -> QuerySet:
    """These acts (`told`), and the rows of the case that changed in their transactions, each with `names`."""
    tables = [model._meta.db_table for model in MODELS]
    people = sorted({name for model in MODELS for name in _people(model)})
    mine = Q(case_ref=case.ref, table__in=["", *tables])
    # A contract is written a moment before its case points to it: the entry of its beginning names no case yet.
    mine |= Q(case_ref="", table=Contract._meta.db_table, key=str(case.contract_id))
    told = ExpressionWrapper(Q(pk__in=entries.values("pk")), output_field=BooleanField())
    return (
        Entry.objects.filter(mine, xact__in=entries.values("xact"))
        .annotate(told=told, names=RawSQL(NAMES, [people], output_field=JSONField()))
        .exclude(told=False, table="")
        .order_by("id")
        .values_list(*COLUMNS, "table", "operation", "body__body", "told", "names", named=True)
    )


def _act(row) -> Entry:
    """The entry of an act, with its body."""
    entry = Entry.from_db("default", COLUMNS, [getattr(row, name) for name in COLUMNS])
    entry.body = EntryBody(entry_id=row.id, body=row.body__body)
    return entry


def _people(model) -> list[str]:
    """The columns of a table that hold the key of a person."""
    return [field.column for field in model._meta.concrete_fields if field.related_model is User]


def _rows_by_transaction(entries: list) -> dict[int, list[Row]]:
    """The changes of rows by transaction, as people read them: table by table, each in its order."""
    by_table = {model._meta.db_table: (place, model) for place, model in enumerate(MODELS)}
    found: dict[int, list[Row]] = {}
    for entry in sorted(entries, key=lambda entry: (by_table[entry.table][0], entry.id)):
        model = by_table[entry.table][1]
        body = json.loads(bytes(entry.body__body) or b"{}")
        before, after = body.get("before"), body.get("after")
        if entry.operation == "-":
            before, after = None, before  # what was taken away is told as it stood
        if body:
            changes = tuple(_changes(model, before, after, entry.names or {}))
        else:
            changes = (("words", "erased", "erased since"),)
        what = model._meta.verbose_name.capitalize()
        found.setdefault(entry.xact, []).append(Row(what, HAPPENED[entry.operation], changes))
    return found


def _changes(model, before: dict | None, after: dict | None, names: dict[str, str]):
    """The fields that differ, as (field, before, after); of a row that came, all that say something."""
    for field in _telling(model):
        said = before.get(field.column) if before else None, after.get(field.column) if after else None
        if said[0] == said[1] or (before is None and said[1] in (None, "", [], {}, False)):
            continue
        old, new = (None if value is None else field.to_python(value) for value in said)
        if field.related_model is User:
            old, new = names.get(str(old), old), names.get(str(new), new)
        yield field.verbose_name, _shown(old), _shown(new)


@cache
def _telling(model) -> list:
    """The fields of a table that say something to a reader."""
    return [field for field in model.history.model.tracked_fields if field.name not in SILENT]


def _shown(value) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value) or "nothing"
    text = f"{value:%-d %B %Y %H:%M}" if hasattr(value, "hour") else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ..."
