"""Office and PDF files that call out when they are opened are refused in words; honest ones with links are taken."""

import contextlib
import io
import time
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance.files import NotTaken, far_link, office, pdf
from governance.files.office_parts import STEPS
from governance.files.upload_policy import TYPES, check_file
from tests.support.input import calling_out, hostile_files
from tests.support.input.hostile_files import KEPT, RELS
from tests.support.paths import FAULTY_FILES

FILES = calling_out.files()
W = calling_out.W


def test_there_are_enough_of_them():
    assert sum(file.verdict == hostile_files.REFUSED for file in FILES) >= 75
    assert {file.name.rpartition(".")[2] for file in FILES} == {"docx", "xlsx", "pptx", "odt", "pdf"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.what)
def test_each_is_refused_in_words_that_say_what_and_what_to_do(file):
    if file.verdict == KEPT:
        assert check_file(ContentFile(file.content, file.name))
        return
    with pytest.raises(ValidationError) as refusal:
        check_file(ContentFile(file.content, file.name))
    said = " ".join(refusal.value.messages)
    assert file.words in said
    assert any(
        how in said
        for how in (
            *("Break the links", "Remove the link", "Print the PDF", "as PDF and send the PDF"),
            "a PDF instead",
        )
    )


def test_a_refusal_names_the_part_and_the_address():
    content = hostile_files.office(
        parts={"word/_rels/document.xml.rels": RELS.format("oleObject", calling_out.SHARE)}
    )
    with pytest.raises(NotTaken) as why:
        office.check(io.BytesIO(content), "docx")
    assert str(why.value) == (
        "The document loads parts from elsewhere when it is opened: oleObject “\\\\evil.example\\share\\a” (in "
        "“word/_rels/document.xml.rels”). Break the links of the document (File, Info, Edit links), "
        "or send a PDF of the document."
    )


def test_a_document_of_a_house_template_is_refused_with_the_step_that_works():
    content = (FAULTY_FILES / "15-house-template" / "08-template.docx").read_bytes()
    with pytest.raises(NotTaken) as why:
        office.check(io.BytesIO(content), "docx")
    assert "letterhead.dotx" in str(why.value)
    assert str(why.value).endswith(STEPS["attachedTemplate"])


@pytest.mark.parametrize(
    ("target", "far"),
    [
        ("https://example.org/a?b=file:x", False),
        ("mailto:a@b.example", False),
        ("#chapter", False),
        ("annex.docx", False),
        ("\u200bfile:///a", True),
        ("f\tile:///a", True),
        ("\\/server/a", True),
        ("ms-word:ofe|u|https://a", True),
    ],
)
def test_which_links_lead_to_a_file_or_a_program(target, far):
    assert far_link(target) is far


# --- Honest files ------------------------------------------------------------------------------------------------


def _workbook() -> bytes:
    from openpyxl import Workbook
    from openpyxl.chart import BarChart, Reference
    from openpyxl.comments import Comment
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.workbook.defined_name import DefinedName
    from openpyxl.worksheet.datavalidation import DataValidation

    workbook = Workbook()
    sheet = workbook.active
    sheet.append(["Week", "Hours", "Note | sum"])
    for row in range(2, 9):
        sheet.append(
            [
                row,
                row * 2,
                f'=IF(B{row}>4,"a|b (CALL(1))","see [a.xlsx]")' if row == 3 else f"=SUM(B2:B{row})",
            ]
        )
    sheet["D2"].hyperlink = "https://example.org/"
    sheet["D3"] = '=HYPERLINK("https://example.org/","here")'
    sheet["D4"] = "='My sheet'!A1"
    sheet["A1"].comment = Comment("Said by whom?", "A")
    workbook.create_sheet("My sheet")["A1"] = 1
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=8), titles_from_data=True)
    sheet.add_chart(chart, "F2")
    sheet.conditional_formatting.add("B2:B8", FormulaRule(formula=["$B2>4"]))
    check = DataValidation(type="list", formula1='"Yes,No"')
    sheet.add_data_validation(check)
    workbook.defined_names["All"] = DefinedName("All", attr_text="Sheet!$A$1:$B$8")
    made = io.BytesIO()
    workbook.save(made)
    return made.getvalue()


def _report(*, packed: bool) -> bytes:
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    made = io.BytesIO()
    page = Canvas(made, pagesize=A4, pageCompression=packed, pdfVersion=(1, 5))
    for number in range(3):
        page.bookmarkPage(f"p{number}")
        page.addOutlineEntry(f"Chapter {number}", f"p{number}")
        page.drawString(
            100, 700, "See the web page, or write to us: C:\\reports\\a and \\\\server\\a stand in the text."
        )
        page.linkURL("https://example.org/a_(b)?c=1", (100, 690, 200, 710))
        page.linkURL("mailto:a@example.org", (100, 650, 200, 670))
        page.linkRect("", "p0", (100, 600, 200, 620))
        page.showPage()
    page.showOutline()
    page.save()
    return made.getvalue()


def _letter() -> bytes:
    field = (
        '<w:p><w:fldSimple w:instr=" PAGE "/><w:fldChar w:fldCharType="begin"/><w:instrText> TOC \\o "1-3" \\h'
        '</w:instrText><w:fldChar w:fldCharType="separate"/><w:fldChar w:fldCharType="begin"/><w:instrText> HYPERLINK'
        '</w:instrText><w:instrText> \\l "_Toc1" </w:instrText><w:fldChar w:fldCharType="end"/>'
        '<w:fldChar w:fldCharType="end"/><w:fldChar w:fldCharType="begin"/><w:instrText> IF </w:instrText>'
        '<w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText><w:fldChar w:fldCharType="end"/>'
        '<w:instrText> = 1 "Linked data are imported." </w:instrText><w:fldChar w:fldCharType="end"/></w:p>'
        "<w:p>The word DDEAUTO, WEBSERVICE(1) and file:///C:/a stand in the text.</w:p>"
    )
    rels = RELS.format("hyperlink", "https://example.org/").replace(
        "</Relationships>",
        '<Relationship Id="r2" Type="http://a/image" Target="media/image1.png"/>'
        '<Relationship Id="r3" Type="http://a/package" Target="embeddings/a.xlsx"/></Relationships>',
    )
    return hostile_files.office(
        parts={
            "word/document.xml": W.format(field + '<v:shape href="https://example.org/"/>'),
            "word/_rels/document.xml.rels": rels,
            "word/media/image1.png": hostile_files.png(),
            "word/embeddings/a.xlsx": _workbook(),
        }
    )


def _text() -> bytes:
    content = (
        '<office xmlns:xlink="x" xmlns:table="t"><a xlink:href="https://example.org/">x</a><a xlink:href="#one"/>'
        '<image xlink:href="Pictures/a.png"/><object xlink:href="./Object 1"/>'
        '<cell table:formula="of:=SUM([.A1:.A2])+{1;2|3;4}"/></office>'
    )
    meta = '<office xmlns:xlink="x"><template xlink:href="../../Templates/letter.ott"/></office>'
    return hostile_files.office(
        "odt", {"content.xml": content, "meta.xml": meta, "Pictures/a.png": hostile_files.png()}
    )


def _goto() -> bytes:
    action = b"9 0 << /S /GoTo /D [3 0 R /Fit] >>"
    stream = hostile_files.packed(zlib.compress(action)).replace(b"/First 4", b"/First 4 ")
    parts = (b"<< /OpenAction 9 0 R /AA << >> >>", b"<< /OpenAction [3 0 R /XYZ null null 0] >>", stream)
    return hostile_files.pdf(*parts, b"<< /S /URI /URI (https://example.org/) >>")


HONEST = {
    "a workbook with links, a chart, rules and comments": ("xlsx", _workbook),
    "a report with links": ("pdf", lambda: _report(packed=False)),
    "a packed report with links": ("pdf", lambda: _report(packed=True)),
    "a report that opens at its first page": ("pdf", _goto),
    "a letter with fields, links and a workbook": ("docx", _letter),
    "a text with links": ("odt", _text),
    "slides with a link": (
        "pptx",
        lambda: hostile_files.office(
            "pptx",
            {
                "ppt/slides/_rels/slide1.xml.rels": RELS.format("hyperlink", "https://example.org/"),
                "ppt/slides/slide1.xml": '<s><a action="ppaction://hlinksldjump"/></s>',
                "ppt/media/a.svg": '<svg xmlns:xlink="x"><use xlink:href="#a"/><image href="data:image/png,A"/></svg>',
            },
        ),
    ),
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_files_are_taken(what):
    ending, made = HONEST[what]
    assert check_file(ContentFile(made(), f"report.{ending}")) == TYPES[ending][0]


# --- What looking costs ------------------------------------------------------------------------------------------

END = b"\n%%EOF\n"
GROWING = {
    "names of packed objects": lambda size: b"/ObjStm" * (size // 7),
    "names of packed objects, each with a stream": lambda size: b"/ObjStm stream\n" * (size // 15),
    "names of files before comments": lambda size: b"/EF%" * (size // 4),
    "names of files": lambda size: b"/F(" * (size // 3),
    "strings without an end": lambda size: b"/URI(\\\\" * (size // 7),
    "numbers of objects": lambda size: b"1 0 obj" * (size // 7),
    "digits": lambda size: b"1 " * (size // 2),
    "blanks after a name": lambda size: b"/URI" + b" " * size,
    "actions": lambda size: b"/AA<<" * (size // 5),
    "names written out": lambda size: b"#41" * (size // 3),
}


@pytest.mark.parametrize("what", GROWING)
def test_looking_at_a_pdf_grows_with_its_length_alone(what):
    """Eight times the length costs at most twenty times the time: a look that grows with the square costs 64 times."""

    def cost(size: int) -> float:
        content = b"%PDF-1.7\n" + GROWING[what](size) + END
        began = time.process_time()
        with contextlib.suppress(NotTaken):
            pdf.check(content)
        return time.process_time() - began

    small = min(cost(50_000) for _ in range(3))
    assert cost(400_000) < 20 * small + 0.1


BODIES = {
    "elements": lambda size: "<w:p/>" * size,
    "runs of one field": lambda size: (
        '<w:fldChar w:fldCharType="begin"/>' + "<w:instrText>x</w:instrText>" * size
    ),
    "fields": lambda size: calling_out._runs("PAGE") * size,
    "formulas": lambda size: "<f>'a'&amp;\"b\"</f>" * size,
    "one formula": lambda size: "<f>" + "'" * size + "</f>",
    "drawings": lambda size: '<v:imagedata src="a.png"/>' * size,
}


@pytest.mark.parametrize("what", BODIES)
def test_looking_at_a_document_grows_with_its_parts_alone(what):
    """As of a PDF."""

    def cost(size: int) -> float:
        content = hostile_files.office(parts={"word/document.xml": W.format(BODIES[what](size))})
        began = time.process_time()
        with contextlib.suppress(NotTaken):
            office.check(io.BytesIO(content), "docx")
        return time.process_time() - began

    small = min(cost(2_000) for _ in range(3))
    assert cost(16_000) < 20 * small + 0.1


def test_documents_in_documents_unpack_within_one_bound(monkeypatch):
    monkeypatch.setattr(office, "UNPACKED_LIMIT", 50_000)
    inside = hostile_files.office("xlsx", {"xl/worksheets/s.xml": f"<a>{' ' * 30_000}</a>"})
    office.check(io.BytesIO(hostile_files.office(parts={"word/embeddings/a.xlsx": inside})), "docx")
    twice = {f"word/embeddings/{name}.xlsx": inside for name in "ab"}
    with pytest.raises(NotTaken, match="much larger"):
        office.check(io.BytesIO(hostile_files.office(parts=twice)), "docx")


def test_so_many_elements_are_looked_at_and_no_more(monkeypatch):
    monkeypatch.setattr("governance.files.office_parts.MOST_ELEMENTS", 1_000)
    with pytest.raises(NotTaken, match="much larger"):
        office.check(io.BytesIO(hostile_files.office(parts={"word/a.xml": W.format("<a/>" * 1_001)})), "docx")
