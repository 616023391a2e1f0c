"""Changes to the requirements of a rulebook text, their levels and their criteria. Pure.

An addition that is removed again leaves every other line as it was.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import tomlkit

from governance.rulebook.editing import Place, Text, document_of, item_of, put, read
from governance.rulebook.parsed_rulebook import ParsedRulebook, Requirement
from governance.rulebook.validation import Problem, RulebookErrors
from governance.vocabulary import Stage

# The lists that say what becomes of an answer after a promotion; in none of them it must stay current.
FATES = ("frozen_at_mvp", "live_at_production", "frozen_at_production", "ended_at_production")
REPLACED = "replaced_at_production"


@dataclass(frozen=True)
class Asked:
    """The level that a gate asks at a tier, or "" with the reason to leave it out."""

    level: str
    why: str = ""


@dataclass(frozen=True)
class Reference:
    """One place that names a requirement: a criterion, test, fate or replacement.

    `key` is the key of that criterion, test or list. `last` is True if the place names only this requirement. The
    place is then emptied or refused.
    """

    kind: str
    key: str
    last: bool = False


def fates_of(stage: str) -> tuple[str, ...]:
    """Return the lists in which an answer of this stage need not stay current."""
    if stage == Stage.PROTOTYPE:
        return FATES[:1]
    return FATES[1:] if stage == Stage.MVP else FATES[2:3]


def with_requirement(
    text: Text, row: Mapping[str, Any], *, asked_by: Collection[str], fate: str = ""
) -> Text:
    """Return the text with one more requirement, after those of its stage and group.

    The criteria `asked_by` ask for it. A criterion of a scale test asks by an item of that test. `row` has its values
    by field, without missing ones. `fate` is one of `fates_of`, or "" if its answer must stay current. Raises
    RulebookErrors, whose problems `problems_at` sorts by field.
    """
    key = str(row["key"])
    values: dict[Place, object] = {}
    for place in dict.fromkeys(list_of(text, criterion) for criterion in asked_by):
        values[place] = [*(text.value(place) or ()), key]
    if fate:
        values[("carry_forward", fate)] = [*text.value(("carry_forward", fate)), key]
    known = [row for row in text.raw["requirement"] if row["key"] == key]
    if known:
        at = next(n for n, one in enumerate(text.raw["requirement"]) if one is known[0])
        what = f"the requirement {key} already exists: “{known[0]['question']}”"
        raise RulebookErrors(
            [Problem(1, f"requirement {key}", what, "choose another key.", ("requirement", at, "key"))]
        )
    document = document_of(text)
    put(document, text, values)
    _insert(document, text, row)
    return read(document.as_string())


def without_requirement(text: Text, key: str) -> Text:
    """Return the text without this requirement and without the references to it.

    Raises RulebookErrors if another part needs it, KeyError if the key is unknown.
    """
    if text.row("requirement", key) is None:
        raise KeyError(key)
    _refuse(_bereft(text, key))
    values: dict[Place, object] = {}
    for one in references(text, key):
        place = _place_of(text, one)
        if one.kind == "replaced":
            values[place] = None
        else:
            left = [word for word in text.value(place) if word != key]
            values[place] = None if one.last and one.kind == "criterion" else left
    document = document_of(text)
    put(document, text, values)
    document["requirement"].remove(text.row("requirement", key))
    return read(document.as_string())


def references(text: Text, key: str) -> list[Reference]:
    """Return every place that names this requirement, in the order of the text."""
    found = [
        Reference("criterion", row["key"], row["requirements"] == [key])
        for row in text.raw["criterion"]
        if key in row.get("requirements", ())
    ]
    for name, test in text.raw["scale_tests"].items():
        if key in test["items"]:
            found.append(Reference("scale test", name, test["items"] == [key]))
    carry = text.raw["carry_forward"]
    found += [Reference("fate", name) for name in FATES if key in carry[name]]
    return found + [Reference("replaced", old) for old, new in carry[REPLACED].items() if key in (old, new)]


def asked_of(row: Requirement, gate: str, tier: str) -> Asked:
    """Return what a gate asks of this requirement at this tier."""
    if tier in row.left_out:
        return Asked("", row.left_out[tier])
    return Asked(row.level_for(tier, gate))


def places_of(
    rulebook: ParsedRulebook, gate: str, tier: str, asked: Mapping[str, Asked]
) -> dict[Place, object]:
    """Return the changes by place that make this gate ask so at this tier.

    Other gates stay as they are. A requirement that is left out is left out at every gate, and one that is asked
    again is asked by all that name it. Raises KeyError for a requirement that the rulebook does not have.
    """
    values: dict[Place, object] = {}
    for key, wanted in asked.items():
        row = rulebook.requirements[key]
        now = asked_of(row, gate, tier)
        if wanted == now:
            continue
        place: Place = ("criterion" if row.own_of else "requirement", key)
        if not wanted.level:
            values[(*place, "left_out", tier)] = wanted.why
            values |= {(*place, name, tier): None for name in ("level", "level_at_mvp")}
            continue
        at_mvp = _at_mvp(rulebook, row)
        general, special = row.level.get(tier), row.level_at_mvp.get(tier)
        if not now.level:
            general, special = wanted.level, None
        elif gate == Stage.MVP and at_mvp == "also":
            special = None if wanted.level == general else wanted.level
        else:
            if at_mvp == "also" and special is None:
                special = general
            general = wanted.level
            if special == general or at_mvp == "only":
                special = None
        values |= {
            (*place, "level", tier): general,
            (*place, "level_at_mvp", tier): special,
            (*place, "left_out", tier): None,
        }
    return {place: value for place, value in values.items() if _value_in(rulebook, place) != value}


def _at_mvp(rulebook: ParsedRulebook, row: Requirement) -> str:
    """Return "only" or "also" if the gate to MVP asks for it, alone or with others."""
    gates = rulebook.gates_asking(row.key)
    if Stage.MVP not in gates:
        return ""
    return "also" if len(gates) > 1 else "only"


def _value_in(rulebook: ParsedRulebook, place: Place) -> object:
    return getattr(rulebook.requirements[place[1]], place[2]).get(place[3])


def gates_asking(text: Text, key: str) -> list[str]:
    """Return the gates with a criterion that asks for it, or that it belongs to."""
    rows = [
        row
        for row in text.raw["criterion"]
        if (row["key"] == key and "evidence" in row) or key in (text.value(list_of(text, row["key"])) or ())
    ]
    return list(dict.fromkeys(row["gate"] for row in rows))


def list_of(text: Text, criterion: str) -> Place:
    """Return the place where a criterion or its scale test lists requirements. Raises KeyError."""
    row = text.row("criterion", criterion)
    if row is None:
        raise KeyError(criterion)
    if "scale_test" in row:
        return ("scale_tests", row["scale_test"], "items")
    return ("criterion", criterion, "requirements")


def _place_of(text: Text, reference: Reference) -> Place:
    return {
        "criterion": ("criterion", reference.key, "requirements"),
        "scale test": ("scale_tests", reference.key, "items"),
        "fate": ("carry_forward", reference.key),
        "replaced": ("carry_forward", REPLACED, reference.key),
    }[reference.kind]


def _bereft(text: Text, key: str) -> Iterable[Problem]:
    """Yield a problem for each part that needs this requirement."""
    for one in references(text, key):
        if one.kind == "criterion" and one.last:
            row = text.row("criterion", one.key) or {}
            if "evidence" not in row and "scale_test" not in row:
                yield _empty(text, one.key)


def _empty(text: Text, criterion: str) -> Problem:
    question = (text.row("criterion", criterion) or {}).get("question", criterion)
    return Problem(
        1,
        f"criterion {criterion}",
        f"“{question}” has no other requirement.",
        "first add another requirement to this criterion, or remove the criterion from the text.",
        ("criterion", criterion, "requirements"),
    )


def _refuse(problems: Iterable[Problem]) -> None:
    problems = list(problems)
    if problems:
        raise RulebookErrors(problems)


def _insert(document: Any, text: Text, row: Mapping[str, Any]) -> None:
    """Insert the row after the last of its stage and group, of its stage, or of all."""
    rows = text.raw["requirement"]
    for same in (("stage", "group"), ("stage",), ()):
        near = [n for n, one in enumerate(rows) if all(one[name] == row.get(name) for name in same)]
        if near:
            break
    table = tomlkit.table()
    for name, value in row.items():
        table[name] = item_of(value)
    table.add(tomlkit.nl())
    document["requirement"].insert(near[-1] + 1, table)
