"""A passkey at a real browser, with the authenticator that Chromium brings along: made, used, lost, made anew."""

from datetime import timedelta

import pytest
from playwright.sync_api import CDPSession, Page, expect

from governance import clock
from governance.database.row_history import acting
from governance.identity.factors import resets
from governance.models import FactorReset, Passkey, SignatureProof
from governance.offline import verify
from governance.transparency_log import sealing
from tests.support import factories
from tests.support.browser.people import Person, Watch
from tests.support.cases.open_reviews import voted

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def at_its_own_address(live_server, settings):
    settings.ADDRESS = live_server.url


class Device:
    """A virtual authenticator in one browser."""

    def __init__(self, page: Page, **options):
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        made = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE | options})
        self.key = made["authenticatorId"]

    def lose(self) -> None:
        """Take it away."""
        self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.key})

    def verifies(self, whether: bool) -> None:
        """Whether its person shows a finger."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.key, "isUserVerified": whether})


def add(somebody: Person, name: str) -> None:
    """Add a passkey on its page."""
    page = somebody.page
    page.goto("/account/security/passkeys/add/")
    somebody.type("Name", name)
    somebody.type("Your password", factories.PASSWORD)
    page.get_by_role("button", name="Add it").click()


def grown_old() -> None:
    """As if every passkey had waited its day; sealed."""
    with acting(system="test"):
        for row in Passkey.objects.filter(ended_at=None):
            row.made_at = row.signs_from = clock.now() - timedelta(days=1)
            row.save()
    sealing.seal(wait=True)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.fixture
def cast(transactional_db):
    """An organisation of some days: its admin is one of more than a day."""
    with clock.simulated(clock.now() - timedelta(days=3)):
        return factories.make_cast()


def test_made_used_lost_and_made_anew(watch: Watch, cast):
    review = voted(cast)
    chair = watch.let_in(cast.chair)
    page, device = chair.page, Device(chair.page)

    add(chair, "Phone")
    expect(page.get_by_role("heading", name="Make recovery codes")).to_be_visible()
    page.goto("/account/security/")
    expect(page.locator("main")).to_contain_text("It signs from")

    grown_old()
    page.goto(f"/reviews/{review.pk}/decide/")
    page.get_by_label("Reason").fill("It is ready.")
    device.verifies(False)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("[data-signing-said]")).to_have_text(
        "No passkey was used. Try again, or take another way."
    )
    assert not SignatureProof.objects.exists()
    device.verifies(True)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("main")).to_contain_text("The team was told.")
    proof = SignatureProof.objects.get()
    assert proof.strength == "passkey"
    assert verify.check_signature({**proof.__dict__}) == "passkey"

    sign_out(page)
    chair.type("User name", cast.chair.login)
    chair.type("Password", factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.locator(".who")).to_contain_text(cast.chair.full_name)

    device.lose()
    sign_out(page)
    resets.ask(person=cast.chair, reason="Called back.", by=cast.admin)
    with acting(system="test"):
        row = FactorReset.objects.get()
        row.asked_at, row.due_at = clock.now() - timedelta(days=2), clock.now() - timedelta(days=1)
        row.save()
    chair.type("User name", cast.chair.login)
    chair.type("Password", factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".who")).to_contain_text(cast.chair.full_name)
    Device(page)
    add(chair, "Second phone")
    expect(page.locator("main")).to_contain_text("Second phone was added")
    assert [row.name for row in Passkey.objects.filter(ended_at=None)] == ["Second phone"]


def test_a_device_that_asks_nobody_makes_no_passkey(watch: Watch, cast):
    owner = watch.let_in(cast.owner)
    Device(owner.page, hasUserVerification=False, isUserVerified=False)
    add(owner, "Old key")
    expect(owner.page.locator("[data-passkey-said]")).to_be_visible()
    assert not Passkey.objects.exists()
