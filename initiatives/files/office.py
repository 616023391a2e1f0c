"""Office documents: archives of XML parts, of the kind they claim to be, without macros, programs or outside parts."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from xml.parsers import expat

from initiatives.files import NotTaken

UNPACKED_LIMIT = 400 * 1024 * 1024  # bytes; an office file that unpacks to more is a bomb
RATIO = 300  # times; only bombs are packed that tightly
WORTH_A_LOOK = 8 * 1024 * 1024  # unpacked bytes below which the ratio of one part does not matter
MOST_PARTS = 20_000
CHUNK = 1 << 20
LONGEST_MARK = 16 * 1024 * 1024  # bytes of one tag or comment of an XML part
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
# A type of content, and a field or link, that runs something when the document opens.
MACRO_TYPE = re.compile(r"macroEnabled|vnd\.ms-office\.vbaProject", re.IGNORECASE)
RUN_BY_FIELD = re.compile(r"\s*DDE(?:AUTO)?\b", re.IGNORECASE)
RUN_BY_LINK = frozenset(("ddeLink", "oleLink", "dde-source", "dde-connection-decl"))
# Relations that are loaded as soon as the document opens; a link somebody clicks is not among them.
LOADED = ("attachedtemplate", "oleobject", "frame", "subdocument", "image", "externallinkpath")
FAR = re.compile(r"\s*(?:https?:|ftp:|\\\\|//|file:/*\\\\|file:////|smb:|mhtml:)", re.IGNORECASE)
ENTITIES = f"The document defines entities, which no office program does. {SAVE_AS_PDF}"
MACRO = f"The document carries a macro, a program or an archive. {SAVE_AS_PDF}"


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
            raise NotTaken(MACRO)
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
            if part.filename.lower().endswith((".xml", ".rels")):
                read_xml(stream, _rules_of(part.filename.lower()))
            while stream.read(CHUNK):
                pass


def read_xml(stream, element: Callable[[str, dict], None] | None = None) -> None:
    """Parse a part whole; `element` sees the name and the attributes of each element, without their prefixes.

    Raises NotTaken where the part declares a document type, which is where entities are defined, or is no XML.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    if element is not None:
        parser.StartElementHandler = lambda name, values: element(
            _plain(name), {_plain(key): value for key, value in values.items()}
        )
        if isinstance(element, _Fields):
            parser.EndElementHandler, parser.CharacterDataHandler = element.end, element.text
    fed = 0
    try:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > LONGEST_MARK:  # kept in memory until it ends
                raise NotTaken("The file unpacks to far more than it should; send a PDF instead.")
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise NotTaken(DAMAGED) from None


def _plain(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_doctype(*_) -> None:
    raise NotTaken(ENTITIES)


def _rules_of(name: str) -> Callable[[str, dict], None] | None:
    """What is looked for in the elements of a part, by its name; None where only its form counts (large tables)."""
    if name == "[content_types].xml":
        return _check_type
    if name.endswith(".rels"):
        return _check_relation
    if name.startswith("word/"):
        return _Fields()
    if name.startswith("xl/externallinks/") or name == "content.xml":
        return _check_link
    return None


def _check_type(_: str, values: dict) -> None:
    if MACRO_TYPE.search(values.get("ContentType", "")):
        raise NotTaken(MACRO)


def _check_relation(name: str, values: dict) -> None:
    if name != "Relationship" or values.get("TargetMode", "").strip().lower() != "external":
        return
    kind = values.get("Type", "").strip().lower().rpartition("/")[2]
    if kind in LOADED and FAR.match(values.get("Target", "")):
        raise NotTaken(f"The document loads parts from elsewhere when it is opened. {SAVE_AS_PDF}")


def _check_link(name: str, _: dict) -> None:
    if name in RUN_BY_LINK:
        raise NotTaken(f"The document starts another program when it is opened. {SAVE_AS_PDF}")


class _Fields:
    """The fields of a text document: what one says may be cut up into many runs."""

    def __init__(self) -> None:
        self.said, self.inside = "", False

    def __call__(self, name: str, values: dict) -> None:
        if name == "fldChar" and values.get("fldCharType") == "begin":
            self.said = ""
        elif name == "instrText":
            self.inside = True
        elif name == "fldSimple":
            self._look(values.get("instr", ""))
        _check_link(name, values)

    def end(self, name: str) -> None:
        """An element ends; with an instruction, what the field says so far is looked at."""
        if self.inside and _plain(name) == "instrText":
            self.inside = False
            self._look(self.said)

    def text(self, words: str) -> None:
        """Words of an instruction."""
        if self.inside:
            self.said += words

    def _look(self, said: str) -> None:
        if RUN_BY_FIELD.match(said):
            _check_link("ddeLink", {})
