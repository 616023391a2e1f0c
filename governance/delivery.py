"""The day's mail: what is owed to a person goes out in one mail a day, claimed so that only one worker sends it.

A notice that comes after the mail of its day waits for the next day's. Who reads a notice in the app gets no mail
about it; who has no address finds the notices in the app only.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string

from governance import clock, hooks
from governance.models import Delivery, Notice, User

log = structlog.get_logger("plumbline.delivery")

CLAIM = timedelta(minutes=10)  # a worker that died over a mail holds it no longer than this
LONGEST_REST = timedelta(hours=6)  # between two attempts at a mail that fails
IN_ONE_RUN = 500  # mails; the next run takes the rest, so that no run outlives its time limit
GIVE_UP_AFTER = 3  # failures in a row: the mail server is down, the next run tries again


@dataclass(frozen=True)
class CaseWords:
    """What every mail says of a case: its title, stage and goal, and what a reader must know beside them."""

    ref: str
    title: str
    stage: str
    goal: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One notice in a mail; `link` is a whole address, `due_on` None where the words name the day already."""

    words: str
    text: str
    link: str
    due_on: date | None


@dataclass(frozen=True)
class Group:
    """The lines of one mail that speak of the same case, or of none."""

    case: CaseWords | None
    lines: list[Line]


@dataclass(frozen=True)
class Counts:
    """Mails sent and mails that failed in one run."""

    sent: int
    failed: int


def deliver(at: datetime | None = None) -> Counts:
    """Send everybody their mail of the day, at `at` or now. May run twice, or twice at once: one mail each."""
    sent = failed = in_a_row = 0
    with clock.simulated(at) if at else nullcontext():
        prepare()
        for key in waiting():
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


def unsent_notices():
    """Notices that a mail should still carry: unread, of active people who have an address."""
    return Notice.objects.unsent().unread().filter(person__is_active=True).exclude(person__email="")


def somebody_waits() -> bool:
    """Whether a mail of today is still to be made for anybody."""
    mailed = Delivery.objects.filter(day=clock.today()).values("person")
    return unsent_notices().exclude(person__in=mailed).exists()


def prepare() -> None:
    """Give everybody with unsent notices a mail of today. What an earlier day failed to send moves into it."""
    today = clock.today()
    given_up = Delivery.objects.filter(day__lt=today, sent_at__isnull=True).filter(_free())
    Notice.objects.filter(delivery__in=given_up).update(delivery=None)
    people = unsent_notices().order_by("person").values_list("person", flat=True).distinct()
    known = Delivery.objects.filter(day=today).values("person")
    Delivery.objects.bulk_create(
        [Delivery(person_id=person, day=today) for person in people.exclude(person__in=known)],
        ignore_conflicts=True,
    )


def waiting() -> list[int]:
    """Keys of today's mails that nobody has sent or holds, the longest-tried last."""
    rows = Delivery.objects.filter(_free(), day=clock.today(), sent_at__isnull=True, person__is_active=True)
    return list(rows.order_by("attempts", "id").values_list("pk", flat=True)[:IN_ONE_RUN])


def _free() -> Q:
    """Not claimed, or claimed so long ago that whoever claimed it is gone."""
    return Q(claimed_at__isnull=True) | Q(claimed_at__lt=clock.now() - CLAIM)


def claim(key: int) -> Delivery | None:
    """Claim one mail by an update that only one worker can win, and put what is unsent into it. None when lost."""
    with transaction.atomic():
        won = Delivery.objects.filter(_free(), pk=key, sent_at__isnull=True).update(
            claimed_at=clock.now(), attempts=F("attempts") + 1
        )
        if not won:
            return None
        delivery = Delivery.objects.select_related("person").get(pk=key)
        unsent_notices().filter(person=delivery.person).update(delivery=delivery)
    return delivery


def send(delivery: Delivery) -> bool:
    """Send a claimed mail and mark it sent; False when that failed, with the reason kept and a later attempt set.

    A process that dies between the two leaves the claim to run out, and the mail is sent again with the same
    Message-ID, by which mail systems tell it is the same.
    """
    try:
        mail = compose(delivery)
        if mail is not None:
            mail.send()
    except Exception as problem:
        rest = min(CLAIM * 2 ** (delivery.attempts - 1), LONGEST_REST)
        # Claimed ahead of time: the one rule about claims that ran out gives the rest between attempts too.
        Delivery.objects.filter(pk=delivery.pk).update(
            claimed_at=clock.now() + rest - CLAIM, last_error=f"{type(problem).__name__}: {problem}"[:1000]
        )
        log.warning("mail failed", delivery=delivery.pk, attempts=delivery.attempts, error=str(problem))
        return False
    Delivery.objects.filter(pk=delivery.pk).update(sent_at=clock.now(), last_error="")
    return True


def compose(delivery: Delivery) -> EmailMultiAlternatives | None:
    """The mail as text with its HTML twin; None when everything in it was read meanwhile or the address is gone."""
    person = delivery.person
    notices = list(delivery.notices.unread().order_by("due_on", "id"))
    if not notices or not person.email:
        return None
    context = {
        "person": person,
        "day": delivery.day,
        "count": len(notices),
        "groups": grouped(notices),
        "address": settings.ADDRESS,
    }
    things = "one thing" if len(notices) == 1 else f"{len(notices)} things"
    mail = EmailMultiAlternatives(
        subject=f"Plumbline: {things} for you, {delivery.day:%-d %B %Y}",
        body=render_to_string("emails/day.txt", context),
        to=[address_of(person)],
        headers={
            "Message-ID": f"<day-{delivery.pk}.{delivery.day:%Y%m%d}@{settings.ADDRESS.split('//')[1].split(':')[0]}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("emails/day.html", context), "text/html")
    return mail


def address_of(person: User) -> str:
    """The mail address, plain: a printed name beside it can only confuse mail systems."""
    return person.email


def grouped(notices: list[Notice]) -> list[Group]:
    """The notices by case, what speaks of no case last, each group with the stage and goal of its case now."""
    words: dict[str, CaseWords] = {}
    for describe in hooks.case_words:
        words |= describe({notice.case_ref for notice in notices if notice.case_ref})
    ordered = sorted(notices, key=lambda notice: (not notice.case_ref, notice.case_ref))
    return [
        Group(words.get(ref), [line_of(notice, words.get(ref)) for notice in rows])
        for ref, rows in groupby(ordered, key=lambda notice: notice.case_ref)
    ]


def line_of(notice: Notice, case: CaseWords | None) -> Line:
    """A notice as a line below the heading of its case, which it need not repeat."""
    words = notice.subject
    if case is not None:
        words = words.removeprefix(f"{case.ref} {case.title}: ")
    link = f"{settings.ADDRESS}{notice.link}" if notice.link else ""
    said = notice.due_on is None or f"{notice.due_on:%-d %B %Y}" in words
    return Line(words[:1].upper() + words[1:], notice.text.strip(), link, None if said else notice.due_on)
