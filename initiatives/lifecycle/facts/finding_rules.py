"""Findings against requirements, computed noun by noun from rows.

Each module of this package reads its nouns for many initiatives at once and yields its findings.
`actions.following.follow` saves them as `RequirementFinding` rows, through which the register reaches the gates. An
initiative that ended has no findings.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, QuerySet

from governance.database.batch_read import Batch, Rows
from governance.vocabulary import RUNNING_STAGES, ObligationKind
from initiatives.contributions import contributed
from initiatives.models import Initiative, Obligation

# The start of facts that were true before their first check.
EVER = datetime(2000, 1, 1, tzinfo=UTC)


# What a finding of the integration register can be about: the word with which its source begins. Each has its page
# where it is fixed (`initiatives.integration.remedies`); for other packages it is a key of their `fixes`.
KINDS = {"link", "transfer", "account", "system", "terms", "definition", "process", "flow", "drill", "record"}


def kind_of(source: str) -> str:
    """Return the kind of noun that a finding with this source is about."""
    return source.partition(":")[0]


@dataclass(frozen=True)
class Unknown:
    """A fact that is not known yet, with `text` as the obligation to find it out.

    Findings of one `key` are one obligation. If `of_system` is True, the owner of the system, if any, can find it
    out.
    """

    key: str
    text: str
    of_system: bool = False


@dataclass(frozen=True)
class Wanted:
    """One reason why a requirement is not met, as `RequirementFinding` keeps it.

    `unknown` marks a missing fact, not a fault. For an MVP or production, it counts once the day of its obligation
    has passed (`findings.sync`).
    """

    requirement: str
    source: str
    words: str
    fix: str = ""
    who: str = ""
    since: datetime = EVER
    until: datetime | None = None
    hold: str = ""
    system_id: int | None = None
    unknown: Unknown | None = None

    def columns(self) -> dict[str, Any]:
        """Return it as the columns of `RequirementFinding`."""
        return {name: value for name, value in vars(self).items() if name != "unknown"}

    def counts_at(self, at: datetime) -> bool:
        """Return True if the finding counts at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class Measurable:
    """One answer from rows decided outside the team, for `MeasuredAnswer`."""

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
    """Return the findings that count until something is found. `found` has the current findings."""
    known = [(row.requirement, row.source) for row in found]
    return [
        one
        for key, (beginning, one) in contributed.unless.items()
        if not any(key == asked and source.startswith(beginning) for asked, source in known)
    ]


def about(*rows: QuerySet) -> Callable[[Noun], Noun]:
    """Restrict a function to initiatives that have one of these rows.

    Most acts are on initiatives without rows in the register. The restriction saves a dozen queries each time.
    """

    def marked(says: Noun) -> Noun:
        says.about = rows
        return says

    return marked


@dataclass(frozen=True)
class There:
    """The initiatives with rows in the register, by noun, and the running ones."""

    running: set[int]
    finding_out: set[int]  # with an open obligation to find something out
    by_noun: dict[Says | Measures, set[int]]

    def to_ask(self, says: Says | Measures) -> list[int]:
        """Return keys of running initiatives that this function may have a finding for."""
        return sorted(self.running & self.by_noun.get(says, self.running))


def there(initiatives: Iterable[int]) -> There:
    """Return what the register has about these initiatives, in one query. The result holds for one act only."""
    nouns = _nouns()
    rows = _there(nouns).ask(initiatives)["initiatives"]
    by_noun = {
        says: {row.pk for row in rows if getattr(row, f"noun_{place}")}
        for place, says in enumerate(nouns)
        if hasattr(says, "about")
    }
    return There({row.pk for row in rows if row.runs}, {row.pk for row in rows if row.finding_out}, by_noun)


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
    finding_out = exist(Obligation.objects.open().filter(kind=ObligationKind.UNKNOWN))
    return Batch(
        initiatives=Rows(
            Initiative.objects.annotate(runs=runs, finding_out=finding_out, **marked), "pk", only=("id",)
        )
    )


def _nouns() -> tuple[Says | Measures, ...]:
    whole = contributed
    return (*whole.register_says, *whole.more_says, *whole.measures)


def wanted(initiatives: Iterable[int], known: There | None = None) -> dict[int, list[Wanted]]:
    """Return the current findings of the register, by key of the initiative. Ended ones have none.

    `known` is what the running act has already read about them. Raises ValueError for a kind of finding without a
    page on which it is fixed.
    """
    known = known or there(initiatives)
    found: dict[int, list[Wanted]] = {key: [] for key in sorted(known.running)}
    whole = contributed
    kinds = KINDS | whole.fixes.keys()
    for says in (*whole.register_says, *whole.more_says):
        keys = known.to_ask(says)
        for key, one in says(keys) if keys else ():
            if kind_of(one.source) not in kinds:
                raise ValueError(
                    f"No page has a fix for findings of the source {one.source!r}. Contribute one in fixes."
                )
            found[key].append(one)
    return found
