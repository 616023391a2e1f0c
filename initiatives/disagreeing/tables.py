"""The thesaurus as text: its files read line by line, and its lists of small words.

The files stand in `thesaurus/` beside this module; thesaurus/README.md says how each is written. They are read once,
when the first text is compared.
"""

import functools
from pathlib import Path

THESAURUS = Path(__file__).parent / "thesaurus"


def words(text: str) -> frozenset[str]:
    """The words of a text, each once."""
    return frozenset(text.split())


def lines(name: str) -> list[str]:
    """The lines of one file without remarks, each with the deeper indented lines that go on with it.

    Raises FileNotFoundError where there is no such file.
    """
    found: list[str] = []
    for line in (THESAURUS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            found[-1] += " " + line.strip()
        elif line.strip() and not line.startswith("#"):
            found.append(line.rstrip())
    return found


@functools.cache
def markers(name: str) -> frozenset[str]:
    """The small words of one sort (markers.txt). Raises KeyError where there is no such sort."""
    return _markers()[name]


@functools.cache
def _markers() -> dict[str, frozenset[str]]:
    return {name: words(rest) for name, _, rest in (line.partition(":") for line in lines("markers"))}


@functools.cache
def phrases(name: str) -> dict[str, list[tuple[str, ...]]]:
    """By their first word, the phrases of one sort (phrases.txt), longest first. Raises KeyError if unknown."""
    return _phrases()[name]


@functools.cache
def _phrases() -> dict[str, dict[str, list[tuple[str, ...]]]]:
    found: dict[str, dict[str, list[tuple[str, ...]]]] = {}
    for name, _, rest in (line.partition(":") for line in lines("phrases")):
        several = sorted((tuple(phrase.split()) for phrase in rest.split(",")), key=len, reverse=True)
        of_first = found.setdefault(name, {})
        for phrase in several:
            of_first.setdefault(phrase[0], []).append(phrase)
    return found
