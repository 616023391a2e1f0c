"""Moves on `Initiative` for stages that an import reports."""

from governance.vocabulary import Stage
from initiatives.models.stage_machine import REPORT_WITHDRAWN, REPORTED, move, never_moved, only_reported


class MovesOfReports:
    """Moves without bodies, with one sentence each, as in the rest of the machine."""

    @move(
        Stage.PROPOSED, Stage.PROTOTYPE, kind=REPORTED, basis="import", who="import", conditions=[never_moved]
    )
    def report_prototype(self):
        """The import reports a prototype. Plumbline has no evidence for it."""

    @move(Stage.PROPOSED, Stage.MVP, kind=REPORTED, basis="import", who="import", conditions=[never_moved])
    def report_mvp(self):
        """The import reports an MVP. Plumbline has no evidence for it."""

    @move(
        Stage.PROPOSED,
        Stage.PRODUCTION,
        kind=REPORTED,
        basis="import",
        who="import",
        conditions=[never_moved],
    )
    def report_production(self):
        """The import reports production. Plumbline has no evidence for it."""

    @move(
        Stage.PROPOSED, Stage.STOPPED, kind=REPORTED, basis="import", who="import", conditions=[never_moved]
    )
    def report_stopped(self):
        """The import reports a stop before production."""

    @move(
        Stage.PROPOSED, Stage.RETIRED, kind=REPORTED, basis="import", who="import", conditions=[never_moved]
    )
    def report_retired(self):
        """The import reports that production was withdrawn."""

    @move(
        [Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION, Stage.STOPPED, Stage.RETIRED],
        Stage.PROPOSED,
        kind=REPORT_WITHDRAWN,
        basis="import undone",
        who="import",
        conditions=[only_reported],
    )
    def withdraw_report(self):
        """The import of this report was undone before someone worked on it."""
