"""Log samples: counts of the calls in a sample. CSV, workbooks, JSON lines and OTLP JSON are read.

Files come from outside and are hostile until read: at most MOST_BYTES, MOST_ROWS rows and MOST_NAMES names of fields, a
message for anything else. Only the names of models are kept from the contents, and otherwise only counts.
"""

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from governance.tables.columns import named, plain
from governance.tables.delimited import BrokenRow, delimiter_of, rows_of
from governance.tables.encodings import CodePageUnsure, decode, is_text, wrong
from governance.tables.reader import read_table

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS, MOST_NAMES = 50_000, 500
MOST_MODELS, LONGEST_MODEL = 20, 120  # names of models that are kept, the most frequent ones; their letters
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
LITTLE = 40  # characters below which a text says hardly anything
_MODEL = {plain(name) for name in COLUMNS["model version"]}
NEEDED = ("input", "output", "time")
PARTS = {"resourceLogs": ("scopeLogs", "logRecords"), "resourceSpans": ("scopeSpans", "spans")}
TIMES = ("timeUnixNano", "startTimeUnixNano", "observedTimeUnixNano")
NOTHING: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Counted:
    """The counts of a log sample: rows, filled columns of COLUMNS and filled cells.

    `filled` is in percent and rounded down, so 100 means each cell in each row. `models` are names with their rows.
    """

    rows: int
    columns: tuple[str, ...]
    filled: int
    models: tuple[tuple[str, int], ...] = ()


def count_file(file) -> Counted:
    """Return the counts of an upload, and rewind the file. Raises as `count`."""
    if file.size > MOST_BYTES:
        raise wrong(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB. Draw a smaller sample.")
    file.seek(0)
    content = file.read()
    file.seek(0)
    return count(content)


def count(content: bytes) -> Counted:
    """Return the counts of these bytes. Raises ValidationError on "file" with words about what is missing."""
    if not content.strip():
        raise wrong("The file is empty. Send one row for each call, with its input, output and time.")
    rows = 0
    filled: dict[str, int] = {}
    models: dict[str, Counter[str]] = {}
    for row in _rows(content):
        rows += 1
        for name, value in row.items():
            if name not in filled and plain(name) in _MODEL:
                models[name] = Counter()
            filled[name] = filled.get(name, 0) + 1
            if name in models and 0 < len(value) <= LONGEST_MODEL:
                models[name][value] += 1
        if rows > MOST_ROWS:
            raise wrong(f"The sample has more than {MOST_ROWS:,} rows. Draw a smaller sample.")
        if len(filled) > MOST_NAMES:
            raise wrong(f"The rows have more than {MOST_NAMES} different columns. Leave columns out.")
    if not rows:
        raise wrong("The file has no rows. Send one row for each call, with its input, output and time.")
    found = named(filled, COLUMNS)
    if missing := [name for name in NEEDED if name not in found]:
        known = "; ".join(f"{name} (for example {', '.join(COLUMNS[name][:4])})" for name in missing)
        raise wrong(f"No filled column was found for {' and '.join(missing)}. Add a column for {known}.")
    share = 100 * sum(filled[name] for name in found.values()) // (rows * len(found))
    named_there = models.get(found.get("model version", ""), Counter()).most_common(MOST_MODELS)
    return Counted(rows, tuple(name for name in COLUMNS if name in found), share, tuple(named_there))


def size_of(file) -> tuple[int | None, int | None]:
    """Return how many rows an upload has, and how many characters if it is a text of fewer than LITTLE.

    Rows are those of a CSV with a head and several columns, or of JSON lines. Both are None for other files and for
    those larger than MOST_BYTES.
    """
    if file.size > MOST_BYTES:
        return None, None
    file.seek(0)
    content = file.read()
    file.seek(0)
    if not is_text(content):
        return None, None
    text = content.decode("utf-8-sig", errors="replace").strip()
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and all(line.lstrip().startswith("{") and line.rstrip().endswith("}") for line in lines):
        return len(lines), None
    try:
        cells = rows_of(io.StringIO(text, newline=""), delimiter_of(text))
        rows = [row for _, row in cells if any(map(str.strip, row))]
    except BrokenRow:
        rows = []
    if len(rows) > 1 and len(rows[0]) > 1 and {len(row) for row in rows} == {len(rows[0])}:
        return len(rows) - 1, None
    return None, len(text) if len(text) < LITTLE else None


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    """Yield the names of each row's non-empty fields with their text. A value that is not text becomes ""."""
    if content.startswith(b"PK\x03\x04"):
        yield from _table(content)
        return
    try:
        text, _ = decode(content)
    except CodePageUnsure:
        raise wrong("The file is not UTF-8. Save the file as UTF-8 and send the new file.") from None
    except ValidationError:
        raise wrong("The file is not text. Send CSV, JSON lines or OTLP JSON.") from None
    if text.lstrip()[:1] in ("{", "["):
        for said in _objects(text):
            yield from _of_object(said)
    else:
        yield from _table(content)


def _table(content: bytes) -> Iterator[dict[str, str]]:
    known = tuple(name for names in COLUMNS.values() for name in names)
    for line in read_table(content, expected=known).lines:
        yield {name: cell.strip() for name, cell in line.cells.items() if cell.strip()}


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
                f"Line {number} is not JSON. Write one object on each line, such as "
                '{"time":"2026-03-02T09:14:00Z","actor":"u-17","input":"...","output":"..."}.'
            ) from None
        yield _object(said, f"Line {number}")


def _object(said: object, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise wrong(f"{where} is not an object with an input, an output and a time.")
    return said


def _of_object(said: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The rows of one object: itself, or the log records and spans in it where it is OTLP."""
    if not PARTS.keys() & said.keys():
        yield {name: _text(value) for name, value in said.items() if _holds(value)}
        return
    for resources, (scopes, records) in PARTS.items():
        for resource in _listed(said, resources):
            above = _attributes(resource.get("resource"))
            for scope in _listed(resource, scopes):
                for one in _listed(scope, records):
                    found = {name: "" for name in TIMES if one.get(name) not in (*NOTHING, 0, "0")}
                    for event in _listed(one, "events"):
                        found |= _attributes(event)
                    yield above | _attributes(one) | _body(one.get("body")) | found


def _holds(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in NOTHING


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _listed(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in a list of OTLP, or none without the list."""
    found = said.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise wrong(f"{name} must be a list of objects, as in OTLP JSON.")
    return found


def _attributes(said: object) -> dict[str, str]:
    """The keys of attributes with a value, each with its text."""
    if not isinstance(said, dict):
        return {}
    return _keys(_listed(said, "attributes"))


def _body(said: object) -> dict[str, str]:
    """The same of a body that is a list of keys and values."""
    values = said.get("kvlistValue") if isinstance(said, dict) else None
    return _keys(_listed(values, "values")) if isinstance(values, dict) else {}


def _keys(pairs: list[dict[str, Any]]) -> dict[str, str]:
    return {
        pair["key"]: _text(pair["value"].get("stringValue"))
        for pair in pairs
        if isinstance(pair.get("key"), str)
        and isinstance(pair.get("value"), dict)
        and any(_holds(value) for value in pair["value"].values())
    }
