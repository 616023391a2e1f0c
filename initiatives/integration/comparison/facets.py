"""Comparison of two definitions of one term by their facets, not by prose. Pure.

A facet that both definitions state and that differs is a conflict. Definitions that differ otherwise, in wording or
on one side alone, are undecided until someone decides. Sources: S1-3, S1-10, S1-11, int.definitions, ADR 0048.
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
    """The meaning of a term in one field of one system.

    A facet that is not stated is blank or missing in `stated`. The `profile` is the field in the newest data profile,
    or None if the definition is about some years alone.
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
        """Return the system and the field, without regard to how they are typed."""
        return _folded(self.system), _folded(self.field)

    @property
    def identifier(self) -> Identifier | None:
        """Return the identifier format that the definition states."""
        return identifier_formats.stated(*(self.stated.get(name, "") for name in IDENTIFIER))

    def __str__(self) -> str:
        years = " ".join(
            f"{word} {day:%Y}" for word, day in (("from", self.valid_from), ("to", self.valid_to)) if day
        )
        return f"{self.system} {self.field}" + (f" ({years})" if years else "")


@dataclass(frozen=True)
class Difference:
    """A facet in which two definitions differ, in words. A difference in wording alone is undecided."""

    facet: str
    words: str

    @property
    def severity(self) -> str:
        """Return BLOCKING for a conflict, and NOTE for an undecided pair."""
        return NOTE if self.facet == WORDING else BLOCKING


def compare(one: Definition, other: Definition) -> list[Difference]:
    """Return the differences of two definitions, none if they agree or differ in term."""
    within = one.place == other.place
    if not within and _folded(one.term) != _folded(other.term):
        return []
    found = _within(one, other) if within else _between(one, other)
    return found or _undecided(one, other)


def against_measure(row: Definition) -> str:
    """Return why the measured field contradicts the definition, or an empty text."""
    declared = row.identifier
    seen = identifier_formats.patterns_of(row.profile or {})
    if declared is None or not seen:
        return ""
    share = declared.share(seen)
    return f"{share:.0%} of the values have this format" if share < ENOUGH else ""


def wrong(stated: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with the facets of a definition, by facet, with the remedy."""
    standard, mask = (stated.get(name, "") for name in IDENTIFIER)
    found = {}
    if standard and standard not in identifier_standards.STANDARDS:
        found["identifier_standard"] = "Choose a standard from the list, or write a mask."
    if mask and standard:
        found["identifier_mask"] = "Choose a standard or write a mask, not both."
    elif mask:
        try:
            masks.read(mask)
        except masks.Unreadable as trouble:
            found["identifier_mask"] = str(trouble)
    return found


def _within(one: Definition, other: Definition) -> list[Difference]:
    """Return the differences of one field of one system in two periods."""
    first, second = sorted((one, other), key=lambda row: row.valid_from or date.min)
    said = list(_counted(first, second))
    if _folded(one.term) != _folded(other.term):
        said.insert(0, f"Term: {_quoted(first.term)} and {_quoted(second.term)}")
    if identifier_formats.differ(first.identifier, second.identifier):
        said.append(f"Identifiers: {_quoted(first.identifier)} and {_quoted(second.identifier)}")
    if not said:
        return []
    both = (first.valid_to or date.max) >= (second.valid_from or date.min)
    when = f"{'at the same time' if both else 'depending on the year'}, {_years(first)} and {_years(second)}"
    words = f"{one.system} {one.field} has two meanings, {when}. {'; '.join(said)}."
    return [Difference("validity", words)]


def _between(one: Definition, other: Definition) -> list[Difference]:
    """Return the differences of one term in two places."""
    found = []
    mine, theirs = (row.identifier or identifier_formats.measured(row.profile) for row in (one, other))
    if identifier_formats.differ(mine, theirs):
        words = f"Identifiers have two formats: {one} {_quoted(mine)}, {other} {_quoted(theirs)}."
        found.append(Difference("identifier_format", words))
    if said := list(_counted(one, other)):
        words = f"{one} and {other} count {one.term} in two ways. {'; '.join(said)}."
        found.append(Difference("business_logic", words))
    return found


def _counted(one: Definition, other: Definition) -> Iterator[str]:
    """Yield the facets of counting that both state and that differ, with both values."""
    for name, words in COUNTING.items():
        mine, theirs = one.stated.get(name, ""), other.stated.get(name, "")
        if mine and theirs and _value(name, mine) != _value(name, theirs):
            yield f"{words}: {_quoted(mine)} and {_quoted(theirs)}"


def _undecided(one: Definition, other: Definition) -> list[Difference]:
    """Return one undecided difference if the definitions state different things."""
    said = [
        f"{words}: {_quoted(mine)} and {_quoted(theirs)}"
        for name, words in (TEXTS | COUNTING | IDENTIFIER).items()
        for mine, theirs in [(_said(one, name), _said(other, name))]
        if _value(name, mine) != _value(name, theirs)
    ]
    if not said:
        return []
    return [
        Difference(WORDING, f"No one has confirmed that {one} and {other} mean the same. {'; '.join(said)}.")
    ]


def _said(row: Definition, name: str) -> str:
    return getattr(row, name) if name in TEXTS else row.stated.get(name, "")


def _value(name: str, text: str) -> object:
    """Return a value for comparison: lists in any order, texts folded, masks parsed."""
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
