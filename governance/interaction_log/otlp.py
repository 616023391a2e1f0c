"""OTLP over HTTP: unpack and read requests within bounds, and write answers. Pure.

Requests are traces and logs, as protobuf or JSON, packed by gzip or deflate or not at all (OpenTelemetry Protocol
1.x). Messages are counted in the bytes of a request before an object is built, because a message of two bytes becomes
objects of some hundred bytes.
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
from governance.vocabulary.phrases import phrase

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
    """A rejected request: its HTTP status, and a sentence on how to fix it.

    `count` is the number of spans or records found in it, for the rate of its key.
    """

    def __init__(self, status: int, words: str, count: int = 1):
        super().__init__(words)
        self.status, self.words, self.count = status, words, count


@dataclass(frozen=True)
class Event:
    """A log record or span event. Times are nanoseconds since 1970, ids hex or ""."""

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
    """A span as sent. `error` is the message of an error status ("error" if empty)."""

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
    """The readable content of a request, and how many spans and records are bad."""

    spans: tuple[Span, ...] = ()
    events: tuple[Event, ...] = ()
    without_ids: int = 0
    misshapen: int = 0

    @property
    def rejected(self) -> int:
        """Return the number of spans or log records that are not kept."""
        return self.without_ids + self.misshapen

    @property
    def count(self) -> int:
        """Return the number of spans and log records that were sent."""
        return len(self.spans) + len(self.events) + self.rejected

    @property
    def why(self) -> str:
        """Return what was not kept and why, for the sender's log, or "" if all is kept."""
        reasons = (
            (self.without_ids, "no hexadecimal trace id and span id"),
            (self.misshapen, "a format that is not OTLP"),
        )
        told = " and ".join(f"{count} with {reason}" for count, reason in reasons if count)
        return f"Not kept: {told}. Send each span with both ids, in the OTLP format." if told else ""


# --- Bytes ------------------------------------------------------------------------------------------------------------


def unpacked(body: bytes, encoding: str, most: int = MOST_UNPACKED) -> bytes:
    """Return the unpacked bytes of a request, at most `most`. Raises Refused."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise Refused(415, "Send the request uncompressed, or compressed with gzip or deflate.")
    packer = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = packer.decompress(body, most + 1)
    except zlib.error:
        raise Refused(
            400,
            phrase(
                "Send the body uncompressed. The request names the encoding {}, but its body cannot "
                "be decompressed.",
                encoding,
            ),
        ) from None
    if len(found) > most:
        raise Refused(
            413,
            phrase("The request unpacks to more than {} bytes. The sender can send smaller batches.", most),
            most // PAID_BYTES,
        )
    if not packer.eof or packer.unused_data:
        raise Refused(
            400,
            "The gzip body is cut off, or more bytes follow its end. The sender can send the request again.",
            len(found) // PAID_BYTES,
        )
    return found


def form_of(content_type: str) -> str:
    """Return the form that a content type names, PROTOBUF or JSON. Raises Refused."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (PROTOBUF, JSON):
        raise Refused(415, phrase("Send {} or {}.", PROTOBUF, JSON))
    return kind


def read_traces(body: bytes, form: str) -> Batch:
    """Return the spans of a request. Raises Refused."""
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
    """Return the log records of a request, as events. Raises Refused."""
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
    """Return the attributes of a resource, and their length in characters."""
    return resource, len(json.dumps(resource))


class _Repeated:
    """The total size of resources and scopes, each counted for every span that has it."""

    def __init__(self) -> None:
        self._size = 0

    def fits(self, size: int, count: int) -> bool:
        """Return True. Raises Refused if `size` characters for `count` spans are too many."""
        self._size += size * count
        if self._size > MOST_REPEATED:
            raise Refused(
                413,
                phrase(
                    "The resource and scope attributes have more than {} MB, counted once for each span "
                    "or log record. The sender can send shorter resource attributes or smaller batches.",
                    MOST_REPEATED >> 20,
                ),
                count,
            )
        return True


def _parsed(kind: str, body: bytes) -> Any:
    """Return the body as a message of this kind. Raises Refused."""
    try:
        return _SCHEMA.parsed(kind, body)
    except bounded_protobuf.Malformed:
        raise Refused(
            400, "The request is not a complete OTLP message. The sender can send the request again."
        ) from None
    except bounded_protobuf.TooMany as trouble:
        count = sum(trouble.counts.values())
        if trouble.kind in _RECORDS:
            raise _too_many_records(count) from None
        if trouble.kind == _VALUE:
            raise _too_deep() from None
        raise Refused(
            413,
            phrase(
                "The request has more than {} attributes, events, links and values. The sender can "
                "send smaller batches.",
                MOST_MESSAGES,
            ),
            count,
        ) from None


def _too_deep() -> Refused:
    return Refused(
        400, phrase("The request has values nested more than {} deep. Send flatter values.", DEEPEST)
    )


def _too_many_records(count: int) -> Refused:
    return Refused(
        413,
        phrase(
            "The request has more than {} spans or log records. Set the largest batch of the "
            "sender to {} or less.",
            MOST_RECORDS,
            MOST_RECORDS,
        ),
        count,
    )


def _scope(name: str, version: str) -> str:
    return f"{name} {version}".strip()


def _event(name: str, at: int, attributes: dict[str, Any], *rest: Any) -> Event:
    """Return a log record as an event. Older records have their name in an attribute."""
    if not name and isinstance(attributes.get("event.name"), str):
        name = attributes.pop("event.name")
    return Event(name, at, attributes, *rest)


def _valid(spans: list[Span]) -> Batch:
    good = tuple(one for one in spans if _is_id(one.trace_id, 32) and _is_id(one.span_id, 16))
    return Batch(spans=good, without_ids=len(spans) - len(good))


def _is_id(text: str, length: int) -> bool:
    return len(text) == length and text.strip("0") != "" and not text.strip("0123456789abcdef")


def _id(said: Any, length: int) -> str:
    """Return an id of JSON, or "" for an invalid one."""
    found = str(said or "").lower()
    return found if _is_id(found, length) else ""


# --- Values -----------------------------------------------------------------------------------------------------------


def _text(said: bytes) -> str:
    """Return a text as sent. Invalid bytes become halves of characters, as in JSON."""
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
    """A request in OTLP's JSON: camelCase names, hex ids, numbers perhaps as text."""

    def __init__(self, body: bytes):
        try:
            self._sent = bounded_json.loads(body, deepest=_DEEPEST_JSON)
        except bounded_json.TooDeep:
            raise _too_deep() from None
        except bounded_json.TooMuch as trouble:
            raise Refused(
                413, phrase("The request cannot be read: {}. The sender can send smaller batches.", trouble)
            ) from None
        except (ValueError, RecursionError):
            raise Refused(
                400,
                "The request is not complete JSON. The sender can send the request again, as JSON or "
                "protobuf.",
            ) from None

    def traces(self) -> Batch:
        """Return the spans, and count those of another shape. Raises Refused."""
        spans, misshapen = self._read("resourceSpans", "scopeSpans", "spans", self._span)
        batch = _valid(spans)
        return replace(batch, misshapen=misshapen)

    def logs(self) -> Batch:
        """Return the log records as events, with a count of bad shapes. Raises Refused."""
        events, misshapen = self._read("resourceLogs", "scopeLogs", "logRecords", self._record)
        return Batch(events=tuple(events), misshapen=misshapen)

    def _read(self, outer: str, inner: str, of: str, reading: Callable[..., Any]) -> tuple[list[Any], int]:
        found, misshapen, repeated = [], 0, _Repeated()
        try:
            groups = list(self._groups(outer, inner, of))
        except _MISSHAPEN:
            raise Refused(
                400, "The request is JSON but not an OTLP request. The sender can use an OTLP exporter."
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
    """Return the answer to a kept request. `rejected` parts were not kept."""
    of = "rejectedLogRecords" if logs else "rejectedSpans"
    if form == JSON:
        partial = {of: str(rejected), "errorMessage": words} if rejected or words else {}
        return json.dumps({"partialSuccess": partial} if partial else {}).encode()
    if not (rejected or words):
        return b""
    return _field(1, (_number(1, rejected) if rejected else b"") + _field(2, words.encode()))


def failure(form: str, status: int, words: str) -> bytes:
    """Return the answer to a rejected request: a gRPC Status for the HTTP status."""
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
