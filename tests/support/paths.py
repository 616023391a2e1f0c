"""Where the data of tests lie, so that a test that moves still finds them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs/examples"  # for builders
EXTRACTS = ROOT / "tests/data/extracts"  # of public inventories
ESTATES = ROOT / "tests/data/estates"  # exports of systems, to be imported
LABELLED = ROOT / "tests/data/labelled"  # questions with the answers that people gave
VOTE_FORMAT_1 = ROOT / "tests/data/vote_format_1.json"  # a statement as the first format had it
UPGRADE = ROOT / "tests/data/upgrade"  # what the head before issue 22 left behind
