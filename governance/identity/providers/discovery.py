"""The discovery document of a provider, pinned to one issuer, and its answers. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from governance.identity.providers.denials import Denied
from governance.identity.providers.jwk_rules import ALGORITHMS

WELL_KNOWN = "/.well-known/openid-configuration"
OF_MANY_TENANTS = ("/common/", "/organizations/", "/consumers/", "{tenantid}")
BASIC, POST, PRIVATE_KEY = "client_secret_basic", "client_secret_post", "private_key_jwt"

# What a provider says instead of a code (OpenID Connect Core 3.1.2.6, RFC 6749 4.1.2.1), and what to do then.
ERRORS = {
    "access_denied": (
        "The provider refused the sign-in, or you cancelled it.",
        "Assign this person or their group to the application at the provider. Then try again.",
    ),
    "login_required": (
        "The provider requires you to sign in there first.",
        "Sign in at the provider, then try again.",
    ),
    "interaction_required": (
        "The provider needs an answer from you.",
        "Try again, and answer the question at the provider.",
    ),
    "consent_required": (
        "The provider has no consent for this application.",
        "Ask an admin of the provider to grant consent for the scopes of this application.",
    ),
    "account_selection_required": (
        "The provider needs you to choose an account.",
        "Choose an account at the provider.",
    ),
    "invalid_request": (
        "The provider did not understand the request.",
        "Compare the redirect address registered at the provider with the one on the page of this provider.",
    ),
    "invalid_request_uri": (
        "The provider does not accept requests by address.",
        "Look at the log of the provider: Plumbline sends no request by address.",
    ),
    "unauthorized_client": (
        "The provider does not let this client sign people in.",
        "Allow the authorization code flow for this client at the provider.",
    ),
    "unsupported_response_type": (
        "The provider does not allow the authorization code flow for this client.",
        "Switch the flow on at the provider (in Keycloak: standard flow).",
    ),
    "invalid_scope": (
        "The provider does not know one of the scopes.",
        "Compare the scopes on the page of this provider with those the client may ask for.",
    ),
    "server_error": (
        "The provider had an internal error.",
        "Try again in a minute, or look at the log of the provider.",
    ),
    "temporarily_unavailable": ("The provider is overloaded or down.", "Try again in a few minutes."),
    "unmet_authentication_requirements": (
        "You could not sign in at the provider as strongly as required.",
        "Register the second factor that your organisation requires at the provider.",
    ),
}


@dataclass(frozen=True)
class Metadata:
    """The judged parts of a discovery document that are used."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    end_session: str = ""
    sends_issuer: bool = False
    authentication: tuple[str, ...] = (BASIC,)


def check_issuer(issuer: str) -> None:
    """Raise Denied unless an issuer is one https address, or http on this machine."""
    check_address(issuer, "The issuer")
    parts = urlsplit(issuer)
    if parts.query or parts.fragment or issuer != issuer.strip():
        raise Denied(
            "issuer",
            "The issuer contains a question mark or a #.",
            "Copy the issuer from the provider's discovery document.",
        )
    if any(mark in f"{issuer}/" for mark in OF_MANY_TENANTS):
        raise Denied(
            "issuer",
            "This issuer includes every tenant.",
            "Use the issuer of your own tenant: https://login.microsoftonline.com/<tenant id>/v2.0",
        )
    if issuer.endswith(WELL_KNOWN):
        raise Denied(
            "issuer",
            "You entered the address of the discovery document.",
            f"Remove {WELL_KNOWN} from the end of the address.",
        )


def check_address(address: Any, name: str) -> None:
    """Raise Denied unless an address is https, or http on this machine."""
    wrong = Denied(
        "address",
        f"{name} is not a valid address.",
        "Use an address that begins with https:// and has no name, password or space.",
    )
    if not isinstance(address, str) or not address.isascii() or not address.isprintable() or " " in address:
        raise wrong
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if not host or parts.username is not None or parts.password is not None or "\\" in address:
        raise wrong
    if parts.scheme == "https" or (parts.scheme == "http" and _on_this_machine(host)):
        return
    raise wrong


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def judge_document(document: Any, *, issuer: str) -> Metadata:
    """Return the used parts of a discovery document, of this issuer. Raises Denied."""
    if not isinstance(document, dict):
        raise Denied(
            "discovery",
            "The discovery document is not a JSON object.",
            f"Open {issuer}{WELL_KNOWN} in a browser.",
        )
    said = document.get("issuer")
    if said != issuer:
        shown = said[:200] if isinstance(said, str) and said.isprintable() else "something else"
        raise Denied(
            "issuer",
            f"The discovery document names the issuer {shown} and not {issuer}.",
            "Add the provider with exactly that issuer, including a slash at the end.",
        )
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if name not in document:
            raise Denied(
                "discovery",
                f"The discovery document has no {name}.",
                "Use a provider of OpenID Connect.",
            )
        check_address(document[name], f"Field {name}")
    _offers(document, "response_types_supported", ("code",), "the authorization code flow", asked=True)
    _offers(document, "id_token_signing_alg_values_supported", ALGORITHMS, "RS256, ES256 or EdDSA")
    _offers(document, "code_challenge_methods_supported", ("S256",), "PKCE with S256")
    end = document.get("end_session_endpoint", "")
    if end:
        check_address(end, "Field end_session_endpoint")
    ways = document.get("token_endpoint_auth_methods_supported", [BASIC])
    return Metadata(
        issuer=issuer,
        authorization=document["authorization_endpoint"],
        token=document["token_endpoint"],
        jwks=document["jwks_uri"],
        end_session=end,
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        authentication=tuple(way for way in ways if isinstance(way, str))
        if isinstance(ways, list)
        else (BASIC,),
    )


def _offers(
    document: Mapping[str, Any], name: str, wanted: Sequence[str], words: str, *, asked: bool = False
) -> None:
    """Raise Denied unless a list names one of these. A missing list passes, unless `asked`."""
    said = document.get(name)
    if said is None and not asked:
        return
    if not isinstance(said, list) or not set(wanted) & {one for one in said if isinstance(one, str)}:
        raise Denied(
            "discovery",
            f"The provider does not offer {words} ({name}).",
            "Switch on {words} at the provider, or ask the administrator of the provider.",
        )


def way_of(metadata: Metadata, *, private_key: bool) -> str:
    """Return our way to authenticate at the token endpoint. Raises Denied if there is none."""
    ways = metadata.authentication
    if private_key:
        if PRIVATE_KEY not in ways:
            raise Denied(
                "client",
                "The provider does not accept private_key_jwt.",
                "Choose a client secret for this provider.",
            )
        return PRIVATE_KEY
    for way in (BASIC, POST):
        if way in ways:
            return way
    raise Denied(
        "client",
        "The token endpoint of the provider does not accept a client secret.",
        "Choose the private key for this provider.",
    )


def code_of(given: Mapping[str, Sequence[str]], *, issuer: str, sends_issuer: bool) -> str:
    """Return the code in the browser's answer, once each parameter is judged. Raises Denied.

    `given`: every parameter with all its values. The person at the browser can change them, so only the token shows
    who a person is.
    """
    for name in ("state", "code", "iss", "error", "error_description"):
        if len(given.get(name, ())) > 1:
            raise Denied(
                "answer", f'The response has two "{name}" values.', "Start again from the sign-in page."
            )
    if given.get("id_token") or given.get("access_token"):
        raise Denied(
            "answer",
            "The response has a token in its address.",
            "Use the authorization code flow at the provider.",
        )
    said = given.get("iss", [""])[0]
    if (said and said != issuer) or (sends_issuer and not said):
        raise Denied(
            "mixed up",
            "The response comes from a different provider than the provider you chose."
            if said
            else "The response does not name its provider.",
            "Start again from the sign-in page. If this happens again, tell an admin.",
        )
    if given.get("error"):
        raise said_no(given["error"][0], given.get("error_description", [""])[0])
    code = given.get("code", [""])[0]
    if not code or len(code) > 4096 or not code.isascii() or not code.isprintable():
        raise Denied("answer", 'The response has no "code" value.', "Start again from the sign-in page.")
    return code


def said_no(error: str, description: str = "") -> Denied:
    """Return the refusal for a provider's error. For Entra, its own codes are read."""
    if known := of_entra(description):
        return known
    words, fix = ERRORS.get(
        error,
        (
            f"The provider ended the sign-in with the error “{plain(error)}”.",
            "Look in the log of the provider for the time of this attempt.",
        ),
    )
    return Denied("provider", words, fix)


ENTRA = {
    "AADSTS50011": (
        "Entra does not know this redirect address.",
        "Register the address under Authentication, type Web.",
    ),
    "AADSTS50105": (
        "This person is not assigned to the application in Entra.",
        "Assign the person under Enterprise applications, Users and groups.",
    ),
    "AADSTS65001": (
        "Entra has no consent for this application.",
        "Grant admin consent under API permissions.",
    ),
    "AADSTS65004": (
        "You did not give consent at Entra.",
        "Try again and accept, or ask an admin to grant consent.",
    ),
    "AADSTS700016": (
        "Entra knows no application with this client id in this tenant.",
        "Compare the client id, and the tenant in the issuer.",
    ),
    "AADSTS7000215": (
        "Entra refused the client secret.",
        "Enter the value of the secret, not its id. Make a new secret if you no longer have the value.",
    ),
    "AADSTS7000222": (
        "The client secret has expired in Entra.",
        "Make a new secret in Entra and enter it here.",
    ),
    "AADSTS700027": (
        "Entra does not accept the signature of Plumbline's key.",
        "Upload the public key of this page to the application, or choose a client secret.",
    ),
    "AADSTS53003": (
        "A Conditional Access policy of Entra blocked you.",
        "Ask the admin of Entra: its sign-in log names the policy.",
    ),
    "AADSTS50076": ("Entra requires a second factor.", "Try again with your second factor."),
    "AADSTS54005": ("The code was already used.", "Start again from the sign-in page."),
    "AADSTS70008": ("The code is too old.", "Start again from the sign-in page."),
}


def of_entra(description: str) -> Denied | None:
    """Return the refusal for the code at the start of Entra's description, or None."""
    code = description.split(":", 1)[0].strip()
    if code not in ENTRA:
        return None
    words, fix = ENTRA[code]
    return Denied("provider", f"{words} ({code})", fix)


def plain(text: str, most: int = 80) -> str:
    """Return a text of others, printable, short and without quotes."""
    return "".join(letter for letter in text[:most] if letter.isprintable() and letter not in "“”\"'<>")
