"""The layout of templates: what djlint cannot say, counted."""

import re
from html.parser import HTMLParser

import pytest
from django.template.base import Lexer, TokenType
from django.utils.text import smart_split

from governance.settings import BASE_DIR

TEMPLATES = {
    str(path.relative_to(BASE_DIR / "templates")): path.read_text()
    for path in (BASE_DIR / "templates").rglob("*.html")
}
# What stands on the pages themselves: mails have no stylesheet, and components are where the classes are written.
PAGES = {
    name: text
    for name, text in TEMPLATES.items()
    if not name.startswith(("emails/", "admin/", "simple_history/", "_components/"))
}
LONGEST_LINE = 170  # columns; djlint joins up to 120


def test_no_line_is_longer_than_a_screen():
    long = [
        (name, number)
        for name, text in TEMPLATES.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert not long


def test_an_include_says_only():
    loose = [
        (name, tag)
        for name, text in TEMPLATES.items()
        for tag in re.findall(r"\{% include [^%]*%\}", text)
        if not tag.endswith(" only %}") or (posts(tag) and "csrf_token=csrf_token" not in tag)
    ]
    assert not loose


def posts(include: str) -> bool:
    """Return True if the template that is included sends a form, which needs the token of the page."""
    return "{% csrf_token %}" in TEMPLATES.get((*include.split('"'), "")[1], "")


@pytest.mark.parametrize(
    "raw",
    [
        r'class="tag\b',  # {% tag %}, {% tagged %}
        r'class="note\b',  # {% note %}, {% what_happens %}
        r'class="scroll\b',  # {% scroll %}
        r">\s*Not now\s*</a>",  # {% form_footer %}, {% form_actions %}
    ],
)
def test_what_has_a_template_tag_is_written_by_it(raw):
    assert not [name for name, text in PAGES.items() if re.search(raw, text)]


# Folders whose texts are not marked for translation yet: each leaves the list when it is done.
NOT_MARKED_YET = ("emails/",)
DJANGOS_OWN = ("admin/", "simple_history/", "django/")  # extend templates that Django translates itself
SHOWN_OR_READ_OUT = {"title", "aria-label", "placeholder", "alt", "label", "data-col"}
NOT_LOOKED_INTO = ("blocktranslate", "block body_class")  # marked, and names of classes
DRAWINGS = ("chart_bars", "chart_measurements")  # all that they are handed in quotes is words
# Tags whose first argument is words, and arguments that are words in whichever tag.
WORDS_FIRST = {"tag", "scroll", "nothing", "form_footer", "chart_bars", "chart_measurements"}
WORDS_NAMED = "title|verb|noun|undone|none_text|link_text|word|col|caption|unit|heading|label|way_out"
NAMED = re.compile(rf"""\b(?:{WORDS_NAMED})=["']([^"']+)["']""")
FALLBACK = re.compile(r"""\|default(?:_if_none)?:"([^"]+)\"""")  # in single quotes stand names for attributes


class Unmarked(HTMLParser):
    """Collects what of a page is words: text outside of code, and attributes that are shown or read out."""

    SILENT = ("script", "style", "code", "kbd", "pre")

    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in self.SILENT or ("translate", "no") in attrs or (self.silent and tag == self.silent[-1]):
            self.silent.append(tag)
        self.found += [value for name, value in attrs if name in SHOWN_OR_READ_OUT and worded(value)]

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        if self.silent and tag == self.silent[-1]:
            self.silent.pop()

    def handle_data(self, data):
        if not self.silent and worded(data):
            self.found.append(" ".join(data.split()))


def worded(text: str | None) -> bool:
    """Whether a text holds a letter."""
    return bool(re.search(r"[^\W\d_]", text or ""))


def literals(contents: str) -> list[str]:
    """Words that a tag or a variable is handed as they stand, without `_( )`."""
    tag, *bits = smart_split(contents)
    found = NAMED.findall(contents) + FALLBACK.findall(contents)
    if tag in WORDS_FIRST and bits[0][0] in "\"'":
        found.append(bits[0][1:-1])
    if tag in DRAWINGS:
        found += [bit[1:-1] for bit in bits[1:] if bit[0] in "\"'"]
    return [text for text in found if worded(text)]


def unmarked(source: str) -> list[str]:
    """The words of a template that no catalogue could translate."""
    shown, found, inside = [], [], False
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.BLOCK and token.contents.startswith(NOT_LOOKED_INTO):
            inside = True
        elif token.token_type == TokenType.BLOCK and token.contents in ("endblocktranslate", "endblock"):
            inside = False
        elif token.token_type == TokenType.TEXT and not inside:
            shown.append(token.contents)
        elif token.token_type in (TokenType.BLOCK, TokenType.VAR):
            found += literals(token.contents)
    page = Unmarked()
    page.feed("".join(shown))
    page.close()
    return found + page.found


def test_every_text_is_marked_for_translation():
    ours = {n: text for n, text in TEMPLATES.items() if not n.startswith(NOT_MARKED_YET + DJANGOS_OWN)}
    assert len(ours) > 350
    faults = [f"{name}: {words}" for name, text in sorted(ours.items()) for words in unmarked(text)]
    assert not faults, "\n".join(faults)


def test_what_is_listed_as_not_marked_is_not():
    for place in NOT_MARKED_YET:
        texts = [text for name, text in TEMPLATES.items() if name.startswith(place)]
        assert any(map(unmarked, texts)), f"take {place} out of the list"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Each is kept.</p>", "Each is kept."),
        ('<a aria-label="Its evidence" href="/x/">{{ x }}</a>', "Its evidence"),
        ('{% tag "stale" "warn" %}', "stale"),
        ('{% note "ok" title="No evidence yet" %}{{ x }}{% endnote %}', "No evidence yet"),
        ('{{ x|default:"not said" }}', "not said"),
        ("{% blocktranslate %}Marked{% endblocktranslate %} and not", "and not"),
    ],
)
def test_a_text_that_is_not_marked_is_found(source, words):
    assert unmarked(source) == [words]


@pytest.mark.parametrize(
    "source",
    [
        '{% translate "Marked" %}{% blocktranslate %}Marked <b>too</b>{% endblocktranslate %}{{ _("Also") }}',
        '{% tag _("stale") "warn" %}{{ x|default:_("not said") }}{{ x|date:"j F Y" }}',
        '<p class="soft" id="words">12 &ndash; {{ x }}</p><code>manage.py</code><b translate="no">Plumbline</b>',
        "{# a comment #}{% url 'initiative' ref as back_url %}{% if x == \"Some words\" %}{% endif %}",
    ],
)
def test_what_is_marked_or_no_text_is_not_found(source):
    assert unmarked(source) == []


# Words of what stands on somebody's word, on a paper that nobody else opened, or on nothing decided yet.
NOT_GREEN = (
    "as decided",
    "can be decided",
    "counts",
    "current",
    "documented",
    "met",
    "met, not signed",
    "ready to decide",
    "stated",
)
GREEN = re.compile(r'\{% tag _\("([^"]+)"\) "ok"')


def test_green_is_only_for_what_is_verified_or_measured():
    """ "Stated" and "documented" are grey, and a criterion that nobody signed has no tick."""
    green = [
        (name, word) for name, text in PAGES.items() for word in GREEN.findall(text) if word in NOT_GREEN
    ]
    assert not green
