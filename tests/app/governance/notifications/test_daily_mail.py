"""The day's mail: one a person and day, claimed by one worker, tried again after a failure."""

import re
import smtplib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection

from governance import clock
from governance.database.row_history import acting
from governance.models import Delivery, Notification, User
from governance.notifications import daily_mail, outbox
from governance.notifications.notify import notify
from governance.operations import status
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

MORNING = datetime(2026, 11, 9, 8, 0, tzinfo=UTC)


@pytest.fixture
def person(db):
    return factories.make_person("reader")


def write_message(person, number=1, **fields):
    return notify(
        person, "test", f"thing:{number}", subject=f"Thing {number}", link="/initiatives/", **fields
    )


def test_one_mail_carries_everything_of_the_day(person):
    with clock.simulated(MORNING):
        write_message(person, 1, due_on=MORNING.date())
        write_message(person, 2, text="Line one.\nLine two.")
        assert daily_mail.deliver() == daily_mail.Counts(1, 0)
        assert daily_mail.deliver() == daily_mail.Counts(0, 0)
    message = mail.outbox[0]
    html = message.alternatives[0][0]
    assert len(mail.outbox) == 1
    assert message.to == ["reader@example.org"]
    assert message.subject == "Thing 1, and 1 more"
    for words in ("Thing 1", "Thing 2", "9 November 2026", "/initiatives/", "Line two."):
        assert words in message.body
        assert words in html
    assert "http" in message.body
    assert set(Notification.objects.values_list("delivery__sent_at", flat=True)) == {MORNING}


def test_what_comes_after_the_mail_waits_for_the_next_day(person):
    with clock.simulated(MORNING):
        write_message(person, 1)
        daily_mail.deliver()
        write_message(person, 2)
        assert daily_mail.deliver().sent == 0
    with clock.simulated(MORNING + timedelta(days=1)):
        assert daily_mail.deliver().sent == 1
    assert "Thing 2" in mail.outbox[1].body
    assert "Thing 1" not in mail.outbox[1].body


def test_days_are_local(person, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    from django.utils import timezone

    timezone.get_default_timezone.cache_clear()
    try:
        with clock.simulated(datetime(2026, 11, 9, 10, 30, tzinfo=UTC)):  # 23:30 on the 9th there
            write_message(person, 1)
            daily_mail.deliver()
        with clock.simulated(datetime(2026, 11, 9, 11, 30, tzinfo=UTC)):  # 00:30 on the 10th
            write_message(person, 2)
            assert daily_mail.deliver().sent == 1
    finally:
        settings.TIME_ZONE = "UTC"
        timezone.get_default_timezone.cache_clear()
    assert sorted(str(row.day) for row in Delivery.objects.all()) == ["2026-11-09", "2026-11-10"]


def test_a_failure_is_kept_and_tried_again_later(person, monkeypatch):
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    with clock.simulated(MORNING):
        write_message(person)
        assert daily_mail.deliver() == daily_mail.Counts(0, 1)
        assert daily_mail.deliver() == daily_mail.Counts(0, 0)
    row = Delivery.objects.get()
    assert row.attempts == 1
    assert "ZeroDivisionError" in row.last_error
    assert row.sent_at is None
    with clock.simulated(MORNING + timedelta(minutes=11)):
        assert daily_mail.deliver() == daily_mail.Counts(0, 1)
    with clock.simulated(MORNING + timedelta(minutes=22)):
        assert daily_mail.deliver() == daily_mail.Counts(0, 0), "the second rest is twice as long"
    monkeypatch.undo()
    with clock.simulated(MORNING + timedelta(minutes=33)):
        assert daily_mail.deliver() == daily_mail.Counts(1, 0)
    row.refresh_from_db()
    assert (row.attempts, row.last_error) == (3, "")
    assert row.sent_at is not None
    assert len(mail.outbox) == 1


def test_what_a_day_failed_to_send_is_in_the_next_days_one_mail(person, monkeypatch):
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    with clock.simulated(MORNING):
        write_message(person, 1)
        daily_mail.deliver()
    monkeypatch.undo()
    with clock.simulated(MORNING + timedelta(days=1)):
        write_message(person, 2)
        assert daily_mail.deliver() == daily_mail.Counts(1, 0)
        assert daily_mail.deliver() == daily_mail.Counts(0, 0)
    assert len(mail.outbox) == 1
    assert "Thing 1" in mail.outbox[0].body
    assert "Thing 2" in mail.outbox[0].body


def refusing(monkeypatch, code=550):
    """A mail server that does not know the address of the reader, or is busy (a code below 500)."""
    sent = mail.EmailMultiAlternatives.send

    def send(message, **options):
        if message.to == ["reader@example.org"]:
            raise smtplib.SMTPRecipientsRefused({message.to[0]: (code, b"No such user")})
        return sent(message, **options)

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", send)


def tried(days: int) -> list[int]:
    """How many mails failed on each of so many mornings, each with a new notification."""
    return [tried_on(day) for day in range(days)]


def tried_on(day: int) -> int:
    """How many mails failed on this morning, with a new notification."""
    with clock.simulated(MORNING + timedelta(days=day)):
        write_message(User.objects.get(login="reader"), day)
        return daily_mail.deliver().failed


def test_a_refused_address_is_tried_three_times_and_its_person_and_the_admins_are_told(person, monkeypatch):
    admin = factories.make_person("admin", is_admin=True)
    with monkeypatch.context() as patched:
        refusing(patched)
        assert tried(5) == [1, 1, 1, 0, 0]
    told = Notification.objects.filter(kind=outbox.KIND)
    assert set(told.values_list("person", flat=True)) == {person.pk, admin.pk}
    with clock.simulated(MORNING + timedelta(days=6)):
        (waiting,) = status.undelivered()
        assert (waiting.to, waiting.again_at) == (person, None)
    assert tried_on(7) == 0
    assert [message.to for message in mail.outbox] == [["admin@example.org"]]
    with unguarded("governance_user"), acting(system="test"):
        person.email = "new@example.org"
        person.save()
    tried_on(8)
    assert mail.outbox[-1].to == ["new@example.org"]
    assert "Thing 4" in mail.outbox[-1].body


def test_an_admin_has_a_refused_address_tried_again(person, monkeypatch):
    admin = factories.make_person("admin", is_admin=True)
    with monkeypatch.context() as patched:
        refusing(patched)
        tried(4)
    with clock.simulated(MORNING + timedelta(days=5)):
        assert status.try_again(key=status.undelivered()[0].key, by=admin)
    assert mail.outbox[-1].to == ["reader@example.org"]
    assert status.undelivered() == []


def test_a_temporary_refusal_is_tried_every_day(person, monkeypatch):
    refusing(monkeypatch, code=452)
    assert tried(5) == [1, 1, 1, 1, 1]
    assert not Notification.objects.filter(kind=outbox.KIND).exists()


def test_a_worker_that_died_over_a_mail_holds_it_ten_minutes(person):
    with clock.simulated(MORNING):
        write_message(person)
        daily_mail.prepare()
        assert daily_mail.claim(Delivery.objects.get().pk) is not None
        assert daily_mail.deliver() == daily_mail.Counts(0, 0)
    with clock.simulated(MORNING + timedelta(minutes=10, seconds=1)):
        assert daily_mail.deliver() == daily_mail.Counts(1, 0)
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_down_is_not_asked_for_everybody(db, monkeypatch):
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    for number in range(5):
        write_message(factories.make_person(f"reader{number}"))
    assert daily_mail.deliver() == daily_mail.Counts(0, daily_mail.GIVE_UP_AFTER)
    monkeypatch.undo()
    assert daily_mail.deliver() == daily_mail.Counts(5 - daily_mail.GIVE_UP_AFTER, 0)


def test_who_has_no_address_left_or_read_it_gets_no_mail(person):
    silent, gone, fast = (factories.make_person(login) for login in ("silent", "gone", "fast"))
    for one in (silent, gone, fast):
        write_message(one)
    with unguarded("governance_user"), acting(system="test"):
        silent.email = ""
        silent.save()
        gone.is_active = False
        gone.save()
    fast.notifications.update(read_at=clock.now())
    assert daily_mail.deliver() == daily_mail.Counts(0, 0)
    assert silent.notifications.unread().count() == 1, "it stays in the app"


def test_the_mail_says_stage_goal_and_what_a_prototype_is_not(cast):
    initiative = factories.make_prototype(cast)
    Notification.objects.all().delete()
    notify(
        cast.owner,
        "test",
        "initiative",
        subject=f"{initiative.ref} {initiative.title}: two items of evidence expire",
        initiative_ref=initiative.ref,
    )
    daily_mail.deliver()
    message = mail.outbox[0]
    for body in (message.body, message.alternatives[0][0]):
        assert initiative.ref in body
        assert "Prototype" in body
        assert "Prove possibility" in body
        assert "not production-ready" in body.lower()
        assert "no contract in force" in body.lower()
        assert "Two items of evidence expire" in body, (
            "the heading says the initiative, the line does not repeat it"
        )


def test_names_from_initiatives_cannot_write_markup_into_the_mail(person):
    notify(person, "test", "x", subject="<b>Bold</b>\r\nBcc: all@example.org", text="<script>1</script>")
    daily_mail.deliver()
    html = mail.outbox[0].alternatives[0][0]
    assert "<script>" not in html
    assert "<b>Bold" not in html
    assert "<b>Bold</b>" in mail.outbox[0].body


def test_the_mail_begins_with_what_presses_most_and_says_whom_to_ask(cast):
    initiative, other = factories.make_prototype(cast), factories.make_initiative(cast, title="Ticket triage")
    Notification.objects.all().delete()
    soon, later = clock.today() + timedelta(days=3), clock.today() + timedelta(days=30)
    said = {"initiative_ref": other.ref, "due_on": later, "link": "/later/"}
    notify(cast.owner, "gap", "gap", subject=f"{other.ref} {other.title}: a gap is open", **said)
    said = {"initiative_ref": initiative.ref, "due_on": soon, "link": "/now/"}
    notify(
        cast.owner,
        "evidence",
        "x",
        subject=f"{initiative.ref} {initiative.title}: two items of evidence expire",
        text="Why.",
        **said,
    )
    daily_mail.deliver()
    message = mail.outbox[0]
    for body in (message.body, message.alternatives[0][0]):
        told = [
            initiative.title, "Two items of evidence expire", f"{soon:%-d %B %Y}", "Why.", "Renew the evidence",
            f"{cast.chair}, who decides on it,", "One more task", other.title, "Close the gap",
        ]  # fmt: skip
        places = [body.index(words) for words in told]
        assert places == sorted(places), "what, by when, why, the way there, whom to ask; then the rest"
        assert f"{cast.owner}, who is its owner" not in body, "nobody is told to ask herself"
    assert message.subject.startswith(f"{initiative.ref}: two items of evidence expire")


def test_a_mail_looks_the_same_in_every_mailbox_and_tells_nobody_that_it_was_read(cast):
    initiative = factories.make_prototype(cast)
    daily_mail.deliver()
    assert len(mail.outbox) > 1
    for message in mail.outbox:
        html = message.alternatives[0][0]
        assert {"Message-ID", "Auto-Submitted"} <= set(message.extra_headers)
        assert not re.search(r"<(style|img|script|link|iframe)\b", html), (
            "style sheets are dropped, pictures tell"
        )
        assert not re.search(r"[\s;\"](background|color:#(000|fff))", html), (
            "the mailbox chooses paper and ink"
        )
        links = set(re.findall(r'href="([^"]+)"', html))
        assert all(link.startswith("http://127.0.0.1") for link in links)
        assert links <= set(re.findall(r"http://\S+", message.body)), "the text has every link of its twin"
    assert initiative.title in mail.outbox[0].body


def test_a_long_day_is_cut_and_says_so(person):
    for number in range(daily_mail.LISTED + 4):
        write_message(person, number)
    daily_mail.deliver()
    assert "4 more tasks are in your inbox" in mail.outbox[0].body
    assert mail.outbox[0].body.count("* Thing") == daily_mail.LISTED - 1
    assert f", and {daily_mail.LISTED + 3} more" in mail.outbox[0].subject
    assert "18 more tasks" in mail.outbox[0].body


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_mail(rounds, settings):
    settings.MAILS_A_WEEK = 100
    people = [factories.make_person(f"reader{number}") for number in range(4)]
    for day in range(max(3, rounds // 4)):
        at = MORNING + timedelta(days=day)
        for person in people:
            write_message(person, day)
        mail.outbox.clear()
        counts, gate = [], threading.Barrier(4)

        def work(at=at, counts=counts, gate=gate):
            try:
                gate.wait()
                counts.append(daily_mail.deliver(at))
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sum(count.sent for count in counts) == len(people)
        assert sorted(message.to[0] for message in mail.outbox) == sorted(person.email for person in people)
    assert Delivery.objects.exclude(attempts=1).count() == 0


def test_a_person_gets_four_mails_a_week_beside_the_digest_and_alerts_come_besides(person, settings):
    """The fifth is the digest; a hold leaves at once, and does not count."""
    settings.MAILS_A_WEEK = 5
    for day in range(6):
        with clock.simulated(MORNING + timedelta(days=day)):
            write_message(person, day)
            daily_mail.deliver()
    assert len(mail.outbox) == 4
    with clock.simulated(MORNING + timedelta(days=6)):
        notify(person, "held", "hold:1", subject="Reader: held")
        daily_mail.deliver()
        assert [message.subject for message in mail.outbox[4:]] == ["Reader: held"]
    with clock.simulated(MORNING + timedelta(days=7, hours=1)):
        daily_mail.deliver()
        assert len(mail.outbox) == 6, "a week after the first there is room for another, with all that waited"
        assert "Thing 5" in mail.outbox[-1].body


def test_one_mail_says_one_line_about_a_review(person):
    for kind in ("review opened", "not signed", "stale sign-off"):
        notify(person, kind, "review:7:risk_compliance", subject=f"Reader: {kind}")
    daily_mail.deliver()
    (message,) = mail.outbox
    assert message.subject == "Reader: stale sign-off"
    assert "not signed" not in message.body
