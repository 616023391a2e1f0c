"""What enforces the contract: its clauses mapped to controls, and reports on layers read from outside."""

from dataclasses import dataclass, field

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from governance.middleware import on_any_day
from governance.models import Clause, Rulebook
from initiatives import actions, doors, impact, permissions
from initiatives.forms.enforcement import ControlForm, ReadingForm
from initiatives.models import ClauseEnforcement
from initiatives.models.enforcement import ENFORCING_LAYERS
from initiatives.views.evidence import STATES, TONES, state_of_item
from initiatives.views.shared import ask, case_context, mend, sent

USELESS = ("withdrawn", "superseded")


@dataclass
class Control:
    """A standing mapping as the map shows it: with the state of its proof, and whether it counts."""

    row: ClauseEnforcement
    state: str
    word: str
    tone: str
    carried: int = 0

    @property
    def counts(self) -> bool:
        """Whether the clause is mapped by it: its proof was neither withdrawn nor replaced."""
        return self.state not in USELESS


@dataclass
class Line:
    """One clause on the map, with its controls."""

    clause: Clause
    controls: list[Control] = field(default_factory=list)

    @property
    def mapped(self) -> bool:
        """Whether a control enforces it."""
        return any(control.counts for control in self.controls)


@on_any_day(doors.case_on_any_day)
def contract_map(request, ref):
    """Clause by clause: which control in which layer enforces it, and what last showed it."""
    case = doors.case_for(request.user, ref)
    context = case_context(request, case, "contract")
    versions = _approved(case)
    now = context["now"]
    in_force = next((v for v in versions if v.starts_at <= now and not _ended(v, now)), None)
    shown = in_force or next(iter(versions), None)
    wanted = request.GET.get("version", "")
    if wanted:
        shown = next((version for version in versions if str(version.number) == wanted), None)
        if shown is None:
            raise Http404("No such version was approved.")
    lines = _lines(case, shown, context)
    context |= {
        "title": "Where each clause is enforced",
        "shown": shown,
        "in_force": in_force,
        "versions": versions,
        "lines": lines,
        "missing": [line.clause for line in lines if not line.mapped],
        "layers": _layers(lines),
        "open": shown is not None and not _ended(shown, now),
    }
    return render(request, "initiatives/contract_map.html", context)


def _approved(case) -> list:
    """The versions that were approved, the newest first."""
    if not case.contract_id:
        return []
    return list(case.contract.versions.filter(starts_at__isnull=False).order_by("-number"))


def _ended(version, now) -> bool:
    return version.ends_at is not None and version.ends_at <= now


def _lines(case, version, context) -> list[Line]:
    """The clauses of the version, each with the standing mappings of whatever clause says the same."""
    if version is None:
        return []
    facts, book, now = context["facts"], context["book"], context["now"]
    items = {item.id: item for item in facts.items}
    by_words: dict[str, list[Control]] = {}
    rows = ClauseEnforcement.objects.standing().filter(clause__version__contract=case.contract_id)
    for row in rows.select_related("clause__version", "evidence", "by").order_by("layer", "id"):
        item = items.get(row.evidence_id)
        state = state_of_item(facts, book, item, now)[0] if item is not None else "withdrawn"
        control = Control(row, state, STATES[state], TONES.get(state, ""))
        if row.clause.version_id != version.pk:
            control.carried = row.clause.version.number
        by_words.setdefault(row.clause.fingerprint, []).append(control)
    return [Line(clause, by_words.get(clause.fingerprint, [])) for clause in version.clauses.all()]


def _layers(lines: list[Line]) -> list[dict]:
    """Each layer in short: how many controls it has, for how many clauses, and its oldest proof."""
    found = []
    for key, word in ENFORCING_LAYERS.items():
        controls = {
            control.row.pk: control
            for line in lines
            for control in line.controls
            if control.row.layer == key and control.counts
        }
        clauses = [line for line in lines if any(c.counts and c.row.layer == key for c in line.controls)]
        found.append(
            {
                "word": word,
                "controls": len(controls),
                "clauses": len(clauses),
                "oldest": min((c.row.evidence.observed_on for c in controls.values()), default=None),
            }
        )
    return found


def map_clause(request, ref, pk):
    """Name the control of a clause, its layer, and what last showed it."""
    case = doors.case_for(request.user, ref)
    clause = (
        Clause.objects.select_related("version").filter(pk=pk, version__contract=case.contract_id).first()
    )
    if clause is None or clause.version.starts_at is None:
        raise Http404("No approved version of this contract has that clause.")
    permissions.may_change_what_runs(case, request.user).or_refuse()
    back = _map_of(case, clause)
    form = ControlForm(sent(request), case=case)
    if request.method == "POST" and form.is_valid():
        try:
            actions.map_clause(case=case, clause=clause, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            mend(form, error)
        else:
            messages.success(request, f"Clause {clause.number} has its control.")
            return redirect(back)
    return ask(
        request,
        case,
        "contract",
        form,
        title=f"Name a control for clause {clause.number}",
        lede=clause.sentence,
        happens=[
            "It counts for this clause in every version that says exactly the same.",
            "Once the clause is worded otherwise, it has to be mapped again.",
        ],
        verb="Name it",
        back_url=back,
    )


def _map_of(case, clause) -> str:
    """The map at this clause, of the version that it belongs to."""
    return f"{reverse('contract-map', args=[case.ref])}?version={clause.version.number}#clause-{clause.pk}"


def end_mapping(request, pk):
    """End a mapping of a clause to a control."""
    rows = ClauseEnforcement.objects.select_related(
        "initiative__unit", "initiative__contract", "clause__version"
    )
    row = doors.of_case(rows, request.user, pk)
    case = row.initiative
    permissions.may_change_what_runs(case, request.user).or_refuse()
    back = reverse("contract-map", args=[case.ref])
    if request.method == "POST":
        actions.end_mapping(mapping=row, by=request.user)
        messages.success(request, "The control is no longer named for the clause.")
        return redirect(back)
    return ask(
        request,
        case,
        "contract",
        None,
        title=f"End a control of clause {row.clause.number}",
        lede=row.clause.sentence,
        happens=[f"This control is no longer named for it, in the {row.layer} layer: {row.control}"],
        effects=impact.of_mapping_end(case, row, by=request.user) if row.ended_at is None else None,
        impact_verb="Ending it",
        danger=True,
        verb="End it",
        back_url=back,
    )


def review_report(request, ref, pk, key):
    """Say, from outside the build team, that one read the report on a layer."""
    case = doors.case_for(request.user, ref)
    row = doors.evidence_for(request.user, case, pk)
    asked = Rulebook.objects.current().book.requirements.get(key)
    if asked is None or asked.group != "layer" or not row.coverage.filter(requirement=key).exists():
        raise Http404("This item is not the report on that layer.")
    permissions.may_review_layer_report(case, row, request.user).or_refuse()
    back = reverse("evidence-item", args=[case.ref, row.pk])
    form = ReadingForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.review_layer_report(evidence=row, requirement=key, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            mend(form, error)
        else:
            messages.success(request, "Your reading stands beside the report.")
            return redirect(back)
    return ask(
        request,
        case,
        "evidence",
        form,
        template="initiatives/layer_review.html",
        title="Read a report on a layer",
        lede=asked.question,
        item=row,
        asked=asked,
        has_file=bool(row.file),
        names=row.names.select_related(
            "component_version__component", "scope_version", "contract_version__contract"
        ),
        happens=[
            "The report counts for this layer once somebody outside the build team has read it: that is you.",
            "It stops counting when you take a role on this case, or are asked to.",
        ],
        verb="I have read it",
        back_url=back,
    )
