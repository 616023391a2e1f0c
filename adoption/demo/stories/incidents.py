"""What came of some initiatives in use: an incident with its timeline, a behaviour report, a problem that a user
reported.
"""

from datetime import timedelta

from adoption.demo.chapters import Tale
from adoption.demo.people import Company
from adoption.incidents import actions as incident_actions
from adoption.incidents import reporting_clocks
from adoption.reports import actions as report_actions
from adoption.reports import public_link
from governance import clock


def incident(company: Company, tale: Tale, ago: int) -> None:
    """Summaries that named an illness: opened by the support owner, contained the same day, judged the next."""
    with tale.day(ago, 10):
        reporting_clocks.lay_out_duties(by=company["admin"])
        row = incident_actions.open_incident(
            initiative=tale.again(),
            severity=2,
            title="Summaries named an illness",
            words="Three summaries repeat what a customer had said about an illness.",
            started_at=clock.now() - timedelta(hours=20),
            detected_at=clock.now() - timedelta(minutes=40),
            wrong_output=True,
            affected_count=3,
            affected_words="customers who were called back",
            by=tale.team.owner,
        )
        incident_actions.take_part(incident=row, role="lead", by=tale.team.owner)
        incident_actions.write_line(
            incident=row, words="The three summaries are taken out; agents were told.", by=tale.team.lead
        )
        incident_actions.move_on(incident=row, state="contained", by=tale.team.owner)


def avoided(tale: Tale, ago: int) -> None:
    """Two teams paste tickets into their old macro, somebody says without a name."""
    with tale.day(ago):
        report_actions.report_behaviour_report(
            initiative=tale.again(),
            kind="worked_around",
            group="Evening shift, Lisbon",
            extent="fewer",
            words="They paste tickets into their old macro, because it answers in one language only.",
            source="seen",
            observed_on=clock.today(),
            by=tale.team.steward,
        )


def reported(tale: Tale, ago: int) -> None:
    """A user reports a problem by the public link; it waits."""
    with tale.day(ago):
        link = public_link.open_link(initiative=tale.again(), by=tale.team.owner)
        public_link.report_problem(
            link=link, what="It matched an invoice of last year to an order of this year.", harm="time"
        )
