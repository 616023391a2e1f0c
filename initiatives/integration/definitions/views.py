"""The pages of an initiative's terms, their definitions by system, and conflicts."""

from dataclasses import dataclass, field, replace

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance.models import User
from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from initiatives.integration.comparison import identifier_standards
from initiatives.integration.definitions import actions, permissions
from initiatives.integration.definitions.actions import LONGEST_NAME
from initiatives.integration.definitions.findings import MEASURED, source_of
from initiatives.integration.definitions.forms import (
    AcceptDifferenceForm,
    DecidePairForm,
    DefinitionForm,
    ReconcileForm,
    TermForm,
)
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    Frame,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import (
    DefinitionConflict,
    Initiative,
    RequirementFinding,
    System,
    Term,
    TermDefinition,
    TermUse,
)
from initiatives.models.integration.definitions import (
    ACCEPTED,
    FACETS,
    GONE,
    OPEN,
    RECONCILED,
    STATED,
    UNDECIDED,
)

TAB = "integration-definitions"
TERMS_ON_A_PAGE = 50
TONES = {UNDECIDED: "", OPEN: "bad", RECONCILED: "ok", ACCEPTED: "warn", GONE: ""}


@dataclass
class Used:
    """A term of the initiative: its definitions, conflicts, and matrix of systems."""

    use: TermUse
    definitions: list[TermDefinition] = field(default_factory=list)
    conflicts: list[DefinitionConflict] = field(default_factory=list)
    measured: list[RequirementFinding] = field(default_factory=list)

    @property
    def open(self) -> int:
        """Return the number of conflicts that wait for the data steward."""
        return sum(conflict.status == OPEN for conflict in self.conflicts)

    @property
    def undecided(self) -> int:
        """Return the number of rows of pairs that no one has compared."""
        return sum(conflict.status == UNDECIDED for conflict in self.conflicts)

    @property
    def facets(self) -> list[tuple[str, list[str]]]:
        """Return each stated facet: its name, and what each definition states of it."""
        return [
            (words, said)
            for name, words in STATED.items()
            if any(said := [_stated(row, name) for row in self.definitions])
        ]

    @property
    def matrix(self) -> list[tuple[System, list[tuple[System, list[DefinitionConflict]]]]]:
        """Return the conflicts of each pair of systems. A system is also paired with itself."""
        systems = sorted(
            {one.system for one in self.definitions}, key=lambda system: (system.name, system.pk)
        )
        found: dict[frozenset[int], list[DefinitionConflict]] = {}
        for conflict in self.conflicts:
            found.setdefault(frozenset((conflict.one.system_id, conflict.other.system_id)), []).append(
                conflict
            )
        return [
            (row, [(column, found.get(frozenset((row.pk, column.pk)), [])) for column in systems])
            for row in systems
        ]


def _stated(row: TermDefinition, name: str) -> str:
    """Return a facet of a definition in words, with a standard by its name."""
    return (identifier_standards.name_of if name == "identifier_standard" else str)(getattr(row, name))


def all_stated(row: TermDefinition) -> list[tuple[str, str]]:
    """Return the facets that a definition states, in words."""
    return [(words, _stated(row, name)) for name, words in STATED.items() if getattr(row, name)]


def all_said(row: TermDefinition) -> str:
    """Return a definition in one line: its meaning, facets, format and logic."""
    stated = [f"{words.lower()}: {said}" for words, said in all_stated(row)]
    said = [row.meaning, *stated, row.identifier_format, row.business_logic]
    return "; ".join(words for words in said if words)


def systems_of(initiative: Initiative):
    """Return a query of the linked systems and the sources of linked collections."""
    linked = initiative.links.current().values("system")
    return (
        System.objects.current()
        .filter(Q(pk__in=linked) | Q(collection__in=linked))
        .exclude(kind="knowledge_collection")
    )


@require_safe
def definitions(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the terms of the initiative, their definitions by system, and conflicts."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "integration")
    context |= {
        "title": _("Definitions"),
        "used": _used(initiative),
        "facets": FACETS,
        "systems": list(systems_of(initiative).order_by("name")),
        "may_use": permissions.may_use_terms(initiative, request.user),
        "may_decide": permissions.may_decide_conflict(initiative, request.user),
    }
    return render(request, "initiatives/integration/definitions/definitions.html", context)


def _used(initiative: Initiative) -> list[Used]:
    """Return the terms in use, read in four queries."""
    uses = initiative.term_uses.filter(ended_at__isnull=True).select_related("term").order_by("term__name")
    used = {use.term_id: Used(use) for use in uses}
    rows = TermDefinition.objects.current().filter(term__in=used, system__in=systems_of(initiative))
    for row in rows.select_related("system", "term").order_by("system__name", "field", "valid_from", "pk"):
        used[row.term_id].definitions.append(row)
    otherwise = initiative.requirement_findings.current().filter(source__endswith=MEASURED).order_by("pk")
    by_source = {row.source: row for row in otherwise}
    for one in used.values():
        sources = [source_of(row) for row in one.definitions]
        one.measured = [by_source[source] for source in sources if source in by_source]
    conflicts = initiative.conflicts.exclude(status=GONE).select_related(
        "one__system",
        "one__term",
        "other__system",
        "other__term",
        "decided_by",
        "gap__owner",
        "mapping_evidence",
    )
    for conflict in conflicts:
        conflict.tone = TONES[conflict.status]
        for term in {conflict.one.term_id, conflict.other.term_id} & set(used):
            used[term].conflicts.append(conflict)
    return list(used.values())


def _use_term(*, initiative: Initiative, by: User, **fields) -> TermUse:
    """Use a term. A term that the glossary lacks is added first, if the person may add terms."""
    known = Term.objects.filter(name__iexact=" ".join(fields["name"].split())).exists()
    if not known and permissions.may_name_terms(by):
        actions.name_term(by=by, **fields)
    return actions.use_term(initiative=initiative, name=fields["name"], by=by)


INITIATIVE_ACTS["use-term"] = PageStep(
    may=permissions.may_use_terms,
    act=_use_term,
    form=TermForm,
    given=lambda row, request: {"row": None, "initial": {"name": request.GET.get("name", "")[:LONGEST_NAME]}},
    page=TAB,
    title=gettext_lazy("Add a term that the initiative uses"),
    lede=gettext_lazy(
        "The connected systems must agree on the meaning of the term. If they do not, the data steward decides."
    ),
    happens=(
        gettext_lazy("Only the architecture seat and admins can use a term that is not in the glossary yet."),
    ),
    verb=gettext_lazy("Add the term"),
    done=gettext_lazy("The initiative uses the term. Now define the meaning of the term in each system."),
)

ROW_ACTS["term-uses/stop"] = RowAct(
    rows=TermUse.objects.select_related("initiative__unit", "term"),
    may=on_initiative(permissions.may_use_terms),
    act=actions.stop_using_term,
    noun="use",
    page=TAB,
    title=lambda row: f"Stop using {row.term}",
    happens=(
        lambda row: (
            f"Conflicts on {row.term} no longer affect this initiative. The term stays in the glossary."
        ),
    ),
    verb=gettext_lazy("Remove"),
    danger=True,
    done=lambda row: f"The initiative no longer uses {row.term}.",
)


INITIATIVE_ACTS["define"] = PageStep(
    may=permissions.may_use_terms,
    act=lambda *, initiative, by, **fields: actions.define(by=by, **fields),
    form=DefinitionForm,
    given=lambda row, request: {
        "row": None,
        "initiative": row,
        "systems": systems_of(row).order_by("name"),
        "initial": {name: request.GET[name] for name in ("term", "system") if name in request.GET},
    },
    page=TAB,
    title=gettext_lazy("Define a field"),
    lede=gettext_lazy(
        "If a field changed its meaning over the years, write two definitions: one for the earlier rows, one for the "
        "later rows."
    ),
    happens=(
        gettext_lazy(
            "Every initiative that uses the term and is connected to this system depends on the definition."
        ),
        gettext_lazy(
            "If the owner of the system has not agreed to a link of this initiative, ask that owner to write the "
            "definition."
        ),
    ),
    verb=gettext_lazy("Save the definition"),
    done=gettext_lazy("The definition is saved, and compared with the definitions of the other systems."),
)
# Everyone signed in sees the glossary.
ON_GLOSSARY = Frame(nav="systems", seen=lambda rows, person: rows)
ON_DEFINITIONS = replace(ON_GLOSSARY, page=lambda row: row.term.get_absolute_url())
_DEFINITIONS = TermDefinition.objects.current().select_related("term", "system__owner")


def _may_define(row: TermDefinition, person: User) -> Answer:
    return permissions.may_define(row.system, person)


ROW_ACTS["definitions/change"] = RowAct(
    rows=_DEFINITIONS,
    frame=ON_DEFINITIONS,
    may=_may_define,
    act=lambda *, definition, by, **fields: actions.define(
        term=definition.term, system=definition.system, definition=definition, by=by, **fields
    ),
    noun="definition",
    form=DefinitionForm,
    title=lambda row: phrase("{} in {}", row.term, row.system),
    happens=(
        gettext_lazy(
            "Evidence that depends on the earlier definition no longer counts. This applies to every initiative that "
            "lists such evidence."
        ),
    ),
    verb=gettext_lazy("Save"),
    done=gettext_lazy("The definition is changed, and compared again."),
)
ROW_ACTS["definitions/withdraw"] = RowAct(
    rows=_DEFINITIONS,
    frame=ON_DEFINITIONS,
    may=_may_define,
    act=actions.withdraw_definition,
    noun="definition",
    title=lambda row: phrase("Withdraw the definition of {} in {}", row.term, row.system),
    happens=(gettext_lazy("The page of the term still shows the definition, with your name and reason."),),
    verb=gettext_lazy("Withdraw the definition"),
    danger=True,
    done=gettext_lazy("The definition is withdrawn."),
)
ROW_ACTS["glossary/change"] = RowAct(
    rows=Term.objects.all(),
    frame=ON_GLOSSARY,
    may=lambda row, person: permissions.may_name_terms(person),
    act=actions.change_term,
    noun="term",
    form=TermForm,
    given=lambda row, request: {"initial": {"name": row.name, "meaning": row.meaning}},
    title=lambda row: phrase("Change the term {}", row),
    verb=gettext_lazy("Save"),
    done=gettext_lazy("The term is changed. Initiatives that use it are compared again."),
)

CONFLICTS = DefinitionConflict.objects.select_related(
    "initiative__unit", "one__system", "one__term", "other__system", "other__term"
)


ROW_ACTS["conflicts/compare"] = RowAct(
    rows=CONFLICTS,
    may=on_initiative(permissions.may_decide_conflict),
    act=actions.decide_pair,
    noun="conflict",
    page=TAB,
    form=DecidePairForm,
    title=gettext_lazy("Do the two definitions mean the same?"),
    lede=lambda row: row.words,
    happens=(
        lambda row: _says(row.one),
        lambda row: _says(row.other),
        gettext_lazy("The decision is valid until one of the two definitions changes."),
        gettext_lazy("A conflict holds the initiative until the data steward reconciles or accepts it."),
    ),
    verb=gettext_lazy("Decide"),
    done=gettext_lazy("Your decision is recorded with your name."),
)
ROW_ACTS["conflicts/reconcile"] = RowAct(
    rows=CONFLICTS,
    may=on_initiative(permissions.may_decide_conflict),
    act=actions.reconcile,
    noun="conflict",
    page=TAB,
    form=ReconcileForm,
    given=lambda row, request: {"initiative": row.initiative},
    title=gettext_lazy("Reconcile two definitions"),
    lede=lambda row: row.words,
    happens=(
        lambda row: _says(row.one),
        lambda row: _says(row.other),
        gettext_lazy("The conflict stays resolved until one of the two definitions changes."),
    ),
    verb=gettext_lazy("Reconcile"),
    done=gettext_lazy("The conflict is resolved, with your name."),
)
ROW_ACTS["conflicts/accept"] = RowAct(
    rows=CONFLICTS,
    may=on_initiative(permissions.may_decide_conflict),
    act=actions.accept_difference,
    noun="conflict",
    page=TAB,
    form=AcceptDifferenceForm,
    title=gettext_lazy("Accept the difference"),
    lede=lambda row: row.words,
    happens=(
        lambda row: _says(row.one),
        lambda row: _says(row.other),
        gettext_lazy("A gap is opened. The gap stays open even if the initiative is stopped."),
    ),
    verb=gettext_lazy("Accept the difference"),
    done=gettext_lazy("The difference is accepted. A gap with an owner and a due date is open."),
)


def _says(row: TermDefinition) -> str:
    return f"{row.system}, {row.field}: {all_said(row)}."
