"""The page on which what is promised of calls is said, with what the interaction log says of it."""

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.interactions.promises import actions
from initiatives.interactions.promises.forms import PromiseForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import one_act, sent


@require_http_methods(["GET", "HEAD", "POST"])
def performance_promise(request: SignedInRequest, ref: str) -> HttpResponse:
    """Say what is promised of calls: the owner and the technical lead do, and take it back."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_change_what_runs(initiative, request.user).or_refuse()
    former = actions.current_promise(initiative)
    if request.method == "POST" and "withdraw" in request.POST:
        return one_act(
            request,
            initiative,
            PromiseForm({"median": 1, "most": 1, "percent": 0}),
            lambda _said: actions.withdraw(initiative=initiative, by=request.user),
            _("Withdrawn. Nothing is promised any more."),
            page="api-access",
            back="interactions",
        )
    said = former and {"median": former.median, "most": former.most, "percent": round(100 * former.errors, 6)}
    form = PromiseForm(sent(request), initial=said or {})
    return one_act(
        request,
        initiative,
        form,
        lambda _said: actions.promise(initiative=initiative, by=request.user, **form.promised),
        _("Promised. It is held against the days from tomorrow on."),
        page="api-access",
        back="interactions",
        title=_("What is promised of calls"),
        lede=_(
            "How fast calls of a model come back, and how few of them fail. The interaction log is held against it "
            "week by week."
        ),
        happens=[
            _("It counts from tomorrow on: what is promised is said before it is measured."),
            _("Kept over the last four whole weeks, it measures the requirement on performance."),
            _("Not kept, it is a finding against it, until it is kept again or something else is promised."),
        ],
        verb=_("Promise"),
        parts=[
            {
                "template": "initiatives/interactions/_promise_now.html",
                "context": {"former": former, "url": request.path, "csrf_token": get_token(request)},
            }
        ]
        if former
        else [],
    )
