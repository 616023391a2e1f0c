"""Samples of outputs: drawn by the audit log from the interaction log, judged one by one, kept as evidence."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from governance import clock
from governance.interaction_log.shape import Interaction as Report
from governance.interaction_log.shape import Kind, Source
from governance.models import Entry, Interaction
from governance.permission_result import Conflict, Refused
from governance.transparency_log import sealing
from governance.vocabulary import EvidenceKind
from initiatives.interactions.anchoring import actions, drawn_outputs
from initiatives.interactions.comparison.reconciling import reconcile
from initiatives.lifecycle.findings import sync
from initiatives.models import Evidence, MeasuredAnswer, OutputSample, TraceSample
from tests.app.initiatives.interactions import test_call_figures as calls
from tests.support import factories

pytestmark = pytest.mark.django_db
initiative, key, later = calls.initiative, calls.key, calls.later
ANCHOR = "int.anchor"


@pytest.fixture
def crm(cast, initiative):
    """A governed source of truth that the initiative links."""
    system = factories.make_system(cast, name="CRM", source_of_truth_for=["account"])
    factories.make_link(cast, initiative, system, pattern="anchor")
    return system


def outputs(initiative, key, count, *, source="CRM: account 12"):
    retrieved = (Source(source, "what it says"),) if source else ()
    calls.keep(
        initiative, key, [calls.a_call(retrieval=retrieved, conversation=f"c{one}") for one in range(count)]
    )


def asked(cast, initiative, **said):
    day = clock.today() - timedelta(days=1)
    fields = {
        "initiative": initiative,
        "first": day,
        "last": day,
        "wanted": 30,
        "target": 0.85,
        "by": cast.lead,
    }
    return actions.ask_for_sample(**fields | said)


def judged(sample, by, no=()):
    for output in sample.outputs.all():
        actions.judge_output(
            output=output, traces_to_it=output.place not in no, words="It says something else.", by=by
        )


def test_a_sample_is_drawn_by_the_checkpoint_that_seals_its_asking_and_by_nobody(cast, initiative, key, crm):
    outputs(initiative, key, 40)
    with later(days=1):
        sample = asked(cast, initiative)
        assert actions.draw_due() == [], "nobody knows the seed yet"
        with pytest.raises(Conflict):
            asked(cast, initiative)
        checkpoint = sealing.seal()
        (drawn,) = actions.draw_due()
        assert actions.draw_due() == [], "once"
        assert (drawn.among, drawn.outputs.count(), drawn.checkpoint) == (40, 30, checkpoint)
        seed = drawn_outputs.seed_of(bytes(checkpoint.root), initiative.ref, sample.pk)
        other = drawn_outputs.seed_of(bytes(32), initiative.ref, sample.pk)
        day = sample.first
        order = [row.pk for row in drawn_outputs.drawn(initiative.number, day, day, seed, 30)[0][:30]]
        assert list(drawn.outputs.values_list("interaction", flat=True)) == order
        assert order != [
            row.pk for row in drawn_outputs.drawn(initiative.number, day, day, other, 30)[0][:30]
        ]
        assert {tuple(one.governed) for one in drawn.outputs.all()} == {(crm.pk,)}


def test_what_is_asked_for_is_said_right_and_by_the_team(cast, initiative, key):
    outputs(initiative, key, 1)
    with later(days=1):
        for wrong in ({"wanted": 29}, {"target": 0.4}, {"last": clock.today()}, {"first": clock.today()}):
            with pytest.raises(ValidationError):
                asked(cast, initiative, **wrong)
        with pytest.raises(Refused):
            asked(cast, initiative, by=cast.chair)
    with later(days=5), pytest.raises(ValidationError, match="no output of these days"):
        asked(cast, initiative)


def drawn(cast, initiative, key):
    outputs(initiative, key, 40)
    with later(days=1):
        asked(cast, initiative)
        sealing.seal()
        (sample,) = actions.draw_due()
    return sample


def test_judged_from_outside_it_is_evidence_and_measures_with_the_log(cast, initiative, key, crm):
    with later(days=1):  # after the day on which its source was linked
        calls.logged(initiative, key, 80)
        outputs(initiative, key, 80)
        sample = drawn(cast, initiative, key)
    with calls.week_later():
        judged(sample, cast.auditor)
        sample = OutputSample.objects.get(pk=sample.pk)
        assert (sample.trace.outputs, sample.trace.hits, sample.trace.evidence.result) == (30, 30, "pass")
        assert sample.trace.evidence.kind == EvidenceKind.LOG_SAMPLE
        assert "Judged outside the team." in sample.trace.evidence.note
        reconcile()
        sync.follow_register()
        row = MeasuredAnswer.objects.current().get(requirement=ANCHOR)
        assert "30 of 30 drawn outputs trace to a governed source" in row.words


def test_judged_in_the_team_it_stays_a_document(cast, initiative, key, crm):
    with later(days=1):  # after the day on which its source was linked
        calls.logged(initiative, key, 80)
        outputs(initiative, key, 80)
        sample = drawn(cast, initiative, key)
    with calls.week_later():
        judged(sample, cast.lead)
        reconcile()
        sync.follow_register()
        assert Evidence.objects.filter(kind=EvidenceKind.LOG_SAMPLE, note__contains="in the team").exists()
        assert not MeasuredAnswer.objects.current().filter(requirement=ANCHOR).exists()


def test_what_does_not_trace_counts_as_such_and_says_why(cast, initiative, key, crm):
    sample = drawn(cast, initiative, key)
    output = sample.outputs.first()
    with pytest.raises(ValidationError):
        actions.judge_output(output=output, traces_to_it=False, words=" ", by=cast.auditor)
    with pytest.raises(Refused):
        actions.judge_output(output=output, traces_to_it=True, words="", by=cast.sponsor)
    judged(sample, cast.auditor, no=(1, 2, 3))
    with pytest.raises(Conflict):
        actions.judge_output(output=output, traces_to_it=True, words="", by=cast.auditor)
    trace = TraceSample.objects.get()
    assert (trace.hits, trace.evidence.result) == (27, "fail")


def test_each_output_is_read_recorded_with_what_was_retrieved_for_it(cast, initiative, key, crm):
    at = clock.now()
    taken = {"conversation": "c", "started": at - timedelta(seconds=1), "id": "r"}
    calls.keep(initiative, key, [Report(Kind.RETRIEVAL, retrieval=(Source("CRM: account 7"),), **taken)])
    calls.called(initiative, key, conversation="c", at=at)
    with later(days=1):
        asked(cast, initiative)
        sealing.seal()
        (sample,) = actions.draw_due()
        output = sample.outputs.get()
        assert output.governed == [crm.pk]
        opened, sources = actions.open_output(output=output, by=cast.auditor)
        assert opened.report.output
        assert [source.id for source in sources] == ["CRM: account 7"]
        entry = (
            Entry.objects.acts().filter(kind="interaction opened", initiative_ref=initiative.ref).latest("pk")
        )
        assert entry.facts["facts"]["way"] == "sample"
        with pytest.raises(Refused):
            actions.open_output(output=output, by=cast.sponsor)
    assert Interaction.objects.count() == 2


def test_pages_ask_show_and_judge(cast, initiative, key, crm, as_):
    outputs(initiative, key, 2)
    with later(days=1):
        day = (clock.today() - timedelta(days=1)).isoformat()
        url = f"/initiatives/{initiative.ref}/do/draw-sample/"
        said = {"first": day, "last": day, "wanted": 30, "percent": 90}
        assert as_(cast.lead).post(url, said).status_code == 302
        sealing.seal()
        (sample,) = actions.draw_due()
        page = as_(cast.auditor).get(sample.get_absolute_url()).content.decode()
        assert "Output 1 of 2" in page
        assert "CRM: account 12" in page
        for place in (1, 2):
            sent = {"place": place, "traces_to_it": "yes"}
            assert as_(cast.auditor).post(sample.get_absolute_url(), sent).status_code == 302
        assert "Sample results" in as_(cast.owner).get(sample.get_absolute_url()).content.decode()
        assert as_(cast.owner).get(f"/initiatives/{initiative.ref}/interactions/").status_code == 200
        promise = f"/initiatives/{initiative.ref}/do/promise-performance/"
        assert as_(cast.lead).get(promise).status_code == 200
        typed = {"median": 500, "most": 2000, "percent": 1}
        assert as_(cast.lead).post(promise, typed).status_code == 302
        assert "Withdraw the promise" in as_(cast.lead).get(promise).content.decode()
        assert as_(cast.lead).post(f"/initiatives/{initiative.ref}/do/withdraw-promise/").status_code == 302
