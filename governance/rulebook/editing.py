"""A rulebook text with some of its values exchanged: everything else, remarks included, stays as it was written. Pure.

A place is the path of a value in the text: ("requirement", "mvp.owner", "fresh_days"), ("gates", "mvp", "quorum"),
("version",). Rows are named by their key, so that a place means the same in two versions of a text.
"""

import json
from dataclasses import dataclass
from typing import Any

from governance.rulebook import schema
from governance.rulebook.source_positions import TextPath, spans_of
from governance.rulebook.validation import Problem, RulebookErrors, checked

# What can be edited value by value. Keys, stages, moves and what rests on what they are called are edited as a text.
PARTS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "freshness": schema.FRESHNESS,
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
Place = tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A rulebook text that is sound, with its plain tables."""

    source: str
    raw: dict[str, Any]

    def row(self, part: str, key: str = "") -> dict[str, Any] | None:
        """The table of a part: by its key where there are several; None where there is none of that key."""
        if part in schema.ROWS:
            return next((row for row in self.raw[part] if row["key"] == key), None)
        table: dict[str, Any] = self.raw.get(part, {})
        return table.get(key) if key else table

    def value(self, place: Place) -> Any:
        """The value at a place; None where the text says nothing there."""
        if len(place) == 1:
            return self.raw.get(place[0])
        part, *key, name = place
        row = self.row(part, *key)
        return row.get(name) if row else None

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
        return list(schema.FIXED[among])


def read(source: str) -> Text:
    """Raises RulebookErrors."""
    return Text(source, checked(source))


def with_values(text: Text, values: dict[Place, object]) -> Text:
    """The text with these values in their places; None takes the value away.

    Raises RulebookErrors with the loader's own problems where the new text is not sound.
    """
    source, spans = text.source, spans_of(text.source)
    moves: list[tuple[int, int, str]] = []
    for place, value in values.items():
        path = _path(text, place)
        said = "" if value is None else f"{path[-1]} = {_toml(value)}\n"
        if path in spans:
            start, end = spans[path]
            moves.append((start, end, said))
        elif said:
            end = max(stop for other, (_, stop) in spans.items() if _in_table(other, path[:-1]))
            glue = "" if source[:end].endswith("\n") else "\n"
            moves.append((end, end, glue + said))
    for start, end, said in sorted(moves, key=lambda move: move[:2], reverse=True):
        source = source[:start] + said + source[end:]
    return read(source)


def problems_at(text: Text, errors: RulebookErrors, part: str, key: str = "") -> dict[str, list[Problem]]:
    """The problems by the field of one part that they concern; "" for those that lie elsewhere."""
    found: dict[str, list[Problem]] = {}
    for problem in errors.problems:
        path = problem.path
        if path[:1] == (part,) and part in schema.ROWS and len(path) > 1:
            mine = text.raw[part][path[1]]["key"] == key
        else:
            mine = path[: 2 if key else 1] == ((part, key) if key else (part,))
        name = str(path[-1]) if mine and path[-1] in PARTS.get(part, {}) else ""
        found.setdefault(name, []).append(problem)
    return found


def _path(text: Text, place: Place) -> TextPath:
    """The place as the text counts it. Raises KeyError for a row that it does not have."""
    if len(place) == 3 and place[0] in schema.ROWS:
        rows = text.raw[place[0]]
        number = next((n for n, row in enumerate(rows) if row["key"] == place[1]), None)
        if number is None:
            raise KeyError(place[1])
        return (place[0], number, place[2])
    return place


def _in_table(path: TextPath, table: TextPath) -> bool:
    """Whether a path is the heading of the table, or one of its own keys."""
    return path == table or (len(path) == len(table) + 1 and path[:-1] == table)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return f"[{', '.join(_toml(one) for one in value)}]"
