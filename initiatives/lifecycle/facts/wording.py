"""States of requirements as a word with its tone, the same wherever they are shown."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime

from governance import clock
from governance.gates.gate_inputs import Facts
from governance.gates.requirements import State
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.vocabulary import Level

# "No", "not reported", "not applicable" and "waived" are four different things (docs/domain.md, invariant 9).
STATES: dict[str, tuple[str, str]] = {
    "met": ("met", "ok"),
    "as_decided": ("as decided", "ok"),
    "not_asked": ("not asked", ""),
    "not_applicable": ("not applicable", ""),
    "waived": ("waived", "lead"),
    "unanswered": ("not answered", ""),
    "no": ("not yet", "bad"),
    "not_reported": ("not reported", ""),
    "waiting": ("waits for its seat", "warn"),
    "unknown": ("unknown", "bad"),
    "unproven": ("no evidence", "bad"),
    "voided": ("evidence ended", "bad"),
    "failing": ("failing", "bad"),
    "expired": ("expired", "warn"),
    "weak": ("not enough yet", "warn"),
    "unmapped": ("not mapped", "bad"),
    "register": ("the register says no", "bad"),
}


def state_word(state: State, gate: str = "") -> tuple[str, str]:
    """The word and its tone; of an answer with a level its level, in the tone of what this gate asks, or every gate."""
    if state.level and state.state in ("met", "below"):
        enough = state.satisfies(gate) if gate else state.satisfied
        return Level.word(state.level).lower(), "ok" if enough else "warn"
    return word_of(state.state)


def drawn_words(facts: Facts, rulebook: ParsedRulebook, key: str, at: datetime) -> str:
    """That the requirement was drawn, when and by which checkpoint, which has so many entries; "" where it is not."""
    if not rulebook.drawn_at(facts.tier):
        return ""
    one = facts.drawn_ahead(key, at) or facts.drawn_at(key, at)
    if one is None:
        return ""
    ahead = " for the next acceptance of production" if one.since is None else ""
    place = (
        f", in place of {rulebook.requirements[one.in_place_of].question}"
        if one.in_place_of in rulebook.requirements
        else ""
    )
    return ended(
        f"Drawn on {clock.local_day(one.drawn_at):%-d %B %Y}{ahead} with checkpoint {one.checkpoint}{place}"
    )


def profile_of(states: dict[str, State], keys: Iterable[str]) -> dict[str, int | str] | None:
    """How many of these answers stand at each level, how many are waived, and until when (ISO day) the first of these.

    None while none stands at a level. Those that are not asked are left out.
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
    """A profile in words: "14 measured, 6 verified, 2 documented, 1 waived until 3 March 2027"; "" for None."""
    if not profile:
        return ""
    parts = [
        f"{profile[level]} {Level.word(level).lower()}" for level in reversed(list(Level)) if level in profile
    ]
    if "waived" in profile:
        until = profile.get("waived_until")
        day = f" until {date.fromisoformat(str(until)):%-d %B %Y}" if until else ""
        parts.append(f"{profile['waived']} waived{day}")
    return ", ".join(parts)


def word_of(state: str) -> tuple[str, str]:
    """The word and its tone by the name of a state."""
    return STATES.get(state, (state.replace("_", " "), ""))
