"""Rows written into the register, set-wise, as the ordinary acts would write them.

Each function runs inside an act on the register, on rows that were compared in it. It returns the keys of what was
written, by row, and the effects for initiatives.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import (
    Initiative,
    Link,
    ServiceAccount,
    System,
    SystemImportRow,
    Term,
    TermDefinition,
    TermUse,
)
from initiatives.portfolio.imports.systems.row_comparison import said_of
from initiatives.portfolio.imports.systems.table_fields import compared, field_of

# Columns of the rows themselves, by kind; the rest completes something else.
OWN = {
    "systems": System,
    "accounts": ServiceAccount,
    "links": Link,
    "definitions": TermDefinition,
}
NAMES = {"initiative": "initiative"}


@dataclass
class Written:
    """The written rows: by row the key of its thing, the initiatives, and the causes.

    `initiatives` are those affected. `causes` void evidence: initiative -> [(trigger, words, key of the system)].
    """

    keys: dict[int, int] = field(default_factory=dict)
    initiatives: set[int] = field(default_factory=set)
    causes: dict[int, list[tuple[str, str, int]]] = field(default_factory=lambda: defaultdict(list))


def attributes(kind: str, values: dict, only: list[str] | None = None) -> dict:
    """Return the values of a row as attributes of its thing, or `only` these fields."""
    found = {}
    for one in compared(kind):
        if one.name not in values or (only is not None and one.name not in only):
            continue
        if one.name in ("term", "term_meaning"):
            continue
        value = values[one.name]
        if one.reads in ("person", "system", "account", "initiative", "vendor", "unit"):
            found[f"{NAMES.get(one.name, one.name)}_id"] = value
        else:
            found[one.name] = date.fromisoformat(value) if one.reads == "day" else value
    return found


def enter_new(kind: str, rows: list[SystemImportRow], by: User) -> Written:
    """Write these new rows into the register, a few statements for all of them."""
    written = Written()
    if rows:
        {
            "systems": _new_systems,
            "accounts": _new_accounts,
            "links": _new_links,
            "definitions": _new_definitions,
        }[kind](rows, by, written)
    return written


def _new_systems(rows, by, written: Written) -> None:
    now = clock.now()
    made = [
        System(described_by=by, described_at=now, **attributes("systems", row.mapped["values"]))
        for row in rows
    ]
    row_history.insert_many(System, made)
    acts = []
    for row, system in zip(rows, made, strict=True):
        written.keys[row.pk] = system.pk
        said = {
            "system": system.name,
            "system_id": system.pk,
            "said": row.mapped["words"],
            "table": row.batch_id,
        }
        acts.append((None, said))
    entries.record_many(EntryKind.SYSTEM_DESCRIBED, acts)
    inside = {system.collection_id for system in made if system.collection_id}
    if inside:
        links = Link.objects.current().filter(system__in=inside).select_related("system")
        for link in links:
            written.initiatives.add(link.initiative_id)
            words = f"{link.system} has more sources"
            written.causes[link.initiative_id].append(("data_source", words, link.system_id))


def _new_accounts(rows, by, written: Written) -> None:
    now = clock.now()
    made = [
        ServiceAccount(opened_by=by, opened_at=now, **attributes("accounts", row.mapped["values"]))
        for row in rows
    ]
    row_history.insert_many(ServiceAccount, made)
    acts = []
    for row, account in zip(rows, made, strict=True):
        written.keys[row.pk] = account.pk
        words = row.mapped["words"]
        said = {
            "account": account.name,
            "system": words["system"],
            "owner": words.get("owner"),
            "privileges": account.privileges,
            "review_by": account.review_by,
            "table": row.batch_id,
        }
        acts.append((None, said))
    entries.record_many(EntryKind.ACCOUNT_OPENED, acts)


def _new_links(rows, by, written: Written) -> None:
    now = clock.now()
    keys = {row.mapped["values"]["initiative"] for row in rows}
    initiatives = {initiative.pk: initiative for initiative in Initiative.objects.filter(pk__in=keys)}
    before = set(
        Link.objects.current().filter(initiative__in=keys).values_list("initiative", "system").distinct()
    )
    made = [Link(by=by, at=now, **attributes("links", row.mapped["values"])) for row in rows]
    row_history.insert_many(Link, made)
    acts = []
    for row, link in zip(rows, made, strict=True):
        written.keys[row.pk] = link.pk
        words = row.mapped["words"]
        acts.append(
            (
                initiatives[link.initiative_id],
                {"link": link.pk, **words, "transfers": [], "table": row.batch_id},
            )
        )
        place = (link.initiative_id, link.system_id)
        if place not in before:
            before.add(place)
            words = f"{words['system']} was added as a source"
            written.causes[link.initiative_id].append(("data_source", words, link.system_id))
    entries.record_many(EntryKind.LINK_ADDED, acts)
    written.initiatives |= keys


def _terms(rows, by) -> dict[str, Term]:
    """Return the terms of these rows by name. Missing terms are created."""
    wanted: dict[str, SystemImportRow] = {}
    for row in rows:
        wanted.setdefault(row.mapped["values"]["term"].casefold(), row)
    known = {term.name.casefold(): term for term in Term.objects.all() if term.name.casefold() in wanted}
    now = clock.now()
    new = [
        Term(
            name=row.mapped["values"]["term"],
            meaning=row.mapped["values"].get("term_meaning", ""),
            by=by,
            at=now,
        )
        for name, row in wanted.items()
        if name not in known
    ]
    row_history.insert_many(Term, new)
    entries.record_many(
        EntryKind.TERM_NAMED, [(None, {"term": term.name, "meaning": term.meaning}) for term in new]
    )
    return known | {term.name.casefold(): term for term in new}


def _new_definitions(rows, by, written: Written) -> None:
    terms, now = _terms(rows, by), clock.now()
    made = []
    for row in rows:
        values = row.mapped["values"]
        term = terms[values["term"].casefold()]
        if "field" not in values:
            written.keys[row.pk] = term.pk
            continue
        made.append((row, TermDefinition(term=term, by=by, at=now, **attributes("definitions", values))))
    row_history.insert_many(TermDefinition, [definition for _, definition in made])
    acts = []
    for row, definition in made:
        written.keys[row.pk] = definition.pk
        words = {name: text for name, text in row.mapped["words"].items() if name != "term_meaning"}
        acts.append((None, {**words, "definition": definition.pk, "table": row.batch_id}))
    entries.record_many(EntryKind.DEFINITION_ADDED, acts)
    written.initiatives |= _initiatives_of_definitions([definition for _, definition in made])


def _initiatives_of_definitions(definitions) -> set[int]:
    """Return the initiatives that use one of the terms or have one of the systems."""
    uses = TermUse.objects.filter(ended_at__isnull=True, term__in={one.term_id for one in definitions})
    links = Link.objects.current().filter(system__in={one.system_id for one in definitions})
    return set(uses.values_list("initiative", flat=True)) | set(links.values_list("initiative", flat=True))


def replace(kind: str, row: SystemImportRow, by: User) -> Written:
    """Replace the ticked fields of the register with those of the row. Others stay."""
    written = Written()
    values, takes = row.mapped["values"], row.takes
    model = Term if kind == "definitions" and "field" not in values else OWN[kind]
    target = model.objects.select_related(
        *(
            ("term", "system")
            if model is TermDefinition
            else ("system",)
            if kind in ("accounts", "links")
            else ()
        )
    ).get(pk=row.mapped["target"])
    before = {name: said_of(target, field_of(kind, name))[1] for name in takes}
    after = {name: row.mapped["words"].get(name, values[name]) for name in takes}
    written.keys[row.pk] = target.pk
    if kind == "definitions" and "term_meaning" in takes:
        term = target if model is Term else target.term
        term.meaning = values["term_meaning"]
        term.save()
    if kind == "definitions" and "term" in takes and model is TermDefinition:
        target.term = _terms([row], by)[values["term"].casefold()]
    if model is not Term:
        for name, value in attributes(kind, values, takes).items():
            setattr(target, name, value)
        if set(takes) - {"term_meaning"}:
            target.save()
    _record(kind, target, row, before, after)
    _consequences(kind, target, before, after, written)
    return written


def _record(kind: str, target, row: SystemImportRow, before: dict, after: dict) -> None:
    said = {"before": before, "after": after, "table": row.batch_id}
    if isinstance(target, Term):
        entries.record(EntryKind.TERM_CHANGED, term=target.name, **said)
    elif kind == "systems":
        entries.record(EntryKind.SYSTEM_CHANGED, system=target.name, system_id=target.pk, **said)
    elif kind == "accounts":
        entries.record(EntryKind.ACCOUNT_CHANGED, account=target.name, system=target.system.name, **said)
    elif kind == "links":
        initiative = Initiative.objects.get(pk=target.initiative_id)
        entries.record(
            EntryKind.LINK_CHANGED, initiative=initiative, link=target.pk, system=target.system.name, **said
        )
    else:
        entries.record(
            EntryKind.DEFINITION_CHANGED,
            definition=target.pk,
            term=str(target.term),
            system=target.system.name,
            field=target.field,
            **said,
        )


def _consequences(kind: str, target, before: dict, after: dict, written: Written) -> None:
    """Note the initiatives of a change, and its causes that void evidence there."""
    if kind == "systems":
        tied = [key for key in (target.pk, target.collection_id) if key]
        keys = set(Link.objects.current().filter(system__in=tied).values_list("initiative", flat=True))
        causes = []
        if "editable" in after and target.editable is False:
            causes.append(f"{target} was frozen: no one can edit it")
        for name in ("location", "regions"):
            if before.get(name):
                causes.append(f"{target} moved, {name}: {before[name]} -> {after[name]}")
        if "collection" in after:
            causes.append(f"{target} was added as a source of {after['collection']}")
        for key in keys if causes else ():
            written.causes[key].append(("data_source", "; ".join(causes), target.pk))
        written.initiatives |= keys
    elif kind == "accounts":
        links = Link.objects.current().filter(account=target)
        written.initiatives |= set(links.values_list("initiative", flat=True))
    elif kind == "links":
        written.initiatives.add(target.initiative_id)
    elif isinstance(target, TermDefinition):
        written.initiatives |= _initiatives_of_definitions([target])
        if set(after) - {"source_key", "term_meaning"}:
            tied = Link.objects.current().filter(system=target.system_id).values_list("initiative", flat=True)
            words = (
                f"{target.field} of {target.system} has a new definition: "
                f"{', '.join(after).replace('_', ' ')}"
            )
            for key in set(tied):
                written.causes[key].append(("integration_schema", words, target.system_id))
