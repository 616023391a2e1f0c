"""The one shape of an interaction, whatever convention it was reported in. Pure.

One interaction is one call of a model. What else is reported of the same work (runs of tools, retrievals, spans that
frameworks put around calls, events that belong to a span) is kept in the same shape and told apart by `kind`.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from governance.vocabulary import readable_text


class Kind(StrEnum):
    """What a report is of. Only calls count as interactions; the values stand in rows and do not change."""

    CALL = "call"
    TOOL = "tool"
    RETRIEVAL = "retrieval"
    EVENTS = "events"  # events of a span that is reported apart
    WRAPPER = "wrapper"  # a span of a framework around calls
    OTHER = "other"  # a span that says nothing of AI


ACTS = (Kind.CALL, Kind.TOOL, Kind.RETRIEVAL)  # what somebody may have had to be asked about
_NO_NAME = re.compile(r"[^\w.:/+-]+")
# What has to be looked at before it is kept, in JSON: halves of characters, zero characters, numbers that are none.
_UNFIT = re.compile(r"[\ud800-\udfff]|\\u0000|NaN|Infinity")
_NAMES_OF_ROWS = frozenset(("id", "answers", "conversation", "subject"))
LONGEST_ACT = 100  # characters
_LARGEST_SCORE = 1e300
LONGEST_TIME = 2**31 - 1  # milliseconds that a row holds


def act_name(text: str) -> str:
    """A name of an act as rows have it and as it is compared: letters, digits and . : / + - _ alone.

    Whatever else is in it becomes _, so that no sentence and no address of a person stands in a row.
    """
    return _NO_NAME.sub("_", text.strip())[:LONGEST_ACT]


# Attributes of these names hold no words of people, whatever their values look like.
_NO_WORDS = (
    *(
        "resource.",
        "scope",
        "event.",
        "http.",
        "url.",
        "server.",
        "network.",
        "code.",
        "thread.",
        "exception.",
    ),
    *(
        "gen_ai.request.",
        "gen_ai.response.",
        "gen_ai.tool.",
        "llm.invocation_parameters",
        "llm.tools.",
        "ai.settings.",
    ),
    *(
        "ai.prompt.tools",
        "ai.prompt.toolChoice",
        "ai.request.headers",
        "logfire.",
        "model_request_parameters",
    ),
)
MOST_UNREAD = 30


def _may_be_words(value: Any) -> bool:
    """Whether a value can be what people or models said: a text of several words, JSON in a text, or values in one."""
    if isinstance(value, str):
        said = value.strip()
        return len(said.split(None, 1)) > 1 or said.startswith(("[", "{"))
    if isinstance(value, Mapping):
        return any(map(_may_be_words, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_may_be_words, value))


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool that a model asked for, or one run of it: `arguments` and `result` as they were written."""

    name: str = ""
    arguments: str = ""
    id: str = ""
    result: str = ""


@dataclass(frozen=True)
class Message:
    """One message to or from a model. `parts` holds what is neither text nor a call, as it came.

    `role` is empty where the sender names none.
    """

    role: str = ""
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    answers: str = ""  # the id of the tool call that this answers
    finish: str = ""
    parts: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Source:
    """One thing that was retrieved for a call; `attributes` is what no other field takes, as it came."""

    id: str = ""
    text: str = ""
    score: float | None = None
    title: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Interaction:
    """One report of a system. Empty or None is what it did not say; `attributes` is what no field takes, as it came.

    Ids of trace, span and parent are lower-case hexadecimal; `id` is the sender's own name where there is no span.
    `sampled` is the share of its calls that the sender says it reports.
    """

    kind: Kind
    operation: str = ""
    provider: str = ""
    model: str = ""
    version: str = ""
    input: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()
    tool: ToolCall | None = None
    retrieval: tuple[Source, ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None
    conversation: str = ""
    subject: str = ""
    decision: str = ""
    action: str = ""
    error: str = ""
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    id: str = ""
    name: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    sampled: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tools_called(self) -> tuple[str, ...]:
        """The names of the tools that the model asked for, or that this run is of, in order."""
        if self.tool is not None:
            return (self.tool.name,)
        return tuple(call.name for message in self.output for call in message.tool_calls)

    @property
    def act(self) -> str:
        """What the sender calls what was done: the action that it says, else the tool, else the operation of a call.

        Empty for what is no act: spans of frameworks, and events, which belong to the span that has the name.
        """
        if self.kind not in ACTS:
            return ""
        return act_name(self.action or (self.tool.name if self.tool is not None else self.operation))

    @property
    def has_input(self) -> bool:
        """Whether it says what went in: messages, or the arguments of a tool."""
        return bool(self.input) or (self.tool is not None and bool(self.tool.arguments))

    @property
    def has_output(self) -> bool:
        """Whether it says what came of it: messages, the result of a tool, or that it failed."""
        return bool(self.output or self.error) or (self.tool is not None and bool(self.tool.result))

    @property
    def has_source(self) -> bool:
        """Whether it names what was retrieved for it: one source with a name of its own, at least."""
        return any(source.id for source in self.retrieval)

    @property
    def unread(self) -> tuple[str, ...]:
        """Names of attributes that may hold words, of an act that says not what went in, or not what came of it.

        As rows have names (`act_name`), sorted, MOST_UNREAD at most. Values never stand in a row.
        """
        says = self.has_input and (bool(self.retrieval) if self.kind == Kind.RETRIEVAL else self.has_output)
        if self.kind not in ACTS or says:
            return ()
        names = {
            act_name(name)
            for name, value in self.attributes.items()
            if not name.startswith(_NO_WORDS) and _may_be_words(value)
        }
        return tuple(sorted(names - {""}))[:MOST_UNREAD]

    @property
    def failed(self) -> bool:
        """Whether it says that it failed."""
        return bool(self.error)

    @property
    def milliseconds(self) -> int | None:
        """How long it took, rounded up; None where start or end is not known, or the end is before the start."""
        if self.started is None or self.ended is None or self.ended < self.started:
            return None
        took = -((self.started - self.ended) // timedelta(milliseconds=1))
        return took if took <= LONGEST_TIME else None

    @property
    def place(self) -> tuple[str, str] | None:
        """The span that this is about; None where it has none."""
        return (self.trace_id, self.span_id) if self.span_id else None


def joined(reports: Iterable[Interaction]) -> list[Interaction]:
    """Reports with the events of a span put into it, and a call around another call of its trace made a wrapper.

    The same span twice is one. Events whose span is not among these stay by themselves. Order is kept.
    """
    found: dict[Any, Interaction] = {}
    events: dict[tuple[str, str], list[Interaction]] = {}
    for number, report in enumerate(reports):
        if report.place is None:
            found[number] = report
        elif report.kind == Kind.EVENTS:
            events.setdefault(report.place, []).append(report)
        else:
            found.setdefault(report.place, report)
    for place, told in events.items():
        parts = [found[place], *told] if place in found else told
        found[place] = _merged(parts)
    around = {
        (report.trace_id, report.parent_id)
        for report in found.values()
        if report.kind == Kind.CALL and report.parent_id
    }
    return [
        replace(report, kind=Kind.WRAPPER) if report.kind == Kind.CALL and report.place in around else report
        for report in found.values()
    ]


def together(*some: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages of several reports in order; those of a later one that an earlier one has are left out."""
    some = tuple(filter(None, some))
    if len(some) < 2:
        return some[0] if some else ()
    found: list[Message] = []
    known: set[str] = set()
    for messages in some:
        marks = [json.dumps(plain(message), sort_keys=True) for message in messages]
        found += [message for message, mark in zip(messages, marks, strict=True) if mark not in known]
        known.update(marks)
    return tuple(found)


def _merged(parts: list[Interaction]) -> Interaction:
    """The first of these, completed by the others: messages of several are put together, for the rest the first says.

    What a later one says differently stands among the attributes.
    """
    first, *others = parts
    changes: dict[str, Any] = {
        side: together(*(getattr(one, side) for one in parts)) for side in ("input", "output")
    }
    said: dict[str, Any] = dict(first.attributes)
    for other in others:
        for one in fields(Interaction):
            theirs = getattr(other, one.name)
            mine = changes.get(one.name, getattr(first, one.name))
            if (
                one.name in ("kind", "attributes", "input", "output")
                or theirs in ("", None, ())
                or mine == theirs
            ):
                continue
            if mine in ("", None, ()):
                changes[one.name] = theirs
            elif one.name not in ("started", "ended", "name"):
                said[f"event.{one.name}"] = plain(theirs)
        for name, value in other.attributes.items():
            said.setdefault(name, value)
    return replace(first, attributes=said, **changes)


_NAMES = {kind: [one.name for one in fields(kind)] for kind in (Interaction, Message, ToolCall, Source)}


def plain(value: Any) -> Any:
    """The value as JSON has it: of an interaction, what is empty left out."""
    if isinstance(value, (str, int)) or value is None:
        return value
    if (names := _NAMES.get(type(value))) is not None:
        pairs = ((name, getattr(value, name)) for name in names)
        return {name: plain(said) for name, said in pairs if said not in ("", None, (), {})}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(said) for name, said in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def storable(report: Interaction) -> tuple[Interaction, dict[str, Any]]:
    """Return the report with U+FFFD in place of what no database keeps, in every text and name of it; and as `plain`.

    What rows are found by (ids, person, conversation) and names of attributes get a digest of the original where they
    were changed: two that differ stay two. Numbers that JSON does not have become texts.
    """
    said = plain(report)
    if _UNFIT.search(json.dumps(said, ensure_ascii=False)) is None:
        return report, said
    said = _storable(said)
    return read(said), said


def _storable(value: Any, name: str = "") -> Any:
    if isinstance(value, str):
        return readable_text.storable_name(value) if name in _NAMES_OF_ROWS else readable_text.storable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {readable_text.storable_name(key): _storable(one, key) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


def source_of(said: Mapping[str, Any]) -> Source:
    """The retrieved thing that an object of a sender is, whatever else it holds."""
    left = dict(said)
    title = left.pop("title", None)
    if title is None and isinstance(left.get("metadata"), Mapping):
        title = left["metadata"].get("title")
    text = left.pop("content", None) if "content" in left else left.pop("text", None)
    score = left.get("score")
    if isinstance(score, (int, float)) and not isinstance(score, bool) and abs(score) < _LARGEST_SCORE:
        score = float(left.pop("score"))
    else:
        score = None
    rest = {name: value for name, value in left.items() if name != "id" and value is not None}
    return Source(text_of(left.get("id")), text_of(text), score, text_of(title), rest)


def text_of(said: Any) -> str:
    """A value as a text: a text as it is, anything else as JSON, nothing as an empty text."""
    return said if isinstance(said, str) else "" if said is None else json.dumps(said, ensure_ascii=False)


def read(said: Mapping[str, Any]) -> Interaction:
    """The interaction that `plain` wrote."""
    known = {one.name for one in fields(Interaction)}
    values = {name: value for name, value in said.items() if name in known}
    values["kind"] = Kind(said["kind"])
    for name in ("input", "output"):
        values[name] = tuple(_message(one) for one in said.get(name, ()))
    values["retrieval"] = tuple(Source(**one) for one in said.get("retrieval", ()))
    if "tool" in said:
        values["tool"] = ToolCall(**said["tool"])
    for name in ("started", "ended"):
        if name in said:
            values[name] = datetime.fromisoformat(said[name])
    return Interaction(**values)


def _message(said: Mapping[str, Any]) -> Message:
    calls = tuple(ToolCall(**one) for one in said.get("tool_calls", ()))
    return Message(**{**said, "tool_calls": calls, "parts": tuple(said.get("parts", ()))})
