"""What insights show of many initiatives, each answered by naming initiatives: scalable or pilot, used, oversold, too
early.

Every figure is a number of initiatives that the reader may see, and the initiatives themselves are the rows behind it.
A figure is put together from sets of keys (`Facts`), each of which one plain query reads.

Sources: S0-3, S0-31, S1-38, S2-3, S2-28, S2-39.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import attrgetter

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value

from governance import clock
from governance.database.request_memo import lists
from governance.models import ContractVersion, Rulebook
from governance.rulebook import ParsedRulebook
from governance.vocabulary import RUNNING_STAGES, Role, Stage, Tier
from initiatives.contributions import Contribution, contributed
from initiatives.lifecycle.stages.actions import STOP_REASONS
from initiatives.models import (
    Evidence,
    RequirementFinding,
    RoleAssignment,
    ScopeVersion,
    StageChange,
    SupportedStagePeriod,
    Voiding,
)
from initiatives.portfolio.insights import report_links

USAGE = "adopt.usage"
TESTS = ("governance", "integration", "adoption")
EARLY_DAYS = 180  # a go-live that is withdrawn within so many days came too early
HARD_LAYERS = ("application", "integration")  # where what was underdesigned shows: workflow and integration


@dataclass(frozen=True)
class Wanted:
    """Of which moment and rulebook, and in which period what happened on a day counts; None leaves an end open."""

    now: datetime
    rulebook: Rulebook | None
    since: date | None = None
    until: date | None = None

    @property
    def parsed_rulebook(self) -> ParsedRulebook | None:
        """The words and terms of the rulebook in force."""
        return self.rulebook.parsed if self.rulebook else None

    def days(self, path: str) -> Q:
        """That the day in this column lies in the period."""
        found = Q(**{f"{path}__gte": self.since}) if self.since else Q()
        return found & Q(**{f"{path}__lte": self.until}) if self.until else found

    def takes(self, day: date) -> bool:
        """Whether a day lies in the period."""
        return not ((self.since and day < self.since) or (self.until and day > self.until))

    def moments(self, path: str) -> Q:
        """That the moment in this column lies on a local day of the period."""
        found = Q(**{f"{path}__gte": clock.midnight_before(self.since)}) if self.since else Q()
        return found & Q(**{f"{path}__lt": clock.midnight_after(self.until)}) if self.until else found


class Facts:
    """What figures ask of initiatives, as sets of their keys; each is read when it is first asked for.

    `initiatives`: the initiatives that are counted. The facts themselves are of all initiatives that there are.
    """

    def __init__(self, initiatives: QuerySet, wanted: Wanted):
        self.initiatives, self.wanted = initiatives, wanted

    @cached_property
    def places(self) -> dict[int, int]:
        """The place of each initiative that is counted; the longest in its stage comes first."""
        (keys,) = lists(self.initiatives.order_by("since", "number"))
        return {key: place for place, key in enumerate(keys)}

    @cached_property
    def in_production(self) -> set[int]:
        """Those in production."""
        return _keys(self.initiatives.filter(stage=Stage.PRODUCTION), "pk")

    @cached_property
    def decided_mvps(self) -> set[int]:
        """MVPs that somebody made one here."""
        return _keys(self.initiatives.filter(stage=Stage.MVP).exclude(basis="import"), "pk")

    def _spans(self, *stages: str) -> QuerySet:
        """What evidence supports now in these stages, where that is not being recomputed."""
        rulebook = self.wanted.rulebook
        if rulebook is None:
            return SupportedStagePeriod.objects.none()
        known = SupportedStagePeriod.objects.covering(self.wanted.now).filter(initiative__stage__in=stages)
        return known.filter(initiative__supported_stage__computed_at__gte=rulebook.published_at)

    @cached_property
    def judged_mvps(self) -> dict[int, tuple[bool, bool, bool]]:
        """What is known of MVPs: whether they pass all three scale tests, whether their evidence supports a prototype
        or less, and whether requirements are open in the layers application or integration."""
        spans = self._spans(Stage.MVP).annotate(
            passes=Q(governance=True, integration=True, adoption=True),
            early=Q(supported__in=[Stage.PROPOSED, Stage.PROTOTYPE]),
            hard=Q(gaps__has_any_keys=list(HARD_LAYERS)),
        )
        return {
            key: tuple(said)
            for key, *said in spans.order_by().values_list("initiative", "passes", "early", "hard")
        }

    @cached_property
    def passing_mvps(self) -> set[int]:
        """MVPs that pass all three scale tests."""
        return {key for key, (passes, _, _) in self.judged_mvps.items() if passes}

    @cached_property
    def early_mvps(self) -> set[int]:
        """MVPs whose evidence supports a prototype or less."""
        return {key for key, (_, early, _) in self.judged_mvps.items() if early}

    @cached_property
    def mvps_with_gaps(self) -> set[int]:
        """MVPs with open requirements in the layers application or integration."""
        return {key for key, (_, _, hard) in self.judged_mvps.items() if hard}

    @cached_property
    def short(self) -> set[int]:
        """Those that run and whose evidence supports less than their stage."""
        return _keys(self._spans(*RUNNING_STAGES).filter(unsupported_stages__gt=0))

    @cached_property
    def past_time(self) -> set[int]:
        """MVPs past the age at which somebody had to decide, and nobody did: as the portfolio's report says it."""
        return _keys(self.initiatives.filter(report_links.past_time()), "pk")

    @cached_property
    def deployed(self) -> dict[str, set[int]]:
        """By stage: production, and MVPs whose scope in force is rolled out."""
        scopes = ScopeVersion.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=self.wanted.now))
        scopes = scopes.filter(rollout=True, starts_at__lte=self.wanted.now)
        rolled_out = scopes.filter(initiative__stage=Stage.MVP)
        return {Stage.PRODUCTION: self.in_production, Stage.MVP: _keys(rolled_out)}

    @cached_property
    def in_use(self) -> set[int]:
        """Those whose newest result of evidence of `adopt.usage` is a pass and current; no finding says otherwise.

        Whatever measures use reaches the gates as evidence or as a finding, so this is what a gate is told (S0-3).
        """
        wanted = self.wanted
        asked = wanted.parsed_rulebook.requirements.get(USAGE) if wanted.parsed_rulebook else None
        if asked is None:
            return set()
        dismissed = Voiding.objects.filter(requirement=USAGE, effective_at__lte=wanted.now)
        items = Evidence.objects.filter(
            coverage__requirement=USAGE,
            withdrawn_at__isnull=True,
            superseded_by__isnull=True,
            missing_since__isnull=True,
        )
        items = items.exclude(result="").exclude(pk__in=dismissed.values("evidence"))
        newest = items.order_by("initiative_id", "-observed_on", "-added_at", "-pk").distinct("initiative_id")
        rows = newest.values_list("initiative", "initiative__tier", "result", "observed_on")
        today, days = clock.local_day(wanted.now), {tier: asked.days(tier) for tier in ("", *Tier.values)}
        passing = {
            key
            for key, tier, result, seen_on in rows
            if result == "pass" and not (days[tier] and seen_on < today - timedelta(days=days[tier]))
        }
        said = RequirementFinding.objects.current().filter(
            Q(until__isnull=True) | Q(until__gt=wanted.now), requirement=USAGE, since__lte=wanted.now
        )
        return passing - _keys(said)

    @cached_property
    def funded_above(self) -> set[int]:
        """Those given money in the period for a stage that the evidence did not support on that day."""
        return _keys(report_links.above_support().filter(self.wanted.days("decided_on")))

    @cached_property
    def supported_by_somebody(self) -> set[int]:
        """Those that somebody accepted to support."""
        return _keys(RoleAssignment.objects.in_force().filter(role=Role.SUPPORT_OWNER))

    @property
    def _moves(self) -> QuerySet:
        """Moves in the period that somebody decided here."""
        return StageChange.objects.filter(self.wanted.moments("at")).exclude(basis="import")

    @cached_property
    def went_live(self) -> set[int]:
        """Those that went into production in the period by a decision."""
        return _keys(self._moves.filter(to_stage=Stage.PRODUCTION))

    @cached_property
    def production_withdrawn(self) -> set[int]:
        """Those of them that left production within half a year."""
        back = StageChange.objects.filter(
            initiative=OuterRef("initiative"),
            from_stage=Stage.PRODUCTION,
            pk__gt=OuterRef("pk"),
            at__lte=OuterRef("at") + Value(timedelta(days=EARLY_DAYS)),
        )
        return _keys(self._moves.filter(Exists(back), to_stage=Stage.PRODUCTION))

    @cached_property
    def came_late(self) -> set[int]:
        """Those that became an MVP before a contract was in force, or went live before support was accepted."""
        contracts = ContractVersion.objects.filter(
            contract=OuterRef("initiative__contract"), starts_at__lte=OuterRef("at")
        )
        supporters = RoleAssignment.objects.filter(
            initiative=OuterRef("initiative"), role=Role.SUPPORT_OWNER, accepted_at__lte=OuterRef("at")
        )
        early = Q(from_stage=Stage.PROTOTYPE, to_stage=Stage.MVP) & ~Q(Exists(contracts))
        alone = Q(to_stage=Stage.PRODUCTION) & ~Q(Exists(supporters))
        return _keys(self._moves.filter(early | alone))

    @cached_property
    def answered_no(self) -> set[int]:
        """Those stopped in the period, as an idea or within the time of a prototype, because the answer was no."""
        rulebook = self.wanted.parsed_rulebook
        most = rulebook.stages[Stage.PROTOTYPE].max_days_before_review if rulebook else None
        began = StageChange.objects.filter(
            initiative=OuterRef("initiative"), to_stage=Stage.PROTOTYPE, pk__lt=OuterRef("pk")
        ).order_by("-pk")
        stopped = StageChange.objects.filter(
            self.wanted.moments("at"),
            initiative__stage=Stage.STOPPED,
            basis="stopped",
            from_stage__in=[Stage.PROPOSED, Stage.PROTOTYPE],
            reason__startswith=STOP_REASONS["answered_no"],
        )
        if most:
            in_time = Q(at__lte=F("began") + Value(timedelta(days=most)))
            stopped = stopped.alias(began=Subquery(began.values("at")[:1])).filter(
                Q(from_stage=Stage.PROPOSED) | in_time
            )
        return _keys(stopped)


def _keys(rows: QuerySet, column: str = "initiative") -> set[int]:
    (found,) = lists(rows.order_by().values(column))
    return set(found)


@dataclass(frozen=True)
class Figure:
    """One figure: its key in the address, its name, in one sentence what it counts, and which initiatives those are.

    `of`: the keys of the initiatives that it counts; it may name others than those of the facts.
    `happened`: it counts what happened on a day, so that the period narrows it; else what is so at the moment.
    `stage`: the approved stage that its name leaves out, because the column beside it says it.
    """

    key: str
    words: str
    statement: str
    of: Callable[[Facts], set[int]] = field(repr=False)
    happened: bool = False
    stage: str = ""

    @property
    def title(self) -> str:
        """Its name where it stands alone, with the approved stage whose initiatives it counts."""
        return f"{self.words}: {Stage(self.stage).label}" if self.stage else self.words

    def keys(self, facts: Facts) -> list[int]:
        """The keys of the initiatives that it counts, the longest in its stage first."""
        return sorted(self.of(facts) & facts.places.keys(), key=facts.places.__getitem__)


# --- Figures ----------------------------------------------------------------------------------------------------------


def scalable(facts: Facts) -> set[int]:
    """MVPs that pass all three scale tests and are within their time, or were continued by the chair."""
    return facts.passing_mvps - facts.past_time


def trials(facts: Facts) -> set[int]:
    """MVPs within their time that fail a scale test still."""
    return facts.judged_mvps.keys() - facts.passing_mvps - facts.past_time


def oversold(facts: Facts) -> set[int]:
    """Made an MVP here on the evidence of a prototype or less; or funded above what the evidence supported."""
    return facts.decided_mvps & facts.early_mvps | facts.funded_above


def underdesigned(facts: Facts) -> set[int]:
    """MVPs that nobody accepted to support, or with gaps in the layers application or integration."""
    return facts.decided_mvps & (facts.mvps_with_gaps | facts.decided_mvps - facts.supported_by_somebody)


def too_early(facts: Facts) -> set[int]:
    """Went into production by a decision; withdrawn or retired within half a year, or no longer supported now."""
    return facts.production_withdrawn | facts.in_production & facts.went_live & facts.short


def _deployed(stage: str) -> Callable[[Facts], set[int]]:
    return lambda facts: facts.deployed[stage]


def _used(stage: str) -> Callable[[Facts], set[int]]:
    return lambda facts: facts.deployed[stage] & facts.in_use


def _unused(stage: str) -> Callable[[Facts], set[int]]:
    return lambda facts: facts.deployed[stage] - facts.in_use


SCALING = (
    Figure(
        "scalable",
        "Ready to scale",
        "MVPs that pass all three scale tests, and are within their time or were continued.",
        scalable,
    ),
    Figure(
        "trials",
        "Not ready yet",
        "MVPs within their time that do not pass a scale test so far.",
        trials,
    ),
    Figure(
        "pilots",
        "Stuck in pilot",
        "MVPs older than the rulebook lets an MVP grow without anybody's decision.",
        attrgetter("past_time"),
    ),
)
DEPLOYED = tuple(
    Figure(
        f"{key}-{stage}",
        words,
        f"{statement} Approved stage: {Stage(stage).label}.",
        which(stage),
        stage=stage,
    )
    for stage in (Stage.MVP, Stage.PRODUCTION)
    for key, words, statement, which in (
        (
            "deployed",
            "Deployed",
            "Production, or an MVP whose scope in force is rolled out.",
            _deployed,
        ),
        (
            "used",
            "Used",
            "Deployed, and the newest evidence of use is current and a pass.",
            _used,
        ),
        (
            "unused",
            "Not shown to be used",
            "Deployed, with no current evidence of use that passes.",
            _unused,
        ),
    )
)
FUNDED = Figure(
    "funded",
    "Funded above evidence",
    "Given money for a stage that the evidence did not support on the day of the decision.",
    attrgetter("funded_above"),
    happened=True,
)
LAGGING = [
    Figure(
        "oversold",
        "A prototype was oversold",
        "Made an MVP here while the evidence supports a prototype or less, or funded above what it supported. What an "
        "inventory reports is counted among the stage mismatches.",
        oversold,
    ),
    Figure(
        "underdesigned",
        "An MVP is underdesigned",
        "Made an MVP here, and nobody accepted to support it, or requirements are open in the layers application or "
        "integration.",
        underdesigned,
    ),
    Figure(
        "too-early",
        "Production came too early",
        f"Went into production by a decision, and was withdrawn or retired within {EARLY_DAYS} days or is no longer "
        "supported by its evidence.",
        too_early,
        happened=True,
    ),
    Figure(
        "late",
        "Support and governance came late",
        "Became an MVP before a contract was in force, or went into production before anybody accepted to support it.",
        attrgetter("came_late"),
        happened=True,
    ),
]
CONTRIBUTION = Contribution(reports=report_links.REPORTS, lagging=LAGGING)
ANSWERED_NO = Figure(
    "answered-no",
    "Useful “no” results",
    "Stopped as an idea or a prototype, within the time a prototype has, because the answer was no. That is a success.",
    attrgetter("answered_no"),
    happened=True,
)

MISMATCHES = Figure(
    "mismatches",
    "Stage mismatches",
    "Runs, and is not supported by current evidence.",
    attrgetter("short"),
)


def all_figures() -> dict[str, Figure]:
    """Every figure by its key."""
    return {
        one.key: one for one in (*SCALING, *DEPLOYED, FUNDED, *contributed.lagging, ANSWERED_NO, MISMATCHES)
    }
