"""The detection of behaviour from figures of use.

Pure: figures in, behaviour reports out, none from too few. Source: S1-31, the issue's "computed from measurements".
Signs are usage below 20 % of intended, overrides that collapse to zero, and output pasted elsewhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from adoption.models.reports import HALF, IGNORED, WORKED_AROUND

LEAST_USE = 20  # percent of the intended users
BY_CHANCE = 0.05  # how likely none would be overridden, were people still looking
WIDE = 1.959964  # of the 95 % interval
RECENT = timedelta(weeks=4)
EVERYBODY = "All users"
READ = ("usage.active", "trust.overrides")  # the instruments whose measurements are looked at


@dataclass(frozen=True)
class Use:
    """The number of intended people, and of those who use the system."""

    group: str
    used: int
    intended: int


@dataclass(frozen=True)
class Overrides:
    """Counts of overridden outputs and of all outputs, earlier and now."""

    group: str
    before: int
    before_of: int
    now: int
    now_of: int


@dataclass(frozen=True)
class PastedOut:
    """The number of outputs, and of those carried into another tool."""

    group: str
    pasted: int
    outputs: int


@dataclass(frozen=True)
class Found:
    """A behaviour report from figures. `share`: percent of the group if it can be computed, else None."""

    kind: str
    group: str
    words: str
    share: int | None = None
    figures: dict = field(default_factory=dict, compare=False)

    @property
    def extent(self) -> str:
        """Return "most" if it is most of the group, else "fewer", or "unknown"."""
        return "unknown" if self.share is None else "most" if self.share > HALF else "fewer"


def found(figures: Iterable[Use | Overrides | PastedOut]) -> list[Found]:
    """Return the behaviour reports of these figures, the largest of each kind and group."""
    best: dict[tuple[str, str], Found] = {}
    for one in figures:
        for behaviour_report in _WORKED_OUT[type(one)](one):
            known = best.get((behaviour_report.kind, behaviour_report.group))
            if known is None or (behaviour_report.share or 0) > (known.share or 0):
                best[behaviour_report.kind, behaviour_report.group] = behaviour_report
    return list(best.values())


def of_measurements(rows: Iterable[tuple[str, str, date, int, int]]) -> list[Use | Overrides]:
    """Return figures of measurements about real users.

    A row is (instrument, team, first day, hits, n). `usage.active` gives the newest row of each team. `trust.overrides`
    gives each team's last four weeks against all earlier ones.
    """
    newest: dict[str, tuple[date, int, int]] = {}
    weeks: dict[str, list[tuple[date, int, int]]] = {}
    for instrument, team, day, hits, n in rows:
        if instrument == "usage.active" and (team not in newest or day >= newest[team][0]):
            newest[team] = (day, hits, n)
        elif instrument == "trust.overrides":
            weeks.setdefault(team, []).append((day, hits, n))
    figures: list[Use | Overrides] = [
        Use(team or EVERYBODY, hits, n) for team, (_, hits, n) in sorted(newest.items())
    ]
    for team, those in sorted(weeks.items()):
        last = max(day for day, _, _ in those) - RECENT
        before = [(hits, n) for day, hits, n in those if day <= last]
        now = [(hits, n) for day, hits, n in those if day > last]
        sums = [sum(part) for side in (before, now) for part in zip(*side, strict=True)] if before else []
        if sums:
            figures.append(Overrides(team or EVERYBODY, *sums))
    return figures


def _from_use(one: Use) -> Iterator[Found]:
    """Yield a report if fewer than one in five of the intended people use it."""
    if one.intended > 0 and 100 * one.used < LEAST_USE * one.intended:
        share = 100 - -(-100 * one.used // one.intended)
        yield Found(
            IGNORED,
            one.group,
            f"{one.used} of {one.intended} intended users use the system (fewer than {LEAST_USE} %).",
            share,
            {"used": one.used, "intended": one.intended},
        )


def _from_overrides(one: Overrides) -> Iterator[Found]:
    """Yield a report of a skipped check if overrides fell to zero, beyond chance."""
    if one.before <= 0 or one.before_of <= 0 or one.now > 0:
        return
    rate = min(1.0, one.before / one.before_of)
    if (1 - rate) ** max(0, one.now_of) < BY_CHANCE:
        yield Found(
            WORKED_AROUND,
            one.group,
            f"Earlier, users overrode {one.before} of {one.before_of} outputs. Now they override none of "
            f"{one.now_of}. "
            "People may pass outputs on without a check.",
            None,
            {"before": [one.before, one.before_of], "now": [one.now, one.now_of]},
        )


def _from_pasting(one: PastedOut) -> Iterator[Found]:
    """Yield a report if surely more than half of the outputs go into another tool."""
    if one.outputs <= 0 or one.pasted > one.outputs:
        return
    if 100 * lowest(one.pasted, one.outputs) > HALF:
        yield Found(
            WORKED_AROUND,
            one.group,
            f"{one.pasted} of {one.outputs} outputs were pasted into another tool.",
            max(HALF + 1, round(100 * one.pasted / one.outputs)),
            {"pasted": one.pasted, "outputs": one.outputs},
        )


def lowest(hits: int, of: int) -> float:
    """Return the lower end of Wilson's 95 % interval of a share."""
    share, square = hits / of, WIDE * WIDE
    middle = share + square / (2 * of)
    spread = WIDE * ((share * (1 - share) + square / (4 * of)) / of) ** 0.5
    return (middle - spread) / (1 + square / of)


_WORKED_OUT = {Use: _from_use, Overrides: _from_overrides, PastedOut: _from_pasting}
