"""Who may change what the register says: shared systems and accounts, the links of an initiative, and who answers for
them.
"""

from collections.abc import Iterable

from django.db.models import Q

from governance.models import User
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import RUNNING_STAGES, Role, Seat
from initiatives.integration.links import agreements
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.permissions import ARCHITECTURE, holds_architecture_seat
from initiatives.lifecycle.access.visibility import stood_in_for
from initiatives.models import Initiative, Link, Obligation, RoleAssignment, ServiceAccount, System


def may_describe(person: User) -> Answer:
    """Describe a system: anyone signed in. It is described once and seen from every initiative."""
    return yes() if person.is_active else no("This account is no longer active.", "Ask an admin.")


def may_decide_on(system: System, person: User) -> Answer:
    """Retire it, hand it over, freeze it, say where it is, close its accounts: its owner, an admin, the architecture
    seat; and who described it, while nothing of others rests on it.
    """
    if system.retired_at is not None:
        return _retired(system)
    active = may_describe(person)
    if not active or _keeps(system, person):
        return active
    if system.pk in _described([system], person):
        return yes()
    return no("Its owner decides this, an admin, or the architecture seat.", _who_instead(system))


def may_change_system(system: System, person: User) -> Answer:
    """Whoever decides on it, and whoever works on an initiative whose link its owner agreed to.

    Never what only `may_decide_on` allows.
    """
    if system.retired_at is not None:
        return _retired(system)
    active = may_describe(person)
    if not active or system.pk in changed_by(person, [system]):
        return active
    return no(
        "Its owner changes this, an admin, the architecture seat, and whoever works on an initiative whose link "
        "its owner "
        "agreed to.",
        _who_instead(system),
    )


def changed_by(person: User, systems: Iterable[System]) -> set[int]:
    """Keys of those of these systems that the person may change: a few queries, however many they are."""
    rows = [row for row in systems if row.retired_at is None] if person.is_active else []
    found = {row.pk for row in rows if _keeps(row, person)}
    rows = [row for row in rows if row.pk not in found]
    found |= _described(rows, person)
    rows = [row for row in rows if row.pk not in found]
    return found | {system for _, system in agreements.of_initiatives(worked_on(person), rows)}


def may_propose_on(system: System, person: User) -> Answer:
    """Propose a change of a system, its accounts and its definitions: whoever works on an initiative that is tied to
    it.
    """
    if system.retired_at is not None:
        return _retired(system)
    links = Link.objects.current().filter(system__in=_places(system))
    if worked_on(person).filter(pk__in=links.values("initiative")).exists():
        return may_describe(person)
    return no(
        "Whoever works on an initiative that is connected to it proposes this.",
        "Connect an initiative of yours to it first.",
    )


def _keeps(system: System, person: User) -> bool:
    return system.owner_id == person.pk or person.is_admin or holds_architecture_seat(person)


def _described(systems: Iterable[System], person: User) -> set[int]:
    """Those of these systems that the person described and on which nothing of others rests.

    Until an initiative is tied to it; as long as it has no owner, until an initiative is that the person does not work
    on.
    """
    found = set()
    for row in systems:
        if row.described_by_id == person.pk:
            links = Link.objects.current().filter(system__in=_places(row))
            if row.owner_id is None:
                links = links.exclude(initiative__in=worked_on(person))
            found |= set() if links.exists() else {row.pk}
    return found


def _places(system: System) -> list[int]:
    return [key for key in (system.pk, system.collection_id) if key]


def _retired(system: System) -> Answer:
    return no(f"{system} was retired; it no longer changes.", "Describe its successor.")


def _who_instead(system: System) -> str:
    who = f"Ask {system.owner}" if system.owner_id else "Ask the architecture seat"
    return f"{who}; whoever works on an initiative that is connected to it can propose a change."


def worked_on(person: User):
    """The running initiatives that the person may tie to systems: an accepted working role, or standing in for one."""
    roles = RoleAssignment.objects.in_force().filter(
        Q(person=person) | Q(person__in=stood_in_for(person)), role__in=initiative_permissions.COLLABORATORS
    )
    owned = RoleAssignment.objects.filter(role=Role.OWNER, accepted_at__isnull=False)
    own = Q(pk__in=roles.values("initiative"))
    own |= Q(registered_by=person) & ~Q(pk__in=owned.values("initiative"))
    return Initiative.objects.live().filter(own, stage__in=RUNNING_STAGES)


def may_disown(system: System, person: User) -> Answer:
    """Say that a system is not one's own: the person named, nobody else."""
    if system.retired_at is not None:
        return no(f"{system} was retired; nobody has to own it.")
    if system.owner_id == person.pk and person.is_active:
        return yes()
    return no(f"Only {system.owner or 'the owner named'} says this.", "Others change the system instead.")


def may_change_account(account: ServiceAccount, person: User) -> Answer:
    """Its owner, and whoever may change its system."""
    if account.closed_at is not None:
        return no(f"{account} was closed.", "Open another one.")
    if account.owner_id == person.pk and person.is_active:
        return yes()
    return may_change_system(account.system, person)


def may_hand_over_account(account: ServiceAccount, person: User) -> Answer:
    """Name another owner of it: its owner, and whoever decides on its system."""
    if account.closed_at is None and account.owner_id == person.pk and person.is_active:
        return yes()
    return may_decide_on(account.system, person)


def may_close_account(account: ServiceAccount, person: User) -> Answer:
    """Likewise, and whoever has to close it since an initiative ended."""
    if account.closed_at is not None:
        return no(f"{account} was closed.", "Open another one.")
    open_obligations = Obligation.objects.open().filter(
        kind="service_account", source=f"account:{account.pk}", responsible=person
    )
    if person.is_active and open_obligations.exists():
        return yes()
    return may_hand_over_account(account, person)


def may_link(initiative: Initiative, person: User) -> Answer:
    """Tie an initiative to systems and say how: the owner, and whoever accepted a working role."""
    if initiative.closed or initiative.withdrawn_at:
        return no(
            "This initiative has ended; it is connected to nothing any more.",
            "The chair can reopen a stopped initiative.",
        )
    return initiative_permissions.may_collaborate(initiative, person)


def may_answer_link(link: Link, person: User) -> Answer:
    """Agree to be depended on, or decline: the owner of the system in person, nobody else (S1-37)."""
    if link.ended_at is not None:
        return no("This link has ended; nothing is asked any more.")
    owner = link.system.owner
    if owner is None or owner.pk != person.pk:
        return no(
            f"Only {owner or 'the owner, whom nobody has named,'} can answer this.",
            "Nobody agrees for another.",
        )
    return may_describe(person)


def may_confirm_shut(obligation: Obligation, person: User) -> Answer:
    """Say that the feed to an initiative that ended is shut: the system's owner, or who owned it when the initiative
    ended.

    While the system has no owner here, whoever leads the initiative says it instead: its sponsor or chair.
    """
    if not person.is_active:
        return no("Your account is not active.")
    owner = System.objects.select_related("owner").get(pk=obligation.system_key).owner
    owner = owner if owner is not None and owner.is_active else None
    if person.pk in {obligation.responsible_id, owner.pk if owner else None}:
        return yes()
    if owner is None and (
        "sponsor" in initiative_permissions.roles_of(obligation.initiative, person)
        or initiative_permissions.is_acting_chair(obligation.initiative, person)
    ):
        return yes()
    return no(
        f"Only {owner or 'the sponsor or the chair'} can say that it is shut.",
        "Nobody says it for another." if owner else "Name an owner of the system, who then can.",
    )


def may_accept_source(initiative: Initiative, person: User) -> Answer:
    """Accept a source in bad condition for a time: the architecture seat of the initiative's board, a team member of
    nothing.
    """
    if initiative.closed or initiative.withdrawn_at:
        return no("This initiative has ended; nothing has to be accepted any more.")
    if not initiative_permissions.holds_seat(initiative, person, ARCHITECTURE):
        return no(f"Only the seat {Seat(ARCHITECTURE).label} accepts this.", "Ask its holder.")
    return all_of(initiative_permissions.may_accept_exception(initiative, [ARCHITECTURE], person))
