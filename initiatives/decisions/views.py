"""All decisions as one list that can be filtered, and the same list as a file."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.ledger import csv_export
from governance.models import Rulebook
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import page_of
from initiatives.decisions import decision_register
from initiatives.decisions.forms import DecidedForm

PAGE = 50
CHUNK = 500
HEADING = ["When", "Decision", "Reference", "Title", "Unit", "About", "Decided by", "Reason"]


@require_safe
def decisions(request: HttpRequest) -> HttpResponse:
    """What was decided on the cases that the person may see, newest first."""
    book = Rulebook.objects.current().book
    form = DecidedForm(request.GET, book=book)
    page = page_of(request, _found(request, form), PAGE)
    context = {
        "nav": "reviews",
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "page": page,
        "rows": decision_register.told(page, book),
    }
    return render(request, "initiatives/decisions/decided.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """The same decisions as a CSV file, all pages of them."""
    book = Rulebook.objects.current().book
    rows = _found(request, DecidedForm(request.GET, book=book)).iterator(chunk_size=CHUNK)
    lines = (
        [row.moment, row.words, row.ref, row.title, row.unit, row.about, row.who, row.said]
        for one in rows
        for row in decision_register.told([one], book)
    )
    return csv_export.stream(
        "decisions", HEADING, lines, of=request.GET.urlencode() or "all", by=request.user
    )


def _found(request: HttpRequest, form: DecidedForm):
    return decision_register.decisions(case_permissions.visible_to(request.user), form.wanted)
