"""A rulebook text with some of its values exchanged: everything else, remarks included, stays as it was written. Pure.

A place is the path of a value in the text: ("requirement", "mvp.owner", "fresh_days"), ("gates", "mvp", "quorum"),
("requirement", "mvp.owner", "level", "high"), ("version",). Rows are named by their key, so that a place means the same
in two versions of a text.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from governance.rulebook import schema
from governance.rulebook.source_positions import (
    TextPath,
    spans_of,
    value_span,
    with_word,
    without_word,
    words_told,
)
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
# What a question to the owner has besides: as a whole, and for each risk tier.
LEVELLED = {name: schema.LEVELLED[name] for name in ("ways", "of_register")}
BY_TIER = ("level", "left_out", "level_at_mvp")
# In which order a row says what it says; what is not named here comes after.
ROW_ORDER = (
    *("key", "stage", "gate", "group", "layer", "origin", "question", "counts", "requirements", "evidence"),
    *("min_evidence", "min_condition", "fresh_days", "fresh_days_minimal", "fresh_days_high_risk"),
    *("triggers", "why_fresh"),
    *("answered_by", "seat", "severity", "waivable", "grace_days", "due_days", "emergency_due_days"),
    *("level", "level_at_mvp", "left_out", "ways", "of_register", "crosswalk"),
)
Place = tuple[str, ...]
# Where a stretch of a text begins and ends, and what takes its place.
Move = tuple[int, int, str]


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
    return read(moved(text.source, moves_of(text, values)))


def moved(source: str, moves: list[Move]) -> str:
    """The source with these stretches exchanged, none of which overlap."""
    parts, at = [], 0
    for start, end, said in sorted(moves, key=lambda move: move[:2]):
        parts += [source[at:start], said]
        at = end
    return "".join([*parts, source[at:]])


def moves_of(text: Text, values: dict[Place, object]) -> list[Move]:
    """What brings these values into the text. Raises KeyError for a row that it does not have."""
    source, spans = text.source, spans_of(text.source)
    moves: list[Move] = []
    tables: dict[TextPath, dict[str, Any]] = {}  # tables written on one line, as they will be
    for place, value in values.items():
        path, within = path_of(text, place), place[:-1]
        parent = path[:-1]
        if path in spans:
            moves.append(_exchanged(source, spans[path], text.value(place), value))
        elif _written_as_value(source, spans, parent) or (
            len(place) > 2 and not any(other[: len(parent)] == parent for other in spans)
        ):
            table = tables.setdefault(parent, dict(text.value(within) or {}))
            table[place[-1]] = value
        elif value is not None:
            moves.append(_added(source, spans, path, value))
    sections: dict[
        str, list[str]
    ] = {}  # tables that the text does not have yet, as the lines below their headings
    for path, table in tables.items():
        said = _in_order({name: value for name, value in table.items() if value is not None})
        if path in spans:
            moves.append(_exchanged(source, spans[path], None, said or None))
        elif said and not any(other[:1] == path[:1] for other in spans):
            sections.setdefault(str(path[0]), []).append(f"{_name(str(path[1]))} = {toml_of(said)}\n")
        elif said:
            moves.append(_added(source, spans, path, said))
    glue = "" if source.endswith("\n") else "\n"
    for name, lines in sections.items():
        moves.append((len(source), len(source), f"{glue}\n[{name}]\n{''.join(lines)}"))
    return moves


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


def toml_of(value: Any) -> str:
    """A value as a TOML text says it, tables and lists on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_name(name)} = {toml_of(one)}' for name, one in value.items())} }}"
    return f"[{', '.join(toml_of(one) for one in value)}]"


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_of(name)


def _in_order(table: dict[str, Any]) -> dict[str, Any]:
    """Tiers from the lowest to the highest; other names as they stood."""
    tiers = schema.FIXED["risk tier"]
    return {tier: table[tier] for tier in tiers if tier in table} if set(table) <= set(tiers) else table


def _heading(source: str, span: tuple[int, int]) -> bool:
    return source[span[0] : span[1]].lstrip().startswith("[")


def _written_as_value(source: str, spans: dict[TextPath, tuple[int, int]], path: TextPath) -> bool:
    """Whether a table stands behind its name, as in `level = { high = "verified" }`, and not under a heading."""
    return path in spans and not _heading(source, spans[path])


def _exchanged(source: str, span: tuple[int, int], before: Any, value: Any) -> Move:
    """The value of a statement exchanged, or the statement taken out; in a list only what differs."""
    if value is None:
        return (*span, "")
    start, end = value_span(source, span[0])
    said = source[start:end]
    if _texts(before) and _texts(value) and words_told(said) == len(before):
        kept = [word for word in before if word in value]
        if kept == [word for word in value if word in before] and len({*value}) == len(value):
            for word in [word for word in before if word not in value]:
                said = without_word(said, before.index(word))
                before = [one for one in before if one != word]
            for place, word in enumerate(value):
                if word not in before:
                    said = with_word(said, place, toml_of(word))
                    before = [*before[:place], word, *before[place:]]
            return start, end, said
    return start, end, toml_of(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _added(source: str, spans: dict[TextPath, tuple[int, int]], path: TextPath, value: Any) -> Move:
    """A new statement in its table: behind what a row says before it, else at the end of the table."""
    parent, name = path[:-1], str(path[-1])
    siblings = {
        other: span
        for other, span in spans.items()
        if len(other) > len(parent) and other[: len(parent)] == parent and not _heading(source, span)
    }
    if parent not in spans and siblings:  # written with dots: level.high = "verified"
        table = next(parent[:n] for n in range(len(parent), -1, -1) if not n or parent[:n] in spans)
        said = ".".join(_name(str(one)) for one in path[len(table) :])
        end = max(stop for _, stop in siblings.values())
    else:
        said = _name(name)
        own = {str(other[-1]): stop for other, (_, stop) in siblings.items() if len(other) == len(path)}
        rank = {word: place for place, word in enumerate(ROW_ORDER)}
        earlier = [word for word in own if rank.get(word, len(rank)) < rank.get(name, -1)]
        if earlier:
            end = own[max(earlier, key=rank.__getitem__)]
        else:
            end = max(own.values(), default=spans[parent][1] if parent in spans else 0)
    glue = "" if source[:end].endswith("\n") or not end else "\n"
    return end, end, f"{glue}{said} = {toml_of(value)}\n"
