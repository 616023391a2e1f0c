"""A demo of the head before issue 22, as a backup of that head has it, put back and migrated by today's code.

How the data were made: tests/data/upgrade/README.md.
"""

import gzip
import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.urls import reverse

from governance import clock
from governance.database.row_history import acting
from governance.gates import criteria
from governance.management.commands.restore_check import spare_database
from governance.models import Entry, Rulebook
from governance.offline import verify
from governance.privacy import erasure_log
from governance.storage import backup, restore
from initiatives.facts import supported_stage
from initiatives.integration.definitions.conflicts import settle_conflicts
from initiatives.models import Component, DefinitionConflict, Initiative, Vendor
from tests.support.database.restored_copies import installed_in
from tests.support.paths import UPGRADE

pytestmark = pytest.mark.django_db(transaction=True)

SAID = json.loads(
    (UPGRADE / "said.json").read_text()
)  # by that head: stages, conflicts, digests of sqlmigrate
MOMENT = datetime.fromisoformat(SAID["moment"])
CASE = "AI-0005"  # whose export that head wrote


class Upgraded(NamedTuple):
    """The database of that head, migrated to this one."""

    name: str
    uploads: Path
    manifest: dict[str, Any]


def unpacked(folder: Path) -> Path:
    """The backup as that head wrote it. The tables are kept as text, which packs to a third of their .gz."""
    with tarfile.open(UPGRADE / "demo.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    manifest = json.loads((folder / backup.MANIFEST).read_bytes())
    for table in (folder / "tables").iterdir():
        content = gzip.compress(table.read_bytes(), compresslevel=1, mtime=0)
        table.unlink()
        table.with_suffix(".gz").write_bytes(content)
        told = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        manifest["files"][f"tables/{table.name}.gz"] = told
    (folder / backup.MANIFEST).unlink()
    backup.write_manifest(folder, manifest)
    return folder


@pytest.fixture(scope="module")
def upgraded(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """The backup restored into an empty database at its own migrations, then migrated; in a database of its own."""
    folder = tmp_path_factory.mktemp("upgrade")
    copy = unpacked(folder / "backup")
    with (
        django_db_blocker.unblock(),
        pytest.MonkeyPatch.context() as patched,
        spare_database(settings.DATABASE_URL) as url,
    ):
        patched.setattr(erasure_log, "log_path", lambda: folder / "erasures.jsonl")
        name = urlsplit(url).path[1:]
        with installed_in(name, folder / "uploads"):
            manifest = restore.restore(copy)
        yield Upgraded(name, folder / "uploads", manifest)


@pytest.fixture
def there(upgraded: Upgraded, tmp_path: Path) -> Iterator[Upgraded]:
    """Django works in it, and knows the key that signed there."""
    with (
        installed_in(upgraded.name, upgraded.uploads),
        override_settings(FORMER_KEYS=upgraded.manifest["keys"]),
    ):
        yield upgraded


def head(tmp_path: Path, upgraded: Upgraded) -> Path:
    """The newest checkpoint of that head, as somebody holds it."""
    path = tmp_path / "held.txt"
    path.write_text(upgraded.manifest["checkpoint"]["note"])
    return path


def unzipped(file: Path, folder: Path) -> Path:
    """The folder of an export."""
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder / file.stem


def checked_by(verifier: Path, folder: Path, *options: str) -> str:
    """What a verifier, run by Python alone, says of an export; its exit code is 0."""
    command = [sys._base_executable, "-I", "-S", str(verifier), str(folder), *options]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_migrations_of_that_head_are_applied_and_those_of_this_one_after_them(there):
    with connection.cursor() as cursor:
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY id")
        applied = [name for (name,) in cursor.fetchall()]
    then = {f"{app}.{name}" for app, names in there.manifest["migrations"].items() for name in names}
    assert set(applied[: len(then)]) == then
    newer = {"initiatives.0027_facets", "adoption.0010_lessons_without_counts"}
    assert newer <= set(applied[len(then) :])
    call_command(
        "makemigrations", check=True, dry_run=True, stdout=StringIO()
    )  # exits with 1 where one is missing


def test_no_migration_of_that_head_was_changed(there):
    changed = []
    for migration, digest in SAID["sqlmigrate"].items():
        out = StringIO()
        call_command("sqlmigrate", *migration.split(".", 1), stdout=out, no_color=True)
        if hashlib.sha256(out.getvalue().encode()).hexdigest() != digest:
            changed.append(migration)
    assert changed == []


def test_the_record_verifies_and_goes_on_from_the_head_that_was_handed_out(there, tmp_path):
    out = StringIO()
    call_command("verify_ledger", files=True, checkpoint=[head(tmp_path, there)], json=True, stdout=out)
    found = json.loads(out.getvalue())
    assert found["leaves"] >= there.manifest["tables"]["governance_entry"]["rows"] > 4000
    assert (found["findings"], found["files"] > 50) == ([], True)
    assert Entry.objects.filter(kind="restored").count() == 1


def test_every_case_is_supported_as_far_as_it_was(there):
    book = Rulebook.objects.current().book
    found = {}
    with clock.simulated(MOMENT):
        for case in Initiative.objects.order_by("number"):
            facts = supported_stage.facts_of(case)
            said = criteria.support(facts, book, MOMENT, criteria.states_at(facts, book, MOMENT))
            found[case.ref] = {"claimed": case.stage, "supported": said.supported, "label": said.label}
    assert found == SAID["cases"]
    assert len({case["claimed"] for case in found.values()}) == 6


def test_vendors_that_components_name_are_rows_of_one_register(there):
    named = Component.objects.exclude(vendor="")
    assert named.exists()
    for row in named.select_related("listed_vendor"):
        assert row.listed_vendor.name.lower() == row.vendor.lower()
        assert row.history.latest("history_id").listed_vendor_id == row.listed_vendor_id
    for vendor in Vendor.objects.filter(listed_by_component=True):
        assert vendor.history.count() == 1
        assert Entry.objects.rows().filter(table="initiatives_vendor", key=str(vendor.pk)).count() == 1


def test_conflicts_of_definitions_stay_as_they_were_found_and_decided(there, as_):
    def conflicts() -> list[dict]:
        columns = ("pk", "initiative__title", "facet", "severity", "status", "words")
        return list(DefinitionConflict.objects.order_by("pk").values(*columns))

    assert conflicts() == SAID["conflicts"]
    assert {row["status"] for row in SAID["conflicts"]} == {"open", "reconciled", "accepted"}
    waiting = DefinitionConflict.objects.filter(status="open")
    case = waiting[0].initiative
    with acting(system="nightly recount"):  # compared anew, by what compares today
        settle_conflicts([case])
    assert conflicts() == SAID["conflicts"]
    steward = case.roles.get(role="data_steward", ended_at=None).person
    page = as_(steward).get(reverse("integration-definitions", args=[case.ref]))
    for row in waiting:
        assert row.words in page.text


def test_an_export_of_that_head_verifies_by_its_own_verifier_and_by_todays(upgraded, tmp_path):
    folder = unzipped(UPGRADE / "case.zip", tmp_path)
    key = ("--key", upgraded.manifest["keys"][0])
    before = checked_by(folder / "verify.py", folder, *key)
    assert "RIGHT  16 files, 410 entries (0 of them erased), 5 checkpoints, 20 pieces of evidence" in before
    assert checked_by(Path(verify.__file__), folder, *key) == before


def test_an_export_of_today_verifies_by_both_and_goes_on_from_that_head(there, tmp_path):
    old = unzipped(UPGRADE / "case.zip", tmp_path / "old")
    held, file = head(tmp_path, there), tmp_path / "now.zip"
    call_command(
        "export_record", case=CASE, with_files=True, checkpoint=[held], to=[str(file)], stdout=StringIO()
    )
    new = unzipped(file, tmp_path / "new")
    said = checked_by(new / "verify.py", new, "--checkpoint", str(held))
    assert "It begins as 1 checkpoint(s) that you hold say." in said
    assert checked_by(old / "verify.py", new, "--checkpoint", str(held)) == said
    of_then, of_now = ((folder / "entries.jsonl").read_text().splitlines() for folder in (old, new))
    assert [json.loads(line)["leaf"] for line in of_now[: len(of_then)]] == [
        json.loads(line)["leaf"] for line in of_then
    ]
