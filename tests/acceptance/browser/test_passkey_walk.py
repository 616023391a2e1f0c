"""A passkey at a real browser, with the authenticator that Chromium brings along: made, used, lost, made anew."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import CDPSession, Page, expect

from governance import clock
from governance.database.row_history import acting
from governance.identity.factors import resets
from governance.models import FactorReset, Passkey, PasswordLink, SignatureProof
from governance.offline import verify
from governance.sign_in import password_links
from governance.transparency_log import sealing
from initiatives.lifecycle.roles.actions import propose_role
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.browser.people import Person, Watch
from tests.support.initiatives.open_reviews import signed_off

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


def add(somebody: Person, name: str, password: str = factories.PASSWORD) -> None:
    """Add a passkey on its page."""
    page = somebody.page
    page.goto("/account/security/passkeys/add/")
    somebody.type("Name", name)
    somebody.type("Your password", password)
    page.get_by_role("button", name="Add the passkey").click()


def grown_old() -> None:
    """As if every passkey had waited its day; sealed."""
    with unguarded("governance_passkey"), acting(system="test"):
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
    review = signed_off(cast)
    chair = watch.let_in(cast.chair)
    page, device = chair.page, Device(chair.page)

    add(chair, "Phone")
    expect(page.get_by_role("heading", name="Make recovery codes")).to_be_visible()
    page.goto("/account/security/")
    expect(page.locator("main")).to_contain_text(
        re.compile(r"You can sign with this passkey from .+, or after an admin confirms it\.")
    )

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
    expect(page.locator("main")).to_contain_text("Plumbline notified the team.")
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
    with unguarded("governance_factorreset"), acting(system="test"):
        row = FactorReset.objects.get()
        row.asked_at, row.due_at = clock.now() - timedelta(days=2), clock.now() - timedelta(days=1)
        row.save()
    chair.type("User name", cast.chair.login)
    chair.type("Password", factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
    # The password alone opens nothing. The link that the reset mails does.
    password = "another long secret 4711"
    page.goto(password_links.address_of(PasswordLink.objects.get()))
    for field in ("password", "again"):
        page.locator(f"input[name={field}]").fill(password)
    page.get_by_role("button", name="Set the password").click()
    expect(page.locator(".who")).to_contain_text(cast.chair.full_name)
    Device(page)
    add(chair, "Second phone", password)
    expect(page.locator("main")).to_contain_text("Second phone was added")
    assert [row.name for row in Passkey.objects.filter(ended_at=None)] == ["Second phone"]


def test_a_device_that_asks_nobody_makes_no_passkey(watch: Watch, cast):
    owner = watch.let_in(cast.owner)
    Device(owner.page, hasUserVerification=False, isUserVerified=False)
    add(owner, "Old key")
    expect(owner.page.locator("[data-passkey-said]")).to_be_visible()
    assert not Passkey.objects.exists()


def test_several_roles_are_signed_at_one_touch_and_a_form_beside_another_too(watch: Watch, cast):
    rows = [
        propose_role(
            initiative=factories.make_initiative(cast, title=title),
            role="sponsor",
            person=cast.lead,
            by=cast.owner,
        )
        for title in ("Letter sorting", "Reply drafts", "Invoice matching")
    ]
    lead = watch.let_in(cast.lead)
    page, device = lead.page, Device(lead.page)
    add(lead, "Phone")
    expect(page.get_by_role("heading", name="Make recovery codes")).to_be_visible()
    grown_old()
    page.goto("/roles/")
    expect(page.locator("[data-tick-count]")).to_have_text("0 of 3 ticked")
    page.get_by_label("Reply drafts").check()
    page.get_by_label("Invoice matching").check()
    expect(page.locator("[data-tick-count]")).to_have_text("2 of 3 ticked")
    device.verifies(False)
    page.get_by_role("button", name="Accept the ticked roles").click()
    expect(page.locator("[data-signing-said]")).to_contain_text("No passkey was used.")
    shown = page.locator("[data-signing-statement]")
    expect(shown).to_contain_text(f"accept the role sponsor on {rows[1].initiative.ref}")
    expect(shown).to_contain_text(f"accept the role sponsor on {rows[2].initiative.ref}")
    expect(shown).not_to_contain_text(rows[0].initiative.ref)
    device.verifies(True)
    page.get_by_role("button", name="Accept the ticked roles").click()
    lead.said("You accepted 2 roles.")
    proofs = list(SignatureProof.objects.order_by("id"))
    assert [verify.check_signature({**proof.__dict__}) for proof in proofs] == ["passkey", "passkey"]
    assert [proof.digests for proof in proofs] == [[proof.digest for proof in proofs]] * 2

    auditor = watch.let_in(cast.auditor)
    page, device = auditor.page, Device(auditor.page)
    add(auditor, "Phone")
    expect(page.get_by_role("heading", name="Make recovery codes")).to_be_visible()
    grown_old()
    page.goto("/audit/retention/")
    page.get_by_text("Open a hold").click()
    page.locator("#id_hold_hold-initiative").fill(rows[0].initiative.ref)
    page.locator("#id_hold_hold-why").fill("A claim.")
    page.get_by_role("button", name="Hold it").click()
    auditor.said("The hold is open.")
    assert SignatureProof.objects.get(act="hold").strength == "passkey"
