"""Permissions on the interaction log: read, import, name acts, erase a person."""

from collections.abc import Iterable

from governance.interaction_retention import holds
from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access.roles_and_seats import roles_of
from initiatives.lifecycle.access.visibility import may_see
from initiatives.lifecycle.initiative.permissions import may_manage_keys
from initiatives.models import Initiative


def may_read_interactions(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may read texts, as team, auditor or privacy officer."""
    reads_all = person.is_auditor or person.is_privacy_officer
    if may_see(initiative, person) and person.is_active and (reads_all or roles_of(initiative, person)):
        return yes()
    return no(
        "Only people who work on the initiative, auditors and privacy officers can read interactions.",
        "Ask the owner or an auditor.",
    )


def may_import_interactions(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may import a file: the managers of the keys may."""
    return may_manage_keys(initiative, person)


def may_erase(person: User) -> Answer:
    """Return whether the person may erase reported data, as admin or privacy officer."""
    if person.is_active and (person.is_admin or person.is_privacy_officer):
        return yes()
    return no(
        "Only admins and privacy officers can erase personal data.", "Ask an admin or a privacy officer."
    )


def may_take_file(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may take a file of everything of a person, as a privacy officer."""
    if person.is_active and person.is_privacy_officer:
        return may_read_interactions(initiative, person)
    return no(
        "Only privacy officers can take a file of the interactions of a person.",
        "Ask an admin to make you a privacy officer.",
    )


def may_erase_interactions(
    initiative: Initiative, person: User, subject: bytes, initiatives: Iterable[int]
) -> Answer:
    """Return whether a pseudonym may be erased in these initiatives. A legal hold refuses."""
    if not may_see(initiative, person):
        return no("You cannot see this initiative.")
    return may_erase(person) and holds.may_destroy(subject, initiatives)


def may_name_acts(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may map names of acts: the managers of the keys may."""
    return may_manage_keys(initiative, person)
