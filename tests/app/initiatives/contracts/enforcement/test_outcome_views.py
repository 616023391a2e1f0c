"""What pages say of outcomes: both figures by week, what came of one decision, and what is enforced elsewhere."""

import json
from datetime import timedelta
from html import unescape

import pytest

from governance import clock
from governance.authorization import decision_queries
from governance.authorization.decision_queries import weeks
from governance.models import Rulebook
from initiatives.models import Initiative
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.servers.asking_systems import System, logged, write

pytestmark = pytest.mark.django_db

ELSEWHERE = "Not enforced here."
WITHIN = timedelta(days=30)


@pytest.fixture
@snapshots.kept
def initiative(cast) -> Initiative:
    return factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)


@pytest.fixture
@snapshots.kept
def system(cast, initiative) -> System:
    return System(factories.make_key(cast, initiative)[1].text)


def page(client, name, *args) -> str:
    answer = client.get(at(name, *args))
    assert answer.status_code == 200
    return unescape(text_of(answer))


def cells(text: str) -> list[list[str]]:
    """The table of weeks: what stands in the cells of each row."""
    table = text.split('id="outcomes"')[1].split("<tbody>")[1].split("</tbody>")[0]
    return [
        [" ".join(cell.split(">", 1)[1].split("<")[0].split()) for cell in row.split("<td")[1:]]
        for row in table.split("</tr>")[:-1]
    ]


def asked(system, count: int, action: str = "read") -> list[str]:
    return [system.ask(action)["context"]["id"] for _ in range(count)]


def test_both_figures_are_counted_by_initiative_and_week(cast, as_, initiative, system):
    ids = asked(system, 5)
    asked(system, 2, "fly")
    for key, outcome in ((ids[0], "done"), (ids[1], "done"), (ids[1], "undone"), (ids[2], "failed")):
        assert system.report({"decision": key, "outcome": outcome}).status_code == 200
    unasked = {"outcome": "done", "unasked": True, "action": "send", "at": clock.now().isoformat()}
    assert system.report(unasked).status_code == 200
    logged()
    running, before = weeks(initiative.number, clock.now(), 2)
    assert (running.allowed, running.done, running.failed, running.undone) == (5, 2, 1, 1)
    assert (running.never_done, running.never_asked, running.cut) == (3, 1, False)
    assert (before.allowed, before.never_done, before.never_asked) == (0, 0, 0)
    shown = cells(page(as_(cast.seat_risk), "api-access", initiative.ref))
    assert len(shown) == decision_queries.WEEKS
    assert shown[0][:6] == ["5", "2", "1", "1", "3", "1"]
    assert shown[1][:6] == ["0"] * 6
    other = factories.make_contract(cast, factories.make_prototype(cast, title="Other"), FIXTURE)
    assert [week.allowed + week.never_asked for week in weeks(other.number, clock.now())] == [0] * 4


def test_a_week_is_that_of_the_decision_from_monday_to_monday(initiative):
    monday = clock.midnight_before(clock.today() - timedelta(days=clock.today().weekday()))
    write(initiative, 1, at=monday)
    write(initiative, 1, at=monday - timedelta(milliseconds=1))
    write(initiative, 1, at=monday - timedelta(weeks=1))
    assert [week.allowed for week in weeks(initiative.number, monday + timedelta(days=1), 3)] == [1, 2, 0]
    assert [week.since for week in weeks(initiative.number, monday, 2)] == [
        clock.local_day(monday),
        clock.local_day(monday) - timedelta(weeks=1),
    ]


def test_a_busy_week_says_that_only_the_newest_were_counted(cast, as_, initiative, monkeypatch):
    monkeypatch.setattr(decision_queries, "STRETCH", 3)
    write(initiative, 3)
    assert weeks(initiative.number, clock.now(), 1)[0].cut
    assert "or more" in page(as_(cast.owner), "api-access", initiative.ref)
    monkeypatch.setattr(decision_queries, "STRETCH", 4)
    assert not weeks(initiative.number, clock.now(), 1)[0].cut


def test_one_decision_says_what_came_of_it(cast, as_, initiative, system):
    first, second = asked(system, 2)
    asked(system, 1, "fly")
    assert system.report({"decision": first, "outcome": "done", "note": "It was <sent>"}).status_code == 200
    client, rows = as_(cast.owner), logged()
    shown = [page(client, "told-one", initiative.ref, decision_queries.Place.of(row)) for row in rows]
    assert "It was <sent>" in shown[0]
    assert first in shown[0]
    assert second in shown[1]
    assert "no report yet" in shown[1]
    assert "What came of it" not in shown[2], "nothing was allowed"


def test_the_page_of_systems_says_how_to_report_and_whom_a_prototype_acts_for(cast, as_, initiative):
    text = page(as_(cast.owner), "api-access", initiative.ref)
    assert "/access/v1/outcomes" in text
    assert '"decision": "<context.id of the answer>", "outcome": "done"' in text
    assert "Test subject of the prototype" in text
    assert "user:alice" in text
    assert "No test subjects are declared" not in text
    bare = factories.make_prototype(cast, title="Bare")
    assert "No test subjects are declared" in page(as_(cast.owner), "api-access", bare.ref)


def test_a_scope_without_test_subjects_ends_what_the_prototype_may_do(cast, initiative, system):
    assert system.ask("read")["decision"] is True
    factories.declare_test_subjects(cast, initiative, ["user:tester-*"])
    denied = system.ask("read")["context"]
    assert (denied["code"], denied["stage"]) == ("outside_test_subjects", "prototype")
    assert system.ask("read", subject="user:bob")["decision"] is False
    factories.declare_test_subjects(cast, initiative, [])
    assert "has no declared test subjects" in system.ask("read")["context"]["reason"]


def test_a_initiative_in_production_whose_keys_are_silent_is_not_enforced_here(cast, as_):
    initiative = factories.make_production(cast)
    client = as_(cast.owner)
    pages = [("initiative", initiative.ref), ("api-access", initiative.ref), ("deployments", initiative.ref)]
    assert all(ELSEWHERE in page(client, *one) for one in pages)
    key, token = factories.make_key(cast, initiative)
    assert ELSEWHERE in page(client, "deployments", initiative.ref), "a key alone has not asked"
    assert System(token.text).report({"heartbeat": True}).status_code == 200
    assert not any(ELSEWHERE in page(client, *one) for one in pages)
    assert "heartbeat" in page(client, "api-access", initiative.ref)
    beat = key.heartbeats.get().at
    assert seen_from(initiative, beat + WITHIN - timedelta(seconds=1))
    assert not seen_from(initiative, beat + WITHIN)
    assert not seen_from(initiative, beat - timedelta(seconds=1)), (
        "what comes later shows nothing of that day"
    )
    assert WITHIN.days == Rulebook.objects.in_force().parsed.freshness.shown_here_days


def seen_from(initiative, moment) -> bool:
    return decision_queries.enforced_here(initiative.number, initiative.contract_id, moment, WITHIN)


def test_a_request_of_a_key_is_a_sign_and_that_of_another_initiative_is_none(cast):
    initiative = factories.make_production(cast)
    now = clock.now()
    write(factories.make_prototype(cast, title="Other"), 1, key=factories.make_key(cast, initiative)[0])
    write(initiative, 1, at=now - timedelta(hours=1))
    assert not seen_from(initiative, now), "no key of the initiative asked"
    write(initiative, 1, at=now - timedelta(hours=1), key=initiative.contract.keys.get())
    assert seen_from(initiative, now)
    assert not seen_from(initiative, now + WITHIN)


@pytest.mark.parametrize("make", [factories.make_prototype, factories.make_mvp])
def test_before_production_nothing_is_said_of_it(cast, as_, make):
    assert ELSEWHERE not in page(as_(cast.owner), "deployments", make(cast).ref)


def test_the_answer_of_a_later_stage_says_that_stage(cast):
    initiative = factories.make_mvp(cast)
    system = System(factories.make_key(cast, initiative)[1].text)
    assert system.ask("fly")["context"]["stage"] == "mvp"
    assert json.dumps(system.ask("fly")).count('"stage"') == 1
