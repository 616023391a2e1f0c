"""Whether a measure is met: met, not met, or cannot be told yet, with the reasons in words. Pure, and never a score.

A figure comes with the interval that holds the true one with 95 % confidence. It is met when the whole interval is on
the better side of the target, not met when the whole of it is on the worse side, and cannot be told while it spans the
target. Nothing is read into few initiatives, few weeks, missing teams, other people than the real users, or old
figures.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt

from adoption.models.instruments import (
    DECISIONS_A_WEEK,
    NEVER_FEWER,
    NO_EVIDENCE,
    POPULATIONS,
    UP,
    USERS,
    WEEKS,
    Instrument,
)
from governance import clock
from initiatives.integration.resilience.trace_sampling import wilson

MET, NOT_MET, CANNOT_TELL = "met", "not met", "inconclusive"
# Why it cannot be told, or is not met: what pages, filters and other parts go by.
ABSENT, FEW, WEEKS_MISSING, TEAMS_MISSING, WRONG_PEOPLE, OLD, OPEN, BLIND, MISSED, NO_BASELINE = (
    "absent",
    "few",
    "weeks",
    "teams",
    "wrong people",
    "old",
    "open",
    "blind",
    "missed",
    "no baseline",
)
WINDOW_WEEKS = 12  # in which eight are found: holidays happen
COLLAPSE_WEEKS, COLLAPSE_N = (
    4,
    100,
)  # a collapse shows in the last four weeks, once a hundred decisions were taken


# --- Intervals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """A share or a mean with its 95 % interval, and from how many."""

    point: float
    low: float
    high: float
    n: int


def share(hits: int, n: int) -> Figure:
    """A share with Wilson's score interval. Raises ValueError for what is no share of a sample."""
    return Figure(hits / n, *wilson(hits, n), n)


def mean(total: float, squares: float, n: int) -> Figure:
    """A mean with Student's t interval (Student 1908), from the sum of the values and the sum of their squares.

    Raises ValueError below two values, which have no spread.
    """
    if n < 2:
        raise ValueError("One value has no spread.")
    middle = total / n
    spread = sqrt(max(0.0, (squares - n * middle * middle) / (n - 1)))
    half = student_t(n - 1) * spread / sqrt(n)
    return Figure(middle, middle - half, middle + half, n)


@lru_cache(maxsize=512)
def student_t(df: int, probability: float = 0.975) -> float:
    """The quantile of Student's t distribution with `df` degrees of freedom, for probabilities above one half.

    By bisection on its distribution function, which is a regularised incomplete beta function.
    """
    low, high = 0.0, 2.0
    while _t_below(high, df) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if _t_below(middle, df) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _t_below(t: float, df: int) -> float:
    """P(T <= t) for t >= 0."""
    return 1 - 0.5 * _beta(df / (df + t * t), df / 2, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (Abramowitz and Stegun 26.5.8; the fraction by Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 500):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + step * d or tiny)
            c = 1 + step / c or tiny
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


# --- What is judged --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """What the measurements that end on one day add up to, for one team and population (`models.Tally`)."""

    day: date
    since: date
    n: int
    hits: int = 0
    total: float = 0.0
    squares: float = 0.0
    team: str = ""
    about: str = USERS
    measurements: int = 1

    @property
    def week(self) -> date:
        """The Monday of the week in which its period ends."""
        return monday(self.day)


@dataclass(frozen=True)
class Aim:
    """A goal of a measure: what is asked from a moment on."""

    target: float
    intended: int
    at: datetime
    baseline: float | None = None
    baseline_n: int | None = None
    bound: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Subject:
    """A measure as it is judged: its instrument, its goals in their order, its measurements added up by day and team.

    `teams`: those that have to be there. `intended`: how many people it is for, at least. `fresh_days`: how long a
    figure counts after the last day of its period.
    """

    key: int
    words: str
    how: Instrument
    better: str
    aims: tuple[Aim, ...]
    cells: tuple[Cell, ...]
    teams: tuple[str, ...] = ()
    intended: int = 0
    fresh_days: int = 90
    unit: str = ""

    def said(self, value: float) -> str:
        """A value as people say it: "62 %", or "14.2 minutes"."""
        if self.how.share:
            return percent(value)
        return f"{value:.3g} {self.unit or self.how.unit}".strip()


@dataclass(frozen=True)
class Verdict:
    """What a measure comes to: its word, why in words, how to fix it, the figure, and until when it counts.

    `asked`: the target that it is held against. `counts_until`: the last day on which the newest figure counts, None
    where there is none. `judged_from`: the last day of the oldest period that the figure is made of.
    """

    word: str
    why: str
    words: str
    fix: str = ""
    figure: Figure | None = None
    asked: float | None = None
    counts_until: date | None = None
    read_until: date | None = None
    judged_from: date | None = None
    of_teams: tuple[tuple[str, "Verdict"], ...] = ()

    @property
    def met(self) -> bool:
        """Whether it stands in nobody's way, as long as it counts."""
        return self.word == MET

    def on(self, day: date) -> "Verdict":
        """The verdict as it is on a day: a figure that is too old tells nothing any more."""
        if self.counts_until is None or day <= self.counts_until:
            return self
        return replace(
            self,
            word=CANNOT_TELL,
            why=OLD,
            words=f"Its last measurement ends on {said_day(self.read_until)} and counted until "
            f"{said_day(self.counts_until)}.",
            fix="Send a newer measurement.",
        )


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def percent(value: float) -> str:
    """A share as people say it, a digit behind the point only where it tells."""
    shown = f"{value * 100:.1f}"
    return f"{shown.removesuffix('.0')} %"


def said_day(day: date) -> str:
    """A day in words: "3 November 2026"."""
    return f"{day:%-d %B %Y}"


# --- The verdict -----------------------------------------------------------------------------------------------------


def judge(subject: Subject) -> Verdict:
    """What the measure comes to by its newest measurements; whether these still count on a day says `Verdict.on`."""
    counted = [cell for cell in subject.cells if cell.about == USERS and cell.n]
    if not counted:
        return _nothing(subject)
    last = max(cell.day for cell in counted)
    window = _window(subject, counted, last)
    aim = strictest(subject, min(cell.since for cell in window))
    if subject.how.baseline and aim.baseline is None:
        return Verdict(
            CANNOT_TELL,
            NO_BASELINE,
            "No baseline is stated, so nothing says whether it got better.",
            "State what it was before, and from how many.",
        )
    missing = [team for team in subject.teams if not any(_same(cell.team, team) for cell in window)]
    if missing:
        return Verdict(
            CANNOT_TELL,
            TEAMS_MISSING,
            f"Nothing was read in {_listed(missing)}.",
            "Send measurements of every team in scope.",
            read_until=last,
        )
    teams = _teams(subject, window)
    by_team = tuple((team, _of(subject, cells, aim)) for team, cells in teams)
    worst = min((found for _, found in by_team), key=_order)
    named = next(team for team, found in by_team if found is worst)
    if len(by_team) > 1 and named and not worst.met:
        worst = replace(worst, words=f"{named}: {worst.words}")
    # A team that fell silent makes the whole old: the newest day of whoever is furthest behind counts.
    read = min(max(cell.day for cell in cells) for _, cells in teams)
    return replace(
        worst,
        asked=aim.target,
        read_until=read,
        counts_until=read + timedelta(days=subject.fresh_days),
        judged_from=min(cell.day for cell in window),
        of_teams=by_team if len(by_team) > 1 else (),
    )


def _order(found: Verdict) -> int:
    return (NOT_MET, CANNOT_TELL, MET).index(found.word)


def _nothing(subject: Subject) -> Verdict:
    others = sorted({cell.about for cell in subject.cells if cell.n})
    if others:
        who = _listed([POPULATIONS.get(one, one) for one in others])
        return Verdict(
            CANNOT_TELL,
            WRONG_PEOPLE,
            f"Its measurements are about {who}. {NO_EVIDENCE.get(others[0], '')}".strip(),
            "Send measurements about the real users in scope.",
        )
    return Verdict(CANNOT_TELL, ABSENT, "Nothing was read yet.", "Send the first measurement.")


def _window(subject: Subject, cells: list[Cell], last: date) -> list[Cell]:
    """The cells that are judged, back from the newest: so many weeks, or as long as figures count."""
    if subject.how.weekly:
        first = monday(last) - timedelta(weeks=WINDOW_WEEKS - 1)
    else:
        first = last - timedelta(days=subject.fresh_days - 1)
    return [cell for cell in cells if cell.day >= first]


def strictest(subject: Subject, since: date) -> Aim:
    """What is asked of measurements whose periods begin on `since`: the strictest of the goals that stood since then.

    A target that is lowered after the fact does not make old measurements meet it.
    """
    start, found = clock.midnight_before(since), []
    for aim, later in zip(subject.aims, (*subject.aims[1:], None), strict=True):
        if later is None or later.at > start:
            found.append(aim)
    harder = max if subject.better == UP else min
    aim = subject.aims[-1]
    target = harder(one.target for one in found)
    if subject.how.floor is not None:
        target = max(target, subject.how.floor)
    return replace(
        aim,
        target=target,
        intended=max(subject.intended, *(one.intended for one in found)),
        bound=_bound(subject),
    )


def _bound(subject: Subject) -> float | None:
    """The share beyond which acceptance is blind: what was ever stated counts where it is stricter than ours."""
    own = subject.how.blind
    if own is None:
        return None
    stated = [aim.bound for aim in subject.aims if aim.bound is not None]
    return min([own, *stated]) if subject.how.better == UP else max([own, *stated])


def _teams(subject: Subject, window: list[Cell]) -> list[tuple[str, list[Cell]]]:
    """The cells that are judged together: by team where the instrument asks for each, else all of them."""
    if not subject.how.weekly:
        return [("", _newest(window) if subject.how.newest else window)]
    names = {cell.team.casefold(): cell.team for cell in window}
    return [(name, [cell for cell in window if _same(cell.team, name)]) for name in names.values()]


def _newest(window: list[Cell]) -> list[Cell]:
    """Of each team only the newest day: each measurement counts the same people again."""
    last: dict[str, date] = {}
    for cell in window:
        team = cell.team.casefold()
        last[team] = max(last.get(team, cell.day), cell.day)
    return [cell for cell in window if cell.day == last[cell.team.casefold()]]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _of(subject: Subject, cells: list[Cell], aim: Aim) -> Verdict:
    """The verdict on some cells that are judged together."""
    if few := _too_few(subject, cells, aim):
        return few
    figure = figure_of(subject.how, cells, aim.intended)
    if subject.how.blind is not None and (words := _blind(subject, cells, aim.bound)):
        return Verdict(NOT_MET, BLIND, words, "Find out whether anybody still looks; ask the users.", figure)
    up = subject.better == UP
    asked = f"{'at least' if up else 'at most'} {subject.said(aim.target)}"
    found = (
        f"{subject.said(figure.point)} of {figure.n}"
        if subject.how.share
        else f"{subject.said(figure.point)} over {figure.n}"
    )
    between = f"with 95 % confidence between {subject.said(figure.low)} and {subject.said(figure.high)}"
    words = f"{found}, {between}; asked is {asked}."
    floored = subject.how.floor is not None and figure.point < subject.how.floor
    if floored:
        words = f"{words} Below {percent(subject.how.floor)} it fails whatever the target."
    if floored or (figure.high < aim.target if up else figure.low > aim.target):
        return Verdict(NOT_MET, MISSED, words, "Change what keeps people from it, then read again.", figure)
    if figure.low >= aim.target if up else figure.high <= aim.target:
        return Verdict(MET, "", words, "", figure)
    return Verdict(
        CANNOT_TELL,
        OPEN,
        f"{words} The interval spans the target.",
        "More measurements make it narrower.",
        figure,
    )


def figure_of(how: Instrument, cells: Iterable[Cell], intended: int = 0) -> Figure | None:
    """The figure of some cells with its interval; None where there is none.

    Where people are counted, there are never more of them than are intended: whoever was asked twice is one.
    """
    cells = list(cells)
    n, hits = sum(cell.n for cell in cells), sum(cell.hits for cell in cells)
    if not n or (not how.share and n < 2):
        return None
    people = min(n, intended) if how.counts_users and intended else n
    if how.share:
        low, high = wilson(round(hits * people / n), people)
        return Figure(hits / n, min(low, hits / n), max(high, hits / n), people)
    found = mean(sum(cell.total for cell in cells), sum(cell.squares for cell in cells), n)
    if people == n or people < 2:
        return found
    wider = student_t(people - 1) / student_t(n - 1) * sqrt(n / people)
    half = (found.high - found.point) * wider
    return Figure(found.point, found.point - half, found.point + half, people)


def _too_few(subject: Subject, cells: list[Cell], aim: Aim) -> Verdict | None:
    how, n = subject.how, sum(cell.n for cell in cells)
    if how.weekly:
        weeks: dict[date, int] = {}
        for cell in cells:
            weeks[cell.week] = weeks.get(cell.week, 0) + cell.n
        enough = sum(1 for many in weeks.values() if many >= DECISIONS_A_WEEK)
        if enough >= WEEKS:
            return None
        return Verdict(
            CANNOT_TELL,
            WEEKS_MISSING,
            f"{enough} of {WEEKS} weeks have {DECISIONS_A_WEEK} decisions or more.",
            "Send the measurements of the weeks that are missing, or wait for them.",
        )
    if how.newest and n < aim.intended:
        return Verdict(
            CANNOT_TELL,
            FEW,
            f"It counts {n} people, and {aim.intended} are intended.",
            "Count all who are intended to use it, also those who do not.",
        )
    least = max(NEVER_FEWER, min(how.least, aim.intended)) if how.counts_users else how.least
    if n >= least:
        return None
    return Verdict(
        CANNOT_TELL,
        FEW,
        f"It is read from {n}, which is too few: {least} are asked before it says anything.",
        "Read more of them.",
    )


def _blind(subject: Subject, cells: list[Cell], bound: float) -> str:
    """Why people seem to have stopped looking, over the whole time or in its last weeks; else ""."""
    last = monday(max(cell.day for cell in cells)) - timedelta(weeks=COLLAPSE_WEEKS - 1)
    recent = [cell for cell in cells if cell.day >= last]
    for some, least, when in ((cells, 1, ""), (recent, COLLAPSE_N, f" in the last {COLLAPSE_WEEKS} weeks")):
        n = sum(cell.n for cell in some)
        rate = sum(cell.hits for cell in some) / n if n else 0.0
        if n < least:
            continue
        if subject.how.better == UP and rate >= bound:
            return (
                f"{percent(rate)} of {n} outputs were taken unchanged{when}, {percent(bound)} or more: people "
                "who accept everything do not look. That counts against trust."
            )
        if subject.how.better != UP and rate <= bound:
            return (
                f"{percent(rate)} of {n} outputs were overridden{when}, {percent(bound)} or less: people who "
                "override nothing do not look. That counts against trust."
            )
    return ""


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
