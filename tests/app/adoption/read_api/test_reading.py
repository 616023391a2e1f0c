"""The frame of the read API: tokens, cursors, ETags, days, checkpoints, errors, and its document."""

import hashlib
import json
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import get_resolver, reverse

from adoption.read_api import api as reading_api
from adoption.read_api.api import STATUSES, document, read_api
from governance import clock
from governance.api_tokens import actions
from governance.authorization import service_keys
from governance.database.row_history import acting
from governance.models import Entry, KeyAttempt
from governance.sign_in import throttling
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.holds.actions import open_obligation
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.servers.api_reader import Reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(cast) -> Reader:
    return Reader(cast.owner)


def refused(answer, status: int, *words: str) -> str:
    """The sentence of an error, which has this status and these words."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    assert set(answer.json()) == {"error"}
    said = answer.json()["error"]
    for one in words:
        assert one in said
    return said


# --- Tokens ----------------------------------------------------------------------------------------------------------


def test_only_a_token_that_opens_now_reads(reader, cast, initiative):
    assert reader.get("initiatives").status_code == 200
    _, key = factories.make_key(cast, initiative)
    other = service_keys.fresh(service_keys.API_PREFIX)
    for header in (
        "",
        "Bearer",
        "Bearer x",
        f"Basic {reader.text}",
        f"Bearer {key.text}",
        f"Bearer {other.text}",
    ):
        answer = reader.get("initiatives", HTTP_AUTHORIZATION=header)
        refused(answer, 401, "Send a token")
        assert answer["WWW-Authenticate"].startswith("Bearer")
    changed = reader.text[:-1] + ("A" if reader.text[-1] != "A" else "B")
    refused(reader.get("initiatives", HTTP_AUTHORIZATION=f"Bearer {changed}"), 401, "Send a token")


def test_ended_and_expired_tokens_are_told_so(reader):
    with time_machine.travel(clock.now() + timedelta(days=30, minutes=1), tick=False):
        refused(reader.get("initiatives"), 401, "has expired", "Make a new token")
    actions.end_token(token=reader.row, reason="Lost", by=reader.person)
    refused(reader.get("initiatives"), 401, "was ended: Lost")


def test_a_token_of_an_inactive_person_opens_nothing(reader, cast):
    """Also where the account was switched off without the act that ends its tokens."""
    with unguarded("governance_user"), acting(by=cast.admin, reason="Test"):
        reader.person.is_active = False
        reader.person.save()
    refused(reader.get("initiatives"), 401, "not active")


def test_wrong_tokens_of_one_address_are_counted(reader):
    wrong = f"Bearer {service_keys.fresh(service_keys.API_PREFIX).text}"
    for _ in range(throttling.WRONG_KEYS):
        assert reader.get("initiatives", HTTP_AUTHORIZATION=wrong).status_code == 401
    answer = reader.get("initiatives", HTTP_AUTHORIZATION=wrong)
    refused(answer, 429, "too many wrong tokens")
    assert int(answer["Retry-After"]) > 0
    assert reader.get("initiatives").status_code == 200  # a right token of the same address still opens
    assert KeyAttempt.objects.count() == throttling.WRONG_KEYS


def test_one_token_sends_so_many_requests_a_second(reader, monkeypatch):
    asked = []
    monkeypatch.setattr(reading_api.rate, "wait", lambda *given: asked.append(given) or 3)
    answer = reader.get("tasks")
    refused(answer, 429, "too many requests")
    assert answer["Retry-After"] == "3"
    assert asked == [(reader.row.pk, reading_api.RATE)]


def test_a_service_token_reads_what_its_scopes_name(cast, initiative):
    tried = {
        "read:initiatives": ("initiatives", f"initiatives/{initiative.ref}", "reviews", "obligations"),
        "read:decisions": ("decisions", f"initiatives/{initiative.ref}/decisions"),
        "read:registers": ("registers/systems",),
        "read:tasks": ("tasks",),
    }
    for scope in list(tried)[:3]:
        reader = Reader(cast.owner, kind="service", scopes=[scope])
        for other, addresses in tried.items():
            for address in addresses:
                answer = reader.get(address)
                if other == scope:
                    assert answer.status_code == 200, (scope, address)
                else:
                    refused(answer, 403, f"does not have the scope {other}")
    with pytest.raises(ValidationError):
        factories.make_token(cast.owner, kind="service", scopes=["read:tasks"])


# --- Lists -----------------------------------------------------------------------------------------------------------


def test_every_row_comes_once_while_others_are_added(cast, reader, initiative):
    for number in range(5):
        _obligation(cast, initiative, f"first {number}")
    wanted = {row["id"] for row in reader.read("obligations", limit=200)["data"]}
    got, cursor, number = [], "", 0
    while cursor is not None:
        found = reader.read("obligations", limit=2, **({"cursor": cursor} if cursor else {}))
        got += [row["id"] for row in found["data"]]
        cursor, number = found["next"], number + 1
        _obligation(cast, initiative, f"while reading {number}") if number < 4 else None
    assert len(got) == len(set(got))
    assert wanted <= set(got)


def test_a_list_by_the_newest_is_not_moved_by_a_newer_row(cast, reader):
    made = [factories.make_initiative(cast, f"Idea {number}") for number in range(4)]
    first = reader.read("initiatives", limit=2)
    factories.make_initiative(cast, "A later one")
    second = reader.read("initiatives", limit=2, cursor=first["next"])
    refs = [row["ref"] for row in (*first["data"], *second["data"])]
    assert refs == [row.ref for row in made]


def test_a_task_that_is_done_moves_no_other_to_another_page(cast, initiative):
    reader = Reader(cast.owner)
    for number in range(3):
        _obligation(cast, initiative, f"Do {number}")
    everything = [row["text"] for row in reader.rows("tasks")]
    first = reader.read("tasks", limit=1)
    _obligation(cast, initiative, "Do 9")
    later = [row["text"] for row in reader.rows("tasks", limit=1)]
    assert set(everything) <= set(later)
    assert first["data"][0]["text"] in later


def test_a_cursor_is_good_for_its_own_question(reader, cast):
    for number in range(3):
        factories.make_initiative(cast, f"Idea {number}")
    cursor = reader.read("initiatives", limit=1)["next"]
    assert reader.get("initiatives", {"cursor": cursor, "limit": 2}).status_code == 200
    for address, query in (
        ("reviews", {}),
        ("initiatives", {"approved_stage": "mvp"}),
        ("initiatives", {"cursor": f"{cursor}x"}),
        ("initiatives", {"cursor": "1"}),
    ):
        refused(reader.get(address, {"cursor": cursor} | query), 400, "cursor does not belong")


def test_a_wrong_parameter_is_named(reader, initiative):
    one = f"initiatives/{initiative.ref}"
    for address, query, words in (
        ("initiatives", {"limit": 201}, "“limit” is wrong"),
        ("initiatives", {"limit": 0}, "“limit” is wrong"),
        ("initiatives", {"limit": "many"}, "“limit” is wrong"),
        ("initiatives", {"approved_stage": "done"}, "“approved_stage” is wrong"),
        ("initiatives", {"unit": "x"}, "“unit” is wrong"),
        ("initiatives", {"sort": "title"}, "“sort” does not exist"),
        ("initiatives", {"q": "a\x00"}, "q:"),
        (f"{one}/requirements", {"gate": "x"}, "“gate” is wrong"),
        ("reviews", {"outcome": "x"}, "“outcome” is wrong"),
        ("decisions", {"since": "yesterday"}, "“since” is wrong"),
        (f"{one}/decisions", {"outcome": "perhaps"}, "“outcome” is wrong"),
        ("initiatives", {"as_of": "yesterday"}, "is not a date"),
        ("initiatives", {"as_of": "2999-01-01"}, "in the future"),
        ("tasks", {"as_of": "2026-01-01"}, "only for today"),
        ("registers/terms", {"as_of": "2026-01-01"}, "only for today"),
    ):
        answer = reader.get(address, query)
        assert answer.status_code == 400, (address, query)
        refused(answer, 400, words)


def test_what_does_not_exist_is_404(reader):
    for address in (
        "initiatives/AI-9999", "initiatives/x/requirements", "reviews/999999", "reviews/99999999999999999999",
        "measures/1/measurements", "registers/nothing", "nowhere", "initiatives/", "initiatives/AI-0001/decisions/x",
    ):  # fmt: skip
        answer = reader.get(address)
        assert answer.status_code == 404, address
        refused(answer, 404)


def _obligation(cast, initiative, words: str) -> None:
    number = int(hashlib.sha256(words.encode()).hexdigest()[:6], 16)
    about = {"source": f"measure:{number}", "text": words, "due": clock.today()}
    with acting(system="test", reason="One more"):
        open_obligation(initiative, "measurement", **about, responsible=cast.owner)


# --- ETags, days and checkpoints -------------------------------------------------------------------------------------


def test_an_unchanged_answer_is_not_sent_again(reader, cast, initiative):
    for address in ("initiatives", f"initiatives/{initiative.ref}", "tasks", "registers/systems"):
        etag = reader.get(address)["ETag"]
        again = reader.get(address, HTTP_IF_NONE_MATCH=f'"other", {etag}')
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert reader.get("initiatives", HTTP_IF_NONE_MATCH='W/"other"').status_code == 200
    etag = reader.get("initiatives")["ETag"]
    factories.make_initiative(cast, "A later one")
    assert reader.get("initiatives", HTTP_IF_NONE_MATCH=etag).status_code == 200


def test_an_etag_opens_nothing_without_a_token(reader, cast, initiative):
    etag = reader.get(f"initiatives/{initiative.ref}")["ETag"]
    address = f"initiatives/{initiative.ref}"
    assert reader.get(address, HTTP_IF_NONE_MATCH=etag, HTTP_AUTHORIZATION="").status_code == 401
    assert Reader(cast.outsider).get(address, HTTP_IF_NONE_MATCH=etag).status_code == 404


def test_an_answer_names_the_checkpoint_that_it_is_under(reader):
    newest = sealing.seal()
    found = reader.read("initiatives")
    assert found["as_of"] is None
    assert found["checkpoint"]["size"] == newest.size
    root = found["checkpoint"]["root"]
    assert root in newest.note
    assert found["checkpoint"]["at"].endswith("Z")


def test_who_may_not_look_back_is_told_as_on_the_page(cast, initiative, as_):
    sealing.seal()
    on = {"as_of": clock.today().isoformat()}
    said = refused(Reader(cast.lead).get(f"initiatives/{initiative.ref}", on), 403, "earlier days")
    page = as_(cast.lead).get(f"/initiatives/{initiative.ref}/", on)
    assert page.status_code == 403
    assert said.split(".")[0] in page.content.decode()
    assert Reader(cast.outsider).get(f"initiatives/{initiative.ref}", on).status_code == 404


def test_a_look_back_of_an_auditor_is_in_the_audit_log(cast, initiative):
    sealing.seal()
    moment = sealing.newest().at
    Reader(cast.auditor).get("initiatives", {"as_of": f"{clock.local(moment):%Y-%m-%dT%H:%M:%S}"})
    assert Entry.objects.filter(kind=EntryKind.PAST_READ, actor_id=cast.auditor.pk).count() == 1


# --- The document ----------------------------------------------------------------------------------------------------


def test_no_address_takes_another_method(reader, initiative):
    addresses = [
        "initiatives", f"initiatives/{initiative.ref}", f"initiatives/{initiative.ref}/requirements", "tasks",
        f"initiatives/{initiative.ref}/contract", f"initiatives/{initiative.ref}/measures", "obligations",
        "reviews", "reviews/1", "decisions", f"initiatives/{initiative.ref}/decisions", "registers/systems",
        f"initiatives/{initiative.ref}/decisions/1-1", "measures/1/measurements",
    ]  # fmt: skip
    assert len(addresses) == len(document()["paths"])
    header = {"HTTP_AUTHORIZATION": f"Bearer {reader.text}"}
    for address in addresses:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            answer = Client().generic(method, f"/api/v1/{address}", b"{}", **header)
            refused(answer, 405, "Send GET or HEAD")
            assert answer["Allow"] == "GET, HEAD"
        assert Client().head(f"/api/v1/{address}", **header).status_code in (200, 404)
    assert {method for methods in document()["paths"].values() for method in methods} == {"get"}


def test_the_document_describes_every_address_and_every_response(reader):
    found = json.loads(Client().get("/api/v1/openapi.json").content)
    assert found["openapi"].startswith("3.1")
    assert list(found["components"]["securitySchemes"].values()) == [
        {"type": "http", "scheme": "bearer", "description": "A personal or service token, plt_…"}
    ]
    addresses = [
        one
        for part in get_resolver().url_patterns
        for one in getattr(part, "url_patterns", [])
        if getattr(one.callback, "api", None) is read_api
    ]
    assert len(found["paths"]) == len(addresses) - len(("api-openapi", "api-nothing"))
    for path, methods in found["paths"].items():
        assert path.startswith("/api/v1/")
        operation = methods["get"]
        assert operation["security"]
        assert {int(status) for status in operation["responses"]} == set(STATUSES)
        for status, response in operation["responses"].items():
            assert response["description"] == STATUSES[int(status)]
            if int(status) >= 400:
                (kind,) = response["content"].values()
                assert kind["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert all(one.get("description") for one in operation["parameters"] if one["in"] == "query")


def test_the_page_lists_every_address_without_foreign_scripts(as_, cast):
    page = as_(cast.owner).get(reverse("api-reference"))
    words = page.content.decode()
    for path in document()["paths"]:
        assert path in words
    assert "//cdn" not in words
    assert Client().get(reverse("api-reference")).status_code == 200
