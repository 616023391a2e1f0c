"""The lists behind figures of Insights, as pages and files."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance import clock
from governance.audit_log import csv_export
from governance.database.replica import reads_replica
from governance.models import Rulebook, User
from governance.rulebook import ParsedRulebook
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import layer_word
from governance.vocabulary import Stage
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.models import Initiative, System
from initiatives.portfolio.efforts import permissions as effort_permissions
from initiatives.portfolio.insights import decision_register, effort_report, money, people
from initiatives.portfolio.insights.forms import DecidedForm, LinesForm, PeriodForm, below, own_initiatives

PAGE = 50
CHUNK = 500
STATED = "stated, not measured"
DECISIONS = ["When", "Decision", "Reference", "Title", "Unit", "About", "Decided by", "Reason"]
LINES = [
    "Reference",
    "Title",
    "Unit",
    "Week",
    "Layer",
    "Hours",
    "Money",
    "Currency",
    "Days waited",
    "Waited for",
    "What",
    "Noted by",
    "Worked on",
    "Worked by",
]


@reads_replica
@require_safe
def decisions(request: SignedInRequest) -> HttpResponse:
    """Show the decisions on visible initiatives, newest first, or return them as CSV."""
    rulebook = Rulebook.objects.current().parsed
    form = DecidedForm(request.GET, rulebook=rulebook)
    found = decision_register.decisions(visibility.visible_to(request.user), form.decided)
    if csv_export.asked(request):
        return _decisions_file(request, found, rulebook)
    page = page_of(request, found, PAGE)
    context = {
        "nav": "reviews",
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "page": page,
        "rows": decision_register.told(page, rulebook),
    }
    return render(request, "initiatives/insights/decisions.html", context)


def _decisions_file(request: SignedInRequest, found: QuerySet, rulebook: ParsedRulebook) -> HttpResponse:
    """Return all pages of the decisions as a CSV file."""
    lines = (
        [row.moment, row.words, row.ref, row.title, row.unit, row.about, row.who, row.said]
        for one in found.iterator(chunk_size=CHUNK)
        for row in decision_register.told([one], rulebook)
    )
    return csv_export.stream("decisions", DECISIONS, lines, of=_of(request), by=request.user)


def _of(request: SignedInRequest) -> str:
    """Return the filter in the address, which names the rows of a file."""
    query = request.GET.copy()
    query.pop("format", None)
    return query.urlencode() or "all"


@reads_replica
@require_safe
def lines(request: SignedInRequest) -> HttpResponse:
    """Show the lines behind a figure, newest week first, or return them all as CSV."""
    form = LinesForm(request.GET)
    wanted = form.wanted
    found = _found(request, wanted)
    if csv_export.asked(request):
        rows = map(_exported, found.iterator(chunk_size=CHUNK))
        return csv_export.stream("effort", LINES, rows, of=_of(request), by=request.user)
    context = {
        "nav": "insights",
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "period": effort_report.period_words(wanted),
        "waits_for": _named(wanted),
        "page": page_of(request, found, PAGE),
    }
    return render(request, "initiatives/insights/efforts.html", context)


def _exported(row) -> list:
    return [
        row.initiative.ref,
        row.initiative.title,
        row.initiative.unit.name,
        row.week,
        layer_word(row.layer),
        row.hours,
        row.money,
        row.currency,
        row.waited_days,
        row.awaited,
        row.words,
        row.by.full_name,
        row.worked_on,
        row.worked_by.full_name if row.worked_by_id else "",
    ]


def _found(request: SignedInRequest, wanted: effort_report.Wanted):
    rows = effort_report.chosen(own_initiatives(request), wanted)
    return rows.select_related(
        "initiative__unit", "by", "waits_for", "waits_for_system", "worked_by"
    ).order_by("-week", "-pk")


def _named(wanted: effort_report.Wanted) -> str:
    """Return the person or system waited for, in words."""
    if wanted.person:
        return User.objects.filter(pk=wanted.person).values_list("full_name", flat=True).first() or ""
    if wanted.system:
        return System.objects.filter(pk=wanted.system).values_list("name", flat=True).first() or ""
    return ""


def costs_file(request: SignedInRequest) -> StreamingHttpResponse:
    """Return the initiatives with money as a file, one line for each currency."""
    initiatives = _costed(request)
    today, now = clock.today(), clock.now()
    found = money.costed(initiatives, Rulebook.objects.in_force(), now)
    rows = Initiative.objects.select_related("unit").in_bulk([initiative.pk for initiative in found])
    values = money.measured_value(rows, today)
    heading = ["Reference", "Title", "Unit", "Approved stage", "Failing tests", "Vendor", "Currency"]
    heading += ["Funding decisions", "Given", "Budget, stated", "Run cost a year, stated"]
    heading += ["Benefit a year, stated", "Value measured", "Value rests on"]
    lines = (
        [
            rows[one.pk].ref,
            rows[one.pk].title,
            rows[one.pk].unit.name,
            Stage.word(one.stage),
            ", ".join(money.TESTS[test] for test in one.failing),
            one.vendor,
            amounts.currency,
            amounts.decisions,
            *(amounts.sums.get(name) for name in money.STATED),
            measured := "; ".join(f"{words}: {said}" for words, said in values.get(one.pk, [])),
            "measured" if measured else STATED if "benefit" in amounts.sums else "",
        ]
        for one in found
        for amounts in one.money.values()
    )
    return csv_export.stream("portfolio-cost", heading, lines, of=_of(request), by=request.user)


def loads_file(request: SignedInRequest) -> StreamingHttpResponse:
    """Return the load of each person as a file."""
    initiatives = _costed(request)
    heading = ["Person", "Roles held", "Roles in detail", "Roles asked", "Due", "Overdue", "Seats"]
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
        for load in people.loads(initiatives, clock.today(), clock.now())
    )
    return csv_export.stream("portfolio-capacity", heading, lines, of=_of(request), by=request.user)


def _costed(request: SignedInRequest) -> QuerySet:
    """Return the initiatives of the unit in the address. Raises Refused without access to costs."""
    effort_permissions.may_read_costs(request.user).or_refuse()
    return below(own_initiatives(request), PeriodForm(request.GET).wanted.unit)
