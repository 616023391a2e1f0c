"""The current drawing round: open review of production, or next acceptance."""

from dataclasses import dataclass
from datetime import datetime

from governance import clock
from governance.gates import drawing
from governance.gates.criteria import Judged, judge
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from initiatives.lifecycle.facts import drawn_requirements, supported_stage
from initiatives.models import Initiative, Review


@dataclass(frozen=True)
class Round:
    """A current round with its judged initiative: of a review, or of a renewal.

    `renews` is the acceptance it renews. `since` is the moment from which a checkpoint may be the seed of a renewal,
    None for a review.
    """

    initiative: Initiative
    review: Review | None
    renews: datetime | None
    since: datetime | None
    judged: Judged


def round_that_runs(initiative: Initiative) -> Round | None:
    """Return the initiative's current round, or None if none is drawn now."""
    review = drawn_requirements.open_review(initiative)
    if review is not None:
        rulebook = Rulebook.objects.kept(review.rulebook_id).parsed
        return _round(initiative, rulebook, review) if rulebook.drawn_at(initiative.tier) else None
    since = renewal_from(initiative)
    if since is None or clock.now() < since:
        return None
    return _round(initiative, Rulebook.objects.current().parsed, since=since)


def renewal_from(initiative: Initiative) -> datetime | None:
    """Return the moment from which the next acceptance draws, or None."""
    rulebook = Rulebook.objects.current().parsed
    due = supported_stage.reattest_by(initiative, rulebook) if rulebook.drawn_at(initiative.tier) else None
    return drawing.drawn_from(due) if due is not None else None


def _round(
    initiative: Initiative,
    rulebook: ParsedRulebook,
    review: Review | None = None,
    since: datetime | None = None,
) -> Round:
    judged = judge(supported_stage.facts_of(initiative), rulebook, clock.now())
    renews = drawn_requirements.renewed(initiative) if review is None else None
    return Round(initiative, review, renews, since, judged)
