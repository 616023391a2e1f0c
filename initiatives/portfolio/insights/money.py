"""Sums of funding and stated money by currency, never across them (S1-38, S2-4.1).

Amounts come from current funding decisions, and from the values that business cases state.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F, QuerySet
from django.template.defaultfilters import floatformat

from governance.models import Rulebook
from governance.vocabulary import ScaleTestOutcome, Stage
from initiatives.contributions import contributed
from initiatives.models import BusinessCase
from initiatives.models.portfolio.business_cases import AMOUNTS
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.initiative_list.filters import with_support

TESTS = {"governance": "Governance", "integration": "Integration", "adoption": "Adoption"}
NONE = Decimal(0)
NOT_YET = ScaleTestOutcome.NOT_YET
STATED = ("given", *AMOUNTS)
NO_VENDOR = "No vendor stated"


@dataclass
class Amounts:
    """Sums of some initiatives in one currency, with the number behind each sum.

    `given` comes from `decisions`, the others from business cases. An amount that no one states has no sum.
    """

    currency: str
    initiatives: int = 0
    decisions: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    stated: Counter[str] = field(default_factory=Counter)

    def state(self, name: str, amount: Decimal | None) -> None:
        """Add what one initiative states. An amount of None is not stated."""
        if amount is not None:
            self.sums[name] = self.sums.get(name, NONE) + amount
            self.stated[name] += 1

    def add(self, other: "Amounts") -> None:
        """Take in another of the same currency."""
        self.initiatives += other.initiatives
        self.decisions += other.decisions
        self.stated.update(other.stated)
        for name, amount in other.sums.items():
            self.sums[name] = self.sums.get(name, NONE) + amount

    @property
    def words(self) -> dict[str, str]:
        """Return each sum in words: "1,200.00", with "(3 of 5 stated)", or "not stated"."""
        return {name: self._words(name) for name in STATED}

    def _words(self, name: str) -> str:
        if name not in self.sums:
            return "not stated"
        few = self.stated[name] < self.initiatives
        return floatformat(self.sums[name], "2g") + (
            f" ({self.stated[name]} of {self.initiatives} stated)" if few else ""
        )


@dataclass
class Costed:
    """An initiative with its money by currency. `failing` are failed scale tests of MVPs or production."""

    pk: int
    stage: str
    failing: tuple[str, ...]
    vendor: str = ""
    money: dict[str, Amounts] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Initiatives under one heading, and what they come to in each currency."""

    key: str
    words: str
    sums: list[Amounts]


def costed(initiatives: QuerySet, rulebook: Rulebook | None, now: datetime) -> list[Costed]:
    """Return the initiatives that have money or a vendor, in three queries."""
    known = with_support(initiatives, rulebook, now).annotate(
        **{f"{test}_test": F(f"span__{test}") for test in TESTS}
    )
    found: dict[int, Costed] = {}
    columns = ("pk", "stage", "supported", *(f"{test}_test" for test in TESTS))
    for pk, stage, supported, *tests in known.order_by("number").values_list(*columns):
        judged = stage in (Stage.MVP, Stage.PRODUCTION) and supported != "recomputing"
        failing = tuple(
            key for key, outcome in zip(TESTS, tests, strict=True) if judged and outcome == NOT_YET
        )
        found[pk] = Costed(pk, stage, failing)
    keys = initiatives.order_by().values("pk")
    for pk, by_currency in queries.given(keys).items():
        for currency, (amount, decisions) in by_currency.items():
            money = _of(found[pk], currency)
            money.decisions = decisions
            money.state("given", amount)
    for row in BusinessCase.objects.filter(initiative__in=keys):
        initiative = found[row.initiative_id]
        initiative.vendor = " ".join(row.vendor.split())
        if row.currency:
            for name in AMOUNTS:
                _of(initiative, row.currency).state(name, getattr(row, name))
    return [initiative for initiative in found.values() if initiative.money or initiative.vendor]


def _of(initiative: Costed, currency: str) -> Amounts:
    return initiative.money.setdefault(currency, Amounts(currency, initiatives=1))


def summed(initiatives: Iterable[Costed]) -> list[Amounts]:
    """Return the sums by currency, that of most initiatives first."""
    found: dict[str, Amounts] = {}
    for initiative in initiatives:
        for currency, money in initiative.money.items():
            found.setdefault(currency, Amounts(currency)).add(money)
    return sorted(found.values(), key=lambda one: (-one.initiatives, one.currency))


def by_stage(initiatives: list[Costed]) -> list[Group]:
    """Return the initiatives in groups, in the order of the stages."""
    return _grouped(
        initiatives, lambda initiative: [initiative.stage], {stage: Stage(stage).label for stage in Stage}
    )


def by_failing_test(initiatives: list[Costed]) -> list[Group]:
    """Return MVPs and production by each failed scale test. One can be in several groups."""
    return _grouped(initiatives, lambda initiative: initiative.failing, TESTS)


def by_vendor(initiatives: list[Costed]) -> list[Group]:
    """Return initiatives by stated vendor, ignoring capitals, that of most first."""
    names: dict[str, str] = {}
    for initiative in initiatives:
        names.setdefault(initiative.vendor.casefold(), initiative.vendor or NO_VENDOR)
    groups = _grouped(initiatives, lambda initiative: [initiative.vendor.casefold()], names)
    return sorted(groups, key=lambda one: (-sum(line.initiatives for line in one.sums), one.words.casefold()))


def _grouped(
    initiatives: list[Costed], keys: Callable[[Costed], Iterable[str]], words: dict[str, str]
) -> list[Group]:
    held: dict[str, list[Costed]] = defaultdict(list)
    for initiative in initiatives:
        for key in keys(initiative):
            held[key].append(initiative)
    return [Group(key, name, sums) for key, name in words.items() if (sums := summed(held.get(key, ())))]


def measured_value(initiatives: Iterable[int], today: date) -> dict[int, list[tuple[str, str]]]:
    """Return the measured value by initiative: its source, and the value in words."""
    found: dict[int, list[tuple[str, str]]] = {}
    for measured in contributed.measured_value:
        for pk, said in measured(initiatives, today).items():
            found.setdefault(pk, []).extend(said)
    return found
