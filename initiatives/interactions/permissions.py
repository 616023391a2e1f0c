"""Who reads the interaction log of an initiative, who brings in a file, and who erases what it holds of a person."""

from collections.abc import Iterable

from governance.interaction_retention import holds
from governance.models import Rulebook, User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access.permissions import barred_from_signing, may_manage_keys, may_see, roles_of
from initiatives.lifecycle.evidence.verification.permissions import seat_to_verify_in
from initiatives.models import Initiative

ANCHORED = "int.anchor"  # the requirement that samples of outputs answer


def may_read_interactions(initiative: Initiative, person: User) -> Answer:
    """What people said and were answered, recorded: who works on the initiative, auditors, privacy officers."""
    reads_all = person.is_auditor or person.is_privacy_officer
    if may_see(initiative, person) and person.is_active and (reads_all or roles_of(initiative, person)):
        return yes()
    return no(
        "What was said to the system is read by those who work on the initiative, by auditors and privacy officers.",
        "Ask the owner or an auditor.",
    )


def may_judge_outputs(initiative: Initiative, person: User) -> Answer:
    """Read drawn outputs and say whether they trace: who reads the log, and the seats that verify the requirement.

    A seat reads what was drawn for it, and nothing else of the log.
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
    """Whether the person is outside the team, as for a signature."""
    return not roles_of(initiative, person) and not barred_from_signing(initiative, person)


def may_import_interactions(initiative: Initiative, person: User) -> Answer:
    """Bring in a file of interactions: whoever may give a system of the initiative a key to report them by itself."""
    return may_manage_keys(initiative, person)


def may_erase(person: User) -> Answer:
    """Whether this person erases what systems reported at all: admins, as everywhere, and privacy officers."""
    if person.is_active and (person.is_admin or person.is_privacy_officer):
        return yes()
    return no("Only admins and privacy officers erase personal data.", "Ask one of them.")


def may_erase_interactions(
    initiative: Initiative, person: User, subject: bytes, initiatives: Iterable[int]
) -> Answer:
    """Erase what these initiatives (their numbers) hold of a pseudonym, where no legal hold keeps it."""
    if not may_see(initiative, person):
        return no("This initiative is not yours to see.")
    return may_erase(person) and holds.may_destroy(subject, initiatives)


def may_name_acts(initiative: Initiative, person: User) -> Answer:
    """Say which action of the contract a sender means by a name: whoever manages the keys that send."""
    return may_manage_keys(initiative, person)
