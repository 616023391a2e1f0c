"""Emails on their way: one row a person, kind, matter and day, sent by one worker.

The day's email carries what was written to a person. A later notification waits for the email of the next day. A
person who reads a notification in the app gets no email about it. A person without an address finds notifications
only in the app. Other kinds of email are contributed as `mails`.

A person gets at most `MAILS_A_WEEK` emails in seven days. The weekly digest is the last of them, and carries what the
others could not. Exempt are emails about the account, links for a password, checkpoints of the audit log, and a day's
email with an alert (`alerts`): a hold, a stop or a step-back.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils.text import Truncator

from governance import clock
from governance.contributions import MailKind, contributed
from governance.models import Delivery, Notification, User
from governance.notifications import mail, outbox
from governance.notifications.closing import escalated
from governance.notifications.notify import readable

IN_ONE_RUN = 500  # mails; the next run takes the rest, so that no run outlives its time limit
GIVE_UP_AFTER = 3  # failures in a row: the mail server is down, the next run tries again
SUBJECT = 60  # characters: phones cut what is longer
LISTED = 15  # things in one mail; the inbox has the rest
WEEK = timedelta(days=7)
RATIONED = (Delivery.DAY, Delivery.APPROVALS)  # beside the digest


@dataclass(frozen=True)
class InitiativeWords:
    """The facts about an initiative in every email: title, stage, goal and warnings.

    `people` can be asked about the initiative, first choice first: (key of the person, words such as "Marta
    Lindqvist, who owns it,").
    """

    ref: str
    title: str
    stage: str
    goal: str
    warnings: tuple[str, ...] = ()
    people: tuple[tuple[int, str], ...] = ()

    def ask(self, reader: User) -> str:
        """Return the words for the first person to ask who is not this reader, or ""."""
        return next((words for key, words in self.people if key != reader.pk), "")


@dataclass(frozen=True)
class Line:
    """One notification in an email, without a full stop at the end of its words.

    `link` is a whole address. `due_on` is None if the words contain the day.
    """

    words: str
    text: str
    link: str
    due_on: date | None
    verb: str


@dataclass(frozen=True)
class Group:
    """The lines of one email on the same initiative, or on none."""

    initiative: InitiativeWords | None
    lines: list[Line]


@dataclass(frozen=True)
class Counts:
    """The numbers of sent and of failed emails in one run."""

    sent: int
    failed: int


def deliver(at: datetime | None = None, *, kind: str = Delivery.DAY) -> Counts:
    """Send all waiting emails of this kind at `at` or now, each once in parallel runs."""
    sent = failed = in_a_row = 0
    with clock.simulated(at) if at else nullcontext():
        contributed.mails[kind].prepare()
        for key in waiting(kind):
            delivery = claim(key)
            if delivery is None:
                continue
            if send(delivery):
                sent, in_a_row = sent + 1, 0
            else:
                failed, in_a_row = failed + 1, in_a_row + 1
                if in_a_row == GIVE_UP_AFTER:
                    break
    return Counts(sent, failed)


def unsent_notifications():
    """Return the unsent unread notifications of active people with an address that is not refused."""
    rows = Notification.objects.unsent().unread().filter(person__is_active=True).exclude(person__email="")
    return rows.exclude(person__in=outbox.refused_people())


def for_the_day():
    """Return the unsent notifications whose kind has no separate email."""
    return unsent_notifications().exclude(kind__in=contributed.own_mails)


def had_their_mails() -> QuerySet:
    """Return the keys of people who had their emails of seven days, all but the digest."""
    sent = Delivery.objects.filter(kind__in=RATIONED, sent_at__gt=clock.now() - WEEK)
    sent = sent.exclude(pk__in=_alerts().filter(delivery__isnull=False).values("delivery"))
    counted = sent.order_by().values("person").annotate(mails=Count("pk"))
    return counted.filter(mails__gte=settings.MAILS_A_WEEK - 1).values("person")


def _alerts() -> QuerySet:
    return Notification.objects.filter(kind__in=contributed.alerts)


def leaving_now() -> QuerySet:
    """Return what the day's email carries now: only alerts if a person had their emails."""
    return for_the_day().filter(~Q(person__in=had_their_mails()) | Q(kind__in=contributed.alerts))


def somebody_waits() -> bool:
    """Return True if an email of today is still to be made."""
    mailed = Delivery.objects.filter(kind=Delivery.DAY, day=clock.today()).values("person")
    return leaving_now().exclude(person__in=mailed).exists()


def prepare() -> None:
    """Give each person with unsent notifications an email of today, with earlier failures."""
    today = clock.today()
    release(Delivery.DAY)
    people = leaving_now().order_by("person").values_list("person", flat=True).distinct()
    known = Delivery.objects.filter(kind=Delivery.DAY, day=today).values("person")
    Delivery.objects.bulk_create(
        [Delivery(person_id=person, day=today) for person in people.exclude(person__in=known)],
        ignore_conflicts=True,
    )


def at_once(kind: str, *, unsent: Callable, compose: Callable, each: bool = False) -> MailKind:
    """Return a kind of email that leaves at once with what `unsent()` finds.

    A person gets at most one a minute, or with `each` one for every new notification. Rationed kinds wait for people
    who had their emails.
    """

    def found() -> QuerySet:
        return unsent().exclude(person__in=had_their_mails()) if kind in RATIONED else unsent()

    def prepare() -> None:
        release(kind)
        minute = str(int(clock.now().timestamp() // 60))
        news = found().order_by("person").values_list("person").annotate(newest=Max("pk"))
        Delivery.objects.bulk_create(
            [
                Delivery(
                    kind=kind, about=str(newest) if each else minute, person_id=person, day=clock.today()
                )
                for person, newest in news
            ],
            ignore_conflicts=True,
        )

    def fill(row: Delivery) -> None:
        unsent().filter(person=row.person).update(delivery=row)

    return MailKind(newest_day=clock.today, prepare=prepare, fill=fill, compose=compose)


def with_more(notifications: list[Notification]) -> str:
    """Return the subject of an email, of at most 60 characters: its first notification and the number of others.

    The title of an initiative is left out if the subject would be longer. The email has it.
    """
    words, rest = notifications[0].subject.rstrip("."), len(notifications) - 1
    more, ref = f", and {rest} more" if rest else "", notifications[0].initiative_ref
    if ref and ": " in words and len(words + more) > SUBJECT:
        words = f"{ref}: {words.partition(': ')[2]}"
    return f"{Truncator(words).chars(SUBJECT - len(more))}{more}"


def release(kind: str) -> None:
    """Move notifications of failed emails of this kind and an earlier day to one of today."""
    earlier = Delivery.objects.filter(outbox.free(), kind=kind, day__lt=clock.today(), sent_at__isnull=True)
    earlier = earlier.exclude(person__in=outbox.refused_people())
    Notification.objects.filter(delivery__in=earlier).update(delivery=None)


def waiting(kind: str) -> list[int]:
    """Return the keys of the newest waiting emails of this kind, least tried first."""
    newest = Q(kind=kind, day=contributed.mails[kind].newest_day())
    rows = Delivery.objects.filter(newest, outbox.free(), sent_at__isnull=True, person__is_active=True)
    rows = rows.exclude(person__in=outbox.refused_people())
    return list(rows.order_by("attempts", "id").values_list("pk", flat=True)[:IN_ONE_RUN])


def claim(key: int) -> Delivery | None:
    """Claim one email and fill it with its notifications. Return None if another worker claimed it."""
    with transaction.atomic():
        if not outbox.claim(Delivery, key):
            return None
        delivery = Delivery.objects.select_related("person").get(pk=key)
        contributed.mails[delivery.kind].fill(delivery)
    return delivery


def fill(delivery: Delivery) -> None:
    """Put every notification that is unsent and may leave now into this email."""
    leaving_now().filter(person=delivery.person).update(delivery=delivery)


def send(delivery: Delivery) -> bool:
    """Send a claimed email and mark it sent. Return False if that failed (`outbox.attempt`)."""
    return outbox.attempt(delivery, lambda: contributed.mails[delivery.kind].compose(delivery))


def compose(delivery: Delivery) -> EmailMultiAlternatives | None:
    """Return the day's email, most urgent first, or None if nothing is left to send."""
    person = delivery.person
    notifications = _one_a_matter(readable(person, delivery.notifications.unread().order_by("due_on", "id")))
    if not notifications or not person.email:
        return None
    listed = notifications[:LISTED]
    words = initiative_words(listed)
    initiative = words.get(listed[0].initiative_ref)
    rest = len(notifications) - 1
    return mail.compose(
        "day",
        to=person,
        subject=with_more(notifications),
        key=f"day-{delivery.pk}.{delivery.day:%Y%m%d}",
        context={
            "day": delivery.day,
            "first": line_of(listed[0], initiative),
            "initiative": initiative,
            "ask": initiative.ask(person) if initiative else "",
            "rest": rest,
            "groups": grouped(listed[1:], words),
            "later": len(notifications) - len(listed),
        },
    )


def _one_a_matter(notifications: list[Notification]) -> list[Notification]:
    """Return these notifications without those that a newer one of a matter replaces."""
    newest: dict[tuple, Notification] = {}
    for row in notifications:
        passes = row.kind in contributed.asking | contributed.passing
        matter = tuple(row.object_key.split(":")[:2]) if passes else (row.pk,)
        if matter not in newest or row.pk > newest[matter].pk:
            newest[matter] = row
    kept = {row.pk for row in newest.values()}
    return [row for row in notifications if row.pk in kept]


def initiative_words(notifications: list[Notification]) -> dict[str, InitiativeWords]:
    """Return the facts about the initiatives of these notifications, by reference."""
    words: dict[str, InitiativeWords] = {}
    for describe in contributed.initiative_words:
        words |= describe(
            {notification.initiative_ref for notification in notifications if notification.initiative_ref}
        )
    return words


def grouped(notifications: list[Notification], words: dict[str, InitiativeWords]) -> list[Group]:
    """Return the notifications by initiative as it is now. Those without one are last."""
    ordered = sorted(
        notifications, key=lambda notification: (not notification.initiative_ref, notification.initiative_ref)
    )
    return [
        Group(words.get(ref), [line_of(notification, words.get(ref)) for notification in rows])
        for ref, rows in groupby(ordered, key=lambda notification: notification.initiative_ref)
    ]


def line_of(notification: Notification, initiative: InitiativeWords | None) -> Line:
    """Return a notification as a line under the heading of its initiative."""
    words = notification.subject.rstrip(".")
    if initiative is not None:
        words = words.removeprefix(f"{initiative.ref} {initiative.title}: ")
    link = f"{settings.ADDRESS}{notification.link}" if notification.link else ""
    said = notification.due_on is None or f"{notification.due_on:%-d %B %Y}" in words
    verb = contributed.notification_verbs.get(notification.kind, "Open it")
    if escalated(notification.period):
        verb = "See its status"
    return Line(
        words[:1].upper() + words[1:],
        notification.text.strip(),
        link,
        None if said else notification.due_on,
        verb,
    )


DAY_MAIL = MailKind(newest_day=clock.today, prepare=prepare, fill=fill, compose=compose)
