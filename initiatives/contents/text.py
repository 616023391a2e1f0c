"""Text: what people read as it stands. Not a web page or a script that was given another name."""

import codecs
import re

from initiatives.contents import NotTaken

# How what is no plain text begins, after spaces and a byte order mark.
OTHER = re.compile(
    rb"(?:<\s*(?:!doctype|html|head|body|script|iframe|svg|object|embed|math)\b|<\?(?:php|xml)|<%|#!|\{\\rtf|%!PS|%PDF-"
    rb"|@echo\b|\x7fELF|MSCF|Rar!|GIF8|PK\x03\x04|RIFF|\xd0\xcf\x11\xe0|\xca\xfe\xba\xbe)",
    re.IGNORECASE,
)
LOOKED_AT = 65_536  # bytes
# Control characters that no text has; escape and form feed stand in logs.
CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
FEW, MOST_CONTROL = 4, 0.005  # a terminal's title or bell, and their share in what is longer


def is_text(content: bytes) -> bool:
    """Whether these bytes are text of some kind, a page or a script perhaps."""
    head = content[:LOOKED_AT]
    return b"\x00" not in content and len(CONTROL.findall(head)) <= FEW + MOST_CONTROL * len(head)


def looks_like_a_page(content: bytes) -> bool:
    """Whether a text begins like a web page."""
    return bool(OTHER.match(content[:LOOKED_AT].removeprefix(codecs.BOM_UTF8).lstrip()))


def check(content: bytes, extension: str) -> None:
    """Refuse what is not text, or is a page or script under another name."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NotTaken("The text is in UTF-16; save it as UTF-8 and send that.")
    if not is_text(content):
        raise NotTaken(f"The content is not text, although it is named .{extension}.")
    if looks_like_a_page(content):
        raise NotTaken(
            f"The content is a web page, a script or another kind of file, although it is named .{extension}. "
            "Save what it shows as PDF and send that."
        )
