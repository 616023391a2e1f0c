"""Signs that approvals are given without reading, from times and answers. Pure.

A sign is not evidence and does not block. The board sees it with its figures. Source: S0-14.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

WORDS_A_MINUTE = 240  # a usual speed of reading
TOO_FAST = 0.25  # of the time that reading takes
FEWEST_TIMED = 10  # answers; a median of fewer says nothing
STREAK = 20  # approvals in a row without one refusal
FEWEST_SHARED = 20  # answers; a share of fewer says nothing
ALMOST_ALL = 0.9
LOOKED_BACK = timedelta(days=90)

FAST, ROW, ALONE = "fast", "row", "alone"
SIGNS = {
    FAST: "Answered faster than a person can read",
    ROW: "Everything approved",
    ALONE: "One person decides",
}


@dataclass(frozen=True)
class Given:
    """One answer of a person, its time since first shown (`took`), and words to read."""

    key: int  # of the person; names repeat
    person: str
    approved: bool
    at: datetime
    took: timedelta
    words: int

    @property
    def reading(self) -> timedelta:
        """Return the time that reading takes."""
        return timedelta(minutes=self.words / WORDS_A_MINUTE)


@dataclass(frozen=True)
class Sign:
    """A sign about a person. The field `stands` is None if answers are too few."""

    kind: str
    person: str
    stands: bool | None
    figures: str

    @property
    def words(self) -> str:
        """Return the words for this kind of sign."""
        return SIGNS[self.kind]


@dataclass(frozen=True)
class Approver:
    """One person's answers: their number, their refusals and their median time."""

    person: str
    answered: int
    refused: int
    took: timedelta

    @property
    def seconds(self) -> int:
        """Return the median from first showing to answer, in whole seconds."""
        return round(self.took.total_seconds())


def words_in(texts: Iterable[str]) -> int:
    """Return the number of words to read."""
    return sum(len(text.split()) for text in texts)


def signs(answers: Sequence[Given]) -> list[Sign]:
    """Return three signs for each person who answered, those that apply first."""
    found = [
        sign
        for rows in _by_person(answers)
        for sign in (
            _fast(rows[0].person, rows),
            _row(rows[0].person, rows),
            _alone(rows[0].person, rows, len(answers)),
        )
    ]
    order = {True: 0, None: 1, False: 2}
    return sorted(found, key=lambda sign: (order[sign.stands], list(SIGNS).index(sign.kind), sign.person))


def approvers(answers: Iterable[Given]) -> list[Approver]:
    """Return everyone who answered, the one with the most answers first."""
    found = [
        Approver(
            rows[0].person,
            len(rows),
            sum(not row.approved for row in rows),
            _median(row.took for row in rows),
        )
        for rows in _by_person(answers)
    ]
    return sorted(found, key=lambda row: (-row.answered, row.person))


def _by_person(answers: Iterable[Given]) -> list[list[Given]]:
    """Return the answers of each person, oldest first."""
    found: dict[int, list[Given]] = {}
    for row in sorted(answers, key=lambda row: row.at):
        found.setdefault(row.key, []).append(row)
    return list(found.values())


def _median(times: Iterable[timedelta]) -> timedelta:
    return timedelta(seconds=median(time.total_seconds() for time in times))


def _fast(person: str, rows: list[Given]) -> Sign:
    rows = [row for row in rows if row.words]
    if len(rows) < FEWEST_TIMED:
        return Sign(FAST, person, None, _too_few(person, len(rows), FEWEST_TIMED))
    share = median(row.took / row.reading for row in rows)
    took, reading = _median(row.took for row in rows), _median(row.reading for row in rows)
    return Sign(
        FAST,
        person,
        share < TOO_FAST,
        f"{person} answered {len(rows)} requests, and half of these requests within {seconds(took)} of "
        f"opening. Reading a request takes {seconds(reading)} at {WORDS_A_MINUTE} words a minute.",
    )


def _row(person: str, rows: list[Given]) -> Sign:
    if len(rows) < STREAK:
        return Sign(ROW, person, None, _too_few(person, len(rows), STREAK))
    runs = [list(run) for approved, run in groupby(rows, key=lambda row: row.approved) if approved]
    longest = max(map(len, runs), default=0)
    refused = sum(not row.approved for row in rows)
    return Sign(
        ROW,
        person,
        longest >= STREAK,
        f"{person} approved {longest} requests in a row, and refused {refused or 'none'} of {len(rows)}.",
    )


def _alone(person: str, rows: list[Given], of: int) -> Sign:
    if of < FEWEST_SHARED:
        return Sign(
            ALONE, person, None, f"{of} of the {FEWEST_SHARED} answers that this check needs were given."
        )
    return Sign(
        ALONE,
        person,
        len(rows) >= ALMOST_ALL * of,
        f"{person} gave {len(rows)} of all {of} answers.",
    )


def _too_few(person: str, count: int, needed: int) -> str:
    return f"{person} gave {count} of the {needed} answers that this check needs."


def seconds(time: timedelta) -> str:
    """Return a short time in words, such as "4 seconds" or "2 minutes"."""
    count = round(time.total_seconds())
    if count >= 120:
        return f"{round(count / 60)} minutes"
    return "less than a second" if count == 0 else f"{count} second{'' if count == 1 else 's'}"
