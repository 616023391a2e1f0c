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
    parse,
    shipped_text,
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
    "parse",
    "shipped_text",
]
