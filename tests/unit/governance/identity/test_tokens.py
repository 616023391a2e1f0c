"""Tokens of providers: what is forged, stale or swapped is refused, each in a sentence that says how to fix it."""

import base64
import json

import pytest
from joserfc.jwk import ECKey, RSAKey

from governance.identity.providers import discovery, jwk_rules, tokens
from governance.identity.providers import identity_claims as claim_rules
from governance.identity.providers.denials import Denied
from governance.identity.providers.tokens import Asked
from tests.support.servers import identity_provider as idp

NOW = 1_800_000_000
ISSUER, CLIENT, NONCE = "https://id.example/tenant", "plumbline-client", "n-0S6_WzA2Mj"
PUBLISHED = [key.as_dict(private=False) for key in idp.KEYS.values()]
GOOD = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "subject-1",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": NONCE,
    "auth_time": NOW - 1,
}
ASKED = Asked(issuer=ISSUER, client_id=CLIENT, nonce=NONCE, asked_at=NOW - 4)
FRESH = Asked(issuer=ISSUER, client_id=CLIENT, nonce=NONCE, asked_at=NOW - 4, max_age=0)
STRONG = Asked(issuer=ISSUER, client_id=CLIENT, nonce=NONCE, asked_at=NOW - 4, max_age=0, acr=("c1", "c2"))
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)
WEAK = RSAKey.generate_key(1024, {"kid": "weak"}, private=True)
P384 = ECKey.generate_key("P-384", {"kid": "p384"}, private=True)


def said(**changed):
    return {name: value for name, value in (GOOD | changed).items() if value is not None}


def tampered(**changed):
    """The claims exchanged under the signature of the right ones."""
    head, _, tail = idp.signed(GOOD).split(".")
    body = base64.urlsafe_b64encode(json.dumps(said(**changed)).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{tail}"


def twice():
    head = base64.urlsafe_b64encode(b'{"alg":"none","alg":"RS256"}').rstrip(b"=").decode()
    return f"{head}.{idp.signed(GOOD).split('.', 1)[1]}"


REFUSED = {
    # name: (raw token, what was asked, code of the refusal)
    "unsigned": (idp.unsigned(GOOD), ASKED, "algorithm"),
    "signature taken off": (idp.signed(GOOD).rsplit(".", 1)[0] + ".", ASKED, "signature"),
    "public key as a secret": (idp.by_public_key(GOOD), ASKED, "algorithm"),
    "another algorithm of RSA": (
        idp.signed(GOOD, STRANGER, alg="RS512"),
        ASKED,
        "algorithm",
    ),
    "wrong key of that name": (idp.signed(GOOD, STRANGER), ASKED, "signature"),
    "key that is not published": (idp.signed(GOOD, STRANGER, kid="other"), ASKED, "unknown key"),
    "name of a key of another kind": (idp.signed(GOOD, alg="ES256", kid="rsa-1"), ASKED, "unknown key"),
    "own key in the header": (
        idp.signed(GOOD, STRANGER, kid="mine", jwk=STRANGER.as_dict(private=False)),
        ASKED,
        "unknown key",
    ),
    "address of keys in the header": (
        idp.signed(GOOD, STRANGER, jku="https://evil.example/keys"),
        ASKED,
        "signature",
    ),
    "critical header": ("eyJhbGciOiJSUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AA", ASKED, "form"),
    "a name twice in the header": (twice(), ASKED, "form"),
    "claims exchanged": (tampered(sub="somebody-else"), ASKED, "signature"),
    "no token": ("what is this", ASKED, "form"),
    "empty": ("", ASKED, "form"),
    "not a text": (None, ASKED, "form"),
    "encrypted": ("a.b.c.d.e", ASKED, "form"),
    "far too long": (f"{'a' * 200_000}.b.c", ASKED, "form"),
    "access token": (idp.signed(GOOD, typ="at+jwt"), ASKED, "kind"),
    "logout token": (idp.signed(said(events={tokens.LOGOUT_EVENT: {}})), ASKED, "kind"),
    "logout token by its type": (idp.signed(GOOD, typ="logout+jwt"), ASKED, "kind"),
    "another issuer": (idp.signed(said(iss="https://id.example/other")), ASKED, "issuer"),
    "issuer with a slash": (idp.signed(said(iss=f"{ISSUER}/")), ASKED, "issuer"),
    "no issuer": (idp.signed(said(iss=None)), ASKED, "issuer"),
    "another client": (idp.signed(said(aud="other-client")), ASKED, "audience"),
    "several audiences": (idp.signed(said(aud=[CLIENT, "other-client"])), ASKED, "audience"),
    "several audiences, asked for by us": (
        idp.signed(said(aud=[CLIENT, "other-client"], azp=CLIENT)),
        ASKED,
        "audience",
    ),
    "our audience twice": (idp.signed(said(aud=[CLIENT, CLIENT])), ASKED, "audience"),
    "list of another audience": (idp.signed(said(aud=["other-client"])), ASKED, "audience"),
    "audience in a list in a list": (idp.signed(said(aud=[[CLIENT]])), ASKED, "audience"),
    "list of no audience": (idp.signed(said(aud=[])), ASKED, "audience"),
    "no audience": (idp.signed(said(aud=None)), ASKED, "audience"),
    "asked for by another client": (idp.signed(said(azp="other-client")), ASKED, "audience"),
    "no subject": (idp.signed(said(sub=None)), ASKED, "subject"),
    "empty subject": (idp.signed(said(sub="")), ASKED, "subject"),
    "subject that is a number": (idp.signed(said(sub=7)), ASKED, "subject"),
    "expired": (idp.signed(said(exp=NOW - 61)), ASKED, "time"),
    "no expiry": (idp.signed(said(exp=None)), ASKED, "time"),
    "expiry as a text": (idp.signed(said(exp=str(NOW + 300))), ASKED, "time"),
    "expiry that is true": (idp.signed(said(exp=True)), ASKED, "time"),
    "expiry in milliseconds": (idp.signed(said(exp=(NOW + 300) * 1000)), ASKED, "time"),
    "issued in the future": (idp.signed(said(iat=NOW + 61)), ASKED, "time"),
    "issued before the question": (idp.signed(said(iat=NOW - 65)), ASKED, "time"),
    "no moment of issue": (idp.signed(said(iat=None)), ASKED, "time"),
    "not yet": (idp.signed(said(nbf=NOW + 61)), ASKED, "time"),
    "nonce of another question": (idp.signed(said(nonce="another")), ASKED, "nonce"),
    "no nonce": (idp.signed(said(nonce=None)), ASKED, "nonce"),
    "nonce with something behind it": (idp.signed(said(nonce=f"{NONCE}x")), ASKED, "nonce"),
    "remembered by the provider": (idp.signed(said(auth_time=NOW - 3600)), FRESH, "fresh"),
    "signed in just before": (idp.signed(said(auth_time=NOW - 4 - 6)), FRESH, "fresh"),
    "no auth_time": (idp.signed(said(auth_time=None)), FRESH, "fresh"),
    "auth_time in the future": (idp.signed(said(auth_time=NOW + 61)), FRESH, "fresh"),
    "auth_time in milliseconds": (idp.signed(said(auth_time=NOW * 1000)), FRESH, "time"),
    "auth_time as a text": (idp.signed(said(auth_time=str(NOW))), FRESH, "time"),
    "auth_time zero": (idp.signed(said(auth_time=0)), FRESH, "fresh"),
    "no strength": (idp.signed(GOOD), STRONG, "strength"),
    "lesser strength": (idp.signed(said(acr="c0")), STRONG, "strength"),
    "strengths without the right one": (idp.signed(said(acrs=["c3", 1])), STRONG, "strength"),
    "strength as a text in acrs": (idp.signed(said(acrs="c1")), STRONG, "strength"),
    "session that has ended": (idp.signed(said(session_expiry=NOW)), ASKED, "session"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    raw, asked, code = REFUSED[name]
    with pytest.raises(Denied) as refused:
        tokens.judge_id_token(raw, PUBLISHED, asked, now=NOW)
    assert refused.value.code == code
    assert refused.value.words.endswith(".")
    assert refused.value.fix.endswith(".")
    assert "unknown error" not in str(refused.value).lower()
    if raw:
        assert raw not in str(refused.value)


def test_a_list_of_our_audience_alone_is_taken():
    found = tokens.judge_id_token(idp.signed(said(aud=[CLIENT])), PUBLISHED, ASKED, now=NOW)
    assert found.claims["aud"] == [CLIENT]


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_taken_with_each_algorithm(alg):
    found = tokens.judge_id_token(idp.signed(GOOD, alg=alg), PUBLISHED, FRESH, now=NOW)
    assert found.claims["sub"] == "subject-1"
    assert found.jwk["kid"] == {"RS256": "rsa-1", "ES256": "ec-1", "EdDSA": "ed-1"}[alg]


@pytest.mark.parametrize("strength", [{"acr": "c1"}, {"acrs": ["c9", "c2"]}])
def test_a_demanded_strength_is_taken_where_the_provider_names_it(strength):
    assert tokens.judge_id_token(idp.signed(said(**strength)), PUBLISHED, STRONG, now=NOW)


def test_without_kid_the_only_key_of_its_algorithm_is_taken_and_none_of_two():
    raw = idp.signed(GOOD, kid=None)
    assert tokens.judge_id_token(raw, PUBLISHED, ASKED, now=NOW)
    with pytest.raises(Denied, match="does not name the key"):
        tokens.judge_id_token(raw, [*PUBLISHED, STRANGER.as_dict(private=False)], ASKED, now=NOW)


LOGOUT = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": NOW,
    "exp": NOW + 120,
    "jti": "one",
    "sid": "session",
    "events": {tokens.LOGOUT_EVENT: {}},
}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"events": None}, "kind"),
        ({"events": {"other": {}}}, "kind"),
        ({"nonce": "n"}, "kind"),
        ({"jti": None}, "replayed"),
        ({"sid": None}, "subject"),
        ({"iss": "https://other.example"}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": [CLIENT, "other"]}, "audience"),
        ({"exp": None}, "time"),
        ({"iat": NOW - 700}, "time"),
    ],
)
def test_a_logout_token_is_refused(changed, code):
    claims = {name: value for name, value in (LOGOUT | changed).items() if value is not None}
    with pytest.raises(Denied) as refused:
        tokens.judge_logout_token(idp.signed(claims), PUBLISHED, issuer=ISSUER, client_id=CLIENT, now=NOW)
    assert refused.value.code == code


@pytest.mark.parametrize("audience", [CLIENT, [CLIENT]])
def test_a_logout_token_is_taken(audience):
    raw = idp.signed(LOGOUT | {"aud": audience}, typ="logout+jwt")
    assert tokens.judge_logout_token(raw, PUBLISHED, issuer=ISSUER, client_id=CLIENT, now=NOW).claims["sid"]


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_only_keys_that_verify_here_are_taken():
    rows = [WEAK.as_dict(private=False), P384.as_dict(private=False), *PUBLISHED]
    rows.append(PUBLISHED[0] | {"kid": "enc", "use": "enc"})
    assert [row["kid"] for row in jwk_rules.usable({"keys": rows})] == ["rsa-1", "ec-1", "ed-1"]


@pytest.mark.parametrize(
    "document", [None, {}, {"keys": {}}, {"keys": [1]}, {"keys": []}, {"keys": [{"kty": "RSA"}]}]
)
def test_a_list_without_keys_is_refused(document):
    with pytest.raises(Denied):
        jwk_rules.usable(document)


def test_a_published_private_key_is_refused():
    with pytest.raises(Denied, match="private"):
        jwk_rules.usable({"keys": [idp.KEYS["ES256"].as_dict(private=True)]})


# --- Discovery and the answer of the browser --------------------------------------------------------------------------

DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "jwks_uri": f"{ISSUER}/k",
    "response_types_supported": ["code"],
}


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://id.example/other"},
        {"issuer": f"{ISSUER}/"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://id.example/t"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "https://user:secret@id.example/a"},
        {"response_types_supported": ["id_token"]},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_discovery_document_is_refused(changed):
    document = {name: value for name, value in (DOCUMENT | changed).items() if value is not None}
    with pytest.raises(Denied):
        discovery.judge_document(document, issuer=ISSUER)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/organizations/v2.0",
        "https://id.example/?a=b",
        f"https://id.example{discovery.WELL_KNOWN}",
        "ftp://id.example",
        "id.example",
        "https://a b.example",
        "https:///path",
        "https://id.example:port",
    ],
)
def test_an_issuer_that_cannot_be_pinned(issuer):
    with pytest.raises(Denied):
        discovery.check_issuer(issuer)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"code": ["a"], "iss": ["https://id.example/other"]}, "mixed up"),
        ({"code": ["a"]}, "mixed up"),
        ({"code": ["a", "b"], "iss": [ISSUER]}, "answer"),
        ({"iss": [ISSUER]}, "answer"),
        ({"code": ["a"], "iss": [ISSUER], "id_token": ["x"]}, "answer"),
        ({"error": ["access_denied"], "iss": [ISSUER]}, "provider"),
        ({"error": ["something_of_its_own"], "iss": [ISSUER]}, "provider"),
        ({"error": ["x"], "error_description": ["AADSTS50105: not assigned"], "iss": [ISSUER]}, "provider"),
    ],
)
def test_an_answer_is_refused(given, code):
    with pytest.raises(Denied) as refused:
        discovery.code_of(given, issuer=ISSUER, sends_issuer=True)
    assert refused.value.code == code
    assert "unknown error" not in str(refused.value)


# --- Who it is, in the shapes of Entra --------------------------------------------------------------------------------

TENANT, THING = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
OF_ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
ENTRA = {"sub": "pairwise", "tid": TENANT, "oid": THING.upper(), "name": "Ana", "email": "ana@house.example"}


def entra(**changed):
    said = {name: value for name, value in (ENTRA | changed).items() if value is not None}
    return claim_rules.identity_of(said, tenant_and_object=True, issuer=OF_ENTRA, guests=False)


def test_the_key_of_entra_is_tenant_and_object_whatever_address_and_name_say():
    assert entra().key == entra(email="chair@house.example", name="Chair").key == f"{TENANT}/{THING}"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"tid": "99999999-2222-3333-4444-555555555555"}, "tenant"),
        ({"tid": None}, "subject"),
        ({"oid": None}, "subject"),
        ({"acct": 1}, "guest"),
        ({"idp": "https://sts.windows.net/99999999-2222-3333-4444-555555555555/"}, "guest"),
        ({"idp": "live.com"}, "guest"),
    ],
)
def test_whoever_does_not_belong_to_the_tenant_is_refused(changed, code):
    with pytest.raises(Denied) as refused:
        entra(**changed)
    assert refused.value.code == code


@pytest.mark.parametrize("left_out", [{"hasgroups": True}, {"_claim_names": {"groups": "src1"}}])
def test_overage_proposes_nothing_and_is_said(left_out):
    assert claim_rules.proposed_by({"groups": ["sales"], **left_out}, "groups") == ([], claim_rules.OVERAGE)


def test_roles_propose_and_what_is_no_text_does_not():
    assert claim_rules.proposed_by({"roles": ["sales", 1, None]}, "roles") == (["sales"], "")
