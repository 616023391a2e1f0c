"""Values of a rulebook text exchanged, without other changes.

A place is the path of a value in the text: ("requirement", "mvp.owner", "fresh_days"), ("gates", "mvp", "quorum"),
("requirement", "mvp.owner", "level", "high"), ("version",). Rows are named by their key, so that a place means the same
in two versions of a text.
"""

from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.items import Array, InlineTable

from governance.rulebook import schema
from governance.rulebook.source_positions import TextPath
from governance.rulebook.validation import checked

# The fields that tests exchange value by value.
PARTS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "freshness": schema.FRESHNESS,
    "levels": schema.LEVELS,
    "signatures": dict.fromkeys(schema.FIXED["risk tier"], ("text", False, "signature strength")),
    "stages": {
        name: schema.STAGE[name] for name in ("max_days_before_review", "reattest_days", "reattest_days_high")
    },
    "gates": {
        name: schema.GATE[name] for name in ("title", "quorum", "quorum_high_risk", "must_include", "note")
    },
    "criterion": {
        name: schema.CRITERION[name]
        for name in (
            "question",
            "counts",
            "requirements",
            "seat",
            "severity",
            "waivable",
            "due_days",
            "emergency_due_days",
            "evidence",
            "fresh_days",
            "fresh_days_minimal",
            "triggers",
        )
    },
    "requirement": {
        name: schema.REQUIREMENT[name]
        for name in (
            "question",
            "counts",
            "evidence",
            "tested",
            "each",
            "min_evidence",
            "min_condition",
            "fresh_days",
            "fresh_days_minimal",
            "fresh_days_high_risk",
            "triggers",
            "why_fresh",
            "severity",
            "waivable",
            "answered_by",
            "grace_days",
        )
    },
}
# The lists that say what becomes of an answer after a promotion.
FATES = ("frozen_at_mvp", "live_at_production", "frozen_at_production", "ended_at_production")
Place = tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A rulebook text that is sound, with its plain tables."""

    source: str
    raw: dict[str, Any]

    def row(self, part: str, key: str = "") -> dict[str, Any] | None:
        """Return the table of a part, by its key if it has several, or None.

        An act without an entry in `signatures` has an empty table, because it asks for a password.
        """
        if part == "signatures" and key in schema.SIGNED_ACTS:
            said: dict[str, Any] = self.raw.get(part, {}).get(key, {})
            return said
        if part in schema.ROWS:
            return next((row for row in self.raw[part] if row["key"] == key), None)
        table: dict[str, Any] = self.raw.get(part, {})
        return table.get(key) if key else table

    def value(self, place: Place) -> Any:
        """Return the value at a place, or None if the text has no value there."""
        part, *names = place
        found = self.row(part, names.pop(0)) if part in schema.ROWS and names else self.raw.get(part)
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def names(self, among: str) -> list[str]:
        """Return the words that a field may use, in the order of the text."""
        tables = {
            "trigger": "triggers",
            "seat": "seats",
            "layer": "layers",
            "evidence kind": "evidence_kinds",
        }
        if among in tables:
            return list(self.raw[tables[among]])
        if among == "requirement":
            own = [row["key"] for row in self.raw["criterion"] if "evidence" in row]
            return [row["key"] for row in self.raw["requirement"]] + own
        return list(schema.STRENGTHS if among == "signature strength" else schema.FIXED[among])


def read(source: str) -> Text:
    """Return the checked text. Raises RulebookErrors."""
    return Text(source, checked(source))


def with_values(text: Text, values: dict[Place, object]) -> Text:
    """Return the text with these values in their places. A value of None is removed.

    Raises RulebookErrors with the loader's problems if the new text is not sound, KeyError for a row that the text
    does not have.
    """
    document = document_of(text)
    put(document, text, values)
    return read(document.as_string())


def document_of(text: Text) -> Any:
    """Return the text as tomlkit reads it, with a line end. Tables of one kind are joined."""
    return tomlkit.parse(text.source.removesuffix("\n") + "\n")


def put(document: Any, text: Text, values: dict[Place, object]) -> None:
    """Write these values into the parsed text, None to remove. Raises KeyError."""
    for place, value in values.items():
        *parents, name = path_of(text, place)
        if value == text.value(place):
            continue
        table = document
        for depth, step in enumerate(parents):
            if isinstance(step, str) and step not in table:
                table[step] = tomlkit.inline_table() if depth else tomlkit.table()
            outer, within, table = table, step, table[step]
        if isinstance(table, InlineTable):
            outer[within] = item_of({**table.unwrap(), name: value})
            if not outer[within]:
                del outer[within]
        elif value is None:
            table.pop(name, None)
        elif not (isinstance(value, list) and isinstance(table.get(name), Array)):
            table[name] = item_of(value)
        else:
            _list(table, name, value)


def item_of(value: Any) -> Any:
    """Return a value as TOML: tables on one line without None, tiers from the lowest."""
    if not isinstance(value, dict):
        return tomlkit.item(value)
    tiers, table = schema.FIXED["risk tier"], tomlkit.inline_table()
    for name in sorted(value, key=lambda name: tiers.index(name) if name in tiers else len(tiers)):
        if value[name] is not None:
            table[name] = item_of(value[name])
    return table


def _list(table: Any, name: str | int, words: list[Any]) -> None:
    """Exchange a list. If the rest keeps its order, only the difference is written."""
    array = table[name]
    for word in [word for word in array if word not in words]:
        array.remove(word)
    for place, word in enumerate(words):
        if word not in array:
            array.insert(place, word)
    if array != words:
        table[name] = tomlkit.item(words)


def path_of(text: Text, place: Place) -> TextPath:
    """Return the place with row numbers as in the text. Raises KeyError for an unknown row."""
    if len(place) > 1 and place[0] in schema.ROWS:
        rows = text.raw[place[0]]
        number = next((n for n, row in enumerate(rows) if row["key"] == place[1]), None)
        if number is None:
            raise KeyError(place[1])
        return (place[0], number, *place[2:])
    return place


def without_requirement(text: Text, key: str) -> Text:
    """The text without this requirement and whatever names it. Raises RulebookErrors where another part needs it."""
    values: dict[Place, object] = {}
    places: list[Place] = [("criterion", row["key"], "requirements") for row in text.raw["criterion"]]
    places += [("scale_tests", name, "items") for name in text.raw["scale_tests"]]
    for place in (*places, *(("carry_forward", name) for name in FATES)):
        listed = text.value(place) or ()
        if key in listed:
            left = [word for word in listed if word != key]
            values[place] = left or (None if place[0] == "criterion" else [])
    replaced = text.raw["carry_forward"]["replaced_at_production"]
    values |= {
        ("carry_forward", "replaced_at_production", old): None
        for old, new in replaced.items()
        if key in (old, new)
    }
    document = document_of(text)
    put(document, text, values)
    document["requirement"].remove(text.row("requirement", key))
    return read(document.as_string())
