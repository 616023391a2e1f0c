"""The validation of measurements sent by form, table or system, and its results. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isfinite

from adoption.measures.evaluation import monday
from adoption.models.instruments import (
    NO_MODEL_REPORT,
    POPULATIONS,
    TRAINING_PROVES_NOTHING,
    TRAINING_WORDS,
    USERS,
)
from governance.vocabulary.phrases import in_the_future, phrase
from governance.vocabulary.readable_text import refusal

EARLIEST = date(2000, 1, 1)
LONGEST_DAYS = 366
MOST = 10**12
MOST_KEY, MOST_TEAM = 120, 120
MODEL_WORDS = {"model", "model_report", "model_evaluation", "evaluation", "benchmark"}

# The results of a sent measurement.
NEW, KNOWN, CORRECTED, DIFFERS, WRONG = "new", "known", "corrected", "differs", "wrong"


@dataclass(frozen=True)
class Sent:
    """One measurement as sent, with its types read. It is of `measure`, by key, and corrects the key `replaces`.

    `others` states that nobody and nothing in it was measured before.
    """

    measure: int
    starts_on: date
    ends_on: date
    n: int
    key: str
    hits: int | None = None
    value: float | None = None
    sd: float | None = None
    team: str = ""
    about: str = USERS
    replaces: str = ""
    reason: str = ""
    others: bool = False

    def same_as(self, row) -> bool:
        """Return True if a kept measurement has the same values."""
        return (
            row.starts_on == self.starts_on
            and row.ends_on == self.ends_on
            and row.n == self.n
            and row.hits == self.hits
            and row.value == self.value
            and row.sd == self.sd
            and row.team.casefold() == self.team.casefold()
            and row.about == self.about
            and row.others == self.others
        )


@dataclass(frozen=True)
class Fate:
    """The result of a measurement: state, reason in words, remedy, key of the row."""

    state: str
    words: str = ""
    fix: str = ""
    measurement: int | None = None

    @property
    def good(self) -> bool:
        """Return True if it is in the series now, through this or an earlier sending."""
        return self.state in (NEW, KNOWN, CORRECTED)


@dataclass(frozen=True)
class Asked:
    """A measure as senders need it: kind of figure, teams, weekly reading or not.

    With `by_survey` only closing a survey reads it. With `people` n are people, who count once in a window. Values of
    a measure with `time` are not negative.
    """

    key: int
    instrument: str
    words: str
    share: bool
    weekly: bool
    teams: tuple[str, ...] = ()
    ended: bool = False
    by_name: dict[str, str] = field(default_factory=dict, hash=False)
    by_survey: bool = False
    time: bool = False
    people: bool = False

    def team(self, said: str) -> str | None:
        """Return the team's name as used here. The only team is the default. An unknown team gives None."""
        if not said and self.weekly and len(self.teams) == 1:
            return self.teams[0]
        if not self.by_name:
            return said
        known = self.by_name.get(said.casefold())
        return known if known is not None else (None if self.weekly or said else "")


def unreadable(sent: Sent) -> Fate | None:
    """Return the refusal of a measurement with an invisible character. Such texts cannot be looked up."""
    for name in ("key", "team", "about", "replaces", "reason"):
        if why := refusal(getattr(sent, name)):
            return _no(f"The measurement was not kept because of {name}.", why)
    return None


def wrong_with(sent: Sent, asked: Asked, today: date) -> Fate | None:
    """Return why a measurement cannot be kept, with its fix, or None if it can."""
    if asked.ended:
        return _no("This measure has ended.", "Declare a new measure, or leave out this measurement.")
    if found := _wrong_people(sent.about):
        return found
    if sent.starts_on > sent.ends_on:
        return _no("The period ends before it begins.", "Exchange the two days.")
    if sent.ends_on > today:
        return _no(in_the_future(sent.ends_on, today), "Or wait until the period is over.")
    if sent.starts_on < EARLIEST:
        return _no("The period begins before 2000.", "Check the year.")
    if (sent.ends_on - sent.starts_on).days >= LONGEST_DAYS:
        return _no("The period is longer than a year.", "Send one measurement for each month or week.")
    if asked.weekly and monday(sent.starts_on) != monday(sent.ends_on):
        return _no(
            "This measure is recorded by week.",
            "Send one measurement for each week from Monday to Sunday, or for each day.",
        )
    return _wrong_figure(sent, asked) or _wrong_names(sent, asked)


def _wrong_people(about: str) -> Fate | None:
    if about.casefold() in TRAINING_WORDS:
        return _no(TRAINING_PROVES_NOTHING, "")
    if about in POPULATIONS:
        return None
    if about.casefold() in MODEL_WORDS:
        return _no(NO_MODEL_REPORT, "")
    return _no(
        f"{about[:40]!r} is not a known group.", f"Choose one of these groups: {', '.join(POPULATIONS)}."
    )


def _wrong_figure(sent: Sent, asked: Asked) -> Fate | None:
    if sent.n == 0 and sent.replaces:
        return (
            None
            if asked.share == (sent.hits is not None)
            else _no("The figure does not fit this measure. Give “hits” only if the measure is a share.", "")
        )
    if not 0 < sent.n <= MOST:
        return _no("The field “n” is the number of values, a whole number above 0.", "Give n.")
    if asked.share:
        if sent.value is not None or sent.sd is not None or sent.hits is None:
            return _no(
                "This measure is a count out of a sample size.",
                "Give “hits” and “n”. Leave out “value” and “sd”.",
            )
        if not 0 <= sent.hits <= sent.n:
            return _no(
                f"{sent.hits} of {sent.n} is not a share.", "Give a number of “hits” between 0 and “n”."
            )
        return None
    if sent.hits is not None or sent.value is None:
        return _no("This measure is a mean.", "Give “value”, “sd” and “n”. Leave out hits.")
    if not isfinite(sent.value) or abs(sent.value) > MOST:
        return _no("The value is too large or is not a number.", "Check the unit.")
    if asked.time and sent.value < 0:
        return _no(
            "A time cannot be negative.", "Check how the value was computed, or exchange start and end."
        )
    if sent.sd is None or not isfinite(sent.sd) or not 0 <= sent.sd <= MOST:
        return _no(
            "A mean needs a standard deviation.",
            "Give “sd”, the standard deviation of the single values. If “n” is 1, give 0.",
        )
    return None


def _wrong_names(sent: Sent, asked: Asked) -> Fate | None:
    if not sent.key.strip() or len(sent.key) > MOST_KEY:
        return _no(
            "The measurement has no key.",
            f"Give a key of up to {MOST_KEY} letters that no other measurement has.",
        )
    if len(sent.team) > MOST_TEAM:
        return _no("The name of the team is too long.", f"Use up to {MOST_TEAM} letters.")
    if asked.weekly and not sent.team and len(asked.teams) != 1:
        return _no("The measurement does not name its team.", f"Give team: {_any(asked.teams)}.")
    if sent.n and asked.team(sent.team) is None:  # what is withdrawn may be of a team that left
        return _no(f"{sent.team[:60]!r} is not a team of this measure.", f"Give team: {_any(asked.teams)}.")
    return None


def _any(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:12]) or "its name"


def _no(words: str, fix: str) -> Fate:
    return Fate(WRONG, words, fix)


class CoveredDays:
    """The days that the current measurements cover, by measure, population and team. Days without a team cover all."""

    def __init__(self) -> None:
        self._kept: dict[tuple, dict[str, list]] = defaultdict(lambda: defaultdict(list))

    def add(self, row) -> None:
        """Add the days of a kept measurement, unless it was withdrawn."""
        for day in _days(row) if row.n else ():
            self._kept[row.measure_id, row.about, day][row.team].append(row)

    def drop(self, row) -> None:
        """Take out the days of a measurement that was corrected."""
        for day in _days(row):
            rows = self._kept[row.measure_id, row.about, day][row.team]
            rows[:] = [one for one in rows if one.key != row.key]

    def counted_twice(self, row) -> Fate | None:
        """Return the refusal of a measurement if another current one covers some of its days, or None.

        A period may come in parts, if each further part states that it is of others. A correction may keep its days.
        """
        if row.others or (row.replaces is not None and _place(row) == _place(row.replaces)):
            return None
        for day in _days(row):
            by_team = self._kept.get((row.measure_id, row.about, day), {})
            for team, rows in by_team.items():
                if team != row.team and team and row.team:
                    continue
                for one in rows:
                    return _no(
                        phrase(
                            "The measurement from {} to {} with the key {} has the same days.",
                            one.starts_on,
                            one.ends_on,
                            one.key,
                        ),
                        "Correct that measurement, or leave out this one. If this one is about other people or other "
                        "work with the same days, state “others”.",
                    )
        return None


def _place(row) -> tuple:
    return row.starts_on, row.ends_on, row.team.casefold(), row.about


def _days(row) -> Iterator[date]:
    for count in range((row.ends_on - row.starts_on).days + 1):
        yield row.starts_on + timedelta(days=count)
