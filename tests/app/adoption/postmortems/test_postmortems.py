"""Post-mortems: begun by the responsible person, written without losing words, published complete, confirmed by the
seat.
"""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption import adoption_seat
from adoption.inbox import inbox_tasks
from adoption.models import PostMortem
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems import permissions as postmortem_permissions
from adoption.postmortems.blame_check import pointed_out
from adoption.postmortems.forms import PostMortemForm
from adoption.postmortems.sections import lacking, too_short
from adoption.postmortems.writing import write
from governance import clock
from governance.models import Entry, Notification
from governance.notifications import due
from governance.notifications.inbox import all_tasks
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db

WORDS = {
    "expected": "Two teams would paste half of their answers by June.",
    "timeline": "2 March: pilot began. 4 May: nobody used it.",
    "impact": "Six weeks of work of two teams.",
    "detected": "The usage report of May was empty.",
    "made_easy": "No form asks how the work is done today.",
    "no_gaps_because": "Nothing else used it here.",
}
FOUND = {
    "side": "failure",
    "said": "found",
    "layer": "application",
    "grounds": "The workflow was not asked about before building.",
}
ASSUMED = {
    "side": "failure",
    "said": "assumed",
    "layer": "model",
    "by_whom": "management",
    "grounds": "Too weak.",
}
LESSON = {
    "pk": None,
    "text": "Ask who pastes before you build.",
    "instead": "Sit beside two people for a day.",
    "layer": "application",
    "pattern": "workflow",
    "tags": ["Pasting"],
    "vendors": ["Nimbus AI"],
}
WHOLE = {**WORDS, "causes": [FOUND, ASSUMED]}


@pytest.fixture
@snapshots.kept
def obligation(cast):
    """A stopped prototype must give its post-mortem."""
    initiative = factories.make_prototype(cast)
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    return initiative.obligations.get(kind="post_mortem")


@pytest.fixture
@snapshots.kept
def draft(obligation, cast):
    """Begun by the responsible person."""
    return postmortem_actions.start(obligation=obligation, by=cast.owner)


@pytest.fixture
@snapshots.kept
def published(draft, cast):
    """Complete and published."""
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **WHOLE)
    return postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)


def test_who_must_give_it_begins_it_and_twice_is_once(obligation, cast):
    row = postmortem_actions.start(obligation=obligation, by=cast.owner)
    assert postmortem_actions.start(obligation=obligation, by=cast.owner) == row
    assert row.author == cast.owner
    for other in (cast.support, cast.chair, cast.seat_adoption, cast.admin):
        with pytest.raises(Refused):
            postmortem_actions.start(obligation=obligation, by=other)
    refused = Entry.objects.acts().of_initiative(obligation.initiative.ref).filter(kind="refused")
    assert refused.count() == 4, "each refusal leaves its entry"


def test_where_the_responsible_is_gone_the_chair_may_write_it(obligation, cast):
    leaving.deactivate(person=cast.owner, reason="left", by=cast.admin)
    assert not postmortem_permissions.may_start(obligation, cast.support)
    assert [line.verb for line in inbox_tasks.tasks(cast.chair)] == ["write"]
    assert postmortem_actions.start(obligation=obligation, by=cast.chair).author == cast.chair


def test_an_obligation_of_another_kind_is_not_completed_by_it(obligation, cast):
    other = obligation.initiative.obligations.filter(kind="criterion").first()
    with pytest.raises(Refused):
        postmortem_actions.start(obligation=other, by=cast.owner)


def test_saving_keeps_words_lessons_and_what_stood_before(draft, cast):
    row = write(
        post_mortem=draft, lessons=[LESSON, LESSON | {"text": " ", "instead": ""}], by=cast.owner, **WHOLE
    )
    kept = row.lessons.get()
    assert (kept.tags, kept.vendors, kept.pattern) == (["pasting"], ["Nimbus AI"], "workflow")
    more = LESSON | {"text": "Second one, of policy.", "layer": "policy"}
    write(post_mortem=row, lessons=[LESSON | {"pk": kept.pk, "text": "Ask first."}, more], by=cast.owner)
    write(post_mortem=row, lessons=[LESSON | {"pk": kept.pk, "text": ""}], by=cast.owner)
    kept.refresh_from_db()
    assert kept.text == "Ask first."
    assert kept.removed_at is not None
    assert kept.history.count() == 3
    assert [one.layer for one in row.lessons.current()] == ["policy"], "what is not named stays"
    assert PostMortem.objects.get().timeline == WORDS["timeline"], "words that were not sent stay"


def test_assumed_and_found_are_kept_apart_in_their_order(draft, cast):
    row = write(post_mortem=draft, by=cast.owner, **WHOLE)
    more = FOUND | {"layer": "policy", "grounds": "Nobody had to ask."}
    credit = {"side": "success", "said": "assumed", "layer": "model", "by_whom": "press", "grounds": ""}
    write(post_mortem=row, by=cast.owner, causes=[credit, more, FOUND])
    rows = row.attributions.current()
    assert [(one.side, one.said, one.layer, one.place) for one in rows] == [
        ("failure", "found", "policy", 1),
        ("failure", "found", "application", 2),
        ("success", "assumed", "model", 1),
    ]
    assert row.attributions.filter(removed_at__isnull=False).get().layer == "model", (
        "what was assumed is kept"
    )
    for wrong in (FOUND | {"layer": "cellar"}, FOUND | {"by_whom": "press"}, FOUND):
        with pytest.raises(ValidationError):
            write(post_mortem=row, by=cast.owner, causes=[FOUND, wrong])


def test_handing_in_names_what_is_lacking(draft, cast):
    row, needed = draft, [*WORDS, "causes", "lessons"]
    write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **WHOLE)
    for field in needed:
        words = {name: "" if name == field else text for name, text in WORDS.items()}
        pk = row.lessons.filter(removed_at__isnull=True).values_list("pk", flat=True).first()
        lesson = LESSON | {"pk": pk, "text": "" if field == "lessons" else LESSON["text"]}
        causes = [] if field == "causes" else [FOUND]
        row = write(post_mortem=row, causes=causes, lessons=[lesson], by=cast.owner, **words)
        with pytest.raises(ValidationError) as wrong:
            postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
        assert list(wrong.value.error_dict) == [field]
        assert PostMortem.objects.get().state == "draft"


def test_a_sign_in_a_field_is_no_account(draft, cast):
    assert all(
        map(too_short, ["x", "n/a", "none.", "- - - -", "a b c d e", "nothing to say", "1 2 3 4 5 6 7 8 9"])
    )
    assert not any(map(too_short, WORDS.values()))
    for field in [*WORDS, "no_lesson_because"]:
        lessons = [] if field == "no_lesson_because" else [LESSON]
        words = WHOLE | {"no_lesson_because": "", field: "n/a"}
        row = write(post_mortem=draft, lessons=lessons, by=cast.owner, **words)
        assert set(lacking(row)) - {"lessons"} == {field}
        for lesson in row.lessons.current():
            row = write(post_mortem=row, lessons=[LESSON | {"pk": lesson.pk, "text": ""}], by=cast.owner)
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **WHOLE | {"went_well": WORDS["impact"]})
    assert "went_well" in lacking(row), "the same words twice are no second account"


def test_an_open_gap_with_owner_and_day_stands_for_the_sentence(draft, cast):
    initiative = draft.initiative
    gap = hold_deeds.open_gap(
        initiative=initiative,
        text="Exports still run",
        owner=cast.steward,
        due=clock.today() + timedelta(days=30),
        downstream=["Billing"],
        by=cast.owner,
    )
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **WHOLE | {"no_gaps_because": ""})
    assert lacking(row) == {}
    leaving.deactivate(person=cast.steward, reason="left", by=cast.admin)
    assert list(lacking(row)) == ["no_gaps_because"], "a gap whose owner left is nobody's"
    assert gap.due


def test_the_seat_confirms_and_the_obligation_is_completed_with_it(published, obligation, cast):
    assert Notification.objects.filter(kind="confirm post-mortem", person=cast.seat_adoption).count() == 1
    assert [line.verb for line in inbox_tasks.tasks(cast.seat_adoption)] == ["confirm"]
    for other in (cast.owner, cast.chair, cast.seat_risk, cast.admin, cast.support):
        with pytest.raises(Refused):
            postmortem_actions.confirm(post_mortem=published, version=published.version, by=other)
    row = postmortem_actions.confirm(
        post_mortem=published, version=published.version, note="Clear.", by=cast.seat_adoption
    )
    obligation.refresh_from_db()
    assert row.state == "published"
    assert obligation.completed_by == cast.seat_adoption
    with pytest.raises(Conflict):
        postmortem_actions.confirm(post_mortem=published, version=row.version, by=cast.seat_adoption)
    kinds = list(Entry.objects.acts().of_initiative(obligation.initiative.ref).values_list("kind", flat=True))
    for kind in ("started", "written", "handed in", "confirmed"):
        assert kinds.count(f"post-mortem {kind}") == 1
    assert inbox_tasks.tasks(cast.owner) == inbox_tasks.tasks(cast.seat_adoption) == []
    reopened = stage_actions.reopen(
        initiative=obligation.initiative, reason="Another attempt.", by=cast.chair
    )
    assert reopened.stage == "prototype", "reopening waits for exactly this obligation"


def test_a_holder_of_the_seat_who_is_team_member_does_not_confirm(published, cast):
    from governance.database.row_history import acting
    from initiatives.models import RoleAssignment

    with unguarded("initiatives_roleassignment"), acting(system="test"):
        RoleAssignment(
            initiative=published.initiative,
            role="sponsor",
            person=cast.seat_adoption,
            proposed_by=cast.owner,
            proposed_at=clock.now(),
        ).save()
    with pytest.raises(Refused):
        postmortem_actions.confirm(post_mortem=published, version=published.version, by=cast.seat_adoption)
    assert adoption_seat.confirmers(published.initiative) == []


def test_what_lacks_something_is_sent_back_with_a_reason(published, obligation, cast):
    with pytest.raises(ValidationError):
        postmortem_actions.send_back(
            post_mortem=published, version=published.version, reason=" ", by=cast.seat_adoption
        )
    row = postmortem_actions.send_back(
        post_mortem=published, version=published.version, reason="Which team?", by=cast.seat_adoption
    )
    assert row.state == "draft"
    assert postmortem_actions.sent_back(row).history_change_reason == "Which team?"
    notification = Notification.objects.get(kind="post-mortem", person=cast.owner)
    assert notification.text == "Which team?"
    assert obligation.completed_at is None
    row = write(post_mortem=row, by=cast.owner, impact="The two teams of retail, for six weeks.")
    assert lacking(row) == {}
    assert postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner).state == "review"


def test_what_is_open_obligations_and_what_waits_is_told(obligation, published, cast):
    Notification.objects.all().delete()

    def told(days):
        due.run(clock.now() + timedelta(days=days))
        return sorted(
            Notification.objects.filter(kind__contains="post-mortem").values_list("person__login", "period")
        )

    assert told(2) == []
    third = "after3d"
    assert told(3) == [("seat-adoption", third)]
    assert not Notification.objects.filter(kind="due", object_key=f"obligation:{obligation.pk}").exists()
    row = postmortem_actions.send_back(
        post_mortem=published, version=published.version, reason="No.", by=cast.seat_adoption
    )
    due.run(clock.now() + timedelta(days=17))
    message = Notification.objects.get(kind="due", object_key=f"obligation:{obligation.pk}")
    assert (message.person, message.period) == (cast.owner, "14d")
    assert message.link == reverse("post-mortem", args=[obligation.post_mortem.pk])
    due.run(clock.now() + timedelta(days=31))
    due.run(clock.now() + timedelta(days=45))
    late = Notification.objects.filter(
        kind="overdue", object_key=f"obligation:{obligation.pk}", person=cast.owner
    )
    assert sorted(late.values_list("period", flat=True)) == ["late0", "late2"]
    assert Notification.objects.filter(kind="overdue", person=cast.chair, period="board14d").exists()
    assert row.state == "draft"


def test_no_lesson_is_an_answer_that_the_seat_agrees_to(draft, obligation, cast, as_):
    why = "It was a copy of an initiative whose lesson is published already."
    row = write(post_mortem=draft, by=cast.owner, **WHOLE | {"no_lesson_because": why})
    row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
    client, url = as_(cast.seat_adoption), reverse("post-mortem-confirm", args=[row.pk])
    assert why in client.get(url).content.decode()
    refused = client.post(url, {"version": row.version, "confirm": "1"})
    assert refused.status_code == 422
    obligation.refresh_from_db()
    assert obligation.completed_at is None, "without the seat's word on it, nothing is completed"
    client.post(url, {"version": row.version, "confirm": "1", "no_lesson": "on"})
    obligation.refresh_from_db()
    assert obligation.completed_at is not None
    entry = (
        Entry.objects.acts()
        .of_initiative(obligation.initiative.ref)
        .filter(kind="post-mortem confirmed")
        .get()
    )
    assert entry.facts["facts"]["no_lesson"] is True


def test_names_and_blame_are_pointed_out_and_never_refused(draft, cast, as_):
    words = WHOLE | {"made_easy": "It was human error: Lindqvist forgot to ask. The Marta Lindqvist way."}
    row = write(post_mortem=draft, lessons=[LESSON], by=cast.owner, **words)
    page = as_(cast.owner).get(reverse("post-mortem-hand-in", args=[row.pk])).content.decode()
    for pointed in ("human error", "Lindqvist", "forgot to"):
        assert f"“{pointed}”" in page
    assert postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner).state == "review"
    assert pointed_out("The owner failed nobody; the marshes were wet.", ["Ann Marsh", "Bo Li"]) == []


# The pages


def form_of(row, **more) -> dict:
    """What the browser would send for a draft opened as it stands now."""
    row = PostMortem.objects.get(pk=row.pk)
    sent = {
        name: "" if value is None else value
        for name, value in ((one.name, one.value()) for one in PostMortemForm(post_mortem=row))
        if not isinstance(value, list)
    }
    return sent | {
        **WORDS,
        "found_failure_0_layer": "application",
        "found_failure_0_grounds": FOUND["grounds"],
        "lesson_0": LESSON["text"],
        "lesson_0_instead": LESSON["instead"],
        "lesson_0_layer": LESSON["layer"],
        "lesson_0_pattern": LESSON["pattern"],
        "lesson_0_tags": "pasting, copies",
        **more,
    }


def test_from_the_inbox_to_the_confirmed_lesson(obligation, cast, as_):
    owner, seat, outsider = as_(cast.owner), as_(cast.seat_adoption), as_(cast.outsider)
    initiative = obligation.initiative
    begin = reverse("post-mortem-start", args=[obligation.pk])
    assert begin in {line.link for line in all_tasks(cast.owner)}
    assert "Start writing" in owner.get(begin).content.decode()
    page = owner.post(begin, follow=True)
    row = PostMortem.objects.get()
    assert page.redirect_chain[-1][0] == reverse("post-mortem", args=[row.pk])
    assert f'data-draft="post-mortem-{row.pk}-{row.version}"' in page.content.decode(), (
        "no draft of older words"
    )
    assert owner.get(begin).status_code == 302
    saved = owner.post(
        reverse("post-mortem", args=[row.pk]),
        form_of(row, lesson_0="", lesson_0_instead="", hand_in="1"),
        follow=True,
    )
    assert "at least one lesson" in saved.content.decode()
    owner.post(reverse("post-mortem", args=[row.pk]), form_of(row))
    row.refresh_from_db()
    assert row.lessons.get().tags == ["pasting", "copies"]
    assert outsider.get(reverse("lessons", args=[initiative.ref])).status_code == 404, "drafts teach nobody"
    assert (
        "Hand in the post-mortem" in owner.get(reverse("post-mortem-hand-in", args=[row.pk])).content.decode()
    )
    owner.post(reverse("post-mortem-hand-in", args=[row.pk]), {"version": row.version})
    row.refresh_from_db()
    assert row.state == "review"
    account = reverse("post-mortem-account", args=[row.pk])
    for url in (reverse("lessons", args=[initiative.ref]), account):
        assert outsider.get(url).status_code == 404, "what is in review teaches nobody yet"
    assert (
        "Send the post-mortem back"
        in seat.get(reverse("post-mortem-confirm", args=[row.pk])).content.decode()
    )
    empty = seat.post(reverse("post-mortem-confirm", args=[row.pk]), {"version": row.version, "back": "1"})
    assert empty.status_code == 422
    done = seat.post(
        reverse("post-mortem-confirm", args=[row.pk]), {"version": row.version, "confirm": "1"}, follow=True
    )
    assert "for the adoption seat on" in done.content.decode()
    obligation.refresh_from_db()
    assert obligation.completed_at is not None
    assert LESSON["text"] in outsider.get(reverse("lessons", args=[initiative.ref])).content.decode()
    assert WORDS["impact"] in outsider.get(account).content.decode(), "everybody reads what was published"
    for name in ("post-mortem", "post-mortem-hand-in", "post-mortem-confirm"):
        assert outsider.get(reverse(name, args=[row.pk])).status_code == 404


def test_junk_is_answered_not_crashed_on(draft, cast, as_):
    client = as_(cast.owner)
    url = reverse("post-mortem", args=[draft.pk])
    for junk in ("", "x", "-1", "9" * 30):
        assert client.post(url, form_of(draft, lesson_0_key=junk, lesson_0_mark=junk)).status_code == 302
        handed = client.post(reverse("post-mortem-hand-in", args=[draft.pk]), {"version": junk})
        assert handed.status_code == 409
    assert client.post(url, form_of(draft, found_failure_0_layer="cellar")).status_code == 422
    assert client.post(url, {}).status_code == 409, "an empty form takes nothing away"
    wrong = client.post(url, form_of(draft, lesson_0_layer="", lesson_0="Another lesson of ours."))
    assert wrong.status_code == 422
    assert "Another lesson of ours." in wrong.content.decode()


def test_a_confidential_initiative_shows_strangers_nothing(published, cast, as_):
    from governance.database.row_history import acting

    postmortem_actions.confirm(post_mortem=published, version=published.version, by=cast.seat_adoption)
    initiative = published.initiative
    account = reverse("post-mortem-account", args=[published.pk])
    assert as_(cast.outsider).get(account).status_code == 200
    with acting(system="test"):
        initiative.confidential = True
        initiative.save()
    assert as_(cast.outsider).get(reverse("lessons", args=[initiative.ref])).status_code == 404
    assert as_(cast.outsider).get(account).status_code == 404
    assert as_(cast.seat_risk).get(reverse("lessons", args=[initiative.ref])).status_code == 200


def test_the_page_of_an_idea_says_that_there_is_nothing_yet(cast, as_):
    initiative = factories.make_initiative(cast)
    assert "No lessons yet" in as_(cast.owner).get(reverse("lessons", args=[initiative.ref])).content.decode()
