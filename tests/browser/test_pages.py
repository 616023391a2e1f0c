"""Every main page in a real browser: read by axe in light and dark, measured at 390 pixels; and all of it unscripted.

With PLUMBLINE_SHOTS=folder each page is also saved as a picture: light and dark, 1280 and 390 pixels wide.
"""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.uploadedfile import SimpleUploadedFile
from playwright.sync_api import expect

from adoption.demo import life
from governance import asof, clock, samples, seals
from governance.audit import Search
from governance.views.asof import Day
from initiatives import actions
from tests import factories
from tests.browser.people import NARROW, OVERFLOW, WIDE

pytestmark = pytest.mark.django_db(transaction=True)

SHOTS = os.environ.get("PLUMBLINE_SHOTS")
TITLE = "Customer summary assistant"
# Dark changes colours and nothing else, so there axe is asked about those alone.
ASKED = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": ["cat.color"]}},
}


@pytest.fixture
def review(cast):
    """A trial before its production gate: everything proved, five seats have signed, the value seat has not."""
    case = factories.make_mvp(cast)
    life.ground_gate(case, "production", cast.team)
    review = actions.open_review(case=life.fresh(case), by=cast.owner)
    life.votes(review, cast.team, [seat for seat in cast.seats if seat != "business_value"])
    return review


def test_every_main_page_is_sound(watch, cast, review, settings):
    """No violation that axe knows, in light and in dark, and no page that scrolls sideways on a phone."""
    settings.DEBUG = True  # shows the styleguide
    case = f"/cases/{review.initiative.ref}/"
    item = review.initiative.evidence.filter(kind="document").first()
    table = actions.add_evidence(
        case=review.initiative,
        kind="log_sample",
        title="A day of its log",
        observed_on=clock.today(),
        covers=["mvp.observability"],
        result="pass",
        file=SimpleUploadedFile("day.csv", b"When,Asked by,Answer\n09:12,Dana,Summary of four notes\n"),
        by=cast.owner,
    )
    found = inspect(
        watch.page(),
        {"sign-in": "/sign-in/", "forgotten": "/password/forgotten/", "styleguide": "/styleguide/"},
    )
    settings.DEBUG = False
    seals.seal()
    then = Day.of(asof.known_until().replace(microsecond=0)).asked
    found += inspect(
        watch.sign_in(cast.owner).page,
        {
            "desk": "/",
            "portfolio": "/cases/",
            "board": "/cases/?view=board",
            "pictures": "/cases/pictures/",
            "register": "/cases/register/",
            "case": case,
            "checklist": f"{case}checklist/",
            "row": f"{case}checklist/gov.impact/",
            "declaration": f"{case}declaration/",
            "evidence": f"{case}evidence/",
            "evidence-add": f"{case}evidence/add/?kind=document",
            "evidence-item": f"{case}evidence/{item.pk}/",
            "evidence-look": f"{case}evidence/{table.pk}/look/",
            "contract": f"{case}contract/",
            "contract-edit": f"{case}contract/edit/",
            "people": f"{case}people/",
            "running": f"{case}running/",
            "notes": f"{case}notes/",
            "by-judgement": f"{case}?by=judgement",
            "waivers": f"{case}waivers/",
            "lessons": f"{case}lessons/",
            "history": f"{case}history/",
            "compare": f"{case}compare/",
            "as-of": f"{case}?as_of={then}",
            "reviews": "/reviews/",
            "rulebook": "/rulebook/",
            "rulebook-changes": "/rulebook/2026.1/changes/",
            "decisions": "/decisions/",
            "notices": "/notices/",
            "help": "/help/",
            "settings": "/settings/",
            "search": "/search/?q=c",
            "search-found": "/search/?q=cust+ma",
            "search-all": "/search/?q=lindq",
            "search-evidence": f"/search/?q={item.title.split()[0]}&in=evidence",
        },
    )
    of_review = f"/reviews/{review.pk}/"
    found += inspect(
        watch.sign_in(cast.seat_value).page,
        {"review": of_review, "sign": f"{of_review}sign/business_value/"},
    )
    idea = factories.make_case(cast, title="Invoice matching")
    found += inspect(
        watch.sign_in(cast.chair).page, {"decide": f"{of_review}decide/", "ideas": f"/ideas/?case={idea.ref}"}
    )
    found += inspect(
        watch.sign_in(cast.admin).page,
        {
            "imports": "/imports/",
            "accounts": "/accounts/",
            "accounts-add": "/accounts/add/",
            "status": "/status/",
            "account": "/account/",
            "account-password": "/account/password/",
            "desk-admin": "/",
        },
    )
    seals.seal()
    votes = Search(kind="signed off")
    sample = samples.draw_sample(name="Votes", purpose="Yearly look", search=votes, size=6, by=cast.auditor)
    vote = sample.drawn.last()
    samples.conclude(drawn=vote, conclusion="exception", words="Signed unread.", by=cast.auditor)
    found += inspect(
        watch.sign_in(cast.auditor).page,
        {
            "audit": "/audit/",
            "audit-entry": f"/audit/entries/{vote.entry_id}/",
            "audit-draw": "/audit/samples/draw/",
            "audit-samples": "/audit/samples/",
            "audit-sample": sample.get_absolute_url(),
            "audit-drawn": vote.get_absolute_url(),
            "audit-rights": "/audit/rights/",
            "keeping": "/audit/keeping/",
            "record": "/record/",
            "record-receipt": f"/record/receipts/{vote.entry_id}/",
            "audit-frameworks": "/audit/frameworks/?framework=soc2",
            "audit-framework": "/audit/frameworks/?framework=soc2&reference=CC3.1",
        },
    )
    assert found == []


def test_a_slash_goes_to_the_search_box(watch, cast):
    """From anywhere but a field; and where this browser was told not to, nowhere."""
    factories.make_case(cast, title=TITLE)
    owner = watch.sign_in(cast.owner)
    owner.page.keyboard.press("/")
    owner.page.keyboard.type("custo summ / 7")
    box = owner.page.get_by_role("search").get_by_label("Search")
    expect(box).to_have_value("custo summ / 7")
    box.fill("summ custo")
    owner.page.keyboard.press("Enter")
    owner.click(TITLE)
    expect(owner.page.get_by_role("heading", level=1)).to_contain_text(TITLE)
    owner.page.evaluate("localStorage.setItem('plumbline:slash', 'off')")
    owner.page.keyboard.press("/")
    assert owner.page.evaluate("document.activeElement.id") != "find"


def asked_of_axe(page, options: dict) -> list[dict]:
    """What axe objects to. Half a megabyte of it is brought into each page once, not once for each theme."""
    if page.evaluate("typeof axe") == "undefined":
        return Axe().run(page, options=options).response["violations"]
    return page.evaluate("options => axe.run(document, options)", options)["violations"]


def inspect(page, addresses: dict[str, str]) -> list[str]:
    """What is wrong with these pages, as lines; pictures of them where they are asked for."""
    found = []
    for name, address in addresses.items():
        page.goto(address)
        for scheme, options in ASKED.items():
            page.emulate_media(color_scheme=scheme)
            for violation in asked_of_axe(page, options):
                where = "; ".join(" ".join(node["target"]) for node in violation["nodes"][:3])
                found.append(f"{name}, {scheme}: {violation['help']} ({violation['id']}) at {where}")
            for size in (NARROW, WIDE) if SHOTS or scheme == "light" else ():
                page.set_viewport_size(size)
                wider = page.evaluate(OVERFLOW)
                if wider > 0:
                    found.append(f"{name}: {wider} pixels too wide at {size['width']}")
                if SHOTS:
                    path = Path(SHOTS) / f"{name}-{scheme}-{size['width']}.png"
                    page.screenshot(path=path, full_page=True)
    return found


def test_without_scripts(watch, cast):
    """Registering, answering with a file, opening the review and signing an objection need no script."""
    owner = watch.sign_in(cast.owner, java_script_enabled=False)
    owner.case_list()
    owner.click("Register an initiative")
    owner.type("Title", TITLE)
    owner.choose("Unit", "Account management")
    owner.type("Problem", "Preparing a call takes account managers forty minutes.")
    owner.press("Register")
    owner.tab("Checklist")
    owner.click("Answer: What is inside and outside the scope?")
    owner.type("Your answer", "Notes of two teams, no personal data; a sample of 200.")
    owner.page.get_by_text("Add proof beside your word").click()
    owner.type("Title", "Scope of the prototype")
    owner.upload("Scope of the prototype")
    owner.press("Save")
    owner.said("Saved.")
    row = owner.page.locator("[id='row-proto.scope']")
    expect(row).to_contain_text("proved")
    expect(row).to_contain_text("Scope of the prototype")

    owner.case(TITLE)
    owner.click("Ask the board to decide")
    owner.press("Open the review")
    value = watch.sign_in(cast.seat_value, java_script_enabled=False)
    value.click("Read and sign")
    value.click("Object")
    value.page.get_by_label("Is it an honest prototype").check()
    value.type("Why you object", "Five of six answers are missing.")
    value.press("Show the statement")
    value.type("Your password", factories.PASSWORD)
    value.page.locator("main").get_by_role("button", name="Sign as ").click()
    value.said("This is what you signed.")
    expect(value.page.locator("main")).to_contain_text("Five of six answers are missing.")
