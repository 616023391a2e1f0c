"""Write `docs/evidence.md` anew from the shipped rulebook: `make diagram`; with `--check`, say whether it is up to
date.
"""

import sys

from governance.rulebook import parse, shipped_text
from governance.vocabulary import KINDS_TESTED, EvidenceKind, Tested
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "evidence.md"
HEAD = """# What can answer a requirement

Made by `make diagram` from the shipped rulebook, and compared with it by `make lint`. Each row names the kinds of
evidence that count, what a test report, a drill or user research must be about, and which rows each need their own.
Nothing else can be attached to the requirement.

| requirement | kinds of evidence | about | one for each |
|---|---|---|---|
"""


def written() -> str:
    """The page as the rulebook says it now."""
    rows = []
    for key, asked in parse(shipped_text()).requirements.items():
        kinds = ", ".join(EvidenceKind.word(kind).lower() for kind in asked.evidence)
        about = ", ".join(Tested.word(word).lower() for word in asked.tested)
        about = about or ("anything" if KINDS_TESTED & set(asked.evidence) else "")
        rows.append(f"| `{key}` {asked.question} | {kinds} | {about} | {asked.each} |")
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    """Write the page, or compare it: 1 where it is out of date."""
    if "--check" not in sys.argv:
        PAGE.write_text(written())
        return 0
    if PAGE.is_file() and PAGE.read_text() == written():
        return 0
    print(f"{PAGE.relative_to(ROOT)} is out of date: run `make diagram`.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
