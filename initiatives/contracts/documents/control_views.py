"""Pages of controls of clauses, and the acts that name and close them."""

from dataclasses import dataclass
from datetime import date

from django.db.models import F
from django.forms import Form
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy

from governance.models import Clause, ContractVersion, User
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.days import keep
from governance.templatetags.plumbline import day
from initiatives.contracts.documents import control_mapping
from initiatives.contracts.documents.control_forms import ClausesControlForm, ControlForm
from initiatives.lifecycle.evidence.views import STATES, TONES, state_of_item
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import ClauseEnforcement, Evidence, Initiative
from initiatives.models.enforcement import ENFORCING_LAYERS

USELESS = ("withdrawn", "superseded")


@dataclass
class Shown:
    """The evidence of a control: page, day and state in words. `counts` is False if taken away."""

    title: str
    observed_on: date
    observed: str
    link: str
    word: str
    tone: str
    counts: bool


@dataclass
class Control:
    """A current mapping on the map. `carried` is the number of the older version it was named for."""

    row: ClauseEnforcement
    evidence: Shown
    link: str
    carried: int = 0


@dataclass
class Line:
    """One clause on the map, with its controls. `mapped` is True if one of them counts."""

    clause: Clause
    controls: list[Control]
    mapped: bool


def enforced(initiative: Initiative, version: ContractVersion | None, clauses: list[Clause], context) -> dict:
    """Return the context of controls for an approved version, or {} without one.

    Keys: missing (clauses without a control), layers, open (if clauses can be mapped), may_map, controlled. Each clause
    gets its `controls`.
    """
    if version is None or version.starts_at is None:
        return {}
    lines = _lines(initiative, version, clauses, context)
    for line in lines:
        line.clause.controls, line.clause.mapped = line.controls, line.mapped
    still_open = not _ended(version, context["now"])
    return {
        "missing": [line.clause for line in lines if not line.mapped],
        "layers": _layers(lines),
        "open": still_open,
        "may_map": still_open and bool(context["may"].change_what_runs),
        "controlled": True,
    }


def _approved(initiative) -> list:
    """Return the versions that were approved, newest first."""
    if not initiative.contract_id:
        return []
    return list(initiative.contract.versions.filter(starts_at__isnull=False).order_by("-number"))


def _ended(version, now) -> bool:
    return version.ends_at is not None and version.ends_at <= now


def _lines(initiative, version, clauses: list[Clause], context) -> list[Line]:
    """Return the clauses, each with the mappings of every clause with the same text."""
    facts, rulebook, now = context["facts"], context["rulebook"], context["now"]
    rows = ClauseEnforcement.objects.current().filter(clause__version__contract=initiative.contract_id)
    rows = rows.annotate(says=F("clause__fingerprint"), of_version=F("clause__version__number"))
    rows = list(rows.order_by("layer", "id"))
    wanted = {row.evidence_id for row in rows}
    shown = {
        item.id: _shown(initiative, item, state_of_item(facts, rulebook, item, now)[0])
        for item in facts.items
        if item.id in wanted
    }
    by_words: dict[str, list[Control]] = {}
    for row in rows:
        carried = row.of_version if row.of_version != version.number else 0
        control = Control(
            row, shown[row.evidence_id], reverse("row-act", args=["mappings", row.pk, "close"]), carried
        )
        by_words.setdefault(row.says, []).append(control)
    lines = []
    for clause in clauses:
        controls = by_words.get(clause.fingerprint, [])
        lines.append(Line(clause, controls, any(control.evidence.counts for control in controls)))
    return lines


def _shown(initiative, item, state: str) -> Shown:
    return Shown(
        title=item.title,
        observed_on=item.observed_on,
        observed=day(item.observed_on),
        link=keep(reverse("evidence-item", args=[initiative.ref, item.id])),
        word=STATES[state],
        tone=TONES.get(state, ""),
        counts=state not in USELESS,
    )


def _layers(lines: list[Line]) -> list[dict]:
    """Return for each layer its numbers of controls and clauses and oldest evidence."""
    found = []
    for key, word in ENFORCING_LAYERS.items():
        controls = {
            control.row.pk: control
            for line in lines
            for control in line.controls
            if control.row.layer == key and control.evidence.counts
        }
        clauses = [
            line for line in lines if any(c.evidence.counts and c.row.layer == key for c in line.controls)
        ]
        found.append(
            {
                "word": word,
                "controls": len(controls),
                "clauses": len(clauses),
                "oldest": min((c.evidence.observed_on for c in controls.values()), default=None),
            }
        )
    return found


def _name_control(
    *, clause: Clause, layer: str, control: str, evidence: Evidence, by: User
) -> ClauseEnforcement:
    initiative = clause.version.contract.initiative
    return control_mapping.map_clause(
        initiative=initiative, clause=clause, layer=layer, control=control, evidence=evidence, by=by
    )


ROW_ACTS["clauses/name-control"] = RowAct(
    rows=Clause.objects.filter(version__starts_at__isnull=False).select_related(
        "version__contract__initiative__unit"
    ),
    of="version__contract",
    may=lambda row, person: initiative_permissions.may_change_what_runs(
        row.version.contract.initiative, person
    ),
    act=_name_control,
    noun="clause",
    form=ControlForm,
    given=lambda row, request: {"initiative": row.version.contract.initiative},
    page="contract",
    back=lambda row: _map_of(row.version.contract.initiative, row),
    title=lambda row: f"Name a control for clause {row.number}",
    lede=lambda row: row.sentence,
    happens=(
        gettext_lazy("The control counts for this clause in every version with exactly the same text."),
        gettext_lazy("If the text of the clause changes, the control must be named again."),
    ),
    verb=gettext_lazy("Name the control"),
    done=lambda row: f"Clause {row.number} now has this control.",
)


def _without_control(initiative: Initiative, request: SignedInRequest) -> dict:
    """Return the clauses in force without a control. Raises Http404 if no version is in force."""
    context = initiative_context(request, initiative, "contract")
    now = context["now"]
    version = next((v for v in _approved(initiative) if v.starts_at <= now and not _ended(v, now)), None)
    if version is None:
        raise Http404("No version of this contract is in force.")
    missing = [
        line.clause.pk
        for line in _lines(initiative, version, list(version.clauses.all()), context)
        if not line.mapped
    ]
    return {"initiative": initiative, "clauses": version.clauses.filter(pk__in=missing)}


INITIATIVE_ACTS["name-control"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=control_mapping.map_clauses,
    form=ClausesControlForm,
    given=_without_control,
    page="contract",
    back="contract",
    title=gettext_lazy("Name one control for several clauses"),
    lede=gettext_lazy("Use this page for a setting or check that enforces more than one clause."),
    happens=(
        gettext_lazy(
            "The control counts for each of these clauses in every version with exactly the same text."
        ),
        gettext_lazy("If the text of a clause changes later, its control must be named again."),
    ),
    verb=gettext_lazy("Name the control"),
    done=gettext_lazy("The clauses now have this control."),
)


def _map_of(initiative, clause) -> str:
    """Return the address of this clause in the contract version that contains it."""
    return (
        f"{reverse('contract', args=[initiative.ref])}?version={clause.version.number}#clause-{clause.number}"
    )


ROW_ACTS["mappings/close"] = RowAct(
    rows=ClauseEnforcement.objects.select_related(
        "initiative__unit", "initiative__contract", "clause__version"
    ),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=control_mapping.close_mapping,
    noun="mapping",
    page="contract",
    back="contract",
    form=Form,
    title=lambda row: f"Close a control of clause {row.clause.number}",
    lede=lambda row: row.clause.sentence,
    happens=(lambda row: f"This {row.layer} control is no longer named for the clause: {row.control}",),
    danger=True,
    verb=gettext_lazy("Close the control"),
    done=gettext_lazy("The control is no longer named for the clause."),
)
