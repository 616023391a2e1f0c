"""The page of rights on a day."""

from datetime import date

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance import clock
from governance.audit import rights_report
from governance.audit.forms import RightsForm
from governance.audit_log import csv_export
from governance.database.replica import reads_replica
from governance.models import User
from governance.people.permissions import may_audit
from governance.runtime.signed_in_request import SignedInRequest

PAGE = 50
HEADING = [
    "On",
    "Kind",
    "Who",
    "Account",
    "Held",
    "Where",
    "Since",
    "Until",
    "Granted by",
    "Reason",
    "Known since",
]


@reads_replica
@require_safe
def held(request: SignedInRequest) -> HttpResponse:
    """Show everything held at the end of a day, by person and kind. `format=csv` gives a CSV file."""
    may_audit(request.user).or_refuse()
    form, on, found = _asked(request)
    if csv_export.asked(request):
        return _file(request, on, found)
    context = {
        "nav": "audit",
        "tab": "rights",
        "form": form,
        "on": on,
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "kinds": rights_report.KINDS,
    }
    return render(request, "governance/audit/audit_rights.html", context)


def _file(request: SignedInRequest, on: date, found: list) -> HttpResponse:
    rows = (
        [
            on,
            row.kind,
            row.person,
            row.person_id,
            row.what,
            row.where,
            row.since,
            row.until,
            row.granted_by,
            row.reason,
            row.known or row.since,
        ]
        for row in found
    )
    return csv_export.stream("rights", HEADING, rows, of=f"on {on.isoformat()}", by=request.user)


def _asked(request: SignedInRequest):
    form = RightsForm(request.GET)
    form.is_valid()  # what was not understood is said on the page and left out
    asked = form.cleaned_data
    on = min(asked.get("on") or clock.today(), clock.today())
    moment = min(clock.midnight_after(on), clock.now())
    who = asked.get("who")
    person = User.objects.filter(pk=int(who)).first() if who else None
    found = rights_report.held_at(moment, person)
    return form, on, [row for row in found if asked.get("kind") in (None, "", row.kind)]
