"""States of requirements as a word with its tone, the same wherever they are shown."""

from collections import Counter
from collections.abc import Iterable

from governance.gates.requirements import State
from governance.vocabulary import Level

# "No", "not reported", "not applicable" and "waived" are four different things (docs/domain.md, invariant 9).
STATES: dict[str, tuple[str, str]] = {
    "met": ("met", "ok"),
    "as_decided": ("as decided", "ok"),
    "not_asked": ("not asked", ""),
    "not_applicable": ("does not apply", ""),
    "waived": ("waived", "lead"),
    "unanswered": ("not answered", "bad"),
    "no": ("no", "bad"),
    "not_reported": ("not reported", "bad"),
    "waiting": ("waits for its seat", "warn"),
    "unknown": ("unknown", "bad"),
    "unproven": ("no evidence", "bad"),
    "voided": ("evidence ended", "bad"),
    "failing": ("failing", "bad"),
    "stale": ("stale", "warn"),
    "weak": ("not enough yet", "warn"),
    "unread": ("waits for a reader", "warn"),
    "unmapped": ("not mapped", "bad"),
    "register": ("the register says no", "bad"),
}
# What votes signed before levels called "met".
FORMER = {"grounded": "met"}


def state_word(state: State, gate: str = "") -> tuple[str, str]:
    """The word and its tone; of an answer with a level its level, in the tone of what this gate asks, or every gate."""
    if state.level and state.state in ("met", "below"):
        enough = state.satisfies(gate) if gate else state.satisfied
        return Level.word(state.level).lower(), "ok" if enough else "warn"
    return word_of(state.state)


def profile_words(states: dict[str, State], keys: Iterable[str]) -> str:
    """How strongly the answers to these requirements stand, such as "14 measured, 6 verified, 2 documented".

    "" under a rulebook without levels. Waived ones are told as such; those that are not asked are left out.
    """
    found = Counter(states[key].level or ("waived" if states[key].state == "waived" else "") for key in keys)
    if not any(found[level] for level in Level):
        return ""
    parts = [f"{found[level]} {Level.word(level).lower()}" for level in reversed(list(Level)) if found[level]]
    return ", ".join([*parts, f"{found['waived']} waived"] if found["waived"] else parts)


def word_of(state: str) -> tuple[str, str]:
    """The word and its tone by the name of a state, which may be one that an old vote names."""
    return STATES.get(FORMER.get(state, state), (state.replace("_", " "), ""))
