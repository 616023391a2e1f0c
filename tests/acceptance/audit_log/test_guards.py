"""What stands in the database beside rows: compared with what a fresh one has, by hand with what must hold of each."""

import pytest
from django.db import connection

from governance.database import database_catalogue, database_roles
from governance.transparency_log import database_guards
from tests.support import plugin

pytestmark = pytest.mark.django_db(transaction=True)

REFUSING = "plumbline_refuse_change"


def execute(statement: str, *values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def told() -> list[str]:
    return database_guards.differences(connection, plugin.LOGINS)


def test_the_file_says_what_a_migrated_database_has():
    with connection.cursor() as cursor:
        stands = database_catalogue.what_stands(cursor)
    assert database_guards.EXPECTED.read_text() == database_guards.written(stands), "run `make guards`"


def test_a_migrated_database_has_no_difference_for_any_login(application, auditor_login, sealer):
    assert told() == []
    for login in (application, auditor_login, sealer):
        assert database_guards.differences(login, plugin.LOGINS) == []


def test_migrations_of_a_newer_version_are_named_before_what_they_installed():
    execute("ALTER TABLE initiatives_evidence ALTER COLUMN note SET DEFAULT 'new'")
    assert len(told()) == 1
    execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('governance', '0002_add_note', now())"
    )
    newer, unknown = told()
    assert newer == (
        "The database has migrations of a newer version: governance.0002_add_note. "
        "This version does not know what they installed. Verify with the newer version."
    )
    assert "unknown" in unknown


def test_a_month_of_decisions_is_no_difference():
    execute("SELECT plumbline_decisions_of('2026-11-20'), plumbline_decisions_of('2026-12-20')")
    assert execute("SELECT to_regclass('public.governance_policydecision_2026_12') IS NOT NULL") == [(True,)]
    assert told() == []
    database_roles.grant(connection, plugin.LOGINS)
    assert told() == []


def test_every_function_of_ours_has_its_search_path_or_a_body_that_is_parsed():
    loose = execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname IN ('public', 'asof') AND p.prosqlbody IS NULL"
        " AND NOT coalesce(%s = ANY (p.proconfig), false)",
        "search_path=pg_catalog, public, pg_temp",
    )
    assert loose == []
    assert execute("SELECT count(*) > 250 FROM pg_proc WHERE proname LIKE 'plumbline%'") == [(True,)]


def test_no_trigger_function_is_for_everybody_and_each_is_bound_to_its_tables():
    found = execute(
        "SELECT proname, prosrc, has_function_privilege('public', p.oid, 'EXECUTE'),"
        " array(SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
        "        WHERE tgfoid = p.oid AND tgparentid = 0 ORDER BY 1)"
        " FROM pg_proc p WHERE prorettype = 'trigger'::regtype AND pronamespace = 'public'::regnamespace"
    )
    assert len(found) > 220
    assert [name for name, _, public, _ in found if public] == []
    for name, source, _, tables in found:
        if name != REFUSING:  # it refuses, whatever it stands on
            listed = ", ".join(f"'{table}'" for table in tables)
            assert f"TG_TABLE_SCHEMA <> 'public' OR TG_TABLE_NAME NOT IN ({listed})" in source, name


def test_only_the_owner_makes_tables_of_a_session(application, auditor_login, sealer):
    for login in (application, auditor_login, sealer):
        with pytest.raises(Exception, match="permission denied to create temporary tables"):
            login.execute("CREATE TEMPORARY TABLE governance_entry (id bigint)")


# One alteration each, and the sentence that names it.
ALTERED = {
    "CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'": (
        "The function public.plumbline_guard_stage() differs from the one that migrations install."
    ),
    "ALTER FUNCTION plumbline_guard_decision() RESET search_path": (
        "The function public.plumbline_guard_decision() differs from the one that migrations install."
    ),
    "GRANT EXECUTE ON FUNCTION plumbline_capture_initiatives_signoff() TO PUBLIC": (
        "The function public.plumbline_capture_initiatives_signoff() may be called by anybody."
    ),
    "ALTER TABLE initiatives_signoff DISABLE TRIGGER duties_are_separate": (
        "The trigger initiatives_signoff.duties_are_separate is switched off."
    ),
    "DROP TRIGGER append_only ON initiatives_signoff": "The trigger initiatives_signoff.append_only is gone.",
    "ALTER TABLE initiatives_signoff ENABLE REPLICA TRIGGER append_only": (
        "The trigger initiatives_signoff.append_only is switched off."
    ),
    "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'": (
        "The function public.mine() is unknown: no migration installs it."
    ),
    "ALTER TABLE initiatives_review DROP CONSTRAINT decided_means_findings_are_frozen": (
        "The constraint initiatives_review.decided_means_findings_are_frozen is gone."
    ),
    "DROP INDEX one_open_review_per_initiative": "The index one_open_review_per_initiative is gone.",
    "ALTER TABLE initiatives_signoff ALTER xact SET DEFAULT 1": (
        "The default initiatives_signoff.xact differs from the one that migrations install."
    ),
    "CREATE RULE silent AS ON UPDATE TO initiatives_hold DO INSTEAD NOTHING": (
        "Not from a migration: the rule silent on initiatives_hold rewrites what is asked of it."
    ),
    "ALTER TABLE initiatives_hold ENABLE ROW LEVEL SECURITY": (
        "Not from a migration: row security on initiatives_hold hides or refuses rows."
    ),
    "ALTER TABLE initiatives_review DISABLE TRIGGER ALL": "The trigger initiatives_review.captured is switched off.",
    "GRANT UPDATE ON initiatives_signoff TO {application}": "{application} was granted UPDATE on initiatives_signoff.",
    "GRANT UPDATE (verdict) ON initiatives_signoff TO {application}": (
        "{application} was granted UPDATE on initiatives_signoff.verdict."
    ),
    "GRANT INSERT ON governance_leaf TO {auditor}": "{auditor} was granted INSERT on governance_leaf.",
    "GRANT SELECT (password) ON governance_user TO {auditor}": (
        "{auditor} was granted SELECT on governance_user.password."
    ),
    "REVOKE SELECT ON governance_entry FROM {auditor}": "{auditor} lacks SELECT on governance_entry.",
    ("GRANT TRUNCATE ON initiatives_signoff TO PUBLIC"): (
        "Everyone was granted TRUNCATE on initiatives_signoff."
    ),
    "GRANT CREATE ON SCHEMA public TO PUBLIC": "Everyone was granted CREATE on the schema public.",
    "GRANT EXECUTE ON FUNCTION plumbline_keep_row TO {application}": (
        "{application} was granted EXECUTE on the function plumbline_keep_row."
    ),
    "ALTER TABLE initiatives_hold OWNER TO {application}": (
        "Not from a migration: initiatives_hold belongs to {application}, not to {owner}."
    ),
}


@pytest.mark.parametrize("alteration", ALTERED)
def test_each_alteration_is_named(alteration):
    owner = connection.settings_dict["USER"] or "plumbline"
    names = dict(zip(("application", "sealer", "auditor"), plugin.LOGINS, strict=True)) | {"owner": owner}
    execute(alteration.format(**names))
    assert ALTERED[alteration].format(**names) in told()


def test_everybody_with_temporary_tables_is_named():
    (database,) = execute("SELECT current_database()")[0]
    execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO PUBLIC')
    try:
        assert told() == ["Everyone was granted TEMPORARY on the database."]
    finally:
        execute(f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC')


def test_a_login_that_is_more_than_a_login_is_named():
    login = (
        "plumbline_mighty_of_tests"  # roles are the server's: one of ours would show in every database of it
    )
    execute(f"CREATE ROLE {login}")
    try:
        execute(f"GRANT SELECT ON initiatives_initiative TO {login}")
        execute(f"ALTER ROLE {login} CREATEROLE")
        execute(f"GRANT pg_write_all_data, {database_roles.CLOCK} TO {login}")
        execute(f"GRANT SET ON PARAMETER session_replication_role TO {login}")
        assert told() == [
            f"{login} may make roles.",
            f"{login} may switch triggers off.",
            f"{login} is a member of pg_write_all_data.",
            f"{login} is a member of {database_roles.CLOCK}.",
        ]
    finally:
        execute(f"DROP OWNED BY {login}; DROP ROLE {login}")


def test_another_login_has_what_one_of_ours_has_or_is_named():
    execute("CREATE ROLE plumbline_reader_of_tests")
    try:
        execute("GRANT SELECT ON initiatives_initiative TO plumbline_reader_of_tests")
        assert told() == []
        execute("GRANT INSERT ON governance_leaf, initiatives_signoff TO plumbline_reader_of_tests")
        assert told() == ["plumbline_reader_of_tests has more rights than any login of Plumbline."]
    finally:
        execute("DROP OWNED BY plumbline_reader_of_tests; DROP ROLE plumbline_reader_of_tests")
