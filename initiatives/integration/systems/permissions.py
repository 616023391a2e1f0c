"""Permissions on the register: shared systems, service accounts and links."""

from collections.abc import Iterable

from django.db.models import Q

from governance.models import User
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import RUNNING_STAGES, Role, Seat
from governance.vocabulary.phrases import label, phrase
from initiatives.integration.links import agreements
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.roles_and_seats import ARCHITECTURE, holds_architecture_seat, whom_to_ask
from initiatives.lifecycle.access.visibility import stood_in_for
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative, Link, Obligation, RoleAssignment, ServiceAccount, System


def may_describe(person: User) -> Answer:
    """Allow everyone signed in to describe a system, once for all initiatives."""
    return yes() if person.is_active else no("This account is no longer active.", "Ask an admin.")


def may_import_systems(person: User) -> Answer:
    """Allow admins to add the systems of a table to the register."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins can import systems from a table.", "Add a system by hand, or ask an admin.")


def may_decide_on(system: System, person: User) -> Answer:
    """Allow the owner, admins and the architecture seat to decide on a system.

    Decisions retire, hand over, freeze or move it, or close its accounts. The person who described it may decide too,
    until something of others rests on it.
    """
    if system.retired_at is not None:
        return _retired(system)
    active = may_describe(person)
    if not active or _keeps(system, person):
        return active
    if system.pk in _described([system], person):
        return yes()
    return no(
        "Only the owner of the system, an admin or the architecture seat can do this.",
        whom_to_ask(system.owner),
    )


def may_change_system(system: System, person: User) -> Answer:
    """Allow who decides on a system, and people of initiatives with an agreed link.

    The right excludes what only `may_decide_on` allows.
    """
    if system.retired_at is not None:
        return _retired(system)
    active = may_describe(person)
    if not active or system.pk in changed_by(person, [system]):
        return active
    return no(
        "Only the owner, admins, the architecture seat and people of initiatives with an agreed link can "
        "change this system.",
        whom_to_ask(system.owner),
    )


def changed_by(person: User, systems: Iterable[System]) -> set[int]:
    """Return keys of the systems that the person may change, in a few queries."""
    rows = [row for row in systems if row.retired_at is None] if person.is_active else []
    found = {row.pk for row in rows if _keeps(row, person)}
    rows = [row for row in rows if row.pk not in found]
    found |= _described(rows, person)
    rows = [row for row in rows if row.pk not in found]
    return found | {system for _, system in agreements.of_initiatives(worked_on(person), rows)}


def _keeps(system: System, person: User) -> bool:
    return system.owner_id == person.pk or person.is_admin or holds_architecture_seat(person)


def _described(systems: Iterable[System], person: User) -> set[int]:
    """Return keys of systems that the person described and that no one else relies on.

    A system with an owner is left out once an initiative is tied to it. A system without an owner is left out once an
    initiative is tied to it on which the person does not work.
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
    return no(phrase("{} was retired, so it cannot change.", system), "Describe its successor.")


def worked_on(person: User):
    """Return running initiatives that the person may tie to systems.

    The person has an accepted working role, or stands in for one.
    """
    roles = RoleAssignment.objects.in_force().filter(
        Q(person=person) | Q(person__in=stood_in_for(person)), role__in=roles_and_seats.COLLABORATORS
    )
    owned = RoleAssignment.objects.filter(role=Role.OWNER, accepted_at__isnull=False)
    own = Q(pk__in=roles.values("initiative"))
    own |= Q(registered_by=person) & ~Q(pk__in=owned.values("initiative"))
    return Initiative.objects.live().filter(own, stage__in=RUNNING_STAGES)


def may_disown(system: System, person: User) -> Answer:
    """Allow the named owner of a system to deny owning it."""
    if system.retired_at is not None:
        return no(phrase("{} was retired, so it needs no owner.", system))
    if system.owner_id == person.pk and person.is_active:
        return yes()
    return no(
        phrase("Only {} can give up the ownership.", system.owner or "the named owner"),
        "Change the system instead.",
    )


def may_change_account(account: ServiceAccount, person: User) -> Answer:
    """Allow an account's owner, and who may change its system, to change it."""
    if account.closed_at is not None:
        return no(phrase("{} was closed.", account), "Open another one.")
    if account.owner_id == person.pk and person.is_active:
        return yes()
    return may_change_system(account.system, person)


def may_hand_over_account(account: ServiceAccount, person: User) -> Answer:
    """Allow an account's owner, and who decides on its system, to name another owner."""
    if account.closed_at is None and account.owner_id == person.pk and person.is_active:
        return yes()
    return may_decide_on(account.system, person)


def may_close_account(account: ServiceAccount, person: User) -> Answer:
    """Allow who may hand over an account, or has to close it, to close it."""
    if account.closed_at is not None:
        return no(phrase("{} was closed.", account), "Open another one.")
    open_obligations = Obligation.objects.open().filter(
        kind="service_account", source=f"account:{account.pk}", responsible=person
    )
    if person.is_active and open_obligations.exists():
        return yes()
    return may_hand_over_account(account, person)


def may_link(initiative: Initiative, person: User) -> Answer:
    """Allow the owner and accepted working roles to tie an initiative to systems."""
    if initiative.closed or initiative.withdrawn_at:
        return no(
            "This initiative has ended, so it cannot be connected to systems.",
            "Ask the chair to reopen the initiative if it was stopped.",
        )
    return initiative_permissions.may_collaborate(initiative, person)


def may_answer_link(link: Link, person: User) -> Answer:
    """Allow the owner of the system in person to agree to a link or decline (S1-37)."""
    if link.ended_at is not None:
        return no("This link has ended, so it needs no answer.")
    owner = link.system.owner
    if owner is None or owner.pk != person.pk:
        return no(
            phrase("Only {} can answer for this link.", owner or "the owner of the system"),
            "Ask the owner of the system, or name an owner.",
        )
    return may_describe(person)


def may_confirm_shut(obligation: Obligation, person: User) -> Answer:
    """Allow the owner of a system, present or of that time, to confirm a shut feed.

    If the system has no active owner, the sponsor or the chair of the initiative confirms instead.
    """
    if not person.is_active:
        return no("Your account is not active.")
    owner = System.objects.select_related("owner").get(pk=obligation.system_key).owner
    owner = owner if owner is not None and owner.is_active else None
    if person.pk in {obligation.responsible_id, owner.pk if owner else None}:
        return yes()
    if owner is None and (
        "sponsor" in roles_and_seats.roles_of(obligation.initiative, person)
        or roles_and_seats.is_acting_chair(obligation.initiative, person)
    ):
        return yes()
    return no(
        phrase("Only {} can confirm that the feed is switched off.", owner or "the sponsor or the chair"),
        "Ask the owner to confirm the shutdown."
        if owner
        else "Name an owner of the system, who can then confirm the shutdown.",
    )


def may_accept_source(initiative: Initiative, person: User) -> Answer:
    """Allow the architecture seat, outside the team, to accept a source for a time."""
    if initiative.closed or initiative.withdrawn_at:
        return no("This initiative has ended, so nothing needs to be accepted.")
    if not roles_and_seats.holds_seat(initiative, person, ARCHITECTURE):
        return no(
            phrase("Only the seat {} can accept a source.", label(Seat(ARCHITECTURE).label)),
            "Ask its holder.",
        )
    return all_of(initiative_permissions.may_accept_exception(initiative, [ARCHITECTURE], person))
