"""Redaction of secrets in every line of the log, and cutting of long texts.

Plumbline's secrets and texts that look like a secret are blacked out. No code logs a secret on purpose. Redaction is
for exceptions that quote an address with its password, for talkative libraries, and for mistakes. It works on finished
values, tracebacks among them.

A text is cut after its secrets are out, so a cut cannot part a secret. Texts of strangers come here whole, so the time
of each pattern must grow no faster than its text.
"""

import re
from collections.abc import Iterable

from django.conf import settings

BLACK = "[removed]"
LONGEST = 500  # characters of a text, or of a line of a traceback, that are logged
LONGEST_TRACEBACK = 20_000  # characters; the first half and the last
MOST_PARTS = 50  # of a list
SHORTEST = 8  # letters; anything shorter is a word that stands in ordinary sentences too
NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret\w{0,60}|api_?key|signing_?key|private_?key|access_?key|(?:access_?|refresh_?|csrf\w{0,60})?token"
    r"|session(?:id|_?key)|credential\w{0,60}"
)
NAMED = re.compile(rf"(?:^|_)(?:{NAMES}|authorization|cookies?)$", re.IGNORECASE)
PATTERNS = (
    # scheme://user:password@host; also what only begins so is taken whole, and put back
    (
        re.compile(r"(://[^\s/:@]*+:)[^\s@]++(@?)"),
        lambda found: f"{found[1]}{BLACK}@" if found[2] else found[0],
    ),
    # Authorization: Bearer x, and the like
    (re.compile(r"\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/\-]{8,}=*", re.IGNORECASE), rf"\1 {BLACK}"),
    # Cookie: a=b; c=d, to the end of the line
    (re.compile(r"((?:\bcookie|\bauthorization)[\"']?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{BLACK}"),
    # Keys of systems and tokens of the API, by their shape (governance.authorization.service_keys)
    (re.compile(r"\b(pl[kt]_[a-z2-7]{12}_)[A-Za-z0-9_-]{20,}"), rf"\1{BLACK}"),
    # The end of an address that is itself a key: links for passwords, the first admin, calendars, surveys, problems
    (
        re.compile(r"(/(?:password/link|first-admin|calendar|survey|report(?:/answer)?)/)[^\s/'\"?]{8,}"),
        rf"\1{BLACK}",
    ),
    # password=x, 'token': 'x'
    (
        re.compile(
            rf"""((?<![A-Za-z])(?:{NAMES})["']?\s*(?:=|:(?!//))\s*)(?:"[^"]*"|'[^']*'|[^\s,;&)}}\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{BLACK}",
    ),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        BLACK,
    ),
)


class BlackOut:
    """A step of the log that takes secrets out. `own` are texts that must never appear."""

    def __init__(self, own: Iterable[str] = ()):
        known = sorted({text for text in own if len(text) >= SHORTEST}, key=len, reverse=True)
        self._own = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, logger, method, event: dict) -> dict:
        """The same event without secrets, its texts cut."""
        return {
            name: cut(self._value(name, value), of_traceback=name == "exception")
            for name, value in event.items()
        }

    def text(self, words: str) -> str:
        """Return these words without secrets."""
        if self._own is not None:
            words = self._own.sub(BLACK, words)
        for pattern, instead in PATTERNS:
            words = pattern.sub(instead, words)
        return words

    def _value(self, name: str, value):
        if isinstance(name, str) and NAMED.search(name) and value:
            return BLACK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._value(key, part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value("", part) for part in value]
        if value is None or isinstance(value, (bool, int, float)) or name.startswith("_"):
            return value
        return self.text(str(value))


def cut(value, *, of_traceback: bool = False):
    """Return a logged value with its texts cut to LONGEST, and a mark of the length.

    In a traceback each line is cut, and the middle if the traceback is longer than LONGEST_TRACEBACK.
    """
    if isinstance(value, dict):
        return {cut(key): cut(part) for key, part in value.items()}
    if isinstance(value, list):
        more = [f"[{len(value) - MOST_PARTS} more]"] if len(value) > MOST_PARTS else []
        return [*map(cut, value[:MOST_PARTS]), *more]
    if not isinstance(value, str):
        return value
    if of_traceback:
        text, half = "\n".join(map(cut, value.split("\n"))), LONGEST_TRACEBACK // 2
        return (
            text if len(text) <= 2 * half else f"{text[:half]}\n{_mark(len(text) - 2 * half)}\n{text[-half:]}"
        )
    return value if len(value) <= LONGEST else f"{value[:LONGEST]} {_mark(len(value) - LONGEST)}"


def _mark(characters: int) -> str:
    return f"[{characters} characters cut]"


def reason_of(problem: BaseException, longest: int = 1000) -> str:
    """Return an exception's kind and words for people, without secrets. A group has one for each part."""
    parts = problem.exceptions if isinstance(problem, BaseExceptionGroup) else [problem]
    words = "; ".join(f"{type(part).__name__}: {part}" for part in parts)
    return BlackOut(settings.OWN_SECRETS).text(words)[:longest]
