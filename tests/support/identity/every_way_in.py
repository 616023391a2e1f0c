"""A person with every way into an account, the secrets of each way, and the acts that take one away."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyotp
from django.test import Client

from governance import clock
from governance.api_tokens import actions as token_actions
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import linked_accounts, reported_identities
from governance.identity.factors import codes, passkeys, recovery_codes, resets
from governance.identity.ways_in import WAYS
from governance.models import ApiToken, ExternalIdentity, IdentityProvider, Passkey, Session, User
from governance.notifications import preferences
from governance.sign_in import password_links, sessions
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.portfolio.units import leaving
from tests.support.factories import PASSWORD, make_key, make_token
from tests.support.identity.authenticator import enrolled
from tests.support.identity.provider_signing import add_house, linked
from tests.support.servers.identity_provider import signed

NOON = datetime(2027, 1, 11, 12, tzinfo=UTC)  # after the admins of a cast were made
SECRETS = ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
NEW_PASSWORD = "a wholly new phrase"


@dataclass
class World:
    """A person with every way in, an admin, and whether the box of the page is ticked."""

    person: User
    admin: User
    keep: str
    clock: object
    secrets: dict = field(default_factory=dict)
    also: bool = False
    before: dict[str, int] = field(default_factory=dict)
    password: str = PASSWORD

    @property
    def ending(self) -> dict:
        return {"keep": self.keep, "also": self.also}

    def counts(self) -> dict[str, int]:
        return {name: way.rows(self.person, self.keep).count() for name, way in WAYS.items()}


def with_every_way(cast, initiative, idp, clock) -> World:
    """The technical lead of a cast, who has two of the ways of which one can be taken away alone."""
    person = cast.lead
    kept, other = Client(), Client()
    for client in (kept, other, Client()):
        client.force_login(person)
        client.get("/account/")
    device, _ = enrolled(person)
    enrolled(person)
    assert codes.add(person=person, secret=SECRETS[0], code=pyotp.TOTP(SECRETS[0]).at(NOON))
    recovery = recovery_codes.make(person=person)
    linked(person, add_house(idp, cast.admin))
    idp.who = {"sub": "subject-1", "name": person.full_name}
    _, token = make_token(person)
    make_token(person, kind="service")
    calendar = preferences.make_calendar(by=person)
    make_key(cast, initiative, principal=person)
    with acting(system="test"):
        link = password_links.make(person, "reset")
    secrets = {
        "session": other,
        "link": password_links.token_of(link),
        "passkey": device,
        "code": recovery,
        "identity": idp,
        "token": token.text,
        "calendar": calendar,
    }
    return World(person, cast.second_admin, kept.session.session_key, clock, secrets)


def change_password(w: World) -> None:
    with acting(by=w.person):
        password_links.change_password(w.person, NEW_PASSWORD, how="by themselves", **w.ending)
    w.password = NEW_PASSWORD


def change_address(w: World) -> None:
    with acting(by=w.admin):
        person = User.objects.get(pk=w.person.pk)
        reported_identities.change_address(person=person, address="new@example.org", by=w.admin)
        person.save()
        entries.record(EntryKind.ACCOUNT_CHANGED, person_id=person.pk, row_id=person.pk)


def reset(w: World) -> None:
    resets.ask(person=w.person, reason="Called back.", by=w.admin)
    w.clock.shift(timedelta(days=1))
    resets.carry_out_due()


def add_app(w: World) -> None:
    assert codes.add(person=w.person, secret=SECRETS[1], code=pyotp.TOTP(SECRETS[1]).at(NOON))


def revoke_calendar(w: World) -> None:
    with acting(by=w.person):
        preferences.revoke_calendar_address(person=w.person)


def sign_out_there(w: World) -> None:
    """The provider tells of a sign-out: one of the person's sessions came by it."""
    provider = IdentityProvider.objects.get()
    key = w.secrets["session"].session.session_key
    Session.objects.filter(session_key=key).update(provider=provider, provider_session="there")
    now = int(clock.now().timestamp())
    claims = {
        "iss": provider.issuer,
        "aud": provider.client_id,
        "iat": now,
        "exp": now + 120,
        "jti": str(now),
    }
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    raw = signed(claims | {"sid": "there", "events": event}, typ="logout+jwt")
    answer = Client().post("/sign-in/with/house/signed-out/", {"logout_token": raw})
    assert answer.json() == {"sessions": 1}, answer.content


RUN = {
    EntryKind.PASSKEY_REVOKED: lambda w: passkeys.revoke(
        passkey=Passkey.objects.filter(person=w.person).first(), by=w.person, **w.ending
    ),
    EntryKind.AUTHENTICATOR_APP_ADDED: add_app,
    EntryKind.AUTHENTICATOR_APP_REVOKED: lambda w: codes.revoke(person=w.person, **w.ending),
    EntryKind.RECOVERY_CODES_MADE: lambda w: recovery_codes.make(person=w.person, **w.ending),
    EntryKind.FACTORS_RESET: reset,
    EntryKind.PASSWORD_SET: change_password,
    EntryKind.IDENTITY_REVOKED: lambda w: linked_accounts.revoke_link(
        identity=ExternalIdentity.objects.get(person=w.person), reason="Left", by=w.person, keep=w.keep
    ),
    EntryKind.ACCOUNT_CHANGED: change_address,
    EntryKind.ACCOUNT_DEACTIVATED: lambda w: leaving.deactivate(person=w.person, reason="Left.", by=w.admin),
    EntryKind.SIGNED_OUT_ELSEWHERE: lambda w: sessions.sign_out(
        person=w.person, but=w.keep, also=w.also, by=w.person
    ),
    EntryKind.SIGNED_OUT_BY_AN_ADMIN: lambda w: sessions.sign_out(person=w.person, by=w.admin),
    EntryKind.API_TOKEN_ENDED: lambda w: token_actions.end_token(
        token=ApiToken.objects.filter(owner=w.person).earliest("pk"), reason="Not used", by=w.person
    ),
    EntryKind.SIGNED_OUT_BY_PROVIDER: sign_out_there,
    EntryKind.CALENDAR_ADDRESS_MADE: lambda w: preferences.make_calendar(by=w.person),
    EntryKind.CALENDAR_ADDRESS_REVOKED: revoke_calendar,
}
# What the act itself takes, and what it makes anew.
TAKEN = {
    EntryKind.PASSKEY_REVOKED: ("passkey", 1),
    EntryKind.IDENTITY_REVOKED: ("identity", 1),
    EntryKind.API_TOKEN_ENDED: ("token", 1),
    EntryKind.SIGNED_OUT_BY_PROVIDER: ("session", 1),
    EntryKind.CALENDAR_ADDRESS_MADE: ("calendar", 1),
    EntryKind.CALENDAR_ADDRESS_REVOKED: ("calendar", 1),
}
MADE = {
    EntryKind.CALENDAR_ADDRESS_MADE: ("calendar", 1),
    EntryKind.FACTORS_RESET: ("link", 1),
    EntryKind.RECOVERY_CODES_MADE: ("code", recovery_codes.COUNT),
    EntryKind.AUTHENTICATOR_APP_ADDED: ("app", 1),
}
