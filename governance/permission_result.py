"""An answer to "may I?" that carries its reasons.

The same answer disables a button with its reason beside it and becomes the text of the refusal, so that the
page and the server cannot disagree.
"""

from dataclasses import dataclass


def ended(text: str) -> str:
    """The text as a sentence: with a full stop, unless it ends by itself."""
    return text if text.endswith((".", "?", "!", ".”", "?”")) else f"{text}."


@dataclass(frozen=True)
class Reason:
    """Why not: `text` says what is missing, `remedy` who can provide it, `link` where to click."""

    text: str
    remedy: str = ""
    link: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.remedy}".strip()


@dataclass(frozen=True)
class Answer:
    """Yes, or no with at least one reason. Truthy exactly when it is yes."""

    ok: bool
    reasons: tuple[Reason, ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "yes" if self.ok else " ".join(str(reason) for reason in self.reasons)

    def or_refuse(self) -> None:
        """Pass when yes; otherwise raise `Refused` with the reasons."""
        if not self.ok:
            raise Refused(self)


def yes() -> Answer:
    """The answer that allows."""
    return Answer(True)


def no(text: str, remedy: str = "", link: str = "") -> Answer:
    """The answer that refuses, with one reason: what is missing, who can fix it, and where."""
    return Answer(False, (Reason(text, remedy, link),))


def all_of(*answers: Answer) -> Answer:
    """Yes when every answer is yes; otherwise no with every reason given, in order."""
    reasons = tuple(reason for answer in answers if not answer for reason in answer.reasons)
    return Answer(False, reasons) if reasons else yes()


class Refused(Exception):
    """Somebody asked for an act that the rules do not allow them; becomes a page with status 403."""

    status = 403
    recorded = False  # whether the audit log has its entry already

    def __init__(self, answer: Answer | str, remedy: str = "", link: str = ""):
        self.answer = answer if isinstance(answer, Answer) else no(answer, remedy, link)
        super().__init__(str(self.answer))


class Conflict(Refused):
    """Somebody else was first: the facts moved between looking and acting; status 409."""

    status = 409
