"""States of requirements as a word with its tone, the same on all pages."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime

from governance import clock
from governance.gates.gate_inputs import Facts
from governance.gates.requirements import State
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.vocabulary import Level
from governance.vocabulary.phrases import label, phrase

# "No", "not reported", "not applicable" and "waived" are four different things (docs/domain.md, invariant 9).
STATES: dict[str, tuple[str, str]] = {
    "met": ("met", ""),
    "as_decided": ("as decided", ""),
    "not_asked": ("not asked", ""),
    "not_applicable": ("not applicable", ""),
    "waived": ("waived", "lead"),
    "unanswered": ("not answered", ""),
    "no": ("not yet", "bad"),
    "not_reported": ("not reported", ""),
    "waiting": ("needs acceptance by its seat", "warn"),
    "unknown": ("unknown", "bad"),
    "unproven": ("no evidence", "bad"),
    "voided": ("evidence ended", "bad"),
    "failing": ("failing", "bad"),
    "expired": ("expired", "warn"),
    "weak": ("not enough yet", "warn"),
    "unmapped": ("not mapped", "bad"),
    "register": ("contradicted by the register", "bad"),
}


def state_word(state: State, gate: str = "") -> tuple[str, str]:
    """Return the word and its tone; for an answer with a level, the level against what this gate or every gate asks."""
    if state.level and state.state in ("met", "below"):
        return level_word(state.level, enough=state.satisfies(gate) if gate else state.satisfied)
    return word_of(state.state)


def level_word(level: str, *, enough: bool) -> tuple[str, str]:
    """Return a level as a word with its tone, green if verified or measured.

    `enough` is True if the level is as high as required. A level that is too low is a warning.
    """
    reached = "ok" if level in (Level.VERIFIED, Level.MEASURED) else ""
    return Level.word(level).lower(), reached if enough else "warn"


def drawn_words(facts: Facts, rulebook: ParsedRulebook, key: str, at: datetime) -> str:
    """Return when and by which checkpoint it was drawn, or "" if it was not."""
    if not rulebook.drawn_at(facts.tier):
        return ""
    one = facts.drawn_ahead(key, at) or facts.drawn_at(key, at)
    if one is None:
        return ""
    ahead = " for the next confirmation of production" if one.since is None else ""
    place = (
        phrase(", in place of {}", rulebook.requirements[one.in_place_of].question)
        if one.in_place_of in rulebook.requirements
        else ""
    )
    return ended(
        phrase(
            "Drawn on {}{} with checkpoint {}{}", clock.local_day(one.drawn_at), ahead, one.checkpoint, place
        )
    )


def profile_of(states: dict[str, State], keys: Iterable[str]) -> dict[str, int | str] | None:
    """Return the number of these answers at each level, or None without any.

    The number of waived answers and the first end of a waiver (ISO day) are added. Unasked requirements are left out.
    """
    asked = [states[key] for key in keys]
    waived = [state for state in asked if state.state == "waived"]
    found: dict[str, int | str] = dict(Counter(state.level for state in asked if state.level))
    if not found:
        return None
    if waived:
        found["waived"] = len(waived)
        ends = min((state.last_day for state in waived if state.last_day is not None), default=None)
        if ends is not None:
            found["waived_until"] = ends.isoformat()
    return found


def profile_words(profile: dict[str, int | str] | None) -> str:
    """Return a profile in words, such as "14 measured, 6 verified", "" for None."""
    if not profile:
        return ""
    parts = [
        phrase("{} {}", profile[level], label(Level.word(level), inside=True))
        for level in reversed(list(Level))
        if level in profile
    ]
    if "waived" in profile:
        until = profile.get("waived_until")
        day = phrase(" until {}", date.fromisoformat(str(until))) if until else ""
        parts.append(phrase("{} waived{}", profile["waived"], day))
    return ", ".join(parts)


def word_of(state: str) -> tuple[str, str]:
    """Return the word and its tone by the name of a state."""
    return STATES.get(state, (state.replace("_", " "), ""))
