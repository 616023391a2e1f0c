"""Permissions to set where data may be: vendor terms, policies of units, regions."""

from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Seat
from initiatives.integration.links import agreements
from initiatives.lifecycle.access.roles_and_seats import COLLABORATORS, whom_to_ask
from initiatives.models import RoleAssignment, Vendor
from initiatives.models.integration.residency import RegionTerm

RESIDENCY_SEATS = (Seat.SECURITY_PRIVACY, Seat.RISK_COMPLIANCE)


def holds_residency_seat(person: User) -> bool:
    """Return True if the person holds a seat for residency on any board now.

    These are the seats for security and privacy, and for risk and compliance.
    """
    return person.is_active and any(member.seat in RESIDENCY_SEATS for member in seats_held(person))


def may_set_regions(person: User) -> Answer:
    """Allow admins and the seats for residency to add regions and set unit policies."""
    if holds_residency_seat(person) or (person.is_active and person.is_admin):
        return yes()
    return no(
        "Only admins, the security seat and the risk seat can change regions and policies.",
        "Ask the security seat of your board.",
    )


def may_add_vendor(person: User) -> Answer:
    """Allow who may set regions, and people of running initiatives, to add vendors."""
    if may_set_regions(person):
        return yes()
    roles = RoleAssignment.objects.in_force().filter(person=person, role__in=COLLABORATORS)
    if person.is_active and roles.exists():
        return yes()
    return no(
        "Only people who work on an initiative can add vendors.", "Ask the technical lead of the initiative."
    )


def may_file_terms(vendor: Vendor, person: User) -> Answer:
    """Allow the seats for residency and admins to file a vendor's terms.

    Owners and leads of initiatives beyond an idea may too, if an agreed link uses the vendor. Their terms bind once
    they are confirmed.
    """
    if may_set_regions(person) or (person.is_active and agreements.uses_vendor(vendor, person)):
        return yes()
    return no(
        "You do not have permission to file contract terms of this vendor. Owners and technical leads "
        "can file terms from the prototype stage on, if an agreed link uses the vendor.",
        whom_to_ask(seats=RESIDENCY_SEATS),
    )


def may_confirm_terms(person: User) -> Answer:
    """Allow the seats for residency and admins to confirm a term of someone else."""
    if may_set_regions(person):
        return yes()
    return no(
        "Only admins, the security seat and the risk seat can confirm a term.",
        "Ask the security seat, the risk seat or an admin. The term has no effect until someone confirms it.",
    )


def may_withdraw_term(term: RegionTerm, person: User) -> Answer:
    """Allow the seats for residency and admins to withdraw a vendor's term.

    The person who filed it may too until it is confirmed, so that no one frees their own initiative.
    """
    if may_set_regions(person) or (person.is_active and term.awaits_confirmation and term.by_id == person.pk):
        return yes()
    return no(
        "Only admins, the security seat and the risk seat can withdraw a confirmed term.",
        "Ask the security seat, the risk seat or an admin.",
    )
