"""The overview of how a portfolio catches up: which initiatives first and why, and how far each wave is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from governance import clock
from governance.models import Rulebook
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import Stage, Tier
from initiatives.catch_up import queries
from initiatives.catch_up.queries import STATES
from initiatives.catch_up.waves import WAVES, Wave
from initiatives.models import Initiative, ScopeVersion
from initiatives.portfolio import filters

# Which tier comes first; one that nobody confirmed may be a high one.
TIER_ORDER = (Tier.HIGH, "", Tier.LIMITED, Tier.MINIMAL)
TIER_WORDS = {"": "risk tier not confirmed", Tier.HIGH: "high risk", Tier.LIMITED: "limited risk"}


@dataclass(frozen=True)
class Row:
    """One initiative of the overview: its progress, and what it is put in order by."""

    now: queries.Progress
    users: int | None
    supported: str
    shortfall: int
    owner: str
    today: date

    @property
    def case(self) -> Initiative:
        """The initiative."""
        return self.now.case

    @property
    def order(self) -> tuple:
        """What comes first: the higher risk, the wider use, the wider apart claim and evidence."""
        return TIER_ORDER.index(self.case.tier), -(self.users or 0), -self.shortfall, self.case.number

    @property
    def why(self) -> str:
        """Why it stands where it stands, in words."""
        tier = TIER_WORDS.get(self.case.tier, f"{self.case.tier} risk")
        use = f"{self.users} users" if self.users is not None else "use not recorded"
        shown = "nothing yet" if self.supported == Stage.PROPOSED else stage_word(self.supported)
        if self.supported == "recomputing":
            shown = "being recomputed"
        return f"{tier}; {use}; claims {stage_word(self.case.stage)}, shown: {shown}"

    @property
    def overdue(self) -> list[Wave]:
        """Waves whose day has passed with something missing."""
        return self.now.overdue(self.today)


@dataclass
class Tally:
    """What stands in the plans of some initiatives, counted. What is dated and not agreed is counted apart."""

    name: str = ""
    initiatives: int = 0
    missing: int = 0
    states: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("none", "dated", "sent back", "agreed"), 0)
    )
    waves: dict[int, dict[str, int]] = field(
        default_factory=lambda: {
            number: {"met": 0, "open": 0, "initiatives": 0, "late": 0, "late_agreed": 0} for number in WAVES
        }
    )
    outside: int = 0

    def add(self, row: Row) -> None:
        """Count one more initiative."""
        self.initiatives += 1
        self.missing += len(row.now.gaps)
        self.states[row.now.state] += 1
        if row.now.plan is not None:
            self.outside += len(row.now.outside)
        for wave in row.now.waves:
            counts = self.waves[wave.number]
            counts["met"] += wave.met
            counts["open"] += len(wave.open)
            counts["initiatives"] += 1
            if wave.overdue(row.today):
                counts["late"] += 1
                counts["late_agreed"] += row.now.state == "agreed"

    @property
    def sent_back(self) -> int:
        """Plans that the board sent back."""
        return self.states["sent back"]

    @property
    def of_states(self) -> list[tuple]:
        """Each state that some plan is in, in words, with how many."""
        return [(STATES[state], count) for state, count in self.states.items() if count]

    @property
    def late(self) -> int:
        """Waves that are overdue, whether their days were agreed to or not."""
        return sum(wave["late"] for wave in self.waves.values())

    @property
    def by_wave(self) -> list[dict]:
        """The waves in order, each with its number and name."""
        return [{"number": number, "name": WAVES[number], **counts} for number, counts in self.waves.items()]


def chosen(cases: QuerySet, wanted: dict) -> QuerySet:
    """These initiatives as far as a filter asks for them that the database can answer."""
    if wanted.get("unit"):
        cases = cases.filter(unit__path__startswith=wanted["unit"].path)
    if wanted.get("stage"):
        cases = cases.filter(stage=wanted["stage"])
    if wanted.get("tier"):
        cases = cases.filter(tier="" if wanted["tier"] == "unset" else wanted["tier"])
    return cases


def rows_of(cases: QuerySet, wanted: dict) -> list[Row]:
    """Every initiative that was asked for, first what comes first. A fixed number of questions, however many."""
    now, today = clock.now(), clock.today()
    used = ScopeVersion.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=now), initiative=OuterRef("pk"), starts_at__lte=now
    )
    cases = filters.with_support(chosen(cases, wanted), Rulebook.objects.in_force(), now)
    cases = filters.with_people(cases).select_related("unit")
    cases = cases.annotate(
        users=Subquery(used.order_by("-number").values("user_count")[:1]), short=F("shortfall")
    )
    told: dict[int, Any] = {case.pk: case for case in cases}  # with what is annotated above
    found = [
        Row(one, case.users, case.supported, case.short, case.owner_name or "", today)
        for one in queries.progress_of(told.values(), shown=True)
        for case in [told[one.case.pk]]
    ]
    if wanted.get("plan"):
        found = [row for row in found if row.now.state == wanted["plan"]]
    if wanted.get("late"):
        found = [row for row in found if row.overdue]
    return sorted(found, key=lambda row: row.order)


def tally(rows: Iterable[Row], name: str = "") -> Tally:
    """All of them counted together."""
    found = Tally(name)
    for row in rows:
        found.add(row)
    return found


def by_unit(rows: Iterable[Row]) -> list[Tally]:
    """Counted for each unit by itself: those with most that is missing first."""
    found: dict[int, Tally] = {}
    for row in rows:
        unit = row.case.unit
        found.setdefault(unit.pk, Tally(unit.name)).add(row)
    return sorted(found.values(), key=lambda one: (-one.late, -one.missing, one.name))
