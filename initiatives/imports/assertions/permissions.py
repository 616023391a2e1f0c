"""Who reads what lists of others assert, and when a newer claim may take the place of an imported one."""

from governance.models import User
from governance.people import cooling_off
from governance.people.boards import seats_held
from governance.people.permissions import may_import
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import ReviewOutcome
from initiatives.models import ImportRow, Initiative


def may_read_lists(person: User) -> Answer:
    """Lists as they were imported, their moves, answers and practices: everybody with a seat, auditors, admins."""
    if person.is_active and (person.is_admin or person.is_auditor or seats_held(person)):
        return yes()
    return no("Lists are read by who sits on a board, auditors and admins.", "Ask one of them.")


def may_decide_moves(person: User) -> Answer:
    """Say which pairs are one system, take a newer claim, or leave the older: admins, as for any import."""
    return all_of(may_import(person), cooling_off.may_lift(person))


def may_take(case: Initiative, row: ImportRow) -> Answer:
    """Whether what the row asserts may take the place of what the case claims: an import's claim, and nothing else."""
    if case.withdrawn_at is not None:
        return no(f"{case.ref} was withdrawn: nothing is claimed of it any more.", "Leave the claim.")
    if not (case.imported or (case.brought_in and case.basis == "registered")):
        return no(
            f"The stage of {case.ref} was decided here ({case.basis}); a list changes nothing of it.",
            "Leave the claim as it is; a gate decides on the stage.",
        )
    if case.reviews.filter(outcome=ReviewOutcome.OPEN).exists():
        return no(
            f"A review of {case.ref} is open.", "Decide or withdraw it first, then look at the lists again."
        )
    return yes()
