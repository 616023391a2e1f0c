"""The page of performance promises, with the figures of the interaction log."""

from django import forms
from django.utils.translation import gettext_lazy

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.interactions.promises import actions
from initiatives.interactions.promises.forms import PromiseForm
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.models import Initiative


def _promise_form(initiative: Initiative, request: SignedInRequest) -> dict:
    former = actions.current_promise(initiative)
    if former is None:
        return {}
    errors = round(100 * former.errors, 6)
    return {"initial": {"median": former.median, "most": former.most, "percent": errors}}


def _former(initiative: Initiative, request: SignedInRequest) -> list[dict]:
    """Return the current promise, with the link that withdraws it."""
    former = actions.current_promise(initiative)
    shown = {"former": former, "initiative": initiative}
    return [{"template": "initiatives/interactions/_promise_now.html", "context": shown}] if former else []


INITIATIVE_ACTS["promise-performance"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=actions.promise,
    form=PromiseForm,
    given=_promise_form,
    page="api-access",
    back="interactions",
    title=gettext_lazy("Promise the performance of calls"),
    lede=gettext_lazy(
        "Enter how fast calls of a model return, and how many calls can fail. Plumbline compares the "
        "interaction log with the promise every week."
    ),
    happens=(
        gettext_lazy("The promise applies from tomorrow."),
        gettext_lazy(
            "If the promise is kept over the last four whole weeks, the requirement on performance is "
            "measured."
        ),
        gettext_lazy("If the promise is not kept, the requirement gets a finding."),
    ),
    parts=_former,
    verb=gettext_lazy("Save the promise"),
    done=gettext_lazy("The promise is saved. The promise applies from tomorrow."),
)
INITIATIVE_ACTS["withdraw-promise"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=actions.withdraw,
    form=forms.Form,
    page="api-access",
    back="interactions",
    title=gettext_lazy("Withdraw the promise"),
    happens=(
        gettext_lazy(
            "After that, the initiative has no performance promise. The requirement on performance is no "
            "longer measured."
        ),
    ),
    verb=gettext_lazy("Withdraw the promise"),
    done=gettext_lazy("The promise is withdrawn."),
)
