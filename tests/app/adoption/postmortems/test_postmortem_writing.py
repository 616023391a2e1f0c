"""Writing together: sections merge, words meet side by side and none is lost; comments, gaps and files hang on it."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.urls import reverse

from adoption.models import Attachment, PostMortem
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems import attachments, section_comments, sections
from adoption.postmortems import permissions as postmortem_permissions
from adoption.postmortems.writing import Clashed, open_linked_gap, write
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from initiatives.integration.links import actions as link_actions
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from tests.app.adoption.postmortems.test_postmortems import ASSUMED, FOUND, LESSON, WHOLE, WORDS, form_of
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import at


@pytest.fixture
@snapshots.kept
def draft(cast):
    """Begun by the owner; the technical lead holds a role on the initiative and helps to write."""
    initiative = factories.make_prototype(cast)
    role = role_actions.propose_role(
        initiative=initiative, role="technical_lead", person=cast.lead, by=cast.owner
    )
    if not role.accepted_at:
        role_actions.accept_role(assignment=role, by=cast.lead)
    link_actions.add_link(
        initiative=initiative,
        system=factories.make_system(cast),
        pattern="feed",
        direction="reads",
        access="api",
        data_classes=["notes"],
        by=cast.owner,
    )
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    return postmortem_actions.start(obligation=initiative.obligations.get(kind="post_mortem"), by=cast.owner)


def marks(row) -> dict[str, str]:
    """What a page that was opened now would send back as its marks."""
    row = PostMortem.objects.get(pk=row.pk)
    found = {name: sections.mark(getattr(row, name)) for name in PostMortem.TEXTS}
    found[sections.CAUSES] = sections.mark(sections.causes(row))
    return found | {
        f"lesson:{one.pk}": sections.mark(sections.lesson_of(one)) for one in row.lessons.current()
    }


@pytest.mark.django_db
def test_two_write_different_sections_from_the_same_page(draft, cast):
    began = marks(draft)
    whole = dict.fromkeys(PostMortem.TEXTS, "")
    write(post_mortem=draft, began=began, by=cast.owner, **whole | {"timeline": "2 March: began."})
    row = write(post_mortem=draft, began=began, by=cast.lead, **whole | {"impact": "Six weeks."})
    assert (row.timeline, row.impact) == ("2 March: began.", "Six weeks."), (
        "what nobody touched stays as it is"
    )


@pytest.mark.django_db
def test_what_two_changed_is_shown_and_everything_else_is_saved(draft, cast):
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **WHOLE)
    began, pk = marks(row), row.lessons.get().pk
    write(
        post_mortem=row,
        began=began,
        by=cast.owner,
        timeline="The owner's.",
        causes=[FOUND],
        lessons=[LESSON | {"pk": pk, "text": "The owner's lesson."}],
    )
    with pytest.raises(Clashed) as met:
        write(
            post_mortem=row,
            began=began,
            by=cast.lead,
            timeline="The lead's.",
            impact="Saved all the same.",
            causes=[ASSUMED],
            lessons=[LESSON | {"pk": pk, "text": "The lead's lesson."}, LESSON | {"text": "A new one."}],
        )
    assert [(one.name, one.who) for one in met.value.clashes] == [
        ("timeline", "Marta Lindqvist"),
        ("causes", "Marta Lindqvist"),
        (f"lesson:{pk}", "Marta Lindqvist"),
    ]
    assert met.value.clashes[0].mine == "The lead's."
    row.refresh_from_db()
    assert (row.timeline, row.impact) == ("The owner's.", "Saved all the same.")
    assert [one.text for one in row.lessons.current()] == ["The owner's lesson.", "A new one."]
    assert sections.causes(row) == [FOUND | {"by_whom": ""}]


@pytest.mark.django_db
def test_a_lesson_that_another_took_out_is_not_lost_to_whoever_writes_on_it(draft, cast):
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner)
    began, pk = marks(row), row.lessons.get().pk
    write(post_mortem=row, lessons=[LESSON | {"pk": pk, "text": ""}], began=began, by=cast.owner)
    same = sections.lesson_of(row.lessons.get(pk=pk))
    write(post_mortem=row, lessons=[same | {"pk": pk}], began=began, by=cast.lead)
    assert not row.lessons.current().exists(), "untouched, it stays out"
    write(post_mortem=row, lessons=[same | {"pk": pk, "text": "Said better now."}], began=began, by=cast.lead)
    assert row.lessons.current().get().text == "Said better now."


@pytest.mark.django_db
def test_two_clients_in_the_form(draft, cast, as_):
    """Without JavaScript: both texts stand side by side, and saving again is the second one's own decision."""
    url = reverse("post-mortem", args=[draft.pk])
    owner, lead = as_(cast.owner), as_(cast.lead)
    of_owner = form_of(draft, timeline="What the owner knows.\r\nTwo lines.")
    of_lead = form_of(draft, timeline="What the lead knows.", lucky="It was a quiet week.")
    assert owner.post(url, of_owner).status_code == 302
    page = lead.post(url, of_lead)
    text = page.content.decode()
    assert page.status_code == 409
    for words in ("What the owner knows.", "What the lead knows.", "Marta Lindqvist", "Two lines."):
        assert words in text
    row = PostMortem.objects.get()
    assert row.timeline == "What the owner knows.\nTwo lines."
    assert row.lucky == "It was a quiet week.", "the other sections of the same save are kept"
    both = form_of(draft, timeline="What both know.", lucky="It was a quiet week.")
    assert lead.post(url, both).status_code == 302
    assert PostMortem.objects.get().timeline == "What both know."
    assert PostMortem.objects.get().lessons.current().count() == 1, "saved twice is one lesson"


@pytest.mark.django_db(transaction=True)
def test_two_connections_at_once_lose_nothing():
    """Eight rounds of two writers with a connection each, let go together: every word of both is there."""
    cast = factories.make_cast()
    initiative = factories.make_prototype(cast)
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    row = postmortem_actions.start(obligation=initiative.obligations.get(kind="post_mortem"), by=cast.owner)
    whole = dict.fromkeys(PostMortem.TEXTS, "")
    for number in range(8):
        row = PostMortem.objects.get(pk=row.pk)
        began = marks(row)
        stands = {name: getattr(row, name) for name in whole}
        gate, met = Barrier(2), []

        def save(name, words, row=row, began=began, stands=stands, gate=gate, met=met):
            try:
                gate.wait(timeout=30)
                write(post_mortem=row, began=began, by=cast.owner, **stands | {name: words, "lucky": words})
            except Clashed as clashed:
                met.append([one.mine for one in clashed.clashes])
            finally:
                connections.close_all()

        words = [f"{number} of the first", f"{number} of the second"]
        both = [Thread(target=save, args=pair) for pair in zip(("timeline", "impact"), words, strict=True)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        now = PostMortem.objects.get(pk=row.pk)
        assert [now.timeline, now.impact] == words
        assert len(met) == 1, "they met in one section, and one of them was told"
        assert sorted([now.lucky, *met[0]]) == sorted(words), "what was typed there stands, or was given back"


@pytest.mark.django_db
def test_who_helps_writes_and_does_not_hand_in(draft, cast):
    assert postmortem_permissions.may_write(draft, cast.lead)
    assert not postmortem_permissions.may_write(draft, cast.seat_adoption)
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.lead, **WHOLE)
    with pytest.raises(Refused):
        postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.lead)
    with pytest.raises(Conflict):
        postmortem_actions.hand_in(post_mortem=row, version=row.version - 1, by=cast.owner)
    assert postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner).state == "review"
    with pytest.raises(Refused):
        write(post_mortem=row, by=cast.owner, impact="Later words.")


@pytest.mark.django_db
def test_readers_comment_on_sections_while_it_is_in_review(draft, cast, as_):
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **WHOLE)
    with pytest.raises(Refused, match="while it is in review"):
        section_comments.comment(post_mortem=row, section="impact", text="Which?", by=cast.seat_risk)
    row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
    reader, owner = as_(cast.seat_risk), as_(cast.owner)
    url = at("post-mortems/comment", row.pk)
    assert "Impact" in reader.get(f"{url}?section=impact").content.decode()
    reader.post(url, {"section": "impact", "text": "Which two teams?"})
    said = row.comments.get()
    assert (said.section, said.by) == ("impact", cast.seat_risk)
    assert Notification.objects.filter(kind="comment", person=cast.owner).exists()
    assert as_(cast.outsider).post(url, {"section": "", "text": "x"}).status_code == 404
    assert reader.post(url, {"section": "cellar", "text": "x"}).status_code == 200
    postmortem_actions.send_back(
        post_mortem=row, version=row.version, reason="See the comment.", by=cast.seat_adoption
    )
    page = owner.get(reverse("post-mortem", args=[row.pk])).content.decode()
    assert "Which two teams?" in page
    resolve = reverse("post-mortem-comment-resolve", args=[said.pk])
    assert as_(cast.seat_value).post(resolve).status_code == 403
    assert owner.post(resolve).status_code == 302
    said.refresh_from_db()
    assert said.resolved_by == cast.owner


@pytest.mark.django_db
def test_a_gap_is_opened_from_it_with_owner_day_and_what_it_touches(draft, cast, as_):
    url = at("post-mortems/open-gap", draft.pk)
    client = as_(cast.lead)
    assert "Customer ledger" in client.get(url).content.decode(), "systems of the initiative are offered"
    due = clock.today() + timedelta(days=20)
    sent = {"text": "Exports still run", "owner": cast.steward.pk, "due": due.isoformat(), "downstream": ""}
    assert "This field is required" in client.post(url, sent).content.decode()
    assert client.post(url, sent | {"downstream": "Billing, Archive"}).status_code == 302
    linked = draft.linked_gaps.get()
    assert (linked.gap.owner, linked.gap.due, linked.gap.downstream) == (
        cast.steward,
        due,
        ["Billing", "Archive"],
    )
    assert "no_gaps_because" not in sections.lacking(draft)
    with pytest.raises(Refused):
        open_linked_gap(
            post_mortem=draft, text="x", owner=cast.owner, due=due, downstream=["y"], by=cast.seat_risk
        )


@pytest.mark.django_db
def test_a_lesson_names_systems_of_its_initiative_alone(draft, cast):
    known = draft.initiative.links.first().system_id
    row = write(post_mortem=draft, lessons=[LESSON | {"systems": [known]}], by=cast.owner)
    assert row.lessons.get().systems == [known]
    with pytest.raises(ValidationError, match="linked to"):
        write(post_mortem=row, lessons=[LESSON | {"systems": [known + 999]}], by=cast.owner)


@pytest.mark.django_db
def test_files_under_the_policy_of_evidence_named_by_hash(draft, cast, as_):
    client = as_(cast.owner)
    url = at("post-mortems/attach", draft.pk)

    def send(name, content):
        return client.post(url, {"title": "The log", "file": SimpleUploadedFile(name, content)})

    for name, content in (("run.exe", b"MZ"), ("log.txt", b"\x00\x01"), ("fake.pdf", b"<script>")):
        assert send(name, content).status_code == 200
    assert not Attachment.objects.exists(), "what evidence does not take is not taken here"
    assert send("log.txt", b"12:00 nothing came back\n").status_code == 302
    kept = Attachment.objects.get()
    entry = Entry.objects.acts().get(kind="attached")
    assert entry.facts["facts"]["sha256"] == kept.sha256
    assert "is attached already" in send("again.txt", b"12:00 nothing came back\n").content.decode()
    look = client.get(reverse("attachment-look", args=[kept.pk]))
    assert "nothing came back" in look.content.decode()
    served = client.get(reverse("attachment-file", args=[kept.pk]))
    assert b"".join(served.streaming_content) == b"12:00 nothing came back\n"
    assert "sandbox" in served["Content-Security-Policy"]
    assert Entry.objects.acts().filter(kind="attachment opened").count() == 2, "each reading is recorded"
    for person, status in ((cast.outsider, 404), (cast.admin, 403)):
        assert as_(person).get(reverse("attachment-file", args=[kept.pk])).status_code in (status, 404)
    assert client.get(reverse("attachment-content", args=[kept.pk])).status_code == 404
    out = reverse("row-act", args=["attachments", kept.pk, "take-out"])
    assert client.post(out, {"reason": "Names people."}).status_code == 302
    assert client.get(reverse("attachment-file", args=[kept.pk])).status_code == 404
    attachments.attach(
        post_mortem=draft,
        title="Again",
        file=SimpleUploadedFile("log.txt", b"12:00 nothing came back\n"),
        by=cast.lead,
    )
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **WHOLE)
    postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
    handed = Entry.objects.acts().get(kind="post-mortem handed in").facts["facts"]
    assert handed["attachments"] == [kept.sha256]
    assert send("late.txt", b"Too late for it.\n").status_code == 403


@pytest.mark.django_db
def test_the_retrospective_has_prompts_of_its_own(cast, as_):
    initiative = factories.make_initiative(cast)
    with acting(system="test"):
        obligation = open_obligation(
            initiative,
            "retrospective",
            source="production:1",
            text="Retrospective",
            due=clock.today(),
            responsible=cast.owner,
        )
    row = postmortem_actions.start(obligation=obligation, by=cast.owner)
    page = as_(cast.owner).get(reverse("post-mortem", args=[row.pk])).content.decode()
    assert "Results against the targets" in page
    assert "Successes and their reasons" in page
    success = {
        "side": "success",
        "said": "found",
        "layer": "integration",
        "grounds": "It stands where they work.",
    }
    credit = {"side": "success", "said": "assumed", "layer": "model", "by_whom": "press", "grounds": ""}
    words = WORDS | {"went_well": "The lookup in the till was kept by all stores."}
    row = write(post_mortem=row, causes=[success, credit], lessons=[LESSON], by=cast.owner, **words)
    assert sections.lacking(row) == {}, "a success is put down to a layer too"
    row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=cast.seat_adoption)
    obligation.refresh_from_db()
    assert obligation.completed_at is not None
