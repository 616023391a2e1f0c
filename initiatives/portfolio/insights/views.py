"""The pages of Insights, and the initiatives behind each figure."""

from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import JSONObject
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance import clock
from governance.audit_log import csv_export
from governance.database.replica import reads_replica
from governance.models import Rulebook, Unit
from governance.people.boards import seats_held
from governance.people.permissions import may_audit
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, Stage
from governance.vocabulary.phrases import phrase
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.evidence.verification import second_looks
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, Frame, PageStep
from initiatives.models import Effort, FundingDecision, Initiative
from initiatives.portfolio.efforts import permissions as effort_permissions
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.initiative_list.figure_filters import MOVES, SPENT, moved_key
from initiatives.portfolio.initiative_list.filters import with_support, with_supported_stage
from initiatives.portfolio.initiative_list.views import chosen_initiatives
from initiatives.portfolio.insights import charts, effort_report, figures, list_views, reasons
from initiatives.portfolio.insights import flow as flow_figures
from initiatives.portfolio.insights import money as costs
from initiatives.portfolio.insights import people as load
from initiatives.portfolio.insights.forms import (
    Asked,
    PeriodForm,
    SecondLooksForm,
    below,
    own_initiatives,
    tabs,
)
from initiatives.portfolio.insights.reasons import MATTERS, MOST, Mismatch, mismatches_of

PAGE = 25
VENDORS = 30  # of most initiatives; the file has all
NUMBERS = (figures.MISMATCHES.key, "scalable", "pilots", "unused-production", figures.FUNDED.key)
NAMED = 5  # initiatives named beside a figure; the rest stand behind it


@reads_replica
@on_any_day(initiative_lookup.portfolio_on_any_day)
@require_safe
def now(request: SignedInRequest) -> HttpResponse:
    """Show initiatives by approved stage and support, five numbers, and named lists."""
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
    scaling = [cells[one.key] for one in figures.SCALING]
    why = reasons.scaling(
        [initiative for cell in scaling for initiative in cell["initiatives"]], wanted.rulebook, wanted.now
    )
    lagging = [cells[one.key] for one in contributed.lagging]
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
        "numbers": [cells[key] for key in NUMBERS],
        "stages": [
            (
                row,
                asked.portfolio(approved_stage=row.stage),
                asked.portfolio(approved_stage=row.stage, unsupported="on"),
            )
            for row in flow_figures.by_stage(asked.initiatives, wanted.rulebook, wanted.now)
        ],
        "deployed_in_all": counts["deployed-mvp"] + counts["deployed-production"],
        "used_in_all": counts["used-mvp"] + counts["used-production"],
        "parts": parts_shown(contributed.beside_insights, request.user, asked),
        "lagging": lagging,
        "seen": sum(bool(cell["count"]) for cell in lagging),
        "answered_no": cells[figures.ANSWERED_NO.key],
    }
    return render(request, "initiatives/insights/now.html", context)


def _named(asked: Asked, keys: list[int]) -> dict[int, Initiative]:
    """Return the named initiatives by key, with scale tests, spending and funding."""
    wanted = asked.wanted
    rows = with_support(asked.initiatives.filter(pk__in=keys), wanted.rulebook, wanted.now).annotate(
        **{test: F(f"span__{test}") for test in figures.TESTS},
        spent=_by_currency(Effort, "money"),
        given=_by_currency(FundingDecision, "amount"),
    )
    return {initiative.pk: initiative for initiative in rows.select_related("unit")}


def _by_currency(notes: type[Effort | FundingDecision], column: str) -> ArraySubquery:
    """Return the sums of an initiative's current notes, by currency."""
    known = notes.objects.current().filter(initiative=OuterRef("pk"), **{f"{column}__isnull": False})
    sums = known.order_by("currency").values("currency")
    return ArraySubquery(sums.annotate(sum=JSONObject(currency="currency", amount=Sum(column))).values("sum"))


def _judge(asked: Asked) -> dict:
    """Return the number of initiatives without support, and the first with matters."""
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
        (words, counts[matter], asked.link("insights-figure", figures.MISMATCHES.key, matter=matter))
        for matter, words in MATTERS.items()
    ]


@reads_replica
@on_any_day(lambda person, **_: initiative_lookup.portfolio_on_any_day(person))
@require_safe
def rows(request: SignedInRequest, figure: str) -> HttpResponse:
    """Show the initiatives behind one figure, each with its reason."""
    every = figures.all_figures()
    if figure not in every:
        raise Http404("This figure does not exist.")
    if figure == figures.MISMATCHES.key:
        return _mismatches(request)
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


def _mismatches(request: SignedInRequest) -> HttpResponse:
    """Show the initiatives without current support, with the matters that fall short."""
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
        "rows": [(row.initiative, [key in row.matters for key in MATTERS], row.broken) for row in page],
        "count": judged["count"],
        "judged": len(judged["rows"]),
        "back": asked.link("insights"),
    }
    return render(request, "initiatives/insights/mismatches.html", context)


@reads_replica
@require_safe
def flow(request: SignedInRequest) -> HttpResponse:
    """Show flow, stays, expiring evidence and gaps of the initiatives that match."""
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
    to = _to(request)
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
        "drawn": {
            "flow": charts.flow(moves, to),
            "stays": charts.stays(stays, to),
            "ageing": charts.ageing(weeks, to),
            "gaps": charts.gaps(gaps, to),
        },
    }
    return render(request, "initiatives/insights/flow.html", context)


def _to(request: SignedInRequest) -> Callable[..., str]:
    """Return a function for the address of the list, with the filters of the charts."""
    kept = {
        name: value for name, value in request.GET.items() if name not in ("page", "view", "sort", "figure")
    }
    return lambda **asked: f"{reverse('portfolio')}?{urlencode(kept | asked)}"


def _months(moves: flow_figures.Flow, to: Callable[..., str]) -> list[tuple]:
    """Return the rows of the table: month, moves with links, and reported stages."""
    return [
        (
            month,
            [(counts[place], to(figure=moved_key(move, month))) for move, counts in moves.counts.items()],
            moves.reported[place],
        )
        for place, month in enumerate(moves.months)
    ]


@reads_replica
@require_safe
def money(request: SignedInRequest) -> HttpResponse:
    """Show spending by layer and stage, with costs and value for their readers.

    The costs of initiatives are also a CSV file.
    """
    if csv_export.asked(request):
        return list_views.costs_file(request)
    form = PeriodForm(request.GET)
    wanted, initiatives = form.wanted, own_initiatives(request)
    layers = effort_report.by_layer(effort_report.chosen(initiatives, wanted))
    link = _links(form.kept(request))
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
        **_spend(request, wanted.unit),
        "redesigns": effort_report.not_budgeted(initiatives, wanted),
        "all_lines": link(),
    }
    if context["plans"]:
        context |= _costs(request, below(initiatives, wanted.unit))
    return render(request, "initiatives/insights/money.html", context)


def _spend(request: SignedInRequest, unit: Unit | None) -> dict:
    """Return money spent by approved stage, with the initiatives and a picture."""
    found = flow_figures.spend(
        below(own_initiatives(request), unit), Rulebook.objects.in_force(), clock.now()
    )
    kept = {"unit": unit.pk} if unit else {}

    def to(**asked: str) -> str:
        return f"{reverse('portfolio')}?{urlencode(kept | asked)}"

    spend = [
        (
            row,
            to(approved_stage=row.stage, figure=SPENT),
            to(approved_stage=row.stage, figure=SPENT, unsupported="on"),
        )
        for row in found
    ]
    return {"spend": spend, "spend_drawn": charts.spend(found, to)}


def _costs(request: SignedInRequest, initiatives: QuerySet) -> dict:
    """Return given and stated money by stage, failing test and vendor, with value."""
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
    """Return the initiatives of a page with costs, and their measured or stated value."""
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


@reads_replica
@require_safe
def people(request: SignedInRequest) -> HttpResponse:
    """Show the causes of waiting, and the load of people for readers of costs.

    The load is also a CSV file. Auditors and chairs also see how each person verifies evidence.
    """
    if csv_export.asked(request):
        return list_views.loads_file(request)
    form = PeriodForm(request.GET)
    wanted, initiatives = form.wanted, own_initiatives(request)
    rows = effort_report.chosen(initiatives, wanted)
    link = _links(form.kept(request))
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
    if load.may_read_verifying(request.user):
        context["verifying"] = load.verifying(below(initiatives, wanted.unit))
        context["may_draw"] = may_audit(request.user)
    return render(request, "initiatives/insights/people.html", context)


def _effort_page(request: SignedInRequest, name: str, filters: PeriodForm) -> dict:
    """Return what Money and People share: filters, and the right to read costs."""
    return {
        "nav": "insights",
        "tabs": tabs(request, name),
        "form": filters,
        "filtered": any(request.GET.get(name) for name in filters.fields),
        "period": effort_report.period_words(filters.wanted),
        "plans": bool(effort_permissions.may_read_costs(request.user)),
        "query": urlencode(filters.kept(request)),
    }


def _links(kept: dict):
    """Return a function for the address of the lines behind a figure, with filters."""

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
    """Return the money of all layers by currency."""
    found: dict = {}
    for row in layers:
        for currency, amount in row.money.items():
            found[currency] = found.get(currency, 0) + amount
    return sorted(found.items())


PLAIN_ACTS["draw-second-looks"] = PageStep(
    frame=Frame(
        nav="insights", seen=lambda rows, person: rows, template="initiatives/insights/second_looks.html"
    ),
    may=lambda _, person: may_audit(person),
    act=second_looks.draw,
    noun="by",
    form=SecondLooksForm,
    title=gettext_lazy("Draw evidence for a second verification"),
    back=lambda _: reverse("insights-people"),
    context=lambda _, request: {"tabs": tabs(request, "insights-people")},
    then=lambda request, made: messages.success(
        request,
        phrase("Drawn for a second verification: {}.", 0 if made is True else len(made)).in_language(),
    ),
    verb=gettext_lazy("Draw"),
    done="",
)
