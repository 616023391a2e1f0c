"""Check that docs/asvs.md answers every requirement of OWASP ASVS 5.0.0, levels 1 and 2: part of `make lint`.

That the files and tests named in it exist is checked by `tests.support.commands.citations`.
"""

import re
import sys
from collections.abc import Iterator

from tests.support.paths import ROOT

ANSWERS = {"met", "partly", "not met", "not applicable", "operator"}
# By section the numbers of the requirements of levels 1 and 2; those of level 3 are left out.
BOTH = """
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2
4.1:1-3 4.2:1 4.3:1-2 4.4:1-4 5.1:1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3
6.8:1-4 7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1 8.4:1 9.1:1-3 9.2:1-4 10.1:1-2
10.2:1-2 10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1 11.6:1
12.1:1-3 12.2:1-2 12.3:1-4 13.1:1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3
15.3:1-7 16.1:1 16.2:1-5 16.3:1-4 16.4:1-3 16.5:1-3 17.1:1 17.2:1-4 17.3:1-2
"""
FIRST = """
1.2:1-5 1.3:1-2 1.5:1 2.1:1 2.2:1-2 2.3:1 3.2:1-2 3.3:1 3.4:1-2 3.5:1-3 4.1:1 4.4:1 5.2:1-2 5.3:1-2 6.1:1
6.2:1-8 6.3:1-2 6.4:1-2 7.2:1-4 7.4:1-2 8.1:1 8.2:1-2 8.3:1 9.1:1-3 9.2:1 10.4:1-5 11.3:1-2 11.4:1 12.1:1
12.2:1-2 13.4:1 14.2:1 14.3:1 15.1:1 15.2:1 15.3:1
"""


def ids_of(listed: str) -> list[str]:
    """Return the ids that a list of ranges stands for, in order."""
    found = []
    for part in listed.split():
        section, _, numbers = part.partition(":")
        for span in numbers.split(","):
            first, _, last = span.partition("-")
            found += [f"V{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def faults() -> Iterator[str]:
    """Yield a line for each id that is missing, in another place or at another level, and for each poor answer."""
    text = (ROOT / "docs" / "asvs.md").read_text()
    lines = re.findall(r"^\| (V[\d.]+) \|(.*)\|$", text, re.MULTILINE)
    rows = [(number, *(cell.strip() for cell in rest.split("|"))) for number, rest in lines]
    both, first = ids_of(BOTH), set(ids_of(FIRST))
    if [row[0] for row in rows] != both:
        differ = sorted({row[0] for row in rows} ^ set(both))
        yield f"the ids are not those of the standard, once each and in order; they differ by {differ}"
    told = (ROOT / "docs" / "SECURITY.md").read_text()
    for number, level, asks, answer, shown in rows:
        if (level == "1") != (number in first):
            yield f"{number} has another level in the standard"
        if not asks or answer not in ANSWERS or not shown:
            yield f"{number}: the row lacks what is asked, a known answer or what shows it"
        if answer != "met" and not re.search(r"[a-z]", re.sub(r"`[^`]*`", "", shown)):
            yield f"{number}: say why it is {answer}"
        if answer in ("not met", "partly") and number not in told:
            yield f"{number} is {answer}, and docs/SECURITY.md does not name it"
    if sum(row[3] == "not met" for row in rows) > 3:
        yield "more than three requirements are not met"


if __name__ == "__main__":
    sys.exit("\n".join(faults()) or 0)
