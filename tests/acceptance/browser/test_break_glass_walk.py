"""The identity provider is away and nobody signs in: a break-glass admin comes in and lets the others in."""

import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from governance import clock
from governance.database.row_history import acting
from governance.identity import actions, break_glass
from governance.identity.permissions import local_accounts_on
from governance.models import Entry, ExternalIdentity, Notification, User
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.browser.people import Person, Watch


@pytest.fixture
def cast(transactional_db, live_server, settings):
    """An organisation of some days whose provider answers nothing, with local accounts off and a break-glass admin."""
    settings.ADDRESS = live_server.url
    with clock.simulated(clock.now() - timedelta(days=3)):
        cast = factories.make_cast()
    row = actions.add_provider(
        name="House",
        slug="house",
        kind="other",
        issuer="http://127.0.0.1:9",
        client_id="plumbline",
        authentication="secret",
        secret="of the client",
        scopes="openid",
        key_claim="sub",
        makes_people=False,
        by=cast.admin,
    )
    actions.switch_provider(provider=row, on=True, by=cast.admin)
    with unguarded("governance_externalidentity"), acting(system="test"):
        ExternalIdentity(provider=row, key="a-1", person=cast.admin, linked_at=clock.now()).save()
    break_glass.mark(person=cast.second_admin, by=cast.admin)
    break_glass.mark(person=cast.admin, by=cast.second_admin)
    break_glass.switch_local_accounts(on=False, by=cast.admin)
    return cast


def test_a_break_glass_admin_lets_people_in_again(watch: Watch, cast):
    page, began = watch.page(), time.monotonic()
    page.goto("/")
    page.get_by_role("link", name="Sign in with House").click()
    expect(page.locator("main")).to_contain_text("does not answer")
    watch.complaints.clear()  # the browser's own words on the 403
    page.get_by_role("link", name="Open the sign-in page").click()
    expect(page.locator("main")).to_contain_text("Only break-glass accounts")
    admin = Person(cast.second_admin, page)
    admin.type("User name", cast.second_admin.login)
    admin.type("Password", factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".who")).to_contain_text(cast.second_admin.full_name)
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("link", name="Identity", exact=True).click()
    page.get_by_role("button", name="Switch local accounts on").click()
    expect(page.locator("main")).to_contain_text("On: people can sign in with their Plumbline password.")
    took = time.monotonic() - began
    assert local_accounts_on()
    used = Entry.objects.acts().get(kind="break-glass account used")
    assert used.actor_id == cast.second_admin.pk
    told = set(
        Notification.objects.filter(subject__contains="was used").values_list("person__login", flat=True)
    )
    must = User.objects.active().filter(is_admin=True) | User.objects.active().filter(is_auditor=True)
    assert told == set(must.values_list("login", flat=True))
    print(f"break-glass: 5 clicks, {took:.0f} s with the machine's typing; told: {', '.join(sorted(told))}")
