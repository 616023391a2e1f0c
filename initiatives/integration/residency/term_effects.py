"""A preview of a change of vendor terms or regions, by the rule itself. Writes nothing.

The result equals what happens then: `follow` opens and releases the same holds from the same findings. An unknown
region holds an MVP or production after the last day to find it out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from governance import clock
from initiatives.integration.residency import findings
from initiatives.integration.residency.findings import Judged, WhatIf
from initiatives.models import Hold


@dataclass(frozen=True)
class Ahead:
    """The places, by initiative key, that a change forbids or frees.

    Places in `held` cause a hold now. Places in `stays` replace those of a hold that is open already. If places in
    `freed` end, the chair may lift the hold. Places in `later` are forbidden once a term or a version begins, or the
    day to find out a region passes.
    """

    held: dict[int, list[Judged]]
    stays: dict[int, list[Judged]]
    freed: dict[int, list[Judged]]
    later: dict[int, list[Judged]]

    @property
    def initiatives(self) -> set[int]:
        """Return every initiative that is named."""
        return {*self.held, *self.stays, *self.freed, *self.later}


def look(initiatives: Iterable[int], what_if: WhatIf) -> Ahead:
    """Return the effects of a change on these initiatives."""
    keys, now = sorted(initiatives), clock.now()
    holds = Hold.objects.open().filter(
        initiative__in=keys, kind="residency", opened_by__isnull=True, liftable_since__isnull=True
    )
    stuck = set(holds.values_list("initiative", flat=True))
    before = _broken(keys, findings.NOW)
    after = _broken(keys, what_if)
    counting = {key: [one for one in found if _counts(one, now)] for key, found in after.items()}
    known = {key: {(one.source, one.words) for one in found} for key, found in before.items()}
    return Ahead(
        held={key: found for key, found in counting.items() if found and key not in stuck},
        stays={
            key: found
            for key, found in counting.items()
            if found
            and key in stuck
            and {one.words for one in found}
            != {one.words for one in before.get(key, ()) if _counts(one, now)}
        },
        freed={key: before.get(key, []) for key in sorted(stuck) if not counting.get(key)},
        later={
            key: new
            for key, found in after.items()
            if (
                new := [
                    one
                    for one in found
                    if not _counts(one, now) and (one.source, one.words) not in known.get(key, ())
                ]
            )
        },
    )


def _counts(one: Judged, now: datetime) -> bool:
    return one.counts_at(now) and one.forbidden_now


def _broken(keys: list[int], what_if: WhatIf) -> dict[int, list[Judged]]:
    found: dict[int, list[Judged]] = {}
    for one in findings.with_days(findings.judge(keys, what_if)):
        if one.broken:
            found.setdefault(one.initiative, []).append(one)
    return found
