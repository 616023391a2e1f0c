"""The status page: what beats, works and failed, which mail waits, how much is unsealed; and the line in the inbox."""

import io
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from celery.schedules import crontab
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import OperationalError

from governance import clock
from governance import tasks as governance_tasks
from governance.models import Delivery, Entry, Notification, ProcessHeartbeat, TaskRun
from governance.notifications import daily_mail
from governance.notifications import inbox as notification_inbox
from governance.operations import heartbeats, readiness, status
from governance.permission_result import Refused
from governance.runtime import clock_check
from governance.runtime.clock_check import ClockOff
from governance.transparency_log import sealing
from initiatives.tasks import send_digests as digests
from tests.support import factories

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)


@pytest.fixture
def admin(db):
    return factories.make_person("admin", is_admin=True)


def write_message(person, key="one") -> Notification:
    return Notification.objects.create(
        person=person,
        kind="test",
        object_key=key,
        period="once",
        subject=f"Thing {key}",
        created_at=clock.now(),
    )


def page(client) -> str:
    return " ".join(client.get("/status/").content.decode().split())


def told(person) -> list[str]:
    every = [one for line in notification_inbox.tasks_for(person) for one in (line, *line.parts)]
    return [line.text for line in every if line.verb == "see"]


# --- What beats ----------------------------------------------------------------------------------------------


def test_a_silent_beat_is_told_to_admins_on_the_inbox_and_goes_when_it_is_back(cast, as_):
    ProcessHeartbeat.objects.all().delete()
    with time_machine.travel(NOON, tick=False) as at:
        heartbeats.say("scheduler", "here")
        assert told(cast.admin) == []
        at.shift(timedelta(minutes=2))
        assert told(cast.admin) == []
        at.shift(timedelta(seconds=1))
        assert told(cast.admin) == ["The scheduler is silent"]
        assert [told(person) for person in (cast.owner, cast.auditor, cast.chair)] == [[], [], []]
        text = as_(cast.admin).get("/").content.decode()
        assert "The scheduler has sent no heartbeat since 12:00 on 9 November 2026" in text
        assert 'href="/status/"' in text
        assert "The scheduler is silent." in page(as_(cast.admin))
        heartbeats.say("scheduler", "here")
        assert told(cast.admin) == []
        assert ProcessHeartbeat.objects.get().started_at == NOON


def test_a_beat_that_never_was_is_told_once_the_installation_is_older_than_its_margin(admin):
    assert status.beat().silent_since is None, "it has just been started"
    first = Entry.objects.order_by("pk").first()
    with time_machine.travel(first.recorded_at + timedelta(minutes=3), tick=False):
        assert status.beat().silent_since == first.recorded_at
        assert told(admin)[:2] == ["The scheduler is silent", "No worker sends heartbeats"]


def test_two_schedulers_are_one_too_many(admin, as_):
    heartbeats.say("scheduler", "one")
    assert "More than one scheduler" not in page(as_(admin))
    heartbeats.say("scheduler", "two")
    assert "More than one scheduler" in page(as_(admin))
    heartbeats.fall_silent("scheduler", "two")
    assert not status.beat().several


def test_dead_workers_are_told_on_the_inbox_at_once(cast, as_):
    ProcessHeartbeat.objects.filter(kind="worker").delete()
    with time_machine.travel(NOON, tick=False) as at:
        for name in ("celery@one (7)", "celery@one (8)", "celery@two (7)"):
            heartbeats.say("worker", name)
        assert told(cast.admin) == []
        at.shift(timedelta(minutes=3))
        heartbeats.say("scheduler", "here")
        assert told(cast.admin) == ["No worker sends heartbeats"]
        assert told(cast.owner) == []
        for name in ("celery@one (8)", "celery@two (7)"):
            heartbeats.say("worker", name)
        assert told(cast.admin) == ["A worker on one is silent"]
        assert page(as_(cast.admin)).count("celery@one (") == 2, "two on one host are two"
        heartbeats.say("worker", "celery@one (9)")
        assert told(cast.admin) == [], "another took its place"


def test_two_beats_on_one_host_are_seen(admin, monkeypatch):
    from governance.celery import app

    monkeypatch.setattr("celery.beat.Scheduler.tick", lambda self: 200.0)
    monkeypatch.setattr("governance.operations.heartbeats.connection.close", lambda: None)
    heartbeats.Scheduler(app=app, lazy=True).tick()
    assert not status.beat().several
    monkeypatch.setattr(os, "getpid", lambda: 1)
    heartbeats.Scheduler(app=app, lazy=True).tick()
    assert status.beat().several


def test_late_sealing_is_told_on_the_inbox(cast, monkeypatch):
    assert told(cast.admin) == []
    monkeypatch.setattr(sealing, "LATE", timedelta(0))
    assert told(cast.admin) == ["The audit log is not sealed"]
    assert told(cast.auditor) == []
    sealing.seal()
    assert told(cast.admin) == []


# --- Clocks --------------------------------------------------------------------------------------------------


@pytest.fixture
def ahead(settings):
    """A machine whose clock is five days ahead of the database's."""
    settings.CLOCK_MAY_DIFFER = 30
    with time_machine.travel(datetime.now(UTC) + timedelta(days=5), tick=True):
        yield


@pytest.fixture(autouse=True)
def _readiness_of_no_other_test():
    readiness.readiness.forget()


def test_a_clock_that_is_off_sends_nothing(ahead, admin):
    write_message(factories.make_person("reader"))
    for task in (governance_tasks.run_reminders, governance_tasks.deliver_mail, digests):
        with pytest.raises(ClockOff, match=r"5 days ahead of the database's. Set the clock by NTP"):
            task.delay()
    with pytest.raises(CommandError, match="5 days ahead"):
        call_command("remind")
    assert mail.outbox == []
    call_command("remind", "--at", "2026-11-09", "--dry-run", "--json", stdout=io.StringIO())
    governance_tasks.seal_audit_log.delay()
    assert sealing.newest() is not None, "sealing goes by the database's clock"


def test_a_clock_that_is_off_is_told_to_admins_on_any_host(cast, ahead, as_):
    heartbeats.say("worker", "celery@far (7)")
    row = ProcessHeartbeat.objects.get(name="celery@far (7)")
    assert abs(row.seen_at - clock.now() + timedelta(days=5)) < timedelta(minutes=1), (
        "by the database's clock"
    )
    assert row.clock_off == 5 * 86_400
    with time_machine.travel(row.seen_at, tick=True):
        assert told(cast.admin) == ["The clock of far is wrong"]
        assert "The clock is 5 days ahead of the database" in page(as_(cast.admin))
        heartbeats.say("worker", "celery@far (7)")
        assert told(cast.admin) == []


def test_a_host_whose_clock_is_off_is_not_ready(ahead, admin, client, monkeypatch):
    said = []
    monkeypatch.setattr(heartbeats, "say", lambda kind, name, off: said.append((kind, name, round(off))))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["clock"] == "5 days ahead of the database's. Set the clock by NTP"
    assert said == [("web", heartbeats.process_name(), 5 * 86_400)], "which its admins see on every host"


def test_a_clock_is_near_enough_within_half_a_minute(admin, settings):
    settings.CLOCK_MAY_DIFFER = 30
    for seconds, near in ((20, True), (-20, True), (40, False), (-40, False)):
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True):
            assert (clock_check.off() == 0) is near


def test_workers_are_listed_until_a_day_after_they_fell_silent(admin, as_):
    with time_machine.travel(NOON, tick=False) as at:
        assert "No worker sends heartbeats" in page(as_(admin))
        heartbeats.say("worker", "celery@one")
        text = page(as_(admin))
        assert "celery@one" in text
        assert "No worker sends heartbeats" not in text
        at.shift(timedelta(minutes=3))
        assert "No worker sends heartbeats" in page(as_(admin))
        assert "celery@one" in page(as_(admin))
        at.shift(timedelta(days=1))
        heartbeats.say("worker", "celery@two")
        assert list(ProcessHeartbeat.objects.values_list("name", flat=True)) == ["celery@two"]


def test_celerys_scheduler_says_that_it_ticks(admin, monkeypatch):
    from governance.celery import app

    scheduler = heartbeats.Scheduler(app=app, lazy=True)
    monkeypatch.setattr("celery.beat.Scheduler.tick", lambda self: 200.0)
    monkeypatch.setattr("governance.operations.heartbeats.connection.close", lambda: None)
    assert scheduler.tick() == heartbeats.EVERY, "it wakes in time for its next word"
    assert status.beat().silent_since is None
    row = ProcessHeartbeat.objects.get(kind="scheduler")
    ProcessHeartbeat.objects.update(seen_at=NOON)
    scheduler.tick()
    assert ProcessHeartbeat.objects.get().seen_at == NOON, "a word every few seconds is enough"
    again = heartbeats.Scheduler(app=app, lazy=True)
    again.tick()
    assert ProcessHeartbeat.objects.get().started_at > row.started_at, (
        "one that was killed and started again says since when"
    )
    scheduler.close()
    assert not ProcessHeartbeat.objects.filter(pk=row.pk).exists(), "an orderly end is not missed"
    assert settings.CELERY_BEAT_SCHEDULER == "governance.operations.heartbeats:Scheduler"


def test_a_worker_says_so_from_a_thread_of_its_own_and_ends_in_order(admin, monkeypatch):
    said, ended = threading.Event(), []
    monkeypatch.setattr(heartbeats, "say", lambda kind, name, begins: said.set())
    monkeypatch.setattr(heartbeats, "fall_silent", lambda kind, name: ended.append((kind, name)))
    sender = SimpleNamespace(hostname="celery@here")
    heartbeats.begin(sender)
    assert said.wait(5)
    (thread,) = [one for one in threading.enumerate() if one.name == "heartbeat"]
    heartbeats.end(sender)
    thread.join(5)
    assert not thread.is_alive()
    assert ended == [("worker", f"celery@here ({os.getpid()})")]


def test_a_database_that_is_down_stops_no_task(monkeypatch):
    tried = []

    def down(*args, **options):
        tried.append(args)
        raise OperationalError("no connection")

    monkeypatch.setattr("django.db.models.query.QuerySet.bulk_create", down)
    heartbeats.say("worker", "celery@here")
    heartbeats.failed("governance.tasks.seal_audit_log", ValueError("x"))
    assert len(tried) == 2


# --- How tasks went ------------------------------------------------------------------------------------------


def ran(name="governance.tasks.seal_audit_log", eager=False):
    return SimpleNamespace(name=name, request=SimpleNamespace(is_eager=eager))


def test_a_task_says_when_it_was_done_and_why_it_failed(admin, as_, monkeypatch):
    monkeypatch.setattr(heartbeats, "_said", {})
    heartbeats.task_done(ran())
    heartbeats.task_failed(ran(), ValueError("amqp://user:secret@host/ does not answer"))
    heartbeats.task_failed(ran(), ExceptionGroup("Both", [KeyError("a"), ValueError("b")]))
    row = TaskRun.objects.get()
    assert (row.failed_in_a_row, row.reason) == (2, "KeyError: 'a'; ValueError: b")
    assert "failed 2 times" in page(as_(admin))
    heartbeats.task_done(ran())
    row.refresh_from_db()
    assert row.failed_in_a_row == 0
    assert row.reason, "why it failed last stays readable"
    assert "failed 2 times" not in page(as_(admin))


def test_reasons_hold_no_secret(db):
    heartbeats.failed("a.task", OSError("amqp://user:secret@host:5672// refused, password=hidden"))
    reason = TaskRun.objects.get().reason
    assert reason.startswith("OSError: amqp://user:")
    assert "refused" in reason
    assert "secret" not in reason
    assert "hidden" not in reason


def test_what_runs_in_a_request_is_no_work_of_a_worker(admin):
    heartbeats.task_done(ran(eager=True))
    heartbeats.task_failed(ran(eager=True), ValueError("x"))
    assert not TaskRun.objects.exists()


def test_a_task_that_did_not_come_when_it_was_due_is_late():
    assert status.due_after(3.0, NOON) == NOON + timedelta(seconds=3)
    quarter = crontab(minute="*/15")
    assert status.due_after(quarter, NOON + timedelta(minutes=1)) == NOON + timedelta(minutes=15)
    run = TaskRun(name="governance.tasks.run_reminders", done_at=NOON + timedelta(minutes=1))
    for minutes, late in ((15, False), (20, False), (21, True)):
        with clock.simulated(NOON + timedelta(minutes=minutes)):
            (task,) = [task for task in status.tasks([run]) if task.name == run.name]
            assert task.late is late
            assert task.words == "Send reminders"


# --- Mail ----------------------------------------------------------------------------------------------------


def test_undelivered_mail_is_listed_with_its_reason_and_tried_again(admin, as_, monkeypatch):
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    reader = factories.make_person("reader")
    write_message(reader)
    daily_mail.deliver()
    client = as_(admin)
    text = page(client)
    assert "to Reader" in text
    assert "ZeroDivisionError" in text
    (waiting,) = status.undelivered()
    answer = client.post("/status/mail/", {"key": waiting.key}, follow=True).content.decode()
    assert "The email was not sent" in answer
    assert Delivery.objects.get().attempts == 2
    monkeypatch.undo()
    answer = client.post("/status/mail/", {"key": waiting.key}, follow=True).content.decode()
    assert "The email was sent." in answer
    assert [message.to for message in mail.outbox] == [["reader@example.org"]]
    assert status.undelivered() == []
    answer = client.post("/status/mail/", {"key": waiting.key}, follow=True).content.decode()
    assert "no longer waits" in answer
    assert len(mail.outbox) == 1
    assert Entry.objects.acts().filter(kind="mail tried again").count() == 2


def test_all_are_tried_again_by_the_worker(admin, as_, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    for login in ("one", "two"):
        write_message(factories.make_person(login))
    daily_mail.deliver()
    monkeypatch.undo()
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_(admin).post("/status/mail/", follow=True).content.decode()
    assert "2 emails are sent again when a worker is free." in answer
    assert len(mail.outbox) == 2
    answer = as_(admin).post("/status/mail/", follow=True).content.decode()
    assert "No email waits" in answer


def test_a_mail_that_a_worker_holds_is_not_sent_twice(admin, monkeypatch):
    reader = factories.make_person("reader")
    write_message(reader)
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    daily_mail.deliver()
    monkeypatch.undo()
    (waiting,) = status.undelivered()
    Delivery.objects.update(claimed_at=None)
    assert daily_mail.claim(Delivery.objects.get().pk) is not None, "a worker is sending it"
    assert status.try_again(key=waiting.key, by=admin) is None
    monkeypatch.setattr(status, "undelivered", lambda: [waiting])  # it was, when the page looked
    assert status.try_again(key=waiting.key, by=admin) is None
    assert mail.outbox == []


def test_a_test_mail_goes_to_whoever_asks_and_says_what_went_wrong(admin, as_, monkeypatch):
    client = as_(admin)
    answer = client.post("/status/mail/", {"act": "test"}, follow=True).content.decode()
    assert "A test email to admin@example.org was sent to the mail server." in answer
    assert mail.outbox[0].to == ["admin@example.org"]
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda self: Path("/no/such").read_text())
    answer = client.post("/status/mail/", {"act": "test"}, follow=True).content.decode()
    assert "The test email was not sent. FileNotFoundError" in answer


def test_a_test_mail_without_a_mail_server_is_called_a_file(admin, as_, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    answer = as_(admin).post("/status/mail/", {"act": "test"}, follow=True).content.decode()
    assert "EMAIL_URL is not set. The test email to admin@example.org is a file" in answer


def test_only_admins_try_mail_again(cast):
    for act in (
        lambda: status.try_again(key="day-1", by=cast.owner),
        lambda: status.try_all_again(by=cast.auditor),
        lambda: status.send_test(by=cast.chair),
    ):
        with pytest.raises(Refused):
            act()


# --- The audit log and the room ---------------------------------------------------------------------------------


def test_what_is_not_sealed_is_counted(admin, as_):
    count = sealing.backlog().count
    assert f"{count} not sealed" in page(as_(admin))
    sealing.seal()
    assert "Every entry is sealed." in page(as_(admin))


def test_little_room_is_said(admin, as_, monkeypatch):
    assert "little room" not in page(as_(admin))
    monkeypatch.setattr(
        "governance.operations.status.shutil.disk_usage", lambda path: SimpleNamespace(free=9, total=99)
    )
    text = page(as_(admin))
    assert "9 bytes of 99 bytes" in text
    assert "little room" in text


def test_the_page_asks_no_more_than_it_may(admin, as_, django_assert_max_num_queries, monkeypatch):
    cache.clear()  # a count that another test left costs one query more
    client = as_(admin)
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    for number in range(5):
        write_message(factories.make_person(f"reader{number}"))
        daily_mail.deliver()
    client.get("/status/")
    with django_assert_max_num_queries(22):
        client.get("/status/")
