"""Drafts of the rulebook in the browser: copied, edited as a text, fixed, by two people at once, loaded."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.models import Entry, Rulebook
from governance.permission_result import Conflict
from initiatives.models import RulebookDraft
from initiatives.portfolio.rulebook_changes import draft_actions
from tests.support.rules.plain_rulebook import plain_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(cast) -> RulebookDraft:
    return draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="1.0", by=cast.admin)


def edited(draft, days: int, *, by, based_on: int) -> RulebookDraft:
    """The draft with another number of days of grace."""
    source = re.sub(r"(?m)^grace_days = .*$", f"grace_days = {days}", draft.source, count=1)
    return draft_actions.replace_draft(draft=draft, source=source, based_on=based_on, by=by)


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


def test_an_edit_stands_beside_what_is_in_force_and_in_the_history(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/text/"
    source = draft.source.replace("sign_off_max_age_days = 45", "sign_off_max_age_days = 30")
    page = admin.post(address, {"text": source, "based_on": 1}, follow=True).content.decode()
    assert "Number of days for which a signature counts: now 30, before 45." in page
    draft.refresh_from_db()
    assert draft.source == source
    assert draft.number == 2
    assert "now 30, before 45" in draft.said
    assert [row.number for row in draft.history.order_by("history_id")] == [1, 2]
    assert Entry.objects.acts().filter(kind="draft edited").count() == 1


def test_a_file_replaces_the_text(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/text/"
    source = draft.source.replace("sign_off_max_age_days = 45", "sign_off_max_age_days = 30")
    file = SimpleUploadedFile("rulebook.toml", source.encode())
    assert admin.post(address, {"file": file, "based_on": 1}).status_code == 302
    draft.refresh_from_db()
    assert draft.source == source


def test_a_whole_text_is_taken_when_it_is_sound_and_nobody_was_faster(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/text/"
    broken = draft.source.replace("quorum = 3", 'quorum = "three"')
    page = admin.post(address, {"text": broken, "based_on": 1})
    assert "Fix:" in page.content.decode()
    number = broken[: broken.index('quorum = "three"')].count("\n") + 1
    assert f"line {number} (" in page.content.decode()
    assert "quorum = &quot;three&quot;" in page.content.decode()
    sound = draft.source.replace("grace_days = ", "grace_days = 1")
    assert admin.post(address, {"text": sound, "based_on": 1}).status_code == 302
    late = admin.post(address, {"text": draft.source, "based_on": 1})
    assert late.status_code == 200
    assert "while you were editing" in late.content.decode()
    assert late.context["form"].data["text"] == draft.source, "what was typed is kept"
    assert admin.post(address, {"text": draft.source, "based_on": 2}).status_code == 302


def test_a_draft_becomes_a_version_once_as_it_was_seen(cast, as_, draft):
    draft = edited(draft, 3, by=cast.second_admin, based_on=1)
    admin = as_(cast.admin)
    assert admin.post(f"/rulebook-drafts/{draft.pk}/load/", {"based_on": "1"}).status_code == 409
    assert admin.post(f"/rulebook-drafts/{draft.pk}/load/", {"based_on": "2"}).url == "/rulebook/1.0/"
    loaded = Rulebook.objects.get(version="1.0")
    assert loaded.parsed.freshness.grace_days == 3
    assert not loaded.published
    with pytest.raises(Conflict):
        edited(draft, 4, by=cast.admin, based_on=2)
    with pytest.raises(Conflict):
        draft_actions.drop_draft(draft=draft, by=cast.admin)
    with pytest.raises(ValidationError):
        draft_actions.copy_rulebook(base=loaded, version="1.0", by=cast.admin)


def test_a_dropped_draft_is_kept_and_no_longer_edited(cast, as_, draft):
    assert as_(cast.admin).post(f"/rulebook-drafts/{draft.pk}/drop/").status_code == 302
    assert "dropped" in as_(cast.chair).get(f"/rulebook-drafts/{draft.pk}/").content.decode()
    with pytest.raises(Conflict):
        edited(draft, 4, by=cast.admin, based_on=1)
    # Its name is free again.
    draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="1.0", by=cast.admin)
