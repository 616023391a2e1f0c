"""The folder of files is told by its mark: a wrong one starts nothing, takes no file in and voids none."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as of_django
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import override_settings

from adoption.demo import initiative_acts
from governance import clock
from governance.models import DataFolder, Entry
from governance.operations import installation_inbox, startup
from governance.storage import backup, data_folder, restore, sealed_files
from initiatives import tasks as initiatives_tasks
from initiatives.lifecycle.evidence import file_checks
from initiatives.models import Evidence
from tests.support import factories, plugin
from tests.support.database.restored_copies import another, installed_in
from tests.support.servers import object_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    """A prototype with files of evidence."""
    return factories.make_prototype(cast)


@pytest.fixture
def unmounted(tmp_path):
    """A folder as it is when the right one is not mounted: there, and empty."""
    (tmp_path / "uploads").mkdir()
    with override_settings(MEDIA_ROOT=tmp_path / "uploads"):
        yield tmp_path / "uploads"


def test_a_folder_that_is_not_mounted_voids_nothing_and_takes_nothing_in(
    initiative, cast, as_, client, unmounted
):
    items, entries = Evidence.objects.exclude(file=""), Entry.objects.count()
    assert items.count() >= 3
    with pytest.raises(
        data_folder.WrongFolder, match=rf"{unmounted} has no mark\. .* Check that the right folder is mounted"
    ):
        file_checks.find_missing_files()
    with pytest.raises(data_folder.WrongFolder):
        initiatives_tasks.find_missing_files.delay()
    item = items.first()
    answer = as_(cast.owner).get(f"/initiatives/{initiative.ref}/evidence/{item.pk}/file/")
    assert answer.status_code == 404
    assert not items.filter(missing_since__isnull=False).exists()
    assert Entry.objects.count() == entries
    with pytest.raises(
        ValidationError, match="Files cannot be stored now: the storage folder is not available"
    ):
        initiative_acts.ground(initiative, "proto.limitations", cast.team)
    assert list(unmounted.iterdir()) == []
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["folder"]) == (
        503,
        "is not the one that the database names. See PLUMBLINE_DATA",
    )
    assert str(unmounted) not in answer.content.decode()
    (line,) = installation_inbox.tasks(cast.admin)
    assert line.text == "The folder of files is not the right one"
    assert installation_inbox.tasks(cast.owner) == []


def test_the_folder_of_another_installation_is_no_better(initiative, unmounted):
    (unmounted / data_folder.MARK).write_text("another")
    with pytest.raises(data_folder.WrongFolder, match="has the mark of another installation"):
        file_checks.find_missing_files()


@pytest.mark.parametrize("state", ["no mark", "another mark", "no row"])
def test_nothing_starts_on_a_database_url_with_a_wrong_folder(settings, tmp_path, monkeypatch, capsys, state):
    settings.EMBEDDED = False
    monkeypatch.setattr(data_folder.connection, "close", lambda: None)
    startup.refuse_wrong_folder()
    settings.MEDIA_ROOT = tmp_path
    if state == "another mark":
        (tmp_path / data_folder.MARK).write_text("another")
    if state == "no row":
        DataFolder.objects.all().delete()
    with pytest.raises(SystemExit) as ended:
        startup.refuse_wrong_folder(sender=None)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Plumbline cannot start: ")
    assert "adopt_folder" in said
    settings.EMBEDDED = True
    startup.refuse_wrong_folder()


def test_web_and_worker_ask_at_their_start():
    from celery import signals

    from governance import celery

    listening = [
        receiver for signal in (signals.worker_init, signals.beat_init) for receiver in signal.receivers
    ]
    assert [key[0] for key, _ in listening].count("plumbline-folder") == 2
    assert celery.app
    for name in ("wsgi", "asgi"):
        assert "    refuse_wrong_folder()\n" in (of_django.BASE_DIR / "governance" / f"{name}.py").read_text()


@pytest.mark.django_db(transaction=True)
def test_a_process_ends_with_a_sentence_and_commands_that_need_no_folder_go_on(tmp_path):
    told = {
        "DATABASE_URL": plugin.url_of(connection.settings_dict["NAME"]),
        "PLUMBLINE_DATA": str(tmp_path / "data"),
        "PLUMBLINE_SECRET_KEY": of_django.SECRET_KEY,
        "PLUMBLINE_SIGNING_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}

    def ran(*command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *command],
            cwd=of_django.BASE_DIR,
            env=inherited | told,
            capture_output=True,
            text=True,
            timeout=120,
        )

    for command in (["-c", "import governance.wsgi"], ["-m", "celery", "--app", "governance", "worker"]):
        ended = ran(*command)
        assert ended.returncode == 2, ended.stderr
        assert "Plumbline cannot start: the folder of files" in ended.stderr
        assert "Traceback" not in ended.stderr
    for command in (["check"], ["help"], ["adopt_folder"]):
        assert ran("manage.py", *command).returncode == 0, command
    assert ran("-c", "import governance.wsgi").returncode == 0


# --- Which folder it is -----------------------------------------------------------------------------------------------


def marked(place: Path) -> str:
    return (place / data_folder.MARK).read_text().strip()


def test_migrating_marks_the_folder_of_a_new_installation_and_the_one_that_holds_the_files(
    initiative, unmounted, settings
):
    settings.EMBEDDED = False
    whole, said = of_django.MEDIA_ROOT, StringIO()
    DataFolder.objects.all().delete()
    call_command("migrate", stdout=said, verbosity=0)
    assert "was not marked as the folder of this database: 0 of" in said.getvalue()
    assert not DataFolder.objects.exists()
    assert not (unmounted / data_folder.MARK).exists()
    # Where the files are, it is the one.
    for item in Evidence.objects.exclude(file=""):
        (unmounted / item.file.name).parent.mkdir(parents=True, exist_ok=True)
        (unmounted / item.file.name).write_bytes(b"whatever")
    call_command("migrate", verbosity=0)
    assert DataFolder.objects.get().mark == marked(unmounted)
    assert len(marked(unmounted)) > 15
    assert data_folder.wrong() == ""
    assert whole == unmounted


def test_migrating_marks_where_no_file_is_recorded_and_leaves_a_mark_as_it_is(unmounted, settings):
    settings.EMBEDDED = False
    call_command("migrate", verbosity=0)
    assert data_folder.wrong() != "", "a database that names a folder is not moved to another by itself"
    DataFolder.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert DataFolder.objects.get().mark == marked(unmounted)


def test_the_embedded_database_lies_in_its_folder_and_marks_it_at_its_first_start(
    initiative, unmounted, settings
):
    settings.EMBEDDED = True
    DataFolder.objects.all().delete()
    data_folder.take_first()
    assert DataFolder.objects.get().mark == marked(unmounted)


def test_adopting_a_folder_is_said_and_stands_in_the_audit_log(initiative, unmounted):
    with pytest.raises(CommandError, match=r"The folder was not adopted: 0 of \d+ recorded files are in "):
        call_command("adopt_folder")
    assert data_folder.wrong()
    out = StringIO()
    call_command("adopt_folder", "--although-files-are-missing", stdout=out)
    assert data_folder.wrong() == ""
    entry = Entry.objects.get(kind="folder adopted")
    assert entry.facts["facts"]["found"] == 0
    call_command("adopt_folder", stdout=out)
    assert "already" in out.getvalue()
    assert Entry.objects.filter(kind="folder adopted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_restore_marks_its_folder(initiative, tmp_path, monkeypatch):
    monkeypatch.setattr(restore, "migrate_to", lambda state: False)
    manifest = backup.take(tmp_path / "copy")
    assert "governance_datafolder" not in manifest["tables"]
    with another() as name, installed_in(name, tmp_path / "uploads"):
        assert data_folder.wrong()
        restore.restore(tmp_path / "copy")
        assert data_folder.wrong() == ""
        assert marked(tmp_path / "uploads") != of_django.FOLDER_MARK
        assert file_checks.find_missing_files() == []
    assert data_folder.wrong() == ""
    assert clock.now()


@pytest.mark.django_db(transaction=True)
def test_a_backup_of_the_folder_is_restored_into_an_encrypted_bucket_and_back(
    initiative, tmp_path, monkeypatch
):
    monkeypatch.setattr(restore, "migrate_to", lambda state: False)
    first = backup.take(tmp_path / "copy")
    with (
        object_store.running() as endpoint,
        another() as name,
        installed_in(name, tmp_path / "uploads"),
        object_store.files_in(
            (admin := object_store.Admin(endpoint)).told(), keys=[b"k" * 32], encrypts=True
        ),
    ):
        restore.restore(tmp_path / "copy")
        assert data_folder.wrong() == ""
        assert file_checks.find_missing_files() == []
        assert first["evidence"]
        for file in first["evidence"]:
            assert admin.get(file).startswith(sealed_files.MAGIC)
        again = backup.take(tmp_path / "again")
    assert again["evidence"] == first["evidence"]
    for file in first["evidence"]:
        assert again["files"][f"evidence/{file}"] == first["files"][f"evidence/{file}"]
    with another() as name, installed_in(name, tmp_path / "third"):
        restore.restore(tmp_path / "again")
        assert file_checks.find_missing_files() == []
