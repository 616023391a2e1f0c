"""Files in a folder or a bucket, plain or encrypted: put once, found foreign, and told when a storage admin meddles."""

import base64
import hashlib
import os
from datetime import timedelta
from io import StringIO

import pytest
from botocore.exceptions import ClientError
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from adoption.demo import artefacts
from governance import clock
from governance.database import rehearsing
from governance.models import DataFolder, Entry
from governance.storage import backup, data_folder, file_fingerprints, sealed_files
from governance.storage.file_fingerprints import CHANGED, GONE, THERE
from governance.storage.kept_files import KeptFiles, StoreAway
from governance.tables import stored
from governance.transparency_log.verification import Report
from initiatives.lifecycle.evidence import actions, file_checks
from initiatives.models import Evidence
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.servers import object_store
from tests.support.servers.object_store import Admin, files_in, marked

pytestmark = pytest.mark.django_db
KEY, OTHER_KEY = os.urandom(32), os.urandom(32)
SEALED = {"keys": [KEY], "encrypts": True}


@pytest.fixture(scope="module")
def endpoint():
    with object_store.running() as address:
        yield address


class Folder:
    """The storage admin of a folder."""

    def __init__(self, place):
        self.place = place

    def told(self):
        return None

    def get(self, name):
        return (self.place / name).read_bytes()

    def put(self, name, content):
        (self.place / name).write_bytes(content)

    def remove(self, name):
        (self.place / name).unlink()

    def names(self):
        return {str(one.relative_to(self.place)) for one in self.place.rglob("*") if one.is_file()}


@pytest.fixture(params=["folder", "bucket"])
def admin(request, tmp_path):
    """The admin of each kind of store."""
    if request.param == "folder":
        with override_settings(MEDIA_ROOT=tmp_path / "files"):
            yield Folder(tmp_path / "files")
    else:
        yield Admin(request.getfixturevalue("endpoint"))


@pytest.fixture(params=["plain", "encrypted"])
def store(request, admin):
    """Each kind of store, plain and encrypted, in use."""
    with marked(admin.told(), **(SEALED if request.param == "encrypted" else {})):
        yield request.param


def put(name: str, content: bytes) -> str:
    return default_storage.save(name, ContentFile(content))


def read(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def item_of(cast, title="Scope note") -> Evidence:
    return actions.add_evidence(
        initiative=Evidence.objects.first().initiative
        if Evidence.objects.exists()
        else factories.make_initiative(cast),
        kind="document",
        title=title,
        observed_on=clock.today(),
        covers=["proto.scope"],
        file=artefacts.pdf(title),
        by=cast.owner,
    )


# --- Files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_put_read_listed_and_deleted(store, admin):
    large = os.urandom(3 * sealed_files.PIECE)
    for name, content in (("evidence/aa/one", b"one"), ("evidence/aa/empty", b""), ("imports/large", large)):
        assert not default_storage.exists(name)
        assert put(name, content) == name
        assert default_storage.exists(name)
        assert read(name) == content
        assert (content in admin.get(name)) is (store == "plain" or not content)
    assert default_storage.listdir("evidence") == (["aa"], [])
    assert default_storage.below("evidence") == {"evidence/aa/one", "evidence/aa/empty"}
    assert abs(default_storage.get_modified_time("imports/large") - clock.now()) < timedelta(days=1)
    default_storage.delete("evidence/aa/one")
    default_storage.delete("evidence/aa/one")
    assert not default_storage.exists("evidence/aa/one")
    with pytest.raises(FileNotFoundError):
        read("evidence/aa/one")
    assert default_storage.listdir("nowhere") == ([], [])


def test_a_name_that_is_taken_is_never_overwritten(store, admin, monkeypatch):
    put("evidence/one", b"first")
    other = put("evidence/one", b"second")
    assert other != "evidence/one"
    # Also where another process takes it between the look and the writing.
    monkeypatch.setattr(KeptFiles, "exists", lambda self, name: False)
    monkeypatch.setattr(KeptFiles, "get_available_name", lambda self, name, max_length=None: f"{name}_late")
    late = default_storage._save("evidence/one", ContentFile(b"third"))
    assert late not in ("evidence/one", other)
    assert [read(name) for name in ("evidence/one", other, late)] == [b"first", b"second", b"third"]
    assert admin.names() == {data_folder.MARK, "evidence/one", other, late}


def test_a_rehearsal_writes_and_deletes_nothing(store, admin, monkeypatch):
    put("evidence/one", b"one")
    monkeypatch.setattr(rehearsing, "unsigned", lambda: True)
    put("evidence/two", b"two")
    default_storage.delete("evidence/one")
    assert admin.names() == {data_folder.MARK, "evidence/one"}


def test_a_store_gives_out_no_address(store):
    put("evidence/one", b"one")
    with pytest.raises(NotImplementedError):
        default_storage.url("evidence/one")


def test_older_plain_files_still_read_once_a_key_is_set(admin):
    with files_in(admin.told()):
        put("evidence/old", b"old")
        with pytest.raises(SuspiciousFileOperation):
            put("evidence/poison", sealed_files.MAGIC + b"...")
    with files_in(admin.told(), **SEALED):
        put("evidence/new", b"new")
        assert (read("evidence/old"), read("evidence/new")) == (b"old", b"new")
    # A former key opens older files.
    with files_in(admin.told(), keys=[OTHER_KEY, KEY], encrypts=True):
        put("evidence/newest", b"newest")
        assert (read("evidence/new"), read("evidence/newest")) == (b"new", b"newest")


@pytest.mark.parametrize("keys", [[], [OTHER_KEY]])
def test_a_wrong_key_is_told(admin, keys):
    with marked(admin.told(), **SEALED):
        put("evidence/one", b"one")
    with files_in(admin.told(), keys=keys, encrypts=bool(keys)):
        with pytest.raises(
            sealed_files.Unreadable, match="Set PLUMBLINE_STORE_ENCRYPTION_KEY to the key that"
        ):
            read("evidence/one")
        assert file_fingerprints.state("evidence/one", "0" * 64) == CHANGED
        assert file_fingerprints.opened("evidence/one", "0" * 64).state == CHANGED
        with pytest.raises(data_folder.WrongFolder, match="encrypted under another key"):
            file_checks.find_missing_files()


def test_an_encrypted_file_that_was_cut_lengthened_or_stirred_is_refused():
    content, name = os.urandom(2 * sealed_files.PIECE + 5), "evidence/one"
    whole = sealed_files.sealed(ContentFile(content), name, KEY).read()
    head = len(whole) - len(content) - 3 * sealed_files.TAG
    size = sealed_files.PIECE + sealed_files.TAG
    pieces = [whole[head : head + size], whole[head + size : head + 2 * size], whole[head + 2 * size :]]
    wrong = [
        whole[:head],
        whole[: head + 2 * size],
        whole + b"x",
        whole[:-1],
        whole[:head] + pieces[1] + pieces[0] + pieces[2],
        whole[:head] + pieces[0] + pieces[2],
        whole[: head - 1] + bytes([whole[head - 1] ^ 1]) + whole[head:],
    ]
    assert sealed_files.opened(ContentFile(whole), name, [KEY]).read() == content
    for bad in wrong:
        with pytest.raises(sealed_files.Unreadable, match="was changed in its store"):
            sealed_files.opened(ContentFile(bad), name, [KEY])
    with pytest.raises(sealed_files.Unreadable):
        sealed_files.opened(ContentFile(whole), "evidence/two", [KEY])


# --- A storage admin --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["delete", "overwrite", "swap", "roll back", "plain"])
def test_what_a_storage_admin_does_is_refused_and_found(store, admin, cast, as_, attack):
    item, other = item_of(cast), item_of(cast, "Another note")
    name, earlier = item.file.name, admin.get(item.file.name)
    assert read(name) != read(other.file.name)
    if attack == "delete":
        admin.remove(name)
    elif attack == "overwrite":
        admin.put(name, os.urandom(50))
    elif attack == "swap":
        admin.put(name, admin.get(other.file.name))
        admin.put(other.file.name, earlier)
    elif attack == "roll back":
        before = put("evidence/aa/earlier", b"an earlier content")
        admin.put(name, admin.get(before))
    else:
        admin.put(name, read(other.file.name))
    assert file_fingerprints.opened(name, item.sha256).file is None
    report = Report()
    file_fingerprints.verify(report)
    found = {finding.key for finding in report.findings}
    assert found == ({str(item.pk), str(other.pk)} if attack == "swap" else {str(item.pk)})
    wanted = GONE if attack == "delete" else CHANGED
    assert file_fingerprints.state(name, item.sha256) == wanted
    answer = as_(cast.owner).get(at("evidence-file", item.initiative.ref, item.pk))
    assert answer.status_code == 404
    item.refresh_from_db()
    assert item.missing_since is not None
    kind = "evidence file missing" if attack == "delete" else "evidence file changed"
    assert Entry.objects.filter(kind=kind).count() == 1
    # Who has the file files it again: it gets another name, and the store keeps both.
    again = item_of(cast)
    assert read(again.file.name)
    assert file_fingerprints.state(again.file.name, again.sha256) == THERE


def test_a_file_that_waits_for_an_answer_is_compared_too(store, admin):
    word = stored.keep("imports", b"a,b\n1,2\n", "list.csv", of="7")
    assert stored.kept("imports", word, of="7") == (b"a,b\n1,2\n", "list.csv")
    (name,) = default_storage.below("imports")
    admin.put(name, b"a,b\n6,6\n")
    with pytest.raises(ValidationError, match="Choose the file again"):
        stored.kept("imports", word, of="7")
    with pytest.raises(ValidationError, match="Choose the file again"):
        stored.kept("imports", word, of="8")


# --- Buckets ----------------------------------------------------------------------------------------------------------


def test_a_foreign_bucket_is_refused_until_it_is_adopted(endpoint, cast, client, as_):
    admin, out = Admin(endpoint), StringIO()
    with files_in(admin.told()):
        with pytest.raises(
            data_folder.WrongFolder, match=rf"bucket of files s3://{admin.bucket}/plumbline has no mark"
        ):
            data_folder.demand()
        assert client.get("/readyz").json()["folder"].endswith("See PLUMBLINE_STORE")
        with pytest.raises(ValidationError, match="Files cannot be stored now"):
            item_of(cast)
        assert admin.names() == set()
        call_command("adopt_folder", stdout=out)
        assert f"s3://{admin.bucket}/plumbline is the folder of this database" in out.getvalue()
        assert data_folder.condition() == "ok"
        assert DataFolder.objects.get().mark == admin.get(data_folder.MARK).decode().strip()
        item_of(cast)
    other = Admin(endpoint)
    other.put(data_folder.MARK, b"another")
    with (
        files_in(other.told()),
        pytest.raises(data_folder.WrongFolder, match="has the mark of another installation"),
    ):
        file_checks.find_missing_files()


def test_a_store_that_is_away_voids_nothing(endpoint, cast, as_, monkeypatch):
    admin = Admin(endpoint)
    with marked(admin.told()):
        item = item_of(cast)
    gone = admin.told(bucket_name="files-of-nobody")
    with files_in(gone):
        with pytest.raises(StoreAway, match=r"refuses \(NoSuchBucket\)"):
            file_fingerprints.state(item.file.name, item.sha256)
        with pytest.raises(data_folder.WrongFolder, match="NoSuchBucket"):
            file_checks.find_missing_files()
        client = as_(cast.owner)
        client.raise_request_exception = False
        answer = client.get(at("evidence-file", item.initiative.ref, item.pk))
        assert answer.status_code == 503
        assert "cannot reach its store of files" in text_of(answer)
    item.refresh_from_db()
    assert item.missing_since is None
    monkeypatch.setattr("governance.storage.bucket.SECONDS", (0.2, 0.2))
    with (
        files_in(admin.told(endpoint_url="http://127.0.0.1:9")),
        pytest.raises(StoreAway, match="does not answer"),
    ):
        default_storage.exists("x")


def test_evidence_is_locked_and_what_passes_is_not(endpoint):
    admin = Admin(endpoint, locks=True)
    with marked(admin.told(lock_days=30)):
        put("evidence/aa/one", b"one")
        put("exports/7.zip", b"zip")
    head = admin.client.head_object(Bucket=admin.bucket, Key="plumbline/evidence/aa/one")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert timedelta(days=29) < head["ObjectLockRetainUntilDate"] - clock.now() < timedelta(days=31)
    assert "ObjectLockMode" not in admin.client.head_object(
        Bucket=admin.bucket, Key="plumbline/exports/7.zip"
    )
    with pytest.raises(ClientError, match="Access Denied"):
        admin.client.delete_object(
            Bucket=admin.bucket, Key="plumbline/evidence/aa/one", VersionId=head["VersionId"]
        )


def test_the_checksum_is_sent(endpoint):
    admin = Admin(endpoint)
    with files_in(admin.told()):
        put("evidence/aa/one", b"one")
    told = admin.client.head_object(
        Bucket=admin.bucket, Key="plumbline/evidence/aa/one", ChecksumMode="ENABLED"
    )
    assert base64.b64decode(told["ChecksumSHA256"]) == hashlib.sha256(b"one").digest()


# --- From one store to another ----------------------------------------------------------------------------------------


def ways(endpoint) -> dict[str, tuple[dict | None, dict | None]]:
    one, two = Admin(endpoint), Admin(endpoint)
    return {
        "to a bucket": (None, one.told()),
        "to the folder": (one.told(), None),
        "to another bucket": (one.told(), two.told()),
    }


@pytest.mark.parametrize("way", ["to a bucket", "to the folder", "to another bucket"])
def test_files_move_while_people_read_them(endpoint, cast, as_, tmp_path, way):
    old, new = ways(endpoint)[way]
    both = {"here": new, "former": [old], **SEALED}
    with override_settings(MEDIA_ROOT=tmp_path / "files"):
        with marked(old):
            first, second = item_of(cast), item_of(cast, "Another note")
            put("exports/7.zip", b"zip")
            address = at("evidence-file", first.initiative.ref, first.pk)
            before = b"".join(as_(cast.owner).get(address).streaming_content)
            assert data_folder.mark_named() == data_folder.mark_here()
            mark = data_folder.mark_named()
        with files_in(**both):
            assert data_folder.wrong()
            call_command("adopt_folder", stdout=StringIO())
            assert data_folder.mark_named() == mark, "hosts with the former settings go on"
            assert b"".join(as_(cast.owner).get(address).streaming_content) == before
            third = item_of(cast, "Filed while they move")
            here, former = default_storage.each()
            assert (here.exists(third.file.name), former.exists(third.file.name)) == (True, False)
            # A move is interrupted after one file, and begun again.
            with former.open(first.file.name) as file:
                here.save(first.file.name, file)
            out = StringIO()
            call_command("move_files", stdout=out)
            assert "2 files copied" in out.getvalue()
            assert "Remove PLUMBLINE_STORE_FORMER" in out.getvalue()
            assert b"".join(as_(cast.owner).get(address).streaming_content) == before
            out = StringIO()
            call_command("move_files", stdout=out)
            assert "0 files copied" in out.getvalue()
            assert file_checks.find_missing_files() == []
            default_storage.delete("exports/7.zip")
            assert not any(one.exists("exports/7.zip") for one in default_storage.each())
        with files_in(new, **SEALED):
            assert data_folder.wrong() == ""
            assert b"".join(as_(cast.owner).get(address).streaming_content) == before
            for item in (first, second, third):
                assert file_fingerprints.state(item.file.name, item.sha256) == THERE
            assert Evidence.objects.filter(missing_since__isnull=False).count() == 0
            with pytest.raises(CommandError, match="no former store is set"):
                call_command("move_files")


def test_a_changed_or_lost_file_is_not_moved_and_is_told(endpoint, cast):
    old, new = Admin(endpoint), Admin(endpoint)
    with marked(old.told()):
        changed, lost = item_of(cast), item_of(cast, "Another note")
    old.put(changed.file.name, b"changed")
    old.remove(lost.file.name)
    with marked(new.told(), former=[old.told()]):
        said = StringIO()
        with pytest.raises(CommandError, match="2 files could not be moved"):
            call_command("move_files", stdout=StringIO(), stderr=said)
        assert f"{changed.file.name} is not the recorded file" in said.getvalue()
        assert f"{lost.file.name} is gone from storage" in said.getvalue()
        assert new.names() == {data_folder.MARK}
        for item in (changed, lost):
            file_checks.check_file(key=item.pk)
        call_command("move_files", stdout=StringIO())


def test_a_file_that_is_deleted_during_its_move_stays_deleted(endpoint, cast, monkeypatch):
    old, new = Admin(endpoint), Admin(endpoint)
    with marked(old.told()):
        item = item_of(cast)
    with marked(new.told(), former=[old.told()]):
        really = KeptFiles.save

        def late(self, name, content, max_length=None):
            default_storage.delete(name)
            return really(self, name, content, max_length)

        monkeypatch.setattr(KeptFiles, "save", late)
        call_command("move_files", stdout=StringIO())
    assert item.file.name not in old.names() | new.names()


# --- Backups ----------------------------------------------------------------------------------------------------------


def test_a_backup_holds_the_files_decrypted(endpoint, cast, tmp_path):
    admin = Admin(endpoint)
    with marked(admin.told(), **SEALED):
        item, bad = item_of(cast), item_of(cast, "Another note")
        admin.put(bad.file.name, admin.get(item.file.name))
        files: dict = {}
        told = backup.copy_files(tmp_path, backup.files_named(), files)
    assert told == {"evidence": [item.file.name], "lost": [bad.file.name], "changed": []}
    assert files[f"evidence/{item.file.name}"]["sha256"] == item.sha256
