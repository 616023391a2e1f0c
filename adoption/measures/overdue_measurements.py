"""The owner's obligation after sixty days without a measurement (S1-17.1). A measurement completes it."""

from datetime import date, timedelta

from django.db.models import Exists, Max, OuterRef

from adoption.measures.actions import silence_of
from adoption.measures.evaluation import said_day
from adoption.models import Measure, Tally
from governance import clock
from governance.models import Rulebook
from governance.vocabulary import RUNNING_STAGES
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Obligation

SILENT_DAYS = 60  # S1-17.1: "no measurements for 60 days raises a task"
DAYS_TO_READ = 14


def silent_since(day: date):
    """Return running initiatives' measures without a measurement after this day.

    A measure without any counts by the day of its declaration. The arrival counts, not the period: someone who sends
    last month's figures is not silent. Each row has `heard`, the moment of its last measurement or None.
    """
    end = clock.midnight_after(day)
    newer = Tally.objects.filter(measure=OuterRef("pk"), heard_at__gte=end)
    return (
        Measure.objects.current()
        .filter(
            ~Exists(newer),
            declared_at__lt=end,
            initiative__stage__in=RUNNING_STAGES,
            initiative__withdrawn_at__isnull=True,
        )
        .annotate(heard=Max("tallies__heard_at"))
        .select_related("initiative")
        .order_by("initiative_id", "pk")
    )


def open_silence_obligations() -> list[Obligation]:
    """Open an obligation for each measure that has been silent for sixty days.

    The owner is responsible, else the acting chair. Safe to repeat: one open obligation per measure.
    """
    if Rulebook.objects.in_force() is None:
        return []  # no rules, no initiatives
    last = clock.today() - timedelta(days=SILENT_DAYS)
    opened = []
    known = set(Obligation.objects.open().filter(kind="measurement").values_list("initiative_id", "source"))
    for measure in silent_since(last):
        if (measure.initiative_id, silence_of(measure.pk)) in known:
            continue
        with act(
            "open the obligation of a measurement", system="silence job", initiative=measure.initiative_id
        ) as initiative:
            if not silent_since(last).filter(pk=measure.pk).exists():
                continue  # a measurement came meanwhile
            heard = measure.heard or measure.declared_at
            role = roles_and_seats.accepted(initiative, "owner")
            obligation = open_obligation(
                initiative,
                "measurement",
                source=silence_of(measure.pk),
                text=f"No measurement since {said_day(clock.local_day(heard))}: {measure.words}"[:250],
                due=clock.today() + timedelta(days=DAYS_TO_READ),
                responsible=role.person if role is not None else roles_and_seats.acting_chair(initiative)[0],
            )
            if obligation is not None:
                opened.append(obligation)
    return opened
