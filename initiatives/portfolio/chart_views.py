"""The portfolio in five pictures, filtered like the list, each with the same numbers as a table behind it."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.portfolio import charts, portfolio_metrics
from initiatives.portfolio.figure_filters import SPENT, moved_key
from initiatives.portfolio.views import chosen_cases


@require_safe
def pictures(request: SignedInRequest) -> HttpResponse:
    """Flow, time in stage, evidence that expires in ninety days, gaps by layer, spend: of the cases that pass."""
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
    spend, to = portfolio_metrics.spend(cases, rulebook, now), _to(request)
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
        "flow_rows": _months(flow, to),
        "stays": [(row, "" if row.ended else to(claimed=row.stage)) for row in stays.rows],
        "asserted": stays.asserted,
        "weeks": [
            (week, to(figure=f"expires.{week.first}"), to(figure=f"falls.{week.first}")) for week in weeks
        ],
        "gaps": [(row, to(layer=row.layer)) for row in gaps],
        "spend": [
            (row, to(claimed=row.stage, figure=SPENT), to(claimed=row.stage, figure=SPENT, shortfall="on"))
            for row in spend
        ],
        "drawn": {
            "flow": charts.flow(flow, to),
            "stays": charts.stays(stays, to),
            "ageing": charts.ageing(weeks, to),
            "gaps": charts.gaps(gaps, to),
            "spend": charts.spend(spend, to),
        },
    }
    return render(request, "initiatives/portfolio/pictures.html", context)


def _to(request: SignedInRequest) -> Callable[..., str]:
    """The address of the list of cases, filtered as the charts are and by what it is called with."""
    kept = {
        name: value for name, value in request.GET.items() if name not in ("page", "view", "sort", "figure")
    }
    return lambda **asked: f"{reverse('portfolio')}?{urlencode(kept | asked)}"


def _months(flow: portfolio_metrics.Flow, to: Callable[..., str]) -> list[tuple]:
    """The rows of the table: a month, its moves of each kind with the cases behind them, and its claims by import."""
    return [
        (
            month,
            [(counts[place], to(figure=moved_key(move, month))) for move, counts in flow.counts.items()],
            flow.claimed[place],
        )
        for place, month in enumerate(flow.months)
    ]
