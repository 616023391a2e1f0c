"""The leaders' page, and the cases behind each of its figures."""

from collections import Counter
from urllib.parse import urlencode

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Sum
from django.db.models.functions import JSONObject
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from adoption.cost_and_capacity.permissions import may_read_costs
from adoption.leadership import leadership_metrics, metric_reasons
from adoption.leadership.blurred_stages import MATTERS, MOST, Blurred, blurred
from adoption.leadership.forms import LeadersForm
from adoption.models import PostMortem
from adoption.postmortems import cause_analysis
from governance import clock
from governance.database import request_memo
from governance.models import Rulebook
from governance.people.boards import seats_held
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.days import keep
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, Layer, Stage
from governance.web.middleware import on_any_day
from initiatives.access import case_lookup
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import page_of
from initiatives.imports.assertions.permissions import may_read_lists
from initiatives.models import Effort, FundingDecision, Initiative
from initiatives.portfolio import portfolio_metrics
from initiatives.portfolio.filters import with_details

PAGE = 25
STAGE_MISMATCHES = "Stage mismatches"
NAMED = 5  # cases named beside a figure; the rest stand behind it
COLUMNS = {
    "blamed": "Assumed cause",
    "found": "Actual cause",
    "credited": "Credited with success",
    "carried": "Found to carry it",
}


class _Asked:
    """What the address asks for: the form, the cases of it, and how to write the addresses behind the figures."""

    def __init__(self, request: SignedInRequest):
        self.form = LeadersForm(request.GET)
        self.form.is_valid()
        given = self.form.cleaned_data
        self.unit = given.get("unit")
        self.wanted = leadership_metrics.Wanted(
            clock.now(), Rulebook.objects.in_force(), given.get("since"), given.get("until")
        )
        self.cases = leadership_metrics.annotated(
            case_permissions.visible_to(request.user).own(), self.wanted
        )
        if self.unit is not None:
            self.cases = self.cases.filter(unit__path__startswith=self.unit.path)
        self.kept = {
            name: request.GET[name]
            for name in self.form.fields
            if request.GET.get(name) and name not in self.form.errors
        }
        self.told = {
            "now": f"{clock.local(self.wanted.now):%-d %B %Y at %H:%M}",
            "unit": self.unit,
            "since": self.wanted.since,
            "until": self.wanted.until,
        }
        self.filtered = any(request.GET.get(name) for name in self.form.fields)

    def link(self, name: str, *args, **also) -> str:
        """The address of what stands behind a figure, with the unit and the period of this page."""
        asked = urlencode(self.kept | also)
        return keep(reverse(name, args=args) + (f"?{asked}" if asked else ""))

    def portfolio(self, page: str = "portfolio", **also) -> str:
        """The portfolio, or its pictures, of the same unit; "" where they do not show the day that is looked at."""
        kept = {"unit": self.kept["unit"]} if "unit" in self.kept else {}
        return keep(f"{reverse(page)}?{urlencode(kept | also)}")


@on_any_day(case_lookup.portfolio_on_any_day)
@require_safe
def leaders(request: SignedInRequest) -> HttpResponse:
    """Who can scale and who is stuck, by name; all other figures as numbers in a row, and folded with their rows."""
    asked = _Asked(request)
    cases, wanted = asked.cases, asked.wanted
    chosen = {key: one.cases(cases, wanted) for key, one in leadership_metrics.FIGURES.items()}
    counts = dict(zip(chosen, request_memo.counts(*chosen.values()), strict=True))
    first = request_memo.lists(*(rows.order_by("since", "number")[:NAMED] for rows in chosen.values()))
    named = _named(asked, [key for keys in first for key in keys])
    cells = {
        key: {
            "figure": leadership_metrics.FIGURES[key],
            "count": counts[key],
            "link": asked.link("leaders-rows", key),
            "cases": [named[pk] for pk in keys if pk in named],
            "more": max(0, counts[key] - len(keys)),
        }
        for key, keys in zip(chosen, first, strict=True)
    }
    judged, blame = _judge(asked), _blame(asked)
    short_link = asked.portfolio(shortfall="on")
    scaling = [cells[one.key] for one in leadership_metrics.SCALING]
    why = metric_reasons.scaling(
        [case for cell in scaling for case in cell["cases"]], wanted.rulebook, wanted.now
    )
    stays = _stays(asked, cells)
    gaps = [
        (row, asked.portfolio(layer=row.layer))
        for row in portfolio_metrics.gaps(cases, wanted.rulebook, wanted.now)
    ]
    lagging = [cells[one.key] for one in leadership_metrics.LAGGING]
    context = {
        "nav": "leaders",
        "form": asked.form,
        "told": asked.told,
        "filtered": asked.filtered,
        "may_look_back": as_of.current() is None
        and (request.user.is_auditor or bool(seats_held(request.user))),
        "scaling": [
            cell
            | {
                "told": [
                    (case, (wanted.now - case.since).days, why.get(case.pk, [])) for case in cell["cases"]
                ]
            }
            for cell in scaling
        ],
        "deployed": [
            (Stage(stage).label, [cells[f"{key}-{stage}"] for key in ("deployed", "used", "unused")])
            for stage in ("mvp", "production")
        ],
        "numbers": _numbers(cells, (STAGE_MISMATCHES, judged["count"], short_link), blame),
        "deployed_in_all": counts["deployed-mvp"] + counts["deployed-production"],
        "used_in_all": counts["used-mvp"] + counts["used-production"],
        "blame": blame,
        "stays": stays,
        "staying": sum(row.count for row, _ in stays),
        "gaps": gaps,
        "gaps_in_all": sum(row.gaps for row, _ in gaps),
        "short": judged["count"],
        "short_link": short_link,
        "judged": len(judged["rows"]),
        "matters": _matters(asked, judged["rows"]),
        "funded": cells[leadership_metrics.FUNDED.key],
        "lagging": lagging,
        "seen": sum(bool(cell["count"]) for cell in lagging),
        "answered_no": cells[leadership_metrics.ANSWERED_NO.key],
        "pictures": asked.portfolio(page="pictures"),
        "plans": bool(may_read_costs(request.user)),
        "lists": bool(may_read_lists(request.user)),
    }
    return render(request, "adoption/leadership/leaders.html", context)


def _named(asked: _Asked, keys: list[int]) -> dict[int, Initiative]:
    """The cases that are named, with the outcome of their scale tests and what was spent on and given to them."""
    rows = asked.cases.filter(pk__in=keys).annotate(
        **{test: F(f"span__{test}") for test in leadership_metrics.TESTS},
        spent=_by_currency(Effort, "money"),
        given=_by_currency(FundingDecision, "amount"),
    )
    return {case.pk: case for case in rows.select_related("unit")}


def _by_currency(notes: type[Effort | FundingDecision], column: str) -> ArraySubquery:
    """What the standing notes of a case come to, a sum for each currency: never added across."""
    known = notes.objects.standing().filter(initiative=OuterRef("pk"), **{f"{column}__isnull": False})
    sums = known.order_by("currency").values("currency")
    return ArraySubquery(sums.annotate(sum=JSONObject(currency="currency", amount=Sum(column))).values("sum"))


def _numbers(cells: dict, mismatches: tuple, blame: dict) -> list[tuple]:
    """The figures of the page in one row: (words, count, link)."""
    keys = ("funded", "unused-mvp", "unused-production", "answered-no")
    chosen = [cells[key] for key in keys] + [cells[one.key] for one in leadership_metrics.LAGGING]
    return [
        mismatches,
        *((cell["figure"].title, cell["count"], cell["link"]) for cell in chosen),
        ("Another cause than assumed", blame["elsewhere"], blame["elsewhere_link"]),
    ]


def _short(asked: _Asked):
    """Cases that claim more than their proof supports, worst first, then those that claim it longest."""
    return asked.cases.filter(shortfall__gt=0, stage__in=RUNNING_STAGES).order_by(
        "-shortfall", "since", "number"
    )


def _judge(asked: _Asked) -> dict:
    """How many claim more than their proof supports, and of the first of them which matters say so."""
    rows = _short(asked)
    (count,) = request_memo.counts(rows)
    first = list(rows.select_related("unit")[:MOST]) if count else []
    found = blurred(first, asked.wanted.rulebook, asked.wanted.now) if first else []
    return {"count": count, "rows": found}


def _matters(asked: _Asked, rows: list[Blurred]) -> list[tuple]:
    counts = Counter(matter for row in rows for matter in row.matters)
    return [
        (words, counts[matter], asked.link("leaders-blurred", matter=matter))
        for matter, words in MATTERS.items()
    ]


def _stays(asked: _Asked, cells: dict) -> list[tuple]:
    """Of each stage, how long the cases in it are in it already; the rows behind it, the longest first."""
    found = portfolio_metrics.stays(asked.cases, asked.wanted.now)
    return [(row, cells[f"in-{row.stage}"]["link"]) for row in found.rows if not row.ended]


def _causes(asked: _Asked) -> dict[tuple[str, str], list[PostMortem]]:
    """Published post-mortems of the period by column and layer: ("", "") all, ("elsewhere", "") the mistaken.

    Each with its `layers`: (words, layers first to last) of what was blamed or credited and what was found.
    """
    told = cause_analysis.blamed_and_found(asked.cases.order_by().values("pk"))
    found = {("", ""): told.read, ("elsewhere", ""): told.mistaken}
    for row in told.layers:
        found |= {(column, row.layer): getattr(row, column) for column in COLUMNS}
    for row in told.read:
        row.layers = [
            (COLUMNS[column], [Layer(layer).label for layer in layers])
            for place, column in cause_analysis.COLUMN_OF.items()
            if (layers := told.said.get((row.pk, *place)))
        ]
    since, until = asked.wanted.since, asked.wanted.until

    def within(row: PostMortem) -> bool:
        day = clock.local_day(row.published_at)
        return not (since and day < since) and not (until and day > until)

    return {place: [row for row in rows if within(row)] for place, rows in found.items()}


def _blame(asked: _Asked) -> dict:
    """How many published post-mortems blamed, found, credited each layer, or found it to carry the success."""
    found = _causes(asked)
    return {
        "columns": COLUMNS.values(),
        "rows": [
            (
                words,
                [
                    (len(found[column, layer]), asked.link("leaders-blamed", column=column, layer=layer))
                    for column in COLUMNS
                ],
            )
            for layer, words in Layer.choices
        ],
        "all": len(found["", ""]),
        "all_link": asked.link("leaders-blamed"),
        "elsewhere": len(found["elsewhere", ""]),
        "elsewhere_link": asked.link("leaders-blamed", column="elsewhere"),
    }


@on_any_day(lambda person, **_: case_lookup.portfolio_on_any_day(person))
@require_safe
def rows(request: SignedInRequest, figure: str) -> HttpResponse:
    """The cases behind one figure, each with why it is among them."""
    if figure not in leadership_metrics.FIGURES:
        raise Http404("No such figure.")
    figure = leadership_metrics.FIGURES[figure]
    asked = _Asked(request)
    found = figure.cases(asked.cases, asked.wanted).select_related("unit").order_by("since", "number")
    page = page_of(request, with_details(found, asked.wanted.rulebook), PAGE)
    why = metric_reasons.of(figure.key, list(page), asked.wanted)
    context = {
        "nav": "leaders",
        "figure": figure,
        "form": asked.form,
        "told": asked.told,
        "filtered": asked.filtered,
        "page": page,
        "rows": [(case, (asked.wanted.now - case.since).days, why.get(case.pk, [])) for case in page],
        "back": asked.link("leaders"),
    }
    return render(request, "adoption/leadership/leaders_rows.html", context)


@on_any_day(case_lookup.portfolio_on_any_day)
@require_safe
def blurred_rows(request: SignedInRequest) -> HttpResponse:
    """Cases that claim more than their proof supports, with the matters on which their stage expects more."""
    asked = _Asked(request)
    judged = _judge(asked)
    matter = request.GET.get("matter", "")
    found = [row for row in judged["rows"] if matter not in MATTERS or matter in row.matters]
    page = page_of(request, found, PAGE)
    context = {
        "nav": "leaders",
        "form": asked.form,
        "told": asked.told,
        "matter": MATTERS.get(matter, ""),
        "matters": MATTERS,
        "page": page,
        "rows": [(row.case, [key in row.matters for key in MATTERS], len(row.matters)) for row in page],
        "count": judged["count"],
        "judged": len(judged["rows"]),
        "back": asked.link("leaders"),
    }
    return render(request, "adoption/leadership/leaders_blurred.html", context)


@on_any_day(case_lookup.portfolio_on_any_day)
@require_safe
def blamed_rows(request: SignedInRequest) -> HttpResponse:
    """Published post-mortems with the layer that was blamed and the layer that was found."""
    asked = _Asked(request)
    found = _causes(asked)
    place = request.GET.get("column", ""), request.GET.get("layer", "")
    place = place if place in found else ("", "")
    context = {
        "nav": "leaders",
        "form": asked.form,
        "told": asked.told,
        "page": page_of(request, found[place], PAGE),
        "column": COLUMNS.get(place[0], ""),
        "layer": Layer.word(place[1]),
        "elsewhere": place[0] == "elsewhere",
        "back": asked.link("leaders"),
    }
    return render(request, "adoption/leadership/leaders_blamed.html", context)
