"""The organisation changes, walked in a real browser: a merge of units, read before it is pressed."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from adoption.demo import life
from governance import clock, seals
from initiatives import actions
from tests import factories
from tests.browser.people import NARROW, WIDE

pytestmark = pytest.mark.django_db(transaction=True)

SHOTS = os.environ.get("PLUMBLINE_SHOTS")


AGE = timedelta(days=3)
# Without looking into style sheets by itself: the policy of the pages forbids axe to.
ASKED = {"resultTypes": ["violations"], "preload": False}


def look(person, name: str) -> None:
    """The open page has no violation that axe knows, in light and dark, and fits a phone; a picture where asked for."""
    page = person.page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        broken = Axe().run(page, options=ASKED).response["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in broken] == [], (
            name,
            scheme,
        )
        for size in (NARROW, WIDE) if SHOTS else ():
            page.set_viewport_size(size)
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}-{size['width']}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)
    person.fits_a_phone()


@pytest.fixture
def cast(transactional_db):
    """An organisation that is some days old, so that there is a day before."""
    with clock.simulated(clock.now() - AGE):
        return factories.make_cast()


def test_two_units_become_one(watch, cast):
    """An admin reads what a merge does and does it; the case says so, and the day before still shows the old tree."""
    with clock.simulated(clock.now() - AGE):
        case = factories.make_case(cast)
        life.parts(case, cast.team)
        life.ground_gate(case, "prototype", cast.team)
        review = actions.open_review(case=life.fresh(case), by=cast.owner)
        life.vote(review, "business_value", cast.seat_value)
    admin = watch.sign_in(cast.admin)
    page = admin.page
    page.goto("/admin/")
    page.get_by_role("link", name="Units", exact=True).first.click()
    page.get_by_role("link", name="Account management").click()
    page.get_by_role("link", name="Merge it into another").click()
    main = page.locator("#content")
    admin.choose("Into", "Logistics", main)
    admin.type("Why", "Two teams became one.", main)
    main.get_by_role("button", name="See what this changes").click()
    happens = page.get_by_role("region", name="What will happen")
    expect(happens).to_contain_text("1 vote given there no longer counts")
    expect(happens).to_contain_text("nobody can decide on it until a unit above it has a board")
    look(admin, "merge")
    main.get_by_role("button", name="Merge this unit").click()
    expect(page.locator(".messagelist")).to_contain_text("is merged")
    expect(main).to_contain_text("It was merged into Logistics.")
    seals.seal()
    owner = watch.sign_in(cast.owner)
    owner.page.goto(f"{case.get_absolute_url()}history/")
    told = "took the case along from Account management to Logistics"
    expect(owner.page.locator("main")).to_contain_text(told)
    auditor = watch.sign_in(cast.auditor)
    auditor.page.goto("/cases/")
    expect(auditor.page.locator("main table")).to_contain_text("Logistics")
    auditor.page.goto(f"/cases/?as_of={clock.today() - timedelta(days=1)}")
    expect(auditor.page.locator("main table")).to_contain_text("Account management")
