"""Log samples: what a system was asked and answered, counted. Read are CSV and workbooks, JSON lines and OTLP JSON.

Files come from outside and are hostile until read: at most MOST_BYTES, MOST_ROWS rows and MOST_NAMES names of fields, a
message for anything else. Nothing of what a sample says is kept: only how much of it there is.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from governance.tables.columns import named
from governance.tables.encodings import CodePageUnsure, decode, wrong
from governance.tables.reader import read_table

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS, MOST_NAMES = 50_000, 500
# What a sample is looked through for, by the names that such columns and attributes commonly have.
COLUMNS = {
    "input": (
        *("input", "prompt", "question", "query", "request", "user input", "user message", "instruction"),
        *("gen_ai.prompt", "gen_ai.input.messages", "input.value", "llm.prompts"),
    ),
    "output": (
        *("output", "answer", "response", "completion", "reply", "model output", "assistant message"),
        *("gen_ai.completion", "gen_ai.output.messages", "output.value", "llm.completions"),
    ),
    "actor": (
        *("actor", "user", "user id", "person", "login", "account", "username", "user name", "userid"),
        *("enduser.id", "user.id", "user.name", "session.user"),
    ),
    "time": (
        *("time", "timestamp", "date", "datetime", "date time", "at", "ts", "created at", "logged at"),
        *("timeUnixNano", "startTimeUnixNano", "observedTimeUnixNano", "@timestamp"),
    ),
    "model version": (
        *("model version", "model", "model name", "model id", "modelversion"),
        *("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"),
    ),
}
NEEDED = ("input", "output", "time")
PARTS = {"resourceLogs": ("scopeLogs", "logRecords"), "resourceSpans": ("scopeSpans", "spans")}
TIMES = ("timeUnixNano", "startTimeUnixNano", "observedTimeUnixNano")
NOTHING: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Counted:
    """What a log sample holds: rows, the columns among COLUMNS that hold something, and their filled cells in percent.

    `filled` is rounded down: 100 means each of them in each row.
    """

    rows: int
    columns: tuple[str, ...]
    filled: int


def count_file(file) -> Counted:
    """What an upload holds, which is left where it was. Raises as `count`."""
    if file.size > MOST_BYTES:
        raise wrong(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB. Draw a smaller sample.")
    file.seek(0)
    content = file.read()
    file.seek(0)
    return count(content)


def count(content: bytes) -> Counted:
    """What these bytes hold. Raises ValidationError on "file" with words that say what is missing."""
    if not content.strip():
        raise wrong("The file is empty. Send one row for each call, with its input, output and time.")
    rows = 0
    filled: dict[str, int] = {}
    for row in _rows(content):
        rows += 1
        for name in row:
            filled[name] = filled.get(name, 0) + 1
        if rows > MOST_ROWS:
            raise wrong(f"The sample has more than {MOST_ROWS:,} rows. Draw a smaller one.")
        if len(filled) > MOST_NAMES:
            raise wrong(
                f"The rows have more than {MOST_NAMES} columns between them. Leave out what is not needed."
            )
    if not rows:
        raise wrong("There is no row in it. Send one row for each call, with its input, output and time.")
    found = named(filled, COLUMNS)
    if missing := [name for name in NEEDED if name not in found]:
        known = "; ".join(f"{name}, for instance {', '.join(COLUMNS[name][:4])}" for name in missing)
        raise wrong(
            f"No column with something in it was found for {' and '.join(missing)}. Name one {known}."
        )
    share = 100 * sum(filled[name] for name in found.values()) // (rows * len(found))
    return Counted(rows, tuple(name for name in COLUMNS if name in found), share)


def _rows(content: bytes) -> Iterator[Iterable[str]]:
    """Of each row, the names of the fields that hold something."""
    if content.startswith(b"PK\x03\x04"):
        yield from _table(content)
        return
    try:
        text, _ = decode(content)
    except CodePageUnsure:
        raise wrong("The file is not UTF-8. Save it as UTF-8 and send that.") from None
    except ValidationError:
        raise wrong("The file is not text. Send CSV, JSON lines or OTLP JSON.") from None
    if text.lstrip()[:1] in ("{", "["):
        for said in _objects(text):
            yield from _of_object(said)
    else:
        yield from _table(content)


def _table(content: bytes) -> Iterator[Iterable[str]]:
    known = tuple(name for names in COLUMNS.values() for name in names)
    for line in read_table(content, expected=known).lines:
        yield [name for name, cell in line.cells.items() if cell.strip()]


# JSON


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The objects of the file: one a line, or the whole as one or as a list of them."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        for number, said in enumerate(whole if isinstance(whole, list) else [whole], start=1):
            yield _object(said, f"Object {number}")
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            raise wrong(
                f"Line {number} is not JSON. Each line is one object, for instance "
                '{"time": "2026-03-02T09:14:00Z", "actor": "u-17", "input": "...", "output": "..."}.'
            ) from None
        yield _object(said, f"Line {number}")


def _object(said: object, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise wrong(f"{where} is no object with an input, an output and a time.")
    return said


def _of_object(said: dict[str, Any]) -> Iterator[Iterable[str]]:
    """The rows of one object: itself, or the log records and spans in it where it is OTLP."""
    if not PARTS.keys() & said.keys():
        yield [name for name, value in said.items() if _holds(value)]
        return
    for resources, (scopes, records) in PARTS.items():
        for resource in _listed(said, resources):
            above = _attributes(resource.get("resource"))
            for scope in _listed(resource, scopes):
                for one in _listed(scope, records):
                    times = {name for name in TIMES if one.get(name) not in (*NOTHING, 0, "0")}
                    events = [_attributes(event) for event in _listed(one, "events")]
                    yield above | _attributes(one) | _body(one.get("body")) | times.union(*events)


def _holds(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in NOTHING


def _listed(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list of OTLP; none where it is left out."""
    found = said.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise wrong(f"{name} is no list of objects, as OTLP JSON has it.")
    return found


def _attributes(said: object) -> set[str]:
    """The keys of attributes with a value."""
    if not isinstance(said, dict):
        return set()
    return _keys(_listed(said, "attributes"))


def _body(said: object) -> set[str]:
    """The keys of a body that is a list of keys and values."""
    values = said.get("kvlistValue") if isinstance(said, dict) else None
    return _keys(_listed(values, "values")) if isinstance(values, dict) else set()


def _keys(pairs: list[dict[str, Any]]) -> set[str]:
    return {
        pair["key"]
        for pair in pairs
        if isinstance(pair.get("key"), str)
        and isinstance(pair.get("value"), dict)
        and any(_holds(value) for value in pair["value"].values())
    }
