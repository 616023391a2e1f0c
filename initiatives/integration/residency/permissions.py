"""Who may say where data may be: terms of vendors, policies of units, regions."""

from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Seat
from initiatives.integration.links import agreements
from initiatives.lifecycle.access.permissions import COLLABORATORS
from initiatives.models import RoleAssignment, Vendor
from initiatives.models.integration.residency import RegionTerm

RESIDENCY_SEATS = (Seat.SECURITY_PRIVACY, Seat.RISK_COMPLIANCE)


def holds_residency_seat(person: User) -> bool:
    """Whether the person sits for security and privacy, or for risk and compliance, on any board now."""
    return person.is_active and any(member.seat in RESIDENCY_SEATS for member in seats_held(person))


def may_set_regions(person: User) -> Answer:
    """Add regions and set the policies of units: admins, and the seats that answer for residency."""
    if holds_residency_seat(person) or (person.is_active and person.is_admin):
        return yes()
    return no(
        "Only admins and the seats for security and for risk set this.",
        "Ask the security seat of your board.",
    )


def may_add_vendor(person: User) -> Answer:
    """List a vendor: who may set regions, and whoever works on an initiative that runs."""
    if may_set_regions(person):
        return yes()
    roles = RoleAssignment.objects.in_force().filter(person=person, role__in=COLLABORATORS)
    if person.is_active and roles.exists():
        return yes()
    return no(
        "Only people who work on an initiative list vendors.", "Ask the technical lead of the initiative."
    )


def may_file_terms(vendor: Vendor, person: User) -> Answer:
    """File a vendor's terms: the seats that answer for residency, admins; owners and leads of initiatives beyond an
    idea with an agreed link on which the vendor runs something, whose terms bind once they are confirmed.
    """
    if may_set_regions(person) or (person.is_active and agreements.uses_vendor(vendor, person)):
        return yes()
    return no(
        "Only the seats for security and for risk and admins file this, and owners and leads of initiatives "
        "beyond an idea "
        "that use the vendor by a link to which the system's owner agreed.",
        "Ask one of them.",
    )


def may_confirm_terms(person: User) -> Answer:
    """Let a term that somebody else filed bind: the seats that answer for residency, and admins."""
    if may_set_regions(person):
        return yes()
    return no(
        "Only the seats for security and for risk confirm a term, and admins.", "It binds nobody until then."
    )


def may_withdraw_term(term: RegionTerm, person: User) -> Answer:
    """Take a vendor's term back: the seats that answer for residency, and admins; who filed it, until it is confirmed.

    What binds is theirs: nobody frees their own initiative.
    """
    if may_set_regions(person) or (person.is_active and term.awaits_confirmation and term.by_id == person.pk):
        return yes()
    return no("Only the seats for security and for risk withdraw what binds, and admins.", "Ask one of them.")
