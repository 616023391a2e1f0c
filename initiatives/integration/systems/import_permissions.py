"""Who brings system imports into the register: admins, and technical leads what belongs to their own initiatives."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from initiatives.models import RoleAssignment, SystemImport
from initiatives.models.imports import REGISTER_KINDS

OF_LEADS = ("links", "definitions")


def leads(person: User) -> bool:
    """Whether the person is technical lead of any initiative."""
    roles = RoleAssignment.objects.in_force().filter(role=Role.TECHNICAL_LEAD, person=person)
    return person.is_active and roles.exists()


def may_see_all(person: User) -> bool:
    """Whether the person sees the tables of others too."""
    return person.is_active and person.is_admin


def may_bring_any(person: User) -> Answer:
    """Bring tables at all: admins, and technical leads of initiatives."""
    if may_see_all(person) or leads(person):
        return yes()
    return no(
        "Admins bring tables into the register, and technical leads what belongs to their own initiatives.",
        "Give the table to one of them.",
    )


def may_bring(person: User, kind: str) -> Answer:
    """Bring a table of this kind; which of its rows is asked row by row (system_import.comparing)."""
    if may_see_all(person) or (kind in OF_LEADS and leads(person)):
        return yes()
    if leads(person):
        return no(f"Only admins bring {REGISTER_KINDS[kind].lower()}.", "Give the table to an admin.")
    return may_bring_any(person)


def may_bring_of(roles: frozenset[str], person: User) -> bool:
    """Whether a page of an initiative on which the person holds these roles offers it: not to who stands in for its
    lead.
    """
    return may_see_all(person) or ("technical_lead" in roles and leads(person))


def may_work_on(batch: SystemImport, person: User) -> Answer:
    """Map, choose, confirm and drop a table: who read it, and admins."""
    if may_see_all(person) or batch.by_id == person.pk:
        return may_bring(person, batch.kind)
    return no("Only who read this table works on it, and admins.", "Read your own.")
