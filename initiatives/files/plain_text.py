"""Text: what people read as it stands. Not a web page or a script that was given another name."""

import codecs

from governance.tables.encodings import is_text, looks_like_a_page
from initiatives.files import NotTaken


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
