"""Restoring a backup into an empty database, whole or not at all.

The rows are loaded by COPY in one transaction, by the owner of the tables, without a right of a superuser. Plumbline's
triggers and the foreign keys are off for that transaction. They return unchanged, and every key is checked again. Each
table is then read once more and must give the bytes of the backup.
"""

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from governance.audit_log import entries
from governance.database import database_roles
from governance.database.row_history import acting
from governance.interaction_retention import destroyed
from governance.privacy import erasure_log, erasure_replay
from governance.runtime.spool_files import sync_folder
from governance.storage import backup, data_folder
from governance.storage.backup import BackupTrouble
from governance.storage.kept_files import StoreAway
from governance.vocabulary.entry_kinds import EntryKind

# What migrating alone leaves in an empty database.
MADE_BY_MIGRATING = ("django_migrations", "django_content_type", "auth_permission", backup.FOLDER)
# The decisions of a month have a table of their own, made with the first of them.
MONTH_OF = re.compile(r"governance_(policydecision|interaction|interactionbody)_(\d{4})_(\d{2})\Z")
MONTHS_MADE_BY = {
    "policydecision": "plumbline_decisions_of({})",
    "interaction": "plumbline_interactions_of({})",
    "interactionbody": "plumbline_bodies_of({}::date)",
}
# Columns that hold the id of a transaction, in every table of the audit log.
XACT_COLUMNS = ("xact", "history_xact")


def restore(
    folder: Path, *, erasures: Path | None = None, tell: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Put a backup into this installation's empty database and storage. Returns its manifest.

    Before the database opens, erasures in the log `erasures` that the backup does not know are done again. Keys of
    interactions that were destroyed since are destroyed again (the list is beside the masters). Raises BackupTrouble if
    the backup was changed or is from a newer version, or if the database is not empty. A second attempt then still
    works.
    """
    manifest = backup.check(folder)
    log = read_log(erasures)
    read_destroyed()
    tell("The backup is unchanged since it was written.")
    with connection.cursor() as cursor:
        refuse_unless_empty(cursor)
    older = migrate_to(manifest["migrations"])
    try:
        put_files(folder, manifest)
    except StoreAway as away:
        raise BackupTrouble(f"{away}. Check PLUMBLINE_STORE and its access key.") from None
    tell(f"{len(manifest['evidence'])} files of evidence.")
    put_interactions(folder, manifest)
    tell(f"{len(manifest.get('interactions', []))} files of the interaction log.")
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(backup.UNHURRIED)
        cursor.execute(backup.WRITTEN_ALIKE)
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        load(cursor, folder, manifest)
        move_count_of_transactions(cursor)
        if not older:
            record_restore(folder, manifest)
            erased_again = erasure_replay.replay(log)
            destroyed_again = destroyed.again(as_owner=True)
    tell(f"{len(manifest['tables'])} tables, {sum(t['rows'] for t in manifest['tables'].values())} rows.")
    if older:
        call_command("migrate", interactive=False, verbosity=0)
        record_restore(folder, manifest)
        erased_again = erasure_replay.replay(log)
        with transaction.atomic():
            destroyed_again = destroyed.again(as_owner=True)
    data_folder.take()
    database_roles.grant(connection)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if log else "ANALYZE")  # the first also frees what was erased
    if log:
        tell(f"{erased_again} erasures done again.")
    if destroyed_again:
        tell(f"{destroyed_again} keys of interactions destroyed again.")
    return manifest


def read_log(path: Path | None) -> list[str]:
    """Return the lines of a log of erasures. Raises BackupTrouble when one is at hand and was not named."""
    if path is None:
        if erasure_log.log_path().exists():
            raise BackupTrouble(
                f"the data folder has a log of erasures. Add --erasures {erasure_log.log_path()}, so that "
                "erased data stay erased. If the log is from another installation, move the log away."
            )
        return []
    try:
        lines = path.read_text().splitlines()
        for line in lines:
            json.loads(line)
    except (OSError, ValueError) as trouble:
        reason = (
            trouble.strerror
            if isinstance(trouble, OSError)
            else "the file is cut off, or is not a log of erasures"
        )
        raise BackupTrouble(
            f"the log of erasures {path} cannot be read ({reason}). Use another copy."
        ) from None
    return lines


def read_destroyed() -> None:
    """Raises BackupTrouble where the list of destroyed keys is there and cannot be read."""
    try:
        destroyed.lines()
    except (OSError, ValueError):
        raise BackupTrouble(
            f"the list of destroyed keys {destroyed.path()} cannot be read. Put back its copy."
        ) from None


def refuse_unless_empty(cursor: Any) -> None:
    """Raises BackupTrouble when any table holds a row that migrating did not put there."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND relname <> ALL (%s) ORDER BY relname",
        [list(MADE_BY_MIGRATING)],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(name)))
        if cursor.fetchone()[0]:
            raise BackupTrouble(
                f"this database is not empty (there are rows in {name}). Set DATABASE_URL to a new "
                "database. If DATABASE_URL is not set, set PLUMBLINE_DATA to a new folder."
            )


# --- Migrations -------------------------------------------------------------------------------------------------------


def migrate_to(state: dict[str, list[str]]) -> bool:
    """Bring the empty database to the migrations of the backup. Returns if this version has newer ones.

    Raises BackupTrouble if this version does not know a migration of the backup.
    """
    wanted = {(app, name) for app, names in state.items() for name in names}
    executor = MigrationExecutor(connection)
    known = set(executor.loader.disk_migrations)
    if unknown := sorted(wanted - known):
        raise BackupTrouble(
            "the backup was taken by a different version of Plumbline, with the migration "
            f"{'.'.join(unknown[0])}. Restore the backup with that version or a newer version."
        )
    if ahead := sorted(set(executor.loader.applied_migrations) - wanted):
        raise BackupTrouble(
            f"this database is empty but migrated further than the backup ({'.'.join(ahead[0])}). Set "
            "DATABASE_URL to a new database, and let the restore migrate that database."
        )
    if wanted == known:
        call_command("migrate", interactive=False, verbosity=0)
        return False
    # The last of each app; the triggers that every migrate renews come with the newer migrations, after the rows.
    parents = {
        parent.key
        for key in wanted
        for parent in executor.loader.graph.node_map[key].parents
        if parent.key[0] == key[0]
    }
    executor.migrate(sorted(wanted - parents))
    return True


# --- Files ------------------------------------------------------------------------------------------------------------


def put_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Copy the files of evidence into storage, under their names. Raises BackupTrouble where another file has one."""
    for name in manifest["evidence"]:
        place = backup.evidence_place(name)
        if default_storage.exists(name):
            with default_storage.open(name) as there:
                content = backup.sha256_of(there)
            if content != manifest["files"][place]["sha256"]:
                raise BackupTrouble(
                    f"storage has a different file with the name {name}. Set PLUMBLINE_DATA to a new folder, "
                    "or PLUMBLINE_STORE to a new bucket or prefix."
                )
            continue
        with open(folder / place, "rb") as source:
            default_storage.save(name, File(source))


def put_interactions(folder: Path, manifest: dict[str, Any]) -> None:
    """Put interactions that waited where they wait again. Raises BackupTrouble where another file has a name."""
    base = Path(settings.INTERACTIONS_DIR)
    for name in manifest.get("interactions", []):
        backup.evidence_place(name)  # leads nowhere else
        target, place = base / PurePosixPath(name), f"{backup.INTERACTIONS}/{name}"
        if target.exists():
            with open(target, "rb") as there:
                if backup.sha256_of(there) != manifest["files"][place]["sha256"]:
                    raise BackupTrouble(
                        f"the interaction log has a different file {target}. Set PLUMBLINE_DATA to a new folder."
                    )
            continue
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.draft")
        shutil.copyfile(folder / place, draft)
        draft.chmod(0o600)
        draft.rename(target)
        sync_folder(target.parent)


# --- Rows -------------------------------------------------------------------------------------------------------------


def load(cursor: Any, folder: Path, manifest: dict[str, Any]) -> None:
    """Fill every table and set every sequence, in the running transaction. Raises BackupTrouble."""
    tables = manifest["tables"]
    columns = {name: table["columns"] for name, table in tables.items()}
    make_months(cursor, list(tables))
    if backup.tables_of(cursor) != columns:
        raise BackupTrouble(
            "the tables of this database are not the tables of the backup. Restore the backup with the "
            "version that took the backup."
        )
    # Sessions are in no backup, and point to people: whoever is signed in to this empty place is signed out.
    listed = sql.SQL(", ").join(map(sql.Identifier, [*tables, backup.SESSIONS]))
    cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(listed))
    refuse_unless_empty(cursor)
    triggers, keys = lower_fences(cursor, list(tables))
    cursor.execute(sql.SQL("TRUNCATE {}").format(listed))  # what migrating left
    for name, table in tables.items():
        _copy_in(cursor, folder, name, table)
    for name, (last, called) in manifest["sequences"].items():
        cursor.execute("SELECT setval(%s::regclass, %s, %s)", [f'"{name}"', last, called])
    for name, table in tables.items():
        if backup.content_of(cursor, name, table["columns"]) != table["content"]:
            raise BackupTrouble(
                f"the table {name} differs from the backup after the restore. The restore was undone."
            )
    raise_fences(cursor, triggers, keys)


def make_months(cursor: Any, tables: list[str]) -> None:
    """Make the tables of the months of which the backup holds rows: migrating alone makes none of them."""
    for of, year, month in (found.groups() for name in tables if (found := MONTH_OF.match(name))):
        middle = "make_timestamptz(%s, %s, 15, 12, 0, 0, 'UTC')"
        cursor.execute(f"SELECT {MONTHS_MADE_BY[of].format(middle)}", [int(year), int(month)])


def _copy_in(cursor: Any, folder: Path, name: str, table: dict[str, Any]) -> None:
    statement = backup.copy_statement(name, table["columns"], "FROM STDIN")
    with gzip.open(folder / "tables" / f"{name}.gz") as packed, cursor.copy(statement) as into:
        while block := packed.read(backup.CHUNK):
            into.write(block)
    if cursor.rowcount != table["rows"]:
        raise BackupTrouble(
            f"the table {name} got {cursor.rowcount} rows instead of {table['rows']}. The restore was undone."
        )


def lower_fences(cursor: Any, tables: list[str]) -> tuple[list[tuple], list[tuple]]:
    """Switch Plumbline's triggers off and remove foreign keys. Returns both, to restore them."""
    cursor.execute(
        "SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%s)"
        " ORDER BY 1, 2",
        [tables],
    )
    triggers = cursor.fetchall()
    cursor.execute(
        "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace"
        " AND c.relname = ANY (%s) ORDER BY 1, 2",
        [tables],
    )
    keys = cursor.fetchall()
    for table in tables:
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    for table, name, _ in keys:
        cursor.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
        )
    return triggers, keys


def raise_fences(cursor: Any, triggers: list[tuple], keys: list[tuple]) -> None:
    """Restore the triggers and foreign keys. The database checks every key of every row, and may raise."""
    how = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS", "D": "DISABLE"}
    for table, name, state in triggers:
        cursor.execute(
            sql.SQL("ALTER TABLE {} " + how[state] + " TRIGGER {}").format(
                sql.Identifier(table), sql.Identifier(name)
            )
        )
    for table, name, definition in keys:
        cursor.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(sql.Identifier(table), sql.Identifier(name))
            + sql.SQL(definition)
        )


def move_count_of_transactions(cursor: Any) -> int:
    """Move plumbline_xact() above every id that the audit log knows. Returns the added number.

    Another server counts its transactions from the start. Without the move, an id would mean two of them.
    """
    cursor.execute(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = ANY (%s)"
        " AND a.atttypid = 'bigint'::regtype AND NOT a.attisdropped",
        [list(XACT_COLUMNS)],
    )
    highest = 0
    for table, column in cursor.fetchall():
        cursor.execute(
            sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(
                sql.Identifier(column), sql.Identifier(table)
            )
        )
        highest = max(highest, cursor.fetchone()[0])
    cursor.execute(
        "SELECT pg_get_functiondef('plumbline_xact()'::regprocedure), pg_current_xact_id()::text::bigint"
    )
    definition, running = cursor.fetchone()
    ahead = max(0, highest - running + 1)
    moved, found = re.subn(r"\+ \d+", f"+ {ahead}", definition)
    if found != 1:
        raise BackupTrouble(
            "plumbline_xact() is not the function of the migrations, so the transaction counter cannot be "
            "moved."
        )
    cursor.execute(moved)
    return ahead


def record_restore(folder: Path, manifest: dict[str, Any]) -> None:
    """Record that the audit log continues in another place, and from which backup."""
    with acting(system="restore", reason="The database was restored from a backup"):
        entries.record(
            EntryKind.RESTORED,
            backup_made_at=manifest["made_at"],
            manifest_sha256=backup.fingerprint_of(folder),
            entries=manifest["tables"]["governance_entry"]["rows"],
            checkpoint=manifest["checkpoint"],
        )


def trouble_of_database(trouble: Exception) -> BackupTrouble:
    """Return the database's error as advice."""
    cause = trouble.__cause__ or trouble
    first = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return BackupTrouble(
            f"this login may not restore the database ({first}). In DATABASE_URL, use the login that owns the tables."
        )
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return BackupTrouble("the database is in use. Stop Plumbline (Ctrl-C), then try again.")
    return BackupTrouble(f"the database refuses ({first}).")
