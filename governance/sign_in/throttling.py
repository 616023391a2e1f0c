"""Throttling of guesses by purpose, name and address, counted in the database.

A try is recorded before its password is checked, under a lock, so that a hundred tries at once count as a hundred. A
right password removes the tries of its name. Each purpose is counted separately, so tries of a stranger on the
sign-in page do not count for a person who is signed in. A browser in which a person signed in earlier has a separate
count, which no stranger can use up (`known_as`).
"""

import ipaddress
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import connection, transaction

from governance import clock
from governance.models import KeyAttempt, SignInAttempt

WINDOW = timedelta(minutes=10)
TRIES_PER_ACCOUNT = 5
TRIES_PER_ADDRESS = 20
KEPT = timedelta(days=1)
WRONG_KEYS = 20  # of systems and directories, from one address, after which it waits
KEYS_WAIT = timedelta(minutes=5)

SIGN_IN, KNOWN, CONFIRM = "sign in", "known browser", "confirm"
RESET, RESET_FROM = "reset", "reset from"
REMEMBERED = timedelta(days=180)
_signer = signing.TimestampSigner(salt="governance.known-browser")


def address_of(request) -> str | None:
    """Return the address that the connection came from, or None.

    Anyone can write headers, so they count only if the connection comes from a proxy in the settings. The address is
    then the last one in X-Forwarded-For that is not a proxy in the settings, written by the nearest of them.
    """
    address = _read(request.META.get("REMOTE_ADDR", ""))
    passed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address is not None and passed and any(address in network for network in settings.PROXIES):
        before = _read(passed.pop().strip())
        if before is None:
            break
        address = before
    return str(address) if address is not None else None


def is_proxy(address: str) -> bool:
    """Return True if this address is a proxy in the settings."""
    found = _read(address)
    return found is not None and any(found in network for network in settings.PROXIES)


def _read(text: str):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def enter_try(
    name: str, address: str | None = None, *, purpose: str, most: int = TRIES_PER_ACCOUNT
) -> datetime | None:
    """Count one try now. Return None if allowed, else the moment of the next allowed one.

    `most` tries go ahead for one purpose and name in a window. A refused try is not counted. Tries under the same
    name share the window: the first to come takes a free place.
    """
    name, now = _name(name), clock.now()
    tries = SignInAttempt.objects.filter(purpose=purpose)
    with transaction.atomic():
        _lock(f"tries to {purpose}: {name}")
        if address:
            _lock(f"tries to {purpose} from {address}")
        waits = [_wait(tries.filter(login=name), most, now)]
        if address:
            waits.append(_wait(tries.filter(address=address), TRIES_PER_ADDRESS, now))
        until = max(filter(None, waits), default=None)
        if until is None:
            SignInAttempt.objects.filter(at__lt=now - KEPT).delete()
            SignInAttempt.objects.create(purpose=purpose, login=name, address=address, at=now)
    return until


def waits(name: str, *, purpose: str, most: int = TRIES_PER_ACCOUNT) -> datetime | None:
    """Return the moment of the next allowed try, without counting one, or None."""
    return _wait(SignInAttempt.objects.filter(purpose=purpose, login=_name(name)), most, clock.now())


def forget(name: str, *, purpose: str) -> None:
    """Remove the tries of this purpose and name after a right proof."""
    SignInAttempt.objects.filter(purpose=purpose, login=_name(name)).delete()


# --- Signing in ----------------------------------------------------------------------------------------------


def enter_sign_in(request, login: str) -> datetime | None:
    """Count one try to sign in by browser if the person used it, else by name and address."""
    known = known_as(request, login)
    if known:
        return enter_try(known, purpose=KNOWN)
    return enter_try(login, address_of(request), purpose=SIGN_IN)


def forget_sign_in(request, login: str) -> None:
    """Take back the tries to sign in under this name, those of this browser too."""
    forget(login, purpose=SIGN_IN)
    if known := known_as(request, login):
        forget(known, purpose=KNOWN)


def known_as(request, login: str) -> str:
    """Return the mark of this browser if the person used it in the last half year, or "".

    The mark decides only for which name a try counts. It does not sign anyone in.
    """
    try:
        said = _signer.unsign(request.COOKIES.get(settings.KNOWN_COOKIE_NAME, ""), max_age=REMEMBERED)
    except signing.BadSignature:
        return ""
    mark, _, name = said.partition(" ")
    return mark if name == _name(login) else ""


def remember(request, response, login: str) -> None:
    """Mark the browser as known to this person, with the same mark if it has one."""
    mark = known_as(request, login) or secrets.token_urlsafe(16)
    response.set_cookie(
        settings.KNOWN_COOKIE_NAME,
        _signer.sign(f"{mark} {_name(login)}"),
        max_age=REMEMBERED,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _name(text: str) -> str:
    return text.strip().lower()[: SignInAttempt._meta.get_field("login").max_length]


def _wait(attempts, limit: int, now: datetime) -> datetime | None:
    recent = list(
        attempts.filter(at__gt=now - WINDOW, at__lte=now).order_by("-at").values_list("at", flat=True)[:limit]
    )
    return recent[-1] + WINDOW if len(recent) == limit else None


def _lock(words: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [words])


def wrong_key(request, public: str) -> int:
    """Count an invalid key of a system or directory. Return the seconds to refuse it, or 0.

    `public`: the part that names the key, or empty. Keys from unknown addresses count as one address.
    """
    address, now = address_of(request), clock.now()
    if KeyAttempt.objects.filter(address=address, at__gt=now - KEYS_WAIT).count() >= WRONG_KEYS:
        return int(KEYS_WAIT.total_seconds())
    KeyAttempt.objects.filter(at__lte=now - KEYS_WAIT).delete()
    KeyAttempt.objects.create(public=public, address=address, at=now)
    return 0
