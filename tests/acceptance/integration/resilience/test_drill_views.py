"""Pages of drills, processes, the sign-on flow and traces: what they show, what they take, who may what."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from adoption.demo import initiative_acts
from governance import clock
from initiatives.models import Drill, ProcessRecord, SignOnFlow, TraceSample
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db


RECORD = {
    "drill_record": 1,
    "kind": "fallback",
    "fault": "timeout",
    "observed_on": "2026-01-05",
    "expected": "",
    "happened": "12 requests were left unanswered.",
    "trace": {"name": "trace.jsonl", "sha256": "", "requests": 12},
}


def upload(content, name="record.json"):
    return SimpleUploadedFile(name, content if isinstance(content, bytes) else json.dumps(content).encode())


def typed(**changed) -> dict:
    return {
        "record": upload(RECORD),
        "file": upload(b'{"fault": "timeout"}\n', "trace.jsonl"),
        "expected": "It goes on.",
        "result": "pass",
        "covers": ["prod.q10_outage"],
    } | changed


def test_the_drill_record_of_the_kit_fills_what_was_left_empty_and_overrides_nothing(cast, as_, initiative):
    client = as_(cast.lead)
    assert (
        client.post(at("initiative-act", initiative.ref, "record-drill"), typed(fault="error")).status_code
        == 302
    )
    drill = Drill.objects.get()
    assert (drill.kind, drill.fault, str(drill.observed_on)) == ("fallback", "error", "2026-01-05")
    assert drill.happened == RECORD["happened"]


def test_a_record_that_is_none_is_told_so_and_nothing_typed_is_lost(cast, as_, initiative):
    for record, words in (
        (b"{", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ([], "not a record of the fault kit"),
        ({}, "not a record of the fault kit"),
        (RECORD | {"kind": ["x"]}, "has no known kind"),
        (RECORD | {"fault": "flood"}, "has no known fault"),
        (RECORD | {"observed_on": 5}, "has no day on which the drill was observed"),
        (b'{"a": "' + b"x" * 120_000 + b'"}', "too large for a record"),
    ):
        answer = as_(cast.lead).post(
            at("initiative-act", initiative.ref, "record-drill"), typed(record=upload(record))
        )
        assert answer.status_code == 200
        assert words in text_of(answer)
        assert "It goes on." in text_of(answer)
        assert not Drill.objects.exists()


def test_the_page_shows_each_link_what_it_lacks_its_last_drill_and_when_it_is_due(cast, as_, initiative):
    link = factories.make_link(cast, initiative, timeout_seconds=5)
    client = as_(cast.seat_risk)
    page = text_of(client.get(at("integration-drills", initiative.ref)))
    assert "Time-out after 5 s." in page
    assert "the retries" in page
    assert "no drill yet" in page
    assert "Record a drill" not in page, "the board reads"
    factories.make_drill(cast, initiative, link=link, result="fail", happened="<script>alert(1)</script>")
    page = text_of(client.get(at("integration-drills", initiative.ref)))
    assert "keeps the initiative at MVP" in page
    assert "<script>alert" not in page
    assert client.get(at("initiative-act", initiative.ref, "record-drill")).status_code == 403


def test_taking_a_drill_back_leaves_it_struck_out(cast, as_, initiative):
    drill = factories.make_drill(cast, initiative)
    client = as_(cast.lead)
    url = at("row-act", "drills", drill.pk, "withdraw")
    assert client.post(url, {"reason": ""}).status_code == 200
    assert client.post(url, {"reason": "Of another system."}).status_code == 302
    assert "Of another system." in text_of(client.get(at("integration-drills", initiative.ref)))
    assert as_(cast.outsider).get(url).status_code == 404


def test_the_form_suggests_what_the_kind_speaks_to(cast, as_, initiative):
    page = text_of(
        as_(cast.lead).get(at("initiative-act", initiative.ref, "record-drill", kind="escalation"))
    )
    assert 'value="prod.q09_escalation" id' in page.replace("checked ", "")
    assert (
        as_(cast.lead)
        .get(at("initiative-act", initiative.ref, "record-drill", kind="junk", link="junk"))
        .status_code
        == 200
    )


def test_the_fault_kit_is_handed_out(cast, as_):
    answer = as_(cast.outsider).get(at("fault-kit"))
    assert "fault_proxy.py" in answer["Content-Disposition"]
    compile(answer.content, "fault_proxy.py", "exec")


def test_a_process_is_recorded_anew_from_its_own_words(cast, as_, initiative):
    row = factories.make_process(cast, initiative, status="partial", holder=cast.support)
    client = as_(cast.owner)
    page = text_of(client.get(at("initiative-act", initiative.ref, "record-process", of=row.pk)))
    assert "Team lead: approves above 500 EUR" in page
    assert "An earlier process record with the same name is replaced" in page
    answer = client.post(
        at("initiative-act", initiative.ref, "record-process"),
        {
            "name": row.name,
            "status": "documented",
            "as_is": "Team lead: approves above 500 EUR\nFiled",
            "redesign_cost": "9000",
            "currency": "eur",
            "budget_holder": cast.sponsor.pk,
        },
    )
    assert answer.status_code == 302
    newest = ProcessRecord.objects.latest("pk")
    assert newest.as_is == [
        {"who": "Team lead", "what": "approves above 500 EUR"},
        {"who": "", "what": "Filed"},
    ]
    assert newest.replaces == row
    page = text_of(client.get(at("integration-processes", initiative.ref)))
    assert "EUR 9,000" in page
    assert "held by Ada Moreau" in page
    assert "Earlier records" in page
    assert "recorded the process “Approvals above a limit”" in text_of(
        client.get(at("initiative-activity", initiative.ref))
    )


def test_a_process_without_a_holder_is_asked_again_with_what_was_typed(cast, as_, initiative):
    answer = as_(cast.owner).post(
        at("initiative-act", initiative.ref, "record-process"), {"name": "Approvals", "status": "in_head"}
    )
    assert answer.status_code == 200
    assert "Name the person who knows the process" in text_of(answer)
    assert not ProcessRecord.objects.exists()


def test_the_sign_on_flow_shows_who_explains_it(cast, as_, initiative):
    client = as_(cast.lead)
    sent = {"steps": "Assistant: asks for a token", "reviewed_on": clock.today().isoformat()}
    assert client.post(at("initiative-act", initiative.ref, "record-sign-on"), sent).status_code == 302
    assert "no one can explain the flow" in text_of(client.get(at("integration-processes", initiative.ref)))
    assert (
        client.post(
            at("initiative-act", initiative.ref, "record-sign-on"), sent | {"explainer": cast.lead.pk}
        ).status_code
        == 302
    )
    assert "explained by" in text_of(client.get(at("integration-processes", initiative.ref)))
    assert SignOnFlow.objects.count() == 2


def test_a_sample_is_looked_at_before_it_is_kept(cast, as_, initiative):
    initiative_acts.ground(initiative, "int.anchor", cast.team)
    client, url = as_(cast.lead), at("trace-add", initiative.ref)
    fields = {"title": "Two answers", "taken_on": clock.today().isoformat(), "result": "partial"}

    def sent(step, content=b"output,source\nA,Old <b>wiki</b>\nB,\n"):
        return client.post(url, fields | {"step": step, "file": upload(content, "sample.csv")})

    looked = text_of(sent("look"))
    assert "0 of 2 outputs cite a governed source" in looked
    assert "Old &lt;b&gt;wiki&lt;/b&gt;" in looked
    assert not TraceSample.objects.exists()
    assert "not UTF-8" in text_of(sent("save", "ä,source".encode("latin-1")))
    assert sent("save").status_code == 302
    row = TraceSample.objects.get()
    page = text_of(client.get(at("trace-sample", row.pk)))
    assert "The initiative has no link to this source." in page
    assert "0 of 2" in text_of(client.get(at("integration-traces", initiative.ref)))
    assert as_(cast.outsider).get(at("trace-sample", row.pk)).status_code == 404
