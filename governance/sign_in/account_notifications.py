"""Notifications about a person's own account, in the app and by a mail that leaves at once; nobody can opt out.

A link for its password, a password that was reset, a changed mail address, a seat. The mail goes where links go: of a
changed address the one before is told, whatever became of it since.
"""

from datetime import timedelta

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from governance import clock
from governance.models import Delivery, Notification, User
from governance.notifications import daily_mail, notify
from governance.notifications import mail as notification_mail
from governance.queue.task_base import after_commit

KIND = "account"
MAILED_WITHIN = timedelta(days=7)  # what no mail carried by then stands in the app alone


def tell(person: User, about: str, *, subject: str, text: str) -> None:
    """Write the person this notification with a mail of its own, inside the running act. `about` names the row it
    speaks of.
    """
    notify.notify(
        person,
        KIND,
        about,
        period=clock.now().isoformat(),
        subject=subject,
        text=text,
        link=reverse("account"),
    )
    after_commit("governance.tasks.mail_links")


def send() -> daily_mail.Counts:
    """Send what nobody was mailed yet. May run twice at once: one mail each."""
    return daily_mail.deliver(kind=Delivery.ACCOUNT)


def _unsent():
    """Read or not: whoever sits at the account may not be its person."""
    recent = clock.now() - MAILED_WITHIN
    return Notification.objects.unsent().filter(kind=KIND, created_at__gt=recent, person__is_active=True)


def compose(row: Delivery) -> EmailMultiAlternatives | None:
    """The mail, oldest first, to the address that counted when the first of it happened; None where there was none."""
    from governance.sign_in import password_links  # which tells by this module

    notifications = list(row.notifications.order_by("pk"))
    address = password_links.address_for(row.person, notifications[0].created_at) if notifications else ""
    if not address:
        return None
    mail = notification_mail.compose(
        "account",
        to=row.person,
        subject=f"Plumbline: {daily_mail.with_more(notifications)}",
        key=f"account-{row.pk}.{row.day:%Y%m%d}",
        context={"notifications": notifications},
    )
    mail.to = [address]
    return mail


ACCOUNT_MAIL = daily_mail.at_once(Delivery.ACCOUNT, unsent=_unsent, compose=compose, each=True)
