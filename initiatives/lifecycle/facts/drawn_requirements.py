"""Requirements drawn for verification, for gates: round, start and end."""

from collections.abc import Sequence
from datetime import datetime

from governance.gates.gate_inputs import Drawn
from governance.vocabulary import Stage
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import DrawnRequirement, Initiative, Review
from initiatives.models.reviews import round_of

GATE = "production"


def drawn_of(initiative: Initiative) -> tuple[Drawn, ...]:
    """Return all drawn requirements, oldest first. A drawn requirement is asked until a later round is in force."""
    rows = initiative_rows.rows(initiative, "drawn")
    rounds = list({row.round: row for row in rows}.values())
    began = {row.round: _in_force(initiative, rows, row) for row in rounds}
    ends = {
        row.round: min(
            (moment for other in rounds[place:] if (moment := began[other.round]) is not None), default=None
        )
        for place, row in enumerate(rounds, start=1)
    }
    return tuple(
        Drawn(
            row.requirement,
            row.round,
            row.drawn_at,
            row.drawn_at if row.review_id is not None else began[row.round],
            ends[row.round],
            row.answer_version,
            frozenset(row.items),
            row.instead_of or "",
            row.size,
        )
        for row in rows
    )


def _in_force(
    initiative: Initiative, rows: Sequence[DrawnRequirement], drawn: DrawnRequirement
) -> datetime | None:
    """Return when review or chair accepted production on what a round drew, or None."""
    if drawn.review_id is not None:
        review = next(row for row in initiative_rows.reviews(initiative) if row.pk == drawn.review_id)
        return review.ended_at if review.approved else None
    # Each round names the acceptance that it renews; the initiative itself has only the last one.
    accepted = filter(None, [initiative.reattested_at, *(row.renews for row in rows)])
    return min((moment for moment in accepted if drawn.renews and moment > drawn.renews), default=None)


def current_round(initiative: Initiative) -> str:
    """Return the current or next drawing round: open review, or renewal."""
    review = open_review(initiative)
    return round_of(review.pk, None) if review is not None else round_of(None, renewed(initiative))


def open_review(initiative: Initiative) -> Review | None:
    """Return the open review of production, if there is one."""
    return next(
        (row for row in initiative_rows.reviews(initiative) if row.is_open and row.gate == GATE), None
    )


def renewed(initiative: Initiative) -> datetime | None:
    """Return the acceptance of production that is renewed next, or None.

    Initiatives outside production have none. Nor have reported stages, which have no obligations.
    """
    if initiative.stage != Stage.PRODUCTION or initiative.imported:
        return None
    return max(filter(None, [initiative.since, initiative.reattested_at]))
