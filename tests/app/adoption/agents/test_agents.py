"""The MCP server: what agents read, what they draft, and what they are refused."""

import json

import pytest

from adoption.agents import mcp_endpoint
from adoption.agents.agent_tools import TOOLS
from governance import clock
from governance.api_tokens import actions
from governance.models import Entry
from governance.models.sign_in import DRAFT
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Answer, AnswerDraft
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.servers.agent import META, NEWEST, Agent
from tests.support.servers.api_reader import Reader

pytestmark = pytest.mark.django_db
KEY = "proto.scope"
BROWSER = {"evidence-kind": "document"}  # which a browser always sends


@pytest.fixture
def initiative(cast):
    return factories.make_initiative(cast)


@pytest.fixture
def agent(cast):
    return Agent(cast.owner)


def offered(initiative, **fields) -> dict:
    """The arguments of an offer that is taken."""
    return {
        "initiative": initiative.ref,
        "requirement": KEY,
        "kind": "document",
        "title": "Scope note of the pilot",
        "link": "https://wiki.example.org/scope",
        "observed_on": clock.today().isoformat(),
    } | fields


# --- The protocol ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", mcp_endpoint.WITH_HANDSHAKE)
def test_a_client_with_a_handshake_is_answered_in_its_revision(agent, revision):
    said = {"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"protocolVersion": revision}}
    found = agent.post(json.dumps(said).encode()).json()
    assert found["id"] == "a"
    assert found["result"]["protocolVersion"] == revision
    assert found["result"]["capabilities"] == {"tools": {}}
    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answer = agent.post(json.dumps(told).encode(), HTTP_MCP_PROTOCOL_VERSION=revision)
    assert (answer.status_code, answer.content) == (202, b"")
    listed = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    found = agent.post(json.dumps(listed).encode(), HTTP_MCP_PROTOCOL_VERSION=revision).json()
    assert [tool["name"] for tool in found["result"]["tools"]] == list(TOOLS)
    assert "resultType" not in found["result"]


def test_a_client_without_a_handshake_is_told_what_there_is(agent):
    found = agent.ask("server/discover").json()["result"]
    assert found["supportedVersions"][0] == NEWEST
    assert found["resultType"] == "complete"
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "plumbline"
    listed = agent.ask("tools/list").json()["result"]
    assert listed["cacheScope"] == "private"
    for tool in listed["tools"]:
        assert tool["inputSchema"]["type"] == "object"
        assert tool["annotations"]["readOnlyHint"] == (TOOLS[tool["name"]].scope != DRAFT)
    assert agent.ask("ping").json()["result"]["resultType"] == "complete"


def test_a_token_without_the_scope_is_not_shown_the_tools_that_draft(cast, initiative):
    reads = Agent(cast.owner, scopes=())
    names = [tool["name"] for tool in reads.ask("tools/list").json()["result"]["tools"]]
    assert names == ["list_initiatives", "read_initiative", "list_requirements", "list_tasks"]
    for tool in ("draft_answer", "offer_evidence"):
        assert "does not have the scope draft" in reads.refused(tool, **offered(initiative))
    service = Agent(cast.owner, kind="service", scopes=["read:registers"])
    assert "does not have the scope read:tasks" in service.refused("list_tasks")
    assert service.ask("tools/list").json()["result"]["tools"] == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"HTTP_MCP_METHOD": "tools/call"}, -32020),
        ({"HTTP_MCP_PROTOCOL_VERSION": "2025-11-25"}, -32020),
        ({"HTTP_MCP_PROTOCOL_VERSION": "2031-01-01"}, -32020),
    ],
)
def test_headers_say_what_the_body_says(agent, headers, code):
    assert agent.ask("tools/list", **headers).json()["error"]["code"] == code


def test_the_name_of_a_tool_is_the_same_in_header_and_body(agent):
    sent = {"name": "list_tasks", "arguments": {}}
    answer = agent.ask("tools/call", sent, HTTP_MCP_NAME="draft_answer")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


def test_an_unknown_revision_is_told_the_known_ones(agent):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    found = agent.post(body, HTTP_MCP_PROTOCOL_VERSION="2031-01-01").json()["error"]
    assert found["code"] == -32022
    assert found["data"] == {"supported": list(mcp_endpoint.SUPPORTED), "requested": "2031-01-01"}
    meta = {"io.modelcontextprotocol/protocolVersion": NEWEST}
    assert agent.ask("tools/list", {"_meta": meta}).json()["error"]["code"] == -32602


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
        b'{"id":1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"method":7}',
        b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
        b"[" * 200,
    ],
)
def test_a_body_that_is_no_request_is_a_clear_error(agent, body):
    answer = agent.post(body)
    assert answer.status_code == 400
    found = answer.json()
    assert found["jsonrpc"] == "2.0"
    assert found["id"] is None
    assert found["error"]["message"].endswith((".", "?"))


@pytest.mark.parametrize("params", [[], "x", 7])
def test_params_are_an_object(agent, params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": params}).encode()
    assert agent.post(body).json()["error"]["code"] == -32602


def test_only_post_with_a_token_from_no_other_site(agent, cast):
    for method in ("GET", "DELETE", "PUT"):
        answer = agent.client.generic(method, "/mcp", HTTP_AUTHORIZATION=f"Bearer {agent.text}")
        assert answer.status_code == 405
        assert answer["Allow"] == "POST"
    for header in ("", "Bearer x", f"Basic {agent.text}"):
        answer = agent.ask("ping", HTTP_AUTHORIZATION=header)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["error"]["message"].startswith("Send a token")
    answer = agent.ask("ping", HTTP_ORIGIN="https://evil.example")
    assert answer.status_code == 403
    assert agent.post(b"x" * 200_001).status_code == 413
    answer = agent.client.post(
        "/mcp", b"{}", content_type="text/plain", HTTP_AUTHORIZATION=f"Bearer {agent.text}"
    )
    assert answer.status_code == 415


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_a_tool_reads_what_the_read_api_answers(agent, cast, initiative):
    reader = Reader(cast.owner)
    ref = initiative.ref
    assert agent.read("list_initiatives", mine="true", limit=5) == reader.read(
        "initiatives", mine="true", limit=5
    )
    assert agent.read("read_initiative", ref=ref) == reader.read(f"initiatives/{ref}")
    assert agent.read("list_requirements", ref=ref, open=True) == reader.read(
        f"initiatives/{ref}/requirements", open="true"
    )
    assert agent.read("list_tasks") == reader.read("tasks")
    found = agent.call("read_initiative", ref=ref)
    assert json.loads(found["content"][0]["text"]) == found["structuredContent"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("read_initiative", {}, "“ref” is missing"),
        ("read_initiative", {"ref": ""}, "is not a reference"),
        ("read_initiative", {"ref": "AI-1/decisions"}, "is not a reference"),
        ("read_initiative", {"ref": "../registers/systems"}, "is not a reference"),
        ("read_initiative", {"ref": 1}, "is not a JSON string"),
        ("read_initiative", {"ref": "AI-9999"}, ""),
        ("read_initiative", {"ref": "AI-\u202e1"}, "ref"),
        ("list_initiatives", {"limit": "5"}, "is not a JSON integer"),
        ("list_initiatives", {"limit": True}, "is not a JSON integer"),
        ("list_initiatives", {"limit": 5000}, "“limit” is wrong"),
        ("list_initiatives", {"nonsense": "x"}, "does not exist here. Use:"),
        ("list_initiatives", {"tier": "nonsense"}, "“tier” is wrong"),
        ("list_tasks", {"initiative": "AI-9999"}, ""),
    ],
)
def test_wrong_arguments_of_a_reading_tool_are_told(agent, initiative, tool, arguments, words):
    said = agent.refused(tool, **arguments)
    assert words in said
    assert said.endswith(".")


# --- Drafting --------------------------------------------------------------------------------------------------------


def test_a_draft_counts_only_after_the_person_saved_it(agent, cast, initiative, as_):
    words = "Only calls of the pilot team."
    found = agent.read("draft_answer", initiative=initiative.ref, requirement=KEY, text=words)
    assert found["draft"] is True
    assert found["waits_for"] == cast.owner.full_name
    agent.read("offer_evidence", **offered(initiative))
    assert not Answer.objects.filter(initiative=initiative, requirement=KEY).exists()
    assert not initiative.evidence.exclude(kind="attestation").exists()
    client, url = as_(cast.owner), at("requirement", initiative.ref, KEY)
    assert found["page"].endswith(url)
    task = next(one for one in agent.read("list_tasks")["data"] if "Weekly report" in one["why"])
    assert task["page"] == found["page"]
    page = text_of(client.get(url))
    assert "The program “Weekly report” drafted this for you" in page
    assert words in page
    assert "https://wiki.example.org/scope" in page
    assert "pilot team" not in text_of(as_(cast.lead).get(url)), "a draft is private"
    sent = AnswerDraft.objects.get().fields
    assert client.post(url, sent).status_code == 302
    answer = Answer.objects.get(initiative=initiative, requirement=KEY)
    assert (answer.text, answer.by) == (words, cast.owner)
    item = initiative.evidence.exclude(kind="attestation").get()
    assert (item.link, item.author) == ("https://wiki.example.org/scope", cast.owner)
    assert not AnswerDraft.objects.exists()
    assert "Weekly report" not in str(agent.read("list_tasks")["data"])
    entry = Entry.objects.get(kind=EntryKind.PROGRAM_DRAFT_SAVED)
    assert entry.facts["facts"]["how"] == "unchanged"
    assert entry.facts["facts"]["program"] == "Weekly report"


def test_what_the_person_changed_is_recorded_as_changed(agent, cast, initiative, as_):
    agent.read("draft_answer", initiative=initiative.ref, requirement=KEY, text="Everyone.")
    sent = BROWSER | AnswerDraft.objects.get().fields | {"text": "Only the pilot team of forty people."}
    assert as_(cast.owner).post(at("requirement", initiative.ref, KEY), sent).status_code == 302
    assert Entry.objects.get(kind=EntryKind.PROGRAM_DRAFT_SAVED).facts["facts"]["how"] == "after changes"


def test_a_draft_can_be_discarded(agent, cast, initiative, as_):
    agent.read("draft_answer", initiative=initiative.ref, requirement=KEY, text="Everyone.")
    client = as_(cast.owner)
    address = at("requirement-draft", initiative.ref, KEY)
    assert f'formaction="{address}"' in text_of(client.get(at("requirement", initiative.ref, KEY)))
    assert client.post(address, {"discard": "1", "text": "Everyone."}).status_code == 302
    assert not AnswerDraft.objects.exists()
    assert not Entry.objects.filter(kind=EntryKind.PROGRAM_DRAFT_SAVED).exists()


def test_a_program_never_replaces_what_a_person_typed(agent, cast, initiative, as_):
    client, address = as_(cast.owner), at("requirement-draft", initiative.ref, KEY)
    agent.read("draft_answer", initiative=initiative.ref, requirement=KEY, text="First.")
    agent.read("draft_answer", initiative=initiative.ref, requirement=KEY, text="Second.")
    assert AnswerDraft.objects.get().fields["text"] == "Second.", "its own drafts it may replace"
    assert client.post(address, {"kind": "answered", "text": "Typed."}).status_code == 204
    for tool, arguments in (
        ("draft_answer", {"initiative": initiative.ref, "requirement": KEY, "text": "Third."}),
        ("offer_evidence", offered(initiative)),
    ):
        assert "has typed a draft" in agent.refused(tool, **arguments)
    assert AnswerDraft.objects.get().fields == {"kind": "answered", "text": "Typed."}


def test_an_answer_saved_meanwhile_is_not_replaced_by_an_older_draft(agent, cast, initiative, as_):
    agent.read("draft_answer", initiative=initiative.ref, requirement=KEY, text="Drafted.")
    draft = AnswerDraft.objects.get()
    other = AnswerDraft(
        initiative=initiative, requirement=KEY, person=cast.owner, fields=draft.fields, at=draft.at
    )
    client, url = as_(cast.owner), at("requirement", initiative.ref, KEY)
    assert client.post(url, BROWSER | draft.fields | {"text": "Saved first."}).status_code == 302
    assert client.post(url, BROWSER | other.fields).status_code == 409
    assert Answer.objects.get(initiative=initiative, requirement=KEY).text == "Saved first."


def test_evidence_without_an_answer_closes_its_draft(agent, cast, initiative, as_):
    agent.read("offer_evidence", **offered(initiative))
    sent = AnswerDraft.objects.get().fields | {"kind": "answered", "text": "", "based_on": "0"}
    assert as_(cast.owner).post(at("requirement", initiative.ref, KEY), sent).status_code == 302
    assert not AnswerDraft.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "attestation"}, "cannot be offered"),
        ({"kind": "telemetry"}, "not a telemetry"),
        ({"kind": "nonsense"}, "cannot be offered"),
        ({"kind": "test_report"}, "test report"),
        ({"kind": "log_sample"}, ""),
        ({"title": ""}, "“title” is wrong"),
        ({"title": "   "}, "title"),
        ({"link": "javascript:alert(1)"}, "“link” is wrong"),
        ({"link": "ftp://files.example.org/a"}, "“link” is wrong"),
        ({"observed_on": "2999-01-01"}, "is in the future"),
        ({"observed_on": "yesterday"}, "“observed_on” is wrong"),
        ({"requirement": "no.such"}, "no requirement named"),
        ({"details": {"n": "5"}}, "has no field"),
        ({"result": "pass"}, "has no result"),
        ({"author": "Someone else"}, "“author” is wrong"),
    ],
)
def test_an_offer_that_a_person_could_not_add_is_refused(agent, initiative, fields, words):
    said = agent.refused("offer_evidence", **offered(initiative, **fields))
    assert words in said
    assert said.endswith((".", "?"))
    assert not AnswerDraft.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": ""}, "“text” is wrong"),
        ({"text": "x" * 10_001}, "“text” is wrong"),
        ({"kind": "not_reported"}, "“kind” is wrong"),
        ({"requirement": "no.such"}, "no requirement named"),
        ({"requirement": "prod.q07_governance_evidence"}, "generates this answer"),
        ({"text": "a\u202eb"}, "text"),
    ],
)
def test_a_wrong_draft_is_refused(agent, initiative, fields, words):
    said = {"initiative": initiative.ref, "requirement": KEY, "text": "Yes."} | fields
    assert words in agent.refused("draft_answer", **said)
    assert not AnswerDraft.objects.exists()


# --- What no agent does ----------------------------------------------------------------------------------------------

ACTS = (
    *("sign_review", "verify_evidence", "decide_review", "open_review", "move_stage", "accept_role"),
    *("approve_contract", "waive_requirement", "confirm_tier", "widen_scope", "accept_not_applicable"),
    *("make_token", "save_answer", "add_evidence", "withdraw_evidence", "close_gap", "end_hold"),
)


@pytest.mark.parametrize("name", [*ACTS, "", None, 7, [], {}, "draft_answer "])
def test_no_tool_acts(agent, initiative, name):
    agent.ask("ping")  # the first use of a token on a day is recorded
    entries = Entry.objects.count()
    sent = {"name": name, "arguments": {"ref": initiative.ref}}
    answer = agent.ask("tools/call", sent, HTTP_MCP_NAME=str(name))
    assert "result" not in answer.json()
    assert answer.status_code == 400
    assert Entry.objects.count() == entries


def test_an_agent_has_the_rights_of_its_person_and_no_more(cast, initiative):
    """The board may read and not answer; people outside see nothing; nobody gains by the token of another."""
    outside = Agent(cast.outsider)
    for tool, arguments in (
        ("read_initiative", {"ref": initiative.ref}),
        ("list_requirements", {"ref": initiative.ref}),
        ("list_tasks", {"initiative": initiative.ref}),
        ("draft_answer", {"initiative": initiative.ref, "requirement": KEY, "text": "Yes."}),
        ("offer_evidence", offered(initiative)),
    ):
        outside.refused(tool, **arguments)
    assert outside.read("list_initiatives")["data"] == []
    board = Agent(cast.seat_risk)
    assert board.read("read_initiative", ref=initiative.ref)["data"]["ref"] == initiative.ref
    board.refused("draft_answer", initiative=initiative.ref, requirement=KEY, text="Yes.")
    board.refused("offer_evidence", **offered(initiative))
    assert not AnswerDraft.objects.exists()
    assert not Entry.objects.filter(kind=EntryKind.ANSWERED).exists()


def test_the_scope_to_draft_is_for_personal_tokens_and_opens_nothing_else(cast, initiative, as_):
    agent = Agent(cast.owner)
    assert agent.row.scopes == ["read", "draft"]
    service = Agent(cast.owner, kind="service", scopes=["read:initiatives"])
    assert not service.row.allows(DRAFT)
    # A token is no session: no page takes it, and no other address of the read API changes anything.
    answer = agent.client.post(
        at("requirement", initiative.ref, KEY), {"text": "Yes."}, HTTP_AUTHORIZATION=f"Bearer {agent.text}"
    )
    assert answer.status_code in (302, 403)
    assert not Answer.objects.filter(initiative=initiative, requirement=KEY).exists()


def test_an_ended_token_drafts_nothing(agent, cast, initiative):
    actions.end_token(token=agent.row, reason="Lost", by=cast.owner)
    answer = agent.ask("tools/call", {"name": "draft_answer", "arguments": {}})
    assert answer.status_code == 401
    assert "was ended: Lost" in answer.json()["error"]["message"]


def test_the_answer_names_the_revision_of_its_request(agent):
    assert META["io.modelcontextprotocol/protocolVersion"] == mcp_endpoint.STATELESS
