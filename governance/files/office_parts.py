"""Checks of what the XML parts of an office document do when it is opened.

A part may load, ask, start or leave the document. Parts are checked by their elements, not by their path, because a
document itself names which part is which. A link that someone clicks is taken, unless it leads to a file or a share:
opening one sends the reader's login along.
"""

import re
from xml.parsers import expat

from governance.files import UNSEEN, NotTaken, far_link, named

CHUNK = 1 << 20
LONGEST_MARK = 16 * 1024 * 1024  # bytes of one tag or comment of an XML part
LONGEST_CODE = 65_536  # characters of a formula or field code; office programs write at most 8,192
DEEPEST = 2_000  # elements inside one another
MOST_ELEMENTS = 8_000_000  # of all parts of a document
SAVE_AS_PDF = "Save the document as PDF and send the PDF."
BREAK_LINKS = "Break the links of the document (File, Info, Edit links), or send a PDF of the document."
REMOVE_LINK = "Remove the link and send the document again."
OR_PDF = "Or save the document as PDF and send the PDF."
USE_VALUE = f"Replace the formula with its value and send the document again. {OR_PDF}"
NO_QUERIES = f"In Excel, choose Data, Queries & Connections, and delete each of them. {OR_PDF}"
# Steps for what the list of links of an office program does not have.
STEPS = {
    "attachedTemplate": "In Word, choose Developer, Document Template, and enter Normal as the template. "
    + OR_PDF,
    "mailMerge": f"In Word, choose Mailings, Start Mail Merge, Normal Word Document. {OR_PDF}",
    "connection": NO_QUERIES,
    "queryTable": NO_QUERIES,
    "DataMashup": NO_QUERIES,
    **dict.fromkeys(("altChunk", "aFChunk", "webextension", "template"), SAVE_AS_PDF),
}
DAMAGED = (
    "The file is damaged or has a password. Save the file again without a password and send the new file."
)
FAR_MORE = "The unpacked file is much larger than an office document may be. Send a PDF instead."
ENTITIES = f"The document defines XML entities, which are not accepted. {SAVE_AS_PDF}"
MACRO = f"The document contains a macro, a program or an archive. {SAVE_AS_PDF}"
# A type of content that runs something, and types that are XML under any name.
MACRO_TYPE = re.compile(r"macroEnabled|vnd\.ms-office\.vbaProject", re.IGNORECASE)
XML_TYPE = re.compile(r"\+xml\s*$|^\s*(?:application|text)/xml\b", re.IGNORECASE)
XML_NAME = re.compile(r"\.(?:xml|rels|svg|xhtml)$|^(?:xml|rels|svg)$", re.IGNORECASE)
# Elements that run or load something by themselves, and in which words a refusal says so.
STARTS = dict.fromkeys(
    ("ddeLink", "oleLink", "dde-source", "dde-connection-decl", "event-listener"), "starts another program"
)
LOADS = {
    "connection": "a data connection",
    "queryTable": "a query",
    "DataMashup": "a data query",
    "externalReference": "a link to another workbook",
    "mailMerge": "a mail merge",
    "altChunk": "another document",
    "webextension": "an add-in",
}
# Field codes that fetch something. A field whose code is put together by other fields hides what it is.
FETCHED_BY_FIELD = re.compile(
    r"\s*(INCLUDEPICTURE|INCLUDETEXT|INCLUDE|IMPORT|DATABASE|LINK|RD|DDEAUTO|DDE)(?![\w])", re.IGNORECASE
)
FIELD_LINK = re.compile(r"\s*HYPERLINK\s+(?:\\[a-z]\s+)*(?:\"([^\"]*)\"|(\S+))", re.IGNORECASE)
HIDDEN_CODE = re.compile(r"\s*[^\s=\"]*")
# Functions of spreadsheets that fetch or call something; texts and names of sheets in quotes are taken out before.
FORMULAS = frozenset(
    (
        "f",
        "definedName",
        "formula",
        "formula1",
        "formula2",
        "oldFormula",
        "calculatedColumnFormula",
        "totalsRowFormula",
    )
)
FETCHED_BY_FORMULA = re.compile(
    r"(?<![\w.])(?:_xl\w{0,8}\.)*(WEBSERVICE|IMAGE|RTD|CALL|EXEC|DDE|REGISTER(?:\.ID)?|SQL\.REQUEST"
    r"|IMPORT(?:XML|DATA|FEED|HTML|RANGE))\s*\(",
    re.IGNORECASE,
)
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
FORMULA_LINK = re.compile(r"(?<![\w.])HYPERLINK\s*\(\s*\"([^\"]*)\"", re.IGNORECASE)
OTHER_WORKBOOK = re.compile(r"\[[^\[\]]{0,240}\.(?:xl|od|csv)\w{0,4}\]", re.IGNORECASE)
# Shapes of old drawings: a link on one is clicked.
SHAPES = frozenset(
    ("shape", "shapetype", "group", "rect", "roundrect", "line", "polyline", "oval", "arc", "curve")
)
ACTION = re.compile(r"ppaction://(?:program|macro|ole)", re.IGNORECASE)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
# Addresses in old drawings (VML), which are not always well-formed.
DRAWN_FROM = re.compile(r"\b(src|href)\s*=\s*[\"']([^\"']{0,4096})", re.IGNORECASE)


class Look:
    """The amounts read so far of one document and of the documents inside it.

    `part` and `drawing` read one part. They raise NotTaken for forbidden contents. `unpacked` counts bytes. `deep`
    counts the documents around the one that is read.
    """

    def __init__(self) -> None:
        self.elements = self.unpacked = self.deep = 0
        self.name = ""

    def part(self, stream, name: str) -> None:
        """Read an XML part whole. Raises NotTaken with what was found, where, and what to do."""
        self.name, self.depth = name, 0
        self.code, self.collects = [], ""
        self.fields: list[str] = []  # the code of each open field, the innermost last
        self.instructs = False
        if name.lower().endswith(".rels"):
            start = self._relation
        elif name.lower() == "[content_types].xml":
            start = self._type
        else:
            start = self._element
        read_xml(stream, self._counted(start), self._end, self._text)

    def drawing(self, stream, name: str) -> None:
        """Look for pictures from elsewhere in an old drawing (VML)."""
        self.name, rest = name, ""
        while chunk := stream.read(CHUNK):
            text = rest + chunk.replace(b"\x00", b"").decode("latin-1")
            for what, target in DRAWN_FROM.findall(text):
                self._loaded(what, target) if what.lower() == "src" else self._link(target)
            rest = text[-4_096:]

    def _counted(self, start):
        def counted(tag: str, values: dict) -> None:
            self.elements += 1
            self.depth += 1
            if self.elements > MOST_ELEMENTS or self.depth > DEEPEST:
                raise NotTaken(FAR_MORE)
            start(tag.rpartition(":")[2], values)

        return counted

    def _refuse(self, does: str, what: str, step: str = BREAK_LINKS) -> None:
        raise NotTaken(f"The document {does}: {what} (in {named(self.name)}). {step}")

    def _load(self, what: str, kind: str = "", step: str = "") -> None:
        self._refuse(
            "loads parts from elsewhere when it is opened", what, step or STEPS.get(kind, BREAK_LINKS)
        )

    def _type(self, _: str, values: dict) -> None:
        kind = values.get("ContentType", "")
        name = values.get("PartName", "") or values.get("Extension", "")
        if MACRO_TYPE.search(kind):
            raise NotTaken(MACRO)
        drawing = kind.lower().rstrip().endswith("vmldrawing")
        if (XML_TYPE.search(kind) and not XML_NAME.search(name)) or (
            drawing and "vml" not in name[-4:].lower()
        ):
            raise NotTaken(
                f"The type of the part {named(name)} does not match its file ending. {SAVE_AS_PDF}"
            )

    def _relation(self, tag: str, values: dict) -> None:
        if tag != "Relationship":
            return
        kind, target = values.get("Type", "").strip().rpartition("/")[2], values.get("Target", "")
        if kind.lower() in ("hyperlink", "hlink"):
            self._link(target)
        elif values.get("TargetMode", "").strip().lower() == "external" or _outside(target):
            self._load(f"{kind[:40]} {named(target)}", kind)

    def _element(self, tag: str, values: dict) -> None:
        if tag in STARTS:
            self._refuse(f"{STARTS[tag]} when it is opened", f"“{tag}”")
        if tag in LOADS:
            self._load(f"{LOADS[tag]}, “{tag}”", tag)
        if tag == "fldChar":
            self._field(values)
        elif tag == "instrText":
            self.instructs = True
        elif tag in FORMULAS or tag == "HyperlinkBase":
            self.collects, self.code = tag, []
        for key, value in values.items():
            plain = key.rpartition(":")[2]
            if plain == "href" and (tag == "a" or (plain == key and tag in SHAPES)):
                self._link(value)
            elif plain in ("href", "src"):
                self._loaded(tag, value)
            elif plain == "instr":
                self._instruction(value)
            elif plain == "formula":
                self._formula(value)
            elif plain == "action" and ACTION.match(value.strip()):
                self._refuse("starts another program", named(value), SAVE_AS_PDF)

    def _end(self, tag: str) -> None:
        self.depth -= 1
        plain = tag.rpartition(":")[2]
        if plain == "instrText":
            self.instructs = False
        elif plain == self.collects:
            said, self.collects = "".join(self.code), ""
            self._link(said) if plain == "HyperlinkBase" else self._formula(said)

    def _text(self, words: str) -> None:
        if self.instructs:
            if not self.fields:
                self.fields.append("")
            self.fields[-1] += words
            if len(self.fields[-1]) > LONGEST_CODE:
                raise NotTaken(FAR_MORE)
            self._instruction(self.fields[-1])
        elif self.collects:
            self.code.append(words)
            if len(self.code) > LONGEST_CODE:
                raise NotTaken(FAR_MORE)

    def _field(self, values: dict) -> None:
        """Begin or end a field. Its code may be cut into many runs, and composed by fields inside it."""
        state = next((value for key, value in values.items() if key.endswith("fldCharType")), "")
        if state == "begin":
            if self.fields and HIDDEN_CODE.fullmatch(self.fields[-1]):
                said = self.fields[-1].strip()
                self._refuse(
                    "hides the function of a field",
                    f"a field code that contains fields, {named(said)}",
                    SAVE_AS_PDF,
                )
            self.fields.append("")
            if len(self.fields) > DEEPEST:
                raise NotTaken(FAR_MORE)
        elif state == "separate" and self.fields:
            self._instruction(f"{self.fields[-1]} ")
            self.fields[-1] = '"shown"'  # what follows is what the field shows
        elif state == "end" and self.fields:
            self._instruction(f"{self.fields.pop()} ")

    def _instruction(self, said: str) -> None:
        if found := FETCHED_BY_FIELD.match(said[:200]):
            starts = found[1].upper().startswith("DDE")
            does = "starts another program" if starts else "loads parts from elsewhere"
            self._refuse(f"{does} when it is opened", f"the field {named(said.strip())}")
        if found := FIELD_LINK.match(said[:4_096]):
            self._link(found[1] or found[2] or "")

    def _formula(self, said: str) -> None:
        if len(said) > LONGEST_CODE:
            raise NotTaken(FAR_MORE)
        for target in FORMULA_LINK.findall(said):
            self._link(target)
        bare = QUOTED.sub("''", said)
        if "|" in bare and not said.startswith("of:"):  # rows of an array, in the other office
            self._refuse("starts another program when it is opened", f"the formula {named(said)}", USE_VALUE)
        if found := FETCHED_BY_FORMULA.search(bare):
            self._load(f"the function {named(found[1].upper())}", step=USE_VALUE)
        if OTHER_WORKBOOK.search(QUOTED.sub(lambda found: "" if found[0][0] == '"' else found[0], said)):
            self._refuse("loads parts from elsewhere when it is opened", f"the formula {named(said)}")

    def _link(self, target: str) -> None:
        if far_link(target):
            self._refuse("has a link to a file, a network folder or a program", named(target), REMOVE_LINK)

    def _loaded(self, what: str, target: str) -> None:
        beside = target.strip().replace("\\", "/").startswith(("/", "../"))
        if _outside(target) or (
            beside and what != "template"
        ):  # the other office notes where its template lay
            self._load(f"{what[:40]} {named(target)}", what)


def _outside(target: str) -> bool:
    """Return True if a target names a place outside the document."""
    scheme = SCHEME.match(UNSEEN.sub("", target[:4_096]))
    return far_link(target) or (bool(scheme) and scheme[0].lower() not in ("data:", "urn:"))


def read_xml(stream, start=None, end=None, text=None) -> None:
    """Parse a part whole and hand its elements and words to these functions.

    Raises NotTaken if the part declares a document type, which is where entities are defined, or is not XML.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    fed = 0
    try:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > LONGEST_MARK:  # kept in memory until it ends
                raise NotTaken(FAR_MORE)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise NotTaken(DAMAGED) from None


def _refuse_doctype(*_) -> None:
    raise NotTaken(ENTITIES)
