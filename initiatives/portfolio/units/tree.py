"""The tree of units as its page shows it, with contents and deciding boards."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from governance.models import Board, Unit, User
from governance.people import boards
from initiatives.models import Initiative
from initiatives.models.imports import ROOT
from initiatives.portfolio.units.plans import nearest

DEEPEST_SHOWN = 6


@dataclass(frozen=True)
class Row:
    """A unit in its place. `with_below` counts its initiatives and those of units below.

    `board` is its board, also while it waits. `decides` is the deciding board, or None if no unit above has one.
    """

    unit: Unit
    depth: int
    initiatives: int
    with_below: int
    people: int
    board: Board | None
    decides: Board | None

    @property
    def shown_depth(self) -> int:
        """Return the depth of indentation, limited to `DEEPEST_SHOWN`."""
        return min(self.depth, DEEPEST_SHOWN)


def own_rows() -> list[Row]:
    """Return the organisation's units, each after the unit above, by name."""
    return _rows(list(Unit.objects.own()))


def imported() -> QuerySet:
    """Return units of lists that no one took over, parents first. `holds` counts initiatives."""
    found = Unit.objects.living().filter(path__startswith=f"/{ROOT[1]}/").exclude(code=ROOT[1])
    return found.select_related("parent").annotate(holds=Count("initiatives")).order_by("path")


def merged() -> QuerySet:
    """Return the units that were merged away, kept for reading."""
    return Unit.objects.filter(merged_into__isnull=False).select_related("merged_into")


def _rows(units: list[Unit]) -> list[Row]:
    initiatives = dict(Initiative.objects.order_by().values_list("unit").annotate(Count("pk")))
    people = dict(User.objects.active().order_by().values_list("unit").annotate(Count("pk")))
    places = {board.unit.path: board for board in boards.boards()}
    own = {board.unit_id: board for board in Board.objects.all()}
    names = {unit.code: unit.name.casefold() for unit in units}

    def place(unit: Unit) -> tuple:
        return tuple((names.get(code, code), code) for code in unit.path.strip("/").split("/"))

    return [
        Row(
            unit=unit,
            depth=unit.path.count("/") - 2,
            initiatives=initiatives.get(unit.pk, 0),
            with_below=sum(initiatives.get(one.pk, 0) for one in units if one.path.startswith(unit.path)),
            people=people.get(unit.pk, 0),
            board=own.get(unit.pk),
            decides=nearest(places, unit.path),
        )
        for unit in sorted(units, key=place)
    ]
