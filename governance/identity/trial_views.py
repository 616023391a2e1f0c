"""Try it: a sign-in that signs nobody in and shows every step, so that an admin connects a provider from this page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.database.row_history import acting
from governance.identity.permissions import may_keep_providers
from governance.identity.providers import client_keys, discovery, identity_claims, provider_keys, round_trip
from governance.identity.providers.denials import Denied, Step, Steps
from governance.identity.providers.round_trip import TRIAL, VerifiedToken
from governance.identity.sign_in_views import answers, refusals
from governance.ledger import record
from governance.models import ExternalIdentity, IdentityProvider, RoundTrip
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.entry_kinds import EntryKind

LONGEST_CLAIM = 200
TIMES = ("exp", "iat", "nbf", "auth_time", "session_expiry")


@never_cache
@require_POST
def begin(request: SignedInRequest, slug: str) -> HttpResponse:
    """What can be seen without leaving: discovery, keys, our client. Then the link to the provider."""
    may_keep_providers(request.user).or_refuse()
    provider = get_object_or_404(IdentityProvider, slug=slug)
    steps, address, mark = Steps(), "", ""
    try:
        _from_here(provider, steps)
        hint = request.user.email
        anew = request.POST.get("anew") == "yes"
        address, mark = round_trip.question(
            request,
            provider,
            purpose=TRIAL,
            max_age=0 if anew else None,
            acr=tuple(provider.signing_acr.split()) if anew else (),
            login_hint=hint,
            steps=steps,
        )
    except Denied as denied:
        steps.refused("Refused", denied)
        round_trip.record_refusal(request, provider, None, denied)
    context = {"nav": "units", "provider": provider, "steps": steps.done, "address": address}
    page = render(request, "governance/identity/trial.html", context)
    return round_trip.with_mark(page, mark) if mark else page


def _from_here(provider: IdentityProvider, steps: Steps) -> None:
    metadata = provider_keys.metadata_of(provider, anew=True)
    steps.ok("Discovery", f"{provider.issuer}{discovery.WELL_KNOWN} answers, and its issuer is the same.")
    rows = provider_keys.keys_of(provider, metadata, anew=True)
    kinds = ", ".join(sorted({row.algorithm for row in rows}))
    steps.ok("Keys", f"{metadata.jwks} publishes {len(rows)} that can be used ({kinds}).")
    client_keys.proof_of(provider, metadata)
    way = discovery.way_of(
        metadata, private_key=provider.authentication == provider.Authentication.PRIVATE_KEY
    )
    steps.ok("Client", f"We say who we are by {way}, as {provider.client_id}.")
    names = "; its answer must say its issuer" if metadata.sends_issuer else ""
    steps.ok(
        "Question",
        f"The browser is sent to {metadata.authorization} with PKCE (S256), state and nonce{names}. "
        f"The provider must send it back to {round_trip.redirect_address(provider)}.",
    )


def tried(request: HttpRequest, token: VerifiedToken) -> HttpResponse:
    """The answer of the provider, judged: what was seen is kept for a day for the admin who tried."""
    if request.user.is_authenticated:
        may_keep_providers(request.user).or_refuse()
    steps = token.steps
    for name, value in sorted(token.claims.items()):
        steps.ok(f"Claim {name}", _shown(name, value))
    proposed, overage = identity_claims.proposed_by(token.claims, token.provider.unit_claim)
    if token.provider.unit_claim:
        steps.ok("Units", overage or f"Proposed: {', '.join(proposed) or 'none'}. Nothing else follows.")
    linked = ExternalIdentity.objects.open().filter(provider=token.provider, key=token.key).first()
    whom = (
        f"{linked.person} would be signed in."
        if linked
        else "A new account without any role would be made."
        if token.provider.makes_people
        else "Nobody is linked to this account yet: link it under Your account."
    )
    steps.ok("Account", f"{whom} This was a trial: nobody was.")
    return _kept(request, token.round_trip, steps, "Every step went well.")


def refused(request: HttpRequest, trip: RoundTrip, steps: Steps) -> HttpResponse:
    """The trial ended in a refusal: the page says at what, and how to mend it."""
    return _kept(request, trip, steps, steps.done[-1].words)


answers[TRIAL] = tried
refusals[TRIAL] = refused


def _kept(request: HttpRequest, trip: RoundTrip, steps: Steps, outcome: str) -> HttpResponse:
    trip.steps = [*trip.steps, *(step.plain() for step in steps.done)]
    trip.save(update_fields=["steps"])
    with acting(by=request.user, reason="Identity provider tried"):
        record.record(EntryKind.PROVIDER_TRIED, provider=trip.provider.name, outcome=outcome)
    return redirect("identity-tried", slug=trip.provider.slug, pk=trip.pk)


def _shown(name: str, value: object) -> str:
    if name in TIMES and isinstance(value, int | float):
        return f"{value} (in seconds since 1970)"
    return str(value)[:LONGEST_CLAIM]


@never_cache
@require_safe
def outcome(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """What a trial showed, for a day, to the admin who tried."""
    may_keep_providers(request.user).or_refuse()
    trips = RoundTrip.objects.filter(provider__slug=slug, purpose=TRIAL, used_at__isnull=False)
    trip = get_object_or_404(trips.select_related("provider"), pk=pk, person=request.user)
    steps = [Step(**step) for step in trip.steps]
    context = {"nav": "units", "provider": trip.provider, "steps": steps, "done": True}
    return render(request, "governance/identity/trial.html", context)
