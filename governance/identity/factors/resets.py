"""Resets: an admin ends every factor of somebody who lost theirs, a day after it was asked for.

The person is told at once, and stops it where it is not them who lost anything. Until a day after the reset no approval
of that person counts on an initiative on whose team the person is who asked for it
(governance.gates.separation_of_duties).
"""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.factors import codes, passkeys, recovery_codes
from governance.models import FactorReset, User
from governance.people import cooling_off
from governance.permission_result import Answer, no, yes
from governance.sign_in import account_notifications, sessions
from governance.vocabulary.entry_kinds import EntryKind

WAITS = timedelta(hours=24)


def has_any(person: User) -> bool:
    """Whether the account has a passkey or an app."""
    return bool(passkeys.of(person)) or codes.app_of(person) is not None


def open_for(person: User) -> FactorReset | None:
    """The reset of this person that waits, with who asked for it."""
    rows = FactorReset.objects.filter(person=person, done_at=None, stopped_at=None)
    return rows.select_related("asked_by").first()


def may_ask(person: User, by: User) -> Answer:
    """Ask for a reset: an admin of more than a day, of somebody else's factors."""
    if not (by.is_active and by.is_admin and cooling_off.admin_for_a_day(by)):
        return no("Only an admin of more than a day resets the factors of somebody.", "Ask one.")
    if by.pk == person.pk:
        return no("Nobody resets their own factors.", "Sign in with a recovery code, or ask another admin.")
    if not person.is_active:
        return no(f"The account of {person} has ended.")
    if not has_any(person):
        return no(f"{person} has no passkey and no authenticator app.")
    if open_for(person) is not None:
        return no("A reset waits already.")
    return yes()


def ask(*, person: User, reason: str, by: User) -> FactorReset:
    """Have every factor of the person end in a day; they are told now. Raises ValidationError, Refused."""
    if not reason.strip():
        raise ValidationError({"reason": "Say how you know that the person asked for it."})
    with acting(by=by, reason=reason.strip()):
        person = User.objects.select_for_update().get(pk=person.pk)
        may_ask(person, by).or_refuse()
        now = clock.now()
        row = FactorReset(person=person, asked_by=by, asked_at=now, reason=reason.strip(), due_at=now + WAITS)
        row.save()
        entries.record(
            EntryKind.FACTOR_RESET_ASKED_FOR,
            person=person.full_name,
            person_id=person.pk,
            reset=row.pk,
            due=row.due_at,
        )
        account_notifications.tell(
            person,
            f"reset:{row.pk}",
            subject="An admin is resetting the second factors of your account",
            text=f"{by} asked for it: {reason.strip()} From {clock.moment_in_words(row.due_at)} your passkeys, your "
            "authenticator app and your recovery codes open nothing. If you did not ask for that, sign in and stop it.",
        )
    return row


def may_stop(row: FactorReset, by: User) -> Answer:
    """Stop a reset that waits: its person, whoever asked for it, and any other admin."""
    if row.done_at is not None or row.stopped_at is not None:
        return no("This reset is over.")
    if by.is_active and (by.pk == row.person_id or by.is_admin):
        return yes()
    return no("Only its person or an admin stops a reset.")


def stop(*, reset: FactorReset, by: User) -> None:
    """Let the factors stand. Raises Refused."""
    with acting(by=by, reason="Reset of factors stopped"):
        row = FactorReset.objects.select_for_update().select_related("person", "asked_by").get(pk=reset.pk)
        may_stop(row, by).or_refuse()
        row.stopped_at, row.stopped_by = clock.now(), by
        row.save()
        entries.record(
            EntryKind.FACTOR_RESET_STOPPED, person=row.person.full_name, person_id=row.person_id, reset=row.pk
        )
        for told in {row.person, row.asked_by} - {by}:
            account_notifications.tell(
                told,
                f"reset:{row.pk}",
                subject=f"The reset of the second factors of {row.person} was stopped",
                text=f"{by} stopped it. Nothing was ended.",
            )


def carry_out_due(person: User | None = None) -> int:
    """Do the resets whose day is over, of one person or of all; how many. May run twice."""
    due = FactorReset.objects.filter(done_at=None, stopped_at=None, due_at__lte=clock.now())
    if person is not None:
        due = due.filter(person=person)
    done = 0
    for key in due.values_list("pk", flat=True):
        done += _do(key)
    return done


def _do(key: int) -> int:
    with acting(system="reset of factors", reason="A day after an admin asked for it"):
        row = FactorReset.objects.select_for_update().select_related("person", "asked_by").get(pk=key)
        if row.done_at is not None or row.stopped_at is not None:
            return 0
        now, person = clock.now(), User.objects.select_for_update().get(pk=row.person_id)
        ended = passkeys.of(person)
        for passkey in ended:
            passkey.ended_at, passkey.ended_by = now, row.asked_by
            passkey.save()
        codes.end_for(person, by=row.asked_by)
        recovery_codes.end_all(person)
        sessions.end_all(person)
        person.signs_from = max(filter(None, (person.signs_from, now + cooling_off.LASTS)))
        person.save()
        row.done_at = now
        row.save()
        entries.record(
            EntryKind.FACTORS_RESET,
            person=person.full_name,
            person_id=person.pk,
            reset=row.pk,
            passkeys=len(ended),
            signs_from=person.signs_from,
        )
        account_notifications.tell(
            person,
            f"reset:{row.pk}",
            subject="The second factors of your account were reset",
            text=f"{row.asked_by} asked for it a day ago. Every browser was signed out, and until "
            f"{clock.moment_in_words(person.signs_from)} you sign nothing that lets an initiative rise. Sign in with "
            "your password, and add a passkey.",
        )
    return 1


def reset_lately(person: User, at: datetime | None = None) -> tuple[tuple[int, str], ...]:
    """Who asked for a reset of this person that waits, or was done less than a day before, by key and name: their
    initiatives gain nothing by this person.
    """
    at = at or clock.now()
    rows = FactorReset.objects.filter(
        Q(done_at=None) | Q(done_at__gt=at - cooling_off.LASTS),
        person=person,
        stopped_at=None,
        asked_at__lte=at,
    )
    return tuple((row.asked_by_id, str(row.asked_by)) for row in rows.select_related("asked_by"))
