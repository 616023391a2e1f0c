"""The page of the systems of an initiative: keys made, rotated and revoked, code to copy, a request that is tried."""

import ast
import json
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization import authzen
from governance.authorization import decision as authorization_decision
from governance.contracts import cedar_policies
from governance.contracts.clauses import Terms, Test
from governance.models import PolicyDecision, ServiceKey
from initiatives.contracts.approvals.actions import WHY_NOT
from initiatives.contracts.documents.actions import Written
from initiatives.contracts.enforcement import code_examples, kill_switch
from initiatives.contracts.enforcement.key_views import CLIENT
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import ApprovalRequest
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.rules.authzen_fixture import ALWAYS, EVERYBODY, equals, may
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """A prototype with a contract."""
    return factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)


def sent(cast, **other) -> dict:
    """What a browser sends for a new key."""
    day = clock.today() + timedelta(days=30)
    fields = {
        "system": "Account assistant",
        "principal": cast.lead.pk,
        "scopes": ["evaluate"],
        "expires_on": day,
    }
    return fields | other


def shown_key(page: str) -> str:
    """The key that a page shows."""
    return page.split('id="new-key"')[1].split('value="')[1].split('"')[0]


def test_who_answers_for_a_new_key_is_the_technical_lead_unless_another_is_chosen(cast, as_, initiative):
    initiative_acts.staff(initiative_acts.fresh(initiative), cast.team, ("technical_lead",))
    page = text_of(as_(cast.owner).get(at("initiative-act", initiative.ref, "make-key")))
    assert f'<option value="{cast.lead.pk}" selected>' in page


def test_a_key_is_made_and_shown_exactly_once(cast, as_, initiative):
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "make-key")
    with acts() as kinds:
        answer = client.post(url, sent(cast))
    assert kinds == ["key made"]
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    token = shown_key(text_of(answer))
    row = ServiceKey.objects.get()
    assert token.startswith(f"plk_{row.public}_")
    assert row.expires_at == clock.midnight_after(clock.today() + timedelta(days=30))
    assert System(token).ask("read")["decision"] is True
    secret = token.split("_", 2)[2]
    for page in (
        at("api-access", initiative.ref),
        url,
        at("initiative-activity", initiative.ref),
        at("row-act", "keys", row.pk, "rotate"),
    ):
        assert secret not in text_of(client.get(page)), page
    assert secret not in str(dict(client.session))
    page = text_of(client.get(at("api-access", initiative.ref)))
    assert row.public in page
    assert "Account assistant" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"system": " "}, "required"),
        ({"scopes": []}, "required"),
        ({"scopes": ["everything"]}, "valid choice"),
        ({"principal": ""}, "required"),
        ({"expires_on": "2001-01-01"}, "within the next year"),
        ({"expires_on": "2099-01-01"}, "within the next year"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_and_none_is_made(cast, as_, initiative, wrong, words):
    page = text_of(
        as_(cast.owner).post(at("initiative-act", initiative.ref, "make-key"), sent(cast, **wrong))
    )
    assert words in page
    assert "Account assistant" in page or "system" in wrong
    assert not ServiceKey.objects.exists()


def test_a_key_is_rotated_with_a_change_over_and_revoked_at_once(cast, as_, initiative):
    row, old = factories.make_key(cast, initiative)
    client = as_(cast.owner)
    with acts() as kinds:
        page = text_of(client.post(at("row-act", "keys", row.pk, "rotate"), {"expires_on": clock.today()}))
    assert kinds == ["key made"]
    new = shown_key(page)
    assert "Enter the new key in the system before that time" in page
    assert System(old.text).ask("read")["decision"] is True
    assert System(new).ask("read")["decision"] is True
    page = text_of(client.get(at("api-access", initiative.ref)))
    assert "being replaced" in page
    assert at("row-act", "keys", row.pk, "rotate") not in page
    assert (
        client.post(at("row-act", "keys", row.pk, "rotate"), {"expires_on": clock.today()}).status_code == 403
    )
    with acts() as kinds:
        url = at("row-act", "keys", row.pk, "revoke")
        assert "required" in text_of(client.post(url, {"reason": ""}))
        assert client.post(url, {"reason": "It leaked."}).status_code == 302
    assert kinds == ["key revoked"]
    assert System(old.text).send("/access/v1/evaluation", {}).status_code == 401
    page = text_of(client.get(at("api-access", initiative.ref)))
    assert "It leaked." in page
    assert url not in page


def test_who_may_make_keys_and_who_only_reads(cast, as_, initiative):
    row, _ = factories.make_key(cast, initiative)
    revoke = at("row-act", "keys", row.pk, "revoke")
    pages = [
        at("initiative-act", initiative.ref, "make-key"),
        at("row-act", "keys", row.pk, "rotate"),
        revoke,
    ]
    for person in (cast.support, cast.seat_risk, cast.chair, cast.auditor, cast.admin):
        client = as_(person)
        page = text_of(client.get(at("api-access", initiative.ref)))
        assert row.public in page
        for url in pages:
            assert url not in page
            assert client.get(url).status_code == 403
            assert client.post(url, sent(cast)).status_code == 403
    for url in (*pages, at("api-access", initiative.ref), at("api-access-try", initiative.ref)):
        assert as_(cast.outsider).get(url).status_code == 404
    assert ServiceKey.objects.count() == 1


def test_when_a_key_was_last_used_comes_from_the_log(cast, as_, initiative):
    _, token = factories.make_key(cast, initiative)
    client = as_(cast.owner)

    def keys() -> str:
        return text_of(client.get(at("api-access", initiative.ref))).split('id="outcomes"')[0]

    assert "never" in keys()
    with clock.simulated(clock.now() - timedelta(days=3)) as then:
        System(token.text).ask("read")
    logged()
    page = keys()
    assert "never" not in page
    assert f"{clock.local(then):%-d %b %H:%M}" in page


def test_the_client_is_downloaded_as_it_is(cast, as_):
    answer = as_(cast.outsider).get(at("access-client"))
    assert answer.content == CLIENT.read_bytes()
    assert answer["Content-Type"] == "text/x-python; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="client.py"'
    compile(answer.content, "client.py", "exec")
    assert "class Plumbline" in text_of(answer)


# --- Code to copy ----------------------------------------------------------------------------------------------------


def test_the_examples_speak_of_this_contract_and_are_allowed_as_they_stand(cast, as_, initiative):
    _, token = factories.make_key(cast, initiative)
    page = unescape(text_of(as_(cast.seat_risk).get(at("api-access", initiative.ref))))
    body = page.split("<<'REQUEST'\n")[1].split("\nREQUEST")[0]
    assert json.loads(body)["action"]["name"] == "read"
    assert f"{settings.ADDRESS}/access/v1/evaluation" in page
    assert System(token.text).send("/access/v1/evaluation", body).json()["decision"] is True
    over_http = page.split("Authorization: Bearer plk_...")[1].split("\n\n")[1].split("</pre>")[0]
    assert json.loads(over_http) == json.loads(body)
    python = page.split('aria-label="Example in Python">')[1].split("</pre>")[0]
    compile(python, "example", "exec")
    assert 'action="read",' in python


def rules_of(clauses) -> list[cedar_policies.Rule]:
    """Clauses as the engine takes them."""
    return [cedar_policies.Rule(number, one.kind, one.terms) for number, one in enumerate(clauses, 1)]


HARD = [
    Written(
        "autonomy",
        terms=Terms(
            action="refund",
            resource="order",
            audience=("clerks",),
            over=100,
            up_to=5000,
            currency="EUR",
            most=3,
            tests=(
                Test("resource", "status", "one_of", ("open", "it's late")),
                Test("subject", "level", "at_least", 2),
                Test("context", "checked", "equals", True),
            ),
        ),
    ),
    Written("audience", terms=Terms(audience=("clerks", "user:alice"))),
    Written("residency", terms=Terms(regions=("eu-west",))),
    *ALWAYS,
]
BOUND = authorization_decision.Bound(
    frozenset({"Sales"}),
    frozenset({"Lisbon", "Porto"}),
    frozenset({"customer notes"}),
    test_subjects=("agent:lab-*", "user:alice"),
)


RESTRICTED = [
    may("write", tests=[Test("resource", "status", "differs", "archived")]),
    *(
        Written("edge_policy", terms=Terms(tests=(test,), then="refuse"))
        for test in (
            equals("resource", "frozen", True),
            Test("resource", "value", "at_least", 1000),
            Test("context", "load", "at_most", 3),
            Test("context", "channel", "one_of", ("mail", "chat")),
            Test("subject", "rank", "differs", "clerk"),
        )
    ),
    Written(
        "human_approval",
        terms=Terms(action="write", over=100_000, currency="EUR", approvers=("owner",), minutes=60),
    ),
    Written(
        "human_approval",
        terms=Terms(action="write", audience=("interns",), most=5, approvers=("owner",), minutes=60),
    ),
    EVERYBODY,
    *ALWAYS,
]


@pytest.mark.parametrize(
    "clauses",
    [FIXTURE, HARD, RESTRICTED, initiative_acts.CLAUSES],
    ids=["fixture", "hard", "restricted", "demo"],
)
@pytest.mark.parametrize("stage", ["prototype", "mvp"])
def test_the_example_of_any_contract_is_one_that_its_clauses_speak_of(clauses, stage):
    """Whatever bounds the contract, the example says what it asks for, in all three forms of code."""
    rules = rules_of(clauses)
    condition = authorization_decision.InitiativeCondition(stage, bound=BOUND)
    evaluation_request = code_examples.example(rules, condition)
    version = authorization_decision.Version(1, "", clock.now(), None, cedar_policies.Policies(rules))
    decision = authorization_decision.decide(
        version, condition, authzen.evaluation_request(evaluation_request), clock.now()
    )
    assert decision.outcome == "allow", decision.reason
    compile(code_examples.as_python("https://x", evaluation_request), "example", "exec")
    again = code_examples.evaluation_request_of(
        subject=f"{evaluation_request['subject']['type']}:{evaluation_request['subject']['id']}",
        action=evaluation_request["action"]["name"],
        resource=f"{evaluation_request['resource']['type']}:{evaluation_request['resource']['id']}",
        properties=code_examples.as_lines(evaluation_request),
    )
    assert again == evaluation_request


def test_the_example_of_a_prototype_is_asked_by_one_of_its_test_subjects():
    bound = authorization_decision.Bound(test_subjects=("agent:lab-*",))
    condition = authorization_decision.InitiativeCondition("prototype", bound=bound)
    evaluation_request = code_examples.example(rules_of(HARD), condition)
    assert evaluation_request["subject"]["id"] == "lab-1"
    assert evaluation_request["subject"]["type"] == "agent"
    found = {one.name: one.values for one in code_examples.bounds(condition, rules_of(HARD))}
    assert found["subject, as type:id"] == ("agent:lab-*",)


def test_what_a_request_has_to_say_is_what_the_scope_and_the_contract_bound():
    condition = authorization_decision.InitiativeCondition("mvp", bound=BOUND)
    found = {bound.name: bound.values for bound in code_examples.bounds(condition, rules_of(HARD))}
    assert found == {
        "subject.properties.department": ("Sales",),
        "subject.properties.place": ("Lisbon", "Porto"),
        "resource.properties.data_class": ("customer notes",),
        "subject, or subject.properties.groups": ("clerks", "user:alice"),
        "context.region": ("eu-west",),
    }
    assert (
        code_examples.bounds(
            authorization_decision.InitiativeCondition("production", bound=BOUND), rules_of(FIXTURE[:4])
        )
        == []
    )


def codes_in(*path: str) -> set[str]:
    """The codes that a module denies with, or puts into a decision, as they stand in its source."""
    found = set()
    for node in ast.walk(ast.parse(settings.BASE_DIR.joinpath(*path).read_text())):
        name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if name in ("_deny", "Decision"):
            code = node.args[0 if name == "_deny" else 1]
            found |= {code.value} if isinstance(code, ast.Constant) else set()
    return found


def test_every_code_is_explained_and_no_other_of_the_engine():
    of_bounds = {"outside_audience", "outside_residency"}  # put together from the kinds of bounds
    assert codes_in("governance", "authorization", "decision.py") | of_bounds == set(
        authorization_decision.CODES
    )
    of_api = codes_in("initiatives", "contracts", "enforcement", "api.py")
    assert {"error", "unavailable"} <= of_api <= set(code_examples.CODES)
    assert {code for code in code_examples.CODES if code.startswith("approval_")} == set(WHY_NOT)
    assert all(meaning.endswith(".") for _, meaning in code_examples.CODES.values())


def test_a_initiative_without_a_contract_says_what_is_missing(cast, as_):
    page = text_of(as_(cast.owner).get(at("api-access", factories.make_initiative(cast).ref)))
    assert "No contract yet" in page
    assert "No version of the contract is in force" in page
    initiative = factories.make_initiative(cast, title="Idea")
    assert (
        as_(cast.owner).post(at("initiative-act", initiative.ref, "make-key"), sent(cast)).status_code == 403
    )


# --- A request that is tried ----------------------------------------------------------------------------------------


def tried(client, initiative, **fields) -> str:
    """The page that answers to a request of the form."""
    given = {"subject": "user:alice", "action": "read", "resource": "record:1", "properties": ""}
    answer = client.post(at("api-access-try", initiative.ref), given | fields)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return unescape(text_of(answer))


def test_a_request_is_tried_by_the_contract_and_leaves_nothing(cast, as_, initiative):
    client = as_(cast.seat_risk)
    with acts() as kinds:
        assert "Test: allowed" in tried(client, initiative)
        denied = tried(client, initiative, subject="user:bob", action="write")
        assert "Test: denied" in denied
        assert "not_covered" in denied
        assert "unknown_action" in tried(client, initiative, action="fly")
        asked = tried(client, initiative, action="hand_over")
        assert "Test: needs approval" in asked
        assert "the business owner, within 60 minutes" in asked
        forbidden = tried(client, initiative, action="write", properties="context.failure=low_confidence")
        assert "edge_policy" in forbidden
    assert kinds == []
    assert logged() == []
    assert not PolicyDecision.objects.exists()
    assert not ApprovalRequest.objects.exists()


def test_what_is_tried_is_what_a_system_would_be_told(cast, as_, initiative):
    """The same words from page and API, in every condition the initiative can be in."""
    _, token = factories.make_key(cast, initiative)
    system, client = System(token.text), as_(cast.owner)

    def same():
        told = system.ask("read", resource="record:1")["context"]
        page = tried(client, initiative)
        assert told["reason"] in page
        assert told["code"] in page
        return told["code"]

    assert same() == "allowed"
    hold = hold_deeds.hold(initiative=initiative, reason="It named a customer.", by=cast.seat_risk)
    assert same() == "held"
    hold_deeds.lift_hold(hold=hold, reason="Masked.", by=cast.chair)
    kill_switch.switch_off(initiative=initiative, reason="A trial.", by=cast.owner)
    assert same() == "switched_off"
    kill_switch.switch_on(initiative=initiative, reason="Over.", by=cast.owner)
    assert same() == "allowed"
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Dear", by=cast.owner)
    assert same() == "initiative_closed"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subject": "alice"}, "Write the subject as type:id"),
        ({"resource": "record:"}, "Write the resource as type:id"),
        ({"properties": "department=Sales"}, "is not a property"),
        ({"properties": "subject.department"}, "is not a property"),
        ({"properties": "else.x=1"}, "is not a property"),
        ({"properties": "a.b=1\n" * 60}, "You can enter at most 50 properties"),
        ({"action": ""}, "required"),
    ],
)
def test_a_request_that_is_none_is_said_and_keeps_what_was_typed(cast, as_, initiative, fields, words):
    page = tried(as_(cast.owner), initiative, **fields)
    assert words in page
    assert "Not sent yet" in page
    assert "Test:" not in page


def test_values_are_read_as_what_they_are():
    evaluation_request = code_examples.evaluation_request_of(
        subject="user:alice",
        action="pay",
        resource="invoice:7",
        properties="action.amount=5000\nsubject.groups=clerks, leads\nresource.open=true\n\ncontext.note=a=b\n"
        "action.count=-3\nresource.code=007x",
    )
    assert evaluation_request["action"]["properties"] == {"amount": 5000, "count": -3}
    assert evaluation_request["subject"]["properties"] == {"groups": ["clerks", "leads"]}
    assert evaluation_request["resource"]["properties"] == {"open": True, "code": "007x"}
    assert evaluation_request["context"] == {"note": "a=b"}


def test_statuses_are_those_that_the_api_answers_with():
    calls = [
        node
        for name in (
            "initiatives/contracts/enforcement/api.py",
            "initiatives/contracts/enforcement/access_request_api.py",
            "governance/web/machine_api.py",
        )
        for node in ast.walk(ast.parse((settings.BASE_DIR / name).read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Answered"
    ]
    answered = {node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant)}
    assert answered == set(code_examples.STATUSES)
