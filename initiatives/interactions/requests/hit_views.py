"""Pages of the hits of a request: the list, and one interaction to judge."""

from contextlib import suppress

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.interactions.requests import hits as acts
from initiatives.interactions.requests.forms import BlackOutForm
from initiatives.interactions.requests.permissions import may_search
from initiatives.interactions.requests.views import NAV, with_master
from initiatives.lifecycle.initiative.initiative_frame import acted, page_of, pick
from initiatives.models import SubjectHit, SubjectRequest

SHOWN = {
    "": None,
    "open": {"belongs__isnull": True},
    "theirs": {"belongs": True},
    "others": {"belongs": False},
}


@require_safe
def hits(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the hits by time, with place, way and judgement, without their texts."""
    row = get_object_or_404(SubjectRequest.objects.select_related("handler"), pk=pk)
    may_search(row, request.user).or_refuse()
    shown = pick(request.GET.get("show", ""), SHOWN)
    found = row.hits.filter(**(SHOWN[shown] or {})).select_related("initiative", "judged_by")
    context = {"nav": NAV, "row": row, "page": page_of(request, found), "shown": shown}
    return render(request, "initiatives/interactions/requests/hits.html", context)


def _hit(pk: int) -> SubjectHit:
    return get_object_or_404(SubjectHit.objects.select_related("request__handler", "initiative"), pk=pk)


def _shown(request: SignedInRequest, hit: SubjectHit, form: BlackOutForm) -> HttpResponse:
    opened, texts = None, []
    with suppress(Http404):  # its row has expired: the page shows this, and the judgement stays
        opened, texts = with_master(lambda: acts.open_hit(hit=hit, by=request.user))
    waits = hit.request.hits.filter(belongs__isnull=True).exclude(pk=hit.pk).first()
    context = {
        "nav": NAV,
        "row": hit.request,
        "hit": hit,
        "opened": opened,
        "report": opened.report if opened else None,
        "texts": texts,
        "passages": list(enumerate(hit.passages)),
        "form": form,
        "next": waits,
    }
    return render(request, "initiatives/interactions/requests/hit.html", context)


@never_cache
@require_safe
def hit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one interaction in clear. The reading is recorded."""
    found = _hit(pk)
    may_search(found.request, request.user).or_refuse()
    return _shown(request, found, BlackOutForm())


@require_POST
def judge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record whether the interaction belongs to the person, and show the next one."""
    found = _hit(pk)
    may_search(found.request, request.user).or_refuse()
    said = request.POST.get("belongs")
    if said not in ("yes", "no"):
        raise Http404("Choose yes or no.")
    acts.judge(hit=found, belongs=said == "yes", by=request.user)
    waits = found.request.hits.filter(belongs__isnull=True).first()
    messages.success(request, _("Recorded."))
    return redirect(waits or found.request)


@never_cache
@sensitive_post_parameters("words")
@require_POST
def black_out(request: SignedInRequest, pk: int) -> HttpResponse:
    """Black out words of third persons."""
    found = _hit(pk)
    may_search(found.request, request.user).or_refuse()
    form = BlackOutForm(request.POST)
    if acted(
        request,
        form,
        lambda: with_master(lambda: acts.black_out(hit=found, by=request.user, **form.cleaned_data)),
    ):
        messages.success(request, _("The words are blacked out."))
        return redirect(found)
    return _shown(request, found, form)


@require_POST
def show_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a passage back."""
    found = _hit(pk)
    may_search(found.request, request.user).or_refuse()
    place, start = request.POST.get("place", ""), request.POST.get("start", "")
    if not start.isdecimal():
        raise Http404("This passage does not exist.")
    acts.show_again(hit=found, place=place, start=int(start[:9]), by=request.user)
    return redirect(found)
