"""Where the data of tests lie, so that a test that moves still finds them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs/examples"  # for builders
FAULTY_FILES = ROOT / "tests/data/faulty_files"  # faults of other programs, as their files show them
EXTRACTS = ROOT / "tests/data/extracts"  # of public inventories
SYSTEM_IMPORTS = ROOT / "tests/data/system_imports"  # exports of systems, to be imported
LABELLED = ROOT / "tests/data/labelled"  # questions with the answers that people gave
PROFILES = ROOT / "tests/data/profiles"  # results of tools that profile and check data
SHEETS = ROOT / "tests/data/sheets"  # portfolios as companies and registers write them
