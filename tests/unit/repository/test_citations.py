"""What the code cites stands in docs/, and what docs/ names stands in the code."""

import re
from functools import cache

import pytest

from tests.support.commands import package_tree
from tests.support.paths import ROOT
from tests.unit.repository.test_architecture import KINDS

APPS = ("governance", "initiatives", "adoption")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ADRS = {path.name[:4] for path in (ROOT / "docs/adr").glob("[0-9]*.md")}
NUMBERED = {"invariant": "docs/domain.md", "trap": "docs/architecture.md"}
# A line break in a docstring or comment may part a citation.
GAP = r"[\s#]+"
MARKDOWN = re.compile(r"(?<![\w./-])[\w./-]+\.md\b")
# What joins a path of its parts, and names of files that somebody uploads.
NOT_CITED = {"tests/unit/repository", "tests/support/input", "tests/support/commands"}


@cache
def sources() -> tuple[tuple[str, str], ...]:
    """Every file that may cite a page, with its text."""
    return tuple(
        (path.relative_to(ROOT).as_posix(), path.read_text(errors="replace"))
        for folder in (*APPS, "templates", "tests")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".html", ".toml", ".css")
        and path.parent.relative_to(ROOT).as_posix() not in NOT_CITED
    )


def test_every_page_that_the_code_cites_is_there():
    """By its path from the root."""
    wrong = [
        f"{name} cites {page}"
        for name, text in sources()
        for page in MARKDOWN.findall(text)
        if not (ROOT / page).is_file()
    ]
    assert wrong == []


def test_every_decision_that_is_cited_is_there():
    numbered = re.compile(rf"(?:\bADR{GAP}|\bdocs/adr/)(\d{{1,4}})\b")
    texts = [*sources(), *((page.relative_to(ROOT).as_posix(), page.read_text()) for page in PAGES)]
    cited = [(name, number.zfill(4)) for name, text in texts for number in numbered.findall(text)]
    assert len(cited) > 40
    assert [one for one in cited if one[1] not in ADRS] == []


def test_the_index_lists_every_decision_with_its_title():
    """A page begins with its number and its title, and both stand in the index beside its address."""
    index = (ROOT / "docs/adr/README.md").read_text()
    pages = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    assert len(pages) == len(ADRS) > 70
    for page in pages:
        number, _, title = page.read_text().partition("\n")[0].removeprefix("# ").partition(" ")
        assert page.name.startswith(f"{number}-")
        assert f"[{number}]({page.name})" in index, page.name
        assert title in index, page.name


@pytest.mark.parametrize("word", NUMBERED)
def test_every_invariant_and_trap_that_is_cited_is_on_its_page(word):
    page = NUMBERED[word]
    heading = {"invariant": "## Invariants", "trap": "## Traps"}[word]
    section = (ROOT / page).read_text().partition(f"{heading}\n")[2].partition("\n## ")[0]
    there = set(re.findall(r"^(\d+)\. ", section, re.MULTILINE))
    numbered = re.compile(rf"\b{word}s?{GAP}(\d+)(?:,? and (\d+))?", re.IGNORECASE)
    cited = [
        (
            name,
            text[max(0, found.start() - 30) : found.start()],
            {number for number in found.groups() if number},
        )
        for name, text in sources()
        for found in numbered.finditer(text)
    ]
    wrong = [(name, numbers) for name, before, numbers in cited if not numbers <= there or page not in before]
    assert wrong == []
    assert len(cited) > 5


def test_every_part_of_a_page_that_is_cited_is_in_it():
    part = re.compile(rf'(docs/(?:domain|audit-log|architecture)\.md),{GAP}"([^"]+)"', re.DOTALL)
    cited = [
        (name, page, " ".join(words.split()))
        for name, text in sources()
        for page, words in part.findall(text)
    ]
    assert len(cited) > 8
    assert [one for one in cited if one[2] not in (ROOT / one[1]).read_text()] == []


def test_every_path_that_a_page_names_is_there():
    path = re.compile(rf"`((?:{'|'.join(APPS)}|templates|tests|docs)/[\w./-]*)`")
    named = [(page.name, found) for page in PAGES for found in path.findall(page.read_text())]
    assert len(named) > 150
    assert [one for one in named if not (ROOT / one[1]).exists()] == []


def test_every_module_that_a_page_names_is_there():
    """`governance.gates.criteria.judge`: a module, or a name that its module's text holds."""
    dotted = re.compile(rf"`((?:{'|'.join(APPS)})(?:\.\w+)+)`")
    wrong = []
    for page in PAGES:
        for name in dotted.findall(page.read_text()):
            parts = name.split(".")
            depth = max(
                (
                    count
                    for count in range(1, len(parts) + 1)
                    if (at := ROOT.joinpath(*parts[:count])).is_dir() or at.with_suffix(".py").is_file()
                ),
                default=0,
            )
            at = ROOT.joinpath(*parts[:depth])
            text = (at / "__init__.py" if at.is_dir() else at.with_suffix(".py")).read_text()
            if parts[depth:] and not re.search(rf"\b{parts[depth]}\b", text):
                wrong.append(f"{page.name} names {name}")
    assert wrong == []


def test_the_tree_is_that_of_the_packages():
    assert package_tree.PAGE.read_text() == package_tree.written(), "run `make tree`"
    found = {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for app in APPS
        for path in (ROOT / app).glob("*/**/__init__.py")
        if not {"migrations", "management", "templatetags"} & set(path.parts)
    }
    listed = re.findall(r"^\| `([\w/]+/)` \| .+ \|$", package_tree.PAGE.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(found)


def test_the_glossary_lists_the_names_of_modules_that_repeat():
    part = (ROOT / "docs/glossary.md").read_text().partition("## Names of modules that repeat")[2]
    assert {name for name in KINDS if "__" not in name} == set(re.findall(r"`(\w+)`", part))
