"""The layout of templates: what djlint cannot say, counted."""

import re

import pytest

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
LONGEST_LINE = 160  # columns; djlint joins up to 120


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
        if not tag.endswith(" only %}")
    ]
    assert not loose


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
