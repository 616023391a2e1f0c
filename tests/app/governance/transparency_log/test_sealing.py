"""Sealing: every committed entry gets one place for good, the head is signed, and a receipt proves it to strangers."""

import base64
import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, connections, transaction

from governance import clock
from governance import tasks as governance_tasks
from governance.contributions import contributed
from governance.database.row_history import acting
from governance.models import Checkpoint, Entry, Leaf, Node, Sealing
from governance.notifications.inbox import tasks_for
from governance.offline import verify
from governance.offline.verify import Peaks, Rejected, check_receipt, leaf_hash, note_verify
from governance.operations import heartbeats, installation_inbox
from governance.transparency_log import sealing as transparency_log_sealing
from governance.transparency_log import signing_keys
from governance.transparency_log.merkle_tree import Tree
from tests.support import factories
from tests.support.database.many_entries import make_entries, newest_entry
from tests.support.plugin import LOGINS, address_for, url_of

SEED = bytes(range(32))


@pytest.fixture(autouse=True)
def _signed_by_the_test(settings):
    """A key and a name of the test's own; nothing is read from or kept in the data folder."""
    settings.SIGNING_KEY, settings.ORIGIN = SEED, "plumbline.invalid/test"
    settings.FORMER_KEYS = []


def sealed():
    """Seal what is there, and return the checkpoint."""
    checkpoint = transparency_log_sealing.seal()
    assert checkpoint is not None
    return checkpoint


def rooted():
    """The root over all leaves, made anew from their bytes."""
    peaks = Peaks()
    for leaf in Leaf.objects.order_by("position"):
        assert leaf.position == peaks.size
        assert bytes(leaf.hash) == leaf_hash(bytes(leaf.data))
        peaks.push(leaf_hash(bytes(leaf.data)))
    return peaks.root()


# --- One sealing ---------------------------------------------------------------------------------------------


def test_nothing_is_sealed_when_there_is_nothing(db):
    assert transparency_log_sealing.seal() is None
    assert transparency_log_sealing.newest() is None
    make_entries(3)
    sealed()
    assert transparency_log_sealing.seal() is None
    assert Checkpoint.objects.count() == 1


def test_every_entry_has_a_place_and_the_root_is_signed(db):
    make_entries(5)
    first = sealed()
    make_entries(600)
    second = sealed()
    assert (first.size, second.size) == (5, 605)
    assert list(Leaf.objects.order_by("position").values_list("entry_id", flat=True)) == list(
        Entry.objects.order_by("pk").values_list("pk", flat=True)
    )
    assert bytes(second.root) == rooted() == Tree().root(605)
    assert bytes(first.root) == Tree().root(5)
    verify.check_consistency(5, bytes(first.root), 605, bytes(second.root), Tree().consistency(5, 605))
    for checkpoint in (first, second):
        note, _ = note_verify(
            checkpoint.note, signing_keys.known(), origin="plumbline.invalid/test", known_only=True
        )
        assert (note.size, note.root) == (checkpoint.size, bytes(checkpoint.root))
    assert [(node.level, node.index) for node in Node.objects.order_by("index")] == [(8, 0), (8, 1)]


def test_a_node_that_needs_leaves_of_two_sealings_is_stored(db, monkeypatch):
    monkeypatch.setattr(transparency_log_sealing, "BATCH", 100)
    make_entries(200)
    sealed()
    make_entries(100)
    sealed()
    node = Node.objects.get()
    hashes = [bytes(hash) for hash in Leaf.objects.order_by("position").values_list("hash", flat=True)[:256]]
    peaks = Peaks()
    for hash in hashes:
        peaks.push(hash)
    assert (node.level, node.index, bytes(node.hash)) == (8, 0, peaks.root())


def test_a_leaf_says_everything_of_its_entry(db):
    moment = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    with clock.simulated(moment), acting(system="test", reason="Leaf"):
        make_entries(1)
    sealed()
    entry = newest_entry()
    leaf = json.loads(bytes(entry.leaf.data))
    assert leaf == {
        "id": entry.pk,
        "kind": "row",
        "actor": 7,
        "on_behalf_of": None,
        "initiative": "AI-0042",
        "table": "initiatives_answer",
        "key": "1",
        "operation": "~",
        "xact": entry.xact,
        "request": "request-1",
        "at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "recorded_at": "2026-03-01T12:30:00.000000Z",
        "simulated": True,
        "digest": bytes(entry.digest).hex(),
    }
    columns = {field.name for field in Entry._meta.concrete_fields}
    renamed = {
        "actor_id": "actor",
        "on_behalf_of_id": "on_behalf_of",
        "initiative_ref": "initiative",
        "request_id": "request",
    }
    assert {renamed.get(name, name) for name in columns} == set(leaf)


def test_a_transaction_is_known_from_its_checkpoint_on_or_at_its_simulated_moment(db):
    make_entries(2)
    checkpoint = sealed()
    sealing = Sealing.objects.get()
    assert (sealing.xact, sealing.known_at) == (newest_entry().xact, checkpoint.at)


def test_a_later_checkpoint_has_a_later_moment(db):
    make_entries(1)
    first = sealed()
    ahead = first.at + timedelta(days=1)
    with connection.cursor() as cursor:  # as if the machine's clock had been put back since
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_checkpoint DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_checkpoint SET at = %s", [ahead])
    make_entries(1)
    assert sealed().at == ahead + timedelta(microseconds=1)


def test_nothing_is_signed_on_top_of_a_tree_that_was_changed(db):
    make_entries(300)
    sealed()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_leaf DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_leaf SET hash = sha256(hash) WHERE position = 299")
        cursor.execute("ALTER TABLE governance_leaf ENABLE TRIGGER USER")
    make_entries(1)
    with pytest.raises(transparency_log_sealing.AuditLogBroken, match="do not have the root of checkpoint"):
        transparency_log_sealing.seal()
    assert (Checkpoint.objects.count(), Leaf.objects.count()) == (1, 300)
    with pytest.raises(CommandError, match="Run verify_audit_log"):
        call_command("seal")


def marks_are_final(monkeypatch):
    """Let every mark be final at once. Other tests on this server hold back the real ones."""
    ids = itertools.count(3)
    monkeypatch.setattr(
        transparency_log_sealing,
        "_new_mark",
        lambda cursor: transparency_log_sealing.Mark(newest_entry().pk, next(ids)),
    )
    monkeypatch.setattr(transparency_log_sealing, "_final", lambda *_: True)


def test_what_was_looked_through_after_its_mark_was_final_is_not_looked_at_again(db, monkeypatch):
    marks_are_final(monkeypatch)
    floors, counts = [], [0]
    for _ in range(4):
        make_entries(5)
        counts.append(newest_entry().pk)
        with connection.cursor() as cursor:
            floors.append(transparency_log_sealing._floor(cursor, sealed()))
    assert floors == counts[:4]
    monkeypatch.setattr(transparency_log_sealing, "_final", lambda *_: False)
    for _ in range(3):  # the last mark is carried along, and the floor stays
        make_entries(1)
        with connection.cursor() as cursor:
            assert transparency_log_sealing._floor(cursor, sealed()) == counts[3]
    assert transparency_log_sealing.newest().counted == counts[4]


def test_a_wide_stretch_is_not_looked_through_for_ever(db, monkeypatch):
    monkeypatch.setattr(transparency_log_sealing, "WIDE", 50)
    make_entries(100)
    first = sealed()
    assert transparency_log_sealing.seal() is None  # no mark can be made inside a transaction that wrote
    marks_are_final(monkeypatch)
    make_entries(1)
    sealed()
    make_entries(100)
    second = sealed()
    quiet = sealed()
    assert (quiet.size, bytes(quiet.root)) == (first.size + 101, bytes(second.root))
    with connection.cursor() as cursor:
        assert transparency_log_sealing._floor(cursor, quiet) == newest_entry().pk
    assert transparency_log_sealing.seal() is None


def test_no_mark_is_made_inside_a_transaction_that_wrote(db):
    # Its id is older than its look at the ids drawn: a writer between the two would be taken for over.
    for size in (1, 2, 3):
        make_entries(1)
        assert sealed().size == size
    assert set(Checkpoint.objects.values_list("counted", flat=True)) == {0}


# --- What is asked of it -------------------------------------------------------------------------------------


def test_the_backlog_counts_what_waits(db):
    assert transparency_log_sealing.backlog() == transparency_log_sealing.Backlog(0, timedelta(0))
    make_entries(4)
    waiting = transparency_log_sealing.backlog()
    assert waiting.count == 4
    assert timedelta(0) < waiting.age < timedelta(seconds=30)
    assert not waiting.late
    assert transparency_log_sealing.Backlog(1, timedelta(seconds=61)).late
    sealed()
    assert transparency_log_sealing.backlog() == transparency_log_sealing.Backlog(0, timedelta(0))


def test_a_receipt_proves_its_entry(db):
    make_entries(300)
    first = sealed()
    entry = newest_entry()
    make_entries(300)
    sealed()
    content = transparency_log_sealing.receipt_of(entry)
    receipt, leaf, note, signers = check_receipt(content)
    assert (receipt["position"], leaf["id"], note.size) == (299, entry.pk, 300)
    assert receipt["body"].encode() == bytes(entry.body.body)
    assert receipt["checkpoint"] == first.note == transparency_log_sealing.checkpoint_for(entry).note
    assert signers == signing_keys.known()
    assert check_receipt(content, vkeys=signing_keys.known())[2] == note
    other = signing_keys.Signer("plumbline.invalid/test", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(Rejected, match="No known key"):
        check_receipt(content, vkeys=[other.vkey])


def test_every_changed_byte_of_a_receipt_is_found(db):
    make_entries(3)
    sealed()
    content = transparency_log_sealing.receipt_of(newest_entry())
    silent = []
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        try:
            check_receipt(bytes(flipped))
        except Rejected:
            continue
        silent.append(place)
    assert silent == []


def changed(content, **fields):
    receipt = json.loads(content) | fields
    return verify.receipt_bytes({name: value for name, value in receipt.items() if value is not ...})


def test_a_receipt_that_was_changed_is_refused(db):
    make_entries(4)
    sealed()
    receipt = transparency_log_sealing.receipt_of(newest_entry())
    for fields, said in (
        ({"body": "{}"}, "does not have its recorded digest"),
        ({"body": None}, "Only one of body and salt"),
        ({"salt": "AAAA"}, "does not have its recorded digest"),
        ({"salt": "A"}, "not Base64"),
        ({"position": 0}, "does not lead to the root"),
        ({"position": 4}, "not in a tree of size 4"),
        ({"position": True}, "wrong type"),
        ({"position": ...}, "not a receipt"),
        ({"format": "plumbline receipt 2"}, "not a receipt"),
        ({"more": 1}, "not a receipt"),
        ({"proof": []}, "too short"),
        ({"proof": ["AAAA"]}, "a value that is not a hash"),
        ({"proof": "x"}, "are not a list"),
        ({"keys": []}, "unknown key"),
        ({"keys": ["x"]}, "format of a key is wrong"),
        ({"leaf": "{}"}, "not an entry with its digest"),
        ({"leaf": '{"digest": "", "digest": ""}'}, "contains the same name twice"),
        ({"leaf": '{"digest": NaN}'}, "not a number"),
        ({"leaf": "["}, "not JSON"),
        ({"leaf": "[" * 100_000}, "not JSON"),
        ({"leaf": "9" * 5000}, "not JSON"),
        ({"checkpoint": "x"}, "format of the note is wrong"),
    ):
        with pytest.raises(Rejected, match=said):
            check_receipt(changed(receipt, **fields))


def test_a_receipt_written_differently_is_refused(db):
    make_entries(1)
    sealed()
    content = transparency_log_sealing.receipt_of(newest_entry())
    assert check_receipt(content)[0]["proof"] == []
    for other in (content + b"\n", b" " + content, json.dumps(json.loads(content)).encode(), b"[]", b"\xff"):
        with pytest.raises(Rejected):
            check_receipt(other)
    with pytest.raises(Rejected, match="contains characters that are not text"):
        check_receipt(content.replace(b'"salt": "', b'"salt": "\\ud800'))


def test_the_receipt_of_an_erased_body_shows_what_is_left(db):
    make_entries(2)
    sealed()
    entry = newest_entry()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_entrybody DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_entrybody SET body = '', salt = '' WHERE entry_id = %s", [entry.pk])
    receipt, leaf, _, _ = check_receipt(transparency_log_sealing.receipt_of(entry))
    assert (receipt["body"], receipt["salt"], leaf["id"]) == (None, None, entry.pk)


def test_there_is_no_receipt_before_sealing(db):
    make_entries(1)
    sealed()
    make_entries(1)
    with pytest.raises(transparency_log_sealing.NotSealedYet, match="Try again in a few seconds"):
        transparency_log_sealing.receipt_of(newest_entry())


def test_auditors_are_sent_a_checkpoint_once_a_week(db):
    factories.make_person("auditor", is_auditor=True)
    factories.make_person("outsider")
    monday = datetime(2027, 1, 4, 8, tzinfo=UTC)  # week 1; the day before belongs to week 53 of 2026
    assert list(transparency_log_sealing.checkpoints_due(monday)) == []
    make_entries(1)
    checkpoint = sealed()
    (due,) = transparency_log_sealing.checkpoints_due(monday)
    assert (due.person.login, due.kind, due.text) == ("auditor", "checkpoint", checkpoint.note)
    assert due.period == "2027-W01"
    periods = {
        found.period
        for day in range(-1, 8)
        for found in transparency_log_sealing.checkpoints_due(monday + timedelta(days=day))
    }
    assert periods == {"2026-W53", "2027-W01", "2027-W02"}
    assert transparency_log_sealing.checkpoints_due in contributed.due_queries


def test_the_command_says_where_the_audit_log_stands(db, capsys):
    call_command("seal")
    assert "no entry was sealed" in capsys.readouterr().out
    make_entries(2)
    call_command("seal")
    said = capsys.readouterr().out
    assert said == f"size 2\nroot {base64.b64encode(rooted()).decode()}\n"
    call_command("seal")
    assert capsys.readouterr().out == said


# --- Keys ----------------------------------------------------------------------------------------------------


def test_after_a_change_of_keys_old_checkpoints_still_verify(db, settings):
    make_entries(1)
    old, former = sealed(), str(signing_keys.known()[0])
    settings.SIGNING_KEY = bytes(reversed(SEED))
    with pytest.raises(Rejected, match="No known key"):
        note_verify(old.note, signing_keys.known())
    settings.FORMER_KEYS = [former]
    make_entries(1)
    new = sealed()
    assert note_verify(new.note, signing_keys.known())[0].origin == old.origin
    assert [str(key) for key in note_verify(old.note, signing_keys.known(), known_only=True)[1]] == [former]
    check_receipt(
        transparency_log_sealing.receipt_of(Entry.objects.order_by("pk").first()), vkeys=signing_keys.known()
    )


def test_nothing_is_signed_on_top_of_a_checkpoint_whose_key_is_not_known(cast, settings, as_):
    """A second worker with a key of its own would end the proof of the whole audit log."""
    make_entries(1)
    first = sealed()
    settings.SIGNING_KEY = bytes(reversed(SEED))
    make_entries(1)
    with pytest.raises(
        transparency_log_sealing.AuditLogBroken, match="does not know, so the process signs no"
    ) as said:
        transparency_log_sealing.seal()
    with pytest.raises(CommandError, match="PLUMBLINE_SIGNING_KEY"):
        call_command("seal")
    assert transparency_log_sealing.newest() == first
    (line,) = [
        line for line in tasks_for(cast.admin) if line.text == "The audit log is signed with another key"
    ]
    assert line.why == str(said.value)
    assert not [
        line for line in tasks_for(cast.owner) if line.text == "The audit log is signed with another key"
    ]
    settings.SIGNING_KEY = SEED
    assert sealed().size > first.size
    assert installation_inbox.signing_refused() == ""
    heartbeats.failed(installation_inbox.SEALING, said.value)  # by a worker beside this one
    assert "PLUMBLINE_SIGNING_KEY" in installation_inbox.signing_refused()
    with clock.simulated(clock.now() + timedelta(hours=2)):
        assert installation_inbox.signing_refused() == ""


def test_without_settings_a_key_is_made_once_and_names_the_log(db, settings, tmp_path):
    settings.SIGNING_KEY, settings.ORIGIN, settings.DATA_DIR = None, "", tmp_path
    make_entries(1)
    first = sealed()
    public = signing_keys.known()[0].public
    assert first.origin == f"plumbline.invalid/{public.hex()[:12]}"
    assert (tmp_path / "signing-key").stat().st_mode & 0o777 == 0o600
    settings.FORMER_KEYS = [str(signing_keys.known()[0])]
    settings.SIGNING_KEY = SEED  # another key: the log keeps its name
    make_entries(1)
    assert sealed().origin == first.origin


# --- Real connections ----------------------------------------------------------------------------------------

REAL = pytest.mark.django_db(transaction=True)


@REAL
@pytest.mark.parametrize("first", ["slow", "quick"])
def test_an_entry_that_commits_late_is_sealed_later_and_higher(first):
    # The second order is the tricky one: then no transaction that began after the slow one is over when the mark is
    # made, and PostgreSQL's own upper end of a snapshot lies below the slow one.
    url = url_of(connection.settings_dict["NAME"])
    with psycopg.connect(url) as slow, psycopg.connect(url, autocommit=True) as quick:
        writers = [(2, slow.cursor()), (3, quick.cursor())]
        for count, cursor in writers if first == "slow" else writers[::-1]:
            make_entries(count, cursor)  # those of the slow one are drawn, not committed
        assert sealed().size == 3
        for n in range(1, 5):  # marks come and go meanwhile; none is final while the slow one runs
            make_entries(1, quick.cursor())
            assert sealed().size == 3 + n
        slow.commit()
        assert sealed().size == 9
        make_entries(1, quick.cursor())
        assert sealed().size == 10
        make_entries(1, quick.cursor())
        assert sealed().size == 11
    places = {leaf.entry_id: leaf.position for leaf in Leaf.objects.all()}
    ids = sorted(places)
    assert ids == list(Entry.objects.order_by("pk").values_list("pk", flat=True))
    late = ids[:2] if first == "slow" else ids[3:5]
    assert [places[key] for key in late] == [7, 8]  # behind others with higher ids that were sealed before
    assert bytes(transparency_log_sealing.newest().root) == rooted()


@REAL
def test_a_mark_of_another_server_does_not_hold_up_the_floor():
    # After a restore elsewhere the transaction ids in old marks may lie far ahead of those given out here.
    make_entries(2)
    sealed()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_checkpoint DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_checkpoint SET running_to = running_to + 4000000000")
        cursor.execute("ALTER TABLE governance_checkpoint ENABLE TRIGGER USER")
        counted = newest_entry().pk
        make_entries(2)
        assert sealed().running_to < 4_000_000_000
        assert transparency_log_sealing._floor(cursor, transparency_log_sealing.newest()) == counted
        make_entries(2)
        assert sealed().size == 6


@REAL
def test_many_writers_and_sealers_leave_no_entry_out_and_none_twice():
    url = url_of(connection.settings_dict["NAME"])
    failures = []

    def write():
        with psycopg.connect(url) as own:
            for n in range(12):
                make_entries(1 + n % 3, own.cursor())
                own.rollback() if n % 5 == 4 else own.commit()

    def seal():
        try:
            for _ in range(10):
                transparency_log_sealing.seal()
        except Exception as problem:
            failures.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=job) for job in (write, write, write, seal, seal)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    transparency_log_sealing.seal()
    assert failures == []
    assert Leaf.objects.count() == Entry.objects.count() == transparency_log_sealing.newest().size
    assert bytes(transparency_log_sealing.newest().root) == rooted()
    for checkpoint in Checkpoint.objects.all():
        assert Tree().root(checkpoint.size) == bytes(checkpoint.root)


@REAL
def test_one_sealing_at_a_time_and_the_queue_message_does_not_wait():
    make_entries(1)
    with psycopg.connect(url_of(connection.settings_dict["NAME"])) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline seal'))")
        assert transparency_log_sealing.seal(wait=False) is None
    governance_tasks.seal_audit_log()
    assert transparency_log_sealing.newest().size == 1


@REAL
def test_soon_is_after_the_commit():
    with transaction.atomic():
        make_entries(1)
        transparency_log_sealing.soon()
        transparency_log_sealing.soon()  # a decision that moves an initiative has two reasons: one sealing is enough
        assert transparency_log_sealing.newest() is None
        assert len(connection.run_on_commit) == 1
    assert transparency_log_sealing.newest().size == 1


def test_sealing_inside_an_open_transaction_is_harmless(db):
    with transaction.atomic():
        make_entries(2)
        assert sealed().size == 2
        make_entries(2)
        assert sealed().size == 4
    assert Sealing.objects.count() == 1  # one transaction, known from its first checkpoint on


@pytest.fixture
def own_login(transactional_db, settings, monkeypatch):
    """Sealing over a login of its own, with the rights of the sealer and no others."""
    place = urlsplit(address_for(LOGINS.sealer))
    login = {"USER": unquote(place.username), "PASSWORD": unquote(place.password)}
    monkeypatch.setitem(settings.DATABASES, "sealer", connection.settings_dict | login)
    own = connections["sealer"]
    own.ensure_connection = lambda: (
        own.connection or own.connect()
    )  # a test may use no other than those it named
    yield
    own.close()
    del connections["sealer"]


def test_the_sealer_seals_with_its_own_rights(own_login, settings):
    make_entries(300)
    checkpoint = sealed()
    assert transparency_log_sealing.database() == checkpoint._state.db == "sealer"
    with connections["sealer"].cursor() as cursor:
        cursor.execute("SELECT session_user")
        assert cursor.fetchone() == (LOGINS.sealer,)
    assert bytes(transparency_log_sealing.newest().root) == rooted()
    assert check_receipt(transparency_log_sealing.receipt_of(newest_entry()))[2].size == 300
    for nothing_but in ("DELETE FROM governance_leaf", "INSERT INTO governance_entry (kind) VALUES ('act')"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            connections["sealer"].cursor() as cursor,
        ):
            cursor.execute(nothing_but)
