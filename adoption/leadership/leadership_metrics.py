"""What leaders ask of many cases, each question answered by naming cases: scalable or pilot, used, oversold, too early.

Every figure is a number of cases that the reader may see, and the cases themselves are the rows behind it. A figure
is handed cases that `filters.with_support` has annotated. Sources: S0-3, S0-31, S1-38, S2-3, S2-28, S2-39.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value

from adoption.leadership.usage import unused, used
from adoption.models import Incident, Signal
from governance import clock
from governance.models import ContractVersion, Rulebook
from governance.rulebook import Book
from governance.vocabulary import RUNNING_STAGES, Role, Stage
from initiatives.models import Coverage, FundingDecision, RoleAssignment, ScopeVersion, StageChange
from initiatives.portfolio import filters, report_links
from initiatives.stages.actions import STOP_REASONS

TESTS = ("governance", "integration", "adoption")
EARLY_DAYS = 180  # a go-live that is taken back within so many days came too early
HARD_LAYERS = ("application", "integration")  # where what was underdesigned shows: workflow and integration
PASS, WORSE = "pass", ("fail", "partial")


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

    `happened`: it counts what happened on a day, so that the period narrows it; else what is so at the moment.
    `stage`: the claimed stage that its name leaves out, because the column beside it says it.
    """

    key: str
    words: str
    statement: str
    cases: Callable[[QuerySet, Wanted], QuerySet] = field(repr=False)
    happened: bool = False
    stage: str = ""

    @property
    def title(self) -> str:
        """Its name where it stands alone, with the claimed stage whose cases it counts."""
        return f"{self.words}: {Stage(self.stage).label}" if self.stage else self.words


# --- Ready to scale, or stuck in pilot --------------------------------------------------------------------------------


def _mvps(cases: QuerySet) -> QuerySet:
    return cases.filter(stage=Stage.MVP).exclude(supported="recomputing")


_ALL_PASS = Q(span__governance=True, span__integration=True, span__adoption=True)


def pilots(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """MVPs past the age at which somebody had to decide, and nobody did: those of the portfolio's report."""
    return report_links.permanent_pilots(cases)


def scalable(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """MVPs that pass all three scale tests and are within their time, or were continued by the chair."""
    return _mvps(cases).filter(_ALL_PASS).exclude(pk__in=_keys(pilots(cases, wanted)))


def trials(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """MVPs within their time that fail a scale test still."""
    return _mvps(cases).exclude(_ALL_PASS).exclude(pk__in=_keys(pilots(cases, wanted)))


def _keys(cases: QuerySet) -> QuerySet:
    return cases.order_by().values("pk")


# --- Deployed, and used -----------------------------------------------------------------------------------------------


def deployed(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """Production, and MVPs whose scope in force is rolled out."""
    rolled = ScopeVersion.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=wanted.now),
        initiative=OuterRef("pk"),
        rollout=True,
        starts_at__lte=wanted.now,
    )
    return cases.filter(Q(stage=Stage.PRODUCTION) | Q(Exists(rolled), stage=Stage.MVP))


# --- Delayed consequences ---------------------------------------------------------------------------------------------


def funded(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """Given money for a stage that the proof did not support on that day."""
    given = FundingDecision.objects.standing().filter(
        ~Q(label=""), wanted.days("decided_on"), initiative=OuterRef("pk")
    )
    return cases.filter(Exists(given))


def oversold(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """Claimed as an MVP on the proof of a prototype or less, decided here; or funded above what the proof supported."""
    larger = Q(stage=Stage.MVP, supported__in=[Stage.PROPOSED, Stage.PROTOTYPE]) & ~Q(basis="import")
    return cases.filter(larger | Q(pk__in=_keys(funded(cases, wanted))))


def underdesigned(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """MVPs that nobody accepted to support, or with gaps in the layers application or integration."""
    supporters = RoleAssignment.objects.in_force().filter(initiative=OuterRef("pk"), role=Role.SUPPORT_OWNER)
    gaps = Q(gap_counts__has_any_keys=list(HARD_LAYERS)) & ~Q(supported="recomputing")
    return cases.filter(~Exists(supporters) | gaps, stage=Stage.MVP).exclude(basis="import")


def too_early(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """Went into production by a decision; taken back or retired within half a year, or no longer supported now."""
    live = _went_live(wanted)
    back = StageChange.objects.filter(
        initiative=OuterRef("initiative"),
        from_stage=Stage.PRODUCTION,
        pk__gt=OuterRef("pk"),
        at__lte=OuterRef("at") + Value(timedelta(days=EARLY_DAYS)),
    )
    short = Q(Exists(live), stage=Stage.PRODUCTION, shortfall__gt=0)
    return cases.filter(Q(Exists(live.filter(Exists(back)))) | short)


def _went_live(wanted: Wanted) -> QuerySet:
    moved = StageChange.objects.filter(
        wanted.moments("at"), initiative=OuterRef("pk"), to_stage=Stage.PRODUCTION
    )
    return moved.exclude(basis="import")


def late(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """Became an MVP before a contract was in force, or went live before anybody accepted to support it."""
    contracts = ContractVersion.objects.filter(
        contract=OuterRef("initiative__contract"), starts_at__lte=OuterRef("at")
    )
    supporters = RoleAssignment.objects.filter(
        initiative=OuterRef("initiative"), role=Role.SUPPORT_OWNER, accepted_at__lte=OuterRef("at")
    )
    moved = StageChange.objects.filter(wanted.moments("at"), initiative=OuterRef("pk")).exclude(
        basis="import"
    )
    early = moved.filter(~Exists(contracts), from_stage=Stage.PROTOTYPE, to_stage=Stage.MVP)
    return cases.filter(
        Q(Exists(early)) | Q(Exists(moved.filter(~Exists(supporters), to_stage=Stage.PRODUCTION)))
    )


def trust_lost(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """A question of adoption passed once and does not now; or people avoid it or suffer by it; or an incident is open.

    Of signals it reads what they say, never who said it.
    """
    later = Coverage.objects.filter(
        requirement=OuterRef("requirement"),
        evidence__initiative=OuterRef("evidence__initiative"),
        evidence__withdrawn_at__isnull=True,
    ).exclude(evidence__result="")
    newest = later.order_by("-evidence__observed_on", "-evidence__added_at", "-evidence__pk")
    fallen = Coverage.objects.filter(
        wanted.days("evidence__observed_on"),
        evidence__initiative=OuterRef("pk"),
        evidence__withdrawn_at__isnull=True,
        evidence__result__in=WORSE,
        requirement__startswith="adopt.",
        evidence=Subquery(newest.values("evidence")[:1]),
    )
    passed = later.filter(evidence__result=PASS)
    told = Signal.objects.distrust().filter(wanted.days("observed_on"), initiative=OuterRef("pk"))
    wrong = Incident.objects.felt().filter(wanted.moments("detected_at"), initiative=OuterRef("pk"))
    return cases.filter(Exists(fallen.filter(Exists(passed))) | Exists(told) | Exists(wrong))


# --- Success ----------------------------------------------------------------------------------------------------------


def answered_no(cases: QuerySet, wanted: Wanted) -> QuerySet:
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
    return cases.filter(Exists(stopped), stage=Stage.STOPPED)


def _staying(stage: str) -> Callable:
    def cases_in(cases: QuerySet, wanted: Wanted) -> QuerySet:
        return cases.filter(stage=stage).exclude(basis="import")

    return cases_in


def _in_stage(stage: str, which: Callable) -> Callable:
    def cases_in(cases: QuerySet, wanted: Wanted) -> QuerySet:
        return which(deployed(cases, wanted).filter(stage=stage), wanted)

    return cases_in


def _any(cases: QuerySet, wanted: Wanted) -> QuerySet:
    return cases


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
        _in_stage(stage, which),
        stage=stage,
    )
    for stage in (Stage.MVP, Stage.PRODUCTION)
    for key, words, statement, which in (
        ("deployed", "Deployed", "Production, or an MVP whose scope in force is rolled out.", _any),
        ("used", "Used", "Deployed, and the newest evidence of use is current and a pass.", used),
        ("unused", "Not shown to be used", "Deployed, with no current evidence of use that passes.", unused),
    )
)
FUNDED = Figure(
    "funded",
    "Funded above evidence",
    "Given money for a stage that the evidence did not support on the day of the decision.",
    funded,
    happened=True,
)
LAGGING = (
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
    Figure(
        "trust-lost",
        "Trust was lost",
        "A question of adoption was passed once and is not now; or a signal stands that people work around it, ignore "
        "it or have it used against them; or an incident that users noticed is not closed.",
        trust_lost,
        happened=True,
    ),
)
ANSWERED_NO = Figure(
    "answered-no",
    "Useful “no” results",
    "Stopped as an idea or a prototype, within the time a prototype has, because the answer was no. That is a success.",
    answered_no,
    happened=True,
)
STAYS = tuple(
    Figure(
        f"in-{stage}",
        Stage(stage).label,
        f"In the stage {Stage(stage).label} now, by a decision or registration here; claims by import are left out.",
        _staying(stage),
    )
    for stage in RUNNING_STAGES
)
FIGURES = {one.key: one for one in (*SCALING, *DEPLOYED, FUNDED, *LAGGING, ANSWERED_NO, *STAYS)}


def annotated(visible: QuerySet, wanted: Wanted) -> QuerySet:
    """The live ones of these cases, as every figure takes them."""
    return filters.with_support(visible.live(), wanted.rulebook, wanted.now)
