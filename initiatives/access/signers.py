"""People as the rule of separation of duties looks at them, with the accounts that may be the same human's."""

from governance.gates.separation_of_duties import Signer, why_counted_twice
from governance.identity import same_person
from governance.identity.factors.resets import reset_lately
from governance.models import User
from initiatives.facts import case_rows
from initiatives.models import Review


def signer_of(person: User, *, now: bool = False) -> Signer:
    """The person as the rule of separation of duties looks at them; `now`: they are about to sign."""
    return Signer(
        person.pk,
        str(person),
        person.is_active,
        person.manager_id,
        also=same_person.twins_of(person),
        reset_by=reset_lately(person) if now else (),
    )


def accounts_of(person: User) -> frozenset[int]:
    """Keys of every account that counts as this person's: where two persons are needed, these are one."""
    return same_person.twins_of(person) | {person.pk}


def why_approved_twice(review: Review, person: User) -> list[str]:
    """Why an approval by this person would be a second one of the same human in this review."""
    if not person.may_be_another:
        return []
    approved = {row.person_id: str(row.person) for row in case_rows.standing_votes(review) if row.approves}
    return why_counted_twice(signer_of(person), approved)
