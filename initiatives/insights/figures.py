"""What leaders ask of many cases, each answered by naming cases: scalable or pilot, used, oversold, too early.

Every figure is a number of cases that the reader may see, and the cases themselves are the rows behind it. A figure
is handed cases that `filters.with_support` has annotated. Sources: S0-3, S0-31, S1-38, S2-3, S2-28, S2-39.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from governance import clock
from governance.models import ContractVersion, Rulebook
from governance.rulebook import Book
from governance.vocabulary import RUNNING_STAGES, Role, Stage, Tier
from initiatives.insights import report_links
from initiatives.models import (
    Evidence,
    RoleAssignment,
    ScopeVersion,
    Shortcoming,
    StageChange,
    Voiding,
)
from initiatives.portfolio import filters
from initiatives.stages.actions import STOP_REASONS

USAGE = "adopt.usage"
TESTS = ("governance", "integration", "adoption")
EARLY_DAYS = 180  # a go-live that is taken back within so many days came too early
HARD_LAYERS = ("application", "integration")  # where what was underdesigned shows: workflow and integration


@dataclass(frozen=True)
class Wanted:
    """Of which moment and rulebook, and in which period what happened on a day counts; None leaves an end open."""

    now: datetime
    rulebook: Rulebook | None
    since: date | None = None
    until: date | None = None

    @property
    def book(self) -> Book | None:
        """The words and terms of the rulebook in force."""
        return self.rulebook.book if self.rulebook else None

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


@dataclass(frozen=True)
class Figure:
    """One figure: its key in the address, its name, in one sentence what it counts, and which cases those are.

    `holds`: the condition on a case that `annotated` annotated, so that one question counts all figures.
    `happened`: it counts what happened on a day, so that the period narrows it; else what is so at the moment.
    `stage`: the claimed stage that its name leaves out, because the column beside it says it.
    """

    key: str
    words: str
    statement: str
    holds: Callable[[Wanted], Q] = field(repr=False)
    happened: bool = False
    stage: str = ""

    @property
    def title(self) -> str:
        """Its name where it stands alone, with the claimed stage whose cases it counts."""
        return f"{self.words}: {Stage(self.stage).label}" if self.stage else self.words

    def cases(self, cases: QuerySet, wanted: Wanted) -> QuerySet:
        """Those of the cases that it counts."""
        return cases.filter(self.holds(wanted))


# --- Ready to scale, or stuck in pilot --------------------------------------------------------------------------------

_ALL_PASS = Q(span__governance=True, span__integration=True, span__adoption=True)


def _mvp() -> Q:
    return Q(stage=Stage.MVP) & ~Q(supported="recomputing")


def pilots(wanted: Wanted) -> Q:
    """MVPs past the age at which somebody had to decide, and nobody did: those of the portfolio's report."""
    return report_links.past_time()


def scalable(wanted: Wanted) -> Q:
    """MVPs that pass all three scale tests and are within their time, or were continued by the chair."""
    return _mvp() & _ALL_PASS & ~pilots(wanted)


def trials(wanted: Wanted) -> Q:
    """MVPs within their time that fail a scale test still."""
    return _mvp() & ~_ALL_PASS & ~pilots(wanted)


# --- Deployed, and used -----------------------------------------------------------------------------------------------


def deployed(stage: str, wanted: Wanted) -> Q:
    """In this stage and deployed: production, and MVPs whose scope in force is rolled out."""
    rolled = ScopeVersion.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=wanted.now),
        initiative=OuterRef("pk"),
        rollout=True,
        starts_at__lte=wanted.now,
    )
    return Q(stage=stage) if stage == Stage.PRODUCTION else Q(stage=stage) & Q(Exists(rolled))


def used(stage: str, wanted: Wanted) -> Q:
    """Deployed, the newest result of evidence of `adopt.usage` is a pass and current, and no finding says otherwise.

    Whatever measures use reaches the gates as evidence or as a shortcoming, so this is what a gate is told (S0-3).
    """
    asked = wanted.book.requirements.get(USAGE) if wanted.book else None
    if asked is None:
        return Q(pk__in=[])
    today = clock.local_day(wanted.now)
    fresh = Q(pk__in=[])
    for tier in ("", *Tier.values):
        days = asked.days(tier)
        since = Q(observed_on__gte=today - timedelta(days=days)) if days else Q()
        fresh |= Q(initiative__tier=tier) & since
    dismissed = Voiding.objects.filter(
        evidence=OuterRef("pk"), requirement=USAGE, effective_at__lte=wanted.now
    )
    newest = (
        Evidence.objects.filter(
            ~Exists(dismissed),
            initiative=OuterRef("pk"),
            coverage__requirement=USAGE,
            withdrawn_at__isnull=True,
            superseded_by__isnull=True,
            missing_since__isnull=True,
        )
        .exclude(result="")
        .annotate(says=Case(When(fresh, result="pass", then=True), default=False))
        .order_by("-observed_on", "-added_at", "-pk")
    )
    said = Shortcoming.objects.standing().filter(
        Q(until__isnull=True) | Q(until__gt=wanted.now),
        initiative=OuterRef("pk"),
        requirement=USAGE,
        since__lte=wanted.now,
    )
    return (
        deployed(stage, wanted) & Q(Coalesce(Subquery(newest.values("says")[:1]), False)) & ~Q(Exists(said))
    )


def unused(stage: str, wanted: Wanted) -> Q:
    """Deployed, and no evidence says that it is used: there is none, it does not pass, or it is too old."""
    return deployed(stage, wanted) & ~used(stage, wanted)


def _in_stage(which: Callable[[str, Wanted], Q], stage: str) -> Callable[[Wanted], Q]:
    return lambda wanted: which(stage, wanted)


# --- Delayed consequences ---------------------------------------------------------------------------------------------


def funded(wanted: Wanted) -> Q:
    """Given money for a stage that the proof did not support on that day."""
    return Q(Exists(report_links.above_support().filter(wanted.days("decided_on"))))


def oversold(wanted: Wanted) -> Q:
    """Claimed as an MVP on the proof of a prototype or less, decided here; or funded above what the proof supported."""
    larger = Q(stage=Stage.MVP, supported__in=[Stage.PROPOSED, Stage.PROTOTYPE]) & ~Q(basis="import")
    return larger | funded(wanted)


def underdesigned(wanted: Wanted) -> Q:
    """MVPs that nobody accepted to support, or with gaps in the layers application or integration."""
    supporters = RoleAssignment.objects.in_force().filter(initiative=OuterRef("pk"), role=Role.SUPPORT_OWNER)
    gaps = Q(gap_counts__has_any_keys=list(HARD_LAYERS)) & ~Q(supported="recomputing")
    return Q(stage=Stage.MVP) & ~Q(basis="import") & (~Q(Exists(supporters)) | gaps)


def too_early(wanted: Wanted) -> Q:
    """Went into production by a decision; taken back or retired within half a year, or no longer supported now."""
    live = _moved(wanted).filter(to_stage=Stage.PRODUCTION)
    back = StageChange.objects.filter(
        initiative=OuterRef("initiative"),
        from_stage=Stage.PRODUCTION,
        pk__gt=OuterRef("pk"),
        at__lte=OuterRef("at") + Value(timedelta(days=EARLY_DAYS)),
    )
    short = Q(stage=Stage.PRODUCTION, shortfall__gt=0)
    return Q(Exists(live.filter(Exists(back)))) | short & Q(Exists(live))


def _moved(wanted: Wanted) -> QuerySet:
    """Moves of a case in the period that somebody decided here."""
    moved = StageChange.objects.filter(wanted.moments("at"), initiative=OuterRef("pk"))
    return moved.exclude(basis="import")


def late(wanted: Wanted) -> Q:
    """Became an MVP before a contract was in force, or went live before anybody accepted to support it."""
    contracts = ContractVersion.objects.filter(
        contract=OuterRef("initiative__contract"), starts_at__lte=OuterRef("at")
    )
    supporters = RoleAssignment.objects.filter(
        initiative=OuterRef("initiative"), role=Role.SUPPORT_OWNER, accepted_at__lte=OuterRef("at")
    )
    early = Q(from_stage=Stage.PROTOTYPE, to_stage=Stage.MVP) & ~Q(Exists(contracts))
    alone = Q(to_stage=Stage.PRODUCTION) & ~Q(Exists(supporters))
    return Q(Exists(_moved(wanted).filter(early | alone)))


# --- Success ----------------------------------------------------------------------------------------------------------


def answered_no(wanted: Wanted) -> Q:
    """Stopped as an idea or prototype, within the time of a prototype, because the answer was no: money not spent."""
    most = wanted.book.stages[Stage.PROTOTYPE].max_days_before_review if wanted.book else None
    began = StageChange.objects.filter(
        initiative=OuterRef("initiative"), to_stage=Stage.PROTOTYPE, pk__lt=OuterRef("pk")
    ).order_by("-pk")
    stopped = StageChange.objects.filter(
        wanted.moments("at"),
        initiative=OuterRef("pk"),
        basis="stopped",
        from_stage__in=[Stage.PROPOSED, Stage.PROTOTYPE],
        reason__startswith=STOP_REASONS["answered_no"],
    )
    if most:
        in_time = Q(at__lte=F("began") + Value(timedelta(days=most)))
        stopped = stopped.annotate(began=Subquery(began.values("at")[:1])).filter(
            Q(from_stage=Stage.PROPOSED) | in_time
        )
    return Q(stage=Stage.STOPPED) & Q(Exists(stopped))


SCALING = (
    Figure(
        "scalable",
        "Ready to scale",
        "MVPs that pass all three scale tests, and are within their time or were continued.",
        scalable,
    ),
    Figure("trials", "Not ready yet", "MVPs within their time that do not pass a scale test so far.", trials),
    Figure(
        "pilots",
        "Stuck in pilot",
        "MVPs older than the rulebook lets an MVP grow without anybody's decision.",
        pilots,
    ),
)
DEPLOYED = tuple(
    Figure(
        f"{key}-{stage}",
        words,
        f"{statement} Approved stage: {Stage(stage).label}.",
        _in_stage(which, stage),
        stage=stage,
    )
    for stage in (Stage.MVP, Stage.PRODUCTION)
    for key, words, statement, which in (
        ("deployed", "Deployed", "Production, or an MVP whose scope in force is rolled out.", deployed),
        ("used", "Used", "Deployed, and the newest evidence of use is current and a pass.", used),
        (
            "unused",
            "Not shown to be used",
            "Deployed, with no current evidence of use that passes.",
            unused,
        ),
    )
)
FUNDED = Figure(
    "funded",
    "Funded above evidence",
    "Given money for a stage that the evidence did not support on the day of the decision.",
    funded,
    happened=True,
)
LAGGING = [  # `adoption` adds what it knows of trust
    Figure(
        "oversold",
        "A prototype was oversold",
        "Made an MVP here while the evidence supports a prototype or less, or funded above what it supported. What an "
        "inventory claims is counted among the stage mismatches.",
        oversold,
    ),
    Figure(
        "underdesigned",
        "An MVP is underdesigned",
        "Made an MVP here, and nobody accepted to support it, or questions are open in the layers application or "
        "integration.",
        underdesigned,
    ),
    Figure(
        "too-early",
        "Production came too early",
        f"Went into production by a decision, and was taken back or retired within {EARLY_DAYS} days or is no longer "
        "supported by its evidence.",
        too_early,
        happened=True,
    ),
    Figure(
        "late",
        "Support and governance came late",
        "Became an MVP before a contract was in force, or went into production before anybody accepted to support it.",
        late,
        happened=True,
    ),
]
ANSWERED_NO = Figure(
    "answered-no",
    "Useful “no” results",
    "Stopped as an idea or a prototype, within the time a prototype has, because the answer was no. That is a success.",
    answered_no,
    happened=True,
)

MISMATCHES = Figure(
    "mismatches",
    "Stage mismatches",
    "Runs, and claims more than its evidence supports.",
    lambda wanted: Q(stage__in=RUNNING_STAGES, shortfall__gt=0),
)


def all_figures() -> dict[str, Figure]:
    """Every figure by its key."""
    return {one.key: one for one in (*SCALING, *DEPLOYED, FUNDED, *LAGGING, ANSWERED_NO, MISMATCHES)}


def annotated(visible: QuerySet, wanted: Wanted) -> QuerySet:
    """The live ones of these cases, as every figure takes them."""
    return filters.with_support(visible.live(), wanted.rulebook, wanted.now)


def counted(cases: QuerySet, wanted: Wanted) -> tuple[dict[str, int], dict[str, list[int]]]:
    """By figure how many cases it counts, and the keys of those that a page names, the longest in its stage first.

    One question for all figures.
    """
    every = all_figures()
    named = {one.key for one in (*SCALING, FUNDED, *LAGGING, ANSWERED_NO)}
    order = ("since", "number")
    found = cases.order_by().aggregate(
        **{
            key: ArrayAgg("pk", filter=one.holds(wanted), order_by=order, default=[])
            if key in named
            else Count("pk", filter=one.holds(wanted))
            for key, one in every.items()
            if not key.startswith("unused")
        }
    )
    keys = {key: found[key] for key in named}
    counts = {key: len(keys[key]) if key in named else found[key] for key in found}
    for stage in (Stage.MVP, Stage.PRODUCTION):
        counts[f"unused-{stage}"] = counts[f"deployed-{stage}"] - counts[f"used-{stage}"]
    return counts, keys
