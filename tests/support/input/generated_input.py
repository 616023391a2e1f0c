"""Generated input: what pages offer to be filled in, read off the pages themselves, and values nobody would type."""

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import wraps
from html.parser import HTMLParser
from unittest import mock

import openpyxl
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from hypothesis import strategies as st

from governance.organisation.people_import import EXAMPLE
from tests.support.input import hostile_files
from tests.support.paths import EXTRACTS
from tests.support.rules.plain_rulebook import plain_text

MARK = "\"'><img src=x onerror=plumbline(1)>"  # never to be seen like this in a page
UNESCAPED = re.compile(r"<img src=x onerror", re.IGNORECASE)


@dataclass
class Form:
    """A form as a browser sees it: where it goes, how, its fields with the values a browser would send or offers."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    sent: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.page, self.forms, self.form, self.select = page, [], None, ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self.form = Form(given.get("action") or self.page, (given.get("method") or "get").lower())
            self.forms.append(self.form)
            self.pressed = False  # the first button is the one that Enter presses
        if self.form is None:
            return
        if tag == "option" and self.select:
            # Where none is selected, a list of which one is chosen stands on its first.
            first = self.single and self.select not in self.form.sent
            if first or "selected" in given:
                self.form.sent[self.select] = [] if self.single else self.form.sent.get(self.select, [])
            self._field(self.select, given.get("value") or "", chosen=first or "selected" in given)
        elif tag == "select":
            self.select, self.single = name, "multiple" not in given
            self._field(name, "", chosen=False)
            self.form.kinds[name] = "select"
        elif tag == "textarea":
            self._field(name, "", chosen=True)
            self.form.kinds[name] = "text"
        elif tag in ("input", "button") and name and name != "csrfmiddlewaretoken":
            kind = given.get("type", "text")
            self.form.kinds[name] = kind
            if kind == "file":
                self.form.files.add(name)
            elif kind == "submit" or tag == "button":
                self._field(name, given.get("value") or "", chosen=not self.pressed)
                self.pressed = True
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


@contextlib.contextmanager
def looked_up() -> Iterator[set[str]]:
    """The names that anybody looks up, while this lasts, in a query string or in a form that was sent."""
    found: set[str] = set()

    def noting(method):
        @wraps(method)
        def noted(self, key, *rest):
            if isinstance(self, QueryDict) and isinstance(key, str):
                found.add(key)
            return method(self, key, *rest)

        return noted

    with contextlib.ExitStack() as noted:
        for name in ("__getitem__", "getlist", "__contains__"):
            method = noting(getattr(MultiValueDict, name))
            noted.enter_context(mock.patch.object(MultiValueDict, name, method, create=True))
        yield found


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
# How far a day that is sent lies from today.
AWAY = [timedelta(days=days) for days in (-400, -30, 0, 20, 400)]
# Parts of an address: any bytes a client may send, valid UTF-8 or not.
parts = st.one_of(words.map(lambda text: text.encode()[:300]), st.binary(min_size=1, max_size=12))
table_lines = st.lists(st.lists(words, min_size=1, max_size=6), min_size=1, max_size=6)
HOSTILE = [file.content for file in hostile_files.files() if len(file.content) < 50_000]
HEADER = b"agency_name,id,use_case_name,development_stage,problem_solved\n"
# The beginnings of what people really send: inventories as they were published, people, a rulebook.
REAL = [path.read_bytes()[:3000] for path in sorted(EXTRACTS.glob("*.csv"))]
REAL += [path.read_bytes() for path in sorted(EXTRACTS.glob("*.xlsx"))]
REAL += [EXAMPLE.encode(), plain_text().encode()]


def workbook(lines: list[list[str]]) -> bytes:
    """A workbook of these lines, but for the characters that none can hold. It holds the time: no two are the same."""
    xlsx, kept = openpyxl.Workbook(), io.BytesIO()
    for line in lines:
        xlsx.active.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell)[:30_000] for cell in line])
    xlsx.save(kept)
    return kept.getvalue()


@st.composite
def spoilt(draw) -> bytes:
    """Something that people send, of which a part is cut out, and something else put there."""
    content = draw(st.sampled_from(REAL))
    first = draw(st.integers(0, len(content)))
    last = draw(st.integers(first, min(len(content), first + 300)))
    return content[:first] + draw(st.one_of(st.binary(max_size=20), words.map(str.encode))) + content[last:]


contents = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(HOSTILE),
    table_lines.map(lambda lines: "\n".join(",".join(line) for line in lines).encode()),
    table_lines.map(lambda lines: HEADER + "\n".join(";".join(line) for line in lines).encode("utf-16")),
    table_lines.map(lambda lines: HEADER + "\n".join(",".join(line) for line in lines).encode("utf-8")),
    st.binary(max_size=60).map(lambda tail: HEADER + tail),
    st.sampled_from(REAL),
    spoilt(),
    table_lines.map(lambda lines: workbook([HEADER.decode().strip().split(","), *lines])),
)
names = st.one_of(
    st.sampled_from(["a.csv", "a.pdf", "a.png", "a.txt", "a.xlsx", f"{MARK}.csv"]), st.text(max_size=12)
)


@st.composite
def filled_in(draw, form: Form) -> dict:
    """What somebody sends who fills in every field: where a text is asked for, it is one that would act in a page."""
    values = {name: list(sent) for name, sent in form.sent.items()}
    for name, offered in form.fields.items():
        kind = form.kinds.get(name, "text")
        if kind == "date" and values.get(name) == [""]:
            values[name] = [str(date.today() + draw(st.sampled_from(AWAY)))]
        elif kind in ("text", "search") and values.get(name) == [""]:
            values[name] = [MARK]
        elif kind in ("email", "number", "url") and values.get(name) == [""]:
            values[name] = [
                {"email": "a@b.example", "number": "3", "url": f"https://b.example/?{MARK}"}[kind]
            ]
        elif kind in ("select", "radio", "checkbox") and draw(st.booleans()):
            values[name] = [draw(st.sampled_from([one for one in offered if one] or offered))]
    return values


@st.composite
def values_for(draw, form: Form) -> dict:
    """What is sent for a form: mostly what a browser would send, and in some fields what it would not."""
    values = draw(filled_in(form)) if draw(st.booleans()) else dict(form.sent)
    odd = draw(st.integers(0, 6))  # of ten fields; a form that is odd all over says little
    for name in form.fields:
        if draw(st.integers(0, 9)) >= odd:
            continue
        what = draw(st.integers(0, 3))
        if what == 0:
            values.pop(name, None)
        elif what == 1:
            values[name] = [draw(st.sampled_from(form.fields[name]))]
        elif what == 2:
            values[name] = draw(st.lists(words, min_size=1, max_size=3))
        elif what == 3:
            values[name] = [draw(words)]
    return values


def values_of(names: set[str]) -> st.SearchStrategy[dict]:
    """What is sent to an address of which only the names are known that are looked up there."""
    offered = st.sampled_from(sorted(names | {"", "junk", "a\0b", MARK}))
    return st.dictionaries(offered, st.lists(words, min_size=1, max_size=2), max_size=5)
