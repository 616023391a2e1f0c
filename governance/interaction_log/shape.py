"""The one shape of an interaction from every convention. Pure.

An interaction is one call of a model. Other reports of the same work (runs of tools, retrievals, spans of frameworks
around calls, events of a span) have the same shape and another `kind`.
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
    """The kind of a report. Only calls are interactions. Rows store the values."""

    CALL = "call"
    TOOL = "tool"
    RETRIEVAL = "retrieval"
    EVENTS = "events"  # events of a span that is reported apart
    WRAPPER = "wrapper"  # a span of a framework around calls
    OTHER = "other"  # a span that says nothing of AI


ACTS = (Kind.CALL, Kind.TOOL, Kind.RETRIEVAL)  # what somebody may have had to be asked about
_NO_NAME = re.compile(r"[^\w.:/+-]+")
# JSON that must be changed before storage: halves of characters, zero characters, NaN and Infinity.
_UNFIT = re.compile(r"[\ud800-\udfff]|\\u0000|NaN|Infinity")
_NAMES_OF_ROWS = frozenset(("id", "answers", "conversation", "subject"))
LONGEST_ACT = 100  # characters
_LARGEST_SCORE = 1e300
LONGEST_TIME = 2**31 - 1  # milliseconds that a row holds


def act_name(text: str) -> str:
    """Return an act's name for rows: letters, digits and ".", ":", "/", "+", "-", "_".

    Other characters become _, so that a row contains no sentence and no address of a person.
    """
    return _NO_NAME.sub("_", text.strip())[:LONGEST_ACT]


# Attributes of these names hold no words of people, with any value.
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
    """Return True if a value may be words: several words, JSON, or such values in it."""
    if isinstance(value, str):
        said = value.strip()
        return len(said.split(None, 1)) > 1 or said.startswith(("[", "{"))
    if isinstance(value, Mapping):
        return any(map(_may_be_words, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_may_be_words, value))


@dataclass(frozen=True)
class ToolCall:
    """A call that a model asked for, or a run: `arguments` and `result` as written."""

    name: str = ""
    arguments: str = ""
    id: str = ""
    result: str = ""


@dataclass(frozen=True)
class Message:
    """A message to or from a model. `parts` has, as received, all but text and calls.

    `role` is empty if the sender names none.
    """

    role: str = ""
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    answers: str = ""  # the id of the tool call that this answers
    finish: str = ""
    parts: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Source:
    """A retrieved thing. `attributes` has, as received, what no other field takes."""

    id: str = ""
    text: str = ""
    score: float | None = None
    title: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Interaction:
    """A report of a system. A missing value is empty or None.

    `tokens_in` includes what a provider read from its cache or wrote there (`tokens_cache_read`, `tokens_cache_write`).
    `attributes` has, as received, what no field takes. Ids of trace, span and parent are lower-case hexadecimal. `id`
    is the sender's own name if there is no span. `sampled` is the share of calls that the sender reports.
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
    tokens_cache_read: int | None = None
    tokens_cache_write: int | None = None
    workflow: str = ""
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
        """Return the names of the tools that the model asked for or that ran, in order."""
        if self.tool is not None:
            return (self.tool.name,)
        return tuple(call.name for message in self.output for call in message.tool_calls)

    @property
    def act(self) -> str:
        """Return the sender's name of the act: its action, else its tool or operation.

        The name is "" for spans of frameworks and for events, whose span has the name.
        """
        if self.kind not in ACTS:
            return ""
        return act_name(self.action or (self.tool.name if self.tool is not None else self.operation))

    @property
    def has_input(self) -> bool:
        """Return True if the report has messages in, or the arguments of a tool."""
        return bool(self.input) or (self.tool is not None and bool(self.tool.arguments))

    @property
    def has_output(self) -> bool:
        """Return True if the report has messages out, a tool's result or an error."""
        return bool(self.output or self.error) or (self.tool is not None and bool(self.tool.result))

    @property
    def has_source(self) -> bool:
        """Return True if at least one retrieved source has a name."""
        return any(source.id for source in self.retrieval)

    @property
    def unread(self) -> tuple[str, ...]:
        """Return the attributes that may hold words, for an act without input or output.

        The names are those of rows (`act_name`), sorted, at most MOST_UNREAD. Values never enter a row.
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
        """Return True if the report has an error."""
        return bool(self.error)

    @property
    def milliseconds(self) -> int | None:
        """Return the duration, rounded up, or None if start or end is unknown or wrong."""
        if self.started is None or self.ended is None or self.ended < self.started:
            return None
        took = -((self.started - self.ended) // timedelta(milliseconds=1))
        return took if took <= LONGEST_TIME else None

    @property
    def place(self) -> tuple[str, str] | None:
        """Return the span of the report, or None."""
        return (self.trace_id, self.span_id) if self.span_id else None


def joined(reports: Iterable[Interaction]) -> list[Interaction]:
    """Return the reports, with events joined to spans and outer calls as wrappers.

    A repeated span is one report. Events whose span is absent remain separate. The order is kept.
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
    """Return the messages of several reports in order, each message once."""
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
    """Return the first report, completed by messages and missing values of the others.

    A differing value of a later report goes to the attributes.
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
    """Return the value for JSON. Empty fields of an interaction are left out."""
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
    """Return the report with U+FFFD for unstorable characters, and its `plain` form.

    A changed id, person, conversation or attribute name gets a digest of the original, so that two different ones stay
    different. Numbers that JSON does not have become texts.
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
    """Return the retrieved thing that a sender's object describes."""
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
    """Return a value as a text: a text unchanged, None as "", another value as JSON."""
    return said if isinstance(said, str) else "" if said is None else json.dumps(said, ensure_ascii=False)


def read(said: Mapping[str, Any]) -> Interaction:
    """Return the interaction that `plain` wrote."""
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
