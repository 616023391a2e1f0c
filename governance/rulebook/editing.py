"""A rulebook text with some of its values exchanged: all else, remarks included, stays as it was written. Pure.

A place is the path of a value in the text: ("requirement", "mvp.owner", "fresh_days"), ("gates", "mvp", "quorum"),
("requirement", "mvp.owner", "level", "high"), ("version",). Rows are named by their key, so that a place means the same
in two versions of a text.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.items import Array, InlineTable

from governance.rulebook import schema
from governance.rulebook.source_positions import TextPath
from governance.rulebook.validation import Problem, RulebookErrors, checked

# What can be edited value by value. Keys, stages, moves and what rests on what they are called are edited as a text.
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
# What a requirement to the owner has besides: as a whole, and for each risk tier.
LEVELLED = {name: schema.LEVELLED[name] for name in ("ways", "of_register")}
BY_TIER = ("level", "left_out", "level_at_mvp")
Place = tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A rulebook text that is sound, with its plain tables."""

    source: str
    raw: dict[str, Any]

    def row(self, part: str, key: str = "") -> dict[str, Any] | None:
        """The table of a part: by its key where there are several; None where there is none of that key. What is signed
        is known without being written: a text that says nothing of it asks for a password.
        """
        if part == "signatures" and key in schema.SIGNED_ACTS:
            said: dict[str, Any] = self.raw.get(part, {}).get(key, {})
            return said
        if part in schema.ROWS:
            return next((row for row in self.raw[part] if row["key"] == key), None)
        table: dict[str, Any] = self.raw.get(part, {})
        return table.get(key) if key else table

    def value(self, place: Place) -> Any:
        """The value at a place; None where the text says nothing there."""
        part, *names = place
        found = self.row(part, names.pop(0)) if part in schema.ROWS and names else self.raw.get(part)
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def names(self, among: str) -> list[str]:
        """The words that a field may use, in the order of the text."""
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
    """Raises RulebookErrors."""
    return Text(source, checked(source))


def fields_of(text: Text, part: str) -> dict[str, tuple[str, bool, str]]:
    """The fields of a part that can be edited in this text, each with kind, whether required and names it may use."""
    return PARTS[part] | (LEVELLED if part in schema.ROWS else {})


def with_values(text: Text, values: dict[Place, object]) -> Text:
    """The text with these values in their places; None takes the value away.

    Raises RulebookErrors with the loader's own problems where the new text is not sound, KeyError for a row that the
    text does not have.
    """
    document = document_of(text)
    put(document, text, values)
    return read(document.as_string())


def document_of(text: Text) -> Any:
    """The text as tomlkit reads it. It ends with a line end; tables of one kind that stand apart come together."""
    return tomlkit.parse(text.source.removesuffix("\n") + "\n")


def put(document: Any, text: Text, values: dict[Place, object]) -> None:
    """Write these values into the parsed text; None takes one away. Raises KeyError for a row that is not there."""
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
    """A value as the text says it: tables on one line without what is None, tiers from the lowest to the highest."""
    if not isinstance(value, dict):
        return tomlkit.item(value)
    tiers, table = schema.FIXED["risk tier"], tomlkit.inline_table()
    for name in sorted(value, key=lambda name: tiers.index(name) if name in tiers else len(tiers)):
        if value[name] is not None:
            table[name] = item_of(value[name])
    return table


def _list(table: Any, name: str | int, words: list[Any]) -> None:
    """Exchange a list; only what differs where the rest keeps its order, so that remarks in it stay."""
    array = table[name]
    for word in [word for word in array if word not in words]:
        array.remove(word)
    for place, word in enumerate(words):
        if word not in array:
            array.insert(place, word)
    if array != words:
        table[name] = tomlkit.item(words)


def problems_at(
    text: Text, errors: RulebookErrors, part: str, key: str = "", fields: Collection[str] = ()
) -> dict[str, list[Problem]]:
    """The problems by the field of one part that they concern; "" for those that lie elsewhere.

    `fields`: what else has a field besides what `fields_of` names. That a seat without a criterion cannot sign at a
    gate concerns the seat of the criterion that was edited.
    """
    known = {*fields_of(text, part), *fields}
    gate = str(text.value((part, key, "gate"))) if part == "criterion" else ""
    found: dict[str, list[Problem]] = {}
    for problem in errors.problems:
        path = problem.path
        if path[:1] == (part,) and part in schema.ROWS:
            mine = problem.key == f"{part} {key}"
        else:
            mine = path[: 2 if key else 1] == ((part, key) if key else (part,))
        name = next((str(one) for one in path[1:] if one in known), "") if mine else ""
        if gate and path[:2] == ("gates", gate):
            name = "seat"
        found.setdefault(name, []).append(problem)
    return found


def path_of(text: Text, place: Place) -> TextPath:
    """The place as the text counts it. Raises KeyError for a row that it does not have."""
    if len(place) > 1 and place[0] in schema.ROWS:
        rows = text.raw[place[0]]
        number = next((n for n, row in enumerate(rows) if row["key"] == place[1]), None)
        if number is None:
            raise KeyError(place[1])
        return (place[0], number, *place[2:])
    return place
