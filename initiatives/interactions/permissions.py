"""Permissions on the interaction log: read, import, name acts, erase a person."""

from collections.abc import Iterable

from governance.interaction_retention import holds
from governance.models import Rulebook, User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access.permissions import barred_from_signing, may_manage_keys, may_see, roles_of
from initiatives.lifecycle.evidence.verification.permissions import seat_to_verify_in
from initiatives.models import Initiative

ANCHORED = "int.anchor"  # the requirement that samples of outputs answer


def may_read_interactions(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may read texts, as team, auditor or privacy officer."""
    reads_all = person.is_auditor or person.is_privacy_officer
    if may_see(initiative, person) and person.is_active and (reads_all or roles_of(initiative, person)):
        return yes()
    return no(
        "Only people who work on the initiative, auditors and privacy officers can read interactions.",
        "Ask the owner or an auditor.",
    )


def may_judge_outputs(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may judge drawn outputs, as log reader or by a seat.

    A seat that verifies the requirement reads only the outputs that were drawn for it.
    """
    rulebook = Rulebook.objects.current().parsed
    if (
        may_see(initiative, person)
        and person.is_active
        and seat_to_verify_in(initiative, rulebook, ANCHORED, person)
    ):
        return yes()
    return may_read_interactions(initiative, person)


def is_outside(initiative: Initiative, person: User) -> bool:
    """Return True if the person is outside the team, as for a signature."""
    return not roles_of(initiative, person) and not barred_from_signing(initiative, person)


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
