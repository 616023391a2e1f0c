"""Every text that an API takes, with characters that no database or no reader can take: answered, never with an error.

A row for each address that machines call. Every text of its example, and every name of a field, is tried in turn.
"""

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from governance.sign_in.rate_limits import Rate
from tests.support import factories
from tests.support.servers.directories import ENTERPRISE, GROUP, PATCH, USER, Sender

pytestmark = pytest.mark.django_db

LETTERS = {
    "U+0000": "\x00",
    "U+FFFE": "\ufffe",
    "U+202E": "\u202e",
    "U+200B": "\u200b",
    "half a character": "\ud83d",
}
DAY = "2026-11-16"
NOW = "2026-11-16T09:30:00Z"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@dataclass(frozen=True)
class Row:
    """One kind of request: the address, how it is sent, and an example of its body whose texts are tried.

    `below`: what stands behind an address that takes any end.
    """

    name: str
    body: Any = None
    method: str = "POST"
    key: str = "initiative"
    args: tuple = ()
    query: tuple[str, ...] = ()
    content_type: str = "application/json"
    below: str = ""


def span(**more) -> dict:
    """A span as OTLP writes it in JSON."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt",
        "gen_ai.conversation.id": "c1",
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"How long?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Two years."}]}]',
    }
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat",
        "startTimeUnixNano": "1795478400000000000",
        "attributes": [{"key": key, "value": {"stringValue": said}} for key, said in attributes.items()],
    } | more


RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "assistant"}}]}
QUESTION = {
    "subject": {"type": "user", "id": "alice", "properties": {"role": "admin", "on_behalf_of": "bob"}},
    "action": {"name": "read", "properties": {"failure": "none", "currency": "EUR"}},
    "resource": {"type": "record", "id": "record-1", "properties": {"status": "open"}},
    "context": {
        "note": "why",
        "principal": "bob",
        "preview": {"text": "Dear customer"},
        "list": ["a", {"b": "c"}],
    },
}
PERSON = {
    "schemas": [USER, ENTERPRISE],
    "userName": "new.person@example.org",
    "externalId": "x-1",
    "displayName": "New Person",
    "name": {"formatted": "New Person", "givenName": "New", "familyName": "Person"},
    "emails": [{"value": "new.person@example.org", "type": "work", "primary": True}],
    "title": "Clerk",
    "active": True,
    ENTERPRISE: {"department": "Sales", "manager": {"value": "somebody"}},
}
TEAM = {"schemas": [GROUP], "displayName": "A team", "externalId": "g-1", "members": [{"value": "somebody"}]}


def changes(*operations: dict) -> dict:
    """A PATCH with these operations."""
    return {"schemas": [PATCH], "Operations": list(operations)}


RENAMED = changes(
    {"op": "replace", "path": "displayName", "value": "Another"},
    {"op": "replace", "value": {"displayName": "Another", "name.familyName": "Other"}},
)
FILTERED = {
    "schemas": [SEARCH],
    "filter": 'userName eq "anna"',
    "sortBy": "userName",
    "attributes": ["userName"],
}
ROWS = {
    "a requirement": Row("access-evaluation", QUESTION),
    "questions": Row(
        "access-evaluations", QUESTION | {"evaluations": [QUESTION, {"action": {"name": "send"}}]}
    ),
    "an outcome": Row("access-outcomes", {"outcome": "done", "decision": "abc", "note": "sent", "at": NOW}),
    "an unasked act": Row(
        "access-outcomes", {"outcome": "done", "unasked": True, "action": "send", "at": NOW, "note": "sent"}
    ),
    "a search for subjects": Row("access-search-subject", QUESTION | {"page": {"token": "", "limit": 1}}),
    "a search for resources": Row("access-search-resource", QUESTION),
    "a search for actions": Row("access-search-action", QUESTION),
    "an access request": Row(
        "access-requests",
        QUESTION | {"denial": {"evaluation_id": "e", "expires_at": NOW, "binding_token": "t"}},
    ),
    "a task": Row("access-request", method="GET", args=(uuid.UUID(int=7),), query=("x",)),
    "a deployment": Row(
        "access-evaluation",
        {
            "subject": {"type": "pipeline", "id": "release"},
            "action": {"name": "deploy", "properties": {"stage": "production", "version": "1.0"}},
            "resource": {"type": "artefact", "id": f"sha256:{'a' * 64}"},
        },
    ),
    "an attestation": Row("access-attestation", method="GET", args=("A" * 75,), query=("x",)),
    "the public key": Row("access-signing-key", method="GET", query=("x",)),
    "the configuration": Row("access-configuration", method="GET", query=("x",)),
    "interactions": Row(
        "access-interactions",
        {
            "at": NOW,
            "id": "one",
            "input": "How long?",
            "output": "Two years.",
            "model": "gpt",
            "conversation": "c1",
            "user": "anna",
            "messages": [{"role": "user", "content": "How long?"}],
            "error": "none",
        },
    ),
    "spans": Row(
        "otlp-traces",
        {
            "resourceSpans": [
                {"resource": RESOURCE, "scopeSpans": [{"scope": {"name": "s"}, "spans": [span()]}]}
            ]
        },
    ),
    "log records": Row(
        "otlp-logs",
        {
            "resourceLogs": [
                {
                    "resource": RESOURCE,
                    "scopeLogs": [
                        {
                            "scope": {"name": "s"},
                            "logRecords": [
                                {
                                    "timeUnixNano": "1795478400000000000",
                                    "eventName": "gen_ai.client.inference.operation.details",
                                    "traceId": "5b8efff798038103d269b633813fc60c",
                                    "spanId": "eee19b7ec3c1b174",
                                    "body": {"stringValue": "How long?"},
                                    "attributes": span()["attributes"],
                                }
                            ],
                        }
                    ],
                }
            ]
        },
    ),
    "measurements": Row(
        "adoption-measurements",
        {
            "measurements": [
                {
                    "key": "2026-W47",
                    "measure": "usage.active",
                    "from": DAY,
                    "to": DAY,
                    "hits": 3,
                    "n": 4,
                    "team": "Sales",
                    "about": "users",
                    "replaces": "2026-W46",
                    "reason": "counted again",
                }
            ]
        },
    ),
    "measures": Row("adoption-measures", method="GET", query=("x",)),
    "alerts": Row(
        "adoption-alerts",
        {
            "alerts": [
                {
                    "id": "disk-7",
                    "rule": "DiskFull",
                    "severity": "critical",
                    "state": "firing",
                    "started": NOW,
                    "summary": "Disk 7 is full",
                    "link": "https://example.org/7",
                    "more": {"host": "h1"},
                }
            ]
        },
    ),
    "alerts of Alertmanager": Row(
        "adoption-alerts",
        {
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "DiskFull", "severity": "critical"},
                    "annotations": {"summary": "Disk 7 is full"},
                    "startsAt": NOW,
                    "generatorURL": "https://example.org/7",
                    "fingerprint": "abc",
                }
            ]
        },
    ),
    "alerts of Azure": Row(
        "adoption-alerts-address",
        {
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": {
                    "alertId": "/subscriptions/1",
                    "alertRule": "Slow",
                    "severity": "Sev1",
                    "monitorCondition": "Fired",
                    "firedDateTime": NOW,
                    "description": "Answers are slow",
                }
            },
        },
    ),
    "an account": Row("scim-users", PERSON, key="scim"),
    "accounts, listed": Row("scim-users", method="GET", key="scim", query=("filter", "sortBy", "attributes")),
    "accounts, searched": Row("scim-users-search", FILTERED, key="scim"),
    "an account, replaced": Row("scim-user", PERSON, "PUT", "scim", ("person",)),
    "an account, changed": Row("scim-user", RENAMED, "PATCH", "scim", ("person",)),
    "a group": Row("scim-groups", TEAM, key="scim"),
    "groups, listed": Row("scim-groups", method="GET", key="scim", query=("filter", "excludedAttributes")),
    "groups, searched": Row("scim-groups-search", FILTERED | {"filter": 'displayName eq "a"'}, key="scim"),
    "a group, replaced": Row("scim-group", TEAM, "PUT", "scim", ("team",)),
    "a group, changed": Row(
        "scim-group",
        changes(
            {"op": "replace", "path": "displayName", "value": "Another"},
            {"op": "remove", "path": 'members[value eq "somebody"]'},
        ),
        "PATCH",
        "scim",
        ("team",),
    ),
    "everything, searched": Row("scim-search", FILTERED, key="scim"),
    "what the service can": Row("scim-config", method="GET", key="scim", query=("filter",)),
    "kinds": Row("scim-resource-types", method="GET", key="scim", query=("filter",)),
    "a kind": Row("scim-resource-type", method="GET", key="scim", args=("User",)),
    "schemas": Row("scim-schemas", method="GET", key="scim", query=("filter",)),
    "a schema": Row("scim-schema", method="GET", key="scim", args=(USER,)),
    "oneself": Row("scim-me", method="GET", key="scim", query=("x",)),
    **{
        f"read, {name}": Row(f"api-{name}", method="GET", key="token", args=args, query=query)
        for name, args, query in (
            ("initiatives", (), ("q", "unit", "cursor", "as_of", "approved_stage")),
            ("initiative", ("AI-0001",), ("as_of",)),
            ("requirements", ("AI-0001",), ("gate", "open", "cursor")),
            ("tasks", (), ("initiative",)),
            ("contract", ("AI-0001",), ("version",)),
            ("measures", ("AI-0001",), ("cursor", "limit")),
            ("measurements", (1,), ("cursor",)),
            ("obligations", (), ("initiative",)),
            ("reviews", (), ("initiative", "gate", "outcome")),
            ("review", (1,), ("as_of",)),
            ("decisions", (), ("q", "who", "board", "since")),
            ("logged-decisions", ("AI-0001",), ("subject", "code", "clause", "key")),
            ("logged-decision", ("AI-0001", "1-1"), ("as_of",)),
            ("register", ("terms",), ("cursor",)),
        )
    },
    "the document of the read API": Row("api-openapi", method="GET", query=("x",)),
    "no address of the read API": Row("api-nothing", {"a": "b"}, below="else"),
    "no address for directories": Row("scim-nothing", {"a": "b"}, key="scim", below="Else"),
    "no address for spans": Row("otlp-nothing", {"a": "b"}, below="v1/else"),
    "no address for decisions": Row("access-nothing", {"a": "b"}, below="else"),
    "a report of a pipeline": Row(
        "evidence-results", {"metric": "accuracy"}, query=("initiative", "requirement", "format", "tested")
    ),
    "a draft of an agent": Row(
        "mcp",
        {
            "jsonrpc": "2.0",
            "id": "a",
            "method": "tools/call",
            "params": {
                "name": "draft_answer",
                "arguments": {"initiative": "AI-0001", "requirement": "mvp.workflow", "text": "Yes."},
            },
        },
        key="token",
    ),
    "no address for agents": Row("mcp-nothing", {"a": "b"}, below="else"),
    "no address for pipelines": Row("evidence-nothing", {"a": "b"}, below="else"),
    "no address for measurements": Row("adoption-nothing", {"a": "b"}, below="else"),
}
# Addresses for machines that take no text of a sender: probes and figures.
NO_TEXT = {"healthz", "readyz", "metrics"}


def machine_addresses(patterns=None) -> Iterator[str]:
    """The name of every address whose view is made for machines."""
    for one in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(one, URLResolver):
            yield from machine_addresses(one.url_patterns)
        elif isinstance(one, URLPattern) and getattr(one.callback, "for_machines", False):
            yield one.name


def test_every_address_for_machines_has_a_row():
    assert {row.name for row in ROWS.values()} == set(machine_addresses()) - NO_TEXT


@dataclass
class Keys:
    """The keys of a system and of a directory, and what the directory made."""

    initiative: str
    scim: str
    token: str
    made: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def keys(cast, monkeypatch) -> Keys:
    monkeypatch.setattr(Rate, "wait", lambda *_, **__: 0)  # so many requests are another test's matter
    initiative = factories.make_mvp(cast)
    scopes = ["evaluate", "approvals", "interactions", "measurements", "deployments"]
    system = factories.make_key(cast, initiative, scopes=scopes)[1].text
    alerts = factories.make_key(cast, initiative, scopes=["alerts"], system="Monitoring")[1].text
    directory = Sender(cast.admin)
    made = {
        "person": directory.makes("anna@example.org")["id"],
        "team": directory.send("POST", "Groups", {"schemas": [GROUP], "displayName": "Team"}).json()["id"],
        "alerts": alerts,
    }
    return Keys(system, directory.token, factories.make_token(cast.owner)[1].text, made)


def texts(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, bool]]:
    """Where a text stands in a body: the way to it, and whether it is the name of a field."""
    if isinstance(value, str):
        yield path, False
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name), True
            yield from texts(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from texts(inner, (*path, number))


def with_letter(body: Any, path: tuple, letter: str, *, as_name: bool) -> Any:
    """The body with a letter put into the text, or into the name of the field, at a place."""
    if not path:
        return f"{body}{letter}x"
    body = copy.deepcopy(body)
    at = body
    for step in path[:-1]:
        at = at[step]
    last = path[-1]
    if as_name:
        at[f"{last}{letter}x"] = at.pop(last)
    else:
        at[last] = f"{at[last][:3]}{letter}{at[last][3:]}"
    return body


def requests_of(row: Row) -> Iterator[tuple[str, dict, Callable[[str], Any]]]:
    """What is sent for a row: which text, its query, and the body for a letter."""
    for name in row.query:
        yield f"?{name}", {name: True}, lambda letter: None
    if row.body is not None:
        for path, as_name in texts(row.body):
            words = ("name of " if as_name else "") + ".".join(map(str, path))
            yield (
                words,
                {},
                lambda letter, path=path, as_name=as_name: with_letter(
                    row.body, path, letter, as_name=as_name
                ),
            )


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_text_of_a_machine_is_answered_whatever_letters_it_holds(keys, row):
    client, wrong, tried = Client(raise_request_exception=False), [], 0
    alerts = row.name.startswith("adoption-alerts")
    args = [keys.made.get(str(part), part) for part in row.args]
    if row.name == "adoption-alerts-address":
        args = [keys.made["alerts"]]
    token = keys.made["alerts"] if alerts else getattr(keys, row.key)
    url = reverse(row.name, args=args) + row.below
    for words, query, body_for in requests_of(row):
        tried += 1
        for letter_words, letter in LETTERS.items():
            asked = f"{url}?" + "&".join(f"{name}={_quoted(letter)}" for name in query) if query else url
            sent = json.dumps(body_for(letter)) if not query and row.body is not None else ""
            with transaction.atomic():
                answer = client.generic(
                    row.method, asked, sent, row.content_type, HTTP_AUTHORIZATION=f"Bearer {token}"
                )
                transaction.set_rollback(True)
            kind = answer.headers.get("Content-Type", "")
            # SCIM answers 501 where it lacks a function (RFC 7644, 3.11 and 3.12), whatever the text is.
            if (answer.status_code >= 500 and answer.status_code != 501) or kind.startswith("text/html"):
                wrong.append(f"{words}, {letter_words}: {answer.status_code} {kind} {answer.content[:80]!r}")
    print(f"{row.name}: {tried} texts, {len(LETTERS)} characters each")
    assert not wrong, "\n".join(wrong)


def _quoted(letter: str) -> str:
    return "a" + "".join(f"%{byte:02X}" for byte in letter.encode(errors="surrogatepass")) + "b"
