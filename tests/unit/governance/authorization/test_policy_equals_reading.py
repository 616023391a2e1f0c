"""What the engine decides is what a plain reading of the clauses says, and whatever goes wrong, nothing is allowed."""

import copy
import random
from types import SimpleNamespace

import pytest

from governance.contracts import cedar_policies
from governance.contracts.cedar_policies import Policies, PolicyTrouble, Rule
from governance.contracts.clauses import Terms, Test
from tests.support.rules.random_contracts import (
    WRONG,
    answered,
    in_force,
    looser,
    random_contract,
    random_moment,
    random_request,
    unequal,
)

FULL = 500  # rounds from which all hundred thousand are asked


def test_the_engine_decides_what_the_clauses_say(rounds):
    """A share in the suite; 100,000 with `--rounds 500`."""
    wrong, codes = unequal(random.Random(rounds), 100_000 if rounds >= FULL else 2500)
    assert wrong == []
    outcomes = {outcome for outcome, _ in codes}
    for outcome in ("allow", "needs_approval", "deny"):
        share = sum(number for (one, _), number in codes.items() if one == outcome) / codes.total()
        assert share >= 0.1, f"only {share:.1%} {outcome}: the requests try too little"
    assert outcomes == {"allow", "needs_approval", "deny"}
    # Every way to decide that a clause can lead to is among them.
    assert {code for _, code in codes} == {
        "allowed",
        "edge_policy",
        "edge_unforeseen",
        "malformed",
        "needs_approval",
        "nobody_to_ask",
        "not_covered",
        "outside_audience",
        "outside_residency",
        "unknown_action",
    }


def test_leaving_something_out_never_gives_a_looser_answer(rounds):
    """A share in the suite; 100,000 with `--rounds 500`."""
    found, compared = looser(random.Random(rounds), 100_000 if rounds >= FULL else 12_000)
    assert found == []
    # Each outcome of a whole request is there, and each stricter answer that leaving out can lead to.
    pairs = {("allow", "deny"), ("needs_approval", "deny")} | (
        {("allow", "needs_approval")} if rounds >= FULL else set()
    )
    assert pairs <= set(compared)
    assert compared["allow", "allow"]
    assert compared["needs_approval", "needs_approval"]


# --- Errors injected -------------------------------------------------------------------------------------------------


def trials(seed, count=150):
    """Random requests with the version they are put to."""
    chance = random.Random(seed)
    while count:
        rules, words = random_contract(chance)
        version = in_force(rules)
        for _ in range(5):
            count -= 1
            yield version, random_request(chance, rules, words), random_moment(chance, rules)


def test_without_an_injected_error_some_of_these_requests_are_allowed():
    outcomes = [answered(*trial)[0] for trial in trials(1)]
    assert outcomes.count("allow") > 10
    assert outcomes.count("needs_approval") > 10


class Found:
    """A made-up result of Cedar's."""

    def __init__(self, decision, ids=(), errors=(), annotated=True):
        self.decision = decision
        self.allowed = decision is cedar_policies.cedarpy.Decision.Allow
        names = {f"policy{n}": one for n, one in enumerate(ids)}
        self.diagnostics = SimpleNamespace(
            errors=list(errors),
            reasons=list(names),
            id_annotations_by_reason=names if annotated else {},
        )


def raising(error):
    def is_authorized(*_, **__):
        raise error

    return is_authorized


# What is answered when Cedar names no clause at all.
NOTHING_SAID = ("not_covered", "unknown_action", "edge_unforeseen")
ALLOW = cedar_policies.cedarpy.Decision.Allow
FAULTS = {
    "an error of a value": raising(ValueError("no")),
    "an error of the machine": raising(RuntimeError("panic")),
    "no memory": raising(MemoryError()),
    "an operating system's error": raising(OSError("away")),
    "too deep": raising(RecursionError()),
    "no decision": lambda *_: Found(cedar_policies.cedarpy.Decision.NoDecision),
    "allowed with an error": lambda *_: Found(ALLOW, ["1"], errors=["policy0: attribute not found"]),
    "allowed with errors that are no texts": lambda *_: Found(ALLOW, ["1"], errors=[{}]),
    "allowed by nothing": lambda *_: Found(ALLOW),
    "allowed by a number nobody gave": lambda *_: Found(ALLOW, ["4711"]),
    "allowed by a word": lambda *_: Found(ALLOW, ["yes"]),
    "allowed by an empty name": lambda *_: Found(ALLOW, [""]),
    "allowed by digits of another script": lambda *_: Found(ALLOW, ["\u0661"]),
    "allowed by a negative number": lambda *_: Found(ALLOW, ["-1"]),
    "allowed by a bound": lambda *_: Found(ALLOW, ["bound:audience"]),
    "allowed by a policy without an id": lambda *_: Found(ALLOW, ["1"], annotated=False),
    "allowed by ids that are no texts": lambda *_: Found(ALLOW, [None]),
    "an answer that is none": lambda *_: None,
    "an answer without diagnostics": lambda *_: SimpleNamespace(
        allowed=True, decision=ALLOW, diagnostics=None
    ),
    "a decision nobody knows": lambda *_: cedar_policies.cedarpy.AuthzResult(
        {"decision": "Maybe", "diagnostics": {}}
    ),
    "a decision that is missing": lambda *_: cedar_policies.cedarpy.AuthzResult({}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_in_the_engine_nothing_is_allowed(monkeypatch, fault):
    monkeypatch.setattr(cedar_policies.cedarpy, "is_authorized", FAULTS[fault])
    for version, evaluation_request, now in trials(2):
        outcome, code, clauses, approval = answered(version, evaluation_request, now)
        assert (outcome, approval) == ("deny", None)
        assert code in ("error", "malformed", *NOTHING_SAID)
        assert clauses == ()


@pytest.mark.parametrize("number", [2, 3])
def test_an_allow_by_a_clause_that_cannot_allow_is_an_error(monkeypatch, number):
    # A clause that refuses, and one that no machine asks about.
    version = in_force(
        [
            Rule(1, "autonomy", Terms(action="send")),
            Rule(2, "edge_policy", Terms(failure="low_confidence", then="refuse")),
            Rule(3, "record_owner", Terms()),
        ]
    )
    assert answered(version, REQUEST, NOW)[0] == "allow"
    for ids in ([str(number)], ["1", str(number)]):
        monkeypatch.setattr(cedar_policies.cedarpy, "is_authorized", lambda *_, ids=ids: Found(ALLOW, ids))
        assert answered(version, REQUEST, NOW)[:2] == ("deny", "error")


NOW = next(trials(3))[2]
REQUEST = {
    "subject": {"type": "user", "id": "a", "properties": {"groups": ["staff"]}},
    "action": {"name": "send", "properties": {"amount": 10, "currency": "EUR", "count": 1}},
    "resource": {"type": "mail", "id": "1", "properties": {"status": "open", "level": 2}},
    "context": {"region": "EU"},
}
ERRING = [
    "context.nowhere == 1",
    "context.nowhere",
    "1 + 9223372036854775807 > 0",
    '"a" < 1',
    "context.weekday.contains(1)",
    "principal.name == 1",
]


@pytest.mark.parametrize("expression", ERRING)
@pytest.mark.parametrize("effect", ["permit", "forbid"])
def test_one_policy_that_errs_denies_whatever_the_others_say(monkeypatch, expression, effect):
    whole = cedar_policies.policies
    erring = f'@id("0") {effect} (principal, action, resource) when {{ {expression} }};'
    monkeypatch.setattr(cedar_policies, "policies", lambda rules: [*whole(rules), erring])
    for version, evaluation_request, now in trials(4, count=60):
        outcome, code, *_ = answered(version, evaluation_request, now)
        assert (outcome, code) in (("deny", "error"), ("deny", "malformed"))


BROKEN = {
    "half a character": Rule(1, "autonomy", Terms(action="\ud800")),
    "a list of numbers": Rule(
        1, "autonomy", Terms(action="send", tests=(Test("resource", "a", "one_of", (1,)),))
    ),
    "no such comparison": Rule(
        1, "autonomy", Terms(action="send", tests=(Test("resource", "a", "like", "x"),))
    ),
    "a number past all": Rule(1, "autonomy", Terms(action="send", over=2**63, currency="EUR")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_clause_that_cannot_be_written_as_a_policy_makes_no_policies(name):
    with pytest.raises(PolicyTrouble):
        Policies([BROKEN[name]])


def test_two_clauses_of_one_number_make_no_policies():
    # Else the laxer one could answer for the stricter.
    laxer, stricter = (
        Rule(7, "autonomy", Terms(action="send")),
        Rule(7, "human_approval", Terms(action="send")),
    )
    with pytest.raises(PolicyTrouble):
        Policies([laxer, stricter])
    # Clauses that nobody asks about may lack a number of their own.
    assert Policies([laxer, Rule(7, "record_owner", Terms())]).by_number == {7: laxer}


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    "part", ["subject.type", "subject.id", "action.name", "resource.type", "resource.id"]
)
def test_a_request_without_its_parts_is_denied(part, wrong):
    version = in_force([Rule(1, "autonomy", Terms(action="send"))])
    of, name = part.split(".")
    evaluation_request = copy.deepcopy(REQUEST)
    evaluation_request[of][name] = wrong
    outcome, code, *_ = answered(version, evaluation_request, NOW)
    if wrong in ("1",):
        assert (outcome, code) in (("allow", "allowed"), ("deny", "unknown_action"))
    else:
        assert (outcome, code) == ("deny", "malformed")
    del evaluation_request[of][name]
    assert answered(version, evaluation_request, NOW)[:2] == ("deny", "malformed")


@pytest.mark.parametrize("wrong", [1, 0, "", "x", [], [1], True, False, 1.5], ids=repr)
def test_a_part_that_is_no_object_is_denied(wrong):
    version = in_force([Rule(1, "autonomy", Terms(action="send"))])
    for of in ("subject", "action", "resource", "context"):
        assert answered(version, {**REQUEST, of: wrong}, NOW)[:2] == ("deny", "malformed")
        if of != "context":
            evaluation_request = {**REQUEST, of: {**REQUEST[of], "properties": wrong}}
            assert answered(version, evaluation_request, NOW)[:2] == ("deny", "malformed")
    assert answered(version, wrong, NOW)[:2] == ("deny", "malformed")


@pytest.mark.parametrize("absent", [{}, {"context": None}, {"context": {}}], ids=repr)
def test_what_may_be_left_out_may_be_left_out(absent):
    version = in_force([Rule(1, "autonomy", Terms(action="send"))])
    bare = {
        part: {k: v for k, v in REQUEST[part].items() if k != "properties"}
        for part in REQUEST
        if part != "context"
    }
    assert answered(version, bare | absent, NOW)[:2] == ("allow", "allowed")


LOOKED_AT = {
    "amount": (Terms(action="send", up_to=20, currency="EUR"), "action", "amount"),
    "currency": (Terms(action="send", up_to=20, currency="EUR"), "action", "currency"),
    "count": (Terms(action="send", most=2), "action", "count"),
    "status": (
        Terms(action="send", tests=(Test("resource", "status", "equals", "open"),)),
        "resource",
        "status",
    ),
    "level": (Terms(action="send", tests=(Test("resource", "level", "at_least", 1),)), "resource", "level"),
    "groups": (Terms(action="send", audience=("staff",)), "subject", "groups"),
}


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_wrong_value_of_what_a_clause_looks_at_is_never_allowed(name):
    terms, of, attribute = LOOKED_AT[name]
    version = in_force([Rule(1, "autonomy", terms)])
    assert answered(version, REQUEST, NOW)[0] == "allow"
    for wrong in [*WRONG, 10.0, "10", "Open", ["staff", 1], {"staff": True}, "staff"]:
        evaluation_request = copy.deepcopy(REQUEST)
        evaluation_request[of]["properties"][attribute] = wrong
        allowed = answered(version, evaluation_request, NOW)[0] == "allow"
        assert allowed is (name == "level" and wrong == 2**63 - 1), wrong
    del evaluation_request[of]["properties"][attribute]
    assert answered(version, evaluation_request, NOW)[0] == "deny"


def test_a_window_that_ends_when_it_begins_never_holds():
    version = in_force([Rule(1, "autonomy", Terms(action="send", from_minute=540, until_minute=540))])
    assert answered(version, REQUEST, NOW)[:2] == ("deny", "not_covered")
