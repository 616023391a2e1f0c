"""Previews of evidence files, by their content and never by their name.

Text and tables become escaped words of the page itself, within limits. Pictures and PDFs go to the browser as they
are, but only when their content passes the same look as an upload, and under a policy that lets them run nothing.
"""

import html
import io
from dataclasses import dataclass

import nh3

from governance.files import NotTaken, pdf, pictures, plain_text
from governance.tables.delimited import BrokenRow, delimiter_of, rows_of
from governance.vocabulary.readable_text import shown

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
TABLE = "text/csv"
AS_TEXT = ("text/plain", "application/json", TABLE)
MAX_BYTES = 512 * 1024  # of a text or table; what follows is not read
MAX_LINES = 3_000
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 200, 30, 300


@dataclass(frozen=True)
class Words:
    """A text as it is shown, and whether the file goes on."""

    text: str
    cut: bool


@dataclass(frozen=True)
class Table:
    """A table as it is shown: its first row, the rows below, and whether the file has more."""

    head: list[str]
    rows: list[list[str]]
    cut: bool


def offered(content_type: str) -> bool:
    """Return True if a page offers a preview of this type. The content decides if the preview shows."""
    return content_type in (PDF, PNG, JPEG, *AS_TEXT)


def sent_as(content: bytes) -> str:
    """Return the type under which a browser may get this content unchanged, or ""."""
    for start, content_type, check in (
        (pictures.PNG, PNG, pictures.check_png),
        (pictures.JPEG, JPEG, pictures.check_jpeg),
        (pdf.START, PDF, pdf.check),
    ):
        if content.startswith(start):
            try:
                check(content)
            except NotTaken:
                return ""
            return content_type
    return ""


def told(content: bytes, content_type: str, *, captured: bool = False) -> Words | Table | None:
    """Return the text or table to show, or None if the content is not plain text. `captured` may be a web page."""
    if content_type not in AS_TEXT:
        return None
    if captured and plain_text.is_text(content) and plain_text.looks_like_a_page(content):
        content, cut = _words_of_page(content), len(content) > MAX_BYTES
        return Words(shown("\n".join(content.splitlines()[:MAX_LINES])), cut)
    try:
        plain_text.check(content, "")
    except NotTaken:
        return None
    if content_type == TABLE:
        return _table(content)
    lines = _decoded(content).splitlines()
    return Words(shown("\n".join(lines[:MAX_LINES])), len(content) > MAX_BYTES or len(lines) > MAX_LINES)


def _table(content: bytes) -> Table:
    words = _decoded(content)
    rows, cut = [], len(content) > MAX_BYTES
    try:
        for _, row in rows_of(io.StringIO(words, newline=""), delimiter_of(words)):
            if len(rows) > MAX_ROWS:
                cut = True
                break
            cut = cut or len(row) > MAX_COLUMNS or any(len(cell) > MAX_CELL for cell in row)
            rows.append([shown(cell[:MAX_CELL]) for cell in row[:MAX_COLUMNS]])
    except BrokenRow:
        cut = True
    width = max(map(len, rows), default=0)
    rows = [row + [""] * (width - len(row)) for row in rows]
    return Table(rows[0] if rows else [], rows[1:], cut)


def _words_of_page(content: bytes) -> str:
    """Return the words of a captured web page, without its markup."""
    bare = nh3.clean(
        _decoded(content), tags=set(), clean_content_tags={"script", "style", "template", "svg", "math"}
    )
    lines = (" ".join(line.split()) for line in html.unescape(bare).splitlines())
    return "\n".join(line for line in lines if line)


def _decoded(content: bytes) -> str:
    """The beginning as text: UTF-8, or where it is not, the code page that most old programs of offices wrote."""
    head = content[:MAX_BYTES]
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        if len(content) > MAX_BYTES and wrong.start > len(head) - 4:
            return head[: wrong.start].decode("utf-8-sig")  # cut in the middle of a letter
        return head.decode("cp1252", "replace")
