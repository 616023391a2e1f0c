"""A drill run for real: the example agent, its source behind the fault kit, and what was seen kept as evidence."""

import hashlib
import json
import subprocess
import sys

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from initiatives.models import Drill
from tests.acceptance.operations.test_builder_examples import environment, folder_of
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.servers.fault_proxy import Proxied, running_source
from tests.support.servers.stand_in_server import Contract, StandIn

pytestmark = pytest.mark.django_db
FAULTS = ("timeout", "error", "stale", "malformed", "gone")


def agent(folder, plumbline, proxy, patience=20) -> str:
    """One run of the example agent, which waits so many seconds for the source: what it says."""
    return subprocess.run(
        [
            sys.executable,
            "plain_script.py",
            "--every",
            "0.02",
            "--source",
            proxy.address,
            "--patience",
            str(patience),
        ],
        cwd=folder,
        env=environment(plumbline.address),
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def test_the_example_agent_is_drilled_and_its_drill_is_evidence_with_its_trace(cast, as_, tmp_path):
    initiative = factories.make_mvp(cast, title="Ticket triage")
    initiative_acts.ground_gate(initiative, "production", cast.team)
    link = factories.make_link(
        cast,
        initiative_acts.fresh(initiative),
        factories.make_system(cast, "Ticket system"),
        timeout_seconds=2,
        retry="Once.",
        on_failure="The ticket goes to the first line.",
        told_users="That the ticket system cannot be used.",
    )

    # The afternoon: a run without a fault, one under each fault, one after it.
    folder = folder_of(tmp_path)
    with (
        running_source() as source,
        StandIn(Contract(waits=0)) as plumbline,
        Proxied(folder, source.address, "--for", "120") as proxy,
    ):
        assert "done: ticket 4711 now belongs to billing." in agent(folder, plumbline, proxy)
        for fault in FAULTS:
            proxy.plant(fault)
            said = agent(folder, plumbline, proxy, patience=0.5 if fault == "timeout" else 20)
            assert "fallback: the ticket system cannot be used" in said, f"{fault}: {said}"
            assert "done: ticket 4711 now belongs to first line." in said, f"{fault}: {said}"
        proxy.plant("none")
        assert "now belongs to billing." in agent(folder, plumbline, proxy), "it comes back by itself"
    trace = (folder / "trace.jsonl").read_bytes()
    assert {json.loads(line)["fault"] for line in trace.splitlines()} == {*FAULTS, "none"}

    # The form takes the drill record, and the trace with it; a person says what was expected, and whether it passed.
    lead = as_(cast.lead)
    form = reverse("initiative-act", args=[initiative.ref, "record-drill"])

    def send(kept: bytes, **typed):
        return lead.post(
            form,
            {
                "link": link.pk,
                "covers": ["prod.q10_outage"],
                "expected": "Tickets go on, to the first line, and people are told.",
                "result": "pass",
                "record": SimpleUploadedFile("record.json", json.dumps(proxy.record).encode()),
                "file": SimpleUploadedFile("trace.jsonl", kept),
                **typed,
            },
        )

    other = send(trace + b"{}\n")
    assert "trace does not belong to the drill record" in other.content.decode()
    assert not Drill.objects.exists()
    assert send(trace, result="").status_code == 200, "nobody says whether it passed: nothing is recorded"
    assert not Drill.objects.exists()
    assert send(trace).status_code == 302

    drill = Drill.objects.get(initiative=initiative)
    assert (drill.kind, drill.fault, drill.result) == ("fallback", proxy.record["fault"], "pass")
    assert drill.observed_on == clock.today()
    assert "left unanswered" in drill.happened, "what happened is what the kit saw"
    item = drill.evidence
    assert (item.kind, item.result) == ("drill_record", "pass")
    assert item.sha256 == hashlib.sha256(trace).hexdigest(), "the trace is kept with its hash"
    with item.file.open() as kept:
        assert kept.read() == trace
    assert item.names.filter(system=link.system).exists()
    assert item.pk in [found.id for found in story.state(initiative, "prod.q10_outage").items]
    page = lead.get(reverse("integration-drills", args=[initiative.ref])).content.decode()
    assert "Ticket system" in page
    assert "left unanswered" in page
    download = lead.get(reverse("evidence-file", args=[initiative.ref, item.pk]))
    assert b"".join(download.streaming_content if download.streaming else [download.content]) == trace
