"""Backups by rule: which stay, and what encrypts them."""

import contextlib
import os
import signal
import tarfile
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from types import SimpleNamespace

import pyrage
import pytest
import time_machine
from django.core.management import CommandError, call_command

from governance.management.commands import restore_check
from governance.models import TaskRun
from governance.operations import heartbeats, status_inbox
from governance.runtime import child_processes
from governance.storage import backup, backup_schedule, embedded_postgres
from tests.support import factories

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


@pytest.fixture
def place(tmp_path, settings):
    settings.BACKUPS = tmp_path / "backups"
    settings.BACKUPS.mkdir()
    return settings.BACKUPS


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key.txt"
    return path, backup_schedule.new_key(path)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made"
    (made / "tables").mkdir(parents=True)
    (made / "manifest.json").write_text("{}")
    (made / "tables" / "big").write_bytes(bytes(range(256)) * 4096)
    return made


class TestPruning:
    def test_a_week_of_all_four_weeks_of_one_and_none_beyond(self, place):
        for days in range(60):
            (place / f"{NOW - timedelta(days=days):{backup_schedule.NAME}}.tar.age").touch()
        (place / "not a backup").touch()
        removed = set(backup_schedule.outdated(place, NOW))
        left = [path for path in backup_schedule.all_in(place) if path not in removed]
        ages = [(NOW - backup_schedule.all_in(place)[path]).days for path in left]
        assert ages[:8] == list(range(8))
        assert ages[8:] == [12, 19, 26], "the newest of each week"
        assert place / "not a backup" not in removed

    def test_the_newest_stays_however_old(self, place, settings):
        settings.BACKUP_DAYS = 3
        old = place / f"{NOW - timedelta(days=90):{backup_schedule.NAME}}"
        old.mkdir()
        assert backup_schedule.outdated(place, NOW) == []
        (place / f"{NOW - timedelta(days=91):{backup_schedule.NAME}}").mkdir()
        assert len(backup_schedule.outdated(place, NOW)) == 1

    def test_none_outlives_the_days_after_which_keys_are_destroyed(self, place, settings):
        settings.BACKUP_DAYS = 2
        for days in range(5):
            (place / f"{NOW - timedelta(days=days):{backup_schedule.NAME}}").mkdir()
        assert len(backup_schedule.outdated(place, NOW)) == 2


class TestEncryption:
    def test_a_key_is_made_once(self, tmp_path):
        path = tmp_path / "backup-key.txt"
        public = backup_schedule.public_key(path)
        assert public.startswith("age1")
        assert backup_schedule.public_key(path) == public
        assert path.stat().st_mode & 0o077 == 0
        path.write_text("hello")
        with pytest.raises(backup.BackupTrouble, match="has no private key"):
            backup_schedule.public_key(path)

    def test_what_was_encrypted_comes_back(self, folder, key, tmp_path):
        private, public = key
        target = tmp_path / "2026-11-27T030000Z.tar.age"
        backup_schedule.encrypt(folder, target, public)
        assert b"manifest" not in target.read_bytes()
        with backup_schedule.opened(target, private) as found:
            assert (found / "tables" / "big").read_bytes() == (folder / "tables" / "big").read_bytes()
        assert not found.exists()
        assert private.stat().st_mode & 0o077 == target.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("harm", ["a path out of the folder", "a link", "a whole path"])
    def test_a_tar_of_somebody_else_writes_nothing_outside(self, key, tmp_path, harm):
        private, public = key
        member = tarfile.TarInfo({"a path out of the folder": "../out", "a link": "link"}.get(harm, "/out"))
        if harm == "a link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        packed = BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.addfile(member)
        target = tmp_path / "2026-11-27T030000Z.tar.age"
        receiver = pyrage.x25519.Recipient.from_str(public)
        target.write_bytes(pyrage.encrypt(packed.getvalue(), [receiver]))
        with (
            pytest.raises(backup.BackupTrouble, match="Use another copy"),
            backup_schedule.opened(target, private),
        ):
            pytest.fail("it was opened")

    @pytest.mark.parametrize("harm", ["cut", "changed", "grown", "another key", "no key", "not a key"])
    def test_what_is_not_genuine_is_refused_in_words(self, folder, key, tmp_path, harm):
        private, public = key
        target = tmp_path / "2026-11-27T030000Z.tar.age"
        backup_schedule.encrypt(folder, target, public)
        content = target.read_bytes()
        if harm == "cut":
            target.write_bytes(content[:-70_000])
        elif harm == "changed":
            target.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
        elif harm == "grown":
            target.write_bytes(content + b"more")
        elif harm == "another key":
            private.write_text(str(pyrage.x25519.Identity.generate()))
        elif harm == "not a key":
            private.write_text("hello")
        with (
            pytest.raises(backup.BackupTrouble, match=r"Add --key|Use another copy|Name the file"),
            backup_schedule.opened(target, None if harm == "no key" else private),
        ):
            pytest.fail("it was opened")


@pytest.mark.django_db(transaction=True)
class TestCommand:
    def test_a_backup_is_encrypted_and_recorded(self, cast, place, key, settings):
        private, settings.BACKUP_KEY = key
        factories.make_initiative(cast)
        call_command("backup", stdout=StringIO())
        (made,) = place.iterdir()
        assert made == backup_schedule.newest()
        with backup_schedule.opened(made, private) as folder:
            assert backup.check(folder)["tables"]["initiatives_initiative"]["rows"] == 1
        assert TaskRun.objects.get(name=heartbeats.BACKUP).done_at is not None

    def test_what_prevents_it_is_recorded(self, cast, place, monkeypatch):
        def refuse(*args, **options):
            raise backup.BackupTrouble("the disk is full.")

        monkeypatch.setattr(backup, "take", refuse)
        with pytest.raises(CommandError, match="the disk is full"):
            call_command("backup", stdout=StringIO())
        run = TaskRun.objects.get(name=heartbeats.BACKUP)
        assert (run.done_at, run.failed_in_a_row) == (None, 1)
        assert "the disk is full" in run.reason

    def test_a_disk_without_room_is_told_before_anything_is_written(self, place, monkeypatch):
        (place / f"{NOW:{backup_schedule.NAME}}.tar.age").write_bytes(bytes(2_000_000))
        room = SimpleNamespace(free=103_999_999)
        monkeypatch.setattr(backup_schedule.shutil, "disk_usage", lambda path: room)
        with pytest.raises(CommandError, match="has 103 MB left, and a backup needs 104 MB"):
            call_command("backup", stdout=StringIO())
        room.free += 1
        call_command("backup", stdout=StringIO())

    def test_drafts_of_a_killed_run_are_removed(self, place):
        for name in ("2026-11-26T030000Z.plain.partial", "2026-11-26T030000Z.partial"):
            (place / name / "tables").mkdir(parents=True)
        (place / "2026-11-25T030000Z.tar.age.partial").touch()
        call_command("backup", stdout=StringIO())
        assert [path.name for path in place.iterdir()] == [backup_schedule.newest().name]

    def test_without_a_folder_nothing_is_made(self, settings):
        settings.BACKUPS = None
        with pytest.raises(CommandError, match="PLUMBLINE_BACKUPS is not set"):
            call_command("backup", stdout=StringIO())


def test_a_command_that_is_asked_to_end_removes_what_it_would_leave():
    former = signal.getsignal(signal.SIGTERM)
    removed = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(20)
        finally:
            removed.append(True)

    with pytest.raises(SystemExit), child_processes.orderly_end():
        work()
    assert removed == [True]
    assert signal.getsignal(signal.SIGTERM) == former


@pytest.mark.django_db
class TestInbox:
    def told(self, person) -> set[str]:
        return {task.text for task in status_inbox.tasks(person)}

    def test_admins_are_told_of_old_backups_where_there_should_be_some(self, place, settings):
        admin = factories.make_person("admin", is_admin=True)
        both = {"The last backup is too old", "No backup was restored for a check"}
        assert both <= self.told(admin)
        with time_machine.travel(NOW, tick=False):
            heartbeats.done(heartbeats.BACKUP)
            heartbeats.done(heartbeats.RESTORE_CHECK)
            assert not both & self.told(admin)
        with time_machine.travel(NOW + timedelta(hours=27), tick=False):
            assert both & self.told(admin) == {"The last backup is too old"}
        with time_machine.travel(NOW + timedelta(days=9), tick=False):
            assert both <= self.told(admin)
        settings.BACKUPS = None
        assert not both & self.told(admin)

    @pytest.mark.parametrize("embedded", [False, True])
    def test_a_failed_backup_is_told_at_once(self, place, settings, monkeypatch, embedded):
        monkeypatch.setattr(embedded_postgres, "in_use", lambda: embedded)
        settings.BACKUPS = None if embedded else place
        admin = factories.make_person("admin", is_admin=True)
        for name in (heartbeats.BACKUP, heartbeats.RESTORE_CHECK):
            heartbeats.failed(name, backup.BackupTrouble("the disk is full."))
        told = self.told(admin)
        assert {"The last backup failed", "The last backup could not be verified"} <= told
        assert "The last backup is too old" not in told
        heartbeats.done(heartbeats.BACKUP)
        heartbeats.done(heartbeats.RESTORE_CHECK)
        assert not any("backup" in text for text in self.told(admin))

    def test_a_run_that_was_just_started_has_no_old_backup(self, settings, monkeypatch):
        settings.BACKUPS = None
        monkeypatch.setattr(embedded_postgres, "in_use", lambda: True)
        admin = factories.make_person("admin", is_admin=True)
        assert not any("backup" in text for text in self.told(admin))


def test_a_restore_check_keeps_no_setting_that_a_file_holds(monkeypatch, settings):
    """With both DATABASE_URL and DATABASE_URL_FILE the copy would not start. A container has its secrets in files."""
    settings.EMBEDDED, copy = False, "postgresql://at/copy"
    for name in ("DATABASE_URL", "PLUMBLINE_SECRET_KEY", "PLUMBLINE_SIGNING_KEY", "CELERY_BROKER_URL"):
        monkeypatch.setenv(f"{name}_FILE", "/run/secrets/one")
    for name in ("PLUMBLINE_SEALER_URL", "PLUMBLINE_REPLICA_URL", "PLUMBLINE_STORE_SECRET", "EMAIL_URL"):
        monkeypatch.setenv(f"{name}_FILE", "/run/secrets/one")
    monkeypatch.setattr(restore_check, "spare_database", lambda url: contextlib.nullcontext(copy))
    with restore_check.throw_away([]) as told:
        given = [name for name, value in told.items() if value == "/run/secrets/one"]
        assert given == ["EMAIL_URL_FILE"]
        assert told["DATABASE_URL"] == copy
