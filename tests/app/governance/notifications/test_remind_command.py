"""`manage.py remind`: its last line is one object, a dry run writes nothing, bad input is answered in a sentence."""

import json
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from governance import clock
from governance.contributions import contributed
from governance.management.commands.remind import moment_of
from governance.models import Delivery, Notification
from governance.notifications import due as notification_due
from governance.notifications.due import Due, before, late, since
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

DAY = datetime(2026, 11, 9, tzinfo=UTC).date()


@pytest.fixture
def due(db, monkeypatch):
    """One thing that is due to one person from 9 November on."""
    person = factories.make_person("reader")

    def query(moment):
        if clock.local_day(moment) >= DAY:
            yield Due(
                person, "test", "thing:1", "Thing", period=before(DAY, clock.local_day(moment)) or "late0"
            )

    monkeypatch.setattr(contributed, "due_queries", [query])
    return person


def remind(capsys, *arguments):
    call_command("remind", *arguments)
    lines = capsys.readouterr().out.strip().splitlines()
    return lines, json.loads(lines[-1])


def test_the_last_line_is_one_object(due, capsys):
    lines, told = remind(capsys, "--at", "2026-11-09", "--json")
    assert len(lines) == 1
    assert told == {"due": 1, "new": 1, "sent": 1, "failed": 0}
    lines, told = remind(capsys, "--at", "2026-11-09")
    assert len(lines) == 3
    assert told == {"due": 1, "new": 0, "sent": 0, "failed": 0}
    assert len(mail.outbox) == 1


def test_a_dry_run_writes_and_sends_nothing(due, capsys):
    told = remind(capsys, "--at", "2026-11-09T08:00", "--dry-run")[1]
    assert told == {"due": 1, "new": 1, "sent": 0, "failed": 0}
    assert (Notification.objects.count(), Delivery.objects.count(), mail.outbox) == (0, 0, [])
    remind(capsys, "--at", "2026-11-09T08:00")
    assert remind(capsys, "--at", "2026-11-09T08:00", "--dry-run")[1]["new"] == 0


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "2026-02-30T10:00", "09.11.2026", "", "0001-01-01T00:00+14:00"]
)
def test_bad_input_is_answered_in_a_sentence(db, text):
    with pytest.raises(CommandError) as said:
        call_command("remind", "--at", text)
    assert "--at" in str(said.value)


def test_a_day_is_its_first_local_moment():
    assert moment_of("2026-11-09") == clock.midnight_before(DAY)
    assert moment_of("2026-11-09T08:00+02:00") == datetime(2026, 11, 9, 6, tzinfo=UTC)


def test_only_the_tightest_threshold_reached_is_told():
    told = {
        left: before(DAY, DAY.fromordinal(DAY.toordinal() - left), (30, 14, 3, 0)) for left in range(-1, 32)
    }
    assert [left for left in told if told[left] == "30d"] == list(range(15, 31))
    assert [left for left in told if told[left] == "14d"] == list(range(4, 15))
    assert [left for left in told if told[left] == "3d"] == [1, 2, 3]
    assert [left for left in told if told[left] == "0d"] == [0]
    assert told[31] == told[-1] == ""
    after = [late(DAY, DAY.fromordinal(DAY.toordinal() + over), weekly=True) for over in (0, 1, 7, 8, 15)]
    assert after == ["", "late0", "late0", "late1", "late2"]
    waited = [since(DAY, DAY.fromordinal(DAY.toordinal() + days), (0, 3, 7)) for days in (-1, 0, 2, 3, 9)]
    assert waited == ["", "after0d", "after0d", "after3d", "after7d"]


def test_a_query_that_fails_does_not_silence_the_others(due, monkeypatch):
    def broken(moment):
        raise LookupError("no such thing")

    monkeypatch.setattr(contributed, "due_queries", [broken, *contributed.due_queries])
    with pytest.raises(ExceptionGroup), clock.simulated(datetime(2026, 11, 9, 8, tzinfo=UTC)):
        notification_due.run()
    assert Notification.objects.count() == 1


def test_people_who_left_are_reminded_of_nothing(due):
    from governance.database.row_history import acting

    with unguarded("governance_user"), acting(system="test"):
        due.is_active = False
        due.save()
    assert notification_due.run(datetime(2026, 11, 9, 8, tzinfo=UTC)) == notification_due.Counts(0, 0)


def test_the_mail_of_the_day_is_complete_although_no_periodic_job_ran_before(due):
    """A worker that starts in the morning delivers what acts wrote and what is due in one mail."""
    from governance import tasks as governance_tasks
    from governance.notifications.notify import notify

    with clock.simulated(datetime(2026, 11, 9, 8, tzinfo=UTC)):
        governance_tasks.deliver_mail.delay()
        assert not Notification.objects.exists(), "without a mail to make it does not look for more"
        notify(due, "test", "act", subject="From an act")
        governance_tasks.deliver_mail.delay()
    (message,) = mail.outbox
    assert "From an act" in message.body
    assert "Thing" in message.body


def test_mail_goes_out_although_a_query_fails(due, monkeypatch):
    from governance import tasks as governance_tasks
    from governance.notifications.notify import notify

    def broken(moment):
        raise LookupError("no such thing")

    monkeypatch.setattr(contributed, "due_queries", [broken])
    notify(due, "test", "act", subject="From an act")
    with pytest.raises(ExceptionGroup):
        governance_tasks.deliver_mail.delay()
    assert len(mail.outbox) == 1
