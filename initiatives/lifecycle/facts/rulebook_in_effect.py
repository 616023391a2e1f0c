"""Which rulebook decides what an initiative's evidence supports (docs/domain.md, "From one rulebook to the next").

The newest version is in force: reviews are opened under it, forms ask for what it asks. Whether it also decides what is
supported follows from how the chair had it take effect: at once, from a day on, or case by case, which is from the
next gate or re-attestation that is decided under it, and at the latest a year after it was published.
"""

from datetime import datetime, timedelta
from typing import cast

from governance import clock
from governance.models import Rulebook
from governance.models.rulebook import NoRulebook
from governance.vocabulary import TakesEffect
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Initiative

# Days after publishing within which every initiative is decided by a version that takes effect case by case.
LATEST_DAYS, LATEST_DAYS_HIGH = 365, 180


def rulebook_of(initiative: Initiative, at: datetime | None = None) -> Rulebook:
    """The version that decides for the initiative at a moment, now unless told.

    Raises NoRulebook while there is none.
    """
    return deciding_from(initiative, at or clock.now())[0][1]


def successor(initiative: Initiative, at: datetime) -> tuple[datetime, Rulebook] | None:
    """When another version will decide for the initiative if nobody does anything, and which; None where none waits."""
    return next(iter(deciding_from(initiative, at)[1:]), None)


def deciding_from(initiative: Initiative, at: datetime) -> list[tuple[datetime, Rulebook]]:
    """Which version decides from this moment on, and from when each later one does if nobody does anything.

    Never empty. Raises NoRulebook while there is none.
    """
    versions = list(Rulebook.objects.kept_versions())
    if not versions:
        raise NoRulebook
    *newer, deciding = versions  # the first version decided from the start
    found: list[tuple[datetime, Rulebook]] = []
    for number, one in enumerate(newer, start=1):
        moment = _takes_over(initiative, one, versions[:number])
        if moment <= at:
            deciding = one
            break
        # An older version counts for as long as no newer one does.
        if not found or moment < found[-1][0]:
            found.append((moment, one))
    return [(at, deciding), *reversed(found)]


def _takes_over(initiative: Initiative, rulebook: Rulebook, since: list[Rulebook]) -> datetime:
    """The moment from which a published version decides, as things stand. `since`: it, and those published after it."""
    published = cast(datetime, rulebook.published_at)
    if rulebook.takes_effect == TakesEffect.AT_ONCE or initiative.registered_at >= published:
        return published
    if rulebook.takes_effect == TakesEffect.ON_A_DAY:
        return max(published, clock.midnight_before(rulebook.effective_on))
    keys = {one.pk for one in since}
    decided = [
        cast(datetime, row.ended_at)
        for row in initiative_rows.reviews(initiative)
        if row.approved and row.rulebook_id in keys
    ]
    if initiative.reattested_at is not None and initiative.reattested_at >= published:
        decided.append(initiative.reattested_at)
    return min([latest(initiative, rulebook), *decided])


def latest(initiative: Initiative, rulebook: Rulebook) -> datetime:
    """The moment from which a version that takes effect case by case decides for the initiative, whatever happens."""
    days = LATEST_DAYS_HIGH if initiative.high_risk else LATEST_DAYS
    return clock.midnight_after(clock.local_day(cast(datetime, rulebook.published_at)) + timedelta(days=days))
