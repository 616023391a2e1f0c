"""OTLP over HTTP: what a collector or an SDK sends, unpacked within bounds and read; and the answers they understand.

Traces and logs, as protobuf or JSON, packed by gzip or deflate or not at all (OpenTelemetry Protocol 1.x). Pure.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MOST_UNPACKED = 16 << 20  # bytes that a packed request may unpack to
DEEPEST = 32  # values within values
_ERROR = 2  # of a span's status
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14, 507: 8}


class Refused(Exception):
    """A request that is taken for none: its HTTP status, and a sentence that says how to mend it."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status, self.words = status, words


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
    """What a request held: what could be read, and how many it held that have no valid ids."""

    spans: tuple[Span, ...] = ()
    events: tuple[Event, ...] = ()
    rejected: int = 0


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
            413, f"The request unpacks to more than {most} bytes: have the sender send smaller batches."
        )
    if not packer.eof or packer.unused_data:
        raise Refused(400, "The packed request ends early, or goes on behind its end: send it again, whole.")
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
    sent = ExportTraceServiceRequest()
    _parse(sent, body)
    spans = [
        Span(
            one.trace_id.hex(),
            one.span_id.hex(),
            one.parent_span_id.hex(),
            one.name,
            one.start_time_unix_nano,
            one.end_time_unix_nano,
            _pairs(one.attributes),
            tuple(Event(event.name, event.time_unix_nano, _pairs(event.attributes)) for event in one.events),
            (one.status.message or "error") if one.status.code == _ERROR else "",
            one.trace_state,
            resource,
            scope,
        )
        for of_resource in sent.resource_spans
        for resource in [_pairs(of_resource.resource.attributes)]
        for group in of_resource.scope_spans
        for scope in [_scope(group.scope.name, group.scope.version)]
        for one in group.spans
    ]
    return _valid(spans)


def read_logs(body: bytes, form: str) -> Batch:
    """The log records of a request, as events. Raises Refused."""
    if form == JSON:
        return _Json(body).logs()
    sent = ExportLogsServiceRequest()
    _parse(sent, body)
    return Batch(
        events=tuple(
            _event(
                one.event_name,
                one.time_unix_nano or one.observed_time_unix_nano,
                _pairs(one.attributes),
                _value(one.body),
                one.trace_id.hex(),
                one.span_id.hex(),
                resource,
                scope,
            )
            for of_resource in sent.resource_logs
            for resource in [_pairs(of_resource.resource.attributes)]
            for group in of_resource.scope_logs
            for scope in [_scope(group.scope.name, group.scope.version)]
            for one in group.log_records
        )
    )


def _parse(sent: Message, body: bytes) -> None:
    try:
        sent.ParseFromString(body)
    except DecodeError:
        raise Refused(
            400, "The request is no whole OTLP message: it was cut off, or is of another kind."
        ) from None


def _scope(name: str, version: str) -> str:
    return f"{name} {version}".strip()


def _event(name: str, at: int, attributes: dict[str, Any], *rest: Any) -> Event:
    """A log record as an event; its name stood among the attributes before records had one."""
    if not name and isinstance(attributes.get("event.name"), str):
        name = attributes.pop("event.name")
    return Event(name, at, attributes, *rest)


def _valid(spans: list[Span]) -> Batch:
    good = tuple(one for one in spans if _is_id(one.trace_id, 32) and _is_id(one.span_id, 16))
    return Batch(spans=good, rejected=len(spans) - len(good))


def _is_id(text: str, length: int) -> bool:
    return len(text) == length and text.strip("0") != ""


# --- Values -----------------------------------------------------------------------------------------------------------


def _pairs(attributes: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise Refused(400, f"The request holds values within values, more than {DEEPEST} deep.")
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "array_value":
        return [_value(one, depth + 1) for one in found.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value, depth + 1) for pair in found.values}
    if kind == "bytes_value":
        return base64.b64encode(found).decode()
    return found


class _Json:
    """A request in the JSON of OTLP: names in camelCase, ids hexadecimal, whole numbers as texts or numbers."""

    def __init__(self, body: bytes):
        try:
            self._sent = json.loads(body)
        except (ValueError, RecursionError):
            raise Refused(400, "The request is no JSON: it was cut off, or is of another kind.") from None

    def traces(self) -> Batch:
        """The spans. Raises Refused."""
        with _shaped():
            return _valid(
                [
                    self._span(one, resource, scope)
                    for one, resource, scope in self._each("resourceSpans", "scopeSpans", "spans")
                ]
            )

    def logs(self) -> Batch:
        """The log records, as events. Raises Refused."""
        with _shaped():
            return Batch(
                events=tuple(
                    _event(
                        str(one.get("eventName") or ""),
                        _whole(one.get("timeUnixNano")) or _whole(one.get("observedTimeUnixNano")),
                        self._pairs(one.get("attributes")),
                        self._value(one.get("body") or {}),
                        str(one.get("traceId") or "").lower(),
                        str(one.get("spanId") or "").lower(),
                        resource,
                        scope,
                    )
                    for one, resource, scope in self._each("resourceLogs", "scopeLogs", "logRecords")
                )
            )

    def _each(self, outer: str, inner: str, of: str) -> Iterable[tuple[dict[str, Any], dict[str, Any], str]]:
        for of_resource in self._sent.get(outer) or ():
            resource = self._pairs((of_resource.get("resource") or {}).get("attributes"))
            for group in of_resource.get(inner) or ():
                scope = group.get("scope") or {}
                for one in group.get(of) or ():
                    yield one, resource, _scope(str(scope.get("name") or ""), str(scope.get("version") or ""))

    def _span(self, one: dict[str, Any], resource: dict[str, Any], scope: str) -> Span:
        status = one.get("status") or {}
        return Span(
            str(one.get("traceId") or "").lower(),
            str(one.get("spanId") or "").lower(),
            str(one.get("parentSpanId") or "").lower(),
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

    def _pairs(self, attributes: Any, depth: int = 0) -> dict[str, Any]:
        return {str(pair["key"]): self._value(pair.get("value") or {}, depth) for pair in attributes or ()}

    def _value(self, value: dict[str, Any], depth: int = 0) -> Any:
        if depth > DEEPEST:
            raise Refused(400, f"The request holds values within values, more than {DEEPEST} deep.")
        for name, said in value.items():
            if name == "intValue":
                return _whole(said)
            if name == "arrayValue":
                return [self._value(one, depth + 1) for one in said.get("values") or ()]
            if name == "kvlistValue":
                return self._pairs(said.get("values"), depth + 1)
            if name in ("stringValue", "boolValue", "doubleValue", "bytesValue"):
                return said
        return None


class _shaped:
    """Within it, JSON of another shape than OTLP's is refused in words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, trouble: BaseException | None, trace: Any) -> None:
        if isinstance(trouble, (AttributeError, TypeError, KeyError, ValueError, binascii.Error)):
            raise Refused(400, "The request is JSON, and not of the shape that OTLP has.") from None


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
