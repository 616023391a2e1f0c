"""The audit log exported: verified offline by Python alone, and every change of the files found at its place."""

import json
import random
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Checkpoint, Entry
from governance.offline import verify
from governance.transparency_log import sealing, signing_keys, witnesses
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Evidence, Initiative
from tests.support import factories
from tests.support.database.tampering import rewrite_everything, tamper
from tests.support.initiatives.exported_audit_log import flip_missed, resealed
from tests.support.servers.witness import Witness

pytestmark = pytest.mark.django_db

FLIPS = 60


def taken(folder: Path, *options: str) -> Path:
    """An export with these options, unpacked; the folder."""
    file = folder / f"plumbline-export-{len(list(folder.iterdir()))}.zip"
    call_command("export_audit_log", *options, "--to", str(file), stdout=StringIO(), stderr=StringIO())
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder / file.stem


def bare_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """`python3 verify.py`, as a machine without Plumbline and without any library runs it."""
    command = [sys._base_executable, "-I", "-S", "verify.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def wrong(folder: Path, **options) -> str:
    """What verify.py says is wrong."""
    with pytest.raises(verify.Rejected) as found:
        verify.Export(folder, **options).check()
    return str(found.value)


@pytest.fixture
def initiative(cast):
    """A prototype whose entries were sealed before it, and after it."""
    sealing.seal()
    return factories.make_prototype(cast)


def test_a_initiative_verifies_offline_with_nothing_but_python(initiative, tmp_path):
    held = Checkpoint.objects.get()
    file = tmp_path / "held.txt"
    file.write_text(held.note)
    folder = taken(tmp_path, "--initiative", initiative.ref, "--with-files", "--checkpoint", str(file))
    ran = bare_python(folder, ".", "--checkpoint", str(file))
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    entries = Entry.objects.filter(initiative_ref=initiative.ref).count()
    files = Evidence.objects.exclude(file="").count()
    assert f"{entries} entries (0 of them erased)" in ran.stdout
    assert "The beginning of the audit log matches 1 checkpoint(s) that you hold." in ran.stdout
    assert len(list((folder / "evidence").iterdir())) == files > 0
    assert ran.stdout.startswith("RIGHT, but its keys come from the export itself: this proves no origin.\n")
    log_key = (folder / "keys.txt").read_text().splitlines()[0]
    known = bare_python(folder, ".", "--key", log_key).stdout
    assert known.startswith(f"RIGHT, by the key you gave ({'+'.join(log_key.split('+')[:2])}).\n")
    for ends in (held.note.replace("\n", "\r\n"), held.note.rstrip("\n"), f"\ufeff{held.note}\n"):
        file.write_bytes(ends.encode())
        assert bare_python(folder, ".", "--checkpoint", str(file)).returncode == 0, "line ends do not matter"
    shutil.copy(folder / "keys.txt", tmp_path)
    (folder / "keys.txt").unlink()
    ran = bare_python(folder, ".")
    assert (ran.returncode, ran.stdout) == (1, "WRONG  keys.txt: is missing.\n")
    assert bare_python(tmp_path / folder.name, "nowhere").returncode == 2


def test_the_whole_audit_log_makes_its_root_again(initiative, tmp_path):
    folder = taken(tmp_path, "--all")
    found = verify.Export(folder, held=[Checkpoint.objects.earliest("pk").note.encode()]).check()
    assert found["entries"] == Entry.objects.count()
    assert found["held"] == 1
    lines = (folder / "entries.jsonl").read_bytes().splitlines(keepends=True)
    # Whoever dates an entry back is found at its line, not only by the root.
    leaf = json.loads(lines[4])
    leaf["leaf"] = leaf["leaf"].replace('"at" : "20', '"at" : "19')
    assert leaf["leaf"] != json.loads(lines[4])["leaf"]
    changed = [*lines[:4], verify.line_bytes(leaf), *lines[5:]]
    (folder / "entries.jsonl").write_bytes(b"".join(changed))
    resealed(folder)
    assert wrong(folder) == "entries.jsonl, line 5: The hash of the entry does not match its leaf."
    # Whoever leaves an entry out, and makes the manifest fit, is found by the root.
    (folder / "entries.jsonl").write_bytes(b"".join(lines[:-1]))
    resealed(folder, entries=len(lines) - 1)
    assert wrong(folder).startswith("entries.jsonl: ends at ")


def test_some_days(cast, tmp_path):
    with clock.simulated(clock.now() - timedelta(days=3)):
        factories.make_initiative(cast, title="Older")
    with clock.simulated(clock.now() - timedelta(days=1)):
        factories.make_initiative(cast, title="Newer")
    day = (clock.today() - timedelta(days=3)).isoformat()
    folder = taken(tmp_path, "--from", day, "--to", day)
    found = verify.Export(folder).check()
    of_the_day = Entry.objects.filter(recorded_at__lt=clock.now() - timedelta(days=2))
    assert found["entries"] == of_the_day.count() > 0
    told = (folder / "entries.jsonl").read_text()
    assert "Older" in told
    assert "Newer" not in told


def test_an_export_is_itself_in_the_audit_log(initiative, tmp_path, cast):
    taken(tmp_path, "--initiative", initiative.ref, "--by", "auditor")
    entry = Entry.objects.filter(kind="audit log exported").get()
    assert (entry.actor_id, entry.initiative_ref) == (cast.auditor.pk, initiative.ref)
    assert entry.facts["facts"] == {"scope": f"initiative {initiative.ref}", "with_files": False}
    assert entry.leaf.position < sealing.newest().size


def test_the_index_says_what_happened_and_what_this_proves(initiative, tmp_path):
    page = " ".join((taken(tmp_path, "--initiative", initiative.ref) / "index.html").read_text().split())
    assert "python3 verify.py ." in page
    assert "does not prove that the recorded facts are true." in page
    assert "A person with access to both the database and the signing key could rewrite a new entry" in page
    assert sealing.newest().note.splitlines()[2].replace("+", "&#x2B;") in page.replace("+", "&#x2B;")
    assert f'<strong translate="no">{initiative.registered_by.full_name}</strong>' in page
    assert "src=" not in page
    assert "href=" not in page


@pytest.mark.parametrize("how", ["swapped", "gone"])
def test_evidence_that_is_not_what_was_recorded_stays_out_and_the_verdict_names_it(initiative, tmp_path, how):
    item = Evidence.objects.exclude(file="").earliest("pk")
    if how == "gone":
        Path(item.file.path).unlink()
    else:
        with open(item.file.path, "r+b") as file:
            file.write(b"%PDX")
    folder = taken(tmp_path, "--initiative", initiative.ref, "--with-files")
    assert f"{initiative.ref}: {item.title}" in (folder / "index.html").read_text()
    assert not list(folder.glob(f"evidence/{item.pk}.*"))
    same = Evidence.objects.filter(sha256=item.sha256).count()
    said = wrong(folder)
    assert said.startswith(
        f"evidence.jsonl: this export lacks {same} file(s) of evidence. These files were missing or changed"
    )
    assert f"{initiative.ref}, item {item.pk} “{item.title}”" in said
    ran = bare_python(folder, ".")
    assert ran.returncode == 1
    assert ran.stdout == f"WRONG  {said}\n"
    verify.Export(taken(tmp_path, "--initiative", initiative.ref)).check()  # without files none is promised


def test_whoever_also_makes_the_manifest_fit_is_found(initiative, tmp_path):
    """Someone who edits an export and knows how it is made."""
    untouched = taken(tmp_path, "--initiative", initiative.ref, "--with-files")

    def after(name, old, new, **manifest):
        folder = tmp_path / "edited"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(untouched, folder)
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))
        resealed(folder, **manifest)
        return wrong(folder)

    lines = (untouched / "entries.jsonl").read_bytes().splitlines(keepends=True)
    for scope in ({"kind": "project"}, {}):
        said = after("entries.jsonl", lines[8], lines[8], scope=scope)
        assert "The scope must be one of" in said, "an unknown scope is not judged as another one"
    ninth = "entries.jsonl, line 9: "
    renamed = lines[8].replace(b"Marta", b"Maria")
    assert renamed != lines[8]
    assert after("entries.jsonl", lines[8], renamed).startswith(f"{ninth}The body of position")
    assert after("entries.jsonl", lines[8], lines[8] * 2, entries=len(lines) + 1).startswith(
        "entries.jsonl, line 10: The entry at position"
    )
    assert after("entries.jsonl", lines[8] + lines[9], lines[9] + lines[8]).startswith(
        "entries.jsonl, line 10: "
    )
    moved = json.loads(lines[8])
    moved["position"] -= 1
    assert after("entries.jsonl", lines[8], verify.line_bytes(moved)).startswith(ninth)
    dated = json.loads(lines[8])
    dated["leaf"] = dated["leaf"].replace("20", "19", 1)
    dated["hash"] = verify.base64.b64encode(verify.leaf_hash(dated["leaf"].encode())).decode()
    assert after("entries.jsonl", lines[8], verify.line_bytes(dated)).startswith(ninth)
    assert after("entries.jsonl", lines[8], b"").startswith("entries.jsonl: has ")
    # What says the same in another way is refused: one thing has one written form.
    spaced = lines[8].replace(b'{"body":', b'{ "body":', 1)
    assert after("entries.jsonl", lines[8], spaced) == f"{ninth}The entry does not have the valid format."
    shown = json.loads((untouched / "evidence.jsonl").read_bytes().splitlines()[-1])
    fingerprint = shown["sha256"].encode()
    swapped = after("evidence.jsonl", fingerprint, fingerprint[::-1])
    assert "The sha256 differs from the entry at position" in swapped
    assert "does not have the recorded fingerprint" in after(shown["file"], b"%PDF", b"%pdf")
    (tmp_path / "edited" / "more.txt").write_text("More")
    assert wrong(tmp_path / "edited") == "more.txt: does not belong to this export."


def test_an_insider_with_database_and_key_is_found_by_a_checkpoint_received_earlier(initiative, tmp_path):
    held = Checkpoint.objects.get().note.encode()
    act = Entry.objects.filter(kind="unit added").select_related("body").earliest("pk")
    rewrite_everything(act, json.dumps(act.facts | {"reason": "Rather this"}).encode())
    for options in (["--all"], ["--initiative", initiative.ref]):
        folder = taken(tmp_path, *options)
        verify.Export(folder).check()
        if options != ["--all"]:
            assert wrong(folder, held=[held]).startswith(
                "checkpoints/proofs.jsonl: has no proof for your checkpoint"
            )
            (tmp_path / "held.txt").write_bytes(held)
            folder = taken(tmp_path, *options, "--checkpoint", str(tmp_path / "held.txt"))
        assert wrong(folder, held=[held]).startswith("checkpoints/final.txt: the audit log was rewritten. ")


def test_a_checkpoint_that_is_newer_than_the_export_is_not_passed_over(initiative, tmp_path, cast):
    folder = taken(tmp_path, "--all")
    factories.make_initiative(cast, title="Later")
    newer = sealing.seal()
    said = wrong(folder, held=[newer.note.encode()])
    assert said.startswith(
        f"the checkpoint you hold (number 1): has size {newer.size}, but this export ends at"
    )


def test_only_the_keys_that_are_trusted_count(initiative, tmp_path):
    folder = taken(tmp_path, "--all")
    (key,) = (folder / "keys.txt").read_text().split()
    verify.Export(folder, trusted=[verify.parse_key(key)]).check()
    other = verify.verifier_key(key.split("+")[0], verify._pack(verify.BASE))
    assert wrong(folder, trusted=[other]) == "keys.txt: contains none of the keys that you trust."


@pytest.fixture
def cosigned(cast, settings):
    """A witness that cosigned two checkpoints; the entries after them are not cosigned."""
    with Witness() as witness:
        origin = signing_keys.origin()
        witness.trust(origin, str(signing_keys.signer(origin).vkey))
        settings.WITNESSES = [(witness.url, verify.parse_key(witness.vkey, (verify.COSIGNATURE,)))]
        for title in ("First", "Second"):
            factories.make_initiative(cast, title=title)
            witness.newest = sealing.seal()
            witnesses.cosign()
        factories.make_initiative(cast, title="Third")
        sealing.seal()
        yield witness


def test_cosignatures_are_verified_with_the_key_of_the_witness(cosigned, tmp_path):
    folder = taken(tmp_path, "--all")
    ran = bare_python(folder, ".", "--key", cosigned.vkey)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert (
        "The witness witness.invalid/w1 cosigned 2 checkpoint(s) in this export, the newest at size "
        f"{cosigned.newest.size} on 2023-11-14 22:13:20 UTC.\n"
    ) in ran.stdout
    assert ran.stdout.startswith("RIGHT, by 1 witness you gave.\n")
    assert "come from the export itself" not in ran.stdout
    assert "cannot detect a rewritten audit log" not in ran.stdout
    ran = bare_python(folder, ".")
    assert "The keys of these witnesses come from the export itself." in ran.stdout
    assert "cannot detect a rewritten audit log" in ran.stdout
    log_key = (folder / "keys.txt").read_text().splitlines()[0]
    file = f"checkpoints/{cosigned.newest.size}.txt"
    ran = bare_python(folder, file, "--key", log_key, "--key", cosigned.vkey)
    assert f"  cosigned on 2023-11-14 22:13:20 UTC by {cosigned.vkey}\n" in ran.stdout
    named = "+".join(log_key.split("+")[:2])
    assert ran.stdout.startswith(f"RIGHT, by the key you gave ({named}) and 1 witness you gave.\n")
    assert (
        "a cosignature of witness.invalid/w1 with an unknown key"
        in bare_python(folder, file, "--key", log_key).stdout
    )
    assert bare_python(folder, file, "--key", cosigned.vkey).stdout.endswith(
        "The audit log page shows the key.\n"
    )


def test_an_export_of_an_initiative_has_the_newest_cosigned_checkpoint(cosigned, tmp_path):
    folder = taken(tmp_path, "--initiative", Initiative.objects.earliest("pk").ref)
    export = verify.Export(folder, trusted=[verify.parse_key(cosigned.vkey, (verify.COSIGNATURE,))])
    export.check()
    (line,) = export.witnesses.lines()
    assert f"cosigned 2 checkpoint(s) in this export, the newest at size {cosigned.newest.size} on" in line


def test_a_cosignature_with_an_unknown_key_is_reported_and_not_trusted(cosigned, tmp_path):
    folder = taken(tmp_path, "--all")
    other = Witness("witness.invalid/w2", bytes(range(1, 33)))
    other.server.server_close()
    export = verify.Export(folder, trusted=[verify.parse_key(other.vkey, (verify.COSIGNATURE,))])
    export.check()
    assert export.witnesses.lines() == [
        "The witness witness.invalid/w2 cosigned no checkpoint in this export.",
        "2 checkpoint(s) have a cosignature of witness.invalid/w1 with an unknown key, which was not checked.",
    ]
    assert not export.witnesses.proven


def test_a_changed_cosignature_is_found(cosigned, tmp_path):
    folder = taken(tmp_path, "--all")
    file = folder / "checkpoints" / f"{cosigned.newest.size}.txt"
    note, _, line = file.read_text().rpartition("\u2014 ")
    body = verify.parse_note(cosigned.newest.note).body
    assert line == cosigned.cosigned(body)[2:]
    file.write_text(note + cosigned.cosigned(body + b"more\n"))
    resealed(folder)
    assert wrong(folder) == f"checkpoints/{file.name}: The cosignature of witness.invalid/w1 is wrong."
    file.write_text(note + "\u2014 stranger.invalid AAAAAAAA\n")
    resealed(folder)
    assert "signature by an unknown key of stranger.invalid" in wrong(folder)
    file.write_text(note.partition("\n\n")[0] + "\n\n" + cosigned.cosigned(body))
    resealed(folder)
    assert "The format of the note is wrong" in wrong(folder), "a witness alone signs for no log"


def test_an_erased_body_is_exported_as_erased(initiative, tmp_path, cast):
    gone = Entry.objects.filter(initiative_ref=initiative.ref, kind="registered").get()
    with acting(by=cast.admin, reason="Asked for"):
        entries.record(EntryKind.ERASED, entries=[gone.pk])
    tamper(
        "UPDATE governance_entrybody SET body = '', salt = '' WHERE entry_id = %s",
        gone.pk,
        table="governance_entrybody",
    )
    folder = taken(tmp_path, "--initiative", initiative.ref)
    assert verify.Export(folder).check()["erased"] == 1
    assert "Erased: registered." in (folder / "index.html").read_text()


def test_flipped_bits_are_found_where_they_are(initiative, tmp_path):
    """A sample of `python -m tests.drills.audit_log.flips`, which does a thousand."""
    folders = [taken(tmp_path, "--initiative", initiative.ref, "--with-files"), taken(tmp_path, "--all")]
    chance = random.Random(7)
    missed = [flip_missed(chance, folder) for folder in folders for _ in range(FLIPS // 2)]
    assert not [line for line in missed if line]


def test_what_cannot_be_exported_is_said_with_advice(initiative, tmp_path):
    def refused(*options):
        with pytest.raises(CommandError) as said:
            call_command("export_audit_log", *options)
        return str(said.value)

    out = ["--to", str(tmp_path / "out.zip")]
    assert refused("--all") == "Give one file to write, for example --to plumbline-export-2026.zip."
    assert (
        refused("--initiative", "AI-9999", *out)
        == "Initiative AI-9999 does not exist. Write the reference like AI-0042."
    )
    assert refused("--initiative", "42", *out).startswith("Initiative 42 does not exist.")
    assert (
        refused("--from", "2026-13-01", *out)
        == "'2026-13-01' is not a day. Use YYYY-MM-DD, for example 2026-11-09."
    )
    assert (
        refused("--from", "2026-02-02", "--to", "2026-02-01", *out)
        == "2026-02-01 is before 2026-02-02. Exchange the two days."
    )
    assert (
        refused("--all", "--to", "2026-02-01", *out)
        == "--to can have one date, and only together with --from. Add --from with the first day."
    )
    assert refused("--all", "--by", "nobody", *out) == "No active person signs in as nobody. Check the login."
    assert not Entry.objects.filter(kind="audit log exported").exists()
    (tmp_path / "out.zip").write_text("")
    assert refused("--all", *out) == f"{tmp_path / 'out.zip'} exists already. Give a different file name."
    assert refused("--all", "--out", str(tmp_path / "no" / "out.zip")).endswith("No such file or directory.")
