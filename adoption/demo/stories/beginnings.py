"""Eighteen short lives, which fill the lists: ideas, prototypes, one that was withdrawn, and some that were stopped."""

from datetime import timedelta

from adoption.demo import postmortems
from adoption.demo.chapters import telling
from adoption.demo.people import Company
from adoption.demo.stories import register
from adoption.demo.texts import ATTESTED
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative

# What their owners registered, how many days ago, and which questions they answered a day later.
IDEAS = {
    "docks": (8, ()),
    "canteen": (5, ("proto.question", "proto.scope")),
    "themes": (47, ()),
    "labels": (35, ()),
    "promotions": (33, ()),
    "windows": (28, ()),
    "receipts": (21, ()),
    "callbacks": (16, ()),
}


def not_yet_an_honest_prototype(company: Company) -> None:
    """A prototype whose stated limits have aged out; the chair let it go on once, and is asked again.

    Its link ends at a vendor of whose terms more is known later.
    """
    with telling(company, "shelves", 100) as tale:
        tale.idea(331)
        tale.prototype(324)
        with tale.day(170):
            stage_actions.continue_stage(
                initiative=tale.initiative,
                reason="Two stores were rebuilt in the spring. It needs a season of shelves that stand still.",
                until=tale.today + timedelta(days=9),
                was=supported_stage.review_by(tale.initiative),
                by=tale.team.chair,
            )
        tale.describe(168, [key for key in ATTESTED["prototype"] if key != "proto.limitations"])
        tale.link_to_source(102)
        register.through_vendor(tale, 101)


def stopped_and_looked_back_on(company: Company) -> None:
    """A stopped prototype whose post-mortem is published: what it taught comes back to others."""
    with telling(company, "transcripts", 40) as tale:
        tale.idea(140)
        tale.prototype(110)
        tale.stopped(60, "blocked", "The telephone system cannot say who agreed to be recorded.")
        postmortems.after_the_stop(tale, 45)


def post_mortem_overdue(company: Company) -> None:
    """A stopped prototype whose post-mortem is late: no review of its owner is decided meanwhile."""
    with telling(company, "warranty", 40) as tale:
        tale.idea(120)
        tale.prototype(95)
        tale.stopped(
            40,
            "no_value",
            "Two of three letters were right. Agents read all of them twice, and saved no time.",
        )


def contract_to_approve(company: Company) -> None:
    """A prototype whose contract is with two seats, and whose risk tier waits for a third."""
    with telling(company, "cash", 6) as tale:
        tale.idea(65)
        tale.prototype(40)
        tale.staff(12)
        with tale.day(8):
            said = {"clauses": tale.clauses(), "vocabulary": tale.vocabulary()}
            contract_actions.save_contract(initiative=tale.again(), **said, by=tale.team.owner)
            contract_actions.propose_contract(initiative=tale.initiative, by=tale.team.owner)
        tale.propose_tier(6)
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


def role_to_accept(company: Company) -> None:
    """A prototype that waits for a support owner, and for a seat to accept that a requirement does not apply."""
    with telling(company, "onboarding", 5) as tale:
        tale.idea(75)
        tale.prototype(45)
        tale.staff(11, ("technical_lead", "data_steward"))
        with tale.day(9):
            role_actions.propose_role(
                initiative=tale.initiative, role="support_owner", person=tale.team.support, by=tale.team.owner
            )
        with tale.day(5):
            requirement_actions.answer(
                initiative=tale.initiative,
                requirement="int.definitions",
                kind="not_applicable",
                text="It reads pages written for people; no two systems exchange a term.",
                by=tale.team.owner,
            )


def stopped_idea(company: Company) -> None:
    """An idea that its owner stopped: it must give a reason and nothing else. Confidential."""
    with telling(company, "applicants", 50) as tale:
        initiative = tale.idea(60)
        with tale.day(59):
            detail_actions.change_details(
                initiative=initiative,
                problem=initiative.problem,
                platform="",
                confidential=True,
                reason="Applications are nobody else's business.",
                by=tale.team.owner,
            )
        tale.stopped(50, "risk", "Nobody could say why one application came before another.")


def chair_is_team_member(company: Company) -> None:
    """An idea that the chair sponsors: the deputy chair decides it."""
    with telling(company, "shifts", 6) as tale:
        tale.idea(20)
        tale.sponsor(18, "chair")
        tale.describe(14)
        tale.sign_one(tale.submit(9), 6, "business_value")


def ready_for_the_chair(company: Company) -> None:
    """An idea whose review has every signature."""
    with telling(company, "offers", 3) as tale:
        tale.idea(12)
        tale.describe(9)
        tale.sign_one(tale.submit(6), 3, "business_value")


def idea_under_review(company: Company) -> None:
    """An idea that waits for the value seat."""
    with telling(company, "repairs", 10) as tale:
        tale.idea(25)
        tale.describe(15)
        tale.submit(10)


def ideas(company: Company) -> None:
    """Ideas that wait for their owners; one is of somebody who sees no other initiative."""
    for key, (ago, answered) in IDEAS.items():
        with telling(company, key, ago - 1) as tale:
            tale.idea(ago)
            if answered:
                tale.describe(ago - 1, answered)
