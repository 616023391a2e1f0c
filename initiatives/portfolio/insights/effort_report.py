"""Report of effort over many initiatives: by layer, reason of waiting, initiative.

The database sums the initiatives that are passed in. Hours are shown as months of 160 hours. Money is summed by
currency, never across currencies. Withdrawn effort is not counted.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from governance.vocabulary import RUNNING_STAGES, Layer
from initiatives.models import Effort, Initiative, ProcessRecord, RoleAssignment
from initiatives.portfolio.efforts.effort_cells import monday
from initiatives.portfolio.efforts.queries import WAITS, Waits

HOURS_A_MONTH = 160
SHOWN = 20  # of whom, what and which initiatives, the longest waits first
OF_KIND = {
    "hours": Q(hours__gt=0),
    "money": Q(money__gt=0),
    "waiting": Q(waited_days__gt=0),
    "unnamed": Q(waited_days__gt=0, waits_for=None, waits_for_system=None, waits_for_words=""),
}


@dataclass(frozen=True)
class Wanted:
    """The filter of effort. A field that is empty or None does not narrow. Days count by week."""

    unit: object | None = None
    since: date | None = None
    until: date | None = None
    layer: str = ""
    kind: str = ""
    currency: str = ""
    initiative: int | None = None
    person: int | None = None
    system: int | None = None
    words: str = ""


@dataclass(frozen=True)
class OfLayer:
    """The effort of one layer over all initiatives, with counts of them and lines."""

    layer: str
    hours: Decimal = Decimal(0)
    waited: Decimal = Decimal(0)
    money: dict[str, Decimal] = field(default_factory=dict)
    initiatives: int = 0
    rows: int = 0

    @property
    def months(self) -> Decimal:
        """Return the hours of the layer as months of work."""
        return self.hours / HOURS_A_MONTH


NAMED = 3  # of the initiatives somebody works on, so many are named in a row


@dataclass(frozen=True)
class Pair:
    """A wait for someone who works on others: visible `others`, and `unnamed` ones.

    `mutual`: the initiatives among `others` that wait for someone of this one.
    """

    initiative: Initiative
    person: int
    name: str
    days: Decimal
    others: tuple[Initiative, ...]
    unnamed: int
    mutual: tuple[Initiative, ...] = ()

    @property
    def shown(self) -> tuple[Initiative, ...]:
        """Return the first initiatives that may be named."""
        return self.others[:NAMED]

    @property
    def more(self) -> int:
        """Return the number of further initiatives that may be named."""
        return len(self.others) - len(self.shown)


@dataclass(frozen=True)
class Redesigns:
    """The processes with a redesign but no budget for it: number, and newest."""

    count: int
    rows: tuple[ProcessRecord, ...]


def chosen(initiatives: QuerySet, wanted: Wanted) -> QuerySet:
    """Return the wanted effort of these initiatives."""
    if wanted.unit is not None:
        initiatives = initiatives.filter(unit__path__startswith=wanted.unit.path)
    if wanted.initiative is not None:
        initiatives = initiatives.filter(number=wanted.initiative)
    rows = Effort.objects.current().filter(initiative__in=initiatives.order_by().values("pk"))
    if wanted.since:
        rows = rows.filter(week__gte=monday(wanted.since))
    if wanted.until:
        rows = rows.filter(week__lte=wanted.until)
    if wanted.layer:
        rows = rows.filter(layer=wanted.layer)
    if wanted.kind:
        rows = rows.filter(OF_KIND[wanted.kind])
    if wanted.currency:
        rows = rows.filter(currency=wanted.currency)
    if wanted.person is not None:
        rows = rows.filter(waits_for=wanted.person)
    if wanted.system is not None:
        rows = rows.filter(waits_for_system=wanted.system)
    if wanted.words:
        rows = rows.filter(waits_for_words=wanted.words)
    return rows


def by_layer(rows: QuerySet) -> tuple[OfLayer, ...]:
    """Return the effort of each layer in the order of the stack, also of empty layers."""
    found = {layer: OfLayer(layer) for layer in Layer}
    sums = (
        rows.order_by()
        .values("layer")
        .annotate(
            hours_of=Sum("hours"),
            waited_of=Sum("waited_days"),
            of_initiatives=Count("initiative", distinct=True),
            rows_of=Count("pk"),
        )
    )
    for row in sums:
        found[row["layer"]] = OfLayer(
            row["layer"],
            row["hours_of"] or Decimal(0),
            row["waited_of"] or Decimal(0),
            {},
            row["of_initiatives"],
            row["rows_of"],
        )
    spent = rows.order_by().filter(money__gt=0).values("layer", "currency").annotate(money_of=Sum("money"))
    for row in spent.order_by("currency"):
        was = found[row["layer"]]
        found[row["layer"]] = replace(was, money=was.money | {row["currency"]: row["money_of"]})
    return tuple(found.values())


def waiting(rows: QuerySet, *, systems: bool = False) -> tuple[Waits, ...]:
    """Return the longest waits by their cause, or those for systems alone."""
    waits = rows.order_by().filter(waited_days__gt=0)
    if systems:
        waits = waits.filter(waits_for_system__isnull=False)
    sums = waits.values(*WAITS).annotate(
        days=Sum("waited_days"), rows=Count("pk"), initiatives=Count("initiative", distinct=True)
    )
    return tuple(Waits.of(row) for row in sums.order_by("-days", *WAITS)[:SHOWN])


def between(rows: QuerySet, visible: QuerySet) -> tuple[Pair, ...]:
    """Return the longest waits for people who work on other running initiatives.

    Initiatives outside `visible` are only counted, and confidential ones are not even counted.
    """
    at_work = RoleAssignment.objects.in_force().filter(
        initiative__stage__in=RUNNING_STAGES, initiative__withdrawn_at__isnull=True
    )
    elsewhere = at_work.filter(person=OuterRef("waits_for")).exclude(initiative=OuterRef("initiative"))
    sums = list(
        rows.order_by()
        .filter(Exists(elsewhere), waited_days__gt=0, waits_for__isnull=False)
        .values("initiative", "waits_for", "waits_for__full_name")
        .annotate(days=Sum("waited_days"))
        .order_by("-days", "initiative", "waits_for")[:SHOWN]
    )
    people = {row["waits_for"] for row in sums}
    waiting_initiatives = {row["initiative"] for row in sums}
    roles = at_work.filter(Q(person__in=people) | Q(initiative__in=waiting_initiatives)).annotate(
        told=Exists(visible.filter(pk=OuterRef("initiative"))), hidden=F("initiative__confidential")
    )
    team: dict[int, set[int]] = {}  # by initiative, who works on it
    works: dict[int, set[int]] = {}  # by person, on which initiatives
    told: set[int] = set()
    for initiative, person, seen, hidden in roles.values_list("initiative", "person", "told", "hidden"):
        team.setdefault(initiative, set()).add(person)
        if seen or not hidden:
            works.setdefault(person, set()).add(initiative)
        if seen:
            told.add(initiative)
    wanted_from = {(row["initiative"], row["waits_for"]) for row in sums}
    initiatives = Initiative.objects.in_bulk(waiting_initiatives | told)
    found = []
    for row in sums:
        initiative, person = row["initiative"], row["waits_for"]
        others = works.get(person, set()) - {initiative}
        if not others:
            continue
        named = sorted(others & told, key=lambda key: initiatives[key].number)
        mutual = [
            key for key in named if any((key, mine) in wanted_from for mine in team.get(initiative, ()))
        ]
        found.append(
            Pair(
                initiatives[initiative],
                person,
                row["waits_for__full_name"],
                row["days"],
                tuple(initiatives[key] for key in named),
                len(others - told),
                tuple(initiatives[key] for key in mutual),
            )
        )
    return tuple(found)


def not_budgeted(initiatives: QuerySet, wanted: Wanted) -> Redesigns:
    """Return processes of running initiatives with a redesign without a cost (S1-27)."""
    if wanted.unit is not None:
        initiatives = initiatives.filter(unit__path__startswith=wanted.unit.path)
    running = initiatives.filter(stage__in=RUNNING_STAGES, withdrawn_at__isnull=True).order_by().values("pk")
    rows = ProcessRecord.objects.current().filter(
        initiative__in=running, redesign_cost__isnull=True, replaced_by__isnull=True
    )
    rows = rows.exclude(to_be=[])
    newest = rows.select_related("initiative", "holder", "budget_holder").order_by("-at", "-pk")
    return Redesigns(rows.count(), tuple(newest[:SHOWN]))


def period_words(wanted: Wanted) -> str:
    """Return the counted weeks in words. A day counts with its week."""
    first = monday(wanted.since) if wanted.since else None
    last = monday(wanted.until) + timedelta(days=6) if wanted.until else None
    if first and last:
        return f"weeks from {first:%-d %B %Y} to {last:%-d %B %Y}"
    if first:
        return f"weeks from {first:%-d %B %Y} on"
    return f"weeks up to {last:%-d %B %Y}" if last else "all weeks"
