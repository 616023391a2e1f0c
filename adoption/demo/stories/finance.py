"""Finance: production upright and in name only, and an owner who left."""

from adoption.demo.chapters import telling
from adoption.demo.people import Company
from governance import clock
from initiatives import actions
from initiatives.models import Initiative


def upright_production(company: Company) -> None:
    """Production that its proof supports."""
    with telling(company, "invoices", 10) as tale:
        tale.idea(300)
        tale.prototype(200)
        tale.mvp(140)
        tale.production(12)
        with tale.day(10):
            dependant = actions.add_dependant(
                case=tale.case,
                who="Accounts payable, Zurich",
                process="The weekly payment run",
                for_what="Invoices are matched by hand, and the run is a day late",
                bearable_outage_hours=48,
                executive=tale.team.seats["adoption_change"],
                by=tale.team.owner,
            )
        with tale.day(8):
            actions.state_dependence(dependant=dependant, by=tale.team.seats["adoption_change"])
            actions.observe(
                case=tale.case,
                layer="application",
                observed_on=clock.today(),
                words="Two clerks still print the list and tick it off by hand before they press send.",
                by=tale.team.support,
            )


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
    with telling(company, "receipts", 130) as tale:
        tale.idea(330)
        tale.prototype(290)
        tale.mvp(230)
        tale.production(130)
    tale.night(44)


def vacant_owner(company: Company) -> None:
    """An MVP whose owner left the company."""
    with telling(company, "clauses", 60) as tale:
        tale.idea(170)
        tale.prototype(130)
        tale.mvp(62)
        with tale.day(60):
            asked = actions.propose_role(
                case=tale.case, role="sponsor", person=company["sponsor"], by=tale.team.owner
            )
            actions.accept_role(assignment=asked, by=company["sponsor"])
    with tale.day(12):
        actions.deactivate(person=company["tove"], reason="Left the company", by=company["admin"])


def contract_to_approve(company: Company) -> None:
    """A prototype whose contract is with two seats, and whose risk tier waits for a third."""
    with telling(company, "cash", 6) as tale:
        tale.idea(65)
        tale.prototype(40)
        tale.staff(12)
        with tale.day(8):
            actions.save_contract(
                case=tale.again(), clauses=tale.clauses(), vocabulary=tale.vocabulary(), by=tale.team.owner
            )
            actions.propose_contract(case=tale.case, by=tale.team.owner)
        with tale.day(6):
            actions.propose_tier(
                case=tale.again(), tier="limited", worst_credible_harm=tale.words.harm, by=tale.team.owner
            )
    joined(company, tale.case)


def joined(company: Company, other: Initiative) -> None:
    """An idea that turned out to be another team's: withdrawn, and joined to it."""
    with telling(company, "budget", 30) as tale:
        tale.idea(33)
        with tale.day(30):
            actions.withdraw(
                case=tale.case,
                reason="The treasurers write the same comments.",
                joined_to=other,
                by=tale.team.owner,
            )
