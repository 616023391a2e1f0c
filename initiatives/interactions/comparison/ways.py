"""Pure predicates by which figures of the interaction log answer requirements.

Each returns True, False or unknown, with the figure, its interval and n. Missing figures are unknown, and unknown is
never met. A share holds by the lower end of its 95 % interval and fails only by the upper end, so that a handful of
calls neither proves nor disproves anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from governance.vocabulary.shares import wilson
from initiatives.interactions.comparison.day_figures import edge_of

LEAST = (
    0.95  # of what has to be there, at the lower end of the interval: with 73 and none missing it is reached
)
HALF, MOST = 0.50, 0.95  # shares of calls that a promised median and a promised 95th percentile speak of


@dataclass(frozen=True)
class Figures:
    """Sums over the days `first` to `last` (`ReconciledDay`). `subjects`: the newest four weeks."""

    first: date
    last: date
    calls: int = 0
    expected: int = 0
    logged: int = 0
    tried: int = 0
    failed: int = 0
    outputs: int = 0
    sourced: int = 0
    named: int = 0
    durations: Mapping[int, int] = field(default_factory=dict)
    subjects: int | None = None
    sampling: bool = False

    @property
    def timed(self) -> int:
        """Return the number of calls with a known duration."""
        return sum(self.durations.values())

    def within(self, milliseconds: float) -> int:
        """Return the calls that surely took at most this long, by buckets that end before."""
        return sum(count for bucket, count in self.durations.items() if edge_of(bucket) <= milliseconds)

    def beyond(self, milliseconds: float) -> int:
        """Return the calls that surely took longer, by buckets that begin there or later."""
        return sum(
            count
            for bucket, count in self.durations.items()
            if bucket > 0 and edge_of(bucket - 1) >= milliseconds
        )

    def quantile(self, share: float) -> float | None:
        """Return the milliseconds in which this share of calls returned, or None. They are at most 9.1 % too high."""
        reached = 0
        for bucket, count in sorted(self.durations.items()):
            reached += count
            if reached >= share * self.timed:
                return edge_of(bucket)
        return None


@dataclass(frozen=True)
class Promise:
    """An earlier promise: milliseconds of the median and of 95 %, share of errors."""

    median: int
    most: int
    errors: float


@dataclass(frozen=True)
class Held:
    """The result of a predicate in words. `holds` is None if it is unknown."""

    holds: bool | None
    words: str


def complete(figures: Figures) -> Held:
    """Return whether the log has the allowed calls, by a count from outside the log."""
    if figures.sampling:
        return Held(None, "Unknown: the systems report only a part of their calls.")
    if not figures.expected:
        return Held(None, "Unknown: no calls were allowed in this time.")
    low, high = wilson(figures.logged, figures.expected)
    words = (
        f"{figures.logged:,} of {figures.expected:,} allowed calls are complete in the log, "
        f"{_between(low, high)}."
    )
    return Held(low >= LEAST or (False if high < LEAST else None), words)


def sourced(figures: Figures) -> Held:
    """Return whether outputs name the sources that they come from."""
    if not figures.outputs:
        return Held(None, "Unknown: no output is logged.")
    low, high = wilson(figures.sourced, figures.outputs)
    words = f"{figures.sourced:,} of {figures.outputs:,} outputs name a source, {_between(low, high)}."
    if figures.sampling:
        return Held(None, f"{words} The systems themselves choose which calls they report.")
    return Held(low >= LEAST or (False if high < LEAST else None), words)


def within_scope(figures: Figures, people: int) -> Held:
    """Return whether at most as many persons were served as the scope declares.

    A larger number disproves it, even with few calls.
    """
    if figures.subjects is None:
        return Held(None, "Unknown: the log has no complete day yet.")
    words = f"{_persons(figures.subjects)} in four weeks, and {people:,} in scope."
    if figures.subjects > people:
        return Held(False, words)
    if figures.sampling:
        return Held(None, f"{words} The systems report only a part of their calls.")
    if not figures.calls:
        return Held(None, "Unknown: no call is logged.")
    low, high = wilson(figures.named, figures.calls)
    if low < LEAST:
        return Held(
            None,
            f"{words} Only {figures.named:,} of {figures.calls:,} calls name a person, "
            f"{_between(low, high)}.",
        )
    return Held(True, words)


def errors(figures: Figures, most: float) -> Held:
    """Return whether the share of failed calls is at most the promised one."""
    if not figures.tried:
        return Held(None, "Unknown: no call reports if it failed.")
    low, high = wilson(figures.failed, figures.tried)
    words = (
        f"{figures.failed:,} of {figures.tried:,} calls failed, {_between(low, high)}. The promise is at "
        f"most {_percent(most)}."
    )
    return Held(high <= most or (False if low > most else None), words)


def fast(figures: Figures, milliseconds: int, share: float) -> Held:
    """Return whether at least this share of calls returned in the promised time."""
    if not figures.timed:
        return Held(None, "Unknown: no call reports its duration.")
    low, _ = wilson(figures.within(milliseconds), figures.timed)
    slow, _ = wilson(figures.beyond(milliseconds), figures.timed)
    took = figures.quantile(share)
    words = (
        f"{share:.0%} of {figures.timed:,} calls returned within {_seconds(took or 0)}. The share "
        f"within the promised {_seconds(milliseconds)} is at least {_percent(low)}."
    )
    return Held(low >= share or (False if slow > 1 - share else None), words)


def as_promised(figures: Figures, promise: Promise) -> Held:
    """Return whether errors and times all keep the promise. One miss disproves it."""
    parts = [
        errors(figures, promise.errors),
        fast(figures, promise.median, HALF),
        fast(figures, promise.most, MOST),
    ]
    missed = [part.words for part in parts if part.holds is False]
    if missed:
        return Held(False, " ".join(missed))
    words = " ".join(dict.fromkeys(part.words for part in parts))
    if figures.sampling:
        return Held(None, f"{words} The systems themselves choose which calls they report.")
    timed = (
        wilson(figures.timed, figures.tried - figures.failed)[0] if figures.tried > figures.failed else 0.0
    )
    if timed < LEAST:
        return Held(None, f"{words} Too few calls report their duration.")
    return Held(True if all(part.holds for part in parts) else None, words)


def _between(low: float, high: float) -> str:
    return f"between {_percent(low)} and {_percent(high)} with 95 % confidence"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _persons(count: int) -> str:
    return f"{count:,} person{'' if count == 1 else 's'}"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 100 else f"{milliseconds:.0f} ms"
