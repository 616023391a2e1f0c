"""Measurements as they are sent, by form, table or system: what is wrong with one, and what becomes of it. Pure."""

from collections.abc import Iterable
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
from governance.vocabulary.readable_text import refusal

EARLIEST = date(2000, 1, 1)
LONGEST_DAYS = 366
MOST = 10**12
MOST_KEY, MOST_TEAM = 120, 120
MODEL_WORDS = {"model", "model_report", "model_evaluation", "evaluation", "benchmark"}

# What becomes of a measurement that is sent.
NEW, KNOWN, CORRECTED, DIFFERS, WRONG = "new", "known", "corrected", "differs", "wrong"


@dataclass(frozen=True)
class Sent:
    """One measurement as somebody sent it, its types read already. `measure`: its key. `replaces`: the key it
    corrects.
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

    def same_as(self, row) -> bool:
        """Whether a kept measurement says the same."""
        return (
            row.starts_on == self.starts_on
            and row.ends_on == self.ends_on
            and row.n == self.n
            and row.hits == self.hits
            and row.value == self.value
            and row.sd == self.sd
            and row.team.casefold() == self.team.casefold()
            and row.about == self.about
        )


@dataclass(frozen=True)
class Fate:
    """What became of a measurement: its state, why in words, how to fix it, and the kept row's key."""

    state: str
    words: str = ""
    fix: str = ""
    measurement: int | None = None

    @property
    def good(self) -> bool:
        """Whether it is in the series now, through this or an earlier sending."""
        return self.state in (NEW, KNOWN, CORRECTED)


@dataclass(frozen=True)
class Asked:
    """A measure as senders have to know it: its kind of figure, its teams, whether it is read week by week.

    `by_survey`: only closing a survey reads it.
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

    def team(self, said: str) -> str | None:
        """The team as it is called here; the only one where none is said; None where it is not one of them."""
        if not said and self.weekly and len(self.teams) == 1:
            return self.teams[0]
        if not self.by_name:
            return said
        known = self.by_name.get(said.casefold())
        return known if known is not None else (None if self.weekly or said else "")


def unreadable(sent: Sent) -> Fate | None:
    """Why a measurement cannot even be looked up: a text of it holds a character that readers cannot see."""
    for name in ("key", "team", "about", "replaces", "reason"):
        if why := refusal(getattr(sent, name)):
            return _no(f"The measurement was not kept because of {name}.", why)
    return None


def wrong_with(sent: Sent, asked: Asked, today: date) -> Fate | None:
    """Why a measurement cannot be kept, with the way to fix it; None when it can."""
    if asked.ended:
        return _no("This measure has ended.", "Declare a new one, or leave this measurement out.")
    if found := _wrong_people(sent.about):
        return found
    if sent.starts_on > sent.ends_on:
        return _no("Its period ends before it begins.", "Exchange the two days.")
    if sent.ends_on > today:
        return _no(
            f"Its period ends on {sent.ends_on:%-d %B %Y}, which is to come.", "Wait until it is over."
        )
    if sent.starts_on < EARLIEST:
        return _no("Its period begins before 2000.", "Mind the year.")
    if (sent.ends_on - sent.starts_on).days >= LONGEST_DAYS:
        return _no("Its period is longer than a year.", "Send it month by month, or week by week.")
    if asked.weekly and monday(sent.starts_on) != monday(sent.ends_on):
        return _no(
            "This measure is read week by week.", "Send each week from Monday to Sunday, or single days."
        )
    return _wrong_figure(sent, asked) or _wrong_names(sent, asked)


def _wrong_people(about: str) -> Fate | None:
    if about.casefold() in TRAINING_WORDS:
        return _no(TRAINING_PROVES_NOTHING, "")
    if about in POPULATIONS:
        return None
    if about.casefold() in MODEL_WORDS:
        return _no(NO_MODEL_REPORT, "")
    return _no(f"Nobody here is called {about[:40]!r}.", f"Say whom it is about: {', '.join(POPULATIONS)}.")


def _wrong_figure(sent: Sent, asked: Asked) -> Fate | None:
    if sent.n == 0 and sent.replaces:
        return (
            None
            if asked.share == (sent.hits is not None)
            else _no("It says its figure in the wrong way.", "")
        )
    if not 0 < sent.n <= MOST:
        return _no("n says from how many it was read: a whole number above nothing.", "Give n.")
    if asked.share:
        if sent.value is not None or sent.sd is not None or sent.hits is None:
            return _no("This measure is a count out of a sample size.", "Give hits and n, and no value.")
        if not 0 <= sent.hits <= sent.n:
            return _no(f"{sent.hits} of {sent.n} is no share.", "hits lies between 0 and n.")
        return None
    if sent.hits is not None or sent.value is None:
        return _no("This measure is a mean.", "Give value, sd and n, and no hits.")
    if not isfinite(sent.value) or abs(sent.value) > MOST:
        return _no("Its value is no figure that can be kept.", "Mind the unit.")
    if sent.sd is None or not isfinite(sent.sd) or not 0 <= sent.sd <= MOST:
        return _no(
            "A mean needs its spread.", "Give sd, the standard deviation of the single values; 0 for n 1."
        )
    return None


def _wrong_names(sent: Sent, asked: Asked) -> Fate | None:
    if not sent.key.strip() or len(sent.key) > MOST_KEY:
        return _no(
            "It has no key of its own.", f"Give key, up to {MOST_KEY} letters, never used for another."
        )
    if len(sent.team) > MOST_TEAM:
        return _no("The name of its team is too long.", f"Up to {MOST_TEAM} letters.")
    if asked.weekly and not sent.team and len(asked.teams) != 1:
        return _no("It does not say of which team it is.", f"Give team: {_any(asked.teams)}.")
    if asked.team(sent.team) is None:
        return _no(f"{sent.team[:60]!r} is no team of this measure.", f"Give team: {_any(asked.teams)}.")
    return None


def _any(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:12]) or "its name"


def _no(words: str, fix: str) -> Fate:
    return Fate(WRONG, words, fix)


def days_of(week: date) -> tuple[date, date]:
    """The first and the last day of the week that begins on this Monday."""
    return week, week + timedelta(days=6)
