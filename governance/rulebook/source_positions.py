"""Positions of tables and keys in a TOML text, so that a problem is pointed at."""

import re
from collections.abc import Iterator
from typing import Any

from governance.vocabulary.readable_text import hidden

_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_HEADING = re.compile(r"\s*(\[\[?)")
_BLANK = re.compile(r"[ \t\r]*(#[^\n]*)?(\n|$)")
_NAMES = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*")
# What may hide a bracket, in the order in which it must be tried. A text that never ends goes on to the end of the line
# or of all, so that the time for a text that is no TOML is linear too.
_VALUE = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|'
    r"'''.*?(?:'{3,5}|\Z)|"
    r'"(?:\\.|[^"\\\n])*+"?|'
    r"'[^'\n]*+'?|#[^\n]*|[\[{]|[\]}]|\n",
    re.DOTALL,
)

# The place of a heading or key as the text has it, rows by their number: ("requirement", 3, "fresh_days").
TextPath = tuple[str | int, ...]


def lines_of(text: str) -> dict[TextPath, int]:
    """Return the line of each heading and key by its path: ("levels", "key") -> 58."""
    found: dict[TextPath, int] = {}
    line, before = 1, 0
    for path, (start, _) in spans_of(text).items():
        line, before = line + text.count("\n", before, start), start
        found[path] = line
    return found


def spans_of(text: str) -> dict[TextPath, tuple[int, int]]:
    """Return the start of each heading and key of a TOML text, and its end, by path."""
    found: dict[TextPath, tuple[int, int]] = {}
    counts: dict[TextPath, int] = {}
    table: TextPath = ()
    position = 0

    def path_of(names: str) -> TextPath:
        path: TextPath = ()
        for name in re.findall(_NAME, names):
            path += (name.strip("\"'"),)
            if path in counts:
                path += (counts[path],)
        return path

    while position < len(text):
        blank = _BLANK.match(text, position)
        if blank:
            position = blank.end()
            continue
        heading = _HEADING.match(text, position)
        names = _NAMES.match(text, heading.end() if heading else position)
        if names is None:
            break
        end = _end_of_statement(text, names.end())
        if heading and heading[1] == "[[":
            path = path_of(names[1])
            if path[-1:] and isinstance(path[-1], int):
                path = path[:-1]
            counts[path] = counts.get(path, -1) + 1
            table = (*path, counts[path])
            found.setdefault(table, (position, end))
        elif heading:
            table = path_of(names[1])
            found.setdefault(table, (position, end))
        else:
            found.setdefault(table + path_of(names[1]), (names.start(1), end))
        position = end
    return found


def _end_of_statement(text: str, position: int) -> int:
    """Return the start of the next statement, outside all brackets and texts."""
    depth = 0
    for token in _VALUE.finditer(text, position):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth <= 0:
            return token.end()
    return len(text)


def first_hidden(text: str, tables: dict[str, Any]) -> tuple[int, str] | None:
    """Return line and letter of the first hidden character, raw or escaped, or None.

    `tables`: the text as TOML reads it.
    """
    if places := hidden(text):
        return text.count("\n", 0, places[0]) + 1, text[places[0]]
    for path, said in _texts(tables):
        if places := hidden(said):
            lines = lines_of(text)
            return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1), said[
                places[0]
            ]
    return None


def _texts(value: Any, path: TextPath = ()) -> Iterator[tuple[TextPath, str]]:
    """Yield every text of the tables, and the names of fields, with their paths."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name), name
            yield from _texts(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*path, number))
