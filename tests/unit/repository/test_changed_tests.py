"""`make test-changed` finds the tests that a change asks for."""

from tests.support.commands.changed_tests import NAMED, asked

TEXTS = {
    "tests/unit/governance/gates/test_levels.py": "from governance.gates import criteria, levels\n",
    "tests/app/governance/gates/test_views.py": "",
    "tests/app/governance/gates/deeper/test_more.py": "",
    "tests/app/adoption/test_inbox.py": "from governance.gates import (\n    criteria,\n    levels,\n)\n",
    "tests/acceptance/pages/test_titles.py": 'TITLE = "initiatives/x/page.html"\nreverse("account-link")\n',
    "tests/acceptance/pages/test_other.py": "from governance.gates import levels_of\nimport governance.gates.levels2\n",
    "tests/app/adoption/test_factories.py": "from tests.support import factories\n",
    "tests/app/adoption/test_kinds.py": 'assert kinds == ["role accepted"]\n',
}


def test_a_module_asks_for_whoever_names_it_and_then_for_its_folders():
    assert asked(["governance/gates/levels.py"], TEXTS) == [
        "tests/unit/governance/gates/test_levels.py",
        "tests/app/adoption/test_inbox.py",
        "tests/app/governance/gates/test_views.py",
    ]


def test_a_changed_test_comes_first_and_a_helper_asks_for_whoever_imports_it():
    changed = ["tests/support/factories.py", "tests/acceptance/pages/test_other.py"]
    assert asked(changed, TEXTS) == [
        "tests/acceptance/pages/test_other.py",
        "tests/app/adoption/test_factories.py",
    ]


def test_a_template_and_what_a_changed_line_names_ask_for_whoever_names_them():
    assert asked(["templates/initiatives/x/page.html"], TEXTS) == ["tests/acceptance/pages/test_titles.py"]
    words = [
        name for rows in NAMED.findall('+    path("x/", view, name="account-link"),') for name in rows if name
    ]
    assert asked([], TEXTS, words) == ["tests/acceptance/pages/test_titles.py"]
    words = [
        name for rows in NAMED.findall('-    entries.record("role accepted", by=by)') for name in rows if name
    ]
    assert asked([], TEXTS, words) == ["tests/app/adoption/test_kinds.py"]


def test_nothing_asks_for_nothing():
    assert asked([], TEXTS) == []
