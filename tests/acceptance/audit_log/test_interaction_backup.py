"""Interactions in a backup: all of them and never a key; what was erased stays erased, whatever is put back."""

import base64
import gzip
import itertools
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from governance import clock
from governance.interaction_log import bodies, keys, loading, reading
from governance.interaction_log.intake import interactions
from governance.interaction_log.shape import Message
from governance.interaction_retention import destroyed, key_copies
from governance.models import Interaction, InteractionBody, InteractionKey
from governance.offline.verify import commitment
from governance.privacy import erasure_log
from governance.storage import backup, restore
from governance.tasks import tend_interactions
from governance.transparency_log import sealing, verification
from initiatives.interactions import actions
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.support import factories
from tests.support.database.restored_copies import another, check_here, checked, installed_in

pytestmark = pytest.mark.django_db(transaction=True)

PERSON, COUNT = "customer 4", 50
BODIES = "interactionbody"


@pytest.fixture(autouse=True)
def places(monkeypatch, settings, tmp_path):
    """Folders of its own for each test, the keys apart from the rest; every migration is there already."""
    monkeypatch.setattr(erasure_log, "log_path", lambda: tmp_path / "erasures.jsonl")
    monkeypatch.setattr(restore, "migrate_to", lambda state: False)
    settings.INTERACTION_KEYS_DIR = tmp_path / "keys"
    keys.forget_read()
    yield
    keys.forget_read()


def planted(first: int = 0, count: int = COUNT) -> list[str]:
    return [f"planted {number}: my number is 079 555 {number:04d}" for number in range(first, first + count)]


def plant(initiative, texts: list[str]) -> None:
    """Keep these texts of the person, in one batch."""
    keep(
        *(report(int(text.split(":")[0][8:]) + 1, input=(Message("user", text),)) for text in texts),
        initiative=initiative.number,
    )


def readable() -> list[str]:
    """The planted texts that this installation reads, by its own means."""
    rows = list(Interaction.objects.select_related("batch").order_by("id"))
    found, wrong = reading.bodies_of(rows)
    assert wrong == ""
    return sorted(text for body in found.values() for text in planted() if text.encode() in body)


def copied_keys(copy: Path) -> dict[int, tuple[str, bytes]]:
    """By number, the keys of bodies as a backup has them: the name of the master, and what is wrapped."""
    with gzip.open(copy / "tables" / "governance_interactionkey.gz", "rt") as table:
        rows = [line.rstrip("\n").split("\t") for line in table]
    names = backup.check(copy)["tables"]["governance_interactionkey"]["columns"]
    found = {}
    for row in (dict(zip(names, row, strict=True)) for row in rows):
        if row["wrapped"] != "\\N":
            found[int(row["id"])] = (row["master"], bytes.fromhex(row["wrapped"].removeprefix("\\\\x")))
    return found


def attacked(copy: Path, masters: dict[str, bytes]) -> int:
    """How many bodies somebody reads who has a backup, all bodies, and these masters: every key tried on each."""
    months = []
    for (_, wrapped), master in itertools.product(copied_keys(copy).values(), masters.values()):
        try:
            months.append(bodies.unwrapped(wrapped, master))
        except bodies.Unreadable:
            continue
    rows = Interaction.objects.select_related("batch")
    count = 0
    for body in reading.kept_of(rows).values():
        for month in months:
            try:
                bodies.opened(body.content, bodies.unwrapped(body.wrapped, month))
            except bodies.Unreadable:
                continue
            count += 1
    return count


def there() -> dict[str, bytes]:
    """The masters that are there now."""
    return {name: keys.master(name) for name in keys.masters()}


def erase(initiative, cast):
    return actions.erase_subject(
        initiative=initiative,
        subject=PERSON,
        everywhere=True,
        why="They asked for it",
        duty="GDPR, Article 17",
        by=cast.admin,
    )


def test_fifty_planted_texts_are_read_before_an_erasure_and_never_after_it(cast, tmp_path, monkeypatch):
    initiative = factories.make_initiative(cast)
    plant(initiative, planted(0, 30))
    plant(initiative, planted(30, 20))
    assert readable() == sorted(planted())
    sealing.seal()
    backup.take(tmp_path / "older")
    assert attacked(tmp_path / "older", there()) == COUNT, "the attack works"
    erased_on = clock.now().date()
    done = erase(initiative, cast)
    assert (done.tried, done.unopened) == (COUNT, COUNT)

    # With the database as it is.
    assert readable() == []
    backup.take(tmp_path / "newer")
    assert attacked(tmp_path / "newer", there()) == 0

    # With an older backup put back.
    with another() as name, installed_in(name, tmp_path / "restored" / "uploads"):
        out = StringIO()
        call_command("restore", str(tmp_path / "older"), stdout=out)
        assert "1 keys of interactions destroyed again" in out.getvalue()
        assert Interaction.objects.count() == COUNT
        assert InteractionBody.objects.count() == COUNT
        assert readable() == []
        assert [one.words for one in verification.verify().findings] == []
        plant(initiative, ["planted 49: my number is 079 555 0049"])
        assert Interaction.objects.count() == COUNT, "a call is kept once, in the restored one too"

    # With an older backup that nobody put back by our means, and the current master.
    following = keys.month_of(clock.now().replace(day=1) + timedelta(days=32))
    first = date.fromisoformat(f"{following}-01")
    with clock.simulated(datetime(first.year, first.month, 1, 4, tzinfo=UTC)):
        keep(report(99, subject="customer 5"), initiative=initiative.number)
        keys.change_master(today=first, backup_days=35)
    current = {following: keys.master(following)}
    assert attacked(tmp_path / "older", current) == 0
    stolen = there()
    assert attacked(tmp_path / "older", stolen) == COUNT, "the master of its month is there yet"

    # With everything that is there, from this day on: the worst day to be erased is the first of a month of 31 days.
    gone = first + timedelta(days=35)
    keys.change_master(today=gone, backup_days=35)
    assert attacked(tmp_path / "older", there()) == COUNT
    keys.change_master(today=gone + timedelta(days=1), backup_days=35)
    assert attacked(tmp_path / "older", there()) == 0
    assert (gone + timedelta(days=1) - erased_on).days <= 31 + 35 + 1


def test_no_key_is_in_a_backup_and_every_file_of_the_log_is(cast, tmp_path):
    initiative = factories.make_initiative(cast)
    plant(initiative, planted(0, 2))
    plant(initiative, planted(2, 2))
    erase(initiative, cast)
    plant(initiative, planted(4, 1))
    interactions.keep(
        [report(6)], initiative=initiative.number, key=None, decision_of=lambda text: None, now=clock.now()
    )
    manifest = backup.take(tmp_path / "copy")
    assert [Path(name).parts[0] for name in manifest["interactions"]] == ["waiting"]
    assert sum(table["rows"] for name, table in manifest["tables"].items() if BODIES in name) == 5
    secrets = [path.read_bytes().strip() for path in keys.folder().iterdir()]
    assert len(secrets) == 3
    raw = [keys.master(name) for name in keys.masters()]
    for path in (path for path in (tmp_path / "copy").rglob("*") if path.is_file()):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for secret in [
            *secrets,
            *raw,
            *(base64.b64encode(one) for one in raw),
            *(one.hex().encode() for one in raw),
        ]:
            assert secret not in content, path


def wait(initiative, number: int) -> Path:
    """A planted text that waits in a file that nobody writes any more."""
    known = set(interactions._folder.iterdir())
    sent = report(number + 1, input=(Message("user", planted()[number]),))
    interactions.keep(
        [sent], initiative=initiative.number, key=None, decision_of=lambda text: None, now=clock.now()
    )
    interactions.bring_over()
    (path,) = set(interactions._folder.iterdir()) - known
    return path


def test_what_moves_while_the_backup_is_taken_is_in_it_once(cast, tmp_path, monkeypatch):
    """What waits is brought over before and after the moment of the tables, and more comes in."""
    initiative = factories.make_initiative(cast)
    plant(initiative, planted(0, 2))
    early, late = wait(initiative, 2), wait(initiative, 3)
    copy_interactions, copy_files = backup.copy_interactions, backup.copy_files

    def after(*given):
        assert loading.loader.bring(late) == 1
        plant(initiative, planted(4, 1))
        return copy_files(*given)

    def busy(draft, files):
        found = copy_interactions(draft, files)
        assert loading.loader.bring(early) == 1
        return found

    monkeypatch.setattr(backup, "copy_interactions", busy)
    monkeypatch.setattr(backup, "copy_files", after)
    backup.take(tmp_path / "copy")
    with another() as name, installed_in(name, tmp_path / "restored" / "uploads"):
        restore.restore(tmp_path / "copy")
        assert readable() == planted(0, 3)
        assert InteractionBody.objects.count() == 3
        assert loading.loader.bring_orphans(tmp_path / "restored" / "interactions" / "waiting") == 1
        assert readable() == planted(0, 4), "what was brought over before is not brought over again"
        plant(initiative, planted(5, 1))
        assert readable() == sorted([*planted(0, 4), *planted(5, 1)])
        assert [one.words for one in verification.verify().findings] == []


def test_a_restore_overwrites_no_other_file_and_needs_its_list(cast, tmp_path):
    initiative = factories.make_initiative(cast)
    plant(initiative, planted(0, 1))
    wait(initiative, 1)
    manifest = backup.take(tmp_path / "copy")
    (name,) = manifest["interactions"]
    with another() as database, installed_in(database, tmp_path / "restored" / "uploads"):
        there = tmp_path / "restored" / "interactions" / name
        there.parent.mkdir(parents=True)
        there.write_bytes(b"of another installation")
        with pytest.raises(CommandError, match="has a different file"):
            call_command("restore", str(tmp_path / "copy"))
        there.unlink()
        destroyed.path().write_text('{"key": 1')
        with pytest.raises(CommandError, match=r"list of destroyed keys .* cannot be read"):
            call_command("restore", str(tmp_path / "copy"))
        destroyed.path().unlink()
        call_command("restore", str(tmp_path / "copy"), stdout=StringIO())
        assert readable() == planted(0, 1)


def test_restore_check_restores_it_elsewhere(cast, tmp_path, monkeypatch):
    plant(factories.make_initiative(cast), planted(0, 2))
    sealing.seal()
    backup.take(tmp_path / "copy")
    before = list(InteractionBody.objects.values_list("pk"))
    check_here(monkeypatch)
    found = checked(tmp_path / "copy")
    assert found["ok"], found["trouble"]
    assert list(InteractionBody.objects.values_list("pk")) == before


def test_an_older_database_put_back_by_other_means_destroys_again_what_was(cast, tmp_path):
    initiative = factories.make_initiative(cast)
    plant(initiative, planted(0, 3))
    before = list(InteractionKey.objects.values("pk", "wrapped"))
    erase(initiative, cast)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_interactionkey DISABLE TRIGGER USER")
        for row in before:
            cursor.execute(
                "UPDATE governance_interactionkey SET wrapped = %s, destroyed_at = NULL WHERE id = %s",
                [row["wrapped"], row["pk"]],
            )
        cursor.execute("ALTER TABLE governance_interactionkey ENABLE TRIGGER USER")
    assert readable() == planted(0, 3)
    tend_interactions()
    assert readable() == []


def test_keys_are_copied_by_themselves_apart_from_backups_and_put_back(cast, tmp_path, settings):
    with pytest.raises(CommandError, match="has no keys yet"):
        call_command("interaction_keys", backup=tmp_path / "none")
    initiative = factories.make_initiative(cast)
    plant(initiative, planted(0, 2))
    backup.take(tmp_path / "copy")
    for place in (tmp_path / "copy" / "keys", tmp_path / "copy" / "tables" / "keys"):
        with pytest.raises(CommandError, match="Use a different folder for the keys"):
            call_command("interaction_keys", backup=place)
    call_command("interaction_keys", backup=tmp_path / "held", stdout=StringIO())
    with pytest.raises(CommandError, match=r"already exists\. Name a new folder"):
        call_command("interaction_keys", backup=tmp_path / "held")
    erase(initiative, cast)
    plant(initiative, planted(2, 1))
    listed = destroyed.lines()

    with another() as name, installed_in(name, tmp_path / "restored" / "uploads"):
        settings.INTERACTION_KEYS_DIR = tmp_path / "another machine"
        keys.forget_read()
        restore.restore(tmp_path / "copy")
        with pytest.raises(keys.NoMaster):
            readable()
        (tmp_path / "another machine" / destroyed.LIST).write_text(
            (tmp_path / "keys" / destroyed.LIST).read_text()
        )
        out = StringIO()
        call_command("interaction_keys", restore=tmp_path / "held", stdout=out)
        assert "2 files are restored, 1 keys destroyed again" in out.getvalue()
        assert destroyed.lines() == listed
        assert readable() == []
        assert key_copies.put(tmp_path / "held") == (0, 0), "safe to repeat"
    sums = (tmp_path / "held" / key_copies.SUMS).read_text().splitlines()
    assert len(sums) == 2
    other = tmp_path / "held" / sums[0].split("  ")[1]
    content = other.read_bytes()
    other.write_bytes(content[::-1])
    with pytest.raises(CommandError, match="was changed after it was copied"):
        call_command("interaction_keys", restore=tmp_path / "held")
    other.write_bytes(content)
    (keys.folder() / other.name).write_text("another key")
    with pytest.raises(CommandError, match="contains a different key"):
        call_command("interaction_keys", restore=tmp_path / "held")


def test_commitments_are_not_tried_without_the_key(cast):
    """Who guesses a text cannot confirm it by the digest that the audit log keeps."""
    initiative = factories.make_initiative(cast)
    plant(initiative, planted(0, 1))
    row = Interaction.objects.select_related("batch").get()
    out = reading.handed_out(row)
    body, salt = out["body"].encode(), bytes.fromhex(out["salt"])
    assert commitment(salt, body) == bytes(row.digest)
    erase(initiative, cast)
    assert reading.handed_out(row) is None
    for guess in (b"", bytes(32), bytes(row.digest), bytes(row.subject)):
        assert commitment(guess, body) != bytes(row.digest)
