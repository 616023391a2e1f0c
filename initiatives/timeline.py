"""The history of a case as people read it: one sentence an act, and the rows that changed in the same transaction."""

from dataclasses import dataclass
from operator import attrgetter

from django.db.models import Q

from governance.models import Clause, Contract, ContractVersion, User
from governance.reading import gathered
from initiatives import models, words

# Acts of others that only auditors and admins see: what was refused, and who read what.
PRIVATE = ("refused", "evidence opened")
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


def lines(case, entries: list, book) -> list[Line]:
    """The entries in words, each with the rows its transaction changed; the first entry of a transaction has them."""
    rows = rows_by_transaction(case, {entry.xact for entry in entries})
    result = []
    for entry in entries:
        body = entry.facts
        text = words.sentence(entry.kind, body.get("facts") or {}, book)
        reason = body.get("reason") or ""
        result.append(
            Line(
                at=entry.at,
                who=body["actor"]["name"],
                text=text,
                reason="" if reason in text else reason,
                simulated=entry.simulated,
                rows=tuple(rows.pop(entry.xact, ())),
            )
        )
    return result


HAPPENED = {"+": "added", "~": "changed", "-": "removed"}


def rows_by_transaction(case, transactions: set[int]) -> dict[int, list[Row]]:
    """The history rows of the case by transaction, each with what changed in it."""
    past = {model._meta.label: (model, model.history.filter(mine)) for model, mine in _tables(case)}
    now = gathered({label: rows.filter(history_xact__in=transactions) for label, (_, rows) in past.items()})
    changed = {label: {row.id for row in rows if row.history_type == "~"} for label, rows in now.items()}
    earlier = gathered({label: rows.filter(id__in=changed[label]) for label, (_, rows) in past.items()})
    pairs = []
    for label, rows in now.items():
        for row in sorted(rows, key=attrgetter("history_id")):
            before = [old for old in earlier[label] if old.id == row.id and old.history_id < row.history_id]
            pairs.append((past[label][0], max(before, key=attrgetter("history_id"), default=None), row))
    names = _names(pairs)
    found: dict[int, list[Row]] = {}
    for model, before, row in pairs:
        found.setdefault(row.history_xact, []).append(
            Row(
                what=model._meta.verbose_name.capitalize(),
                happened=HAPPENED[row.history_type],
                changes=tuple(_changes(before, row, names)),
            )
        )
    return found


def _people(model) -> list[str]:
    """The attributes of a table that hold the key of a person."""
    return [field.attname for field in model._meta.concrete_fields if field.related_model is User]


def _names(pairs) -> dict[int, str]:
    """The names of everybody whom these rows speak of: one query."""
    keys = {
        getattr(row, name, None)
        for model, before, after in pairs
        for name in _people(model)
        for row in (before, after)
    }
    return dict(User.objects.filter(pk__in=keys - {None}).values_list("pk", "full_name"))


def _tables(case):
    """Every governed table with the condition that picks the rows of this case."""
    yield models.Initiative, Q(id=case.pk)
    for model in (
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
    ):
        yield model, Q(initiative_id=case.pk)
    items = models.Evidence.objects.filter(initiative=case).values("pk")
    yield models.Coverage, Q(evidence_id__in=items)
    components = models.Component.objects.filter(initiative=case).values("pk")
    yield models.ComponentVersion, Q(component_id__in=components)
    reviews = models.Review.objects.filter(initiative=case).values("pk")
    yield models.Question, Q(review_id__in=reviews)
    yield models.Condition, Q(review_id__in=reviews)
    if case.contract_id:
        yield Contract, Q(id=case.contract_id)
        yield ContractVersion, Q(contract_id=case.contract_id)
        versions = ContractVersion.objects.filter(contract=case.contract_id).values("pk")
        yield Clause, Q(version_id__in=versions)


def _changes(before, after, names):
    """The fields that differ, as (field, before, after); of a new row, all that say something."""
    for field in after.tracked_fields:
        name = field.name
        if name in SILENT:
            continue
        new = getattr(after, field.attname)
        old = getattr(before, field.attname) if before is not None else None
        if new == old or (before is None and new in (None, "", [], {}, False)):
            continue
        if field.related_model is User:
            old, new = names.get(old, old), names.get(new, new)
        yield field.verbose_name, _shown(old), _shown(new)


def _shown(value) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value) or "nothing"
    text = f"{value:%-d %B %Y %H:%M}" if hasattr(value, "hour") else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ..."
