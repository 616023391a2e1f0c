"""Findings of models whose vendor no longer stands behind them (prod.performance, asked by production.model_current).

What a model showed counts for the model that runs on; of one that reached its end of life it is worth nothing, from
that day on. The days before are a reminder and a line on the desk, and block nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from governance import clock
from governance.templatetags.plumbline import day
from initiatives.facts.finding_rules import Wanted, about
from initiatives.models import Component, ComponentVersion, ModelVersion

OPENS_DAYS = 90  # before its end of life a model's replacement is asked about
REQUIREMENT = "prod.performance"


@dataclass(frozen=True)
class Ending:
    """That a case runs a model whose vendor no longer stands behind it from `day` on; `use`: the version that runs."""

    use: ComponentVersion
    model: ModelVersion
    day: date

    @property
    def opens(self) -> date:
        """The first day on which the case is asked what replaces the model."""
        return self.day - timedelta(days=OPENS_DAYS)

    @property
    def counts_from(self) -> datetime | None:
        """From when it runs though it reached its end of life; None where another version runs by then."""
        ends = max(clock.midnight_before(self.day), self.use.runs_from)
        return None if self.use.runs_to is not None and self.use.runs_to <= ends else ends

    @property
    def fix(self) -> str:
        """What to do about it."""
        with_what = f", for instance {self.model.successor}" if self.model.successor else ""
        return f"Record the version that takes its place{with_what}, and show what it can do."


@about(Component.objects.filter(versions__model_version__end_of_life__isnull=False))
def says(cases: list[int]) -> Iterable[tuple[int, Wanted]]:
    """A model that runs past its end of life, from that day until another version runs in its place."""
    for one in endings(_standing().filter(component__initiative__in=cases)):
        if one.counts_from is None:
            continue
        yield (
            one.use.component.initiative_id,
            Wanted(
                REQUIREMENT,
                f"model:{one.use.pk}:end_of_life",
                f"{one.model} of {one.model.vendor} reaches its end of life on {one.day:%-d %B %Y}, and no version is "
                "recorded in its place.",
                one.fix,
                since=one.counts_from,
                until=one.use.runs_to,
            ),
        )


def ending_by(last: date) -> list[Ending]:
    """Models that run and reach their end of life by this day, or did, with no version recorded in their place."""
    uses = _standing().filter(model_version__end_of_life__lte=last)
    return [one for one in endings(uses) if one.counts_from is not None]


def endings(uses: Iterable[ComponentVersion]) -> Iterator[Ending]:
    """Those of these versions whose model has an end of life."""
    for use in uses:
        if use.model_version is not None and use.model_version.end_of_life is not None:
            yield Ending(use, use.model_version, use.model_version.end_of_life)


def _standing() -> QuerySet[ComponentVersion]:
    """Versions that run, or will, whose model has an end of life."""
    rows = ComponentVersion.objects.filter(
        Q(runs_to__isnull=True) | Q(runs_to__gt=clock.now()), model_version__end_of_life__isnull=False
    )
    return rows.select_related("component", "model_version__vendor", "model_version__successor").order_by(
        "component__initiative", "pk"
    )


@dataclass(frozen=True)
class End:
    """When the vendor of a model no longer stands behind it, in words and a tone."""

    words: str
    tone: str


def end_of(model: ModelVersion) -> End:
    """The end of life as pages show it: what nobody knows is unknown, never none."""
    last, today = model.end_of_life, clock.today()
    if last is None:
        return End("end of life unknown", "warn")
    if last <= today:
        return End(f"end of life since {day(last)}", "bad")
    near = (last - today).days <= OPENS_DAYS
    return End(f"end of life {day(last)}", "warn" if near else "ok")
