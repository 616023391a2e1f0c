"""Whatever the intake takes can be kept and read again: for any attributes, messages and lines."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.audit_log.entries import canonical
from governance.interaction_log import lines, otlp, shape
from governance.interaction_log.conventions import spans
from governance.interaction_log.shape import Interaction, Kind, Message, ToolCall
from governance.vocabulary.readable_text import UNSTORABLE
from tests.support.input import reports

whatever = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def kept_and_read(report):
    """The report as the log keeps it and gives it back; every reader has been over it."""
    fit, said = shape.storable(report)
    assert shape.plain(fit) == said
    body = canonical({"report": said})
    json.loads(
        body, parse_constant=lambda name: 1 / 0
    )  # strangers read it: no number that JSON does not have
    for text in (fit.model, fit.version, fit.act, fit.subject, fit.conversation, *fit.unread):
        assert not UNSTORABLE.search(text)
    again = shape.read(json.loads(body)["report"])
    assert shape.plain(again) == shape.plain(fit)
    return again


@whatever
@given(st.lists(reports.span, min_size=1, max_size=3))
def test_any_spans(some):
    batch = otlp.read_traces(reports.traces_of(some), otlp.JSON)
    assert len(batch.spans) == len(some)
    for report in spans.read(batch):
        kept_and_read(report)


@whatever
@given(st.lists(reports.record, min_size=1, max_size=3))
def test_any_log_records(some):
    batch = otlp.read_logs(reports.logs_of(some), otlp.JSON)
    for report in spans.read(batch):
        kept_and_read(report)


@whatever
@given(st.lists(reports.line, min_size=1, max_size=3))
def test_any_lines(some):
    body = "\n".join(map(json.dumps, some)).encode()
    found, wrong = lines.read(body)
    assert len(found) + len(wrong) == len(some)
    for report in found:
        kept_and_read(report)


def test_a_message_without_role_and_a_call_without_name_are_read_again():
    report = Interaction(
        Kind.CALL,
        input=(Message(""), Message("", "Hello")),
        tool=ToolCall(""),
        output=(Message("", tool_calls=(ToolCall(""),)),),
    )
    assert kept_and_read(report) == report


def test_names_that_differ_only_in_what_is_replaced_stay_two():
    told = [
        shape.storable(Interaction(Kind.CALL, subject=f"a{half}", id=f"b{half}", conversation=f"c{half}"))[0]
        for half in ("\ud83d", "\ud83e", "\x00")
    ]
    for name in ("subject", "id", "conversation"):
        assert len({getattr(one, name) for one in told}) == 3
        assert all(getattr(one, name)[1] == "\ufffd" for one in told)
    both, _ = shape.storable(
        Interaction(Kind.CALL, attributes=dict(zip(("a\ud83d", "a\ud83e"), (1, 2), strict=True)))
    )
    assert sorted(both.attributes.values()) == [1, 2]
    assert shape.storable(Interaction(Kind.CALL, model="m\x00-1"))[0].model == "m\ufffd-1"
