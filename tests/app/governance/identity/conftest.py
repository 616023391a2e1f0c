"""A provider within the process, an admin who added it, and browsers that go there and back."""

import pytest
from django.core.cache import cache
from django.test import Client

from governance.identity import actions
from governance.models import IdentityProvider
from tests.app.initiatives.lifecycle.initiative import test_signing
from tests.support.factories import PASSWORD, make_person
from tests.support.identity.provider_signing import add_house, linked
from tests.support.servers.identity_provider import CLIENT, SECRET, Provider


@pytest.fixture
def idp():
    """The provider's own side."""
    cache.clear()
    with Provider() as provider:
        yield provider
    cache.clear()


@pytest.fixture
def admin(db):
    return make_person("admin", is_admin=True)


@pytest.fixture
def ana(db):
    return make_person("ana", full_name="Ana Ruiz")


@pytest.fixture
def provider(idp, admin) -> IdentityProvider:
    """Ours, switched on; it makes nobody."""
    row = actions.add_provider(
        name="House",
        slug="house",
        kind="keycloak",
        issuer=idp.issuer,
        client_id=CLIENT,
        authentication="secret",
        secret=SECRET,
        scopes="openid profile email",
        key_claim="sub",
        takes_guests=False,
        makes_people=False,
        unit_claim="",
        by=admin,
    )
    actions.switch_provider(provider=row, on=True, by=admin)
    row.refresh_from_db()
    return row


@pytest.fixture
def house(idp, cast) -> IdentityProvider:
    """Ours, switched on, for the people of a cast."""
    return add_house(idp, cast.admin)


@pytest.fixture
def decision(cast) -> test_signing.Binding:
    """A decision that waits for the chair. It comes before the provider, so that it is laid down from a snapshot."""
    return test_signing.decides(cast)


@pytest.fixture
def one(decision, cast, house) -> test_signing.Binding:
    """A decision of the chair, whose account is linked."""
    linked(cast.chair, house)
    return decision


def there_and_back(client: Client, idp: Provider, start: str = "/sign-in/with/house/"):
    """Begin at `start`, sign in at the provider, and open the address that it sends the browser back to."""
    gone = client.get(start)
    assert gone.status_code == 302, gone.content.decode()
    return client.get(path_of(idp.authorize(gone.url)))


def path_of(address: str) -> str:
    """The path of an address of ours, as a client of tests opens it."""
    assert address.startswith("http://127.0.0.1:8000/")
    return address.removeprefix("http://127.0.0.1:8000")


def signed_in_locally(login: str) -> Client:
    """A browser in which somebody signed in by password."""
    client = Client()
    assert client.post("/sign-in/", {"username": login, "password": PASSWORD}).status_code == 302
    return client


def link_own(client: Client, idp: Provider):
    """Link the account of whoever is signed in there, by password and anew at the provider."""
    page = client.post("/account/link/house/", {"password": PASSWORD})
    assert page.status_code == 200
    return client.get(path_of(idp.authorize(page.context["address"])))
