"""Signing in with a provider, from the button to the end of the session; and every way in which it is refused."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client

from governance import clock
from governance.identity import actions, break_glass, linked_accounts
from governance.models import (
    Entry,
    ExternalIdentity,
    IdentityProvider,
    Notification,
    ProviderKey,
    Session,
    User,
)
from governance.permission_result import Refused
from tests.app.governance.identity.conftest import link_own, path_of, signed_in_locally, there_and_back
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import PASSWORD, make_person
from tests.support.servers import identity_provider as servers

EVENT = {"http://schemas.openid.net/event/backchannel-logout": {}}


def refusal(response) -> str:
    """Why the answer was not taken, and that it stands in the audit log without anything secret."""
    assert response.status_code == 403, response
    entry = Entry.objects.acts().filter(kind="sign-in with a provider refused").latest("pk")
    denied = response.context["denied"]
    assert entry.facts["facts"]["why"] == denied.words
    assert "unknown error" not in str(denied)
    return denied.code


def who(client) -> str:
    """Whom this browser is signed in as; empty for nobody."""
    page = client.get("/account/")
    return page.context["user"].login if page.status_code == 200 else ""


@pytest.fixture
def linked(provider, idp, ana):
    link_own(signed_in_locally("ana"), idp)
    return ExternalIdentity.objects.get(person=ana)


def test_there_and_back_signs_in_and_notes_the_session(linked, idp, client):
    response = there_and_back(client, idp, "/sign-in/with/house/?next=/reviews/")
    assert response.url == "/reviews/"
    assert who(client) == "ana"
    row = Session.objects.get(session_key=client.session.session_key)
    assert (row.provider_id, row.provider_subject, row.provider_session) == (
        linked.provider_id,
        "subject-1",
        "session-at-provider",
    )
    entry = Entry.objects.acts().filter(kind="signed in").latest("pk")
    assert entry.facts["facts"]["provider"] == "House"


def test_keys_are_recorded_before_their_first_use(linked):
    rows = ProviderKey.objects.filter(provider=linked.provider)
    assert {row.kid for row in rows} == {"rsa-1", "ec-1", "ed-1"}
    kinds = list(Entry.objects.acts().order_by("pk").values_list("kind", flat=True))
    assert kinds.index("keys of a provider recorded") < kinds.index("external identity linked")


def test_keys_rotated_are_fetched_once_and_the_old_one_counts_no_more(linked, idp, client):
    new = servers.RSAKey.generate_key(2048, {"kid": "rsa-2", "alg": "RS256"}, private=True)
    idp.published = [new.as_dict(private=False)]
    idp.sign = lambda claims: servers.signed(claims, new)
    there_and_back(client, idp)
    assert who(client) == "ana"
    assert idp.asked.count("/keys") == 2
    idp.sign = servers.signed
    assert refusal(there_and_back(Client(), idp)) == "unknown key"


def test_a_withdrawn_key_signs_nobody_in_after_ten_minutes(linked, idp):
    with time_machine.travel(clock.now(), tick=False) as travel:
        browser = Client()
        there_and_back(browser, idp)
        assert who(browser) == "ana"
        idp.published = [key for key in idp.published if key["kid"] != "rsa-1"]
        travel.shift(timedelta(minutes=10))
        assert refusal(there_and_back(Client(), idp)) == "unknown key"


def test_private_key_jwt_takes_no_secret_and_publishes_the_public_half(provider, idp, admin, client):
    said = {name: getattr(provider, name) for name in actions.CHANGED_HERE}
    said |= {"authentication": "private_key", "makes_people": True}
    actions.change_provider(provider=provider, by=admin, **said)
    assert there_and_back(client, idp).status_code == 302
    published = client.get("/sign-in/with/house/keys.json").json()["keys"]
    assert [("d" in key, key["kty"]) for key in published] == [(False, "EC")]


def test_the_session_ends_when_the_provider_says_so(linked, idp, client):
    idp.more = {"session_expiry": int(time.time()) + 600}
    there_and_back(client, idp)
    assert 0 < client.session.get_expiry_age() <= 600


# --- Refused ----------------------------------------------------------------------------------------------------------

WRONG_TOKENS = {
    "nonce of another": ({"nonce": "another"}, "nonce"),
    "no nonce": ({"nonce": None}, "nonce"),
    "another issuer": ({"iss": "http://127.0.0.1:1"}, "issuer"),
    "another client": ({"aud": "other"}, "audience"),
    "two audiences": ({"aud": ["plumbline-client", "other"]}, "audience"),
    "expired": ({"exp": 1}, "time"),
    "old": ({"iat": 1}, "time"),
    "no subject": ({"sub": None}, "subject"),
    "somebody else": ({"sub": "subject-2"}, "unknown"),
}


@pytest.mark.parametrize("name", WRONG_TOKENS)
def test_a_wrong_token_signs_nobody_in(linked, idp, client, name):
    idp.more, code = WRONG_TOKENS[name]
    assert refusal(there_and_back(client, idp)) == code
    assert who(client) == ""


@pytest.mark.parametrize(
    ("sign", "code"),
    [
        (servers.unsigned, "algorithm"),
        (servers.by_public_key, "algorithm"),
        (lambda claims: servers.signed(claims)[:-4] + "AAAA", "signature"),
        (lambda claims: "x", "form"),
        (lambda claims: None, "token"),
    ],
)
def test_a_forged_signature_signs_nobody_in(linked, idp, client, sign, code):
    idp.sign = sign
    assert refusal(there_and_back(client, idp)) == code
    assert who(client) == ""


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"iss": "http://127.0.0.1:1"}, "mixed up"),
        ({"iss": None}, "mixed up"),
        ({"state": "another"}, "state"),
        ({"state": None}, "state"),
        ({"state": ["one", "two"]}, "state"),
        ({"code": None}, "answer"),
        ({"code": "made up"}, "code"),
        ({"code": ["a", "b"]}, "answer"),
        ({"error": "access_denied", "code": None}, "provider"),
        ({"id_token": "x"}, "answer"),
    ],
)
def test_a_changed_way_back_signs_nobody_in(linked, idp, client, answer, code):
    idp.answer = answer
    assert refusal(there_and_back(client, idp)) == code
    assert who(client) == ""


def test_an_answer_counts_once_in_the_browser_that_asked(linked, idp, client):
    gone = client.get("/sign-in/with/house/")
    back = path_of(idp.authorize(gone.url))
    assert refusal(Client().get(back)) == "browser"
    assert client.get(back).status_code == 302
    client.post("/sign-out/")
    assert refusal(client.get(back)) in ("replayed", "browser")
    assert who(client) == ""


def test_a_code_of_another_browser_is_not_taken(linked, idp, client):
    """Login CSRF: the attacker's code in the victim's answer."""
    theirs = idp.authorize(Client().get("/sign-in/with/house/").url)
    code = dict(pair.split("=") for pair in theirs.split("?")[1].split("&"))["code"]
    idp.answer = {"code": code}
    assert refusal(there_and_back(client, idp)) == "code"


def test_the_provider_away_or_broken_is_said_in_words(linked, idp, client):
    gone = client.get("/sign-in/with/house/")
    back = path_of(idp.authorize(gone.url))
    idp.away = True
    assert refusal(client.get(back)) in ("away", "provider")
    idp.away, idp.token_error = False, (401, {"error": "invalid_client"})
    assert refusal(there_and_back(client, idp)) == "client"
    idp.token_error = (500, {})
    assert refusal(there_and_back(client, idp)) == "token"


def test_a_switched_off_provider_signs_nobody_in_and_ends_its_sessions(linked, idp, client, admin):
    there_and_back(client, idp)
    actions.switch_provider(provider=linked.provider, on=False, by=admin)
    assert who(client) == ""
    assert client.get("/sign-in/with/house/").status_code == 404


def test_an_ended_account_is_refused(linked, idp, client, admin):
    there_and_back(client, idp)
    with unguarded("governance_user"), linked_accounts.acting(by=admin):
        linked.person.is_active = False
        linked.person.save()
    assert who(client) == ""
    assert refusal(there_and_back(Client(), idp)) == "ended"


# --- Begun there, ended there -----------------------------------------------------------------------------------------


def test_a_sign_in_begun_by_the_provider_leads_to_own_paths_only(linked, idp, client):
    start = f"/sign-in/begin/?iss={idp.issuer}&login_hint=ana&target_link_uri="
    assert there_and_back(client, idp, f"{start}http://127.0.0.1:8000/reviews/").url == "/reviews/"
    for target in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert there_and_back(Client(), idp, start + target).url == "/"
    assert refusal(Client().get("/sign-in/begin/?iss=https://evil.example")) == "issuer"


def told(provider_idp, **changed) -> str:
    now = int(time.time())
    said = {
        "iss": provider_idp.issuer,
        "aud": servers.CLIENT,
        "iat": now,
        "exp": now + 60,
        "jti": f"jti-{time.time_ns()}",
        "sid": "session-at-provider",
        "events": EVENT,
    }
    said = {name: value for name, value in (said | changed).items() if value is not None}
    return servers.signed(said, typ="logout+jwt")


def test_back_channel_logout_ends_the_session_at_once_and_a_token_counts_once(linked, idp, client):
    there_and_back(client, idp)
    local = signed_in_locally("ana")
    raw = told(idp)
    outside = Client(enforce_csrf_checks=True)
    assert outside.post("/sign-in/with/house/signed-out/", {"logout_token": raw}).json() == {"sessions": 1}
    assert (who(client), who(local)) == ("", "ana")
    again = outside.post("/sign-in/with/house/signed-out/", {"logout_token": raw})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    nobody = outside.post("/sign-in/with/hause/signed-out/", {"logout_token": raw})
    assert nobody.status_code == 404
    assert "hause" in nobody.json()["error_description"]


@pytest.mark.parametrize(
    "changed",
    [{"aud": "other"}, {"events": None}, {"nonce": "n"}, {"sid": "of another"}, {"iss": "http://x"}],
)
def test_a_wrong_logout_token_ends_nothing(linked, idp, client, changed):
    there_and_back(client, idp)
    client.post("/sign-in/with/house/signed-out/", {"logout_token": told(idp, **changed)})
    assert who(client) == "ana"


def test_whoever_signs_out_here_is_offered_to_sign_out_there(linked, idp, client):
    there_and_back(client, idp)
    response = client.post("/sign-out/")
    assert response.url == "/sign-in/?left=house"
    assert "Sign out there too" in client.get(response.url).content.decode()
    there = client.get("/sign-in/with/house/sign-out/").url
    assert there.startswith(f"{idp.issuer}/end?client_id=")
    assert "id_token_hint=ey" in there  # Okta refuses without
    assert "id_token_hint" not in Client().get("/sign-in/with/house/sign-out/").url


# --- Local accounts off, break-glass ----------------------------------------------------------------------------------


def test_local_accounts_off_leaves_break_glass_whose_use_is_told_at_once(
    linked, idp, client, admin, mailoutbox
):
    other = linked_accounts.User.objects.get(pk=linked.person_id)
    with unguarded("governance_user"), linked_accounts.acting(system="test"):
        other.is_admin = True
        other.save()
    with pytest.raises(Refused, match="break-glass"):
        break_glass.switch_local_accounts(on=False, by=other)
    with pytest.raises(Refused, match="You cannot mark your own account"):
        break_glass.mark(person=admin, by=admin)
    break_glass.mark(person=admin, by=other)
    break_glass.switch_local_accounts(on=False, by=other)
    assert client.post("/sign-in/", {"username": "ana", "password": PASSWORD}).status_code == 200
    assert who(client) == ""
    assert signed_in_locally("admin")
    assert Entry.objects.acts().filter(kind="break-glass account used").exists()
    assert Notification.objects.filter(person=other, subject__contains="was used").exists()
    with pytest.raises(Refused, match="no one can sign in"):
        break_glass.revoke(row=admin.break_glass, by=other)
    there_and_back(client, idp)
    assert who(client) == "ana"


# --- The pages of admins ----------------------------------------------------------------------------------------------


def test_the_secret_is_kept_encrypted_and_never_shown(provider, as_, admin):
    row = IdentityProvider.objects.get()
    assert servers.SECRET.encode() not in bytes(row.secret_box)
    for page in ("/identity/", "/identity/providers/house/", "/identity/providers/house/edit/"):
        assert servers.SECRET not in as_(admin).get(page).content.decode()
    assert all(servers.SECRET not in str(entry.facts) for entry in Entry.objects.all() if entry.facts)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"document": {"issuer": "https://elsewhere.example"}}, "issuer"),
        ({"document": {"jwks_uri": None}}, "jwks_uri"),
        ({"published": []}, "no key"),
        ({"document": {"token_endpoint_auth_methods_supported": ["tls_client_auth"]}}, "client secret"),
        ({"away": True}, "503"),
        ({"token_error": (401, {"error": "invalid_client"})}, "did not accept Plumbline"),
        ({"token_error": (400, {"error": "x", "error_description": "AADSTS7000222: late"})}, "expired"),
        ({"answer": {"error": "access_denied", "code": None}}, "refused the sign-in"),
        ({"more": {"aud": "other"}}, "another application"),
    ],
)
def test_a_refused_sign_in_says_what_is_wrong_and_how_to_fix_it(provider, idp, client, wrong, said):
    for name, value in wrong.items():
        setattr(idp, name, value)
    page = client.get("/sign-in/with/house/")
    if page.status_code == 302:
        page = client.get(path_of(idp.authorize(page.url)))
    denied = page.context["denied"]
    assert said in denied.words
    assert denied.fix.endswith(".")
    assert denied.fix in page.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize(("kind", "claim"), [("entra", "tid+oid"), ("okta", "sub"), ("other", "sub")])
def test_the_kind_of_a_provider_says_what_tells_people_apart(db, as_, kind, claim):
    admin = as_(make_person("admin", is_admin=True))
    sent = {
        "kind": kind,
        "name": "House",
        "slug": "house",
        "issuer": "https://idp.example",
        "client_id": "plumbline",
        "authentication": "secret",
        "secret": "of the client",
        "scopes": "openid profile email",
    }
    without = admin.post("/identity/add/", sent | {"scopes": "profile"})
    assert set(without.context["form"].errors) == {"scopes"}
    assert admin.post("/identity/add/", sent).status_code == 302
    row = IdentityProvider.objects.get()
    assert row.key_claim == claim
    other = sent | {"kind": "google" if kind == "entra" else "entra", "secret": ""}
    assert "from or to Entra" in admin.post(f"/identity/providers/{row.slug}/edit/", other).content.decode()
    row.refresh_from_db()
    assert (row.kind, row.key_claim) == (kind, claim)
    with pytest.raises(ValidationError):
        actions.change_provider(provider=row, kind=other["kind"], by=User.objects.get(login="admin"))
