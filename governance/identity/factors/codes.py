"""One-time codes of an authenticator app (RFC 6238): SHA-1, 30 seconds, six digits.

A code belongs to no statement, so that a person who sees it typed can use it elsewhere. It is the fallback for people
without a passkey. The secret is encrypted under a key derived from the secret key of the installation.
"""

from datetime import datetime, timedelta

import pyotp
from django.db import transaction
from django.db.models import QuerySet

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import ways_in
from governance.identity.providers import secret_box
from governance.identity.providers.denials import Denied
from governance.models import AuthenticatorApp, FactorUse, User
from governance.permission_result import Conflict
from governance.sign_in import account_notifications, throttling
from governance.vocabulary.entry_kinds import EntryKind

PERIOD = 30  # seconds
PURPOSE = "code"  # under which tries are counted


def app_of(person: User) -> AuthenticatorApp | None:
    """Return the app of the person that works here. An app does not work after the secret key changed."""
    return that_work_here().filter(person=person).first()


def that_work_here() -> QuerySet[AuthenticatorApp]:
    """Return the apps of all people whose secret the key of the installation opens."""
    return AuthenticatorApp.objects.filter(ended_at=None, sealed_under=secret_box.mark())


def add(*, person: User, secret: str, code: str) -> AuthenticatorApp | None:
    """Add this app in place of an earlier one if the code is right, else return None."""
    now = clock.now()
    step = _matching(secret, code, now)
    if step is None:
        return None
    with acting(by=person, reason="Authenticator app added"):
        User.objects.select_for_update().get(pk=person.pk)
        ways_in.take(person, EntryKind.AUTHENTICATOR_APP_ADDED, by=person)
        row = AuthenticatorApp(person=person, secret=b"", sealed_under=secret_box.mark(), made_at=now)
        row.secret = secret_box.closed(secret, _use(person.pk))
        row.save()
        FactorUse.objects.create(app=row, counter=step, used_at=now)
        entries.record(EntryKind.AUTHENTICATOR_APP_ADDED, person=person.full_name, person_id=person.pk)
        account_notifications.tell(
            person,
            f"app:{row.pk}",
            subject="An authenticator app was added to your account",
            text="Sign-in now also asks for a code from the app. If that was not you, change your password.",
        )
    return row


def revoke(*, person: User, keep: str | None = None, also: bool = False) -> None:
    """Revoke the app of the person, and the ways in that end with it. Raises Conflict if there is none."""
    with acting(by=person, reason="Authenticator app revoked"):
        User.objects.select_for_update().get(pk=person.pk)
        if app_of(person) is None:
            raise Conflict("You have no authenticator app.")
        go_on = ways_in.take(person, EntryKind.AUTHENTICATOR_APP_REVOKED, by=person, keep=keep, also=also)
        entries.record(EntryKind.AUTHENTICATOR_APP_REVOKED, person=person.full_name, person_id=person.pk)
        account_notifications.tell(
            person,
            "app",
            subject="Your authenticator app was revoked",
            text=f"The codes of the app no longer work. {go_on} If that was not you, change your password.",
        )


def why_refused(person: User, code: str, *, purpose: str, address: str | None, since=None) -> str:
    """Return why the code is refused, or "" if it is right. A right code works once.

    `since`: the moment at which the purpose was shown. A code that had ended by then is refused. A wrong code makes
    an entry. Tries are counted as those of passwords are.
    """
    account = str(person.pk)
    until = throttling.enter_try(account, purpose=PURPOSE)
    if until is not None:
        return f"Too many wrong codes. You can try again from {clock.moment_in_words(until)}."
    why = _why_wrong(person, code, since)
    if why:
        with acting(by=person):
            entries.record(
                EntryKind.CODE_REFUSED, login=person.login, purpose=purpose, why=why, address=address
            )
        return why
    throttling.forget(account, purpose=PURPOSE)
    return ""


def _why_wrong(person: User, code: str, since) -> str:
    now = clock.now()
    with transaction.atomic():
        use = (
            FactorUse.objects.select_for_update(of=("self",))
            .select_related("app")
            .filter(app__person=person, app__ended_at=None)
            .first()
        )
        secret = _opened(use.app) if use is not None and use.app is not None else None
        if use is None or secret is None:
            return "You have no authenticator app for this code."
        step = _matching(secret, code, now)
        if step is None:
            return "This code is wrong. Type the code that your app shows now."
        if step <= use.counter:
            return "This code was already used. Wait for the next code."
        if since is not None and (step + 1) * PERIOD <= since.timestamp():
            return "This code is older than the statement. Type the code that your app shows now."
        use.counter, use.used_at = step, now
        use.save()
    return ""


def _matching(secret: str, code: str, now: datetime) -> int | None:
    """Return the step of this or the previous half minute that has this code, or None."""
    app, typed = pyotp.TOTP(secret), "".join(code.split())
    for moment in (now, now - timedelta(seconds=PERIOD)):
        if app.verify(typed, for_time=moment):
            return app.timecode(moment)
    return None


def _use(person_id: int) -> str:
    return f"authenticator app {person_id}"


def _opened(row: AuthenticatorApp) -> str | None:
    """Return the secret, or None if another key of the installation encrypted it."""
    try:
        return secret_box.opened(row.secret, _use(row.person_id))
    except Denied:
        return None
