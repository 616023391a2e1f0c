"""Rows that a mail carries: claimed so that only one worker sends each, tried again after longer and longer rests."""

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
    """Not claimed, or claimed so long ago that whoever claimed it is gone."""
    return Q(claimed_at__isnull=True) | Q(claimed_at__lt=clock.now() - CLAIM)


def claim(model: type[Outgoing], key: int) -> bool:
    """Claim one row by an update that only one worker can win; whether it was won.

    A claimed row has no error: one that has rests after a failure, and nobody is at it.
    """
    won = model.objects.filter(free(), pk=key, sent_at__isnull=True).update(
        claimed_at=clock.now(), attempts=F("attempts") + 1, last_error=""
    )
    return bool(won)


def cut_rest(model: type[Outgoing], keys: list[int]) -> None:
    """Let these rows be tried at once, where they only rest after a failure."""
    model.objects.filter(pk__in=keys, sent_at__isnull=True).exclude(last_error="").update(claimed_at=None)


def attempt(row: Outgoing, compose: Callable[[], EmailMultiAlternatives | None]) -> bool:
    """Send the mail of a claimed row and mark it sent; False when that failed, its reason kept, a later attempt set.

    Where `compose` returns None there is nothing left to send. A process that dies between the two leaves the claim to
    run out, and the mail is sent again with the same Message-ID, by which mail systems tell it is the same.
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
