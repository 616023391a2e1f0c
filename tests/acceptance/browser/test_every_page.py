"""Every page in a real browser: read by axe in light and dark, measured from 320 pixels up, its console silent."""

import contextlib
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings as of_django
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client, signals
from django.urls import reverse
from playwright.sync_api import expect

from governance import clock
from governance.database.row_history import acting
from governance.operations import heartbeats
from governance.privacy import subject_access
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import clause_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Hold, Initiative
from initiatives.portfolio.ideas import permissions as idea_permissions
from tests.acceptance.pages.test_access import address, world  # noqa: F401 - a fixture
from tests.support import factories
from tests.support.browser import every_page
from tests.support.browser.input_ways import Keyboard
from tests.support.browser.page_checks import (
    ALL_SIZES,
    NARROW,
    SLIM,
    THEMES,
    WIDE,
    by_keyboard,
    measured,
    too_heavy,
    too_long,
    trouble_in,
)
from tests.support.web.access_table import TABLE
from tests.support.web.security_policy import policy_of

pytestmark = pytest.mark.django_db(transaction=True)

TITLE = "Customer summary assistant"
FULL = 500  # rounds from which every page is looked at
CONTRAST = 3  # of so many pages one, until then: odd, so that both themes have their turn


@pytest.fixture
def cast(transactional_db):
    """An organisation with a past; its scheduler is heard."""
    with clock.simulated(clock.now() - every_page.AGE):
        cast = factories.make_cast()
    heartbeats.say("scheduler", "of tests")
    return cast


@pytest.fixture
def overdue(cast):
    """A prototype that nobody decided on for long."""
    with clock.simulated(clock.now() - every_page.AGE):
        return factories.make_prototype(cast, title="Contract reader")


class Visitor:
    """One browser that opens pages as anybody, and says what is wrong with them."""

    def __init__(self, watch):
        self.watch, self.page, self.keys = watch, watch.page(), {}
        self.answers = []  # what the open page loaded
        self.page.on("response", lambda answer: self.answers.append(answer))
        self.themes = THEMES  # in which pages are looked at
        self.contrast = True  # whether it is looked at how letters stand out
        self.whole = False  # whether it is looked at in all widths, by keyboard and without scripts
        self.bare = None  # a browser without scripts, once it is needed

    def becomes(self, person) -> None:
        """From now on the pages are opened by this person; by nobody in particular for None."""
        context = self.page.context
        context.clear_cookies()
        if person is None:
            return
        if person.pk not in self.keys:
            client = Client()
            client.force_login(person)
            self.keys[person.pk] = client.cookies[of_django.SESSION_COOKIE_NAME].value
        cookie = {
            "name": of_django.SESSION_COOKIE_NAME,
            "value": self.keys[person.pk],
            "url": self.watch.address,
        }
        context.add_cookies([cookie])

    def opens(self, one: every_page.Page) -> list[str]:
        """What is wrong with this page."""
        self.becomes(one.who)
        with self.expecting(one.status):
            self.answers.clear()
            response = self.page.goto(one.address)
            found = too_heavy(one.name, self.answers)
            found += self.wrong_with(one.name, response, one.status)
            return found + (self.without_scripts(one) if self.whole else [])

    def without_scripts(self, one: every_page.Page) -> list[str]:
        """What does not fit the same page where no script runs."""
        self.bare = self.bare or self.watch.page(java_script_enabled=False)
        self.bare.context.clear_cookies()
        self.bare.context.add_cookies(self.page.context.cookies())
        self.bare.goto(one.address)
        sizes = (WIDE, NARROW)
        return [f"{one.name}, no scripts: {what}" for size in sizes for what in measured(self.bare, size)]

    def wrong_with(self, name: str, response, status: int = 200) -> list[str]:
        """What is wrong with the page that was just answered."""
        if response.status != status or not response.headers.get("content-type", "").startswith("text/html"):
            return [f"{name}: {response.status}, {response.headers.get('content-type')} at {response.url}"]
        policy = {part.strip() for part in response.headers.get("content-security-policy", "").split(";")}
        found = (
            []
            if policy == policy_of(urlsplit(response.url).path)
            else [f"{name}: its policy is {sorted(policy)}"]
        )
        return (
            found
            + trouble_in(self.page, name, self.themes, contrast=self.contrast, sizes=self.sizes)
            + too_long(self.page, name)
            + (by_keyboard(self.page, name) if self.whole else [])
        )

    @property
    def sizes(self) -> tuple[dict[str, int], ...]:
        """The widths that pages are measured at."""
        return ALL_SIZES if self.whole else (WIDE, SLIM)

    def presses(self, name: str, button: str, status: int = 200) -> list[str]:
        """What is wrong with the page that a form of the open one is answered with."""
        with self.expecting(status):
            with self.page.expect_navigation() as answered:
                self.page.locator("main").get_by_role("button", name=button).first.click()
            return self.wrong_with(name, answered.value, status)

    @contextlib.contextmanager
    def expecting(self, status: int):
        """A refusal that was expected is no complaint; browsers write each into their console."""
        before = len(self.watch.complaints)
        yield
        if status >= 400:
            about = re.compile(rf": {status}$|a status of {status}\b")
            heard = self.watch.complaints[before:]
            self.watch.complaints[before:] = [line for line in heard if not about.search(line)]


def answers(visitor: Visitor, scene: every_page.Scene, cast, monkeypatch) -> list[str]:
    """What is wrong with the pages that something sent is answered with, and with the one for what broke."""
    visitor.becomes(cast.owner)
    page = visitor.page
    page.goto("/settings/")
    found = visitor.presses("calendar-made", "Create an address")
    page.goto(address("make-key", scene.world))
    page.get_by_label("System", exact=True).fill("Reply drafts")
    page.get_by_label("Responsible person").select_option(str(cast.lead.pk))
    found += visitor.presses("key-made", "Make the key")
    page.goto(address("api-access-try", scene.world))
    found += visitor.presses("system-tried", "Send the request")
    page.goto(reverse("survey-open", args=[scene.world["draft-survey"]]))
    found += visitor.presses("survey-opened", "Open the survey and show a sheet to print")
    page.goto(page.locator("main .mono").first.inner_text().partition(of_django.ADDRESS)[2])
    found += visitor.presses("survey-answer-empty", "Send my answers", 422)
    page.goto("/initiatives/register/")
    page.locator("main form[method=post]").evaluate("form => { form.noValidate = true }")
    found += visitor.presses("register-wrong", "Register as a new initiative")
    page.goto(f"{scene.review.initiative.get_absolute_url()}evidence/add/?kind=document")
    page.locator("main form[method=post]").evaluate("form => { form.noValidate = true }")
    found += visitor.presses("evidence-wrong", "Add the item")
    page.goto(reverse("clause-edit", args=[scene.world["begun"], "new"]) + "?kind=human_approval")
    found += visitor.presses("clause-wrong", "Save the clause")
    page.goto(reverse("clause-edit", args=[scene.world["begun"], 2]))
    begun = Initiative.objects.get(number=scene.world["begun"].removeprefix("AI-"))
    clause = begun.contract.versions.get().clauses.get(number=2)
    less = contract_actions.Written("autonomy", terms=replace(clause.said, up_to=100_00), number=2)
    clause_actions.save_clause(initiative=begun, clause=less, seen=clause.fingerprint, by=cast.owner)
    page.get_by_label("Maximum number of items at once").fill("3")
    found += visitor.presses("clause-overtaken", "Save the clause", 409)
    visitor.becomes(cast.chair)
    page.goto(address("holds/lift", scene.world))
    hold = Hold.objects.get(pk=scene.world["holds"])
    hold_deeds.lift_hold(hold=hold, reason="Seen to.", by=cast.chair)
    page.locator("main form textarea").fill("Seen to as well.")
    found += visitor.presses("closed-409", "Lift the hold", 409)
    page.goto("/settings/")
    page.context.clear_cookies()
    found += visitor.presses("closed-403-forged", "Save", 403)
    visitor.becomes(cast.chair)
    with monkeypatch.context() as broken:
        broken.setattr(idea_permissions, "may_compare_ideas", None)
        found += visitor.opens(every_page.Page("closed-500", cast.chair, "/ideas/", 500))
    return found


def files(visitor: Visitor, scene: every_page.Scene, cast, folder) -> list[str]:
    """What is wrong with the pages that lie in what is exported, opened as the files they are."""
    export, report = folder / "record.zip", folder / "report.zip"
    call_command("export_audit_log", "--initiative", scene.world["idea"], "--out", str(export), verbosity=0)
    subject_access.take(person=cast.outsider, also=[], to=report, by=cast.admin)
    found = []
    for name, path in (("export-index", export), ("subject-access", report)):
        with zipfile.ZipFile(path) as packed:
            (inside,) = (one for one in packed.namelist() if one.endswith("index.html"))
            packed.extract(inside, folder)
        visitor.page.goto(f"file://{folder / inside}")
        found += trouble_in(visitor.page, name)
    return found


def page_templates() -> set[str]:
    """Every template that is a page by itself."""
    place = of_django.BASE_DIR / "templates"
    found = {path.relative_to(place) for path in place.rglob("*.html")}
    return {
        str(path)
        for path in found
        if not path.name.startswith("_") and path.parts[0] not in ("emails", "_components", "django")
    }


def test_every_page_is_sound(watch, cast, world, overdue, rounds, settings, monkeypatch, tmp_path):  # noqa: F811
    """No violation that axe knows, in light and dark; nothing cut off or too wide; no line in the console.

    In full at 1280, 768, 390 and 320 pixels and at 200 %, by keyboard, and once more without scripts.

    With `--rounds 500` every page, and every template is shown by one of them; in the suite one of each kind, in light
    and in dark in turn, and of every third the contrast of its colours too.
    """
    settings.CAPTURE_LINKS = True
    shown, found = set(), []

    def see(template, **_):
        shown.add(template.name)

    signals.template_rendered.connect(see)
    scene = every_page.set_the_scene(cast, world, overdue)
    visitor = Visitor(watch)
    visitor.whole = rounds >= FULL
    every = [*every_page.pages_of(scene, cast), *every_page.pages_of_the_admin(cast)]
    names = [one.name for one in every]
    assert set(names) >= every_page.MAIN
    assert len(names) == len(set(names))
    for place, one in enumerate(
        every if rounds >= FULL else [one for one in every if one.name in every_page.MAIN]
    ):
        visitor.themes = THEMES if rounds >= FULL else THEMES[place % len(THEMES) :][:1]
        visitor.contrast = rounds >= FULL or place % CONTRAST == 0
        found += visitor.opens(one)
    if rounds >= FULL:
        found += answers(visitor, scene, cast, monkeypatch)
        found += files(visitor, scene, cast, tmp_path)
        none = set(TABLE) - set(every_page.names_of_pages())
        found += [f"{name} is a page" for name in sorted(none) if is_page(scene, cast, name)]
        assert page_templates() - shown == set(every_page.SHOWN_ELSEWHERE)
    assert found == [], "\n".join(found)


def test_an_overview_with_much_to_say_is_a_screen_and_a_half(watch, cast):
    """Whoever looks: obligations and gaps are folded, never what is overdue."""
    initiative = factories.make_production(cast, title=TITLE)
    today = clock.today()
    for number in range(4):
        hold_deeds.open_gap(
            initiative=initiative,
            text=f"The archive of region {number} is not searched yet.",
            owner=cast.lead,
            due=today + timedelta(days=30),
            downstream=["Archive"],
            by=cast.owner,
        )
    with acting(system="test", reason="Overdue"):
        for number in range(5):
            hold_actions.open_obligation(
                initiative,
                "criterion",
                source=f"production.mvp_goals:{number}",
                text=f"Show that summary {number} of the archive agrees with its notes",
                due=today - timedelta(days=number),
                responsible=cast.owner,
            )
    hold_deeds.hold(initiative=initiative, reason="Three summaries named an illness.", by=cast.owner)
    visitor, found = Visitor(watch), []
    for person in (cast.owner, cast.chair, cast.seat_risk, cast.auditor):
        visitor.becomes(person)
        visitor.page.goto(initiative.get_absolute_url())
        found += too_long(visitor.page, "initiative")
        expect(visitor.page.locator(".banners")).to_contain_text("4 obligations are overdue.")
    assert found == []
    expect(visitor.page.locator("#obligations")).not_to_have_attribute("open", "")


def is_page(scene: every_page.Scene, cast, name: str) -> bool:
    """Whether an address that is said to be none answers with a whole page after all."""
    client, row = Client(), TABLE[name]
    if row.opens:
        client.force_login(getattr(cast, row.opens[0]))
    answer = client.get(address(name, scene.world))
    page = answer.headers.get("Content-Type", "").startswith("text/html")
    return answer.status_code == 200 and page and b"<html" in answer.content


def test_a_slash_goes_to_the_search_box(watch, cast):
    """From anywhere but a field; and where this browser was told not to, nowhere."""
    factories.make_initiative(cast, title=TITLE)
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


def test_the_keyboard_stays_where_somebody_is(watch, cast):
    """A filter waits until it is chosen, not passed."""
    initiative = factories.make_initiative(cast)
    owner = watch.sign_in(cast.owner, Keyboard)
    owner.page.goto(f"{initiative.get_absolute_url()}requirements/")
    owner.page.evaluate("document.addEventListener('submit', () => { window.sent = true })")
    layer = owner.page.get_by_label("Layer")
    owner.reach(layer)
    owner.page.keyboard.press("ArrowDown")
    expect(layer).not_to_have_value("")
    assert not owner.page.evaluate("window.sent")


def test_a_draft_comes_back_and_is_not_put_over_what_was_just_sent(watch, cast):
    factories.make_initiative(cast, title=TITLE)
    owner = watch.sign_in(cast.owner)
    owner.page.goto(reverse("register"))
    owner.type("Title", TITLE)
    owner.choose("Unit", "Account management")
    owner.type("Problem", " ")
    owner.press("Register as a new initiative")
    expect(owner.page.locator("main")).to_contain_text("Not saved yet")
    expect(owner.page.get_by_text("Draft from")).to_have_count(0)
    owner.page.goto(reverse("register"))
    note = owner.page.get_by_text("Draft from")
    expect(note).to_have_text(
        re.compile(r"Draft from \d{1,2} [A-Z][a-z]{2} \d\d:\d\d restored\. It is not saved yet")
    )
    expect(owner.page.get_by_label("Title")).to_have_value(TITLE)


def test_what_is_folded_is_printed_and_folded_again(watch, cast):
    review = review_actions.open_review(initiative=factories.make_mvp(cast), by=cast.owner)
    page = watch.sign_in(cast.chair).page
    page.goto(review.get_absolute_url())
    folded = page.locator("main details:not([open]):not(:has(form))")
    before = folded.count()
    assert before
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(folded).to_have_count(0)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(folded).to_have_count(before)


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_arrows_between_places_stay_in_their_column(browser, width):
    """However the boxes of a path wrap."""
    why = "forbidden by Acme Cloud MSA 4.2 (no processing outside EU), for customer notes."
    transfers = [
        {"name": f"Place {n}", "region": "eu-west", "allowed": n % 3, "why": why * (n == 3)} for n in range(9)
    ]
    style = (of_django.BASE_DIR / "governance/static/governance/plumbline.css").read_text()
    page = browser.new_page(viewport={"width": width, "height": 800})
    drawn = render_to_string("_components/transfers.html", {"transfers": transfers})
    page.set_content(f"<style>{style}</style><main>{drawn}</main>")
    outside = page.evaluate(
        """() => [...document.querySelectorAll('.transfers li + li')].map(box =>
          box.getBoundingClientRect().left + parseFloat(getComputedStyle(box, '::before').left)
            - box.parentElement.getBoundingClientRect().left)"""
    )
    page.close()
    assert min(outside) >= 0


def test_without_scripts(watch, cast):
    """Registering, answering with a file, opening the review and signing an objection need no script."""
    owner = watch.sign_in(cast.owner, java_script_enabled=False)
    owner.initiative_list()
    owner.click("Register an initiative")
    owner.type("Title", TITLE)
    owner.choose("Unit", "Account management")
    owner.type("Problem", "Preparing a call takes account managers forty minutes.")
    owner.press("Register as a new initiative")
    owner.tab("Requirements")
    owner.click("Answer: What is inside and outside the scope?")
    owner.type("Your answer", "Notes of two teams, no personal data; a sample of 200.")
    owner.page.get_by_text("Add evidence to your answer").click()
    owner.type("Title", "Scope of the prototype")
    owner.upload("Scope of the prototype")
    owner.press("Save and close")
    owner.said("Saved.")
    owner.unfold("Met")
    row = owner.page.locator("[id='row-proto.scope']")
    expect(row).to_contain_text("documented")
    owner.click("What is inside and outside the scope?", row)
    expect(owner.page.locator("main")).to_contain_text("Scope of the prototype")

    owner.initiative(TITLE)
    owner.click("Request a review")
    owner.press("Open the review")
    # Five criteria are unmet: the move is the owner's. A seat finds the review in the list, and may object.
    value = watch.sign_in(cast.seat_value, java_script_enabled=False)
    value.click("See the reviews")
    value.click(TITLE)
    value.click("Object")
    value.page.get_by_label("Is it an honest prototype").check()
    value.type("Why you object", "Five of six answers are missing.")
    value.press("Show the statement")
    value.type("Your password", factories.PASSWORD)
    value.page.locator("main").get_by_role("button", name="Sign as ").click()
    value.said("Signed as ")
    value.page.goto(owner.page.url)
    expect(value.page.locator("main")).to_contain_text("Five of six answers are missing.")
