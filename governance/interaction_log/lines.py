"""Interactions of systems without telemetry, as JSON lines or table rows. Pure.

The names are those of the shape. Only the input or the output is required. A value with another name is kept.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from governance.interaction_log.shape import Interaction, Kind, Message, Source, ToolCall, source_of
from governance.tables.delimited import BrokenRow, rows_of
from governance.vocabulary import bounded_json

MOST_LINES = 10_000
MOST_COLUMNS = 500
_BLANK = b"\xef\xbb\xbf \t\r\n"
TEXTS = (
    "operation",
    "provider",
    "model",
    "version",
    "conversation",
    "subject",
    "workflow",
    "decision",
    "action",
    "error",
    "trace_id",
    "span_id",
    "parent_id",
    "id",
    "name",
)
COUNTS = ("tokens_in", "tokens_out", "tokens_cache_read", "tokens_cache_write")
MOMENTS = {"at": "started", "ended": "ended"}
OWN = {*TEXTS, *COUNTS, *MOMENTS, "input", "output", "tools", "sources", "sampled"}
LONGEST = 300  # characters of a text that is neither asked nor answered


@dataclass(frozen=True)
class Wrong:
    """A rejected line: its number from 1, and a sentence on how to fix it.

    `count` is the number of lines, from that one on, that the entry is for.
    """

    number: int
    words: str
    count: int = 1


class _Unfit(ValueError):
    pass


def read(body: bytes) -> tuple[list[Interaction], list[Wrong]]:
    """Return the interactions of JSON lines or a JSON list, and the rejected lines."""
    if body.lstrip(_BLANK).startswith(b"["):
        try:
            whole = bounded_json.loads(body)
        except bounded_json.TooMuch as trouble:
            return [], [Wrong(1, f"The list cannot be read: {trouble}. Send the list in several parts.")]
        except (ValueError, RecursionError):
            return [], [Wrong(1, "The list is not complete JSON in UTF-8. Send the whole list.")]
        return _each(enumerate(whole, 1), lambda row: row)
    left = [bounded_json.MOST_VALUES]

    def loaded(line: bytes) -> Any:
        try:
            left[0] -= bounded_json.measured(line, most=left[0])
            return json.loads(line.decode("utf-8-sig"))
        except bounded_json.TooMuch as trouble:
            raise _Unfit(
                f"This line cannot be read: {trouble}. Send this line in a separate request."
            ) from None
        except UnicodeDecodeError:
            raise _Unfit("This line is not UTF-8. Save the file as UTF-8.") from None
        except (ValueError, RecursionError):
            raise _Unfit(
                "This line is not JSON. Write each object on one line, without line breaks inside the object."
            ) from None

    whole = ((number, line) for number, line in enumerate(io.BytesIO(body), 1) if line.strip(_BLANK))
    return _each(whole, loaded)


def read_csv(body: bytes) -> tuple[list[Interaction], list[Wrong]]:
    """Return the interactions of a comma-separated table with a header, and bad lines."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [Wrong(1, "Send the table in UTF-8.")]
    table = rows_of(io.StringIO(text, newline=""), ",")
    try:
        _, names = next(table, (1, []))
    except BrokenRow as trouble:
        return [], [Wrong(1, f"The first line of the table cannot be read: {trouble}.")]
    if len(names) > MOST_COLUMNS:
        return [], [Wrong(1, f"The table has more than {MOST_COLUMNS} columns. Remove the empty columns.")]
    broken: list[Wrong] = []

    def filled() -> Iterator[tuple[int, list[str]]]:
        try:
            yield from ((line, row) for line, row in table if row)
        except BrokenRow as trouble:
            left = text.count("\n", 0, len(text.rstrip())) + 1 - trouble.line + 1
            words = f"The table cannot be read from this line on: {trouble}."
            broken.append(Wrong(trouble.line, words, max(1, left)))

    def named(row: list[str]) -> dict[str, str]:
        if len(row) > len(names):
            raise _Unfit(f"This row has {len(row)} cells, but the first line has {len(names)} names.")
        return {name: value for name, value in zip(names, row, strict=False) if name}

    found, wrong = _each(filled(), named)
    return found, [*wrong, *broken]


def _each(
    said: Iterable[tuple[int, Any]], reading: Callable[[Any], Any]
) -> tuple[list[Interaction], list[Wrong]]:
    """Return the interactions of numbered lines, in order, and the rejected lines.

    Lines after MOST_LINES are counted but not read.
    """
    found: list[Interaction] = []
    wrong: list[Wrong] = []
    for number, line in said:
        if len(found) + len(wrong) >= MOST_LINES:
            words = (
                f"The request has more than {MOST_LINES} lines. Send the other lines in a separate request."
            )
            wrong.append(Wrong(number, words, 1 + sum(1 for _ in said)))
            break
        try:
            found.append(_interaction(reading(line)))
        except _Unfit as trouble:
            wrong.append(Wrong(number, str(trouble)))
    return found, wrong


def _interaction(row: Any) -> Interaction:
    if not isinstance(row, Mapping):
        raise _Unfit("An interaction must be an object with names and values.")
    values: dict[str, Any] = {name: _text(row, name) for name in TEXTS}
    for name in ("trace_id", "span_id", "parent_id"):
        length = 32 if name == "trace_id" else 16
        values[name] = values[name].lower()
        if values[name] and (len(values[name]) != length or values[name].strip("0123456789abcdef")):
            raise _Unfit(f"{name} must be {length} hexadecimal digits, as in OpenTelemetry.")
    values |= {name: _count(row, name) for name in COUNTS}
    values |= {field: _moment(row, name) for name, field in MOMENTS.items()}
    asked, answered = _messages(row.get("input"), "user"), _messages(row.get("output"), "assistant")
    if not asked and not answered:
        raise _Unfit(
            "The interaction has neither input (the request) nor output (the response). Send input, output "
            "or both."
        )
    if values["started"] is None:
        raise _Unfit(
            "The interaction has no time. Send the field “at” with a time and its time zone, such as "
            "2026-11-22T09:30:00Z."
        )
    if calls := _calls(row.get("tools")):
        answered = (
            (*answered, Message("assistant", tool_calls=calls))
            if answered
            else (Message("assistant", tool_calls=calls),)
        )
    return Interaction(
        Kind.CALL,
        input=asked,
        output=answered,
        retrieval=_sources(row.get("sources")),
        sampled=_share(row.get("sampled")),
        attributes={
            str(name): value for name, value in row.items() if name not in OWN and value not in (None, "")
        },
        **values,
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    said = row.get(name)
    if said is None:
        return ""
    if not isinstance(said, (str, int)) or isinstance(said, bool):
        raise _Unfit(f"{name} must be a text.")
    if len(str(said)) > LONGEST:
        raise _Unfit(f"{name} is longer than {LONGEST} characters.")
    return str(said).strip()


def _count(row: Mapping[str, Any], name: str) -> int | None:
    said = row.get(name)
    if said in (None, ""):
        return None
    try:
        found = int(str(said))
    except ValueError:
        found = -1
    if not 0 <= found < 1 << 31:
        raise _Unfit(f"{name} must be a whole number.")
    return found


def _share(said: Any) -> float | None:
    if said in (None, ""):
        return None
    try:
        found = float(str(said))
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise _Unfit(
            "The field “sampled” is the share of calls that the system reports. Send a number above 0 and at most 1."
        )
    return found


def _moment(row: Mapping[str, Any], name: str) -> datetime | None:
    said = row.get(name)
    if said in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(str(said))
        if found.tzinfo is None:
            raise ValueError
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Unfit(f"{name} must be a time with a time zone, such as 2026-11-22T09:30:00Z.") from None


def _messages(said: Any, role: str) -> tuple[Message, ...]:
    if said in (None, "", []):
        return ()
    if isinstance(said, str):
        return (Message(role, said),)
    if not isinstance(said, list) or not all(isinstance(one, Mapping) for one in said):
        raise _Unfit(
            "The fields “input” and “output” must each be a text, or a list of messages with role and content."
        )
    return tuple(
        Message(
            str(one.get("role") or role),
            one["content"] if isinstance(one.get("content"), str) else "",
            parts=() if isinstance(one.get("content"), str) else (dict(one),),
        )
        for one in said
    )


def _calls(said: Any) -> tuple[ToolCall, ...]:
    if said in (None, "", []):
        return ()
    if isinstance(said, str):  # of a table: names with commas between them
        return tuple(ToolCall(name.strip()) for name in said.split(",") if name.strip())
    if not isinstance(said, list):
        raise _Unfit("The field “tools” must be a list of names, or of objects with name and arguments.")
    found = [one if isinstance(one, Mapping) else {"name": one} for one in said]
    return tuple(
        ToolCall(
            str(one.get("name") or ""),
            one["arguments"]
            if isinstance(one.get("arguments"), str)
            else json.dumps(one.get("arguments") or {}),
        )
        for one in found
    )


def _sources(said: Any) -> tuple[Source, ...]:
    if said in (None, "", []):
        return ()
    if isinstance(said, str):
        return tuple(Source(id=one.strip()) for one in said.split(",") if one.strip())
    if not isinstance(said, list):
        raise _Unfit("The field “sources” must be a list of names, or of objects with id and text.")
    return tuple(source_of(one if isinstance(one, Mapping) else {"id": one}) for one in said)
