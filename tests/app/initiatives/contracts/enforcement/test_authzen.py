"""Requests of the OpenID AuthZEN Authorization API 1.0, right and wrong, by the fixture of its certification scenario.

The scenario itself is in `tests/acceptance/initiatives/test_authzen_certification.py`.
"""

import json

import pytest

from governance.contracts.clauses import Terms
from initiatives.contracts.documents.actions import Written
from tests.support import factories
from tests.support.database import snapshots
from tests.support.rules.authzen_fixture import (
    ADMIN,
    ALICE,
    ALICE_WRITES,
    ALWAYS,
    ARCHIVED,
    BOB,
    EVERYBODY,
    FIRST,
    READ,
    WRITE,
    equals,
    may,
)
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

FIXTURE = [
    may("read"),
    *ALICE_WRITES,
    may("write", tests=[equals("subject", "role", "admin"), equals("resource", "status", "archived")]),
    may("delete", audience=("user:alice",), tests=[equals("action", "soft", True)]),
    EVERYBODY,
    *ALWAYS,
]


@pytest.fixture
@snapshots.kept
def system(cast) -> System:
    """A system of a prototype whose contract holds the fixture of the scenario."""
    initiative = factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)
    return System(factories.make_key(cast, initiative)[1].text)


def body(subject=ALICE, action=READ, resource=FIRST, **more) -> dict:
    return {"subject": subject, "action": action, "resource": resource} | more


RULES = [
    (1, body(), True),
    (2, body(action=WRITE), True),
    (3, body(BOB), True),
    (4, body(BOB, WRITE), False),
    (5, body(action=WRITE, resource=ARCHIVED), False),
    (6, body(ADMIN, WRITE, ARCHIVED), True),
    (7, body(action={"name": "delete", "properties": {"soft": True}}), True),
    (8, body(action={"name": "delete", "properties": {"soft": False}}), False),
]


@pytest.mark.parametrize(("rule", "asked", "decision"), RULES, ids=[f"rule {row[0]}" for row in RULES])
def test_the_eight_rules_of_the_fixture(system, rule, asked, decision):
    for more in ({}, {"context": {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}}):
        answers = [system.send("/access/v1/evaluation", asked | more) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert [answer.json()["decision"] for answer in answers] == [decision] * 3
        assert answers[0]["Content-Type"] == "application/json"
        assert isinstance(answers[0].json()["context"], dict)


def without(whole: dict, part: str, name: str = "") -> dict:
    """The body without a part, or without one field of a part."""
    if not name:
        return {key: value for key, value in whole.items() if key != part}
    return whole | {part: {key: value for key, value in whole[part].items() if key != name}}


WRONG = {
    "subject missing": without(body(), "subject"),
    "action missing": without(body(), "action"),
    "resource missing": without(body(), "resource"),
    "subject.type missing": without(body(), "subject", "type"),
    "subject.id missing": without(body(), "subject", "id"),
    "action.name missing": without(body(), "action", "name"),
    "resource.type missing": without(body(), "resource", "type"),
    "resource.id missing": without(body(), "resource", "id"),
    "subject is a text": body("alice"),
    "action.name is a number": body(action={"name": 123}),
    "resource is a list": body(resource=[]),
    "context is a text": body(context="now"),
    "properties are a list": body(FIRST | {"properties": []} | ALICE | {"properties": [1]}),
    "a name without end": body(action={"name": "x" * 101}),
    "an empty id": body({"type": "user", "id": ""}),
    "not JSON": "{",
    "nothing": "",
    "a list": "[]",
    "a number that is none": '{"subject": NaN}',
    "an endless number": json.dumps(body(context={"x": 1})).replace("1}", "1e999}"),
    "a zero character": json.dumps(body({"type": "user", "id": "a\u0000"})),
    "half a character": '{"subject": {"type": "user", "id": "\\ud800"}}',
    "a body that nests without end": "[" * 100_000,
}


@pytest.mark.parametrize("asked", WRONG.values(), ids=WRONG)
def test_what_is_no_request_is_400_with_a_sentence(system, asked):
    for url in ("/access/v1/evaluation", "/access/v1/evaluations"):
        answer = system.send(url, asked, HTTP_X_REQUEST_ID="r-1")
        assert answer.status_code == 400, answer.content
        assert isinstance(answer.json(), str)
        assert answer.json().endswith(".")
        assert answer["X-Request-ID"] == "r-1"
    assert logged() == []


def test_headers_are_as_the_specification_says(system):
    for wrong in ("text/plain", "application/xml", "", "multipart/form-data; boundary=x"):
        assert system.send("/access/v1/evaluation", body(), content_type=wrong).status_code == 400
    with_charset = system.send(
        "/access/v1/evaluation", body(), content_type="application/json; charset=utf-8"
    )
    assert with_charset.status_code == 200
    named = system.send("/access/v1/evaluation", body(), HTTP_X_REQUEST_ID="bfe9eb29-ab87")
    assert named["X-Request-ID"] == "bfe9eb29-ab87"
    assert system.send("/access/v1/evaluation", body()).status_code == 200
    read = system.get("/access/v1/evaluation")
    assert (read.status_code, read["Allow"]) == (405, "POST")
    nobody = System().send("/access/v1/evaluation", body(), HTTP_X_REQUEST_ID="r-2")
    assert (nobody.status_code, nobody["X-Request-ID"]) == (401, "r-2")
    assert nobody["WWW-Authenticate"].startswith("Bearer")
    assert isinstance(nobody.json(), str)
    assert nobody["Cache-Control"] == "no-store"


def test_fields_nobody_knows_are_ignored(system):
    strange = {
        "extension": {"deep": [1]},
        "subject": ALICE | {"identity": "alice", "properties": {"x": {"y": [None]}}},
    }
    assert system.send("/access/v1/evaluation", body() | strange).json()["decision"] is True


BATCHES = {
    "defaults": (
        {"subject": BOB, "resource": FIRST, "evaluations": [{"action": READ}, {"action": WRITE}]},
        [True, False],
    ),
    "properties of resources": (
        {
            "subject": ALICE,
            "action": WRITE,
            "evaluations": [
                {"resource": FIRST | {"properties": {"status": "active"}}},
                {"resource": ARCHIVED},
            ],
        },
        [True, False],
    ),
    "properties of subjects": (
        {"action": WRITE, "resource": ARCHIVED, "evaluations": [{"subject": ALICE}, {"subject": ADMIN}]},
        [False, True],
    ),
    "no defaults": ({"evaluations": [body(), body(BOB, WRITE)]}, [True, False]),
    "all of the default": (
        body(action=WRITE, resource=FIRST | {"properties": {"status": "active"}})
        | {"evaluations": [{}, {"resource": ARCHIVED}]},
        [True, False],
    ),
    "one that is wrong": (
        {
            "subject": ALICE,
            "action": READ,
            "options": {"evaluations_semantic": "execute_all"},
            "evaluations": [{"resource": FIRST}, {}],
        },
        [True, False],
    ),
    "deny on first deny": (
        {
            "subject": BOB,
            "resource": FIRST,
            "options": {"evaluations_semantic": "deny_on_first_deny", "another": 1},
            "evaluations": [{"action": READ}, {"action": WRITE}, {"action": READ}],
        },
        [True, False],
    ),
    "permit on first permit": (
        {
            "subject": BOB,
            "resource": FIRST,
            "options": {"evaluations_semantic": "permit_on_first_permit"},
            "evaluations": [{"action": WRITE}, {"action": READ}, {"action": WRITE}],
        },
        [False, True],
    ),
}


@pytest.mark.parametrize(("asked", "decisions"), BATCHES.values(), ids=BATCHES)
def test_batches(system, asked, decisions):
    answer = system.ask_all(asked)
    assert [one["decision"] for one in answer["evaluations"]] == decisions
    assert "decision" not in answer


def test_a_batch_without_evaluations_is_one_request(system):
    assert system.ask_all(body())["decision"] is True
    assert system.ask_all(body(BOB, WRITE) | {"evaluations": []})["decision"] is False
    for wrong in (
        body() | {"evaluations": {}},
        body() | {"evaluations": [{}], "options": []},
        body() | {"evaluations": [{}], "options": {"evaluations_semantic": "as_you_like"}},
        body() | {"evaluations": [{}] * 201},
    ):
        assert system.send("/access/v1/evaluations", wrong).status_code == 400


def test_discovery_names_what_there_is_and_nothing_else(client):
    answer = client.get("/.well-known/authzen-configuration")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    told = answer.json()
    base = told["policy_decision_point"]
    assert told == {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
        "search_subject_endpoint": f"{base}/access/v1/search/subject",
        "search_resource_endpoint": f"{base}/access/v1/search/resource",
        "search_action_endpoint": f"{base}/access/v1/search/action",
        "access_request_endpoint": f"{base}/access/v1/requests",
        "capabilities": ["urn:openid:authzen:capability:access-request"],
    }
    assert client.post("/.well-known/authzen-configuration").status_code == 405


# --- The Todo scenario of the interop events -------------------------------------------------------------------------

PEOPLE = {
    "rick": ("CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "rick@the-citadel.com"),
    "morty": ("CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "morty@the-citadel.com"),
    "summer": ("CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "summer@the-smiths.com"),
    "beth": ("CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "beth@the-smiths.com"),
    "jerry": ("CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "jerry@the-smiths.com"),
}
ROLES = {
    "rick": {"admin", "evil_genius", "editor"},
    "morty": {"editor"},
    "summer": {"editor"},
    "beth": {"viewer"},
    "jerry": {"viewer"},
}


def named(role: str) -> tuple[str, ...]:
    """Subjects of a role, as clauses name them."""
    return tuple(f"user:{PEOPLE[name][0]}" for name, roles in ROLES.items() if role in roles)


TODOS = [
    may("can_read_user", "user"),
    may("can_read_todos", "todo"),
    may("can_create_todo", "todo", audience=named("editor")),
    may("can_update_todo", "todo", audience=named("evil_genius")),
    may("can_delete_todo", "todo", audience=named("admin")),
    *(
        may(
            action,
            "todo",
            audience=(f"user:{pid}",),
            tests=[equals("resource", "ownerID", mail)],
        )
        for action in ("can_update_todo", "can_delete_todo")
        for pid, mail in (PEOPLE["morty"], PEOPLE["summer"])
    ),
    Written("audience", terms=Terms(audience=tuple(f"user:{pid}" for pid, _ in PEOPLE.values()))),
    *ALWAYS,
]


def expected(who: str, action: str, owner: str) -> bool:
    """What the working group's document says of the five roles."""
    roles = ROLES[who]
    return {
        "can_read_user": True,
        "can_read_todos": True,
        "can_create_todo": "editor" in roles or "admin" in roles,
        "can_update_todo": "evil_genius" in roles or ("editor" in roles and who == owner),
        "can_delete_todo": "admin" in roles or ("editor" in roles and who == owner),
    }[action]


def test_the_todo_payloads_are_answered_as_the_working_group_says(cast):
    initiative = factories.make_contract(cast, factories.make_prototype(cast), TODOS)
    system = System(factories.make_key(cast, initiative)[1].text)
    asked = wrong = 0
    for who, (pid, _) in PEOPLE.items():
        for owner, (_, mail) in PEOPLE.items():
            thing = {
                "type": "todo",
                "id": "7240d0db-8ff0-41ec-98b2-34a096273b9f",
                "properties": {"ownerID": mail},
            }
            for action in (
                "can_read_user",
                "can_read_todos",
                "can_create_todo",
                "can_update_todo",
                "can_delete_todo",
            ):
                resource = {"type": "user", "id": mail} if action == "can_read_user" else thing
                answer = system.send(
                    "/access/v1/evaluation",
                    {
                        "subject": {"type": "user", "id": pid},
                        "action": {"name": action},
                        "resource": resource,
                        "context": {},
                    },
                ).json()
                asked += 1
                wrong += answer["decision"] is not expected(who, action, owner)
    assert (asked, wrong) == (125, 0)
    boxcar = {
        "subject": {"type": "user", "id": PEOPLE["morty"][0]},
        "action": {"name": "can_update_todo"},
        "resource": {},
        "context": {},
        "evaluations": [
            {"resource": {"type": "todo", "id": "7240d0db", "properties": {"ownerID": PEOPLE[owner][1]}}}
            for owner in ("rick", "morty")
        ],
    }
    assert [one["decision"] for one in system.ask_all(boxcar)["evaluations"]] == [False, True]
