"""Cost and value of the portfolio, and the load of its people, as pages and as files."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adoption.cost_and_capacity import queries
from adoption.cost_and_capacity.forms import UnitForm
from adoption.cost_and_capacity.permissions import may_read_costs
from governance.ledger import csv_export
from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Stage
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import page_of
from initiatives.models import Initiative

PAGE = 25
VENDORS = 30  # of most cases; the file has all
STATED = "stated, not measured"


def _asked(request: SignedInRequest) -> tuple[UnitForm, QuerySet]:
    """The filter, and the initiatives of this organisation that the person may open and that it leaves."""
    may_read_costs(request.user).or_refuse()
    form = UnitForm(request.GET)
    seen = case_permissions.visible_to(request.user).order_by().values("pk")
    cases = Initiative.objects.own().live().filter(pk__in=seen)
    if form.is_valid() and form.cleaned_data["unit"] is not None:
        cases = cases.filter(unit__path__startswith=form.cleaned_data["unit"].path)
    return form, cases


@require_safe
def cost(request: SignedInRequest) -> HttpResponse:
    """What was given and what is stated to be spent, by stage, failing test and vendor; value beside cost."""
    form, cases = _asked(request)
    today, now = queries.today_and_now()
    found = queries.costed(cases, Rulebook.objects.in_force(), now)
    page = page_of(request, [case for case in found if case.money], PAGE)
    vendors = queries.by_vendor(found)
    context = {
        "nav": "leaders",
        "form": form,
        "filtered": bool(request.GET.get("unit")),
        "sums": queries.summed(found),
        "tables": [
            ("stage", queries.by_stage(found)),
            ("test", queries.by_failing_test(found)),
            ("vendor", vendors[:VENDORS]),
        ],
        "more_vendors": max(0, len(vendors) - VENDORS),
        "page": page,
        "rows": _valued(page, today),
    }
    return render(request, "adoption/cost_and_capacity/cost.html", context)


def _valued(page, today) -> list[dict]:
    """The cases of a page with what they cost and what their value is measured at, or stated to be."""
    cases = Initiative.objects.select_related("unit").in_bulk([case.pk for case in page])
    values = queries.measured_value(cases, today)
    return [
        {
            "case": cases[one.pk],
            "money": list(one.money.values()),
            "vendor": one.vendor,
            "measured": [
                (measure.words, verdict.words) for measure, verdict in values[one.pk] if verdict.figure
            ],
        }
        for one in page
    ]


@require_safe
def cost_export(request: SignedInRequest) -> StreamingHttpResponse:
    """Every case with money, a line for each of its currencies."""
    _, cases = _asked(request)
    today, now = queries.today_and_now()
    found = queries.costed(cases, Rulebook.objects.in_force(), now)
    rows = Initiative.objects.select_related("unit").in_bulk([case.pk for case in found])
    values = queries.measured_value(rows, today)
    heading = ["Reference", "Title", "Unit", "Claimed stage", "Failing tests", "Vendor", "Currency"]
    heading += ["Funding decisions", "Given", "Budget, stated", "Run cost a year, stated"]
    heading += ["Benefit a year, stated", "Value measured", "Value rests on"]
    lines = (
        [
            rows[one.pk].ref,
            rows[one.pk].title,
            rows[one.pk].unit.name,
            Stage.word(one.stage),
            ", ".join(queries.TESTS[test] for test in one.failing),
            one.vendor,
            money.currency,
            money.decisions,
            money.given,
            money.budget,
            money.run_cost,
            money.benefit,
            measured := "; ".join(
                f"{measure.words}: {verdict.words}" for measure, verdict in values[one.pk] if verdict.figure
            ),
            "measured" if measured else STATED if money.benefit else "",
        ]
        for one in found
        for money in one.money.values()
    )
    of = request.GET.urlencode() or "all"
    return csv_export.stream("portfolio-cost", heading, lines, of=of, by=request.user)


@require_safe
def capacity(request: SignedInRequest) -> HttpResponse:
    """Roles held, what is due and seats, person by person."""
    form, cases = _asked(request)
    context = {
        "nav": "leaders",
        "form": form,
        "filtered": bool(request.GET.get("unit")),
        "page": page_of(request, queries.loads(cases, *queries.today_and_now()), PAGE),
    }
    return render(request, "adoption/cost_and_capacity/capacity.html", context)


@require_safe
def capacity_export(request: SignedInRequest) -> StreamingHttpResponse:
    """The same as a file."""
    _, cases = _asked(request)
    heading = ["Person", "Roles held", "Which roles", "Roles asked", "Due", "Overdue", "Seats"]
    lines = (
        [
            load.person.full_name,
            load.held,
            load.roles_in_words,
            load.asked,
            load.due,
            load.overdue,
            load.seats,
        ]
        for load in queries.loads(cases, *queries.today_and_now())
    )
    of = request.GET.urlencode() or "all"
    return csv_export.stream("portfolio-capacity", heading, lines, of=of, by=request.user)
