"""Who may report, who judges what was reported, and who asks who reported it, as answers with their reasons.

See docs/adr/0034.
"""

from adoption.adoption_seat import SEAT, confirmers
from adoption.incidents.permissions import OPERATING, TREATING
from adoption.models import BehaviourReport, ProblemReport
from governance.gates.separation_of_duties import said
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative

# What every page says before somebody reports: it is what the code below and `sources` keep.
WHO_CAN_KNOW = (
    "Your name stands on no page, in no history and in no export. You see what you reported under "
    "“What I reported”. Besides you, only whoever chairs the board of this initiative can open your name: by a "
    "recorded "
    "act with a reason, which you are told of, and never if that person is above you. You can rule that out as well.",
    "Your words are shown as you write them, with the day. Leave out what only you could know. "
    "The minute at which something is reported is in the audit log, as for every act.",
)


def may_report(initiative: Initiative, person: User) -> Answer:
    """Report how people behave towards it: everybody who may open the initiative, or its stub."""
    if initiative.withdrawn_at:
        return no("This initiative was withdrawn as registered by mistake.")
    if initiative.closed:
        return no(
            f"This initiative is {initiative.stage}; nobody uses it now.", "Write it into its post-mortem."
        )
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if initiative.confidential and not initiative_permissions.may_see(initiative, person):
        return no("This initiative is not yours to see.")
    return yes()


def may_answer(initiative: Initiative, person: User) -> Answer:
    """Say the board's word on a behaviour report: whoever chairs it for this initiative, or its adoption seat; no team
    member to the initiative.
    """
    if initiative_permissions.is_acting_chair(initiative, person):
        return yes()
    if not initiative_permissions.holds_seat(initiative, person, SEAT):
        return no(
            "Only the chair or the adoption seat of the initiative's board answers this.", _named(initiative)
        )
    if barred := initiative_permissions.barred_from_signing(initiative, person):
        return no(said(barred), _named(initiative))
    return yes()


def answerers(initiative: Initiative) -> list[User]:
    """Who may answer a behaviour report of the initiative now."""
    chair, _ = initiative_permissions.acting_chair(initiative)
    people = [chair] if chair is not None else []
    return list({person.pk: person for person in [*people, *confirmers(initiative)]}.values())


def _named(initiative: Initiative) -> str:
    people = answerers(initiative)
    if people:
        return f"Ask {' or '.join(person.full_name for person in people)}."
    return "Nobody sits there who could; an admin can appoint somebody."


def may_keep_link(initiative: Initiative, person: User) -> Answer:
    """Keep the link by which users report problems, and judge these: the owner, the deputy, the support owner."""
    if _holds(initiative, person, TREATING):
        return yes()
    return no("Only the owner, the deputy or the support owner does this.", "Ask one of them.")


def may_operate(initiative: Initiative, person: User) -> Answer:
    """Judge what the monitoring reports: owner, deputy, support owner and technical lead."""
    if _holds(initiative, person, OPERATING):
        return yes()
    return no("Only those who operate the initiative judge this.", "Tell one of them.")


def _holds(initiative: Initiative, person: User, roles: tuple[Role, ...]) -> bool:
    return initiative_permissions.is_owner(initiative, person) or bool(
        initiative_permissions.roles_of(initiative, person) & set(roles)
    )


def holding(initiative: Initiative, roles: tuple[Role, ...]) -> list[User]:
    """Who holds these roles on the initiative; where nobody does, who registered it."""
    found = (initiative_permissions.accepted(initiative, role) for role in roles)
    people = {row.person_id: row.person for row in found if row is not None}
    if not people and initiative.registered_by is not None:
        people[initiative.registered_by_id] = initiative.registered_by
    return list(people.values())


def may_ask_source(report: BehaviourReport | ProblemReport, person: User) -> Answer:
    """Ask who reported it: whoever chairs the board for this initiative. What they are told is another question."""
    if isinstance(report, BehaviourReport) and report.computed:
        return no(
            "Nobody reported this: it was worked out from measurements.",
            "The measurements are on the initiative.",
        )
    return initiative_permissions.may_chair(report.initiative, person)


def above(person: User) -> set[int]:
    """Keys of everybody the person reports to, directly or through others."""
    found: set[int] = set()
    boss = person.manager
    while boss is not None and boss.pk not in found:
        found.add(boss.pk)
        boss = boss.manager
    return found


def chairs_words(initiative: Initiative, person: User) -> str:
    """Who could ask for the person's name now, told before they report."""
    chair, why = initiative_permissions.acting_chair(initiative)
    if chair is None:
        return f"Nobody could ask now: {why}."
    if chair.pk == person.pk:
        return "You chair this board now."
    if chair.pk in above(person):
        return f"{chair} chairs it now and is above you: your name is never opened to {chair}."
    return f"{chair} chairs it now."
