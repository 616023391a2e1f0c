"""Short lists that each app extends in `AppConfig.ready()`: an upper floor hangs its work on a hook below."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CaseTab:
    """A tab of the case page: its words, the name of its URL (which takes `ref`), a count over the facts or None."""

    words: str
    url_name: str
    count: Callable | None = None
    position: int = 50


@dataclass(frozen=True)
class Report:
    """A report of the portfolio: its key in the URL, its words, what it is for, and a filter over cases."""

    key: str
    words: str
    help: str
    apply: Callable


# Functions (person) -> list of governance.desk.Line: what waits for somebody.
desk_lines: list[Callable] = []
# Tabs of the case page.
case_tabs: list[CaseTab] = []
# Reports of the portfolio.
reports: list[Report] = []
# Functions (moment) -> iterable of governance.reminders.Due: what is owed as a message at that moment.
due_queries: list[Callable] = []
# Functions (references) -> {reference: governance.delivery.CaseWords}: what a mail says of a case.
case_words: list[Callable] = []


def tabs_of_case(case) -> list[CaseTab]:
    """The tabs of a case in their order."""
    return sorted(case_tabs, key=lambda tab: tab.position)
