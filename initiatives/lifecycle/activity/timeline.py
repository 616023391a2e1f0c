"""The activity of an initiative in words: one sentence an act, with its rows."""

import json
from dataclasses import dataclass
from functools import cache

from django.db.models import Field, JSONField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse

from governance.models import Clause, Contract, ContractVersion, Entry, User
from governance.privacy import erasure_log
from governance.vocabulary.entry_kinds import EntryKind
from initiatives import models
from initiatives.lifecycle.activity import entry_wording

# Acts of others that only auditors and admins see: what was refused, and who read what.
PRIVATE = (
    EntryKind.REFUSED,
    EntryKind.EVIDENCE_OPENED,
    EntryKind.ATTACHMENT_OPENED,
    EntryKind.INTERACTION_OPENED,
    EntryKind.PAST_READ,
)
# Fields that say nothing to a reader, or that the sentence says already.
SILENT = {"id", "initiative", "contract", "version", "part", "review", "evidence"}
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Line:
    """One act: entry, moment, actor, words, reason, simulation, review and rows."""

    pk: int
    kind: str
    at: object
    who: str
    text: str
    reason: str
    simulated: bool
    facts: dict
    link: str = ""
    rows: tuple = ()

    @property
    def erased(self) -> bool:
        """Return True if the words were erased. The text then states the erasure and names no one."""
        return not self.who


@dataclass(frozen=True)
class Row:
    """One changed row: its kind, its operation, and its fields before and after."""

    what: str
    happened: str
    changes: tuple


def without_private(entries, person):
    """Return the entries that this person may read. Refusals and readings are only shown to their actor."""
    return entries.filter(~Q(kind__in=PRIVATE) | Q(actor_id=person.pk))


def lines(initiative, entries: QuerySet, rulebook) -> list[Line]:
    """Return the entries in words. The first entry of a transaction has the rows that it changed.

    One query reads the acts and the changes of rows that the database recorded beside them. A second query runs only
    if a row names someone whose act is earlier than these lines.
    """
    acts, changes = [], []
    for row in _with_their_rows(initiative, entries):
        (changes if row[TABLE] else acts).append(row)
    rows = _rows_by_transaction(changes)
    gone = erasure_log.words_for(row[0] for row in acts if not row[BODY])
    result = []
    for pk, kind, xact, at, simulated, _, _, body, _ in reversed(acts):
        told = json.loads(str(body, "utf8")) if body else {}
        facts = told.get("facts") or {}
        text = gone.get(pk) or entry_wording.sentence(kind, facts, rulebook)
        reason = told.get("reason") or ""
        result.append(
            Line(
                pk=pk,
                kind=kind,
                at=at,
                who=told["actor"]["name"] if told else "",
                text=text,
                reason="" if reason in text else reason,
                simulated=simulated,
                facts=facts,
                link=reverse("review", args=[facts["review"]]) if facts.get("review") else "",
                rows=tuple(rows.pop(xact, ())),
            )
        )
    return result


HAPPENED = {"+": "added", "~": "changed", "-": "removed"}
MODELS = (
    models.Initiative,
    models.RoleAssignment,
    models.Answer,
    models.Evidence,
    models.DeclaredGoal,
    models.ScopeVersion,
    models.ChangeRecord,
    models.ArchitectureDecision,
    models.ClauseEnforcement,
    models.Dependant,
    models.Event,
    models.FundingDecision,
    models.Observation,
    models.Effort,
    models.Review,
    models.Waiver,
    models.Hold,
    models.Obligation,
    models.Gap,
    models.AcceptedRisk,
    models.Coverage,
    models.Deployment,
    models.Question,
    models.Condition,
    Contract,
    ContractVersion,
    Clause,
)
TABLES = {model._meta.db_table: model for model in MODELS}
PLACES = {table: place for place, table in enumerate(TABLES)}
ERASED = (("words", "erased", "erased since"),)
# Columns that name somebody who need not have done anything: asked to take a role, in obligation, owner of a gap.
PASSIVE = {"person_id", "owner_id", "responsible_id", "approver_id", "stated_by_id", "risk_id", "chair_id"}
# The names of those, out of the body of a changed row: read only where a table has such a column.
NAMES = """
CASE WHEN governance_entry."table" = ANY(%s) THEN (
 SELECT jsonb_object_agg(person.id, person.full_name) FROM governance_user person WHERE person.id IN (
  SELECT said.value::bigint
    FROM (SELECT nullif(convert_from(governance_entrybody.body, 'UTF8'), '')::jsonb AS body) told,
         LATERAL (SELECT * FROM jsonb_each_text(nullif(told.body->'before', 'null'))
                  UNION ALL SELECT * FROM jsonb_each_text(nullif(told.body->'after', 'null'))) said
   WHERE said.key = ANY(%s) AND said.value IS NOT NULL))
ELSE NULL END
"""
# What is asked of each entry, in this order: a timeline is hundreds of them, so they stay plain tuples.
COLUMNS = ("id", "kind", "xact", "at", "simulated", "table", "operation", "body__body", "names")
TABLE, BODY, NAMED = 5, 7, 8


def _with_their_rows(initiative, entries: QuerySet) -> QuerySet:
    """Return these acts with the rows they changed and the people named (`names`)."""
    passive = [table for table, model in TABLES.items() if _people(model) & PASSIVE]
    names = RawSQL(NAMES, [passive, sorted(PASSIVE)], output_field=JSONField())
    # Three lists, each by an index of its own: with an "or" between them a plan may read the whole audit log.
    changed = Entry.objects.filter(xact__in=entries.values("xact"))
    acts, *others = (
        rows.order_by().annotate(names=names).values_list(*COLUMNS)
        for rows in (
            Entry.objects.filter(table="", pk__in=entries.values("pk")),
            changed.filter(
                initiative_ref=initiative.ref, table__in=[model._meta.db_table for model in MODELS]
            ),
            # A contract is written a moment before its initiative points to it: the entry of its beginning names no
            # initiative.
            changed.filter(initiative_ref="", table=Contract._meta.db_table, key=str(initiative.contract_id)),
        )
    )
    return acts.union(*others, all=True).order_by("id")


def _rows_by_transaction(entries: list[tuple]) -> dict[int, list[Row]]:
    """Return the changes of rows in words by transaction, table by table, in order."""
    entries = sorted(entries, key=lambda row: (PLACES[row[TABLE]], row[0]))
    bodies = [json.loads(str(row[BODY], "utf8")) if row[BODY] else {} for row in entries]
    names = _names(entries, bodies)
    found: dict[int, list[Row]] = {}
    for (_, _, xact, _, _, table, operation, *_), body in zip(entries, bodies, strict=True):
        model = TABLES[table]
        changes = tuple(_changes(model, *_states(operation, body), names)) if body else ERASED
        what = model._meta.verbose_name.capitalize()
        found.setdefault(xact, []).append(Row(what, HAPPENED[operation], changes))
    return found


def _states(operation: str, body: dict) -> tuple[dict, dict]:
    """Return the row before and after. A removed row is returned as a new one, with its last values."""
    before, after = body["before"] or {}, body["after"] or {}
    return ({}, before) if operation == "-" else (before, after)


def _names(entries: list[tuple], bodies: list[dict]) -> dict[int, str]:
    """Return the names of all people in these rows, by key.

    Actors are named by their entries, and passive people by the rows. One query reads the names of all others.
    """
    names: dict[int, str] = {}
    spoken: set[int] = set()
    for row, body in zip(entries, bodies, strict=True):
        if not body:
            continue
        names[body["actor"]["id"]] = body["actor"]["name"]
        names |= {int(key): name for key, name in (row[NAMED] or {}).items()}
        before, after = _states(row[TABLE + 1], body)
        for column in _people(TABLES[row[TABLE]]):
            if before.get(column) != after.get(column):
                spoken |= {before.get(column), after.get(column)}
    unknown = spoken - names.keys() - {None}
    if unknown:
        names |= dict(User.objects.filter(pk__in=unknown).values_list("pk", "full_name"))
    return names


def _changes(model, before: dict, after: dict, names: dict[int, str]):
    """Yield the fields that differ, as (field, before, after). A new row has all its fields with a value."""
    telling, people = _telling(model), _people(model)
    for column, new in after.items():
        old = before.get(column)
        if old == new or column not in telling or (not before and new in (None, "", [], {}, False)):
            continue
        field = telling[column]
        if column in people:
            old, new = names.get(old, old), names.get(new, new)
        else:
            old, new = (None if value is None else field.to_python(value) for value in (old, new))
        yield field.verbose_name, _shown(old), _shown(new)


@cache
def _people(model) -> frozenset[str]:
    """Return the columns of a table that hold the key of a person."""
    return frozenset(field.column for field in model._meta.concrete_fields if field.related_model is User)


@cache
def _telling(model) -> dict[str, Field]:
    """Return the fields of a table that mean something to a reader, by column."""
    return {field.column: field for field in model.history.model.tracked_fields if field.name not in SILENT}


def _shown(value) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value) or "nothing"
    text = f"{value:%-d %B %Y %H:%M}" if hasattr(value, "hour") else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ..."
