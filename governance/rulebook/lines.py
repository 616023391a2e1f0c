"""On which line of a TOML text each table and key stands, so that a problem can be pointed at."""

import re

_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_NAMES = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*")
# What may hide a bracket, in the order in which it must be tried.
_VALUE = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' r"'''.*?'{3,5}|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|#[^\n]*|[\[{]|[\]}]|\n",
    re.DOTALL,
)


def lines_of(text: str) -> dict[tuple, int]:
    """Line of every heading and key of a valid TOML text, by path: ("requirement", 3, "fresh_days") -> 58."""
    found, table, counts, position = {}, (), {}, 0

    def path_of(names: str) -> tuple:
        path = ()
        for name in re.findall(_NAME, names):
            path += (name.strip("\"'"),)
            if path in counts:
                path += (counts[path],)
        return path

    while position < len(text):
        line = text.count("\n", 0, position) + 1
        heading = re.compile(r"\s*(\[\[?)").match(text, position)
        blank = re.compile(r"[ \t\r]*(#[^\n]*)?(\n|$)").match(text, position)
        if blank:
            position = blank.end()
            continue
        names = _NAMES.match(text, heading.end() if heading else position)
        if names is None:
            break
        if heading and heading[1] == "[[":
            path = path_of(names[1])
            if path[-1:] and isinstance(path[-1], int):
                path = path[:-1]
            counts[path] = counts.get(path, -1) + 1
            table = (*path, counts[path])
            found.setdefault(table, line)
        elif heading:
            table = path_of(names[1])
            found.setdefault(table, line)
        else:
            found.setdefault(table + path_of(names[1]), line)
        position = _end_of_statement(text, names.end())
    return found


def _end_of_statement(text: str, position: int) -> int:
    """Where the next statement begins: after the first line end outside all brackets and texts."""
    depth = 0
    for token in _VALUE.finditer(text, position):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth <= 0:
            return token.end()
    return len(text)
