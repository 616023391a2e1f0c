"""Processes around an initiative and its sign-on flow: listed, recorded anew, withdrawn."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from initiatives.integration.resilience import process_actions
from initiatives.integration.resilience.forms import FlowForm, ProcessForm
from initiatives.integration.resilience.process_actions import current_flow
from initiatives.integration.resilience.process_findings import current_processes
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, one_act, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct, on_initiative, recorded
from initiatives.models import ProcessRecord
from initiatives.models.integration.processes import DOCUMENTED

TAB, PAGE = "integration", "integration-processes"


def processes(request, ref):
    """Each process as it stands, what was recorded before, and how the system signs on."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, TAB)
    current = current_processes([initiative.pk])
    rows = initiative.processes.select_related("holder", "budget_holder", "by", "withdrawn_by").order_by(
        "-pk"
    )
    counts = {row.pk for row in current}
    context |= {
        "title": _("Processes and sign-on"),
        "processes": current,
        "before": [row for row in rows if row.pk not in counts],
        "flow": current_flow(initiative),
        "documented": DOCUMENTED,
    }
    return render(request, "initiatives/integration/resilience/processes.html", context)


def add(request, ref):
    """Record a process, or record one anew (`of`: whose words the form starts from)."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    of = request.GET.get("of", "")
    old = next((row for row in current_processes([initiative.pk]) if str(row.pk) == of), None)
    kept = ("name", "status", "holder_words", "as_is", "to_be", "redesign_cost", "currency")
    initial = {name: getattr(old, name) for name in kept} if old else {}
    if old:
        initial |= {"holder": old.holder_id, "budget_holder": old.budget_holder_id}
    return one_act(
        request,
        initiative,
        ProcessForm(sent(request), initial=initial),
        lambda fields: process_actions.record_process(initiative=initiative, by=request.user, **fields),
        _("The process is recorded."),
        page=TAB,
        back=PAGE,
        title=_("Record a process"),
        lede=_("How the work is done that it sits in, and in whose head the part is that nobody wrote down."),
        happens=[
            _("It replaces what was recorded under the same name."),
            _("A redesign of a documented process ends the evidence that rests on how it was."),
        ]
        if old
        else None,
        verb=_("Record it"),
    )


ROW_ACTS["processes/withdraw"] = RowAct(
    rows=ProcessRecord.objects.select_related("initiative__unit", "by"),
    may=on_initiative(initiative_permissions.may_collaborate),
    act=process_actions.withdraw_process,
    noun="process",
    page=TAB,
    back=PAGE,
    title=gettext_lazy("Take a process record back"),
    lede=recorded,
    happens=(
        gettext_lazy(
            "What was recorded before under the same name stands again; without that, nothing does."
        ),
    ),
    verb=gettext_lazy("Withdraw it"),
    done=gettext_lazy("The process record is withdrawn."),
)


def flow(request, ref):
    """Record how the system signs on, and who can explain it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    old = current_flow(initiative)
    initial = (
        {"steps": old.steps, "explainer": old.explainer_id, "diagram": old.diagram_id}
        if old is not None
        else {}
    )
    return one_act(
        request,
        initiative,
        FlowForm(sent(request), initiative=initiative, initial=initial),
        lambda fields: process_actions.record_flow(initiative=initiative, by=request.user, **fields),
        _("The sign-on flow is recorded."),
        page=TAB,
        back=PAGE,
        title=_("Record the sign-on flow"),
        lede=_(
            "Under which identity it acts, which token opens what, and who can explain it when it breaks."
        ),
        verb=_("Record it"),
    )
