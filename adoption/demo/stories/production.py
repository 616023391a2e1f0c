"""Four initiatives that passed the production gate: one enforced and logged here, one in name only, two small ones."""

from datetime import timedelta

from adoption.demo import postmortems
from adoption.demo.chapters import Tale, telling
from adoption.demo.measures import valued
from adoption.demo.people import Company
from adoption.demo.stories import register, running
from adoption.demo.surveys import ask
from adoption.demo.texts import EVIDENCE
from adoption.measurements.evidence_figures import file_figures
from adoption.reports import public_link
from governance import clock
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.lifecycle.risks import actions as accepted_risks
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.portfolio.efforts import notes


def enforced_production(company: Company) -> None:
    """Production that asks before it acts, reports what it did, and is compared with what it was allowed."""
    with telling(company, "summary", 1) as tale:
        tale.idea(330)
        register.of_summary(company, tale)
        tale.prototype(230)
        tale.mvp(180)
        register.worked(tale, 178, 6, waited={"The owner of Billing": 9, "Data protection": 4})
        register.agreed_on_customer(tale, 176)
        register.explored(tale, 60)
        running.make_key(tale, 59)
        risk = _accept_risk(tale, 58)
        running.drill_until_it_holds(tale, 34)
        tale.production(20)
        running.two_thousand(tale)
        with tale.day(11):
            seat = tale.team.seats["risk_compliance"]
            accepted_risks.review(
                risk=risk, looked_at="The summaries reported since. One was of another account.", by=seat
            )
        _depended_on(tale)
        running.compared(tale, 9)
        running.handed_out(company, tale, 5)
        ask(
            tale,
            4,
            2,
            title="Account summaries, autumn",
            teams={
                "Account management, Zurich": (20, 16),
                "Account management, Lyon": (12, 9),
                "Sales": (6, 3),
            },
            mood=0.74,
            said=[
                "I see now where a figure is from.",
                "In January I still read it all.",
                "Thank you for asking.",
            ],
        )
        running.on_again(tale, 1)


def _accept_risk(tale: Tale, ago: int):
    """The risk seat accepts one risk until a day that is near."""
    seat = tale.team.seats["risk_compliance"]
    with tale.day(ago):
        risk = ACCEPTED_RISKS.ask(
            tale.again(),
            title="A summary holds notes of another account",
            happens="Two accounts have the same name, and the summary holds notes of both.",
            limits="The account number stands above each note. Nothing leaves the team without a person.",
            reason="Few accounts share a name, and the CRM marks them from its next release on.",
            until=tale.today + timedelta(days=17),
            review_days=30,
            by=tale.team.owner,
        )
    with tale.day(ago - 1):
        ACCEPTED_RISKS.agree(row=risk, by=seat)
    with tale.day(40):
        accepted_risks.review(
            risk=risk, looked_at="The summaries reported last month. None was mixed.", by=seat
        )
    return risk


def _depended_on(tale: Tale) -> None:
    """A process depends on it; what people say of it and what it is worth are written down."""
    executive = tale.team.seats["adoption_change"]
    with tale.day(10):
        dependant = dependant_deeds.add_dependant(
            initiative=tale.again(),
            who="Account management, Zurich",
            process="The weekly round of calls",
            for_what="Notes are read by hand, and a fifth of the calls waits a day",
            bearable_outage_hours=48,
            executive=executive,
            by=tale.team.owner,
        )
        public_link.report_problem(
            link=public_link.open_link(initiative=tale.again(), by=tale.team.owner),
            what="It summed up an offer of last year as if it were open.",
            harm="time",
        )
    with tale.day(10):
        dependant_deeds.state_dependence(dependant=dependant, by=executive)
        notes.observe(
            initiative=tale.initiative,
            layer="application",
            observed_on=clock.today(),
            words="Two managers still print the notes and mark them by hand before a call.",
            by=tale.team.support,
        )
        valued(
            tale.initiative,
            tale.team,
            words="Minutes to prepare a call",
            before=40.0,
            target=20.0,
            now=15.0,
            without="The same months of the two teams that read by hand: 39 minutes, as before.",
        )
        file_figures(initiative=tale.initiative, requirement="adopt.usage", by=tale.team.owner)


def production_in_name_only(company: Company) -> None:
    """Production without a key and a log; what supported it ended, and nobody verified its new papers."""
    with telling(company, "reminders", 9) as tale:
        tale.idea(300)
        tale.prototype(210)
        tale.mvp(160)
        tale.production(60)
        tale.night(34)
        minutes = next(one for one in EVIDENCE["production"] if "prod.monitoring" in one.covers)
        with tale.day(10):
            tale.add(minutes)
    tale.night(8)


def minimal_production(company: Company) -> None:
    """Production of minimal risk that asks little, and has it."""
    with telling(company, "rooms", 20) as tale:
        tale.idea(190)
        tale.prototype(150)
        tale.mvp(100)
        tale.production(20)


def retired(company: Company) -> None:
    """A system that was in production and was withdrawn in good order."""
    with telling(company, "parts", 10) as tale:
        tale.idea(300)
        tale.prototype(230)
        tale.mvp(170)
        with tale.evening(84):
            company.signatures.give(tale.team.seats["risk_compliance"])
        tale.production(80)
        postmortems.at_go_live(tale, 42)
        tale.prove("retire", 30)
        review = tale.submit(24)
        tale.sign(review, 18, ("service_operations", "adoption_change"))
        tale.decide(review, 10, "The new catalogue has a search of its own.")
