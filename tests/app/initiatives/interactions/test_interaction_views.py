"""Pages of the interaction log: what is found, who reads it and what is recorded of it, what ties it to its
decision.
"""

import hashlib
import json
from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance import clock
from governance.authorization import decision_log
from governance.interaction_log import loading
from governance.interaction_log.intake import interactions
from governance.models import Entry, Interaction
from governance.offline import verify
from governance.permission_result import Refused
from governance.transparency_log import sealing
from initiatives.inbox.rows.person_rows import look_of
from initiatives.interactions import actions
from initiatives.interactions.comparison import inbox, reconciling, remedies
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.models import ActName, RequirementFinding
from tests.app.governance.interaction_log.test_kept import destroy
from tests.support import factories
from tests.support.servers.asking_systems import System, reported

pytestmark = pytest.mark.django_db

INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}


@pytest.fixture
def told(cast, initiative):
    """A decision that was asked for, and two interactions, the first of which names it."""
    system = System(factories.make_key(cast, initiative, scopes=["interactions", "evaluate"])[1].text)
    answer = system.ask("summarise", **INSIDE)
    decision_log.decisions.bring_over()
    line = {
        "at": "2026-11-22T09:30:00Z",
        "input": "How long is it <b>good</b> for?",
        "output": "Two years.",
        "model": "m-1",
        "subject": "customer 4",
        "workflow": "answer_customers",
        "tokens_in": 900,
        "tokens_cache_read": 640,
        "tokens_cache_write": 0,
        "till": 7,
        "id": "a",
        "decision": answer["context"]["id"],
    }
    other = {"at": "2026-11-22T09:31:00Z", "input": "And abroad?", "model": "m-2", "id": "b"}
    body = f"{json.dumps(line)}\n{json.dumps(other)}"
    assert system.send("/access/v1/interactions", body).status_code == 200
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    sealing.seal()
    return list(Interaction.objects.order_by("at"))


def address(initiative, row=None, name="interaction"):
    from governance.authorization.decision_queries import Place

    if row is None:
        return reverse("interactions", args=[initiative.ref])
    return reverse(name, args=[initiative.ref, str(Place(row.at, row.pk))])


def shown(client, initiative, **filters):
    """The models of the rows that the list shows."""
    return [one["row"].model for one in client.get(address(initiative), filters).context["rows"]]


def test_the_list_is_found_by_person_model_decision_and_day_and_says_nothing_that_was_said(
    initiative, told, cast, as_
):
    client = as_(cast.owner)
    assert shown(client, initiative) == ["m-2", "m-1"]
    assert shown(client, initiative, subject="customer 4") == ["m-1"]
    assert shown(client, initiative, model="m-2") == ["m-2"]
    assert shown(client, initiative, decided="yes") == ["m-1"]
    assert shown(client, initiative, decided="no") == ["m-2"]
    assert shown(client, initiative, until="2026-11-21") == []
    assert shown(client, initiative, since="2026-11-22", until="2026-11-22") == ["m-2", "m-1"]
    page = client.get(address(initiative)).content.decode()
    assert "How long" not in page
    assert "customer 4" not in page


def test_one_shows_what_was_said_with_its_decision_and_the_reading_is_recorded(initiative, told, cast, as_):
    before = Entry.objects.filter(kind="interaction opened").count()
    page = as_(cast.owner).get(address(initiative, told[0])).content.decode()
    assert "How long is it &lt;b&gt;good&lt;/b&gt; for?" in page
    assert "Two years." in page
    assert "customer 4" in page
    assert "&quot;till&quot;: 7" in page
    assert "summarise" in page, "the decision that it names"
    assert "answer_customers" in page
    for words in ("900 in", "640 read from the cache", "0 written to the cache"):
        assert words in page, words
    (entry,) = Entry.objects.filter(kind="interaction opened")[before:]
    assert entry.actor_id == cast.owner.pk
    assert "names no decision" in as_(cast.owner).get(address(initiative, told[1])).content.decode()


def test_who_does_not_work_on_it_reads_nothing_and_leaves_no_reading(initiative, told, cast, as_):
    for person in (cast.admin, cast.seat_risk):
        for name in ("interaction", "interaction-file"):
            assert as_(person).get(address(initiative, told[0], name)).status_code == 403
        assert "Person" not in as_(person).get(address(initiative)).content.decode()
    assert as_(cast.outsider).get(address(initiative)).status_code == 404
    assert not Entry.objects.filter(kind="interaction opened").exists()
    assert as_(cast.auditor).get(address(initiative, told[0])).status_code == 200


def test_another_initiatives_interaction_is_not_there(cast, initiative, told, as_):
    other = factories.make_mvp(cast, title="Another")
    assert as_(cast.owner).get(address(other, told[0])).status_code == 404
    assert shown(as_(cast.owner), other) == []


def test_what_is_erased_says_so_and_is_handed_out_no_more(initiative, told, cast, as_):
    client = as_(cast.owner)
    answer = client.get(address(initiative, told[0], "interaction-file"))
    said, *_ = verify.check_interaction(answer.content)
    assert said["report"]["subject"] == "customer 4"
    destroy("customer 4")
    page = client.get(address(initiative, told[0])).content.decode()
    assert "The key of the text was destroyed on purpose" in page
    assert "the cache" not in page
    assert "Two years." not in page
    assert client.get(address(initiative, told[0], "interaction-file")).status_code == 404


def test_the_line_of_settings_stands_with_the_key_where_it_is_made_and_without_it_elsewhere(
    cast, initiative, as_
):
    page = as_(cast.owner).get(reverse("api-access", args=[initiative.ref])).content.decode()
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:8000/otlp" in page
    assert "CAPTURE_MESSAGE_CONTENT=true" in page
    assert "Bearer%20plk_…" in page


# --- A file ----------------------------------------------------------------------------------------------------------

ROWS = b"at,input,output,model,id\n2026-11-22T09:30:00Z,How long?,Two years,m-1,a\nyesterday,And abroad?,No,m-1,b\n"


def bring(client, initiative, content, name="calls.csv"):
    return client.post(
        reverse("interactions-import", args=[initiative.ref]),
        {"file": SimpleUploadedFile(name, content)},
        follow=True,
    )


def brought(initiative):
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    return list(Interaction.objects.filter(initiative_number=initiative.number).order_by("at"))


def test_a_file_is_kept_but_for_the_lines_that_do_not_fit_and_each_once(cast, initiative, as_):
    client = as_(cast.owner)
    page = bring(client, initiative, ROWS).content.decode()
    assert "1 interaction is kept." in page
    assert "1 line has errors" in page
    assert "Line 3: at must be a time with a time zone, such as" in page
    (entry,) = Entry.objects.filter(kind="interactions imported")
    assert (entry.facts["facts"]["count"], entry.facts["facts"]["rejected"]) == (1, 1)
    assert entry.facts["facts"]["digest"] == hashlib.sha256(ROWS).hexdigest()
    (row,) = brought(initiative)
    assert row.key_id is None, "by no key"
    fixed = ROWS.replace(b"yesterday", b"2026-11-22T09:31:00Z")
    assert "2 interactions are kept." in bring(client, initiative, fixed).content.decode()
    assert [one.model for one in brought(initiative)] == ["m-1", "m-1"], "what was there is not there twice"
    listed = client.get(address(initiative)).content.decode()
    assert "a file" in listed
    assert client.get(address(initiative, row)).context["report"].output[0].text == "Two years"


def test_a_file_of_nothing_or_of_another_kind_is_refused_in_words_and_leaves_nothing(cast, initiative, as_):
    client = as_(cast.owner)
    assert (
        "has neither input (the request)"
        in bring(client, initiative, b'{"at": "2026-11-22T09:30:00Z"}', "a.jsonl").content.decode()
    )
    assert (
        "Choose a file with one of these endings:"
        in bring(client, initiative, ROWS, "a.xlsx").content.decode()
    )
    assert "empty" in bring(client, initiative, b"", "a.jsonl").content.decode()
    assert not Entry.objects.filter(kind="interactions imported").exists()
    assert brought(initiative) == []


def test_who_gives_no_keys_brings_no_file(cast, initiative, as_):
    assert bring(as_(cast.auditor), initiative, ROWS).status_code == 403
    assert "Import a file" not in as_(cast.auditor).get(address(initiative)).content.decode()
    assert "Import a file" in as_(cast.owner).get(address(initiative)).content.decode()


def test_where_nothing_can_be_written_nothing_is_recorded(cast, initiative, as_, monkeypatch):
    def full(*args, **options):
        raise OSError("no space left")

    monkeypatch.setattr(interactions, "append_lines", full)
    page = bring(as_(cast.owner), initiative, ROWS).content.decode()
    assert "nothing was saved. Import the file again later" in page
    assert not Entry.objects.filter(kind="interactions imported").exists()


# --- Against decisions ------------------------------------------------------------------------------------------------


@pytest.fixture
def key_of(cast, initiative):
    """A key that reports and asks; from here on it is noon, so that one day is compared."""
    key = factories.make_key(cast, initiative, scopes=["interactions", "evaluate"])[0]
    with time_machine.travel(clock.midnight_after(clock.today()) + timedelta(hours=12)):
        yield key.pk


def test_the_four_figures_of_a_day_lead_to_their_interactions(cast, initiative, key_of, as_):
    client, at = as_(cast.owner), clock.now()
    said = {"operation": "chat", "key": key_of}
    reported(initiative, **said, model="m-9", started=at)
    reported(initiative, **said, model="m-4", action="summarise", started=at)
    with time_machine.travel(at + timedelta(hours=1)):
        reconciling.reconcile()
        page = client.get(address(initiative))
        (row,) = page.context["days"]
        assert (row.done, row.never_asked, row.unmapped) == (0, 1, 1)
        links = [link["href"] for link in BeautifulSoup(page.content, "html.parser").select("#compared td a")]
        kinds = ["found=done", "outcome=allow", "found=never_asked", "found=after_denial"]
        assert [kind for kind, link in zip(kinds, links, strict=True) if kind in link] == kinds
        assert shown(client, initiative, found="never_asked") == ["m-4"]
        (act,) = client.get(address(initiative), {"found": "never_asked"}).context["rows"]
        assert "done and never asked" in client.get(address(initiative, act["row"])).content.decode()
        before = f"{clock.today() - timedelta(days=1):%Y-%m-%d}"
        assert shown(client, initiative, found="never_asked", since=before, until=before) == []
        assert shown(client, initiative, found="other_model") == ["m-9"]
        assert shown(client, initiative, found="done") == shown(client, initiative, found="probable") == []
        assert "chat" in BeautifulSoup(page.content, "html.parser").select_one("#names").text
        assert "samples" not in page.content.decode()


def test_a_day_of_a_system_that_samples_says_what_that_means(cast, initiative, key_of, as_):
    reported(initiative, key=key_of, sampled=0.1, action="summarise")
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        reconciling.reconcile()
        page = as_(cast.owner).get(address(initiative)).content.decode()
        assert "A system that samples reports only some of its acts." in page


def test_names_are_said_in_one_form_by_who_manages_the_keys(cast, initiative, key_of, as_):
    where = reverse("initiative-act", args=[initiative.ref, "name-acts"])
    reported(initiative, key=key_of, operation="chat", model="m-4")
    reported(initiative, key=key_of, operation="embeddings", model="m-4")
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        reconciling.reconcile()
        assert (
            "Choose the meaning of the names"
            not in as_(cast.auditor).get(address(initiative)).content.decode()
        )
        assert as_(cast.auditor).get(where).status_code == 403
        assert as_(cast.outsider).get(where).status_code == 404
        client = as_(cast.lead)
        assert where in client.get(address(initiative)).content.decode()
        page = client.get(where)
        assert sorted(page.context["form"].names.values()) == ["chat", "embeddings"]
        assert client.post(where, {"act-chat": "nonsense"}).status_code == 200
        assert ActName.objects.count() == 0
        sent = {"act-chat": "summarise", "act-embeddings": "-", "act-other": "summarise"}
        assert client.post(where, sent).status_code == 302
        said = {row.name: row.action for row in ActName.objects.all()}
        assert said == {"chat": "summarise", "embeddings": ""}
        assert ActName.history.count() == 2
        reconciling.reconcile()
        assert shown(client, initiative, found="never_asked") == ["m-4"]
        assert client.get(where).context["form"]["act-chat"].value() == "summarise"
        with pytest.raises(Refused):
            actions.name_acts(initiative=initiative, meant={"chat": ""}, by=cast.auditor)
        with pytest.raises(ValidationError):
            actions.name_acts(initiative=initiative, meant={"a sentence": ""}, by=cast.owner)
        with pytest.raises(ValidationError):
            actions.name_acts(initiative=initiative, meant={"chat": "nonsense"}, by=cast.owner)


def test_who_records_what_runs_has_a_line_and_finds_where_it_is_fixed(cast, initiative, key_of, as_):
    reported(initiative, key=key_of, action="summarise", model="m-4")
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        reconciling.reconcile()
        (line,) = [one for one in inbox.tasks(look_of(cast.owner)) if one.verb == "see"]
        assert line.link == f"{address(initiative)}?found=never_asked"
        assert "Make the system ask before it acts" in line.why
        assert as_(cast.owner).get(line.link).status_code == 200
        assert list(inbox.tasks(look_of(cast.outsider))) == []
        row = RequirementFinding.objects.current().filter(source="interactions:never_asked").first()
        fixes = remedies.fixes_of(initiative, WhoMay(initiative, cast.owner), row.source)
        assert fixes == [
            (reverse("initiative-act", args=[initiative.ref, "name-acts"]), "Choose the meaning of the names")
        ]
        assert remedies.fixes_of(initiative, WhoMay(initiative, cast.auditor), row.source) == []
        for kind in ("other_model:m1", "silent"):
            ((where, _),) = remedies.fixes_of(
                initiative, WhoMay(initiative, cast.owner), f"interactions:{kind}"
            )
            assert as_(cast.owner).get(where.partition("#")[0]).status_code == 200
