"""Pages between a form and an identity provider: a statement, or a fresh sign-in."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from webauthn.helpers import bytes_to_base64url

from governance import clock
from governance.identity.factors import freshness
from governance.identity.proofs import ceremony, provider_tokens
from governance.identity.providers import provider_keys, round_trip
from governance.identity.providers.denials import Denied
from governance.identity.providers.round_trip import CONFIRM, SIGN, VerifiedToken
from governance.identity.sign_in_views import answers, own_target, refused_page
from governance.models import FrozenStatement, IdentityProvider, User
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import sessions
from governance.vocabulary.phrases import phrase

CONFIRMED = "confirmed_at_provider"  # in the session: when
CONFIRMS_FOR = timedelta(minutes=5)


# --- A signature ------------------------------------------------------------------------------------------------------


@never_cache
@require_safe
def statement(request: SignedInRequest, slug: str, token: str) -> HttpResponse:
    """Show the frozen statements and the way to the provider, or that they are signed."""
    context = {
        "provider": get_object_or_404(IdentityProvider, slug=slug),
        "statements": _frozen(request, token),
        "token": token,
        "waits": ceremony.waits(request.user, token),
    }
    return render(request, "governance/identity/signing_there.html", context)


@never_cache
@require_safe
def go(request: SignedInRequest, slug: str, token: str) -> HttpResponse:
    """Go to the provider, which asks its person again for exactly this statement."""
    frozen = _frozen(request, token)[0]
    if not ceremony.waits(request.user, token):
        return redirect("signing-there", slug=slug, token=token)
    return _there(
        request,
        get_object_or_404(IdentityProvider, slug=slug),
        SIGN,
        nonce=bytes_to_base64url(bytes(frozen.challenge)),
    )


def signed(request: HttpRequest, token: VerifiedToken) -> HttpResponse:
    """Keep the token beside its statement, which the first page sends again and signs."""
    if not request.user.is_authenticated:
        raise Denied("person", "You have been signed out.", provider_tokens.AGAIN)
    frozen = provider_tokens.keep(request.user, token)
    return redirect("signing-there", slug=token.provider.slug, token=frozen.token.partition(".")[0])


def _frozen(request: SignedInRequest, token: str) -> list[FrozenStatement]:
    """Return the person's statements of the token. Raises Http404 if there are none."""
    if not (found := ceremony.under(request.user, token)):
        raise Http404("You have no statement to sign at this address.")
    return found


answers[SIGN] = signed


# --- A proof before a factor is changed -------------------------------------------------------------------------------


@never_cache
@require_safe
def confirm(request: SignedInRequest, slug: str) -> HttpResponse:
    """Sign in again at the provider before a factor changes. `next` is the page after that."""
    provider = get_object_or_404(IdentityProvider, slug=slug)
    return _there(request, provider, CONFIRM, back=own_target(request, request.GET.get("next", "")))


def confirmed(request: HttpRequest, token: VerifiedToken) -> HttpResponse:
    """Check that the person signed in there is the one here, and record the moment."""
    if not request.user.is_authenticated:
        raise Denied("person", "You have been signed out.", "Sign in and start again.")
    provider_tokens.own_link(request.user, token)
    request.session[CONFIRMED] = clock.now().isoformat()
    messages.success(
        request,
        phrase(
            "{} confirmed your identity. The confirmation is valid for five minutes.", token.provider
        ).in_language(),
    )
    return redirect(own_target(request, token.round_trip.back) or "account-security")


answers[CONFIRM] = confirmed


def is_fresh(request: HttpRequest) -> bool:
    """Return True if a person without a password signed in again at a provider lately."""
    at, person = request.session.get(CONFIRMED), request.user
    if at is None or not isinstance(person, User) or person.has_usable_password():
        return False
    linked = provider_tokens.links_of(person).exists()
    return linked and sessions.still(at, CONFIRMS_FOR)


freshness.provider_proofs.append(is_fresh)


def _there(request: SignedInRequest, provider: IdentityProvider, purpose: str, **asked: str) -> HttpResponse:
    """Ask the provider for a sign-in of now, as strong as it is set up for signatures."""
    try:
        if not provider_tokens.links_of(request.user).filter(provider=provider).exists():
            raise Denied(
                "unlinked",
                f"Your account is not linked with {provider}, or sign-in with it is switched off.",
                "Link your account on the page Your account, or choose a different way to sign.",
            )
        # Recorded now where they are new, and sealed while its person signs in there.
        provider_keys.keys_of(provider, provider_keys.metadata_of(provider))
        return round_trip.begin(
            request, provider, purpose=purpose, max_age=0, acr=tuple(provider.signing_acr.split()), **asked
        )
    except Denied as denied:
        round_trip.record_refusal(request, provider, None, denied, purpose)
        return refused_page(request, denied, provider, purpose)
