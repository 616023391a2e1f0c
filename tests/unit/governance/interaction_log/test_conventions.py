"""Three generations of the GenAI conventions and their kin, as real senders sent them: one shape, nothing lost.

The files in `sent` were recorded from OpenTelemetry's SDK 1.37 and 1.45 over OTLP/HTTP (protobuf, gzip), for
the same two calls of a model, the second after a tool was run:

    indexed        opentelemetry-instrumentation-openai 0.40.7 (OpenLLMetry), attributes by index
    events         opentelemetry-instrumentation-openai-v2 2.1b0, one log record a message
    whole          opentelemetry-instrumentation-openai-v2 2.4b0, on the span and on one event of it
    openllmetry    opentelemetry-instrumentation-openai 0.62.4
    openinference  openinference-instrumentation-openai 0.1.66
    openlit        openlit 1.45.0 with openai 2.54.0
    langchain      opentelemetry-instrumentation-langchain 0.62.4 with langchain 1.4.7
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from governance.interaction_log import conventions, otlp, shape
from governance.interaction_log.otlp import Batch, Event, Span
from governance.interaction_log.shape import Kind, Message, ToolCall

SENT = Path(__file__).parent / "sent"
SENDERS = ("indexed", "events", "whole", "openllmetry", "openinference", "openlit", "langchain")
ASKED = (Message("system", "You answer customers."), Message("user", "Refund order A-17, please."))
TURNS_LEFT_OUT = ("openlit",)  # the model's own earlier turn, where it called a tool, is not sent
REFUND = ToolCall("refund", '{"order": "A-17"}', "call_1")


def batch_of(sender):
    """What a sender sent, spans and log records as one batch."""
    spans, events = (), ()
    for path in sorted(SENT.glob(f"{sender}_*.gz")):
        body = otlp.unpacked(path.read_bytes(), "gzip")
        if path.stem.endswith("traces"):
            spans = otlp.read_traces(body, otlp.PROTOBUF).spans
        else:
            events = otlp.read_logs(body, otlp.PROTOBUF).events
    return Batch(spans, events)


@pytest.mark.parametrize("sender", SENDERS)
def test_real_senders_come_to_one_shape(sender):
    reports = conventions.read(batch_of(sender))
    first, second = (one for one in reports if one.kind == Kind.CALL)
    assert [one.kind for one in reports].count(Kind.OTHER) == 1

    assert (first.provider.lower(), first.model.startswith("gpt-4o-mini")) == ("openai", True)
    if sender != "openinference":  # it says one name of the model only
        assert (first.operation, first.model, first.version) == (
            "chat",
            "gpt-4o-mini",
            "gpt-4o-mini-2024-07-18",
        )
    assert (first.tokens_in, first.tokens_out) == (31, 9)
    assert [replace(one, finish="") for one in first.input] == list(ASKED)
    assert first.output[0].tool_calls == (REFUND,)
    assert first.tools_called == ("refund",)
    assert first.span_id
    assert first.trace_id
    assert first.parent_id
    assert first.started < first.ended

    assert second.input[:2] == ASKED
    assert second.output[0].text == "Your order A-17 was refunded."
    assert len(second.input) == (3 if sender in TURNS_LEFT_OUT else 4)
    if sender not in TURNS_LEFT_OUT:
        assert second.input[2].tool_calls == (REFUND,)
        assert (second.input[3].role, second.input[3].text, second.input[3].answers) == (
            "tool",
            "done",
            "call_1",
        )
    assert second.tools_called == ()


@pytest.mark.parametrize("sender", SENDERS)
def test_nothing_that_was_sent_is_lost(sender):
    """Each value of each attribute is found again, in a field or among the attributes."""
    batch = batch_of(sender)
    reports = conventions.read(batch)
    kept = {one.span_id: json.dumps(shape.plain(one), ensure_ascii=False) for one in reports}
    for sent in (*batch.spans, *batch.events):
        for name, value in (*sent.attributes.items(), *sent.resource.items()):
            for leaf in leaves(value):
                assert json.dumps(leaf, ensure_ascii=False).strip('"') in kept[sent.span_id], name


def leaves(value):
    """The single values in a value; of JSON in a text, those in it."""
    if isinstance(value, str) and value[:2] in ("[{", '{"'):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    if isinstance(value, dict):
        return [leaf for name, one in value.items() if name != "type" for leaf in leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in leaves(one)]
    return [value]


@pytest.mark.parametrize("sender", SENDERS)
def test_a_shape_is_read_again_as_it_was_written(sender):
    for report in conventions.read(batch_of(sender)):
        assert shape.read(json.loads(json.dumps(shape.plain(report)))) == report


def span(number, parent=0, **attributes):
    """A span of one trace with these attributes, underscores twice for dots."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return Span("a" * 32, f"{number:016x}", f"{parent:016x}" if parent else "", "x", 1, 2, named)


def test_wrappers_of_frameworks_are_no_interactions():
    reports = conventions.read(
        Batch(
            (
                span(1, traceloop__span__kind="workflow", gen_ai__request__model="m"),
                span(2, 1, gen_ai__operation__name="invoke_agent", gen_ai__request__model="m"),
                span(3, 2, gen_ai__operation__name="chat", gen_ai__request__model="m"),  # of the framework
                span(4, 3, gen_ai__operation__name="chat", gen_ai__request__model="m"),  # of the client in it
                span(5, 2, gen_ai__operation__name="execute_tool", gen_ai__tool__name="refund"),
                span(6, 2, openinference__span__kind="CHAIN"),
                span(7, 2, openinference__span__kind="RETRIEVER", retrieval__documents__0__document__id="d1"),
                span(8, 2, http__method="GET"),
            )
        )
    )
    assert [one.kind for one in reports] == [
        "wrapper",
        "wrapper",
        "wrapper",
        "call",
        "tool",
        "wrapper",
        "retrieval",
        "other",
    ]
    assert reports[4].tools_called == ("refund",)
    assert reports[6].retrieval == (shape.Source("d1"),)
    assert reports[7].attributes["http.method"] == "GET"


def test_events_of_a_span_count_as_its_log_records_do():
    events = (
        Event("gen_ai.user.message", attributes={"content": "hi", "role": "user"}),
        Event("gen_ai.choice", attributes={"message": '{"content": "hello"}', "finish_reason": "stop"}),
        Event("exception", attributes={"exception.type": "Timeout"}),
    )
    (report,) = conventions.read(
        Batch((replace(span(1, gen_ai__system="openai", gen_ai__request__model="m"), events=events),))
    )
    assert (report.input, report.output) == (
        (Message("user", "hi"),),
        (Message("assistant", "hello", finish="stop"),),
    )
    assert report.attributes["events"] == [{"name": "exception", "attributes": {"exception.type": "Timeout"}}]


def test_events_that_come_without_their_span_stay_by_themselves_and_do_not_count():
    alone = Event("gen_ai.user.message", body={"content": "hi"}, trace_id="a" * 32, span_id="b" * 16)
    (report,) = conventions.read(Batch(events=(alone,)))
    assert (report.kind, report.span_id, report.input) == (Kind.EVENTS, "b" * 16, (Message("user", "hi"),))


def test_what_is_written_otherwise_than_known_stays_an_attribute():
    (report,) = conventions.read(
        Batch(
            (
                span(
                    1,
                    gen_ai__operation__name="chat",
                    gen_ai__input__messages="not JSON",
                    gen_ai__usage__input_tokens="many",
                ),
            )
        )
    )
    assert report.kind == Kind.CALL
    assert report.attributes == {"gen_ai.input.messages": "not JSON", "gen_ai.usage.input_tokens": "many"}


@pytest.mark.parametrize(
    ("state", "share"),
    [("", None), ("ot=th:0", 1.0), ("a=b,ot=rv:1;th:8", 0.5), ("ot=th:c", 0.25), ("ot=th:zz", None)],
)
def test_a_sender_that_samples_says_so_in_its_trace_state(state, share):
    assert conventions.sampled(state) == share
