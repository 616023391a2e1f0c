"""Moves of a stage that an import alone reports: reported, withdrawn. Part of the machine on `Initiative`."""

from governance.vocabulary import Stage
from initiatives.models.stage_machine import REPORT_WITHDRAWN, REPORTED, move, never_moved, only_reported


class MovesOfReports:
    """One sentence each and no bodies, as the other moves of the machine."""

    @move(
        Stage.PROPOSED, Stage.PROTOTYPE, kind=REPORTED, basis="import", who="import", conditions=[never_moved]
    )
    def report_prototype(self):
        """An import says that this is a prototype; nothing is evidenced here."""

    @move(Stage.PROPOSED, Stage.MVP, kind=REPORTED, basis="import", who="import", conditions=[never_moved])
    def report_mvp(self):
        """An import says that this is an MVP; nothing is evidenced here."""

    @move(
        Stage.PROPOSED,
        Stage.PRODUCTION,
        kind=REPORTED,
        basis="import",
        who="import",
        conditions=[never_moved],
    )
    def report_production(self):
        """An import says that this is in production; nothing is evidenced here."""

    @move(
        Stage.PROPOSED, Stage.STOPPED, kind=REPORTED, basis="import", who="import", conditions=[never_moved]
    )
    def report_stopped(self):
        """An import says that this was stopped before it was in production."""

    @move(
        Stage.PROPOSED, Stage.RETIRED, kind=REPORTED, basis="import", who="import", conditions=[never_moved]
    )
    def report_retired(self):
        """An import says that this was in production and has been withdrawn."""

    @move(
        [Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION, Stage.STOPPED, Stage.RETIRED],
        Stage.PROPOSED,
        kind=REPORT_WITHDRAWN,
        basis="import undone",
        who="import",
        conditions=[only_reported],
    )
    def withdraw_report(self):
        """The import that reported this was undone before anybody worked on it."""
