"""Finance: production upright and in name only, and an owner who left."""

from adoption.demo.chapters import telling
from adoption.demo.measures import valued
from adoption.demo.people import Company
from adoption.demo.stories import incidents, register
from adoption.demo.surveys import ask
from adoption.measurements.evidence_figures import file_figures
from governance import clock
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import dependants
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.units import leaving


def upright_production(company: Company) -> None:
    """Production that its evidence supports."""
    with telling(company, "invoices", 10) as tale:
        tale.idea(300)
        tale.prototype(200)
        tale.mvp(140)
        ask(
            tale,
            118,
            104,
            title="Matching invoices, the trial",
            teams={"Accounts payable, Zurich": (9, 7), "Accounts payable, Graz": (6, 5)},
            mood=0.52,
            said=["It marks lines as sure that I would not sign.", "Faster, once I knew where to look."],
        )
        register.explored(tale, 60)
        tale.production(12)
        with tale.day(10):
            dependant = dependants.add_dependant(
                initiative=tale.initiative,
                who="Accounts payable, Zurich",
                process="The weekly payment run",
                for_what="Invoices are matched by hand, and the run is a day late",
                bearable_outage_hours=48,
                executive=tale.team.seats["adoption_change"],
                by=tale.team.owner,
            )
        incidents.reported(tale, 9)
        with tale.day(8):
            dependants.state_dependence(dependant=dependant, by=tale.team.seats["adoption_change"])
            notes.observe(
                initiative=tale.initiative,
                layer="application",
                observed_on=clock.today(),
                words="Two clerks still print the list and tick it off by hand before they press send.",
                by=tale.team.support,
            )
        ask(
            tale,
            7,
            2,
            title="Matching invoices, autumn",
            teams={
                "Accounts payable, Zurich": (14, 11),
                "Accounts payable, Graz": (8, 6),
                "Treasury": (6, 3),
            },
            mood=0.74,
            said=[
                "I see now why a line is left open.",
                "On month end I still do it by hand.",
                "Thank you for asking.",
            ],
        )
        with tale.day(7):
            valued(
                tale.initiative,
                tale.team,
                words="Minutes to match an invoice",
                before=7.0,
                target=4.0,
                now=2.6,
                without="The same months of the two offices that match by hand: 6.8 minutes, as before.",
            )
            file_figures(initiative=tale.initiative, requirement="adopt.usage", by=tale.team.owner)


def production_in_name_only(company: Company) -> None:
    """Production in which nobody has read the monitoring since it went live."""
    with telling(company, "reminders", 60) as tale:
        tale.idea(300)
        tale.prototype(210)
        tale.mvp(160)
        tale.production(60)
    tale.night(34)


def prototype_in_production(company: Company) -> None:
    """Production of which not even the trial could be justified today."""
    with telling(company, "receipts", 373) as tale:
        tale.idea(456)
        tale.prototype(448)
        tale.mvp(414)
        tale.production(374)
    tale.night(44)


def renewed_on_paper(company: Company) -> None:
    """Production whose papers are all new, and which nobody has verified since they were renewed."""
    with telling(company, "credit", 9) as tale:
        tale.idea(260)
        tale.prototype(210)
        tale.mvp(140)
        tale.production(36)
        tale.accept_again(12)
        tale.explain_sign_on(11)
        tale.prove("production", 10)
        tale.renew_mvp(10)
        with tale.day(9):
            evidence_actions.generate_index(initiative=tale.again(), by=tale.team.owner)
    tale.night(8)


def vacant_owner(company: Company) -> None:
    """An MVP whose owner left the company."""
    with telling(company, "clauses", 60) as tale:
        tale.idea(170)
        tale.prototype(130)
        tale.mvp(62)
        with tale.day(60):
            asked = role_actions.propose_role(
                initiative=tale.initiative, role="sponsor", person=company["sponsor"], by=tale.team.owner
            )
            role_actions.accept_role(assignment=asked, by=company["sponsor"])
    with tale.day(12):
        leaving.deactivate(person=company["tove"], reason="Left the company", by=company["admin"])


def contract_to_approve(company: Company) -> None:
    """A prototype whose contract is with two seats, and whose risk tier waits for a third."""
    with telling(company, "cash", 6) as tale:
        tale.idea(65)
        tale.prototype(40)
        tale.staff(12)
        with tale.day(8):
            contract_actions.save_contract(
                initiative=tale.again(),
                clauses=tale.clauses(),
                vocabulary=tale.vocabulary(),
                by=tale.team.owner,
            )
            contract_actions.propose_contract(initiative=tale.initiative, by=tale.team.owner)
        with tale.day(6):
            detail_actions.propose_tier(
                initiative=tale.again(),
                tier="limited",
                worst_credible_harm=tale.words.harm,
                by=tale.team.owner,
            )
    joined(company, tale.initiative)


def joined(company: Company, other: Initiative) -> None:
    """An idea that turned out to be another team's: withdrawn, and joined to it."""
    with telling(company, "budget", 30) as tale:
        tale.idea(33)
        with tale.day(30):
            detail_actions.withdraw(
                initiative=tale.initiative,
                reason="The treasurers write the same comments.",
                joined_to=other,
                by=tale.team.owner,
            )
