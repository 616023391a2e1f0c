"""Every address of an API, found in the table of addresses, with the same wrong requests: errors in its own format."""

import copy
import errno
import json
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from django.urls import get_resolver

from adoption.agents.mcp_endpoint import mcp_api
from adoption.models import Alert, Measurement
from adoption.monitoring import api as monitoring_api
from adoption.read_api import api as reading_api
from adoption.read_api.api import read_api
from governance.models import ManagedAccount, ManagedGroup
from governance.vocabulary.strict_json import DEEPEST, NotJson
from governance.web.machine_api import Api
from initiatives.contracts.enforcement.access_request_api import api as requests_api
from initiatives.contracts.enforcement.api import api as decision_api
from initiatives.integration.pipelines.api import pipeline_api
from initiatives.interactions.api import lines_api, otlp_api
from initiatives.portfolio.provisioning import api as provisioning_api
from initiatives.portfolio.provisioning.api import scim_api
from tests.support import factories
from tests.support.servers import pipeline_issuers
from tests.support.servers.asking_systems import evaluation_request
from tests.support.servers.directories import ENTERPRISE, GROUP, PATCH, USER, Sender

SCIM = "application/scim+json"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PROBES = ("healthz", "readyz", "metrics")  # answered in plain text, without a body where the method is wrong
UNSEEN = {
    "NUL": "\x00",
    "half": "\ud83d",
    "no character": "\ufffe",
    "direction": "\u202e",
    "no width": "\u200b",
}


def machine_views() -> Iterator[tuple[str, str, object]]:
    """Name, pattern and view of each address that is for machines."""
    for part in get_resolver().url_patterns:
        for one in getattr(part, "url_patterns", []):
            if getattr(one.callback, "for_machines", False) and one.name not in PROBES:
                yield one.name, str(one.pattern), one.callback


NAMES = [name for name, _, _ in machine_views()]


@pytest.fixture
def world(cast, settings, monkeypatch):
    """One initiative with a key for each API and a pipeline, a directory with an account and a group.

    Nobody is slowed down.
    """
    settings.DECISION_RATE = settings.INTERACTION_RATE = 10**9
    monkeypatch.setattr(provisioning_api, "RATE", 10**9)
    monkeypatch.setattr(monitoring_api, "ALERTS_A_SECOND", 10**9)
    pipeline_issuers.Published(monkeypatch)
    monkeypatch.setattr(reading_api, "RATE", 10**9)
    initiative = factories.make_mvp(cast)
    pipeline_issuers.make_pipeline(cast, initiative)
    scopes = ["evaluate", "approvals", "interactions", "measurements", "deployments"]
    key = factories.make_key(cast, initiative, scopes=scopes)[1].text
    alerts = factories.make_key(cast, initiative, scopes=["alerts"], system="Monitoring")[1].text
    directory = Sender(cast.admin)
    user = directory.makes("ann@corp.example")
    group = directory.send("POST", "Groups", {"schemas": [GROUP], "displayName": "Claims"}).json()
    measure = factories.make_measure(cast, initiative)
    return SimpleNamespace(
        initiative=initiative,
        token=factories.make_token(cast.owner)[1].text,
        key=key,
        alerts=alerts,
        directory=directory,
        user=user,
        group=group,
        measure=measure,
    )


def path_of(name: str, pattern: str, world) -> str:
    """An address of this pattern that exists, or does not where the pattern is for those."""
    if name.endswith("-nothing"):
        return f"/{pattern.lstrip('^')}nowhere"
    values = {"secret": world.alerts, "name": "User" if "types" in pattern.lower() else USER}
    values["uid"] = (world.group if "Groups" in pattern else world.user)["id"]
    values |= {"ref": world.initiative.ref, "pk": world.measure.pk, "place": "1-1", "decision": "A" * 75}
    values["reference"] = "00000000-0000-0000-0000-000000000000"
    return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(values[found[1]]), pattern)


def good(name: str, world) -> tuple[str, dict] | None:
    """How a request to this address is sent rightly, and what it holds; None where it takes no body."""
    day = "2026-01-05"
    return {
        "access-evaluation": ("POST", evaluation_request("read", context={"note": "a"}, subject_role="x")),
        "access-evaluations": ("POST", {"evaluations": [evaluation_request("read"), evaluation_request("write")]}),
        "access-search-subject": ("POST", evaluation_request("read") | {"page": {"limit": 1, "token": ""}}),
        "access-search-resource": ("POST", evaluation_request("read")),
        "access-search-action": ("POST", evaluation_request("read")),
        "access-requests": ("POST", evaluation_request("read") | {
            "denial": {"evaluation_id": "e", "expires_at": f"{day}T10:00:00Z", "binding_token": "t"}}),
        "access-outcomes": ("POST", {
            "outcome": "done", "unasked": True, "action": "a", "at": f"{day}T10:00:00Z", "note": "n"}),
        "access-interactions": ("POST", {
            "id": "a", "at": f"{day}T10:00:00Z", "model": "m", "input": "i", "output": "o"}),
        "otlp-traces": ("POST", {"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": "5b8aa5a2d2c872e8321cf37308d69df2", "spanId": "051581bf3cb55c14", "name": "chat",
            "attributes": [{"key": "gen_ai.request.model", "value": {"stringValue": "m"}}]}]}]}]}),
        "otlp-logs": ("POST", {"resourceLogs": [{"scopeLogs": [{"logRecords": [{
            "traceId": "5b8aa5a2d2c872e8321cf37308d69df2", "spanId": "051581bf3cb55c14", "eventName": "e",
            "body": {"stringValue": "b"}}]}]}]}),
        "scim-users": ("POST", {
            "schemas": [USER, ENTERPRISE], "userName": "ole@corp.example", "displayName": "Ole Dahl", "externalId": "7",
            "name": {"givenName": "Ole", "familyName": "Dahl", "formatted": "Ole Dahl"}, "title": "Clerk",
            "emails": [{"value": "ole@corp.example", "type": "work"}], ENTERPRISE: {"department": "Claims"}}),
        "scim-user": ("PATCH", {"schemas": [PATCH], "Operations": [
            {"op": "Replace", "path": "displayName", "value": "Ann"},
            {"op": "Add", "value": {"name.givenName": "Ann"}}]}),
        "scim-users-search": ("POST", {"schemas": [SEARCH], "filter": 'userName eq "ann"'}),
        "scim-groups": ("POST", {"schemas": [GROUP], "displayName": "People", "externalId": "9"}),
        "scim-group": ("PUT", {"schemas": [GROUP], "displayName": "People", "externalId": "9"}),
        "scim-groups-search": ("POST", {"schemas": [SEARCH], "filter": 'displayName eq "a"'}),
        "adoption-measurements": ("POST", {"measurements": [
            {"key": "k", "measure": world.measure.pk, "from": day, "to": day, "hits": 1, "n": 2, "team": "t",
             "about": "users", "reason": "r"}]}),
        "adoption-alerts": ("POST", {"alerts": [
            {"id": "disk-7", "rule": "DiskFull", "severity": "critical", "state": "firing",
             "started": f"{day}T10:00:00Z", "summary": "Full", "link": "https://example.org/7"}]}),
        "evidence-results": ("POST", {
            "metric": "accuracy", "value": "0.9", "threshold": "0.8", "n": 10,
            "data_set": {"name": "claims", "sha256": "0" * 64}}),
        "mcp": ("POST", {"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {
            "name": "draft_answer",
            "arguments": {"initiative": world.initiative.ref, "requirement": "mvp.workflow", "text": "Yes."}}}),
        "adoption-alerts-address": ("POST", {"alerts": [
            {"id": "disk-8", "rule": "DiskFull", "state": "firing", "started": f"{day}T10:00:00Z"}]}),
    }.get(name)  # fmt: skip


def sent(name: str, path: str, world, method: str, body: bytes = b"", content_type: str = "", **headers):
    """The answer to a request with the key that opens this address."""
    token = world.directory.token if name.startswith("scim") else world.key
    token = (
        world.alerts
        if name == "adoption-alerts"
        else world.token
        if name.startswith(("api-", "mcp"))
        else token
    )
    if name == "evidence-results":
        token = pipeline_issuers.signed(pipeline_issuers.claims_of("github", settings.ADDRESS))
    if path == "/evidence/v1/results":
        path = pipeline_issuers.address_of(world.initiative.ref, format="evaluation")
    client = Client(raise_request_exception=False)
    kind = content_type or (SCIM if name.startswith("scim") else "application/json")
    headers = {"CONTENT_TYPE": kind, "HTTP_AUTHORIZATION": f"Bearer {token}"} | headers
    return client.generic(method, path, body, content_type=kind, **headers)


def wrong_with(api: Api, answer, *, protobuf: bool = False) -> str:
    """What is wrong with an error of an API: nothing, or words."""
    status = answer.status_code
    if status >= 500:
        return f"{status}: {answer.content[:200]!r}"
    if api is otlp_api and protobuf:
        body = answer.content
        right = answer["Content-Type"] == "application/x-protobuf" and body[0] == 0x08 and body[2] == 0x12
        return "" if right else f"no Status in protobuf: {answer['Content-Type']} {body[:100]!r}"
    kind = {scim_api: SCIM, requests_api: "application/problem+json"}.get(api, "application/json")
    if answer["Content-Type"] != kind:
        return f"{status} as {answer['Content-Type']}"
    said = json.loads(answer.content.decode(), parse_constant=lambda name: pytest.fail(name))
    if api is scim_api:
        right = said["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        right = right and said["status"] == str(status) and bool(said["detail"])
    elif api is otlp_api:
        right = isinstance(said["code"], int) and bool(said["message"])
    elif api is mcp_api:
        right = said["jsonrpc"] == "2.0" and isinstance(said["error"]["code"], int)
        right = right and bool(said["error"]["message"])
    elif api in (lines_api, pipeline_api, read_api):
        right = bool(said["error"])
    elif api is requests_api:
        right = isinstance(said["status"], int) and bool(said["type"] and said["title"] and said["detail"])
    else:
        right = (isinstance(said, str) and bool(said)) or said.get("kept") == 0
    return "" if right else f"{status} in another format: {said}"


def deep(levels: int) -> bytes:
    """Lists and objects within each other."""
    return b'{"a":[' * (levels // 2) + b"1" + b"]}" * (levels // 2)


BODIES = {
    "3,000 levels": deep(3000),
    "a list of 3,000 levels": b"[" * 3000 + b"]" * 3000,
    "a level too many": deep(DEEPEST + 2),
    "200,000 open brackets": b"[" * 200_000,
    "a list": b"[]",
    "a text": b'"text"',
    "null": b"null",
    "broken UTF-8": b'{"a": "\xff\xfe"}',
    "half a character in UTF-8": b'{"a": "\xed\xa0\xbd"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "not a number": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "a number out of range": b'{"a": 1e999}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "a name twice": b'{"schemas": [], "schemas": []}',
    "empty": b"",
    "white space": b"  \n ",
    "cut off": b'{"a": "b',
    "too large": b'{"a": "' + b"x" * (5 << 20) + b'"}',
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_cannot_be_read_is_an_error_in_the_format_of_the_api(world, what):
    wrong, tried = {}, 0
    for name, pattern, view in machine_views():
        found = good(name, world)
        if found is None:
            continue
        answer = sent(name, path_of(name, pattern, world), world, found[0], BODIES[what])
        empty = name in ("access-interactions", "otlp-traces", "otlp-logs") and answer.status_code == 200
        problem = (
            "" if empty else wrong_with(view.api, answer) or ("taken" if answer.status_code < 400 else "")
        )
        if problem:
            wrong[name] = problem
        if answer.status_code == 413:
            assert what == "too large"
        tried += 1
    assert (wrong, tried) == ({}, 21)
    assert not Measurement.objects.exists()
    assert not Alert.objects.exists()
    assert (ManagedAccount.objects.count(), ManagedGroup.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_another_content_type_or_encoding_is_refused(world):
    wrong = {}
    for name, pattern, view in machine_views():
        if (found := good(name, world)) is None:
            continue
        path, body = path_of(name, pattern, world), json.dumps(found[1]).encode()
        kinds = {"content_type": "text/html"}, {"HTTP_CONTENT_ENCODING": "br"}
        for headers in kinds:
            answer = sent(name, path, world, found[0], body, **headers)
            protobuf = headers == kinds[0]
            authzen = view.api is decision_api and name.startswith("access-")
            problem = wrong_with(view.api, answer, protobuf=protobuf)
            if problem or answer.status_code != (400 if authzen else 415):
                wrong[name, *headers] = problem or answer.status_code
    assert wrong == {}


@pytest.mark.django_db
def test_wrong_methods_addresses_and_keys_are_refused_in_the_format(world):
    wrong = {}
    for name, pattern, view in machine_views():
        path = path_of(name, pattern, world)
        tries = {
            "method": ("TRACE", path, {405} | ({404} if name.endswith("nothing") else set())),
            "below": ("GET", f"{path}/nowhere", {404} if name != "adoption-alerts" else {405}),
            "slash": ("GET", f"{path}/", {404}),
        }
        for what, (method, address, statuses) in tries.items():
            answer = sent(name, address, world, method)
            elsewhere = name == "access-configuration" and what != "method"  # pages lie around it
            api = decision_api if what != "method" and view.api in (lines_api, requests_api) else view.api
            problem = "" if elsewhere else wrong_with(api, answer)
            if problem or (answer.status_code not in statuses and not elsewhere):
                wrong[name, what] = problem or answer.status_code
        if name.endswith("nothing") or name in (
            "access-configuration",
            "access-signing-key",
            "adoption-alerts-address",
            "api-openapi",
        ):
            continue
        method = good(name, world)[0] if good(name, world) else "GET"
        if name == "scim-search":
            method = "POST"
        answer = Client(raise_request_exception=False).generic(
            method, path, b"{}", content_type="application/json"
        )
        if wrong_with(view.api, answer) or answer.status_code not in (401, 429):
            wrong[name, "key"] = wrong_with(view.api, answer) or answer.status_code
    assert wrong == {}
    assert {
        "scim-nothing",
        "otlp-nothing",
        "access-nothing",
        "adoption-nothing",
        "api-nothing",
        "evidence-nothing",
        "mcp-nothing",
    } <= set(NAMES)


def texts(found, place=()) -> Iterator[tuple]:
    """The place of each text in a body."""
    if isinstance(found, str):
        yield place
    for name, one in (
        found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    ):
        yield from texts(one, (*place, name))


@pytest.mark.django_db
@pytest.mark.parametrize("what", UNSEEN)
def test_no_text_of_any_api_brings_an_error_of_ours(world, what):
    wrong, tried = {}, 0
    for name, pattern, view in machine_views():
        if (found := good(name, world)) is None:
            continue
        method, body = found
        for place in texts(body):
            spoiled = copy.deepcopy(body)
            inside = spoiled
            for step in place[:-1]:
                inside = inside[step]
            inside[place[-1]] += UNSEEN[what]
            answer = sent(name, path_of(name, pattern, world), world, method, json.dumps(spoiled).encode())
            tried += 1
            problem = wrong_with(view.api, answer) if answer.status_code >= 400 else ""
            if name.startswith("scim") and not problem:
                said = answer.json()
                if (said.get("status"), said.get("scimType")) != ("400", "invalidValue"):
                    problem = f"taken: {said}"
                elif str(next(one for one in reversed(place) if isinstance(one, str))) not in said["detail"]:
                    problem = f"the field is not named: {said}"
            if problem:
                wrong[name, place] = problem
    assert wrong == {}
    assert tried >= 80
    assert (ManagedAccount.objects.count(), ManagedGroup.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_what_the_address_asks_is_read_as_strictly(world):
    for text in UNSEEN.values():
        if text == "\ud83d":
            continue  # no address can hold it
        answer = world.directory.client.get(
            "/scim/v2/Users",
            {"filter": f'userName eq "a{text}"'},
            HTTP_AUTHORIZATION=f"Bearer {world.directory.token}",
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    escaped = world.directory.send("GET", 'Users?filter=userName eq "a%5Cu0000"')
    assert (escaped.status_code, escaped.json()["totalResults"]) == (200, 0)


# --- Trouble ----------------------------------------------------------------------------------------------------------

APIS = {
    "decisions": decision_api,
    "access requests": requests_api,
    "agents": mcp_api,
    "lines": lines_api,
    "otlp": otlp_api,
    "pipelines": pipeline_api,
    "read": read_api,
    "scim": scim_api,
}
TROUBLES = {
    "the database is away": (OperationalError("connection refused"), 503),
    "the connection is closed": (InterfaceError("connection already closed"), 503),
    "no room": (OSError(errno.ENOSPC, "No space left on device"), 507),
    "nested": (RecursionError(), 400),
    "not storable": (DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), 400),
    "half a character": (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), 400),
    "not JSON": (NotJson("The body is not JSON."), 400),
    "too large": (RequestDataTooBig(), 413),
    "cut off": (UnreadablePostError(), 400),
    "what nobody foresaw": (KeyError("secret of the inside"), 500),
}


@pytest.mark.parametrize("what", TROUBLES)
@pytest.mark.parametrize("name", APIS)
def test_trouble_is_an_error_in_the_format(name, what):
    api, (trouble, status) = APIS[name], TROUBLES[what]

    @api.view("POST")
    def view(request):
        raise trouble

    answer = view(RequestFactory().post("/", b"{}", content_type="application/json"))
    assert answer.status_code == status
    body = answer.content.decode()
    assert "<" not in body
    assert "secret of the inside" not in body
    assert (status != 503) or int(answer["Retry-After"]) > 0
    if status == 500:
        assert re.search(r"reference [0-9a-f]{12}", body)
        answer.status_code = 400  # the format is looked at as of any other
        answer.content = body.replace('"500"', '"400"').encode()
    elif status > 500:
        answer.content = body.replace(f'"{status}"', '"400"').encode()
        answer.status_code = 400
    assert wrong_with(api, answer) == ""
    assert answer["Cache-Control"] == "no-store"


def test_every_view_for_machines_is_a_view_of_an_api():
    assert [
        name for name, _, view in machine_views() if not isinstance(getattr(view, "api", None), Api)
    ] == []
    assert len(NAMES) >= 43
