"""Preferences of a person: weekly digests, and the secret address of their calendar."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core import signing
from django.db.models import Case, F, Q, Value, When

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import CalendarFeed, Telling, User
from governance.permission_result import no
from governance.vocabulary.entry_kinds import EntryKind

HOUR = timedelta(hours=1)
READS_AN_HOUR = 60  # far more than any calendar program asks for
SALT = "plumbline: no digest any more"


def choose_digest(*, choice: str, by: User) -> None:
    """Keep which digests the person wants. Raises KeyError for a choice there is not."""
    Telling.objects.update_or_create(
        person=by, defaults={"digest": choice if Telling.DIGESTS[choice] else ""}
    )


def leave_token(person: User) -> str:
    """What the address in a digest carries: it can do nothing but end this person's digests."""
    return signing.dumps(person.pk, salt=SALT)


def person_leaving(token: str) -> User | None:
    """Whose digests the token ends; None for a token that is not ours, or of an account that is deactivated."""
    try:
        key = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return User.objects.active().filter(pk=key).first()


def make_calendar(*, by: User) -> str:
    """A new secret for the person's calendar, shown this once; the one before it opens nothing any more."""
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
    """Revoke the secret address of a person's calendar, in the running act; nothing where there is none."""
    gone, _ = CalendarFeed.objects.filter(person=person).delete()
    if gone:
        entries.record(EntryKind.CALENDAR_ADDRESS_REVOKED, person_id=person.pk)


def open_calendar(secret: str) -> CalendarFeed | None:
    """The feed that the secret opens, of an active person; None otherwise."""
    feeds = CalendarFeed.objects.select_related("person").filter(person__is_active=True)
    return feeds.filter(hash=_hash(secret)).first()


def count_read(feed: CalendarFeed) -> datetime | None:
    """Count one reading. None when it may go ahead; otherwise the moment from which the next one may.

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
    # A secret of 256 random bits needs no salt and no slowness: nobody can guess it.
    return hashlib.sha256(secret.encode()).hexdigest()
