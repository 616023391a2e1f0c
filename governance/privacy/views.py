"""Pages on retention: legal holds, initiatives due for disposal, erasures. For admins and auditors."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.models import LegalHold
from governance.people.permissions import may_hold
from governance.privacy import erasure_log, retention
from governance.privacy.forms import HoldForm, LiftForm
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors

PAGE = 50


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def retention_page(request: SignedInRequest) -> HttpResponse:
    """Show open holds, due initiatives and finished erasures, and open or lift a hold."""
    may_hold(request.user).or_refuse()
    lifts = "lift-why" in request.POST
    hold_form = HoldForm(
        request.POST if request.method == "POST" and not lifts else None,
        request=request,
        purpose="open a legal hold",
        facts={"until": "it is lifted"},
        auto_id="id_hold_%s",
    )
    lift_form = LiftForm(
        request.POST if lifts else None, request=request, purpose="lift a legal hold", auto_id="id_lift_%s"
    )
    asked = lift_form if lifts else hold_form
    if request.method == "POST" and asked.is_valid():
        said = asked.cleaned_data
        try:
            if lifts:
                retention.lift_hold(hold=said["hold"], reason=said["why"], by=request.user)
            else:
                retention.open_hold(
                    initiative_ref=said["initiative"],
                    person=said["login"],
                    reason=said["why"],
                    by=request.user,
                )
        except ValidationError as wrong:
            put_errors(asked, wrong)
        else:
            messages.success(request, _("The hold is lifted.") if lifts else _("The hold is open."))
            return redirect("retention")
    context = {
        "nav": "audit" if request.user.is_auditor else "retention",
        "tab": "retention",
        "hold_form": hold_form,
        "lift_form": lift_form,
        "holds": LegalHold.objects.open().select_related("person", "opened_by"),
        "due": Paginator(retention.due(), PAGE).get_page(request.GET.get("page")),
        "days": settings.RETENTION_DAYS,
        "erasures": [_told(act) for act in reversed(erasure_log.acts())],
    }
    return render(request, "governance/privacy/retention.html", context, status=asked.status)


def _told(act) -> dict:
    """Return an erasure as a line: time, actor, reason, duty, amount, kept data."""
    said = act.facts
    facts = said["facts"]
    return {
        "entry": act.pk,
        "at": act.at,
        "who": said["actor"]["name"],
        "why": facts["why"],
        "duty": facts["duty"],
        "mark": facts["mark"],
        "count": len(facts["entries"]),
        "kept": facts.get("kept", []),
    }
