"""A portfolio as it is in life: 3,611 public rows as proposed ideas, and more with the title of one and the problem of
another."""

import csv
import random
from dataclasses import dataclass

from tests.support.paths import EXTRACTS

ROWS = EXTRACTS / "portfolio_2025.csv"


@dataclass(frozen=True)
class Row:
    """One row of the extract, by its number in the file that it was cut from."""

    line: int
    unit: str
    title: str
    problem: str
    vendor: str


def rows() -> list[Row]:
    """All of them, in their order."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return [
            Row(line, f"{row['agency']} {row['bureau']}".strip(), row["title"], row["problem"], row["vendor"])
            for line, row in enumerate(csv.DictReader(file), start=2)
        ]


def found(initiatives: int) -> dict[int, int]:
    """Lay down so many initiatives with their units, unless they are there; the keys by the lines of the extract."""
    from governance.models import Unit
    from initiatives.models import Initiative

    real = rows()
    chance, lines = random.Random(initiatives), real[:initiatives]
    while len(lines) < initiatives:
        one, other = chance.choice(real), chance.choice(real)
        lines.append(Row(0, one.unit, one.title, other.problem, one.vendor))
    if not Unit.objects.exists():
        _lay_down(lines)
    made = Initiative.objects.order_by("number")
    return {row.line: initiative.pk for row, initiative in zip(lines, made, strict=True) if row.line}


def _lay_down(lines: list[Row]) -> None:
    from django.db import connection, transaction

    from governance import clock
    from governance.database import row_history
    from governance.database.row_history import acting
    from governance.models import Unit
    from initiatives.models import Initiative
    from initiatives.portfolio.registration.actions import next_numbers
    from tests.support import factories

    cast, now = factories.make_cast(), clock.now()
    above = cast.unit.parent
    names = list(dict.fromkeys(row.unit for row in lines))
    with transaction.atomic(), acting(by=cast.admin, reason="Founded"):
        units = row_history.insert_many(
            Unit,
            [
                Unit(name=name[:120], code=f"unit-{n}", parent=above, path=f"{above.path}unit-{n}/")
                for n, name in enumerate(names)
            ],
        )
        at = dict(zip(names, units, strict=True))
        row_history.insert_many(
            Initiative,
            [
                Initiative(
                    number=number,
                    title=row.title[:200],
                    unit=at[row.unit],
                    problem=row.problem,
                    platform=row.vendor[:120],
                    since=now,
                    registered_at=now,
                    registered_by=cast.admin,
                )
                for number, row in zip(next_numbers(len(lines)), lines, strict=True)
            ],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
