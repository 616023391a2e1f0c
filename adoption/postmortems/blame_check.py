"""What in a post-mortem points at people: shown with its reason, never refused. Pure.

A name makes the next person keep silent, and it ends the search one step too early: the question is what made the
mistake easy to make (blameless post-mortems, S1-17.2, S1-19).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

WORDS = {
    r"(?:human|user|operator|pilot) error": "An error of a person is where the search begins: what made it easy?",
    r"care ?less(?:ly|ness)?|negligen(?:t|ce|tly)|sloppy|lazy|incompeten(?:t|ce)|stupid(?:ly|ity)?": "It judges "
    "somebody. Say what was there to see, and what was not.",
    r"should have (?:known|checked|seen|noticed|asked|tested)": "It was known afterwards. What could have told "
    "them then?",
    r"(?:his|her|their|your|whose|some(?:body|one)'s) (?:own )?(?:fault|mistake)": "It looks for who. Say what made "
    "it possible, whoever had been there.",
    r"to blame|at fault|culprits?|guilty": "It looks for who. Say what made it possible, whoever had been there.",
    r"(?:forgot|neglected|refused|failed) to": "Why was it easy to leave out? A check, a reminder, time?",
    r"did(?: not|n't) (?:bother|care|pay attention)": "What else asked for their attention?",
}
_WORDS = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), why) for pattern, why in WORDS.items()]
NAMED = "A name makes the next person keep silent. Name the role, or what was missing."
SHORTEST_SURNAME = 4  # shorter ones are words of the language too often


@dataclass(frozen=True)
class Pointed:
    """Words that point at somebody, and why to say it otherwise."""

    words: str
    why: str


def pointed_out(text: str, people: Iterable[str]) -> list[Pointed]:
    """Names of these people and words of blame in a text, each once, in the order in which they stand there."""
    found: dict[str, tuple[int, Pointed]] = {}
    patterns = [*_WORDS, *((pattern, NAMED) for pattern in map(_name, people) if pattern)]
    for pattern, why in patterns:
        for hit in pattern.finditer(text):
            found.setdefault(hit[0].casefold(), (hit.start(), Pointed(hit[0], why)))
    return [pointed for _, pointed in sorted(found.values(), key=lambda pair: pair[0])]


def _name(full: str) -> re.Pattern | None:
    """The full name, or the surname alone where it is long enough to be told from a word."""
    parts = full.split()
    if not parts:
        return None
    ways = [re.escape(full)]
    if len(parts) > 1 and len(parts[-1]) >= SHORTEST_SURNAME:
        ways.append(re.escape(parts[-1]))
    # A surname begins with a capital letter in a text; the same letters in small ones are a word.
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)")
