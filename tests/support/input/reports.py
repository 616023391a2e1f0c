"""Reports of systems as nobody should send them: any attribute by any name that is read, with any value."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from governance.interaction_log.conventions import messages, spans
from tests.support.paths import ROOT

DATA = Path(ROOT) / "tests/data/interactions"
ODD = (
    "\x00",
    "\ud83d",
    "\udc00",
    "\ufffe",
    "\u202e",
    "\u200b",
    "\x1b",
    "\u2028",
    "'",
    '"',
    "\\",
    "{",
    "[",
    ".",
    "~1",
)

texts = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=8)), max_size=4).map("".join)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    texts,
)
MESSAGE = (
    *(
        "role",
        "content",
        "parts",
        "tool_calls",
        "tool_call_id",
        "id",
        "finish_reason",
        "name",
        "type",
        "text",
        "index",
    ),
    *(
        "message",
        "function",
        "arguments",
        "toolName",
        "args",
        "result",
        "output",
        "response",
        "event.name",
        "a.b",
    ),
)
keys = st.one_of(st.sampled_from(MESSAGE), texts)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
message = st.dictionaries(st.sampled_from(MESSAGE), values, max_size=5)
said = st.one_of(
    values,
    st.lists(message, max_size=3),
    st.one_of(values, st.lists(message, max_size=3), st.dictionaries(keys, values)).map(
        lambda value: json.dumps(value, ensure_ascii=False)
    ),
)
NAMES = (
    *(
        name
        for table in (spans.TEXTS, spans.NUMBERS, spans.WHOLE, spans.FALLBACK)
        for some in table.values()
        for name in some
    ),
    *spans.CONVERSATIONS,
    *(
        f"{prefix}0.{rest}"
        for prefix in spans.INDEXED
        for rest in ("content", "role", "message.content", "tool_calls.0.id")
    ),
    *(
        "openinference.span.kind",
        "traceloop.span.kind",
        "operation.name",
        "gen_ai.tool.name",
        "gen_ai.tool.call.id",
    ),
    *(
        "ai.response.text",
        "ai.response.toolCalls",
        "ai.response.finishReason",
        "ai.toolCall.args",
        "tool_arguments",
    ),
    *(
        "retrieval.documents.0.document.id",
        "retrieval.documents.0.document.metadata",
        "gen_ai.retrieval.documents",
    ),
    *("retrieval.documents.1.document.score", "exception.message", "my.own.words"),
)
KINDS = (
    "LLM",
    "TOOL",
    "RETRIEVER",
    "CHAIN",
    "tool",
    "workflow",
    "chat",
    "execute_tool",
    "retrieval",
    "ai.toolCall",
)
attributes = st.dictionaries(
    st.one_of(st.sampled_from(NAMES), texts), st.one_of(said, st.sampled_from(KINDS)), max_size=8
)
event = st.fixed_dictionaries(
    {"name": st.one_of(st.sampled_from([*messages.MESSAGES, "exception"]), texts), "attributes": attributes}
)
span = st.fixed_dictionaries(
    {
        "name": texts,
        "attributes": attributes,
        "events": st.lists(event, max_size=2),
        "status": st.sampled_from([0, 2]),
    }
)
record = st.fixed_dictionaries(
    {"eventName": st.one_of(st.sampled_from([*messages.MESSAGES]), texts), "body": said}
)
line = st.fixed_dictionaries(
    {
        "at": st.just("2026-11-22T09:30:00Z"),
        "input": st.one_of(texts, st.lists(message, min_size=1, max_size=3)),
    },
    optional={
        **dict.fromkeys(
            ("id", "subject", "conversation", "model", "version", "decision", "action", "error"), texts
        ),
        **{
            name: st.one_of(values, st.lists(message, max_size=2))
            for name in ("output", "tools", "sources", "till")
        },
    },
)


def value_of(value: Any) -> dict[str, Any]:
    """A value as OTLP writes it in JSON."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [value_of(one) for one in value]}}
    return {"kvlistValue": {"values": pairs_of(value)}} if isinstance(value, dict) else {}


def pairs_of(said: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP writes them in JSON."""
    return [{"key": name, "value": value_of(one)} for name, one in said.items()]


def traces_of(some: list[dict[str, Any]]) -> bytes:
    """Spans as a request in the JSON of OTLP, each with ids of its own."""
    sent = [
        {
            "traceId": "5b8aa5a2d2c872e8321cf37308d69df2",
            "spanId": f"{number:016x}",
            "name": one["name"],
            "startTimeUnixNano": "1795600000000000000",
            "attributes": pairs_of(one["attributes"]),
            "events": [
                {"name": it["name"], "attributes": pairs_of(it["attributes"])} for it in one["events"]
            ],
            "status": {"code": one["status"], "message": one["name"]},
        }
        for number, one in enumerate(some, 1)
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": sent}]}]}).encode()


def logs_of(some: list[dict[str, Any]]) -> bytes:
    """Log records as a request in the JSON of OTLP."""
    sent = [{"eventName": one["eventName"], "body": value_of(one["body"])} for one in some]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": sent}]}]}).encode()
