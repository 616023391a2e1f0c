"""What systems were told, verified: every decision against the batch that commits to it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from governance.models import DecisionBatch, Entry, PolicyDecision
from governance.transparency_log import sealing, verification
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.database.tampering import first_found, tamper, undone
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db
TABLE = "governance_policydecision"


@pytest.fixture
def told(cast) -> System:
    """A system that was told three things, in two batches, sealed."""
    initiative = factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)
    system = System(factories.make_key(cast, initiative)[1].text)
    system.ask("read")
    logged()
    system.ask("write", subject="user:bob", context={"failure": "low_confidence"})
    system.ask("delete", subject_role="clerk")
    logged()
    sealing.seal()
    return system


def test_what_was_told_verifies_and_the_audit_log_commits_to_each_batch(told):
    report = verification.verify()
    assert report.findings == []
    assert report.batches == 2
    for batch in DecisionBatch.objects.all():
        entry = Entry.objects.get(table="governance_decisionbatch", key=str(batch.pk))
        assert entry.leaf.position >= 0
        assert batch.digest.encode() in bytes(entry.body.body)
    out = StringIO()
    call_command("verify_audit_log", stdout=out)
    assert "2 batches of decisions" in out.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE {} SET outcome = 'allow' WHERE id = %s", "decision {} of batch {} was changed after"),
        ("UPDATE {} SET reason = reason || ' ' WHERE id = %s", "decision {} of batch {} was changed after"),
        ("UPDATE {} SET subject = 'user:nobody' WHERE id = %s", "decision {} of batch {} was changed after"),
        ("UPDATE {} SET at = at + interval '1 microsecond' WHERE id = %s", "decision {} of batch {} was changed after"),
        ("UPDATE {} SET digest = sha256(digest) WHERE id = %s", "the decisions of batch {1} do not match its digest"),
        ("UPDATE {} SET batch_id = 999 WHERE id = %s", "batch {1} has 1 decisions, but 2 were written"),
        ("DELETE FROM {} WHERE id = %s", "batch {1} has 1 decisions, but 2 were written"),
    ],
)  # fmt: skip
def test_a_decision_that_was_changed_behind_the_triggers_is_found(told, change, words):
    row = PolicyDecision.objects.latest("id")
    with undone():
        assert tamper(change.format(TABLE), row.pk, table=TABLE) == 1
        found = first_found()
        assert words.format(row.pk, row.batch_id).rstrip() in found.words
        assert (found.place, found.table, found.key) == ("decision", TABLE, f"batch {row.batch_id}")
        with pytest.raises(CommandError, match=f"First: .*batch {row.batch_id}"):
            call_command("verify_audit_log", stdout=StringIO())
    assert verification.verify().ok


def test_a_decision_put_in_beside_all_batches_is_found(told):
    row = PolicyDecision.objects.latest("id")
    with undone():
        tamper(f"UPDATE {TABLE} SET batch_id = 999 WHERE id = %s", row.pk, table=TABLE)
        assert f"decision {row.pk} belongs to no batch" in [f.words for f in verification.verify().findings]


def test_a_batch_that_was_changed_to_fit_is_found_as_a_row(told):
    batch = DecisionBatch.objects.latest("pk")
    with undone():
        tamper(
            "UPDATE governance_decisionbatch SET count = count - 1 WHERE id = %s",
            batch.pk,
            table="governance_decisionbatch",
        )
        assert first_found().table == "governance_decisionbatch"


def test_a_decision_that_was_erased_still_verifies(told):
    row = PolicyDecision.objects.latest("id")
    with undone():
        tamper(
            f"UPDATE {TABLE} SET salt = NULL, request = '{{}}', subject = '' WHERE id = %s",
            row.pk,
            table=TABLE,
        )
        assert verification.verify().ok


def test_every_number_a_request_may_hold_is_kept_as_it_was_asked(told):
    """JSON has more ways to write a number than the database keeps apart."""
    for text in ("1e16", "-1e300", "-0.0", "1E5", "0.1", "5e-324", "12345678901234567890", "1.50", "1e15"):
        evaluation_request = (
            '{"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},'
            f' "resource": {{"type": "record", "id": "1"}}, "context": {{"x": {text}}}}}'
        )
        assert told.send("/access/v1/evaluation", evaluation_request).json()["decision"] is True
    assert len(logged(action="read")) == 10
    assert verification.verify().findings == []
