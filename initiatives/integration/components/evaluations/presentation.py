"""Evaluations as pages show them: numbers without idle zeros, and whether a result meets its threshold."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from initiatives.models import ModelEvaluation


@dataclass(frozen=True)
class Shown:
    """An evaluation with what was asked, what came out, and its state in words and a tone."""

    row: ModelEvaluation
    asked: str
    result: str
    state: str
    tone: str


def shown(rows: Iterable[ModelEvaluation]) -> list[Shown]:
    """Each of these evaluations for a page."""
    return [
        Shown(
            row,
            f"{row.get_comparison_display()} {plain(row.threshold)}",
            "" if row.result is None else plain(row.result),
            *_state(row),
        )
        for row in rows
    ]


def plain(number: Decimal) -> str:
    """A number as people write it."""
    return f"{number.normalize():f}"


def _state(row: ModelEvaluation) -> tuple[str, str]:
    if row.withdrawn_at is not None:
        return "withdrawn", ""
    if row.meets is None:
        return "not measured yet", "warn"
    return ("meets its threshold", "ok") if row.meets else ("does not meet its threshold", "bad")
