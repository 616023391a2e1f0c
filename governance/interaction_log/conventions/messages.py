"""Read messages of senders: in parts, in OpenAI's form, by index or as text. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from governance.interaction_log.shape import Message, ToolCall, text_of
from governance.vocabulary import bounded_json

# Events with one message, and the role of a message that names none.
MESSAGES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}

_STEPS = re.compile(r"\.(?:message|tool_call|function|message_content)(?=\.)")
_CALLS = ("tool_call", "tool-call", "tool_use")
_RESULTS = ("tool_call_response", "tool-result", "tool_result")


def conversation(said: Any) -> tuple[Message, ...]:
    """Return the messages of both directions in one attribute, or ()."""
    said = loaded(said)
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        return ()
    found = []
    for one in said:
        role = MESSAGES.get(str(one.get("event.name")), "")
        known = one.keys() & {"role", "content", "parts", "message", "tool_calls"}
        if not known:
            return ()
        inner = one["message"] if isinstance(one.get("message"), dict) else one
        about = {"event.name", "index", "message", "gen_ai.message.index"}
        found.append(message_of({name: value for name, value in inner.items() if name not in about}, role))
    return tuple(found)


def said_in(said: Any, role: str) -> tuple[tuple[Message, ...], bool]:
    """Return the messages of an attribute: a text, a list, or a request or answer.

    The second value is True if they are all that the attribute holds.
    """
    values = loaded(said)
    if not isinstance(values, dict):
        return messages_of(said, role, system=False), True
    choices = values.get("choices")
    listed = choices if isinstance(choices, list) else []
    inner = [one.get("message") for one in listed if isinstance(one, dict)]
    found = [one for one in inner if isinstance(one, dict)]
    if found and len(found) == len(inner):
        return tuple(message_of(one, role) for one in found), False
    system = values.get("system")
    first = (Message("system", system),) if isinstance(system, str) and system else ()
    for name in ("messages", "prompt"):
        if asked := messages_of(values.get(name), role, system=False):
            return (*first, *asked), values.keys() <= {"system", name}
    return messages_of(said, role, system=False), True


def messages_of(said: Any, role: str, *, system: bool) -> tuple[Message, ...]:
    """Return the messages of an attribute in a known form, or its text as a message.

    `role` is the role of a text. The result is () for an empty value, or for one that is neither text nor values.
    """
    values = loaded(said)
    if isinstance(values, dict) and values.keys() & {"role", "content", "parts"}:
        values = [values]
    if isinstance(values, list) and values and all(isinstance(one, dict) for one in values):
        if system and not any("parts" in one or "role" in one for one in values):
            return (message_of({"role": "system", "parts": values}, "system"),)
        return tuple(message_of(one, "system" if system else "") for one in values)
    if isinstance(said, (list, dict)):
        said = text_of(said) if said else ""
    return (Message(role, said),) if isinstance(said, str) and said else ()


def message_of(said: dict[str, Any], role: str) -> Message:
    """Return one message in parts (third generation) or in OpenAI's form (second)."""
    texts: list[str] = []
    calls: list[ToolCall] = []
    others: list[Any] = []
    answers = first_said(said, "tool_call_id", "id")
    for part in _parts(said):
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, str):
            texts.append(part)
        elif kind == "text" and isinstance(text := part.get("content", part.get("text")), str):
            texts.append(text)
        elif kind in _CALLS:
            calls.append(call_of(part))
        elif kind in _RESULTS:
            answers = answers or first_said(part, "id", "toolCallId", "tool_use_id")
            texts.append(first_said(part, "response", "result", "output", "content"))
        else:
            others.append(part)
    known = {"role", "content", "tool_call_id", "id", "finish_reason"}
    known |= {"parts"} if isinstance(said.get("parts"), list) else set()
    asked = said.get("tool_calls")
    if isinstance(asked, list) and all(isinstance(one, dict) for one in asked):
        calls += [call_of(one) for one in asked]
        known.add("tool_calls")
    if rest := {name: value for name, value in said.items() if name not in known and value is not None}:
        others.append(rest)
    return Message(
        role=text_of(said.get("role") or role),
        text="\n".join(texts),
        tool_calls=tuple(calls),
        answers=answers,
        finish=text_of(said.get("finish_reason") or ""),
        parts=tuple(others),
    )


def _parts(said: dict[str, Any]) -> list[Any]:
    parts = said["parts"] if isinstance(said.get("parts"), list) else []
    content = said.get("content")
    if isinstance(content, list):
        return [*parts, *content]
    return parts if content is None else [*parts, content if isinstance(content, str) else text_of(content)]


def call_of(said: dict[str, Any]) -> ToolCall:
    """Return the tool call that a sender's object describes."""
    inner = said["function"] if isinstance(said.get("function"), dict) else said
    return ToolCall(
        first_said(inner, "name", "toolName"),
        first_said(inner, "arguments", "input", "args"),
        first_said(said, "id", "toolCallId"),
    )


def first_said(said: Mapping[str, Any], *names: str) -> str:
    """Return the first of these values that is not None, as a text."""
    return text_of(next((said[name] for name in names if said.get(name) is not None), None))


def indexed(left: dict[str, Any], prefix: str) -> tuple[Message, ...]:
    """Return the messages with `prefix` and an index, and remove their attributes."""
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
        said["content"] = loaded(content)
    return message_of(said | others, "")


def loaded(value: Any) -> Any:
    """Return the list or object in a JSON text, or the value itself if there is none."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return bounded_json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
