"""The audit log's pages: the checkpoint to keep, receipts of one's own acts, and the program that checks both."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Entry
from governance.offline import verify
from governance.transparency_log import sealing, signing_keys
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.database import snapshots
from tests.support.database.tampering import tamper
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def sign_off(cast) -> Entry:
    """The entry of a sign-off, not sealed yet."""
    review = review_actions.open_review(initiative=factories.make_mvp(cast), by=cast.owner)
    initiative_acts.sign_off(
        review,
        "adoption_change",
        cast.seat_adoption,
        "object",
        reason="No <b>plan</b>.",
        criteria=("production.behaviour",),
    )
    return Entry.objects.filter(kind="signed off").latest("pk")


def test_before_the_first_checkpoint_the_page_says_so(cast, as_):
    client = as_(cast.owner)
    assert b"No sealed entries yet" in client.get("/audit-log/").content
    assert client.get("/audit-log/checkpoint/").status_code == 404


def test_the_page_shows_the_newest_checkpoint_and_the_keys_to_check_it_with(cast, as_):
    newest = sealing.seal()
    client = as_(cast.owner)
    page = client.get("/audit-log/")
    assert page.context["checkpoint"] == newest
    (key,) = signing_keys.known()
    assert str(key).replace("+", "&#x2B;") in page.content.decode() or str(key) in page.content.decode()
    kept = client.get("/audit-log/checkpoint/")
    assert kept["Content-Disposition"] == f'attachment; filename="plumbline-checkpoint-{newest.size}.txt"'
    note, signers = verify.note_verify(kept.content, [str(key)])
    assert (note.size, note.root, signers) == (newest.size, bytes(newest.root), [key])


def test_the_page_warns_when_sealing_is_late(cast, as_, monkeypatch):
    monkeypatch.setattr(sealing, "LATE", timedelta(seconds=60))
    sealing.seal()
    assert b"Sealing is late" not in as_(cast.owner).get("/audit-log/").content
    factories.make_initiative(cast)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_entry SET recorded_at = recorded_at - interval '2 minutes'")
    assert b"Sealing is late" in as_(cast.owner).get("/audit-log/").content


def test_a_signer_keeps_a_receipt_that_verifies_without_us(cast, as_, sign_off, tmp_path):
    client = as_(cast.seat_adoption)
    address = f"/audit-log/receipts/{sign_off.pk}/"
    assert b"Not sealed yet" in client.get(address).content
    assert client.get(f"{address}receipt.json").status_code == 404
    sealing.seal()
    assert address in client.get("/audit-log/").content.decode()
    page = client.get(address).content.decode()
    assert "No &lt;b&gt;plan&lt;/b&gt;." in page, "the statement as it was signed"
    kept = client.get(f"{address}receipt.json")
    assert kept["Content-Disposition"] == f'attachment; filename="plumbline-receipt-{sign_off.pk}.json"'
    (tmp_path / "receipt.json").write_bytes(kept.content)
    (tmp_path / "verify.py").write_bytes(client.get("/audit-log/verify.py").content)
    command = [
        sys._base_executable,
        "-I",
        "-S",
        "verify.py",
        "receipt.json",
        "--key",
        str(signing_keys.known()[0]),
    ]
    right = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (right.returncode, right.stderr) == (0, "")
    assert f"by: {cast.seat_adoption.full_name}" in right.stdout
    (tmp_path / "receipt.json").write_bytes(kept.content.replace(b"No <b>plan</b>.", b"Yes."))
    wrong = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout.split(":")[0]) == (1, "WRONG  receipt.json")
    tamper("UPDATE governance_entrybody SET body = body || '\\x20'::bytea", table="governance_entrybody")
    changed = client.get(address)
    assert changed.status_code == 409
    assert b"This entry was changed" in changed.content


def test_receipts_are_for_those_who_acted_and_for_auditors(cast, as_, sign_off):
    sealing.seal()
    for person, status in (
        (cast.seat_adoption, 200), (cast.auditor, 200), (cast.chair, 404), (cast.admin, 404), (cast.outsider, 404),
    ):  # fmt: skip
        for address in (
            f"/audit-log/receipts/{sign_off.pk}/",
            f"/audit-log/receipts/{sign_off.pk}/receipt.json",
        ):
            assert as_(person).get(address).status_code == status, (person, address)


def test_an_auditor_gets_receipts_of_row_changes_too(cast, as_, sign_off):
    sealing.seal()
    row = Entry.objects.filter(table="initiatives_signoff").latest("pk")
    page = as_(cast.auditor).get(f"/audit-log/receipts/{row.pk}/")
    assert "initiatives_signoff" in page.content.decode()
    kept = json.loads(as_(cast.auditor).get(f"/audit-log/receipts/{row.pk}/receipt.json").content)
    assert json.loads(kept["body"])["after"]["person_id"] == cast.seat_adoption.pk


def test_the_pages_ask_the_database_a_fixed_number_of_times(cast, as_, sign_off):
    sealing.seal()
    client = as_(cast.seat_adoption)
    for address, most in (("/audit-log/", 12), (f"/audit-log/receipts/{sign_off.pk}/", 16)):
        assert query_counts.asked(client, address) <= most, address


def test_the_age_of_a_checkpoint_is_told_by_its_own_moment(cast, as_):
    newest = sealing.seal()
    with clock.simulated(newest.at + timedelta(days=400)):
        page = as_(cast.owner).get("/audit-log/").content.decode()
    assert str(newest.at.year) in page
