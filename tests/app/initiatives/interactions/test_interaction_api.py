"""The API of the interaction log: real senders are kept; each wrong batch has an answer that they understand."""

import errno
import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from governance import clock
from governance.interaction_log import loading, otlp, reading
from governance.interaction_log.intake import interactions
from governance.models import Interaction
from tests.support import factories
from tests.support.paths import ROOT
from tests.support.servers.asking_systems import System

pytestmark = pytest.mark.django_db

SENT = Path(ROOT) / "tests/unit/governance/interaction_log/sent"
PACKED = {"content_type": otlp.PROTOBUF, "HTTP_CONTENT_ENCODING": "gzip"}
LINE = {"at": "2026-11-22T09:30:00Z", "input": "How long is it good for?", "output": "Two years."}


@pytest.fixture
def system(cast, initiative):
    return System(factories.make_key(cast, initiative, scopes=["interactions"])[1].text)


def sent(name):
    return (SENT / f"{name}.gz").read_bytes()


def kept():
    """Rows of the log, after the worker brought over what waits."""
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    return list(Interaction.objects.order_by("id"))


def status_of(answer):
    """Code and message of a Status as protobuf has it: fields 1 and 2."""
    body = answer.content
    assert (body[0], body[2]) == (0x08, 0x12)
    return body[1], body[-len(body) + 4 :].decode(errors="replace")


def test_span_and_log_records_of_a_real_sender_are_two_interactions_and_kept_once(system, initiative):
    for _ in range(2):
        answer = system.send("/otlp/v1/traces", sent("events_traces"), **PACKED)
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"", otlp.PROTOBUF)
        assert system.send("/otlp/v1/logs", sent("events_logs"), **PACKED).status_code == 200
    rows = kept()
    assert sorted(row.kind for row in rows) == ["call", "call", "events", "events", "other"]
    assert {row.initiative_number for row in rows} == {initiative.number}
    calls = sorted((row for row in rows if row.kind == "call"), key=lambda row: row.at)
    opened = reading.opened(calls[1]).report
    assert opened.output[0].text == "Your order A-17 was refunded."
    assert opened.tokens_in == 31


def test_json_is_taken_and_answered_as_json(system):
    body = {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "5b8efff798038103d269b633813fc60c",
                                "spanId": "eee19b7ec3c1b174",
                                "name": "chat",
                                "startTimeUnixNano": "1795478400000000000",
                                "attributes": [
                                    {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}
                                ],
                            },
                            {"name": "no ids"},
                        ]
                    }
                ]
            }
        ]
    }
    answer = system.send("/otlp/v1/traces", body)
    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert [row.kind for row in kept()] == ["call"]


def test_a_span_without_ids_is_told_as_partial_success(system):
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add(trace_id=b"\1" * 16, span_id=b"\2" * 8)
    spans.add()
    answer = system.send("/otlp/v1/traces", request.SerializeToString(), content_type=otlp.PROTOBUF)
    said = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, said.rejected_spans) == (200, 1)
    assert said.error_message.startswith("Not kept: 1 with no hexadecimal trace id and span id")
    assert len(kept()) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x", {"content_type": "text/plain"}, 415),
        (b"{", {"content_type": otlp.JSON}, 400),
        (gzip.compress(b"\0" * (64 << 20), mtime=0), PACKED, 413),
        (b"\0" * ((4 << 20) + 1), {"content_type": otlp.PROTOBUF}, 413),
        (gzip.compress(b"\0" * 4096, mtime=0)[:-5], PACKED, 400),
        (b"\x0a\xff\x01ab", {"content_type": otlp.PROTOBUF}, 400),
        (b"x", {"content_type": otlp.PROTOBUF, "HTTP_CONTENT_ENCODING": "br"}, 415),
    ],
)
def test_a_wrong_batch_has_an_answer_and_the_next_is_kept(system, body, headers, status):
    answer = system.send("/otlp/v1/traces", body, **headers)
    assert answer.status_code == status
    said = answer.json()["message"] if answer["Content-Type"] == otlp.JSON else answer.content[4:].decode()
    assert said.endswith(".")
    assert system.send("/otlp/v1/traces", sent("whole_traces"), **PACKED).status_code == 200
    assert len(kept()) == 3


def test_no_sender_sends_a_wrong_batch_again(system):
    """A sender keeps a batch that it may send again (OTLP: 429, 502, 503, 504) before all others; others it drops."""
    good = gzip.decompress(sent("whole_traces"))
    for body, headers in (
        (b"\xff" * 40, {"content_type": otlp.PROTOBUF}),
        (good[:-9], {"content_type": otlp.PROTOBUF}),
        (sent("whole_traces")[:-9], PACKED),
        (gzip.compress(b"\0" * (64 << 20), mtime=0), PACKED),
        (b"\0" * ((4 << 20) + 1), {"content_type": otlp.PROTOBUF}),
        (sent("whole_traces"), PACKED | {"HTTP_AUTHORIZATION": "Bearer plk_" + "a" * 12 + "_" + "b" * 43}),
    ):
        answer = system.send("/otlp/v1/traces", body, **headers)
        assert answer.status_code in (400, 401, 413)
        assert "Retry-After" not in answer
        assert answer["Content-Type"] == otlp.PROTOBUF
    assert kept() == []


def test_spans_of_a_wrong_clock_are_kept_by_the_moment_they_came(system):
    """Of a sender that began in 1970, in 2050, never, or after the calendar's end: with the others of their batch."""
    now = clock.now()
    right = int((now - timedelta(minutes=1)).timestamp() * 1e9)
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number, start in enumerate((right, 1, 2_524_608_000 * 10**9, 0, (1 << 64) - 1), start=1):
        spans.add(trace_id=b"\1" * 16, span_id=bytes([number] * 8), start_time_unix_nano=start)
    for _ in range(2):  # the second time they are known, whatever moment they came by
        answer = system.send("/otlp/v1/traces", request.SerializeToString(), content_type=otlp.PROTOBUF)
        assert (answer.status_code, answer.content) == (200, b"")
    first, *others = kept()
    assert (first.odd_clock, abs(first.at - now) < timedelta(minutes=2)) == (False, True)
    assert [(row.odd_clock, row.at) for row in others] == [(True, row.received_at) for row in others]
    assert len(others) == 4
    opened = reading.opened(others[1])
    assert (opened.wrong, opened.report.started.year) == ("", 2050), "what was said is kept"


@pytest.mark.parametrize("url", ["/otlp/v1/traces", "/otlp/v1/logs", "/access/v1/interactions"])
def test_only_a_key_made_for_it_opens(cast, initiative, url):
    assert System("plk_" + "a" * 12 + "_" + "b" * 43).send(url, b"").status_code == 401
    assert System().send(url, b"").status_code == 401
    other = System(factories.make_key(cast, initiative, scopes=["evaluate"])[1].text)
    assert other.send(url, b"").status_code == 403
    system = System(factories.make_key(cast, initiative, scopes=["interactions"])[1].text)
    assert system.get(url).status_code == 405
    assert system.send("/access/v1/evaluation", {}).status_code == 403
    assert kept() == []


def test_a_key_writes_into_its_own_initiative_alone(cast, initiative, system):
    other = factories.make_mvp(cast, title="Another")
    theirs = System(factories.make_key(cast, other, scopes=["interactions"])[1].text)
    for one in (system, theirs):
        assert one.send("/otlp/v1/traces", sent("whole_traces"), **PACKED).status_code == 200
    assert sorted(row.initiative_number for row in kept()) == sorted(
        [initiative.number] * 3 + [other.number] * 3
    )


def test_a_key_that_sends_too_much_waits_and_its_questions_do_not(cast, initiative, settings):
    settings.INTERACTION_RATE = 2
    system = System(factories.make_key(cast, initiative, scopes=["interactions", "evaluate"])[1].text)
    assert system.send("/otlp/v1/traces", sent("whole_traces"), **PACKED).status_code == 200
    answer = system.send("/otlp/v1/traces", sent("events_traces"), **PACKED)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert system.send("/access/v1/evaluation", {}).status_code == 400, "another bucket"


def test_a_full_disk_takes_nothing_and_pages_go_on(system, cast, initiative, as_, monkeypatch):
    def full(lines):
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(interactions, "append_lines", full)
    for url, headers in (("/otlp/v1/traces", PACKED), ("/access/v1/interactions", {})):
        body = sent("whole_traces") if headers else LINE
        answer = system.send(url, body, **headers)
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert as_(cast.owner).get(f"/initiatives/{initiative.ref}/").status_code == 200
    monkeypatch.undo()
    assert system.send("/otlp/v1/traces", sent("whole_traces"), **PACKED).status_code == 200
    assert len(kept()) == 3


def test_room_is_left_to_everything_else(system, monkeypatch):
    monkeypatch.setattr(interactions, "reserve", 1 << 60)
    assert system.send("/otlp/v1/traces", sent("whole_traces"), **PACKED).status_code == 503
    assert kept() == []


def test_lines_are_kept_and_wrong_ones_told(system):
    body = "\n".join(
        [json.dumps(LINE | {"id": "a", "subject": "customer 4"}), "{", json.dumps(LINE | {"id": "b"})]
    )
    answer = system.send("/access/v1/interactions", body, content_type="application/x-ndjson")
    assert answer.status_code == 200
    assert (answer.json()["kept"], answer.json()["rejected_count"]) == (2, 1)
    assert answer.json()["rejected"][0]["line"] == 2
    assert (
        system.send("/access/v1/interactions", body, content_type="application/x-ndjson").status_code == 200
    )
    rows = kept()
    assert len(rows) == 2, "the same lines again are the same interactions"
    assert reading.opened(rows[0]).report.subject == "customer 4"
    assert system.send("/access/v1/interactions", "{", content_type="application/json").status_code == 400
    assert system.send("/access/v1/interactions", "x", content_type="text/html").status_code == 415


def test_the_decision_that_a_span_names_is_tied_where_it_is_one_of_the_initiative(cast, initiative):
    system = System(factories.make_key(cast, initiative, scopes=["interactions", "evaluate"])[1].text)
    answer = system.ask("summarise")
    for number, name in enumerate((answer["context"]["id"], "x" * 75)):
        said = LINE | {"id": str(number), "decision": name}
        assert system.send("/access/v1/interactions", said).status_code == 200
    named, other = kept()
    assert len(bytes(named.decision)) == 32
    assert other.decision is None
    assert reading.opened(other).report.decision == "x" * 75, "what was said is kept"


def test_a_table_is_taken_as_it_is(system):
    table = (
        "id,at,input,output,model,tools,tokens_in,till\r\n"
        'a,2026-11-22T09:30:00Z,"How long, then?",Two years.,m-1,"search, refund",12,7\r\n'
        "b,yesterday,x,y,m-1,,,\r\n"
    )
    answer = system.send("/access/v1/interactions", table.encode(), content_type="text/csv")
    assert (answer.json()["kept"], answer.json()["rejected"][0]["line"]) == (1, 3)
    report = reading.opened(*kept()).report
    assert (report.input[0].text, report.tokens_in) == ("How long, then?", 12)
    assert report.tools_called == ("search", "refund")
    assert report.attributes == {"till": "7"}
    broken = system.send("/access/v1/interactions", b'id,input\n"a', content_type="text/csv")
    assert broken.status_code == 400
