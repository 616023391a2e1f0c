"""Check the texts against docs/STYLE.md: `--check` fails where a folder has more hits than it had.

`--list AREA PLACE` prints the hits of an area (pages, refusals, remedies, emails, docs, docstrings) whose place begins
so. Without an option the counts are written down; they only fall.
"""

import sys
import tomllib

from tests.support.paths import ROOT
from tests.support.rules import prose

COUNTED = ROOT / "tests" / "data" / "prose_hits.toml"


def allowed() -> dict[str, int]:
    """Return the most hits that each area may have in each folder."""
    return tomllib.loads(COUNTED.read_text())["hits"]


def risen() -> list[str]:
    """Return a line for each hit of a folder that has more than it may have."""
    most, now = allowed(), prose.counts()
    too_many = {name for name, hits in now.items() if hits > most.get(name, 0)}
    return [
        f"{place}: {rule.name} (write: {rule.instead}): {sentence}"
        for area, place, sentence, rule in prose.all_hits()
        if prose.counted_as(area, place) in too_many
    ]


def main(arguments: list[str]) -> str:
    """Do what the arguments say, and return what to print. Exits with 1 where a count rose."""
    if arguments[:1] == ["--list"]:
        area, place = arguments[1], (arguments[2:] or [""])[0]
        return "\n".join(
            f"{where}: {rule.name} (write: {rule.instead}): {sentence}"
            for one, where, sentence, rule in prose.all_hits(place)
            if one == area
        )
    if arguments == ["--check"]:
        if found := risen():
            sys.exit(
                "\n".join(
                    [*found, "docs/STYLE.md shows how to write these. Folders with more hits than before."]
                )
            )
        return ""
    most = allowed() if COUNTED.exists() else {}
    now = {name: min(hits, most.get(name, hits)) for name, hits in prose.counts().items()}
    head = (
        "# The most hits of the rules of prose by area and folder (python -m tests.support.commands.prose).\n"
    )
    COUNTED.write_text(head + "[hits]\n" + "".join(f'"{name}" = {hits}\n' for name, hits in now.items()))
    return f"{sum(now.values())} hits"


if __name__ == "__main__":
    print(main(sys.argv[1:]))
