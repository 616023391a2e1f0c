"""Who proposes a change of something shared, and who answers it: its owner; after seven days the architecture seat."""

from datetime import timedelta

from governance import clock
from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.integration.definitions.permissions import may_name_terms, may_propose_term
from initiatives.integration.residency.permissions import may_confirm_terms
from initiatives.integration.systems.permissions import may_propose_on, worked_on
from initiatives.lifecycle.access.permissions import holds_architecture_seat
from initiatives.models import ProposedChange, Vendor

SEAT_WAITS = timedelta(days=7)


def may_propose(row: ProposedChange, person: User) -> Answer:
    """Propose this: whoever works on an initiative that is tied to the system, uses the term, or has data with the
    vendor.
    """
    if row.system is not None:
        return may_propose_on(row.system, person)
    if row.vendor is not None:
        return _may_propose_of(row.vendor, person)
    return may_propose_term(row.term, person)


def _may_propose_of(vendor: Vendor, person: User) -> Answer:
    initiatives = worked_on(person).filter(links__ended_at__isnull=True) if person.is_active else None
    if initiatives is not None and (
        initiatives.filter(links__transfers__vendor=vendor, links__transfers__ended_at__isnull=True).exists()
        or initiatives.filter(links__system__vendor=vendor).exists()
    ):
        return yes()
    return no("Whoever works on an initiative that uses the vendor proposes this.", "Ask the security seat.")


def owners_asked(row: ProposedChange) -> list[User]:
    """Who is asked first: the active owners of the account and of the system that it is about."""
    found = [row.account and row.account.owner, row.system and row.system.owner]
    return list(dict.fromkeys(one for one in found if one is not None and one.is_active))


def may_answer(row: ProposedChange, person: User) -> Answer:
    """Confirm or decline: its owner at once; the architecture seat after seven days, be an owner silent or nobody one.

    Business terms are the seat's own, terms of vendors those of the seats that answer for residency. Nobody answers
    what they proposed.
    """
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if row.decided_at is not None:
        return no(f"It was {row.outcome} already.")
    if row.by_id == person.pk:
        return no("You proposed this yourself.", "Somebody else answers it; you can take it back.")
    if row.vendor is not None:
        return may_confirm_terms(person)
    if row.system is None:
        return may_name_terms(person)
    asked = owners_asked(row)
    if person in asked:
        return yes()
    seat_from = row.at + SEAT_WAITS
    if holds_architecture_seat(person):
        if clock.now() >= seat_from:
            return yes()
        who = f"{asked[0]} is" if asked else "An owner may still be found, who is"
        return no(f"{who} asked until {clock.moment_in_words(seat_from)}; after that it is yours to answer.")
    who = f"Ask {asked[0]}." if asked else "Nobody owns it; the architecture seat answers after seven days."
    return no("Its owner answers this, and after seven days the architecture seat.", who)


def may_read(row: ProposedChange, person: User) -> bool:
    """Read what was proposed: who proposed it, who is asked or may be, admins and auditors."""
    if not person.is_active:
        return False
    inside = person.pk in (row.by_id, row.decided_by_id) or person.is_admin or person.is_auditor
    if inside or person in owners_asked(row) or holds_architecture_seat(person):
        return True
    return row.vendor is not None and bool(may_confirm_terms(person))


def may_withdraw(row: ProposedChange, person: User) -> Answer:
    """Take a proposal back: who made it, while it waits."""
    if row.by_id == person.pk and row.decided_at is None:
        return yes()
    return no("Only who proposed it takes it back, while nobody answered.")
