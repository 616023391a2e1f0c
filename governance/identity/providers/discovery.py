"""What a provider says of itself, pinned to one issuer; and what it sends back to us by the browser. Pure."""

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
        "The provider did not let you through: it, or you, said no.",
        "At the provider, assign this person or their group to the application; then try again.",
    ),
    "login_required": ("The provider wants you to sign in there first.", "Sign in there, then try again."),
    "interaction_required": (
        "The provider has a question for you that it could not ask.",
        "Try again, and answer it there.",
    ),
    "consent_required": (
        "The application has not been agreed to at the provider.",
        "An admin of the provider grants consent for the scopes of this application.",
    ),
    "account_selection_required": ("The provider does not know which account.", "Choose one there."),
    "invalid_request": (
        "The provider did not understand the question.",
        "Compare the redirect address registered at the provider with the one on the page of this provider.",
    ),
    "invalid_request_uri": ("The provider takes no request by address.", "None is sent; look at its log."),
    "unauthorized_client": (
        "The provider does not let this client sign people in.",
        "At the provider, allow the authorization code flow for this client.",
    ),
    "unsupported_response_type": (
        "The provider does not allow the authorization code flow for this client.",
        "Switch it on there (in Keycloak: standard flow).",
    ),
    "invalid_scope": (
        "The provider does not know one of the scopes.",
        "Compare the scopes on the page of this provider with those the client may ask for.",
    ),
    "server_error": ("The provider broke.", "Try again in a minute; its log says why."),
    "temporarily_unavailable": ("The provider is overloaded or down.", "Try again in a few minutes."),
    "unmet_authentication_requirements": (
        "You could not sign in there as strongly as was asked.",
        "Enrol the factor that your organisation asks for at the provider.",
    ),
}


@dataclass(frozen=True)
class Metadata:
    """What is used of a discovery document, judged."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    end_session: str = ""
    sends_issuer: bool = False
    authentication: tuple[str, ...] = (BASIC,)


def check_issuer(issuer: str) -> None:
    """That an issuer can be pinned: one https address, or http on this machine. Raises Denied."""
    check_address(issuer, "The issuer")
    parts = urlsplit(issuer)
    if parts.query or parts.fragment or issuer != issuer.strip():
        raise Denied(
            "issuer",
            "An issuer has no question mark and no #.",
            "Copy it from the provider's discovery document.",
        )
    if any(mark in f"{issuer}/" for mark in OF_MANY_TENANTS):
        raise Denied(
            "issuer",
            "This issuer stands for every tenant there is.",
            "Use the one of your own tenant: https://login.microsoftonline.com/<tenant id>/v2.0",
        )
    if issuer.endswith(WELL_KNOWN):
        raise Denied(
            "issuer", "This is the address of the discovery document.", f"Leave out {WELL_KNOWN} at its end."
        )


def check_address(address: Any, name: str) -> None:
    """That an address is https, or http on this machine alone. Raises Denied."""
    wrong = Denied(
        "address",
        f"{name} is no address that is taken here.",
        "It must begin with https:// and hold no name, password or space.",
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
    """What is used of a discovery document. Raises Denied where it speaks of another issuer, or misses something."""
    if not isinstance(document, dict):
        raise Denied(
            "discovery",
            "The discovery document is no JSON object.",
            f"Open {issuer}{WELL_KNOWN} in a browser.",
        )
    said = document.get("issuer")
    if said != issuer:
        shown = said[:200] if isinstance(said, str) and said.isprintable() else "something else"
        raise Denied(
            "issuer",
            f"The discovery document says that its issuer is {shown}, and not {issuer}.",
            "The issuer must be the same to the letter, a slash at the end too; add the provider with that one.",
        )
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if name not in document:
            raise Denied(
                "discovery",
                f"The discovery document has no {name}.",
                "It must be that of an OpenID Connect provider.",
            )
        check_address(document[name], f"Its {name}")
    _offers(document, "response_types_supported", ("code",), "the authorization code flow", asked=True)
    _offers(document, "id_token_signing_alg_values_supported", ALGORITHMS, "RS256, ES256 or EdDSA")
    _offers(document, "code_challenge_methods_supported", ("S256",), "PKCE with S256")
    end = document.get("end_session_endpoint", "")
    if end:
        check_address(end, "Its end_session_endpoint")
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
    """That a list of the document names one of these; what is not said at all is tried."""
    said = document.get(name)
    if said is None and not asked:
        return
    if not isinstance(said, list) or not set(wanted) & {one for one in said if isinstance(one, str)}:
        raise Denied(
            "discovery",
            f"The provider does not offer {words} ({name}).",
            "Switch it on there, or ask who runs it.",
        )


def way_of(metadata: Metadata, *, private_key: bool) -> str:
    """How we say at the token endpoint who we are. Raises Denied where the provider takes none of our ways."""
    ways = metadata.authentication
    if private_key:
        if PRIVATE_KEY not in ways:
            raise Denied(
                "client",
                "The provider does not take private_key_jwt.",
                "Choose a client secret for this provider.",
            )
        return PRIVATE_KEY
    for way in (BASIC, POST):
        if way in ways:
            return way
    raise Denied(
        "client",
        "The provider takes no client secret at its token endpoint.",
        "Choose the private key for this provider.",
    )


def code_of(given: Mapping[str, Sequence[str]], *, issuer: str, sends_issuer: bool) -> str:
    """The code in the answer that the browser brings back, once each parameter is judged. Raises Denied.

    `given`: every parameter with all its values. What stands there can be changed by whoever sits at the browser, so
    only the token says who somebody is.
    """
    for name in ("state", "code", "iss", "error", "error_description"):
        if len(given.get(name, ())) > 1:
            raise Denied("answer", f"The answer says {name} twice.", "Begin again from the sign-in page.")
    if given.get("id_token") or given.get("access_token"):
        raise Denied(
            "answer",
            "The answer carries a token in its address.",
            "Only the authorization code flow is taken.",
        )
    said = given.get("iss", [""])[0]
    if (said and said != issuer) or (sends_issuer and not said):
        raise Denied(
            "mixed up",
            "The answer comes from another provider than the one that was asked."
            if said
            else "The answer does not say from which provider it comes.",
            "Begin again from the sign-in page; if it happens again, tell an admin.",
        )
    if given.get("error"):
        raise said_no(given["error"][0], given.get("error_description", [""])[0])
    code = given.get("code", [""])[0]
    if not code or len(code) > 4096 or not code.isascii() or not code.isprintable():
        raise Denied("answer", "The answer holds no code.", "Begin again from the sign-in page.")
    return code


def said_no(error: str, description: str = "") -> Denied:
    """The refusal for an error that the provider names in its answer; of Entra its own codes are read."""
    if known := of_entra(description):
        return known
    words, fix = ERRORS.get(
        error,
        (
            f"The provider ended it with the error “{plain(error)}”.",
            "Its log says why; look there for the time of this try.",
        ),
    )
    return Denied("provider", words, fix)


ENTRA = {
    "AADSTS50011": (
        "Entra does not know this redirect address.",
        "Register it under Authentication, type Web.",
    ),
    "AADSTS50105": (
        "This person is not assigned to the application in Entra.",
        "Assign them under Enterprise applications, Users and groups.",
    ),
    "AADSTS65001": (
        "Nobody agreed to the application in Entra.",
        "Grant admin consent under API permissions.",
    ),
    "AADSTS65004": ("You did not agree at Entra.", "Try again and accept, or have an admin grant consent."),
    "AADSTS700016": (
        "Entra knows no application with this client id in this tenant.",
        "Compare the client id, and the tenant in the issuer.",
    ),
    "AADSTS7000215": (
        "Entra says that the client secret is wrong.",
        "Enter the secret's value, not its id; make a new one if it was not kept.",
    ),
    "AADSTS7000222": ("The client secret has expired in Entra.", "Make a new one there and enter it here."),
    "AADSTS700027": (
        "Entra does not take the signature of our key.",
        "Upload the public key of this page to the application, or choose a client secret.",
    ),
    "AADSTS53003": (
        "A Conditional Access policy of Entra blocked you.",
        "The sign-in log of Entra says which one; ask its admin.",
    ),
    "AADSTS50076": ("Entra wants a second factor.", "Try again and give it."),
    "AADSTS54005": ("The code was used already.", "Begin again from the sign-in page."),
    "AADSTS70008": ("The code is too old.", "Begin again from the sign-in page."),
}


def of_entra(description: str) -> Denied | None:
    """The refusal for the code at the beginning of what Entra says; None where it is none of those known."""
    code = description.split(":", 1)[0].strip()
    if code not in ENTRA:
        return None
    words, fix = ENTRA[code]
    return Denied("provider", f"{words} ({code})", fix)


def plain(text: str, most: int = 80) -> str:
    """What somebody else wrote, so that it can stand in a sentence: printable, short, without quotes."""
    return "".join(letter for letter in text[:most] if letter.isprintable() and letter not in "“”\"'<>")
