"""Validation of a rulebook text: all problems together, each with its line.

Shapes come first (unknown and missing keys, wrong types, unknown names), then what holds between rows.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from governance.rulebook.schema import (
    CARRY,
    DAYS_CEILING,
    FIXED,
    KINDS,
    LEVELLED,
    MOVES,
    RETENTION_FLOOR_DAYS,
    RULEBOOK,
    STRENGTHS,
    WAIVER_CEILING_DAYS,
    Shape,
)
from governance.rulebook.source_positions import TextPath, first_hidden, lines_of
from governance.vocabulary.readable_text import name_of, shown

FEWEST_ITEMS = 3  # of a scale test at each tier, or it would say nothing (docs/domain.md, invariant 10)
FEWEST_SEATS = 2  # at minimal risk: value and one other, or one person would decide alone
UNSIGNED = frozenset({"stop"})  # the gates that no one has to sign, because nothing may delay them


@dataclass(frozen=True)
class Problem:
    """One fault: its line (from 1), the place it concerns, the fault and the remedy."""

    line: int
    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line} ({self.key}): {self.what} Fix: {self.remedy}"  # prose: allow


class RulebookErrors(ValueError):
    """A rulebook text that cannot be used. `problems` has every fault, by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("\n".join(map(str, self.problems)))


def checked(text: str) -> dict[str, Any]:
    """Return the plain tables of a rulebook text. Raises RulebookErrors with all problems."""
    check = _Check(_tables(text), lines_of(text))
    check.shapes(RULEBOOK)
    check.rows_together()
    check.gates()
    check.carry_forward()
    check.levels()
    check.signatures()
    check.figures()
    if check.problems:
        raise RulebookErrors(check.problems)
    return check.raw


def checked_beside(text: str, shape: Shape, known: dict[str, list[str]]) -> dict[str, Any]:
    """Return the plain tables of a text beside the rulebook. `known`: its names, by kind.

    Raises RulebookErrors with every problem found.
    """
    check = _Check(_tables(text), lines_of(text))
    check.known |= known
    check.shapes(shape)
    if check.problems:
        raise RulebookErrors(check.problems)
    return check.raw


def _tables(text: str) -> dict[str, Any]:
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        what = f"this is not valid TOML ({shown(str(error))})."
        raise RulebookErrors(
            [Problem(line, "syntax", what, "correct this line, or the line above it.")]
        ) from error
    if unread := first_hidden(text, found):  # people sign statements that quote a rulebook
        line, letter = unread
        what = f"a text contains a character that readers cannot see: {name_of(letter)}."
        raise RulebookErrors([Problem(line, "characters", what, "delete the character.")])
    return found


class _Check:
    """The problems of one raw rulebook. A check skips what an earlier one refused."""

    def __init__(self, raw: dict[str, Any], lines: dict[TextPath, int]):
        self.raw, self.lines = raw, lines
        self.problems: list[Problem] = []
        self.requirements = self.rows("requirement")
        self.criteria = self.rows("criterion")
        own = [row["key"] for _, row in self.criteria if "evidence" in row]
        self.known = {name: list(words) for name, words in FIXED.items()} | {
            "trigger": list(self.part("triggers")),
            "seat": list(self.part("seats")),
            "layer": list(self.part("layers")),
            "evidence kind": list(self.part("evidence_kinds")),
            "requirement": [row["key"] for _, row in self.requirements] + own,
        }

    def part(self, *path: str) -> dict[str, Any]:
        """Return the table at this path, or an empty one if the text has something else."""
        table: object = self.raw
        for name in path:
            table = table.get(name) if isinstance(table, dict) else None
        return table if isinstance(table, dict) else {}

    def rows(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        """Position and row of every [[name]] that has a usable key."""
        rows = self.raw.get(name)
        rows = rows if isinstance(rows, list) else []
        return [
            (n, row)
            for n, row in enumerate(rows)
            if isinstance(row, dict) and isinstance(row.get("key"), str)
        ]

    def say(self, path: TextPath, what: str, remedy: str) -> None:
        """Note a problem at the line of this path, or of the nearest thing around it."""
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 1)
        number = path[1] if len(path) > 1 else None
        rows = self.raw.get(str(path[0])) if isinstance(number, int) else None
        if not isinstance(number, int) or rows is None:
            place = ".".join(map(str, path))
        else:
            row = rows[number]
            key = row.get("key") if isinstance(row, dict) else None
            place = f"{path[0]} {key}" if isinstance(key, str) and key else f"{path[0]} number {number + 1}"
        self.problems.append(Problem(line, place, what, remedy))

    # Shapes

    def shapes(self, shape: Shape) -> None:
        """Unknown and missing keys, wrong types and unknown names, everywhere."""
        self.table((), self.raw, shape.top)
        for name, spec in shape.sections.items():
            if isinstance(self.raw.get(name), dict):
                self.table((name,), self.raw[name], spec)
        for name, (members, spec) in shape.groups.items():
            group = self.part(name)
            if members and isinstance(self.raw.get(name), dict):
                self.table((name,), group, dict.fromkeys(self.known[members], ("table", True, "")))
            for word, table in group.items():
                if isinstance(table, dict) and (members is None or word in self.known[members]):
                    self.table((name, word), table, spec)
                elif members is None:
                    self.say(
                        (name, word), "this is not a table.", f"write it under a heading [{name}.{word}]."
                    )
        for name, spec in shape.rows.items():
            for number, row in enumerate(self.raw[name] if isinstance(self.raw.get(name), list) else ()):
                if isinstance(row, dict):
                    self.table((name, number), row, spec)

    def table(self, path: TextPath, table: dict[str, Any], spec: dict[str, Any]) -> None:
        """Hold one table against the fields it may have."""
        for key, value in table.items():
            if key not in spec:
                self.say(
                    (*path, key), f'the key "{key}" is not known here.', _nearest(key, spec, "remove it")
                )
            else:
                self.value((*path, key), key, value, *spec[key])
        for key, (kind, required, _) in spec.items():
            if required and key not in table:
                self.say(path or (key,), f'the key "{key}" is missing.', f'add "{key}": {KINDS[kind]}.')

    def value(self, path: TextPath, key: str, value: Any, kind: str, required: bool, among: str) -> None:
        """Hold one value against its kind, and its words against the names they may use."""
        if not _is(kind, value):
            self.say(path, f'"{key}" has the wrong type or is blank.', f'give "{key}" {KINDS[kind]}.')
            return
        lists = {
            "texts": [value],
            "some": [value],
            "lists by name": value.values() if kind == "lists by name" else (),
        }
        for words in lists.get(kind, ()):
            for word in sorted({word for word in words if words.count(word) > 1}):
                self.say(path, f'"{key}" names "{word}" twice.', f'keep "{word}" once.')
        if not among:
            return
        if kind == "texts by name":
            named = [((*path, old), word) for old, new in value.items() for word in (old, new)]
        else:
            named = [(path, word) for word in dict.fromkeys([value] if isinstance(value, str) else value)]
        for place, word in named:
            if word not in self.known[among]:
                what = f'"{key}" names the {among} "{word}", which is not known.'
                self.say(place, what, _nearest(word, self.known[among], f"use a known {among}"))

    # What holds between rows

    def rows_together(self) -> None:
        """Check for repeated keys, impossible evidence and criteria without requirements."""
        seen: dict[str, int] = {}  # the line where each key is first
        for name, rows in (("requirement", self.requirements), ("criterion", self.criteria)):
            for number, row in rows:
                place = (name, number, "key")
                if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", row["key"]):
                    self.say(
                        place,
                        "a key is part of web addresses.",
                        "use small letters, digits, _ and dots only.",
                    )
                if row["key"] in seen:
                    what = f'the key "{row["key"]}" is used twice, first on line {seen[row["key"]]}.'
                    self.say(place, what, "give one of the two a different key, or remove one of them.")
                seen.setdefault(row["key"], self.lines.get(place, 1))
        carriers: Any = self.part("evidence_carries").get("condition")
        for number, row in self.requirements:
            evidence = row.get("evidence") if _is("texts", row.get("evidence")) else None
            path = ("requirement", number)
            if evidence and isinstance(row.get("min_evidence"), str) and row["min_evidence"] not in evidence:
                what = f'min_evidence "{row["min_evidence"]}" is not in the evidence of this requirement.'
                self.say(
                    (*path, "min_evidence"), what, f"name one of {_some(evidence)}, or add it to evidence."
                )
            if (
                evidence
                and "min_condition" in row
                and _is("texts", carriers)
                and not set(evidence) & set(carriers)
            ):
                what = (
                    "min_condition can never be met, because no listed kind of evidence has a test condition."
                )
                self.say(
                    (*path, "min_condition"),
                    what,
                    f"accept one of {_some(carriers)}, or remove min_condition.",
                )
        for number, row in self.criteria:
            self.criterion(("criterion", number), row)

    def criterion(self, path: TextPath, row: dict[str, Any]) -> None:
        """Check that one criterion asks for something, and that its fields have an effect."""
        if not {"requirements", "evidence", "scale_test"} & set(row):
            self.say(
                path, "this criterion has no requirements.", "add requirements, evidence or a scale_test."
            )
        if "evidence" in row and "fresh_days" not in row:
            self.say(
                path,
                "this criterion has evidence, but no fresh_days.",
                "add fresh_days (0: only a trigger ends it).",
            )
        for key in ("fresh_days", "triggers"):
            if key in row and "evidence" not in row:
                self.say(
                    (*path, key),
                    f"{key} has no effect without evidence here.",
                    f"remove {key} or add evidence.",
                )
        goals: Any = row.get("declared_goals", [])
        fewer: Any = row.get("declared_goals_minimal", [])
        for goal in fewer if _is("texts", goals) and _is("texts", fewer) else ():
            if goal not in goals:
                what = f'"{goal}" is not listed in declared_goals.'
                self.say(
                    (*path, "declared_goals_minimal"), what, "name goals that are declared at each tier."
                )
        if row.get("scale_test") and row.get("waivable") is True:
            self.say((*path, "waivable"), "a scale test can never be waived.", "set waivable = false.")

    def gates(self) -> None:
        """Check the stages of each gate, its seats, and that its quorum can be reached."""
        for name, (origins, target) in MOVES.items():
            gate, path = self.part("gates", name), ("gates", name)
            if not gate:
                continue  # a missing gate has been reported as a missing key
            if _is("texts", gate.get("from")) and sorted(gate["from"]) != sorted(origins):
                self.say(
                    (*path, "from"),
                    f"gate {name} cannot start from these stages, because moves are fixed.",
                    f"name {_some(origins)}.",
                )
            if _is("text", gate.get("to")) and gate["to"] != target:
                self.say(
                    (*path, "to"),
                    f"gate {name} cannot lead to this stage, because moves are fixed.",
                    f'set to = "{target}".',
                )
            seats = {
                row["seat"]
                for _, row in self.criteria
                if row.get("gate") == name and _is("text", row.get("seat"))
            }
            if not any(row.get("gate") == name for _, row in self.criteria):
                self.say(path, "this gate has no criteria.", f'add a [[criterion]] with gate = "{name}".')
                continue
            must = gate["must_include"] if _is("texts", gate.get("must_include")) else []
            for seat in must:
                if seat in self.known["seat"] and seat not in seats:
                    what = f'the seat "{seat}" must sign but has no criterion at this gate.'
                    self.say(
                        (*path, "must_include"),
                        what,
                        "give this seat a criterion here, or remove the seat from must_include.",
                    )
            for key in ("quorum", "quorum_high_risk"):
                quorum: Any = gate.get(key)
                if not _is("count", quorum):
                    continue
                if quorum > len(seats):
                    what = (
                        f"{key} {quorum} is larger than the {len(seats)} seats with a criterion at this gate."
                    )
                    self.say(
                        (*path, key), what, f"set it to {len(seats)} or less, or give more seats a criterion."
                    )
                if quorum == 0 and name not in UNSIGNED:
                    what = f"{key} 0 lets the chair decide this gate without any signature."
                    self.say((*path, key), what, "set it to 1 or more.")
                elif quorum < len(must):
                    what = f"{key} {quorum} is smaller than the {len(must)} seats that must sign."
                    self.say((*path, key), what, f"set it to {len(must)} or more.")
            usual: Any = gate.get("quorum")
            high: Any = gate.get("quorum_high_risk")
            if _is("count", usual) and _is("count", high) and high < usual:
                self.say(
                    (*path, "quorum_high_risk"),
                    "quorum_high_risk is smaller than quorum.",
                    f"set it to {usual} or more.",
                )
        for test in FIXED["scale test"]:
            needed = {"scale_test": test, "gate": "production", "severity": "blocking"}
            asked = (
                "due_days" not in row and all(row.get(key) == word for key, word in needed.items())
                for _, row in self.criteria
            )
            if test in self.part("scale_tests") and not any(asked):
                what = "no blocking criterion of the gate production asks for this scale test."
                remedy = f'add a criterion with scale_test = "{test}", severity = "blocking" and no due_days.'
                self.say(("scale_tests", test), what, remedy)

    def carry_forward(self) -> None:
        """Check that an answer has one fate at production, and that replacements end."""
        carry = self.part("carry_forward")
        fate: dict[str, str] = {}
        replaced = self.part("carry_forward", "replaced_at_production")
        for name in CARRY:
            words: Any = list(replaced) if name == "replaced_at_production" else carry.get(name)
            for word in dict.fromkeys(words if _is("texts", words) else ()):
                if word in fate:
                    what = f'"{word}" is listed here and under {fate[word]}.'
                    self.say(("carry_forward", name), what, f'keep "{word}" in one of the two.')
                fate.setdefault(word, name)
        for start in replaced:
            key, passed = start, []
            while isinstance(key, str) and key in replaced and key not in passed:
                passed.append(key)
                key = replaced[key]
            if key == start:
                path = ("carry_forward", "replaced_at_production", start)
                what = f'the replacements of "{start}" form a circle.'
                self.say(path, what, "remove one of the replacements.")

    def levels(self) -> None:
        """Check that each requirement has a level or a reason to leave it out, by tier."""
        own = [("criterion", n, row) for n, row in self.criteria if "evidence" in row]
        asked = [("requirement", n, row) for n, row in self.requirements] + own
        for name, number, row in asked:
            self.level_of((name, number), row)
        for number, row in self.criteria:
            for field_name in LEVELLED:
                if field_name in row and "evidence" not in row:
                    what = f"{field_name} has no effect without evidence here."
                    self.say(("criterion", number, field_name), what, f"remove {field_name} or add evidence.")
        self.scale_items([row for _, _, row in asked])
        seats: Any = self.part("levels").get("seats_minimal")
        if _is("texts", seats) and len(seats) < FEWEST_SEATS:
            what = f"only {len(seats)} seats sign at minimal risk, but at least {FEWEST_SEATS} must sign."
            self.say(
                ("levels", "seats_minimal"),
                what,
                "name two seats, or remove seats_minimal so that all seats sign.",
            )

    def signatures(self) -> None:
        """Check the least strengths of signatures by act and tier."""
        for act, by_tier in self.part("signatures").items():
            for tier, strength in by_tier.items() if isinstance(by_tier, dict) else ():
                for said, known in ((tier, FIXED["risk tier"]), (strength, STRENGTHS)):
                    if said not in known:
                        what = f'"{said}" is not known here.'
                        self.say(("signatures", act, tier), what, f"use {', '.join(known)}.")

    def scale_items(self, asked: list[dict[str, Any]]) -> None:
        """Check that a scale test has enough items at each tier."""
        tables: dict[str, Any] = {row["key"]: row.get("left_out") for row in asked}
        left_out = {key: table for key, table in tables.items() if _is("texts by name", table)}
        for name in self.part("scale_tests"):
            items: Any = self.part("scale_tests", name).get("items")
            for tier in self.known["risk tier"] if _is("some", items) else ():
                number = sum(tier not in left_out.get(item, {}) for item in items)
                if number < FEWEST_ITEMS:
                    what = (
                        f"the scale test {name} has {number} items at {tier} risk, but needs {FEWEST_ITEMS}."
                    )
                    self.say(
                        ("scale_tests", name, "items"),
                        what,
                        "remove this tier from left_out of some of its requirements.",
                    )

    def level_of(self, path: TextPath, row: dict[str, Any]) -> None:
        """Check that a requirement has each tier once, under `level` or under `left_out`."""
        level = row["level"] if _is("texts by name", row.get("level")) else {}
        left_out = row["left_out"] if _is("texts by name", row.get("left_out")) else {}
        at_mvp = row["level_at_mvp"] if _is("texts by name", row.get("level_at_mvp")) else {}
        for name, table in (("level", level), ("left_out", left_out), ("level_at_mvp", at_mvp)):
            for tier in table:
                if tier not in self.known["risk tier"]:
                    what = f'"{name}" names the risk tier "{tier}", which is not known.'
                    self.say(
                        (*path, name),
                        what,
                        _nearest(tier, self.known["risk tier"], "use a tier from the list"),
                    )
        for tier in self.known["risk tier"]:
            if (tier in level) == (tier in left_out):
                what = (
                    f'"{tier}" is listed under both level and left_out.'
                    if tier in level
                    else f'"{tier}" is missing.'
                )
                self.say(
                    (*path, "level"),
                    what,
                    f"give {tier} either a level, or a reason under left_out.",
                )
            if tier in at_mvp and tier in left_out:
                what = f'"{tier}" is in left_out, but also in level_at_mvp.'
                self.say((*path, "level_at_mvp"), what, f"remove {tier} from one of the two.")
        for word in (*level.values(), *at_mvp.values()):
            if word not in self.known["level"]:
                what = f'"level" names the level "{word}", which is not known.'
                self.say(
                    (*path, "level"), what, _nearest(word, self.known["level"], "use a level from the list")
                )

    def figures(self) -> None:
        """Check the limits that an organisation cannot loosen."""
        production = self.part("stages", "production")
        for key in ("reattest_days", "reattest_days_high"):
            if production and key not in production:
                what = f'the key "{key}" is missing. The key sets when production is accepted again.'
                self.say(("stages", "production", key), what, f'add "{key}": {KINDS["count"]}.')
        freshness = self.part("freshness")
        waiver: Any = freshness.get("waiver_max_days")
        if _is("count", waiver) and waiver > WAIVER_CEILING_DAYS:
            what = f"a waiver may last at most {WAIVER_CEILING_DAYS} days."
            self.say(("freshness", "waiver_max_days"), what, f"set {WAIVER_CEILING_DAYS} or less.")
        kept: Any = freshness.get("retention_days")
        if _is("count", kept) and kept < RETENTION_FLOOR_DAYS:
            what = f"records of decisions must be kept for at least {RETENTION_FLOOR_DAYS} days."
            self.say(("freshness", "retention_days"), what, f"set {RETENTION_FLOOR_DAYS} or more.")
        warn: Any = freshness.get("warn_days_before")
        if _is("counts", warn) and (not warn or any(a <= b for a, b in pairwise(warn))):
            what = "the warning days are not in descending order."
            self.say(
                ("freshness", "warn_days_before"), what, "start with the largest number, such as [30, 14, 3]."
            )
        contract = self.part("contract")
        required: Any = contract.get("required_clauses")
        other: Any = contract.get("other_clauses")
        if _is("texts", required) and _is("texts", other):
            for word in set(required) & set(other):
                what = f'the clause kind "{word}" is both required and optional.'
                self.say(("contract", "other_clauses"), what, "keep it in only one of the two lists.")


def _is(kind: str, value: object) -> bool:
    text = isinstance(value, str) and bool(value.strip())
    if kind == "text":
        return text
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "count":
        return type(value) is int and 0 <= value <= DAYS_CEILING
    if kind == "table":
        return isinstance(value, dict)
    if kind.endswith("by name"):
        part = "text" if kind.startswith("texts") else "texts"
        return isinstance(value, dict) and all(_is(part, inner) for inner in value.values())
    part = {"counts": "count", "texts": "text", "some": "text", "rows": "table"}[kind]
    return (
        isinstance(value, list)
        and all(_is(part, inner) for inner in value)
        and (kind != "some" or bool(value))
    )


def _nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    if close:
        otherwise = f'did you mean "{close[0]}"? Otherwise {otherwise}'
    return f"{otherwise} (known here: {_some(known) or 'none'})."


def _some(words: Iterable[str]) -> str:
    words = list(words)
    return ", ".join(words[:12]) + (" ..." if len(words) > 12 else "")
