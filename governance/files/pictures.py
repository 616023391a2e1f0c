"""PNG and JPEG: whole, of one picture, and of a size that a browser can hold."""

import struct
import zlib

from governance.files import NotTaken, not_two_in_one

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MAX_PIXELS = 100_000_000  # unpacked, some 400 MB in the browser of every reader
MAX_SIDE = 30_000  # pixels
DAMAGED = "The picture is damaged. Save the picture again and send the new file."
# Frames of a JPEG that tell its size: all "start of frame" markers.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length


def check_png(content: bytes) -> None:
    """Refuse a PNG with a broken chunk, data after its end, animation or a large size."""
    at, seen = len(PNG), []
    while at < len(content):
        if at + 12 > len(content):
            raise NotTaken(DAMAGED)
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise NotTaken(DAMAGED)
        body = content[at + 8 : end - 4]
        if zlib.crc32(name + body) != struct.unpack_from(">I", content, end - 4)[0]:
            raise NotTaken(DAMAGED)
        if not seen:
            if name != b"IHDR" or length != 13:
                raise NotTaken(DAMAGED)
            _bound(*struct.unpack_from(">II", body))
        if name == b"acTL":
            raise NotTaken("The picture is animated. Send a still picture.")
        seen.append(name)
        at = end
        if name == b"IEND":
            break
    if not seen or seen[-1] != b"IEND" or b"IDAT" not in seen:
        raise NotTaken(DAMAGED)
    if at != len(content):
        raise NotTaken(
            "The file contains extra data after the picture. Save the picture again and send the new file."
        )
    not_two_in_one(content, "picture")


def check_jpeg(content: bytes) -> None:
    """Refuse a JPEG with a broken segment before the image, a large size, or no end."""
    at, sized = 2, False
    while True:
        if at + 4 > len(content) or content[at] != 0xFF:
            raise NotTaken(DAMAGED)
        marker = content[at + 1]
        if marker == 0xFF or marker in ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if length < 2 or at + 2 + length > len(content):
            raise NotTaken(DAMAGED)
        if marker in FRAMES:
            if length < 8:
                raise NotTaken(DAMAGED)
            height, width = struct.unpack_from(">HH", content, at + 5)
            _bound(width, height)
            sized = True
        if marker == 0xDA:
            break
        at += 2 + length
    if not sized or b"\xff\xd9" not in content[at:]:
        raise NotTaken(DAMAGED)
    not_two_in_one(content, "picture")


def _bound(width: int, height: int) -> None:
    if not width or not height:
        raise NotTaken(DAMAGED)
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise NotTaken(f"The picture has {width:,} by {height:,} pixels. Send a smaller picture.")
