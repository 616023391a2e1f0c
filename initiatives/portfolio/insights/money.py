"""Sums of funding decisions and stated money by currency, never added across (S1-38, S2-4.1).

Amounts come from funding decisions that nobody withdrew, and from business cases, where somebody stated them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, F, QuerySet, Sum

from governance.models import Rulebook
from governance.vocabulary import Stage
from initiatives.contributions import contributed
from initiatives.models import BusinessCase, FundingDecision
from initiatives.portfolio.initiative_list.filters import with_support

TESTS = {"governance": "Governance", "integration": "Integration", "adoption": "Adoption"}
NONE = Decimal(0)
NO_VENDOR = "No vendor stated"


@dataclass
class Amounts:
    """What some initiatives come to in one currency: `given` by `decisions`; budget, run cost and benefit as stated."""

    currency: str
    initiatives: int = 0
    decisions: int = 0
    given: Decimal = NONE
    budget: Decimal = NONE
    run_cost: Decimal = NONE
    benefit: Decimal = NONE

    def add(self, other: "Amounts") -> None:
        """Take in another of the same currency."""
        self.initiatives += other.initiatives
        self.decisions += other.decisions
        self.given += other.given
        self.budget += other.budget
        self.run_cost += other.run_cost
        self.benefit += other.benefit


@dataclass
class Costed:
    """One initiative with its money by currency; `failing`: the scale tests that it fails, of an MVP or production."""

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
    """These initiatives with their money, in three queries; those without any amount or vendor are left out."""
    known = with_support(initiatives, rulebook, now).annotate(
        **{f"{test}_test": F(f"span__{test}") for test in TESTS}
    )
    found: dict[int, Costed] = {}
    columns = ("pk", "stage", "supported", *(f"{test}_test" for test in TESTS))
    for pk, stage, supported, *tests in known.order_by("number").values_list(*columns):
        judged = stage in (Stage.MVP, Stage.PRODUCTION) and supported != "recomputing"
        failing = tuple(key for key, passed in zip(TESTS, tests, strict=True) if judged and passed is False)
        found[pk] = Costed(pk, stage, failing)
    keys = initiatives.order_by().values("pk")
    given = FundingDecision.objects.current().filter(initiative__in=keys, amount__isnull=False)
    for pk, currency, amount, decisions in (
        given.order_by()
        .values_list("initiative", "currency")
        .annotate(sum=Sum("amount"), n=Count("pk"))
        .values_list("initiative", "currency", "sum", "n")
    ):
        money = _of(found[pk], currency)
        money.given, money.decisions = amount, decisions
    for row in BusinessCase.objects.filter(initiative__in=keys):
        initiative = found[row.initiative_id]
        initiative.vendor = " ".join(row.vendor.split())
        if row.currency:
            money = _of(initiative, row.currency)
            money.budget, money.run_cost = row.budget or NONE, row.run_cost or NONE
            money.benefit = row.benefit or NONE
    return [initiative for initiative in found.values() if initiative.money or initiative.vendor]


def _of(initiative: Costed, currency: str) -> Amounts:
    return initiative.money.setdefault(currency, Amounts(currency, initiatives=1))


def summed(initiatives: Iterable[Costed]) -> list[Amounts]:
    """What these initiatives come to, a line for each currency, that of most initiatives first."""
    found: dict[str, Amounts] = {}
    for initiative in initiatives:
        for currency, money in initiative.money.items():
            found.setdefault(currency, Amounts(currency)).add(money)
    return sorted(found.values(), key=lambda one: (-one.initiatives, one.currency))


def by_stage(initiatives: list[Costed]) -> list[Group]:
    """In the order of the stages."""
    return _grouped(
        initiatives, lambda initiative: [initiative.stage], {stage: Stage(stage).label for stage in Stage}
    )


def by_failing_test(initiatives: list[Costed]) -> list[Group]:
    """MVPs and production by each scale test that they fail: who fails two stands under both."""
    return _grouped(initiatives, lambda initiative: initiative.failing, TESTS)


def by_vendor(initiatives: list[Costed]) -> list[Group]:
    """By vendor as stated, however it is written, that of most initiatives first."""
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
    """By initiative, what measures its value and the value in words; an initiative without any is left out."""
    found: dict[int, list[tuple[str, str]]] = {}
    for measured in contributed.measured_value:
        for pk, said in measured(initiatives, today).items():
            found.setdefault(pk, []).extend(said)
    return found
