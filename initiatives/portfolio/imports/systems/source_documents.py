"""A file as a table: csv and xlsx by the reader of the inventories, OpenAPI documents by their own."""

from governance.tables.encodings import wrong
from governance.tables.reader import Table, read_table
from initiatives.portfolio.imports.systems.openapi import is_document, read_document

LONGEST_HEADER = 200  # characters; every row carries its headers
MOST_TEXT = 20_000_000  # characters in all cells together


def read(content: bytes, kind: str, encoding: str = "") -> Table:
    """The table that a file holds.

    Raises CodePageUnsure when somebody must choose the code page, ValidationError (on "file" or "encoding") for what
    cannot be read, is too large, or was made to explode.
    """
    if is_document(content):
        return read_document(content, kind)
    table = read_table(content, encoding=encoding)
    longest = max(table.columns, key=len)
    if len(longest) > LONGEST_HEADER:
        raise wrong(
            f"The header “{longest[:40]}…” is {len(longest)} characters long. "
            "The table needs one row with the names of its columns, above its rows."
        )
    if sum(len(cell) for line in table.lines for cell in line.cells.values()) > MOST_TEXT:
        raise wrong(
            "The cells of the table hold far more text than names and purposes need. Leave columns out."
        )
    return table
