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

from governance.interaction_log import otlp, shape
from governance.interaction_log.conventions import spans
from governance.interaction_log.otlp import Batch, Event, Span
from governance.interaction_log.shape import Kind, Message, Source, ToolCall

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
    reports = spans.read(batch_of(sender))
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
    reports = spans.read(batch)
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
    reports = spans.read(batch_of(sender))
    assert reports
    for report in reports:
        assert shape.read(json.loads(json.dumps(shape.plain(report)))) == report


def span(number, parent=0, **attributes):
    """A span of one trace with these attributes, underscores twice for dots."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return Span("a" * 32, f"{number:016x}", f"{parent:016x}" if parent else "", "x", 1, 2, named)


def test_wrappers_of_frameworks_are_no_interactions():
    reports = spans.read(
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
    (report,) = spans.read(
        Batch((replace(span(1, gen_ai__system="openai", gen_ai__request__model="m"), events=events),))
    )
    assert (report.input, report.output) == (
        (Message("user", "hi"),),
        (Message("assistant", "hello", finish="stop"),),
    )
    assert report.attributes["events"] == [{"name": "exception", "attributes": {"exception.type": "Timeout"}}]


def test_events_that_come_without_their_span_stay_by_themselves_and_do_not_count():
    alone = Event("gen_ai.user.message", body={"content": "hi"}, trace_id="a" * 32, span_id="b" * 16)
    (report,) = spans.read(Batch(events=(alone,)))
    assert (report.kind, report.span_id, report.input) == (Kind.EVENTS, "b" * 16, (Message("user", "hi"),))


def test_messages_that_are_no_json_are_one_text_and_a_count_that_is_none_stays_an_attribute():
    (report,) = spans.read(
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
    assert report.input == (Message("user", "not JSON"),)
    assert report.attributes == {"gen_ai.usage.input_tokens": "many"}


@pytest.mark.parametrize(
    ("state", "share"),
    [("", None), ("ot=th:0", 1.0), ("a=b,ot=rv:1;th:8", 0.5), ("ot=th:c", 0.25), ("ot=th:zz", None)],
)
def test_a_sender_that_samples_says_so_in_its_trace_state(state, share):
    assert spans.sampled(state) == share


def told(**attributes):
    """The one report of a span with these attributes."""
    (report,) = spans.read(Batch((span(1, **attributes),)))
    return report


@pytest.mark.parametrize(
    ("said", "count"), [(11.0, 11), ("11", 11), (11, 11), (11.5, None), ("x", None), (True, None)]
)
def test_a_count_of_tokens_is_read_as_number_or_text(said, count):
    assert told(llm__token_count__prompt=said, llm__model_name="m-1").tokens_in == count


# A call in a workflow with a prompt cache, as each generation of the convention has it. The last is that of the
# convention's own repository, which renamed `cache_creation` to `cache_write`.
GENERATIONS = {
    "by index": {
        "gen_ai.system": "anthropic",
        "llm.request.type": "chat",
        "gen_ai.request.model": "m-1",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Refund, please.",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "Done.",
        "gen_ai.usage.prompt_tokens": 900,
        "gen_ai.usage.completion_tokens": 9,
        "gen_ai.usage.cache_read_input_tokens": 640,
        "gen_ai.usage.cache_creation_input_tokens": 128,
        "traceloop.workflow.name": "refunds",
    },
    "1.41": {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m-1",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Refund, please."}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Done."}]}]',
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 640,
        "gen_ai.usage.cache_creation.input_tokens": 128,
        "gen_ai.workflow.name": "refunds",
    },
}
GENERATIONS["own repository"] = {
    name.replace("cache_creation", "cache_write"): value for name, value in GENERATIONS["1.41"].items()
}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_cache_and_the_workflow_of_each_generation(generation):
    (report,) = spans.read(Batch((Span("a" * 32, "b" * 16, "", "chat", 1, 2, GENERATIONS[generation]),)))
    assert (report.kind, report.workflow, report.provider) == (Kind.CALL, "refunds", "anthropic")
    assert (report.tokens_in, report.tokens_out) == (900, 9)
    assert (report.tokens_cache_read, report.tokens_cache_write) == (640, 128)
    assert (report.input[0].text, report.output[0].text) == ("Refund, please.", "Done.")
    assert not report.attributes, "each attribute is in a field"
    assert shape.read(json.loads(json.dumps(shape.plain(report)))) == report


def test_two_names_of_one_count_that_differ_stay_visible():
    report = told(
        gen_ai__request__model="m-1",
        gen_ai__usage__cache_write__input_tokens=0,
        gen_ai__usage__cache_creation__input_tokens=7,
    )
    assert report.tokens_cache_write == 0
    assert report.attributes["gen_ai.usage.cache_creation.input_tokens"] == 7


def test_a_retrieval_has_its_query_and_its_documents_with_or_without_ids():
    documents = [
        {"id": "doc-1", "score": 0.91, "title": "Refunds"},
        {"id": "doc-2", "content": "Two years."},
        {},
    ]
    for said in (documents, json.dumps(documents)):
        report = told(
            gen_ai__operation__name="retrieval",
            gen_ai__retrieval__documents=said,
            gen_ai__retrieval__query__text="How long?",
        )
        assert report.kind == Kind.RETRIEVAL
        assert report.input == (Message("user", "How long?"),)
        assert report.retrieval == (
            Source("doc-1", "", 0.91, "Refunds"),
            Source("doc-2", "Two years."),
            Source(),
        )


def test_the_ai_sdk_calls_a_model_in_its_inner_span_and_runs_tools_in_spans_of_their_own():
    calls = [{"toolCallType": "function", "toolCallId": "c1", "toolName": "refund", "args": '{"order": 1}'}]
    asked = {"system": "You answer customers.", "messages": [{"role": "user", "content": "Refund, please."}]}
    outer = told(ai__operationId="ai.generateText", ai__prompt=json.dumps(asked), ai__response__text="Done.")
    assert outer.kind == Kind.WRAPPER
    assert outer.input == (Message("system", "You answer customers."), Message("user", "Refund, please."))
    asked = [
        {
            "role": "assistant",
            "content": [{"type": "tool-call", "toolCallId": "c0", "toolName": "find", "input": {"q": 1}}],
        },
        {
            "role": "tool",
            "content": [{"type": "tool-result", "toolCallId": "c0", "toolName": "find", "output": "none"}],
        },
    ]
    inner = told(
        operation__name="ai.generateText.doGenerate helper",
        ai__prompt__messages=json.dumps(asked),
        ai__response__toolCalls=json.dumps(calls),
        ai__response__finishReason="tool-calls",
        ai__usage__promptTokens="7",
    )
    assert (inner.kind, inner.operation, inner.tokens_in) == (Kind.CALL, "ai.generateText.doGenerate", 7)
    assert inner.input[0].tool_calls == (ToolCall("find", '{"q": 1}', "c0"),)
    assert (inner.input[1].text, inner.input[1].answers) == ("none", "c0")
    assert inner.output == (
        Message("assistant", "", (ToolCall("refund", '{"order": 1}', "c1"),), finish="tool-calls"),
    )
    run = told(
        ai__operationId="ai.toolCall",
        ai__toolCall__name="refund",
        ai__toolCall__args="{}",
        ai__toolCall__result="ok",
    )
    assert (run.kind, run.tool) == (Kind.TOOL, ToolCall("refund", "{}", "", "ok"))


def test_pydantic_ai_says_a_conversation_in_one_attribute_of_events():
    events = [
        {"event.name": "gen_ai.system.message", "content": "You answer customers.", "role": "system"},
        {"event.name": "gen_ai.user.message", "content": "Refund, please."},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "Done."}},
    ]
    report = told(gen_ai__operation__name="chat", events=json.dumps(events))
    assert [one.role for one in report.input] == ["system", "user"]
    assert [one.text for one in report.output] == ["Done."]
    run = told(
        gen_ai__tool__name="refund", gen_ai__tool__call__id="c1", tool_arguments="{}", tool_response="ok"
    )
    assert (run.kind, run.tool) == (Kind.TOOL, ToolCall("refund", "{}", "c1", "ok"))


def test_an_attribute_called_events_does_not_stand_in_the_way_of_events():
    one = replace(span(1, events="none", gen_ai__operation__name="chat"), events=(Event("x", 1, {"a": 1}),))
    (report,) = spans.read(Batch((one,)))
    assert report.attributes["events"] == "none"
    assert report.attributes["span.events"] == [{"name": "x", "attributes": {"a": 1}}]


def test_openinference_says_whole_requests_and_answers_as_json():
    asked = {"model": "m-1", "messages": [{"role": "user", "content": "Refund, please."}]}
    answered = {"id": "a", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Done."}}]}
    report = told(
        openinference__span__kind="LLM", input__value=json.dumps(asked), output__value=json.dumps(answered)
    )
    assert report.input == (Message("user", "Refund, please."),)
    assert report.output == (Message("assistant", "Done."),)
    assert json.loads(report.attributes["input.value"]) == asked, "the rest of it is kept"


def test_a_retrieved_document_keeps_its_title_and_what_else_it_says():
    documents = [{"id": "d1", "content": "Two years.", "score": 0.5, "title": "Terms", "page": 3}]
    report = told(gen_ai__operation__name="retrieval", gen_ai__retrieval__documents=json.dumps(documents))
    assert report.retrieval == (Source("d1", "Two years.", 0.5, "Terms", {"page": 3}),)
    report = told(
        openinference__span__kind="RETRIEVER",
        retrieval__documents__0__document__id="d1",
        retrieval__documents__0__document__metadata='{"title": "Terms"}',
    )
    assert report.retrieval == (Source("d1", title="Terms", attributes={"metadata": {"title": "Terms"}}),)


def test_names_of_what_may_hold_words_are_told_where_none_were_read():
    report = told(
        gen_ai__operation__name="chat",
        my__question="How long is it?",
        my__context='{"a": 1}',
        my__flag="yes",
        my__n=3,
    )
    assert report.unread == ("my.context", "my.question")
    assert told(gen_ai__operation__name="chat", **{"question of anna@example.org": "a b"}).unread == (
        "question_of_anna_example.org",
    )
    assert told(http__method="GET of it").unread == ()
    assert told(input__value="a b", output__value="c d", my__question="e f").unread == ()
