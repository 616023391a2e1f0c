"""Mails about what systems ask people: they leave within a minute, and are no part of the day's mail.

A system that asks often must not fill a mailbox: a person gets one mail a minute at most, with everything new in it.
What was answered or ran out meanwhile is left out, and a mail with nothing left is not sent.
"""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from governance import clock, delivery, hooks, mails, reminders
from governance.models import Delivery, Notice
from initiatives.models import ApprovalRequest
from initiatives.reminders.approvals import KIND, approvals_asked, key_of

LISTED = 10  # requests in one mail; the desk has the rest


def send() -> delivery.Counts:
    """Owe the notices of what waits, and send the mails. May run twice at once: one mail each."""
    reminders.sweep(queries=[approvals_asked])
    return delivery.deliver(kind=Delivery.APPROVALS)


def _unsent():
    return delivery.unsent_notices().filter(kind=KIND)


def prepare() -> None:
    """Give everybody with something new a mail of this minute."""
    delivery.release(Delivery.APPROVALS)
    minute = str(int(clock.now().timestamp() // 60))
    people = _unsent().order_by("person").values_list("person", flat=True).distinct()
    Delivery.objects.bulk_create(
        [
            Delivery(kind=Delivery.APPROVALS, about=minute, person_id=person, day=clock.today())
            for person in people
        ],
        ignore_conflicts=True,
    )


def fill(row: Delivery) -> None:
    """Put every request that no mail has told of into this one."""
    _unsent().filter(person=row.person).update(delivery=row)


def compose(row: Delivery) -> EmailMultiAlternatives | None:
    """The mail, what ends first first; None when nothing in it waits any more, or the address is gone."""
    notices = list(row.notices.unread().order_by("pk"))
    if not row.person.email:
        return None
    waiting = (
        ApprovalRequest.objects.waiting_at(clock.now())
        .exclude(answers__person=row.person)
        .filter(pk__in=[int(notice.object_key.partition(":")[2]) for notice in notices])
        .order_by("expires_at", "pk")
    )
    by_key: dict[str, Notice] = {notice.object_key: notice for notice in notices}
    told = [by_key[key_of(request)] for request in waiting]
    if not told:
        return None
    words = delivery.case_words(told[:LISTED])
    first = words.get(told[0].case_ref)
    more = "" if len(told) == 1 else f", and {len(told) - 1} more"
    return mails.compose(
        "approvals",
        to=row.person,
        subject=f"{told[0].subject}{more}",
        key=f"approvals-{row.pk}.{row.day:%Y%m%d}",
        context={
            "lines": [(notice, f"{settings.ADDRESS}{notice.link}") for notice in told[:LISTED]],
            "rest": len(told) - len(told[:LISTED]),
            "case": first,
            "ask": first.ask(row.person) if first else "",
        },
    )


APPROVALS_MAIL = hooks.MailKind(newest_day=clock.today, prepare=prepare, fill=fill, compose=compose)
