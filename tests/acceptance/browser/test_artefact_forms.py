"""Forms of kinds of evidence in a browser: what is asked follows the kind that is chosen, with scripts and without."""

import re

import pytest
from playwright.sync_api import expect

from tests.support import factories
from tests.support.browser.page_checks import trouble_in
from tests.support.initiatives.initiative_pages import at
from tests.support.rules.artefact_rules import GIVEN, with_forms

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db):
    """An organisation whose rulebook holds kinds to their form."""
    cast = factories.make_cast()
    factories.make_rulebook(cast.admin, cast.chair, with_forms())
    return cast


def test_what_is_asked_follows_the_kind(watch, cast):
    initiative = factories.make_initiative(cast)
    owner = watch.sign_in(cast.owner)
    page = owner.page
    wrong = []
    page.goto(at("evidence-add", initiative.ref))
    wrong += trouble_in(page, "evidence-kinds")
    expect(page.get_by_role("link", name="Open the drills")).to_be_visible()
    page.goto(at("evidence-add", initiative.ref, kind="test_report"))
    wrong += trouble_in(page, "evidence-test-report")
    owner.check(page.locator("input[name=covers][value='mvp.possibility']"))
    owner.type("Title", "Results of May")
    owner.upload("Results of May")
    for label, name in (("Data set", "data_set"), ("Number of examples", "n"), ("Metric", "metric")):
        owner.type(label, GIVEN["test_report"][name])
    owner.type("Result value", "0.80")
    owner.type("Threshold declared before", "0.85")
    owner.choose("Subject", "Quality of results")
    owner.choose("Good is", "The threshold or more")
    owner.choose("Result", "Pass")
    owner.choose("Test conditions", "Bounded real conditions")
    owner.press("Add the item")
    expect(page.locator("main")).to_contain_text("0.8 misses the threshold of 0.85")
    wrong += trouble_in(page, "evidence-refused")
    expect(page.get_by_label("Data set")).to_have_value(GIVEN["test_report"]["data_set"])
    owner.type("Result value", "0.91")
    owner.upload("Results of May")
    owner.press("Add the item")
    expect(page.locator("main")).to_contain_text("accuracy 0.91 against 0.85 declared")
    wrong += trouble_in(page, "evidence-item")
    # In a row that takes several kinds, the part of the chosen kind is unfolded.
    page.goto(at("requirement", initiative.ref, "prod.q11_expectations"))
    asked = page.get_by_label("Number of people")
    expect(asked).to_be_hidden()
    owner.choose("Kind of evidence", "User research")
    expect(asked).to_be_visible()
    wrong += trouble_in(page, "evidence-row")
    owner.choose("Kind of evidence", "Document")
    expect(asked).to_be_hidden()
    assert wrong == []


def test_without_scripts_each_part_can_be_unfolded(watch, cast):
    initiative = factories.make_initiative(cast)
    page = watch.sign_in(cast.owner, java_script_enabled=False).page
    page.goto(at("requirement", initiative.ref, "prod.q11_expectations"))
    page.locator("summary", has_text="User research: details").click()
    expect(page.get_by_label("Number of people")).to_be_visible()


def test_typing_into_a_list_of_people_replaces_who_stands_there(watch, cast):
    """A click into the field of a list selects the name in it, as the Tab key does."""
    page = watch.sign_in(cast.owner).page
    page.goto(at("register"))
    owner = page.locator("[data-picks=owner]")
    before = owner.input_value()
    assert before
    owner.click()
    page.keyboard.type(cast.chair.full_name[:3])
    assert before not in owner.input_value()
    page.keyboard.press("Tab")
    expect(owner).to_have_value(re.compile(re.escape(cast.chair.full_name)))
