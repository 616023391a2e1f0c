"""The steps of an admin at each kind of provider, with the addresses to enter."""

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
    """Return our addresses for this provider."""

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
        "Redirect address: platform Web, exactly the address below.",
        (
            "The issuer is https://login.microsoftonline.com/<tenant id>/v2.0, with the Directory (tenant) ID. "
            "Do not use common or organizations."
        ),
        "Client id: the Application (client) ID. Certificates & secrets, New client secret: its value, not its id.",
        (
            "Token configuration: add the optional claims auth_time, sid, login_hint and acct to the ID token. "
            "Add acrs if signatures ask for an authentication context (needs Conditional Access)."
        ),
        (
            "Use app roles, not groups, if you want proposals for units. Use the codes of units as values. "
            "The claim is roles."
        ),
        (
            "Enterprise applications, Properties: set assignment required to yes. Then assign people under "
            "Users and groups."
        ),
    ),
    Kind.OKTA: (
        "Applications, Create App Integration: OIDC, Web Application, grant Authorization Code.",
        "Sign-in redirect address and sign-out redirect address: exactly the addresses below.",
        (
            "The issuer is https://<your domain>.okta.com, as shown under Sign On, OpenID Connect ID Token. A "
            "custom authorization server has a different issuer."
        ),
        (
            "Client authentication: client secret, or public key / private key with the address of Plumbline's "
            "keys."
        ),
        "Login initiated by Okta: the start address below. Assignments: who may sign in.",
    ),
    Kind.KEYCLOAK: (
        "Clients, Create client: OpenID Connect, client authentication on, standard flow only.",
        "Valid redirect address: the redirect address below, without an asterisk. Valid post logout "
        "redirect: the address after sign-out below.",
        "The issuer is https://<host>/realms/<realm>.",
        "Credentials: client id and secret, or Signed JWT with the JWKS address of Plumbline's keys.",
        "Advanced: PKCE method S256, ID token signature RS256 or ES256, no encryption. Back-channel logout "
        "address: the address with this name below, session required on.",
        "Client scopes: no audience mapper that adds another audience to the ID token.",
    ),
    Kind.PING: (
        "Applications, Add: OIDC Web App, grant Authorization Code, PKCE required S256.",
        (
            "Redirect address and sign-off address: the addresses below. Token endpoint authentication: "
            "client secret "
            "or private key JWT with the address of Plumbline's keys."
        ),
        (
            "The issuer is on the Overview page of the application (PingOne: "
            "https://auth.pingone.<region>/<id>/as)."
        ),
        "Access: the groups whose people may sign in.",
    ),
    Kind.GOOGLE: (
        "Google Cloud console, APIs & Services, OAuth consent screen: Internal, for your own organisation.",
        (
            "Credentials, Create OAuth client ID: Web application. Authorised redirect address: the address "
            "below."
        ),
        "The issuer is https://accounts.google.com, the client id ends in .apps.googleusercontent.com.",
        (
            "Google sends no time of the sign-in (auth_time). People can sign in with Google, but cannot "
            "link an account themselves or sign statements with Google. An admin can link their accounts."
        ),
    ),
    Kind.OTHER: (
        "Register a confidential client with the authorization code flow and PKCE (S256), and the addresses below.",
        "The issuer is exactly the value of issuer in the discovery document.",
        "ID tokens are signed with RS256, ES256 or EdDSA (Ed25519), not encrypted, and have this client as their only "
        "audience.",
        (
            "The provider must send auth_time if max_age is requested. Without auth_time, people cannot "
            "sign statements with the provider."
        ),
    ),
}


def guide_of(provider: IdentityProvider) -> tuple[str, ...]:
    """Return the steps at this kind of provider."""
    return GUIDES[provider.kind]
