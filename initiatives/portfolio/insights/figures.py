"""The figures of Insights: scalable or pilot, used, oversold, too early.

A figure is a number of initiatives that the reader may see, and the rows behind the figure are those initiatives. It
combines sets of keys (`Facts`), and one plain query reads each set.

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
from governance.vocabulary import RUNNING_STAGES, Role, ScaleTestOutcome, Stage, Tier
from governance.vocabulary.phrases import label, phrase
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
NOT_YET = ScaleTestOutcome.NOT_YET
TESTS = ("governance", "integration", "adoption")
EARLY_DAYS = 180  # a go-live that is withdrawn within so many days came too early
HARD_LAYERS = ("application", "integration")  # where what was underdesigned shows: workflow and integration


@dataclass(frozen=True)
class Wanted:
    """The moment, the rulebook, and the period of dated facts. An end may be None."""

    now: datetime
    rulebook: Rulebook | None
    since: date | None = None
    until: date | None = None

    @property
    def parsed_rulebook(self) -> ParsedRulebook | None:
        """Return the words and terms of the rulebook in force."""
        return self.rulebook.parsed if self.rulebook else None

    def days(self, path: str) -> Q:
        """Return the condition that the day in this column is in the period."""
        found = Q(**{f"{path}__gte": self.since}) if self.since else Q()
        return found & Q(**{f"{path}__lte": self.until}) if self.until else found

    def takes(self, day: date) -> bool:
        """Return True if a day is in the period."""
        return not ((self.since and day < self.since) or (self.until and day > self.until))

    def moments(self, path: str) -> Q:
        """Return the condition of a moment in this column on a local day of the period."""
        found = Q(**{f"{path}__gte": clock.midnight_before(self.since)}) if self.since else Q()
        return found & Q(**{f"{path}__lt": clock.midnight_after(self.until)}) if self.until else found


class Facts:
    """The facts of figures, as sets of initiative keys. Each is read on first use.

    `initiatives`: the initiatives that are counted. The facts themselves are of all initiatives.
    """

    def __init__(self, initiatives: QuerySet, wanted: Wanted):
        self.initiatives, self.wanted = initiatives, wanted

    @cached_property
    def places(self) -> dict[int, int]:
        """Return the place of each counted initiative. The longest in its stage is first."""
        (keys,) = lists(self.initiatives.order_by("since", "number"))
        return {key: place for place, key in enumerate(keys)}

    @cached_property
    def in_production(self) -> set[int]:
        """Return the initiatives in production."""
        return _keys(self.initiatives.filter(stage=Stage.PRODUCTION), "pk")

    @cached_property
    def decided_mvps(self) -> set[int]:
        """Return the MVPs that became one by a decision here."""
        return _keys(self.initiatives.filter(stage=Stage.MVP).exclude(basis="import"), "pk")

    def _spans(self, *stages: str) -> QuerySet:
        """Return the current spans of these stages, without those being recomputed."""
        rulebook = self.wanted.rulebook
        if rulebook is None:
            return SupportedStagePeriod.objects.none()
        known = SupportedStagePeriod.objects.covering(self.wanted.now).filter(initiative__stage__in=stages)
        return known.filter(initiative__supported_stage__computed_at__gte=rulebook.published_at)

    @cached_property
    def judged_mvps(self) -> dict[int, tuple[bool, bool, bool]]:
        """Return for each MVP: fails no test, supports a prototype or less, has gaps.

        The tests are the three scale tests. The gaps are open requirements in the layers application or integration.
        """
        spans = self._spans(Stage.MVP).annotate(
            passes=~(Q(governance=NOT_YET) | Q(integration=NOT_YET) | Q(adoption=NOT_YET)),
            early=Q(supported__in=[Stage.PROPOSED, Stage.PROTOTYPE]),
            hard=Q(gaps__has_any_keys=list(HARD_LAYERS)),
        )
        return {
            key: tuple(said)
            for key, *said in spans.order_by().values_list("initiative", "passes", "early", "hard")
        }

    @cached_property
    def passing_mvps(self) -> set[int]:
        """Return the MVPs that fail none of the three scale tests. Documents of others count."""
        return {key for key, (passes, _, _) in self.judged_mvps.items() if passes}

    @cached_property
    def early_mvps(self) -> set[int]:
        """Return the MVPs whose evidence supports a prototype or less."""
        return {key for key, (_, early, _) in self.judged_mvps.items() if early}

    @cached_property
    def mvps_with_gaps(self) -> set[int]:
        """Return the MVPs with open requirements in the layers application or integration."""
        return {key for key, (_, _, hard) in self.judged_mvps.items() if hard}

    @cached_property
    def short(self) -> set[int]:
        """Return the running initiatives whose evidence supports less than their stage."""
        return _keys(self._spans(*RUNNING_STAGES).filter(unsupported_stages__gt=0))

    @cached_property
    def past_time(self) -> set[int]:
        """Return the MVPs past their time for a decision, as in the portfolio's report."""
        return _keys(self.initiatives.filter(report_links.past_time()), "pk")

    @cached_property
    def deployed(self) -> dict[str, set[int]]:
        """Return initiatives in production, and MVPs with a rolled out scope, by stage."""
        scopes = ScopeVersion.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=self.wanted.now))
        scopes = scopes.filter(rollout=True, starts_at__lte=self.wanted.now)
        rolled_out = scopes.filter(initiative__stage=Stage.MVP)
        return {Stage.PRODUCTION: self.in_production, Stage.MVP: _keys(rolled_out)}

    @cached_property
    def in_use(self) -> set[int]:
        """Return initiatives whose newest `adopt.usage` evidence passes and is current.

        A finding that shows otherwise excludes them. A measure of use reaches gates as evidence or as a finding (S0-3).
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
        """Return those funded in the period above the stage that evidence supported."""
        return _keys(report_links.above_support().filter(self.wanted.days("decided_on")))

    @cached_property
    def supported_by_somebody(self) -> set[int]:
        """Return the initiatives that someone accepted to support."""
        return _keys(RoleAssignment.objects.in_force().filter(role=Role.SUPPORT_OWNER))

    @property
    def _moves(self) -> QuerySet:
        """Return the moves in the period that were decided here."""
        return StageChange.objects.filter(self.wanted.moments("at")).exclude(basis="import")

    @cached_property
    def went_live(self) -> set[int]:
        """Return the initiatives that went into production in the period by a decision."""
        return _keys(self._moves.filter(to_stage=Stage.PRODUCTION))

    @cached_property
    def production_withdrawn(self) -> set[int]:
        """Return the initiatives of them that left production within half a year."""
        back = StageChange.objects.filter(
            initiative=OuterRef("initiative"),
            from_stage=Stage.PRODUCTION,
            pk__gt=OuterRef("pk"),
            at__lte=OuterRef("at") + Value(timedelta(days=EARLY_DAYS)),
        )
        return _keys(self._moves.filter(Exists(back), to_stage=Stage.PRODUCTION))

    @cached_property
    def came_late(self) -> set[int]:
        """Return moves to MVP without a contract, or to production without a supporter."""
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
        """Return initiatives stopped in the period by a no. They were ideas, or prototypes within their time."""
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
    """One figure: its key in the address, its name, its meaning, and its initiatives.

    `of` gives the keys of its initiatives, also outside those of the facts. `happened` is True if the figure counts
    dated events, so that the period narrows it. `stage` is the approved stage that the name omits, because the column
    beside the figure shows it.
    """

    key: str
    words: str
    statement: str
    of: Callable[[Facts], set[int]] = field(repr=False)
    happened: bool = False
    stage: str = ""

    @property
    def title(self) -> str:
        """Return the name of the figure with its approved stage."""
        return phrase("{}: {}", self.words, label(Stage(self.stage).label)) if self.stage else self.words

    def keys(self, facts: Facts) -> list[int]:
        """Return the keys of the counted initiatives, the longest in their stage first."""
        return sorted(self.of(facts) & facts.places.keys(), key=facts.places.__getitem__)


# --- Figures ----------------------------------------------------------------------------------------------------------


def scalable(facts: Facts) -> set[int]:
    """Return MVPs that fail no scale test, in time or continued by the chair."""
    return facts.passing_mvps - facts.past_time


def trials(facts: Facts) -> set[int]:
    """Return the MVPs within their time that still fail a scale test."""
    return facts.judged_mvps.keys() - facts.passing_mvps - facts.past_time


def oversold(facts: Facts) -> set[int]:
    """Return MVPs on evidence of a prototype or less, or funded above the evidence."""
    return facts.decided_mvps & facts.early_mvps | facts.funded_above


def underdesigned(facts: Facts) -> set[int]:
    """Return MVPs without accepted support, or with gaps in hard layers."""
    return facts.decided_mvps & (facts.mvps_with_gaps | facts.decided_mvps - facts.supported_by_somebody)


def too_early(facts: Facts) -> set[int]:
    """Return those that went live, and were withdrawn in half a year or lost support."""
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
        phrase("Ready to scale"),
        phrase(
            "MVPs that fail none of the three scale tests. Each MVP is within its time limit, or was continued."
        ),
        scalable,
    ),
    Figure(
        "trials",
        phrase("Not ready yet"),
        phrase("MVPs within their time limit that do not pass all scale tests yet."),
        trials,
    ),
    Figure(
        "pilots",
        phrase("Stuck in pilot"),
        phrase("MVPs past the time limit of the rulebook, without a decision to continue, stop or promote."),
        attrgetter("past_time"),
    ),
)
DEPLOYED = tuple(
    Figure(
        f"{key}-{stage}",
        words,
        phrase("{} Approved stage: {}.", statement, label(Stage(stage).label)),
        which(stage),
        stage=stage,
    )
    for stage in (Stage.MVP, Stage.PRODUCTION)
    for key, words, statement, which in (
        (
            "deployed",
            "Deployed",
            phrase("Production, or an MVP with a rolled-out scope in force."),
            _deployed,
        ),
        (
            "used",
            "Used",
            phrase("Deployed initiatives whose newest evidence of use is current and passes."),
            _used,
        ),
        (
            "unused",
            phrase("Not shown to be used"),
            phrase("Deployed initiatives without current evidence of use that passes."),
            _unused,
        ),
    )
)
FUNDED = Figure(
    "funded",
    phrase("Funding approved ahead of evidence"),
    phrase("Funding decisions for a stage that the evidence did not support on that day."),
    attrgetter("funded_above"),
    happened=True,
)
LAGGING = [
    Figure(
        "oversold",
        phrase("A prototype was oversold"),
        phrase(
            "MVPs whose evidence supports a prototype or less, or that were funded above their "
            "evidence. Stages that an inventory reported count under “Stage not supported” instead."
        ),
        oversold,
    ),
    Figure(
        "underdesigned",
        phrase("An MVP is underdesigned"),
        phrase(
            "MVPs without an accepted support owner, or with open requirements in the layers "
            "application or integration."
        ),
        underdesigned,
    ),
    Figure(
        "too-early",
        phrase("Production came too early"),
        phrase(
            "Initiatives that went into production by a decision. Each left production within {} "
            "days, or is no longer supported by current evidence.",
            EARLY_DAYS,
        ),
        too_early,
        happened=True,
    ),
    Figure(
        "late",
        phrase("Support and governance came late"),
        phrase(
            "Initiatives that became an MVP before a contract was in force, or went into production "
            "before someone accepted the support role."
        ),
        attrgetter("came_late"),
        happened=True,
    ),
]
CONTRIBUTION = Contribution(reports=report_links.REPORTS, lagging=LAGGING)
ANSWERED_NO = Figure(
    "answered-no",
    phrase("Prototypes that ended early with an answer"),
    phrase(
        "Ideas and prototypes that were stopped within the time limit of a prototype, because they were "
        "not worth continuing. These stops count as successes."
    ),
    attrgetter("answered_no"),
    happened=True,
)

MISMATCHES = Figure(
    "mismatches",
    phrase("Stage not supported"),
    phrase("Initiatives in use that current evidence does not support."),
    attrgetter("short"),
)


def all_figures() -> dict[str, Figure]:
    """Return all figures by key."""
    return {
        one.key: one for one in (*SCALING, *DEPLOYED, FUNDED, *contributed.lagging, ANSWERED_NO, MISMATCHES)
    }
