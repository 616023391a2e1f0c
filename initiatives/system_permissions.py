"""Who may change what the register says: shared systems and accounts, the links of a case, and who answers for them."""

from django.db.models import Q

from governance.answers import Answer, all_of, no, yes
from governance.models import User
from governance.models.people import SEATS
from initiatives import permissions
from initiatives.models import Initiative, Link, Obligation, RoleAssignment, ServiceAccount, System
from initiatives.models.initiative import RUNNING
from initiatives.visibility import stood_in_for

ACCEPTS_SOURCES = "architecture_integration"


def may_describe(person: User) -> Answer:
    """Describe a system: anyone signed in. It is described once and seen from every case."""
    return yes() if person.is_active else no("This account is no longer active.", "Ask an admin.")


def may_change_system(system: System, person: User) -> Answer:
    """Its owner, whoever works on a case that is tied to it, and whoever described it while no case is."""
    if system.retired_at is not None:
        return no(f"{system} was retired; it no longer changes.", "Describe its successor.")
    active = may_describe(person)
    if not active or system.owner_id == person.pk:
        return active
    links = Link.objects.standing().filter(system__in=[pk for pk in (system.pk, system.collection_id) if pk])
    if system.described_by_id == person.pk and not links.exists():
        return yes()
    if worked_on(person).filter(pk__in=links.values("initiative")).exists():
        return yes()
    who = f"Ask {system.owner}." if system.owner_id else "Tie a case of yours to it, or ask who described it."
    return no("Its owner changes this, and whoever works on a case that is tied to it.", who)


def worked_on(person: User):
    """The running cases that the person may tie to systems: an accepted working role, or standing in for one."""
    roles = RoleAssignment.objects.in_force().filter(
        Q(person=person) | Q(person__in=stood_in_for(person)), role__in=permissions.COLLABORATORS
    )
    owned = RoleAssignment.objects.filter(role="owner", accepted_at__isnull=False)
    own = Q(pk__in=roles.values("initiative"))
    own |= Q(registered_by=person) & ~Q(pk__in=owned.values("initiative"))
    return Initiative.objects.live().filter(own, stage__in=RUNNING)


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


def may_close_account(account: ServiceAccount, person: User) -> Answer:
    """Likewise, and whoever owes its closing since a case ended."""
    owed = Obligation.objects.unsettled().filter(
        kind="service_account", source=f"account:{account.pk}", debtor=person
    )
    if account.closed_at is None and person.is_active and owed.exists():
        return yes()
    return may_change_account(account, person)


def may_link(case: Initiative, person: User) -> Answer:
    """Tie a case to systems and say how: the owner, and whoever accepted a working role."""
    if case.closed or case.withdrawn_at:
        return no(
            "This case has ended; it is tied to nothing any more.", "The chair can reopen a stopped case."
        )
    return permissions.may_collaborate(case, person)


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


def may_confirm_shut(debt: Obligation, person: User) -> Answer:
    """Say that the feed to a case that ended is shut: the system's owner, or who owned it when the case ended.

    While the system has no owner here, whoever leads the case says it instead: its sponsor or chair.
    """
    if not person.is_active:
        return no("Your account is not active.")
    owner = System.objects.select_related("owner").get(pk=debt.system_key).owner
    owner = owner if owner is not None and owner.is_active else None
    if person.pk in {debt.debtor_id, owner.pk if owner else None}:
        return yes()
    if owner is None and (
        "sponsor" in permissions.roles_of(debt.initiative, person)
        or permissions.is_acting_chair(debt.initiative, person)
    ):
        return yes()
    return no(
        f"Only {owner or 'the sponsor or the chair'} can say that it is shut.",
        "Nobody says it for another." if owner else "Name an owner of the system, who then can.",
    )


def may_accept_source(case: Initiative, person: User) -> Answer:
    """Accept a source in bad condition for a time: the architecture seat of the case's board, party to nothing."""
    if case.closed or case.withdrawn_at:
        return no("This case has ended; nothing has to be accepted any more.")
    if not permissions.holds_seat(case, person, ACCEPTS_SOURCES):
        return no(f"Only the seat {SEATS[ACCEPTS_SOURCES]} accepts this.", "Ask its holder.")
    return all_of(permissions.may_accept_exception(case, [ACCEPTS_SOURCES], person))
