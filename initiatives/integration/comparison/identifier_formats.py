"""Whether the identifiers of two fields are written alike: as stated, or as measured where nobody states it."""

from collections.abc import Mapping
from dataclasses import dataclass

from initiatives.integration.comparison import identifier_standards, masks
from initiatives.integration.measurement.patterns import BLANK, ENOUGH, grown

# Types of columns that hold figures, flags and days, and identify nothing.
FIGURES = ("decimal", "float", "double", "boolean", "date", "datetime", "timestamp")
DISTINCT = 0.5  # a column of whole figures of which fewer are distinct counts something


@dataclass(frozen=True)
class Identifier:
    """How identifiers of a field are written, by a standard, a mask, or measured patterns with their shares."""

    standard: str = ""
    mask: str = ""
    patterns: tuple[tuple[str, float], ...] = ()

    @property
    def masks(self) -> tuple[str, ...]:
        """The masks by which they may be written; none where they are only measured."""
        return (self.mask,) if self.mask else identifier_standards.MASKS.get(self.standard, ())

    @property
    def main(self) -> str:
        """The pattern of most of the measured values; blank where none stands for enough of them."""
        pattern, share = max(self.patterns, key=lambda one: one[1], default=("", 0.0))
        return pattern if share >= ENOUGH else ""

    def share(self, patterns: tuple[tuple[str, float], ...]) -> float:
        """The share (0 to 1) of values measured with these patterns that the masks can write."""
        return sum(share for name, share in patterns if any(masks.fits(one, name) for one in self.masks))

    def __str__(self) -> str:
        if self.standard:
            return identifier_standards.name_of(self.standard)
        return self.mask or f"measured mostly {self.main}"


def stated(standard: str, mask: str) -> Identifier | None:
    """What a definition states; None where it states nothing, or by a standard that is not known any more."""
    if standard in identifier_standards.STANDARDS:
        return Identifier(standard=standard)
    return Identifier(mask=mask) if mask else None


def measured(column: Mapping | None) -> Identifier | None:
    """What a profile says of its column; None where that is nothing, or the column holds figures."""
    column = column or {}
    kind, distinct = str(column.get("type") or "").lower(), column.get("distinct_share")
    if kind in FIGURES or (kind.startswith("int") and (distinct or 0) < DISTINCT):
        return None
    found = Identifier(patterns=patterns_of(column))
    return found if found.main else None


def patterns_of(column: Mapping) -> tuple[tuple[str, float], ...]:
    """The measured patterns of a column with their share of the values that are not blank."""
    kept = {name: share for name, share in (column.get("patterns") or {}).items() if name not in ("", BLANK)}
    total = sum(kept.values())
    return tuple((name, share / total) for name, share in kept.items()) if total else ()


def differ(one: Identifier | None, other: Identifier | None) -> bool:
    """Whether both are known and written otherwise: identifiers of one cannot be matched with those of the other."""
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
