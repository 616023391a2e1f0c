"""Ways in which the interaction log answers requirements: one predicate each over figures of whole days. Pure.

Each says whether it holds, does not, or is unknown, with the figure, its interval and n. What is missing is unknown,
and unknown is never met. Shares hold by the lower end of their 95 % interval and fail only by the upper one, so that a
handful of calls neither proves nor disproves anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from initiatives.integration.resilience.trace_sampling import wilson
from initiatives.interactions.comparison.day_figures import edge_of

LEAST = (
    0.95  # of what has to be there, at the lower end of the interval: with 73 and none missing it is reached
)
HALF, MOST = 0.50, 0.95  # shares of calls that a promised median and a promised 95th percentile speak of


@dataclass(frozen=True)
class Figures:
    """Sums over the days from `first` to `last` (`ReconciledDay`); `subjects`: of the four weeks to the newest."""

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
        """Calls of which it is known how long they took."""
        return sum(self.durations.values())

    def within(self, milliseconds: float) -> int:
        """Calls that surely took no longer: those of buckets that end before."""
        return sum(count for bucket, count in self.durations.items() if edge_of(bucket) <= milliseconds)

    def beyond(self, milliseconds: float) -> int:
        """Calls that surely took longer: those of buckets that begin there or later."""
        return sum(
            count
            for bucket, count in self.durations.items()
            if bucket > 0 and edge_of(bucket - 1) >= milliseconds
        )

    def quantile(self, share: float) -> float | None:
        """Milliseconds within which this share of calls came back, at most 9.1 % too high; None where none is."""
        reached = 0
        for bucket, count in sorted(self.durations.items()):
            reached += count
            if reached >= share * self.timed:
                return edge_of(bucket)
        return None


@dataclass(frozen=True)
class Promise:
    """What was promised before the first of the days: milliseconds of the median and of 95 %, the share of errors."""

    median: int
    most: int
    errors: float


@dataclass(frozen=True)
class Held:
    """What a way comes to: True where it holds, False where it is disproved, None where it is unknown; in words."""

    holds: bool | None
    words: str


def complete(figures: Figures) -> Held:
    """Whether the log has what was allowed, a count that it does not supply. Without one it proves nothing."""
    if figures.sampling:
        return Held(None, "Unknown: its systems report only a part of their calls.")
    if not figures.expected:
        return Held(None, "Unknown: nothing was allowed that the log could be held against.")
    low, high = wilson(figures.logged, figures.expected)
    words = (
        f"{figures.logged:,} of {figures.expected:,} allowed calls are logged whole, {_between(low, high)}."
    )
    return Held(low >= LEAST or (False if high < LEAST else None), words)


def sourced(figures: Figures) -> Held:
    """Whether outputs name the sources that they come from."""
    if not figures.outputs:
        return Held(None, "Unknown: no output is logged.")
    low, high = wilson(figures.sourced, figures.outputs)
    words = f"{figures.sourced:,} of {figures.outputs:,} outputs name a source, {_between(low, high)}."
    if figures.sampling:
        return Held(None, f"{words} Its systems choose which calls they report.")
    return Held(low >= LEAST or (False if high < LEAST else None), words)


def anchored(outputs: int, hits: int, target: float, outside: bool) -> Held:
    """Whether outputs drawn by the audit log trace to governed sources, judged one by one from outside the team."""
    if not outputs:
        return Held(None, "Unknown: no sample was drawn and judged.")
    low, high = wilson(hits, outputs)
    words = (
        f"{hits:,} of {outputs:,} drawn outputs trace to a governed source, {_between(low, high)}; {target:.0%} are "
        "wanted."
    )
    if low < target:
        return Held(False if high < target else None, words)
    return Held(True, words) if outside else Held(None, f"{words} They were judged in the team.")


def within_scope(figures: Figures, people: int) -> Held:
    """Whether no more persons were served than the scope declares. More disprove it, however few calls say so."""
    if figures.subjects is None:
        return Held(None, "Unknown: no day is over.")
    words = f"{_persons(figures.subjects)} in four weeks, of {people:,} in scope."
    if figures.subjects > people:
        return Held(False, words)
    if figures.sampling:
        return Held(None, f"{words} Its systems report only a part of their calls.")
    if not figures.calls:
        return Held(None, "Unknown: no call is logged.")
    low, high = wilson(figures.named, figures.calls)
    if low < LEAST:
        return Held(
            None,
            f"{words} Only {figures.named:,} of {figures.calls:,} calls name one, {_between(low, high)}.",
        )
    return Held(True, words)


def errors(figures: Figures, most: float) -> Held:
    """Whether no larger share of calls failed than was promised."""
    if not figures.tried:
        return Held(None, "Unknown: no call says whether it failed.")
    low, high = wilson(figures.failed, figures.tried)
    words = (
        f"{figures.failed:,} of {figures.tried:,} calls failed, {_between(low, high)}; at most {_percent(most)} "
        "promised."
    )
    return Held(high <= most or (False if low > most else None), words)


def fast(figures: Figures, milliseconds: int, share: float) -> Held:
    """Whether at least this share of calls came back in the promised time."""
    if not figures.timed:
        return Held(None, "Unknown: no call says how long it took.")
    low, _ = wilson(figures.within(milliseconds), figures.timed)
    slow, _ = wilson(figures.beyond(milliseconds), figures.timed)
    took = figures.quantile(share)
    words = (
        f"{share:.0%} of {figures.timed:,} calls came back within {_seconds(took or 0)}, in the "
        f"{_seconds(milliseconds)} promised at least {_percent(low)}."
    )
    return Held(low >= share or (False if slow > 1 - share else None), words)


def as_promised(figures: Figures, promise: Promise) -> Held:
    """Whether errors and times are as was promised: all of it holds, or one part is disproved, or it is unknown."""
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
        return Held(None, f"{words} Its systems choose which calls they report.")
    timed = (
        wilson(figures.timed, figures.tried - figures.failed)[0] if figures.tried > figures.failed else 0.0
    )
    if timed < LEAST:
        return Held(None, f"{words} Too few of them say how long they took.")
    return Held(True if all(part.holds for part in parts) else None, words)


def _between(low: float, high: float) -> str:
    return f"with 95 % confidence {_percent(low)} to {_percent(high)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _persons(count: int) -> str:
    return f"{count:,} person{'' if count == 1 else 's'}"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 100 else f"{milliseconds:.0f} ms"
