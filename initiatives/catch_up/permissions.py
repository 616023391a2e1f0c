"""Who may propose a catch-up plan, and who agrees to its dates."""

from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import Role
from initiatives.access import permissions as case_permissions
from initiatives.catch_up.queries import CLAIMED
from initiatives.models import CatchUpPlan, Initiative


def may_propose(case: Initiative, person: User) -> Answer:
    """Propose or change the plan: the owner; while nobody accepted ownership, an admin."""
    return all_of(_claims(case), _answers_for(case, person))


def _claims(case: Initiative) -> Answer:
    if case.unit.imported:
        return no(
            "A list of others told of this initiative: nobody here plans for it.",
            "Once an admin takes its unit over, it is one of your own.",
            case.get_absolute_url(),
        )
    if case.imported and case.stage in CLAIMED and case.withdrawn_at is None:
        return yes()
    return no(
        "Only an initiative whose stage an import claims catches up by a plan.",
        "What any other lacks stands on its overview, and a gate decides on it.",
        case.get_absolute_url(),
    )


def _answers_for(case: Initiative, person: User) -> Answer:
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if case_permissions.is_owner(case, person):
        return yes()
    owner = case_permissions.accepted(case, Role.OWNER)
    if owner is not None:
        return no("The owner proposes the plan.", f"Ask {owner.person}.")
    if person.is_admin:
        return yes()
    return no(
        "Nobody accepted ownership yet, and only an admin proposes the plan until then.", "Ask an admin."
    )


def may_answer(plan: CatchUpPlan, person: User) -> Answer:
    """Agree to the dates, or send them back: whoever decides on the initiative now, but not on their own proposal."""
    case = plan.initiative
    own = (
        no(
            "You proposed these dates; somebody else agrees to them.",
            "The owner or another admin can propose them in your place.",
        )
        if plan.proposed_by_id == person.pk
        else yes()
    )
    return all_of(_claims(case), case_permissions.may_chair(case, person), own)


def may_look(person: User) -> Answer:
    """See how initiatives catch up, over all that the person may open: boards, admins and auditors."""
    if person.is_active and (person.is_admin or person.is_auditor or seats_held(person)):
        return yes()
    return no(
        "Boards, admins and auditors see this page.", "The plan of an initiative stands on its own pages."
    )
