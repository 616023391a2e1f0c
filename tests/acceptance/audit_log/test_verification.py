"""The audit log verified: clean after a real life, and every kind of tampering found at its place."""

import json
import random
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Checkpoint, Entry, Leaf
from governance.transparency_log import sealing, signing_keys, verification
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Initiative
from tests.support import factories
from tests.support.database import tampering
from tests.support.database.tampering import first_found, tamper, undone

pytestmark = pytest.mark.django_db

FLIPS = 15


@pytest.fixture
def sealed(cast):
    """An initiative and its entries, sealed twice."""
    initiative = factories.make_initiative(cast)
    sealing.seal()
    factories.make_initiative(cast, title="Another")
    sealing.seal()
    return initiative


def some_act(kind="registered") -> Entry:
    return Entry.objects.filter(kind=kind).select_related("body").earliest("pk")


def position_of(entry) -> int:
    return Leaf.objects.get(entry=entry).position


def test_a_real_life_verifies(cast):
    factories.make_prototype(cast)
    sealing.seal()
    report = verification.verify()
    assert report.findings == []
    assert report.leaves == Entry.objects.count() > 200
    assert (report.checkpoints, report.unsealed, report.erased, report.replayed) == (1, 0, 0, True)


def test_what_is_not_sealed_yet_is_counted_and_checked(cast):
    report = verification.verify()
    assert report.ok
    assert report.unsealed == Entry.objects.count()
    entry = some_act("unit added")
    tamper("UPDATE governance_entrybody SET body = body || ' ' WHERE entry_id = %s", entry.pk,
           table="governance_entrybody")  # fmt: skip
    found = first_found()
    assert (found.place, found.entry) == ("body", entry.pk)


def found_after(statement, *values, table):
    with undone():
        assert tamper(statement, *values, table=table) > 0
        found = first_found()
    assert found is not None, f"not found: {statement}"
    return found


def test_each_kind_of_tampering_is_found_at_its_place(sealed, cast):
    """As the schema's owner, triggers off. By hand: what is done, and the place that must be named first."""
    assert first_found() is None
    act = some_act()
    initiative = Initiative.objects.get(pk=sealed.pk)
    at, last = position_of(act), Leaf.objects.count() - 1
    old, new = Checkpoint.objects.order_by("pk")
    history = Initiative.history.filter(id=initiative.pk).latest("history_id")
    entry, body, leaf = "governance_entry", "governance_entrybody", "governance_leaf"
    told, heads, row = "initiatives_historicalinitiative", "governance_checkpoint", "initiatives_initiative"

    def found(statement, *values, table):
        found = found_after(statement, *values, table=table)
        return found.place, found.position, found.entry, found.table, found.key, found.field

    def ends(statement, *values, table):
        return found(statement, *values, table=table)[3:]

    # Entries and their bodies.
    assert found(f"UPDATE {entry} SET at = at - interval '1 day' WHERE id = %s", act.pk, table=entry) == (
        "entry", at, act.pk, entry, str(act.pk), "at")  # fmt: skip
    assert ends(f"UPDATE {entry} SET actor_id = actor_id + 1 WHERE id = %s", act.pk, table=entry) == (
        entry, str(act.pk), "actor")  # fmt: skip
    assert ends(f"UPDATE {body} SET body = set_bit(body, 99, 1 - get_bit(body, 99)) WHERE entry_id = %s", act.pk,
                table=body) == (body, str(act.pk), "body")  # fmt: skip
    assert ends(f"DELETE FROM {body} WHERE entry_id = %s", act.pk, table=body) == (body, str(act.pk), "")
    assert ends(f"UPDATE {body} SET body = '', salt = '' WHERE entry_id = %s", act.pk, table=body) == (
        body, str(act.pk), "body")  # fmt: skip
    swapped = (
        f"UPDATE {body} SET body = other.body, salt = other.salt FROM {body} other"
        f" WHERE {body}.entry_id + other.entry_id = %s AND {body}.entry_id IN (%s, %s)"
    )
    assert ends(swapped, 2 * act.pk + 1, act.pk, act.pk + 1, table=body) == (body, str(act.pk), "body")
    # Leaves, nodes and checkpoints.
    assert found(f"DELETE FROM {leaf} WHERE position = %s", at, table=leaf)[:2] == ("leaf", at)
    assert found(f"DELETE FROM {leaf} WHERE position = %s", last, table=leaf)[3:] == (
        heads,
        str(new.pk),
        "size",
    )
    assert ends(f"UPDATE {leaf} SET hash = sha256(hash) WHERE position = %s", at, table=leaf) == (
        leaf, str(at), "hash")  # fmt: skip
    with acting(by=cast.admin):
        fresh = entries.record("asked")
    elsewhere = f"UPDATE {leaf} SET entry_id = %s WHERE position = %s"
    assert ends(elsewhere, fresh.pk, at, table=leaf) == (leaf, str(at), "entry_id")
    exchanged = (
        f"UPDATE {leaf} SET data = o.data, hash = o.hash FROM {leaf} o"
        f" WHERE o.position = %s AND {leaf}.position = %s"
    )
    assert found(exchanged, at + 1, at, table=leaf)[:3] == ("leaf", at, act.pk)
    assert found(f"UPDATE {heads} SET root = sha256(root) WHERE id = %s", old.pk, table=heads)[3:] == (
        heads, str(old.pk), "root")  # fmt: skip
    assert ends(f"UPDATE {heads} SET note = overlay(note placing '#' from 40) WHERE id = %s", new.pk, table=heads) == (
        heads, str(new.pk), "note")  # fmt: skip
    assert (
        ends(f"UPDATE {heads} SET at = at - interval '1 hour' WHERE id = %s", new.pk, table=heads)[0] == heads
    )
    assert ends(f"DELETE FROM {heads} WHERE id = %s", new.pk, table=heads)[0] == leaf
    # Rows as they stand.
    assert ends(f"UPDATE {row} SET title = 'Better' WHERE id = %s", initiative.pk, table=row) == (
        row,
        str(initiative.pk),
        "title",
    )
    assert (
        ends(f"UPDATE {row} SET confidential = NOT confidential WHERE id = %s", initiative.pk, table=row)[2]
        == "confidential"
    )
    assert (
        ends(
            "INSERT INTO governance_unit (name, code, path) VALUES ('New', 'new', '/new/')",
            table="governance_unit",
        )[0]
        == "governance_unit"
    )
    assert found(
        "DELETE FROM initiatives_coverage WHERE id = (SELECT min(id) FROM initiatives_coverage)",
        table="initiatives_coverage",
    )[3:] == (
        "initiatives_coverage",
        Entry.objects.filter(table="initiatives_coverage").earliest("pk").key,
        "",
    )
    # History.
    assert ends(f"UPDATE {told} SET title = 'Older' WHERE history_id = %s", history.pk, table=told) == (
        row, str(initiative.pk), "title")  # fmt: skip
    assert ends(f"UPDATE {told} SET history_user_name = 'Nobody' WHERE history_id = %s", history.pk, table=told) == (
        row, str(initiative.pk), "history_user_name")  # fmt: skip
    assert ends(f"UPDATE {told} SET history_date = history_date - interval '1 s' WHERE history_id = %s", history.pk,
                table=told)[2] == "history_date"  # fmt: skip
    assert ends(f"DELETE FROM {told} WHERE history_id = %s", history.pk, table=told)[:2] == (
        row,
        str(initiative.pk),
    )


def test_a_row_that_is_dated_back_or_written_again_is_found(sealed):
    """Deleted and put in again under another number, by the owner of the schema."""
    act, entry, body = some_act(), "governance_entry", "governance_entrybody"
    with undone():
        again = (
            f"INSERT INTO {entry} SELECT (jsonb_populate_record(e, jsonb_build_object('id', 999999))).*"
            f" FROM {entry} e WHERE id = %s"
        )
        tamper(again, act.pk, table=entry)
        tamper(f"UPDATE {body} SET entry_id = 999999 WHERE entry_id = %s", act.pk, table=body)
        found = first_found()
        assert (found.place, found.entry) == ("body", act.pk)


def test_an_insider_without_the_key_is_found_by_the_next_checkpoint(sealed):
    """He makes everything fit that needs no signature: the gap between two checkpoints is named."""
    old, new = Checkpoint.objects.order_by("pk")
    act = Entry.objects.acts().filter(leaf__position__gte=old.size).select_related("body").earliest("pk")
    body = json.dumps(act.facts | {"reason": "Rather this"}).encode()
    tampering.rewrite(act, body)
    fitting = (
        f"UPDATE governance_leaf l SET data = {sealing.LEAF_DATA} FROM governance_entry e"
        " WHERE e.id = l.entry_id AND e.id = %s"
    )
    tamper(fitting, act.pk, table="governance_leaf")
    tamper("UPDATE governance_leaf SET hash = sha256('\\x00'::bytea || data)", table="governance_leaf")
    (found,) = verification.verify().findings
    assert (found.table, found.key, found.field) == ("governance_checkpoint", str(new.pk), "root")
    assert f"an entry between positions {old.size} and {new.size - 1} was changed" in found.words


def test_an_insider_with_database_and_key_is_found_by_a_checkpoint_handed_out_earlier(sealed):
    handed_out = Checkpoint.objects.earliest("pk")
    held = handed_out.note.encode()
    act = some_act()
    body = json.dumps(act.facts | {"reason": "What he would rather have had"}).encode()
    after = tampering.rewrite_everything(act, body)
    assert verification.verify().ok, "a rewriter with database and key leaves nothing that does not fit"
    report = verification.verify(held=[held])
    (found,) = report.findings
    root, said = sealing.Tree().root(handed_out.size).hex(), bytes(handed_out.root).hex()
    assert found.words == (
        f"the audit log was rewritten. The root at size {handed_out.size} is {root}, but the checkpoint you hold "
        f"has {said}"
    )
    assert verification.verify(held=[after.note.encode()]).ok


def test_an_audit_log_that_was_cut_off_is_found_by_a_checkpoint_handed_out_earlier(sealed):
    newest = sealing.newest()
    for table in ("governance_sealing", "governance_checkpoint"):
        column = "checkpoint_id" if table == "governance_sealing" else "id"
        tamper(f"DELETE FROM {table} WHERE {column} = %s", newest.pk, table=table)
    size = Checkpoint.objects.get().size
    tamper("DELETE FROM governance_leaf WHERE position >= %s", size, table="governance_leaf")
    assert not [found for found in verification.verify().findings if found.place != "row"]
    (found,) = verification.verify(held=[newest.note.encode()]).findings
    assert found.words.startswith(
        f"the audit log was cut: the checkpoint you hold covers {newest.size} entries"
    )


def test_a_former_key_still_verifies_and_a_strange_one_does_not(sealed, settings):
    signer = signing_keys.signer(signing_keys.origin())
    settings.SIGNING_KEY = bytes(range(32))
    settings.ORIGIN = signer.name
    found = first_found()
    assert (found.table, found.field) == ("governance_checkpoint", "note")
    assert first_found(trusted=[str(signer.vkey)]) is None
    settings.FORMER_KEYS = (str(signer.vkey),)
    assert first_found() is None


def test_since_a_position_only_what_came_after_is_looked_at(sealed):
    old, new = Checkpoint.objects.order_by("pk")
    report = verification.verify(since=old.size)
    assert (report.ok, report.leaves, report.checkpoints) == (True, new.size - old.size, 2)
    before, after = (
        Leaf.objects.get(position=old.size - 1).entry_id,
        Leaf.objects.get(position=new.size - 1).entry_id,
    )
    body = "governance_entrybody"
    with undone():
        tamper(f"UPDATE {body} SET body = body || ' ' WHERE entry_id = %s", before, table=body)
        assert first_found(since=old.size) is None
        assert first_found().entry == before
    with undone():
        tamper(f"UPDATE {body} SET body = body || ' ' WHERE entry_id = %s", after, table=body)
        assert first_found(since=old.size).entry == after
    with undone():
        tamper(
            "UPDATE initiatives_initiative SET title = 'X' WHERE id = %s",
            sealed.pk + 1,
            table="initiatives_initiative",
        )
        assert first_found(since=old.size).field == "title"
    # A checkpoint that somebody holds is compared all the same.
    assert verification.verify(since=new.size, held=[old.note.encode()]).since == old.size


def test_a_body_may_be_gone_when_an_act_of_erasure_names_it(cast):
    factories.make_initiative(cast)
    gone = Entry.objects.filter(table=Initiative._meta.db_table).latest("pk")
    with acting(by=cast.admin, reason="Asked for"):
        entries.record(EntryKind.ERASED, entries=[gone.pk])
    sealing.seal()
    tamper(
        "UPDATE governance_entrybody SET body = '', salt = '' WHERE entry_id = %s",
        gone.pk,
        table="governance_entrybody",
    )
    report = verification.verify()
    assert (report.findings, report.erased) == ([], 1)
    # History that was overwritten together with it is no contradiction.
    tamper(
        "UPDATE initiatives_historicalinitiative SET problem = 'erased'",
        table="initiatives_historicalinitiative",
    )
    assert verification.verify().ok


def test_an_entry_that_does_not_say_what_its_body_says_is_found(cast):
    """Whoever writes as the owner, before anything is sealed, still has to be consistent."""
    act = Entry.objects.acts().latest("pk")
    tamper("UPDATE governance_entry SET actor_id = 4711 WHERE id = %s", act.pk, table="governance_entry")
    sealing.seal()
    found = first_found()
    assert (found.place, found.entry) == ("row", act.pk)


def test_flipped_bits_are_found_where_they_are(cast):
    """A sample of `python -m tests.drills.audit_log.flips`, which does a thousand."""
    factories.make_prototype(cast)
    sealing.seal()
    factories.make_initiative(cast, title="Another")
    sealing.seal()
    chance, done, wrong = random.Random(7), [], []
    while len(done) < FLIPS:
        tried = tampering.missed(chance)
        if tried is not None:
            done.append(tried[0])
            wrong += [tried[1]] if tried[1] else []
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db(transaction=True)
def test_verification_sees_one_state_while_people_work(cast, monkeypatch):
    """Somebody acts in the middle of it, on a connection of his own: that is not half seen."""
    sealing.seal()
    look = verification._unsealed

    def somebody_acts():
        with acting(by=cast.admin, reason="Meanwhile"):
            entries.record("asked")
        connection.close()

    def meanwhile(report, using):
        thread = threading.Thread(target=somebody_acts)
        thread.start()
        thread.join()
        look(report, using)

    monkeypatch.setattr(verification, "_unsealed", meanwhile)
    report = verification.verify()
    assert (report.findings, report.unsealed) == ([], 0)
    monkeypatch.undo()
    assert verification.verify().unsealed == 1


# --- The command ---------------------------------------------------------------------------------------------------


def test_the_command_says_what_it_looked_at(sealed, tmp_path):
    out = StringIO()
    (tmp_path / "held.txt").write_text(Checkpoint.objects.earliest("pk").note)
    call_command("verify_audit_log", "--checkpoint", str(tmp_path / "held.txt"), stdout=out)
    assert f"{Leaf.objects.count()} sealed entries from position 0 on, 2 checkpoints" in out.getvalue()
    assert "Compared with 1 checkpoint that you hold." in out.getvalue()
    assert out.getvalue().endswith("Everything is as recorded.\n")


def test_the_command_fails_with_the_first_bad_place(sealed):
    tamper(
        "UPDATE initiatives_initiative SET title = 'X' WHERE id = %s",
        sealed.pk,
        table="initiatives_initiative",
    )
    out = StringIO()
    with pytest.raises(
        CommandError, match=f"table initiatives_initiative, row {sealed.pk}, field title"
    ) as failed:
        call_command("verify_audit_log", "--json", stdout=out)
    assert failed.value.returncode == 1
    told = json.loads(out.getvalue())
    assert not told["ok"]
    assert told["findings"][0] | {"words": ""} == {
        "words": "", "place": "row", "position": None, "entry": told["findings"][0]["entry"],
        "table": "initiatives_initiative", "key": str(sealed.pk), "field": "title",
    }  # fmt: skip


def test_the_command_refuses_what_is_no_checkpoint_of_ours(sealed, tmp_path):
    (tmp_path / "held.txt").write_text(Checkpoint.objects.earliest("pk").note[::-1])
    with pytest.raises(CommandError, match="The file cannot be compared with the audit log: "):
        call_command("verify_audit_log", "--checkpoint", str(tmp_path / "held.txt"))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit_log", "--checkpoint", str(tmp_path / "absent.txt"))
    with pytest.raises(CommandError, match="--since must be a position"):
        call_command("verify_audit_log", "--since", "-1")
    with pytest.raises(CommandError, match="sealed entries, so position 999999 does not exist"):
        call_command("verify_audit_log", "--since", "999999")
