"""One question to a provider, which `begin` asks, and its answer for `finish`.

Signing in, linking an account and the proof of a signature all take this way. A question is used once, within ten
minutes, in the browser that asked, by the person who asked. Each refusal is an entry of the audit log without tokens.
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
KEPT = timedelta(days=1)  # so that a second use differs from an unknown one
LONGEST_NONCE = 64
NONCE_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
AGAIN = "Start again from the sign-in page."


@dataclass(frozen=True)
class VerifiedToken:
    """An ID token that counts. `key` is the person's key at the provider.

    `jwk` is the key that signed `raw`, recorded and first fetched at `fetched_at`. `round_trip` is the question.
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
    """Return the name of the cookie that ties a question to its browser, host-only over TLS."""
    return f"{'__Host-' if settings.OVER_TLS else ''}asked"


def redirect_address(provider: IdentityProvider) -> str:
    """Return the address for the way back from the provider, as registered there."""
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

    `nonce` has at most 64 letters of base64url, and is made here if empty. `max_age` is how many seconds ago the
    person may have signed in there, 0 for now. `acr` are strengths of which the token must name one. `back` is an
    address of ours for the function that takes the answer. Use a link, not a form, because the policy of our pages
    lets forms go nowhere else.
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
    """Return the response with the Lax cookie that ties the question to this browser."""
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
    """Return the address at the provider and the mark for the cookie. Raises Denied."""
    if len(nonce) > LONGEST_NONCE or not set(nonce) <= NONCE_LETTERS:
        raise ValueError("a nonce has at most 64 letters of base64url")
    if not provider.switched_on:
        raise Denied("off", f"Sign-in with {provider} is switched off.", "Choose another way to sign in.")
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
    """Return the parameter for a strength: a claim for Entra, acr values for others."""
    if provider.is_entra:
        values = json.dumps({"id_token": {"acrs": {"essential": True, "values": list(acr)}}})
        return {"claims": values}
    return {"acr_values": " ".join(acr)}


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def digest(text: str) -> str:
    """Return the digest that is kept of a secret that comes back."""
    return hashlib.sha256(text.encode()).hexdigest()


def _mark_of(request: HttpRequest) -> str:
    said = request.COOKIES.get(cookie_name(), "")
    return said if len(said) == 43 and set(said) <= NONCE_LETTERS else ""


# --- The answer -------------------------------------------------------------------------------------------------------


def finish(request: HttpRequest, slug: str = "") -> VerifiedToken:
    """Return the token of the answer that the browser brings, once all of it is right.

    `slug`: the provider at whose redirect address the answer arrived. Raises Denied, whose entry is written.
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
    """Return the question that this request's answer names, or None if it is unknown."""
    state = request.GET.get("state", "")
    return RoundTrip.objects.filter(state=digest(state)).select_related("provider", "person").first()


def _trip_of(request: HttpRequest, slug: str) -> RoundTrip:
    """Return the answered question, which is used up now. Raises Denied."""
    if len(request.GET.getlist("state")) != 1:
        raise Denied("state", 'The response from the identity provider has no "state" value.', AGAIN)
    trip = trip_of(request)
    if trip is None:
        raise Denied(
            "state", "The response belongs to no sign-in of Plumbline, or came more than a day late.", AGAIN
        )
    mark = _mark_of(request)
    if not mark or not hmac.compare_digest(digest(mark), trip.browser):
        raise Denied(
            "browser",
            "The response came in a different browser than the start of the sign-in.",
            f"{AGAIN} Use the same browser, and allow cookies for this site.",
        )
    if trip.provider.slug != slug:
        raise Denied("mixed up", "The response arrived at the address of a different provider.", AGAIN)
    if trip.person_id is not None and trip.person_id != request.user.pk:
        raise Denied("person", "Someone else started this sign-in, or you have been signed out.", AGAIN)
    if not trip.provider.switched_on:
        raise Denied(
            "off", f"Sign-in with {trip.provider} was switched off.", "Choose another way to sign in."
        )
    now = clock.now()
    if not RoundTrip.objects.filter(pk=trip.pk, used_at__isnull=True).update(used_at=now):
        raise Denied("replayed", "This response was already used.", AGAIN)
    if trip.expires_at <= now or trip.asked_at > now:
        raise Denied("late", "The response took more than ten minutes.", AGAIN)
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
    """Return the raw ID token for a code. Raises Denied."""
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
            "Add openid to the scopes of this provider, and register the client there for OpenID Connect.",
        )
    return raw


def _not_redeemed(status: int, said: dict[str, Any], *, private: bool) -> Denied:
    error, description = (str(said.get(name) or "") for name in ("error", "error_description"))
    if error == "invalid_client":
        known = discovery.of_entra(description)
        return known or Denied(
            "client",
            "The provider did not accept Plumbline as this client.",
            "Copy the public key from the page of this provider to the provider, and choose "
            "private_key_jwt there."
            if private
            else "Enter the client id and the secret again. The secret may have expired at the provider.",
        )
    if error == "invalid_grant":
        known = discovery.of_entra(description)
        return known or Denied(
            "code",
            "The provider refused the code. The code was already used, is too old, or belongs to a "
            "different request.",
            f"{AGAIN} If this happens each time, compare the redirect address in Plumbline and at the "
            "provider.",
        )
    if error:
        return discovery.said_no(error, description)
    return Denied(
        "token",
        f"The token endpoint answers with status {status} and no reason.",
        "Look in the log of the provider for the time of this attempt.",
    )


def record_refusal(
    request: HttpRequest,
    provider: IdentityProvider | None,
    trip: RoundTrip | None,
    denied: Denied,
    purpose: str = "unknown",
) -> None:
    """Record a refusal with reason, provider, purpose and address, but no secret.

    `purpose` is for a question that was not asked yet.
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
