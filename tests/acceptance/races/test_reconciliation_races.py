"""Races around the comparison of both logs: sixteen workers at once, and while more comes in. Each finding once.

The last test takes the lock on the run and that on the initiative away and shows that the unique row still refuses a
second.
"""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine

from governance import clock
from initiatives.interactions.comparison import act_names, reconciling
from initiatives.models import LogFinding, ReconciledDay, RequirementFinding
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring
from tests.support.servers.asking_systems import reported

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unsealed")]

ACTS = 5


@pytest.fixture
def initiative():
    cast = factories.make_cast()
    row = factories.make_mvp(cast)
    key = factories.make_key(cast, row, scopes=["interactions", "evaluate"])[0]
    for _ in range(ACTS):
        reported(row, key=key.pk, action="summarise", model="m-4")
    return row


def found(initiative) -> list[tuple[str, int]]:
    return [(row.kind, row.number) for row in LogFinding.objects.filter(initiative=initiative)]


def test_sixteen_workers_at_once_write_each_finding_once(initiative):
    with time_machine.travel(clock.now() + timedelta(hours=1)), Ring() as ring:
        outcomes = ring.run([reconciling.reconcile] * SIZE)
        assert {one.kind for one in outcomes} == {"done"}, [str(one) for one in outcomes]
        assert found(initiative) == [("never_asked", 1)] * ACTS
        assert ring.run([reconciling.reconcile] * SIZE)[0].kind == "done"
        assert found(initiative) == [("never_asked", 1)] * ACTS
        assert not ReconciledDay.objects.filter(due=True, day__lte=clock.today()).exists()


def test_without_the_lock_on_the_run_the_lock_on_the_initiative_still_has_each_finding_once(
    initiative, monkeypatch
):
    everybody(monkeypatch)
    with time_machine.travel(clock.now() + timedelta(hours=1)), Ring() as ring:
        outcomes = ring.run([reconciling.reconcile] * SIZE)
        assert {one.kind for one in outcomes} == {"done"}, [str(one) for one in outcomes]
        assert found(initiative) == [("never_asked", 1)] * ACTS
        assert RequirementFinding.objects.current().filter(source="interactions:never_asked").count() == 2


def test_whoever_has_not_looked_again_is_refused_by_the_database(initiative, monkeypatch):
    """Each writes by what stood before any of them began: one row is taken, the others are refused."""
    everybody(monkeypatch)
    day = clock.today()  # of the acts, whatever it is an hour later
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        monkeypatch.setattr(reconciling, "_current", lambda *_, **__: {})
        seen = LogFinding.objects.none()
        monkeypatch.setattr(LogFinding.objects, "filter", lambda **_: seen)
        names = act_names.names_of([initiative])[initiative.pk]
        with Ring() as ring:
            outcomes = ring.run([lambda: reconciling.judge(initiative, day, names)] * SIZE)
    monkeypatch.undo()
    kinds = [one.kind for one in outcomes]
    assert (kinds.count("done"), kinds.count("error")) == (1, SIZE - 1), [str(one) for one in outcomes]
    assert found(initiative) == [("never_asked", 1)] * ACTS


def everybody(monkeypatch) -> None:
    """No run is alone."""

    @contextmanager
    def together():
        yield True

    monkeypatch.setattr(reconciling, "_alone", together)
