"""Keys of systems: who opens what with them, when they end, and that they are nowhere to be read."""

import logging
import re
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as of_django
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance import clock
from governance.authorization import decision
from governance.contracts.clauses import Terms
from governance.database.row_history import acting
from governance.models import Entry, KeyAttempt, Notification, ServiceKey, User
from governance.notifications import due
from governance.permission_result import Refused
from governance.sign_in import throttling
from governance.transparency_log import verification
from initiatives.contracts.documents.actions import Written
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement import decision_cache, system_keys
from initiatives.portfolio.units import leaving
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.servers.asking_systems import System, evaluation_request, logged

pytestmark = pytest.mark.django_db

EVALUATION = "/access/v1/evaluation"
HERE, THERE = {"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "198.51.100.9"}
ASKING = Written(
    "human_approval", terms=Terms(action="send", resource="record", approvers=("owner",), minutes=60)
)


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """A prototype with a contract that lets everybody read, and asks before anything is sent."""
    return factories.make_contract(cast, factories.make_prototype(cast), [*FIXTURE, ASKING])


@pytest.fixture
def made(cast, initiative):
    """A key of the initiative, as (row, token)."""
    return factories.make_key(cast, initiative)


def status(token: str, url: str = EVALUATION, **about) -> int:
    """What a request with this key is answered with."""
    return System(token).send(url, evaluation_request("read"), **about).status_code


def wrong_key(number: int) -> str:
    """A key that looks like one and is none."""
    return f"plk_{'a' * 12}_{number:043d}"


def test_guessing_is_slowed_down_by_address_and_stops_nobody_else(made):
    token = made[1].text
    assert [status(wrong_key(n), **HERE) for n in range(throttling.WRONG_KEYS)] == [
        401
    ] * throttling.WRONG_KEYS
    turned_away = System(wrong_key(99)).send(EVALUATION, evaluation_request("read"), **HERE)
    assert turned_away.status_code == 429
    assert turned_away["Retry-After"] == str(int(throttling.KEYS_WAIT.total_seconds()))
    assert status("", **HERE) == 429
    assert (
        KeyAttempt.objects.count() == throttling.WRONG_KEYS
    )  # one that is turned away is not counted: waiting ends
    assert status(token, **THERE) == 200
    assert status(token, **HERE) == 200  # its neighbour guesses, and the system goes on
    assert status(wrong_key(1), **THERE) == 401
    with clock.simulated(clock.now() + throttling.KEYS_WAIT + timedelta(seconds=1)):
        assert status(wrong_key(1), **HERE) == 401


def test_addresses_that_are_not_known_count_as_one(made):
    """A server on a socket tells no address: guessing there is slowed down as well."""
    nowhere = {"REMOTE_ADDR": ""}
    assert [status(wrong_key(n), **nowhere) for n in range(throttling.WRONG_KEYS)] == [
        401
    ] * throttling.WRONG_KEYS
    assert status(wrong_key(99), **nowhere) == 429
    assert status(made[1].text, **nowhere) == 200
    assert status(wrong_key(1), **HERE) == 401


def test_a_right_public_part_with_a_wrong_secret_opens_nothing(made):
    row, token = made
    for wrong in (
        token.secret[:-1] + ("A" if token.secret[-1] != "A" else "B"),
        "A" * 43,
        row.secret_hash[:43],
    ):
        assert status(f"plk_{token.public}_{wrong}") == 401
    for junk in (
        "",
        "plk_",
        token.public,
        f"{token.text}x",
        token.text[:-1],
        "Basic abc",
        f" {token.secret}",
    ):
        assert status(junk) == 401, junk
    basic = System().send(EVALUATION, evaluation_request("read"), HTTP_AUTHORIZATION=f"Basic {token.text}")
    assert basic.status_code == 401


def test_a_revoked_key_is_refused_with_the_next_request(cast, made):
    row, token = made
    system = System(token.text)
    assert system.ask("read")["decision"] is True
    system_keys.revoke_key(key=row, reason="Lost", by=cast.owner)
    refused = system.send(EVALUATION, evaluation_request("read"))
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"].startswith("Bearer")
    assert system.get("/access/v1/requests/00000000-0000-4000-8000-000000000000").status_code == 401


def test_an_expired_key_is_refused(cast, initiative, settings):
    token = factories.make_key(cast, initiative, days=2)[1].text
    assert status(token) == 200
    with clock.simulated(clock.now() + timedelta(days=3)):
        settings.DECISION_FRESH = 60.0  # also where the process goes by what it read before
        assert status(token) == 401
        settings.DECISION_FRESH = 0.0
    with clock.simulated(clock.now() + timedelta(days=2, seconds=-5)):
        assert status(token) == 200
    with clock.simulated(clock.now() + timedelta(days=2, seconds=5)):
        assert status(token) == 401


def test_both_keys_open_during_the_change_over_then_only_the_new_one(cast, made):
    row, old = made
    _, new = system_keys.rotate_key(key=row, expires_at=clock.now() + timedelta(days=60), by=cast.owner)
    assert (status(old.text), status(new.text)) == (200, 200)
    with clock.simulated(clock.now() + timedelta(hours=24, seconds=5)):
        assert (status(old.text), status(new.text)) == (401, 200)
    with clock.simulated(clock.now() + timedelta(days=61)):
        assert status(new.text) == 401


def test_a_key_does_only_what_it_was_made_for(cast, initiative):
    nothing = "/access/v1/requests/00000000-0000-4000-8000-000000000000"
    asks = System(factories.make_key(cast, initiative, scopes=["evaluate"])[1].text)
    polls = System(factories.make_key(cast, initiative, scopes=["approvals"])[1].text)
    assert asks.ask("read")["decision"] is True
    assert asks.get(nothing).status_code == 403
    assert polls.get(nothing).status_code == 404
    for url in (EVALUATION, "/access/v1/evaluations"):
        assert polls.send(url, evaluation_request("read")).status_code == 403


def test_another_initiatives_key_is_told_that_there_is_nothing(cast, initiative, made):
    own = System(made[1].text)
    other_initiative = factories.make_contract(cast, factories.make_prototype(cast, title="Other"), FIXTURE)
    other = System(factories.make_key(cast, other_initiative)[1].text)
    for asked_for in (initiative.ref, "AI-9999", 17, ["x"]):
        body = evaluation_request("read", context={"initiative": asked_for})
        for url in (EVALUATION, "/access/v1/evaluations"):
            answer = other.send(url, body)
            assert (answer.status_code, initiative.ref in text_of(answer)) == (404, False), asked_for
    assert other.ask("read", context={"initiative": other_initiative.ref})["decision"] is True
    task = own.ask_person(evaluation_request("send"), own.ask("send")).json()["task"]
    poll = f"/access/v1/requests/{task['id']}"
    assert own.get(poll).status_code == 200
    hidden = other.get(poll)
    absent = other.get("/access/v1/requests/00000000-0000-4000-8000-000000000000")
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.status_code == 404


def columns_with(*texts: str) -> list[str]:
    """The tables that hold one of these texts anywhere: as text, or as the bytes of it."""
    found = []
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            for text in texts:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s OR t::text LIKE %s',
                    [f"%{text}%", f"%{text.encode().hex()}%"],
                )
                if cursor.fetchone()[0]:
                    found.append(f"{table}: {text[:6]}")
    return found


def test_the_key_is_in_no_log_no_statement_no_row_and_no_session(cast, as_, initiative, caplog, monkeypatch):
    """A whole life of a key through pages and API, with everything logged that can be, and an error in between."""
    caplog.set_level(logging.DEBUG)
    for name in ("plumbline", "django", "django.request", "django.db.backends", "django.server"):
        caplog.set_level(logging.DEBUG, logger=name)
    client = as_(cast.owner)
    client.raise_request_exception = False
    with CaptureQueriesContext(connection) as statements:
        sent = {
            "system": "Account assistant",
            "principal": cast.lead.pk,
            "scopes": ["evaluate", "approvals"],
            "expires_on": clock.today() + timedelta(days=30),
        }
        page = text_of(client.post(at("initiative-act", initiative.ref, "make-key"), sent))
        token = page.split('id="new-key"')[1].split('value="')[1].split('"')[0]
        system = System(token)
        system.client.raise_request_exception = False
        assert system.ask("read")["decision"] is True
        row = ServiceKey.objects.get()
        rotated = text_of(
            client.post(at("row-act", "keys", row.pk, "rotate"), {"expires_on": sent["expires_on"]})
        )
        successor = rotated.split('id="new-key"')[1].split('value="')[1].split('"')[0]
        assert System(f"{token[:-2]}__").send(EVALUATION, evaluation_request("read")).status_code == 401
        with monkeypatch.context() as broken:
            broken.setattr(decision, "decide", lambda *_: 1 / 0)
            assert system.send(EVALUATION, evaluation_request("read")).status_code == 500
            broken.setattr(enforcement_api, "opened", lambda *_: 1 / 0)
            assert system.send(EVALUATION, evaluation_request("read")).status_code == 500
        client.post(at("row-act", "keys", row.pk, "revoke"), {"reason": "Lost"})
        assert status(token) == 401
        client.get(at("api-access", initiative.ref))
        logged()
    lines = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "ended in an error" in lines
    assert "ZeroDivisionError" in lines
    assert row.public in str(statements.captured_queries)  # what is looked through is what was sent
    for full in (token, successor):
        secret = full.split("_", 2)[2]
        assert full not in lines
        assert secret not in lines
        assert secret not in str(statements.captured_queries)
        assert columns_with(secret) == []
        assert secret not in str(dict(client.session))
    assert columns_with(row.public)
    assert not [path for path in of_django.DECISIONS_DIR.glob("*") if token in path.read_text()]


@pytest.mark.django_db(transaction=True)
def test_the_auditors_login_reads_keys_but_not_what_would_let_one_in(auditor_login):
    auditor_login.execute("SELECT system, public, scopes, expires_at, revoked_at FROM governance_servicekey")
    for attempt in ("SELECT secret_hash FROM governance_servicekey", "SELECT * FROM governance_servicekey"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor_login.execute(attempt)
    found = auditor_login.execute(
        "SELECT table_name FROM information_schema.columns"
        " WHERE column_name = 'secret_hash' AND table_schema = 'public'"
        " AND has_column_privilege(quote_ident(table_schema) || '.' || quote_ident(table_name), column_name, 'SELECT')"
    ).fetchall()
    assert found == []  # no history shows it either
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_viewdef('asof.governance_servicekey')")
        seen_then = cursor.fetchone()[0]
    assert re.search(r"NULL::[a-z ]+\(64\) AS secret_hash", seen_then), (
        "on another day nothing stands in its place"
    )


def test_the_administration_shows_keys_without_what_would_let_one_in(cast, as_, made):
    row, token = made
    client, changelist = as_(cast.admin), "admin:governance_servicekey"
    pages = [
        client.get(reverse(f"{changelist}_changelist")),
        client.get(reverse(f"{changelist}_change", args=[row.pk])),
        client.get(reverse(f"{changelist}_history", args=[row.pk])),
        client.post(
            reverse(f"{changelist}_changelist"), {"action": "export_csv", "_selected_action": [str(row.pk)]}
        ),
    ]
    for page in pages:
        assert page.status_code == 200
        text = b"".join(page).decode()
        assert row.public in text
        assert row.secret_hash not in text
        assert token.secret not in text


# Who is responsible


def asked(token: str) -> tuple[bool, str]:
    """What the decision API answers, and its code."""
    answer = System(token).ask("read")
    return answer["decision"], answer["context"]["code"]


def reminded(key: ServiceKey) -> set[tuple[str, str]]:
    rows = Notification.objects.filter(kind="key without person", object_key__startswith=f"key:{key.pk}:")
    return set(rows.values_list("person__login", "period"))


@pytest.mark.parametrize("by_directory", [False, True])
def test_when_who_is_responsible_leaves_the_owner_names_another_in_time_or_decisions_are_denied(
    cast, initiative, made, by_directory
):
    row, token = made
    leaving.deactivate(
        person=cast.lead,
        reason="Left.",
        **({"system": "directory Entra ID"} if by_directory else {"by": cast.admin}),
    )
    row.refresh_from_db()
    assert verification.verify().findings == []
    assert reminded(row) == {("owner", "14d")}
    entry = Entry.objects.acts().filter(kind="key without a responsible person").get()
    assert entry.initiative_ref == initiative.ref
    assert asked(token.text) == (True, "allowed"), "the owner has time"
    with clock.simulated(row.named_until - timedelta(minutes=1)):
        decision_cache.conditions.forget()
        assert asked(token.text) == (True, "allowed")
    with clock.simulated(row.named_until):
        decision_cache.conditions.forget()
        assert asked(token.text) == (False, "nobody_responsible")
        due.run()
        assert ("owner", "late0") in reminded(row)
        system_keys.name_principal(key=row, principal=cast.support, by=cast.owner)
        decision_cache.conditions.forget()
        assert asked(token.text) == (True, "allowed")
        row.refresh_from_db()
        assert (row.principal, row.named_until) == (cast.support, None)
        due.run()
        assert verification.verify().findings == []
    unread = Notification.objects.unread().filter(kind="key without person")
    assert not unread.exists(), "done"
    with clock.simulated(clock.now() + timedelta(days=20)):
        leaving.deactivate(person=cast.support, reason="Left too.", by=cast.admin)
        assert unread.filter(person=cast.owner, period="14d").exists(), "the second one is told too"


def test_only_owner_and_technical_lead_name_somebody_who_has_an_account(cast, initiative, made):
    row, _ = made
    gone = leaving.deactivate(person=cast.outsider, reason="Left.", by=cast.admin)
    with pytest.raises(ValidationError):
        system_keys.name_principal(key=row, principal=gone, by=cast.owner)
    with pytest.raises(Refused):
        system_keys.name_principal(key=row, principal=cast.support, by=cast.chair)
    leaving.deactivate(person=cast.lead, reason="Left.", by=cast.admin)
    with pytest.raises(Refused, match="has ended"):
        system_keys.rotate_key(key=row, expires_at=clock.now() + timedelta(days=9), by=cast.owner)
    row.refresh_from_db()
    row.principal_left_at = None
    with acting(system="test"), pytest.raises(DatabaseError, match="answers for a key"), transaction.atomic():
        row.save()


def test_a_person_who_comes_back_is_responsible_again(cast, initiative, made):
    row, _ = made
    leaving.deactivate(person=cast.lead, reason="Left.", by=cast.admin)
    leaving.reactivate(person=User.objects.get(pk=cast.lead.pk), reason="Back.", by=cast.admin)
    row.refresh_from_db()
    assert row.named_until is None


def test_the_page_of_keys_says_that_nobody_is_responsible_and_names_another(cast, initiative, made, as_):
    row, _ = made
    client, page = as_(cast.owner), at("api-access", initiative.ref)
    url = at("row-act", "keys", row.pk, "principal")
    leaving.deactivate(person=cast.lead, reason="Left.", by=cast.admin)
    row.refresh_from_db()
    [shown] = client.get(page).context["keys"]
    assert (shown["name_by"], shown["denied"], shown["rotatable"]) == (
        clock.today() + timedelta(days=14),
        False,
        False,
    )
    assert url in text_of(client.get(page))
    assert as_(cast.chair).get(url).status_code == 403
    assert client.post(url, {"principal": cast.support.pk}).status_code == 302
    [shown] = client.get(page).context["keys"]
    assert (shown["row"].principal, shown["name_by"]) == (cast.support, None)
    assert str(row) in text_of(as_(cast.admin).get(at("admin:governance_user_deactivate", cast.support.pk)))
