"""Pages of selections: the list with its form, one selection, and its file."""

import json
from datetime import timedelta
from itertools import chain

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.authorization.decision_queries import Place
from governance.interaction_log import shape
from governance.interaction_log.keys import NoMaster
from governance.interaction_log.reading import Opened
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.interactions.permissions import may_read_interactions
from initiatives.interactions.selections import actions, bulk_readings
from initiatives.interactions.selections.forms import SelectionForm
from initiatives.interactions.views import NO_MASTER
from initiatives.lifecycle.access.initiative_lookup import initiative_for, of_initiative
from initiatives.lifecycle.access.permissions import may_manage
from initiatives.lifecycle.evidence.file_views import guarded
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, insist, page_of, sent
from initiatives.models import BulkReading, InteractionSelection
from initiatives.models.interactions.selections import DONE, ENDED, UNDER_WAY

USUAL = timedelta(days=30)  # that a selection is offered to be of, and to be kept


@require_http_methods(["GET", "HEAD", "POST"])
def selections(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the selections of the initiative's log, newest first, and a form."""
    initiative = initiative_for(request.user, ref)
    insist(request, may_read_interactions(initiative, request.user), "select interactions", initiative)
    today = clock.today()
    form = SelectionForm(
        sent(request), initial={"first": today - USUAL, "last": today, "most": 200, "until": today + USUAL}
    )
    made = acted(
        request, form, lambda: actions.select(initiative=initiative, by=request.user, **form.cleaned_data)
    )
    if made:
        return redirect(made)
    context = initiative_context(request, initiative, "api-access") | {
        "title": _("Selections of interactions"),
        "page": page_of(request, initiative.interaction_selections.select_related("asked_by")),
        "form": form,
    }
    return render(request, "initiatives/interactions/selections/selections.html", context)


def _selection(request: SignedInRequest, pk: int) -> InteractionSelection:
    rows = InteractionSelection.objects.select_related("initiative__unit", "initiative__contract", "asked_by")
    return of_initiative(rows, request.user, pk)


@never_cache
@require_safe
def selection(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one selection: its progress, and its interactions by time."""
    row = _selection(request, pk)
    initiative = row.initiative
    may_read_interactions(initiative, request.user).or_refuse()
    page = page_of(request, range(row.found if row.state == DONE else 0))
    start = page.start_index() - 1 if page.object_list else 0
    rows = actions.members(row, slice(start, start + len(page.object_list))) if page.object_list else []
    context = initiative_context(request, initiative, "api-access") | {
        "title": _("Selection of interactions"),
        "row": row,
        "under_way": row.state in UNDER_WAY,
        "page": page,
        "rows": [{"row": one, "place": Place(one.at, one.pk)} for one in rows],
        "ends": row.state != ENDED
        and (row.asked_by_id == request.user.pk or bool(may_manage(initiative, request.user))),
    }
    return render(request, "initiatives/interactions/selections/selection.html", context)


@require_POST
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close a selection before its day."""
    row = _selection(request, pk)
    actions.close_selection(selection=row, by=request.user)
    messages.success(
        request,
        _("The selection has ended. The references are removed, and the interactions stay in the log."),
    )
    return redirect("interaction-selections", row.initiative.ref)


@never_cache
@require_POST
def bulk_file(request: SignedInRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Return all of a selection in clear, one JSON line each, with permission."""
    rows = BulkReading.objects.select_related("initiative", "selection__initiative")
    row = of_initiative(rows, request.user, pk)
    try:
        pages = bulk_readings.read_all(request=row, by=request.user)
        first = next(
            pages, []
        )  # decrypted before anything is answered: a master that is missing is said on a page
    except NoMaster:
        raise Conflict(NO_MASTER) from None
    if not first:
        raise Http404("No interaction of this selection is left in the log.")

    lines = (_line(one) for page in chain([first], pages) for one in page)
    response = StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8")
    name = f"{row.initiative.ref}-selection-{row.selection_id}.jsonl"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return guarded(response, framed_by="'none'")


def _line(one: Opened) -> str:
    """Return an interaction as a JSON line. An unreadable one has the reason."""
    said: dict[str, object] = {"interaction": one.row.pk, "at": one.row.at.isoformat()}
    if one.report is not None:
        said["report"] = shape.plain(one.report)
    else:
        said["unreadable"] = one.wrong or ("expired" if one.expired else "erased")
    return json.dumps(said, ensure_ascii=False) + "\n"
