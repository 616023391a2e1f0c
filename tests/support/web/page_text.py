"""Pages as tests read them: without the white space that a browser shows as nothing.

How a template is laid out over lines is nobody's claim; a test that looks for a sentence or for a piece of markup
must not fall because a line ends in it.
"""

import re
from functools import wraps

from django.test import Client

_BLOCKS = (
    "html|head|body|title|meta|link|header|main|nav|section|article|aside|footer|div|p|h[1-6]|ul|ol|li|dl|dt|dd|"
    "table|thead|tbody|tr|th|td|caption|form|fieldset|legend|details|summary|blockquote|figure|figcaption|br|hr|option"
)
_KEPT = re.compile(
    rb"(<(?:pre|textarea|script|style)\b.*?</(?:pre|textarea|script|style)>|<p class=\"text\"[^>]*>.*?</p>)",
    re.S,
)
_BESIDE_BLOCKS = re.compile(rf" ?(</?(?:{_BLOCKS})\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*>) ?".encode())
_IN_LINKS = re.compile(rb"(<a\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*>) | (</a>)")


def collapsed(page: bytes) -> bytes:
    """The page with runs of white space as one space, and none beside block elements or at the edges of a link."""
    parts = _KEPT.split(page)
    for place in range(0, len(parts), 2):
        words = _BESIDE_BLOCKS.sub(rb"\1", re.sub(rb"\s+", b" ", parts[place]))
        parts[place] = _IN_LINKS.sub(lambda edge: edge[1] or edge[2], words)
    return b"".join(parts)


def install() -> None:
    """From here on the test client answers with collapsed pages.

    Files that are downloaded, and what is compressed, stay as they are.
    """
    plain = Client.request

    @wraps(plain)
    def request(self, **kwargs):
        response = plain(self, **kwargs)
        is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        if is_page and not {"Content-Disposition", "Content-Encoding"} & {*response.headers}:
            response.content = collapsed(response.content)
        return response

    Client.request = request
