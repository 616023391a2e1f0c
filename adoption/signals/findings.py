"""What adoption says against the requirements of cases; reaches the gates as shortcomings (docs/adr/0030)."""

from collections.abc import Iterator

from adoption.models import Signal
from adoption.models.signals import EXTENTS, IGNORED, WEAPONISED
from governance.templatetags.plumbline import day
from initiatives.facts.finding_rules import Wanted, about

BEHAVIOUR = "adopt.behaviour"
ANSWERERS = "the chair or the adoption seat"


@about(Signal.objects.against())
def behaviour(keys: list[int]) -> Iterator[tuple[int, Wanted]]:
    """Signals by which the test of adoption fails (rulebook, `adopt.behaviour`)."""
    for row in Signal.objects.against().filter(initiative__in=keys).order_by("initiative", "pk"):
        words, fix = against(row)
        yield row.initiative_id, Wanted(BEHAVIOUR, f"signal:{row.pk}", words, fix, ANSWERERS)


def against(row: Signal) -> tuple[str, str]:
    """What a signal that weighs against the case says there, and what mends it."""
    if row.kind == WEAPONISED:
        return (
            f"{row.group}: it is used against people, and the board has not answered.",
            "The chair or the adoption seat answers it, with what is done.",
        )
    does = "ignore it" if row.kind == IGNORED else "work around it"
    share = f" ({row.share} %)" if row.share is not None else ""
    return f"{row.group}: most of the group{share} {does}.", (
        "Find out why and change it. When readings no longer show it, this goes away."
        if row.computed
        else "Find out why and change it; the chair or the adoption seat then says that it is over."
    )


def told(row: Signal, said_day=day) -> str:
    """A signal beside a figure or on paper: what, of which group, how many, since when; neither words nor a name.

    `said_day`: how a day is said there.
    """
    much = f"{row.share} % of the group" if row.share is not None else EXTENTS[row.extent].lower()
    much = "how many is not known" if row.extent == "unknown" else much
    answered = "; the board answered" if row.answered_at else ""
    return f"{row.get_kind_display()}: {row.group}, {much}, seen on {said_day(row.observed_on)}{answered}."
