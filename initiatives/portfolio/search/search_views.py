"""The search page with grouped results, and the stub of an initiative."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from governance.web.help_topics import topics_about
from initiatives.contributions import contributed
from initiatives.lifecycle.initiative.initiative_frame import pick
from initiatives.lifecycle.initiative.stubs import stub_for
from initiatives.portfolio.search.search import MOST, Search

PAGE = 25


@require_safe
def search(request: SignedInRequest) -> HttpResponse:
    """Show the first results of each group, or pages of all results of group `in`."""
    asked = Search(request.GET.get("q", ""), request.user)
    groups = contributed.search_groups
    chosen = pick(request.GET.get("in"), groups)
    context = {"nav": "search", "asked": asked, "chosen": chosen, "groups": groups, "most": MOST}
    if chosen:
        context["found"] = asked.of(chosen)
        context["page"] = Paginator(context["found"].hits, PAGE).get_page(request.GET.get("page"))
    else:
        context["all"] = asked.all()
        context["topics"] = topics_about(asked.words)
    return render(request, "initiatives/portfolio/search.html", context)


@require_safe
def stub(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the public part of an initiative that is not confidential, with a contact."""
    context = {"nav": "portfolio", "stub": stub_for(request.user, ref)}
    return render(request, "initiatives/portfolio/stub.html", context)
