"""A red test is tried once more. One that then passes is unsteady: it is named, and more than three fail the run.

`make test` and `make test-all` try again (`--reruns 1`). Other runs of pytest do not, and mutants must not.
"""

from typing import Any

import pytest

MOST = 3


def unsteady(terminal: Any) -> list[str]:
    """Return the ids of the tests that failed at first and passed when they were tried once more."""
    red = {report.nodeid for outcome in ("failed", "error") for report in terminal.getreports(outcome)}
    return sorted({report.nodeid for report in terminal.getreports("rerun")} - red)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the unsteady tests in the last lines."""
    found = unsteady(terminalreporter)
    for name in found:
        terminalreporter.write_line(f"unsteady: {name}")
    if len(found) > MOST:
        terminalreporter.write_line(f"{len(found)} tests are unsteady. More than {MOST} fail the run.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with more than three unsteady tests. A worker of the run has no terminal and decides nothing."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and session.exitstatus == pytest.ExitCode.OK and len(unsteady(terminal)) > MOST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
