"""People and culture: a stopped idea, a role to accept, a chair who is a team member."""

from adoption.demo import initiative_acts
from adoption.demo.chapters import telling
from adoption.demo.people import Company
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions


def minimal_production(company: Company) -> None:
    """Production of minimal risk that asks little, and has it."""
    with telling(company, "rooms", 20) as tale:
        tale.idea(190)
        tale.prototype(150)
        tale.mvp(100)
        tale.production(20)


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
        with tale.day(50):
            stage_actions.stop(
                initiative=tale.again(),
                reason_code="risk",
                reason="Nobody could say why one application came before another.",
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


def chair_is_team_member(company: Company) -> None:
    """An idea that the chair sponsors: the deputy chair decides it."""
    with telling(company, "shifts", 6) as tale:
        tale.idea(20)
        with tale.day(18):
            asked = role_actions.propose_role(
                initiative=tale.initiative, role="sponsor", person=company["chair"], by=tale.team.owner
            )
            role_actions.accept_role(assignment=asked, by=company["chair"])
        tale.describe(14)
        review = tale.submit(9)
        with tale.day(6):
            initiative_acts.sign_off(review, "business_value", tale.team.seats["business_value"])
