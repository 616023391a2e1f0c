"""The pages of Insights, and the initiatives behind each figure."""

from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import JSONObject
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Rulebook
from governance.people.boards import seats_held
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, Stage
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.models import Effort, FundingDecision, Initiative
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.initiative_list.figure_filters import MOVES, SPENT, moved_key
from initiatives.portfolio.initiative_list.filters import with_support, with_supported_stage
from initiatives.portfolio.initiative_list.views import chosen_initiatives
from initiatives.portfolio.insights import charts, effort_report, figures, reasons
from initiatives.portfolio.insights import flow as flow_figures
from initiatives.portfolio.insights import money as costs
from initiatives.portfolio.insights import people as load
from initiatives.portfolio.insights.forms import Asked, PeriodForm, below, own_initiatives, tabs
from initiatives.portfolio.insights.reasons import MATTERS, MOST, Mismatch, mismatches_of

PAGE = 25
VENDORS = 30  # of most initiatives; the file has all
NAMED = 5  # initiatives named beside a figure; the rest stand behind it


@on_any_day(initiative_lookup.portfolio_on_any_day)
@require_safe
def now(request: SignedInRequest) -> HttpResponse:
    """Who can scale and who is stuck, by name; all other figures as numbers in a row, and folded with their rows."""
    asked = Asked(request)
    wanted = asked.wanted
    facts = figures.Facts(asked.initiatives, wanted)
    every = figures.all_figures()
    keys = {key: one.keys(facts) for key, one in every.items()}
    counts = {key: len(found) for key, found in keys.items()}
    named = _named(asked, [pk for found in keys.values() for pk in found[:NAMED]])
    cells = {
        key: {
            "figure": one,
            "count": counts[key],
            "link": asked.link("insights-figure", key),
            "initiatives": [named[pk] for pk in keys[key][:NAMED] if pk in named],
            "more": max(0, counts[key] - NAMED),
        }
        for key, one in every.items()
    }
    cells[figures.MISMATCHES.key]["link"] = asked.link("insights-mismatches")
    short_link = asked.portfolio(unsupported="on")
    scaling = [cells[one.key] for one in figures.SCALING]
    why = reasons.scaling(
        [initiative for cell in scaling for initiative in cell["initiatives"]], wanted.rulebook, wanted.now
    )
    lagging = [cells[one.key] for one in contributed.lagging]
    told = (
        figures.MISMATCHES.key,
        figures.FUNDED.key,
        "unused-mvp",
        "unused-production",
        figures.ANSWERED_NO.key,
    )
    numbers = [*(cells[key] for key in told), *lagging]
    context = {
        "nav": "insights",
        "tabs": tabs(request, "insights"),
        "form": asked.form,
        "told": asked.told,
        "filtered": asked.filtered,
        "may_look_back": as_of.current() is None
        and (request.user.is_auditor or bool(seats_held(request.user))),
        "scaling": [
            cell
            | {
                "told": [
                    (initiative, (wanted.now - initiative.since).days, why.get(initiative.pk, []))
                    for initiative in cell["initiatives"]
                ]
            }
            for cell in scaling
        ],
        "deployed": [
            (Stage(stage).label, [cells[f"{key}-{stage}"] for key in ("deployed", "used", "unused")])
            for stage in ("mvp", "production")
        ],
        "numbers": [(cell["figure"].title, cell["count"], cell["link"]) for cell in numbers],
        "deployed_in_all": counts["deployed-mvp"] + counts["deployed-production"],
        "used_in_all": counts["used-mvp"] + counts["used-production"],
        "parts": parts_shown(contributed.beside_insights, request.user, asked),
        "short": cells[figures.MISMATCHES.key],
        "short_link": short_link,
        "funded": cells[figures.FUNDED.key],
        "lagging": lagging,
        "seen": sum(bool(cell["count"]) for cell in lagging),
        "answered_no": cells[figures.ANSWERED_NO.key],
    }
    return render(request, "initiatives/insights/now.html", context)


def _named(asked: Asked, keys: list[int]) -> dict[int, Initiative]:
    """The initiatives that are named, with the outcome of their scale tests and what was spent on and given to them."""
    wanted = asked.wanted
    rows = with_support(asked.initiatives.filter(pk__in=keys), wanted.rulebook, wanted.now).annotate(
        **{test: F(f"span__{test}") for test in figures.TESTS},
        spent=_by_currency(Effort, "money"),
        given=_by_currency(FundingDecision, "amount"),
    )
    return {initiative.pk: initiative for initiative in rows.select_related("unit")}


def _by_currency(notes: type[Effort | FundingDecision], column: str) -> ArraySubquery:
    """What the current notes of an initiative come to, a sum for each currency: never added across."""
    known = notes.objects.current().filter(initiative=OuterRef("pk"), **{f"{column}__isnull": False})
    sums = known.order_by("currency").values("currency")
    return ArraySubquery(sums.annotate(sum=JSONObject(currency="currency", amount=Sum(column))).values("sum"))


def _judge(asked: Asked) -> dict:
    """How many are not supported by current evidence, and of the first of them which matters say so."""
    wanted = asked.wanted
    initiatives = with_support(asked.initiatives, wanted.rulebook, wanted.now)
    short = initiatives.filter(stage__in=RUNNING_STAGES, unsupported_stages__gt=0)
    rows, count = short.order_by("-unsupported_stages", "since", "number"), short.count()
    first = list(rows.select_related("unit")[:MOST]) if count else []
    found = mismatches_of(first, wanted.rulebook, wanted.now) if first else []
    return {"count": count, "rows": found}


def _matters(asked: Asked, rows: list[Mismatch]) -> list[tuple]:
    counts = Counter(matter for row in rows for matter in row.matters)
    return [
        (words, counts[matter], asked.link("insights-mismatches", matter=matter))
        for matter, words in MATTERS.items()
    ]


@on_any_day(lambda person, **_: initiative_lookup.portfolio_on_any_day(person))
@require_safe
def rows(request: SignedInRequest, figure: str) -> HttpResponse:
    """The initiatives behind one figure, each with why it is among them."""
    every = figures.all_figures()
    if figure not in every:
        raise Http404("No such figure.")
    figure = every[figure]
    asked = Asked(request)
    wanted = asked.wanted
    page = page_of(request, figure.keys(figures.Facts(asked.initiatives, wanted)), PAGE)
    initiatives = with_supported_stage(asked.initiatives.filter(pk__in=page), wanted.rulebook, wanted.now)
    initiatives = list(initiatives.select_related("unit").order_by("since", "number"))
    why = reasons.of(figure.key, initiatives, wanted)
    context = {
        "nav": "insights",
        "figure": figure,
        "form": asked.form,
        "told": asked.told,
        "filtered": asked.filtered,
        "page": page,
        "rows": [
            (initiative, (wanted.now - initiative.since).days, why.get(initiative.pk, []))
            for initiative in initiatives
        ],
        "back": asked.link("insights"),
    }
    return render(request, "initiatives/insights/rows.html", context)


@on_any_day(initiative_lookup.portfolio_on_any_day)
@require_safe
def mismatches(request: SignedInRequest) -> HttpResponse:
    """Initiatives that are not supported by current evidence, with the matters on which their stage expects more."""
    asked = Asked(request)
    judged = _judge(asked)
    matter = request.GET.get("matter", "")
    found = [row for row in judged["rows"] if matter not in MATTERS or matter in row.matters]
    page = page_of(request, found, PAGE)
    context = {
        "nav": "insights",
        "form": asked.form,
        "told": asked.told,
        "matter": MATTERS.get(matter, ""),
        "matters": MATTERS,
        "counts": _matters(asked, judged["rows"]),
        "page": page,
        "rows": [(row.initiative, [key in row.matters for key in MATTERS], len(row.matters)) for row in page],
        "count": judged["count"],
        "judged": len(judged["rows"]),
        "back": asked.link("insights"),
    }
    return render(request, "initiatives/insights/mismatches.html", context)


@require_safe
def flow(request: SignedInRequest) -> HttpResponse:
    """Flow, time in stage, evidence that expires in ninety days, gaps by layer, spend: of the initiatives that pass."""
    now, rulebook = clock.now(), Rulebook.objects.in_force()
    chosen = chosen_initiatives(request, rulebook)
    initiatives = chosen.qs
    totals = initiatives.order_by().aggregate(
        all=Count("pk"),
        short=Count("pk", filter=Q(unsupported_stages__gt=0)),
        recomputing=Count("pk", filter=Q(supported="recomputing")),
    )
    chosen.form.fields.pop("sort")  # an order of initiatives changes no sum of them
    moves, stays = flow_figures.flow(initiatives, now), flow_figures.stays(initiatives, now)
    weeks, gaps = (
        flow_figures.ageing(initiatives, rulebook, now),
        flow_figures.gaps(initiatives, rulebook, now),
    )
    spend, to = flow_figures.spend(initiatives, rulebook, now), _to(request)
    context = {
        "nav": "insights",
        "tabs": tabs(request, "insights-flow"),
        "filter": chosen,
        "filtered": any(request.GET.get(name) for name in chosen.form.fields),
        "report": chosen.report_shown,
        "totals": totals,
        "view": "flow",
        "shown_filter": "",
        "saved_views": [],
        "all_url": reverse("insights-flow"),
        "moves": list(MOVES.values()),
        "flow": moves,
        "flow_rows": _months(moves, to),
        "stays": [(row, "" if row.ended else to(approved_stage=row.stage)) for row in stays.rows],
        "reported_stays": stays.reported,
        "weeks": [
            (week, to(figure=f"expires.{week.first}"), to(figure=f"falls.{week.first}")) for week in weeks
        ],
        "gaps": [(row, to(layer=row.layer)) for row in gaps],
        "spend": [
            (
                row,
                to(approved_stage=row.stage, figure=SPENT),
                to(approved_stage=row.stage, figure=SPENT, unsupported="on"),
            )
            for row in spend
        ],
        "drawn": {
            "flow": charts.flow(moves, to),
            "stays": charts.stays(stays, to),
            "ageing": charts.ageing(weeks, to),
            "gaps": charts.gaps(gaps, to),
            "spend": charts.spend(spend, to),
        },
    }
    return render(request, "initiatives/insights/flow.html", context)


def _to(request: SignedInRequest) -> Callable[..., str]:
    """The address of the list of initiatives, filtered as the charts are and by what it is called with."""
    kept = {
        name: value for name, value in request.GET.items() if name not in ("page", "view", "sort", "figure")
    }
    return lambda **asked: f"{reverse('portfolio')}?{urlencode(kept | asked)}"


def _months(moves: flow_figures.Flow, to: Callable[..., str]) -> list[tuple]:
    """The rows of the table: a month, its moves of each kind with the initiatives behind them, and its stages reported
    by import.
    """
    return [
        (
            month,
            [(counts[place], to(figure=moved_key(move, month))) for move, counts in moves.counts.items()],
            moves.reported[place],
        )
        for place, month in enumerate(moves.months)
    ]


@require_safe
def money(request: SignedInRequest) -> HttpResponse:
    """What was noted as spent, by layer; for those who may read costs what was given and stated, value beside cost."""
    form = PeriodForm(request.GET)
    wanted, initiatives = form.wanted, own_initiatives(request)
    layers = effort_report.by_layer(effort_report.chosen(initiatives, wanted))
    link = _links(request, form)
    context = _effort_page(request, "insights-money", form) | {
        "layers": [(row, link(layer=row.layer), _money(row, link)) for row in layers],
        "money": [
            (currency, amount, link(kind="money", currency=currency)) for currency, amount in _all(layers)
        ],
        "hours": sum(row.hours for row in layers),
        "months": sum(row.months for row in layers),
        "waited": sum(row.waited for row in layers),
        "lines": sum(row.rows for row in layers),
        "picture": charts.months(layers),
        "redesigns": effort_report.not_budgeted(initiatives, wanted),
        "all_lines": link(),
    }
    if context["plans"]:
        context |= _costs(request, below(initiatives, wanted.unit))
    return render(request, "initiatives/insights/money.html", context)


def _costs(request: SignedInRequest, initiatives: QuerySet) -> dict:
    """What was given and what is stated to be spent, by stage, failing test and vendor; value beside cost."""
    found = costs.costed(initiatives, Rulebook.objects.in_force(), clock.now())
    page = page_of(request, [initiative for initiative in found if initiative.money], PAGE)
    vendors = costs.by_vendor(found)
    return {
        "sums": costs.summed(found),
        "tables": [
            ("stage", costs.by_stage(found)),
            ("test", costs.by_failing_test(found)),
            ("vendor", vendors[:VENDORS]),
        ],
        "more_vendors": max(0, len(vendors) - VENDORS),
        "page": page,
        "rows": _valued(page, clock.today()),
    }


def _valued(page, today) -> list[dict]:
    """The initiatives of a page with what they cost and what their value is measured at, or stated to be."""
    initiatives = Initiative.objects.select_related("unit").in_bulk([initiative.pk for initiative in page])
    values = costs.measured_value(initiatives, today)
    return [
        {
            "initiative": initiatives[one.pk],
            "money": list(one.money.values()),
            "vendor": one.vendor,
            "measured": values.get(one.pk, []),
        }
        for one in page
    ]


@require_safe
def people(request: SignedInRequest) -> HttpResponse:
    """For whom and what initiatives wait; for those who may read it, who carries how much."""
    form = PeriodForm(request.GET)
    wanted, initiatives = form.wanted, own_initiatives(request)
    rows = effort_report.chosen(initiatives, wanted)
    link = _links(request, form)
    context = _effort_page(request, "insights-people", form) | {
        "waits": [(row, _behind(row, link)) for row in effort_report.waiting(rows)],
        "systems": [(row, _behind(row, link)) for row in effort_report.waiting(rows, systems=True)],
        "pairs": [
            (row, link(initiative=row.initiative.ref, person=row.person))
            for row in effort_report.between(rows, initiatives)
        ],
        "waiting_lines": link(kind="waiting"),
    }
    if context["plans"]:
        loads = load.loads(below(initiatives, wanted.unit), clock.today(), clock.now())
        context["page"] = page_of(request, loads, PAGE)
    return render(request, "initiatives/insights/people.html", context)


def _effort_page(request: SignedInRequest, name: str, form: PeriodForm) -> dict:
    """What Money and People have in common: their filters, and whether the reader may read costs."""
    return {
        "nav": "insights",
        "tabs": tabs(request, name),
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "period": effort_report.period_words(form.wanted),
        "plans": bool(initiative_permissions.may_read_costs(request.user)),
        "query": urlencode(form.kept(request)),
    }


def _links(request: SignedInRequest, form):
    """What makes the address of the lines behind a figure: its own narrowing, and the filters of the page."""
    kept = form.kept(request)

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
