"""M2: somebody who can write to the data folder puts another file in the place of a recorded one."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from adoption.demo import artefacts
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems import attachments
from governance.models import Entry
from governance.storage import file_fingerprints
from governance.transparency_log import verification
from initiatives.lifecycle.evidence import file_checks
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Evidence
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    """A prototype with files of evidence."""
    return factories.make_prototype(cast)


@pytest.fixture
def swapped(initiative) -> Evidence:
    """An item of it four bytes of whose file were changed on the disk."""
    item = Evidence.objects.filter(initiative=initiative).exclude(file="").earliest("pk")
    with open(item.file.path, "r+b") as file:
        file.write(b"%PDX")
    return item


@pytest.mark.parametrize("way", ["evidence-file", "evidence-look", "evidence-content"])
def test_a_swapped_file_is_not_handed_out_and_the_worker_writes_it_down(
    cast, initiative, swapped, as_, way, monkeypatch
):
    asked = []
    monkeypatch.setattr("initiatives.tasks.check_file.delay", asked.append)
    reader = as_(cast.seat_risk)
    with acts() as kinds:
        answer = reader.get(reverse(way, args=[initiative.ref, swapped.pk]))
    assert answer.status_code == 404
    assert "The stored file is not the recorded file." in text_of(answer)
    assert b"PDX" not in answer.content
    assert kinds == [], "a look writes nothing"
    assert Evidence.objects.get(pk=swapped.pk).missing_since is None
    assert asked == [swapped.pk]
    monkeypatch.undo()
    with acts() as kinds:
        reader.get(
            reverse(way, args=[initiative.ref, swapped.pk])
        )  # tests have the worker's work done at once
        reader.get(reverse(way, args=[initiative.ref, swapped.pk]))
    assert kinds == ["evidence file changed"]
    assert Evidence.objects.get(pk=swapped.pk).missing_since is not None


def test_a_file_as_recorded_is_handed_out_as_before(cast, initiative, as_):
    item = Evidence.objects.filter(initiative=initiative).exclude(file="").latest("pk")
    with acts() as kinds:
        answer = as_(cast.seat_risk).get(reverse("evidence-file", args=[initiative.ref, item.pk]))
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == Path(item.file.path).read_bytes()
    assert kinds == ["evidence opened"]


def test_a_file_larger_than_an_upload_is_hashed_too(initiative, swapped, settings):
    whole = Evidence.objects.filter(initiative=initiative).exclude(file="").latest("pk")
    settings.UPLOAD_MAX_BYTES = 10
    assert file_fingerprints.opened(swapped.file.name, swapped.sha256).state == file_fingerprints.CHANGED
    assert (
        file_fingerprints.opened(whole.file.name, whole.sha256).file.read()
        == Path(whole.file.path).read_bytes()
    )


def test_verify_audit_log_with_files_names_the_row(initiative, swapped):
    assert verification.verify().ok, "without --files the bytes of files are not looked at"
    out = StringIO()
    with pytest.raises(CommandError, match=f"the file {swapped.file.name} is not the recorded file"):
        call_command("verify_audit_log", "--files", stdout=out)
    assert f"(table initiatives_evidence, row {swapped.pk}, field file)" in out.getvalue()
    with open(swapped.file.path, "r+b") as file:
        file.write(b"%PDF")
    call_command("verify_audit_log", "--files", stdout=out)
    assert "files hashed. 0 of them are missing, as the audit log records." in out.getvalue()


def test_a_file_that_is_gone_is_a_finding_until_the_audit_log_knows_it(initiative, swapped):
    swapped.file.storage.delete(swapped.file.name)
    rows = Evidence.objects.filter(file=swapped.file.name)
    with pytest.raises(CommandError, match="is gone from storage"):
        call_command("verify_audit_log", "--files", stdout=StringIO())
    assert len(file_checks.find_missing_files()) == rows.count()
    out = StringIO()
    call_command("verify_audit_log", "--files", stdout=out)
    assert f"{rows.count()} of them are missing, as the audit log records" in out.getvalue()


def test_a_swapped_attachment_of_a_post_mortem_is_refused_and_recorded_once(cast, as_):
    initiative = factories.make_prototype(cast)
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    draft = postmortem_actions.start(obligation=initiative.obligations.get(kind="post_mortem"), by=cast.owner)
    kept = attachments.attach(
        post_mortem=draft, title="The log", file=artefacts.pdf("The log"), by=cast.owner
    )
    reader = as_(cast.owner)
    with open(kept.file.path, "r+b") as file:
        file.write(b"%PDX")
    with acts() as kinds:
        for name in ("attachment-file", "attachment-look", "attachment-file"):
            answer = reader.get(reverse(name, args=[kept.pk]))
            assert answer.status_code == 404
            assert "is not the recorded file" in text_of(answer)
    assert kinds == ["attachment file changed"]
    with open(kept.file.path, "r+b") as file:
        file.write(b"%PDF")
    assert reader.get(reverse("attachment-file", args=[kept.pk])).status_code == 200
    with open(kept.file.path, "r+b") as file:
        file.write(b"%PDX")
    with pytest.raises(CommandError) as found:
        call_command("verify_audit_log", "--files", stdout=StringIO())
    assert "adoption_attachment" in str(found.value)
    assert Entry.objects.filter(kind="attachment file changed").count() == 1
