"""A refused file is named by what it is, with a step that gives an accepted file."""

import gzip

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from adoption.demo import artefacts
from governance.files.upload_policy import check_file
from governance.tables.foreign_files import told
from governance.tables.reader import read_table
from tests.support.input.hostile_files import archive, office
from tests.support.paths import FAULTY_FILES

PDF = artefacts.pdf("Report").read()
HEIC = (FAULTY_FILES / "14-photo" / "07-photo.heic").read_bytes()
PACKED = archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<a/>"})
KINDS = {
    "a HEIC photo": HEIC,
    "an AVIF picture": b"\0\0\0\x1cftypavif" + bytes(20),
    "a video": b"\0\0\0\x18ftypmp42" + bytes(20),
    "a GIF picture": b"GIF89a" + bytes(20),
    "a TIFF picture": b"II*\0" + bytes(20),
    "a BMP picture": b"BM\x46\1\0\0" + bytes(20),
    "a WebP picture": b"RIFF\x10\0\0\0WEBPVP8 " + bytes(8),
    "a rich text document": b"{\\rtf1 Words}",
    "a document of an old Office format, or with a password": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20),
    "an archive": gzip.compress(b"words", mtime=0),
    "an OpenDocument spreadsheet, presentation or drawing": PACKED,
    "a document of Pages, Numbers or Keynote": archive({"Index/Document.iwa": "x"}),
    "a document with macros": office(parts={"word/vbaProject.bin": b"x"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_known_by_its_content(name):
    assert told(KINDS[name]).name == name


@pytest.mark.parametrize("text", [b"abc,ftyp,x\n1,2,3", b"MZ;Name\n1;2", b"GIF8 or ID3\n", b"BM\nx,y"])
def test_text_that_begins_alike_is_text(text):
    assert told(text) is None


@pytest.mark.parametrize("ending", ["heic", "jpg", "pdf", "docx", "txt"])
@pytest.mark.parametrize("name", ["a HEIC photo", "a video", "an archive"])
def test_a_refusal_names_the_kind_and_its_step_under_every_ending(name, ending):
    with pytest.raises(ValidationError) as refusal:
        check_file(ContentFile(KINDS[name], f"report.{ending}"))
    (said,) = refusal.value.messages
    kind = told(KINDS[name])
    assert kind.name in said
    assert kind.step in said


@pytest.mark.parametrize(
    ("content", "ending", "right"),
    [(PDF, "docx", "pdf"), (PDF, "dat", "pdf"), (b"a: 1\n", "yaml", "txt")],
)
def test_a_file_under_a_wrong_ending_gets_the_right_one(content, ending, right):
    with pytest.raises(ValidationError, match=f"file ending to .{right}"):
        check_file(ContentFile(content, f"report.{ending}"))
    assert check_file(ContentFile(content, f"report.{right}"))


@pytest.mark.parametrize("name", ["a HEIC photo", "an OpenDocument spreadsheet, presentation or drawing"])
def test_a_table_of_another_kind_is_named_too(name):
    with pytest.raises(ValidationError, match=name):
        read_table(KINDS[name])
