"""Read spans and log records as interactions, by several conventions. Pure.

The tables map attribute names to fields. The GenAI semantic conventions have three generations of messages:

1. Attributes by index (`gen_ai.prompt.0.content`, `gen_ai.completion.0.content`), as OpenLLMetry writes them.
2. One event a message (`gen_ai.user.message`, `gen_ai.choice`), as log records or as events of the span.
3. One attribute with all (`gen_ai.input.messages`, `gen_ai.output.messages`), on the span or on one event of it.

OpenInference, the Vercel AI SDK and Pydantic AI have other names. An attribute leaves `attributes` only if a field
took it whole.

Sources: OpenTelemetry semantic conventions for generative AI (up to 1.41, then the repository
semantic-conventions-genai, which renamed `cache_creation` to `cache_write`), OpenInference semantic conventions, AI SDK
(telemetry), Pydantic AI (debugging and monitoring, instrumentation versions 1 to 3).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.interaction_log.conventions.messages import (
    MESSAGES,
    call_of,
    conversation,
    indexed,
    loaded,
    message_of,
    messages_of,
    said_in,
)
from governance.interaction_log.otlp import Batch, Event, Span
from governance.interaction_log.shape import (
    Interaction,
    Kind,
    Message,
    Source,
    ToolCall,
    joined,
    source_of,
    text_of,
    together,
)

# The attribute names of each field. If several are present, the first counts and the others remain attributes.
TEXTS = {
    "operation": ("gen_ai.operation.name", "llm.request.type", "ai.operationId"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"),
    "model": (
        "gen_ai.request.model",
        "llm.model_name",
        "embedding.model_name",
        "reranker.model_name",
        "ai.model.id",
    ),
    "version": ("gen_ai.response.model", "ai.response.model"),
    "conversation": (
        "gen_ai.conversation.id",
        "session.id",
        "traceloop.association.properties.session_id",
        "ai.telemetry.metadata.sessionId",
    ),
    "subject": (
        "plumbline.subject",
        "enduser.pseudo.id",
        "enduser.id",
        "user.id",
        "traceloop.association.properties.user_id",
        "ai.telemetry.metadata.userId",
    ),
    "workflow": ("gen_ai.workflow.name", "traceloop.workflow.name"),
    "decision": ("plumbline.decision",),
    "action": ("plumbline.action",),
    "error": ("error.type",),
}
NUMBERS = {
    "tokens_in": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
    ),
    "tokens_out": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ),
    "tokens_cache_read": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.cachedInputTokens",
    ),
    "tokens_cache_write": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
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
# The same words in one text, read if no other attribute has them.
FALLBACK = {
    "input": (
        *("gen_ai.retrieval.query.text", "ai.prompt.messages", "ai.prompt", "ai.value", "ai.values"),
        "input.value",
    ),
    "output": ("ai.response.object", "ai.result.object", "output.value", "final_result"),
}
ROLES = {"input": "user", "output": "assistant"}
# Both directions in one attribute. The last messages of the model are the output.
CONVERSATIONS = ("pydantic_ai.all_messages", "all_messages_events", "events")
CALLS = {"chat", "text_completion", "generate_content", "embeddings", "completion", "embedding", "rerank"}
OPERATIONS = {
    "execute_tool": Kind.TOOL,
    "retrieval": Kind.RETRIEVAL,
    "create_agent": Kind.WRAPPER,
    "invoke_agent": Kind.WRAPPER,
    "invoke_workflow": Kind.WRAPPER,
    "ai.toolCall": Kind.TOOL,
}
# Operations of the AI SDK that call a model end like this. The others are wrappers.
AI_SDK_CALLS = (".doGenerate", ".doStream", ".doEmbed")
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
_THRESHOLD = re.compile(r"(?:^|;)th:([0-9a-f]{1,14})(?:;|$)")


def read(batch: Batch) -> list[Interaction]:
    """Return the reports of a request, with spans and events of one call joined."""
    reports = [_of_span(span) for span in batch.spans]
    reports += [_of_event(event) for event in batch.events]
    return joined(reports)


def moment(nanoseconds: int) -> datetime | None:
    """Return the moment of nanoseconds since 1970, or None if 0 or out of range."""
    if not 0 < nanoseconds < (_LATEST - _EPOCH) // timedelta(microseconds=1) * 1000:
        return None
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def sampled(state: str) -> float | None:
    """Return the share of spans that a trace state (`ot=th:...`) keeps, or None."""
    for entry in state.split(","):
        name, _, said = entry.strip().partition("=")
        if name == "ot" and (found := _THRESHOLD.search(said)):
            return 1 - int(found[1].ljust(14, "0"), 16) / (1 << 56)
    return None


# --- Spans and events -------------------------------------------------------------------------------------------------


def _of_span(span: Span) -> Interaction:
    left = dict(span.attributes)
    found = _fields(left)
    _take_events(found, left, span.events)
    kind = _kind(found, left)
    if kind == Kind.TOOL:
        found["tool"] = _tool(left)
    else:
        _fall_back(found, left)
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
    """Return the attributes that no field took, with resource and scope."""
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
    if operation.startswith("ai."):
        return Kind.CALL if operation.endswith(AI_SDK_CALLS) else Kind.WRAPPER
    if not operation and "gen_ai.tool.name" in left and "gen_ai.tool.call.id" in left:
        return Kind.TOOL
    speaks = any(name in found for name in ("input", "output", "model", "version", "tokens_in"))
    speaks = speaks or "input.value" in left or "output.value" in left
    return Kind.CALL if operation in CALLS or speaks else Kind.OTHER


def _fields(left: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of attributes, and remove what a field took."""
    found: dict[str, Any] = {}
    operation = left.get("operation.name")
    if "ai.operationId" not in left and isinstance(operation, str) and operation.startswith("ai."):
        left["ai.operationId"] = operation.split()[0]  # the name of the function stands behind it
        if left["ai.operationId"] == operation:
            del left["operation.name"]
    for name, names in TEXTS.items():
        _take(found, left, name, names, lambda said: said if isinstance(said, str) and said else None)
    for name, names in NUMBERS.items():
        _take(found, left, name, names, _count)
    for side, names in WHOLE.items():
        for one in names:
            system = one == WHOLE["input"][0]
            messages = messages_of(left.get(one), "system" if system else ROLES[side], system=system)
            if messages:
                before = found.get(side, ())  # the instructions, which some senders say a second time
                found[side] = messages if messages[: len(before)] == before else (*before, *messages)
                del left[one]
    for prefix, side in INDEXED.items():
        if messages := indexed(left, prefix):
            found[side] = (*found.get(side, ()), *messages)
    return found


def _fall_back(found: dict[str, Any], left: dict[str, Any]) -> None:
    """Fill missing fields from names of single senders, and remove what a field took."""
    if "output" not in found and (answer := _ai_sdk_answer(left)) is not None:
        found["output"] = (answer,)
    if "input" not in found and "output" not in found:
        for name in CONVERSATIONS:
            messages = conversation(left.get(name))
            if messages:
                last = len(messages)
                while last and messages[last - 1].role == "assistant":
                    last -= 1
                found |= {"input": messages[:last]} if last else {}
                found |= {"output": messages[last:]} if last < len(messages) else {}
                del left[name]
                break
    for side, names in FALLBACK.items():
        for name in names if side not in found else ():
            messages, whole = said_in(left.get(name), ROLES[side])
            if messages:
                found[side] = messages
                if whole:
                    del left[name]
                break


def _ai_sdk_answer(left: dict[str, Any]) -> Message | None:
    """Return the model's answer from the AI SDK's attributes, or None."""
    for prefix in ("ai.response.", "ai.result."):
        calls = loaded(left.get(f"{prefix}toolCalls"))
        listed = isinstance(calls, list) and all(isinstance(one, dict) for one in calls)
        text = left.get(f"{prefix}text")
        if not listed and not isinstance(text, str):
            continue
        if not text and not calls:
            continue
        if listed:
            del left[f"{prefix}toolCalls"]
        if isinstance(text, str):
            del left[f"{prefix}text"]
        finish = left.pop(f"{prefix}finishReason", None)
        return Message(
            "assistant",
            text if isinstance(text, str) else "",
            tuple(map(call_of, calls)) if listed else (),
            finish=text_of(finish),
        )
    return None


def _take(
    found: dict[str, Any], left: dict[str, Any], name: str, names: tuple[str, ...], reading: Any
) -> None:
    for one in names:
        if one in left and (said := reading(left[one])) is not None and found.setdefault(name, said) == said:
            del left[one]


def _count(said: Any) -> int | None:
    """Return a whole number of tokens, also from a double or a text, or None."""
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) < 11:
        said = int(said)
    if isinstance(said, float) and said.is_integer():
        said = int(said)
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < 1 << 31 else None


_BODY = {"role", "content", "tool_calls", "id", "message", "index", "finish_reason"}


def _event_message(event: Event) -> Message | None:
    """Return the message of a second-generation event, from its body or attributes."""
    role = MESSAGES.get(event.name)
    if role is None:
        return None
    body = event.body if isinstance(event.body, dict) else None
    if body is None:
        body = {name: loaded(value) for name, value in event.attributes.items() if name in _BODY}
    if isinstance(event.body, str):
        body |= {"content": event.body}
    inner = body.get("message")
    if event.name == "gen_ai.choice" and isinstance(inner, dict):
        body = inner | {"finish_reason": body.get("finish_reason")}
    elif isinstance(inner, str):
        body = body | {"content": inner}
    return message_of({name: value for name, value in body.items() if name not in ("index", "message")}, role)


def _take_events(found: dict[str, Any], left: dict[str, Any], events: tuple[Event, ...]) -> None:
    """Fill fields from a span's events. Unknown events go to the attributes by name."""
    reports = [_of_event(event) for event in events]
    for side in ("input", "output"):
        said = together(found.get(side, ()), *(getattr(report, side) for report in reports))
        found |= {side: said} if said else {}
    others = []
    for event, report in zip(events, reports, strict=True):
        for name in (*TEXTS, *NUMBERS):
            if said := getattr(report, name):
                found.setdefault(name, said)
        if report.attributes or event.name not in MESSAGES:
            others.append({"name": event.name, "attributes": dict(report.attributes)})
    if others:
        left["span.events" if "events" in left else "events"] = others


def _tool(left: dict[str, Any]) -> ToolCall:
    """Return the run of a tool that a span reports."""
    return ToolCall(
        *(
            text_of(next((left.pop(name) for name in names if name in left), None))
            for names in (
                ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name"),
                (
                    *("gen_ai.tool.call.arguments", "tool.parameters", "ai.toolCall.args", "tool_arguments"),
                    *("traceloop.entity.input", "input.value"),
                ),
                ("gen_ai.tool.call.id", "ai.toolCall.id"),
                (
                    *("gen_ai.tool.call.result", "ai.toolCall.result", "tool_response"),
                    *("traceloop.entity.output", "output.value"),
                ),
            )
        )
    )


def _sources(left: dict[str, Any]) -> tuple[Source, ...]:
    """Return the retrieved documents, by index (OpenInference) or from one attribute."""
    found: list[dict[str, Any]] = []
    for prefix in ("retrieval.documents.", "reranker.output_documents."):
        rows: dict[int, dict[str, Any]] = {}
        for name in [name for name in left if name.startswith(prefix)]:
            index, _, rest = name[len(prefix) :].partition(".document.")
            if index.isdecimal() and len(index) < 6 and rest:
                rows.setdefault(int(index), {})[rest] = (
                    loaded(left.pop(name)) if rest == "metadata" else left.pop(name)
                )
        found += [rows[index] for index in sorted(rows)]
    whole = loaded(left.get("gen_ai.retrieval.documents"))
    if isinstance(whole, list) and whole and all(isinstance(one, dict) for one in whole):
        found += whole
        del left["gen_ai.retrieval.documents"]
    return tuple(map(source_of, found))
