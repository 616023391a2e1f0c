"""Searches over HTTP: each result evaluates to true, they are empty where every evaluation is denied, and throttled."""

import pytest

from governance.contracts.clauses import Terms, Test
from initiatives.contracts.documents.actions import Written
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement import decision_cache, kill_switch
from initiatives.lifecycle.holds import deeds as hold_deeds
from tests.support import factories
from tests.support.database import snapshots
from tests.support.rules.authzen_fixture import (
    ALICE,
    ALWAYS,
    EVERYBODY,
    FIRST,
    READ,
    may,
)
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

CLAUSES = [
    may("read", tests=[Test("resource", "id", "one_of", ("record-1", "record-2"))]),
    may("write", audience=("user:alice",)),
    Written(
        "human_approval", terms=Terms(action="send", resource="record", approvers=("owner",), minutes=60)
    ),
    EVERYBODY,
    *ALWAYS,
]
SEARCHES = {
    "subject": {"subject": {"type": "user"}, "action": READ, "resource": FIRST},
    "resource": {"subject": ALICE, "action": READ, "resource": {"type": "record"}},
    "action": {"subject": ALICE, "resource": FIRST},
}


@pytest.fixture
def initiative(cast):
    return factories.make_contract(cast, factories.make_prototype(cast), CLAUSES)


@pytest.fixture
@snapshots.kept
def system(cast, initiative) -> System:
    return System(factories.make_key(cast, initiative)[1].text)


def found(system, part, **more):
    answer = system.send(f"/access/v1/search/{part}", SEARCHES[part] | more)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_search_names_what_it_leaves_open(cast):
    restricted = Written(
        "edge_policy",
        terms=Terms(action="read", tests=(Test("resource", "frozen", "equals", True),), then="refuse"),
    )
    initiative = factories.make_contract(cast, factories.make_prototype(cast), [*CLAUSES, restricted])
    asking = System(factories.make_key(cast, initiative)[1].text)
    answer = found(asking, "subject")
    assert (answer["results"], answer["context"]) == ([], {"left_open": ["resource.frozen"]})
    answer = found(asking, "subject", resource=FIRST | {"properties": {"frozen": False}})
    assert len(answer["results"]) == 2
    assert "context" not in answer


def test_each_result_evaluates_to_true_and_no_search_is_a_decision(system):
    for part, asked in SEARCHES.items():
        results = found(system, part, context={"channel": "mail"})["results"]
        assert len(results) == 2, part
        for result in results:
            body = asked | {part: result, "context": {"channel": "mail"}}
            assert system.send("/access/v1/evaluation", body).json()["decision"] is True
    assert len(logged()) == 6, "the evaluations only"
    assert set(found(system, "subject")) == {"results"}, "a page is answered to whoever asks for one"
    assert found(system, "subject", page={})["page"] == {"next_token": "", "count": 2}


def test_a_state_in_which_evaluations_are_denied_answers_nothing(cast, initiative, system):
    hold = hold_deeds.hold(initiative=initiative, reason="A concern", by=cast.chair)
    assert [found(system, part)["results"] for part in SEARCHES] == [[], [], []]
    hold_deeds.lift_hold(hold=hold, reason="The concern was answered.", by=cast.chair)
    assert [len(found(system, part)["results"]) for part in SEARCHES] == [2, 2, 2]
    kill_switch.switch_off(initiative=initiative, reason="Wrong.", by=cast.owner)
    assert [found(system, part)["results"] for part in SEARCHES] == [[], [], []]


def test_without_the_database_nothing_is_found(system, monkeypatch):
    assert found(system, "subject")["results"]

    def away(self, public):
        raise decision_cache.Unavailable

    monkeypatch.setattr(decision_cache.Conditions, "of", away)
    assert [found(system, part)["results"] for part in SEARCHES] == [[], [], []]


def test_a_search_costs_what_it_decides(system, settings, monkeypatch):
    monkeypatch.setattr(enforcement_api, "rate", enforcement_api.Rate())
    settings.DECISION_RATE = 3
    statuses = [system.send("/access/v1/search/subject", SEARCHES["subject"]).status_code for _ in range(4)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert statuses.count(200) == 2, "each decides two names"


def test_a_key_searches_its_own_initiative_only_and_with_its_scope(cast, initiative, system):
    body = SEARCHES["subject"] | {"context": {"initiative": "AI-9999"}}
    assert system.send("/access/v1/search/subject", body).status_code == 404
    polls = System(factories.make_key(cast, initiative, scopes=["approvals"])[1].text)
    assert polls.send("/access/v1/search/subject", SEARCHES["subject"]).status_code == 403
    assert System().send("/access/v1/search/subject", SEARCHES["subject"]).status_code == 401
