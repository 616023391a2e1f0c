"""Spans as a system reports them, by any number: what the drills of the interaction log send and lay down."""

import csv
import gzip
import json
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.paths import ROOT

TEXT = 1_576  # bytes of prompt and answer of one span
A_PERSON = 10  # interactions of one person in an initiative and a month, on average
MODELS = (("m-4", "m-4-2026-08-06"), ("m-4-mini", "m-4-mini-2026-07-18"), ("s-5", "s-5-20260929"))
# What stands in an encoded batch where each batch has its own: sixteen bytes of a trace id, eight letters of persons.
TRACE, PERSONS = bytes.fromhex("5b8efff798038103d269b633813fc60c"), b"PERSONS0"


@cache
def sentences() -> list[str]:
    """Sentences about AI systems in daily use, as authorities wrote them; none is in the dictionary of bodies."""
    with open(
        ROOT / "tests/data/extracts/portfolio_2025.csv", encoding="utf-8", errors="replace", newline=""
    ) as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    found = {one for cell in cells for one in re.split(r"(?<=[.?!])\s+", cell) if 30 < len(one) < 400}
    return sorted(found)


@dataclass(frozen=True)
class Said:
    """One call: what was asked, what was answered, by which model, by whom."""

    prompt: str
    answer: str
    model: str
    version: str
    person: str
    tokens_in: int
    tokens_out: int


def said(draw: random.Random, person: str) -> Said:
    """A call with TEXT bytes of prompt and answer."""
    prompt, answer = _text(draw, TEXT // 3), _text(draw, TEXT - TEXT // 3)
    model, version = draw.choice(MODELS)
    return Said(prompt, answer, model, version, person, len(prompt) // 4, len(answer) // 4)


def _text(draw: random.Random, size: int) -> str:
    text = ""
    while len(text) < size:
        text += draw.choice(sentences()) + " "
    return text.encode()[:size].decode(errors="ignore")


def encoded(count: int, seed: int) -> bytes:
    """A request with so many spans, as protobuf has it, with TRACE and PERSONS where each batch has its own."""
    draw, request = random.Random(seed), ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    _attributes(
        resource.resource.attributes, {"service.name": "assistant", "telemetry.sdk.language": "python"}
    )
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.openai_v2", "2.4"
    # Shortly before now, so that no clock is odd while the drill lasts.
    start = int((datetime.now(UTC) - timedelta(minutes=2)).timestamp() * 1e9)
    for number in range(count):
        one = said(draw, f"customer {PERSONS.decode()}-{number * 4 // count}")
        began = start + draw.randrange(10**10)
        span = scope.spans.add(
            trace_id=TRACE,
            span_id=(number + 1).to_bytes(8, "big"),
            parent_span_id=b"\xff" * 8,
            name=f"chat {one.model}",
            kind=3,
            start_time_unix_nano=began,
            end_time_unix_nano=began + draw.randrange(10**9, 10**10),
        )
        _attributes(
            span.attributes,
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": one.model,
                "gen_ai.response.model": one.version,
                "gen_ai.response.id": f"chatcmpl-{draw.getrandbits(96):x}",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.usage.input_tokens": one.tokens_in,
                "gen_ai.usage.output_tokens": one.tokens_out,
                "gen_ai.conversation.id": f"conversation {PERSONS.decode()}-{number * 4 // count}",
                "enduser.pseudo.id": one.person,
                "server.address": "models.example.org",
                "gen_ai.input.messages": _messages("user", one.prompt),
                "gen_ai.output.messages": _messages("assistant", one.answer, finish_reason="stop"),
            },
        )
    return request.SerializeToString()


def _messages(role: str, text: str, **more: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} | more])


def _attributes(pairs, values: dict) -> None:
    for name, value in values.items():
        pair = pairs.add(key=name)
        if isinstance(value, list):
            for one in value:
                pair.value.array_value.values.add(string_value=one)
        elif isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value


def trace_of(number: int) -> bytes:
    """The trace id of a batch."""
    return b"drill\0\0\0" + number.to_bytes(8, "big")


def packed(template: bytes, number: int, persons: int) -> bytes:
    """The batch of this number, packed as collectors send it; it is about one of so many groups of four persons."""
    group = b"%08d" % (number % persons)
    return gzip.compress(template.replace(TRACE, trace_of(number)).replace(PERSONS, group), 1, mtime=0)
