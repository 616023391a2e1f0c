"""Acts on how the models of an initiative did: declared before, measured after."""

from django.utils.translation import gettext_lazy

from initiatives.integration.components import permissions
from initiatives.integration.components.evaluations import actions
from initiatives.integration.components.evaluations.forms import EvaluationForm, ResultForm
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    STRUCK_OUT,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import ModelEvaluation

TAB = "deployments"


INITIATIVE_ACTS["declare-evaluation"] = PageStep(
    may=permissions.may_evaluate,
    act=actions.declare_evaluation,
    form=EvaluationForm,
    given=lambda row, request: {
        "initiative": row,
        "initial": {"deployment": request.GET.get("version", "")},
    },
    page=TAB,
    title=gettext_lazy("Declare an evaluation"),
    lede=gettext_lazy("Declare what you measure, and which result is good enough, before you measure."),
    happens=(gettext_lazy("The declaration cannot be changed. You can withdraw it with a reason."),),
    verb=gettext_lazy("Declare the evaluation"),
    done=gettext_lazy("The evaluation is declared. Measure now, then record the result on this page."),
)


EVALUATIONS = ModelEvaluation.objects.select_related("initiative__unit", "deployment__version")

ROW_ACTS["evaluations/result"] = RowAct(
    rows=EVALUATIONS,
    may=on_initiative(permissions.may_evaluate),
    act=actions.record_result,
    noun="evaluation",
    page=TAB,
    form=ResultForm,
    title=lambda row: f"Record the result: {row}",
    lede=lambda row: f"{row.deployment}. Plumbline computes if the result meets the threshold.",
    happens=(gettext_lazy("You cannot change the result later. The result is marked as typed by you."),),
    verb=gettext_lazy("Record the result"),
    done=gettext_lazy("The result is recorded, as typed by you."),
)
ROW_ACTS["evaluations/withdraw"] = RowAct(
    rows=EVALUATIONS,
    may=on_initiative(permissions.may_evaluate),
    act=actions.withdraw_evaluation,
    noun="evaluation",
    page=TAB,
    title=lambda row: f"Withdraw the evaluation: {row}",
    happens=(STRUCK_OUT,),
    verb=gettext_lazy("Withdraw the evaluation"),
    danger=True,
    done=gettext_lazy("The evaluation is withdrawn."),
)
