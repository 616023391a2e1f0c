"""Drift between two profiles of a system's data, by name and with figures. Pure.

Thresholds come from the sizes of the samples (`chance`): two samples of one population give no finding.
"""

from dataclasses import asdict, dataclass
from datetime import date
from difflib import SequenceMatcher
from math import log
from typing import Any

from initiatives.integration.measurement import patterns
from initiatives.integration.measurement.patterns import OTHER, TEXT
from initiatives.integration.measurement.significance import SURE, apart, came_new, differ, median_error
from initiatives.integration.measurement.wording import FACTORS, share

KINDS = {
    "added": "Column added",
    "dropped": "Column dropped",
    "renamed": "Column renamed",
    "retyped": "Other type",
    "format": "Other format",
    "null_rate": "More or fewer blanks",
    "range": "Other range",
    "category": "Other categories",
    "duplicates": "More repeated keys or rows",
    "volume": "More or fewer rows",
    "late": "Late data",
    "encoding": "Other encoding",
    "unit": "Other unit",
}
BREAKS, WATCH = "breaks", "watch"
SEVERITIES = {BREAKS: "Breaks what reads it", WATCH: "Worth a look"}
NUMBERS = ("integer", "decimal")
DATES = ("date", "timestamp")
NEAR = 0.03  # of a factor, beyond what chance allows
LEAST_ROWS = 30
COUNTED = 12  # values of a column of numbers above which they count something and name nothing


@dataclass(frozen=True)
class Finding:
    """One thing that changed: `kind` of `KINDS`, its column (the new name last), words, figures, how bad it is."""

    kind: str
    column: str
    words: str
    severity: str
    figures: dict


def drift(earlier: dict, later: dict) -> list[dict]:
    """What changed between two profiles: dicts with rows, columns, findings, and `taken_on` as a date or its text.

    Returns findings as dicts (`Finding`), those that break something first; [] when chance explains all.
    """
    before = {column["name"]: column for column in earlier["columns"]}
    after = {column["name"]: column for column in later["columns"]}
    rows = earlier["rows"], later["rows"]
    dropped = [column for name, column in before.items() if name not in after]
    added = [column for name, column in after.items() if name not in before]
    pairs = [(before[name], after[name]) for name in before if name in after]
    found: list[Finding] = []
    for old, new in _renamed(dropped, added, rows):
        words = f"{old['name']} is called {new['name']} now: what is in it looks the same."
        found.append(Finding("renamed", f"{old['name']}, {new['name']}", words, BREAKS, {"now": new["name"]}))
        dropped.remove(old)
        added.remove(new)
        pairs.append((old, new))
    for column in dropped:
        found.append(Finding("dropped", column["name"], f"{column['name']} is gone.", BREAKS, {}))
    for column in added:
        found.append(
            Finding("added", column["name"], f"{column['name']} is new.", WATCH, {"type": column["type"]})
        )
    for old, new in pairs:
        found += _column(old, new, rows)
    found += _late(earlier, later, pairs, rows)
    found += _whole(earlier, later, pairs, rows)
    return [asdict(one) for one in sorted(found, key=lambda one: one.severity != BREAKS)]


# Columns


def _renamed(dropped: list[dict], added: list[dict], rows) -> list[tuple[dict, dict]]:
    """Pairs that look alike, the likeliest first; by contents alone only where nothing else is as like."""
    scored = sorted(
        (
            (_alike(old, new, rows), _named_alike(old["name"], new["name"]), old, new)
            for old in dropped
            for new in added
        ),
        key=lambda one: -(one[0] + 0.5 * one[1]),
    )
    found, taken = [], []
    for content, name, old, new in scored:
        if old["name"] in taken or new["name"] in taken or content < 0.8:
            continue
        rivals = [
            one
            for one in scored
            if one[0] >= 0.8
            and (one[2] is old) != (one[3] is new)
            and one[0] + 0.5 * one[1] > content + 0.5 * name - 0.1
        ]
        if name >= 0.6 or (not rivals and _telling(old)):
            found.append((old, new))
            taken += [old["name"], new["name"]]
    return found


def _named_alike(one: str, other: str) -> float:
    left, right = ("".join(c for c in name.casefold() if c.isalnum()) for name in (one, other))
    return SequenceMatcher(None, left, right).ratio()


def _telling(column: dict) -> bool:
    """Whether contents say enough of what a column is: a form of its own, categories, or numbers with a range."""
    return bool(column.get("categories") or column.get("quantiles")) or any(
        len(name) > 5 and name not in (TEXT, OTHER) for name in column["patterns"]
    )


def _alike(old: dict, new: dict, rows) -> float:
    """How alike two columns are, from 0 to 1."""
    if old["type"] != new["type"] or "empty" in (old["type"], new["type"]):
        return 0.0
    marks = [1 - _mix_apart(old, new), 1 - min(1.0, 5 * abs(old["blank_share"] - new["blank_share"]))]
    if not (rows[0] != rows[1] and old["key"] != new["key"]):
        marks.append(1 - min(1.0, 2 * abs(old["distinct_share"] - new["distinct_share"])))
    if old.get("categories") and new.get("categories"):
        names = set(old["categories"]) | set(new["categories"])
        gap = sum(abs(old["categories"].get(n, 0) - new["categories"].get(n, 0)) for n in names) / 2
        marks.append(1 - gap)
        if gap > 0.5:
            return 0.0
    elif bool(old.get("categories")) != bool(new.get("categories")):
        marks.append(0.4)
    if old.get("quantiles") and new.get("quantiles"):
        width = abs(old["quantiles"][5] - old["quantiles"][1]) or abs(old["quantiles"][3]) or 1
        gaps = [abs(a - b) / width for a, b in zip(old["quantiles"][1:6], new["quantiles"][1:6], strict=True)]
        if max(gaps) > 1:
            return 0.0
        marks.append(1 - min(1.0, sum(gaps) / 5 * 2))
    return sum(marks) / len(marks)


def _levels(old: dict, new: dict) -> tuple[dict, dict]:
    """The patterns of both at the coarser of their levels."""
    levels: list[Any] = [column.get("level") for column in (old, new)]
    if None in levels:
        return ({TEXT: 1.0}, {TEXT: 1.0}) if levels == [None, None] else (old["patterns"], new["patterns"])
    mixes = []
    for column in (old, new):
        mix: dict[str, float] = {}
        for name, part in column["patterns"].items():
            name = patterns.coarser(name, max(levels))
            mix[name] = mix.get(name, 0.0) + part
        mixes.append(mix)
    return mixes[0], mixes[1]


def _mix_apart(old: dict, new: dict) -> float:
    one, other = _levels(old, new)
    if not one and not other:
        return 0.0
    gap = sum(abs(one.get(n, 0.0) - other.get(n, 0.0)) for n in set(one) | set(other))
    return min(1.0, (gap + abs(sum(one.values()) - sum(other.values()))) / 2)


def _column(old: dict, new: dict, rows) -> list[Finding]:
    """Everything about one column that is there before and after."""
    name = new["name"]
    filled = rows[0] * (1 - old["blank_share"]), rows[1] * (1 - new["blank_share"])
    found = []
    if differ(old["blank_share"], rows[0], new["blank_share"], rows[1], least=0.02):
        words = (
            f"{name} is blank in {share(new['blank_share'])} of the rows, {share(old['blank_share'])} before."
        )
        more = new["blank_share"] > old["blank_share"]
        figures = {"before": old["blank_share"], "now": new["blank_share"]}
        found.append(Finding("null_rate", name, words, BREAKS if more else WATCH, figures))
    if min(filled) < 1:
        return found
    if retyped := _retyped(old, new, filled):
        return [*found, retyped]
    scaled = _unit(old, new, filled)
    found += [scaled] if scaled else _range(old, new, filled)
    found += _categories(old, new, filled)
    listed = _listable(old) and _listable(new)
    if not scaled and not listed:
        found += _format(old, new, filled)
    if old["key"] and rows[0] >= LEAST_ROWS:
        repeats = old["duplicates"] / filled[0], new["duplicates"] / filled[1]
        # Repeats that are missed where columns are no longer looked at as keys: all that is not distinct.
        if not new["key"]:
            repeats = repeats[0], 1 - new["distinct_share"]
        if repeats[1] > repeats[0] and differ(repeats[0], filled[0], repeats[1], filled[1], least=0.002):
            words = f"{name} repeats a value in {share(repeats[1])} of the rows, {share(repeats[0])} before."
            figures = {"before": round(repeats[0], 6), "now": round(repeats[1], 6)}
            found.append(Finding("duplicates", name, words, BREAKS, figures))
    if differ(old.get("lost_share", 0), rows[0], new.get("lost_share", 0), rows[1], least=0.001):
        words = (
            f"{name} has characters read in the wrong code page in {share(new['lost_share'])} of the rows, "
            f"{share(old['lost_share'])} before."
        )
        figures = {"before": old["lost_share"], "now": new["lost_share"]}
        found.append(Finding("encoding", name, words, BREAKS, figures))
    return found


def _retyped(old: dict, new: dict, filled) -> Finding | None:
    name, figures = new["name"], {"before": old["type"], "now": new["type"]}
    kinds = (old["type"], new["type"])
    stored = old.get("stored_as", ""), new.get("stored_as", "")
    if all(stored) and stored[0] != stored[1]:
        words = f"{name} is stored as {stored[1]} now, as {stored[0]} before."
        return Finding("retyped", name, words, BREAKS, {"before": stored[0], "now": stored[1]})
    if kinds[0] == kinds[1] or "empty" in kinds:
        return None
    if set(kinds) == {"integer", "text"} and (_coded(old["patterns"]) or _coded(new["patterns"])):
        return None  # codes that happen to be digits: another format, not another type
    if "boolean" in kinds:
        few = all(column.get("categories") for column in (old, new))
        if (few and set(old["categories"]) & set(new["categories"])) or min(filled) < LEAST_ROWS:
            return None
        return Finding(
            "retyped", name, f"{name} holds {_an(kinds[1])} now, {_an(kinds[0])} before.", BREAKS, figures
        )
    gap = max(
        abs(old["types"].get(kind, 0) - new["types"].get(kind, 0))
        for kind in set(old["types"]) | set(new["types"])
    )
    if gap < 0.1 or not any(
        differ(old["types"].get(kind, 0), filled[0], new["types"].get(kind, 0), filled[1], least=0.1)
        for kind in kinds
    ):
        return None
    return Finding(
        "retyped", name, f"{name} holds {_an(kinds[1])} now, {_an(kinds[0])} before.", BREAKS, figures
    )


def _an(kind: str) -> str:
    return {
        "integer": "whole numbers",
        "decimal": "numbers with a fraction",
        "date": "days",
        "timestamp": "moments",
        "boolean": "yes or no",
        "text": "text",
    }[kind]


def _format(old: dict, new: dict, filled) -> list[Finding]:
    """Another mix of patterns. Numbers that count or measure have no format: their lengths follow their range."""
    if old.get("level") is None and new.get("level") is None:
        return []
    measured = old["type"] in NUMBERS and new["type"] in NUMBERS
    one, other = _levels(old, new)
    if measured and not (_coded(one) and (_coded(other) or max(other.values(), default=0) < 0.8)):
        return []
    moved = [
        name
        for name in sorted(
            set(one) | set(other), key=lambda name: -abs(one.get(name, 0) - other.get(name, 0))
        )
        if differ(one.get(name, 0.0), filled[0], other.get(name, 0.0), filled[1], least=0.05)
    ]
    if not moved:
        return []
    grew = max(one, key=one.get, default=""), max(other, key=other.get, default="")
    if all(grew) and grew[0] != grew[1] and patterns.grown(*grew):
        return []
    name, parts = new["name"], []
    for pattern in moved[:3]:
        shown = pattern if pattern == TEXT else f"“{pattern}”"
        parts.append(f"{shown} {share(other.get(pattern, 0.0))}, {share(one.get(pattern, 0.0))} before")
    top = moved[0]
    worst = abs(one.get(top, 0) - other.get(top, 0)) >= 0.2
    figures = {"before": one, "now": other}
    return [
        Finding(
            "format",
            name,
            f"{name} is written otherwise: {'; '.join(parts)}.",
            BREAKS if worst else WATCH,
            figures,
        )
    ]


def _coded(mix: dict) -> bool:
    """Whether nearly all values are as long as each other: a code made of digits rather than a number."""
    name = max(mix, key=mix.get, default="")
    return mix.get(name, 0) >= 0.9 and any(count and count >= 5 for _, count in patterns.pieces(name))


def _ranged(old: dict, new: dict, filled) -> bool:
    return (
        bool(old.get("quantiles") and new.get("quantiles"))
        and old["type"] in NUMBERS
        and new["type"] in NUMBERS
        and min(filled) >= LEAST_ROWS
        and not (old["key"] and new["key"] and old["type"] == new["type"] == "integer")
    )


def _unit(old: dict, new: dict, filled) -> Finding | None:
    """All quantiles times one factor."""
    if not _ranged(old, new, filled):
        return None
    pairs = [
        (a, b)
        for a, b in zip(old["quantiles"][1:6], new["quantiles"][1:6], strict=True)
        if a and b and a * b > 0
    ]
    if len(pairs) < 3 or old["quantiles"][1] == old["quantiles"][5]:
        return None
    factors = [b / a for a, b in pairs]
    middle = sorted(factors)[len(factors) // 2]
    errors = [
        median_error(c["quantiles"], n) / (abs(c["quantiles"][3]) or 1)
        for c, n in zip((old, new), filled, strict=True)
    ]
    loose = NEAR + 3 * sum(errors)
    known = min(FACTORS, key=lambda factor: abs(abs(log(middle)) - log(factor)))
    off = abs(abs(log(middle)) - log(known))
    named = off < min(loose, 0.1)
    spread = max(abs(log(factor / middle)) for factor in factors)
    # Beyond a named factor: tight, and more than growth or chance would do.
    if spread > (0.35 if named and known >= 7 else min(2.5 * loose, 0.15)):
        return None
    if abs(log(middle)) < max(0.12 if not named else 0.4, 4 * sum(errors)):
        return None
    times = f"{middle:.4g} times" if middle >= 1 else f"1/{1 / middle:.4g} of"
    what = f"{FACTORS[known]}" if named else "a currency, or another unit"
    words = f"{new['name']} is {times} what it was, from the small values to the large: {what}?"
    return Finding(
        "unit", new["name"], words, BREAKS, {"factor": round(middle, 6), "known": known if named else None}
    )


def _range(old: dict, new: dict, filled) -> list[Finding]:
    if not _ranged(old, new, filled):
        return []
    name, one, other = new["name"], old["quantiles"], new["quantiles"]
    width = abs(one[5] - one[1]) or abs(one[3]) or 1.0
    error = (median_error(one, filled[0]) ** 2 + median_error(other, filled[1]) ** 2) ** 0.5
    moved = abs(other[3] - one[3]) > max(0.15 * width, 5 * error)
    # A hundredth of the later rows beyond everything seen before: (1 - 0.01) ** rows of it by chance.
    tail = 0 if filled[0] >= 1500 else 1 if filled[0] >= 300 else 2
    beyond = []
    if isinstance(old["max"], int | float) and other[6 - tail] > old["max"] + 0.05 * width:
        beyond.append(f"{other[6 - tail]:,} and more, at most {old['max']:,} before")
    if isinstance(old["min"], int | float) and other[tail] < old["min"] - 0.05 * width:
        beyond.append(f"{other[tail]:,} and less, at least {old['min']:,} before")
    if not moved and not beyond:
        return []
    told = beyond or [f"half are below {other[3]:,}, below {one[3]:,} before"]
    figures = {"before": one, "now": other}
    return [Finding("range", name, f"{name} lies elsewhere: {'; '.join(told)}.", WATCH, figures)]


def _categories(old: dict, new: dict, filled) -> list[Finding]:
    if not (_listable(old) and _listable(new)):
        return []
    one, other = old["categories"], new["categories"]
    came = [v for v, part in other.items() if v not in one and came_new(part, filled[1], filled[0])]
    went = [v for v, part in one.items() if v not in other and came_new(part, filled[0], filled[1])]
    moved = [v for v in one if v in other and differ(one[v], filled[0], other[v], filled[1], least=0.05)]
    if not (came or went or moved):
        return []
    parts = []
    if came:
        parts.append(f"new: {_listed(came, other)}")
    if went:
        parts.append(f"gone: {_listed(went, one)}")
    if moved:
        shares = ", ".join(f"{v} {share(other[v])}, {share(one[v])} before" for v in moved[:4])
        parts.append(f"other shares: {shares}")
    figures = {"new": came, "gone": went, "moved": moved}
    severity = BREAKS if came or went else WATCH
    return [
        Finding(
            "category", new["name"], f"{new['name']} has other values: {'; '.join(parts)}.", severity, figures
        )
    ]


def _listable(column: dict) -> bool:
    """Whether the values of a column are names for kinds of rows: few, and no days or counts."""
    few = column.get("categories") or {}
    return (
        bool(few) and column["type"] not in DATES and (column["type"] not in NUMBERS or len(few) <= COUNTED)
    )


def _listed(values: list[str], shares: dict) -> str:
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return ", ".join(f"{value} ({share(shares[value])})" for value in values[:5]) + more


# The whole


def _read(profile: dict) -> dict:
    return next((one for one in profile.get("findings", []) if one.get("kind") == "read"), {})


def _day(value) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None


def _late(earlier: dict, later: dict, pairs, rows) -> list[Finding]:
    """The newest day lies further behind the day the sample was taken than before, and than rows are apart."""
    taken = _day(earlier.get("taken_on")), _day(later.get("taken_on"))
    if not all(taken):
        return []
    found = []
    for old, new in pairs:
        if not (old.get("newest") and new.get("newest")) or old["type"] not in DATES:
            continue
        lags = [(day - _day(column["newest"])).days for day, column in zip(taken, (old, new), strict=True)]
        spacing = max(
            abs(column["quantiles"][5] - column["quantiles"][1])
            / max(1, 0.9 * count * (1 - column["blank_share"]))
            for column, count in zip((old, new), rows, strict=True)
        )
        if lags[1] > max(lags[0], 0) + 3 + 15 * spacing and lags[0] <= 60:
            was = f"{lags[1]} days old when the sample was taken, {max(lags[0], 0)} before"
            words = f"The newest {new['name']} was {was}."
            found.append(Finding("late", new["name"], words, BREAKS, {"before": lags[0], "now": lags[1]}))
    return found


def _whole(earlier: dict, later: dict, pairs, rows) -> list[Finding]:
    """What concerns the file: how it is written, how many rows it has, how many of them repeat another."""
    one, other = _read(earlier), _read(later)
    found = []
    for what, words in (("encoding", "encoding"), ("separator", "separator"), ("format", "kind of file")):
        before, now = one.get(what, ""), other.get(what, "")
        before, now = ("utf-8" if text in ("ascii", "utf-8-sig") else text for text in (before, now))
        plain = what == "encoding" and "ascii" in (one.get(what), other.get(what))
        if before and now and before != now and not plain:
            sentence = f"The {words} is {now!r} now, {before!r} before."
            found.append(Finding("encoding", "", sentence, BREAKS, {"before": before, "now": now}))
    factor = rows[1] / max(1, rows[0])
    if (factor >= 2 or factor <= 0.5) and abs(rows[1] - rows[0]) > 20:
        words = f"{rows[1]:,} rows, {rows[0]:,} before."
        found.append(Finding("volume", "", words, WATCH, {"before": rows[0], "now": rows[1]}))
    found += _holes(one, other)
    keyed = any(old["key"] for old, _ in pairs)
    repeats = one.get("repeated_rows", 0) / rows[0], other.get("repeated_rows", 0) / rows[1]
    compared = (keyed or 0.8 < factor < 1.25) and repeats[1] > repeats[0]
    if compared and differ(repeats[0], rows[0], repeats[1], rows[1], least=0.005):
        words = f"{share(repeats[1])} of the rows repeat another row, {share(repeats[0])} before."
        figures = {"before": round(repeats[0], 6), "now": round(repeats[1], 6)}
        found.append(Finding("duplicates", "", words, BREAKS, figures))
    return found


def _holes(one: dict, other: dict) -> list[Finding]:
    """Months inside the later sample with next to nothing, where the earlier one had none such."""

    def empty(months: dict) -> list[str]:
        counts = sorted(months.values())
        if len(counts) < 6 or counts[len(counts) // 2] < 50:
            return []
        usual = counts[len(counts) // 2]
        named = [month for month, count in months.items() if count >= 0.5 * usual]
        first, last = min(named), max(named)
        whole, place = [], first
        while place <= last:
            whole.append(place)
            year, month = int(place[:4]), int(place[5:])
            place = f"{year + month // 12}-{month % 12 + 1:02}"
        few = [month for month in whole if months.get(month, 0) < 0.2 * usual]
        return [month for month in few if apart(months.get(month, 0) / usual, usual, 1, usual) > SURE]

    holes = [
        month for month in empty(other.get("months") or {}) if month not in empty(one.get("months") or {})
    ]
    if not holes:
        return []
    words = f"Next to no rows in {', '.join(holes[:6])}{' and later' if len(holes) > 6 else ''}."
    return [Finding("volume", "", words, BREAKS, {"months": holes})]
