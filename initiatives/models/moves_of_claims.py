"""Moves of a claim of an import alone: claimed, taken back. Part of the machine on `Initiative`."""

from governance.vocabulary import Stage
from initiatives.models.stage_machine import CLAIM, CLAIM_TAKEN_BACK, move, never_moved, only_claimed


class MovesOfClaims:
    """One sentence each and no bodies, as the other moves of the machine."""

    @move(Stage.PROPOSED, Stage.PROTOTYPE, kind=CLAIM, basis="import", who="import", conditions=[never_moved])
    def claim_prototype(self):
        """An import says that this is a prototype; nothing is evidenced here."""

    @move(Stage.PROPOSED, Stage.MVP, kind=CLAIM, basis="import", who="import", conditions=[never_moved])
    def claim_mvp(self):
        """An import says that this is an MVP; nothing is evidenced here."""

    @move(
        Stage.PROPOSED, Stage.PRODUCTION, kind=CLAIM, basis="import", who="import", conditions=[never_moved]
    )
    def claim_production(self):
        """An import says that this is in production; nothing is evidenced here."""

    @move(Stage.PROPOSED, Stage.STOPPED, kind=CLAIM, basis="import", who="import", conditions=[never_moved])
    def claim_stopped(self):
        """An import says that this was stopped before it was in production."""

    @move(Stage.PROPOSED, Stage.RETIRED, kind=CLAIM, basis="import", who="import", conditions=[never_moved])
    def claim_retired(self):
        """An import says that this was in production and has been withdrawn."""

    @move(
        [Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION, Stage.STOPPED, Stage.RETIRED],
        Stage.PROPOSED,
        kind=CLAIM_TAKEN_BACK,
        basis="import undone",
        who="import",
        conditions=[only_claimed],
    )
    def take_claim_back(self):
        """The import that claimed this was undone before anybody worked on it."""
