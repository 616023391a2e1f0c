"""Why an answer of a provider is not taken, in words that say how to mend it; and the steps of a round trip."""

from dataclasses import dataclass, field
from typing import Any


class Denied(Exception):
    """Something about a provider or its answer is not right. `words` says what, `mend` what to do, `code` in one word.

    Neither holds a token, a code or a secret: they stand on pages and in the record.
    """

    def __init__(self, code: str, words: str, mend: str):
        super().__init__(f"{words} {mend}")
        self.code, self.words, self.mend = code, words, mend


@dataclass(frozen=True)
class Step:
    """One step of a round trip: what was looked at, whether it was right, and what was seen."""

    name: str
    ok: bool
    words: str
    mend: str = ""

    def plain(self) -> dict[str, Any]:
        """As it is kept for the page of a trial."""
        return {"name": self.name, "ok": self.ok, "words": self.words, "mend": self.mend}


@dataclass
class Steps:
    """What was done so far, for whoever tries a provider; a refusal is the last one."""

    done: list[Step] = field(default_factory=list)

    def ok(self, name: str, words: str) -> None:
        """Note a step that went well."""
        self.done.append(Step(name, True, words))

    def refused(self, name: str, denied: Denied) -> None:
        """Note the step at which it ended."""
        self.done.append(Step(name, False, denied.words, denied.mend))
