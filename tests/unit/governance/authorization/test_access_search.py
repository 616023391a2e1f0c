"""Searches: each result is allowed, nothing allowed that is declared is missing, and pages lose nothing."""

import json
import random
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from governance.authorization import access_search, authzen
from governance.authorization.access_search import Page
from governance.authorization.decision import Bound, InitiativeCondition, decide
from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import Terms, Test, problems
from tests.support.rules.random_contracts import (
    in_force,
    random_contract,
    random_moment,
    random_request,
)

NOW = datetime(2026, 3, 23, 9, tzinfo=UTC)
RUNNING = InitiativeCondition("production")
PARTS = tuple(access_search.OPEN)
FIRST_PAGE = Page()


def searched(part, rules, asked, condition=RUNNING, page=FIRST_PAGE, now=NOW):
    return access_search.search(part, in_force(rules), condition, asked, page, now)


def opened(request, part):
    """The request as a search for a part has it."""
    said = {name: value for name, value in request[part].items() if name != access_search.OPEN[part]}
    return request | {part: {} if part == "action" else said}


@pytest.mark.parametrize("seed", range(8))
def test_a_search_finds_exactly_the_declared_names_that_are_allowed(seed):
    """For contracts and requests made at random: neither more nor less than the decision allows."""
    chance, found = random.Random(seed), 0
    for _ in range(25):
        rules, words = random_contract(chance)
        rules.append(
            Rule(
                99,
                "autonomy",
                Terms(
                    action=chance.choice(words["actions"]),
                    tests=(Test("resource", "id", "one_of", ("1", "record-2")),),
                ),
            )
        )
        version = in_force(rules)
        for _ in range(8):
            request, now = random_request(chance, rules, words), random_moment(chance, rules)
            try:
                authzen.evaluation_request(json.loads(json.dumps(request)))
            except (authzen.BadRequest, ValueError):
                continue
            for part in PARTS:
                asked = opened(request, part)
                results = searched(part, rules, asked, now=now).results
                found += len(results)
                for result in results:
                    assert decide(version, RUNNING, asked | {part: result}, now).allowed
                names = {result[access_search.OPEN[part]] for result in results}
                declared = {
                    "action": set(words["actions"]),
                    "subject": {"a", "b"},
                    "resource": {"1", "record-2"},
                }[part] & set(_declared(part, rules, asked))
                for name in declared - names:
                    entity = asked[part] | {access_search.OPEN[part]: name}
                    assert not decide(version, RUNNING, asked | {part: entity}, now).allowed
    assert found > 10


def _declared(part, rules, asked):
    """The names that clauses name, read by hand."""
    for rule in rules:
        if part == "action" and rule.kind in ("autonomy", "human_approval", "edge_policy"):
            yield rule.terms.action
        if part == "subject":
            kind = asked["subject"]["type"] + ":"
            yield from (one.removeprefix(kind) for one in rule.terms.audience if one.startswith(kind))
        if part == "resource" and rule.terms.resource in ("", asked["resource"]["type"]):
            for test in rule.terms.tests:
                if (test.of, test.name) == ("resource", "id"):
                    yield from test.value if isinstance(test.value, tuple) else (test.value,)


# --- What is declared ------------------------------------------------------------------------------------------------


def may(number, action="read", **terms):
    return Rule(number, "autonomy", Terms(action=action, **terms))


def request(**changed):
    return {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record", "id": "record-1"},
    } | changed


def names(found):
    return [next(result[name] for name in ("id", "name") if name in result) for result in found.results]


def test_subjects_are_those_that_clauses_and_the_scope_name_without_a_pattern():
    rules = [may(1), Rule(2, "audience", Terms(audience=("staff", "user:bob", "user:alice", "agent:x")))]
    asked = opened(request(), "subject")
    assert names(searched("subject", rules, asked)) == ["alice", "bob"]
    assert names(searched("subject", rules, asked | {"subject": {"type": "spaceship"}})) == []
    assert names(searched("subject", rules, asked | {"subject": {"type": "staff"}})) == []
    prototype = InitiativeCondition(
        "prototype", bound=Bound(test_subjects=("user:bob", "user:test-*", "user:carl"))
    )
    assert names(searched("subject", rules, asked, prototype)) == ["bob"]
    open_to_all = [may(1)]
    assert names(searched("subject", open_to_all, asked, prototype)) == ["bob", "carl"]
    assert names(searched("subject", open_to_all, asked)) == [], "whom nothing names cannot be listed"


def test_resources_are_those_that_clauses_name_by_their_id():
    rules = [
        may(1, tests=(Test("resource", "id", "one_of", ("record-2", "record-1")),), resource="record"),
        may(2, tests=(Test("resource", "id", "equals", "file-1"),), resource="file"),
        may(3, "write", tests=(Test("resource", "id", "equals", "record-3"),), resource="record"),
        may(4, tests=(Test("resource", "id", "differs", "record-9"),), resource="mail"),
    ]
    asked = opened(request(), "resource")
    assert names(searched("resource", rules, asked)) == ["record-1", "record-2"]
    assert names(searched("resource", rules, asked | {"action": {"name": "write"}})) == ["record-3"]
    assert names(searched("resource", rules, asked | {"resource": {"type": "mail"}})) == []


def test_the_id_of_a_resource_is_no_property_that_a_system_may_state():
    rules = [may(1, tests=(Test("resource", "id", "equals", "record-1"),))]
    version = in_force(rules)
    for key, stated, allowed in (("record-1", "record-2", True), ("record-2", "record-1", False)):
        asked = request(resource={"type": "record", "id": key, "properties": {"id": stated}})
        assert decide(version, RUNNING, asked, NOW).allowed is allowed


def test_an_id_is_compared_with_texts_only():
    for value, how in ((1, "equals"), (True, "equals"), (3, "at_least")):
        terms = Terms(action="read", tests=(Test("resource", "id", how, value),))
        assert "resource.id" in problems("autonomy", terms)["tests"]
    assert problems("autonomy", Terms(action="read", tests=(Test("resource", "id", "equals", "a"),))) == {}


def test_actions_are_decided_without_properties_and_those_that_need_a_person_are_no_results():
    rules = [
        may(1),
        may(2, "delete", tests=(Test("action", "soft", "equals", True),)),
        Rule(3, "human_approval", Terms(action="send", approvers=("owner",), minutes=5)),
    ]
    asked = opened(request(), "action")
    assert names(searched("action", rules, asked)) == ["read"]


def test_properties_that_a_search_states_are_part_of_each_result():
    """A result that is sent as it is evaluates to true."""
    rules = [
        may(1, audience=("user:bob",), tests=(Test("subject", "role", "equals", "admin"),)),
    ]
    asked = opened(request(), "subject")
    assert searched("subject", rules, asked).results == []
    stated = asked | {"subject": {"type": "user", "properties": {"role": "admin"}}}
    assert searched("subject", rules, stated).results == [
        {"type": "user", "properties": {"role": "admin"}, "id": "bob"}
    ]


DENIED = {
    "held": InitiativeCondition("production", held=("A concern",)),
    "switched off": InitiativeCondition("production", switched_off="Wrong."),
    "stopped": InitiativeCondition("stopped"),
    "retired": InitiativeCondition("retired"),
    "withdrawn": InitiativeCondition("mvp", withdrawn=True),
    "an idea": InitiativeCondition("proposed"),
    "unsupported": InitiativeCondition("production", short="Evidence is missing."),
    "an MVP without scope": InitiativeCondition("mvp"),
}


@pytest.mark.parametrize("state", DENIED)
@pytest.mark.parametrize("part", PARTS)
def test_a_condition_that_denies_every_request_leaves_every_search_empty(state, part):
    rules = [
        may(1, audience=("user:alice",), tests=(Test("resource", "id", "equals", "record-1"),)),
    ]
    assert searched(part, rules, opened(request(), part)).results
    assert searched(part, rules, opened(request(), part), DENIED[state]).results == []
    assert access_search.search(part, None, RUNNING, opened(request(), part), Page(), NOW).results == []


# --- Pages -----------------------------------------------------------------------------------------------------------

MANY = tuple(f"user:{number:03}" for number in range(25))
PAGED = [may(1, audience=MANY[::2]), may(2, "write", audience=MANY)]


@pytest.mark.parametrize("limit", [1, 5, 12, 13, 14, 1000])
def test_pages_hold_each_result_once_and_the_last_says_so(limit):
    asked, token, all_of_it, pages = opened(request(), "subject"), "", [], 0
    while pages == 0 or token:
        found = searched("subject", PAGED, asked, page=Page(True, limit, token))
        assert len(found.results) <= limit
        all_of_it, token, pages = all_of_it + names(found), found.next_token, pages + 1
    assert all_of_it == [name.removeprefix("user:") for name in MANY[::2]]
    assert pages == -(-13 // limit), "no page is empty"


def test_one_request_decides_a_bounded_number_of_names(monkeypatch):
    monkeypatch.setattr(access_search, "MOST_TRIED", 10)
    asked, token, results, tried = opened(request(), "subject"), "", [], []
    while not tried or token:
        found = searched("subject", PAGED, asked, page=Page(True, 100, token))
        results, token = results + names(found), found.next_token
        tried.append(found.tried)
    assert (len(results), tried) == (13, [10, 10, 5])


def test_a_token_fits_its_own_search_and_contract_only():
    asked = opened(request(), "subject")
    token = searched("subject", PAGED, asked, page=Page(True, 2)).next_token
    other = asked | {"action": {"name": "write"}}
    version = SimpleNamespace(**vars(in_force(PAGED)) | {"digest": "e" * 64})
    for wrong in ("x", "é", token[:-2], token + "AA", token[2:]):
        with pytest.raises(authzen.BadRequest, match=r"page\.token"):
            searched("subject", PAGED, asked, page=Page(True, 2, wrong))
    with pytest.raises(authzen.BadRequest, match=r"page\.token"):
        searched("subject", PAGED, other, page=Page(True, 2, token))
    with pytest.raises(authzen.BadRequest, match=r"page\.token"):
        access_search.search("subject", version, RUNNING, asked, Page(True, 2, token), NOW)


# --- What is sent ----------------------------------------------------------------------------------------------------


def test_the_name_that_is_searched_is_left_out_and_ignored_if_it_is_there():
    for part in PARTS:
        whole = request() | {"foo": 1}
        asked, page = access_search.read(whole, part)
        assert asked == opened(request(), part)
        assert page == Page()
        assert access_search.read(opened(request(), part), part)[0] == asked
    left_out = {name: one for name, one in request().items() if name != "action"}
    assert access_search.read(left_out, "action")[0] == opened(request(), "action")
    assert access_search.read(request(action="anything"), "action")[0] == opened(request(), "action")


@pytest.mark.parametrize("part", PARTS)
def test_what_a_search_needs_is_asked_for(part):
    needed = {"subject": ["type", "id"], "action": ["name"], "resource": ["type", "id"]}
    needed[part] = [] if part == "action" else ["type"]
    for other, fields in needed.items():
        whole = opened(request(), part)
        if other != "action" or part != "action":
            with pytest.raises(authzen.BadRequest, match=other):
                access_search.read({name: one for name, one in whole.items() if name != other}, part)
        for name in fields:
            said = {key: one for key, one in whole[other].items() if key != name}
            with pytest.raises(authzen.BadRequest, match=f"{other}.{name}"):
                access_search.read(whole | {other: said}, part)


@pytest.mark.parametrize(
    "page", ["x", [], {"limit": -1}, {"limit": True}, {"limit": "1"}, {"limit": 1.5}, {"token": 1}]
)
def test_a_page_that_is_none_is_a_bad_request(page):
    with pytest.raises(authzen.BadRequest, match="page"):
        access_search.read(request(page=page), "subject")


def test_a_page_is_no_larger_than_a_batch():
    assert access_search.read(request(page={"limit": 10**9}), "subject")[1].limit == 200
    assert access_search.read(request(page={"limit": None, "token": None}), "subject")[1] == Page(True)


def test_a_deployment_is_no_result_because_no_clause_answers_it():
    digest = f"sha256:{'a' * 64}"
    asked = request(resource={"type": "artefact", "id": digest}, action={})
    rules = [may(1, "deploy"), may(2, "read")]
    assert names(searched("action", rules, asked)) == ["read"]
    on_records = request(resource={"type": "record", "id": "record-1"}, action={})
    assert names(searched("action", rules, on_records)) == ["deploy", "read"]
