"""What runs past the end of life of its version; of a model a finding (prod.performance, production.model_current).

What a model showed counts for the model that runs on; of one that reached its end of life it is worth nothing, from
that day on. The days before are a reminder and a line in the inbox, and block nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from governance import clock
from governance.templatetags.plumbline import day
from governance.vocabulary import Layer
from initiatives.lifecycle.facts.finding_rules import Wanted, about
from initiatives.models import ComponentVersion, Deployment

OPENS_DAYS = 90  # before its end of life a component's replacement is asked about
REQUIREMENT = "prod.performance"


@dataclass(frozen=True)
class Ending:
    """That an initiative runs a version whose vendor no longer stands behind it from `day` on; `use`: the
    deployment.
    """

    use: Deployment
    version: ComponentVersion
    day: date

    @property
    def opens(self) -> date:
        """The first day on which the initiative is asked what replaces it."""
        return self.day - timedelta(days=OPENS_DAYS)

    @property
    def counts_from(self) -> datetime | None:
        """From when it runs though it reached its end of life; None where another version runs by then."""
        ends = max(clock.midnight_before(self.day), self.use.runs_from)
        return None if self.use.runs_to is not None and self.use.runs_to <= ends else ends

    @property
    def fix(self) -> str:
        """What to do about it."""
        with_what = f", for instance {self.version.successor}" if self.version.successor else ""
        return f"Record the version that takes its place{with_what}, and show what it can do."


@about(Deployment.objects.filter(version__layer=Layer.MODEL, version__end_of_life__isnull=False))
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """A model that runs past its end of life, from that day until another version runs in its place."""
    for one in endings(_current().filter(initiative__in=initiatives, version__layer=Layer.MODEL)):
        if one.counts_from is None:
            continue
        whose = f" of {one.version.vendor}" if one.version.vendor else ""
        yield (
            one.use.initiative_id,
            Wanted(
                REQUIREMENT,
                f"component:{one.use.pk}:end_of_life",
                f"{one.version}{whose} reaches its end of life on {one.day:%-d %B %Y}, and no version is "
                "recorded in its place.",
                one.fix,
                since=one.counts_from,
                until=one.use.runs_to,
            ),
        )


def ending_by(last: date) -> list[Ending]:
    """What runs and reaches its end of life by this day, or did, with no version recorded in their place."""
    uses = _current().filter(version__end_of_life__lte=last)
    return [one for one in endings(uses) if one.counts_from is not None]


def endings(uses: Iterable[Deployment]) -> Iterator[Ending]:
    """Those of these deployments whose version has an end of life."""
    for use in uses:
        if use.version.end_of_life is not None:
            yield Ending(use, use.version, use.version.end_of_life)


def _current() -> QuerySet[Deployment]:
    """Deployments that run, or will, of a version with an end of life."""
    rows = Deployment.objects.current_at(clock.now()).filter(version__end_of_life__isnull=False)
    return rows.select_related("version__vendor", "version__successor").order_by("initiative", "pk")


@dataclass(frozen=True)
class End:
    """When the vendor of a component version no longer stands behind it, in words and a tone."""

    words: str
    tone: str


def end_of(version: ComponentVersion) -> End | None:
    """The end of life as pages show it; None for what the organisation made itself, unless it is a model or has one."""
    last, today = version.end_of_life, clock.today()
    if last is None:
        vendored = version.vendor_id is not None or version.layer == Layer.MODEL
        return End("end of life unknown", "warn") if vendored else None
    if last <= today:
        return End(f"end of life since {day(last)}", "bad")
    near = (last - today).days <= OPENS_DAYS
    return End(f"end of life {day(last)}", "warn" if near else "ok")
