"""When pages read from a replica, with a second connection to the same database in its place."""

import dataclasses
import time
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, InternalError, connection, connections, transaction
from django.http import Http404

from governance.audit import views
from governance.database import replica
from governance.database.row_history import acting
from governance.models import Entry
from governance.operations import metrics, readiness, status
from tests.support import factories

MOMENT = datetime(2026, 11, 9, 13, 3, 12, tzinfo=UTC)


def measured(lag: float = 0.0, *, place: int = 1 << 62, trouble: str = "") -> replica.Measured:
    return replica.Measured(time.monotonic(), MOMENT, lag, place, trouble)


class Told(replica.Watch):
    """A watch that is told what it measures."""

    def __init__(self) -> None:
        super().__init__()
        self.found, self.age = measured(), 0.0

    def _measure(self) -> replica.Measured:
        return dataclasses.replace(self.found, at=time.monotonic() - self.age)

    def tell(self, found: replica.Measured) -> None:
        self.found = found
        self.forget()


@pytest.fixture
def watch(db, settings, monkeypatch):
    """A replica that is up to date: the connection of the test."""
    monkeypatch.setitem(
        settings.DATABASES, replica.ALIAS, connection.settings_dict | {"PASSWORD": "secret word"}
    )
    connections[replica.ALIAS] = connections["default"]
    told = Told()
    monkeypatch.setattr(replica, "watch", told)
    yield told
    del connections[replica.ALIAS]


@pytest.fixture
def read(monkeypatch) -> list:
    """What was read from the replica, request by request."""
    found, reading = [], replica.reading

    def note(measured):
        found.append(measured)
        return reading(measured)

    monkeypatch.setattr(replica, "reading", note)
    return found


@pytest.mark.parametrize(
    ("path", "times"),
    [("/initiatives/", 1), ("/insights/", 1), ("/settings/", 0), ("/nowhere/", 0)],
)
def test_only_marked_pages_read_from_the_replica(watch, cast, as_, read, path, times):
    as_(cast.owner).get(path)
    assert len(read) == times


def test_each_part_of_a_file_is_made_from_the_replica(watch, cast, as_, read):
    answer = as_(cast.owner).get("/initiatives/export.csv")
    assert len(read) == 1
    assert b"Reference" in next(answer.streaming_content)
    assert len(read) == 2
    assert replica.read_from() is None, "between two parts the thread reads from the primary"
    b"".join(answer.streaming_content)
    assert len(read) > 2


@pytest.mark.parametrize(
    ("found", "age"), [(measured(11), 0), (measured(trouble=replica.AWAY), 0), (measured(), 11)]
)
def test_a_replica_that_is_late_or_away_or_long_unseen_is_not_read(watch, cast, as_, read, found, age):
    watch.age = age
    watch.tell(found)
    assert as_(cast.owner).get("/initiatives/").status_code == 200
    assert read == []


def test_a_page_names_its_moment_if_it_lags(watch, cast, as_):
    owner = as_(cast.owner)
    assert "Data as of" not in owner.get("/initiatives/").content.decode()
    watch.tell(measured(1.5))
    assert "Data as of 13:03:12" in owner.get("/initiatives/").content.decode()
    assert "Data as of" not in owner.get("/settings/").content.decode()


def test_people_read_from_the_primary_until_the_replica_has_what_they_did(watch, cast, as_, read):
    owner, here = as_(cast.owner), replica.place_now()
    owner.post("/initiatives/views/save/", {"name": "Mine", "query": "tier=minimal"})
    watch.tell(measured(place=here - 1))
    owner.get("/initiatives/")
    assert read == []
    as_(cast.chair).get("/initiatives/")
    assert len(read) == 1, "who did nothing"
    watch.tell(measured())
    owner.get("/initiatives/")
    assert len(read) == 2


@pytest.mark.parametrize("kept", ["", "x", "-1", "9" * 400])
def test_a_cookie_that_we_did_not_set_is_nothing(watch, cast, as_, read, settings, kept):
    owner = as_(cast.owner)
    owner.cookies[settings.WROTE_COOKIE_NAME] = kept
    assert owner.get("/initiatives/").status_code == 200
    assert len(read) == 1


def test_what_the_replica_does_not_have_is_looked_for_in_the_primary(watch, cast, as_, monkeypatch):
    """An entry that the replica lacks is a 404 there, and a page here."""
    initiative, about = factories.make_initiative(cast), views.about

    def lacks(row):
        if replica.read_from() is not None:
            raise Http404
        return about(row)

    monkeypatch.setattr(views, "about", lacks)
    last = Entry.objects.filter(initiative_ref=initiative.ref).latest("pk")
    assert as_(cast.auditor).get(f"/audit/entries/{last.pk}/").status_code == 200


def test_an_act_in_the_middle_of_a_page_uses_the_primary(transactional_db, monkeypatch):
    person, here = factories.make_person("someone"), connections["default"]
    connections[replica.ALIAS] = there = here.copy()
    try:
        with replica.reading(measured()):
            assert connections["default"] is there
            with acting(by=person):
                assert connections["default"] is here
            with transaction.atomic(), acting(by=person):
                assert connections["default"] is there, "a look at the past takes no act"
            assert connections["default"] is there
        assert connections["default"] is here
    finally:
        there.close()
        del connections[replica.ALIAS]


def test_a_server_that_is_no_replica_is_not_read(watch, monkeypatch):
    monkeypatch.setattr(replica, "watch", replica.Watch())
    found = replica.watch.latest()
    assert (found.trouble, found.has(0)) == (replica.FOREIGN, False)
    assert readiness.read_replica() == replica.FOREIGN


def test_it_is_measured_once_a_second_and_seldom_while_it_is_away(watch, monkeypatch):
    asked = []
    monkeypatch.setattr(watch, "_measure", lambda: asked.append(1) or watch.found)
    for _ in range(3):
        watch.latest()
    assert len(asked) == 1
    time.sleep(replica.KEPT + 0.1)
    watch.found = measured(trouble=replica.AWAY)
    watch.latest()
    assert len(asked) == 2
    time.sleep(replica.KEPT + 0.1)
    watch.latest()
    assert len(asked) == 2


def test_readiness_metrics_and_status_show_it(watch, cast, as_, settings):
    def figures() -> dict[str, float]:
        return {metric.name: metric.samples[0].value for metric in metrics.of_replica()}

    watch.tell(measured(0.5))
    assert figures() == {"plumbline_replica_up": 1, "plumbline_replica_lag_seconds": 0.5}
    assert readiness.read_replica() == readiness.OK
    page = as_(cast.admin).get("/status/").content.decode()
    assert f"/{connection.settings_dict['NAME']}</code>" in page
    assert "0.5 seconds" in page
    assert "secret word" not in page
    watch.tell(measured(30))
    assert readiness.read_replica().startswith("is 30 seconds behind")
    watch.tell(measured(trouble=replica.AWAY))
    assert figures() == {"plumbline_replica_up": 0}
    assert "The replica does not answer." in as_(cast.admin).get("/status/").content.decode()


def test_without_a_replica_nothing_shows_one(cast, as_):
    assert status.read_replica() is None
    assert list(metrics.of_replica()) == []
    assert 'id="replica"' not in as_(cast.admin).get("/status/").content.decode()


def test_a_function_whose_replica_fails_is_called_again(watch):
    def fails_there():
        if replica.read_from() is not None:
            raise InternalError("canceling statement due to conflict with recovery")
        return "from the primary"

    assert replica.read(fails_there) == "from the primary"
    with pytest.raises(DatabaseError, match="everywhere"):
        replica.read(lambda: (_ for _ in ()).throw(DatabaseError("everywhere")))


def test_the_login_of_the_application_may_measure(application):
    assert application.execute(replica.OF_PRIMARY).fetchone()[0] > 0
    assert application.execute(replica.OF_REPLICA).fetchone()[0] is False
