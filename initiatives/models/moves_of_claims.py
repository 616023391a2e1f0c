"""Moves of a claim of an import alone: corrected by a newer list, taken back. Part of the machine on `Initiative`."""

from governance.vocabulary import Stage
from initiatives.models.stage_machine import CLAIM_TAKEN_BACK, CORRECTION, move, only_claimed


def correction(target: Stage):
    """The move by which a newer list corrects what an older one claimed, out of any other stage."""
    return move(
        [stage for stage in Stage if stage != target],
        target,
        kind=CORRECTION,
        basis="import",
        who="import",
        conditions=[only_claimed],
    )


class MovesOfClaims:
    """One sentence each and no bodies, as the other moves of the machine."""

    @correction(Stage.PROPOSED)
    def correct_to_proposed(self):
        """A newer list of its source says that this is still an idea: an imported claim takes the place of another."""

    @correction(Stage.PROTOTYPE)
    def correct_to_prototype(self):
        """A newer list of its source says that this is a prototype: an imported claim takes the place of another."""

    @correction(Stage.MVP)
    def correct_to_mvp(self):
        """A newer list of its source says that this is an MVP: an imported claim takes the place of another."""

    @correction(Stage.PRODUCTION)
    def correct_to_production(self):
        """A newer list of its source says that this is in production: an imported claim takes the place of another."""

    @correction(Stage.STOPPED)
    def correct_to_stopped(self):
        """A newer list of its source says that this was stopped: an imported claim takes the place of another."""

    @correction(Stage.RETIRED)
    def correct_to_retired(self):
        """A newer list of its source says that this was retired: an imported claim takes the place of another."""

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
