"""Pages of signing in with a provider, in both directions, and of signing out."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import auth
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import linked_accounts, reported_identities
from governance.identity.providers import client_keys, provider_keys, round_trip, tokens
from governance.identity.providers.denials import Denied
from governance.identity.providers.round_trip import SIGN, SIGN_IN, VerifiedToken
from governance.models import IdentityProvider, LogoutToken, Session
from governance.sign_in import sessions, throttling
from governance.sign_in.sessions import open_to_all
from governance.vocabulary.entry_kinds import EntryKind

BACKEND = "django.contrib.auth.backends.ModelBackend"
LOGOUTS = 30  # logout tokens that are refused, of one provider in ten minutes
REFUSED_LOGOUT = "logout token"  # the purpose under which those are counted

# What is done with the answer to a question, by its purpose: functions (request, token) -> response. Whoever asks a
# question of another kind adds one when the app starts; a Denied that it raises is shown and recorded here.
answers: dict[str, Callable[[HttpRequest, VerifiedToken], HttpResponse]] = {}


@open_to_all
@never_cache
@require_safe
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Go to the provider to sign in; `next` is where to, afterwards."""
    provider = get_object_or_404(IdentityProvider.objects.on(), slug=slug)
    target = own_target(request, request.GET.get("next", ""))
    if request.user.is_authenticated:
        return redirect(target or "inbox")
    return _there(request, provider, target, request.GET.get("login_hint", ""))


@open_to_all
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begun_there(request: HttpRequest) -> HttpResponse:
    """Take a sign-in that the provider begins (OpenID Connect Core 4).

    `iss` names the provider, `target_link_uri` a page of ours. The browser goes to the provider with a question of
    ours, and no session changes. A person who is signed in stays signed in.
    """
    said = request.POST if request.method == "POST" else request.GET
    provider = IdentityProvider.objects.on().filter(issuer=said.get("iss", "")).first()
    if provider is None:
        denied = Denied(
            "issuer", "No provider with this issuer is switched on.", "Start on the sign-in page."
        )
        round_trip.record_refusal(request, None, None, denied)
        return refused_page(request, denied)
    target = own_target(request, said.get("target_link_uri", ""))
    if request.user.is_authenticated:
        return redirect(target or "inbox")
    return _there(request, provider, target, said.get("login_hint", ""))


def _there(request: HttpRequest, provider: IdentityProvider, target: str, login_hint: str) -> HttpResponse:
    try:
        return round_trip.begin(request, provider, purpose=SIGN_IN, back=target, login_hint=login_hint)
    except Denied as denied:
        round_trip.record_refusal(request, provider, None, denied)
        return refused_page(request, denied, provider)


def own_target(request: HttpRequest, target: str) -> str:
    """Return an address in Plumbline to go to afterwards, as a path, or ""."""
    ours = {request.get_host(), settings.ADDRESS.split("://")[1]}
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=ours, require_https=request.is_secure()):
        return ""
    if target.startswith(f"{settings.ADDRESS}/"):
        target = target[len(settings.ADDRESS) :]
    good = target.startswith("/") and not target.startswith(("//", reverse("sign-in")))
    return target if good and len(target) <= 500 else ""


@open_to_all
@never_cache
@require_safe
def answer(request: HttpRequest, slug: str) -> HttpResponse:
    """Judge what the browser brings back, and pass it to the function that asked."""
    trip = round_trip.trip_of(request)
    purpose = trip.purpose if trip is not None else SIGN_IN
    try:
        token = round_trip.finish(request, slug)
    except Denied as denied:
        return refused_page(request, denied, trip.provider if trip else None, purpose)
    try:
        return answers[purpose](request, token)
    except Denied as denied:
        round_trip.record_refusal(request, token.provider, token.round_trip, denied)
        return refused_page(request, denied, token.provider, purpose)


def refused_page(
    request: HttpRequest, denied: Denied, provider: IdentityProvider | None = None, purpose: str = SIGN_IN
) -> HttpResponse:
    """Show why no one was signed in, or nothing signed, and how to fix it."""
    context = {"denied": denied, "provider": provider, "signing": purpose == SIGN}
    return render(request, "governance/identity/refused.html", context, status=403)


def signed_in(request: HttpRequest, token: VerifiedToken) -> HttpResponse:
    """Sign in the person of the token, in a new session with the provider's end."""
    identity = linked_accounts.identity_of(token)
    if identity is None:
        reported_identities.refuse_new_key(token)
    person = linked_accounts.person_of(token, identity)
    reported_identities.report_of_sign_in(token, person)
    with acting(by=person):
        sessions.tell_of_new_browser(request, person)
        entries.record(
            EntryKind.SIGNED_IN,
            person=person.full_name,
            login=person.login,
            address=throttling.address_of(request),
            provider=token.provider.name,
        )
    auth.login(request, person, backend=BACKEND)
    request.session[sessions.PROVIDER] = token.provider.pk
    request.session[sessions.SUBJECT] = token.identity.subject
    request.session[sessions.ID_TOKEN] = token.raw
    sid, ends = token.claims.get("sid"), token.claims.get("session_expiry")
    if isinstance(sid, str):
        request.session[sessions.PROVIDER_SESSION] = sid[:255]
    if ends is not None:
        request.session[sessions.ENDS] = clock.at_second(ends).isoformat()
    sessions.seen(request)
    response = redirect(own_target(request, token.round_trip.back) or "inbox")
    throttling.remember(request, response, person.login)
    return response


answers[SIGN_IN] = signed_in


# --- Signing out ------------------------------------------------------------------------------------------------------


@open_to_all
@never_cache
@require_safe
def sign_out_there(request: HttpRequest, slug: str) -> HttpResponse:
    """End the session at the provider after signing out here (RP-initiated logout).

    Okta requires a token that names the person. Other providers ask the person instead.
    """
    provider = get_object_or_404(IdentityProvider, slug=slug)
    try:
        metadata = provider_keys.metadata_of(provider)
        if not metadata.end_session:
            raise Denied(
                "logout",
                f"{provider} has no address for signing out.",
                "Sign out on the page of the provider.",
            )
    except Denied as denied:
        return refused_page(request, denied, provider)
    asked = {
        "client_id": provider.client_id,
        "post_logout_redirect_uri": f"{settings.ADDRESS}{reverse('sign-in')}",
    }
    if hint := request.session.get(sessions.ID_TOKEN):
        asked["id_token_hint"] = hint
    sign = "&" if "?" in metadata.end_session else "?"
    return redirect(f"{metadata.end_session}{sign}{urlencode(asked)}")


@open_to_all
@csrf_exempt
@never_cache
@require_POST
def signed_out_there(request: HttpRequest, slug: str) -> HttpResponse:
    """End the sessions of a person who signed out there (Back-Channel Logout 1.0)."""
    provider = IdentityProvider.objects.filter(slug=slug).first()
    if provider is None:
        wrong = f"No identity provider has the name {slug} here."
        return _told(Denied("unknown", wrong, "Copy the address from the page of the provider."), 404)
    account = f"provider {provider.pk}"
    if throttling.waits(account, purpose=REFUSED_LOGOUT, most=LOGOUTS):
        return _told(Denied("often", "Too many logout tokens were refused.", "Wait ten minutes."), 429)
    try:
        ended = _signed_out(provider, request.POST.get("logout_token", ""))
    except Denied as denied:
        throttling.enter_try(account, purpose=REFUSED_LOGOUT, most=LOGOUTS)
        round_trip.record_refusal(request, provider, None, denied)
        return _told(denied, 400)
    return JsonResponse({"sessions": ended})


def _told(denied: Denied, status: int) -> HttpResponse:
    said = {"error": "invalid_request", "error_description": f"{denied.words} {denied.fix}"}
    return JsonResponse(said, status=status)


def _signed_out(provider: IdentityProvider, raw: str) -> int:
    """End the sessions of a logout token and return their number. Raises Denied."""
    header = tokens.header_of(raw)
    metadata = provider_keys.metadata_of(provider)
    rows = provider_keys.keys_of(provider, metadata)
    if "kid" in header and all(row.kid != header["kid"] for row in rows):
        rows = provider_keys.after_unknown(provider, metadata)
    claims = tokens.judge_logout_token(
        raw,
        [row.jwk for row in rows],
        issuer=provider.issuer,
        client_id=provider.client_id,
        now=clock.now().timestamp(),
    ).claims
    with acting(system="sign-in", reason=f"Signed out at {provider}"):
        LogoutToken.objects.filter(provider=provider, at__lt=clock.now() - round_trip.KEPT).delete()
        try:
            with transaction.atomic():
                LogoutToken.objects.create(
                    provider=provider, jti=round_trip.digest(claims["jti"]), at=clock.now()
                )
        except IntegrityError:
            raise Denied(
                "replayed", "This logout token was already used.", "Send a token with a new jti."
            ) from None
        rows_ended = Session.objects.filter(provider=provider)
        if claims.get("sid"):
            rows_ended = rows_ended.filter(provider_session=claims["sid"])
        if claims.get("sub"):
            rows_ended = rows_ended.filter(provider_subject=claims["sub"])
        people = sorted({key for key in rows_ended.values_list("person_id", flat=True) if key})
        ended = rows_ended.delete()[0]
        entries.record(
            EntryKind.SIGNED_OUT_BY_PROVIDER, provider=provider.name, sessions=ended, people=people
        )
    return int(ended)


@open_to_all
@require_safe
def our_keys(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the public keys by which the provider knows us, as a JWKS (private_key_jwt)."""
    provider = get_object_or_404(IdentityProvider, slug=slug)
    return JsonResponse(client_keys.published(provider))
