"""A backup: one consistent copy of everything, in a folder that proves itself.

People can work while it is taken. All tables are read in one snapshot, by COPY. No program of PostgreSQL is needed, so
the backup is the same for the embedded database and for a server of any version. The folder holds

    manifest.json       the contents, and the SHA-256 of every other file
    manifest.sha256     the SHA-256 of the manifest
    tables/NAME.gz      one table each, in COPY's text format
    evidence/...        the files that rows name, under their names in storage
    interactions/...    encrypted reports of systems that the worker has not brought over yet, without any key

It is written as `DIR.partial` and gets its name when it is complete. Files of evidence are decrypted in it, so they can
be restored into any store. It has no secrets. The finder of a copy could sign as this installation with the secret key
or the key that signs checkpoints. The master keys of interactions are copied separately
(`governance.interaction_retention.key_copies`). `governance.storage.restore` restores a backup.
"""

import contextlib
import fcntl
import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.files.storage import Storage
from django.db import connection, models, transaction
from psycopg import sql

from governance import clock
from governance.runtime.secret_files import KEPT_SIGNING_KEY
from governance.storage.kept_files import StoreAway
from governance.storage.sealed_files import Unreadable
from governance.transparency_log import signing_keys

FORMAT = "plumbline backup 1"
MANIFEST = "manifest.json"
MANIFEST_SUM = "manifest.sha256"
# Migrations are run anew by a restore; who was signed in then is signed in no more; the folder of files is another.
SESSIONS = "governance_session"
FOLDER = "governance_datafolder"
LEFT_OUT = ("django_migrations", SESSIONS, FOLDER)
INTERACTIONS = "interactions"
CHUNK = 256 * 1024

# What COPY writes depends on these and on nothing else.
WRITTEN_ALIKE = (
    "SET LOCAL client_encoding = 'UTF8'; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD';"
    " SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';"
    " SET LOCAL synchronize_seqscans = off; SET LOCAL search_path = public"
)
# However long it takes; a server may have been told to cut long statements short.
UNHURRIED = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


class BackupTrouble(Exception):
    """A backup cannot be taken, read or restored. The text is one sentence with the fix."""


def take(folder: Path, *, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Copy everything at one moment into a new folder. Returns the manifest.

    Runs as the owner of the tables, beside people at work. Files that storage has lost or changed, and that the audit
    log does not know as missing, are listed in the manifest under "lost" and "changed". Raises BackupTrouble.
    """
    with draft_of(folder) as draft:
        files: dict[str, Any] = {}
        # Before the tables: what these do not have waits in the copy. What is in both is not brought over again.
        waiting = copy_interactions(draft, files)
        with snapshot() as cursor:
            manifest: dict[str, Any] = {
                "format": FORMAT,
                "made_at": clock.now().isoformat(),
                "postgresql": connection.pg_version,
                "migrations": migrations_of(cursor),
                "checkpoint": newest_checkpoint(cursor),
                "keys": public_keys(signing_keys.origin()),
                "tables": {},
                "files": files,
            }
            for name, columns in tables_of(cursor).items():
                place = f"tables/{name}.gz"
                told = copy_out(cursor, name, columns, draft / place)
                manifest["tables"][name], files[place] = told
            manifest["sequences"] = sequences_of(cursor)
            named = files_named()
        tell(f"{len(manifest['tables'])} tables, {sum(t['rows'] for t in manifest['tables'].values())} rows.")
        manifest |= copy_files(draft, named, files)
        tell(f"{len(manifest['evidence'])} files of evidence.")
        manifest["interactions"] = waiting
        tell(f"{len(waiting)} files of the interaction log.")
        write_manifest(draft, manifest)
    return manifest


@contextlib.contextmanager
def draft_of(folder: Path) -> Iterator[Path]:
    """Yield a folder `DIR.partial`. It becomes `DIR` if the block ends well, and is removed otherwise."""
    if folder.exists():
        raise BackupTrouble(f"{folder} already exists. Name a new folder, such as one with the date.")
    draft = folder.with_name(f"{folder.name}.partial")
    try:
        draft.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = os.open(draft, os.O_RDONLY)
    except OSError as trouble:
        raise BackupTrouble(f"{draft} cannot be made ({trouble.strerror}). Name another folder.") from None
    try:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupTrouble(
                f"another backup is being written to {folder}. Name another folder."
            ) from None
        try:
            for left in draft.iterdir():  # of a backup that was killed
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
            yield draft
            _keep_folders(draft)
            draft.rename(folder)
            _keep_folder(folder.parent)
        except BaseException as trouble:
            shutil.rmtree(draft, ignore_errors=True)
            if isinstance(trouble, OSError):
                raise BackupTrouble(
                    f"{folder} cannot be written ({trouble.strerror or trouble})."
                ) from trouble
            raise
    finally:
        os.close(mark)


@contextlib.contextmanager
def snapshot() -> Iterator[Any]:
    """Yield a cursor that sees all tables at one moment, without migrations meanwhile. Raises BackupTrouble."""
    try:
        with connection.cursor() as cursor:
            before = tables_of(cursor)
        if not before:
            raise BackupTrouble("this database has no tables of Plumbline. Check DATABASE_URL.")
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(UNHURRIED)
            cursor.execute(WRITTEN_ALIKE)
            # Before the snapshot, which the first query takes: a migration that is running ends first.
            cursor.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(_listed(["django_migrations", *before]))
            )
            if tables_of(cursor) != before:
                raise BackupTrouble(
                    "a migration was changing the tables. Take the backup after the migration."
                )
            yield cursor
    except psycopg.errors.InsufficientPrivilege as trouble:
        raise _not_the_owner(trouble) from trouble
    except Exception as trouble:
        if isinstance(trouble.__cause__, psycopg.errors.InsufficientPrivilege):
            raise _not_the_owner(trouble.__cause__) from trouble
        raise


def _not_the_owner(trouble: Exception) -> BackupTrouble:
    return BackupTrouble(
        f"this login may not read everything ({str(trouble).splitlines()[0]}). Set DATABASE_URL to the "
        "owner of the tables."
    )


# --- What the database holds ------------------------------------------------------------------------------------------


def tables_of(cursor: Any) -> dict[str, list[str]]:
    """Return every table that a backup holds, with the columns that are stored in it."""
    cursor.execute(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        "  AND a.attgenerated = ''"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL (%s)"
        " GROUP BY c.relname ORDER BY c.relname",
        [list(LEFT_OUT)],
    )
    return dict(cursor.fetchall())


def sequences_of(cursor: Any) -> dict[str, list[Any]]:
    """Return the state of every sequence. Sequences have no snapshot, so these are never below the tables."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' ORDER "
        "BY relname"
    )
    found = {}
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name)))
        found[name] = list(cursor.fetchone())
    return found


def migrations_of(cursor: Any) -> dict[str, list[str]]:
    """Return the migrations applied, by app."""
    cursor.execute(
        "SELECT app, array_agg(name::text ORDER BY name) FROM django_migrations GROUP BY app ORDER BY app"
    )
    return dict(cursor.fetchall())


def newest_checkpoint(cursor: Any) -> dict[str, Any] | None:
    """Return the head of the sealed audit log, to compare, or None before the first."""
    cursor.execute(
        "SELECT size, encode(root, 'hex'), note FROM governance_checkpoint ORDER BY size DESC, id DESC "
        "LIMIT 1"
    )
    row = cursor.fetchone()
    return None if row is None else dict(zip(("size", "root", "note"), row, strict=True))


def public_keys(origin: str) -> list[str]:
    """Return the public keys whose signatures count here. Own keys appear after the first signature."""
    own = settings.SIGNING_KEY is not None or (settings.DATA_DIR / KEPT_SIGNING_KEY).exists()
    return [
        *([str(signing_keys.signer(origin).vkey)] if own else []),
        *settings.FORMER_KEYS,
    ]


def unknown_keys(manifest: dict[str, Any]) -> list[str]:
    """Return the keys that signed a backup's audit log and are unknown here."""
    checkpoint = manifest["checkpoint"]
    known = public_keys(checkpoint["note"].partition("\n")[0]) if checkpoint else manifest["keys"]
    return [key for key in manifest["keys"] if key not in known]


def copy_out(
    cursor: Any, name: str, columns: list[str], place: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write one table to a file. Returns the manifest's parts for the table and for the file."""
    content = hashlib.sha256()
    with (
        Hashed(place) as file,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed,
        cursor.copy(copy_statement(name, columns, "TO STDOUT")) as out,
    ):
        for block in out:
            content.update(block)
            packed.write(block)
    return {"columns": columns, "rows": cursor.rowcount, "content": content.hexdigest()}, file.described()


def content_of(cursor: Any, name: str, columns: list[str]) -> str:
    """Return the SHA-256 of a table as COPY writes it."""
    content = hashlib.sha256()
    with cursor.copy(copy_statement(name, columns, "TO STDOUT")) as out:
        for block in out:
            content.update(block)
    return content.hexdigest()


def copy_statement(name: str, columns: list[str], direction: str) -> sql.Composed:
    """COPY of a table's stored columns, in text."""
    return sql.SQL("COPY {} ({}) " + direction).format(sql.Identifier(name), _listed(columns))


def _listed(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


# --- Files of evidence ------------------------------------------------------------------------------------------------


def copy_files(
    draft: Path, named: dict[str, tuple[Storage, str, bool]], files: dict[str, Any]
) -> dict[str, list[str]]:
    """Copy the files that rows of the snapshot name. Files are only added, so they still exist.

    Returns their names under "evidence". "lost" has names that storage no longer has, "changed" files that differ from
    their row. Files that the audit log already knows as missing are left out. Raises BackupTrouble.
    """
    told: dict[str, list[str]] = {"evidence": [], "lost": [], "changed": []}
    for name, (storage, fingerprint, missed) in sorted(named.items()):
        place = evidence_place(name)
        try:
            with storage.open(name) as source, Hashed(draft / place) as file:
                while block := source.read(CHUNK):
                    file.write(block)
        except (FileNotFoundError, Unreadable):
            (draft / place).unlink(missing_ok=True)
            if not missed:
                told["lost"].append(name)
            continue
        except StoreAway as away:
            raise BackupTrouble(f"{away}. Check PLUMBLINE_STORE and its access key.") from None
        files[place] = file.described()
        told["evidence"].append(name)
        if fingerprint and files[place]["sha256"] != fingerprint:
            told["changed"].append(name)
    return told


def copy_interactions(draft: Path, files: dict[str, Any]) -> list[str]:
    """Copy the waiting files of interactions. Returns their names below the folder of the log."""
    found = []
    base = Path(settings.INTERACTIONS_DIR)
    for path in sorted(base.glob("waiting/*")):
        name = path.relative_to(base).as_posix()
        place = draft / INTERACTIONS / name
        try:
            with open(path, "rb") as source, Hashed(place) as file:
                while block := source.read(CHUNK):
                    file.write(block)
        except FileNotFoundError:  # it was brought over meanwhile
            continue
        files[f"{INTERACTIONS}/{name}"] = file.described()
        found.append(name)
    return found


def gaps(manifest: dict[str, Any]) -> str:
    """Return in words what a backup lacks because storage lost or changed it, or ""."""
    said = []
    for kind, words in (
        ("lost", "are gone from storage"),
        ("changed", "differ from their fingerprint"),
    ):
        if names := manifest[kind]:
            said.append(
                f"{len(names)} files of evidence {words} "
                f"({', '.join(names[:3])}{' ...' if names[3:] else ''})"
            )
    return ", and ".join(said)


def files_named() -> dict[str, tuple[Storage, str, bool]]:
    """Return every file that a row names, by name: storage, fingerprint, known loss."""
    found: dict[str, tuple[Storage, str, bool]] = {}
    for model in apps.get_models():
        known = {field.name for field in model._meta.concrete_fields}
        for field in (field for field in model._meta.concrete_fields if isinstance(field, models.FileField)):
            wanted = [name for name in ("sha256", "missing_since") if name in known]
            for row in (
                model._base_manager.exclude(**{field.name: ""}).values(field.name, *wanted).iterator(2000)
            ):
                earlier = found.get(row[field.name])
                missed = row.get("missing_since") is not None or (earlier is not None and earlier[2])
                found[row[field.name]] = (field.storage, row.get("sha256") or "", missed)
    return found


def evidence_place(name: str) -> str:
    """Return the path of a storage file in the backup. Raises BackupTrouble for a name that leads out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        raise BackupTrouble(
            f"the file name {name!r} points outside of the folder, so it is not from Plumbline."
        )
    return f"evidence/{path}"


# --- The folder -------------------------------------------------------------------------------------------------------


class Hashed:
    """A new private file that knows its size and SHA-256, and is on the disk when it is closed."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO = os.fdopen(mark, "wb")
        self._seen = hashlib.sha256()
        self._size = 0

    def write(self, block: bytes) -> int:
        """Append."""
        self._seen.update(block)
        self._size += len(block)
        return self._file.write(block)

    def flush(self) -> None:
        """Hand on what is waiting."""
        self._file.flush()

    def described(self) -> dict[str, Any]:
        """Return the manifest's part for the file."""
        return {"size": self._size, "sha256": self._seen.hexdigest()}

    def __enter__(self) -> "Hashed":
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())


def write_manifest(draft: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest and its sum, in the form that `sha256sum -c` reads."""
    with Hashed(draft / MANIFEST) as file:
        file.write((json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    with Hashed(draft / MANIFEST_SUM) as total:
        total.write(f"{file.described()['sha256']}  {MANIFEST}\n".encode())


def fingerprint_of(folder: Path) -> str:
    """Return the SHA-256 of a backup's manifest, which covers the whole backup."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def check(folder: Path) -> dict[str, Any]:
    """Return the manifest of an unchanged backup. Raises BackupTrouble with the first bad file."""
    if folder.name.endswith(".partial"):
        raise BackupTrouble(f"{folder} was not completed. Take another backup, or name a complete backup.")
    try:
        written, total = (folder / MANIFEST).read_bytes(), (folder / MANIFEST_SUM).read_bytes()
    except OSError as trouble:
        raise BackupTrouble(
            f"{folder} is not a complete backup ({trouble.strerror}: {trouble.filename})."
        ) from None
    if total != f"{hashlib.sha256(written).hexdigest()}  {MANIFEST}\n".encode():
        raise BackupTrouble(
            f"{folder / MANIFEST} and {folder / MANIFEST_SUM} do not match. One of the two files was changed after "
            "the backup was taken. Use another copy."
        )
    manifest = json.loads(written)
    if manifest.get("format") != FORMAT:
        raise BackupTrouble(
            f"{folder} was written by a newer Plumbline ({manifest.get('format')!r}). Use the "
            "newer version to restore the backup."
        )
    for place, said in manifest["files"].items():
        if reason := _what_is_wrong(folder / place, said):
            raise BackupTrouble(f"{folder / place} {reason}. Use another copy.")
    return manifest


def sha256_of(file: Any) -> str:
    """Return the SHA-256 of what is left to read of an open file."""
    seen = hashlib.sha256()
    while block := file.read(CHUNK):
        seen.update(block)
    return seen.hexdigest()


def _what_is_wrong(path: Path, said: dict[str, Any]) -> str:
    try:
        if path.stat().st_size != said["size"]:
            return f"has {path.stat().st_size} bytes and had {said['size']} when the backup was taken"
        with open(path, "rb") as file:
            digest = sha256_of(file)
    except OSError as trouble:
        return f"cannot be read ({trouble.strerror})"
    return "" if digest == said["sha256"] else "was changed after the backup was taken"


def _keep_folders(draft: Path) -> None:
    """Have the names of all files on the disk before the folder gets its own."""
    for path, _, _ in os.walk(draft):
        _keep_folder(Path(path))


def _keep_folder(path: Path) -> None:
    mark = os.open(path, os.O_RDONLY)
    try:
        os.fsync(mark)
    finally:
        os.close(mark)
