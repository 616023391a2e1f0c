"""The six practices that OMB M-25-21 requires of high-impact AI, as the sources of the 2025 inventory answer for them.

Section 4(b), (i) to (vi): each is one question of the inventory that asks whether the practice is there. The seventh,
consultation, is asked for as a list of steps: it has no yes, and stands among the answers. What a source says is its
word alone; nothing here counts as evidence.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

ALL, PART, NOT_REPORTED, UNCLEAR = "all", "part", "not reported", "unclear"
WORDS = {
    ALL: "All",
    PART: "In part or no",
    NOT_REPORTED: "Not reported",
    UNCLEAR: "Unclear",
}
SOURCE = "us-2025"
STAGE, DEPLOYED = "development_stage", "deployed"
IMPACT, HIGH_IMPACT = "is_high_impact", "high-impact"


@dataclass(frozen=True)
class Practice:
    """One required practice: its column, its name in the memorandum, which answers say that it is there."""

    column: str
    words: str
    there: tuple[str, ...]


PRACTICES = (
    Practice("hi_testing_conducted", "Pre-deployment testing", ("yes",)),
    Practice("hi_assessment_completed", "AI impact assessment", ("yes",)),
    Practice(
        "hi_ongoing_monitoring",
        "Ongoing monitoring",
        ("yes - monitoring established", "yes, sufficient monitoring protocols have been established"),
    ),
    Practice(
        "hi_training_established",
        "Human training and assessment",
        ("training established", "yes, sufficient and periodic training has been established"),
    ),
    Practice("hi_failsafe_presence", "Human oversight: a fail-safe", ("yes",)),
    Practice(
        "hi_appeal_process",
        "Remedies or appeals",
        ("appeal process established", "yes, an appropriate appeal process has been established"),
    ),
)
# Of any of them. "In progress" is not yes, and what was waived is not done.
NOT_THERE = (
    *("no", "in-progress", "in progress", "in-progess"),
    *("training in-progress", "appeal process in-progress", "caio waived"),
    *(
        "development of monitoring protocols is in-progress",
        "development of monitoring protocols is in-progess",
    ),
    "establishment of sufficient and periodic training is in-progress",
    "establishment of an appropriate appeal process is in-progress",
    "agency caio has waived this minimum practice and reported such waiver to omb",
)
# Each stands under its own question alone: under another it is a shifted cell, which says nothing.
OWN_WORDS = {
    "hi_ongoing_monitoring": ("monitoring",),
    "hi_training_established": ("training",),
    "hi_appeal_process": ("appeal",),
}


def bare(raw: str | None) -> str:
    """An answer without its list letter and brackets, in lower case with single spaces."""
    text = re.sub(r"\s+", " ", re.sub(r"[\[\]'\"]", "", raw or "")).strip().casefold()
    return re.sub(r"^(?:[a-z]\)\s*)+", "", text)


def is_about(raw: dict[str, str]) -> bool:
    """Whether the row is a deployed system that its source calls high-impact."""
    return bare(raw.get(STAGE)) == DEPLOYED and bare(raw.get(IMPACT)) == HIGH_IMPACT


def said_of(practice: Practice, raw: str | None) -> str:
    """What the answer comes to: ALL, PART, NOT_REPORTED or UNCLEAR.

    Unclear is what says neither: not applicable, precluded by law, or an answer to another question.
    """
    said = bare(raw)
    if not said:
        return NOT_REPORTED
    if said in practice.there:
        return ALL
    strange = any(
        word in said for column, words in OWN_WORDS.items() if column != practice.column for word in words
    )
    return PART if said in NOT_THERE and not strange else UNCLEAR


def said_of_all(raw: dict[str, str]) -> str:
    """What a system's six answers come to: all six asserted; one in part or no; none reported; else unclear."""
    found = [said_of(one, raw.get(one.column)) for one in PRACTICES]
    if PART in found:
        return PART
    if set(found) == {ALL}:
        return ALL
    if set(found) == {NOT_REPORTED}:
        return NOT_REPORTED
    return UNCLEAR


def tally(rows: Iterable[dict[str, str]]) -> tuple[dict[str, Counter], Counter]:
    """By column of a practice how many rows say what, and how many systems come to what with all six."""
    by_practice: dict[str, Counter] = {one.column: Counter() for one in PRACTICES}
    systems: Counter = Counter()
    for raw in rows:
        for one in PRACTICES:
            by_practice[one.column][said_of(one, raw.get(one.column))] += 1
        systems[said_of_all(raw)] += 1
    return by_practice, systems
