"""Waivers on the page: only what the rulebook allows, asked by the owner, agreed to by two."""

from dataclasses import replace
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Rulebook
from governance.models.audit_log import Entry
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements import waivers
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Waiver
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db
KEY = "mvp.workflow_known"


def words(response) -> str:
    main = BeautifulSoup(response.content, "html.parser").find("main")
    return " ".join(main.get_text(" ").split())


def in_days(days: int) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()


def test_a_waiver_is_asked_for_agreed_to_by_two_and_runs(cast, as_):
    initiative = factories.make_prototype(cast)
    url = reverse("waivers", args=[initiative.ref])
    owner = as_(cast.owner)
    asked = {"key": KEY, "reason": "The map is drawn next month.", "until": in_days(30)}
    assert owner.post(url, asked).status_code == 302
    row = Waiver.objects.get()
    agree, refuse = (reverse("row-act", args=["waivers", row.pk, verb]) for verb in ("agree", "refuse"))
    page = words(as_(cast.chair).get(url))
    assert "Agree as chair" in page
    assert "Still needed: the chair and the risk seat." in page
    assert "Agree as risk seat" in words(as_(cast.seat_risk).get(url))
    assert "Agree as" not in words(owner.get(url))
    assert "Agree as" not in words(as_(cast.seat_value).get(url))
    for person in (cast.owner, cast.seat_value):
        assert as_(person).post(agree, SIGNED).status_code == 403
        assert Entry.objects.acts().filter(kind="refused", actor_id=person.pk).exists()
    assert "The agreement takes effect when others have agreed too" in words(as_(cast.chair).get(agree))
    assert as_(cast.chair).post(agree, SIGNED).status_code == 302
    assert as_(cast.chair).post(agree, SIGNED).status_code == 403
    assert "The waiver starts now" in words(as_(cast.seat_risk).get(agree))
    assert as_(cast.seat_risk).post(agree, SIGNED).status_code == 302
    page = words(owner.get(url))
    assert "Elena Novak agreed as chair. Ines Okafor agreed as risk seat." in page
    assert as_(cast.chair).post(refuse, {"reason": ""} | SIGNED).status_code == 409
    assert as_(cast.outsider).get(url).status_code == 404
    assert as_(cast.outsider).post(agree, SIGNED).status_code == 404


def test_only_what_can_be_waived_is_offered_or_taken(cast, as_):
    initiative = factories.make_prototype(cast)
    url = reverse("waivers", args=[initiative.ref])
    page = BeautifulSoup(as_(cast.owner).get(f"{url}?key={KEY}").content, "html.parser")
    offered = {option["value"] for option in page.select("select[name=key] option")}
    assert KEY in offered
    assert "mvp.named_owner" not in offered
    assert "mvp.contract_first" not in offered
    assert page.select_one("select[name=key] option[selected]")["value"] == KEY
    wrong = as_(cast.owner).post(url, {"key": "mvp.named_owner", "reason": "No.", "until": in_days(9)})
    assert wrong.status_code == 200
    assert not Waiver.objects.exists()
    late = as_(cast.owner).post(url, {"key": KEY, "reason": "Words kept.", "until": in_days(91)})
    assert "Choose a day after today, and at the latest" in words(late)
    assert "Words kept." in late.content.decode()


def test_an_mvp_is_offered_what_is_open_for_its_stage_and_the_next_gate(cast, as_):
    initiative = factories.make_mvp(cast)
    url, rulebook = reverse("waivers", args=[initiative.ref]), Rulebook.objects.current().parsed

    def offered() -> dict[str, set[str]]:
        page = BeautifulSoup(as_(cast.owner).get(url).content, "html.parser")
        return {
            group["label"]: {option["value"] for option in group.select("option")}
            for group in page.select("select[name=key] optgroup")
        }

    assert list(offered()) == ["Open for MVP to production"], "what the MVP asks is there"
    prototype = rulebook.gates["prototype"].requirements()
    assert not offered()["Open for MVP to production"] & {*prototype, "prototype.selected"}
    requirement_actions.answer(
        initiative=initiative, requirement="mvp.users", kind="no", text="They left.", by=cast.owner
    )
    assert offered()["Open for MVP"] == {"mvp.users", "mvp.workflow_known"}, "what is met is not waived"


def test_only_the_owner_asks(cast, as_):
    initiative = factories.make_prototype(cast)
    url = reverse("waivers", args=[initiative.ref])
    assert "Ask for a waiver" not in words(as_(cast.chair).get(url))
    assert as_(cast.chair).post(url, {}).status_code == 403
    assert Entry.objects.acts().filter(kind="refused", actor_id=cast.chair.pk).exists()


def test_no_initiative_carries_more_waivers_than_the_rulebook_allows(cast, monkeypatch):
    initiative = factories.make_prototype(cast)
    rulebook = replace(Rulebook.objects.current().parsed, waivers_max=3)
    monkeypatch.setattr(waivers, "_rulebook", lambda: rulebook)
    *first, last = ("mvp.rollout", "mvp.override", "mvp.users", "mvp.expectations")
    until = clock.today() + timedelta(days=30)
    for key in first:
        WAIVERS.ask(initiative, key=key, reason="Shown next month.", until=until, by=cast.owner)
    with pytest.raises(ValidationError, match="The initiative already has 3 waivers"):
        WAIVERS.ask(initiative, key=last, reason="Shown next month.", until=until, by=cast.owner)


def test_no_pair_of_waivers_covers_a_requirement_twice_in_a_row(cast):
    """Every criterion and requirement of the rulebook that can be waived, in both directions (consents, C5)."""
    initiative, rulebook = factories.make_prototype(cast), Rulebook.objects.current().parsed
    until = clock.today() + timedelta(days=30)
    keys = [key for key in rulebook.criteria if rulebook.waivable_criterion(key)]
    keys += [key for key in rulebook.requirements if rulebook.waivable_requirement(key)]
    pairs = 0
    for first in keys:
        with transaction.atomic():
            WAIVERS.ask(initiative, key=first, reason="Next month.", until=until, by=cast.owner)
            for second in keys:
                both = waivers.covered(rulebook, first) & waivers.covered(rulebook, second)
                if second != first and (both or second == keys[0]):
                    asked = Waiver(initiative=initiative, key=second, until=until)
                    assert ("key" in waivers._wrong(asked)) == bool(both), (first, second)
                    pairs += bool(both)
            transaction.set_rollback(True)
    assert pairs >= 16


def test_a_waiver_that_ended_is_followed_by_none_for_as_long_as_one_may_run(cast):
    initiative = factories.make_prototype(cast)
    until = clock.today() + timedelta(days=30)
    row = WAIVERS.ask(initiative, key=KEY, reason="Next month.", until=until, by=cast.owner)
    for person in (cast.chair, cast.seat_risk):
        WAIVERS.agree(row=row, by=person)
    (part, *_) = Rulebook.objects.current().parsed.criteria[KEY].requirements
    for days, free in ((29, False), (31 + 89, False), (31 + 90, True)):
        with clock.simulated(clock.now() + timedelta(days=days)):
            later = clock.today() + timedelta(days=9)
            wrong = waivers._wrong(Waiver(initiative=initiative, key=part, until=later))
            assert ("key" not in wrong) == free, days


def test_a_refused_request_is_kept(cast, as_):
    initiative = factories.make_prototype(cast)
    row = WAIVERS.ask(
        initiative, key=KEY, reason="Later.", until=clock.today() + timedelta(days=9), by=cast.owner
    )
    refuse = reverse("row-act", args=["waivers", row.pk, "refuse"])
    assert as_(cast.owner).post(refuse, {"reason": ""} | SIGNED).status_code == 403
    assert as_(cast.seat_risk).post(refuse, {"reason": "Show it."} | SIGNED).status_code == 302
    assert "Refused by Ines Okafor" in words(as_(cast.owner).get(reverse("waivers", args=[initiative.ref])))


def test_criteria_that_cannot_be_waived_have_no_button(cast, as_):
    initiative = initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)
    initiative_acts.staff(initiative, cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    page = BeautifulSoup(as_(cast.owner).get(review.get_absolute_url()).content, "html.parser")
    assert "Ask for a waiver" in page.find(id=KEY).get_text()
    assert "Ask for a waiver" not in page.find(id="mvp.rollout_bounded").get_text()
    assert (
        "Ask for a waiver"
        not in BeautifulSoup(as_(cast.chair).get(review.get_absolute_url()).content, "html.parser")
        .find(id=KEY)
        .get_text()
    )
