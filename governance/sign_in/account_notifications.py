"""Notifications about a person's account, in the app and by immediate email.

No one can opt out. The reasons are a link for the password, a reset password, a changed email address and a seat. The
email goes to the address for links: after a change of address, to the earlier address. A notification about an address
goes to that address too, unless the source of the address does not state that it is verified.
"""

from datetime import timedelta

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from governance import clock
from governance.models import Delivery, Notification, ReportedIdentity, User
from governance.notifications import daily_mail, notify
from governance.notifications import mail as notification_mail
from governance.queue.task_base import after_commit

KIND = "account"
MAILED_WITHIN = timedelta(days=7)  # an unsent notification that is older is only in the app


def tell(person: User, about: str, *, subject: str, text: str) -> None:
    """Write the person this notification with a separate email, in the running act.

    `about` names the row that the notification is about.
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
    """Send the unsent notifications, each in one email, also in parallel runs."""
    return daily_mail.deliver(kind=Delivery.ACCOUNT)


def _unsent():
    """Return unsent notifications, also read ones: their reader may be someone else."""
    recent = clock.now() - MAILED_WITHIN
    return Notification.objects.unsent().filter(kind=KIND, created_at__gt=recent, person__is_active=True)


def compose(row: Delivery) -> EmailMultiAlternatives | None:
    """Return the email, oldest first, to the address valid at the first event, if any."""
    from governance.sign_in import password_links  # which imports this module

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
    mail.bcc = sorted(_other_addresses(row.person, notifications) - {address, ""})
    return mail


def _other_addresses(person: User, notifications: list[Notification]) -> set[str]:
    """Return the new addresses that these notifications are about."""
    about = {one.object_key for one in notifications}
    reports = ReportedIdentity.objects.filter(
        person=person, kind=ReportedIdentity.Kind.ADDRESS, verified=True
    ).only("value")
    found = {row.value for row in reports if f"reported:{row.pk}" in about}
    return found | ({person.email} if f"address:{person.pk}" in about else set())


ACCOUNT_MAIL = daily_mail.at_once(Delivery.ACCOUNT, unsent=_unsent, compose=compose, each=True)
