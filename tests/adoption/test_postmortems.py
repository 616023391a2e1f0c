"""Post-mortems: begun by who owes them, written without losing words, published complete, confirmed by the seat."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption import actions as writing
from adoption import desk, permissions
from adoption.models import Lesson, PostMortem
from governance import clock, reminders
from governance.answers import Conflict, Refused
from governance.models import Entry, Notice
from initiatives import actions
from tests import factories, snapshots

pytestmark = pytest.mark.django_db

WORDS = {
    "timeline": "2 March: pilot began. 4 May: nobody used it.",
    "impact": "Six weeks of two teams.",
    "attribution": "The workflow was not asked about, so it lay in the application.",
    "found_layer": "application",
    "blamed_layer": "model",
    "no_gaps_because": "Nothing else used it.",
}
LESSON = {"pk": None, "text": "Ask who pastes before you build.", "layer": "application"}


@pytest.fixture
@snapshots.kept
def debt(cast):
    """A stopped prototype owes its post-mortem."""
    case = factories.make_prototype(cast)
    actions.stop(case=case, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    return case.obligations.get(kind="post_mortem")


@pytest.fixture
@snapshots.kept
def draft(debt, cast):
    """Begun by its debtor."""
    return writing.start(obligation=debt, by=cast.owner)


@pytest.fixture
@snapshots.kept
def published(draft, cast):
    """Complete and published."""
    row = writing.write(post_mortem=draft, version=1, lessons=[LESSON], by=cast.owner, **WORDS)
    return writing.publish(post_mortem=row, version=row.version, by=cast.owner)


def test_who_owes_it_begins_it_and_twice_is_once(debt, cast):
    row = writing.start(obligation=debt, by=cast.owner)
    assert writing.start(obligation=debt, by=cast.owner) == row
    assert row.author == cast.owner
    for other in (cast.support, cast.chair, cast.seat_adoption, cast.admin):
        with pytest.raises(Refused):
            writing.start(obligation=debt, by=other)
    refused = Entry.objects.acts().of_case(debt.initiative.ref).filter(kind="refused")
    assert refused.count() == 4, "each refusal leaves its entry"


def test_where_the_debtor_is_gone_the_chair_may_write_it(debt, cast):
    actions.deactivate(person=cast.owner, reason="left", by=cast.admin)
    assert not permissions.may_start(debt, cast.support)
    assert [line.verb for line in desk.lines(cast.chair)] == ["write"]
    assert writing.start(obligation=debt, by=cast.chair).author == cast.chair


def test_a_debt_of_another_kind_is_not_settled_by_it(debt, cast):
    other = debt.initiative.obligations.filter(kind="criterion").first()
    with pytest.raises(Refused):
        writing.start(obligation=other, by=cast.owner)


def test_saving_keeps_words_lessons_and_what_stood_before(draft, cast):
    row = writing.write(
        post_mortem=draft, version=1, lessons=[LESSON, LESSON | {"text": " "}], by=cast.owner, **WORDS
    )
    kept = row.lessons.get()
    more = {"pk": None, "text": "Second.", "layer": "policy"}
    changed = {"pk": kept.pk, "text": "Ask first.", "layer": "application"}
    writing.write(post_mortem=row, version=2, lessons=[changed, more], by=cast.owner)
    writing.write(
        post_mortem=row,
        version=3,
        lessons=[more | {"pk": Lesson.objects.get(layer="policy").pk}],
        by=cast.owner,
    )
    kept.refresh_from_db()
    assert kept.text == "Ask first."
    assert kept.removed_at is not None
    assert kept.history.count() == 3
    assert PostMortem.objects.get().timeline == WORDS["timeline"], "words that were not sent stay"


def test_two_who_write_at_once(draft, cast):
    writing.write(post_mortem=draft, version=1, lessons=[], by=cast.owner, **WORDS)
    with pytest.raises(Conflict) as lost:
        writing.write(post_mortem=draft, version=1, lessons=[], by=cast.owner, timeline="Other.")
    assert "Marta Lindqvist saved it at" in str(lost.value)
    assert PostMortem.objects.get().timeline == WORDS["timeline"]


def test_publishing_names_what_is_lacking(draft, cast):
    row, lacking = draft, [*(WORDS.keys() - {"blamed_layer"}), "lessons"]
    for field in lacking:
        words = {name: "" if name == field else text for name, text in WORDS.items()}
        lessons = [] if field == "lessons" else [LESSON]
        row = writing.write(post_mortem=row, version=row.version, lessons=lessons, by=cast.owner, **words)
        with pytest.raises(ValidationError) as wrong:
            writing.publish(post_mortem=row, version=row.version, by=cast.owner)
        assert list(wrong.value.error_dict) == [field]
        assert PostMortem.objects.get().state == "draft"


def test_an_open_gap_with_owner_and_day_stands_for_the_sentence(draft, cast):
    case = draft.initiative
    gap = actions.open_gap(
        case=case,
        text="Exports still run",
        owner=cast.steward,
        due=clock.today() + timedelta(days=30),
        downstream=["Billing"],
        by=cast.owner,
    )
    row = writing.write(
        post_mortem=draft, version=1, lessons=[LESSON], by=cast.owner, **WORDS | {"no_gaps_because": ""}
    )
    assert writing.lacking(row) == {}
    actions.deactivate(person=cast.steward, reason="left", by=cast.admin)
    assert list(writing.lacking(row)) == ["no_gaps_because"], "a gap whose owner left is nobody's"
    assert gap.due


def test_the_seat_confirms_and_the_debt_is_settled_with_it(published, debt, cast):
    assert Notice.objects.filter(kind="confirm post-mortem", person=cast.seat_adoption).count() == 1
    assert [line.verb for line in desk.lines(cast.seat_adoption)] == ["confirm"]
    for other in (cast.owner, cast.chair, cast.seat_risk, cast.admin, cast.support):
        with pytest.raises(Refused):
            writing.confirm(post_mortem=published, version=published.version, by=other)
    row = writing.confirm(
        post_mortem=published, version=published.version, note="Clear.", by=cast.seat_adoption
    )
    debt.refresh_from_db()
    assert row.state == "confirmed"
    assert debt.settled_by == cast.seat_adoption
    with pytest.raises(Conflict):
        writing.confirm(post_mortem=published, version=row.version, by=cast.seat_adoption)
    kinds = list(Entry.objects.acts().of_case(debt.initiative.ref).values_list("kind", flat=True))
    for kind in ("started", "written", "published", "confirmed"):
        assert kinds.count(f"post-mortem {kind}") == 1
    assert desk.lines(cast.owner) == desk.lines(cast.seat_adoption) == []
    reopened = actions.reopen(case=debt.initiative, reason="Another attempt.", by=cast.chair)
    assert reopened.stage == "prototype", "reopening waits for exactly this debt"


def test_a_holder_of_the_seat_who_is_party_does_not_confirm(published, cast):
    from governance.history import acting
    from initiatives.models import RoleAssignment

    with acting(system="test"):
        RoleAssignment(
            initiative=published.initiative,
            role="sponsor",
            person=cast.seat_adoption,
            proposed_by=cast.owner,
            proposed_at=clock.now(),
        ).save()
    with pytest.raises(Refused):
        writing.confirm(post_mortem=published, version=published.version, by=cast.seat_adoption)
    assert permissions.confirmers(published.initiative) == []


def test_what_lacks_something_is_sent_back_with_a_reason(published, debt, cast):
    with pytest.raises(ValidationError):
        writing.send_back(post_mortem=published, version=published.version, reason=" ", by=cast.seat_adoption)
    row = writing.send_back(
        post_mortem=published, version=published.version, reason="Which team?", by=cast.seat_adoption
    )
    assert row.state == "draft"
    assert writing.sent_back(row).history_change_reason == "Which team?"
    notice = Notice.objects.get(kind="post-mortem", person=cast.owner)
    assert notice.text == "Which team?"
    assert debt.settled_at is None
    row = writing.write(post_mortem=row, version=row.version, lessons=[], by=cast.owner, impact="Retail.")
    assert writing.lacking(row) == {"lessons": "Write at least one lesson for the next team."}


def test_what_is_owed_and_what_waits_is_told(debt, published, cast):
    Notice.objects.all().delete()

    def told(days):
        reminders.sweep(clock.now() + timedelta(days=days))
        return sorted(
            Notice.objects.filter(kind__contains="post-mortem").values_list("person__login", "period")
        )

    assert told(2) == []
    third = f"version{published.version}:after3d"
    assert told(3) == [("seat-adoption", third)]
    assert not Notice.objects.filter(kind="owed", object_key=f"obligation:{debt.pk}").exists()
    row = writing.send_back(
        post_mortem=published, version=published.version, reason="No.", by=cast.seat_adoption
    )
    reminders.sweep(clock.now() + timedelta(days=17))
    owed = Notice.objects.get(kind="owed", object_key=f"obligation:{debt.pk}")
    assert (owed.person, owed.period) == (cast.owner, "14d")
    assert owed.link == f"/obligations/{debt.pk}/post-mortem/"
    reminders.sweep(clock.now() + timedelta(days=31))
    reminders.sweep(clock.now() + timedelta(days=45))
    late = Notice.objects.filter(kind="overdue", object_key=f"obligation:{debt.pk}", person=cast.owner)
    assert sorted(late.values_list("period", flat=True)) == ["late0", "late2"]
    assert Notice.objects.filter(kind="overdue", person=cast.chair, period="board14d").exists()
    assert row.state == "draft"


# The pages


def form_of(row, **more) -> dict:
    """What the browser would send."""
    return {
        "version": row.version,
        **WORDS,
        "lesson_0": LESSON["text"],
        "lesson_0_layer": LESSON["layer"],
        **more,
    }


def test_from_the_desk_to_the_confirmed_lesson(debt, cast, as_):
    owner, seat, outsider = as_(cast.owner), as_(cast.seat_adoption), as_(cast.outsider)
    case = debt.initiative
    begin = reverse("post-mortem-start", args=[debt.pk])
    assert begin in {line.link for line in desk.lines(cast.owner)}
    assert "Begin to write" in owner.get(begin).content.decode()
    page = owner.post(begin, follow=True)
    row = PostMortem.objects.get()
    assert page.redirect_chain[-1][0] == reverse("post-mortem", args=[row.pk])
    assert f'data-draft="post-mortem-{row.pk}"' in page.content.decode()
    assert owner.get(begin).status_code == 302
    saved = owner.post(
        reverse("post-mortem", args=[row.pk]), form_of(row, lesson_0="", publish="1"), follow=True
    )
    assert "at least one lesson" in saved.content.decode()
    row.refresh_from_db()
    owner.post(reverse("post-mortem", args=[row.pk]), form_of(row))
    row.refresh_from_db()
    assert outsider.get(reverse("lessons", args=[case.ref])).status_code == 404, "drafts teach nobody"
    assert "Publish it" in owner.get(reverse("post-mortem-publish", args=[row.pk])).content.decode()
    owner.post(reverse("post-mortem-publish", args=[row.pk]), {"version": row.version})
    row.refresh_from_db()
    assert row.state == "published"
    stranger = outsider.get(reverse("lessons", args=[case.ref]))
    assert LESSON["text"] in stranger.content.decode()
    assert WORDS["impact"] not in stranger.content.decode()
    for name in ("post-mortem", "post-mortem-publish", "post-mortem-confirm"):
        assert outsider.get(reverse(name, args=[row.pk])).status_code == 404
    assert "Send it back" in seat.get(reverse("post-mortem-confirm", args=[row.pk])).content.decode()
    empty = seat.post(reverse("post-mortem-confirm", args=[row.pk]), {"version": row.version, "back": "1"})
    assert empty.status_code == 422
    done = seat.post(
        reverse("post-mortem-confirm", args=[row.pk]), {"version": row.version, "confirm": "1"}, follow=True
    )
    assert "confirmed" in done.content.decode()
    debt.refresh_from_db()
    assert debt.settled_at is not None


def test_a_lost_race_keeps_what_was_typed(draft, cast, as_):
    url = reverse("post-mortem", args=[draft.pk])
    client = as_(cast.owner)
    writing.write(post_mortem=draft, version=1, lessons=[], by=cast.owner, timeline="Stands now.")
    page = client.post(url, form_of(draft, version=1, timeline="My own words."))
    text = page.content.decode()
    assert page.status_code == 409
    assert "My own words." in text
    assert "Stands now." in text
    assert 'name="version" value="2"' in text
    assert client.post(url, form_of(draft, version=2, timeline="My own words.")).status_code == 302


def test_junk_is_answered_not_crashed_on(draft, cast, as_):
    client = as_(cast.owner)
    url = reverse("post-mortem", args=[draft.pk])
    for junk in ("", "x", "-1", "9" * 30):
        assert client.post(url, form_of(draft, version=junk)).status_code == 409
        published = client.post(reverse("post-mortem-publish", args=[draft.pk]), {"version": junk})
        assert published.status_code == 409
    assert client.post(url, form_of(draft, found_layer="cellar")).status_code == 422
    wrong = client.post(url, form_of(draft, lesson_0_layer=""))
    assert wrong.status_code == 422
    assert LESSON["text"] in wrong.content.decode()


def test_a_confidential_case_shows_strangers_nothing(published, cast, as_):
    from governance.history import acting

    case = published.initiative
    with acting(system="test"):
        case.confidential = True
        case.save()
    assert as_(cast.outsider).get(reverse("lessons", args=[case.ref])).status_code == 404
    assert as_(cast.seat_risk).get(reverse("lessons", args=[case.ref])).status_code == 200


def test_the_page_of_an_idea_says_that_there_is_nothing_yet(cast, as_):
    case = factories.make_case(cast)
    assert "No lessons yet" in as_(cast.owner).get(reverse("lessons", args=[case.ref])).content.decode()
