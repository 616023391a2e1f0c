"""Rows that an email carries: claimed by one worker, tried again after longer rests.

An address that the mail server refuses for good is tried `REFUSALS` times. Its person and the admins are then notified
in the app. Emails to the person begin again with another address, or if an admin tries one again.
"""

import smtplib
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q, QuerySet, Sum

from governance import clock
from governance.models import User
from governance.models.notifications import Delivery, Outgoing
from governance.notifications.notify import notify
from governance.runtime.redaction import reason_of

log = structlog.get_logger("plumbline.delivery")

CLAIM = timedelta(minutes=10)  # a worker that died over a mail holds it no longer than this
LONGEST_REST = timedelta(hours=6)  # between two attempts at a mail that fails
REFUSALS = 3
KIND = "address refused"


def free() -> Q:
    """Return the filter for rows that are unclaimed or whose claim has run out."""
    return Q(claimed_at__isnull=True) | Q(claimed_at__lt=clock.now() - CLAIM)


def claim(model: type[Outgoing], key: int) -> bool:
    """Claim one row. Return True if this worker won it, which only one worker can.

    A claimed row has no error. A row with an error rests after a failure, unclaimed.
    """
    won = model.objects.filter(free(), pk=key, sent_at__isnull=True).update(
        claimed_at=clock.now(), attempts=F("attempts") + 1, last_error=""
    )
    return bool(won)


def refused_people() -> QuerySet:
    """Return the keys of people whose present address was refused so often that no email is tried."""
    rows = Delivery.objects.filter(refused_address=F("person__email")).exclude(refused_address="")
    tries = rows.order_by().values("person").annotate(tries=Sum("attempts"))
    return tries.filter(tries__gte=REFUSALS).values("person")


def given_up() -> Q:
    """Return the filter for rows whose own attempts at the present address were refused so often."""
    return Q(refused_address=F("person__email"), attempts__gte=REFUSALS) & ~Q(refused_address="")


def cut_rest(model: type[Outgoing], keys: list[int]) -> None:
    """Let these rows be tried at once, if they only rest after a failure. Refused addresses are tried again."""
    rows = model.objects.filter(pk__in=keys, sent_at__isnull=True).exclude(last_error="")
    people = list(rows.values_list("person", flat=True))
    rows.update(claimed_at=None)
    model.objects.filter(person__in=people).exclude(refused_address="").update(refused_address="", attempts=0)


def attempt(row: Outgoing, compose: Callable[[], EmailMultiAlternatives | None]) -> bool:
    """Send the email of a claimed row and mark it sent. Return False if that failed.

    A failure sets its reason and a later attempt. `compose` returns None if nothing is left to send. If a process
    dies before the mark, the claim runs out, and the email is sent again with the same Message-ID.
    """
    rows = type(row).objects.filter(pk=row.pk)
    try:
        mail = compose()
        if mail is not None:
            mail.send()
    except Exception as problem:
        rest = min(CLAIM * 2 ** (row.attempts - 1), LONGEST_REST)
        # Claimed ahead of time: the one rule about claims that ran out gives the rest between attempts too.
        refused = row.person.email if _refuses_for_good(problem) else ""
        rows.update(
            claimed_at=clock.now() + rest - CLAIM, last_error=reason_of(problem), refused_address=refused
        )
        if refused and (
            rows.filter(given_up()).exists() or refused_people().filter(person=row.person).exists()
        ):
            _notify_of(row.person)
        log.warning(
            "mail failed",
            row=row._meta.label_lower,
            key=row.pk,
            attempts=row.attempts,
            error=str(problem),
        )
        return False
    rows.update(sent_at=clock.now(), last_error="")
    type(row).objects.filter(person=row.person).exclude(refused_address="").update(refused_address="")
    return True


def _refuses_for_good(problem: Exception) -> bool:
    """Return True if the mail server refused the address itself, with a code that is not temporary (RFC 5321)."""
    if not isinstance(problem, smtplib.SMTPRecipientsRefused):
        return False
    return all(500 <= code < 600 for code, _words in problem.recipients.values())


def _notify_of(person: User) -> None:
    """Notify the person and the admins, in the app, of an address that is no longer tried."""
    told = {"kind": KIND, "object_key": f"address:{person.pk}", "period": person.email[:60]}
    refused = f"The mail server refused {person.email} {REFUSALS} times, so no more emails are sent to it."
    notify(
        person,
        subject="Your email address is refused",
        text=f"{refused} Ask an admin to correct the address. Your inbox still shows everything.",
        **told,
    )
    admins = User.objects.active().filter(is_admin=True).exclude(pk=person.pk)
    notify(
        admins,
        subject=f"Emails to {person.full_name} are refused",
        text=f"{refused} Correct the address, or try again on the page Status.",
        link="/status/#mail",
        **told,
    )
