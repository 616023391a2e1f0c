"""Signing at an identity provider in two browsers' tabs, as tests do it step by step."""

from datetime import timedelta

from bs4 import BeautifulSoup
from django.test import Client

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import actions
from governance.models import (
    Entry,
    ExternalIdentity,
    IdentityProvider,
    SignatureProof,
    User,
)
from governance.transparency_log import sealing
from tests.app.initiatives.lifecycle.initiative.test_signing import Binding
from tests.support.initiatives.initiative_pages import acts, text_of
from tests.support.servers.identity_provider import CLIENT, SECRET, Provider

AT_HOUSE = "at house"


def add_house(idp: Provider, admin: User) -> IdentityProvider:
    """The provider as an admin adds it and switches it on."""
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
        by=admin,
    )
    actions.switch_provider(provider=row, on=True, by=admin)
    row.refresh_from_db()
    return row


def linked(person: User, provider: IdentityProvider, key: str = "subject-1") -> ExternalIdentity:
    """The person's account at the provider, linked by themselves two days ago as far as anybody can tell."""
    with acting(by=person):
        row = ExternalIdentity(person=person, provider=provider, key=key, subject=key, linked_by=person)
        row.linked_at = clock.now() - timedelta(days=2)
        row.save()
        entries.record("external identity linked", person_id=person.pk)
    return row


def without_password(person: User) -> None:
    """The person signs in at the provider alone from now on."""
    with acting(by=person):
        person.set_unusable_password()
        person.save()
        entries.record("password set", person_id=person.pk)


def hidden_in(client: Client, one: Binding, name: str) -> str:
    """A hidden value of the page that signs: where it asks only once it knows for what, of that page."""
    page = _field_of(client.get(one.url), one, name) or _field_of(client.post(one.url, one.sent), one, name)
    return page["value"]


def _field_of(answer, one: Binding, name: str):
    """The field of this name in the form that is sent, of the page's forms; None without one."""
    fields = BeautifulSoup(text_of(answer), "html.parser").select(f"input[name={name}]")
    own = [field for field in fields if all(_has(field.find_parent("form"), sent) for sent in one.sent)]
    return next(iter(own or fields), None)


def _has(form, name: str) -> bool:
    return form.select_one(f'[name="{name}"]') is not None


def token_of(client: Client, one: Binding) -> str:
    """What the form of the page calls its statement by."""
    return hidden_in(client, one, "sign_token")


def shown_there(client: Client, url: str, sent: dict) -> str:
    """The page of the second tab, once the form was sent to it."""
    answer = client.post(url, sent | {"sign_prepare": AT_HOUSE, "password": ""})
    assert answer.status_code == 302, text_of(answer)
    return answer.url


def signed_there(client: Client, idp: Provider, page: str):
    """Go on to the provider, sign in there, and open what it sends the browser back to."""
    gone = client.get(f"{page}go/")
    assert gone.status_code == 302, text_of(gone)
    return client.get(path_of(idp.authorize(gone.url)))


def path_of(address: str) -> str:
    """The path of an address of ours, whatever its host is called."""
    return address.split("//", 1)[1].partition("/")[1] + address.split("//", 1)[1].partition("/")[2]


def signed_in_words(client: Client, idp: Provider, one: Binding) -> str:
    """All of the second tab; the token under which the first then sends its form."""
    token = token_of(client, one)
    back = signed_there(client, idp, shown_there(client, one.url, one.sent | {"sign_token": token}))
    assert back.status_code == 302, text_of(back)
    assert "Signed at House" in text_of(client.get(back.url))
    sealing.seal(wait=True)
    return token


def refusal(answer) -> tuple[str, str]:
    """The code and the words of a refusal that the page says, and the audit log too."""
    assert answer.status_code == 403, answer
    page = text_of(answer)
    assert "No statement was signed" in page
    entry = Entry.objects.acts().filter(kind="sign-in with a provider refused").latest("pk").facts["facts"]
    assert (entry["purpose"], entry["why"]) == ("sign", answer.context["denied"].words)
    return answer.context["denied"].code, entry["why"]


def nothing_signed(client: Client, one: Binding, token: str) -> str:
    """The page after the form was sent again under the token: nothing was done."""
    with acts() as kinds:
        page = text_of(client.post(one.url, one.sent | {"sign_token": token}))
    assert one.kind not in kinds
    assert not SignatureProof.objects.exists()
    return page
