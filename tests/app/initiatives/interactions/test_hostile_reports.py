"""Reports that nobody should send, through their own doors: kept, read on every page, handed out, erased."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.authorization import decision_log, decision_queries, outcome_reports
from governance.interaction_log import loading, otlp, reading
from governance.interaction_log.intake import interactions
from governance.models import Interaction, OutcomeReport, PolicyDecision
from governance.vocabulary.readable_text import REPLACEMENT
from initiatives.interactions import actions, api, person_files
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.input import reports
from tests.support.servers.asking_systems import System

pytestmark = pytest.mark.django_db

LINES = {"content_type": "application/x-ndjson"}


@pytest.fixture
def system(cast, initiative):
    return System(factories.make_key(cast, initiative, scopes=["interactions", "evaluate"])[1].text)


def kept():
    """Rows of the log, after the worker brought over what waits."""
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    return list(Interaction.objects.select_related("batch").order_by("id"))


def data(name):
    return (reports.DATA / name).read_bytes()


def test_half_a_character_in_a_span_is_replaced_and_its_neighbours_are_kept(system):
    answer = system.send("/otlp/v1/traces", data("half_a_character.json"), content_type=otlp.JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    told = [reading.opened(row).report for row in kept()]
    assert [one.input[0].text for one in told] == ["Is the office open on Friday?", f"thanks {REPLACEMENT}"]


def test_half_a_character_in_bytes_is_replaced_too(system):
    """Protobuf has texts in UTF-8, and a sender that cut one within a character sends bytes that are none."""
    span = b"\x0a\x10" + b"\1" * 16 + b"\x12\x08" + b"\2" * 8 + b"\x2a\x05chat\xf0"
    sent = b"\x0a%c\x12%c\x12%c" % (len(span) + 4, len(span) + 2, len(span)) + span
    answer = system.send("/otlp/v1/traces", sent, content_type=otlp.PROTOBUF)
    assert answer.status_code == 200
    assert reading.opened(*kept()).report.name == f"chat{REPLACEMENT}"


def test_half_a_character_in_a_line_is_replaced_and_its_neighbours_are_kept(system):
    answer = system.send("/access/v1/interactions", data("half_a_character.jsonl"), **LINES)
    assert (answer.status_code, answer.json()["kept"]) == (200, 2)
    assert [reading.opened(row).report.input[0].text for row in kept()] == ["Hello", f"thanks {REPLACEMENT}"]


def test_a_zero_character_in_the_name_of_a_model_is_replaced_and_comes_over(system):
    answer = system.send("/access/v1/interactions", data("zero_character.jsonl"), **LINES)
    assert (answer.status_code, answer.json()["kept"]) == (200, 1)
    (row,) = kept()
    assert row.model == f"m{REPLACEMENT}-1"
    assert loading.set_aside() == 0


def test_a_file_that_a_person_brings_in_is_kept_likewise(cast, initiative):
    content = data("half_a_character.jsonl") + data("zero_character.jsonl")
    count, wrong = actions.import_file(initiative=initiative, name="a.jsonl", content=content, by=cast.owner)
    assert (count, wrong, len(kept())) == (3, [], 3)


def test_spans_of_widespread_tools_are_read(system, initiative, cast, as_):
    answer = system.send("/otlp/v1/traces", data("dialects.json"), content_type=otlp.JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    rows = {row.kind + str(place): row for place, row in enumerate(kept())}
    told = {name: reading.opened(row).report for name, row in rows.items()}
    assert list(told) == ["call0", "call1", "wrapper2", "retrieval3"]
    for name in ("call0", "call1", "wrapper2"):
        assert [one.text for one in told[name].input] == ["Which form do I need?"], name
        assert [one.text for one in told[name].output] == ["Form B 12."], name
    for name in ("call0", "call1"):
        assert (rows[name].tokens_in, rows[name].tokens_out) == (11, 5), name
    (source,) = told["retrieval3"].retrieval
    assert (source.id, source.title, source.score) == ("d-7", "Forms", 0.82)
    assert source.text == "Form B 12 is for travel."
    assert not any(row.unread for row in rows.values())
    page = as_(cast.owner).get(f"/initiatives/{initiative.ref}/interactions/")
    assert b"not understood" not in page.content.replace(b"not all understood", b"")


def spans_of(**attributes):
    return reports.traces_of([{"name": "x", "attributes": attributes, "events": [], "status": 0}])


def test_a_span_whose_words_were_not_understood_is_listed_with_names_and_never_values(
    system, initiative, cast, as_
):
    sent = {"gen_ai.operation.name": "chat", "my.question": "Which form do I need?", "server.address": "a b"}
    assert system.send("/otlp/v1/traces", spans_of(**sent), content_type=otlp.JSON).status_code == 200
    (row,) = kept()
    assert row.unread == ["my.question"]
    page = as_(cast.owner).get(f"/initiatives/{initiative.ref}/interactions/")
    assert page.context["unread"][0][0][:3] == (row.key_id, "my.question", 1)
    assert b"Which form" not in page.content
    found = as_(cast.owner).get(f"/initiatives/{initiative.ref}/interactions/?unread=yes").context["rows"]
    assert [one["row"].pk for one in found] == [row.pk]


def test_what_the_database_does_not_take_is_counted_on_the_page_and_never_lost(system, initiative, cast, as_):
    body = b'{"at":"2026-11-20T10:00:00Z","input":"x","id":"%d"}\n'
    assert (
        system.send("/access/v1/interactions", b"".join(body % n for n in (1, 2)), **LINES).status_code == 200
    )
    interactions.bring_over()
    (path,) = interactions._folder.glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"kind":"call"', b'"kind":"call of a kind unknown"', 1))
    assert len(kept()) == 1
    assert (
        loading.set_aside(),
        loading.set_aside(initiative.number),
        loading.set_aside(initiative.number + 1),
    ) == (
        1,
        1,
        0,
    )
    page = as_(cast.owner).get(f"/initiatives/{initiative.ref}/interactions/").content.decode()
    assert "The database could not save 1 report." in page
    assert (
        "The database refused 1 reports. Plumbline keeps these reports in files"
        in as_(cast.admin).get("/").content.decode()
    )


def test_nothing_kept_is_never_answered_as_kept(system):
    for url, body, kind in (
        ("/otlp/v1/traces", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{},{"traceId":7}]}]}]}', otlp.JSON),
        ("/otlp/v1/traces", b'{"resourceSpans":[{"scopeSpans":[{"spans":["x"]}]}]}', otlp.JSON),
        ("/otlp/v1/traces", b"\x0a\x04\x12\x02\x12\0", otlp.PROTOBUF),
        ("/otlp/v1/logs", b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[3]}]}]}', otlp.JSON),
        ("/access/v1/interactions", b"\n \n", "application/x-ndjson"),
        ("/access/v1/interactions", b"[]", "application/json"),
        ("/access/v1/interactions", b"at,input\n", "text/csv"),
    ):
        answer = system.send(url, body, content_type=kind)
        assert answer.status_code == 400, (url, body)
        if url.startswith("/access"):
            assert answer.json()["kept"] == 0
    assert kept() == []
    assert system.send("/otlp/v1/traces", b"{}", content_type=otlp.JSON).status_code == 200, "holds nothing"


def test_one_bad_span_takes_no_other_along_and_is_told(system):
    good = json.loads(data("half_a_character.json"))
    spans = good["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans += [{"startTimeUnixNano": "soon"}, "x", {"traceId": "z" * 32, "spanId": "b" * 16}]
    answer = system.send("/otlp/v1/traces", json.dumps(good).encode(), content_type=otlp.JSON)
    said = answer.json()["partialSuccess"]
    assert (answer.status_code, said["rejectedSpans"]) == (200, "3")
    assert "1 with no hexadecimal trace id" in said["errorMessage"]
    assert "2 with a format that is not OTLP" in said["errorMessage"]
    assert len(kept()) == 2


def test_every_span_counts_toward_the_rate_of_the_key(system, settings, monkeypatch):
    settings.INTERACTION_RATE = 100
    paid = []
    monkeypatch.setattr(api.rate, "pay", lambda key, per_second, count: paid.append(count + 1))
    system.send("/otlp/v1/traces", b"\x0a\x7a\x12\x78" + b"\x12\0" * 60, content_type=otlp.PROTOBUF)
    bomb = {"content_type": otlp.PROTOBUF, "HTTP_CONTENT_ENCODING": "gzip"}
    answer = system.send("/otlp/v1/traces", gzip.compress(b"\0" * (64 << 20), mtime=0), **bomb)
    assert answer.status_code == 413
    system.send("/access/v1/interactions", b"{\n" * 30, **LINES)
    assert paid == [60, otlp.MOST_UNPACKED // otlp.PAID_BYTES, 30]


def test_a_question_that_cannot_be_stored_is_refused_and_its_neighbours_are_answered(system):
    def question(name):
        return {
            "subject": {"type": "user", "id": name},
            "action": {"name": "summarise"},
            "resource": {"type": "t", "id": "1"},
        }

    sent = {"evaluations": [question("a"), question("b\ud83d"), question("c\x00"), question("d")]}
    answer = system.send("/access/v1/evaluations", json.dumps(sent).encode(), content_type="application/json")
    assert answer.status_code == 200
    told = [one["context"].get("error", {}).get("message", "") for one in answer.json()["evaluations"]]
    assert [bool(one) for one in told] == [False, True, True, False]
    assert "subject contains U+D83D" in told[1]
    decision_log.decisions.bring_over()
    assert PolicyDecision.objects.count() == 2


def test_an_outcome_with_characters_that_cannot_be_stored_is_kept(system):
    sent = {"outcome": "done", "unasked": True, "at": clock.now().isoformat(), "note": "ok\x00 \ud83d"}
    for half in ("\ud83d", "\ud83e"):
        body = json.dumps(sent | {"action": f"mail{half}"}).encode()
        answer = system.send("/access/v1/outcomes", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
    rows = OutcomeReport.objects.all()
    assert {row.note for row in rows} == {f"ok{REPLACEMENT} {REPLACEMENT}"}
    assert len({row.action for row in rows}) == 2
    assert all(len(row.action) <= outcome_reports.LONGEST_NAME for row in rows)


ROLELESS = {"at": "2026-11-20T10:00:00Z", "input": [{"content": "Hello friend"}], "tools": [{}], "id": "r"}


def test_a_message_without_role_is_read_and_handed_out(system, initiative, cast, as_):
    sent = spans_of(
        **{"gen_ai.operation.name": "chat", "gen_ai.input.messages": '[{"content": "Hello friend"}]'}
    )
    assert system.send("/otlp/v1/traces", sent, content_type=otlp.JSON).status_code == 200
    assert system.send("/access/v1/interactions", json.dumps(ROLELESS).encode(), **LINES).status_code == 200
    rows = kept()
    assert [one.report.input[0].text for one in reading.opened_of(rows)] == ["Hello friend"] * 2
    read_everywhere(rows, initiative, as_(cast.owner))


def read_everywhere(rows, initiative, client):
    """Every row opened, on its page and handed out: none of it fails."""
    assert client.get(f"/initiatives/{initiative.ref}/interactions/").status_code == 200
    for row, one in zip(rows, reading.opened_of(rows), strict=True):
        assert (one.wrong, one.report is None) == ("", False)
        assert json.loads(reading.handed_out(row)["body"])["report"]
        place = decision_queries.Place(row.at, row.pk)
        assert client.get(f"/initiatives/{initiative.ref}/interactions/{place}/").status_code == 200


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    some=st.lists(reports.span, min_size=3, max_size=8),
    lines=st.lists(reports.line, min_size=3, max_size=8),
    records=st.lists(reports.record, min_size=1, max_size=4),
)
def test_anything_that_is_taken_comes_over_and_is_read_handed_out_and_erased(
    system, initiative, cast, as_, some, lines, records
):
    with story.undone():
        officer = factories.make_person("officer", is_privacy_officer=True)
        taken_and_read(system, initiative, cast, officer, as_(cast.owner), some, lines, records)


def taken_and_read(system, initiative, cast, officer, client, some, lines, records):
    told = 0
    for url, body, kind in (
        ("/otlp/v1/traces", reports.traces_of(some), otlp.JSON),
        ("/otlp/v1/logs", reports.logs_of(records), otlp.JSON),
        ("/access/v1/interactions", "\n".join(map(json.dumps, lines)).encode(), "application/x-ndjson"),
    ):
        answer = system.send(url, body, content_type=kind)
        assert answer.status_code in (200, 400), answer.content
        told += answer.status_code == 200
    rows = kept()
    assert loading.set_aside() == 0
    assert told
    assert len(rows) >= len(some)
    read_everywhere(rows, initiative, client)
    for one in {one.report.subject for one in reading.opened_of(rows) if one.report.subject.strip()}:
        assert person_files.take_file(
            initiative=initiative, subject=one, everywhere=False, why="§", by=officer
        )
        actions.erase_subject(
            initiative=initiative,
            subject=one,
            everywhere=False,
            why="Asked for so.",
            duty="Article 17.",
            by=cast.admin,
        )
