"""Rows compared with the register, field by field, and who may bring them."""

from dataclasses import dataclass

from governance.templatetags.plumbline import stage_word
from governance.vocabulary import EARLY_STAGES, Role
from initiatives.integration.definitions.permissions import may_name_terms
from initiatives.integration.systems.permissions import changed_by
from initiatives.models import (
    Initiative,
    Link,
    RoleAssignment,
    ServiceAccount,
    System,
    SystemImportRow,
    Term,
    TermDefinition,
)
from initiatives.portfolio.imports.systems.cells import alike, problem
from initiatives.portfolio.imports.systems.table_fields import compared

# What tells a thing from others, and so is never compared.
KEYS = {
    "systems": (),
    "accounts": ("system",),
    "links": ("initiative", "system", "pattern"),
    "definitions": ("system", "field", "valid_from"),
}


@dataclass(frozen=True)
class Scope:
    """The rows that a person may bring: all, or links and definitions.

    The links are those of `initiatives`, the definitions those of `systems`. `names_terms` allows new business terms.
    """

    everything: bool = False
    initiatives: frozenset[int] = frozenset()
    systems: frozenset[int] = frozenset()
    names_terms: bool = False


def scope_of(person) -> Scope:
    """Return the rows that a person may bring.

    An admin brings all. A technical lead brings links of their initiatives, and definitions that they may write by
    hand.
    """
    if not person.is_active:
        return Scope()
    if person.is_admin:
        return Scope(everything=True, names_terms=True)
    roles = RoleAssignment.objects.in_force().filter(role=Role.TECHNICAL_LEAD, person=person)
    initiatives = frozenset(roles.values_list("initiative", flat=True))
    links = Link.objects.current().filter(initiative__in=initiatives)
    tied = System.objects.current().filter(pk__in=links.values("system")).select_related("owner")
    return Scope(False, initiatives, frozenset(changed_by(person, tied)), bool(may_name_terms(person)))


def compare(kind: str, rows: list[SystemImportRow], scope: Scope) -> None:
    """Set the state, target and differences of each readable row.

    Rows that are wrong, left out or done are not changed. The register is read in a few queries.
    """
    waiting = [row for row in rows if row.state in ("new", "same", "differs")]
    find = {"systems": _Systems, "accounts": _Accounts, "links": _Links, "definitions": _Definitions}[kind](
        waiting
    )
    if kind == "systems":
        _tell_of_retired(rows, find)
    for row in waiting:
        refusal = _refusal(kind, row.mapped["values"], scope)
        try:
            refusal = refusal or _unnamed(kind, row.mapped["values"], find, scope)
            target = None if refusal else find(row.mapped["values"])
        except ValueError as several:
            refusal = problem(str(several), wrong=True)
        row.mapped["target"], row.mapped["differs"] = None, {}
        if refusal is None and (target is None or kind == "systems"):
            refusal = find.trouble(row.mapped["values"])
        if refusal is not None:
            row.state = "wrong"
            row.problems.append(refusal)
            continue
        if target is None:
            row.state = "new"
            continue
        row.mapped["target"] = target.pk
        row.mapped["differs"] = _differences(kind, row.mapped["values"], target)
        if not scope.names_terms:
            row.mapped["differs"].pop("term_meaning", None)
        row.state = "differs" if row.mapped["differs"] else "same"


def _tell_of_retired(rows: list[SystemImportRow], find: "_Systems") -> None:
    """Add a problem to rows that are gone at their source but in use in the register."""
    for row in rows:
        if row.mapped.get("retired") and row.mapped["values"].get("name"):
            try:
                there = find(row.mapped["values"])
            except ValueError:
                continue
            row.mapped["target"] = there.pk if there else None
            if there:
                said = (
                    f"“{there}” is still in use in the register. Retire the system, or ask its owner to "
                    "do it."
                )
                row.problems.append(problem(said, "status"))


def _refusal(kind: str, values: dict, scope: Scope) -> dict | None:
    if scope.everything:
        return None
    if kind == "links" and values["initiative"] in scope.initiatives:
        return None
    if kind == "definitions" and values.get("system") in scope.systems:
        return None
    said = {
        "links": "You can import links only for initiatives where you are the technical lead.",
        "definitions": "You can import only definitions of your systems, and of systems with an agreed link to your "
        "initiatives.",
    }.get(kind, "Only admins can import these rows.")
    return problem(f"{said} Ask an admin to import the table.", wrong=True)


def _unnamed(kind: str, values: dict, find, scope: Scope) -> dict | None:
    """Return a problem if the person may not name the new business term of a row."""
    if kind != "definitions" or scope.names_terms or values["term"].casefold() in find.terms:
        return None
    text = "The glossary does not have this term. First propose the term to the architecture seat in the glossary."
    return problem(text, "term", wrong=True)


def _differences(kind: str, values: dict, target) -> dict[str, dict]:
    """Return the register's value by field that differs. A blank cell is not compared."""
    found = {}
    for field in compared(kind):
        if field.name in values and field.name not in KEYS[kind]:
            was, words = said_of(target, field)
            same = alike(was, values[field.name])
            if field.name in ("name", "term") and isinstance(was, str):
                same = was.casefold() == values[field.name].casefold()
            if not same:
                found[field.name] = {"was": was, "words": words}
    return found


def said_of(target, field) -> tuple[object, str]:
    """Return the register's value of one field, as a value and in words."""
    if isinstance(target, Term):
        text = {"term": target.name, "term_meaning": target.meaning}.get(field.name, "")
        return text, text
    if field.name == "term_meaning":
        return target.term.meaning, target.term.meaning
    if field.name == "term":
        return str(target.term), str(target.term)
    value = getattr(target, field.name)
    if hasattr(value, "_meta"):
        return value.pk, str(value)
    if field.reads == "day":
        day = value.isoformat() if value else None
        return day, day or ""
    if isinstance(value, bool):
        return value, "yes" if value else "no"
    if isinstance(value, list):
        return value, ", ".join(value)
    if field.choices:
        return value, field.choices.get(value, value)
    return value, "" if value is None else str(value)


def _texts(rows: list[SystemImportRow], name: str) -> set:
    return {row.mapped["values"][name] for row in rows if row.mapped["values"].get(name)}


class _Systems:
    """Systems in use by key and name."""

    def __init__(self, rows):
        self.by_name, self.by_key, self.collections = {}, {}, set()
        found = System.objects.current().select_related(
            "owner", "vendor", "unit", "knowledge_holder", "collection"
        )
        for system in found:
            self.by_name[system.name.casefold()] = system
            if system.kind == "knowledge_collection":
                self.collections.add(system.pk)
            if system.source_key:
                self.by_key.setdefault(system.source_key.casefold(), []).append(system)

    def __call__(self, values):
        named = self.by_name.get(values["name"].casefold())
        keyed = self.by_key.get(values.get("source_key", "").casefold(), [])
        if len(keyed) != 1:
            return named
        if named is not None and named.pk != keyed[0].pk:
            raise ValueError(
                f"The key belongs to {keyed[0]}, but the name belongs to {named}. Correct the key or the name."
            )
        return keyed[0]

    def trouble(self, values):
        """Return the problem that keeps a row from entering, or None."""
        inside = values.get("collection")
        there = self(values)
        if there is not None and there.pk in self.collections and values["kind"] != there.kind:
            text = "This system is a collection with sources. First remove its sources in the register."
            return problem(text, "kind", wrong=True)
        if inside is None:
            return None
        if values["kind"] == "knowledge_collection":
            return problem("A collection cannot contain another collection.", "collection", wrong=True)
        if inside not in self.collections:
            return problem(
                "The “part of” column must name a collection of knowledge sources.", "collection", wrong=True
            )
        return None


class _Accounts:
    """Open service accounts by system, key and name."""

    def __init__(self, rows):
        self.by_name, self.by_key = {}, {}
        found = ServiceAccount.objects.open().filter(system__in=_texts(rows, "system"))
        for account in found.select_related("owner", "system"):
            self.by_name[account.system_id, account.name.casefold()] = account
            if account.source_key:
                self.by_key.setdefault((account.system_id, account.source_key.casefold()), []).append(account)

    def __call__(self, values):
        keyed = self.by_key.get((values["system"], values.get("source_key", "").casefold()), [])
        named = self.by_name.get((values["system"], values["name"].casefold()))
        if len(keyed) != 1:
            return named
        if named is not None and named.pk != keyed[0].pk:
            raise ValueError(
                f"The key belongs to {keyed[0]}, but the name belongs to {named}. Correct the key or the name."
            )
        return keyed[0]

    def trouble(self, values):
        """Return None, because an account row always enters."""
        return None


class _Links:
    """Current links by initiative, system and pattern."""

    def __init__(self, rows):
        initiatives = _texts(rows, "initiative")
        self.initiatives = {
            initiative.pk: initiative for initiative in Initiative.objects.filter(pk__in=initiatives)
        }
        found = Link.objects.current().filter(initiative__in=initiatives, system__in=_texts(rows, "system"))
        self.found = {
            (link.initiative_id, link.system_id, link.pattern): link
            for link in found.select_related("system", "account")
        }
        collections = System.objects.filter(pk__in=_texts(rows, "system"), kind="knowledge_collection")
        listed = System.objects.current().filter(collection__in=collections)
        self.empty = set(collections.values_list("pk", flat=True)) - set(
            listed.values_list("collection", flat=True)
        )

    def __call__(self, values):
        return self.found.get((values["initiative"], values["system"], values["pattern"]))

    def trouble(self, values):
        """Return the problem that keeps a new link from entering, or None."""
        initiative = self.initiatives.get(values["initiative"])
        if initiative is None or initiative.closed or initiative.withdrawn_at:
            return problem(
                "This initiative has ended, so it cannot be connected to systems.", "initiative", wrong=True
            )
        if values.get("live") and initiative.stage in EARLY_STAGES:
            said = f"A {stage_word(initiative.stage).lower()} must not use production data."
            return problem(said, "live", wrong=True)
        if values["system"] in self.empty:
            text = "This system is a collection without sources. First list the sources of the collection one by one."
            return problem(text, "system", wrong=True)
        return None


class _Definitions:
    """Current definitions by system, field and first day, and terms by name."""

    def __init__(self, rows):
        self.terms = {term.name.casefold(): term for term in Term.objects.all()}
        self.found: dict[tuple, list[TermDefinition]] = {}
        rows = TermDefinition.objects.current().filter(system__in=_texts(rows, "system"))
        for row in rows.select_related("term", "system"):
            self.found.setdefault((row.system_id, row.field.casefold()), []).append(row)

    def __call__(self, values):
        if "field" not in values:
            return self.terms.get(values["term"].casefold())
        known = self.found.get((values["system"], values["field"].casefold()), [])
        day = values.get("valid_from")
        same = [row for row in known if (row.valid_from.isoformat() if row.valid_from else None) == day]
        if not same and day is None and len(known) == 1:
            same = known
        if len(same) > 1:
            raise ValueError(
                "The register has several definitions of this field for these years. Change the definitions "
                "in the register."
            )
        return same[0] if same else None

    def trouble(self, values):
        """Return None, because a definition row always enters."""
        return None
