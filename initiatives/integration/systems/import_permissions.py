"""Permissions on system imports: admins, and technical leads for initiatives."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.models import RoleAssignment, SystemImport
from initiatives.models.imports import REGISTER_KINDS

OF_LEADS = ("links", "definitions")


def leads(person: User) -> bool:
    """Return True if the person is technical lead of any initiative."""
    roles = RoleAssignment.objects.in_force().filter(role=Role.TECHNICAL_LEAD, person=person)
    return person.is_active and roles.exists()


def may_see_all(person: User) -> bool:
    """Return True if the person sees the tables of others too."""
    return person.is_active and person.is_admin


def may_bring_any(person: User) -> Answer:
    """Allow admins and technical leads of initiatives to import tables."""
    if may_see_all(person) or leads(person):
        return yes()
    return no(
        "Only admins and technical leads of initiatives can import tables.",
        "Ask an admin or a technical lead to import the table.",
    )


def may_bring(person: User, kind: str) -> Answer:
    """Allow importing a table of this kind. Each row is judged apart (system_import.comparing)."""
    if may_see_all(person) or (kind in OF_LEADS and leads(person)):
        return yes()
    if leads(person):
        return no(
            phrase("Only admins can import {}.", REGISTER_KINDS[kind].lower()),
            "Ask an admin to import the table.",
        )
    return may_bring_any(person)


def may_bring_of(roles: frozenset[str], person: User) -> bool:
    """Return True if the page of an initiative offers imports for these roles.

    A person who acts in place of the technical lead gets no offer.
    """
    return may_see_all(person) or ("technical_lead" in roles and leads(person))


def may_work_on(batch: SystemImport, person: User) -> Answer:
    """Allow the person who read a table, and admins, to map, confirm and drop it."""
    if may_see_all(person) or batch.by_id == person.pk:
        return may_bring(person, batch.kind)
    return no("Only the person who imported this table and admins can work on it.", "Import your own table.")
