"""Which wave of a catch-up plan a requirement belongs to, and how far a wave is. Pure: no database, no clock.

The waves follow the rulebook's own words (layer, group, scale test, gate), so that a rulebook of one's own falls into
waves as well.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from governance.rulebook import Book
from governance.rulebook.book import Requirement
from governance.vocabulary import Layer, Stage, Tier

# In the order in which they are caught up; what the gates before claim first comes first.
WAVES = {
    1: "Description, accountability and safety",
    2: "Contract and integration",
    3: "Adoption and the rest",
}
# Days from the proposal to the day of each wave, until somebody chooses others.
DAYS = {1: 30, 2: 90, 3: 180}
# Layers that keep people safe at a tier; where none is confirmed, it counts as limited.
SAFETY: dict[str, tuple[str, ...]] = {Tier.HIGH: (Layer.POLICY, Layer.RUNTIME)}
CONTRACT_GROUPS = ("contract", "layer")
CONNECTED = (Layer.INTEGRATION, Layer.RUNTIME, Layer.OBSERVABILITY)


def wave_of(book: Book, key: str, tier: str) -> int:
    """The wave in which a requirement is proposed to be caught up at a risk tier ("" while none is confirmed).

    First what describes the initiative honestly, who answers for it, and what keeps people safe at the tier; then the
    contract and the systems; then adoption and the rest. A key that the rulebook does not know comes last.
    """
    asked = book.requirements.get(key)
    if asked is None or asked.key in _of_test(book, "adoption") or _asked_of_the_result(asked):
        return 3
    if asked.stage == Stage.PROTOTYPE:
        return 1
    if asked.group in CONTRACT_GROUPS:
        return 1 if asked.layer in SAFETY.get(tier, ()) and asked.layer == Layer.RUNTIME else 2
    if asked.layer in SAFETY.get(tier, (Layer.POLICY,)):
        return 1
    return 2 if asked.layer in CONNECTED else 3


def _of_test(book: Book, test: str) -> Collection[str]:
    found = book.scale_tests.get(test)
    return found.items if found else ()


def _asked_of_the_result(asked: Requirement) -> bool:
    """Whether it is the last gate's own question, which can only be answered once the others are."""
    return bool(asked.own_of) and asked.stage == Stage.PRODUCTION


def proposed(book: Book, keys: Iterable[str], tier: str) -> dict[int, list[str]]:
    """These requirements by wave, each in the order given; waves without one are left out."""
    found: dict[int, list[str]] = {}
    for key in keys:
        found.setdefault(wave_of(book, key, tier), []).append(key)
    return dict(sorted(found.items()))


def default_days(today: date) -> dict[int, date]:
    """The day of each wave that is proposed from today on."""
    return {number: today + timedelta(days=days) for number, days in DAYS.items()}


def wrong_days(days: Mapping[int, date], today: date) -> dict[int, str]:
    """What is wrong with the days of waves, by the number of the wave; empty where nothing is."""
    wrong, last = {}, None
    for number, day in sorted(days.items()):
        if day < today:
            wrong[number] = "The day of a wave lies ahead, or is today."
        elif last is not None and day < last:
            wrong[number] = "A later wave is not due before an earlier one."
        last = day if last is None else max(last, day)
    return wrong


@dataclass(frozen=True)
class Wave:
    """One wave with its progress: the requirements of it, and those among them that are not met now.

    What is met is counted with what the rulebook or the tier no longer asks: neither stands in the way.
    """

    number: int
    due: date
    keys: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the wave is about."""
        return WAVES.get(self.number, f"Wave {self.number}")

    @property
    def met(self) -> int:
        """How many of its requirements nothing is missing for now."""
        return len(self.keys) - len(self.open)

    @property
    def done(self) -> bool:
        """Whether nothing of it is missing."""
        return not self.open

    def overdue(self, today: date) -> bool:
        """Whether its day has passed and something is missing still."""
        return bool(self.open) and self.due < today


def with_progress(rows: Iterable, gaps: Collection[str]) -> list[Wave]:
    """Waves as rows keep them (`number`, `due`, `requirements`), beside what the initiative lacks now."""
    lacking = frozenset(gaps)
    return [
        Wave(row.number, row.due, tuple(row.requirements), tuple(k for k in row.requirements if k in lacking))
        for row in sorted(rows, key=lambda row: row.number)
    ]


def outside(waves: Iterable[Wave], gaps: Iterable[str]) -> list[str]:
    """What the initiative lacks and no wave of the plan names: it came up since the plan was proposed."""
    planned = {key for wave in waves for key in wave.keys}
    return [key for key in gaps if key not in planned]
