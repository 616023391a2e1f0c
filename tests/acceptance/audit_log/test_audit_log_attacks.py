"""Attacks on every table of the audit log: as the application they are refused; as the owner of the schema they are
refused while the triggers are on, and found by verification when the owner switched them off."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from adoption.demo import initiative_acts
from governance.transparency_log import database_guards, sealing, verification
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.database.tampering import tamper, undone

FORGE = {
    "entry": 'INSERT INTO governance_entry (kind, initiative_ref, "table", key, operation, request_id, at, digest)'
    " VALUES ('decided', 'AI-0001', '', '', '', '', now(), '\\x00')",
    "leaf": "INSERT INTO governance_leaf (position, entry_id, data, hash) VALUES (99999, 1, '\\x00', '\\x00')",
    "checkpoint": "INSERT INTO governance_checkpoint (origin, size, root, note, counted, running_to)"
    " VALUES ('o', 1, '\\x00', 'n', 0, 0)",
    "act": "SELECT plumbline_keep_row('initiatives_signoff', '1', '+', 1, NULL, '{}')",
}
MERGE = "MERGE INTO {t} USING (SELECT 1) s ON true WHEN MATCHED THEN "


def attacks(table: str, pk: str) -> list[str]:
    """What somebody with a login tries on a table whose past is in the way."""
    return [
        f"UPDATE {table} SET {pk} = {pk}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
        MERGE.format(t=table) + f"UPDATE SET {pk} = {pk}",
        MERGE.format(t=table) + "DELETE",
        f"WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone",
        f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1 ON CONFLICT ({pk}) DO UPDATE SET {pk} = excluded.{pk}",
    ]


def designs(table: str) -> list[str]:
    """What only the owner of a table may do to it."""
    return [
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"DROP TRIGGER append_only ON {table}",
        f"ALTER TABLE {table} ADD COLUMN mine int",
        f"ALTER TABLE {table} OWNER TO CURRENT_USER",
        f"DROP TABLE {table} CASCADE",
        f"CREATE RULE quiet AS ON DELETE TO {table} DO INSTEAD NOTHING",
        f"CREATE TRIGGER mine BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change()",
        f"CREATE VIEW public.mine AS SELECT * FROM {table}",
        f"ALTER TABLE {table} RENAME TO elsewhere",
    ]


EVERYWHERE = [
    "SET session_replication_role = replica",
    "SET ROLE pg_write_all_data",
    "CREATE OR REPLACE FUNCTION plumbline_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION plumbline_now() RENAME TO no_more",
    "DROP SCHEMA asof CASCADE",
    *FORGE.values(),
]


def live(cast):
    """An initiative with sign-offs, a voiding, a move, a contract; sealed."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_offs(review, cast.team)
    review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    initiative_acts.staff(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    components_actions.record_component(
        initiative=initiative, layer="model", name="Language model", version="m-5", by=cast.owner
    )
    sealing.seal()
    return initiative


def recorded() -> list[tuple[str, str, bool]]:
    """Every table of the audit log with its key, and whether there is anything in it."""
    found = []
    with connection.cursor() as cursor:
        for table in [*database_guards.audit_log_tables(), *database_guards.MARKED_ONCE]:
            pk = connection.introspection.get_primary_key_column(cursor, table)
            cursor.execute(f"SELECT count(*) FROM {table}")
            found.append((table, pk, cursor.fetchone()[0] > 0))
    return found


BY_TRIGGER = ("keeps what was written", "must be owner", "is not consumed before it is made")


@pytest.mark.django_db(transaction=True)
def test_the_application_is_refused(application):
    live(factories.make_cast())
    application.execute('SET plumbline.act = \'{"name": "Mallory", "at": "2026-11-20T10:00:00Z"}\'')
    came_through = []
    for table, pk, filled in recorded():
        tried = [*attacks(table, pk), *designs(table)]
        assert len(tried) > 12
        for attack in tried:
            if table in database_guards.MARKED_ONCE and not filled:
                continue
            try:
                application.execute(attack)
                came_through.append(attack)
            except psycopg.errors.InsufficientPrivilege:
                pass
            except psycopg.Error as refused:
                # A right it has (stage changes are marked as used): then the trigger refuses.
                if not any(words in str(refused) for words in BY_TRIGGER):
                    came_through.append(f"{attack}: {refused}")
    for attack in EVERYWHERE:
        with pytest.raises(psycopg.Error, match=r"permission denied|must be owner"):
            application.execute(attack)
    assert came_through == []


@pytest.mark.django_db
def test_the_owner_is_refused_while_the_triggers_are_on(cast):
    live(cast)
    connection.check_constraints()  # what is pending would refuse some by itself
    came_through = []
    for table, pk, filled in recorded():
        for attack in attacks(table, pk) if filled else [f"TRUNCATE {table} CASCADE"]:
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(attack)
                came_through.append(attack)
            except DatabaseError as refused:
                if not refused.__cause__.sqlstate.startswith("PL"):  # a guard of ours
                    came_through.append(f"{attack}: {refused}")
    assert came_through == []


# Rows that verification does not rest on: the signature of another organisation proves itself, or does not.
PROVES_ITSELF = {"governance_timestamp", "governance_cosignature"}


@pytest.mark.django_db
def test_what_the_owner_does_with_the_triggers_off_is_found(cast, rounds):
    """Every attack on every table with `--rounds 500`; in the suite one of seventeen, another one for each table."""
    live(cast)
    step = 1 if rounds >= 500 else 17
    assert verification.verify().findings == []
    not_found = []
    for place, (table, pk, filled) in enumerate(recorded()):
        if not filled or table in PROVES_ITSELF:
            continue
        for name, attack in list(switched_off(table, pk))[place % step :: step]:
            with undone():
                try:
                    with transaction.atomic():
                        touched = tamper(attack, table=table)
                except DatabaseError:
                    continue  # a key or a constraint refuses it even then
                if touched and not verification.verify().findings:
                    not_found.append(f"{table}: {name}")
    assert not_found == []


def switched_off(table: str, pk: str):
    """Attacks of somebody whom no trigger stops, on the newest row or on all: by name, SQL."""
    newest = f"(SELECT max({pk}) FROM {table})"
    yield "the newest row deleted", f"DELETE FROM {table} WHERE {pk} = {newest}"
    yield "the oldest row deleted", f"DELETE FROM {table} WHERE {pk} = (SELECT min({pk}) FROM {table})"
    with connection.cursor() as cursor:
        columns = {
            column.name: column.type_code
            for column in connection.introspection.get_table_description(cursor, table)
            if column.name not in (pk, "counted", "running_to")
        }
    listed = ", ".join(f'"{name}"' for name in columns)
    yield (
        "a copy of a row written in",
        f"INSERT INTO {table} ({pk}, {listed}) SELECT {pk} + 100000, {listed} FROM {table} WHERE {pk} = {newest}",
    )
    changes = {
        17: "|| '\\x01'",
        20: "+ 1",
        23: "+ 1",
        25: "|| 'x'",
        1043: "|| 'x'",
        1184: "+ interval '1 day'",
    }
    for name, kind in list(columns.items())[:8]:
        if kind in changes:
            yield (
                f"{name} changed",
                f'UPDATE {table} SET "{name}" = left("{name}", -1) || \'!\' WHERE {pk} = {newest}'
                if kind in (25, 1043)
                else f'UPDATE {table} SET "{name}" = "{name}" {changes[kind]}'
                f' WHERE {pk} = {newest} AND "{name}" IS NOT NULL',
            )
