"""The patterns of a column month by month, as a picture: a row of bars for each pattern, all on one scale."""

from dataclasses import dataclass

from initiatives.charts.primitives import BARS, ROW, WIDTH, Canvas, Picture
from initiatives.integration.measurement.wording import share

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
    canvas = Canvas()
    room = WIDTH / max(1, len(periods))
    for place, name in enumerate(names):
        base = canvas.column_row(place, name)
        for at, one in enumerate(periods):
            height = BARS * one["patterns"].get(name, 0.0)
            if height:
                canvas.bar("bar", at * room, base - height, max(0.8, room - 0.6), height)
    end = len(names) * ROW + 12
    if periods:
        canvas.say(periods[0]["period"], 0, end, "start")
        canvas.say(periods[-1]["period"], WIDTH, end, "end")
    picture = canvas.picture(f"Patterns of {column['name']}", column.get("words", ""), end + 6)
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
