"""The second step of signing in: a factor after the password, in one browser.

The session keeps for minutes who typed a right password, and no one is signed in between the two steps.

An account that ever had a passkey or an app is never opened by its password alone. The rows of ended factors show this,
and the database deletes none of them. If no factor works, a recovery code opens the account, or a link that someone
else made.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib import auth
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import break_glass
from governance.identity.factors import codes, passkeys, recovery_codes, resets
from governance.models import AuthenticatorApp, Passkey, User
from governance.sign_in import account_notifications, sessions, throttling
from governance.vocabulary.entry_kinds import EntryKind

KEY = "second_step"  # in the session
LASTS = timedelta(minutes=5)


@dataclass(frozen=True)
class Factors:
    """The factors of a person besides the password."""

    passkeys: list[Passkey]
    app: AuthenticatorApp | None
    recovery_codes: int

    def __bool__(self) -> bool:
        return bool(self.passkeys) or self.app is not None


def factors_of(person: User) -> Factors:
    """Return the person's usable factors, after carrying out resets that are due."""
    resets.carry_out_due(person)
    return Factors(passkeys.usable(person), codes.app_of(person), recovery_codes.left(person))


def had_one() -> QuerySet[User]:
    """Return the active people who have or had a passkey or an app."""
    rows = Exists(Passkey.objects.filter(person=OuterRef("pk")))
    return User.objects.active().filter(rows | Exists(AuthenticatorApp.objects.filter(person=OuterRef("pk"))))


def lost() -> QuerySet[User]:
    """Return the people of `had_one` without a passkey or an app that works at this address."""
    here = passkeys.for_this_host().values("person")
    return had_one().exclude(pk__in=here).exclude(pk__in=codes.that_work_here().values("person"))


def lost_in_words() -> str:
    """Return how many accounts lost their only second step, and how they are opened, or ""."""
    count = lost().count()
    if not count:
        return ""
    return (
        f"Accounts without a working second factor at {settings.ADDRESS}: {count}. The password alone does not open "
        "them. A recovery code opens them, or a link for a new password from an admin, or from `manage.py "
        "password_link LOGIN`. If the address is wrong, set PLUMBLINE_ADDRESS to the earlier address."
    )


def begin(request: HttpRequest, person: User, target: str) -> HttpResponse:
    """Go on after a right password: to the second step, or in if the person never had a factor."""
    resets.carry_out_due(person)
    if not had_one().filter(pk=person.pk).exists():
        return finish(request, person, target, factor="")
    request.session.cycle_key()
    request.session[KEY] = {
        "person": person.pk,
        "password": person.get_session_auth_hash(),
        "at": clock.now().isoformat(),
        "target": target,
        "challenge": new_challenge(),
    }
    return redirect("sign-in-factor")


def waiting(request: HttpRequest) -> tuple[User, dict] | None:
    """Return the person between the two steps, and what the session keeps, or None if late."""
    kept = request.session.get(KEY)
    if not kept:
        return None
    person = User.objects.active().filter(pk=kept["person"]).first()
    if (
        person is None
        or not sessions.still(kept["at"], LASTS)
        or person.get_session_auth_hash() != kept["password"]
    ):
        del request.session[KEY]
        return None
    return person, kept


def new_challenge() -> str:
    """32 random bytes, Base64 for addresses: good for one assertion."""
    return bytes_to_base64url(secrets.token_bytes(32))


def why_refused(request: HttpRequest, person: User, kept: dict) -> str:
    """Return why the request shows no factor of the person, or "". A challenge works once."""
    address, sent = throttling.address_of(request), request.POST
    if sent.get("assertion"):
        challenge, kept["challenge"] = base64url_to_bytes(kept["challenge"]), new_challenge()
        request.session.modified = True
        try:
            passkeys.check(
                person,
                sent["assertion"],
                challenge=challenge,
                signing=False,
                purpose="sign in",
                address=address,
            )
        except passkeys.PasskeyRefused as refused:
            return f"The passkey was refused: {refused}."
        return ""
    if sent.get("recovery"):
        return recovery_codes.why_refused(person, sent["recovery"], address=address)
    if sent.get("code"):
        return codes.why_refused(person, sent["code"], purpose="sign in", address=address)
    return "Use a passkey, or enter a code."


def used(request: HttpRequest) -> str:
    """Return the second step that was taken, in words for the audit log."""
    names = {"assertion": "passkey", "recovery": "recovery code", "code": "one-time code"}
    return next((word for name, word in names.items() if request.POST.get(name)), "")


def finish_by_link(request: HttpRequest, person: User) -> HttpResponse:
    """Sign in a person without a working factor by a link that someone else made, and tell them."""
    with acting(by=person):
        account_notifications.tell(
            person,
            f"opened by a link:{person.pk}",
            subject="Your account was opened without a second factor",
            text="The link for the new password opened it. Add a second factor now: the password alone does not open "
            "your account. If that was not you, tell an admin.",
        )
    return finish(request, person, reverse("account-security"), factor="link by someone else")


def finish(request: HttpRequest, person: User, target: str, *, factor: str) -> HttpResponse:
    """Sign the person in, record it, and go to the target page."""
    request.session.pop(KEY, None)
    with acting(by=person):
        sessions.tell_of_new_browser(request, person)
        entries.record(
            EntryKind.SIGNED_IN,
            person=person.full_name,
            login=person.login,
            address=throttling.address_of(request),
            **({"factor": factor} if factor else {}),
        )
    break_glass.used(person, address=throttling.address_of(request))
    auth.login(request, person)
    ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = redirect(target if target and ours else "inbox")
    throttling.remember(request, response, person.login)
    return response
