"""Pages of processes around an initiative and its sign-on flow."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.resilience import process_actions
from initiatives.integration.resilience.forms import FlowForm, ProcessForm
from initiatives.integration.resilience.process_actions import current_flow
from initiatives.integration.resilience.process_findings import current_processes
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
    recorded,
)
from initiatives.models import Initiative, ProcessRecord
from initiatives.models.integration.processes import DOCUMENTED

TAB, PAGE = "integration", "integration-processes"


def processes(request, ref):
    """Show each current process, the earlier records, and how the system signs on."""
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


def _of(initiative: Initiative, request: SignedInRequest) -> ProcessRecord | None:
    """Return the current process whose words the form starts from (`of`), or None."""
    of = request.GET.get("of", "")
    return next((row for row in current_processes([initiative.pk]) if str(row.pk) == of), None)


def _process_form(initiative: Initiative, request: SignedInRequest) -> dict:
    old = _of(initiative, request)
    if old is None:
        return {}
    kept = ("name", "status", "holder_words", "as_is", "to_be", "redesign_cost", "currency")
    initial = {name: getattr(old, name) for name in kept}
    return {"initial": initial | {"holder": old.holder_id, "budget_holder": old.budget_holder_id}}


INITIATIVE_ACTS["record-process"] = PageStep(
    may=initiative_permissions.may_collaborate,
    act=process_actions.record_process,
    form=ProcessForm,
    given=_process_form,
    page=TAB,
    back=PAGE,
    title=gettext_lazy("Record a process"),
    lede=gettext_lazy("Describe the work, and who knows the part that is not written down."),
    happens=(gettext_lazy("An earlier process record with the same name is replaced."),),
    verb=gettext_lazy("Record the process"),
    done=gettext_lazy("The process is recorded."),
)


ROW_ACTS["processes/withdraw"] = RowAct(
    rows=ProcessRecord.objects.select_related("initiative__unit", "by"),
    may=on_initiative(initiative_permissions.may_collaborate),
    act=process_actions.withdraw_process,
    noun="process",
    page=TAB,
    back=PAGE,
    title=gettext_lazy("Withdraw a process record"),
    lede=recorded,
    happens=(gettext_lazy("The earlier record with the same name counts again, if there is one."),),
    verb=gettext_lazy("Withdraw the process record"),
    done=gettext_lazy("The process record is withdrawn."),
)


def _flow_form(initiative: Initiative, request: SignedInRequest) -> dict:
    old = current_flow(initiative)
    return {
        "initiative": initiative,
        "initial": {"steps": old.steps, "explainer": old.explainer_id, "diagram": old.diagram_id}
        if old
        else {},
    }


INITIATIVE_ACTS["record-sign-on"] = PageStep(
    may=initiative_permissions.may_collaborate,
    act=process_actions.record_flow,
    form=FlowForm,
    given=_flow_form,
    page=TAB,
    back=PAGE,
    title=gettext_lazy("Record the sign-on flow"),
    lede=gettext_lazy(
        "Describe which identity the system uses, which access each token gives, and who can explain the "
        "flow."
    ),
    verb=gettext_lazy("Record the sign-on flow"),
    done=gettext_lazy("The sign-on flow is recorded."),
)
