"""Who names the terms of an initiative, says what a field means, and decides where two definitions disagree."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from initiatives.integration.systems.permissions import may_change_system, worked_on
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.permissions import holds_architecture_seat
from initiatives.models import Initiative, System, Term, TermUse


def may_use_terms(initiative: Initiative, person: User) -> Answer:
    """Say which terms an initiative uses: the owner, and whoever accepted a working role, while the initiative runs."""
    if initiative.closed or initiative.withdrawn_at:
        return no(
            "This initiative has ended; it uses no terms any more.",
            "The chair can reopen a stopped initiative.",
        )
    return initiative_permissions.may_collaborate(initiative, person)


def may_name_terms(person: User) -> Answer:
    """Name business terms and say what the company means by them: the architecture seat and admins."""
    if person.is_active and (person.is_admin or holds_architecture_seat(person)):
        return yes()
    return no(
        "Business terms belong to the architecture seat: it names them for the whole company, as admins do.",
        "Whoever works on an initiative can propose one.",
    )


def may_propose_term(term: Term | None, person: User) -> Answer:
    """Propose a business term, or another meaning of one: whoever works on an initiative, that uses the one it is
    about.
    """
    initiatives = worked_on(person) if person.is_active else Initiative.objects.none()
    if term is not None:
        initiatives = initiatives.filter(
            pk__in=TermUse.objects.filter(term=term, ended_at__isnull=True).values("initiative")
        )
    if initiatives.exists():
        return yes()
    return no(
        "Whoever works on an initiative that uses the term proposes this.", "Ask the architecture seat."
    )


def may_define(system: System, person: User) -> Answer:
    """Say what a field means: whoever may change what is said of its system."""
    return may_change_system(system, person)


def may_decide_conflict(initiative: Initiative, person: User) -> Answer:
    """Reconcile a conflict or accept a difference: the initiative's data steward, or who stands in; nobody else."""
    if initiative.closed or initiative.withdrawn_at:
        return no("This initiative has ended; nothing has to be resolved any more.")
    if Role.DATA_STEWARD in initiative_permissions.roles_of(initiative, person):
        return yes()
    steward = initiative_permissions.accepted(initiative, Role.DATA_STEWARD)
    return no(
        "Only the data steward of the initiative decides this.",
        f"Ask {steward.person}." if steward else "The owner proposes a data steward, under People.",
    )
