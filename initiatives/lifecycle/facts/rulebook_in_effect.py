"""The rulebook that decides what the evidence of an initiative supports.

Source: docs/domain.md, "From one rulebook to the next". The newest version is in force: reviews open under it, and
forms ask for its requirements. The chair chooses when it also decides what is supported: at once, from a day on, or
case by case. Case by case means from the next gate or re-attestation decided under it, and at the latest a year after
its publication.
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
    """Return the version that decides for the initiative at a moment, by default now.

    Raises NoRulebook if none is published.
    """
    return deciding_from(initiative, at or clock.now())[0][1]


def successor(initiative: Initiative, at: datetime) -> tuple[datetime, Rulebook] | None:
    """Return when the next version decides by itself, and which, or None."""
    return next(iter(deciding_from(initiative, at)[1:]), None)


def deciding_from(initiative: Initiative, at: datetime) -> list[tuple[datetime, Rulebook]]:
    """Return the version that decides now, and each later one with its start.

    The list has at least one row. Raises NoRulebook if none is published.
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
    """Return when a published version decides, as known now. `since` has it and those published later."""
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
    """Return the latest start of a version that takes effect case by case."""
    days = LATEST_DAYS_HIGH if initiative.high_risk else LATEST_DAYS
    return clock.midnight_after(clock.local_day(cast(datetime, rulebook.published_at)) + timedelta(days=days))
