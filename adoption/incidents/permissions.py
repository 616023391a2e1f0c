"""Who may open an incident, write on it and judge it, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative

TREATING = (Role.OWNER, Role.DEPUTY, Role.SUPPORT_OWNER)
OPERATING = (*TREATING, Role.TECHNICAL_LEAD)


def may_open(initiative: Initiative, person: User) -> Answer:
    """Open an incident, and write on it: whoever is on the initiative or its board, after it ended too."""
    if initiative.withdrawn_at:
        return no("This initiative was withdrawn as registered by mistake.")
    if (
        initiative_permissions.is_owner(initiative, person)
        or initiative_permissions.roles_of(initiative, person)
        or initiative_permissions.sits_on_board(initiative, person)
    ):
        return yes()
    return no(
        "Only people on the initiative or its board open an incident.",
        "Tell one of them, or report what you see here.",
    )


def may_work(incident, person: User) -> Answer:
    """Write into its timeline and say how it goes on: as for opening one, and whoever has a part in it."""
    if person.is_active and person.pk in (incident.lead_id, incident.scribe_id, incident.speaker_id):
        return yes()
    return may_open(incident.initiative, person)


def may_judge(incident, person: User) -> Answer:
    """Correct its severity, merge, close and reopen it: the owner, who leads it, or the chair."""
    initiative = incident.initiative
    leads = person.is_active and person.pk == incident.lead_id
    if (
        leads
        or initiative_permissions.is_owner(initiative, person)
        or initiative_permissions.is_acting_chair(initiative, person)
    ):
        return yes()
    if "support_owner" in initiative_permissions.roles_of(initiative, person):
        return yes()
    return no(
        "Only the owner, the support owner, who leads the incident, or the chair says this.",
        f"{incident.lead} leads it."
        if incident.lead
        else "Take the lead on its page, if you are on the initiative.",
    )


def may_keep_duties(person: User) -> Answer:
    """Keep the templates of reporting duties: admins."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins keep the list of reporting duties.", "Ask an admin.")
