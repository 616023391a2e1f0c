"""A red test is tried once more, and a run with more than three unsteady tests fails."""

import pytest

from tests.support.paths import ROOT

pytest_plugins = ["pytester"]

# Each test fails at its first try: it counts its tries in a file. The last one fails at each.
TESTS = """
import pathlib

import pytest


@pytest.mark.parametrize("number", range({unsteady}))
def test_unsteady(number):
    tried = pathlib.Path(f"tried-{{number}}")
    first = not tried.exists()
    tried.touch()
    assert not first


def test_steady():
    assert {steady}
"""


@pytest.mark.parametrize(
    ("workers", "unsteady", "steady", "code"),
    [(0, 3, True, 0), (0, 1, False, 1), (2, 4, True, 1)],
)
def test_more_than_three_unsteady_tests_fail_a_run(pytester, monkeypatch, workers, unsteady, steady, code):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TESTS.format(unsteady=unsteady, steady=steady))
    plugins = ["-p", "xdist", "-p", "pytest_rerunfailures", "-p", "tests.support.unsteady"]
    run = pytester.runpytest_subprocess(*plugins, "-n", str(workers), "--reruns", "1")
    assert run.ret == code
    named = [line for line in run.outlines if line.startswith("unsteady: ")]
    assert len(named) == unsteady
    assert ("test_steady" in "".join(run.outlines[-5:])) is not steady
