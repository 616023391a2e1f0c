"""Findings against the requirements of initiatives, worked out noun by noun from rows.

Each module of this package reads its nouns for many initiatives at once and yields what it finds;
`actions.following.follow` writes that down as `RequirementFinding` rows, which is how the register reaches the gates.
An initiative that ended is short of nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, reduce
from operator import or_
from typing import TypeVar

from django.db.models import Exists, OuterRef, QuerySet

from governance.database.batch_read import Batch, Rows
from governance.vocabulary import RUNNING_STAGES
from initiatives.contributions import contributed
from initiatives.models import Initiative

# From ever: what was so before anybody looked.
EVER = datetime(2000, 1, 1, tzinfo=UTC)


# What a finding of the integration register can be about: the word with which its source begins. Each has its page
# where it is fixed (`initiatives.integration.remedies`); for other packages it is a key of their `fixes`.
KINDS = {"link", "transfer", "account", "system", "terms", "definition", "process", "flow", "drill", "record"}


def kind_of(source: str) -> str:
    """What a finding with this source is about."""
    return source.partition(":")[0]


@dataclass(frozen=True)
class Wanted:
    """One thing that keeps a requirement of an initiative from being met, as `RequirementFinding` keeps it."""

    requirement: str
    source: str
    words: str
    fix: str = ""
    who: str = ""
    since: datetime = EVER
    until: datetime | None = None
    hold: str = ""
    system_id: int | None = None

    def counts_at(self, at: datetime) -> bool:
        """Whether it is so at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class Measurable:
    """One answer that follows from rows whose deciding value came from outside the team, as `MeasuredAnswer`
    keeps it.
    """

    requirement: str
    way: str
    source: str
    words: str
    since: datetime
    until: datetime | None = None


# Functions (keys of running initiatives) -> (key, what they say) each. By what rows they say something of an
# initiative: `about`.
Says = Callable[[list[int]], Iterable[tuple[int, Wanted]]]
Measures = Callable[[list[int]], Iterable[tuple[int, Measurable]]]
Noun = TypeVar("Noun", bound=Says | Measures)


def unless_found(found: Iterable) -> list[Wanted]:
    """What stands against an initiative because nothing has been found about it; `found`: its current findings."""
    known = [(row.requirement, row.source) for row in found]
    return [
        one
        for key, (beginning, one) in contributed.unless.items()
        if not any(key == asked and source.startswith(beginning) for asked, source in known)
    ]


def about(*rows: QuerySet) -> Callable[[Noun], Noun]:
    """For what says something only of initiatives that have one of these rows: it is not asked about the others.

    Most acts are on initiatives of which the register knows nothing, and a dozen queries would find that out each
    time.
    """

    def marked(says: Noun) -> Noun:
        says.about = rows
        return says

    return marked


@dataclass(frozen=True)
class There:
    """Which initiatives have something in the register, noun by noun, and which of them run."""

    running: set[int]
    by_noun: dict[Says | Measures, set[int]]

    def to_ask(self, says: Says | Measures) -> list[int]:
        """The keys of the running initiatives of which this may have something to say."""
        return sorted(self.running & self.by_noun.get(says, self.running))


def there(initiatives: Iterable[int]) -> There:
    """What is in the register about these initiatives, in one query; only an act's own look, never kept."""
    nouns = _nouns()
    rows = _there(nouns).ask(initiatives)["initiatives"]
    by_noun = {
        says: {row.pk for row in rows if getattr(row, f"noun_{place}")}
        for place, says in enumerate(nouns)
        if hasattr(says, "about")
    }
    return There({row.pk for row in rows if row.runs}, by_noun)


@cache
def _there(nouns: tuple[Says | Measures, ...]) -> Batch:
    def exist(rows: QuerySet, by: str = "initiative") -> Exists:
        return Exists(rows.filter(**{by: OuterRef("pk")}))

    marked = {
        f"noun_{place}": reduce(or_, map(exist, says.about))
        for place, says in enumerate(nouns)
        if hasattr(says, "about")
    }
    runs = exist(Initiative.objects.live().filter(stage__in=RUNNING_STAGES), "pk")
    return Batch(initiatives=Rows(Initiative.objects.annotate(runs=runs, **marked), "pk", only=("id",)))


def _nouns() -> tuple[Says | Measures, ...]:
    whole = contributed
    return (*whole.register_says, *whole.more_says, *whole.measures)


def wanted(initiatives: Iterable[int], known: There | None = None) -> dict[int, list[Wanted]]:
    """Everything that the register says now against each of these initiatives, by its key; nothing against ended ones.

    `known`: what is there about them, where the running act has asked already. Raises ValueError for a kind of finding
    that has no page, for nobody would know where it is fixed.
    """
    known = known or there(initiatives)
    found: dict[int, list[Wanted]] = {key: [] for key in sorted(known.running)}
    whole = contributed
    kinds = KINDS | whole.fixes.keys()
    for says in (*whole.register_says, *whole.more_says):
        keys = known.to_ask(says)
        for key, one in says(keys) if keys else ():
            if kind_of(one.source) not in kinds:
                raise ValueError(f"No page fixes findings like {one.source!r}: contribute one in fixes.")
            found[key].append(one)
    return found
