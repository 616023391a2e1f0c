"""What each login to the database may do: by hand here, against what the server grants."""

from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from governance.database import database_roles
from governance.vocabulary import Seat
from tests.support import plugin

pytestmark = pytest.mark.django_db(transaction=True)

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
AUDIT_LOG = {"governance_entry", "governance_entrybody"}
TREE = {
    "governance_checkpoint",
    "governance_cosignature",
    "governance_leaf",
    "governance_node",
    "governance_sealing",
    "governance_timestamp",
}
DERIVED = {"adoption_lessonwords", "initiatives_supportedstageperiod", "initiatives_supportedstage"}
WRITTEN_ONCE = {
    "governance_apitokenuse",
    "adoption_monitoringlook",
    "governance_signatureproof",
    "adoption_incidentline",
    "adoption_incidentsystem",
    "adoption_sourcequestion",
    "adoption_minutes",
    "adoption_pack",
    "adoption_lessonresponse",
    "governance_contractapproval",
    "governance_decisionbatch",
    "governance_interaction",
    "governance_interactionbatch",
    "governance_interactionbody",
    "governance_interactiondigest",
    "governance_keyheartbeat",
    "governance_outcomereport",
    "governance_policydecision",
    "governance_signingrule",
    "initiatives_approvalanswer",
    "initiatives_approvaluse",
    "initiatives_continuation",
    "initiatives_drift",
    "initiatives_decisionday",
    "initiatives_deploymentdecision",
    "initiatives_drawnrequirement",
    "initiatives_evidenceopening",
    "initiatives_excuse",
    "initiatives_formertitle",
    "initiatives_logfinding",
    "initiatives_logfindingwithdrawal",
    "initiatives_linkanswer",
    "initiatives_notsimilar",
    "initiatives_pastsupportedstage",
    "initiatives_pipelinereport",
    "initiatives_profile",
    "initiatives_secondlook",
    "adoption_goal",
    "adoption_measurement",
    "initiatives_signoff",
    "initiatives_stagechange",
    "initiatives_sourceacceptance",
    "initiatives_tracesample",
    "initiatives_verification",
    "initiatives_voiding",
}


def granted(login: psycopg.Connection) -> dict[str, set[str]]:
    """By table, what this login may do with all of it."""
    found = login.execute(
        "SELECT relname, array(SELECT r FROM unnest(%s::text[]) r WHERE has_table_privilege(oid, r)) FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
        [list(RIGHTS)],
    )
    return {table: set(rights) for table, rights in found}


def refused(login: psycopg.Connection, *attempts: str) -> None:
    """Each attempt ends at a right that the login does not have."""
    for attempt in attempts:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(attempt)


ACT = "plumbline_record('decided', 1, NULL, '', now(), ARRAY['AI-0001'], ARRAY['{}'::bytea])"
KEEP = "plumbline_keep_row('governance_unit', '1', '~', NULL, NULL, '{}')"


def test_the_application_works_and_cannot_touch_the_audit_log(application):
    found = granted(application)
    history = {table for table in found if "_historical" in table}
    assert {*AUDIT_LOG, *TREE, *DERIVED, *WRITTEN_ONCE} <= set(found)
    assert len(history) > 30
    for table, rights in found.items():
        if table in {*AUDIT_LOG, *TREE, *DERIVED, "django_migrations"}:
            assert rights == {"SELECT"}, table
        elif table in history | WRITTEN_ONCE:
            assert rights == {"SELECT", "INSERT"}, table
        else:
            assert rights == {"SELECT", "INSERT", "UPDATE", "DELETE"}, table
    refused(
        application,
        'INSERT INTO governance_entry (kind, initiative_ref, "table", key, operation, request_id, at, digest)'
        " VALUES ('decided', '', '', '', '', '', now(), '')",
        "UPDATE governance_entry SET id = id",
        "DELETE FROM governance_entry",
        "TRUNCATE governance_entry",
        "ALTER TABLE governance_entry DISABLE TRIGGER ALL",
        "ALTER TABLE governance_unit DISABLE TRIGGER captured",
        "DROP FUNCTION plumbline_act(text)",
        "SET session_replication_role = replica",
        "CREATE TABLE public.mine (id int)",
        "CREATE VIEW asof.mine AS SELECT 1",
        f"SELECT {KEEP}",
    )
    # An act it may write, but not as nobody, and not as if it were the change of a row.
    with pytest.raises(psycopg.Error, match="written by nobody"):
        application.execute(f"SELECT {ACT}")
    application.execute('SET plumbline.act = \'{"name": "Somebody"}\'')
    with pytest.raises(psycopg.Error, match="a kind of its own"):
        application.execute("SELECT " + ACT.replace("'decided'", "'row'"))
    with pytest.raises(psycopg.Error, match="only the owner of the audit log"):
        application.execute("SELECT " + ACT.replace("'decided'", "'erased'"))


def test_the_application_has_months_of_interactions_expire_in_their_time_and_deletes_no_row(application):
    with connection.cursor() as cursor:
        cursor.execute("SELECT plumbline_interactions_of('2020-01-15')")
        cursor.execute(
            "INSERT INTO governance_interaction"
            " (at, received_at, holder_key, batch_id, initiative_number, place, size, stored,"
            " odd_clock, kind, model, version, call, mark, digest) SELECT '2020-01-15', '2020-01-15', 1, 1, 1, n, 1, 1,"
            " false, 'call', '', '', '', '', '' FROM generate_series(1, 3) n"
        )
    refused(
        application,
        "DELETE FROM governance_interaction",
        "DROP TABLE governance_interaction_2020_01",
        "DELETE FROM governance_interactiondigest",
    )
    with pytest.raises(psycopg.Error, match="kept for 730 days"):
        application.execute(
            "SELECT plumbline_expire_interactions(date_trunc('month', now())::date, '{}', '{}')"
        )
    expired = application.execute("SELECT * FROM plumbline_expire_interactions('2020-01-01', '{}', '{}')")
    assert expired.fetchone() == (3, 0, 0)
    gone = application.execute("SELECT to_regclass('public.governance_interaction_2020_01')")
    assert gone.fetchone() == (None,)


def test_the_application_has_bodies_expire_in_their_time_and_deletes_none(application, auditor_login):
    with connection.cursor() as cursor:
        cursor.execute("SELECT plumbline_bodies_of('2020-01-15')")
        cursor.execute(
            "INSERT INTO governance_interactionbody (day, initiative_number, batch_id, place, content, wrapped)"
            " SELECT '2020-01-15', 1, 1, n, '', '' FROM generate_series(1, 3) n"
        )
        database_roles.grant(connection, plugin.LOGINS)
    refused(
        application,
        "DELETE FROM governance_interactionbody",
        "UPDATE governance_interactionbody SET content = 'x'",
        "DROP TABLE governance_interactionbody_2020_01",
    )
    refused(
        auditor_login,
        "SELECT content FROM governance_interactionbody",
        "SELECT wrapped FROM governance_interactionbody_2020_01",
    )
    with pytest.raises(psycopg.Error, match="183 days at least"):
        application.execute("SELECT plumbline_expire_bodies((now() - interval '182 days')::date, '{}', '{}')")
    expired = application.execute(
        "SELECT * FROM plumbline_expire_bodies((now() - interval '730 days')::date, '{}', '{}')"
    )
    assert expired.fetchall() == [(1, 3)]
    gone = application.execute("SELECT to_regclass('public.governance_interactionbody_2020_01')")
    assert gone.fetchone() == (None,)


def test_a_table_of_the_same_name_does_not_deceive_the_guard(application):
    """What a session puts into its own temporary schema stands first in its search path, not in the guard's.

    The application makes none any more (docs/adr/0040); should it be given that right again, the guard still holds.
    """
    with connection.cursor() as cursor:
        cursor.execute(f'GRANT TEMPORARY ON DATABASE "{connection.settings_dict["NAME"]}" TO PUBLIC')
    try:
        _deceive(application)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'REVOKE TEMPORARY ON DATABASE "{connection.settings_dict["NAME"]}" FROM PUBLIC')


def _deceive(application):
    application.execute('SET plumbline.act = \'{"name": "Somebody", "at": "2026-11-20T10:00:00Z"}\'')
    for table in ("governance_entry", "governance_historicalunit"):
        application.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM public.{table} WITH NO DATA")
    guards = {
        "has_its_act": "changed without its act",
        "has_its_history": "without its own equal row of history",
    }
    for guard, words in guards.items():
        application.execute("BEGIN")
        application.execute("INSERT INTO governance_unit (id, name, code, path) VALUES (7, 'A', 'a', '/7/')")
        application.execute(
            "INSERT INTO governance_historicalunit (history_id, id, name, code, path, history_type, history_xact,"
            " history_date, history_user_name, history_change_reason)"
            " VALUES (1, 7, 'A', 'a', '/7/', '+', plumbline_xact(), now(), 'Somebody', '')"
        )
        application.execute(
            'INSERT INTO governance_entry (id, kind, "table", key, initiative_ref, xact) VALUES'
            " (1, 'unit added', '', '', '', plumbline_xact()),"
            " (2, 'row', 'governance_unit', '7', '', plumbline_xact())"
        )
        with pytest.raises(psycopg.Error, match=words):
            application.execute(f"SET CONSTRAINTS public.{guard} IMMEDIATE")
        application.execute("ROLLBACK")


def test_the_sealer_seals_and_does_nothing_else(sealer):
    for table, rights in granted(sealer).items():
        wanted = {"SELECT"} if table in AUDIT_LOG else {"SELECT", "INSERT"} if table in TREE else set()
        assert rights == wanted, table
    refused(sealer, "SELECT password FROM governance_user", f"SELECT {ACT}", f"SELECT {KEEP}")


def test_the_auditor_reads_everything_but_secrets(auditor_login):
    for table, rights in granted(auditor_login).items():
        secret = table in (
            "governance_user",
            "governance_session",
            "governance_passwordlink",
            "governance_servicekey",
            "governance_apitoken",
            "governance_interactionbody",
            "governance_interactionkey",
            "governance_identityprovider",
            "governance_clientkey",
            "governance_roundtrip",
            "governance_directory",
            "governance_eventreceiver",
            "adoption_answerbox",
            "adoption_invitation",
            "adoption_sealedsource",
            "initiatives_approvalpreview",
        )
        assert rights == (set() if secret else {"SELECT"}), table
    auditor_login.execute("SELECT full_name, login FROM governance_user")
    auditor_login.execute("SELECT digest FROM initiatives_approvalpreview")
    auditor_login.execute("SET search_path = asof, public; SET plumbline.as_of = '2026-11-20T10:00:00Z'")
    auditor_login.execute("SELECT count(*) FROM initiatives_initiative")
    refused(
        auditor_login,
        "SELECT password FROM public.governance_user",
        "SELECT session_data FROM governance_session",
        "SELECT nonce FROM governance_passwordlink",
        "SELECT sealed FROM adoption_sealedsource",
        "SELECT content FROM initiatives_approvalpreview",
        "SELECT wrapped FROM governance_interactionkey",
        f"SELECT {ACT}",
        f"SELECT {KEEP}",
    )


def test_the_command_prints_what_it_applies():
    names = {
        f"{name}": login
        for name, login in zip(("application", "sealer", "auditor"), plugin.LOGINS, strict=True)
    }
    out = StringIO()
    call_command("database_roles", apply=True, stdout=out, **names)
    told = out.getvalue()
    assert f'GRANT SELECT ON "governance_entry" TO "{plugin.LOGINS.auditor}";' in told
    assert "applied for" in told
    with connection.cursor() as cursor:  # what it printed is SQL that runs
        cursor.execute("\n".join(line for line in told.splitlines() if not line.startswith("--")))
    with pytest.raises(CommandError, match="Create nobody_here first"):
        call_command("database_roles", apply=True, stdout=out, **names | {"sealer": "nobody_here"})
    assert "CREATE ROLE nobody_here LOGIN PASSWORD" in out.getvalue()


def test_functions_of_the_database_name_tables_that_exist(application):
    """A body in PL/pgSQL is read when it runs: after a rename it would fail then, or protect nothing."""
    named = application.execute(
        "SELECT p.proname, m[1] FROM pg_proc p,"
        " regexp_matches(p.prosrc, '\\m((?:governance|initiatives|adoption)_[a-z0-9]+)\\M', 'g') m"
        " WHERE p.pronamespace = 'public'::regnamespace"
    ).fetchall()
    there = {
        name
        for (name,) in application.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')"
        )
    }
    assert len(named) > 100
    assert {(function, name) for function, name in named if name not in there | set(Seat.values)} == set()
