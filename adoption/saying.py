"""What adoption says against the requirements of cases; reaches the gates as shortcomings (docs/adr/0030)."""

from collections.abc import Iterator

from adoption.models import Signal
from adoption.models.signals import IGNORED, WEAPONISED
from initiatives.register import Wanted, about

BEHAVIOUR = "adopt.behaviour"


@about(Signal.objects.against())
def behaviour(keys: list[int]) -> Iterator[tuple[int, Wanted]]:
    """Signals by which the test of adoption fails (rulebook, `adopt.behaviour`)."""
    for row in Signal.objects.against().filter(initiative__in=keys).order_by("initiative", "pk"):
        if row.kind == WEAPONISED:
            words = f"{row.group}: it is used against people, and the board has not answered."
            fix = "The chair or the adoption seat answers it, with what is done."
        else:
            does = "ignore it" if row.kind == IGNORED else "work around it"
            share = f" ({row.share} %)" if row.share is not None else ""
            words = f"{row.group}: most of the group{share} {does}."
            fix = (
                "Find out why and change it. When readings no longer show it, this goes away."
                if row.computed
                else "Find out why and change it; the chair or the adoption seat then says that it is over."
            )
        yield (
            row.initiative_id,
            Wanted(BEHAVIOUR, f"signal:{row.pk}", words, fix, "the chair or the adoption seat"),
        )
