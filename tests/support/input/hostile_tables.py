"""Tables that somebody hostile, or a broken program, would send.

Each with what must be said of it. Made small and packed: what they would become is the trouble.
"""

import io
import struct
import zipfile
from dataclasses import dataclass

SPREADSHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEADER = "<row>" + "".join(f'<c t="inlineStr"><is><t>{n}</t></is></c>' for n in ("Name", "Kind")) + "</row>"
VALUE = '<c t="s"><v>0</v></c>'  # the first of the shared strings
ROW = HEADER.replace("Name", "Share").replace("Kind", "wiki")


@dataclass(frozen=True)
class Bad:
    """One file: what it is, its name and bytes, and words of the refusal."""

    what: str
    name: str
    content: bytes
    words: str


def workbook(sheet: str = f"{HEADER}{ROW}", strings: str = "", extra: dict | None = None) -> bytes:
    """An xlsx file of one sheet with these rows and shared strings."""
    types = "".join(
        f'<Override PartName="/xl/{part}.xml"'
        f' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
        for part, kind in (
            ("workbook", "sheet.main"),
            ("worksheets/sheet1", "worksheet"),
            ("sharedStrings", "sharedStrings"),
        )
    )
    rels = "".join(
        f'<Relationship Id="r{place}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(
            (("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
        )
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1"'
        f' Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {SPREADSHEET} xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Table" sheetId="1" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{rels}</Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {SPREADSHEET}><sheetData>{sheet}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f"<sst {SPREADSHEET}>{strings}</sst>",
    } | (extra or {})
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made.getvalue()


def far_cell(column: str, row: int) -> str:
    """A row with one cell, far from all others."""
    return f'<row r="{row}"><c r="{column}{row}" t="inlineStr"><is><t>far</t></is></c></row>'


def lying(sheet: str) -> bytes:
    """A workbook whose directory says that its sheet is of a hundred bytes."""
    made = bytearray(workbook(sheet))
    entry = made.rfind(b"PK\x01\x02", 0, made.rfind(b"xl/worksheets/sheet1.xml"))
    made[entry + 24 : entry + 28] = struct.pack("<I", 100)
    return bytes(made)


def files() -> list[Bad]:
    """All of them."""
    return [*_workbooks(), *_tables()]


def _workbooks() -> list[Bad]:
    far, packed, unread = "holds far more data than its rows", "unpacks to far more", "cannot be read"
    fine = workbook()
    bomb = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>"
    found = [
        ("a bomb of zeros", workbook(extra={"xl/media/a.xml": "0" * 320_000_000}), packed),
        ("rows without end", workbook(HEADER + "<row/>" * 4_000_000), packed),
        (
            "cells without end",
            workbook(f"{HEADER}<row>{'<c/>' * 2_000_000}</row>"),
            "No sheet of the workbook",
        ),
        ("strings without end", workbook(strings="<si><t/></si>" * 3_000_000), packed),
        ("styles without end", workbook(extra={"xl/styles.xml": "<xf/>" * 2_000_000}), packed),
        ("a cell in each corner", workbook(HEADER + far_cell("XFD", 1_048_576)), far),
        ("a cell far to the right", workbook(HEADER + far_cell("XFD", 2)), "The table is too large"),
        ("a cell where no sheet has one", workbook(HEADER + far_cell("AAAAAAA", 99_999_999_999)), unread),
        (
            "a book in every cell",
            workbook(
                HEADER + f"<row>{VALUE * 400}</row>" * 200,
                f"<si><t>{'x' * 150_000}</t></si><si><t>{'x' * 150_000}</t></si>",
            ),
            far,
        ),
        (
            "a book in every cell of a row",
            workbook(HEADER + f"<row>{VALUE * 400}</row>", f"<si><t>{'x' * 150_000}</t></si>"),
            "contain too much text",
        ),
        ("parts without end", workbook(extra={f"xl/media/{n}": "" for n in range(5_000)}), packed),
        ("a lie about its size", lying(HEADER + "<row><c><v>1</v></c></row>" * 300_000), unread),
        (
            "a cell as large as a book",
            workbook(HEADER + ROW.replace("wiki", "x" * 5_000_000)),
            "A cell has more",
        ),
        ("a cell that is too long", workbook(HEADER + ROW.replace("wiki", "x" * 300_000)), "A cell has more"),
        ("laughs", workbook(extra={"xl/sharedStrings.xml": bomb}), unread),
        ("cut off", fine[:-40], "damaged"),
        ("half", fine[: len(fine) // 2], "damaged"),
        ("sheets that are no sheets", workbook(extra={"xl/worksheets/sheet1.xml": "<oh"}), "cannot be read"),
    ]
    return [Bad(what, "table.xlsx", content, words) for what, content, words in found]


def _tables() -> list[Bad]:
    large = "The table is too large"
    found = [
        ("a million columns", ",".join(f"c{n}" for n in range(1_000_000)).encode() + b"\n1\n", large),
        ("a million rows", b"Name,Kind\n" + b"a,b\n" * 1_000_000, large),
        ("a cell without end", b"Name,Kind\na," + b"x" * 5_000_000, "cannot be read"),
        ("a quotation that never ends", b'Name,Kind\na,"' + b"x,y\n" * 500_000, "closing mark"),
        ("bytes", bytes(range(256)) * 50, "not text"),
        ("a lie about Unicode", b"\xff\xfeN\x00a\x00m\x00e\x00\xd8", "bytes are damaged"),
        ("nothing", b"", "empty"),
        ("one line", b"Name,Kind\n", "no rows below"),
        ("a PDF", b"%PDF-1.7\n", "PDF"),
        ("a page", b"<html><body>Name,Kind</body></html>", "web page"),
    ]
    return [Bad(what, "table.csv", content, words) for what, content, words in found]
