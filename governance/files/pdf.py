"""PDF: one document without scripts, sending forms, programs or other files.

The check reads the bytes and does not render. A PDF may write names with # and two digits, and pack objects into
streams. The check undoes both first. It refuses object streams that do not unpack, encrypted ones among them. A link
that someone clicks is taken, unless it leads to a file or a share.
"""

import re
import zlib
from array import array
from bisect import bisect
from itertools import islice
from typing import NamedTuple

from governance.files import NotTaken, far_link, named, not_two_in_one

START, END = b"%PDF-", b"%%EOF"
TAIL = 1024  # bytes from the end within which a reader looks for the end mark
FORBIDDEN = {
    b"JavaScript": "runs a script",
    b"Launch": "starts programs",
    b"RichMedia": "contains media",
    b"EmbeddedFile": "contains other files",
    b"EmbeddedFiles": "contains other files",
    b"XFA": "is a form that runs scripts",
    b"SubmitForm": "is a form that sends its input",
    b"ImportData": "reads other files",
    b"GoToE": "contains other files",
    b"GoToR": "opens other files",
    b"Rendition": "plays media from other files",
    b"Movie": "plays media from other files",
    b"FFilter": "reads other files",
}
FOUND = re.compile(rb"/(" + b"|".join(sorted(FORBIDDEN, key=len, reverse=True)) + rb")(?![A-Za-z0-9_.\-])")
# What may stand between a name and its value: blanks and comments. Programs write no comments there.
GAP = rb"(?:[\x00\s]|%[^\r\n]*[\r\n])*+"
COMMENTED = re.compile(rb"/(?:EF|URI|Base|F|UF|DOS|Mac|Unix|OpenAction|AA)[\x00\s]*%")
MOST_COMMENTED = 20  # places of the kind; a few occur in packed pictures by chance
NUMBERS = rb"(\d{1,10})[\x00\s]+\d{1,5}[\x00\s]+"
# A file specification that names what it carries; two letters alone occur in packed pictures by chance.
CARRIED = re.compile(rb"/EF" + GAP + rb"(?:<<|" + NUMBERS + rb"R)")
# Addresses as strings, after the names that hold one: of a link, and of a file.
ADDRESS = re.compile(rb"/(URI|Base|F|UF|DOS|Mac|Unix)" + GAP + rb"(?=[(<][^<])")
WRITTEN_ELSEWHERE = re.compile(rb"/(?:URI|Base)" + GAP + NUMBERS + rb"R(?![A-Za-z0-9])")
MOST_ADDRESSES = 30_000
LONGEST_ADDRESS = 256  # bytes of a string that is looked at: its start says where it leads
TELLING = 40  # characters of an address that say where it leads
ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|[\r\n])|(.))", re.DOTALL)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]+:|[\\/]{2})", re.IGNORECASE)
ENCRYPTED = re.compile(rb"/Encrypt[\x00\s]*(?:<<|" + NUMBERS + rb"R)")
# Actions that happen without a click, what they hold, and the parts of it that only name a place in the document.
BY_ITSELF = re.compile(rb"/(?:OpenAction|AA)(?![A-Za-z0-9_.\-])" + GAP)
PLACE = re.compile(rb"/(?:D|SD|T|State)(?![A-Za-z0-9])" + GAP + rb"(?:\[[^\[\]]*\]|" + NUMBERS + rb"R)")
REFERENCE = re.compile(NUMBERS + rb"R(?![A-Za-z0-9])")
ACTS_OUTSIDE = re.compile(
    rb"/S" + GAP + rb"/(?!(?:GoTo|Named|Hide|SetOCGState|Trans|GoTo3DView)(?![A-Za-z0-9]))([A-Za-z0-9]+)"
)
NUMBERED = re.compile(rb"(?<!\d)" + NUMBERS + rb"obj\b")
FIRST = re.compile(rb"/First\s+(\d{1,9})")
BLANKS = b"\x00\t\n\x0c\r "
LONGEST_ACTION, FOLLOWED, MOST_ACTIONS = 8_192, 6, 1_000  # bytes; actions in a row; actions in all
WRITTEN_OUT = re.compile(rb"#([0-9A-Fa-f]{2})")
STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
# The name of what packs objects, each letter of it as it stands or written out.
OBJECT_STREAM = re.compile(
    b"/" + b"".join(b"(?:%c|#%02X|#%02x)" % (letter, letter, letter) for letter in b"ObjStm")
)
ONE_STREAM, ALL_STREAMS = 16 * 1024 * 1024, 64 * 1024 * 1024  # unpacked bytes of object streams
MOST_STREAMS = 20_000  # places where object streams may begin; a large document has some thousand
FAR_FROM_NAME = 20_000  # bytes around its name in which a stream says where its first object begins
CANNOT = "Print the PDF to a new PDF and send the new PDF."
TOO_MUCH = f"The unpacked PDF is much larger than a PDF may be. {CANNOT}"


class Packed(NamedTuple):
    """A stream of objects, unpacked: as it is, with its names undone, and where its first object begins."""

    text: bytes
    plain: bytes
    first: int


def check(content: bytes) -> None:
    """Refuse what is not one plain document."""
    if END not in content[-TAIL:]:
        raise NotTaken(f"The PDF is damaged, or the file contains extra data after the PDF. {CANNOT}")
    not_two_in_one(content, "PDF")
    plain = _look(content)
    unpacked, whole = 0, memoryview(content)
    packed: list[Packed] = []
    for places, first in _object_streams(content):
        texts = [_unpack(whole[place : place + ONE_STREAM]) for place in places]
        unpacked += sum(len(text) for text in texts if text is not None)
        if unpacked > ALL_STREAMS:
            raise NotTaken(TOO_MUCH)
        packed += [Packed(text or b"", _look(text or b""), first) for text in texts]
        if None in texts:
            raise NotTaken(f"The PDF is packed or protected in a way that cannot be checked. {CANNOT}")
    _look_at_actions(plain, packed)


def _look(text: bytes) -> bytes:
    """Refuse the names that make a PDF act, however they are written. Returns the text with its names undone."""
    plain = WRITTEN_OUT.sub(_written, text) if b"#" in text else text
    found = FOUND.search(plain)
    if found:
        raise NotTaken(f"The PDF {FORBIDDEN[found[1]]}. {CANNOT}")
    if len(list(islice(COMMENTED.finditer(plain), MOST_COMMENTED + 1))) > MOST_COMMENTED:
        raise NotTaken(
            f"The links and actions of the PDF are written in a way that cannot be checked. {CANNOT}"
        )
    if CARRIED.search(plain):
        raise NotTaken(f"The PDF {FORBIDDEN[b'EmbeddedFile']}. {CANNOT}")
    if WRITTEN_ELSEWHERE.search(plain):
        raise NotTaken(
            f"The links and actions of the PDF are written in a way that cannot be checked. {CANNOT}"
        )
    _look_at_addresses(plain)
    return plain


def _look_at_addresses(plain: bytes) -> None:
    encrypted = ENCRYPTED.search(plain)
    for count, name in enumerate(ADDRESS.finditer(plain)):
        written = plain[name.end() : name.end() + LONGEST_ADDRESS]
        address = _string(written)
        if len(address.strip()) < TELLING and not re.search(
            rb"[)>]", written
        ):  # filled up with what is not seen
            raise NotTaken(f"The links of the PDF are written in a way that cannot be checked. {CANNOT}")
        link = name[1] in (b"URI", b"Base")
        if count > MOST_ADDRESSES or (link and encrypted):
            raise NotTaken(f"The PDF is protected or too large, so its links cannot be checked. {CANNOT}")
        if far_link(address) or (not link and ELSEWHERE.match(address)):
            what = "has a link to a file, a network folder or a program" if link else "opens other files"
            raise NotTaken(f"The PDF {what}: {named(address)}. Remove the link. {CANNOT}")


def _string(text: bytes) -> str:
    """Return the string at the start of a text, in brackets or as digits. It may be cut off."""
    if text.startswith(b"<"):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", text.partition(b">")[0])
        found = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    else:
        found = ESCAPED.sub(_letter, re.split(rb"(?<!\\)\)", text[1:], maxsplit=1)[0])
    if found.startswith((b"\xfe\xff", b"\xff\xfe")):
        return found.decode("utf-16", "replace")
    return found.decode("latin-1")


def _letter(found: re.Match) -> bytes:
    octal, line, letter = found.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    return b"" if line else LETTERS.get(letter, letter)


def _look_at_actions(plain: bytes, packed: list[Packed]) -> None:
    """Refuse a document that leaves itself when it, or a page of it, is opened: what happens without a click."""
    places = (
        (text, at.end())
        for text in (plain, *(stream.plain for stream in packed))
        for at in BY_ITSELF.finditer(text)
    )
    found = [text[at : at + LONGEST_ACTION] for text, at in islice(places, MOST_ACTIONS + 1)]
    seen: set[bytes] = set()
    for _ in range(FOLLOWED):
        if not found:
            return
        if len(found) > MOST_ACTIONS:
            raise NotTaken(f"The PDF has too many automatic actions to check. {CANNOT}")
        wanted: set[bytes] = set()
        for text in found:
            action = PLACE.sub(b"", _value(text))
            if acts := ACTS_OUTSIDE.search(action):
                raise NotTaken(
                    f"The PDF starts an action when it is opened: {named(acts[1].decode())}. {CANNOT}"
                )
            wanted |= {number.lstrip(b"0") for number in REFERENCE.findall(action)}
        seen |= (wanted := wanted - seen)
        there = [
            *_objects(plain, wanted),
            *(one for stream in packed for one in _packed_objects(stream, wanted)),
        ]
        if wanted - {number for number, _ in there}:
            raise NotTaken(f"The PDF refers to an action that it does not contain. {CANNOT}")
        found = [text for _, text in there]
    raise NotTaken(f"The PDF has too many automatic actions to check. {CANNOT}")


def _value(text: bytes) -> bytes:
    """The value that a text begins with: a dictionary to its end, a reference, or nothing that acts."""
    if not text.startswith(b"<<"):
        return text[:24] if REFERENCE.match(text) else b""
    deep = 0
    for mark in re.finditer(rb"<<|>>", text):
        deep += 1 if mark[0] == b"<<" else -1
        if not deep:
            return text[: mark.end()]
    return text


def _objects(plain: bytes, wanted: set[bytes]):
    """Numbers and texts of these objects, as far as an action goes, wherever they are written."""
    for name in NUMBERED.finditer(plain) if wanted else ():
        if name[1].lstrip(b"0") in wanted:
            yield name[1].lstrip(b"0"), plain[name.end() : name.end() + LONGEST_ACTION].lstrip(BLANKS)


def _packed_objects(stream: Packed, wanted: set[bytes]):
    """Numbers and texts of these objects in an unpacked stream, which begins with numbers and places."""
    numbers = stream.text[: stream.first].split() if wanted else []
    for number, place in zip(numbers[::2], numbers[1::2], strict=False):
        if number.lstrip(b"0") in wanted and place.isdigit() and len(place) < 10:
            begins = stream.first + int(place)
            text = stream.text[begins : begins + LONGEST_ACTION]
            yield number.lstrip(b"0"), WRITTEN_OUT.sub(_written, text).lstrip(BLANKS)


def _object_streams(content: bytes):
    """For each stream of objects all places where it may begin, and where its first object does.

    It begins after its name, up to where another object begins.
    """
    names = [found.span() for found in islice(OBJECT_STREAM.finditer(content), MOST_STREAMS + 1)]
    if not names:
        return
    objects = array("Q", (found.start() for found in OBJECT.finditer(content)))
    streams = array("Q", (found.end() for found in STREAM.finditer(content)))
    looked = 0
    for start, end in names:
        after = bisect(objects, end)
        first, last = (
            bisect(streams, end),
            bisect(streams, objects[after] if after < len(objects) else len(content)),
        )
        looked += max(1, last - first)
        if looked > MOST_STREAMS:
            raise NotTaken(TOO_MUCH)
        if places := streams[first:last]:
            near = content[max(0, start - FAR_FROM_NAME) : min(places[0], end + FAR_FROM_NAME)]
            firsts = FIRST.findall(WRITTEN_OUT.sub(_written, near[near.rfind(b"obj") + 1 :]))
            yield places, int(firsts[-1]) if firsts else 0


def _written(found: re.Match) -> bytes:
    return bytes([int(found[1], 16)])


def _unpack(packed) -> bytes | None:
    """Return an unpacked stream, or None if it is not packed in the usual way. Raises NotTaken for a bomb."""
    engine = zlib.decompressobj()
    try:
        text = engine.decompress(packed, ONE_STREAM)
    except zlib.error:
        return None
    if engine.unconsumed_tail:
        raise NotTaken(TOO_MUCH)
    return text
