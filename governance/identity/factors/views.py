"""Pages of factors: the second step of signing in, and sign-in and security."""

import json
from datetime import timedelta

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
from governance.identity import ways_in
from governance.identity.factors import codes, passkeys, recovery_codes, relying_party, resets, second_step
from governance.identity.factors.forms import FirstCodeForm, FreshForm, NameForm
from governance.models import FactorReset, Passkey
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import sessions
from governance.sign_in.sessions import open_to_all
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

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
    """Show sign-in and security of your account: passkeys, app, codes, a reset."""
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
    """Add a passkey: the first request has name and password, the second the passkey."""
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
        form.add_error(
            None, "This browser cannot make a passkey without JavaScript. Turn on JavaScript for this site."
        )
    elif scripted:
        wrong = [str(words) for field in form.errors.values() for words in field]
        return JsonResponse({"errors": wrong}, status=form.status)
    context = {"nav": "account", "form": form, "elsewhere": _elsewhere(request)}
    return render(request, "governance/factors/passkey_add.html", context, status=form.status)


def _enrol(request: SignedInRequest) -> HttpResponse:
    kept = request.session.pop(ENROLLING, None)
    if kept is None or not sessions.still(kept["at"], ENROL_WITHIN):
        messages.error(request, "No passkey was added, because the time limit has passed. Start again.")
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
        messages.error(request, phrase("The passkey was not added: {}.", refused).in_language())
        return redirect("passkey-add")
    messages.success(
        request,
        phrase(
            "{} was added. You can sign with this passkey from {}.",
            row.name,
            clock.moment_in_words(row.signs_from),
        ).in_language(),
    )
    return redirect("account-security" if recovery_codes.left(request.user) else "recovery-codes")


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_passkey(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke your passkey."""
    row = get_object_or_404(Passkey, pk=pk, person=request.user, ended_at=None)
    form = FreshForm(_sent(request), request=request, purpose="revoke a passkey")
    if request.method == "POST" and form.is_valid():
        passkeys.revoke(passkey=row, by=request.user, **_ending(request))
        messages.success(request, phrase("{} no longer works.", row.name).in_language())
        return redirect("account-security")
    happens = [
        "You can no longer use this passkey, and it cannot be restored.",
        "Earlier signatures stay valid.",
        *_last_factor(second_step.factors_of(request.user)),
    ]
    title = f"Revoke the passkey {row.name}"
    return _ask(request, form, title, "Revoke the passkey", happens, EntryKind.PASSKEY_REVOKED)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: SignedInRequest) -> HttpResponse:
    """Add an authenticator app: show its secret, and let it count after a right code."""
    if request.method != "POST" or APP not in request.session:
        request.session[APP] = pyotp.random_base32()
    secret = request.session[APP]
    form = FirstCodeForm(_sent(request), request=request, purpose="add an authenticator app")
    if request.method == "POST" and form.is_valid():
        if codes.add(person=request.user, secret=secret, code=form.cleaned_data["first"]) is None:
            form.add_error("first", "This code is wrong. Type the code that your app shows now.")
        else:
            del request.session[APP]
            messages.success(request, "Sign-in now also asks for the code from your app.")
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
    """Revoke your authenticator app."""
    if codes.app_of(request.user) is None:
        raise Http404("You have no authenticator app.")
    form = FreshForm(_sent(request), request=request, purpose="revoke the authenticator app")
    if request.method == "POST" and form.is_valid():
        codes.revoke(person=request.user, **_ending(request))
        messages.success(request, "The codes of your app no longer work.")
        return redirect("account-security")
    return _ask(
        request,
        form,
        "Revoke the authenticator app",
        "Revoke the app",
        ["The codes of the app no longer work.", *_last_factor(second_step.factors_of(request.user))],
        EntryKind.AUTHENTICATOR_APP_REVOKED,
    )


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def make_codes(request: SignedInRequest) -> HttpResponse:
    """Make recovery codes, and show them this once."""
    form = FreshForm(_sent(request), request=request, purpose="make recovery codes")
    if request.method == "POST" and form.is_valid():
        made = recovery_codes.make(person=request.user, **_ending(request))
        return render(request, "governance/factors/codes_made.html", {"nav": "account", "codes": made})
    happens = [
        f"{recovery_codes.COUNT} codes are shown once. Print them, or keep them in a safe place.",
        (
            "Use a code after your password if you have no second factor with you. Each code works once. You "
            "cannot sign statements with a code."
        ),
        "Earlier codes no longer work.",
    ]
    act = EntryKind.RECOVERY_CODES_MADE
    return _ask(request, form, "Make recovery codes", "Make recovery codes", happens, act)


@require_POST
def stop_reset(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a reset of your factors."""
    row = get_object_or_404(FactorReset, pk=pk, person=request.user)
    resets.stop(reset=row, by=request.user)
    messages.success(request, "The reset is stopped. Your second factors still work.")
    return redirect("account-security")


def _last_factor(has: second_step.Factors) -> list:
    """Return what the revocation of the last factor means, or nothing if the person has another."""
    if len(has.passkeys) + (has.app is not None) != 1:
        return []
    return [
        phrase(
            "You have no other second factor. Your password alone does not open your account. Only a recovery code "
            "(left: {}) or a link from an admin opens it, until you add another factor.",
            has.recovery_codes,
        )
    ]


def _sent(request: HttpRequest):
    return request.POST if request.method == "POST" else None


def _elsewhere(request: HttpRequest) -> str:
    """Return this page at the address where passkeys work, if it is another, else ""."""
    address = relying_party.elsewhere(f"{request.scheme}://{request.get_host()}")
    return f"{address}{request.path}" if address else ""


def _ending(request: SignedInRequest) -> dict:
    return {"keep": request.session.session_key, "also": ways_in.also(request)}


def _ask(request, form, title: str, verb: str, happens: list[str], act: EntryKind) -> HttpResponse:
    context = {"nav": "account", "form": form, "title": title, "verb": verb, "happens": happens}
    context["ways"] = ways_in.preview(request.user, act, request.session.session_key)
    return render(request, "governance/factors/factor_act.html", context, status=form.status)
