"""Pages of selections: those of a case with the form for another, one of them, and leave to read it all at once."""

import json
from datetime import timedelta
from itertools import chain

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.authorization.decision_queries import Place
from governance.interaction_log import shape
from governance.interaction_log.keys import NoMaster
from governance.interaction_log.reading import Opened
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from initiatives.access.case_lookup import case_for, of_case
from initiatives.access.permissions import may_manage
from initiatives.cases.case_frame import acted, ask, case_context, page_of, sent
from initiatives.evidence.file_views import guarded
from initiatives.interactions.permissions import may_approve_bulk, may_read_interactions
from initiatives.interactions.selections import actions, bulk_readings
from initiatives.interactions.selections.forms import SelectionForm
from initiatives.interactions.views import NO_MASTER
from initiatives.models import BulkReading, InteractionSelection
from initiatives.models.interactions.selections import DONE, ENDED, UNDER_WAY
from initiatives.reviews.decision_views import act_page, insist
from initiatives.reviews.forms import ReasonOfActForm, SignedReasonForm

USUAL = timedelta(days=30)  # that a selection is offered to be of, and to be kept


@require_http_methods(["GET", "HEAD", "POST"])
def selections(request: SignedInRequest, ref: str) -> HttpResponse:
    """What was selected of the log of the case, newest first, and the form for another selection."""
    case = case_for(request.user, ref)
    insist(request, may_read_interactions(case, request.user), "select interactions", case)
    today = clock.today()
    form = SelectionForm(
        sent(request), initial={"first": today - USUAL, "last": today, "most": 200, "until": today + USUAL}
    )
    made = acted(request, form, lambda: actions.select(case=case, by=request.user, **form.cleaned_data))
    if made:
        return redirect(made)
    context = case_context(request, case, "systems") | {
        "title": _("Selections of interactions"),
        "page": page_of(request, case.interaction_selections.select_related("asked_by")),
        "form": form,
    }
    return render(request, "initiatives/interactions/selections/selections.html", context)


def _selection(request: SignedInRequest, pk: int) -> InteractionSelection:
    rows = InteractionSelection.objects.select_related("initiative__unit", "initiative__contract", "asked_by")
    return of_case(rows, request.user, pk)


@never_cache
@require_safe
def selection(request: SignedInRequest, pk: int) -> HttpResponse:
    """One selection: how far it is, its interactions by time, and who may read them all at once."""
    row = _selection(request, pk)
    case = row.initiative
    may = may_read_interactions(case, request.user)
    asked = list(row.bulk_readings.select_related("requested_by", "approved_by", "refused_by"))
    answers = {one.pk: bool(may_approve_bulk(case, request.user, one.requested_by_id)) for one in asked}
    if not any(answers.values()):
        may.or_refuse()  # whoever answers a request sees what it is about, and no reference
    page = page_of(request, range(row.found if may and row.state == DONE else 0))
    start = page.start_index() - 1 if page.object_list else 0
    rows = actions.members(row, slice(start, start + len(page.object_list))) if page.object_list else []
    mine = next((one for one in asked if one.requested_by_id == request.user.pk), None)
    context = case_context(request, case, "systems") | {
        "title": _("Selection of interactions"),
        "row": row,
        "under_way": row.state in UNDER_WAY,
        "page": page,
        "rows": [{"row": one, "place": Place(one.at, one.pk)} for one in rows],
        "reads": bool(may),
        "asked": [
            {
                "row": one,
                "waits": not (one.approved_at or one.refused_at),
                "answers": answers[one.pk],
                "until": bulk_readings.ends_at(one) if bulk_readings.is_open(one) else None,
                "mine": one.requested_by_id == request.user.pk,
            }
            for one in asked
        ],
        "asks": bool(may) and row.state == DONE and row.found and not (mine and _stands(mine)),
        "ends": row.state != ENDED
        and bool(may)
        and (row.asked_by_id == request.user.pk or bool(may_manage(case, request.user))),
    }
    return render(request, "initiatives/interactions/selections/selection.html", context)


def _stands(row: BulkReading) -> bool:
    return not row.refused_at and (row.approved_at is None or bulk_readings.is_open(row))


@require_POST
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a selection before its day."""
    row = _selection(request, pk)
    actions.end_selection(selection=row, by=request.user)
    messages.success(request, _("Ended. Its references are removed; the interactions stay in the log."))
    return redirect("interaction-selections", row.initiative.ref)


@require_http_methods(["GET", "HEAD", "POST"])
def request_bulk(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for leave to read all of a selection at once."""
    row = _selection(request, pk)
    insist(
        request, may_read_interactions(row.initiative, request.user), "request bulk reading", row.initiative
    )
    form = ReasonOfActForm(
        sent(request), label=_("Why"), help_text=_("It stays in the record, and the second person reads it.")
    )
    done = acted(
        request,
        form,
        lambda: bulk_readings.request_bulk_reading(selection=row, by=request.user, **form.cleaned_data),
    )
    if done:
        messages.success(request, _("Asked for. An auditor or the risk seat answers; you are told."))
        return redirect(row)
    return ask(
        request,
        row.initiative,
        "systems",
        form,
        title=_("Ask to read all at once"),
        lede=f"All {row.found:,} interactions of the selection in one file, in clear. One at a time you can read them "
        "without asking.",
        happens=[
            _(
                "An auditor or the risk seat of the board answers: never you, and nobody who works on the initiative."
            ),
            f"Leave holds for {BulkReading.OPEN} days, for you alone. Each time that you take the file is on record.",
        ],
        back_url=row.get_absolute_url(),
        verb=_("Ask"),
    )


def _request(request: SignedInRequest, pk: int) -> BulkReading:
    rows = BulkReading.objects.select_related(
        "initiative__unit", "initiative__contract", "requested_by", "selection__initiative"
    )
    return of_case(rows, request.user, pk)


def _facts(row: BulkReading) -> dict:
    """What a signature on leave to read rests on: what was selected, for what, and why one at a time is not enough."""
    selection = row.selection
    return {
        "selection": selection.pk,
        "found": selection.found,
        "purpose": selection.purpose,
        "reason": row.reason,
        "requested by": row.requested_by_id,
    }


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def approve_bulk(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give leave as the second person: signed."""
    row = _request(request, pk)
    case, back = row.initiative, row.selection.get_absolute_url()
    insist(request, may_approve_bulk(case, request.user, row.requested_by_id), "approve bulk reading", case)
    form = SigningForm(
        sent(request),
        request=request,
        purpose=f"let {row.requested_by} read a selection of {case.ref}",
        act="reading",
        facts=_facts(row),
    )
    if request.method == "POST" and form.is_valid():
        bulk_readings.approve_bulk_reading(request=row, by=request.user)
        messages.success(request, f"Leave is given for {BulkReading.OPEN} days.")
        return redirect(back)
    return act_page(
        request,
        case,
        title=_("Give leave to read all at once"),
        form=form,
        verb=_("Give leave"),
        happens=[
            f"{row.requested_by} can read all {row.selection.found:,} interactions of the selection, in clear, for "
            f"{BulkReading.OPEN} days.",
            f"What they were selected for: {row.selection.purpose}",
            f"Why one at a time is not enough, as {row.requested_by} says: {row.reason}",
        ],
        back=back,
        danger=True,
        page="systems",
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def refuse_bulk(request: SignedInRequest, pk: int) -> HttpResponse:
    """Refuse leave as the second person, with the reason."""
    row = _request(request, pk)
    case, back = row.initiative, row.selection.get_absolute_url()
    insist(request, may_approve_bulk(case, request.user, row.requested_by_id), "refuse bulk reading", case)
    form = SignedReasonForm(
        sent(request),
        request=request,
        purpose=f"refuse that {row.requested_by} reads a selection of {case.ref}",
        act="reading",
        facts=_facts(row),
        label=_("Why"),
        help_text=_("Whoever asked reads it, and it stays in the record."),
    )
    if request.method == "POST" and form.is_valid():
        bulk_readings.refuse_bulk_reading(request=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("Refused. Whoever asked is told."))
        return redirect(back)
    return act_page(
        request,
        case,
        title=_("Refuse leave to read all at once"),
        form=form,
        verb=_("Refuse"),
        happens=[
            f"{row.requested_by} can still read them one at a time.",
            _("Your reason is kept with your name."),
        ],
        back=back,
        page="systems",
    )


@never_cache
@require_POST
def bulk_file(request: SignedInRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """All interactions of a selection in clear, one a line (JSON), for whoever was given leave."""
    row = _request(request, pk)
    try:
        pages = bulk_readings.read_all(request=row, by=request.user)
        first = next(
            pages, []
        )  # decrypted before anything is answered: a master that is missing is said on a page
    except NoMaster:
        raise Conflict(NO_MASTER) from None
    if not first:
        raise Http404("Nothing of this selection is left in the log.")

    lines = (_line(one) for page in chain([first], pages) for one in page)
    response = StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8")
    name = f"{row.initiative.ref}-selection-{row.selection_id}.jsonl"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return guarded(response, framed_by="'none'")


def _line(one: Opened) -> str:
    """An interaction as a line; what cannot be read any more says why."""
    said: dict[str, object] = {"interaction": one.row.pk, "at": one.row.at.isoformat()}
    if one.report is not None:
        said["report"] = shape.plain(one.report)
    else:
        said["unreadable"] = one.wrong or ("expired" if one.expired else "erased")
    return json.dumps(said, ensure_ascii=False) + "\n"
