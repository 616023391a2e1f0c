"""What the integration register says against the requirements of cases: worked out from its rows, noun by noun.

Each module of this package reads its nouns for many cases at once and yields what it finds; `actions.following.follow`
writes that down as `Shortcoming` rows, which is how the register reaches the gates. A case that ended is short of
nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from initiatives.models import Initiative
from initiatives.models.initiative import RUNNING

# From ever: what was so before anybody looked.
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """One thing that keeps a requirement of a case from being grounded, as `Shortcoming` keeps it."""

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


# Functions (keys of running cases) -> (key, Wanted) each: what floors above have found out against requirements.
MORE_SAYS: list[Callable[[list[int]], Iterator[tuple[int, Wanted]]]] = []
# By requirement, what stands against every case for which no standing finding has a source that begins like this: what
# has to be brought about, and would take a row in every case that never heard of it.
UNLESS: dict[str, tuple[str, Wanted]] = {}


def unless_found(found: Iterable) -> list[Wanted]:
    """What stands against a case because nothing has been found about it; `found`: its standing shortcomings."""
    known = [(row.requirement, row.source) for row in found]
    return [
        one
        for key, (beginning, one) in UNLESS.items()
        if not any(key == asked and source.startswith(beginning) for asked, source in known)
    ]


def wanted(cases: Iterable[int]) -> dict[int, list[Wanted]]:
    """Everything that the register says now against each of these cases, by its key; nothing against ended ones."""
    from initiatives.register import definitions, drills, processes, residency, systems

    running = Initiative.objects.live().filter(pk__in=list(cases), stage__in=RUNNING)
    keys = sorted(running.values_list("pk", flat=True))
    found: dict[int, list[Wanted]] = {key: [] for key in keys}
    for says in (systems.says, definitions.says, residency.says, processes.says, drills.says, *MORE_SAYS):
        for key, one in says(keys):
            found[key].append(one)
    return found
