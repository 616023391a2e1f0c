"""A file as a table. The reader of inventories reads csv and xlsx, `openapi` documents."""

from governance.tables.encodings import wrong
from governance.tables.reader import Table, read_table
from initiatives.portfolio.imports.systems.openapi import is_document, read_document

LONGEST_HEADER = 200  # characters; every row carries its headers
MOST_TEXT = 20_000_000  # characters in all cells together


def read(content: bytes, kind: str, encoding: str = "") -> Table:
    """Return the table in a file.

    Raises CodePageUnsure if someone must choose the code page. Raises ValidationError (on "file" or "encoding") if the
    file cannot be read, is too large, or was made to explode.
    """
    if is_document(content):
        return read_document(content, kind)
    table = read_table(content, encoding=encoding)
    longest = max(table.columns, key=len)
    if len(longest) > LONGEST_HEADER:
        raise wrong(
            f"The header “{longest[:40]}…” has {len(longest)} characters. Put the names of the columns "
            "in one row directly above the data."
        )
    if sum(len(cell) for line in table.lines for cell in line.cells.values()) > MOST_TEXT:
        raise wrong(
            "The cells of the table contain far too much text for names and purposes. Leave columns out."
        )
    return table
