"""Spans and log records as interactions: the GenAI semantic conventions of three generations, and their kin. Pure.

One table says by which names a field goes; the rest is how messages were written down:

1. attributes by index (`gen_ai.prompt.0.content`, `gen_ai.completion.0.content`), as OpenLLMetry writes them;
2. one event a message (`gen_ai.user.message`, `gen_ai.choice`), as log records or as events of the span;
3. one attribute with all (`gen_ai.input.messages`, `gen_ai.output.messages`), on the span or on one event of it.

OpenInference has names of its own. An attribute leaves `attributes` only where a field took it whole.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.interaction_log.otlp import Batch, Event, Span
from governance.interaction_log.shape import Interaction, Kind, Message, Source, ToolCall, joined

# By which names a field goes; where several are there the first counts, and the others stay attributes.
TEXTS = {
    "operation": ("gen_ai.operation.name", "llm.request.type"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "model": ("gen_ai.request.model", "llm.model_name"),
    "version": ("gen_ai.response.model",),
    "conversation": (
        "gen_ai.conversation.id",
        "session.id",
        "traceloop.association.properties.session_id",
    ),
    "subject": (
        "plumbline.subject",
        "enduser.pseudo.id",
        "enduser.id",
        "user.id",
        "traceloop.association.properties.user_id",
    ),
    "decision": ("plumbline.decision",),
    "action": ("plumbline.action",),
    "error": ("error.type",),
}
NUMBERS = {
    "tokens_in": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "tokens_out": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
    ),
}
# All messages of one direction in one attribute, and by index.
WHOLE = {
    "input": ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.prompt"),
    "output": ("gen_ai.output.messages", "gen_ai.completion"),
}
INDEXED = {
    "gen_ai.prompt.": "input",
    "gen_ai.completion.": "output",
    "llm.input_messages.": "input",
    "llm.output_messages.": "output",
}
# Events that carry one message, and the role that it has where it says none.
MESSAGES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
CALLS = {"chat", "text_completion", "generate_content", "embeddings", "completion", "embedding", "rerank"}
OPERATIONS = {
    "execute_tool": Kind.TOOL,
    "retrieval": Kind.RETRIEVAL,
    "create_agent": Kind.WRAPPER,
    "invoke_agent": Kind.WRAPPER,
    "invoke_workflow": Kind.WRAPPER,
}
OPENINFERENCE = {
    "LLM": Kind.CALL,
    "EMBEDDING": Kind.CALL,
    "RERANKER": Kind.CALL,
    "TOOL": Kind.TOOL,
    "RETRIEVER": Kind.RETRIEVAL,
}
TRACELOOP = {"tool": Kind.TOOL, "workflow": Kind.WRAPPER, "task": Kind.WRAPPER, "agent": Kind.WRAPPER}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
_STEPS = re.compile(r"\.(?:message|tool_call|function|message_content)(?=\.)")
_THRESHOLD = re.compile(r"(?:^|;)th:([0-9a-f]{1,14})(?:;|$)")


def read(batch: Batch) -> list[Interaction]:
    """What a request reports, spans and events of one call joined."""
    reports = [_of_span(span) for span in batch.spans]
    reports += [_of_event(event) for event in batch.events]
    return joined(reports)


def moment(nanoseconds: int) -> datetime | None:
    """The moment so many nanoseconds after 1970; None for none, and for what no calendar has."""
    if not 0 < nanoseconds < (_LATEST - _EPOCH) // timedelta(microseconds=1) * 1000:
        return None
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def sampled(state: str) -> float | None:
    """The share of spans that their sender keeps, as a trace state tells it (`ot=th:...`); None where it tells none."""
    for entry in state.split(","):
        name, _, said = entry.strip().partition("=")
        if name == "ot" and (found := _THRESHOLD.search(said)):
            return 1 - int(found[1].ljust(14, "0"), 16) / (1 << 56)
    return None


# --- Spans and events -------------------------------------------------------------------------------------------------


def _of_span(span: Span) -> Interaction:
    left = dict(span.attributes)
    found = _fields(left)
    for event in span.events:
        _take_event(found, left, event)
    kind = _kind(found, left)
    if kind == Kind.TOOL:
        found["tool"] = _tool(left)
    sources = _sources(left)
    if sources:
        found["retrieval"] = sources
    said = _around(left, span.resource, span.scope)
    return Interaction(
        kind,
        **{"error": span.error} | found,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name,
        started=moment(span.start),
        ended=moment(span.end),
        sampled=sampled(span.state),
        attributes=said,
    )


def _of_event(event: Event) -> Interaction:
    left = dict(event.attributes)
    found = _fields(left)
    if (message := _event_message(event)) is not None:
        side = "output" if event.name == "gen_ai.choice" else "input"
        found[side] = (*found.get(side, ()), message)
        if event.body is None:
            left = {name: value for name, value in left.items() if name not in _BODY}
    elif event.body is not None:
        left["event.body"] = event.body
    kind = Kind.EVENTS if event.span_id or event.name in MESSAGES else _kind(found, left)
    return Interaction(
        kind,
        **found,
        trace_id=event.trace_id,
        span_id=event.span_id,
        name=event.name,
        started=moment(event.at),
        attributes=_around(left, event.resource, event.scope),
    )


def _around(left: dict[str, Any], resource: Mapping[str, Any], scope: str) -> dict[str, Any]:
    """What no field took, with what the sender says of itself."""
    said = left | {f"resource.{name}": value for name, value in resource.items()}
    return said | {"scope": scope} if scope else said


def _kind(found: dict[str, Any], left: dict[str, Any]) -> Kind:
    if (said := left.get("openinference.span.kind")) is not None:
        return OPENINFERENCE.get(str(said).upper(), Kind.WRAPPER)
    if (said := str(left.get("traceloop.span.kind", "")).lower()) in TRACELOOP:
        return TRACELOOP[said]
    operation = found.get("operation", "")
    if operation in OPERATIONS:
        return OPERATIONS[operation]
    speaks = any(name in found for name in ("input", "output", "model", "version", "tokens_in"))
    return Kind.CALL if operation in CALLS or speaks else Kind.OTHER


def _fields(left: dict[str, Any]) -> dict[str, Any]:
    """The fields that attributes hold; what a field took is taken out of them."""
    found: dict[str, Any] = {}
    for name, names in TEXTS.items():
        _take(found, left, name, names, lambda said: said if isinstance(said, str) and said else None)
    for name, names in NUMBERS.items():
        _take(found, left, name, names, _count)
    for side, names in WHOLE.items():
        for one in names:
            if (
                one in left
                and (messages := _messages(left[one], system=one == WHOLE["input"][0])) is not None
            ):
                before = found.get(side, ())  # the instructions, which some senders say a second time
                found[side] = messages if messages[: len(before)] == before else (*before, *messages)
                del left[one]
    for prefix, side in INDEXED.items():
        if messages := _indexed(left, prefix):
            found[side] = (*found.get(side, ()), *messages)
    return found


def _take(
    found: dict[str, Any], left: dict[str, Any], name: str, names: tuple[str, ...], reading: Any
) -> None:
    for one in names:
        if one in left and (said := reading(left[one])) is not None and found.setdefault(name, said) == said:
            del left[one]


def _count(said: Any) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < 1 << 31 else None


# --- Messages ---------------------------------------------------------------------------------------------------------


def _messages(said: Any, *, system: bool) -> tuple[Message, ...] | None:
    """The messages of one attribute, as JSON or as values; None where it is written in no way that is known."""
    if isinstance(said, str):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            return None
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        return None
    if system and not any("parts" in one or "role" in one for one in said):
        return (_message({"role": "system", "parts": said}, "system"),)
    return tuple(_message(one, "system" if system else "") for one in said)


def _message(said: dict[str, Any], role: str) -> Message:
    """One message, in parts (the third generation) or as the interface of OpenAI has it (the second)."""
    texts: list[str] = []
    calls: list[ToolCall] = []
    others: list[Any] = []
    answers = str(said.get("tool_call_id") or said.get("id") or "")
    for part in _parts(said):
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, str):
            texts.append(part)
        elif kind == "text" and isinstance(text := part.get("content", part.get("text")), str):
            texts.append(text)
        elif kind == "tool_call":
            calls.append(_call(part))
        elif kind == "tool_call_response":
            answers = answers or str(part.get("id") or "")
            texts.append(_text(part.get("response", part.get("result", part.get("content")))))
        else:
            others.append(part)
    calls += [_call(one) for one in said.get("tool_calls") or () if isinstance(one, dict)]
    known = {"role", "content", "parts", "tool_calls", "tool_call_id", "id", "finish_reason", "name"}
    if rest := {name: value for name, value in said.items() if name not in known and value is not None}:
        others.append(rest)
    return Message(
        role=str(said.get("role") or role),
        text="\n".join(texts),
        tool_calls=tuple(calls),
        answers=answers,
        finish=str(said.get("finish_reason") or ""),
        parts=tuple(others),
    )


def _parts(said: dict[str, Any]) -> list[Any]:
    parts = said["parts"] if isinstance(said.get("parts"), list) else []
    content = said.get("content")
    if isinstance(content, list):
        return [*parts, *content]
    return parts if content is None else [*parts, content if isinstance(content, str) else _text(content)]


def _call(said: dict[str, Any]) -> ToolCall:
    inner = said["function"] if isinstance(said.get("function"), dict) else said
    return ToolCall(
        str(inner.get("name") or ""),
        _text(inner.get("arguments", inner.get("input"))),
        str(said.get("id") or ""),
    )


def _text(said: Any) -> str:
    return said if isinstance(said, str) else "" if said is None else json.dumps(said, ensure_ascii=False)


def _indexed(left: dict[str, Any], prefix: str) -> tuple[Message, ...]:
    """The messages whose attributes begin with `prefix` and an index; they are taken out of the attributes."""
    rows: dict[int, dict[str, Any]] = {}
    for name in [name for name in left if name.startswith(prefix)]:
        index, _, rest = name[len(prefix) :].partition(".")
        if index.isdecimal() and len(index) < 6 and rest:
            rows.setdefault(int(index), {})[_STEPS.sub("", f".{rest}").lstrip(".")] = left.pop(name)
    return tuple(_indexed_message(rows[index]) for index in sorted(rows))


def _indexed_message(row: dict[str, Any]) -> Message:
    said: dict[str, Any] = {}
    groups: dict[str, dict[int, dict[str, Any]]] = {"tool_calls": {}, "contents": {}}
    others: dict[str, Any] = {}
    for name, value in row.items():
        group, _, rest = name.partition(".")
        index, _, key = rest.partition(".")
        if group in groups and index.isdecimal() and len(index) < 6 and key:
            groups[group].setdefault(int(index), {})[key] = value
        elif name in ("role", "content", "finish_reason", "tool_call_id"):
            said[name] = value
        else:
            others[name] = value
    said["tool_calls"] = [groups["tool_calls"][index] for index in sorted(groups["tool_calls"])]
    said["parts"] = [groups["contents"][index] for index in sorted(groups["contents"])]
    content = said.get("content")
    if isinstance(content, str) and content.startswith("[{"):
        try:
            said["content"] = json.loads(content)
        except (ValueError, RecursionError):
            said["content"] = content
    return _message(said | others, "")


_BODY = {"role", "content", "tool_calls", "id", "message", "index", "finish_reason"}


def _event_message(event: Event) -> Message | None:
    """The message of an event of the second generation: its body, or (on a span) its attributes."""
    role = MESSAGES.get(event.name)
    if role is None:
        return None
    body = event.body if isinstance(event.body, dict) else None
    if body is None:
        body = {name: _loaded(value) for name, value in event.attributes.items() if name in _BODY}
    if isinstance(event.body, str):
        body |= {"content": event.body}
    inner = body.get("message")
    if event.name == "gen_ai.choice" and isinstance(inner, dict):
        body = inner | {"finish_reason": body.get("finish_reason")}
    elif isinstance(inner, str):
        body = body | {"content": inner}
    return _message({name: value for name, value in body.items() if name not in ("index", "message")}, role)


def _loaded(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _take_event(found: dict[str, Any], left: dict[str, Any], event: Event) -> None:
    """Put an event of a span into its fields; what is known of none stands among the attributes by its name."""
    report = _of_event(event)
    for side in ("input", "output"):
        if said := getattr(report, side):
            found[side] = (*found.get(side, ()), *(one for one in said if one not in found.get(side, ())))
    for name in (*TEXTS, *NUMBERS):
        if said := getattr(report, name):
            found.setdefault(name, said)
    if report.attributes or event.name not in MESSAGES:
        left.setdefault("events", []).append({"name": event.name, "attributes": dict(report.attributes)})


def _tool(left: dict[str, Any]) -> ToolCall:
    """The run of a tool that a span tells of."""
    return ToolCall(
        *(
            _text(next((left.pop(name) for name in names if name in left), None))
            for names in (
                ("gen_ai.tool.name", "tool.name", "traceloop.entity.name"),
                ("gen_ai.tool.call.arguments", "tool.parameters", "traceloop.entity.input", "input.value"),
                ("gen_ai.tool.call.id",),
                ("gen_ai.tool.call.result", "traceloop.entity.output", "output.value"),
            )
        )
    )


def _sources(left: dict[str, Any]) -> tuple[Source, ...]:
    """What was retrieved: `retrieval.documents` by index (OpenInference), or `gen_ai.retrieval.documents` whole."""
    rows: dict[int, dict[str, Any]] = {}
    prefix = "retrieval.documents."
    for name in [name for name in left if name.startswith(prefix)]:
        index, _, rest = name[len(prefix) :].partition(".document.")
        if index.isdecimal() and len(index) < 6 and rest in ("id", "content", "score"):
            rows.setdefault(int(index), {})[rest] = left.pop(name)
    found = [rows[index] for index in sorted(rows)]
    whole = _loaded(left.get("gen_ai.retrieval.documents"))
    if isinstance(whole, list) and all(
        isinstance(one, dict) and not one.keys() - {"id", "content", "score"} for one in whole
    ):
        found += whole
        del left["gen_ai.retrieval.documents"]
    return tuple(
        Source(
            _text(one.get("id")),
            _text(one.get("content")),
            float(one["score"]) if isinstance(one.get("score"), (int, float)) else None,
        )
        for one in found
    )
