"""The certification scenario of the OpenID AuthZEN working group for its API 1.0, request by request.

Each row is one request of the scenario, with the number that the scenario gives it. `-s` prints every request and its
result. The fixture is a contract. What a contract cannot express is in `LIMITS`, and is printed too.
"""

import json
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.test import Client

from governance.contracts.clauses import Test
from tests.support import factories
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
    SECOND,
    WRITE,
    equals,
    may,
)
from tests.support.servers.asking_systems import System

pytestmark = pytest.mark.django_db

LIMITS = (
    "A contract keeps no attributes of subjects and resources. A search states them (subject.properties.role, "
    "resource.properties.status), or the contract names the subject or the resource itself.",
    "So rule 6 (an admin writes to archived records) is two clauses: one by the role that a request states, and one "
    "that names bob and record-2, by which searches find them. Bob may therefore write to record-2 also without a "
    "stated role. The scenario decides nothing about that request.",
    "Rules 2 and 5 are two clauses that permit alice: any record with a stated status that is not archived, and "
    "record-1 itself. An edge policy about archived records would also deny a request that states no status.",
    "Groups have no members here, so a search for subjects is not transitive (recommended, not required).",
    "The metadata has no signed_metadata (optional).",
    "HTTPS is the reverse proxy's. The addresses in the metadata follow PLUMBLINE_ADDRESS.",
)
BOTH = ("record-1", "record-2")
CLAUSES = [
    may("read", tests=[Test("resource", "id", "one_of", BOTH)]),
    *ALICE_WRITES,
    may("write", tests=[equals("subject", "role", "admin"), equals("resource", "status", "archived")]),
    may("write", audience=("user:bob",), tests=[equals("resource", "id", "record-2")]),
    may("delete", audience=("user:alice",), tests=[equals("action", "soft", True)]),
    EVERYBODY,
    *ALWAYS,
]
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SUBJECT, RESOURCE, ACTION = (f"/access/v1/search/{part}" for part in ("subject", "resource", "action"))
TIME = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
USER, RECORD = {"type": "user"}, {"type": "record"}


@dataclass(frozen=True)
class Row:
    """One request of the scenario: what is sent, and what the harness looks at."""

    number: str
    level: str
    path: str
    body: object
    status: int = 200
    decisions: tuple[bool | None, ...] = ()  # None: any, only the form counts
    names: tuple[str, ...] | None = None  # that the results of a search contain
    only: bool = False  # no other results
    headers: dict[str, str] = field(default_factory=dict)


def asks(subject=ALICE, action=READ, resource=FIRST, **more) -> dict:
    return {"subject": subject, "action": action, "resource": resource} | more


def without(part: str, name: str = "") -> dict:
    """A request without a part, or without one field of it."""
    whole = asks()
    if not name:
        return {key: one for key, one in whole.items() if key != part}
    return whole | {part: {key: one for key, one in whole[part].items() if key != name}}


def one(number, level, body, decision, **more) -> Row:
    return Row(number, f"Basic {level}", EVALUATION, body, decisions=(decision,), **more)


def bad(number, body, path=EVALUATION, level="Basic Core", **more) -> Row:
    return Row(number, level, path, body, 400, **more)


def many(number, level, body, *decisions) -> Row:
    return Row(number, f"Batch {level}", EVALUATIONS, body, decisions=decisions)


def find(number, level, path, body, *names, **more) -> Row:
    return Row(number, f"Search {level}", path, body, names=names, **more)


SOFT, HARD = ({"name": "delete", "properties": {"soft": soft}} for soft in (True, False))
ACTIVE = FIRST | {"properties": {"status": "active"}}
MORE = {
    "subject": ALICE | {"properties": {"department": "Sales", "role": "manager"}},
    "action": READ | {"properties": {"method": "GET"}},
    "resource": FIRST | {"properties": {"status": "active", "owner": "bob"}},
}
WHO_READS = {"subject": USER, "action": READ, "resource": FIRST}
WHAT_READS = {"subject": ALICE, "action": READ, "resource": RECORD}
HOW = {"subject": ALICE, "resource": FIRST}
ROWS = [
    # --- Basic -------------------------------------------------------------------------------------------------------
    one("2.2.1", "Core", asks(), True),
    one("1.4 rule 2", "Core", asks(action=WRITE), True),
    one("1.4 rule 3", "Core", asks(BOB), True),
    one("2.2.2", "Core", asks(BOB, WRITE), False),
    one("2.2.3", "Core", asks(context=TIME), True),
    one("2.2.4", "Properties", asks(action=WRITE, resource=ARCHIVED), False),
    one("2.2.5", "Properties", asks(ADMIN, WRITE, ARCHIVED), True),
    one("2.2.6", "Properties", asks(action=SOFT), True),
    one("2.2.7", "Properties", asks(action=HARD), False),
    one("2.2.8", "Core", MORE, True),
    one("2.2.9", "Core", asks(foo="bar", futureField={"nested": True}), True),
    bad("2.4.1 subject", without("subject")),
    bad("2.4.1 action", without("action")),
    bad("2.4.1 resource", without("resource")),
    bad("2.4.2 subject.type", without("subject", "type")),
    bad("2.4.2 subject.id", without("subject", "id")),
    bad("2.4.2 action.name", without("action", "name")),
    bad("2.4.2 resource.type", without("resource", "type")),
    bad("2.4.2 resource.id", without("resource", "id")),
    bad("2.4.3 content type", asks(), headers={"content_type": "text/plain"}),
    bad("2.4.4 malformed", '{"subject": {'),
    bad("2.4.5 empty", ""),
    bad("2.4.6 subject", asks("alice")),
    bad("2.4.6 action.name", asks(action={"name": 123})),
    one("2.5.1 X-Request-ID", "Core", asks(), True, headers={"HTTP_X_REQUEST_ID": "bfe9eb29-ab87"}),
    one("2.5.2 without it", "Core", asks(), True),
    *(one(f"2.6 time {time}", "Core", asks(), True) for time in (1, 2, 3)),
    # --- Batch -------------------------------------------------------------------------------------------------------
    many(
        "3.2.1",
        "Core",
        {"subject": ALICE, "action": READ, "evaluations": [{"resource": FIRST}, {"resource": SECOND}]},
        None,
        None,
    ),
    many(
        "3.2.2",
        "Core",
        {"subject": BOB, "resource": FIRST, "evaluations": [{"action": READ}, {"action": WRITE}]},
        True,
        False,
    ),
    many(
        "3.2.3",
        "Properties",
        {"subject": ALICE, "action": WRITE, "evaluations": [{"resource": ACTIVE}, {"resource": ARCHIVED}]},
        True,
        False,
    ),
    many(
        "3.2.4",
        "Properties",
        {"action": WRITE, "resource": ARCHIVED, "evaluations": [{"subject": ALICE}, {"subject": ADMIN}]},
        False,
        True,
    ),
    many("3.2.5", "Core", {"evaluations": [asks(), asks(BOB, WRITE)]}, True, False),
    many(
        "3.2.6",
        "Core",
        {
            "subject": ALICE,
            "action": READ,
            "context": {"time": TIME["time"]},
            "evaluations": [
                {"resource": FIRST},
                {"resource": SECOND, "context": {"time": TIME["time"], "source": "batch-override"}},
            ],
        },
        None,
        None,
    ),
    many(
        "3.2.7 (advisory)",
        "Properties",
        {
            "subject": ALICE,
            "action": WRITE,
            "resource": RECORD,
            "evaluations": [
                {"resource": {"id": "record-1", "properties": {"status": "active"}}},
                {"resource": ARCHIVED},
            ],
        },
        True,
        False,
    ),
    many(
        "3.4.1",
        "Core",
        {"subject": ALICE, "action": READ, "evaluations": [{"resource": FIRST}, {}]},
        None,
        False,
    ),
    Row("3.4.2", "Batch Core", EVALUATIONS, asks(), decisions=(True,)),
    Row("3.4.3", "Batch Core", EVALUATIONS, asks(evaluations=[]), decisions=(True,)),
    # --- Search ------------------------------------------------------------------------------------------------------
    find("4.2.1", "Core", SUBJECT, WHO_READS, "alice", "bob"),
    find("4.2.2", "Core", SUBJECT, WHO_READS | {"context": TIME}, "alice", "bob"),
    find("4.2.4", "Properties", SUBJECT, {"subject": USER, "action": WRITE, "resource": ARCHIVED}, "bob"),
    find("4.3.1", "Core", RESOURCE, WHAT_READS, "record-1"),
    find(
        "4.3.3", "Properties", RESOURCE, {"subject": ADMIN, "action": WRITE, "resource": RECORD}, "record-2"
    ),
    find("4.4.1", "Core", ACTION, HOW, "read", "write"),
    find("4.4.2", "Core", ACTION, HOW | {"context": TIME}, "read", "write"),
    find("4.4.3", "Properties", ACTION, {"subject": ADMIN, "resource": ARCHIVED}, "write"),
    find("4.5.1 limit", "Core", SUBJECT, WHO_READS | {"page": {"limit": 1}}, "alice", only=True),
    find(
        "4.5.2 token",
        "Core",
        SUBJECT,
        WHO_READS | {"page": {"limit": 1, "token": "<next>"}},
        "bob",
        only=True,
    ),
    find(
        "4.6.1",
        "Core",
        ACTION,
        HOW | {"subject": {"type": "user", "id": "nonexistent-user"}},
        only=True,
    ),
    find("4.6.2", "Core", SUBJECT, WHO_READS | {"subject": {"type": "spaceship"}}, only=True),
    bad("4.7.1 subject: action", {"subject": USER, "resource": FIRST}, SUBJECT, "Search Core"),
    bad("4.7.1 resource: subject", {"action": READ, "resource": RECORD}, RESOURCE, "Search Core"),
    bad("4.7.1 action: resource", {"subject": ALICE}, ACTION, "Search Core"),
    bad("4.7.2 subject: resource.id", WHO_READS | {"resource": RECORD}, SUBJECT, "Search Core"),
    bad("4.7.2 resource: subject.id", WHAT_READS | {"subject": USER}, RESOURCE, "Search Core"),
]


def test_the_scenario(cast):
    initiative = factories.make_contract(cast, factories.make_prototype(cast), CLAUSES)
    system = System(factories.make_key(cast, initiative)[1].text)
    wrong, token = [], ""
    table = [("test", "level", "address", "status", "answer", "result")]
    for row in ROWS:
        body = row.body
        if row.number == "4.5.2 token":
            body = body | {"page": body["page"] | {"token": token}}
        answer = system.send(row.path, body, **row.headers)
        said = answer.json()
        trouble = problem(row, answer, said)
        if row.number == "4.5.1 limit":
            token = said["page"]["next_token"]
            trouble = trouble or ("" if token else "there is no next page")
        if row.number == "4.5.2 token":
            trouble = trouble or (
                "" if said["page"]["next_token"] == "" else "the last page says there is more"
            )
        table.append(
            (row.number, row.level, row.path, str(answer.status_code), shown(said), trouble or "as asked")
        )
        wrong += [(row.number, trouble)] if trouble else []
    answer = Client().get("/.well-known/authzen-configuration")
    trouble = discovered(answer)
    table.append(
        ("6", "Discovery", "/.well-known/authzen-configuration", "200", "metadata", trouble or "as asked")
    )
    wrong += [("6", trouble)] if trouble else []
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    print(f"{len(table) - 1} requests, {len(wrong)} not as asked", *LIMITS, sep="\n- ")
    assert wrong == []
    assert len(table) - 1 == 57


def problem(row: Row, answer, said) -> str:
    """What is wrong with an answer, by what the harness looks at."""
    if answer.status_code != row.status:
        return f"{answer.status_code} instead of {row.status}"
    if answer["Content-Type"] != "application/json":
        return f"it is {answer['Content-Type']}"
    if (sent := row.headers.get("HTTP_X_REQUEST_ID")) and answer["X-Request-ID"] != sent:
        return "another X-Request-ID"
    if row.status == 400:
        return "" if isinstance(said, str) else "no message"
    if row.names is not None:
        return wrong_results(row, said)
    found = said.get("evaluations", [said])
    given = [one.get("decision") for one in found]
    if len(given) != len(row.decisions) or not all(isinstance(one, bool) for one in given):
        return f"decisions {given}"
    if any(not isinstance(one.get("context", {}), dict) for one in found):
        return "a context that is no object"
    pairs = zip(given, row.decisions, strict=True)
    return "" if all(wanted in (None, one) for one, wanted in pairs) else f"decisions {given}"


def wrong_results(row: Row, said: dict) -> str:
    part = row.path.rpartition("/")[2]
    key, results = "name" if part == "action" else "id", said["results"]
    found = [one[key] for one in results]
    kind = row.body[part]["type"] if part != "action" else ""
    if kind and any(one["type"] != kind for one in results):
        return "a result of another type"
    if set(row.names) - set(found) or (row.only and set(found) != set(row.names)):
        return f"results {found}"
    page = said.get("page", {"next_token": ""})
    return "" if isinstance(page["next_token"], str) else "a page without next_token"


def shown(said) -> str:
    """An answer in short."""
    if isinstance(said, str):
        return said[:60]
    if "results" in said:
        more = said.get("page", {}).get("next_token")
        return json.dumps([one.get("id", one.get("name")) for one in said["results"]]) + (
            " and more" if more else ""
        )
    found = said.get("evaluations", [said])
    return ", ".join(str(one["decision"]).lower() for one in found)


def discovered(answer) -> str:
    """What is wrong with the metadata, but for https, which the address of the test has not."""
    if answer.status_code != 200 or answer["Content-Type"] != "application/json":
        return "it cannot be read"
    told = answer.json()
    base = told["policy_decision_point"]
    endpoints = {name: url for name, url in told.items() if name.endswith("_endpoint")}
    if base != settings.ADDRESS or "access_evaluation_endpoint" not in endpoints:
        return "it is not the metadata of this address"
    if not all(url.startswith(f"{base}/access/v1/") for url in endpoints.values()) or len(endpoints) != 6:
        return f"endpoints {endpoints}"
    return "" if all(isinstance(one, str) for one in told["capabilities"]) else "capabilities are no texts"
