"""Generated input: what pages offer to be filled in, read off the pages themselves, and values nobody would type."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import strategies as st

from tests import hostile

ROOT = Path(__file__).resolve().parent.parent
MARK = "\"'><img src=x onerror=plumbline(1)>"  # never to be seen like this in a page
UNESCAPED = re.compile(r"<img src=x onerror", re.IGNORECASE)
# Names that views read from the query string, beside those of the forms they show.
ASKED_FOR = re.compile(r"request\.GET(?:\.get|\.getlist)?[\[(]\"(\w+)\"|\"(\w+)\" (?:not )?in request\.GET")


@dataclass
class Form:
    """A form as a browser sees it: where it goes, how, its fields with the values a browser would send or offers."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    sent: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.page, self.forms, self.form, self.select, self.area = page, [], None, "", ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self.form = Form(given.get("action") or self.page, (given.get("method") or "get").lower())
            self.forms.append(self.form)
        if self.form is None:
            return
        if tag == "option" and self.select:
            self._field(self.select, given.get("value") or "", chosen="selected" in given)
        elif tag == "select":
            self.select = name
            self._field(name, "", chosen=False)
        elif tag == "textarea":
            self._field(name, "", chosen=True)
        elif tag in ("input", "button") and name and name != "csrfmiddlewaretoken":
            kind = given.get("type", "text")
            if kind == "file":
                self.form.files.add(name)
            else:
                self._field(
                    name,
                    given.get("value") or "",
                    chosen=kind not in ("checkbox", "radio") or "checked" in given,
                )

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        if tag == "select":
            self.select = ""

    def _field(self, name: str, value: str, *, chosen: bool) -> None:
        self.form.fields.setdefault(name, []).append(value)
        if chosen:
            self.form.sent.setdefault(name, []).append(value)


def forms_of(page: str, html: str) -> list[Form]:
    """Every form of a page, but for the one that signs out."""
    reader = _Forms(page)
    reader.feed(html)
    return [form for form in reader.forms if form.action != "/sign-out/"]


def names_asked_for() -> list[str]:
    """What any view reads from the query string, out of the source; `as_of` is the middleware's."""
    found = {"as_of"}
    for path in ROOT.glob("*/**/*.py"):
        if path.parts[len(ROOT.parts)] in ("governance", "initiatives", "adoption"):
            found |= {name for pair in ASKED_FOR.findall(path.read_text()) for name in pair if name}
    return sorted(found)


ODD = [
    "",
    " ",
    "0",
    "-1",
    "1",
    "999999999999999999999999999",
    "-9223372036854775809",
    "1e309",
    "NaN",
    "0x10",
    "\u0661\u0662",
    "\u00b2",
    "1.5",
    "true",
    "None",
    "[]",
    "{}",
    "junk",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "2026-11-20T25:61",
    "2026-11-20T12:00:00+99:00",
    "AI-0001",
    "AI-99999999999",
    "\u0000",
    "a\u0000b",
    "\r\nX: y",
    "\u202e",
    "\ufeff",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "' OR 1=1 --",
    "%",
    "_%_",
    "\\",
    "../../etc/passwd",
    "//evil.example/",
    "javascript:alert(1)",
    "http://169.254.169.254/",
    "{{ 7*7 }}{% debug %}",
    "${7*7}",
    "=cmd|' /C calc'!A0",
    "x" * 300,
    "x" * 25_000,
    MARK,
    f"AI-{MARK}",
    f"2026-11-20{MARK}",
]
words = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=40),
    st.integers().map(str),
    st.dates().map(str),
    st.just(MARK),
)
# Parts of an address: any bytes a client may send, valid UTF-8 or not.
parts = st.one_of(words.map(lambda text: text.encode()[:300]), st.binary(min_size=1, max_size=12))
table_lines = st.lists(st.lists(words, min_size=1, max_size=6), min_size=1, max_size=6)
HOSTILE = [file.content for file in hostile.files() if len(file.content) < 50_000]
HEADER = b"agency_name,id,use_case_name,development_stage,problem_solved\n"
contents = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(HOSTILE),
    table_lines.map(lambda lines: "\n".join(",".join(line) for line in lines).encode()),
    table_lines.map(lambda lines: HEADER + "\n".join(";".join(line) for line in lines).encode("utf-16")),
    table_lines.map(lambda lines: HEADER + "\n".join(",".join(line) for line in lines).encode("utf-8")),
    st.binary(max_size=60).map(lambda tail: HEADER + tail),
)
names = st.one_of(
    st.sampled_from(["a.csv", "a.pdf", "a.png", "a.txt", "a.xlsx", f"{MARK}.csv"]), st.text(max_size=12)
)


@st.composite
def values_for(draw, form: Form) -> dict:
    """What is sent for a form: mostly what a browser would send, and in some fields what it would not."""
    values = {name: list(sent) for name, sent in form.sent.items()}
    for name in form.fields:
        what = draw(st.integers(0, 5))
        if what == 0:
            values.pop(name, None)
        elif what == 1:
            values[name] = [draw(st.sampled_from(form.fields[name]))]
        elif what == 2:
            values[name] = draw(st.lists(words, min_size=1, max_size=3))
        elif what == 3:
            values[name] = [draw(words)]
    return values
