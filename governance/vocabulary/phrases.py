"""Texts of modules that are English where they are recorded, and in the reader's language where a page shows them.

Source: docs/adr/0060-translate-pages-with-gettext.md. `gettext` would choose the language at once, and an entry of the
audit log or an answer to a program would then depend on the language of the person who acted.
"""

from datetime import date
from typing import Any, Self

from django.utils import dateformat, timezone
from django.utils.html import escape
from django.utils.translation import get_language, gettext


class Phrase(str):
    """An English text that keeps its message and the values in it. Templates of Django show its translation."""

    message: str
    values: tuple[Any, ...]

    def __new__(cls, text: str, message: str = "", values: tuple[Any, ...] = ()) -> Self:
        """Return the text. `message` is what the catalogue has for it, if that is not the text itself."""
        row = super().__new__(cls, text)
        row.message, row.values = message or text, values
        return row

    def __str__(self) -> str:
        """Return the text itself, because `str` of a subclass would lose the message."""
        return self

    def __html__(self) -> str:
        return escape(self.in_language())

    def in_language(self) -> str:
        """Return the text in the active language. English, the source language, has no catalogue."""
        if (get_language() or "en") == "en":
            return self
        translation = gettext(self.message) if self.message.strip() else self.message
        return translation.format(*map(in_language, self.values)) if self.values else translation


class DayOfYear(str):
    """A day without its year, such as "12 October", that keeps its date."""

    day: date

    def __new__(cls, value: date) -> Self:
        """Return the day in English."""
        row = super().__new__(cls, f"{value:%-d %B}")
        row.day = value
        return row

    def in_language(self) -> str:
        """Return the day in the active language."""
        return dateformat.format(self.day, gettext("j F"))


def phrase(message: str, *values: Any) -> Phrase:
    """Return a text of Plumbline with a value for each `{}` of its message. A date is written with its month."""
    english = [f"{value:%-d %B %Y}" if isinstance(value, date) else value for value in values]
    return Phrase(message.format(*english) if values else message, message, values)


def in_the_future(said: Any, now: Any) -> Phrase:
    """Return the refusal of a day after today, or of a time in words after the time `now` in words.

    The refusal names the day or time that counts, and its time zone. Elsewhere the next day may have begun.
    """
    zone = timezone.get_default_timezone_name()
    if isinstance(said, date):
        return phrase(
            "{} is in the future. Today is {} in the time zone {}. Enter this day or an earlier day.",
            said,
            now,
            zone,
        )
    return phrase(
        "{} is in the future. The time is {} in the time zone {}. Enter an earlier time.", said, now, zone
    )


def joined(*texts: Any) -> Phrase:
    """Return texts of Plumbline as one, with a space between them. Empty texts are left out."""
    found = [text for text in texts if str(text)]
    return Phrase(" ".join(map(str, found)), " ".join("{}" for _ in found), tuple(found))


def label(word: str, *, inside: bool = False) -> Phrase:
    """Return a word of the vocabulary. `inside` a sentence it has small letters in English."""
    return Phrase(word.lower() if inside else word, word)


def in_language(value: Any) -> Any:
    """Return a text of Plumbline in the active language, a date with its month, and any other value as it is."""
    if isinstance(value, date):
        return dateformat.format(value, gettext("j F Y"))
    return value.in_language() if hasattr(value, "in_language") else value
