"""OTLP over HTTP: what a collector or an SDK sends, unpacked within bounds and read; and the answers they understand.

Traces and logs, as protobuf or JSON, packed by gzip or deflate or not at all (OpenTelemetry Protocol 1.x). Pure.

Messages are counted in the bytes of a request before an object is built from it: a message of two bytes becomes
objects of some hundred.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from governance.vocabulary import bounded_json, bounded_protobuf

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MOST_UNPACKED = 16 << 20  # bytes that a packed request may unpack to
PAID_BYTES = 16 << 10  # so much of an unpacked request counts as one report of the rate of its key
MOST_RECORDS = 10_000  # spans, or log records, of one request
MOST_MESSAGES = 250_000  # attributes, events, links and values of one request
MOST_REPEATED = 64 << 20  # bytes of resources, each counted once for every span that it describes
DEEPEST = bounded_json.DEEPEST  # values within values
_DEEPEST_JSON = 3 * DEEPEST + 16  # OTLP writes a list within a list as three values within each other
_ERROR = 2  # of a span's status
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14, 507: 8}
_RECORDS = ("opentelemetry.proto.trace.v1.Span", "opentelemetry.proto.logs.v1.LogRecord")
_VALUE = "opentelemetry.proto.common.v1.AnyValue"
_SCHEMA = bounded_protobuf.Schema(
    common_pb2,
    resource_pb2,
    trace_pb2,
    logs_pb2,
    trace_service_pb2,
    logs_service_pb2,
    most=dict.fromkeys(_RECORDS, MOST_RECORDS),
    most_others=MOST_MESSAGES,
    nested=_VALUE,
    deepest=DEEPEST,
)
_TRACES = "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest"
_LOGS = "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest"


class Refused(Exception):
    """A request of which nothing is kept: its HTTP status, and a sentence that says how to fix it.

    `count`: how many spans or records it was found to hold, for the rate of its key.
    """

    def __init__(self, status: int, words: str, count: int = 1):
        super().__init__(words)
        self.status, self.words, self.count = status, words, count


@dataclass(frozen=True)
class Event:
    """A log record, or an event of a span. Times are nanoseconds since 1970; ids hexadecimal, empty where none."""

    name: str
    at: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    trace_id: str = ""
    span_id: str = ""
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""


@dataclass(frozen=True)
class Span:
    """A span as it was sent; `error` is the message of its status where that is one ("error" where it has none)."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    events: tuple[Event, ...] = ()
    error: str = ""
    state: str = ""
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""


@dataclass(frozen=True)
class Batch:
    """What a request held: what could be read, how many spans have no valid ids, how many records another shape."""

    spans: tuple[Span, ...] = ()
    events: tuple[Event, ...] = ()
    without_ids: int = 0
    misshapen: int = 0

    @property
    def rejected(self) -> int:
        """How many spans or log records are not kept."""
        return self.without_ids + self.misshapen

    @property
    def count(self) -> int:
        """How many spans and log records were sent."""
        return len(self.spans) + len(self.events) + self.rejected

    @property
    def why(self) -> str:
        """What was not kept and why, in words for the log of the sender; empty where everything is kept."""
        reasons = (
            (self.without_ids, "no trace id and span id of hexadecimal digits"),
            (self.misshapen, "another shape than OTLP's"),
        )
        told = " and ".join(f"{count} with {reason}" for count, reason in reasons if count)
        return f"Not kept: {told}. Send each span with both ids, in the shape of OTLP." if told else ""


# --- Bytes ------------------------------------------------------------------------------------------------------------


def unpacked(body: bytes, encoding: str, most: int = MOST_UNPACKED) -> bytes:
    """The bytes of a request as they were before they were packed; never more than `most`. Raises Refused."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise Refused(415, "Send the request unpacked, or packed by gzip or deflate.")
    packer = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = packer.decompress(body, most + 1)
    except zlib.error:
        raise Refused(
            400, f"The request says that it is packed by {encoding}, and cannot be unpacked."
        ) from None
    if len(found) > most:
        raise Refused(
            413,
            f"The request unpacks to more than {most} bytes: have the sender send smaller batches.",
            most // PAID_BYTES,
        )
    if not packer.eof or packer.unused_data:
        raise Refused(
            400,
            "The gzip body is cut off, or more bytes follow its end. Send it again.",
            len(found) // PAID_BYTES,
        )
    return found


def form_of(content_type: str) -> str:
    """Which of the two forms a content type names. Raises Refused."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (PROTOBUF, JSON):
        raise Refused(415, f"Send {PROTOBUF} or {JSON}.")
    return kind


def read_traces(body: bytes, form: str) -> Batch:
    """The spans of a request. Raises Refused."""
    if form == JSON:
        return _Json(body).traces()
    sent = _parsed(_TRACES, body)
    repeated = _Repeated()
    spans = [
        Span(
            one.trace_id.hex(),
            one.span_id.hex(),
            one.parent_span_id.hex(),
            _text(one.name),
            one.start_time_unix_nano,
            one.end_time_unix_nano,
            _pairs(one.attributes),
            tuple(
                Event(_text(event.name), event.time_unix_nano, _pairs(event.attributes))
                for event in one.events
            ),
            (_text(one.status.message) or "error") if one.status.code == _ERROR else "",
            _text(one.trace_state),
            resource,
            scope,
        )
        for of_resource in sent.resource_spans
        for resource, size in [_sized(_pairs(of_resource.resource.attributes))]
        for group in of_resource.scope_spans
        for scope in [_scope(_text(group.scope.name), _text(group.scope.version))]
        if repeated.fits(size + len(scope), len(group.spans))
        for one in group.spans
    ]
    return _valid(spans)


def read_logs(body: bytes, form: str) -> Batch:
    """The log records of a request, as events. Raises Refused."""
    if form == JSON:
        return _Json(body).logs()
    sent = _parsed(_LOGS, body)
    repeated = _Repeated()
    return Batch(
        events=tuple(
            _event(
                _text(one.event_name),
                one.time_unix_nano or one.observed_time_unix_nano,
                _pairs(one.attributes),
                _value(one.body),
                one.trace_id.hex(),
                one.span_id.hex(),
                resource,
                scope,
            )
            for of_resource in sent.resource_logs
            for resource, size in [_sized(_pairs(of_resource.resource.attributes))]
            for group in of_resource.scope_logs
            for scope in [_scope(_text(group.scope.name), _text(group.scope.version))]
            if repeated.fits(size + len(scope), len(group.log_records))
            for one in group.log_records
        )
    )


def _sized(resource: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """What a resource says, and how long that is, in characters."""
    return resource, len(json.dumps(resource))


class _Repeated:
    """What a resource and a scope say is kept with every span of theirs: how much that comes to."""

    def __init__(self) -> None:
        self._size = 0

    def fits(self, size: int, count: int) -> bool:
        """Return True. Raises Refused where `size` characters for each of `count` spans come to too much."""
        self._size += size * count
        if self._size > MOST_REPEATED:
            raise Refused(
                413,
                f"The resource and scope attributes come to more than {MOST_REPEATED >> 20} MB, counted once for each "
                "span or log record. Have the sender send shorter resource attributes, or smaller batches.",
                count,
            )
        return True


def _parsed(kind: str, body: bytes) -> Any:
    """The message of this kind that the body is. Raises Refused."""
    try:
        return _SCHEMA.parsed(kind, body)
    except bounded_protobuf.Malformed:
        raise Refused(
            400, "The request is no whole OTLP message: it was cut off, or is of another kind."
        ) from None
    except bounded_protobuf.TooMany as trouble:
        count = sum(trouble.counts.values())
        if trouble.kind in _RECORDS:
            raise _too_many_records(count) from None
        if trouble.kind == _VALUE:
            raise _too_deep() from None
        raise Refused(
            413,
            f"The request holds more than {MOST_MESSAGES} attributes, events, links and values. Have the sender send "
            "smaller batches.",
            count,
        ) from None


def _too_deep() -> Refused:
    return Refused(400, f"The request holds values within values, more than {DEEPEST} deep.")


def _too_many_records(count: int) -> Refused:
    return Refused(
        413,
        f"The request holds more than {MOST_RECORDS} spans or log records. Set the largest batch of the sender to "
        f"{MOST_RECORDS} or less.",
        count,
    )


def _scope(name: str, version: str) -> str:
    return f"{name} {version}".strip()


def _event(name: str, at: int, attributes: dict[str, Any], *rest: Any) -> Event:
    """A log record as an event; its name stood among the attributes before records had one."""
    if not name and isinstance(attributes.get("event.name"), str):
        name = attributes.pop("event.name")
    return Event(name, at, attributes, *rest)


def _valid(spans: list[Span]) -> Batch:
    good = tuple(one for one in spans if _is_id(one.trace_id, 32) and _is_id(one.span_id, 16))
    return Batch(spans=good, without_ids=len(spans) - len(good))


def _is_id(text: str, length: int) -> bool:
    return len(text) == length and text.strip("0") != "" and not text.strip("0123456789abcdef")


def _id(said: Any, length: int) -> str:
    """An id as JSON has it; empty for what is none."""
    found = str(said or "").lower()
    return found if _is_id(found, length) else ""


# --- Values -----------------------------------------------------------------------------------------------------------


def _text(said: bytes) -> str:
    """A text as it was sent; bytes that are none become halves of characters, as JSON has them."""
    return said.decode("utf-8", "surrogateescape")


def _pairs(attributes: Iterable[Any]) -> dict[str, Any]:
    return {_text(pair.key): _value(pair.value) for pair in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "string_value":
        return _text(found)
    if kind == "array_value":
        return [_value(one) for one in found.values]
    if kind == "kvlist_value":
        return _pairs(found.values)
    if kind == "bytes_value":
        return base64.b64encode(found).decode()
    return found


_MISSHAPEN = (AttributeError, TypeError, KeyError, ValueError, ArithmeticError)


class _Json:
    """A request in the JSON of OTLP: names in camelInitiative, ids hexadecimal, whole numbers as texts or numbers."""

    def __init__(self, body: bytes):
        try:
            self._sent = bounded_json.loads(body, deepest=_DEEPEST_JSON)
        except bounded_json.TooDeep:
            raise _too_deep() from None
        except bounded_json.TooMuch as trouble:
            raise Refused(
                413, f"The request cannot be read: {trouble}. Have the sender send smaller batches."
            ) from None
        except (ValueError, RecursionError):
            raise Refused(
                400, "The request is not complete JSON. Send it again, as JSON or protobuf."
            ) from None

    def traces(self) -> Batch:
        """The spans; those of another shape are counted. Raises Refused."""
        spans, misshapen = self._read("resourceSpans", "scopeSpans", "spans", self._span)
        batch = _valid(spans)
        return replace(batch, misshapen=misshapen)

    def logs(self) -> Batch:
        """The log records, as events; those of another shape are counted. Raises Refused."""
        events, misshapen = self._read("resourceLogs", "scopeLogs", "logRecords", self._record)
        return Batch(events=tuple(events), misshapen=misshapen)

    def _read(self, outer: str, inner: str, of: str, reading: Callable[..., Any]) -> tuple[list[Any], int]:
        found, misshapen, repeated = [], 0, _Repeated()
        try:
            groups = list(self._groups(outer, inner, of))
        except _MISSHAPEN:
            raise Refused(
                400, "The request is JSON but not an OTLP request. Send it with an OTLP exporter."
            ) from None
        if (count := sum(len(some) for some, *_ in groups)) > MOST_RECORDS:
            raise _too_many_records(count)
        for some, (resource, size), scope in groups:
            repeated.fits(size + len(scope), len(some))
            for one in some:
                try:
                    found.append(reading(one, resource, scope))
                except _MISSHAPEN:
                    misshapen += 1
        return found, misshapen

    def _groups(
        self, outer: str, inner: str, of: str
    ) -> Iterable[tuple[list[Any], tuple[dict[str, Any], int], str]]:
        for of_resource in self._sent.get(outer) or ():
            resource = _sized(self._pairs((of_resource.get("resource") or {}).get("attributes")))
            for group in of_resource.get(inner) or ():
                scope = group.get("scope") or {}
                named = _scope(str(scope.get("name") or ""), str(scope.get("version") or ""))
                yield [*(group.get(of) or ())], resource, named

    def _record(self, one: dict[str, Any], resource: dict[str, Any], scope: str) -> Event:
        return _event(
            str(one.get("eventName") or ""),
            _whole(one.get("timeUnixNano")) or _whole(one.get("observedTimeUnixNano")),
            self._pairs(one.get("attributes")),
            self._value(one.get("body") or {}),
            _id(one.get("traceId"), 32),
            _id(one.get("spanId"), 16),
            resource,
            scope,
        )

    def _span(self, one: dict[str, Any], resource: dict[str, Any], scope: str) -> Span:
        status = one.get("status") or {}
        return Span(
            str(one.get("traceId") or "").lower(),
            str(one.get("spanId") or "").lower(),
            _id(one.get("parentSpanId"), 16),
            str(one.get("name") or ""),
            _whole(one.get("startTimeUnixNano")),
            _whole(one.get("endTimeUnixNano")),
            self._pairs(one.get("attributes")),
            tuple(
                Event(
                    str(event.get("name") or ""),
                    _whole(event.get("timeUnixNano")),
                    self._pairs(event.get("attributes")),
                )
                for event in one.get("events") or ()
            ),
            str(status.get("message") or "error")
            if status.get("code") in (_ERROR, "STATUS_CODE_ERROR")
            else "",
            str(one.get("traceState") or ""),
            resource,
            scope,
        )

    def _pairs(self, attributes: Any) -> dict[str, Any]:
        return {str(pair["key"]): self._value(pair.get("value") or {}) for pair in attributes or ()}

    def _value(self, value: dict[str, Any]) -> Any:
        for name, said in value.items():
            if name == "intValue":
                return _whole(said)
            if name == "arrayValue":
                return [self._value(one) for one in said.get("values") or ()]
            if name == "kvlistValue":
                return self._pairs(said.get("values"))
            if name in ("stringValue", "boolValue", "doubleValue", "bytesValue"):
                return said
        return None


def _whole(said: Any) -> int:
    return int(said) if said is not None else 0


# --- Answers ----------------------------------------------------------------------------------------------------------


def success(form: str, *, logs: bool, rejected: int = 0, words: str = "") -> bytes:
    """The body of an answer that took a request, in whole or all but `rejected`; senders log the words."""
    of = "rejectedLogRecords" if logs else "rejectedSpans"
    if form == JSON:
        partial = {of: str(rejected), "errorMessage": words} if rejected or words else {}
        return json.dumps({"partialSuccess": partial} if partial else {}).encode()
    if not (rejected or words):
        return b""
    return _field(1, (_number(1, rejected) if rejected else b"") + _field(2, words.encode()))


def failure(form: str, status: int, words: str) -> bytes:
    """The body of an answer that took nothing: a Status as gRPC has it, by the HTTP status."""
    code = _CODES.get(status, 2)
    if form == JSON:
        return json.dumps({"code": code, "message": words}).encode()
    return _number(1, code) + _field(2, words.encode())


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
