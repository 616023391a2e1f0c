"""The checkpoint of a production decision, mailed at once to those who keep it elsewhere: its chair and the auditors.

Who holds both database and signing key can rewrite the audit log, and only a checkpoint that lies outside tells. The
weekly one leaves the last days open, so the first that covers a decision on production leaves as soon as it is signed.
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
    """Write the checkpoints of decisions that are sealed, and send the mails. May run twice at once: one mail each."""
    due.run(queries=[checkpoints_of_decisions])
    return daily_mail.deliver(kind=Delivery.CHECKPOINT)


def soon() -> None:
    """Have it done as soon as the running transaction is committed; a queue that is away does not undo the act."""
    if not clock.simulating():
        after_commit("initiatives.tasks.mail_checkpoints")


def checkpoints_of_decisions(moment: datetime) -> Iterator[Due]:
    """The newest checkpoint, once for each decision on production that it covers, to everybody who keeps it."""
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
                f"{initiative.ref} was decided on for production: "
                f"the audit log's checkpoint to keep, {checkpoint.size} entries",
                text=checkpoint.note,
                link="/audit-log/",
                personal=True,
            )


def _covered(review: Review) -> bool:
    """Whether the entry of the decision is sealed."""
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
    """The mail, with each checkpoint whole; None when all were read meanwhile or the address is gone."""
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
