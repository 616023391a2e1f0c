"""The dry run: a draft answers what was asked, and the page says what would change."""

from datetime import timedelta
from html import unescape

import pytest

from governance import clock
from governance.authorization import decision_queries, dry_run
from governance.contracts.clauses import Terms
from governance.models import PolicyDecision
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents.actions import Written
from initiatives.contracts.enforcement import kill_switch
from tests.app.initiatives.contracts.enforcement.test_authzen import ALWAYS, FIXTURE, may
from tests.support import factories
from tests.support.database import snapshots
from tests.support.database.tampering import tamper
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.servers.asking_systems import write

pytestmark = pytest.mark.django_db

# Nobody reads alone any more, everybody writes alone, and deleting stays as it was.
DRAFT = [
    Written("human_approval", terms=Terms(action="read", approvers=("owner",), minutes=60)),
    may("write"),
    may("delete", audience=("user:alice",)),
    *ALWAYS,
]


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """A prototype with a contract, and a draft of the next version."""
    initiative = factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)
    contract_actions.save_contract(initiative=initiative, clauses=DRAFT, by=cast.owner)
    return initiative


def run(client, initiative, **query) -> str:
    """The page of a run."""
    answer = client.get(at("contract-dry-run", initiative.ref), query)
    assert answer.status_code == 200
    return unescape(text_of(answer))


def told_yesterday(initiative, *said) -> None:
    """Put what was asked yesterday at noon into the log: (action, subject, outcome, code)."""
    noon = clock.midnight_before(clock.today()) - timedelta(hours=12)
    for number, (action, who, outcome, code) in enumerate(said):
        evaluation_request = {
            "subject": {"type": "user", "id": who},
            "action": {"name": action},
            "resource": {"type": "record", "id": str(number)},
        }
        write(
            initiative,
            1,
            at=noon + timedelta(minutes=number),
            action=action,
            subject=f"user:{who}",
            outcome=outcome,
            code=code,
            request=evaluation_request,
            reason=f"Then {number}.",
        )


def test_the_draft_answers_what_was_asked_yesterday(cast, as_, initiative):
    told_yesterday(
        initiative,
        ("read", "alice", "allow", "allowed"),
        ("read", "bob", "allow", "allowed"),
        ("write", "bob", "deny", "not_covered"),
        ("delete", "alice", "deny", "held"),
        ("fly", "alice", "deny", "unknown_action"),
    )
    write(initiative, 1, action="today", outcome="allow")
    client = as_(cast.seat_risk)
    link = at("contract-dry-run", initiative.ref)
    assert link in text_of(client.get(at("contract", initiative.ref)))
    with acts() as kinds:
        page = run(client, initiative)
    assert kinds == []
    assert "4 of 5 requests would get a different answer" in page
    assert "read: allowed" in page
    assert "needs approval, 2 times" in page
    assert "write: denied" in page
    assert "delete: denied" in page
    assert "fly" not in page.split("requests would get a different answer")[1]
    assert "today" not in page.split("requests would get a different answer")[1].split("</section>")[1]
    assert "Then 2." in page
    assert "record:2 for user:bob" in page
    row = PolicyDecision.objects.get(action="write")
    assert at("told-one", initiative.ref, decision_queries.Place.of(row)) in page
    assert "All 5 requests would get the same answer" in run(client, initiative, version=1)
    assert as_(cast.outsider).get(link).status_code == 404


def test_other_days_another_version_and_what_is_no_answer(cast, as_, initiative):
    told_yesterday(initiative, ("read", "alice", "allow", "allowed"))
    client, today = as_(cast.owner), clock.today()
    assert "No requests on these days. Choose other days." in run(
        client, initiative, since=today, until=today
    )
    assert "1 of 1 requests" in run(
        client, initiative, since=today - timedelta(days=3), until=today, version=2
    )
    for wrong in ({"version": 9}, {"since": "someday"}, {"since": today, "until": today - timedelta(days=1)}):
        page = run(client, initiative, **wrong)
        assert "Not run yet" in page
        assert "would get" not in page
    idea = factories.make_initiative(cast, title="Idea")
    assert "No contract yet" in run(client, idea)


def test_a_initiative_that_is_off_today_is_said_and_can_be_left_out(cast, as_, initiative):
    told_yesterday(initiative, ("write", "alice", "allow", "allowed"))
    kill_switch.switch_off(initiative=initiative, reason="A trial.", by=cast.owner)
    client = as_(cast.owner)
    page = run(client, initiative)
    assert "held or switched off today, so every request is denied" in page
    assert "1 of 1 requests would get a different answer" in page
    page = run(client, initiative, running="on")
    assert "so every request is denied" not in page
    assert "All 1 requests would get the same answer" in page


def test_only_the_newest_are_asked_again_and_what_was_erased_is_counted(cast, as_, initiative, monkeypatch):
    told_yesterday(initiative, *[("read", "alice", "allow", "allowed")] * 5)
    erased = PolicyDecision.objects.latest("at")
    tamper(
        "UPDATE governance_policydecision SET salt = NULL, request = '{}' WHERE id = %s",
        erased.pk,
        table="governance_policydecision",
    )
    client = as_(cast.owner)
    page = run(client, initiative)
    assert "4 of 4 requests" in page
    assert "1 more requests were erased" in page
    assert "Only the newest" not in page
    monkeypatch.setattr(dry_run, "MOST", 3)
    page = run(client, initiative)
    assert "2 of 2 requests" in page
    assert "Only the newest 3 requests of these days are counted." in page
