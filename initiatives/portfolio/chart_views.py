"""The portfolio in four pictures, filtered like the list, each with the same numbers as a table behind it."""

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.portfolio import charts, portfolio_metrics
from initiatives.portfolio.views import chosen_cases


@require_safe
def pictures(request: SignedInRequest) -> HttpResponse:
    """Flow between stages, time in stage, proof ageing over ninety days, gaps by layer: of the cases that pass."""
    now, rulebook = clock.now(), Rulebook.objects.in_force()
    chosen = chosen_cases(request, rulebook)
    cases = chosen.qs
    totals = cases.order_by().aggregate(
        all=Count("pk"),
        short=Count("pk", filter=Q(shortfall__gt=0)),
        recomputing=Count("pk", filter=Q(supported="recomputing")),
    )
    chosen.form.fields.pop("sort")  # an order of cases changes no sum of them
    flow, stays = portfolio_metrics.flow(cases, now), portfolio_metrics.stays(cases, now)
    weeks, gaps = portfolio_metrics.ageing(cases, rulebook, now), portfolio_metrics.gaps(cases, rulebook, now)
    context = {
        "nav": "portfolio",
        "filter": chosen,
        "filtered": any(request.GET.get(name) for name in chosen.form.fields),
        "report": chosen.report_shown,
        "totals": totals,
        "view": "pictures",
        "all_url": reverse("pictures"),
        "moves": list(portfolio_metrics.MOVES.values()),
        "flow": flow,
        "flow_rows": _months(flow),
        "stays": stays,
        "weeks": weeks,
        "gaps": gaps,
        "drawn": {
            "flow": charts.flow(flow),
            "stays": charts.stays(stays),
            "ageing": charts.ageing(weeks),
            "gaps": charts.gaps(gaps),
        },
    }
    return render(request, "initiatives/portfolio/pictures.html", context)


def _months(flow: portfolio_metrics.Flow) -> list[tuple]:
    """The rows of the table: a month, its moves of each kind, and its claims by import."""
    return [
        (month, [counts[place] for counts in flow.counts.values()], flow.claimed[place])
        for place, month in enumerate(flow.months)
    ]
