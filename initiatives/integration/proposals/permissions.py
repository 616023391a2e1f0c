"""Permissions to propose a change of a shared thing, and to answer the proposal."""

from datetime import timedelta

from governance import clock
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.integration.definitions.permissions import may_name_terms, may_propose_term
from initiatives.integration.residency.permissions import may_confirm_terms
from initiatives.integration.systems.permissions import may_propose_on, worked_on
from initiatives.lifecycle.access.permissions import holds_architecture_seat
from initiatives.models import ProposedChange, Vendor

SEAT_WAITS = timedelta(days=7)


def may_propose(row: ProposedChange, person: User) -> Answer:
    """Allow people of initiatives that use the system, term or vendor to propose."""
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
    return no("You do not work on an initiative that uses this vendor.", "Ask the security seat.")


def owners_asked(row: ProposedChange) -> list[User]:
    """Return the active owners of the account and of its system, who are asked first."""
    found = [row.account and row.account.owner, row.system and row.system.owner]
    return list(dict.fromkeys(one for one in found if one is not None and one.is_active))


def may_answer(row: ProposedChange, person: User) -> Answer:
    """Allow the owner at once, and the architecture seat after seven days, to answer.

    Business terms are for the architecture seat and admins, terms of vendors for those who confirm them. No one
    answers their own proposal.
    """
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if row.decided_at is not None:
        return no(phrase("This proposal was already {}.", row.outcome))
    if row.by_id == person.pk:
        return no(
            "You proposed this change yourself.", "Wait until someone else answers, or withdraw the proposal."
        )
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
        who = f"{asked[0]} can answer" if asked else "An owner can still be named"
        return no(
            phrase("{} until {}. You can answer after that time.", who, clock.moment_in_words(seat_from))
        )
    who = (
        f"Ask {asked[0]}." if asked else "No owner is named, so wait for the answer of the architecture seat."
    )
    return no(
        "Only the owner can answer this proposal. After seven days, the architecture seat can answer too.",
        who,
    )


def may_read(row: ProposedChange, person: User) -> bool:
    """Return True for who proposed it, who answers or may answer, admins and auditors."""
    if not person.is_active:
        return False
    inside = person.pk in (row.by_id, row.decided_by_id) or person.is_admin or person.is_auditor
    if inside or person in owners_asked(row) or holds_architecture_seat(person):
        return True
    return row.vendor is not None and bool(may_confirm_terms(person))


def may_withdraw(row: ProposedChange, person: User) -> Answer:
    """Allow the person who made a proposal to withdraw it while it waits."""
    if row.by_id == person.pk and row.decided_at is None:
        return yes()
    return no("Only the person who proposed a change can withdraw the proposal, and only before the answer.")
