"""Emails with the checkpoint of a production decision, to its keepers.

A person with both database and signing key can rewrite the audit log, and only a checkpoint kept elsewhere shows it.
The weekly email leaves the last days open, so the first checkpoint over a production decision is sent at once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from governance import clock
from governance.models import Delivery, Entry, User
from governance.notifications import daily_mail, due, mail
from governance.notifications.due import Due
from governance.people.boards import board_for, chairs, members_now
from governance.queue.task_base import after_commit
from governance.transparency_log import sealing
from governance.vocabulary import ReviewOutcome
from initiatives.contributions import Contribution
from initiatives.lifecycle.reviews import turn_notifications
from initiatives.lifecycle.reviews.drawn_requirements.actions import draw_after_sealing
from initiatives.models import Review

KIND = "checkpoint of decision"
GATE = "production"
LOOKED_BACK = timedelta(days=30)  # a worker that stood still longer leaves it to the weekly checkpoint
DECIDED = (ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS, ReviewOutcome.REFUSED)


def send() -> daily_mail.Counts:
    """Write and email the checkpoints of sealed decisions. Two runs at once send one email each."""
    due.run(queries=[checkpoints_of_decisions])
    return daily_mail.deliver(kind=Delivery.CHECKPOINT)


def soon() -> None:
    """Send soon after the running transaction is committed. A missing queue does not undo the act."""
    if not clock.simulating():
        after_commit("initiatives.tasks.mail_checkpoints")


def checkpoints_of_decisions(moment: datetime) -> Iterator[Due]:
    """Yield the newest checkpoint for each production decision it covers."""
    rows = Review.objects.filter(
        gate=GATE, outcome__in=DECIDED, ended_at__gt=moment - LOOKED_BACK, ended_at__lte=moment
    )
    auditors = list(User.objects.active().filter(is_auditor=True).order_by("pk"))
    for review in rows.select_related("initiative__unit").order_by("pk"):
        checkpoint = sealing.newest()
        if checkpoint is None or not _covered(review):
            continue
        initiative = review.initiative
        told = [row.person for row in chairs(members_now(board_for(initiative.unit)))[0]]
        for person in dict.fromkeys([*told, *auditors]):
            yield Due(
                person,
                KIND,
                f"review:{review.pk}",
                f"{initiative.ref} was decided for production. Keep the checkpoint of the audit log, "
                f"{checkpoint.size} entries",
                text=checkpoint.note,
                link="/audit-log/",
                personal=True,
            )


def _covered(review: Review) -> bool:
    """Return True if the entry of the decision is sealed."""
    said = Entry.objects.filter(
        kind=f"review {review.outcome.replace('_', ' ')}", initiative_ref=review.initiative.ref
    ).order_by("-pk")
    entry = next((row for row in said if row.facts["facts"].get("review") == review.pk), None)
    if entry is None:
        return False
    try:
        sealing.checkpoint_for(entry)
    except sealing.NotSealedYet:
        return False
    return True


# --- The mail ---------------------------------------------------------------------------------------------------------


def _unsent():
    return daily_mail.unsent_notifications().filter(kind=KIND)


def compose(row: Delivery) -> EmailMultiAlternatives | None:
    """Return the email with checkpoints, or None if all are read or no one is left."""
    notifications = list(row.notifications.unread().order_by("pk"))
    if not notifications or not row.person.email:
        return None
    return mail.compose(
        "checkpoint",
        to=row.person,
        subject=daily_mail.with_more(notifications),
        key=f"checkpoint-{row.pk}.{row.day:%Y%m%d}",
        context={"notifications": notifications, "link": f"{settings.ADDRESS}/audit-log/"},
    )


CHECKPOINT_MAIL = daily_mail.at_once(Delivery.CHECKPOINT, unsent=_unsent, compose=compose)
CONTRIBUTION = Contribution(
    mails={Delivery.CHECKPOINT: CHECKPOINT_MAIL},
    own_mails={KIND},
    notification_verbs={KIND: "Compare it with the audit log"},
    tellers=[turn_notifications.tell_turns],
    after_sealing=[draw_after_sealing],
)
