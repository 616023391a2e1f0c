"""Pages of factors: the second step of signing in, sign-in and security of one's own account."""

import json
from datetime import datetime, timedelta

import pyotp
import segno
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from webauthn.helpers import base64url_to_bytes

from governance import clock
from governance.identity.factors import codes, passkeys, recovery_codes, relying_party, resets, second_step
from governance.identity.factors.forms import FirstCodeForm, FreshForm, NameForm
from governance.models import FactorReset, Passkey
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.sessions import open_to_all

SECRETS = ("password", "code", "first", "recovery", "assertion")
ENROLLING, APP = "enrolling", "app_secret"  # in the session
ENROL_WITHIN = timedelta(minutes=5)


@open_to_all
@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def factor(request: HttpRequest) -> HttpResponse:
    """Show a factor after the password; then signed in."""
    found = second_step.waiting(request)
    if found is None or request.user.is_authenticated:
        return redirect("sign-in")
    person, kept = found
    why, status = "", 200
    if request.method == "POST":
        why = second_step.why_refused(request, person, kept)
        if not why:
            return second_step.finish(request, person, kept["target"], factor=second_step.used(request))
        status = 429 if why.startswith("Too many") else 200
    has = second_step.factors_of(person)
    challenge = base64url_to_bytes(kept["challenge"])
    context = {
        "why": why,
        "factors": has,
        "options": json.dumps(passkeys.request_options(has.passkeys, challenge)) if has.passkeys else "",
        "elsewhere": _elsewhere(request),
    }
    return render(request, "governance/factors/factor.html", context, status=status)


@never_cache
@require_safe
def security(request: SignedInRequest) -> HttpResponse:
    """Sign-in and security of one's own account: passkeys, app, recovery codes, a reset that waits."""
    person, now = request.user, clock.now()
    has = second_step.factors_of(person)
    sealed = {row.pk for row in has.passkeys}
    rows = [
        (row, row.may_sign_at(now), row.rp_id != relying_party.host(), row.pk in sealed)
        for row in passkeys.of(person)
    ]
    context = {
        "nav": "account",
        "passkeys": rows,
        "app": has.app,
        "codes_left": has.recovery_codes,
        "reset": resets.open_for(person),
        "why_none": relying_party.why_none(),
        "elsewhere": _elsewhere(request),
        "host": relying_party.host(),
    }
    return render(request, "governance/factors/security.html", context)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_passkey(request: SignedInRequest) -> HttpResponse:
    """Add a passkey: the name and the password first, for which the script is answered; then what the browser made."""
    passkeys.may_enrol(request.user, request.user).or_refuse()
    if request.method == "POST" and "credential" in request.POST:
        return _enrol(request)
    form = NameForm(_sent(request), request=request, purpose="add a passkey")
    scripted = request.method == "POST" and request.headers.get("Accept") == "application/json"
    if request.method == "POST" and form.is_valid():
        challenge = second_step.new_challenge()
        request.session[ENROLLING] = {
            "challenge": challenge,
            "name": form.cleaned_data["name"],
            "at": clock.now().isoformat(),
        }
        if scripted:
            return JsonResponse(
                {"create": passkeys.creation_options(request.user, base64url_to_bytes(challenge))}
            )
        form.add_error(None, "This browser cannot make a passkey while scripts are off for this site.")
    elif scripted:
        wrong = [str(words) for field in form.errors.values() for words in field]
        return JsonResponse({"errors": wrong}, status=form.status)
    context = {"nav": "account", "form": form, "elsewhere": _elsewhere(request)}
    return render(request, "governance/factors/passkey_add.html", context, status=form.status)


def _enrol(request: SignedInRequest) -> HttpResponse:
    kept = request.session.pop(ENROLLING, None)
    if kept is None or datetime.fromisoformat(kept["at"]) + ENROL_WITHIN <= clock.now():
        messages.error(request, "That took too long. Nothing was added; begin again.")
        return redirect("passkey-add")
    try:
        row = passkeys.enrol(
            person=request.user,
            name=kept["name"],
            sent=request.POST["credential"],
            challenge=base64url_to_bytes(kept["challenge"]),
            by=request.user,
        )
    except passkeys.PasskeyRefused as refused:
        messages.error(request, f"The passkey was not added: {refused}.")
        return redirect("passkey-add")
    messages.success(request, f"{row.name} was added. It signs from {clock.moment_in_words(row.signs_from)}.")
    return redirect("account-security" if recovery_codes.left(request.user) else "recovery-codes")


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_passkey(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke a passkey of one's own."""
    row = get_object_or_404(Passkey, pk=pk, person=request.user, ended_at=None)
    form = FreshForm(_sent(request), request=request, purpose="revoke a passkey")
    if request.method == "POST" and form.is_valid():
        passkeys.revoke(passkey=row, by=request.user)
        messages.success(request, f"{row.name} opens and signs nothing any more.")
        return redirect("account-security")
    happens = [
        "It opens and signs nothing any more, and cannot be brought back.",
        "What it signed stays as it is.",
    ]
    return _ask(request, form, f"Revoke the passkey {row.name}", "Revoke it", happens)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: SignedInRequest) -> HttpResponse:
    """Add an authenticator app: its secret is shown, and counts once a first code of it is right."""
    if request.method != "POST" or APP not in request.session:
        request.session[APP] = pyotp.random_base32()
    secret = request.session[APP]
    form = FirstCodeForm(_sent(request), request=request, purpose="add an authenticator app")
    if request.method == "POST" and form.is_valid():
        if codes.add(person=request.user, secret=secret, code=form.cleaned_data["first"]) is None:
            form.add_error("first", "This is not the code that the app shows now. Nothing was changed.")
        else:
            del request.session[APP]
            messages.success(request, "Signing in asks for the code of your app from now on.")
            return redirect("account-security" if recovery_codes.left(request.user) else "recovery-codes")
    address = pyotp.TOTP(secret).provisioning_uri(name=request.user.login, issuer_name="Plumbline")
    context = {
        "nav": "account",
        "form": form,
        "qr": mark_safe(segno.make_qr(address, error="m").svg_inline(scale=4, light="white")),
        "secret": " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        "address": address,
    }
    return render(request, "governance/factors/app_add.html", context, status=form.status)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_app(request: SignedInRequest) -> HttpResponse:
    """Revoke one's own authenticator app."""
    if codes.app_of(request.user) is None:
        raise Http404("There is no authenticator app.")
    form = FreshForm(_sent(request), request=request, purpose="revoke the authenticator app")
    if request.method == "POST" and form.is_valid():
        codes.revoke(person=request.user)
        messages.success(request, "The codes of your app open nothing any more.")
        return redirect("account-security")
    return _ask(
        request, form, "Revoke the authenticator app", "Revoke it", ["Its codes open nothing any more."]
    )


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def make_codes(request: SignedInRequest) -> HttpResponse:
    """Make recovery codes, and show them this once."""
    form = FreshForm(_sent(request), request=request, purpose="make recovery codes")
    if request.method == "POST" and form.is_valid():
        made = recovery_codes.make(person=request.user)
        return render(request, "governance/factors/codes_made.html", {"nav": "account", "codes": made})
    happens = [
        f"{recovery_codes.COUNT} codes are shown once. Print them, or keep them in a safe place.",
        "Each lets you in once, after your password, where you have no factor with you. None of them signs anything.",
        "Codes of before open nothing any more.",
    ]
    return _ask(request, form, "Make recovery codes", "Make them", happens)


@require_POST
def stop_reset(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a reset of one's own factors."""
    row = get_object_or_404(FactorReset, pk=pk, person=request.user)
    resets.stop(reset=row, by=request.user)
    messages.success(request, "The reset is stopped. Your factors stand.")
    return redirect("account-security")


def _sent(request: HttpRequest):
    return request.POST if request.method == "POST" else None


def _elsewhere(request: HttpRequest) -> str:
    """The same page at the address at which passkeys work, where this is another one; else empty."""
    address = relying_party.elsewhere(f"{request.scheme}://{request.get_host()}")
    return f"{address}{request.path}" if address else ""


def _ask(request, form, title: str, verb: str, happens: list[str]) -> HttpResponse:
    context = {"nav": "account", "form": form, "title": title, "verb": verb, "happens": happens}
    return render(request, "governance/factors/factor_act.html", context, status=form.status)
