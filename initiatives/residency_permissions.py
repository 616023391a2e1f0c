"""Who may say where data may be: terms of vendors, policies of units, regions."""

from django.db.models import Q

from governance.answers import Answer, no, yes
from governance.boards import seats_held
from governance.models import User
from initiatives.models import Link, RoleAssignment
from initiatives.permissions import COLLABORATORS

RESIDENCY_SEATS = ("security_privacy", "risk_compliance")


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
    """List a vendor: who may set regions, and whoever works on a case that runs."""
    if may_set_regions(person):
        return yes()
    roles = RoleAssignment.objects.in_force().filter(person=person, role__in=COLLABORATORS)
    if person.is_active and roles.exists():
        return yes()
    return no("Only people who work on a case list vendors.", "Ask the technical lead of the case.")


def may_file_terms(vendor, person: User) -> Answer:
    """File a vendor's terms: the seats that answer for residency; owners and leads of cases with a hop of it."""
    if holds_residency_seat(person):
        return yes()
    if person.is_active:
        roles = RoleAssignment.objects.in_force().filter(person=person, role__in=("owner", "technical_lead"))
        links = Link.objects.standing().filter(initiative__in=roles.values("initiative"))
        at_hop = Q(hops__vendor=vendor, hops__ended_at__isnull=True)
        if links.filter(at_hop | Q(system__vendor=vendor)).exists():
            return yes()
    return no(
        "Only the seats for security and for risk file this, and owners and leads of cases that use the vendor.",
        "Ask one of them.",
    )


def may_withdraw_term(term, person: User) -> Answer:
    """Take a vendor's term back: the seats that answer for residency, and who filed it. Nobody frees their own case."""
    if holds_residency_seat(person) or (person.is_active and term.by_id == person.pk):
        return yes()
    return no(f"Only {term.by} takes this back, or the seats for security and for risk.", "Ask one of them.")
