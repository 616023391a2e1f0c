"""A backup is one moment of everything, proves itself, and comes back byte for byte or not at all."""

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization.decision_log import FIELDS, decisions
from governance.management.commands import restore_check
from governance.models import Entry, PolicyDecision, TaskRun, User
from governance.operations import heartbeats
from governance.privacy import erasure, erasure_log
from governance.storage import backup, backup_schedule, restore
from governance.transparency_log import sealing, verification
from initiatives.lifecycle.evidence import file_checks
from initiatives.models import Evidence, Initiative
from initiatives.portfolio.registration import actions as registration_actions
from initiatives.portfolio.units import leaving
from tests.support import factories, plugin
from tests.support.database.restored_copies import (
    another,
    check_here,
    checked,
    installed_in,
    told_in_two_months,
)

pytestmark = pytest.mark.django_db(transaction=True)

AUDIT_LOG = ("entry", "entrybody", "leaf", "node", "checkpoint", "sealing")


@pytest.fixture(autouse=True)
def erasures(monkeypatch, tmp_path) -> Path:
    """Where the log of erasures lies: every test has its own."""
    monkeypatch.setattr(erasure_log, "log_path", lambda: tmp_path / "erasures.jsonl")
    return tmp_path / "erasures.jsonl"


@pytest.fixture
def migrations_apart(monkeypatch) -> None:
    """The databases of these tests have every migration; to find that out takes as long as all the rest."""
    monkeypatch.setattr(restore, "migrate_to", lambda state: False)


def rows(query: str, *values) -> list[tuple]:
    """What the database answers."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def audit_log_rows(entries: list[int]) -> dict[str, bytes]:
    """The audit log as the database writes it out: the entries named, and all of the tree over them."""
    found = {}
    for name in AUDIT_LOG:
        key = {"entry": "id", "entrybody": "entry_id", "leaf": "entry_id"}.get(name)
        where = f"WHERE {key} IN ({', '.join(map(str, entries))})" if key else ""
        statement = f"COPY (SELECT t.* FROM governance_{name} t {where} ORDER BY 1) TO STDOUT"
        with connection.cursor() as cursor, cursor.copy(statement) as out:
            found[name] = b"".join(map(bytes, out))
    return found


def fences() -> list[tuple]:
    """Every trigger and every foreign key, with its state."""
    return rows(
        "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger"
        " WHERE NOT tgisinternal UNION ALL"
        " SELECT conrelid::regclass::text, conname || pg_get_constraintdef(oid), convalidated::text"
        " FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2"
    )


def at_work(owner: User, stopped: threading.Event, done: list[str], trouble: list[Exception]) -> None:
    """Somebody who registers initiative after initiative, each in a transaction of many rows, on a connection of their
    own.
    """
    try:
        while not stopped.is_set():
            done.append(
                registration_actions.register(
                    title="Idea", unit=owner.unit, problem="-", owner=owner, by=owner
                ).ref
            )
    except Exception as reason:
        trouble.append(reason)
    finally:
        connection.close()


@pytest.mark.usefixtures("migrations_apart")
def test_a_backup_taken_while_people_write_is_one_moment_of_everything(cast, tmp_path, monkeypatch):
    initiative_acts.staff(factories.make_initiative(cast), cast.team)
    sealing.seal()
    stopped, done, trouble = threading.Event(), [], []
    writers = [threading.Thread(target=at_work, args=(cast.owner, stopped, done, trouble)) for _ in range(3)]
    copy_out, between = backup.copy_out, []

    def slowly(cursor, name, *others):
        # Between two tables others commit: a copy that were not of one moment would hold halves of what they did.
        if name in ("governance_entrybody", "initiatives_historicalinitiative", "initiatives_initiative"):
            seen, until = len(done), time.monotonic() + 20
            while len(done) <= seen and not trouble and time.monotonic() < until:
                time.sleep(0.01)
            between.append(len(done) - seen)
        return copy_out(cursor, name, *others)

    monkeypatch.setattr(backup, "copy_out", slowly)
    for writer in writers:
        writer.start()
    try:
        manifest = backup.take(tmp_path / "copy")
    finally:
        stopped.set()
        for writer in writers:
            writer.join()
    assert trouble == []
    assert len(between) == 3
    assert min(between) >= 1
    assert not (tmp_path / "copy.partial").exists()

    with another() as name, installed_in(name, tmp_path / "uploads"):
        restore.restore(tmp_path / "copy")
        assert 1 <= Initiative.objects.count() < len(done)
        told = Entry.objects.get(kind="restored")
        entries = list(Entry.objects.exclude(pk=told.pk).order_by("pk").values_list("pk", flat=True))
        assert len(entries) == manifest["tables"]["governance_entry"]["rows"]
        assert told.facts["facts"]["manifest_sha256"] == backup.fingerprint_of(tmp_path / "copy")
        # Each initiative with its history, its act and the entry of its row; none without.
        initiatives = rows("SELECT id::text FROM initiatives_initiative ORDER BY 1")
        assert initiatives == rows(
            "SELECT id::text FROM initiatives_historicalinitiative WHERE history_type = '+' ORDER BY 1"
        )
        assert initiatives == rows(
            "SELECT key FROM governance_entry WHERE \"table\" = 'initiatives_initiative' AND operation = '+' ORDER BY 1"
        )
        assert len(initiatives) == Entry.objects.filter(kind="registered").count()
        there = audit_log_rows(entries)
    here = audit_log_rows(entries)
    assert all(here.values()) or not here["node"]
    assert there == here


def test_a_restore_is_whole_or_not_at_all_and_then_fenced_and_counts_on(cast, tmp_path, monkeypatch):
    initiative = factories.make_prototype(cast)
    highest = 10**12
    with connection.cursor() as cursor:  # an audit log that comes from a server which has counted far further
        cursor.execute("ALTER TABLE initiatives_pastsupportedstage DISABLE TRIGGER USER")
        cursor.execute("UPDATE initiatives_pastsupportedstage SET xact = %s", [highest])
        cursor.execute("ALTER TABLE initiatives_pastsupportedstage ENABLE TRIGGER USER")
    sealing.seal()
    file = Evidence.objects.exclude(file="").first().file.name
    with default_storage.open(file) as stored:
        content = stored.read()
    before = fences()
    manifest = backup.take(tmp_path / "copy")
    assert manifest["evidence"] != []

    with another() as name, installed_in(name, tmp_path / "uploads"):
        with monkeypatch.context() as broken:
            broken.setattr(restore, "raise_fences", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                restore.restore(tmp_path / "copy")
        assert not User.objects.exists()
        assert fences() == before

        restore.restore(tmp_path / "copy")
        assert fences() == before
        assert rows("SELECT plumbline_xact() > %s", highest) == [(True,)]
        assert Entry.objects.get(kind="restored").xact > highest
        assert (tmp_path / "uploads" / file).read_bytes() == content
        with pytest.raises(Exception, match="keeps what was written"):
            Entry.objects.update(kind="never")
        # Life goes on: ids, references and the tree continue.
        again = Initiative.objects.get(pk=initiative.pk)
        owner = User.objects.get(pk=cast.owner.pk)
        newer = registration_actions.register(
            title="Next", unit=owner.unit, problem="-", owner=owner, by=owner
        )
        assert newer.number == again.number + 1
        size = sealing.newest().size
        assert sealing.seal().size > size
        assert rows("SELECT rolname FROM pg_roles WHERE rolname = 'plumbline_app'") == [] or rows(
            "SELECT has_table_privilege('plumbline_app', 'initiatives_initiative', 'INSERT'),"
            " has_table_privilege('plumbline_app', 'governance_entry', 'INSERT')"
        ) == [(True, False)]


def test_a_flipped_byte_in_any_file_is_refused_by_name(cast, tmp_path):
    factories.make_prototype(cast)
    backup.take(tmp_path / "copy")
    paths = sorted(path for path in (tmp_path / "copy").rglob("*") if path.is_file())
    assert {"manifest.json", "manifest.sha256", "governance_entry.gz"} <= {path.name for path in paths}
    assert any("evidence" in path.parts for path in paths)
    for number, path in enumerate(paths):
        whole = path.read_bytes()
        place = number * 7919 % len(whole)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << number % 8]) + whole[place + 1 :])
        with pytest.raises(backup.BackupTrouble, match=str(path)):
            backup.check(tmp_path / "copy")
        path.write_bytes(whole)
    backup.check(tmp_path / "copy")

    victim = tmp_path / "copy" / "tables" / "governance_entry.gz"
    victim.write_bytes(victim.read_bytes()[:-1])
    with another() as name, installed_in(name, tmp_path / "uploads"):
        with pytest.raises(
            CommandError, match=r"The backup was not restored: .*governance_entry\.gz has \d+ bytes"
        ):
            call_command("restore", str(tmp_path / "copy"))
        assert not User.objects.exists()
        assert not (tmp_path / "uploads").exists()
    victim.unlink()
    with pytest.raises(backup.BackupTrouble, match=r"governance_entry\.gz cannot be read"):
        backup.check(tmp_path / "copy")


def pressed(*_) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def test_a_backup_that_was_killed_does_not_look_whole_and_is_not_in_the_way(cast, tmp_path, monkeypatch):
    folder, draft = tmp_path / "copy", tmp_path / "copy.partial"
    told = {
        "DATABASE_URL": plugin.url_of(connection.settings_dict["NAME"]),
        "PLUMBLINE_DATA": str(tmp_path / "data"),
        "PLUMBLINE_SECRET_KEY": settings.SECRET_KEY,
        "PLUMBLINE_SIGNING_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "PLUMBLINE_ADDRESS": settings.ADDRESS,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    with psycopg.connect(told["DATABASE_URL"]) as held:
        held.execute("LOCK TABLE initiatives_initiative IN ACCESS EXCLUSIVE MODE")  # where it has to wait
        running = subprocess.Popen(
            [sys.executable, "manage.py", "backup", str(folder)],
            cwd=settings.BASE_DIR,
            env=inherited | told,
            stdout=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 30
            while not draft.exists() and time.monotonic() < until:
                time.sleep(0.02)
            assert running.poll() is None
            with pytest.raises(backup.BackupTrouble, match="another backup is being written"):
                backup.take(folder)
        finally:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
    (draft / "tables").mkdir(exist_ok=True)
    (draft / "tables" / "governance_entry.gz").write_bytes(b"half")
    assert not folder.exists()
    with pytest.raises(backup.BackupTrouble, match="was not completed"):
        backup.check(draft)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(backup, "copy_files", pressed)
        with pytest.raises(KeyboardInterrupt):
            backup.take(folder)
    assert not draft.exists()
    assert not folder.exists()
    backup.take(folder)
    assert not draft.exists()
    backup.check(folder)
    with pytest.raises(backup.BackupTrouble, match="already exists"):
        backup.take(folder)


def test_only_an_empty_database_is_restored_into(cast, tmp_path):
    backup.take(tmp_path / "copy")
    name = connection.settings_dict["NAME"]
    connection.close()
    people = User.objects.count()
    with pytest.raises(CommandError, match=r"is not empty .* Set DATABASE_URL to a new database"):
        call_command("restore", str(tmp_path / "copy"))
    assert User.objects.count() == people
    assert not Entry.objects.filter(kind="restored").exists()
    assert connection.settings_dict["NAME"] == name

    with another() as other, installed_in(other, tmp_path / "uploads"):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE of_somebody_else AS SELECT 1")
        with pytest.raises(backup.BackupTrouble, match="rows in of_somebody_else"):
            restore.restore(tmp_path / "copy")


@pytest.mark.usefixtures("migrations_apart")
def test_what_was_erased_after_the_backup_does_not_come_back(cast, tmp_path, erasures):
    dana = factories.make_person("dana.whitfield", full_name="Dana Whitfield")
    backup.take(tmp_path / "copy")
    leaving.deactivate(person=dana, reason="Left", by=cast.admin)
    dana = User.objects.get(pk=dana.pk)
    erasure.erase(person=dana, why="She asked for it", duty="GDPR, Article 17", by=cast.admin)
    named = User.objects.get(pk=dana.pk).full_name
    with another() as name, installed_in(name, tmp_path / "uploads"):
        with pytest.raises(CommandError, match=rf"The backup was not restored: .*--erasures {erasures}"):
            call_command("restore", str(tmp_path / "copy"))
        out = StringIO()
        call_command("restore", str(tmp_path / "copy"), erasures=erasures, stdout=out)
        assert "1 erasures done again" in out.getvalue()
        assert User.objects.get(pk=dana.pk).full_name == named != "Dana Whitfield"
        assert verification.verify().ok
        backup.take(tmp_path / "again")
    for path in (tmp_path / "again" / "tables").iterdir():
        content = gzip.decompress(path.read_bytes())
        assert b"Whitfield" not in content, path
        assert b"Whitfield".hex().encode() not in content, path
    erasures.write_text(erasures.read_text()[:-20])
    with pytest.raises(backup.BackupTrouble, match="cut off"):
        restore.read_log(erasures)


def test_only_the_owner_restores(cast, tmp_path, application_url):
    backup.take(tmp_path / "copy")
    login = {
        "USER": plugin.LOGINS.application,
        "PASSWORD": psycopg.conninfo.conninfo_to_dict(application_url)["password"],
    }
    with (
        another() as name,
        installed_in(name, tmp_path / "uploads", **login),
        pytest.raises(CommandError, match="In DATABASE_URL, use the login that owns the tables"),
    ):
        call_command("restore", str(tmp_path / "copy"))


def test_a_backup_of_a_newer_version_is_refused(cast, tmp_path):
    manifest = backup.take(tmp_path / "copy")
    state = manifest["migrations"] | {"governance": [*manifest["migrations"]["governance"], "0999_later"]}
    with pytest.raises(backup.BackupTrouble, match=r"a different version .* governance\.0999_later"):
        restore.migrate_to(state)
    state = manifest["migrations"] | {"adoption": []}
    with pytest.raises(backup.BackupTrouble, match=r"migrated further than the backup \(adoption\.0001"):
        restore.migrate_to(state)


def test_files_that_storage_lost_or_changed_are_named_and_none_leads_out(cast, tmp_path):
    factories.make_prototype(cast)
    lost, changed, known = Evidence.objects.exclude(file="").order_by("pk")[:3]
    default_storage.delete(known.file.name)
    file_checks.find_missing_files()
    default_storage.delete(lost.file.name)
    default_storage.delete(changed.file.name)
    default_storage.save(changed.file.name, ContentFile(b"other"))
    with pytest.raises(
        CommandError, match=rf"complete, but .* gone from storage \({lost.file.name}\), and .*"
    ):
        call_command("backup", str(tmp_path / "copy"), stdout=StringIO())
    manifest = backup.check(tmp_path / "copy")
    assert (manifest["lost"], manifest["changed"]) == ([lost.file.name], [changed.file.name])
    assert known.file.name not in manifest["evidence"]
    for name in ("/etc/passwd", "evidence/../../out", "..", "", "a\\b"):
        with pytest.raises(backup.BackupTrouble, match="points outside"):
            backup.evidence_place(name)


def test_what_systems_were_told_in_two_months_is_restored(cast, tmp_path, monkeypatch):
    """Each month has a table of its own, which a database that was only migrated does not have."""
    told_in_two_months(cast, 20)
    sealing.seal()
    found = rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_policydecision_[0-9_]+$'")
    months = [name for (name,) in found]
    assert len(months) == 2
    manifest = backup.take(tmp_path / "copy")
    assert sum(manifest["tables"][name]["rows"] for name in months) == 20
    with another() as name, installed_in(name, tmp_path / "uploads"):
        monkeypatch.setattr(restore, "migrate_to", lambda state: False)
        restore.restore(tmp_path / "copy")
        assert PolicyDecision.objects.count() == 20
        report = verification.verify()
        assert (report.findings, report.batches) == ([], 2)
        decisions.write(PolicyDecision.objects.values(*FIELDS).first() | {"at": clock.now().isoformat()})
        assert decisions.bring_over() == 1, "the months restored take what comes next"
    check_here(monkeypatch)
    found = checked(tmp_path / "copy")
    assert found["ok"], found["trouble"]


def test_restore_check_proves_a_good_copy_and_finds_a_forged_one(cast, tmp_path, monkeypatch):
    check_here(monkeypatch)
    factories.make_initiative(cast)
    sealing.seal()
    manifest = backup.take(tmp_path / "copy")
    found = checked(tmp_path / "copy")
    assert found["ok"], found["trouble"]
    assert found["checkpoint"] == found["verified"]["leaves"] == sealing.newest().size
    assert found["rows"] == sum(table["rows"] for table in manifest["tables"].values())
    assert found["unknown_keys"] == []

    # Somebody changes a row in the copy and makes all its sums right again.
    place = tmp_path / "copy" / "tables" / "initiatives_initiative.gz"
    text = gzip.decompress(place.read_bytes()).replace(b"Customer summary", b"Customer profile")
    place.write_bytes(gzip.compress(text))
    manifest["tables"]["initiatives_initiative"]["content"] = hashlib.sha256(text).hexdigest()
    manifest["files"]["tables/initiatives_initiative.gz"] = {
        "size": place.stat().st_size,
        "sha256": hashlib.sha256(place.read_bytes()).hexdigest(),
    }
    for name in ("manifest.json", "manifest.sha256"):
        (tmp_path / "copy" / name).unlink()
    backup.write_manifest(tmp_path / "copy", manifest)
    found = checked(tmp_path / "copy")
    assert not found["ok"]
    assert "verify_audit_log says: The audit log does not verify" in found["trouble"]
    assert "table initiatives_initiative" in found["trouble"]
    assert "field title" in found["trouble"]


def test_the_newest_encrypted_backup_is_restored_and_the_result_recorded(
    cast, tmp_path, monkeypatch, settings
):
    check_here(monkeypatch)
    factories.make_initiative(cast)
    sealing.seal()
    settings.BACKUPS = tmp_path / "backups"
    settings.BACKUPS.mkdir()
    settings.BACKUP_KEY = backup_schedule.new_key(tmp_path / "key.txt")
    call_command("backup", stdout=StringIO())
    check = ("restore_check", "--newest", "--key", str(tmp_path / "key.txt"))
    call_command(*check, stdout=StringIO())
    last = TaskRun.objects.get(name=heartbeats.RESTORE_CHECK)
    assert last.done_at is not None
    path = backup_schedule.newest()
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(CommandError, match="cannot be decrypted"):
        call_command(*check, stdout=StringIO())
    last.refresh_from_db()
    assert last.failed_in_a_row == 1


def test_restore_check_makes_a_database_of_its_own_and_drops_it():
    with restore_check.spare_database(settings.DATABASE_URL) as url, psycopg.connect(url) as spare:
        assert spare.execute(
            "SELECT count(*) FROM pg_class WHERE relname = 'governance_entry'"
        ).fetchone() == (0,)
        name = spare.info.dbname
    with plugin.server() as at:
        assert at.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None
