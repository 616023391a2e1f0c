"""Kinds of files that Plumbline does not accept, by their content, each with a step that gives an accepted file."""

import io
import re
import struct
import zipfile
from dataclasses import dataclass

from governance.tables.encodings import is_text
from governance.vocabulary.phrases import Phrase, phrase

ARCHIVE, OLD_OFFICE, MIME = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", "application/vnd.oasis.opendocument."
HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
SPREADSHEET_OR_SLIDES = re.compile(rf"{re.escape(MIME)}(?:spreadsheet|presentation|graphics)")
BROKEN = (zipfile.BadZipFile, struct.error, OSError, RuntimeError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class Foreign:
    """The kind of a file in words, and the step that gives a file that is accepted."""

    name: Phrase
    step: Phrase


PHOTO = Foreign(phrase("a HEIC photo"), phrase("Export the photo as JPEG or PDF and send the new file."))
PICTURE = phrase("Export the picture as PNG, JPEG or PDF and send the new file.")
VIDEO = Foreign(phrase("a video"), phrase("Send a link to the video, or pictures of it."))
SOUND = Foreign(phrase("a sound recording"), phrase("Send a link to the recording, or its words as text."))
PACKED = Foreign(phrase("an archive"), phrase("Unpack the archive and send its files one by one."))
PROGRAM = Foreign(phrase("a program"), phrase("Send a document about the program, or a link to it."))
MACROS = Foreign(
    phrase("a document with macros"),
    phrase("Save the document without macros as .docx, .xlsx or .pptx, or as PDF."),
)
DATA = phrase("Export the table as .csv or .xlsx and send the new file.")
PDF_OF_IT = phrase("Save the document as PDF and send the PDF.")
RICH, PRINTED = b"{\\rtf", b"%!PS"  # the beginnings that are text
# Beginnings of files, with their place. The first that fits counts.
BEGINNINGS: tuple[tuple[int, bytes, Foreign], ...] = (
    (0, b"GIF8", Foreign(phrase("a GIF picture"), PICTURE)),
    (0, b"II*\x00", Foreign(phrase("a TIFF picture"), PICTURE)),
    (0, b"MM\x00*", Foreign(phrase("a TIFF picture"), PICTURE)),
    (6, b"\x00\x00\x00\x00", Foreign(phrase("a BMP picture"), PICTURE)),
    (8, b"WEBP", Foreign(phrase("a WebP picture"), PICTURE)),
    (8, b"AVI ", VIDEO),
    (8, b"WAVE", SOUND),
    (0, b"\x1aE\xdf\xa3", VIDEO),
    (0, b"ID3", SOUND),
    (0, b"OggS", SOUND),
    (0, b"fLaC", SOUND),
    (0, RICH, Foreign(phrase("a rich text document"), phrase("Save the document as .docx or PDF."))),
    (0, PRINTED, Foreign(phrase("a PostScript document"), PDF_OF_IT)),
    (
        0,
        OLD_OFFICE,
        Foreign(
            phrase("a document of an old Office format, or with a password"),
            phrase("Save the document without a password as .docx, .xlsx, .pptx or PDF."),
        ),
    ),
    *((0, begins, PACKED) for begins in (b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MSCF")),
    *((0, begins, PROGRAM) for begins in (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")),
    (0, b"SQLite format 3", Foreign(phrase("a database"), DATA)),
    (0, b"PAR1", Foreign(phrase("a Parquet table"), DATA)),
)
NEEDS = {b"\x00\x00\x00\x00": b"BM", b"WEBP": b"RIFF", b"AVI ": b"RIFF", b"WAVE": b"RIFF"}


def told(content: bytes) -> Foreign | None:
    """Return what the content of a file is, or None if it is accepted or not known."""
    text = is_text(content)
    if content[4:8] == b"ftyp" and not text:
        return _boxed(content)
    if content.startswith(ARCHIVE):
        return _archived(content)
    for place, begins, kind in BEGINNINGS:
        fits = content.startswith(begins, place) and content.startswith(NEEDS.get(begins, b""))
        if fits and text == (begins in (RICH, PRINTED)):
            return kind
    return None


def _boxed(content: bytes) -> Foreign:
    """Return the kind of a file of boxes, as telephones and cameras write them."""
    brand = content[8:12]
    if brand in (b"avif", b"avis"):
        return Foreign(phrase("an AVIF picture"), PICTURE)
    return PHOTO if brand in HEIC else SOUND if brand.startswith(b"M4A") else VIDEO


def _archived(content: bytes) -> Foreign | None:
    """Return the kind of an archive, or None for a damaged one or a document that is accepted."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            kind = archive.open("mimetype").read(80).decode("latin-1") if "mimetype" in names else ""
    except BROKEN:
        return None
    if SPREADSHEET_OR_SLIDES.match(kind):
        return Foreign(
            phrase("an OpenDocument spreadsheet, presentation or drawing"),
            phrase("Save the document as .xlsx, .pptx or PDF and send the new file."),
        )
    if any(name.endswith((".iwa", "Index.zip")) for name in names):
        return Foreign(
            phrase("a document of Pages, Numbers or Keynote"), phrase("Export the document as PDF.")
        )
    if "xl/workbook.bin" in names:
        return Foreign(phrase("a binary workbook (.xlsb)"), phrase("Save the workbook as .xlsx."))
    if any(name.endswith("vbaProject.bin") for name in names):
        return MACROS
    return None if kind or "[Content_Types].xml" in names else PACKED
