"""Every page in a language made for tests: what stands outside of its brackets no catalogue could translate.

Texts of templates are all marked: `tests/unit/repository/test_templates.py`. Here it is seen that they are looked up,
that longer words fit a narrow screen, and how many texts of modules are still English wherever the reader is.
A change in templates/ or of texts in modules asks for it.
"""

import ast
import re

import pytest

from tests.acceptance.browser.test_every_page import Visitor, cast, overdue  # noqa: F401 - fixtures
from tests.acceptance.pages.test_access import world  # noqa: F401 - a fixture
from tests.support.browser import every_page
from tests.support.browser.page_checks import NARROW, measured
from tests.support.paths import ROOT
from tests.support.web import pseudo_locale

pytestmark = pytest.mark.django_db(transaction=True)

# Texts of modules that pages show without having looked them up; it goes down with each that is marked.
LEFT_AT_MOST = 1250
ROOM = 60  # by how many the number above may be too high
# Pages that choose their language by who reads them, from those that are shipped.
LEFT_OUT = ("survey-answer", "survey-nothing", "report-", "reported-")
# What a page shows outside of brackets: words people wrote, names and codes stand in translate="no" or are told from
# ours by lying outside our modules.
OUTSIDE = r"""([opens, closes]) => {
  const inline = new Set(
    'A B STRONG EM I CODE TIME SPAN KBD SMALL ABBR SUP SUB S Q MARK VAR DFN U CITE DEL INS BR WBR'.split(' '))
  const found = new Set(), depths = new Map()
  const keep = text => { if (/\p{L}/u.test(text)) found.add(text.trim().replace(/\s+/g, ' ')) }
  const texts = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    let block = element
    while (inline.has(block.tagName)) block = block.parentElement
    let depth = depths.get(block) ?? 0, outside = ''
    for (const letter of texts.currentNode.data) {
      if (letter === opens) depth++
      else if (letter === closes) depth--
      else if (depth < 1) outside += letter
    }
    depths.set(block, depth)
    if (!element.closest('[translate=no], code, kbd, pre, script, style, textarea')) keep(outside)
  }
  const bracketed = new RegExp(`${opens}[^${closes}]*${closes}`, 'g')
  for (const name of ['title', 'aria-label', 'placeholder', 'alt', 'data-col']) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      if (!element.closest('[translate=no]')) keep(element.getAttribute(name).replace(bracketed, ''))
    }
  }
  return [...found]
}"""


def our_words() -> set[str]:
    """What the product's modules say in literals: whole texts, and the parts of those that are put together."""
    found = set()
    for app in ("governance", "initiatives", "adoption"):
        for path in (ROOT / app).rglob("*.py"):
            if {"migrations", "demo", "management"} & set(path.parts):
                continue
            tree = ast.parse(path.read_text())
            silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                    found.add(" ".join(node.value.split()))
    return {text for text in found if re.search(r"[^\W\d_]{2}", text)}


def ours_in(text: str, words: set[str], parts: list[str]) -> set[str]:
    """The literals of ours that a text shows: itself, or parts of three words and more.

    A single small word is left out: it may be a key that somebody's data are kept under.
    """
    bare = text.strip(" .,:;()")
    whole = {one for one in (text, bare) if one in words and (" " in one or one[0].isupper())}
    return whole or {part for part in parts if part in text}


def test_a_text_of_a_module_is_told_from_a_word_of_somebody():
    words = our_words()
    parts = [word for word in words if word.count(" ") >= 2]
    assert ours_in("Prototype", words, parts) == {"Prototype"}
    assert ours_in("user", words, parts) == ours_in("Crater finder", words, parts) == set()
    assert "none, Plumbline did this itself" not in words, "templates are no modules"


@pytest.fixture
def pseudo(settings, tmp_path):
    """The made language is the one of the installation."""
    pseudo_locale.write(tmp_path)
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [*settings.LANGUAGES, (pseudo_locale.CODE, "Longer English")]
    settings.LANGUAGE_CODE = pseudo_locale.CODE


def test_pages_are_looked_up_and_fit_in_longer_words(watch, cast, world, overdue, settings, pseudo):  # noqa: F811
    settings.CAPTURE_LINKS = True
    scene = every_page.set_the_scene(cast, world, overdue)
    visitor, wrong, left = Visitor(watch), [], {}
    words = our_words()
    parts = [word for word in words if word.count(" ") >= 2 and len(word) > 12]
    for one in every_page.pages_of(scene, cast):
        if one.name.startswith(LEFT_OUT):
            continue
        visitor.becomes(one.who)
        with visitor.expecting(one.status):
            visitor.page.goto(one.address)
        wrong += [f"{one.name}: {what}" for what in measured(visitor.page, NARROW)]
        outside = visitor.page.evaluate(OUTSIDE, [pseudo_locale.OPENS, pseudo_locale.CLOSES])
        for text in outside:
            for word in ours_in(text, words, parts):
                left.setdefault(word, f"{one.name}: {text}")
    assert wrong == [], "\n".join(wrong)
    assert len(left) <= LEFT_AT_MOST, "\n".join(
        f"{word!r} on {where}" for word, where in sorted(left.items())
    )
    assert len(left) > LEFT_AT_MOST - ROOM, f"only {len(left)} are left: say so in LEFT_AT_MOST"
