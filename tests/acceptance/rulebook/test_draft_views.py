"""Drafts of the rulebook in the browser: copied, edited field by field, fixed, by two people at once, loaded."""

import pytest
from django.core.exceptions import ValidationError

from governance.models import Entry, Rulebook
from governance.permission_result import Conflict
from governance.rulebook import shipped_text
from governance.rulebook.editing import PARTS, read
from initiatives.models import RulebookDraft
from initiatives.portfolio.rulebook_changes import draft_actions
from tests.support import factories
from tests.support.rules.plain_rulebook import plain_text

pytestmark = pytest.mark.django_db
KEY = "mvp.problem"


@pytest.fixture
def shipped(cast) -> RulebookDraft:
    """A draft of the shipped rulebook."""
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="2026.3", by=cast.admin)


@pytest.fixture
def draft(cast) -> RulebookDraft:
    return draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="1.0", by=cast.admin)


def typed(page, **other) -> dict:
    """What the form on a page would send back, some of it typed over."""
    form = page.context["form"]
    found = {}
    for name in form.fields:
        value = form.fields[name].prepare_value(form.get_initial_for_field(form.fields[name], name))
        if value is not None and value is not False:
            found[name] = value
    return found | other


def test_a_copy_says_the_same_under_another_name(cast, as_):
    admin = as_(cast.admin)
    assert "No drafts yet" in admin.get("/rulebook-drafts/").content.decode()
    sent = {"base": "0.9", "version": "1.0"}
    page = admin.post("/rulebook-drafts/", sent, follow=True).content.decode()
    assert "Copied from 0.9." in page
    assert "No changes yet." in page
    draft = RulebookDraft.objects.get()
    assert draft.source == plain_text().replace('version = "0.9"', 'version = "1.0"')
    for version in ("0.9", "1.0", "a b", ""):
        again = admin.post("/rulebook-drafts/", sent | {"version": version})
        assert again.status_code == 200
        assert again.context["form"].errors["version"]


def test_every_part_opens_and_sent_back_as_it_is_changes_nothing(cast, as_, shipped):
    draft = shipped
    admin, text = as_(cast.admin), read(draft.source)
    places = [("freshness", "all"), ("levels", "all"), ("stages", "production"), ("gates", "mvp")]
    places += [("signatures", "sign_off")]
    places += [("criterion", text.raw["criterion"][n]["key"]) for n in (0, -1)]
    places += [("requirement", text.raw["requirement"][n]["key"]) for n in (0, 7, -1)]
    assert {part for part, _ in places} == set(PARTS)
    for part, key in places:
        address = f"/rulebook-drafts/{draft.pk}/edit/{part}/{key}/"
        page = admin.get(address)
        assert page.status_code == 200
        assert admin.post(address, typed(page)).status_code == 302, (part, key)
    draft.refresh_from_db()
    assert draft.number == 1
    assert admin.get(f"/rulebook-drafts/{draft.pk}/edit/requirement/nobody/").status_code == 404
    assert admin.get(f"/rulebook-drafts/{draft.pk}/edit/carry_forward/all/").status_code == 404


def test_who_signs_at_minimal_risk_is_chosen_by_form(cast, as_, shipped):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{shipped.pk}/edit/levels/all/"
    page, two = admin.get(address), ["risk_compliance", "service_operations"]
    alone = admin.post(address, typed(page, seats_minimal=two[:1])).content.decode()
    assert "Name two seats, or remove seats_minimal so that all seats sign." in alone
    assert admin.post(address, typed(page, seats_minimal=two)).status_code == 302
    shipped.refresh_from_db()
    assert read(shipped.source).raw["levels"]["seats_minimal"] == two


def test_how_strong_a_sign_off_must_be_is_chosen_by_form(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/edit/signatures/sign_off/"
    assert "Sign-off" in admin.get(f"/rulebook-drafts/{draft.pk}/").content.decode()
    page = admin.post(address, typed(admin.get(address), high="passkey"), follow=True).content.decode()
    assert "Sign-off at high risk: now passkey, before password" in page
    draft.refresh_from_db()
    assert read(draft.source).raw["signatures"] == {"sign_off": {"high": "passkey"}}
    assert admin.get(address.replace("/sign_off/", "/lunch/")).status_code == 404


def test_an_edit_stands_beside_what_is_in_force_and_in_the_history(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/edit/requirement/{KEY}/"
    page = admin.post(address, typed(admin.get(address), fresh_days=5, severity="advisory"), follow=True)
    text = page.content.decode()
    assert "now 5, before" in text
    draft.refresh_from_db()
    assert read(draft.source).value(("requirement", KEY, "fresh_days")) == 5
    assert draft.number == 2
    assert "now 5, before" in draft.said
    assert [row.number for row in draft.history.order_by("history_id")] == [1, 2]
    assert Entry.objects.acts().filter(kind="draft edited").count() == 1


def test_problems_are_told_at_their_field_with_the_way_to_fix_them(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/edit/gates/mvp/"
    page = admin.post(address, typed(admin.get(address), quorum=99, title="Kept words"))
    assert "Set it to" in page.context["form"].errors["quorum"][0]
    assert "Kept words" in page.content.decode()
    address = f"/rulebook-drafts/{draft.pk}/edit/requirement/{KEY}/"
    page = admin.post(address, typed(admin.get(address), evidence=[]))
    assert page.context["form"].errors["evidence"]
    draft.refresh_from_db()
    assert draft.number == 1


def test_two_people_do_not_overwrite_each_other(cast, as_, draft):
    """What is typed in other places is put together; in the same place the second is told what stands there."""
    one, other = as_(cast.admin), as_(cast.second_admin)
    address = f"/rulebook-drafts/{draft.pk}/edit/requirement/{KEY}/"
    first, second, third = one.get(address), other.get(address), other.get(address)
    one.post(address, typed(first, fresh_days=5))
    assert other.post(address, typed(second, why_fresh="Because.")).status_code == 302
    draft.refresh_from_db()
    text = read(draft.source)
    assert text.value(("requirement", KEY, "fresh_days")) == 5
    assert text.value(("requirement", KEY, "why_fresh")) == "Because."

    page = other.post(address, typed(third, fresh_days=9))
    assert page.status_code == 200
    assert "is now 5" in page.content.decode()
    draft.refresh_from_db()
    assert draft.number == 3
    again = typed(page)
    assert again["fresh_days"] == 9
    assert again["why_fresh"] == "Because."
    assert other.post(address, again).status_code == 302
    draft.refresh_from_db()
    assert read(draft.source).value(("requirement", KEY, "fresh_days")) == 9
    assert read(draft.source).value(("requirement", KEY, "why_fresh")) == "Because."


def test_a_whole_text_is_taken_when_it_is_sound_and_nobody_was_faster(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/text/"
    broken = draft.source.replace("quorum = 3", 'quorum = "three"')
    page = admin.post(address, {"text": broken, "based_on": 1})
    assert "Fix:" in page.content.decode()
    assert "quorum = &quot;three&quot;" in page.content.decode()
    sound = draft.source.replace("grace_days = ", "grace_days = 1")
    assert admin.post(address, {"text": sound, "based_on": 1}).status_code == 302
    late = admin.post(address, {"text": draft.source, "based_on": 1})
    assert late.status_code == 200
    assert "while you were editing" in late.content.decode()


def test_a_draft_becomes_a_version_once_as_it_was_seen(cast, as_, draft):
    draft_actions.edit_draft(
        draft=draft, values={("freshness", "grace_days"): 3}, based_on=1, by=cast.second_admin
    )
    admin = as_(cast.admin)
    assert admin.post(f"/rulebook-drafts/{draft.pk}/load/", {"based_on": "1"}).status_code == 409
    assert admin.post(f"/rulebook-drafts/{draft.pk}/load/", {"based_on": "2"}).url == "/rulebook/1.0/"
    loaded = Rulebook.objects.get(version="1.0")
    assert loaded.parsed.freshness.grace_days == 3
    assert not loaded.published
    with pytest.raises(Conflict):
        draft_actions.edit_draft(
            draft=draft, values={("freshness", "grace_days"): 4}, based_on=2, by=cast.admin
        )
    with pytest.raises(Conflict):
        draft_actions.drop_draft(draft=draft, by=cast.admin)
    with pytest.raises(ValidationError):
        draft_actions.copy_rulebook(base=loaded, version="1.0", by=cast.admin)


def test_a_dropped_draft_is_kept_and_no_longer_edited(cast, as_, draft):
    assert as_(cast.admin).post(f"/rulebook-drafts/{draft.pk}/drop/").status_code == 302
    assert "dropped" in as_(cast.chair).get(f"/rulebook-drafts/{draft.pk}/").content.decode()
    with pytest.raises(Conflict):
        draft_actions.edit_draft(
            draft=draft, values={("freshness", "grace_days"): 4}, based_on=1, by=cast.admin
        )
    # Its name is free again.
    draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="1.0", by=cast.admin)
