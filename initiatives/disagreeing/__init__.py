"""Where two definitions of business terms disagree: worked out from what they say, without a database.

Sources: S1-3, S1-10, S1-11; rulebook, int.definitions. Each conflict has a facet, a severity and words that name both
sides. Unknown is no conflict; the same in other words is none. Whether what is said is enough is weighed (weighing.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from initiatives.disagreeing import keys, logic, meanings, weighing
from initiatives.disagreeing.tables import words
from initiatives.disagreeing.vocabulary import fold

BLOCKING, NOTE = "blocking", "note"
# Column names that every table has: alone they are no reason to take one thing for another.
EVERYWHERE = words("""
id key code no nr num number name title label date day time datum status state type kind category class
description desc text comment remark note value amount price quantity qty count version flag active
deleted country city street address zip region unit uom currency language lang email mail phone tel url
owner user year month week level rank position pos line seq sequence row uuid guid source ref reference
reason result start end from to begin updated created changed modified timestamp ts at by on is has
valid field column nummer bezeichnung betrag menge preis wert art typ beschreibung bemerkung statut nom
montant libelle numero total sum group order_by
weight width height length depth size colour color volume lat lon latitude longitude gender sex sexe
geschlecht birth birthdate dob age iban bic vat ean gtin barcode priority severity score rating percent
pct share rate duration minutes hours days period quarter fiscal unitprice discount tax total net gross
balance budget costs amt sum contact first last middle surname firstname lastname
vorname nachname prenom number hnr plz ort land strasse pays ville rue code2 code3 iso
parent path file filename hash checksum format mime channel origin destination target
department dept team unit location
 region remarks notes bemerkungen menge anzahl datum zeit uhrzeit wahrung
approved closed opened changed modified author creator editor deletedat isactive enabled valid flags
due expiry method mode stage phase category subcategory
""")
# From these odds on (as their logarithm) the weighed signs are enough: of two rules, of two things, of one thing. Put
# where sets left out miss about as many as they name for nothing.
ANOTHER_RULE, TWO_THINGS, ONE_THING = -0.4, 0.0, 0.0
WORDS_OF_FIELD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Definition:
    """What one field of one system means by a term, and what was measured of it."""

    term: str
    system: str
    field: str
    meaning: str = ""
    identifier_format: str = ""
    business_logic: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    profile: Mapping | None = None

    @property
    def place(self) -> tuple[str, str]:
        """System and field, however they are typed."""
        return fold(self.system).strip(), fold(self.field).strip()

    def __str__(self) -> str:
        years = ""
        if self.valid_from or self.valid_to:
            start = f"from {self.valid_from:%Y}" if self.valid_from else ""
            end = f"to {self.valid_to:%Y}" if self.valid_to else ""
            years = f" ({' '.join(filter(None, (start, end)))})"
        return f"{self.system} {self.field}{years}"


@dataclass(frozen=True)
class Conflict:
    """One facet in which two definitions disagree."""

    facet: str
    severity: str
    words: str


def find(one: Definition, other: Definition) -> list[Conflict]:
    """The conflicts between two definitions, each facet once; empty where they agree or too little is said."""
    if one.place == other.place:
        return _within(one, other)
    if meanings.same_term(one.term, other.term):
        return _of_one_term(one, other)
    return _of_two_terms(one, other)


def _within(one: Definition, other: Definition) -> list[Conflict]:
    """One field of one system: whether it means one thing all the time."""
    first, second = sorted((one, other), key=lambda row: row.valid_from or date.min)
    why = ""
    if not meanings.same_term(one.term, other.term) and not meanings.synonyms(one.term, other.term):
        why = f"{first.term} first, {second.term} then"
    why = why or keys.clash(first, second) or _other_rule(first, second, within=True)
    why = why or _other_meaning(first, second)
    if not why:
        return []
    both = _overlap(first, second)
    words = (
        f"{one.system} {one.field} has two meanings "
        + ("at once" if both else "depending on the year")
        + f": {_short(first)} and {_short(second)} ({why})."
    )
    return [Conflict("validity", BLOCKING, words)]


def _other_rule(one: Definition, other: Definition, *, within: bool) -> str:
    """Why the rules of counting differ, where all signs of it taken together are enough."""
    mine, theirs = one.business_logic, other.business_logic
    if not (mine.strip() and theirs.strip()) or fold(mine).split() == fold(theirs).split():
        return ""
    if weighing.rule(mine, theirs, within=within) <= ANOTHER_RULE:
        return ""
    return logic.of_logic(mine, theirs, strict=within) or weighing.stands_alone(mine, theirs)


def _other_meaning(one: Definition, other: Definition) -> str:
    """Why the meanings differ: of one field, as strictly as rules of counting where there are no such rules."""
    alone = not (one.business_logic.strip() and other.business_logic.strip())
    if why := meanings.of_meaning(one.meaning, other.meaning):
        return why
    if alone:
        return logic.of_logic(one.meaning, other.meaning, strict=True)
    whole, whole_other = (f"{row.meaning}; {row.business_logic}" for row in (one, other))
    return logic.contradicts(whole, whole_other)


def _overlap(first: Definition, second: Definition) -> bool:
    return (first.valid_to or date.max) >= (second.valid_from or date.min)


def _of_one_term(one: Definition, other: Definition) -> list[Conflict]:
    """One term in two places: the same kind of thing, written and counted alike?"""
    counted = meanings.of_meaning(one.meaning, other.meaning)
    if not counted and _two_things(one, other):  # payer against account: one thing, counted as two
        words = f"{one.term} is not one thing: {_says(one, one.meaning)}, {_says(other, other.meaning)}."
        return [Conflict("same_name", BLOCKING, words)]
    found = _format_conflict(one, other)
    why = _other_rule(one, other, within=False) or counted
    if why:
        mine = one.business_logic if one.business_logic and other.business_logic else one.meaning
        theirs = other.business_logic if one.business_logic and other.business_logic else other.meaning
        words = f"{one.term} is counted in two ways ({why}): {_says(one, mine)}, {_says(other, theirs)}."
        found.append(Conflict("business_logic", BLOCKING, words))
    return found


def _two_things(one: Definition, other: Definition) -> bool:
    """Whether two meanings of one term are of two kinds of thing."""
    if not one.meaning.strip() or not other.meaning.strip():
        return False
    return weighing.two_things(one, other) > TWO_THINGS


def _one_thing(one: Definition, other: Definition) -> bool:
    """Whether two meanings of two terms are of one thing."""
    if not one.meaning.strip() or not other.meaning.strip():
        return False
    return weighing.one_thing(one, other) > ONE_THING


def _of_two_terms(one: Definition, other: Definition) -> list[Conflict]:
    """Two terms: are they one thing under two names, or two things under one column's name?"""
    ordinary = _ordinary(one.field) and _ordinary(other.field)
    synonyms = meanings.synonyms(one.term, other.term) and not meanings.other_kind(
        one.meaning, other.meaning, term=one.term
    )
    if synonyms or (not ordinary and _one_thing(one, other)):
        if logic.of_logic(one.business_logic, other.business_logic) and not synonyms:
            return []
        words = (
            f"{one.term} ({one}) and {other.term} ({other}) are one thing under two names: “{one.meaning}”."
        )
        return [Conflict("other_name", NOTE, words), *_format_conflict(one, other)]
    if not ordinary and fold(one.field) == fold(other.field):
        words = (
            f"Both call a column {one.field}, for two things: "
            f"{_says(one, one.meaning)} ({one.term}), {_says(other, other.meaning)} ({other.term})."
        )
        return [Conflict("same_name", NOTE, words)]
    return []


def _ordinary(name: str) -> bool:
    """Whether a column's name is one that every table has."""
    parts = [part.lower() for part in WORDS_OF_FIELD.findall(name)]
    return all(part in EVERYWHERE or part.isdigit() for part in parts)


def _format_conflict(one: Definition, other: Definition) -> list[Conflict]:
    why = keys.clash(one, other)
    if not why:
        return []
    words = (
        f"Identifiers do not match ({why}): {_says(one, _format_of(one))}, {_says(other, _format_of(other))}."
    )
    return [Conflict("identifier_format", BLOCKING, words)]


def against_measure(row: Definition) -> str:
    """Why its field was measured otherwise than it is declared; empty where it was not, or one of both is unknown."""
    if not row.identifier_format.strip() or not row.profile:
        return ""
    return keys.clash(replace(row, profile=None), replace(row, identifier_format=""))


def _format_of(row: Definition) -> str:
    patterns = (row.profile or {}).get("patterns") or {}
    seen = max(patterns, key=patterns.get) if patterns else ""
    if row.identifier_format and seen:
        return f"{row.identifier_format}, measured mostly {seen}"
    return row.identifier_format or (f"measured mostly {seen}" if seen else "")


def _says(row: Definition, words: str) -> str:
    return f"{row} says “{words}”" if words else f"{row} says nothing"


def _short(row: Definition) -> str:
    start = f"from {row.valid_from:%-d %B %Y}" if row.valid_from else ""
    end = f"to {row.valid_to:%-d %B %Y}" if row.valid_to else ""
    years = " ".join(filter(None, (start, end)))
    said = row.meaning if row.meaning else row.business_logic or row.identifier_format
    return f"“{said}”" + (f" {years}" if years else "")


__all__ = ["BLOCKING", "NOTE", "Conflict", "Definition", "against_measure", "find", "replace"]
