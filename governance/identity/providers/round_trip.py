"""One question to a provider and its answer: `begin` sends the browser there, `finish` judges what it brings back.

Signing in, linking an account and the proof of a signature all take this way. A question is used once, within
ten minutes, in the browser that asked, by the person who asked; each refusal is an entry of the audit log without
tokens.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.providers import (
    client_keys,
    discovery,
    http_client,
    jwk_rules,
    provider_keys,
    secret_box,
    tokens,
)
from governance.identity.providers.denials import Denied
from governance.identity.providers.identity_claims import Identity, identity_of
from governance.models import IdentityProvider, RoundTrip
from governance.models.identity.providers import new_state
from governance.sign_in import throttling
from governance.vocabulary.entry_kinds import EntryKind

SIGN_IN, LINK, SIGN, CONFIRM = "sign in", "link", "sign", "confirm"
LASTS = timedelta(minutes=10)
KEPT = timedelta(days=1)  # so that a second use is told from an unknown one
LONGEST_NONCE = 64
NONCE_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
AGAIN = "Begin again from the sign-in page."


@dataclass(frozen=True)
class VerifiedToken:
    """An ID token that counts. `key` says who somebody is at the provider; `jwk` is the key that signed `raw`.

    `fetched_at`: when that key was fetched first; it is recorded since then. `round_trip`: what was asked, and why.
    """

    claims: dict[str, Any]
    raw: str
    jwk: dict[str, str]
    algorithm: str
    fetched_at: datetime
    issuer: str
    key: str
    identity: Identity
    provider: IdentityProvider
    round_trip: RoundTrip


def cookie_name() -> str:
    """The cookie that ties a question to its browser; over TLS for this host alone."""
    return f"{'__Host-' if settings.OVER_TLS else ''}asked"


def redirect_address(provider: IdentityProvider) -> str:
    """Where the provider sends the browser back to: registered there to the letter, one for each provider."""
    return f"{settings.ADDRESS}{reverse('provider-answer', args=[provider.slug])}"


def begin(
    request: HttpRequest,
    provider: IdentityProvider,
    *,
    purpose: str,
    nonce: str = "",
    max_age: int | None = None,
    acr: tuple[str, ...] = (),
    back: str = "",
    login_hint: str = "",
) -> HttpResponse:
    """Send the browser to the provider. Raises Denied.

    `nonce`: of the caller, at most 64 letters of base64url; one is made where none is given. `max_age`: how many
    seconds ago the person may have signed in there, 0 for now. `acr`: strengths of which the token must name one.
    `back`: an address of ours for whoever takes the answer. No form may lead here, because the policy of our pages
    lets forms go nowhere else: show a link to a view that calls this.
    """
    address, mark = question(
        request,
        provider,
        purpose=purpose,
        nonce=nonce,
        max_age=max_age,
        acr=acr,
        back=back,
        login_hint=login_hint,
    )
    return with_mark(redirect(address), mark)


def with_mark(response: HttpResponse, mark: str) -> HttpResponse:
    """The response with the cookie that ties the question to this browser; Lax, so that it comes back along."""
    response.set_cookie(
        cookie_name(),
        mark,
        max_age=int(LASTS.total_seconds()),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    response["Cache-Control"] = "no-store"
    return response


def question(
    request: HttpRequest,
    provider: IdentityProvider,
    *,
    purpose: str,
    nonce: str = "",
    max_age: int | None = None,
    acr: tuple[str, ...] = (),
    back: str = "",
    login_hint: str = "",
    prompt: str = "",
) -> tuple[str, str]:
    """The address at the provider, and the mark for the browser's cookie: what `begin` sends. Raises Denied."""
    if len(nonce) > LONGEST_NONCE or not set(nonce) <= NONCE_LETTERS:
        raise ValueError("a nonce has at most 64 letters of base64url")
    if not provider.switched_on:
        raise Denied("off", f"Signing in with {provider} is switched off.", "Choose another way to sign in.")
    metadata = provider_keys.metadata_of(provider)
    now = clock.now()
    state, verifier = new_state(), secrets.token_urlsafe(48)
    mark = _mark_of(request) or secrets.token_urlsafe(32)
    RoundTrip.objects.filter(expires_at__lt=now - KEPT).delete()
    trip = RoundTrip.objects.create(
        provider=provider,
        purpose=purpose,
        state=digest(state),
        browser=digest(mark),
        nonce=nonce or secrets.token_urlsafe(32),
        verifier_box=secret_box.closed(verifier, f"verifier {digest(state)}"),
        max_age=max_age,
        acr=" ".join(acr),
        back=back,
        person=request.user if request.user.is_authenticated else None,
        asked_at=now,
        expires_at=now + LASTS,
    )
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_address(provider),
        "scope": provider.scopes,
        "state": state,
        "nonce": trip.nonce,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    if max_age is not None:
        asked["max_age"] = str(max_age)
    if acr:
        asked |= _strength(provider, acr)
    if login_hint:
        asked["login_hint"] = login_hint[:200]
    if prompt:
        asked["prompt"] = prompt
    sign = "&" if "?" in metadata.authorization else "?"
    return f"{metadata.authorization}{sign}{urlencode(asked)}", mark


def _strength(provider: IdentityProvider, acr: tuple[str, ...]) -> dict[str, str]:
    """How a strength is asked for: Entra names authentication contexts in a claim, everybody else acr values."""
    if provider.is_entra:
        values = json.dumps({"id_token": {"acrs": {"essential": True, "values": list(acr)}}})
        return {"claims": values}
    return {"acr_values": " ".join(acr)}


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def digest(text: str) -> str:
    """What is kept of a secret that comes back."""
    return hashlib.sha256(text.encode()).hexdigest()


def _mark_of(request: HttpRequest) -> str:
    said = request.COOKIES.get(cookie_name(), "")
    return said if len(said) == 43 and set(said) <= NONCE_LETTERS else ""


# --- The answer -------------------------------------------------------------------------------------------------------


def finish(request: HttpRequest, slug: str = "") -> VerifiedToken:
    """The token behind the answer that the browser brings, once everything about both is right.

    `slug`: of the provider at whose own redirect address the answer arrived. Raises Denied, whose entry is written.
    """
    provider = IdentityProvider.objects.filter(slug=slug).first()
    trip: RoundTrip | None = None
    try:
        trip = _trip_of(request, slug)
        provider = trip.provider
        return _verified(request, trip)
    except Denied as denied:
        record_refusal(request, provider, trip, denied)
        raise


def trip_of(request: HttpRequest) -> RoundTrip | None:
    """The question that the answer in this request names, whatever else is wrong with it; None for an unknown one."""
    state = request.GET.get("state", "")
    return RoundTrip.objects.filter(state=digest(state)).select_related("provider", "person").first()


def _trip_of(request: HttpRequest, slug: str) -> RoundTrip:
    """The question that is answered, used up by this. Raises Denied."""
    if len(request.GET.getlist("state")) != 1:
        raise Denied("state", "The answer does not say which question it answers.", AGAIN)
    trip = trip_of(request)
    if trip is None:
        raise Denied("state", "Nobody here asked for this answer, or it came more than a day late.", AGAIN)
    mark = _mark_of(request)
    if not mark or not hmac.compare_digest(digest(mark), trip.browser):
        raise Denied(
            "browser",
            "The answer came in another browser than the one that asked.",
            f"{AGAIN} Use one browser, and let it keep cookies of this site.",
        )
    if trip.provider.slug != slug:
        raise Denied("mixed up", "The answer arrived at the address of another provider.", AGAIN)
    if trip.person_id is not None and trip.person_id != request.user.pk:
        raise Denied("person", "Somebody else asked, or you were signed out meanwhile.", AGAIN)
    if not trip.provider.switched_on:
        raise Denied(
            "off", f"Signing in with {trip.provider} was switched off.", "Choose another way to sign in."
        )
    now = clock.now()
    if not RoundTrip.objects.filter(pk=trip.pk, used_at__isnull=True).update(used_at=now):
        raise Denied("replayed", "This answer was used already.", AGAIN)
    if trip.expires_at <= now or trip.asked_at > now:
        raise Denied("late", "The answer took more than ten minutes.", AGAIN)
    return trip


def _verified(request: HttpRequest, trip: RoundTrip) -> VerifiedToken:
    provider = trip.provider
    metadata = provider_keys.metadata_of(provider)
    given = {name: request.GET.getlist(name) for name in request.GET}
    code = discovery.code_of(given, issuer=provider.issuer, sends_issuer=metadata.sends_issuer)
    raw = _redeemed(trip, metadata, code)
    asked = tokens.Asked(
        issuer=provider.issuer,
        client_id=provider.client_id,
        nonce=trip.nonce,
        asked_at=trip.asked_at.timestamp(),
        max_age=trip.max_age,
        acr=tuple(trip.acr.split()),
    )
    now = clock.now().timestamp()
    rows = provider_keys.keys_of(provider, metadata)
    try:
        found = tokens.judge_id_token(raw, [row.jwk for row in rows], asked, now=now)
    except tokens.UnknownKey:
        rows = provider_keys.after_unknown(provider, metadata)
        found = tokens.judge_id_token(raw, [row.jwk for row in rows], asked, now=now)
    identity = identity_of(
        found.claims,
        tenant_and_object=provider.is_entra,
        issuer=provider.issuer,
        guests=provider.takes_guests,
    )
    thumbprint = jwk_rules.thumbprint(found.jwk)
    return VerifiedToken(
        claims=found.claims,
        raw=raw,
        jwk=found.jwk,
        algorithm=found.algorithm,
        fetched_at=next(row.fetched_at for row in rows if row.thumbprint == thumbprint),
        issuer=provider.issuer,
        key=identity.key,
        identity=identity,
        provider=provider,
        round_trip=trip,
    )


def _redeemed(trip: RoundTrip, metadata: discovery.Metadata, code: str) -> str:
    """The raw ID token for a code. Raises Denied."""
    provider = trip.provider
    fields, headers = client_keys.proof_of(provider, metadata)
    fields |= {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_address(provider),
        "code_verifier": secret_box.opened(trip.verifier_box, f"verifier {trip.state}"),
    }
    answer = http_client.post(metadata.token, fields, headers, f"The token endpoint of {provider}")
    said = answer.content if isinstance(answer.content, dict) else {}
    if answer.status != 200 or "error" in said:
        raise _not_redeemed(answer.status, said, private=bool(fields.get("client_assertion")))
    raw = said.get("id_token")
    if not isinstance(raw, str):
        raise Denied(
            "token",
            "The token endpoint sent no ID token.",
            "The scopes of this provider must hold openid, and the client there must be one of OpenID Connect.",
        )
    return raw


def _not_redeemed(status: int, said: dict[str, Any], *, private: bool) -> Denied:
    error, description = (str(said.get(name) or "") for name in ("error", "error_description"))
    if error == "invalid_client":
        known = discovery.of_entra(description)
        return known or Denied(
            "client",
            "The provider does not believe that we are this client.",
            "Give it the public key of this provider's page, and choose private_key_jwt there."
            if private
            else "Enter the client id and the secret again; the secret may have expired there.",
        )
    if error == "invalid_grant":
        known = discovery.of_entra(description)
        return known or Denied(
            "code",
            "The provider does not take the code: it was used, is too old, or was made for something else.",
            f"{AGAIN} If it happens each time, compare the redirect address on both sides.",
        )
    if error:
        return discovery.said_no(error, description)
    return Denied(
        "token",
        f"The token endpoint answers with status {status} and no reason.",
        "The log of the provider says why; look there for the time of this try.",
    )


def record_refusal(
    request: HttpRequest,
    provider: IdentityProvider | None,
    trip: RoundTrip | None,
    denied: Denied,
    purpose: str = "unknown",
) -> None:
    """The entry of a refusal: why, at which provider, for what (of a question not asked yet: `purpose`) and from where;
    never a token, a code or a secret.
    """
    who: dict[str, Any] = {"by": request.user} if request.user.is_authenticated else {"system": "sign-in"}
    with acting(**who):
        entries.record(
            EntryKind.SIGN_IN_REFUSED,
            provider=provider.name if provider else "an unknown provider",
            purpose=trip.purpose if trip else purpose,
            code=denied.code,
            why=denied.words,
            address=throttling.address_of(request),
        )
