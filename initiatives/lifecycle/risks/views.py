"""Pages on one accepted risk: its review, and its end. Pages of consents have the requests."""

from django.utils.translation import gettext_lazy as _

from governance.templatetags.plumbline import day
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct, SignedReasonForm
from initiatives.lifecycle.risks import actions
from initiatives.lifecycle.risks.forms import RiskReviewForm
from initiatives.models import AcceptedRisk

RISKS = AcceptedRisk.objects.select_related("initiative__unit", "requested_by")


def _lede(risk: AcceptedRisk) -> str:
    return f"{risk.title}, accepted until {day(risk.until)}. What can happen: {risk.happens}"


ROW_ACTS["accepted-risks/review"] = RowAct(
    rows=RISKS,
    may=actions.may_review,
    act=actions.review,
    noun="risk",
    page="accepted-risks",
    form=RiskReviewForm,
    signed="waiver",
    title=_("Review an accepted risk"),
    lede=_lede,
    happens=(
        _("You confirm that the risk is still acceptable. The last day does not change."),
        lambda risk: (
            f"The next review is due {risk.review_days} days from today, if the acceptance lasts longer."
        ),
    ),
    verb=_("Confirm the risk"),
    done=_("The review is recorded."),
)


ROW_ACTS["accepted-risks/end"] = RowAct(
    rows=RISKS,
    may=actions.may_review,
    act=actions.end,
    noun="risk",
    page="accepted-risks",
    form=SignedReasonForm,
    signed="waiver",
    title=_("End the acceptance of a risk"),
    lede=_lede,
    happens=(_("The acceptance ends now. The risk becomes a gap of the initiative's owner."),),
    verb=_("End the acceptance"),
    danger=True,
    done=_("The acceptance has ended. The risk is a gap now."),
)
