"""Rows that an email carries: claimed by one worker, tried again after longer rests."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q

from governance import clock
from governance.models.notifications import Outgoing
from governance.runtime.redaction import reason_of

log = structlog.get_logger("plumbline.delivery")

CLAIM = timedelta(minutes=10)  # a worker that died over a mail holds it no longer than this
LONGEST_REST = timedelta(hours=6)  # between two attempts at a mail that fails


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


def cut_rest(model: type[Outgoing], keys: list[int]) -> None:
    """Let these rows be tried at once, if they only rest after a failure."""
    model.objects.filter(pk__in=keys, sent_at__isnull=True).exclude(last_error="").update(claimed_at=None)


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
        rows.update(claimed_at=clock.now() + rest - CLAIM, last_error=reason_of(problem))
        log.warning(
            "mail failed",
            row=row._meta.label_lower,
            key=row.pk,
            attempts=row.attempts,
            error=str(problem),
        )
        return False
    rows.update(sent_at=clock.now(), last_error="")
    return True
