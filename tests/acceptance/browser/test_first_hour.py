"""A start without demo data, in the browser: from the printed link to the first initiative."""

import re

import pytest
from django.core import mail
from playwright.sync_api import expect

from governance.models import User
from governance.operations import heartbeats
from governance.sign_in import first_admin
from initiatives.models import Initiative
from tests.support.browser.page_checks import trouble_in
from tests.support.browser.people import Watch

pytestmark = pytest.mark.django_db(transaction=True)

PHRASE = "a phrase of one's own"
SEATS = (
    "Business value",
    "Risk and compliance",
    "Security and privacy",
    "Architecture and integration",
    "Service operations",
    "Adoption and change",
    "Chair",
)
TABLE = "user name,name,mail,unit,board,seat\nowen,Owen Hart,owen@example.org,Sales,,\n" + "".join(
    f"s{number},{seat.split()[0]} Person,s{number}@example.org,Sales,Sales board,{seat}\n"
    for number, seat in enumerate(SEATS)
)


@pytest.fixture
def empty(browser, live_server, settings):
    """Browsers over an installation in which nobody is; its mails link to where it runs."""
    settings.ADDRESS = live_server.url
    watch = Watch(browser, live_server.url)
    yield watch
    watch.close()
    assert watch.complaints == []


class Newcomer:
    """Somebody at a browser who has no account yet."""

    def __init__(self, watch: Watch):
        self.page = watch.page()

    def type(self, label: str, words: str) -> None:
        """Type into the field of exactly that label."""
        self.page.get_by_label(label, exact=True).fill(words)

    def press(self, name: str) -> None:
        """Press the button of that name and wait for the page that answers: what stood before is not taken for it."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def next_step(self, button: str) -> None:
        """From the inbox to the step it leads to next."""
        self.page.goto("/")
        following = self.page.locator("li").filter(has=self.page.get_by_text("next", exact=True))
        self.look("setup")
        following.get_by_role("link", name=button, exact=True).click()

    def accept(self, address: str) -> None:
        """Open the link of the invitation to this address and choose a password; the inbox opens."""
        bodies = [message.body for message in mail.outbox if message.to == [address]]
        (link,) = re.findall(r"https?://\S+/password/link/\S+", " ".join(bodies))
        self.page.goto(link)
        self.look("password-set")
        self.type("New password", PHRASE)
        self.type("New password again", PHRASE)
        self.press("Set the password")
        expect(self.page.locator("[role=status]")).to_contain_text("Your password is set.")

    def look(self, name: str) -> None:
        """Nothing is wrong with the open page."""
        assert trouble_in(self.page, f"first-hour-{name}") == []


def test_from_the_printed_link_to_the_first_initiative(empty):
    heartbeats.say("scheduler", "of tests")
    admin = Newcomer(empty)
    admin.page.goto(first_admin.link())
    admin.look("first-admin")
    admin.type("User name", "ada")
    admin.type("Your name", "Ada Root")
    admin.type("Email address", "ada@example.org")
    admin.type("Password", PHRASE)
    admin.type("Password again", PHRASE)
    admin.press("Make the account")
    expect(admin.page.get_by_role("heading", name="Set up Plumbline")).to_be_visible()

    admin.next_step("Add a unit")
    admin.look("unit-add")
    admin.type("Name", "Sales")
    admin.press("Add the unit")
    admin.next_step("Add a board")
    admin.type("Name", "Sales board")
    admin.page.get_by_label("Unit").select_option(label="Sales (at the top)")
    admin.press("Add the board")

    admin.next_step("Add people")
    admin.look("people-empty")
    admin.page.get_by_role("textbox", name="Lines").fill(TABLE.replace("s3@example.org", "s3 at example.org"))
    admin.press("Preview")
    expect(admin.page.get_by_role("alert")).to_contain_text("One line needs fixing.")
    expect(admin.page.get_by_text("Use the form ana@example.org.")).to_be_visible()
    admin.look("people-wrong")
    admin.page.get_by_role("textbox", name="Lines").fill(TABLE)
    admin.press("Check again")
    admin.look("people-right")
    assert User.objects.count() == 1, "nothing is saved before it is pressed"
    admin.type("Your password", PHRASE)
    admin.press("Import eight lines")
    expect(admin.page.locator("main > [role=status]")).to_contain_text(
        "8 accounts added, 7 seats filled, 8 invited."
    )
    admin.look("accounts")

    admin.page.goto("/rulebook/")
    admin.look("rulebook-none")
    admin.next_step("Load a rulebook")
    admin.press("Use the rulebook that comes with Plumbline")
    admin.press("Propose the rulebook to the chairs")
    chair = Newcomer(empty)
    chair.accept("s6@example.org")
    chair.page.get_by_role("link", name="Read and publish").click()
    chair.type("Your password", PHRASE)
    chair.press("Publish as chair")

    owner = Newcomer(empty)
    owner.accept("owen@example.org")
    owner.page.get_by_role("link", name="Register", exact=True).first.click()
    owner.type("Title", "Call note search")
    owner.page.get_by_label("Problem").fill("Nobody finds what was agreed on the phone last month.")
    owner.press("Register as a new initiative")
    expect(owner.page.get_by_role("heading", level=1)).to_contain_text("Call note search")
    initiative = Initiative.objects.get()
    assert (initiative.unit.name, initiative.registered_by.full_name) == ("Sales", "Owen Hart")

    admin.page.goto("/")
    expect(admin.page.get_by_role("heading", name="You have no tasks")).to_be_visible()
    assert admin.page.get_by_role("heading", name="Set up Plumbline").count() == 0
    admin.page.goto("/status/")
    admin.look("status")
    admin.page.goto("/account/")
    admin.look("account")
