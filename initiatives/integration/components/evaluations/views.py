"""Pages of how the models of an initiative did: declared before, measured after."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.components import permissions
from initiatives.integration.components.evaluations import actions
from initiatives.integration.components.evaluations.forms import EvaluationForm, ResultForm
from initiatives.integration.components.evaluations.presentation import shown
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, one_act, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, STRUCK_OUT, RowAct, on_initiative
from initiatives.models import ModelEvaluation

TAB = "deployments"
BACK = "evaluations"


@require_safe
def evaluations(request: SignedInRequest, ref: str) -> HttpResponse:
    """How the models of the initiative did, version by version."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, TAB)
    rows = initiative.model_evaluations.select_related(
        "deployment__version",
        "declared_by",
        "result_by",
        "withdrawn_by",
    )
    context |= {
        "title": _("How the models did"),
        "evaluations": shown(rows.order_by("-declared_on", "-pk")),
        "may_evaluate": context["may"].collaborate,
    }
    return render(request, "initiatives/components/evaluations.html", context)


def declare(request: SignedInRequest, ref: str) -> HttpResponse:
    """Declare what is measured and what is good enough."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    permissions.may_evaluate(initiative, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        EvaluationForm(
            sent(request), initiative=initiative, initial={"deployment": request.GET.get("version", "")}
        ),
        lambda fields: actions.declare_evaluation(initiative=initiative, by=request.user, **fields),
        _("It is declared. Measure now, then record the result here."),
        page=TAB,
        back=BACK,
        title=_("Declare an evaluation"),
        lede=_("What is measured, and what is good enough, is said before anybody knows what comes out."),
        happens=[_("It stays as you declare it. What is wrong with it is withdrawn, with the reason.")],
        verb=_("Declare it"),
    )


EVALUATIONS = ModelEvaluation.objects.select_related("initiative__unit", "deployment__version")

ROW_ACTS["evaluations/result"] = RowAct(
    rows=EVALUATIONS,
    may=on_initiative(permissions.may_evaluate),
    act=actions.record_result,
    noun="evaluation",
    page=TAB,
    back=BACK,
    form=ResultForm,
    title=lambda row: f"Record the result: {row}",
    lede=lambda row: f"{row.deployment}. Whether it meets its threshold is computed.",
    happens=(gettext_lazy("It stays as you record it, marked as typed by you."),),
    verb=gettext_lazy("Record it"),
    done=gettext_lazy("The result is recorded, as typed by you."),
)
ROW_ACTS["evaluations/withdraw"] = RowAct(
    rows=EVALUATIONS,
    may=on_initiative(permissions.may_evaluate),
    act=actions.withdraw_evaluation,
    noun="evaluation",
    page=TAB,
    back=BACK,
    title=lambda row: f"Withdraw the evaluation: {row}",
    happens=(STRUCK_OUT,),
    verb=gettext_lazy("Withdraw it"),
    danger=True,
    done=gettext_lazy("The evaluation is withdrawn."),
)
