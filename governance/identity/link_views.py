"""Your account at providers: links that their person makes, refuses or ends."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from governance.identity import linked_accounts, ways_in
from governance.identity.forms import LinkOwnForm
from governance.identity.providers import round_trip
from governance.identity.providers.denials import Denied
from governance.identity.providers.round_trip import LINK, VerifiedToken
from governance.identity.sign_in_views import answers, refused_page
from governance.models import ExternalIdentity, IdentityProvider
from governance.permission_result import no
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import sessions
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import joined, phrase


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: SignedInRequest, slug: str) -> HttpResponse:
    """Link your account with a provider: the password here, then a sign-in there."""
    provider = get_object_or_404(IdentityProvider.objects.on(), slug=slug)
    if request.session.get(sessions.PROVIDER):
        no(
            "You signed in with a provider.", "Sign in with your Plumbline password, then link the account."
        ).or_refuse()
    if not request.user.has_usable_password():
        no("You have no password in Plumbline.", "Ask an admin to link your account.").or_refuse()
    form = LinkOwnForm(request.POST or None, request=request, purpose=f"link the account with {provider}")
    context = {"nav": "account", "provider": provider, "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            address, mark = round_trip.question(request, provider, purpose=LINK, max_age=0, prompt="login")
        except Denied as denied:
            round_trip.record_refusal(request, provider, None, denied)
            return refused_page(request, denied, provider)
        page = render(request, "governance/identity/go_on.html", {**context, "address": address})
        return round_trip.with_mark(page, mark)
    return render(request, "governance/identity/link.html", context, status=form.status)


def linked(request: HttpRequest, token: VerifiedToken) -> HttpResponse:
    """Link the account after the provider's answer."""
    if not request.user.is_authenticated or request.session.get(sessions.PROVIDER):
        raise Denied(
            "person", "You are not signed in with your Plumbline password.", "Start on the page Your account."
        )
    linked_accounts.link_own(token, by=request.user)
    messages.success(
        request, phrase("Your account is linked. You can sign in with {}.", token.provider).in_language()
    )
    return redirect("account")


answers[LINK] = linked


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke a link of mine, or refuse one that an admin made."""
    identity = get_object_or_404(ExternalIdentity, pk=pk, person=request.user)
    by_link = request.session.get(sessions.PROVIDER) == identity.provider_id
    keep = None if by_link else request.session.session_key
    linked_accounts.revoke_link(identity=identity, reason="Revoked by its person", by=request.user, keep=keep)
    said = joined(
        phrase("The link with {} is revoked.", identity.provider),
        ways_in.go_on(request.user, EntryKind.IDENTITY_REVOKED, keep),
    )
    messages.success(request, said.in_language())
    return redirect("account" if request.user.is_authenticated else "sign-in")
