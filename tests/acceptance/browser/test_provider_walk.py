"""A sign-off signed at an identity provider in a real browser: two tabs, the first of which sends itself at the end."""

import pytest
from playwright.sync_api import expect

from governance.identity.providers import provider_keys
from governance.models import IdentityProvider, SignatureProof
from governance.transparency_log import sealing
from tests.support import factories
from tests.support.browser.people import Watch
from tests.support.identity.provider_signing import add_house, linked, without_password
from tests.support.initiatives.open_reviews import signed_off
from tests.support.servers.identity_provider import Provider


@pytest.fixture(autouse=True)
def at_its_own_address(live_server, settings):
    settings.ADDRESS = live_server.url


@pytest.fixture
def cast(transactional_db):
    return factories.make_cast()


@pytest.fixture
def house(cast):
    """A provider whose keys are sealed, as somebody's signing in has left them."""
    with Provider() as idp:
        row: IdentityProvider = add_house(idp, cast.admin)
        provider_keys.keys_of(row, provider_keys.metadata_of(row))
        sealing.seal(wait=True)
        yield row
    provider_keys.forget(row)


@pytest.mark.parametrize("password", [True, False], ids=["who has a password too", "who has none"])
def test_two_tabs_sign_what_the_first_shows(watch: Watch, cast, house, password):
    review = signed_off(cast)
    linked(cast.chair, house)
    if not password:
        without_password(cast.chair)
    chair = watch.let_in(cast.chair)
    page = chair.page
    page.goto(f"/reviews/{review.pk}/decide/")
    page.get_by_label("Reason").fill("It is ready.")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Sign with House").click()
    there = opened.value
    expect(there.locator("pre.statement")).to_contain_text('word reason: "It is ready."')
    expect(page.get_by_label("Reason")).to_have_value("It is ready.")
    there.get_by_role("link", name="Continue to House").click()
    expect(there.get_by_role("heading", name="Signed at House")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Plumbline notified the team.")
    proof = SignatureProof.objects.get()
    assert (proof.strength, proof.person) == ("identity provider", cast.chair)
    there.reload()
    expect(there.locator("main")).to_contain_text("You can no longer sign this statement.")


def test_the_return_key_sends_the_password_and_opens_no_tab(watch: Watch, cast, house):
    review = signed_off(cast)
    linked(cast.chair, house)
    chair = watch.let_in(cast.chair)
    chair.page.goto(f"/reviews/{review.pk}/decide/")
    chair.page.locator("input[type=password]").fill(factories.PASSWORD)
    chair.page.keyboard.press("Enter")
    expect(chair.page.locator("main")).to_contain_text("Plumbline notified the team.")
    assert len(chair.page.context.pages) == 1
    assert SignatureProof.objects.get().strength == "password"
