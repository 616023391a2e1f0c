"""Account management: the initiatives beside the owner's inbox."""

from datetime import timedelta
from decimal import Decimal

from adoption.demo.chapters import telling
from adoption.demo.people import Company
from adoption.demo.stories import register
from governance import clock
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.portfolio.efforts import notes


def ready_for_the_chair(company: Company) -> None:
    """An MVP whose production review has every signature."""
    with telling(company, "summary", 3) as tale:
        tale.idea(230)
        register.of_summary(company, tale)
        tale.prototype(205)
        tale.mvp(120)
        register.worked(tale, 118, 6, waited={"The owner of Billing": 9, "Data protection": 4})
        register.agreed_on_customer(tale, 116)
        tale.explain_sign_on(20)
        register.worked(tale, 19, 4, waited={"The identity team": 6})
        tale.prepare_production(12)
        review = tale.submit(9)
        tale.sign(review, 5, tuple(tale.team.seats))


def waiting_for_the_risk_seat(company: Company) -> None:
    """A prototype whose MVP review lacks one signature and has one requirement open."""
    with telling(company, "renewals", 4) as tale:
        tale.idea(60)
        tale.prototype(38)
        tale.prepare_mvp(10)
        review = tale.submit(8)
        tale.sign(review, 6, ("business_value", "adoption_change", "security_privacy"))
        with tale.day(4):
            review_actions.ask_question(
                review=review,
                criterion="mvp.workflow_known",
                text="Who reads the letter before it leaves the house while a colleague is on holiday?",
                by=tale.team.seats["adoption_change"],
            )


def larger_prototype(company: Company) -> None:
    """An MVP whose evidence aged out last week: it cannot answer basic questions any more."""
    with telling(company, "notes", 90) as tale:
        tale.idea(240)
        tale.prototype(205)
        with tale.day(190):
            notes.record_event(
                initiative=tale.initiative,
                kind="demo",
                happened_on=clock.today(),
                words="Shown to the regional managers on twelve chosen notes. Everybody nodded.",
                by=tale.team.owner,
            )
        tale.mvp(140)
        tale.renew_mvp(94)
        tale.accept_again(92)
    tale.night(2)
    with tale.day(1):
        notes.record_funding(
            initiative=tale.initiative,
            decided_on=clock.today(),
            decided_by="Regional steering committee",
            basis="The demo of the spring, and the number of users in the trial.",
            amount=Decimal(180_000),
            currency="EUR",
            by=tale.team.owner,
        )


def condition_open(company: Company) -> None:
    """An MVP that was approved on a condition that is due soon."""
    with telling(company, "themes", 40) as tale:
        tale.idea(150)
        tale.prototype(120)
        wanted = {
            "text": "Show the quality leads how a complaint is taken out again, and note who saw it.",
            "owner": company["steward"],
            "due": tale.today + timedelta(days=10),
        }
        tale.mvp(40, conditions=[wanted])
        tale.accept_again(40)


def half_described_idea(company: Company) -> None:
    """An idea of which three questions are answered."""
    with telling(company, "offers", 9) as tale:
        tale.idea(12)
        tale.describe(9, ("proto.question", "proto.scope", "proto.assumptions"))
