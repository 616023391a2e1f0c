"""The declaration that an initiative has no links, accepted by a seat.

The first link ends it. An empty integration register means unknown (docs/domain.md, "Four levels"), so a person
declares that it is empty. An API key is not a link, because it only asks for decisions and sends reports.
"""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.gates.levels import INVENTORY
from governance.models import Rulebook, User
from governance.permission_result import Answer, Conflict, no
from governance.vocabulary import Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import accounts_of, first_lapsed
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Initiative, StandaloneDeclaration


def current_declaration(initiative: Initiative) -> StandaloneDeclaration | None:
    """Return the current declaration, accepted or not."""
    rows = StandaloneDeclaration.objects.filter(initiative=initiative, ended_at__isnull=True)
    return rows.select_related("declared_by", "accepted_by", "second_by").first()


def may_accept(initiative: Initiative, row: StandaloneDeclaration, person: User) -> Answer:
    """Allow a holder of a seat that signs for the inventory, on no team, to accept it. High risk needs two of them."""
    if row.accepted_at and (initiative.tier != Tier.HIGH or row.second_at):
        return no("This declaration was already accepted.")
    if row.accepted_by_id in accounts_of(person) and not first_lapsed(initiative, row):
        return no(
            "You already accepted this declaration, and high risk needs two people.",
            "Ask another holder of the seat to accept the declaration too.",
        )
    seats = Rulebook.objects.current().parsed.at_tier(initiative.tier).seats_asking(INVENTORY)
    return initiative_permissions.may_accept_exception(initiative, seats, person)


def declare(*, initiative: Initiative, reason: str, by: User) -> StandaloneDeclaration:
    """Declare that the initiative reads from, writes to and falls back on no system. Raises Refused, Conflict."""
    if not reason.strip():
        raise ValidationError(
            {
                "reason": (
                    "Describe how the initiative works without any system: who enters data, and who reads "
                    "the "
                    "results."
                )
            }
        )
    with act(
        "declare stands alone", by=by, initiative=initiative, reason=reason, register=True
    ) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        if initiative.links.filter(ended_at__isnull=True).exists():
            no(
                "The initiative is linked to systems.",
                "Close the links that no longer exist, with the reason.",
            ).or_refuse()
        if current_declaration(initiative) is not None:
            raise Conflict("The initiative was already declared standalone.")
        row = StandaloneDeclaration(
            initiative=initiative, reason=reason.strip(), declared_by=by, declared_at=clock.now()
        )
        row.save()
        entries.record(EntryKind.STANDALONE_DECLARED, initiative=initiative, why=row.reason)
    return row


def accept(*, declaration: StandaloneDeclaration, by: User) -> StandaloneDeclaration:
    """Accept the declaration of no links, as a seat that signs for the inventory."""
    with act("accept stands alone", by=by, initiative=declaration.initiative_id, register=True) as initiative:
        row = current_declaration(initiative)
        if row is None or row.pk != declaration.pk:
            raise Conflict("This declaration has ended meanwhile. Open the page again.")
        may_accept(initiative, row, by).or_refuse()
        seats = Rulebook.objects.current().parsed.at_tier(initiative.tier).seats_asking(INVENTORY)
        seat = next(seat for seat in roles_and_seats.seats_of(initiative, by) if seat in seats)
        if row.accepted_at is None or (row.second_at is None and first_lapsed(initiative, row)):
            row.accepted_by, row.accepted_at, row.accepted_seat = by, clock.now(), seat
        else:
            row.second_by, row.second_at, row.second_seat = by, clock.now(), seat
        row.save()
        entries.record(EntryKind.STANDALONE_ACCEPTED, initiative=initiative, seat=seat)
        rewrite_supported_stage(initiative)
    return row


def end_row(initiative: Initiative, why: str, *, by: User | None = None) -> None:
    """End the current declaration because of a link or a reopening, and rewrite the stage."""
    row = current_declaration(initiative)
    if row is not None:
        row.ended_at, row.ended_reason = clock.now(), why
        row.save()
        entries.record(EntryKind.STANDALONE_ENDED, initiative=initiative, why=why)
        rewrite_supported_stage(initiative)
