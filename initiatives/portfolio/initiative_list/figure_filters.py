"""The initiatives behind one bar of the charts, as a filter of the portfolio.

A figure is called "moved.<move>.<month>", "expires.<first day of the week>", "falls.<the same>" or "spent". Each counts
as `insights.flow` does, so that a bar of three leads to three initiatives.
"""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from governance import clock
from governance.vocabulary import RUNNING_STAGES
from initiatives.models import Effort, StageChange, SupportedStagePeriod

SPENT = "spent"
MONTHS = 12
DAYS_AHEAD = 90
# What happens to an initiative, in the order of its life. An import only reports, so it is told apart and not drawn.
MOVES = {
    "registered": "Registered",
    "prototype": "Became a prototype",
    "mvp": "Became an MVP",
    "production": "Went into production",
    "stepped_back": "Stepped back a stage",
    "stopped": "Stopped",
    "retired": "Retired",
    "reopened": "Reopened",
}
BY_BASIS = {"reopened": "reopened", "stepped_back": "step back"}


def months_to(today: date) -> tuple[date, ...]:
    """Return the first days of this month and of the earlier months, oldest first."""
    count = today.year * 12 + today.month - 1
    return tuple(date(n // 12, n % 12 + 1, 1) for n in range(count - MONTHS + 1, count + 1))


def weeks_from(today: date) -> list[tuple[date, date]]:
    """Return the first and last day of each week of the days ahead, from tomorrow on."""
    last = today + timedelta(days=DAYS_AHEAD)
    firsts = [today + timedelta(days=7 * place + 1) for place in range(-(-DAYS_AHEAD // 7))]
    return [(first, min(first + timedelta(days=6), last)) for first in firsts]


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the figures that the charts draw today, in groups, as key and words."""
    today = clock.today()
    weeks = [(first, f"from {first:%-d %B}") for first, _ in weeks_from(today)]
    moved = [
        (words, [(moved_key(move, month), f"{words}, {month:%B %Y}") for month in months_to(today)])
        for move, words in MOVES.items()
    ]
    return [
        *moved,
        (
            "Evidence expires",
            [(f"expires.{first}", f"Evidence expires in the week {of}") for first, of in weeks],
        ),
        ("Loses support", [(f"falls.{first}", f"Loses support in the week {of}") for first, of in weeks]),
        ("Spend", [(SPENT, "Money was spent")]),
    ]


def moved_key(move: str, month: date) -> str:
    """Return the key of the moves of one kind in a month."""
    return f"moved.{move}.{month:%Y-%m}"


def behind(initiatives: QuerySet, figure: str) -> QuerySet:
    """Return the initiatives that a figure counts. They are annotated as by `filters.with_support`."""
    if figure == SPENT:
        spent = Effort.objects.current().filter(initiative=OuterRef("pk"), money__isnull=False)
        return initiatives.filter(Exists(spent))
    kind, *rest = figure.split(".")
    if kind == "moved":
        return _moved(initiatives, *rest)
    first = date.fromisoformat(rest[0])
    today = clock.today()
    last = min(first + timedelta(days=6), today + timedelta(days=DAYS_AHEAD))
    ahead = _expiring(first, last) if kind == "expires" else _falling(first, last)
    known = initiatives.filter(stage__in=RUNNING_STAGES, withdrawn_at__isnull=True).exclude(
        supported="recomputing"
    )
    return known.filter(Exists(ahead))


def _moved(initiatives: QuerySet, move: str, month: str) -> QuerySet:
    first = date.fromisoformat(f"{month}-01")
    begin = clock.midnight_before(first)
    end = clock.midnight_before((first + timedelta(days=31)).replace(day=1))
    changes = StageChange.objects.filter(initiative=OuterRef("pk"))
    if move == "registered":
        reported = changes.filter(basis="import")
        return initiatives.filter(~Exists(reported), registered_at__gte=begin, registered_at__lt=end).exclude(
            basis="import"
        )
    of_move = (
        changes.filter(basis=BY_BASIS[move])
        if move in BY_BASIS
        else changes.filter(to_stage=move).exclude(basis__in=["import", *BY_BASIS.values()])
    )
    return initiatives.filter(Exists(of_move.filter(at__gte=begin, at__lt=end)))


def _spans() -> QuerySet:
    """Return the spans of an initiative that cover a moment of the days ahead."""
    now, end = clock.now(), clock.midnight_after(clock.today() + timedelta(days=DAYS_AHEAD))
    return SupportedStagePeriod.objects.filter(
        Q(until_at__isnull=True) | Q(until_at__gt=now), initiative=OuterRef("pk"), from_at__lt=end
    )


def _expiring(first: date, last: date) -> QuerySet:
    return _spans().filter(next_expiry_on__gte=first, next_expiry_on__lte=last)


def _falling(first: date, last: date) -> QuerySet:
    before = SupportedStagePeriod.objects.filter(
        Q(until_at__isnull=True) | Q(until_at__gt=clock.now()),
        initiative=OuterRef("initiative"),
        from_at__lt=OuterRef("from_at"),
    ).order_by("-from_at")
    begins = _spans().filter(
        from_at__gt=clock.now(),
        from_at__gte=clock.midnight_before(first),
        from_at__lt=clock.midnight_after(last),
    )
    return begins.filter(unsupported_stages__gt=Subquery(before.values("unsupported_stages")[:1]))
