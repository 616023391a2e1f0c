"""Exports that auditors and chairs take by a page: theirs alone, verified offline, bounded, erased, all recorded."""

import subprocess
import sys
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.urls import reverse

from adoption import tasks as adoption_tasks
from adoption.audit_log_export import actions, audit_log_export
from adoption.models import AuditLogExport
from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.models import Evidence
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    return factories.make_prototype(cast)


def ready(**asked) -> AuditLogExport:
    """An export that the worker wrote."""
    row = actions.ask_export(**asked)
    adoption_tasks.prepare_export(row.pk)
    row.refresh_from_db()
    return row


def content(response) -> bytes:
    return b"".join(response.streaming_content)


def kinds(initiative) -> list[tuple[str, int | None]]:
    rows = (
        Entry.objects.acts()
        .of_initiative(initiative.ref)
        .filter(kind__startswith="audit log export")
        .order_by("pk")
    )
    return list(rows.values_list("kind", "actor_id"))


def test_an_auditor_takes_a_initiative_and_it_verifies_offline(cast, initiative, as_, tmp_path):
    client = as_(cast.auditor)
    place = reverse("initiative-act", args=[initiative.ref, "export-audit-log"])
    assert place in client.get(reverse("initiative-activity", args=[initiative.ref])).content.decode()
    asked = client.post(place, {"with_files": "on"})
    row = AuditLogExport.objects.get()
    assert asked["Location"] == row.get_absolute_url()
    waiting = client.get(row.get_absolute_url()).content.decode()
    assert "Waiting" in waiting
    assert reverse("audit-log-export-progress", args=[row.pk]) in waiting
    assert client.post(reverse("audit-log-export-download", args=[row.pk])).status_code == 409
    adoption_tasks.prepare_export(row.pk)
    told = Notification.objects.get(kind="audit log export")
    assert (told.person, told.link) == (cast.auditor, row.get_absolute_url())
    assert told.subject == f"Your export of {initiative.ref} is ready"
    assert "Download the zip" in client.get(row.get_absolute_url()).content.decode()
    response = client.post(reverse("audit-log-export-download", args=[row.pk]))
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Cache-Control"] == "private, no-store"
    with zipfile.ZipFile(BytesIO(content(response))) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    ran = subprocess.run(
        [sys._base_executable, "-I", "-S", "verify.py", "."], cwd=folder, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    row.refresh_from_db()
    assert f"{row.entries} entries (0 of them erased)" in ran.stdout
    assert len(list((folder / "evidence").iterdir())) == Evidence.objects.exclude(file="").count() > 0
    assert kinds(initiative) == [
        ("audit log export asked", cast.auditor.pk),
        ("audit log exported", cast.auditor.pk),
        ("audit log export taken", cast.auditor.pk),
    ]
    taken = Entry.objects.get(kind="audit log export taken").facts["facts"]
    assert taken["sha256"] == row.sha256
    assert "downloaded the export of the audit log" in client.get(reverse("audit-readings")).content.decode()


def test_the_bytes_are_those_of_the_command(cast, initiative, tmp_path):
    row = ready(initiative=initiative, by=cast.chair)
    same = tmp_path / "same.zip"
    audit_log_export.export(out=same, scope=audit_log_export.Scope(initiative=initiative), by=cast.chair)
    with default_storage.open(actions.place_of(row)) as file:
        mine, theirs = _files(file), _files(same)
    assert mine.keys() == theirs.keys()
    assert mine["verify.py"] == theirs["verify.py"]
    assert (
        theirs["entries.jsonl"].splitlines()[0].split(b'"proof"')[0]
        == (mine["entries.jsonl"].splitlines()[0].split(b'"proof"')[0])
    )


def _files(place: Path | File) -> dict[str, bytes]:
    with zipfile.ZipFile(place) as archive:
        found = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    return {name: body for name, body in found.items() if not name.startswith("checkpoints/")}


def test_the_chair_takes_it_and_nobody_else_but_auditors(cast, initiative, as_):
    assert ready(initiative=initiative, by=cast.chair).ready
    assert ready(initiative=initiative, by=cast.auditor).ready
    for other in (cast.owner, cast.lead, cast.seat_risk, cast.admin, cast.outsider):
        with pytest.raises(Refused):
            actions.ask_export(initiative=initiative, by=other)
        history = as_(other).get(reverse("initiative-activity", args=[initiative.ref]))
        assert (
            reverse("initiative-act", args=[initiative.ref, "export-audit-log"])
            not in history.content.decode()
        )
    today = clock.today()
    for other in (cast.chair, cast.admin, cast.owner):
        with pytest.raises(Refused, match="Only auditors"):
            actions.ask_export(period=(today, today), by=other)
        assert (
            as_(other).post(reverse("audit-log-exports"), {"first": today, "last": today}).status_code == 403
        )


def test_an_auditor_takes_some_days(cast, initiative, as_):
    today = clock.today()
    client = as_(cast.auditor)
    wrong = client.post(reverse("audit-log-exports"), {"first": today, "last": today + timedelta(days=1)})
    assert "The last day is before the first day or after today" in wrong.content.decode()
    with pytest.raises(ValidationError):
        actions.ask_export(period=(today - timedelta(days=400), today), by=cast.auditor)
    client.post(reverse("audit-log-exports"), {"first": today, "last": today})
    row = AuditLogExport.objects.get()
    adoption_tasks.prepare_export(row.pk)
    row.refresh_from_db()
    assert row.ready
    assert row.entries > 20
    assert f"{today} to {today}" in client.get(reverse("audit-log-exports")).content.decode()


def test_what_one_asked_for_is_not_there_for_another(cast, initiative, as_):
    row = ready(initiative=initiative, by=cast.auditor)
    for other in (cast.chair, cast.admin, cast.owner, cast.outsider):
        client = as_(other)
        assert client.get(row.get_absolute_url()).status_code == 404
        assert client.get(reverse("audit-log-export-progress", args=[row.pk])).status_code == 404
        assert client.post(reverse("audit-log-export-download", args=[row.pk])).status_code == 404
        with pytest.raises(Refused, match="Someone else requested"):
            actions.take_export(export=row, by=other)
        assert initiative.ref not in client.get(reverse("audit-log-exports")).content.decode()
    path = Path(default_storage.path(actions.place_of(row)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_who_may_not_any_more_takes_nothing(cast, initiative, as_):
    row = ready(initiative=initiative, by=cast.chair)
    asked = actions.ask_export(initiative=initiative, by=cast.chair)
    seat = cast.chair.memberships.get(seat="chair")
    leaving.revoke_membership(membership=seat, reason="Moved", by=cast.admin)
    with pytest.raises(Refused):
        actions.take_export(export=row, by=cast.chair)
    page = as_(cast.chair).get(row.get_absolute_url()).content.decode()
    assert "Download the zip" not in page
    adoption_tasks.prepare_export(asked.pk)
    asked.refresh_from_db()
    assert asked.state == "failed"
    assert not default_storage.exists(actions.place_of(asked))


def test_a_confidential_one_is_for_those_who_read_it(cast, initiative):
    detail_actions.change_details(
        initiative=initiative, problem=initiative.problem, platform="", confidential=True, by=cast.owner
    )
    assert ready(initiative=initiative, by=cast.auditor).ready
    assert ready(initiative=initiative, by=cast.chair).ready
    with pytest.raises(Refused, match="You cannot see this initiative"):
        actions.ask_export(initiative=initiative, by=cast.outsider)


def test_an_auditor_who_is_admin_takes_no_files(cast, initiative):
    with unguarded("governance_user"), acting(system="test", reason="Both"):
        cast.auditor.is_admin = True
        cast.auditor.save()
    with pytest.raises(Refused, match="Admins cannot read evidence"):
        actions.ask_export(initiative=initiative, with_files=True, by=cast.auditor)
    today = clock.today()
    with pytest.raises(Refused, match="Admins cannot read evidence"):
        actions.ask_export(period=(today, today), with_files=True, by=cast.auditor)
    assert ready(initiative=initiative, by=cast.auditor).ready


def test_one_at_a_time_five_at_most_and_no_more_than_the_bound(cast, initiative, monkeypatch):
    row = actions.ask_export(initiative=initiative, by=cast.auditor)
    with pytest.raises(Conflict, match="is not finished yet"):
        actions.ask_export(initiative=initiative, by=cast.auditor)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditLogExport.objects.create(initiative=initiative, by=cast.auditor, asked_at=clock.now())
    assert actions.ask_export(initiative=initiative, by=cast.chair), "another person has one of their own"
    adoption_tasks.prepare_export(row.pk)
    monkeypatch.setattr(actions, "MOST_KEPT", 1)
    with pytest.raises(Refused, match="not erased yet"):
        actions.ask_export(initiative=initiative, by=cast.auditor)
    monkeypatch.setattr(actions, "MOST_KEPT", 5)
    monkeypatch.setattr(actions, "MOST_BYTES", 10)
    with pytest.raises(Refused, match="Export without files"):
        actions.ask_export(initiative=initiative, with_files=True, by=cast.auditor)
    monkeypatch.setattr(actions, "MOST_ENTRIES", 3)
    with pytest.raises(Refused, match="200,000 entries and 1,024 MB"):
        actions.ask_export(initiative=initiative, by=cast.auditor)


def test_after_seven_days_it_is_erased_and_recorded(cast, initiative, as_):
    row = ready(initiative=initiative, by=cast.auditor)
    place = actions.place_of(row)
    stray = default_storage.save("exports/999999.zip", ContentFile(b"of an export that is gone"))
    with clock.simulated(clock.now() + timedelta(days=6)):
        adoption_tasks.tend_exports()
        assert default_storage.exists(place)
    assert not default_storage.exists(stray), "what no export has is gone"
    with clock.simulated(clock.now() + timedelta(days=7, minutes=1)):
        with pytest.raises(Conflict, match="erased"):
            actions.take_export(export=row, by=cast.auditor)
        adoption_tasks.tend_exports()
        adoption_tasks.tend_exports()
    row.refresh_from_db()
    assert (row.state, default_storage.exists(place)) == ("erased", False)
    assert Entry.objects.filter(kind="audit log export erased").count() == 1
    assert "was erased 7 days after" in as_(cast.auditor).get(row.get_absolute_url()).content.decode()


def test_what_personal_data_was_erased_from_is_erased_too(cast, initiative):
    row = ready(initiative=initiative, by=cast.auditor)
    with acting(by=cast.admin, reason="Asked for"):
        entries.record(EntryKind.ERASED, initiative=initiative)
    with pytest.raises(Conflict, match="erased after the file was written"):
        actions.take_export(export=row, by=cast.auditor)
    adoption_tasks.tend_exports()
    assert not default_storage.exists(actions.place_of(row))


def test_a_file_that_was_changed_in_its_store_is_not_handed_out(cast, initiative, as_):
    row = ready(initiative=initiative, by=cast.auditor)
    Path(default_storage.path(actions.place_of(row))).write_bytes(b"another")
    answer = as_(cast.auditor).post(reverse("audit-log-export-download", args=[row.pk]))
    assert answer.status_code == 409
    row.refresh_from_db()
    assert row.taken_at is None


def test_what_a_worker_lost_is_begun_again_and_given_up_after_two(cast, initiative, monkeypatch):
    row = actions.ask_export(initiative=initiative, by=cast.auditor)
    monkeypatch.setattr(audit_log_export, "export", _killed)
    with pytest.raises(SystemExit):
        actions.prepare(row.pk)
    assert actions.prepare(row.pk) is None, "another worker may be at it"
    with clock.simulated(clock.now() + timedelta(minutes=16)):
        with pytest.raises(SystemExit):
            adoption_tasks.tend_exports()
        with clock.simulated(clock.now() + timedelta(minutes=16)):
            adoption_tasks.tend_exports()
    row.refresh_from_db()
    assert (row.state, row.tries) == ("failed", 2)
    assert "interrupted twice" in row.trouble
    assert Notification.objects.get(kind="audit log export").subject.endswith("failed")


def _killed(**_):
    raise SystemExit


def test_a_failure_is_told_and_a_queue_message_that_was_lost_is_made_up_for(cast, initiative, monkeypatch):
    row = actions.ask_export(initiative=initiative, by=cast.auditor)
    with clock.simulated(clock.now() + timedelta(minutes=3)):
        adoption_tasks.tend_exports()
    row.refresh_from_db()
    assert row.ready
    assert actions.prepare(row.pk) is None

    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit_log_export, "export", full)
    other = actions.ask_export(initiative=initiative, by=cast.auditor)
    with pytest.raises(OSError, match="No space"):
        actions.prepare(other.pk)
    other.refresh_from_db()
    assert (other.state, "(OSError)" in other.trouble) == ("failed", True)
    assert actions.ask_export(initiative=initiative, by=cast.auditor), "one may ask again"
