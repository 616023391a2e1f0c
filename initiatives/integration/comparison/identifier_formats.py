"""Comparison of the identifier formats of two fields, as stated or else as measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from initiatives.integration.comparison import identifier_standards, masks
from initiatives.integration.measurement.patterns import BLANK, ENOUGH, grown

# Types of columns that hold figures, flags and days, and identify nothing.
FIGURES = ("decimal", "float", "double", "boolean", "date", "datetime", "timestamp")
DISTINCT = 0.5  # a column of whole figures of which fewer are distinct counts something


@dataclass(frozen=True)
class Identifier:
    """An identifier format: a standard, a mask, or measured patterns with shares."""

    standard: str = ""
    mask: str = ""
    patterns: tuple[tuple[str, float], ...] = ()

    @property
    def masks(self) -> tuple[str, ...]:
        """Return the masks of the format, none if it is only measured."""
        return (self.mask,) if self.mask else identifier_standards.MASKS.get(self.standard, ())

    @property
    def main(self) -> str:
        """Return the pattern of most measured values, or blank if its share is too small."""
        pattern, share = max(self.patterns, key=lambda one: one[1], default=("", 0.0))
        return pattern if share >= ENOUGH else ""

    def share(self, patterns: tuple[tuple[str, float], ...]) -> float:
        """Return the share (0 to 1) of values in these patterns that the masks can write."""
        return sum(share for name, share in patterns if any(masks.fits(one, name) for one in self.masks))

    def __str__(self) -> str:
        if self.standard:
            return identifier_standards.name_of(self.standard)
        return self.mask or f"measured mostly {self.main}"


def stated(standard: str, mask: str) -> Identifier | None:
    """Return the stated format, or None without a known standard or a mask."""
    if standard in identifier_standards.STANDARDS:
        return Identifier(standard=standard)
    return Identifier(mask=mask) if mask else None


def measured(column: Mapping[str, Any] | None) -> Identifier | None:
    """Return the measured format of a column, or None if unclear or for figures."""
    column = column or {}
    kind, distinct = str(column.get("type") or "").lower(), column.get("distinct_share")
    if kind in FIGURES or (kind.startswith("int") and (distinct or 0) < DISTINCT):
        return None
    found = Identifier(patterns=patterns_of(column))
    return found if found.main else None


def patterns_of(column: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Return the measured patterns of a column, with their share of non-blank values."""
    kept = {name: share for name, share in (column.get("patterns") or {}).items() if name not in ("", BLANK)}
    total = sum(kept.values())
    return tuple((name, share / total) for name, share in kept.items()) if total else ()


def differ(one: Identifier | None, other: Identifier | None) -> bool:
    """Return True if both formats are known and differ, so identifiers cannot match."""
    if one is None or other is None:
        return False
    if one.patterns and other.patterns:
        return one.main != other.main and not grown(one.main, other.main) and not grown(other.main, one.main)
    if one.patterns or other.patterns:
        declared, seen = (other, one) if one.patterns else (one, other)
        return declared.share(seen.patterns) < ENOUGH
    if one.standard and other.standard:
        return one.standard != other.standard
    if one.mask and other.mask:
        return masks.read(one.mask) != masks.read(other.mask)
    norm, mask = (one, other.mask) if one.standard else (other, one.mask)
    return not norm.share(((masks.shortest(mask), 1.0),))
