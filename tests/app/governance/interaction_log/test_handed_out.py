"""One interaction handed out: a stranger checks it by its two paths, and finds what was changed in it."""

import json

import pytest
from django.db import connection

from governance.interaction_log import reading
from governance.models import Entry, Interaction
from governance.offline import verify
from governance.transparency_log import sealing, verification
from tests.app.governance.interaction_log.test_kept import SECRET, destroy, keep, report

pytestmark = pytest.mark.django_db


def handed_out():
    """The third of five interactions as a file, sealed."""
    keep(*(report(number) for number in range(1, 6)))
    sealing.seal()
    row = Interaction.objects.select_related("batch").get(place=2)
    entry = Entry.objects.get(table="governance_interactionbatch", key=str(row.batch_id))
    return reading.file_of(reading.handed_out(row), sealing.receipt_of(entry))


def test_a_stranger_checks_one_interaction_by_its_two_paths(tmp_path, capsys):
    content = handed_out()
    path = tmp_path / "interaction.json"
    path.write_bytes(content)
    assert verify.main([str(path)]) == 0
    assert "reported with this content" in capsys.readouterr().out
    said, *_ = verify.check_interaction(content)
    assert said["report"]["input"][0]["text"] == SECRET
    for wrong in changed(content):
        with pytest.raises(verify.Rejected):
            verify.check_interaction(wrong)


def changed(content):
    """The file with one thing in it changed, each in turn."""
    for name, value in (
        ("body", lambda text: text.replace("Ueltschi", "Meier")),
        ("place", lambda place: place + 1),
        ("path", lambda path: path[::-1]),
        ("batch", lambda batch: batch | {"root": "0" * 64}),
        ("batch", lambda batch: batch | {"id": batch["id"] + 1}),
        ("batch", lambda batch: batch | {"count": batch["count"] + 1}),
    ):
        out = json.loads(content)
        out["interaction"][name] = value(out["interaction"][name])
        yield json.dumps(out).encode()
    yield content.replace(b"interactionbatch", b"decisionbatch")
    yield b'{"format": 1}'


def test_the_audit_log_verifies_with_its_batches_and_after_a_key_was_destroyed():
    handed_out()
    destroy("customer 4")
    assert [finding.words for finding in verification.verify().findings] == []
    with_gap = Interaction.objects.get(place=2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_interaction DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM governance_interaction WHERE id = %s", [with_gap.pk])
    found = [finding.words for finding in verification.verify().findings]
    assert any("but 5 were written" in words for words in found)
