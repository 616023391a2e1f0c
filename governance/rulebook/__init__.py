"""The rulebook: what each stage and gate asks, as frozen values. No database, no clock."""

from governance.rulebook.parsed_rulebook import (
    CarryForward,
    ContractRule,
    Criterion,
    Freshness,
    Gate,
    ParsedRulebook,
    Requirement,
    ScaleTest,
    StageRule,
    parse,
    shipped_text,
)
from governance.rulebook.validation import Problem, RulebookErrors

__all__ = [
    "CarryForward",
    "ContractRule",
    "Criterion",
    "Freshness",
    "Gate",
    "ParsedRulebook",
    "Problem",
    "Requirement",
    "RulebookErrors",
    "ScaleTest",
    "StageRule",
    "parse",
    "shipped_text",
]
