"""Permissions on incidents, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.models import Initiative


def may_open(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may open and write on incidents. The team and the board may, also after the end."""
    if initiative.withdrawn_at:
        return no("This initiative was registered by mistake and withdrawn.")
    if (
        roles_and_seats.is_owner(initiative, person)
        or roles_and_seats.roles_of(initiative, person)
        or roles_and_seats.sits_on_board(initiative, person)
    ):
        return yes()
    return no(
        "Only the team of the initiative and its board can open an incident.",
        "Ask someone on the team or the board to open the incident.",
    )


def may_work(incident, person: User) -> Answer:
    """Return whether the person may work on it. Everyone with a part in it may, and everyone who may open one."""
    if person.is_active and person.pk in (incident.lead_id, incident.scribe_id, incident.speaker_id):
        return yes()
    return may_open(incident.initiative, person)


def may_judge(incident, person: User) -> Answer:
    """Return whether the person may correct the severity, merge, close and reopen. Owner, lead and chair may."""
    initiative = incident.initiative
    leads = person.is_active and person.pk == incident.lead_id
    if (
        leads
        or roles_and_seats.is_owner(initiative, person)
        or roles_and_seats.is_acting_chair(initiative, person)
    ):
        return yes()
    if "support_owner" in roles_and_seats.roles_of(initiative, person):
        return yes()
    return no(
        "Only the owner, the support owner, the person who leads the response, or the chair can do this.",
        phrase("Ask {}, who leads the response.", incident.lead)
        if incident.lead
        else "If you are on the team, take the lead on the incident page.",
    )


def may_keep_duties(person: User) -> Answer:
    """Return whether the person may keep the templates of reporting duties. Admins may."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins can change the list of reporting duties.", "Ask an admin.")
