"""The pages of a pack as a PDF.

It has real text in a font with accents, an outline, and page numbers. The same words give the same bytes.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from adoption.meetings import board_pack
from governance import clock
from governance.vocabulary.readable_text import shown

FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
MARGIN = 16 * mm
INK, FAINT, LINE, WARN = (colors.HexColor(value) for value in ("#1a1f24", "#5a646e", "#c9d0d6", "#8a3b00"))
TOP_OF_PART = 8 * mm  # above its heading, where a reader that follows the outline begins
# What a heading wants below it on its page: itself, the head of its table and two rows; or itself and a sentence.
ROOM, ROOM_OF_FEW = 32 * mm, 18 * mm
LINES = 40  # of a row
UNKNOWN = "\u25a1"  # replaces a letter that the font lacks
WIDTHS = {
    2: (0.62, 0.38),
    3: (0.16, 0.54, 0.3),
    4: (0.4, 0.24, 0.18, 0.18),
    5: (0.24, 0.12, 0.15, 0.11, 0.38),
}


@cache
def _letters() -> frozenset[int]:
    """Register the fonts, and return the letters that both have."""
    found = []
    for name in (PLAIN, BOLD):
        font = TTFont(name, FONTS / f"{name}.ttf")
        pdfmetrics.registerFont(font)
        found.append(frozenset(font.face.charToGlyph))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return found[0] & found[1]


def lost(text: str) -> set[str]:
    """Return the letters of a text that the font lacks. A pack shows a box in their place."""
    return {letter for letter in text if ord(letter) not in _letters() and letter not in "\n\r\t"}


def _said(text: str) -> str:
    """Return a text as the library takes it: markup escaped, hidden characters spelled out, boxes for letters that
    the font does not have.
    """
    known = _letters()
    said = "".join(
        letter if ord(letter) in known or letter in "\n\r\t" else UNKNOWN for letter in shown(str(text))
    )
    return escape(said).replace("\n", "<br/>")


def _style(name: str, size: float, **options) -> ParagraphStyle:
    options.setdefault("fontName", PLAIN)
    options.setdefault("textColor", INK)
    return ParagraphStyle(name, fontSize=size, leading=size * 1.35, splitLongWords=1, **options)


TITLE = _style("title", 18, fontName=BOLD, spaceAfter=4 * mm)
HEADING = _style("heading", 14, fontName=BOLD, spaceAfter=2 * mm)
PART = _style("part", 10, fontName=BOLD, spaceBefore=4 * mm, spaceAfter=1.5 * mm)
TEXT = _style("text", 9)
CELL = _style("cell", 7.6)
HEAD = _style("head", 7.6, fontName=BOLD)
SOFT = _style("soft", 8, textColor=FAINT)
MARK = _style("mark", 10, fontName=BOLD, textColor=WARN, spaceAfter=2 * mm)


class _Begins(Flowable):
    """The beginning of a point or a part: its page head and its outline entry."""

    def __init__(self, key: str, outline: str, head: str = "", level: int = 0):
        super().__init__()
        self.key, self.outline, self.head, self.level = key, outline, head, level

    def wrap(self, width, height):
        """Return no size."""
        return 0, 0

    def draw(self):
        """Set the page's head and add the outline entry."""
        if self.head:
            self.canv.page_head = self.head
        self.canv.bookmarkHorizontal(self.key, 0, TOP_OF_PART)
        self.canv.addOutlineEntry(self.outline, self.key, level=self.level, closed=True)


class _Numbered(Canvas):
    """Pages that know their total number. They are written once all are laid out."""

    page_head = ""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._laid_out: list[dict] = []

    def showPage(self):
        """Keep the page until the last one is known."""
        self._laid_out.append(dict(self.__dict__))
        self._startPage()

    def save(self):
        """Write all pages, each with its head and its number."""
        self.showOutline()
        self.setViewerPreference("DisplayDocTitle", "true")
        for page in self._laid_out:
            self.__dict__.update(page)
            self.setFont(PLAIN, 7.5)
            self.setFillColor(FAINT)
            self.drawString(MARGIN, A4[1] - 10 * mm, self.page_head)
            self.drawRightString(A4[0] - MARGIN, 9 * mm, f"Page {self._pageNumber} of {len(self._laid_out)}")
            super().showPage()
        super().save()


def pdf(content: board_pack.Content) -> bytes:
    """Return the pack as bytes. The same content gives the same bytes."""
    _letters()
    out = BytesIO()
    subject = f"{content.board}, {content.held_on:%-d %B %Y}"
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=f"Board pack: {subject}",
        author="Plumbline",
        creator="Plumbline",
        subject=subject,
        lang="en",
        invariant=1,
    )
    frame = Frame(MARGIN, MARGIN, A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame])])
    document.build(_story(content, frame.width), canvasmaker=_Numbered)
    return out.getvalue()


def _story(content: board_pack.Content, width: float) -> list:
    subject = f"{content.board}, {content.held_on:%-d %B %Y}"
    local = content.made_at.astimezone(clock.midnight_before(clock.local_day(content.made_at)).tzinfo)
    story = [
        _Begins("agenda", "Agenda", _plain(subject)),
        Paragraph("Board pack", TITLE),
        Paragraph(_said(subject + (f", {content.place}" if content.place else "")), HEADING),
        Paragraph(
            f"Created on {local:%-d %B %Y} at {clock.hour_in_words(content.made_at)}. The pack shows the state of the "
            "audit log at that time.",
            SOFT,
        ),
        Paragraph("Agenda", PART),
        _table(
            board_pack.Table(
                "", ("", "Item", "Initiative", "Gate", "Now"), content.agenda, "The agenda is empty."
            ),
            width,
            (0.05, 0.35, 0.11, 0.22, 0.27),
        ),
    ]
    for number, initiative in enumerate(content.initiatives, start=1):
        if initiative.ref:  # a point in words has no more than its agenda line
            story += _initiative(number, initiative, width)
    story += [PageBreak(), *_record(content, width)]
    if any(lost(text) for text in _texts(content)):
        story.append(Paragraph(f"Characters that the font does not have are shown as {UNKNOWN}.", SOFT))
    return story


def _plain(text: str) -> str:
    return "".join(letter if ord(letter) in _letters() else UNKNOWN for letter in shown(text))


def _initiative(number: int, initiative: board_pack.InitiativePages, width: float) -> list:
    name = f"{initiative.ref} {initiative.title}".strip()
    marks = ", ".join(initiative.marks)
    approved = dict(initiative.facts).get("Approved stage", "")
    head = " · ".join(part for part in (name, approved, marks) if part)
    facts = board_pack.Table("", ("", ""), tuple(initiative.facts))
    parts = [
        PageBreak(),
        _Begins(f"point-{number}", _plain(name), _plain(head)[:120]),
        Paragraph(_said(f"{number}. {name}"), HEADING),
    ]
    if marks:
        parts.append(Paragraph(_said(marks[0].upper() + marks[1:]), MARK))
    parts.append(_table(facts, width, (0.2, 0.8), head=False))
    for place, table in enumerate(initiative.tables):
        body = _table(table, width)
        title = [
            _Begins(f"point-{number}-{place}", _plain(table.heading), level=1),
            Paragraph(_said(table.heading), PART),
        ]
        # A short table stays with its heading; a long one begins under it and goes on.
        short = len(table.rows) < 6
        parts += (
            [CondPageBreak(ROOM_OF_FEW), KeepTogether([*title, body])]
            if short
            else [
                CondPageBreak(ROOM),
                *title,
                body,
            ]
        )
    return parts


def _table(table: board_pack.Table, width: float, shares: tuple = (), *, head: bool = True):
    if not table.rows:
        return Paragraph(_said(table.none), TEXT)
    shares = shares or table.shares or WIDTHS[len(table.columns)]
    rows = [[Paragraph(_said(word), HEAD) for word in table.columns]] if head else []
    parts = [part for row in table.rows for part in _parts(row)]
    rows += [[Paragraph(_said(cell), CELL) for cell in part] for part in parts]
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2 * mm),
        ("TOPPADDING", (0, 0), (-1, -1), 1 * mm),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1 * mm),
    ]
    return Table(
        rows,
        colWidths=[width * share for share in shares],
        repeatRows=int(head),
        splitInRow=1,
        style=TableStyle(style),
    )


def _parts(row: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield a row in rows of a few lines, because the library lays out a row in the square of its lines."""
    cells = [str(cell).split("\n") for cell in row]
    for place in range(0, max(map(len, cells)), LINES):
        yield tuple("\n".join(lines[place : place + LINES]) for lines in cells)


def _record(content: board_pack.Content, width: float) -> list:
    rows = tuple(
        (initiative.ref, str(told.entries), str(told.newest), told.digest)
        for initiative in content.initiatives
        if (told := content.recorded.get(initiative.ref))
    )
    parts = [
        _Begins("audit log", "The audit log", _plain(f"{content.board}: the audit log")),
        Paragraph("Verify the pack against the audit log", HEADING),
        Paragraph(
            "The digest of an initiative is a SHA-256 over a text with one line for each entry. The text "
            "has the entries that the checkpoint below covers, in the order of their numbers. A line has "
            "the number, a space, the entry's digest in hexadecimal and a line feed. An export of the "
            "audit log of the initiative has these entries. The program in the export checks, without "
            "Plumbline, whether the checkpoint covers these entries.",
            TEXT,
        ),
        Paragraph("Initiatives", PART),
        _table(
            board_pack.Table(
                "",
                ("Initiative", "Entries", "Newest", "Digest (SHA-256)"),
                rows,
                "No checkpoint covers the entries of these initiatives yet.",
            ),
            width,
            (0.12, 0.1, 0.13, 0.65),
        ),
        Paragraph("Checkpoint", PART),
        Paragraph(_said(content.checkpoint.strip() or "The audit log has no checkpoint yet."), CELL),
        Spacer(0, 4 * mm),
        Paragraph(
            "The page of the meeting shows the SHA-256 of this file, the person who downloaded it and the time.",
            SOFT,
        ),
    ]
    return parts


def _texts(content: board_pack.Content):
    """Yield every text of the pack."""
    yield from (content.board, content.place)
    for row in content.agenda:
        yield from row
    for initiative in content.initiatives:
        yield from (initiative.title, *initiative.marks, *(value for _, value in initiative.facts))
        for table in initiative.tables:
            for row in table.rows:
                yield from row
