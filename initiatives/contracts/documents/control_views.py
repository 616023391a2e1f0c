"""Pages of the control mapping: clauses and their controls."""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F
from django.forms import Form
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from governance.models import Clause
from governance.templatetags.days import keep
from governance.templatetags.plumbline import day
from governance.web.middleware import on_any_day
from initiatives.contracts.documents import control_mapping, preview
from initiatives.contracts.documents.control_forms import ClausesControlForm, ControlForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.views import STATES, TONES, state_of_item
from initiatives.lifecycle.initiative.act import together
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, fix, initiative_context, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct, on_initiative
from initiatives.models import ClauseEnforcement
from initiatives.models.enforcement import ENFORCING_LAYERS

USELESS = ("withdrawn", "superseded")


@dataclass
class Shown:
    """The item that shows a control at work: its page, its day and its state in words; `counts`: not taken away."""

    title: str
    observed_on: date
    observed: str
    link: str
    word: str
    tone: str
    counts: bool


@dataclass
class Control:
    """A current mapping as the map shows it; `carried`: the older version whose clause it was named for."""

    row: ClauseEnforcement
    evidence: Shown
    link: str
    carried: int = 0


@dataclass
class Line:
    """One clause on the map, with its controls; `mapped`: whether one of them counts."""

    clause: Clause
    controls: list[Control]
    mapped: bool


@on_any_day(initiative_lookup.initiative_on_any_day)
def contract_map(request, ref):
    """Clause by clause: which control in which layer enforces it, and what last showed it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "contract")
    versions = _approved(initiative)
    now = context["now"]
    in_force = next((v for v in versions if v.starts_at <= now and not _ended(v, now)), None)
    shown = in_force or next(iter(versions), None)
    wanted = request.GET.get("version", "")
    if wanted:
        shown = next((version for version in versions if str(version.number) == wanted), None)
        if shown is None:
            raise Http404("No such version was approved.")
    lines = _lines(initiative, shown, context)
    still_open = shown is not None and not _ended(shown, now)
    context |= {
        "title": _("Where each clause is enforced"),
        "shown": shown,
        "in_force": in_force,
        "versions": versions,
        "lines": lines,
        "missing": [line.clause for line in lines if not line.mapped],
        "layers": _layers(lines),
        "open": still_open,
        "may_map": still_open and bool(context["may"].change_what_runs),
    }
    return render(request, "initiatives/contracts/contract_map.html", context)


def _approved(initiative) -> list:
    """The versions that were approved, the newest first."""
    if not initiative.contract_id:
        return []
    return list(initiative.contract.versions.filter(starts_at__isnull=False).order_by("-number"))


def _ended(version, now) -> bool:
    return version.ends_at is not None and version.ends_at <= now


def _lines(initiative, version, context) -> list[Line]:
    """The clauses of the version, each with the current mappings of whatever clause says the same."""
    if version is None:
        return []
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
    for clause in version.clauses.defer("terms"):
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
    """Each layer in short: how many controls it has, for how many clauses, and its oldest evidence."""
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


def map_clause(request, ref, pk):
    """Name the control of a clause, its layer, and what last showed it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    clause = (
        Clause.objects.select_related("version")
        .filter(pk=pk, version__contract=initiative.contract_id)
        .first()
    )
    if clause is None or clause.version.starts_at is None:
        raise Http404("No approved version of this contract has that clause.")
    initiative_permissions.may_change_what_runs(initiative, request.user).or_refuse()
    back = _map_of(initiative, clause)
    form = ControlForm(sent(request), initiative=initiative)
    if request.method == "POST" and form.is_valid():
        try:
            control_mapping.map_clause(
                initiative=initiative, clause=clause, by=request.user, **form.cleaned_data
            )
        except ValidationError as error:
            fix(form, error)
        else:
            messages.success(request, f"Clause {clause.number} has its control.")
            return redirect(back)
    return ask(
        request,
        initiative,
        "contract",
        form,
        title=f"Name a control for clause {clause.number}",
        lede=clause.sentence,
        happens=[
            _("It counts for this clause in every version that says exactly the same."),
            _("Once the clause is worded otherwise, it has to be mapped again."),
        ],
        verb=_("Name it"),
        back_url=back,
    )


def map_clauses(request, ref):
    """Name one control for several clauses of the version in force that have none yet, all or none."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_change_what_runs(initiative, request.user).or_refuse()
    context = initiative_context(request, initiative, "contract")
    now = context["now"]
    version = next((v for v in _approved(initiative) if v.starts_at <= now and not _ended(v, now)), None)
    if version is None:
        raise Http404("No version of this contract is in force.")
    missing = [line.clause.pk for line in _lines(initiative, version, context) if not line.mapped]
    form = ClausesControlForm(
        sent(request), initiative=initiative, clauses=version.clauses.filter(pk__in=missing)
    )
    if number := acted(request, form, lambda: _mapped(initiative, by=request.user, **form.cleaned_data)):
        words = ngettext(
            "%(number)d clause has its control.", "%(number)d clauses have their control.", number
        )
        messages.success(request, words % {"number": number})
        return redirect("contract-map", initiative.ref)
    return ask(
        request,
        initiative,
        "contract",
        form,
        title=_("Name one control for several clauses"),
        lede=_("Where one setting or check holds the system to more than one clause."),
        happens=[
            "It counts for each of these clauses in every version that says exactly the same.",
            "A clause that is worded otherwise later has to be mapped again.",
        ],
        verb=_("Name it"),
        back_url=reverse("contract-map", args=[initiative.ref]),
    )


def _mapped(initiative, *, clauses, by, **control) -> int:
    """How many clauses have the control now."""
    with together():
        for clause in clauses:
            control_mapping.map_clause(initiative=initiative, clause=clause, by=by, **control)
    return len(clauses)


def _map_of(initiative, clause) -> str:
    """The map at this clause, of the version that it belongs to."""
    return (
        f"{reverse('contract-map', args=[initiative.ref])}?version={clause.version.number}#clause-{clause.pk}"
    )


ROW_ACTS["mappings/close"] = RowAct(
    rows=ClauseEnforcement.objects.select_related(
        "initiative__unit", "initiative__contract", "clause__version"
    ),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=control_mapping.close_mapping,
    noun="mapping",
    page="contract",
    back="contract-map",
    form=Form,
    title=lambda row: f"Close a control of clause {row.clause.number}",
    lede=lambda row: row.clause.sentence,
    happens=(lambda row: f"This control is no longer named for it, in the {row.layer} layer: {row.control}",),
    effects=lambda row, person: (
        None if row.ended_at else preview.of_mapping_end(row.initiative, row, by=person)
    ),
    impact_verb=gettext_lazy("Ending it"),
    danger=True,
    verb=gettext_lazy("Close it"),
    done=gettext_lazy("The control is no longer named for the clause."),
)
