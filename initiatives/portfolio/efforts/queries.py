"""Effort of an initiative by week and layer, beside visible progress (S1-8.2).

Withdrawn effort is not counted. Money is summed by currency, never across currencies.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Lower

from governance import clock
from governance.models import User
from governance.vocabulary import Layer
from initiatives.lifecycle.facts import visible_progress
from initiatives.models import Effort, FundingDecision, Initiative, System
from initiatives.portfolio.efforts.effort_cells import monday

WEEKS = 26  # of an initiative, in its picture and its table: half a year
MOST_WAITS = 20
WAITS = ("waits_for", "waits_for__full_name", "waits_for_system", "waits_for_system__name", "waits_for_words")


def amount(value: Decimal | float) -> str:
    """Return hours or days as they were noted: "1.5", and "32" without a point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def named(words: Iterable[str]) -> dict[str, User | System]:
    """Return the person or system that alone has this name, by word in lower case. An email address counts too."""
    asked = {word.casefold() for word in words if word}
    if not asked:
        return {}
    found: dict[str, User | System] = {}
    systems = System.objects.current().annotate(said=Lower("name")).filter(said__in=asked)
    people = User.objects.active().annotate(said=Lower("full_name"), wrote=Lower("email"))
    twice = set()
    for row in [*people.filter(Q(said__in=asked) | Q(wrote__in=asked)), *systems]:
        for word in {row.said, getattr(row, "wrote", row.said)} & asked:
            twice |= {word} if word in found else set()
            found[word] = row
    return {word: row for word, row in found.items() if word not in twice}


# --- One initiative
# ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WeekOfInitiative:
    """The effort of one week by layer, and its visible progress."""

    first: date
    hours: dict[str, Decimal]
    waited: dict[str, Decimal]
    money: dict[str, Decimal]
    seen: tuple[str, ...] = ()

    @property
    def last(self) -> date:
        """Return the Sunday of the week."""
        return self.first + timedelta(days=6)

    @property
    def noted(self) -> bool:
        """Return True if the week has work or money, not waiting alone."""
        return bool(self.hours or self.money)

    @property
    def unseen(self) -> bool:
        """Return True if the week has work and no visible result."""
        return self.noted and not self.seen

    @property
    def all_hours(self) -> Decimal:
        """Return the hours of all layers."""
        return sum(self.hours.values(), Decimal(0))

    @property
    def all_waited(self) -> Decimal:
        """Return the days waited in all layers."""
        return sum(self.waited.values(), Decimal(0))


@dataclass(frozen=True)
class LayerOfInitiative:
    """The effort of one layer in all."""

    layer: str
    hours: Decimal = Decimal(0)
    waited: Decimal = Decimal(0)
    money: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Waits:
    """Someone or something waited for: a person, a system or words. Counts days, lines and initiatives."""

    person: int | None
    system: int | None
    words: str
    days: Decimal
    rows: int
    initiatives: int = 1

    @classmethod
    def of(cls, row: dict) -> "Waits":
        """Return the wait of a row of sums by `WAITS`."""
        words = row["waits_for__full_name"] or row["waits_for_system__name"] or row["waits_for_words"]
        return cls(
            row["waits_for"],
            row["waits_for_system"],
            words,
            row["days"],
            row["rows"],
            row.get("initiatives", 1),
        )


@dataclass(frozen=True)
class OfInitiative:
    """The effort of an initiative. `before` counts the weeks with effort ahead of `weeks`."""

    weeks: tuple[WeekOfInitiative, ...]
    before: int
    layers: tuple[LayerOfInitiative, ...]
    waits: tuple[Waits, ...]
    moved: visible_progress.Move | None

    @property
    def unseen(self) -> tuple[WeekOfInitiative, ...]:
        """Return the weeks with work and no visible result, the newest first."""
        return tuple(week for week in reversed(self.weeks) if week.unseen)

    @property
    def all_hours(self) -> Decimal:
        """Return the hours of all layers."""
        return sum((row.hours for row in self.layers), Decimal(0))


def of_initiative(initiative: Initiative) -> OfInitiative:
    """Return the effort of the initiative, week by week for half a year, and in all."""
    current = Effort.objects.current().filter(initiative=initiative)
    sums = list(
        current.values("week", "layer", "currency")
        .annotate(hours_of=Sum("hours"), money_of=Sum("money"), waited_of=Sum("waited_days"))
        .order_by("week", "layer", "currency")
    )
    waits = (
        current.filter(waited_days__gt=0)
        .values(*WAITS)
        .annotate(days=Sum("waited_days"), rows=Count("pk"))
        .order_by("-days", *WAITS)
    )
    days = visible_progress.by_day(initiative.pk)
    weeks = _weeks(sums, days)
    return OfInitiative(
        weeks,
        len({row["week"] for row in sums} - {week.first for week in weeks}),
        _layers(sums),
        tuple(Waits.of(row) for row in waits[:MOST_WAITS]),
        visible_progress.newest([initiative.pk]).get(initiative.pk),
    )


def _weeks(sums: list[dict], days: list[tuple[date, str]]) -> tuple[WeekOfInitiative, ...]:
    """Return each week since the first with effort, half a year back at most."""
    if not sums:
        return ()
    this = monday(clock.today())
    first = max(sums[0]["week"], this - timedelta(weeks=WEEKS - 1))
    seen: dict[date, list[str]] = {}
    for day, kind in reversed(days):
        seen.setdefault(monday(day), []).append(visible_progress.SEEN[kind])
    weeks = {
        first + timedelta(weeks=place): WeekOfInitiative(first + timedelta(weeks=place), {}, {}, {})
        for place in range((this - first).days // 7 + 1)
    }
    for row in sums:
        if (week := weeks.get(row["week"])) is None:
            continue
        for told, value in ((week.hours, row["hours_of"]), (week.waited, row["waited_of"])):
            if value:
                told[row["layer"]] = told.get(row["layer"], Decimal(0)) + value
        if row["money_of"]:
            week.money[row["currency"]] = week.money.get(row["currency"], Decimal(0)) + row["money_of"]
    return tuple(
        replace(week, seen=tuple(dict.fromkeys(seen.get(monday_of, ())))) for monday_of, week in weeks.items()
    )


def _layers(sums: list[dict]) -> tuple[LayerOfInitiative, ...]:
    """Return the sums of each layer with effort, in the order of the stack."""
    found = {layer: LayerOfInitiative(layer) for layer in Layer}
    for row in sums:
        was = found[row["layer"]]
        money = was.money | (
            {row["currency"]: was.money.get(row["currency"], Decimal(0)) + row["money_of"]}
            if row["money_of"]
            else {}
        )
        found[row["layer"]] = LayerOfInitiative(
            row["layer"],
            was.hours + (row["hours_of"] or 0),
            was.waited + (row["waited_of"] or 0),
            money,
        )
    return tuple(row for row in found.values() if row.hours or row.waited or row.money)


Sums = dict[int, dict[str, tuple[Decimal, int]]]


def given(initiatives: Iterable[int] | QuerySet) -> Sums:
    """Return the funding of each initiative by currency. The number counts decisions with an amount."""
    return _sums(FundingDecision.objects.current().filter(initiative__in=initiatives), "amount")


def spent(initiatives: Iterable[int] | QuerySet) -> Sums:
    """Return the spending of each initiative by currency. The number counts notes with an amount."""
    return _sums(Effort.objects.current().filter(initiative__in=initiatives), "money")


def _sums(notes: QuerySet, column: str) -> Sums:
    """Return the sums of a column by initiative and currency, with currencies by name."""
    rows = notes.filter(**{f"{column}__isnull": False}).order_by().values("initiative", "currency")
    found: Sums = {}
    for row in rows.annotate(sum=Sum(column), n=Count("pk")).order_by("initiative", "currency"):
        found.setdefault(row["initiative"], {})[row["currency"]] = row["sum"], row["n"]
    return found
