"""An answer to "may I?" that carries its reasons.

The same answer disables a button with its reason beside it and becomes the text of the refusal, so that the
page and the server cannot disagree.
"""

from dataclasses import dataclass

from governance.vocabulary.phrases import Phrase, joined, phrase


def ended(text: str) -> str:
    """Return the text as a sentence, with a full stop unless it ends by itself."""
    return text if text.endswith((".", "?", "!", ".”", "?”")) else phrase("{}.", text)


@dataclass(frozen=True)
class Reason:
    """A reason against an act. `text` is what is missing, `remedy` who can help, `link` where to click.

    Both texts are in English, as the audit log and programs have them. Pages show their translation.
    """

    text: str
    remedy: str = ""
    link: str = ""

    def __post_init__(self) -> None:
        for name in ("text", "remedy"):
            words = getattr(self, name)
            if not isinstance(words, Phrase):
                object.__setattr__(self, name, Phrase(words))

    def __str__(self) -> str:
        return joined(self.text, self.remedy)

    def __html__(self) -> str:
        return joined(self.text, self.remedy).__html__()

    def in_language(self) -> str:
        """Return the reason and its remedy in the active language."""
        return joined(self.text, self.remedy).in_language()


@dataclass(frozen=True)
class Answer:
    """Yes, or no with at least one reason. Truthy exactly when it is yes."""

    ok: bool
    reasons: tuple[Reason, ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "yes" if self.ok else joined(*self.reasons)

    def or_refuse(self) -> None:
        """Raise `Refused` with the reasons, unless the answer is yes."""
        if not self.ok:
            raise Refused(self)


def yes() -> Answer:
    """Return the answer that allows."""
    return Answer(True)


def no(text: str, remedy: str = "", link: str = "") -> Answer:
    """Return the answer that refuses, with a reason: what is missing, the fix, a link."""
    return Answer(False, (Reason(text, remedy, link),))


def all_of(*answers: Answer) -> Answer:
    """Return yes if every answer is yes, otherwise no with every reason, in order."""
    reasons = tuple(reason for answer in answers if not answer for reason in answer.reasons)
    return Answer(False, reasons) if reasons else yes()


class Refused(Exception):
    """A person's act that the rules do not allow. It becomes a page with status 403."""

    status = 403
    recorded = False  # whether the audit log has its entry already

    def __init__(self, answer: Answer | str, remedy: str = "", link: str = ""):
        self.answer = answer if isinstance(answer, Answer) else no(answer, remedy, link)
        super().__init__(str(self.answer))


class Conflict(Refused):
    """The facts changed between looking and acting, because someone else acted first. Status 409."""

    status = 409
