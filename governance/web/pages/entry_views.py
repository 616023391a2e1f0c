"""Signing in, signing out and help."""

import json

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.identity.factors import second_step
from governance.identity.permissions import local_accounts_on
from governance.models import IdentityProvider, Rulebook
from governance.sign_in import first_admin, sessions
from governance.sign_in.forms import SignInForm
from governance.sign_in.sessions import open_to_all
from governance.storage import embedded_postgres
from governance.vocabulary import terms
from governance.web.help_topics import TOPICS


@open_to_all
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with user name and password, and with a factor if there is one. Attempts are slowed down."""
    target = _own_target(request)
    if request.user.is_authenticated:
        return redirect(target or "inbox")
    known = {"username": request.GET.get("name", "")[:60]}
    form = SignInForm(request, request.POST if request.method == "POST" else None, initial=known)
    if request.method == "POST" and form.is_valid():
        return second_step.begin(request, form.person, target)
    status = 429 if form.throttled_until else 200
    context = {
        "form": form,
        "next": target,
        "throttled_until": form.throttled_until,
        "nobody": first_admin.missing(),
        "providers": list(IdentityProvider.objects.on()),
        "local": local_accounts_on(),
        "left": IdentityProvider.objects.filter(slug=request.GET.get("left", "")).first(),
        **_demonstration(),
    }
    response = render(request, "governance/pages/sign_in.html", context, status=status)
    if form.throttled_until:
        wait = form.throttled_until - clock.now()
        response["Retry-After"] = str(max(1, int(wait.total_seconds())))
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session. A person who signed in by a provider can sign out there too."""
    provider = IdentityProvider.objects.filter(pk=request.session.get(sessions.PROVIDER)).first()
    hint = request.session.get(sessions.ID_TOKEN)
    auth.logout(request)
    if provider and hint:
        request.session[sessions.ID_TOKEN] = hint
        request.session.set_expiry(sessions.LEAVING)
    response = redirect(
        f"{reverse('sign-in')}?{urlencode({'left': provider.slug})}" if provider else "sign-in"
    )
    # What the browser kept of the pages, and drafts that were typed, are not for the next one at this machine.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@open_to_all
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the whole idea in plain words, with the figures of the rulebook in force."""
    rulebook = Rulebook.objects.in_force()
    context = {"rulebook": rulebook.parsed if rulebook else None, "topics": TOPICS}
    return render(request, "governance/pages/help.html", context)


@open_to_all
@require_safe
def glossary_page(request: HttpRequest) -> HttpResponse:
    """Show the meaning of the words of the pages."""
    rows = [(word, terms.anchor(word), meaning) for word, meaning in sorted(terms.TERMS.items())]
    return render(request, "governance/pages/glossary.html", {"terms": rows})


def _own_target(request: HttpRequest) -> str:
    """Return the address to open after signing in, if it is Plumbline's, or ""."""
    target = request.POST.get("next", request.GET.get("next", ""))
    ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if ours and target != reverse("sign-in") else ""


def _demonstration() -> dict:
    """Return the logins of the demonstration from the file beside its database, or {}."""
    if not embedded_postgres.in_use():
        return {}
    try:
        left = json.loads((settings.DATA_DIR / "logins.json").read_text())
        return {
            "demo_logins": [(row["name"], row["login"], row["first"]) for row in left["logins"]],
            "demo_password": left["password"],
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
