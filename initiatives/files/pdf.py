"""PDF: one document, without scripts, forms that send, programs it starts or files it carries.

Looked at as bytes, not rendered. Names of a PDF may be written with # and two digits, and may lie in packed object
streams; both are undone before looking. Object streams that do not unpack, encrypted ones among them, are refused.
"""

import re
import zlib

from initiatives.files import NotTaken, not_two_in_one

START, END = b"%PDF-", b"%%EOF"
TAIL = 1024  # bytes from the end within which a reader looks for the end mark
FORBIDDEN = {
    b"JavaScript": "runs a script",
    b"Launch": "starts programs",
    b"RichMedia": "carries moving media",
    b"EmbeddedFile": "carries other files",
    b"EmbeddedFiles": "carries other files",
    b"XFA": "is a form that runs scripts",
    b"SubmitForm": "is a form that sends what is typed into it",
    b"ImportData": "reads other files",
    b"GoToE": "carries other files",
}
FOUND = re.compile(rb"/(" + b"|".join(sorted(FORBIDDEN, key=len, reverse=True)) + rb")(?![A-Za-z0-9_.\-])")
# A file specification that names what it carries; two letters alone occur in packed pictures by chance.
CARRIED = re.compile(rb"/EF(?:\s|%[^\r\n]*[\r\n])*(?:<<|\d+\s+\d+\s+R)")
WRITTEN_OUT = re.compile(rb"#([0-9A-Fa-f]{2})")
STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
# The name of what packs objects, each letter of it as it stands or written out.
OBJECT_STREAM = re.compile(
    b"/" + b"".join(b"(?:%c|#%02X|#%02x)" % (letter, letter, letter) for letter in b"ObjStm")
)
ONE_STREAM, ALL_STREAMS = 16 * 1024 * 1024, 64 * 1024 * 1024  # unpacked bytes of object streams
CANNOT = "Print it to a new PDF and send that."
TOO_MUCH = f"The PDF unpacks to far more than it should. {CANNOT}"


def check(content: bytes) -> None:
    """Refuse what is not one plain document."""
    if END not in content[-TAIL:]:
        raise NotTaken(f"The PDF is damaged or goes on after its end. {CANNOT}")
    not_two_in_one(content, "PDF")
    _look(content)
    unpacked, whole = 0, memoryview(content)
    for places in _object_streams(content):
        texts = [_unpack(whole[place : place + ONE_STREAM]) for place in places]
        unpacked += sum(len(text) for text in texts if text is not None)
        if unpacked > ALL_STREAMS:
            raise NotTaken(TOO_MUCH)
        for text in texts:
            _look(text or b"")
        if None in texts:
            raise NotTaken(f"The PDF is packed or protected in a way that cannot be looked into. {CANNOT}")


def _look(text: bytes) -> None:
    """Refuse the names that make a PDF act, however they are written."""
    plain = WRITTEN_OUT.sub(lambda found: bytes([int(found[1], 16)]), text)
    found = FOUND.search(plain)
    if found:
        raise NotTaken(f"The PDF {FORBIDDEN[found[1]]}. {CANNOT}")
    if CARRIED.search(plain):
        raise NotTaken(f"The PDF {FORBIDDEN[b'EmbeddedFile']}. {CANNOT}")


def _object_streams(content: bytes):
    """For each stream of objects all places where it may begin: after its name, up to where another object begins."""
    for name in OBJECT_STREAM.finditer(content):
        following = OBJECT.search(content, name.end())
        end = following.start() if following else len(content)
        places = [found.end() for found in STREAM.finditer(content, name.end(), end)]
        if places:
            yield places


def _unpack(packed) -> bytes | None:
    """What a stream unpacks to; None where it is not packed in the usual way. Raises NotTaken for a bomb."""
    engine = zlib.decompressobj()
    try:
        text = engine.decompress(packed, ONE_STREAM)
    except zlib.error:
        return None
    if engine.unconsumed_tail:
        raise NotTaken(TOO_MUCH)
    return text
