"""Versions, and migrations that run while the former version serves."""

import json
import re
import subprocess
import sys
import threading
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django_migration_linter.sql_analyser import PostgresqlAnalyser, analyse_sql_statements

from governance.management.commands import migrate
from governance.models import Rulebook
from governance.offline import verify
from governance.operations import readiness, versions
from tests.support import factories
from tests.support.paths import ROOT

BASELINE = "0001_initial"  # writes an empty database, in which nothing serves


def refused(statements: list[str]) -> set[str]:
    """Return the codes of what the former version would not survive, or wait for."""
    errors, _, warnings = analyse_sql_statements(PostgresqlAnalyser, statements)
    return {issue.code for issue in [*errors, *warnings]}


def statements_of(migration: migrations.Migration, state: ProjectState) -> list[str]:
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    return [line for line in editor.collected_sql if not line.startswith("--")]


def planted(*operations) -> list[str]:
    state = ProjectState()
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
    state.add_model(ModelState("planted", "Kept", fields))
    migration = migrations.Migration("0002_planted", "planted")
    migration.operations = list(operations)
    return statements_of(migration, state)


@pytest.mark.django_db
class TestMigrations:
    """Expand, deploy, contract (docs/operate/upgrade.md)."""

    def test_every_migration_after_the_baseline_lets_the_former_version_serve(self):
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
        state = executor._create_project_state()
        for migration, _ in plan:
            if migration.app_label in versions.OURS and migration.name != BASELINE:
                assert refused(statements_of(migration, state)) == set(), (
                    f"{migration.app_label}.{migration.name}"
                )
            else:
                state = migration.mutate_state(state, preserve=False)

    @pytest.mark.parametrize(
        ("operation", "code"),
        [
            (migrations.RemoveField("Kept", "name"), "DROP_COLUMN"),
            (migrations.RenameField("Kept", "name", "title"), "RENAME_COLUMN"),
            (migrations.AlterField("Kept", "name", models.IntegerField()), "ALTER_COLUMN"),
            (migrations.AddField("Kept", "size", models.IntegerField(default=0)), "NOT_NULL"),
            (migrations.AlterModelTable("Kept", "elsewhere"), "RENAME_TABLE"),
            (migrations.DeleteModel("Kept"), "DROP_TABLE"),
            (migrations.AddIndex("Kept", models.Index(fields=["name"], name="kept_by_name")), "CREATE_INDEX"),
        ],
    )
    def test_what_the_former_version_would_not_survive_is_refused(self, operation, code):
        assert code in refused(planted(operation))

    def test_a_column_that_may_be_empty_passes(self):
        assert refused(planted(migrations.AddField("Kept", "size", models.IntegerField(null=True)))) == set()
        field = models.IntegerField(db_default=0)
        assert refused(planted(migrations.AddField("Kept", "size", field))) == set()


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_is_not_free_ends_the_command_in_words(monkeypatch):
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.05)
    held, done = threading.Event(), threading.Event()

    def hold():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE governance_entry IN ACCESS SHARE MODE")
            held.set()
            done.wait(20)
            cursor.execute("ROLLBACK")
        connections.close_all()

    def change(self, *args, **options):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE governance_entry IN ACCESS EXCLUSIVE MODE")

    other = threading.Thread(target=hold)
    other.start()
    held.wait(20)
    monkeypatch.setattr(migrate.migrate.Command, "handle", change)
    try:
        with pytest.raises(CommandError, match=r"Run `manage\.py migrate` again"):
            call_command("migrate", verbosity=0)
    finally:
        done.set()
        other.join()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


class TestVersion:
    @pytest.mark.django_db
    def test_all_versions_are_told_for_programs(self, cast):
        out = StringIO()
        call_command("version", "--json", stdout=out)
        told = json.loads(out.getvalue())
        assert told["schema"] == told["applied"] == dict.fromkeys(versions.OURS, BASELINE)
        assert told["export_format"] == verify.EXPORT
        assert told["rulebook"]

    def test_without_a_database_the_code_is_told(self, tmp_path):
        told = subprocess.run(
            [sys.executable, "manage.py", "version"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert told.stdout.strip() == call_version()

    def test_the_newest_migrations_are_those_that_migrate_would_end_at(self):
        ends = {
            app: name
            for app, name in MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes()
            if app in versions.OURS
        }
        assert versions.newest_migrations() == ends
        assert re.fullmatch(r"\d{4}\.\d{4}\.\d{4}", versions.schema())

    @pytest.mark.django_db
    @pytest.mark.parametrize("ready", [True, False])
    def test_readyz_shows_code_and_schema_in_both_states(self, client, monkeypatch, ready):
        monkeypatch.setattr(readiness, "ready", lambda: (ready, {"database": "words"}))
        told = client.get("/readyz").json()
        assert told == {
            "ready": ready,
            "version": call_version(),
            "schema": versions.schema(),
            "database": "words",
        }


@pytest.mark.django_db
class TestFooter:
    @pytest.fixture(autouse=True)
    def _rulebook_of_no_other_test(self):
        versions.forget()
        yield
        versions.forget()

    def test_admins_see_the_versions_on_every_page_and_others_do_not(self, cast, as_):
        words = f"Plumbline {call_version()}, schema {versions.schema()}, rulebook"
        rulebook = Rulebook.objects.current().version
        for address in ("/", "/status/"):
            footer = plain(as_(cast.admin).get(address)).partition("<footer")[2]
            assert f'{words} <span translate="no">{rulebook}</span>' in footer
        for person in (cast.owner, cast.auditor):
            assert "schema" not in plain(as_(person).get("/"))

    def test_without_a_rulebook_the_footer_has_code_and_schema(self, as_):
        admin = factories.make_person("first", is_admin=True)
        footer = plain(as_(admin).get("/status/")).partition("<footer")[2]
        assert f"Plumbline {call_version()}, schema {versions.schema()}</p>" in footer

    def test_one_query_a_minute_reads_the_rulebook(self, cast, monkeypatch, django_assert_num_queries):
        Rulebook.objects.current()  # its row is kept by the process
        with django_assert_num_queries(1):
            shown = versions.shown()
        with django_assert_num_queries(0):
            assert versions.shown() == shown
        later = time.monotonic() + versions.KEPT
        monkeypatch.setattr(versions.time, "monotonic", lambda: later)
        with django_assert_num_queries(1):
            assert versions.shown() == shown


def plain(answer) -> str:
    """Return the page with one space between words."""
    return " ".join(answer.content.decode().split())


def call_version() -> str:
    out = StringIO()
    call_command("version", stdout=out)
    return out.getvalue().strip()
