"""Who names the terms of a case, says what a field means, and decides where two definitions disagree."""

from governance.answers import Answer, no, yes
from governance.models import User
from initiatives import permissions
from initiatives.models import Initiative, System
from initiatives.system_permissions import may_change_system

STEWARD = "data_steward"


def may_use_terms(case: Initiative, person: User) -> Answer:
    """Say which terms a case uses: the owner, and whoever accepted a working role, while the case runs."""
    if case.closed or case.withdrawn_at:
        return no("This case has ended; it uses no terms any more.", "The chair can reopen a stopped case.")
    return permissions.may_collaborate(case, person)


def may_define(system: System, person: User) -> Answer:
    """Say what a field means: whoever may change what is said of its system, its owner first."""
    return may_change_system(system, person)


def may_decide_conflict(case: Initiative, person: User) -> Answer:
    """Reconcile a conflict or accept a difference: the case's data steward, or who stands in; nobody else."""
    if case.closed or case.withdrawn_at:
        return no("This case has ended; nothing has to be settled any more.")
    if STEWARD in permissions.roles_of(case, person):
        return yes()
    steward = permissions.accepted(case, STEWARD)
    return no(
        "Only the data steward of the case decides this.",
        f"Ask {steward.person}." if steward else "The owner proposes a data steward, under People.",
    )
