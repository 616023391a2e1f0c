"""Resets: an admin ends all factors of a person who lost theirs, after a day.

The person gets a notification at once, and can stop the reset. No approval of that person counts on an initiative
whose team has the person who asked for the reset, for a day after it (governance.gates.separation_of_duties).
"""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import ways_in
from governance.identity.factors import passkeys
from governance.models import AuthenticatorApp, FactorReset, User
from governance.models.sign_in import RESET
from governance.people import cooling_off
from governance.permission_result import Answer, no, yes
from governance.sign_in import account_notifications, password_links
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

WAITS = timedelta(hours=24)


def has_any(person: User) -> bool:
    """Return True if the account has a passkey or an app."""
    return bool(passkeys.of(person)) or AuthenticatorApp.objects.filter(person=person, ended_at=None).exists()


def open_for(person: User) -> FactorReset | None:
    """Return the waiting reset of this person, with the admin who asked for it."""
    rows = FactorReset.objects.filter(person=person, done_at=None, stopped_at=None)
    return rows.select_related("asked_by").first()


def may_ask(person: User, by: User) -> Answer:
    """Return whether `by` may ask for a reset: an admin of a day, for another person."""
    if not (by.is_active and by.is_admin and cooling_off.admin_for_a_day(by)):
        return no(
            "Only someone who has been an admin for more than a day can reset second factors.",
            "Ask another admin.",
        )
    if by.pk == person.pk:
        return no(
            "You cannot reset your own second factors.", "Sign in with a recovery code, or ask another admin."
        )
    if not person.is_active:
        return no(phrase("The account of {} is deactivated.", person))
    if not has_any(person):
        return no(phrase("{} has no passkey and no authenticator app.", person))
    if open_for(person) is not None:
        return no("A reset of these second factors is already planned.")
    return yes()


def ask(*, person: User, reason: str, by: User) -> FactorReset:
    """Have the person's factors end in a day, and notify them. Raises ValidationError, Refused."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe how you know that the person asked for the reset."})
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
            text=(
                f"{by} asked for the reset: {reason.strip()} From {clock.moment_in_words(row.due_at)} your "
                "passkeys, your authenticator app and your recovery codes will no longer work. If you did "
                "not ask for this, sign in and stop the reset."
            ),
        )
    return row


def may_stop(row: FactorReset, by: User) -> Answer:
    """Return whether `by` may stop a waiting reset: its person or any admin may."""
    if row.done_at is not None or row.stopped_at is not None:
        return no("This reset was already done or stopped.")
    if by.is_active and (by.pk == row.person_id or by.is_admin):
        return yes()
    return no("Only the person or an admin can stop a reset.")


def stop(*, reset: FactorReset, by: User) -> None:
    """Stop a reset, so that the factors stay. Raises Refused."""
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
                text=f"{by} stopped the reset. The second factors still work.",
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
        ended = len(passkeys.of(person))
        go_on = ways_in.take(person, EntryKind.FACTORS_RESET, by=row.asked_by)
        person.signs_from = max(filter(None, (person.signs_from, now + cooling_off.LASTS)))
        person.save()
        row.done_at = now
        row.save()
        entries.record(
            EntryKind.FACTORS_RESET,
            person=person.full_name,
            person_id=person.pk,
            reset=row.pk,
            passkeys=ended,
            signs_from=person.signs_from,
        )
        account_notifications.tell(
            person,
            f"reset:{row.pk}",
            subject="The second factors of your account were reset",
            text=(
                f"{row.asked_by} asked for the reset a day ago. Every browser was signed out, and you cannot "
                f"approve a higher stage before {clock.moment_in_words(person.signs_from)}. {go_on} Your "
                "password alone does not open your account. Use the link for a new password that you get by email, or "
                "ask an admin for another link. Then add a passkey."
            ),
        )
        if person.has_usable_password():
            password_links.make(person, RESET, by=row.asked_by)
    password_links.soon()
    return 1


def reset_lately(person: User, at: datetime | None = None) -> tuple[tuple[int, str], ...]:
    """Return the key and name of each admin whose reset of this person waits or is recent.

    A recent one was done less than a day ago. The person's approvals do not count on the initiatives of these admins.
    """
    at = at or clock.now()
    rows = FactorReset.objects.filter(
        Q(done_at=None) | Q(done_at__gt=at - cooling_off.LASTS),
        person=person,
        stopped_at=None,
        asked_at__lte=at,
    )
    return tuple((row.asked_by_id, str(row.asked_by)) for row in rows.select_related("asked_by"))
