"""Assumed causes beside actual ones, over published post-mortems: a part of Insights (S1-19)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adoption.models import PostMortem
from adoption.postmortems import cause_analysis
from governance import clock
from governance.database.replica import reads_replica
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Layer
from governance.web.middleware import on_any_day
from initiatives.contributions import Contribution, Part
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.portfolio.insights.forms import Asked

PAGE = 25
COLUMNS = {
    "assumed": "Assumed cause",
    "found": "Actual cause",
    "credited": "Credited with success",
    "carried": "Actual reason for success",
}


def _causes(asked: Asked) -> dict[tuple[str, str], list[PostMortem]]:
    """Return the period's published post-mortems by column and layer.

    ("", "") has all, ("elsewhere", "") the mistaken. Each has `layers`: (words, layers first to last), assumed and
    found.
    """
    told = cause_analysis.assumed_and_found(asked.initiatives.order_by().values("pk"))
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


def beside_insights(person, asked: Asked) -> Part:
    """Return the part with counts of published post-mortems by column and layer."""
    found = _causes(asked)
    context = {
        "columns": COLUMNS.values(),
        "rows": [
            (
                words,
                [
                    (len(found[column, layer]), asked.link("insights-causes", column=column, layer=layer))
                    for column in COLUMNS
                ],
            )
            for layer, words in Layer.choices
        ],
        "all": len(found["", ""]),
        "all_link": asked.link("insights-causes"),
        "elsewhere": len(found["elsewhere", ""]),
        "elsewhere_link": asked.link("insights-causes", column="elsewhere"),
    }
    return Part("adoption/postmortems/_cause_figures.html", context)


@reads_replica
@on_any_day(initiative_lookup.portfolio_on_any_day)
@require_safe
def causes(request: SignedInRequest) -> HttpResponse:
    """Show published post-mortems with the assumed layer and the found layer."""
    asked = Asked(request)
    found = _causes(asked)
    place = request.GET.get("column", ""), request.GET.get("layer", "")
    place = place if place in found else ("", "")
    context = {
        "nav": "insights",
        "form": asked.form,
        "told": asked.told,
        "page": page_of(request, found[place], PAGE),
        "column": COLUMNS.get(place[0], ""),
        "layer": Layer.word(place[1]),
        "elsewhere": place[0] == "elsewhere",
        "back": asked.link("insights"),
    }
    return render(request, "adoption/postmortems/causes.html", context)


CONTRIBUTION = Contribution(beside_insights=[beside_insights])
