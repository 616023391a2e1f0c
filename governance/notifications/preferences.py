"""Preferences of a person: weekly digests, language, and the secret address of their calendar."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core import signing
from django.db.models import Case, F, Q, Value, When

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import CalendarFeed, Preferences, User
from governance.permission_result import no
from governance.vocabulary.entry_kinds import EntryKind

HOUR = timedelta(hours=1)
READS_AN_HOUR = 60  # far more than any calendar program asks for
SALT = "plumbline: unsubscribe from the digest"


def choose_digest(*, choice: str, by: User) -> None:
    """Keep which digests the person wants. Raises KeyError for a choice there is not."""
    Preferences.objects.update_or_create(
        person=by, defaults={"digest": choice if Preferences.DIGESTS[choice] else ""}
    )


def choose_language(*, language: str, by: User) -> None:
    """Keep the language of the person's pages and emails; a code of the settings."""
    Preferences.objects.update_or_create(person=by, defaults={"language": language})


def language_of(person: int | str | None) -> str:
    """Return the language code that the person with this key chose; empty if they chose none."""
    return Preferences.objects.filter(person_id=person).values_list("language", flat=True).first() or ""


def leave_token(person: User) -> str:
    """Return the token of a digest's address, which can only end this person's digests."""
    return signing.dumps(person.pk, salt=SALT)


def person_leaving(token: str) -> User | None:
    """Return the active person whose digests the token ends, or None."""
    try:
        key = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return User.objects.active().filter(pk=key).first()


def make_calendar(*, by: User) -> str:
    """Return a new secret for the person's calendar. The earlier secret stops working."""
    if not by.is_active:
        no("This account is no longer active.", "Ask an admin.").or_refuse()
    secret = secrets.token_urlsafe(32)
    with acting(by=by, reason="Calendar address made"):
        fresh = {
            "hash": _hash(secret),
            "made_at": clock.now(),
            "read_at": None,
            "hour_from": None,
            "hour_reads": 0,
        }
        CalendarFeed.objects.update_or_create(person=by, defaults=fresh)
        entries.record(EntryKind.CALENDAR_ADDRESS_MADE, person_id=by.pk)
    return secret


def revoke_calendar_address(*, person: User) -> None:
    """Revoke the address of a person's calendar, if there is one, in the running act."""
    gone, _ = CalendarFeed.objects.filter(person=person).delete()
    if gone:
        entries.record(EntryKind.CALENDAR_ADDRESS_REVOKED, person_id=person.pk)


def open_calendar(secret: str) -> CalendarFeed | None:
    """Return the feed of an active person that the secret opens, or None."""
    feeds = CalendarFeed.objects.select_related("person").filter(person__is_active=True)
    return feeds.filter(hash=_hash(secret)).first()


def count_read(feed: CalendarFeed) -> datetime | None:
    """Count one reading. Return None if allowed, else the moment of the next allowed one.

    One statement, so that readings at once are counted one by one.
    """
    now = clock.now()
    begins = Q(hour_from__isnull=True) | Q(hour_from__lte=now - HOUR)
    may = CalendarFeed.objects.filter(begins | Q(hour_reads__lt=READS_AN_HOUR), pk=feed.pk)
    counted = may.update(
        read_at=now,
        hour_reads=Case(When(begins, then=Value(1)), default=F("hour_reads") + 1),
        hour_from=Case(When(begins, then=Value(now)), default=F("hour_from")),
    )
    if counted:
        return None
    return CalendarFeed.objects.values_list("hour_from", flat=True).get(pk=feed.pk) + HOUR


def _hash(secret: str) -> str:
    # A secret of 256 random bits needs no salt and no slowness: no one can guess it.
    return hashlib.sha256(secret.encode()).hexdigest()
