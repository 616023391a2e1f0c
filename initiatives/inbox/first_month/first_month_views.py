"""The guided start of a company with a portfolio."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.models import Rulebook
from governance.people.permissions import may_reorganise
from governance.rulebook import parse, shipped_text
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.inbox.first_month import first_month, seat_time
from initiatives.lifecycle.initiative.initiative_frame import pick


@require_safe
def first_month_page(request: SignedInRequest) -> HttpResponse:
    """Steps with their state, what a seat costs in time, what the rulebook asks of what was imported, and who signs."""
    may_reorganise(request.user).or_refuse()
    in_force = Rulebook.objects.in_force()
    rulebook = in_force.parsed if in_force else parse(shipped_text())
    steps = first_month.steps()
    tier = pick(request.GET.get("tier"), first_month.TIERS, "limited")
    context = {
        "nav": "units",
        "setup": steps,
        "setup_next": next((step for step in steps if not step.done and not step.whose), None),
        "rulebook": rulebook,
        "in_force": in_force,
        "tier": tier,
        "tiers": first_month.TIERS,
        "seats": seat_time.seat_times(rulebook, tier),
        "minutes": {
            "reading": seat_time.READING,
            "verifying": seat_time.VERIFYING,
            "signing": seat_time.SIGNING,
        },
        "reading": seat_time.reading_minutes(rulebook),
        "gaps": first_month.gaps_by_layer().most_common() if in_force else [],
        "hours": first_month.hours_to_verify(rulebook),
        "reach": first_month.reach(rulebook),
        "ahead": first_month.ahead(),
        "accepted": rulebook.stages["production"],
    }
    return render(request, "initiatives/inbox/first_month.html", context)
