"""Whether the identifiers of two fields can be matched by equality, as described and as measured.

Source of the rule: int.definitions.
"""

import re
from collections.abc import Mapping

from initiatives.disagreeing import formats, shapes
from initiatives.disagreeing.vocabulary import fold

# Types of columns that hold figures, flags and days, and identify nothing.
MEASURES = ("decimal", "float", "double", "boolean", "date", "datetime", "timestamp")
# A measured pattern of whole figures too long to be an amount.
KEY = re.compile(r"9{6,}|9\{(?:[6-9]|\d{2})\}")


def clash(one, other) -> str:
    """Why the identifiers of the two cannot be matched by equality; empty where they can or nothing is known."""
    same = fold(one.identifier_format).split() == fold(other.identifier_format).split()
    if same and not one.profile and not other.profile:
        return ""
    return shapes.compare(
        formats.described(one.identifier_format),
        formats.measured(_identifying(one)),
        formats.described(other.identifier_format),
        formats.measured(_identifying(other)),
    )


def alike(one, other) -> bool:
    """Whether both say all of how their identifiers are written, and one could stand in the other's place."""
    return (
        all(formats.described(row.identifier_format).whole for row in (one, other))
        and bool(one.identifier_format.strip() and other.identifier_format.strip())
        and not clash(one, other)
    )


def _identifying(row) -> Mapping | None:
    """The profile where its column may hold identifiers; figures and flags are none unless a format was typed."""
    profile = row.profile or {}
    kind = str(profile.get("type") or "").lower()
    patterns = profile.get("patterns") or {}
    keyed = (profile.get("distinct_share") or 0) >= 0.5 and all(KEY.fullmatch(one) for one in patterns)
    repeated = (profile.get("distinct_share") or 0) >= 0.02 and all(KEY.fullmatch(one) for one in patterns)
    counts = kind.startswith("int") and (profile.get("distinct_share") or 0) < 0.5 and not repeated
    if (kind in MEASURES and not (keyed and kind == "decimal")) or (
        counts and not row.identifier_format.strip()
    ):
        return None
    return profile or None
