"""Findings of models past the end of life of their version, and of versions deployed without asking.

The requirements are prod.performance and production.model_current. Evidence of a model counts while that model runs,
and no longer from its end of life on. In the days before (`component_end_days` of the rulebook), the pages of
requirements that depend on a component, a reminder and one inbox task name the component, its end of life and its
successor. These messages block nothing, for components of any layer.

A version that the organisation made runs in production without an answer of the deployment gate: the requirement is
prod.q08_change_control (docs/api.md, "Ask before you deploy"). It counts from the day after its first day on, if it
names its artefact or if the initiative asked the gate before it, until the gate allows it or another version runs.
The gate allows no version whose digest is not recorded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance import clock
from governance.authorization.deployment_decision import DEPLOYED_LAYERS
from governance.models import Rulebook
from governance.templatetags.plumbline import day
from governance.vocabulary import Layer, Stage
from governance.vocabulary.phrases import phrase
from initiatives.contracts.enforcement import deployment_gate
from initiatives.lifecycle.facts.finding_rules import Wanted, about
from initiatives.models import ComponentVersion, Deployment, DeploymentDecision

REQUIREMENT = "prod.performance"
CHANGES = "prod.q08_change_control"
LEAD = phrase("The technical lead")  # with the owner, who records what runs


def opens_days() -> int:
    """Return how many days before its end of life a component is asked about."""
    return Rulebook.objects.current().parsed.freshness.component_end_days


@dataclass(frozen=True)
class Ending:
    """A deployment, `use`, of a version without support by its vendor from `day` on."""

    use: Deployment
    version: ComponentVersion
    day: date

    @property
    def opens(self) -> date:
        """Return the first day on which the initiative is asked for a replacement."""
        return self.day - timedelta(days=opens_days())

    @property
    def counts_from(self) -> datetime | None:
        """Return since when it runs past its end of life, or None if replaced by then."""
        ends = max(clock.midnight_before(self.day), self.use.runs_from)
        return None if self.use.runs_to is not None and self.use.runs_to <= ends else ends

    @property
    def fix(self) -> str:
        """Return the remedy in words."""
        with_what = phrase(", for example {}", self.version.successor) if self.version.successor else ""
        return phrase("Record the new version{}, and add evidence for the new version.", with_what)


@about(Deployment.objects.filter(version__layer=Layer.MODEL, version__end_of_life__isnull=False))
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield each model that runs past its end of life, until another version runs."""
    for one in endings(_current().filter(initiative__in=initiatives, version__layer=Layer.MODEL)):
        if one.counts_from is None:
            continue
        whose = phrase(" of {}", one.version.vendor) if one.version.vendor else ""
        yield (
            one.use.initiative_id,
            Wanted(
                REQUIREMENT,
                f"component:{one.use.pk}:end_of_life",
                phrase(
                    "{}{} reaches its end of life on {}, and no replacement is recorded.",
                    one.version,
                    whose,
                    one.day,
                ),
                one.fix,
                LEAD,
                since=one.counts_from,
                until=one.use.runs_to,
            ),
        )


@about(Deployment.objects.filter(initiative__stage=Stage.PRODUCTION))
def says_of_unasked(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield each version that runs in production, and that no answer of the deployment gate allowed."""
    for use in unasked().filter(initiative__in=initiatives).order_by("initiative", "pk"):
        started = clock.local_day(use.runs_from)
        artefact = f" ({use.artefact})" if use.artefact else ""
        yield (
            use.initiative_id,
            Wanted(
                CHANGES,
                f"{deployment_gate.FINDING}:{use.pk}:unasked",
                phrase(
                    "{}{} runs in production since {}, and its pipeline did not get a yes from Plumbline.",
                    use.version,
                    artefact,
                    started,
                ),
                phrase("Let the pipeline ask for this version, or put back a version that was allowed.")
                if use.artefact
                else phrase("Record the digest of this version, and let the pipeline ask for it."),
                LEAD,
                since=clock.midnight_after(started),
            ),
        )


def unasked() -> QuerySet[Deployment]:
    """Return what has run in production for a day, although it had to be asked about and was not allowed.

    An answer belongs to the artefact and the version. Models are left out, because no pipeline deploys them. Versions
    of a vendor that name no artefact are left out, because no pipeline of the organisation builds them.
    """
    now = clock.now()
    answers = DeploymentDecision.objects.filter(initiative=OuterRef("initiative"))
    allowed = answers.filter(stage=Stage.PRODUCTION, reasons=[])
    same = allowed.filter(artefact=OuterRef("artefact"), version__iexact=OuterRef("version__version"))
    asks = answers.filter(at__lte=OuterRef("runs_from"))
    rows = Deployment.objects.running_at(now).filter(
        ~Q(artefact="") | Q(version__vendor__isnull=True) & Exists(asks),
        version__layer__in=DEPLOYED_LAYERS,
        initiative__stage=Stage.PRODUCTION,
        runs_from__lt=clock.midnight_before(clock.today()),
    )
    return rows.exclude(Exists(same)).select_related("version__vendor")


def ending_by(last: date) -> list[Ending]:
    """Return what reaches its end of life by this day and has no recorded replacement."""
    uses = _current().filter(version__end_of_life__lte=last)
    return [one for one in endings(uses) if one.counts_from is not None]


def endings(uses: Iterable[Deployment]) -> Iterator[Ending]:
    """Yield an ending for each of these deployments whose version has an end of life."""
    for use in uses:
        if use.version.end_of_life is not None:
            yield Ending(use, use.version, use.version.end_of_life)


def _current() -> QuerySet[Deployment]:
    """Return current and planned deployments of versions with an end of life."""
    rows = Deployment.objects.current_at(clock.now()).filter(version__end_of_life__isnull=False)
    return rows.select_related("version__vendor", "version__successor").order_by("initiative", "pk")


@dataclass(frozen=True)
class End:
    """The end of a vendor's support for a component version, in words and a tone."""

    words: str
    tone: str


def end_of(version: ComponentVersion) -> End | None:
    """The end of life as pages show it; None for what the organisation made itself, unless it is a model or has one."""
    last, today = version.end_of_life, clock.today()
    if last is None:
        vendored = version.vendor_id is not None or version.layer == Layer.MODEL
        return End("end of life unknown", "warn") if vendored else None
    if last <= today:
        return End(phrase("end of life since {}", day(last)), "bad")
    near = (last - today).days <= opens_days()
    return End(phrase("end of life {}", day(last)), "warn" if near else "ok")
