"""Who says what alerts count as, and who confirms or dismisses drafts of incidents, as answers with their reasons."""

from adoption.incidents.permissions import TREATING
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from initiatives.access import permissions as case_permissions
from initiatives.models import Initiative

OPERATING = (*TREATING, Role.TECHNICAL_LEAD)


def may_set_monitoring(case: Initiative, person: User) -> Answer:
    """Promise how often it is heard of, say what alerts count as: the owner and the technical lead, as for keys."""
    return case_permissions.may_manage_keys(case, person)


def may_treat_drafts(case: Initiative, person: User) -> Answer:
    """Confirm or dismiss a draft of an incident: owner, deputy, support owner and technical lead."""
    if case_permissions.is_owner(case, person) or case_permissions.roles_of(case, person) & set(OPERATING):
        return yes()
    return no("Only those who operate the initiative confirm or dismiss it.", "Tell one of them.")
