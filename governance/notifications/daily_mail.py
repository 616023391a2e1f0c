"""Mails on their way: one row a person, kind, matter and day, claimed so that only one worker sends it.

The day's mail carries what was written to a person. A notification that comes after the mail of its day waits for the
next day's. Who reads a notification in the app gets no mail about it; who has no address finds the notifications in the
app only. Other kinds of mail are contributed as `mails`.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Max, Q

from governance import clock
from governance.contributions import MailKind, contributed
from governance.models import Delivery, Notification, User
from governance.notifications import mail, outbox
from governance.notifications.due import ESCALATED
from governance.notifications.notify import readable

IN_ONE_RUN = 500  # mails; the next run takes the rest, so that no run outlives its time limit
GIVE_UP_AFTER = 3  # failures in a row: the mail server is down, the next run tries again
LISTED = 15  # things in one mail; the list of notifications has the rest


@dataclass(frozen=True)
class InitiativeWords:
    """What every mail says of an initiative: its title, stage and goal, and what a reader must know beside them.

    `people` can be asked about it, first choice first: (key of the person, words such as "Marta Lindqvist, who owns
    it,").
    """

    ref: str
    title: str
    stage: str
    goal: str
    warnings: tuple[str, ...] = ()
    people: tuple[tuple[int, str], ...] = ()

    def ask(self, reader: User) -> str:
        """Whom this reader can ask: the first who is somebody else; "" when there is nobody."""
        return next((words for key, words in self.people if key != reader.pk), "")


@dataclass(frozen=True)
class Line:
    """One notification in a mail: what, why, what to do about it and where; no stop at the end of its words.

    `link` is a whole address, `due_on` None where the words name the day already.
    """

    words: str
    text: str
    link: str
    due_on: date | None
    verb: str


@dataclass(frozen=True)
class Group:
    """The lines of one mail that speak of the same initiative, or of none."""

    initiative: InitiativeWords | None
    lines: list[Line]


@dataclass(frozen=True)
class Counts:
    """Mails sent and mails that failed in one run."""

    sent: int
    failed: int


def deliver(at: datetime | None = None, *, kind: str = Delivery.DAY) -> Counts:
    """Send everybody their mail of this kind, at `at` or now. May run twice, or twice at once: one mail each."""
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
    """Notifications that a mail should still carry: unread, of active people who have an address."""
    return Notification.objects.unsent().unread().filter(person__is_active=True).exclude(person__email="")


def for_the_day():
    """Those of them that the day's mail carries: all but those that have a mail of their own."""
    return unsent_notifications().exclude(kind__in=contributed.own_mails)


def somebody_waits() -> bool:
    """Whether a mail of today is still to be made for anybody."""
    mailed = Delivery.objects.filter(kind=Delivery.DAY, day=clock.today()).values("person")
    return for_the_day().exclude(person__in=mailed).exists()


def prepare() -> None:
    """Give everybody with unsent notifications a mail of today. What an earlier day failed to send moves into it."""
    today = clock.today()
    release(Delivery.DAY)
    people = for_the_day().order_by("person").values_list("person", flat=True).distinct()
    known = Delivery.objects.filter(kind=Delivery.DAY, day=today).values("person")
    Delivery.objects.bulk_create(
        [Delivery(person_id=person, day=today) for person in people.exclude(person__in=known)],
        ignore_conflicts=True,
    )


def at_once(kind: str, *, unsent: Callable, compose: Callable, each: bool = False) -> MailKind:
    """A kind of mail that leaves at once with every notification that `unsent()` finds: one a person and minute at
    most.

    `each`: one for whatever is new, within a minute too.
    """

    def prepare() -> None:
        release(kind)
        minute = str(int(clock.now().timestamp() // 60))
        news = unsent().order_by("person").values_list("person").annotate(newest=Max("pk"))
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
    """The subject of a mail that carries these notifications: the first of them, and how many more."""
    return f"{notifications[0].subject}{'' if len(notifications) == 1 else f', and {len(notifications) - 1} more'}"


def release(kind: str) -> None:
    """Let the notifications that mails of this kind failed to carry on an earlier day go into one of today."""
    given_up = Delivery.objects.filter(outbox.free(), kind=kind, day__lt=clock.today(), sent_at__isnull=True)
    Notification.objects.filter(delivery__in=given_up).update(delivery=None)


def waiting(kind: str) -> list[int]:
    """Keys of the newest mails of this kind that nobody has sent or holds, the longest-tried last."""
    newest = Q(kind=kind, day=contributed.mails[kind].newest_day())
    rows = Delivery.objects.filter(newest, outbox.free(), sent_at__isnull=True, person__is_active=True)
    return list(rows.order_by("attempts", "id").values_list("pk", flat=True)[:IN_ONE_RUN])


def claim(key: int) -> Delivery | None:
    """Claim one mail, and fill it with what it carries. None when another worker won it."""
    with transaction.atomic():
        if not outbox.claim(Delivery, key):
            return None
        delivery = Delivery.objects.select_related("person").get(pk=key)
        contributed.mails[delivery.kind].fill(delivery)
    return delivery


def fill(delivery: Delivery) -> None:
    """Put every notification that no mail has carried into this one."""
    for_the_day().filter(person=delivery.person).update(delivery=delivery)


def send(delivery: Delivery) -> bool:
    """Send a claimed mail and mark it sent; False when that failed (`outgoing.attempt`)."""
    return outbox.attempt(delivery, lambda: contributed.mails[delivery.kind].compose(delivery))


def compose(delivery: Delivery) -> EmailMultiAlternatives | None:
    """The day's mail, what presses most first; None when everything in it was read meanwhile or the address is gone."""
    person = delivery.person
    notifications = readable(person, delivery.notifications.unread().order_by("due_on", "id"))
    if not notifications or not person.email:
        return None
    listed = notifications[:LISTED]
    words = initiative_words(listed)
    initiative = words.get(listed[0].initiative_ref)
    rest = len(notifications) - 1
    more = "" if not rest else f", and {'one thing' if rest == 1 else f'{rest} things'} more"
    subject = notifications[0].subject.rstrip(".")
    return mail.compose(
        "day",
        to=person,
        subject=f"{subject}{more}",
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


def initiative_words(notifications: list[Notification]) -> dict[str, InitiativeWords]:
    """By reference, what is said of the initiatives that these notifications speak of."""
    words: dict[str, InitiativeWords] = {}
    for describe in contributed.initiative_words:
        words |= describe(
            {notification.initiative_ref for notification in notifications if notification.initiative_ref}
        )
    return words


def grouped(notifications: list[Notification], words: dict[str, InitiativeWords]) -> list[Group]:
    """The notifications by initiative, what speaks of no initiative last, each group with the stage and goal of its
    initiative now.
    """
    ordered = sorted(
        notifications, key=lambda notification: (not notification.initiative_ref, notification.initiative_ref)
    )
    return [
        Group(words.get(ref), [line_of(notification, words.get(ref)) for notification in rows])
        for ref, rows in groupby(ordered, key=lambda notification: notification.initiative_ref)
    ]


def line_of(notification: Notification, initiative: InitiativeWords | None) -> Line:
    """A notification as a line below the heading of its initiative, which it need not repeat."""
    words = notification.subject.rstrip(".")
    if initiative is not None:
        words = words.removeprefix(f"{initiative.ref} {initiative.title}: ")
    link = f"{settings.ADDRESS}{notification.link}" if notification.link else ""
    said = notification.due_on is None or f"{notification.due_on:%-d %B %Y}" in words
    verb = contributed.notification_verbs.get(notification.kind, "Open it")
    if notification.period.startswith(ESCALATED):
        verb = "See how it stands"
    return Line(
        words[:1].upper() + words[1:],
        notification.text.strip(),
        link,
        None if said else notification.due_on,
        verb,
    )


DAY_MAIL = MailKind(newest_day=clock.today, prepare=prepare, fill=fill, compose=compose)
