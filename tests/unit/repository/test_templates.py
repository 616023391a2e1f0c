"""The layout of templates: what djlint cannot say, counted. The numbers below only ever fall."""

import re

from governance.settings import BASE_DIR

TEMPLATES = {
    str(path.relative_to(BASE_DIR / "templates")): path.read_text()
    for path in (BASE_DIR / "templates").rglob("*.html")
}
LONGEST_LINE = 160  # columns; djlint joins up to 120

# Parts of one page whose inputs do not fit a line, and templates named by a variable.
INCLUDES_WITHOUT_ONLY = 28
RAW_TAGS = 49
RAW_NOTES = 96


def test_no_line_is_longer_than_a_screen():
    long = {
        name
        for name, text in TEMPLATES.items()
        if any(len(line) > LONGEST_LINE for line in text.splitlines())
    }
    assert long <= CANNOT_BREAK


def test_an_include_says_only():
    loose = [
        (name, tag)
        for name, text in TEMPLATES.items()
        for tag in re.findall(r"\{% include [^%]*%\}", text)
        if not tag.endswith(" only %}")
    ]
    assert len(loose) <= INCLUDES_WITHOUT_ONLY, loose


def test_tags_and_notes_come_from_their_template_tags():
    pages = {name: text for name, text in TEMPLATES.items() if not name.startswith("emails/")}
    assert sum(len(re.findall(r'class="tag\b', text)) for text in pages.values()) <= RAW_TAGS
    assert sum(len(re.findall(r'class="note\b', text)) for text in pages.values()) <= RAW_NOTES
