"""What an admin does at each kind of provider, step by step, with the addresses to enter there."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from governance.identity.providers.round_trip import redirect_address
from governance.models import IdentityProvider

Kind = IdentityProvider.Kind


@dataclass(frozen=True)
class Ours:
    """Addresses of ours that are entered at the provider."""

    redirect: str
    back_channel: str
    begin: str
    keys: str
    signed_out: str


def ours(provider: IdentityProvider) -> Ours:
    """The addresses for this provider."""

    def at(name: str, *args: str) -> str:
        return f"{settings.ADDRESS}{reverse(name, args=args)}"

    return Ours(
        redirect=redirect_address(provider),
        back_channel=at("provider-signed-out", provider.slug),
        begin=at("provider-begun"),
        keys=at("provider-our-keys", provider.slug),
        signed_out=at("sign-in"),
    )


GUIDES: dict[str, tuple[str, ...]] = {
    Kind.ENTRA: (
        "App registrations, New registration: accounts in this organisational directory only.",
        "Redirect address: platform Web, the address below, to the letter.",
        "The issuer is https://login.microsoftonline.com/<tenant id>/v2.0, with the Directory (tenant) ID. "
        "Never common or organizations.",
        "Client id: the Application (client) ID. Certificates & secrets, New client secret: its value, not its id.",
        "Token configuration, optional claims of the ID token: auth_time, sid, login_hint, acct; acrs where "
        "signatures ask for an authentication context (needs Conditional Access).",
        "App roles, not groups, where units shall be proposed: their values are codes of units; the claim is roles.",
        "Enterprise applications, Properties: assignment required yes; then assign people under Users and groups.",
    ),
    Kind.OKTA: (
        "Applications, Create App Integration: OIDC, Web Application, grant Authorization Code.",
        "Sign-in redirect address and sign-out redirect address: those below, to the letter.",
        "The issuer is https://<your domain>.okta.com, as Sign On, OpenID Connect ID Token shows it; a custom "
        "authorization server has one of its own.",
        "Client authentication: client secret, or public key / private key with the address of our keys.",
        "Login initiated by Okta: the address to begin at, below. Assignments: who may sign in.",
    ),
    Kind.KEYCLOAK: (
        "Clients, Create client: OpenID Connect; client authentication on; standard flow alone.",
        "Valid redirect address: the one below, without an asterisk. Valid post logout redirect: the one below.",
        "The issuer is https://<host>/realms/<realm>.",
        "Credentials: client id and secret; or Signed JWT with the JWKS address of our keys.",
        "Advanced: PKCE method S256, ID token signature RS256 or ES256, no encryption. Back-channel logout address: "
        "the one below, session required on.",
        "Client scopes: no audience mapper that adds another audience to the ID token.",
    ),
    Kind.PING: (
        "Applications, Add: OIDC Web App; grant Authorization Code, PKCE required S256.",
        "Redirect address and sign-off address: those below. Token endpoint authentication: client secret or "
        "private key JWT with the address of our keys.",
        "The issuer stands on the Overview page of the application (PingOne: https://auth.pingone.<region>/<id>/as).",
        "Access: the groups whose people may sign in.",
    ),
    Kind.GOOGLE: (
        "Google Cloud console, APIs & Services, OAuth consent screen: Internal, for your own organisation.",
        "Credentials, Create OAuth client ID: Web application; authorised redirect address: the one below.",
        "The issuer is https://accounts.google.com, the client id ends in .apps.googleusercontent.com.",
        "Google does not say when somebody signed in (auth_time): people sign in with it, but cannot link an account "
        "by themselves or prove a signature with it. An admin links their accounts.",
    ),
    Kind.OTHER: (
        "Register a confidential client with the authorization code flow and PKCE (S256), and the addresses below.",
        "The issuer is what the discovery document says under issuer, to the letter.",
        "ID tokens are signed with RS256, ES256 or EdDSA (Ed25519), not encrypted, and have this client as their only "
        "audience.",
        "It sends auth_time where max_age is asked, or nothing can be proved afresh with it.",
    ),
}


def guide_of(provider: IdentityProvider) -> tuple[str, ...]:
    """The steps at this kind of provider."""
    return GUIDES[provider.kind]
