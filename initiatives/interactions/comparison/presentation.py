"""Figures of the interaction log as pages show them: name, value, verdict."""

from dataclasses import dataclass

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from initiatives.interactions.comparison import ways
from initiatives.interactions.comparison.figures_of import (
    figures_of,
    people_in_scope,
    promises_of,
    summed,
)
from initiatives.interactions.comparison.ways import Held
from initiatives.models import Initiative

STATES = {True: (_("holds"), "ok"), False: (_("not met"), "bad"), None: (_("open"), "")}


@dataclass(frozen=True)
class Line:
    """One figure: its name, its words, and the verdict as a word and a tone."""

    name: str | LazyText
    words: str
    state: str | LazyText
    tone: str


def figures(initiative: Initiative) -> list[Line]:
    """Return the figures of the last four whole weeks, or [] if the log has none."""
    days = figures_of([initiative.pk]).get(initiative.pk, [])
    if not days:
        return []
    whole, people = summed(days), people_in_scope([initiative.pk]).get(initiative.pk)
    told = [
        (_("Complete in the log"), ways.complete(whole)),
        (_("Outputs with a source"), ways.sourced(whole)),
    ]
    if people is not None:
        told.append((_("People served"), ways.within_scope(whole, people)))
    promise, since = promises_of([initiative.pk]).get(initiative.pk, (None, None))
    if promise is not None:
        of_promise = summed(days, since)
        told += [
            (_("Errors"), ways.errors(of_promise, promise.errors)),
            (_("Median time of calls"), ways.fast(of_promise, promise.median, ways.HALF)),
            (
                _("Longest time of the 95 fastest calls in 100"),
                ways.fast(of_promise, promise.most, ways.MOST),
            ),
        ]
    return [_line(name, held) for name, held in told]


def _line(name: str | LazyText, held: Held) -> Line:
    return Line(name, held.words, *STATES[held.holds])
