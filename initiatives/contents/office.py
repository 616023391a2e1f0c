"""Office documents: archives of XML parts, of the kind they claim to be, without macros, programs or outside parts."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from initiatives.contents import NotTaken

UNPACKED_LIMIT = 400 * 1024 * 1024  # bytes; an office file that unpacks to more is a bomb
RATIO = 300  # times; only bombs are packed that tightly
WORTH_A_LOOK = 8 * 1024 * 1024  # unpacked bytes below which the ratio of one part does not matter
MOST_PARTS = 20_000
CHUNK = 1 << 20
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
SAVE_AS_PDF = "Save it as PDF and send that."
DAMAGED = "The file is damaged or protected by a password; save it again and send that."
# The part that makes an archive this kind of document.
MAIN = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}
ODT = b"application/vnd.oasis.opendocument.text"
# Parts that can act, or hide what acts. Charts legitimately carry the workbook behind them.
ACTS = re.compile(r"vbaproject|vbadata|/activex/|oleobject|/macrosheets/|^basic/|^scripts/", re.IGNORECASE)
PACKED = re.compile(
    r"\.(?:zip|rar|7z|gz|bz2|xz|tar|jar|cab|iso|exe|dll|com|scr|msi|bat|cmd|ps1|vbs|js|hta|lnk|html?|docm|xlsm|pptm|xlsb)$",
    re.IGNORECASE,
)
ENTITIES = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
MACRO_TYPE = re.compile(r"macroEnabled|vnd\.ms-office\.vbaProject", re.IGNORECASE)
RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>", re.IGNORECASE)
OUTSIDE = re.compile(r"""TargetMode\s*=\s*["']External["']""", re.IGNORECASE)
# Relations that are loaded as soon as the document opens; a link somebody clicks is not among them.
LOADED = re.compile(
    r"""Type\s*=\s*["'][^"']*/(?:attachedTemplate|oleObject|frame|subDocument|image|externalLinkPath)["']""",
    re.I,
)
FAR = re.compile(r"""Target\s*=\s*["']\s*(?:https?:|ftp:|\\\\|//|file:/*\\\\|file:////|smb:|mhtml:)""", re.I)


def check(file, extension: str) -> None:
    """Refuse what is not an office document of this kind, unpacks to too much, or does more than be read."""
    content = file.read()
    file.seek(0)
    if b"%PDF-" in content[:1024]:
        raise NotTaken(f"The document holds a PDF as well. {SAVE_AS_PDF}")
    try:
        with zipfile.ZipFile(file) as archive:
            _check_parts(archive, len(content), extension)
            _unpack(archive)
    except BROKEN as wrong:
        if isinstance(wrong, NotTaken):
            raise
        raise NotTaken(DAMAGED) from None
    finally:
        file.seek(0)


def _check_parts(archive: zipfile.ZipFile, size: int, extension: str) -> None:
    """What can be told from the directory of the archive alone."""
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > UNPACKED_LIMIT:
        raise NotTaken("The file unpacks to far more than it should; send a PDF instead.")
    if sum(part.compress_size for part in parts) > size or len(set(names)) != len(names):
        raise NotTaken(DAMAGED)  # parts that lie over one another, or two of one name
    for part in parts:
        if part.file_size > WORTH_A_LOOK and part.file_size > RATIO * max(part.compress_size, 1):
            raise NotTaken("The file unpacks to far more than it should; send a PDF instead.")
        path = PurePosixPath(part.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in part.filename or "\\" in part.filename:
            raise NotTaken(f"The file holds a part that points outside of it. {SAVE_AS_PDF}")
        if ACTS.search(part.filename) or PACKED.search(part.filename):
            raise NotTaken(f"The document carries a macro, a program or an archive. {SAVE_AS_PDF}")
    _check_kind(archive, set(names), extension)


def is_a(content: bytes, extension: str) -> bool:
    """Whether an archive is a document of this kind."""
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
            raise NotTaken("The file is an archive, not an office document; send the documents themselves.")
        raise NotTaken(f"The content is not that of a .{extension} file; send the original.")


def _unpack(archive: zipfile.ZipFile) -> None:
    """Unpack every part once: what is damaged shows, and what the XML says is read, in whatever encoding."""
    for part in archive.infolist():
        with archive.open(part) as stream:
            first = stream.read(CHUNK)
            if part.filename.lower().endswith((".xml", ".rels")):
                _check_xml(part.filename, text_of(first))
            while stream.read(CHUNK):
                pass


def text_of(part: bytes) -> str:
    """The beginning of an XML part as text: UTF-16 where it says so or looks so, else byte by byte."""
    if part.startswith((b"\xff\xfe", b"\xfe\xff")):
        return part.decode("utf-16", "replace")
    if part[:4].count(0) >= 2:
        order = "utf-16-be" if part[:1] == b"\0" else "utf-16-le"
        return part.decode(order, "replace")
    return part.decode("latin-1")


def _check_xml(name: str, text: str) -> None:
    if ENTITIES.search(text):
        raise NotTaken(f"The document defines entities, which no office program does. {SAVE_AS_PDF}")
    if name == "[Content_Types].xml" and MACRO_TYPE.search(text):
        raise NotTaken(f"The document carries a macro, a program or an archive. {SAVE_AS_PDF}")
    if name.endswith(".rels"):
        for relation in RELATION.findall(text):
            if OUTSIDE.search(relation) and LOADED.search(relation) and FAR.search(relation):
                raise NotTaken(f"The document loads parts from elsewhere when it is opened. {SAVE_AS_PDF}")
