"""People as the rule of separation of duties looks at them, with the accounts that may be the same human's."""

from governance.gates.separation_of_duties import Signer, why_counted_twice
from governance.identity import same_person
from governance.models import User
from initiatives.facts import case_rows
from initiatives.models import Review


def signer_of(person: User) -> Signer:
    """The person as the rule of separation of duties looks at them."""
    return Signer(person.pk, str(person), person.is_active, person.manager_id, same_person.twins_of(person))


def why_approved_twice(review: Review, person: User) -> list[str]:
    """Why an approval by this person would be a second one of the same human in this review."""
    if not person.may_be_another:
        return []
    approved = {row.person_id: str(row.person) for row in case_rows.standing_votes(review) if row.approves}
    return why_counted_twice(signer_of(person), approved)
