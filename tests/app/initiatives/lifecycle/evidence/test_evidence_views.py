"""Evidence: listed, added, offered, withdrawn, downloaded behind a check."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.database import row_history
from governance.models import Entry
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.input import hostile_files
from tests.support.paths import FAULTY_FILES

pytestmark = pytest.mark.django_db


def document(initiative, by, title="Scope note", **fields):
    """A document that proves the scope."""
    fields = {"observed_on": clock.today(), "covers": ["proto.scope"], "file": artefacts.pdf(title)} | fields
    return evidence_actions.add_evidence(initiative=initiative, kind="document", title=title, by=by, **fields)


def told(kind: str, fact: str) -> list:
    """The values of a fact in the entries of this kind that have it."""
    entries = [entry.facts for entry in Entry.objects.filter(kind=kind)]
    return [facts["facts"][fact] for facts in entries if fact in facts["facts"]]


def typed(**fields) -> dict:
    """What a browser sends for a new document."""
    return {
        "kind": "document",
        "covers": ["proto.scope", "mvp.problem"],
        "title": "Scope note",
        "observed_on": clock.today().isoformat(),
    } | fields


def test_the_list_filters_by_state_and_kind(cast, as_):
    initiative = factories.make_initiative(cast)
    document(initiative, cast.owner, "Old note", observed_on=clock.today() - timedelta(days=400))
    document(initiative, cast.owner, "New note")
    client = as_(cast.owner)
    page = text_of(client.get(at("evidence", initiative.ref, kind="document")))
    assert "Old note" in page
    assert "New note" in page
    stale = text_of(client.get(at("evidence", initiative.ref, state="expired")))
    assert "Old note" in stale
    assert "New note" not in stale
    for junk in ("?state=junk", "?kind=junk", "?page=junk", "?page=-4"):
        assert client.get(at("evidence", initiative.ref) + junk).status_code == 200
    assert as_(cast.outsider).get(at("evidence", initiative.ref)).status_code == 404


def test_choosing_a_kind_narrows_what_it_can_prove(cast, as_):
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    assert "What kind of evidence is it?" in text_of(client.get(at("evidence-add", initiative.ref)))
    assert "First choose a kind" in text_of(client.get(at("evidence-add", initiative.ref, kind="junk")))
    page = text_of(client.get(at("evidence-add", initiative.ref, kind="document")))
    assert 'value="proto.scope"' in page
    assert 'value="proto.limitations"' not in page
    assert as_(cast.seat_risk).get(at("evidence-add", initiative.ref)).status_code == 403


def test_one_item_for_many_requirements_is_one_act(cast, as_):
    initiative = factories.make_initiative(cast)
    with acts() as kinds:
        answer = as_(cast.owner).post(
            at("evidence-add", initiative.ref, kind="document"), typed(file=artefacts.pdf("scope"))
        )
    assert answer.status_code == 302
    assert kinds == ["evidence added"]
    item = initiative.evidence.get(title="Scope note")
    assert set(item.coverage.values_list("requirement", flat=True)) == {"proto.scope", "mvp.problem"}


def test_bad_input_is_said_at_its_field_and_kept(cast, as_):
    initiative = factories.make_initiative(cast)
    for wrong in (
        {"title": ""},
        {"covers": ["proto.question"]},
        {"covers": ["no.such"]},
        {"covers": []},
        {"observed_on": "3026-01-01"},
        {"observed_on": "0001-01-01"},
        {"observed_on": "junk"},
        {"link": "javascript:alert(1)"},
        {"supersedes": "99999999999999999999"},
        {"file": SimpleUploadedFile("tool.exe", b"MZ")},
        {"file": SimpleUploadedFile("empty.pdf", b"")},
    ):
        with acts() as kinds:
            answer = as_(cast.owner).post(
                at("evidence-add", initiative.ref, kind="document"), typed(note="Period: May") | wrong
            )
        assert answer.status_code == 200, wrong
        assert kinds == [], wrong
        page = text_of(answer)
        assert "Not saved yet" in page, wrong
        assert "Period: May" in page, wrong


@pytest.mark.parametrize(
    ("place", "name", "words"),
    [
        ("14-photo/07-photo.heic", "photo.heic", "a HEIC photo"),
        ("14-photo/07-photo.heic", "photo.jpg", "a HEIC photo"),
        ("15-house-template/08-template.docx", "note.docx", "Developer, Document Template"),
    ],
)
def test_a_refused_file_is_named_with_a_step(cast, as_, place, name, words):
    initiative = factories.make_initiative(cast)
    file = SimpleUploadedFile(name, (FAULTY_FILES / place).read_bytes())
    page = at("evidence-add", initiative.ref, kind="document")
    with acts() as kinds:
        assert words in text_of(as_(cast.owner).post(page, typed(file=file)))
    assert kinds == []


def test_a_day_that_began_only_further_east_is_refused_with_the_day_that_counts(cast, as_, settings):
    settings.TIME_ZONE = "America/New_York"
    initiative = factories.make_initiative(cast)
    tonight = (clock.now() + timedelta(days=1)).replace(hour=1)  # in New York the evening before
    with clock.simulated(tonight):
        here = clock.today()
        page = at("evidence-add", initiative.ref, kind="document")
        sent = typed(observed_on=(here + timedelta(days=1)).isoformat(), file=artefacts.pdf("Scope"))
        answer = as_(cast.owner).post(page, sent)
    assert answer.status_code == 200
    assert f"Today is {here:%-d %B %Y} in the time zone America/New_York" in text_of(answer)


def test_a_test_report_names_components_only_and_others_what_runs_and_is_planned(cast, as_):
    initiative = factories.make_mvp(cast)
    components_actions.record_component(
        initiative=initiative,
        layer="application",
        name="Assistant",
        version="2.0",
        runs_from=clock.now() + timedelta(days=5),
        by=cast.lead,
    )
    client = as_(cast.owner)
    fields = typed(kind="test_report", covers=["mvp.possibility"], result="pass", condition="curated")
    client.post(
        at("evidence-add", initiative.ref, kind="test_report"), fields | {"file": artefacts.pdf("test")}
    )
    report = initiative.evidence.get(title="Scope note")
    assert {str(name) for name in report.names.all()} == {
        "Language model m-4 (eu-west)",
        "Assistant 1.0",
        "Assistant 2.0",
    }
    part = report.names.filter(deployment__version__version="1.0").get().deployment_id
    chosen = typed(title="Chosen", names_how="chosen", names=[f"part-{part}"], file=artefacts.pdf("chosen"))
    client.post(at("evidence-add", initiative.ref, kind="document"), chosen)
    assert [str(name) for name in initiative.evidence.get(title="Chosen").names.all()] == ["Assistant 1.0"]


def test_replacing_an_item_says_what_goes_stale_before(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    item = document(initiative, cast.owner)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    client = as_(cast.owner)
    page = text_of(client.get(at("evidence-add", initiative.ref, supersedes=item.pk)))
    assert "Scope note" in page
    sent = typed(supersedes=item.pk, covers=["proto.scope"], link="https://example.org/new")
    with acts() as kinds:
        asked = text_of(client.post(at("evidence-add", initiative.ref, kind="document"), sent, confirm=False))
    assert kinds == []
    assert "approval by Amara Diallo for the" in asked
    assert "seat will no longer count" in asked
    client.post(at("evidence-add", initiative.ref, kind="document"), sent)
    assert "Replaced by a newer item" in text_of(client.get(at("evidence-item", initiative.ref, item.pk)))


def test_the_same_file_under_a_new_day_is_said_to_be_old(cast, as_):
    initiative = factories.make_initiative(cast)
    first = clock.today() - timedelta(days=100)
    document(initiative, cast.owner, observed_on=first)
    client = as_(cast.owner)
    address = at("evidence-add", initiative.ref, kind="document")
    asked = text_of(client.post(address, typed(file=artefacts.pdf("Scope note")), confirm=False))
    assert f"{first:%-d %B}" in asked
    assert initiative.evidence.filter(kind="document").count() == 1
    client.post(address, typed(file=artefacts.pdf("Scope note")))
    item = initiative.evidence.latest("pk")
    assert told("evidence added", "known_since") == [f"{first}"]
    assert f"{first:%-d %B %Y}" in text_of(client.get(at("evidence-item", initiative.ref, item.pk)))
    seat = as_(cast.seat_value)
    verified = text_of(seat.get(reverse("evidence-verify", args=[initiative.ref, item.pk, "proto.scope"])))
    assert f"{first:%-d %B %Y}" in verified
    facts = supported_stage.facts_of(initiative_acts.fresh(initiative))
    assert {facts.first_day(one) for one in facts.items_for("proto.scope")} == {first}
    assert initiative_rows.first_days_of([initiative])[item.pk] == first


def test_an_older_document_replaces_a_newer_one_only_when_both_days_were_shown(cast, as_):
    initiative = factories.make_initiative(cast)
    newer, older = (clock.today() - timedelta(days=day) for day in (2, 50))
    item = document(initiative, cast.owner, observed_on=newer)
    sent = typed(supersedes=item.pk, link="https://example.org/old", observed_on=older.isoformat())
    client, address = as_(cast.owner), at("evidence-add", initiative.ref, kind="document")
    asked = text_of(client.post(address, sent, confirm=False))
    assert f"{older:%-d %B}" in asked
    assert f"{newer:%-d %B}" in asked
    assert not initiative.evidence.filter(supersedes=item).exists()
    client.post(address, sent)
    assert initiative.evidence.filter(supersedes=item).exists()


def test_what_was_replaced_counts_again_once_each_replacement_is_withdrawn(cast):
    initiative = factories.make_initiative(cast)
    first = document(initiative, cast.owner)
    second = document(initiative, cast.owner, "Second", supersedes=first)
    third = document(initiative, cast.owner, "Third", supersedes=second)

    def counting():
        facts = supported_stage.facts_of(initiative_acts.fresh(initiative))
        offered = facts.items_for("proto.scope")
        return {one.id for one in offered if one.superseded_by is None and one.withdrawn_at is None}

    evidence_actions.withdraw_evidence(evidence=second, reason="Another scope.", by=cast.owner)
    assert counting() == {third.pk}
    evidence_actions.withdraw_evidence(evidence=third, reason="Another scope.", by=cast.owner)
    assert counting() == {first.pk}
    assert told("evidence withdrawn", "again") == [first.title]
    fourth = document(initiative, cast.owner, "Fourth", supersedes=first)
    assert counting() == {fourth.pk}


def test_the_database_lets_withdrawn_evidence_alone_stop_replacing(cast):
    initiative = factories.make_initiative(cast)
    first = document(initiative, cast.owner)
    item = document(initiative, cast.owner, "Second", supersedes=first)
    item.supersedes = None
    with (
        pytest.raises(DatabaseError, match="evidence does not change"),
        transaction.atomic(),
        row_history.acting(by=cast.owner, reason="Try"),
    ):
        item.save()


def test_the_item_says_what_it_proves_and_what_ended_it(cast, as_):
    initiative = factories.make_initiative(cast)
    item = document(initiative, cast.owner, link="https://example.org/x", file=None, covers=["mvp.risk"])
    change_actions.report_change(
        initiative=initiative, triggers=["data_source"], what="Archive moved", by=cast.owner
    )
    page = text_of(as_(cast.owner).get(at("evidence-item", initiative.ref, item.pk)))
    assert "unverified link" in page
    assert "Archive moved" in page
    assert "does not count" in page
    other = factories.make_initiative(cast, title="Another")
    assert as_(cast.owner).get(at("evidence-item", other.ref, item.pk)).status_code == 404
    assert (
        as_(cast.owner).get(f"/initiatives/{initiative.ref}/evidence/99999999999999999999/").status_code
        == 404
    )


def test_a_file_is_a_download_behind_a_check_and_its_reading_is_recorded(cast, as_):
    initiative = factories.make_initiative(cast)
    item = document(initiative, cast.owner)
    url = at("evidence-file", initiative.ref, item.pk)
    with acts() as kinds:
        answer = as_(cast.seat_risk).get(url)
        content = b"".join(answer.streaming_content)
    assert content.startswith(b"%PDF-")
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert kinds == ["evidence opened"]
    assert Entry.objects.acts().latest("id").actor_id == cast.seat_risk.pk
    assert as_(cast.admin).get(url).status_code == 403
    assert as_(cast.outsider).get(url).status_code == 404
    history = at("initiative-activity", initiative.ref)
    assert "opened the file" in text_of(as_(cast.auditor).get(history))
    assert "opened the file" not in text_of(as_(cast.owner).get(history))


def send_file(initiative, by, name, content, content_type="text/plain"):
    """An item with this file."""
    return document(initiative, by, name, file=SimpleUploadedFile(name, content, content_type))


def test_a_pdf_is_shown_in_a_frame_that_can_do_nothing(cast, as_):
    initiative = factories.make_initiative(cast)
    item = document(initiative, cast.owner)
    client = as_(cast.seat_risk)
    with acts() as kinds:
        page = text_of(client.get(at("evidence-look", initiative.ref, item.pk)))
        shown = client.get(at("evidence-content", initiative.ref, item.pk))
    assert f'<iframe class="seen" src="{at("evidence-content", initiative.ref, item.pk)}"' in page
    assert shown.content.startswith(b"%PDF-")
    assert shown["Content-Type"] == "application/pdf"
    assert shown["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; frame-ancestors 'self'; form-action 'none'; base-uri 'none'"
    )
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Cross-Origin-Resource-Policy"] == "same-origin"
    assert shown["Cache-Control"] == "private, no-store"
    assert kinds == ["evidence opened"]
    assert "looked at the file" in text_of(as_(cast.auditor).get(at("initiative-activity", initiative.ref)))
    assert as_(cast.admin).get(at("evidence-look", initiative.ref, item.pk)).status_code == 403


def test_a_text_is_shown_as_its_words_with_what_is_hidden_written_out(cast, as_):
    initiative = factories.make_initiative(cast)
    content = "<b>Bold</b> caf\u00e9\nuser \u202eexe.fdp\n".encode()
    item = send_file(initiative, cast.owner, "notes.txt", content)
    with acts() as kinds:
        answer = as_(cast.owner).get(at("evidence-look", initiative.ref, item.pk))
    page = text_of(answer)
    assert "&lt;b&gt;Bold&lt;/b&gt; caf\u00e9\nuser [U+202E]exe.fdp" in page
    assert answer["Cache-Control"] == "private, no-store"
    assert kinds == ["evidence opened"]
    assert as_(cast.owner).get(at("evidence-content", initiative.ref, item.pk)).status_code == 404


def test_a_long_text_says_that_it_goes_on(cast, as_):
    initiative = factories.make_initiative(cast)
    item = send_file(initiative, cast.owner, "long.log", ("\u00e9" * 300_000).encode() + b"THE END")
    page = text_of(as_(cast.owner).get(at("evidence-look", initiative.ref, item.pk)))
    assert "Only the beginning is shown" in page
    assert "THE END" not in page


def test_a_table_is_shown_as_a_table_within_limits(cast, as_):
    initiative = factories.make_initiative(cast)
    rows = "".join(f"initiative {n};{n};{'x' * 400}\n" for n in range(300))
    item = send_file(initiative, cast.owner, "log.csv", f"Name;Count;Words\n{rows}".encode())
    page = text_of(as_(cast.owner).get(at("evidence-look", initiative.ref, item.pk)))
    assert '<th scope="col">Count</th>' in page
    assert "<td>initiative 199</td>" in page
    assert "initiative 200" not in page
    assert "x" * 301 not in page
    assert "Only the beginning is shown" in page
    small = send_file(initiative, cast.owner, "small.csv", b"a,b\n1,2\n")
    assert "Only the beginning" not in text_of(
        as_(cast.owner).get(at("evidence-look", initiative.ref, small.pk))
    )


def test_an_office_document_is_only_downloaded(cast, as_):
    initiative = factories.make_initiative(cast)
    item = send_file(initiative, cast.owner, "plan.docx", hostile_files.office())
    page = text_of(as_(cast.owner).get(at("evidence-item", initiative.ref, item.pk)))
    assert "Preview" not in page
    assert "Download the file" in page
    assert "Plumbline shows only plain text" in text_of(
        as_(cast.owner).get(at("evidence-look", initiative.ref, item.pk))
    )


def test_a_picture_is_shown_as_one(cast, as_):
    initiative = factories.make_initiative(cast)
    item = send_file(initiative, cast.owner, "screen.png", hostile_files.png(40, 20))
    client = as_(cast.owner)
    assert 'alt="screen.png"' in text_of(client.get(at("evidence-look", initiative.ref, item.pk)))
    assert client.get(at("evidence-content", initiative.ref, item.pk))["Content-Type"] == "image/png"
    default_storage.delete(item.file.name)
    assert client.get(at("evidence-content", initiative.ref, item.pk)).status_code == 404
    assert "The file is missing." in text_of(client.get(at("evidence-look", initiative.ref, item.pk)))


def test_a_missing_file_says_so_and_stops_counting(cast, as_):
    initiative = factories.make_initiative(cast)
    item = document(initiative, cast.owner, "A note that gets lost")
    default_storage.delete(item.file.name)
    with acts() as kinds:
        answer = as_(cast.owner).get(at("evidence-file", initiative.ref, item.pk))
    assert answer.status_code == 404
    assert "The file is missing." in text_of(answer)
    assert kinds == ["evidence file missing"]
    assert "file missing" in text_of(as_(cast.owner).get(at("evidence", initiative.ref, state="missing")))


def test_offering_and_withdrawing_are_one_act_each(cast, as_):
    initiative = factories.make_initiative(cast)
    item = document(initiative, cast.owner)
    client = as_(cast.owner)
    url = at("row-act", "evidence", item.pk, "cover")
    with acts() as kinds:
        assert "Not saved yet" in text_of(client.post(url, {"requirements": ["no.such"]}))
        client.post(url, {"requirements": ["mvp.problem"]})
    assert kinds == ["evidence offered"]
    url = at("row-act", "evidence", item.pk, "withdraw")
    with acts() as kinds:
        assert "Not saved yet" in text_of(client.post(url, {"reason": ""}))
        client.post(url, {"reason": "Wrong file."})
    assert kinds == ["evidence withdrawn"]
    assert client.post(url, {"reason": "Again."}).status_code == 409
    assert "Wrong file." in text_of(client.get(at("evidence-item", initiative.ref, item.pk)))
    assert as_(cast.seat_risk).post(url, {"reason": "Mine."}).status_code == 403


def test_the_index_is_generated_by_the_owner(cast, as_):
    initiative = factories.make_initiative(cast)
    url = at("initiative-act", initiative.ref, "generate-index")
    assert as_(cast.owner).get(url).status_code == 200
    with acts() as kinds:
        answer = as_(cast.owner).post(url)
    assert kinds == ["evidence added"]
    assert "Governance index of" in text_of(as_(cast.owner).get(answer.url))
    assert as_(cast.lead).post(url).status_code == 403


def test_one_source_is_chosen_and_the_chosen_one_is_needed(cast, as_):
    """No field is called optional of which one is needed; what was typed into another one is taken all the same."""
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("evidence-add", initiative.ref, kind="document")
    page = BeautifulSoup(text_of(client.get(url)), "html.parser")
    sources = page.select("input[name=source]")
    assert [one["value"] for one in sources] == ["file", "link"]
    assert [one["value"] for one in sources if one.has_attr("checked")] == ["file"]
    for name in ("file", "link"):
        assert "optional" not in page.select_one(f'[data-source="{name}"]').get_text()
    wrong = BeautifulSoup(text_of(client.post(url, typed(source="link"))), "html.parser")
    assert "Paste the link" in wrong.select_one('[data-source="link"] .err').get_text()
    assert not wrong.select('[data-source="file"] .err')
    assert client.post(url, typed(source="file", link="https://example.org/scope")).status_code == 302


def test_a_newer_item_replaces_one_of_its_kind(cast, as_):
    initiative = factories.make_initiative(cast)
    document(initiative, cast.owner, "Old note")
    of_kind = {
        kind: "Old note" in text_of(as_(cast.owner).get(at("evidence-add", initiative.ref, kind=kind)))
        for kind in ("document", "test_report")
    }
    assert of_kind == {"document": True, "test_report": False}


def test_what_people_attested_is_one_group_and_bears_the_question(cast, as_):
    initiative = factories.make_prototype(cast)
    page = BeautifulSoup(text_of(as_(cast.owner).get(at("evidence", initiative.ref))), "html.parser")
    assert "Attested by" not in page.select_one("main").get_text()
    group = page.select_one("main details:not([open])")
    assert "attested answers" in group.summary.get_text()
    names = [link.get_text() for link in group.select(".what a")]
    assert "What is inside and outside the scope?" in names
    assert len(names) == initiative.evidence.filter(kind="attestation").count()
    offered = {option["value"] for option in page.select("select[name=kind] option")} - {""}
    assert offered == set(initiative.evidence.values_list("kind", flat=True)), "kinds that are there"
    alone = text_of(as_(cast.owner).get(at("evidence", initiative.ref, kind="attestation")))
    assert "What is inside and outside the scope?" in alone
