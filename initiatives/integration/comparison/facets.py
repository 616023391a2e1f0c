"""Comparison of two definitions of one term by their facets; no prose is read. Pure.

Facets that both state and that differ are a conflict. Definitions that say anything otherwise, in their words or on one
side alone, are undecided until somebody calls them the same. Sources: S1-3, S1-10, S1-11; int.definitions; ADR 0048.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from initiatives.integration.comparison import identifier_formats, identifier_standards, masks
from initiatives.integration.comparison.identifier_formats import Identifier
from initiatives.integration.measurement.patterns import ENOUGH
from initiatives.models.integration.definitions import COUNTING, IDENTIFIER, WORDING

BLOCKING, NOTE = "blocking", "note"
LISTS = ("includes", "excludes")
TEXTS = {"meaning": "Meaning", "business_logic": "Business logic", "identifier_format": "Identifier format"}
LONGEST_QUOTE = 200  # characters of a text in the words of a difference


@dataclass(frozen=True)
class Definition:
    """What one field of one system means by a term. `stated`: by facet, blank or missing where it says nothing.

    `profile`: what the newest data profile says of the field, unless the definition is about some years alone.
    """

    term: str
    system: str
    field: str
    meaning: str = ""
    identifier_format: str = ""
    business_logic: str = ""
    stated: Mapping[str, str] = dataclasses.field(default_factory=dict)
    valid_from: date | None = None
    valid_to: date | None = None
    profile: Mapping[str, Any] | None = None

    @property
    def place(self) -> tuple[str, str]:
        """System and field, however they are typed."""
        return _folded(self.system), _folded(self.field)

    @property
    def identifier(self) -> Identifier | None:
        """How its identifiers are written, as it states."""
        return identifier_formats.stated(*(self.stated.get(name, "") for name in IDENTIFIER))

    def __str__(self) -> str:
        years = " ".join(
            f"{word} {day:%Y}" for word, day in (("from", self.valid_from), ("to", self.valid_to)) if day
        )
        return f"{self.system} {self.field}" + (f" ({years})" if years else "")


@dataclass(frozen=True)
class Difference:
    """That two definitions differ in a facet, in words that name both sides; in their wording alone it is undecided."""

    facet: str
    words: str

    @property
    def severity(self) -> str:
        """A conflict blocks; what is undecided is a note."""
        return NOTE if self.facet == WORDING else BLOCKING


def compare(one: Definition, other: Definition) -> list[Difference]:
    """The conflicts of two definitions, or that they are undecided; empty where they say the same, or of two terms."""
    within = one.place == other.place
    if not within and _folded(one.term) != _folded(other.term):
        return []
    found = _within(one, other) if within else _between(one, other)
    return found or _undecided(one, other)


def against_measure(row: Definition) -> str:
    """Why its field was measured otherwise than it states; empty where it was not, or one of both is unknown."""
    declared = row.identifier
    seen = identifier_formats.patterns_of(row.profile or {})
    if declared is None or not seen:
        return ""
    share = declared.share(seen)
    return f"{share:.0%} of the values are written so" if share < ENOUGH else ""


def wrong(stated: Mapping[str, str]) -> dict[str, str]:
    """What cannot stand in the facets of a definition, by facet, with how to fix it."""
    standard, mask = (stated.get(name, "") for name in IDENTIFIER)
    found = {}
    if standard and standard not in identifier_standards.STANDARDS:
        found["identifier_standard"] = "Choose a standard of the list, or write a mask."
    if mask and standard:
        found["identifier_mask"] = "Name the standard or write a mask, not both."
    elif mask:
        try:
            masks.read(mask)
        except masks.Unreadable as trouble:
            found["identifier_mask"] = str(trouble)
    return found


def _within(one: Definition, other: Definition) -> list[Difference]:
    """One field of one system: what it means in two periods."""
    first, second = sorted((one, other), key=lambda row: row.valid_from or date.min)
    said = list(_counted(first, second))
    if _folded(one.term) != _folded(other.term):
        said.insert(0, f"Term: {_quoted(first.term)} and {_quoted(second.term)}")
    if identifier_formats.differ(first.identifier, second.identifier):
        said.append(f"Identifiers: {_quoted(first.identifier)} and {_quoted(second.identifier)}")
    if not said:
        return []
    both = (first.valid_to or date.max) >= (second.valid_from or date.min)
    when = f"{'at once' if both else 'depending on the year'}, {_years(first)} and {_years(second)}"
    words = f"{one.system} {one.field} has two meanings {when}. {'; '.join(said)}."
    return [Difference("validity", words)]


def _between(one: Definition, other: Definition) -> list[Difference]:
    """One term in two places."""
    found = []
    mine, theirs = (row.identifier or identifier_formats.measured(row.profile) for row in (one, other))
    if identifier_formats.differ(mine, theirs):
        words = f"Identifiers are written in two ways: {one} {_quoted(mine)}, {other} {_quoted(theirs)}."
        found.append(Difference("identifier_format", words))
    if said := list(_counted(one, other)):
        words = f"{one.term} is counted in two ways, by {one} and {other}. {'; '.join(said)}."
        found.append(Difference("business_logic", words))
    return found


def _counted(one: Definition, other: Definition) -> Iterator[str]:
    """The facets of counting that both state and that differ, with both values."""
    for name, words in COUNTING.items():
        mine, theirs = one.stated.get(name, ""), other.stated.get(name, "")
        if mine and theirs and _value(name, mine) != _value(name, theirs):
            yield f"{words}: {_quoted(mine)} and {_quoted(theirs)}"


def _undecided(one: Definition, other: Definition) -> list[Difference]:
    """That they say something otherwise, and that nobody can tell from it whether they mean the same."""
    said = [
        f"{words}: {_quoted(mine)} and {_quoted(theirs)}"
        for name, words in (TEXTS | COUNTING | IDENTIFIER).items()
        for mine, theirs in [(_said(one, name), _said(other, name))]
        if _value(name, mine) != _value(name, theirs)
    ]
    if not said:
        return []
    return [Difference(WORDING, f"Nobody has called {one} and {other} the same. {'; '.join(said)}.")]


def _said(row: Definition, name: str) -> str:
    return getattr(row, name) if name in TEXTS else row.stated.get(name, "")


def _value(name: str, text: str) -> object:
    """A value as it is compared: lists in any order, texts in any case and spacing, masks however they are written."""
    if name in LISTS:
        return frozenset(filter(None, map(_folded, re.split(r"[,;\n]", text))))
    if name == "identifier_mask" and text:
        return masks.read(text)
    return _folded(text)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _quoted(said: object) -> str:
    text = " ".join(str(said).split())
    if len(text) > LONGEST_QUOTE:
        text = f"{text[:LONGEST_QUOTE]}…"
    return f"“{text}”" if text else "nothing"


def _years(row: Definition) -> str:
    days = (("from", row.valid_from), ("to", row.valid_to))
    return " ".join(f"{word} {day:%-d %B %Y}" for word, day in days if day) or "in all years"
