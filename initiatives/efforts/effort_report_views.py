"""The leaders' page: where the months and the money go, with the lines behind each figure, and the same as a file."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from governance.ledger import csv_export
from governance.models import User
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import layer_word
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import page_of
from initiatives.efforts import charts, effort_report, queries
from initiatives.efforts.forms import LinesForm, WhereItGoesForm
from initiatives.models import System

PAGE = 50
CHUNK = 1_000
HEADING = [
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
]


@require_safe
def where_it_goes(request: SignedInRequest) -> HttpResponse:
    """Months, money and waiting by layer over the cases that the person may see; who waits for whom."""
    form = WhereItGoesForm(request.GET)
    wanted, visible = form.wanted, case_permissions.visible_to(request.user).own().live()
    rows = effort_report.chosen(visible, wanted)
    layers = effort_report.by_layer(rows)
    link = _links(request, form)
    context = {
        "nav": "portfolio",
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "period": effort_report.period_words(wanted),
        "layers": [(row, link(layer=row.layer), _money(row, link)) for row in layers],
        "money": [
            (currency, amount, link(kind="money", currency=currency)) for currency, amount in _all(layers)
        ],
        "hours": sum(row.hours for row in layers),
        "months": sum(row.months for row in layers),
        "waited": sum(row.waited for row in layers),
        "lines": sum(row.rows for row in layers),
        "picture": charts.months(layers),
        "waits": [(row, _behind(row, link)) for row in effort_report.waiting(rows)],
        "systems": [(row, _behind(row, link)) for row in effort_report.waiting(rows, systems=True)],
        "pairs": [
            (row, link(case=row.case.ref, person=row.person)) for row in effort_report.between(rows, visible)
        ],
        "redesigns": effort_report.not_budgeted(visible, wanted),
        "all_lines": link(),
        "waiting_lines": link(kind="waiting"),
    }
    return render(request, "initiatives/efforts/where_it_goes.html", context)


def _links(request: SignedInRequest, form):
    """What makes the address of the lines behind a figure: its own narrowing, and the filters of the page."""
    kept = {
        name: request.GET[name] for name in form.fields if request.GET.get(name) and name not in form.errors
    }

    def link(**also) -> str:
        asked = urlencode(kept | {name: value for name, value in also.items() if value})
        return reverse("efforts") + (f"?{asked}" if asked else "")

    return link


def _behind(row: queries.Waits, link) -> str:
    if row.person:
        return link(kind="waiting", person=row.person)
    if row.system:
        return link(kind="waiting", system=row.system)
    return link(kind="waiting", words=row.words) if row.words else link(kind="unnamed")


def _money(row: effort_report.OfLayer, link) -> list[tuple]:
    return [
        (currency, amount, link(layer=row.layer, kind="money", currency=currency))
        for currency, amount in row.money.items()
    ]


def _all(layers) -> list[tuple]:
    """The money of all layers, by currency: never added across."""
    found: dict = {}
    for row in layers:
        for currency, amount in row.money.items():
            found[currency] = found.get(currency, 0) + amount
    return sorted(found.items())


@require_safe
def lines(request: SignedInRequest) -> HttpResponse:
    """The lines behind a figure, the newest week first."""
    form = LinesForm(request.GET)
    wanted = form.wanted
    context = {
        "nav": "portfolio",
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "period": effort_report.period_words(wanted),
        "waits_for": _named(wanted),
        "page": page_of(request, _found(request, wanted), PAGE),
    }
    return render(request, "initiatives/efforts/efforts.html", context)


@require_safe
def export(request: SignedInRequest) -> HttpResponse:
    """The same lines as a CSV file, all pages of them."""
    rows = _found(request, LinesForm(request.GET).wanted).iterator(chunk_size=CHUNK)
    of = request.GET.urlencode() or "all"
    return csv_export.stream("effort", HEADING, map(_exported, rows), of=of, by=request.user)


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
        queries.waits_words(row),
        row.words,
        row.by.full_name,
    ]


def _found(request: SignedInRequest, wanted: effort_report.Wanted):
    rows = effort_report.chosen(case_permissions.visible_to(request.user).own().live(), wanted)
    return rows.select_related("initiative__unit", "by", "waits_for", "waits_for_system").order_by(
        "-week", "-pk"
    )


def _named(wanted: effort_report.Wanted) -> str:
    """For whom or what the lines waited that are looked at, in words."""
    if wanted.person:
        return User.objects.filter(pk=wanted.person).values_list("full_name", flat=True).first() or ""
    if wanted.system:
        return System.objects.filter(pk=wanted.system).values_list("name", flat=True).first() or ""
    return ""
