"""Preview of a change of vendor terms or regions, worked out by the rule itself. Writes nothing.

Equal to what then happens: `following.follow` opens and releases the same holds from the same findings.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from governance import clock
from initiatives.integration.residency import findings
from initiatives.integration.residency.findings import Judged, WhatIf
from initiatives.models import Hold


@dataclass(frozen=True)
class Ahead:
    """By the key of an initiative: the places for which it would be held now, the ones whose end would let the chair
    lift its hold, and those that come to be forbidden later, because a term or a version begins then. `stays`: what an
    initiative that is held already would be held for then, where that is something else than now.
    """

    held: dict[int, list[Judged]]
    stays: dict[int, list[Judged]]
    freed: dict[int, list[Judged]]
    later: dict[int, list[Judged]]

    @property
    def initiatives(self) -> set[int]:
        """Every initiative that is named."""
        return {*self.held, *self.stays, *self.freed, *self.later}


def look(initiatives: Iterable[int], what_if: WhatIf) -> Ahead:
    """What would come of it for these initiatives."""
    keys, now = sorted(initiatives), clock.now()
    holds = Hold.objects.open().filter(
        initiative__in=keys, kind="residency", opened_by__isnull=True, liftable_since__isnull=True
    )
    stuck = set(holds.values_list("initiative", flat=True))
    before = _broken(keys, findings.NOW)
    after = _broken(keys, what_if)
    counting = {key: [one for one in found if one.counts_at(now)] for key, found in after.items()}
    known = {key: {(one.source, one.words) for one in found} for key, found in before.items()}
    return Ahead(
        held={key: found for key, found in counting.items() if found and key not in stuck},
        stays={
            key: found
            for key, found in counting.items()
            if found
            and key in stuck
            and {one.words for one in found}
            != {one.words for one in before.get(key, ()) if one.counts_at(now)}
        },
        freed={key: before.get(key, []) for key in sorted(stuck) if not counting.get(key)},
        later={
            key: new
            for key, found in after.items()
            if (
                new := [
                    one
                    for one in found
                    if not one.counts_at(now) and (one.source, one.words) not in known.get(key, ())
                ]
            )
        },
    )


def _broken(keys: list[int], what_if: WhatIf) -> dict[int, list[Judged]]:
    found: dict[int, list[Judged]] = {}
    for one in findings.judge(keys, what_if):
        if one.broken:
            found.setdefault(one.initiative, []).append(one)
    return found
