"""What the systems of an initiative were told: filters, pages by key, one decision, the file, what is not for
everybody.
"""

import csv
import io
import json
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.authorization import decision_queries
from governance.models import Entry, PolicyDecision
from governance.transparency_log import sealing
from initiatives.contracts.enforcement import kill_switch
from initiatives.models import ScopeVersion
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.database import snapshots
from tests.support.database.tampering import tamper
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.servers.asking_systems import System, logged, write

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """A prototype with a contract."""
    return factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)


@pytest.fixture
@snapshots.kept
def system(cast, initiative) -> System:
    """A system of the initiative."""
    return System(factories.make_key(cast, initiative)[1].text)


def page(client, initiative, **query) -> str:
    """The list as text, without what HTML makes of quotes."""
    answer = client.get(at("told", initiative.ref), query)
    assert answer.status_code == 200
    return unescape(text_of(answer))


def rows(text: str) -> list[str]:
    """The rows of the list."""
    return (
        text.split('<tbody role="rowgroup">')[1].split("</tbody>")[0].split("</tr>")[:-1]
        if "<tbody" in text
        else []
    )


def test_each_decision_says_when_who_what_why_and_by_which_clause(cast, as_, initiative, system):
    client = as_(cast.seat_risk)
    assert "No requests yet" in page(client, initiative)
    system.ask("write", subject="user:bob", resource="record:4711")
    system.ask("read")
    logged()
    text = page(client, initiative)
    first, second = rows(text)
    assert "allowed" in first
    assert "user:alice" in first
    assert "It may read record on its own" in first or "read" in first
    assert "contract version 1" in first
    assert "Account assistant" in first
    assert "not_covered" in second
    assert "No clause allows “write” for this call." in second
    assert "record:4711" in second
    assert "A decision appears here within a second." in text


@pytest.mark.parametrize(
    ("query", "actions_found"),
    [
        ({"outcome": "deny"}, ["fly", "write"]),
        ({"outcome": "allow"}, ["read"]),
        ({"code": "unknown_action"}, ["fly"]),
        ({"action": "write"}, ["write"]),
        ({"subject": "user:bob"}, ["write"]),
        ({"subject": "user:bob", "outcome": "allow"}, []),
        ({"clause": "1"}, ["read"]),
        ({"clause": "99"}, []),
        ({"outcome": "nonsense", "clause": "x"}, ["fly", "write", "read"]),
        ({"before": "nonsense"}, ["fly", "write", "read"]),
    ],
)
def test_filters_stand_in_the_address(cast, as_, initiative, system, query, actions_found):
    system.ask("read")
    system.ask("write", subject="user:bob")
    system.ask("fly")
    logged()
    found = rows(page(as_(cast.owner), initiative, **query))
    assert [row.split("<b>")[1].split("</b>")[0] for row in found] == actions_found


def test_days_and_keys_narrow_the_list(cast, as_, initiative, system):
    second_row, second = factories.make_key(cast, initiative, system="Nightly run")
    with clock.simulated(clock.now() - timedelta(days=2)):
        System(second.text).ask("read")
    system.ask("write")
    logged()
    client, day = as_(cast.owner), clock.today() - timedelta(days=2)
    assert len(rows(page(client, initiative))) == 2
    for query in ({"key": second_row.pk}, {"until": day}, {"since": day, "until": day}):
        (only,) = rows(page(client, initiative, **query))
        assert "Nightly run" in only
    (only,) = rows(page(client, initiative, since=clock.today()))
    assert "Account assistant" in only


@pytest.mark.parametrize("apart", [1, 0], ids=["one after another", "in one moment"])
def test_pages_follow_the_key_and_meet_every_decision_once(cast, as_, initiative, apart):
    write(initiative, 120, apart=apart)
    write(factories.make_prototype(cast, title="Other"), 3)
    client, found, query = as_(cast.owner), [], {}
    for _ in range(5):
        text = page(client, initiative, **query)
        found += [row.split("record:")[1].split("<")[0] for row in rows(text)]
        if 'rel="next"' not in text:
            break
        query = {"before": text.split('rel="next" href="')[1].split("before=")[1].split('"')[0]}
        write(initiative, 1, resource="record:new")  # what comes meanwhile moves nothing
    assert found == [str(number) for number in range(119, -1, -1)]


def test_a_rare_answer_is_looked_for_a_stretch_at_a_time(cast, as_, initiative, monkeypatch):
    monkeypatch.setattr(decision_queries, "STRETCH", 20)
    write(initiative, 1, at=clock.now() - timedelta(hours=1), outcome="deny", code="held")
    write(initiative, 50)
    client = as_(cast.owner)
    text, query = page(client, initiative, outcome="deny"), {}
    for _ in range(2):
        assert rows(text) == []
        assert "No matching decision since" in text
        query = {"before": text.split('rel="next" href="')[1].split("before=")[1].split('"')[0].split("&")[0]}
        text = page(client, initiative, outcome="deny", **query)
    assert len(rows(text)) == 1
    assert 'rel="next"' not in text
    assert "Last 24 hours, newest 20 requests:" in text


def test_a_page_costs_the_same_however_much_was_asked(cast, as_, initiative):
    client = as_(cast.owner)

    def asked() -> int:
        page(client, initiative)
        with CaptureQueriesContext(connection) as queries:
            page(client, initiative)
        return len(queries)

    write(initiative, 5)
    few = asked()
    write(initiative, 200)
    assert asked() == few


def test_figures_of_a_day_and_how_many_use_an_mvp(cast, as_):
    initiative = factories.make_contract(cast, factories.make_mvp(cast), FIXTURE)
    users = (
        ScopeVersion.objects.filter(initiative=initiative, ended_at__isnull=True)
        .latest("starts_at")
        .user_count
    )
    write(initiative, users, outcome="deny", code="held")
    write(initiative, 3, at=clock.now() - timedelta(days=40), outcome="allow", subject="user:long-ago")
    client = as_(cast.seat_risk)
    text = page(client, initiative)
    assert f'<b>{users}</b> <span class="tag bad">denied' in text
    assert '<b>0</b> <span class="tag ok">allowed' in text
    assert (
        f"{users} different subjects sent requests in the last 30 days. The scope names {users} users" in text
    )
    assert "More different subjects sent requests than the scope lists." not in text
    write(initiative, 1, subject="user:one-more")
    text = page(client, initiative)
    assert f"{users + 1} different subjects" in text
    assert "More different subjects sent requests than the scope lists." in text
    assert decision_queries.subjects(initiative.number, clock.now() - timedelta(days=60)) == users + 2


def test_one_decision_shows_the_whole_request_and_whether_it_is_sealed(cast, as_, initiative, system):
    system.ask("write", subject="user:bob", resource_status="archived", context={"note": "<b>x"})
    (row,) = logged()
    client, url = as_(cast.auditor), at("told-one", initiative.ref, decision_queries.Place.of(row))
    text = text_of(client.get(url))
    assert '"status": "archived"' in unescape(text)
    assert "<b>x" not in text
    assert "which is not sealed yet" in text
    assert "Contract and access" in text  # the head of the page is that of the initiative
    sealing.seal()
    text = text_of(client.get(url))
    entry = Entry.objects.get(table="governance_decisionbatch", key=str(row.batch_id))
    assert f"at position {entry.leaf.position}" in text
    assert client.get(at("audit-log-receipt", entry.pk)).status_code == 200
    assert at("audit-log-receipt", entry.pk) in text
    assert at("audit-log-receipt", entry.pk) not in text_of(as_(cast.owner).get(url))
    other = factories.make_prototype(cast, title="Other")
    for wrong in (
        at("told-one", other.ref, decision_queries.Place.of(row)),
        at("told-one", initiative.ref, "1-1"),
        at("told-one", initiative.ref, "x"),
    ):
        assert client.get(wrong).status_code == 404


def test_admins_without_a_role_do_not_read_requests(cast, as_, initiative, system):
    system.ask("read", subject="user:ravi", resource="record:secret-plan")
    (row,) = logged()
    client = as_(cast.admin)
    text = page(client, initiative)
    assert "read" in rows(text)[0]
    for private in (
        "user:ravi",
        "secret-plan",
        at("told-one", initiative.ref, decision_queries.Place.of(row)),
        "Export CSV",
    ):
        assert private not in text
    assert len(rows(page(client, initiative, subject="user:nobody"))) == 1  # nor find out by asking for one
    for url in (
        at("told-one", initiative.ref, decision_queries.Place.of(row)),
        at("told", initiative.ref, format="csv"),
        at("contract-dry-run", initiative.ref),
    ):
        assert client.get(url).status_code == 403
    assert "user:ravi" in page(as_(cast.seat_risk), initiative)
    assert as_(cast.outsider).get(at("told", initiative.ref)).status_code == 404


def test_the_file_is_safe_says_what_the_page_says_and_is_recorded(cast, as_, initiative, system):
    system.ask("read", subject="user:=1+1", resource="=cmd|'/c calc'!A0:x")
    system.ask("write", subject="user:bob")
    logged()
    client = as_(cast.auditor)
    with acts() as kinds:
        answer = client.get(at("told", initiative.ref, format="csv", action="read"))
        content = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert kinds == ["export taken"]
    heading, only = csv.reader(io.StringIO(content))
    line = dict(zip(heading, only, strict=True))
    assert line["Resource"] == "'=cmd|'/c calc'!A0:x"
    assert line["Subject"] == "user:=1+1"
    assert line["Outcome"] == "Denied"
    assert json.loads(line["Question"])["subject"]["id"] == "=1+1"
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in only)


def test_what_was_erased_says_so_and_shows_nothing(cast, as_, initiative, system):
    system.ask("read", subject="user:ravi")
    (row,) = logged()
    tamper(
        "UPDATE governance_policydecision SET salt = NULL, request = '{}', subject = '', resource = '' WHERE id = %s",
        row.pk,
        table="governance_policydecision",
    )
    client = as_(cast.owner)
    assert "erased" in rows(page(client, initiative))[0]
    assert "The request was erased on purpose" in text_of(
        client.get(at("told-one", initiative.ref, decision_queries.Place.of(row)))
    )


def test_places_read_back_what_they_wrote():
    place = decision_queries.Place(clock.now(), 12345)
    assert decision_queries.Place.read(str(place)) == place
    for junk in ("", "1", "-1", "1-", "x-1", "1-x", "9" * 40 + "-1", "1-" + "9" * 40, "\u0661-1"):
        assert decision_queries.Place.read(junk) is None, junk


def test_the_switch_leaves_what_was_told(cast, as_, initiative, system):
    kill_switch.switch_off(initiative=initiative, reason="A trial.", by=cast.owner)
    system.ask("read")
    logged()
    (row,) = rows(page(as_(cast.owner), initiative))
    assert "switched_off" in row
    assert PolicyDecision.objects.get().version_number is not None
