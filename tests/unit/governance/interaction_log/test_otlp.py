"""OTLP over HTTP: bounds, both forms read alike, answers that senders read."""

import gzip
import json
import zlib
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from governance.interaction_log import otlp

SENT = Path(__file__).parent / "sent"


def test_a_bomb_is_cut_at_the_bound():
    bomb = gzip.compress(b"\0" * (64 << 20))
    assert len(bomb) < 100_000
    with pytest.raises(otlp.Refused) as refused:
        otlp.unpacked(bomb, "gzip")
    assert refused.value.status == 413
    assert otlp.unpacked(gzip.compress(b"x" * 1000), "gzip", most=1000) == b"x" * 1000
    with pytest.raises(otlp.Refused):
        otlp.unpacked(gzip.compress(b"x" * 1001), "gzip", most=1000)


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip", 400),
        (b"no gzip", "gzip", 400),
        (gzip.compress(b"x", mtime=0) + b"y", "gzip", 400),
        (b"x", "br", 415),
    ],
)
def test_what_cannot_be_unpacked_is_refused_in_words(body, encoding, status):
    with pytest.raises(otlp.Refused) as refused:
        otlp.unpacked(body, encoding)
    assert refused.value.status == status


def test_deflate_is_unpacked_as_the_sdk_packs_it():
    assert otlp.unpacked(zlib.compress(b"abc"), "deflate") == b"abc"


@pytest.mark.parametrize("cut", [1, 100])
def test_a_message_that_was_cut_off_is_refused(cut):
    body = otlp.unpacked((SENT / "whole_traces.gz").read_bytes(), "gzip")
    with pytest.raises(otlp.Refused):
        otlp.read_traces(body[:-cut], otlp.PROTOBUF)


def as_json(sent):
    """The request as OTLP writes it in JSON: ids hexadecimal, whole numbers as texts."""

    def value(said):
        kind = said.WhichOneof("value")
        if kind == "array_value":
            return {"arrayValue": {"values": [value(one) for one in said.array_value.values]}}
        names = {
            "string_value": "stringValue",
            "int_value": "intValue",
            "bool_value": "boolValue",
            "double_value": "doubleValue",
        }
        found = getattr(said, kind)
        return {names[kind]: str(found) if kind == "int_value" else found}

    def pairs(attributes):
        return [{"key": one.key, "value": value(one.value)} for one in attributes]

    return json.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": pairs(group.resource.attributes)},
                    "scopeSpans": [
                        {
                            "scope": {"name": inner.scope.name, "version": inner.scope.version},
                            "spans": [
                                {
                                    "traceId": one.trace_id.hex().upper(),
                                    "spanId": one.span_id.hex(),
                                    "parentSpanId": one.parent_span_id.hex(),
                                    "name": one.name,
                                    "startTimeUnixNano": str(one.start_time_unix_nano),
                                    "endTimeUnixNano": one.end_time_unix_nano,
                                    "attributes": pairs(one.attributes),
                                    "status": {},
                                }
                                for one in inner.spans
                            ],
                        }
                        for inner in group.scope_spans
                    ],
                }
                for group in sent.resource_spans
            ]
        }
    ).encode()


@pytest.mark.parametrize("sender", ["indexed", "whole", "openinference"])
def test_json_says_what_protobuf_says(sender):
    body = otlp.unpacked((SENT / f"{sender}_traces.gz").read_bytes(), "gzip")
    sent = ExportTraceServiceRequest.FromString(body)
    assert otlp.read_traces(as_json(sent), otlp.JSON) == otlp.read_traces(body, otlp.PROTOBUF)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"resourceSpans": 3}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": 3}]}]}',
        b'{"a":' * 100_000,
        json.dumps(
            {
                "resourceSpans": [
                    {
                        "resource": {
                            "attributes": [
                                {
                                    "key": "k",
                                    "value": json.loads(
                                        '{"arrayValue":{"values":[' * 40 + '{"intValue":1}' + "]}}" * 40
                                    ),
                                }
                            ]
                        }
                    }
                ]
            }
        ).encode(),
    ],
)
def test_json_of_another_shape_is_refused(body):
    with pytest.raises(otlp.Refused) as refused:
        otlp.read_traces(body, otlp.JSON)
    assert refused.value.status == 400


def test_a_span_without_ids_is_rejected_and_the_others_are_read():
    sent = ExportTraceServiceRequest()
    spans = sent.resource_spans.add().scope_spans.add().spans
    spans.add(trace_id=b"\1" * 16, span_id=b"\2" * 8)
    spans.add(trace_id=b"\0" * 16, span_id=b"\2" * 8)
    spans.add()
    batch = otlp.read_traces(sent.SerializeToString(), otlp.PROTOBUF)
    assert (len(batch.spans), batch.rejected) == (1, 2)


def test_answers_are_what_the_sdk_reads():
    said = ExportTraceServiceResponse.FromString(
        otlp.success(otlp.PROTOBUF, logs=False, rejected=300, words="No ids.")
    )
    assert (said.partial_success.rejected_spans, said.partial_success.error_message) == (300, "No ids.")
    assert otlp.success(otlp.PROTOBUF, logs=True) == b""
    assert json.loads(otlp.success(otlp.JSON, logs=True, rejected=2, words="x")) == {
        "partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "x"}
    }
    assert otlp.failure(otlp.PROTOBUF, 503, "Später.") == b"\x08\x0e\x12\x08Sp\xc3\xa4ter."
    assert json.loads(otlp.failure(otlp.JSON, 400, "x")) == {"code": 3, "message": "x"}
