"""The first admin of an installation: by a link, once, for someone on the machine."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import User
from governance.people import cooling_off
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

LASTS = timedelta(days=1)
TAKEN = "This installation already has an admin. Ask an admin for an account."
_signer = signing.TimestampSigner(sep="~", salt="governance.first-admin")
_WORDS = "first-admin"


def missing() -> bool:
    """Return True if the installation lacks an active admin."""
    return not User.objects.active().filter(is_admin=True).exists()


def link() -> str:
    """Return the address where the first admin makes an account, valid for a day."""
    return f"{settings.ADDRESS}{reverse('first-admin', args=[_signer.sign(_WORDS)])}"


def opens(token: str) -> bool:
    """Return True if the link can be used now."""
    try:
        return _signer.unsign(token, max_age=LASTS) == _WORDS and missing()
    except signing.BadSignature:
        return False


def make(*, login: str, password: str | None, system: str = "first admin", **fields) -> User:
    """Make the first admin, as an act of the system.

    Raises ValidationError if there is one already, and for a password that is not good enough.
    """
    with acting(system=system, reason="First admin of this installation"):
        with connection.cursor() as cursor:  # two links opened at once still make one
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline first admin'))")
        if not missing():
            raise ValidationError(TAKEN)
        if User.objects.filter(login__iexact=login).exists():
            raise ValidationError({"login": phrase("{} is taken. Choose another.", login)})
        if password is not None:
            validate_password(password, User(login=login, **fields))
        waits = None if cooling_off.first_setup() else clock.now() + cooling_off.LASTS
        person = User.objects.create_user(login, password, is_admin=True, signs_from=waits, **fields)
        entries.record(
            EntryKind.ACCOUNT_ADDED,
            person=person.full_name,
            person_id=person.pk,
            login=login,
            admin=True,
            auditor=person.is_auditor,
        )
    return person
