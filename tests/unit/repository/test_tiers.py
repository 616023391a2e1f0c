"""`make test`, `make test-all`, `make drills` and `make lint` run each test once; CI runs all but the drills."""

import re
import shlex

from tests.support.paths import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TIERS = {"test": "TESTS", "test-all": "TESTS_MORE", "drills": "TESTS_LONG", "lint-tests": "TESTS_LINT"}
# What would leave out a test that lies in a folder of its tier.
LEAVES_OUT = re.compile(r"(^|\s)(-k|-m|-x|--ignore(-glob)?|--deselect|--lf|--maxfail)\b")


def folders(tier: str) -> list[str]:
    """The folders of tests that a target of the Makefile runs."""
    found = re.search(rf"^{TIERS[tier]} := (.+)$", MAKEFILE, re.MULTILINE)
    assert found, f"the Makefile does not say what {TIERS[tier]} is"
    return shlex.split(found[1])


def recipe(tier: str) -> str:
    """What a target does."""
    return re.search(rf"^{tier}:.*\n\t(.+)$", MAKEFILE, re.MULTILINE)[1]


def test_every_test_lies_in_exactly_one_tier():
    of = {
        tier: {path for folder in folders(tier) for path in (ROOT / folder).rglob("*.py")} for tier in TIERS
    }
    assert all((ROOT / folder).is_dir() for tier in TIERS for folder in folders(tier))
    assert sum(map(len, of.values())) == len(set().union(*of.values())), "a file is in two tiers"
    tests = {path for pattern in ("test_*.py", "*_test.py") for path in (ROOT / "tests").rglob(pattern)}
    assert {str(path.relative_to(ROOT)) for path in tests.difference(*of.values())} == set()
    # A file of one name in no tier, but with tests in it, is no test to pytest at all.
    elsewhere = set((ROOT / "tests").rglob("*.py")) - tests
    named = re.compile(r"^\s*(async )?def test_", re.MULTILINE)
    assert {str(path.relative_to(ROOT)) for path in elsewhere if named.search(path.read_text())} == set()


def test_a_tier_leaves_nothing_of_its_folders_out():
    pytest = re.search(r"^PYTEST := (.+)$", MAKEFILE, re.MULTILINE)[1]
    for tier, folders_of_tier in TIERS.items():
        line = recipe(tier)
        assert f"$({folders_of_tier})" in line, tier
        assert not LEAVES_OUT.search(line.replace("$(PYTEST)", pytest)), tier


def test_nothing_is_left_out_of_every_run():
    project = (ROOT / "pyproject.toml").read_text()
    options = re.search(r"\[tool\.pytest\.ini_options\]\n(.+?)\n\n", project, re.DOTALL)[1]
    assert not LEAVES_OUT.search(options.replace('"', " "))
    assert re.search(r'^testpaths = \["tests"\]$', options, re.MULTILINE)
    assert not {"python_files", "norecursedirs", "collect_ignore"} & set(
        re.findall(r"^(\w+) =", options, re.MULTILINE)
    )
    for path in (ROOT / "tests").rglob("*.py"):
        if path.name in ("conftest.py", "plugin.py"):
            assert not re.search(
                r"collect_ignore|pytest_ignore_collect|pytest_deselected|items\[:\]", path.read_text()
            )


def test_each_long_test_and_drill_names_what_asks_for_it():
    long = [path for folder in folders("drills") for path in (ROOT / folder).rglob("test_*.py")]
    drills = [path for path in (ROOT / "tests/drills").rglob("*.py") if "__main__" in path.read_text()]
    heads = {str(path.relative_to(ROOT)): path.read_text().split('"""')[1] for path in (*long, *drills)}
    assert len(drills) > 20
    named = re.compile(r"\bA\s+change\b.*\basks\s+for\s+(it|these)\b", re.DOTALL)
    assert {path for path, head in heads.items() if not named.search(head)} == set()


def test_ci_runs_the_linters_and_the_first_two_tiers():
    run = (ROOT / ".ci" / "run").read_text()
    assert re.search(r"^parts=\((.+)\)$", run, re.MULTILINE)[1].split() == ["lint", *list(TIERS)[:2]]
    assert re.search(r"^lint: .*\n\t.* lint-tests", MAKEFILE, re.MULTILINE)
    assert re.search(r'^for part in "\$\{parts\[@\]\}"; do', run, re.MULTILINE)
    assert re.search(r'^ +make "\$part" \|\| red\+=\("\$part"\)$', run, re.MULTILINE)
