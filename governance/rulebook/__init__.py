"""The rulebook: what each stage and gate asks, read from a text into frozen values. No database, no clock."""

from governance.rulebook.book import (
    Book,
    CarryForward,
    ContractRule,
    Criterion,
    Freshness,
    Gate,
    Requirement,
    ScaleTest,
    StageRule,
    load_newest,
    load_version,
    parse,
)
from governance.rulebook.validation import Problem, RulebookErrors

__all__ = [
    "Book",
    "CarryForward",
    "ContractRule",
    "Criterion",
    "Freshness",
    "Gate",
    "Problem",
    "Requirement",
    "RulebookErrors",
    "ScaleTest",
    "StageRule",
    "load_newest",
    "load_version",
    "parse",
]
