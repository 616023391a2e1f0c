"""Requirements of a draft by form: added, removed with what names them, asked at a tier or left out; by two at once."""

import contextlib

import pytest
from bs4 import BeautifulSoup

from governance.models import Entry, Rulebook
from governance.permission_result import Conflict, Refused
from governance.rulebook import RulebookErrors, parse, shipped_text
from governance.rulebook.editing import read, with_values
from governance.rulebook.requirement_editing import Asked, asked_of, without_requirement
from initiatives.models import Review, RulebookDraft
from initiatives.portfolio.rulebook_changes import draft_actions
from tests.support import factories
from tests.support.initiatives import rulebook_forecast
from tests.support.initiatives.open_reviews import signed_off
from tests.support.rules.plain_rulebook import plain_text
from tests.support.web.filled_forms import filled

pytestmark = pytest.mark.django_db
KEY = "prod.energy"
QUESTION = "How much energy does it take?"
TYPED = {
    "key": KEY,
    "question": QUESTION,
    "counts": "kWh a month, and how it was measured",
    "stage": "production",
    "group": "stage",
    "layer": "model",
    "asked_by": ["production.operational_acceptance", "production.test_governance"],
    "evidence": ["document", "telemetry"],
    "answered_by": "technical_lead",
    "severity": "blocking",
    "fresh_days": "365",
    "triggers": ["model_version"],
    "why_fresh": "annual figure",
    "level_minimal": "left out",
    "left_out_minimal": "too small to count",
    "level_limited": "documented",
    "level_high": "verified",
    "fate": "frozen_at_production",
}
ROW = {
    "key": KEY,
    "origin": "added",
    "stage": "production",
    "group": "stage",
    "layer": "model",
    "question": QUESTION,
    "counts": "kWh a month",
    "evidence": ["document"],
    "fresh_days": 365,
    "triggers": [],
    "why_fresh": "annual figure",
    "answered_by": "technical_lead",
    "severity": "blocking",
    "waivable": False,
    "level": {"limited": "documented", "high": "verified"},
    "left_out": {"minimal": "too small to count"},
}


@pytest.fixture
def draft(cast) -> RulebookDraft:
    """A draft of the shipped rulebook."""
    draft = draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="2026.3", by=cast.admin)
    source = shipped_text().replace('version = "1.0"', 'version = "2026.3"')
    return draft_actions.replace_draft(draft=draft, source=source, based_on=1, by=cast.admin)


def words(page) -> str:
    return " ".join(BeautifulSoup(page.content, "html.parser").get_text(" ").split())


def test_a_requirement_is_added_by_form_and_removed_again(cast, as_, draft):
    admin, before = as_(cast.admin), draft.source
    address = f"/rulebook-drafts/{draft.pk}/add/production/"
    page = admin.post(address, filled(admin.get(address)) | TYPED, follow=True)
    assert f"Added: “{QUESTION}”." in words(page)
    draft.refresh_from_db()
    assert draft.said == f"Added: “{QUESTION}” ({KEY})."
    rulebook = parse(draft.source)
    row = rulebook.requirements[KEY]
    assert (row.origin, row.fresh_days, row.waivable, row.evidence) == (
        "added",
        365,
        True,
        ("document", "telemetry"),
    )
    assert [asked_of(row, "production", tier) for tier in ("minimal", "limited", "high")] == [
        Asked("", "too small to count"),
        Asked("documented"),
        Asked("verified"),
    ]
    assert set(rulebook.seats_for(KEY, "production")) == {"service_operations", "risk_compliance"}
    assert KEY in rulebook.scale_items
    assert KEY in rulebook.carry.frozen["production"]
    table = words(page)
    assert f"{QUESTION} {KEY}" in table
    assert "left out, because too small to count" in table
    assert f"Governance, its items: added “{QUESTION}” ({KEY})." in table

    address = f"/rulebook-drafts/{draft.pk}/remove/{KEY}/"
    asked = words(admin.get(address))
    assert "(MVP to production, signed by Service operations) no longer depends on the requirement." in asked
    assert "The scale test governance has 9 items left." in asked
    assert "The requirement is removed from the list" in asked
    page = admin.post(address, {"based_on": draft.number}, follow=True)
    assert f"Removed: {KEY}." in words(page)
    draft.refresh_from_db()
    assert draft.source == before
    assert draft.number == 4
    said = [row.said.partition(":")[0] for row in draft.history.order_by("history_id")]
    assert said[-2:] == ["Added", "Removed"]
    assert Entry.objects.acts().filter(kind="draft edited").count() == 3


def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/add/production/"
    begun = filled(admin.get(address)) | TYPED
    for wrong, field, sentence in (
        ({"key": "Prod energy"}, "key", "a key is part of web addresses"),
        ({"key": "mvp.owner"}, "key", "This key belongs to"),
        ({"key": "proto.personal_data"}, "key", "the requirement proto.personal_data already exists"),
        ({"asked_by": []}, "asked_by", "Choose at least one"),
        ({"evidence": []}, "evidence", "at least one text"),
        ({"min_evidence": "log_sample"}, "min_evidence", "is not in the evidence"),
        ({"left_out_minimal": ""}, "left_out_minimal", "why this tier does not need it"),
        ({"left_out_high": "why not"}, "left_out_high", "This tier asks the requirement"),
        ({"fate": "ended_at_production"}, "fate", "cannot"),
    ):
        page = admin.post(address, begun | wrong)
        assert page.status_code == 200, wrong
        assert sentence in page.context["form"].errors[field][0], wrong
        assert "annual figure" in words(page) or "annual figure" in page.content.decode()
    draft.refresh_from_db()
    assert draft.number == 2


def test_five_answers_add_a_requirement(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/add/production/"
    page = admin.get(address)
    form = BeautifulSoup(page.content, "html.parser").select_one("form:has([name=based_on])")
    asked = {field["name"] for field in form.select("[name]:not([type=hidden]):not(details *)")}
    tiers = {f"{name}_{tier}" for name in ("level", "left_out") for tier in ("minimal", "limited", "high")}
    five = {"question", "counts", "answered_by", "asked_by"}
    assert asked == five | tiers
    typed = {name: value for name, value in TYPED.items() if name in five | tiers}
    assert "Added" in words(admin.post(address, filled(page) | typed, follow=True))
    row = parse(RulebookDraft.objects.get().source).requirements["prod.much_energy_does"]
    assert (row.evidence, row.fresh_days, row.layer) == (("document", "test_report"), 365, "policy")


def test_a_question_asked_twice_has_two_names_and_a_wrong_folded_field_is_shown(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/add/production/"
    for key in ("prod.much_energy_does", "prod.much_energy_does_2"):
        begun = filled(admin.get(address)) | TYPED | {"key": "", "fate": ""}
        assert admin.post(address, begun).status_code == 302
        assert key in parse(RulebookDraft.objects.get().source).requirements
    page = BeautifulSoup(admin.post(address, begun | {"fresh_days": "-1"}).content, "html.parser")
    assert page.select_one("form details[open] [name=fresh_days]")


def test_copying_one_begins_with_what_it_says(cast, as_, draft):
    admin = as_(cast.admin)
    page = admin.get(f"/rulebook-drafts/{draft.pk}/add/mvp/?like=int.definitions")
    sent = filled(page)
    assert sent["key"] == ""
    assert sent["answered_by"] == "data_steward"
    assert sent["level_at_mvp_limited"] == "documented"
    assert sent["asked_by"] == ["mvp.data_reality"]
    assert (
        admin.post(
            f"/rulebook-drafts/{draft.pk}/add/mvp/", sent | {"key": "int.twice", "fate": ""}
        ).status_code
        == 302
    )
    draft.refresh_from_db()
    text = read(draft.source)
    old, new = (text.row("requirement", key) for key in ("int.definitions", "int.twice"))
    assert {name for name in old if old[name] != new.get(name)} == {"key", "origin", "crosswalk"}


def test_a_tiers_whole_list_is_edited_at_once(cast, as_, draft):
    admin = as_(cast.admin)
    address = f"/rulebook-drafts/{draft.pk}/asked/mvp/limited/"
    page = admin.get(address)
    changes = {
        "level-mvp.users": "verified",
        "level-int.definitions": "verified",
        "level-mvp.observability": "left out",
        "why-mvp.observability": "seen by its users",
    }
    page = admin.post(address, filled(page) | changes, follow=True)
    assert "Saved:" in words(page)
    draft.refresh_from_db()
    rulebook = parse(draft.source)
    assert asked_of(rulebook.requirements["mvp.users"], "mvp", "limited") == Asked("verified")
    assert asked_of(rulebook.requirements["mvp.observability"], "mvp", "limited") == Asked(
        "", "seen by its users"
    )
    assert rulebook.requirements["int.definitions"].level_for("limited", "mvp") == "verified"
    # Sent back as it is, nothing changes; what is left out needs a reason, and a scale test three items.
    admin.post(address, filled(admin.get(address)))
    assert RulebookDraft.objects.get().number == 3
    page = admin.post(address, filled(admin.get(address)) | {"level-mvp.owner": "left out"})
    assert "Explain in one sentence why" in page.context["form"].errors["why-mvp.owner"][0]
    address = f"/rulebook-drafts/{draft.pk}/asked/production/minimal/"
    out = {f"level-{key}": "left out" for key in ("int.fallback", "int.residency")}
    reasons = {f"why-{key}": "no link" for key in ("int.fallback", "int.residency")}
    page = admin.post(address, filled(admin.get(address)) | out | reasons)
    assert "the scale test integration has 2 items at minimal risk, but needs 3" in words(page)
    assert RulebookDraft.objects.get().number == 3
    for wrong in ("asked/mvp/huge", "asked/nowhere/high", "add/stop", "add/nowhere", "remove/nobody.asks"):
        assert admin.get(f"/rulebook-drafts/{draft.pk}/{wrong}/").status_code == 404


def test_two_people_do_not_overwrite_each_other(cast, as_, draft):
    """Other requirements, or another tier of the same: put together. The same place: told, and what was typed stays."""
    one, other = as_(cast.admin), as_(cast.second_admin)
    address = f"/rulebook-drafts/{draft.pk}/asked/mvp/limited/"
    first, second, third = (filled(admin.get(address)) for admin in (one, other, other))
    assert one.post(address, first | {"level-mvp.users": "verified"}).status_code == 302
    assert other.post(address, second | {"level-mvp.risk": "verified"}).status_code == 302
    high = f"/rulebook-drafts/{draft.pk}/asked/mvp/high/"
    assert other.post(high, filled(other.get(high)) | {"level-mvp.users": "documented"}).status_code == 302
    draft_actions.remove_requirement(draft=draft, key="mvp.workflow", based_on=2, by=cast.admin)
    row = parse(RulebookDraft.objects.get().source).requirements["mvp.users"]
    assert [row.level[tier] for tier in ("minimal", "limited", "high")] == [
        "documented",
        "verified",
        "documented",
    ]

    typed = {
        "level-mvp.users": "stated",
        "level-mvp.workflow": "stated",
        "level-mvp.owner": "left out",
        "why-mvp.owner": "nobody knows",
    }
    page = other.post(address, third | typed)
    assert page.status_code == 200
    assert "mvp.workflow is no longer in the draft." in words(page)
    page = other.post(address, filled(page))
    assert page.status_code == 302
    rulebook = parse(RulebookDraft.objects.get().source)
    assert asked_of(rulebook.requirements["mvp.users"], "mvp", "limited") == Asked("stated")
    assert asked_of(rulebook.requirements["mvp.owner"], "mvp", "limited") == Asked("", "nobody knows")
    assert asked_of(rulebook.requirements["mvp.risk"], "mvp", "limited") == Asked("verified")


def test_the_same_level_changed_by_two_is_told(cast, as_, draft):
    address = f"/rulebook-drafts/{draft.pk}/asked/mvp/limited/"
    admin, other = as_(cast.admin), as_(cast.second_admin)
    late = filled(other.get(address)) | {"level-mvp.users": "stated"}
    admin.post(address, filled(admin.get(address)) | {"level-mvp.users": "verified"})
    page = other.post(address, late)
    assert "Mvp.users, required level, limited is now verified." in words(page)
    assert filled(page)["level-mvp.users"] == "stated"
    assert RulebookDraft.objects.get().number == 3


def test_one_requirement_is_edited_with_its_tiers(cast, as_, draft):
    admin = as_(cast.admin)
    address = f"/rulebook-drafts/{draft.pk}/edit/requirement/int.definitions/"
    changes = {
        "level_minimal": "stated",
        "level_at_mvp_limited": "",
        "level_at_mvp_high": "documented",
        "ways": ["agreement"],
        "left_out_minimal": "",
    }
    sent = {
        name: value for name, value in (filled(admin.get(address)) | changes).items() if name != "of_register"
    }
    assert admin.post(address, sent).status_code == 302
    draft.refresh_from_db()
    row = read(draft.source).row("requirement", "int.definitions")
    assert row["level"] == {"minimal": "stated", "limited": "verified", "high": "verified"}
    assert row["level_at_mvp"] == {"high": "documented"}
    assert row["ways"] == ["agreement"]
    assert not {"left_out", "of_register"} & set(row)
    assert admin.post(address, filled(admin.get(address))).status_code == 302
    assert RulebookDraft.objects.get().number == 3


def test_a_seats_duty_is_ticked_off_and_chosen(cast, as_, draft):
    admin = as_(cast.admin)
    address = f"/rulebook-drafts/{draft.pk}/edit/criterion/mvp.real_use_case/"
    changes = {"requirements": ["mvp.problem"], "more": "mvp.users", "seat": "adoption_change"}
    assert admin.post(address, filled(admin.get(address)) | changes).status_code == 302
    draft.refresh_from_db()
    criterion = parse(draft.source).criteria["mvp.real_use_case"]
    assert criterion.requirements == ("mvp.problem", "mvp.users")
    assert criterion.seat == "adoption_change"
    assert "Requirements that no gate asks (1)" in words(admin.get(f"/rulebook-drafts/{draft.pk}/"))
    page = admin.post(address, filled(admin.get(address)) | {"requirements": []})
    assert "has no requirements" in words(page)
    # The items of a scale test are what its criterion asks.
    address = f"/rulebook-drafts/{draft.pk}/edit/criterion/production.test_adoption/"
    assert admin.post(address, filled(admin.get(address)) | {"more": KEY}).status_code == 200
    assert admin.post(address, filled(admin.get(address)) | {"more": "mvp.users"}).status_code == 302
    draft.refresh_from_db()
    assert "mvp.users" in parse(draft.source).scale_tests["adoption"].items
    page = admin.post(
        address, filled(admin.get(address)) | {"requirements": ["adopt.usage", "adopt.explains"]}
    )
    assert "but needs 3" in page.context["form"].errors["requirements"][0]
    # A seat that must sign keeps a criterion.
    address = f"/rulebook-drafts/{draft.pk}/edit/criterion/mvp.contract_first/"
    admin.post(address, filled(admin.get(address)) | {"seat": "adoption_change"})
    address = f"/rulebook-drafts/{draft.pk}/edit/criterion/mvp.rollout_bounded/"
    page = admin.post(address, filled(admin.get(address)) | {"seat": "adoption_change"})
    assert "must sign but has no criterion" in page.context["form"].errors["seat"][0]


def test_what_something_rests_on_does_not_go(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/remove/int.systems_owned/"
    for page in (admin.get(address), admin.post(address, {"based_on": "2"})):
        assert "has no other requirement" in words(page)
        assert "Remove it" not in words(page)
    with pytest.raises(RulebookErrors):
        draft_actions.remove_requirement(draft=draft, key="int.systems_owned", based_on=2, by=cast.admin)
    assert RulebookDraft.objects.get().number == 2


def test_a_removal_is_of_what_was_seen(cast, as_, draft):
    """What somebody changed of it since is told first; what they changed elsewhere does not matter."""
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/remove/mvp.users/"
    draft_actions.edit_draft(
        draft=draft,
        values={("requirement", "mvp.users", "fresh_days"): 7, ("freshness", "grace_days"): 3},
        based_on=2,
        by=cast.second_admin,
    )
    page = admin.post(address, {"based_on": "2"})
    assert page.status_code == 200
    assert "Mvp.users, number of days for which the evidence is current is now 7." in words(page)
    draft_actions.edit_draft(
        draft=draft,
        values={("criterion", "mvp.real_use_case", "requirements"): ["mvp.problem", "mvp.users"]},
        based_on=3,
        by=cast.second_admin,
    )
    page = admin.post(address, {"based_on": "3"})
    assert "The criterion mvp.real use case now names it." in words(page)
    draft_actions.edit_draft(
        draft=draft, values={("freshness", "grace_days"): 4}, based_on=4, by=cast.second_admin
    )
    assert admin.post(address, {"based_on": "4"}).status_code == 302
    with pytest.raises(Conflict):
        draft_actions.remove_requirement(draft=draft, key="mvp.users", based_on=6, by=cast.admin)
    assert admin.post(address, {"based_on": "6"}).status_code == 409


def test_what_is_typed_into_a_requirement_that_somebody_removed_can_be_added_again(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/edit/requirement/mvp.users/"
    unchanged = filled(admin.get(address))
    begun = unchanged | {"question": "Who uses it, by name?", "fresh_days": "31"}
    draft_actions.remove_requirement(draft=draft, key="mvp.users", based_on=2, by=cast.second_admin)
    # Also where nothing stood in the one field that was filled in.
    page = admin.post(address, unchanged | {"grace_days": "5"})
    assert "mvp.users is no longer in the draft." in words(page)
    assert filled(page)["grace_days"] == "5"
    page = admin.post(address, begun)
    assert page.status_code == 200
    assert "mvp.users is no longer in the draft." in words(page)
    sent = filled(page)
    assert (sent["key"], sent["question"], sent["fresh_days"]) == ("mvp.users", "Who uses it, by name?", "31")
    page = admin.post(f"/rulebook-drafts/{draft.pk}/add/mvp/", sent)
    assert "Choose another key" in page.context["form"].errors["key"][0]
    assert admin.post(f"/rulebook-drafts/{draft.pk}/add/mvp/", sent | {"key": "mvp.names"}).status_code == 302


def test_two_add_under_one_key(cast, as_, draft):
    admin, address = as_(cast.admin), f"/rulebook-drafts/{draft.pk}/add/production/"
    begun = filled(admin.get(address)) | TYPED
    other = ROW | {"question": "What does it cost?"}
    draft_actions.add_requirement(
        draft=draft, row=other, asked_by=["production.model_current"], based_on=2, by=cast.second_admin
    )
    page = admin.post(address, begun)
    assert "Prod.energy is now What does it cost?." in words(page)
    sent = filled(page)
    assert sent["question"] == QUESTION
    assert sent["level_minimal"] == "left out"
    assert admin.post(address, sent | {"key": "prod.power"}).status_code == 302
    rulebook = parse(RulebookDraft.objects.get().source)
    assert (rulebook.requirements[KEY].question, rulebook.requirements["prod.power"].question) == (
        "What does it cost?",
        QUESTION,
    )


def test_only_admins_and_only_while_it_is_worked_on(cast, draft):
    for act in (
        lambda by: draft_actions.add_requirement(draft=draft, row=ROW, asked_by=[], based_on=2, by=by),
        lambda by: draft_actions.remove_requirement(draft=draft, key="mvp.users", based_on=2, by=by),
    ):
        with pytest.raises(Refused):
            act(cast.chair)
    draft_actions.drop_draft(draft=draft, by=cast.admin)
    with pytest.raises(Conflict):
        draft_actions.add_requirement(draft=draft, row=ROW, asked_by=[], based_on=2, by=cast.admin)
    with pytest.raises(Conflict):
        draft_actions.remove_requirement(draft=draft, key="mvp.users", based_on=2, by=cast.admin)


def test_a_requirement_added_by_form_does_what_was_foretold(cast, as_, draft):
    """Added, left out and removed by form; forecast; published: every initiative, gap, obligation and sign-off as
    foretold.
    """
    factories.make_production(cast, title="Runs")
    factories.make_mvp(cast, title="Bounded")
    signed_off(cast)
    admin, start = (
        as_(cast.admin),
        draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="2026.5", by=cast.admin),
    )
    address = f"/rulebook-drafts/{start.pk}/add/production/"
    typed = {name: value for name, value in TYPED.items() if not name.startswith(("level_", "left_out_"))}
    assert admin.post(address, filled(admin.get(address)) | typed | {"fate": ""}).status_code == 302
    for key in ("mvp.users", "mvp.rollout"):
        number = RulebookDraft.objects.get(pk=start.pk).number
        assert (
            admin.post(f"/rulebook-drafts/{start.pk}/remove/{key}/", {"based_on": number}).status_code == 302
        )
    source = RulebookDraft.objects.get(pk=start.pk).source
    forecast, told = rulebook_forecast.foretold(source, cast.admin)
    assert forecast.totals["lose"] == 1
    came = rulebook_forecast.happened(source, cast.admin, cast.chair)
    assert rulebook_forecast.differences(told, came) == []


@pytest.mark.parametrize("source", [plain_text, shipped_text])
def test_cases_live_on_under_a_rulebook_without_whatever_can_go(cast, as_, source):
    """Every requirement that nothing needs is removed and the rest published: pages open, forecasts come true."""
    running = factories.make_production(cast, title="Runs")
    bounded = factories.make_mvp(cast, title="Bounded")
    signed_off(cast)
    text = with_values(read(source()), {("version",): "2026.9"})
    gone = []
    for row in text.raw["requirement"]:
        with contextlib.suppress(RulebookErrors):
            text = without_requirement(text, row["key"])
            gone.append(row["key"])
    assert len(gone) > 20
    _, told = rulebook_forecast.foretold(text.source, cast.admin)
    came = rulebook_forecast.happened(text.source, cast.admin, cast.chair)
    assert rulebook_forecast.differences(told, came) == []
    factories.make_rulebook(cast.admin, cast.chair, source=text.source)
    owner, chair = as_(cast.owner), as_(cast.chair)
    pages = ["", "requirements/", "contract/", "integration/", "adoption/", "deployments/", "activity/"]
    for initiative in (running, bounded):
        for page in pages:
            assert owner.get(f"{initiative.get_absolute_url()}{page}").status_code == 200, page
    for page in ("/", "/initiatives/", "/ideas/", "/rulebook/", "/insights/", "/reviews/"):
        assert chair.get(page).status_code == 200, page
    for review in Review.objects.all():
        assert chair.get(review.get_absolute_url()).status_code == 200


def test_pages_of_a_draft_ask_the_database_little(cast, as_, draft, django_assert_max_num_queries):
    """However many requirements there are: what is asked comes from the text."""
    admin = as_(cast.admin)
    admin.get(f"/rulebook-drafts/{draft.pk}/")  # what is kept between requests is there
    for page in ("", "asked/production/high/", "add/production/", "remove/mvp.users/"):
        with django_assert_max_num_queries(9):
            assert admin.get(f"/rulebook-drafts/{draft.pk}/{page}").status_code == 200
