"""Check that what the code cites is in docs/, and that what README.md and docs/ name is in the repository.

Part of `make lint`. Each rule yields a line for each fault, and a line if it found too little to compare.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.paths import ROOT

APPS = ("governance", "initiatives", "adoption")
# A line break in a docstring or comment may part a citation.
GAP = r"[\s#]+"
# These join a path of its parts, or name files that somebody uploads.
NOT_CITED = {"tests/unit/repository", "tests/support/input", "tests/support/commands"}


@cache
def pages() -> dict[str, str]:
    """Return the text of README.md and of each page of docs/, by its path from the root."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


@cache
def sources() -> dict[str, str]:
    """Return the text of each file that may cite a page, by its path from the root."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(errors="replace")
        for folder in (*APPS, "templates", "tests")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".html", ".toml", ".css")
        and path.parent.relative_to(ROOT).as_posix() not in NOT_CITED
    }


@cache
def functions_in(path: Path) -> set[str]:
    """Return the names of the functions of a module, methods among them."""
    return set(re.findall(r"^\s*(?:async )?def (\w+)", path.read_text(), re.MULTILINE))


def decisions() -> dict[str, str]:
    """Return the pages of the decisions by their numbers."""
    return {name[9:13]: name for name in pages() if re.match(r"docs/adr/\d{4}", name)}


def pages_that_code_cites() -> Iterator[str]:
    """Each page is cited by its path from the root."""
    cited = [
        (name, page)
        for name, text in sources().items()
        for page in re.findall(r"(?<![\w./-])[\w./-]+\.md\b", text)
    ]
    yield from too_few(cited, 40)
    yield from (f"{name} cites {page}" for name, page in cited if not (ROOT / page).is_file())


def decisions_that_are_cited() -> Iterator[str]:
    """Code and pages cite decisions by number."""
    numbered = re.compile(rf"(?:\bADR{GAP}|\bdocs/adr/)(\d{{1,4}})\b")
    texts = sources() | pages()
    cited = [(name, number.zfill(4)) for name, text in texts.items() for number in numbered.findall(text)]
    yield from too_few(cited, 40)
    yield from (f"{name} cites decision {number}" for name, number in cited if number not in decisions())


def the_index_of_decisions() -> Iterator[str]:
    """A page begins with its number and its title, and both are in the index beside its address."""
    index = pages()["docs/adr/README.md"]
    yield from too_few(decisions(), 70)
    for expected, name in decisions().items():
        number, _, title = pages()[name].partition("\n")[0].removeprefix("# ").partition(" ")
        if number != expected or f"[{number}]({Path(name).name})" not in index or title not in index:
            yield f"docs/adr/README.md lacks {name}, or has another title or number"


def invariants_and_traps() -> Iterator[str]:
    """Each is cited as a number of its page, and the page is named just before."""
    for word, page, heading in (
        ("invariant", "docs/domain.md", "## Invariants"),
        ("trap", "docs/architecture.md", "## Traps"),
    ):
        section = pages()[page].partition(f"{heading}\n")[2].partition("\n## ")[0]
        there = set(re.findall(r"^(\d+)\. ", section, re.MULTILINE))
        numbered = re.compile(rf"\b{word}s?{GAP}(\d+)(?:,? and (\d+))?", re.IGNORECASE)
        cited = [(name, text, found) for name, text in sources().items() for found in numbered.finditer(text)]
        yield from too_few(cited, 5)
        for name, text, found in cited:
            before = text[max(0, found.start() - 30) : found.start()]
            if not {number for number in found.groups() if number} <= there or page not in before:
                yield f"{name} cites {' '.join(found[0].split())}, which {page} lacks"


def parts_of_pages() -> Iterator[str]:
    """What is cited as a part of a page, in quotes, is in that page."""
    part = re.compile(rf'(docs/(?:domain|audit-log|architecture)\.md),{GAP}"([^"]+)"', re.DOTALL)
    cited = [
        (name, page, " ".join(words.split()))
        for name, text in sources().items()
        for page, words in part.findall(text)
    ]
    yield from too_few(cited, 8)
    yield from (
        f'{name} cites {page}, "{words}"' for name, page, words in cited if words not in pages()[page]
    )


def paths_and_tests_that_pages_name() -> Iterator[str]:
    """Each path exists, and each `path::test` is a function of it: what shows a requirement, an answer, a threat."""
    path = re.compile(rf"`((?:{'|'.join(APPS)}|templates|tests|docs|deploy)/[\w./-]*)(?:::([^`]+))?`")
    named = [(page, *found) for page, text in pages().items() for found in path.findall(text)]
    yield from too_few(named, 800)
    for page, place, name in named:
        if not (ROOT / place).exists() or (name and name not in functions_in(ROOT / place)):
            yield f"{page} names {place}{name and '::'}{name}"


def modules_that_pages_name() -> Iterator[str]:
    """`governance.gates.criteria.judge`: a module, or a name that its module's text holds."""
    dotted = re.compile(rf"`((?:{'|'.join(APPS)})(?:\.\w+)+)`")
    for page, text in pages().items():
        for name in dotted.findall(text):
            at, parts = ROOT, name.split(".")
            while parts and ((at / parts[0]).is_dir() or (at / parts[0]).with_suffix(".py").is_file()):
                at /= parts.pop(0)
            module = at / "__init__.py" if at.is_dir() else at.with_suffix(".py")
            if parts and not re.search(rf"\b{parts[0]}\b", module.read_text()):
                yield f"{page} names {name}"


def make_targets() -> Iterator[str]:
    """Each target that a page names exists, and docs/operate/commands.md lists each."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    named = {
        (page, target) for page, text in pages().items() for target in re.findall(r"`make ([a-z-]+)", text)
    }
    yield from (f"{page} names make {target}" for page, target in sorted(named) if target not in targets)
    listed = {target for page, target in named if page == "docs/operate/commands.md"}
    yield from (f"docs/operate/commands.md lacks make {one}" for one in sorted(targets - listed - {"help"}))


def links() -> Iterator[str]:
    """Each link leads to a file, and to a heading of it."""
    for name, text in pages().items():
        for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]+))?\)", text):
            page = (ROOT / name).parent / target if target else ROOT / name
            if "://" not in target and (
                not page.exists() or (anchor and anchor not in anchors(page.read_text()))
            ):
                yield f"{name} links to {target}{anchor and '#'}{anchor}"


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def pages_in_the_index() -> Iterator[str]:
    """Each page is linked from docs/README.md, or from a page that is."""
    linked, new = {"README.md"}, {"docs/README.md"}
    while new:
        name = new.pop()
        linked.add(name)
        for target in re.findall(r"\]\(([^)#:]+\.md)", pages().get(name, "")):
            page = ((ROOT / name).parent / target).resolve().relative_to(ROOT).as_posix()
            new |= {page} - linked
    yield from (f"no page links to {name}" for name in pages() if name not in linked)


def the_readme() -> Iterator[str]:
    """README.md has at most 120 lines and three pictures, each of less than 400 kB."""
    text = pages()["README.md"]
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    if len(text.splitlines()) > 120 or len(pictures) != 3:
        yield "README.md: more than 120 lines, or not three pictures"
    for picture in pictures:
        if not (ROOT / picture).is_file() or (ROOT / picture).stat().st_size >= 400_000:
            yield f"README.md: {picture} is missing, or has 400 kB or more"


def too_few(found, least: int) -> Iterator[str]:
    """Yield a fault if so little was found that the rule looks for the wrong thing."""
    if len(found) < least:
        yield f"only {len(found)} are found where {least} were expected: {sorted(found)[:3]}"


RULES = (
    pages_that_code_cites,
    decisions_that_are_cited,
    the_index_of_decisions,
    invariants_and_traps,
    parts_of_pages,
    paths_and_tests_that_pages_name,
    modules_that_pages_name,
    make_targets,
    links,
    pages_in_the_index,
    the_readme,
)


def main() -> None:
    """Exit with 1 and a line for each fault, if there is any."""
    if faults := [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule()]:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
