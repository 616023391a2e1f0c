"""Slowing down those who guess passwords: per account and per address, counted in the database.

A try is written down before its password is looked at, under a lock, so that a hundred tries at once count as a
hundred. A right password takes the account's tries back.
"""

import ipaddress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from governance import clock
from governance.models import SignInAttempt

WINDOW = timedelta(minutes=10)
TRIES_PER_ACCOUNT = 5
TRIES_PER_ADDRESS = 20
KEPT = timedelta(days=1)


def address_of(request) -> str | None:
    """The address the connection came from; None when unknown.

    Headers are not asked, because anybody can write them, unless the connection comes from a proxy that is named in
    the settings: then the last address in X-Forwarded-For that is no such proxy, which the nearest of them wrote.
    """
    address = _read(request.META.get("REMOTE_ADDR", ""))
    passed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address is not None and passed and any(address in network for network in settings.PROXIES):
        before = _read(passed.pop().strip())
        if before is None:
            break
        address = before
    return str(address) if address is not None else None


def _read(text: str):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def enter_try(login: str, address: str | None, *, most: int = TRIES_PER_ACCOUNT) -> datetime | None:
    """Count one try now. None when it may go ahead; otherwise the moment from which the next one may.

    `most` tries go ahead for one account in a window. A try that is turned away is not counted, so waiting always ends.
    """
    name, now = _name(login), clock.now()
    with transaction.atomic():
        _lock(f"sign-in account {name}")
        if address:
            _lock(f"sign-in address {address}")
        waits = [_wait(SignInAttempt.objects.filter(login=name), most, now)]
        if address:
            waits.append(_wait(SignInAttempt.objects.filter(address=address), TRIES_PER_ADDRESS, now))
        until = max(filter(None, waits), default=None)
        if until is None:
            SignInAttempt.objects.filter(at__lt=now - KEPT).delete()
            SignInAttempt.objects.create(login=name, address=address, at=now)
    return until


def waits(login: str, *, most: int = TRIES_PER_ACCOUNT) -> datetime | None:
    """The moment from which the next try may go ahead, where `most` were counted lately; nothing is counted here."""
    return _wait(SignInAttempt.objects.filter(login=_name(login)), most, clock.now())


def forget(login: str) -> None:
    """Take back the tries of an account whose person has just signed in."""
    SignInAttempt.objects.filter(login=_name(login)).delete()


def _name(login: str) -> str:
    return login.strip().lower()[: SignInAttempt._meta.get_field("login").max_length]


def _wait(attempts, limit: int, now: datetime) -> datetime | None:
    recent = list(
        attempts.filter(at__gt=now - WINDOW, at__lte=now).order_by("-at").values_list("at", flat=True)[:limit]
    )
    return recent[-1] + WINDOW if len(recent) == limit else None


def _lock(words: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [words])
