"""People and initiatives for separation of duties, with one human's accounts."""

from dataclasses import replace

from governance.gates.separation_of_duties import Part, Signer, TeamMembers, why_counted_twice
from governance.identity import same_person
from governance.identity.factors.resets import reset_lately
from governance.models import ContractVersion, User
from governance.vocabulary import Role
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Initiative, Review


def signer_of(person: User, *, now: bool = False) -> Signer:
    """Return the person in the form that separation of duties checks. `now` is True if they are about to sign."""
    return Signer(
        person.pk,
        str(person),
        person.is_active,
        person.manager_id,
        also=same_person.twins_of(person),
        reset_by=reset_lately(person) if now else (),
    )


def accounts_of(person: User) -> frozenset[int]:
    """Return the keys of all accounts that count as this person's. An act that needs two people counts them as one."""
    return same_person.twins_of(person) | {person.pk}


def why_approved_twice(review: Review, person: User) -> list[str]:
    """Return why an approval by this person would be the same human's second."""
    if not person.may_be_another:
        return []
    approved = {
        row.person_id: str(row.person) for row in initiative_rows.current_sign_offs(review) if row.approves
    }
    return why_counted_twice(signer_of(person), approved)


def ever_owned(initiative: Initiative) -> bool:
    """Return True if anyone ever accepted ownership. Before that, an owner is not missing."""
    return any(row.role == Role.OWNER and row.accepted_at for row in initiative_rows.roles(initiative))


def team_members_of(initiative: Initiative) -> TeamMembers:
    """Return the present team members, in the form separation of duties checks."""
    parts: dict[int, tuple[Part, ...]] = {}
    owner = None
    for row in initiative_rows.roles(initiative):
        if not row.open:
            continue
        part = Part(row.role, row.get_role_display().lower(), proposed=not row.accepted_at)
        parts[row.person_id] = (*parts.get(row.person_id, ()), part)
        for key in initiative_rows.standing_in(row):
            parts[key] = (*parts.get(key, ()), replace(part, stands_in_for=str(row.person)))
        if row.role == Role.OWNER and row.in_force:
            owner = row.person_id
    return TeamMembers(parts, None if ever_owned(initiative) else initiative.registered_by_id, owner)


def team_roles_of(initiative: Initiative, person: User) -> str:
    """Return why the person, by any account, is a team member. The words name roles, or standing in for the owner."""
    team_members, accounts = team_members_of(initiative), accounts_of(person)
    roles = sorted({part.key for key in accounts for part in team_members.parts.get(key, ())})
    if team_members.stand_in in accounts:
        roles.append("stands in for its owner")
    return ", ".join(roles).replace("_", " ")


def contract_authors(initiative: Initiative) -> frozenset[int]:
    """Return the keys of the authors of contract versions in force or in preparation."""
    return frozenset(
        version.author_id
        for version in initiative_rows.rows(initiative, "contract_versions")
        if version.state != ContractVersion.SUPERSEDED
    )
