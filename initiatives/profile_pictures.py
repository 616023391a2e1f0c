"""The patterns of a column month by month, as a picture: a row of bars for each pattern, all on one scale.

Strict Content-Security-Policy: every shape is worked out here (`initiatives.drawings`).
"""

from dataclasses import dataclass

from initiatives.drawings import BARS, ROW, WIDTH, Picture, Shape, Words
from initiatives.profiling.telling import share

MOST_BARS = 80  # months; more are drawn as years
MOST_ROWS = 5


@dataclass(frozen=True)
class Months:
    """A picture with the table behind it: the column, its patterns, rows of (period, rows, shares)."""

    name: str
    words: str
    picture: Picture
    patterns: list[str]
    rows: list[tuple[str, str, list[str]]]


def in_time(column: dict) -> list[str]:
    """The patterns of a measured column, which came to be usual first first; without periods, by their share."""
    periods = column.get("periods") or []

    def since(name: str) -> int:
        parts = [one["patterns"].get(name, 0.0) for one in periods]
        usual = max(parts, default=0.0) / 2
        return next((place for place, part in enumerate(parts) if part and part >= usual), len(parts))

    return sorted(column["patterns"], key=since)


def months_of(column: dict) -> Months:
    """The picture of a measured column whose patterns changed."""
    periods = column["periods"]
    if len(periods) > MOST_BARS:
        periods = _years(periods)
    names = [name for name in column["patterns"] if any(one["patterns"].get(name) for one in periods)]
    names = [name for name in in_time(column) if name in names[:MOST_ROWS]]
    shapes, words = [], []
    room = WIDTH / max(1, len(periods))
    for place, name in enumerate(names):
        base = place * ROW + ROW - 6
        words.append(Words(name, "0.0", f"{place * ROW + 12:.1f}", "start", "name"))
        shapes.append(Shape("axis", "0.0", f"{base:.1f}", f"{WIDTH:.1f}", "1.0"))
        for at, one in enumerate(periods):
            height = BARS * one["patterns"].get(name, 0.0)
            if height:
                wide = max(0.8, room - 0.6)
                shapes.append(
                    Shape("bar", f"{at * room:.1f}", f"{base - height:.1f}", f"{wide:.1f}", f"{height:.1f}")
                )
    if periods:
        end = len(names) * ROW + 12
        words.append(Words(periods[0]["period"], "0.0", f"{end:.1f}", "start"))
        words.append(Words(periods[-1]["period"], f"{WIDTH:.1f}", f"{end:.1f}", "end"))
    picture = Picture(
        f"Patterns of {column['name']}",
        column.get("words", ""),
        tuple(shapes),
        tuple(words),
        len(names) * ROW + 18,
    )
    rows = [
        (one["period"], f"{one['rows']:,}", [share(one["patterns"].get(name, 0.0)) for name in names])
        for one in periods
    ]
    return Months(column["name"], column.get("words", ""), picture, names, rows)


def _years(periods: list[dict]) -> list[dict]:
    """Months put together by year, shares weighed by rows."""
    years: dict[str, dict] = {}
    for one in periods:
        year = years.setdefault(one["period"][:4], {"rows": 0, "counts": {}})
        year["rows"] += one["rows"]
        for name, part in one["patterns"].items():
            year["counts"][name] = year["counts"].get(name, 0.0) + part * one["rows"]
    return [
        {
            "period": period,
            "rows": year["rows"],
            "patterns": {name: count / year["rows"] for name, count in year["counts"].items()},
        }
        for period, year in years.items()
        if year["rows"]
    ]
