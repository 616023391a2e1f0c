"""Which days are judged, by what is committed: what came since, what was too new, other names, what commits late."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction

from governance import clock
from governance.models import OutcomeReport
from initiatives.interactions import actions
from initiatives.interactions.comparison import reconciling
from initiatives.models import LogFinding, ReconciledDay
from tests.support import factories
from tests.support.servers.asking_systems import reported

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unsealed")]


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=60, scopes=["interactions", "evaluate"])[0]


@pytest.fixture
def judged(monkeypatch):
    """The days that a run judges, oldest first; it begins once what was committed is behind every open transaction.

    A run looks again at what is younger than the oldest transaction of the whole server, of which there are others.
    """
    seen, judge = [], reconciling.judge

    def noting(initiative, day, names):
        seen.append(day)
        return judge(initiative, day, names)

    def run(*, behind_all: bool = True) -> list:
        if behind_all:
            await_older_transactions()
        seen.clear()
        reconciling.reconcile()
        return sorted(seen)

    monkeypatch.setattr(reconciling, "judge", noting)
    return run


def await_older_transactions() -> None:
    """Return once every transaction that is open now has ended, on whichever database of the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (newest,) = cursor.fetchone()
        for _ in range(6000):
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s", [newest])
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("a transaction of the server has been open for a minute")


def noon(days: int = 0):
    """Noon, so many days from today."""
    return clock.midnight_before(clock.today() + timedelta(days=days)) + timedelta(hours=12)


def test_a_day_is_judged_when_something_came_and_not_again(initiative, key, judged):
    with time_machine.travel(noon(1)):
        reported(initiative, key=key.pk, operation="chat", model="m-4")
        today = clock.today()
    with time_machine.travel(noon(1) + timedelta(hours=1)):
        assert judged() == [today]
        assert judged() == []
        reported(initiative, key=key.pk, operation="chat", model="m-4", started=noon(-2))
        assert judged() == [today - timedelta(days=2)]
        assert judged() == []


def test_a_day_that_was_too_new_is_judged_again_with_nothing_new(initiative, key, judged):
    with time_machine.travel(noon(1)):
        reported(initiative, key=key.pk, action="summarise", model="m-4")
        assert judged() == [clock.today()]
        assert ReconciledDay.objects.get(open=1)
    with time_machine.travel(noon(1) + timedelta(minutes=20)):
        assert judged() == [clock.today()]
        assert LogFinding.objects.count() == 1
        assert judged() == []


def test_a_report_of_what_was_done_has_its_day_judged_once(initiative, key, judged, monkeypatch):
    monkeypatch.setattr(reconciling, "LAG", timedelta(0))
    with time_machine.travel(noon(1)):
        at = clock.now()
        reported(initiative, key=key.pk, operation="chat", model="m-4")
    with time_machine.travel(noon(1) + timedelta(hours=1)):
        assert judged() == [clock.today()]
        row = OutcomeReport(
            initiative_number=initiative.number, key_id=key.pk, kind="done", action="summarise", at=at
        )
        row.save()
        assert judged() == [clock.today()]
        assert LogFinding.objects.get().act == f"o{row.pk}"
        assert judged() == []


def test_the_last_days_are_judged_anew_once_a_name_means_something_else(cast, initiative, key, judged):
    with time_machine.travel(noon(1)):
        reported(initiative, key=key.pk, operation="chat", model="m-4")
        day = clock.today()
    with time_machine.travel(noon(3)):
        assert judged() == [day]
        actions.name_acts(initiative=initiative, meant={"chat": "summarise"}, by=cast.owner)
        assert judged() == [day]
        assert LogFinding.objects.current().count() == 1
    with time_machine.travel(noon(40)):
        actions.name_acts(initiative=initiative, meant={"chat": ""}, by=cast.owner)
        assert judged() == [], "what lies further back stays as it was judged"


def test_what_commits_after_later_rows_were_seen_is_found_all_the_same(initiative, key, judged):
    """A batch whose transaction began first and ends last has a lower id, and was never before the mark."""
    written, looked = threading.Event(), threading.Event()
    for day in (0, -1):
        reported(
            initiative, key=key.pk, operation="chat", model="m-4", started=noon(day)
        )  # its month has a table
    assert len(judged()) == 2

    def slowly():
        try:
            with transaction.atomic():
                reported(initiative, key=key.pk, action="summarise", model="m-4", started=noon(-1))
                written.set()
                assert looked.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=slowly)
    thread.start()
    assert written.wait(60)
    day = clock.local_day(noon(-1))
    judged(behind_all=False)
    assert LogFinding.objects.count() == 0
    looked.set()
    thread.join()
    assert judged() == [day]
    assert LogFinding.objects.filter(day=day).count() == 1
