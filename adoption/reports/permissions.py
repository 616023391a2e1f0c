"""Permissions on reports and reporters, as answers with their reasons. See docs/adr/0034."""

from adoption.adoption_seat import OPERATING, SEAT, TREATING, confirmers
from adoption.models import BehaviourReport, ProblemReport
from governance.gates.separation_of_duties import said
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats, signers, visibility
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative

# The promise on every page before a person reports. The code below and `sources` keep it.
WHO_CAN_KNOW = (
    "Your name is not shown on pages, in the activity or in exports. You can see your reports "
    "under “My reports”. Besides you, only the chair of the board can see your name. The chair must "
    "record a reason, and you are notified. A chair who is your manager, directly or indirectly, can "
    "never see your name. You can also choose that no one may ask for your name.",
    "Your text is shown as you write it, with the day. Leave out details that only you can know. "
    "The audit log records the time of the report to the minute, as for every entry.",
)


def may_report(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may report behaviour. Everyone who may open the initiative or its stub may."""
    if initiative.withdrawn_at:
        return no("This initiative was registered by mistake and withdrawn.")
    if initiative.closed:
        return no(
            phrase("This initiative is {}, so no one uses it now.", initiative.stage),
            "Write what you saw in the post-mortem.",
        )
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if initiative.confidential and not visibility.may_see(initiative, person):
        return no("You cannot see this initiative. Ask its owner for access.")
    return yes()


def may_answer(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may answer a behaviour report for the board.

    Its acting chair or its adoption seat may. The holder of the seat must not be on the initiative's team.
    """
    if roles_and_seats.is_acting_chair(initiative, person):
        return yes()
    if not roles_and_seats.holds_seat(initiative, person, SEAT):
        return no(
            "Only the chair or the adoption seat of the initiative's board can answer this.",
            _named(initiative),
        )
    if barred := signers.barred_from_signing(initiative, person):
        return no(said(barred), _named(initiative))
    return yes()


def answerers(initiative: Initiative) -> list[User]:
    """Return who may answer a behaviour report of the initiative now."""
    chair, _ = roles_and_seats.acting_chair(initiative)
    people = [chair] if chair is not None else []
    return list({person.pk: person for person in [*people, *confirmers(initiative)]}.values())


def _named(initiative: Initiative) -> str:
    people = answerers(initiative)
    if people:
        return f"Ask {' or '.join(person.full_name for person in people)}."
    return "No one in the seat can do this. Ask an admin to appoint someone."


def may_keep_link(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may keep the link and judge its problems. Owner, deputy and support owner may."""
    if _holds(initiative, person, TREATING):
        return yes()
    return no("Only the owner, the deputy or the support owner can do this.", "Ask the owner.")


def may_open_link(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may make or renew the public link. A closed initiative gets no link."""
    if initiative.withdrawn_at:
        return no("This initiative was registered by mistake and withdrawn.")
    if initiative.closed:
        return no(phrase("This initiative is {}, so no one uses it now.", initiative.stage))
    return may_keep_link(initiative, person)


def may_operate(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may judge monitoring reports. Owner, deputy, support owner, technical lead may."""
    if _holds(initiative, person, OPERATING):
        return yes()
    return no(
        "Only the people who operate the initiative can judge this.", "Ask the owner or the technical lead."
    )


def _holds(initiative: Initiative, person: User, roles: tuple[Role, ...]) -> bool:
    return roles_and_seats.is_owner(initiative, person) or bool(
        roles_and_seats.roles_of(initiative, person) & set(roles)
    )


def holding(initiative: Initiative, roles: tuple[Role, ...]) -> list[User]:
    """Return who has these roles on the initiative, else who registered it."""
    found = (roles_and_seats.accepted(initiative, role) for role in roles)
    people = {row.person_id: row.person for row in found if row is not None}
    if not people and initiative.registered_by is not None:
        people[initiative.registered_by_id] = initiative.registered_by
    return list(people.values())


def may_ask_source(report: BehaviourReport | ProblemReport, person: User) -> Answer:
    """Return whether the person may ask who reported it. The acting chair may. The answer is decided elsewhere."""
    if isinstance(report, BehaviourReport) and report.computed:
        return no(
            "This report was computed from measurements, so it has no reporter.",
            "Read the measurements of the initiative.",
        )
    return initiative_permissions.may_chair(report.initiative, person)


def above(person: User) -> set[int]:
    """Return the keys of everyone the person reports to, directly or through others."""
    found: set[int] = set()
    boss = person.manager
    while boss is not None and boss.pk not in found:
        found.add(boss.pk)
        boss = boss.manager
    return found


def chairs_words(initiative: Initiative, person: User) -> str:
    """Return a sentence about who could ask for the person's name now. Pages show it before they report."""
    chair, why = roles_and_seats.acting_chair(initiative)
    if chair is None:
        return f"No one can ask for your name at the moment: {why}."
    if chair.pk == person.pk:
        return "You chair this board now."
    if chair.pk in above(person):
        return (
            f"{chair} chairs the board now. {chair} is your manager, directly or indirectly, and can "
            "never see your name."
        )
    return f"{chair} chairs the board now."
