"""The verdict on a measure: met, not met, or unknown, with the reasons in words.

Pure, without a score. A figure comes with the interval that holds the true one with 95 % confidence. The measure is met
if the whole interval is on the better side of the target, not met if the whole interval is on the worse side, and
unknown while it spans the target. Few initiatives, few weeks, missing teams, other people than the real users, and old
figures give no verdict.
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
from governance.vocabulary.shares import wilson

MET, NOT_MET, CANNOT_TELL = "met", "not met", "inconclusive"
# Reasons for no verdict, or for not met. Pages, filters and other parts use these.
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
COLLAPSE_WEEKS, COLLAPSE_N = 4, 100  # a collapse shows in these weeks, once so many decisions were taken
ROUNDING = 1e-6  # of a mean: a spread below it is what sums of equal numbers leave


# --- Intervals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """A share or a mean with its 95 % interval, and its sample size."""

    point: float
    low: float
    high: float
    n: int


def share(hits: int, n: int) -> Figure:
    """Return a share with Wilson's score interval. Raises ValueError for figures that are not a share of a sample."""
    return Figure(hits / n, *wilson(hits, n), n)


def mean(total: float, squares: float, n: int) -> Figure:
    """Return a mean with Student's t interval, from the sum and the sum of squares.

    Source: Student 1908. Raises ValueError for fewer than two values, which have no spread.
    """
    if n < 2:
        raise ValueError("Enter at least two values. The spread of one value cannot be calculated.")
    middle = total / n
    spread = sqrt(max(0.0, (squares - n * middle * middle) / (n - 1)))
    half = student_t(n - 1) * spread / sqrt(n)
    return Figure(middle, middle - half, middle + half, n)


@lru_cache(maxsize=512)
def student_t(df: int, probability: float = 0.975) -> float:
    """Return the quantile of Student's t distribution with `df` degrees of freedom.

    The probability must exceed one half. Bisects the distribution function, a regularised incomplete beta function.
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
    """Return P(T <= t) for t >= 0."""
    return 1 - 0.5 * _beta(df / (df + t * t), df / 2, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function. Abramowitz and Stegun 26.5.8, fraction by Lentz's method."""
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
    """The sum of ended measurements of a team and population (`models.Tally`), or one measurement of people.

    `others` states that these are other people than those of the cells before.
    """

    day: date
    since: date
    n: int
    hits: int = 0
    total: float = 0.0
    squares: float = 0.0
    team: str = ""
    about: str = USERS
    measurements: int = 1
    others: bool = False

    def __add__(self, more: "Cell") -> "Cell":
        """Return the cell of both, which have no person in common."""
        counts = ("n", "hits", "total", "squares", "measurements")
        sums = {name: getattr(self, name) + getattr(more, name) for name in counts}
        return replace(self, day=max(self.day, more.day), since=min(self.since, more.since), **sums)

    @property
    def week(self) -> date:
        """Return the Monday of the week in which its period ends."""
        return monday(self.day)


@dataclass(frozen=True)
class Aim:
    """A goal of a measure, which applies from a moment on."""

    target: float
    intended: int
    at: datetime
    baseline: float | None = None
    baseline_n: int | None = None
    bound: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Subject:
    """A measure as it is judged: instrument, goals in order, sums by day and team.

    Cells of people are in the order in which they were entered. `teams` are required. `intended` is the least number of
    users. A figure counts for `fresh_days` after its period.
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
        """Return a value with its unit: "62 %", or "14.2 minutes"."""
        if self.how.share:
            return percent(value)
        return f"{value:.3g} {self.unit or self.how.unit}".strip()


@dataclass(frozen=True)
class Verdict:
    """The verdict on a measure: word, reason, fix, figure, and time limit.

    `asked` is the target that it is compared with. `counts_until` is the last day on which the newest figure counts,
    None without a figure. `judged_from` is the last day of the oldest period in the figure.
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
        """Return True if the measure is met while the verdict counts."""
        return self.word == MET

    def on(self, day: date) -> "Verdict":
        """Return the verdict as it is on a day. A figure that is too old gives no verdict."""
        if self.counts_until is None or day <= self.counts_until:
            return self
        return replace(
            self,
            word=CANNOT_TELL,
            why=OLD,
            words=(
                f"The newest measurement that counted is from {said_day(self.read_until)} and counted until "
                f"{said_day(self.counts_until)}."
            ),
            fix="Send a newer measurement.",
        )


def monday(day: date) -> date:
    """Return the first day of its week."""
    return day - timedelta(days=day.weekday())


def percent(value: float) -> str:
    """Return a share in percent, with one decimal digit unless it is zero."""
    shown = f"{value * 100:.1f}"
    return f"{shown.removesuffix('.0')} %"


def said_day(day: date) -> str:
    """Return a day in words: "3 November 2026"."""
    return f"{day:%-d %B %Y}"


# --- The verdict -----------------------------------------------------------------------------------------------------


def judge(subject: Subject) -> Verdict:
    """Return the verdict by the newest measurements. `Verdict.on` judges if these still count on a day."""
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
            "The measure has no baseline, so the result cannot be compared.",
            "Enter the baseline and its sample size.",
        )
    missing = [team for team in subject.teams if not any(_same(cell.team, team) for cell in window)]
    if missing:
        return Verdict(
            CANNOT_TELL,
            TEAMS_MISSING,
            f"No measurement from {_listed(missing)}.",
            "Send measurements of every team in scope.",
            read_until=last,
        )
    teams = _teams(subject, window)
    by_team = tuple((team, _of(subject, cells, aim)) for team, cells in teams)
    worst = min((found for _, found in by_team), key=_order)
    named = next(team for team, found in by_team if found is worst)
    if len(by_team) > 1 and named and not worst.met:
        worst = replace(worst, words=f"{named}: {worst.words}")
    many = sum(cell.measurements for cell in window)
    kept = sum(cell.measurements for _, cells in teams for cell in cells)
    if kept < many and not subject.how.newest:
        again = f"{kept} of {many} measurements count, because the same people count once."
        worst = replace(worst, words=f"{worst.words} {again}")
    # A silent team makes the whole old: the newest day of the team furthest behind counts.
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
            f"The measurements are about {who}. {NO_EVIDENCE.get(others[0], '')}".strip(),
            "Send measurements about the real users in scope.",
        )
    return Verdict(CANNOT_TELL, ABSENT, "No measurements yet.", "Send the first measurement.")


def _window(subject: Subject, cells: list[Cell], last: date) -> list[Cell]:
    """Return the cells that are judged: the last weeks, or the days for which figures count."""
    if subject.how.weekly:
        first = monday(last) - timedelta(weeks=WINDOW_WEEKS - 1)
    else:
        first = last - timedelta(days=subject.fresh_days - 1)
    return [cell for cell in cells if cell.day >= first]


def strictest(subject: Subject, since: date) -> Aim:
    """Return the strictest goal for measurements whose periods begin on `since`.

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
    """Return the share beyond which acceptance is blind. A stricter stated bound replaces the instrument's bound."""
    own = subject.how.blind
    if own is None:
        return None
    stated = [aim.bound for aim in subject.aims if aim.bound is not None]
    return min([own, *stated]) if subject.how.better == UP else max([own, *stated])


def _teams(subject: Subject, window: list[Cell]) -> list[tuple[str, list[Cell]]]:
    """Return the cells that are judged together. They are by team if the instrument needs each team."""
    if not subject.how.weekly:
        return [("", once(subject.how, window))]
    names = {cell.team.casefold(): cell.team for cell in window}
    return [(name, [cell for cell in window if _same(cell.team, name)]) for name in names.values()]


def once(how: Instrument, cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells in which each person counts once, if `n` are people. Else return all cells.

    Measurements of one team are of the same people, so the largest counts, and the newest of these. The newest counts
    alone for an instrument of active users. A measurement of `others` is added to what was entered before it.
    One without a team can be of the people of every team.
    """
    cells = list(cells)
    if not how.counts_users:
        return cells
    everyone: Cell | None = None
    teams: dict[str, Cell] = {}
    for cell in cells:
        name = cell.team.casefold()
        everyone = _with(everyone, cell, newest=how.newest and not name)
        if name:
            teams[name] = _with(teams.get(name), cell, newest=how.newest)
    if everyone is None or sum(cell.n for cell in teams.values()) >= everyone.n:
        return list(teams.values())
    return [replace(everyone, team="")]


def _with(known: Cell | None, cell: Cell, *, newest: bool) -> Cell:
    """Return the people of a cell and of those before it, each counted once."""
    if known is None:
        return cell
    if cell.others:
        return known + cell
    if newest:
        return cell if cell.day >= known.day else known
    return cell if (cell.n, cell.day) >= (known.n, known.day) else known


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _of(subject: Subject, cells: list[Cell], aim: Aim) -> Verdict:
    """Return the verdict on some cells that are judged together."""
    if few := _too_few(subject, cells, aim):
        return few
    figure = figure_of(subject.how, cells, aim.intended)
    if subject.how.blind is not None and (words := _blind(subject, cells, aim.bound)):
        return Verdict(
            NOT_MET, BLIND, words, "Check whether people still look at the outputs. Ask the users.", figure
        )
    up = subject.better == UP
    asked = f"{'at least' if up else 'at most'} {subject.said(aim.target)}"
    found = (
        f"{subject.said(figure.point)} of {figure.n}"
        if subject.how.share
        else f"{subject.said(figure.point)} over {figure.n}"
    )
    if not subject.how.share and figure.high - figure.low <= ROUNDING * max(1.0, abs(figure.point)):
        return Verdict(
            CANNOT_TELL,
            OPEN,
            f"{found}, with a standard deviation of 0, so no interval can be given. The target is {asked}.",
            "Check the standard deviation. If all values are equal, measure in a smaller unit.",
            figure,
        )
    between = f"with 95 % confidence between {subject.said(figure.low)} and {subject.said(figure.high)}"
    words = f"{found}, {between}. The target is {asked}."
    floored = subject.how.floor is not None and figure.point < subject.how.floor
    if floored:
        words = (
            f"{words} A figure below {percent(subject.how.floor)} always fails, also if the target is lower."
        )
    if floored or (figure.high < aim.target if up else figure.low > aim.target):
        return Verdict(
            NOT_MET,
            MISSED,
            words,
            "Find out why the target was missed, fix the cause, then measure again.",
            figure,
        )
    if figure.low >= aim.target if up else figure.high <= aim.target:
        return Verdict(MET, "", words, "", figure)
    return Verdict(
        CANNOT_TELL,
        OPEN,
        f"{words} The interval includes the target.",
        "Send more measurements to make the interval narrower.",
        figure,
    )


def figure_of(how: Instrument, cells: Iterable[Cell], intended: int = 0) -> Figure | None:
    """Return the figure of some cells with its interval, or None.

    People count once (`once`), and the sample is at most the intended number of people.
    """
    cells = once(how, cells)
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
            "Send the measurements of the missing weeks, or wait until these weeks are over.",
        )
    if how.newest and n < aim.intended:
        return Verdict(
            CANNOT_TELL,
            FEW,
            f"{n} people are counted, but the measure has {aim.intended} intended users.",
            "Count all intended users, also those who do not use the system.",
        )
    least = max(NEVER_FEWER, min(how.least, aim.intended)) if how.counts_users else how.least
    if n >= least:
        return None
    return Verdict(
        CANNOT_TELL,
        FEW,
        f"The sample of {n} is too small (at least {least} needed).",
        "Measure more people. State it if they are other people than before."
        if how.counts_users
        else "Collect more measurements.",
    )


def _blind(subject: Subject, cells: list[Cell], bound: float) -> str:
    """Return why people seem not to check outputs, in the whole time or lately, else ""."""
    last = monday(max(cell.day for cell in cells)) - timedelta(weeks=COLLAPSE_WEEKS - 1)
    recent = [cell for cell in cells if cell.day >= last]
    for some, least, when in ((cells, 1, ""), (recent, COLLAPSE_N, f" in the last {COLLAPSE_WEEKS} weeks")):
        n = sum(cell.n for cell in some)
        rate = sum(cell.hits for cell in some) / n if n else 0.0
        if n < least:
            continue
        if subject.how.better == UP and rate >= bound:
            return (
                f"{percent(rate)} of {n} outputs were accepted unchanged{when} ({percent(bound)} "
                "or more). People who accept everything probably do not check the outputs. The "
                "result counts against trust."
            )
        if subject.how.better != UP and rate <= bound:
            return (
                f"{percent(rate)} of {n} outputs were overridden{when} ({percent(bound)} or less). "
                "People who override nothing probably do not check the outputs. The result counts "
                "against trust."
            )
    return ""


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
