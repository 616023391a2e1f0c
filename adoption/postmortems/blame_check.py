"""The words of a post-mortem that point at people, with reasons.

Pure, without refusals. A name makes the next person keep silent, and it ends the search one step too early. The
question is what made the mistake easy to make (blameless post-mortems, S1-17.2, S1-19).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

WORDS = {
    r"(?:human|user|operator|pilot) error": "A person's error is only the start of the analysis. What made "
    "the error easy?",
    r"care ?less(?:ly|ness)?|negligen(?:t|ce|tly)|sloppy|lazy|incompeten(?:t|ce)|stupid(?:ly|ity)?": (
        "These words judge a person. Describe what people could see, and what was hidden from them."
    ),
    r"should have (?:known|checked|seen|noticed|asked|tested)": (
        "People knew this only afterwards. What could have shown people the problem in time?"
    ),
    r"(?:his|her|their|your|whose|some(?:body|one)'s) (?:own )?(?:fault|mistake)": (
        "These words put the blame on a person. Describe why anyone could have made this mistake."
    ),
    r"to blame|at fault|culprits?|guilty": "These words put the blame on a person. Describe why anyone "
    "could have made this mistake.",
    r"(?:forgot|neglected|refused|failed) to": "Why was this step easy to leave out? Was a check, a "
    "reminder or time missing?",
    r"did(?: not|n't) (?:bother|care|pay attention)": "What other work needed the attention of people?",
}
_WORDS = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), why) for pattern, why in WORDS.items()]
NAMED = (
    "If a text names people, other people might stop reporting problems. Name the role, or what was missing."
)
SHORTEST_SURNAME = 4  # shorter ones are words of the language too often


@dataclass(frozen=True)
class Pointed:
    """Words that point at a person, and the reason to rephrase them."""

    words: str
    why: str


def pointed_out(text: str, people: Iterable[str]) -> list[Pointed]:
    """Return these people's names and words of blame in a text, each once, in order."""
    found: dict[str, tuple[int, Pointed]] = {}
    patterns = [*_WORDS, *((pattern, NAMED) for pattern in map(_name, people) if pattern)]
    for pattern, why in patterns:
        for hit in pattern.finditer(text):
            found.setdefault(hit[0].casefold(), (hit.start(), Pointed(hit[0], why)))
    return [pointed for _, pointed in sorted(found.values(), key=lambda pair: pair[0])]


def _name(full: str) -> re.Pattern | None:
    """Return a pattern of the full name, and of a surname with four letters or more."""
    parts = full.split()
    if not parts:
        return None
    ways = [re.escape(full)]
    if len(parts) > 1 and len(parts[-1]) >= SHORTEST_SURNAME:
        ways.append(re.escape(parts[-1]))
    # A surname begins with a capital letter in a text; the same letters in small ones are a word.
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)")
