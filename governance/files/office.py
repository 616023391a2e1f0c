"""Office documents: archives of XML parts, of the kind they claim to be, without macros, programs or outside parts."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from governance.files import NotTaken, named
from governance.files.office_parts import CHUNK, DAMAGED, FAR_MORE, MACRO, SAVE_AS_PDF, Look

UNPACKED_LIMIT = 400 * 1024 * 1024  # bytes; an office file that unpacks to more is a bomb
RATIO = 300  # times; only bombs are packed that tightly
WORTH_A_LOOK = 8 * 1024 * 1024  # unpacked bytes below which the ratio of one part does not matter
MOST_PARTS = 20_000
# What the library raises over an archive that is broken, by where it is broken.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)
# The part that makes an archive this kind of document.
MAIN = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}
ODT = b"application/vnd.oasis.opendocument.text"
# Parts that can act, or hide what acts. Charts legitimately carry the workbook behind them.
ACTS = re.compile(r"vbaproject|vbadata|/activex/|oleobject|/macrosheets/|^basic/|^scripts/", re.IGNORECASE)
PACKED = re.compile(
    r"\.(?:zip|rar|7z|gz|bz2|xz|tar|jar|cab|iso|exe|dll|com|scr|msi|bat|cmd|ps1|vbs|js|hta|lnk|html?|docm|xlsm|pptm|xlsb)$",
    re.IGNORECASE,
)
# Documents that a document may hold, and how far they are followed.
INSIDE = (".docx", ".xlsx", ".pptx", ".odt")
DEEPEST_INSIDE, LARGEST_INSIDE = 2, 32 * 1024 * 1024  # documents inside one another; unpacked bytes


def check(file, extension: str, look: Look | None = None) -> None:
    """Refuse a file of another kind, one that unpacks to too much, or an active one.

    `look` counts what was read of the enclosing document. It bounds all documents together.
    """
    content = file.read()
    file.seek(0)
    if b"%PDF-" in content[:1024]:
        raise NotTaken(f"The document also contains a PDF. {SAVE_AS_PDF}")
    try:
        with zipfile.ZipFile(file) as archive:
            look = look or Look()
            look.unpacked += sum(part.file_size for part in archive.infolist())
            if look.unpacked > UNPACKED_LIMIT:
                raise NotTaken(FAR_MORE)
            _check_parts(archive, len(content), extension)
            _unpack(archive, look)
    except BROKEN as wrong:
        if isinstance(wrong, NotTaken):
            raise
        raise NotTaken(DAMAGED) from None
    finally:
        file.seek(0)


def _check_parts(archive: zipfile.ZipFile, size: int, extension: str) -> None:
    """Refuse a too big, damaged, active or other archive, by its directory alone."""
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if len(parts) > MOST_PARTS:
        raise NotTaken(FAR_MORE)
    if sum(part.compress_size for part in parts) > size or len(set(names)) != len(names):
        raise NotTaken(DAMAGED)  # parts that lie over one another, or two of one name
    for part in parts:
        if part.file_size > WORTH_A_LOOK and part.file_size > RATIO * max(part.compress_size, 1):
            raise NotTaken(FAR_MORE)
        path = PurePosixPath(part.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in part.filename or "\\" in part.filename:
            raise NotTaken(f"The file has a part that points outside of the file. {SAVE_AS_PDF}")
        if ACTS.search(part.filename) or PACKED.search(part.filename):
            raise NotTaken(MACRO)
    _check_kind(archive, set(names), extension)


def is_a(content: bytes, extension: str) -> bool:
    """Return True if an archive is a document of this kind."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_kind(archive, set(archive.namelist()), extension)
    except (NotTaken, *BROKEN):
        return False
    return True


def _check_kind(archive: zipfile.ZipFile, names: set[str], extension: str) -> None:
    if extension == "odt":
        is_it = "mimetype" in names and archive.read("mimetype")[: len(ODT) + 2].strip() == ODT
    else:
        is_it = "[Content_Types].xml" in names and MAIN[extension] in names
    if not is_it:
        if not names & {"[Content_Types].xml", "mimetype"}:
            raise NotTaken("The file is an archive, not an office document. Send the documents one by one.")
        raise NotTaken(f"The content does not match the file ending .{extension}. {SAVE_AS_PDF}")


def _unpack(archive: zipfile.ZipFile, look: Look) -> None:
    """Unpack every part once, to find damage, and check its contents in any encoding."""
    for part in archive.infolist():
        name = part.filename.lower()
        with archive.open(part) as stream:
            if name.endswith((".xml", ".rels", ".svg")):
                look.part(stream, part.filename)
            elif name.endswith(".vml"):
                look.drawing(stream, part.filename)
            elif name.endswith(INSIDE):
                _check_inside(stream, part, look)
            while stream.read(CHUNK):
                pass


def _check_inside(stream, part: zipfile.ZipInfo, look: Look) -> None:
    """Look at a document inside a document, such as the workbook behind a chart."""
    if look.deep >= DEEPEST_INSIDE or part.file_size > LARGEST_INSIDE:
        raise NotTaken(
            f"The document contains {named(part.filename)}, which cannot be checked. {SAVE_AS_PDF}"
        )
    content = io.BytesIO(stream.read(LARGEST_INSIDE))
    look.deep += 1
    try:
        check(content, part.filename.lower().rpartition(".")[2], look)
    except NotTaken as why:
        raise NotTaken(f"In {named(part.filename)}: {why}") from None
    look.deep -= 1
