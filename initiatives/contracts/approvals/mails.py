"""Emails to approvers, sent within a minute and apart from the daily email.

A system may ask often, so a person gets at most one email a minute, with all new requests. Requests that were answered
or have expired are left out. An empty email is not sent.
"""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from governance import clock
from governance.models import Delivery, Notification
from governance.notifications import daily_mail, due, mail
from governance.notifications.notify import readable
from initiatives.contracts.approvals import presentation
from initiatives.contracts.approvals.inbox import KIND, approvals_asked, key_of
from initiatives.contributions import Contribution
from initiatives.models import ApprovalRequest

LISTED = 10  # requests in one mail; the inbox has the rest


def send() -> daily_mail.Counts:
    """Write the notifications of waiting requests, and send the emails. Two runs at once send one email each."""
    due.run(queries=[approvals_asked])
    return daily_mail.deliver(kind=Delivery.APPROVALS)


def _unsent():
    return daily_mail.unsent_notifications().filter(kind=KIND)


def compose(row: Delivery) -> EmailMultiAlternatives | None:
    """Return the email, first to expire first. Returns None without a request or address."""
    notifications = readable(row.person, row.notifications.unread().order_by("pk"))
    if not row.person.email:
        return None
    waiting = (
        ApprovalRequest.objects.waiting_at(clock.now())
        .exclude(answers__person=row.person)
        .filter(pk__in=[int(notification.object_key.partition(":")[2]) for notification in notifications])
        .order_by("expires_at", "pk")
    )
    by_key: dict[str, Notification] = {
        notification.object_key: notification for notification in notifications
    }
    told = [by_key[key_of(request)] for request in waiting]
    if not told:
        return None
    words = daily_mail.initiative_words(told[:LISTED])
    first = words.get(told[0].initiative_ref)
    return mail.compose(
        "approvals",
        to=row.person,
        subject=daily_mail.with_more(told),
        key=f"approvals-{row.pk}.{row.day:%Y%m%d}",
        context={
            "lines": [
                (notification, f"{settings.ADDRESS}{notification.link}") for notification in told[:LISTED]
            ],
            "rest": len(told) - len(told[:LISTED]),
            "initiative": first,
            "ask": first.ask(row.person) if first else "",
        },
    )


APPROVALS_MAIL = daily_mail.at_once(Delivery.APPROVALS, unsent=_unsent, compose=compose)
CONTRIBUTION = Contribution(
    mails={Delivery.APPROVALS: APPROVALS_MAIL}, own_mails={KIND}, review_warnings=[presentation.given_unread]
)
