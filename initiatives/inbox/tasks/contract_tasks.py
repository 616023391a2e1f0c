"""Tasks of the inbox from contracts: versions that wait for a seat, and objections that wait for the owner."""

from django.urls import reverse

from governance.notifications.inbox import InboxTask
from governance.templatetags.plumbline import day
from governance.vocabulary import Seat
from initiatives.inbox.rows.person_rows import Look
from initiatives.models import Initiative


def to_sign(look: Look):
    """Versions that a seat of the person has not signed; one it objects to waits for the owner instead."""
    wanted = look.rulebook.contract.seats if look.rulebook else ()
    for version in look.contracts:
        held = look.seats_by_unit[version.initiative_unit]
        spoken = {*version.signed, *version.objecting}
        mine = [seat for seat in Seat if seat in held and seat in wanted and seat not in spoken]
        if mine and version.initiative_pk not in look.team_initiatives:
            ref = Initiative.ref_of(version.initiative_number)
            why = (
                f"Proposed by {version.author}; your seat ({Seat(mine[0]).label.lower()}) has not signed it."
            )
            may = look.may_lift_in(version.initiative_unit, mine[0])
            yield InboxTask(
                "sign",
                f"Contract of {version.initiative_title}, version {version.number}",
                reverse("contract-approve" if may else "contract", args=[ref]),
                "Review and sign" if may else "Read it",
                why if may else f"{why} {may.reasons[0]}",
                ref,
            )


def objected(look: Look):
    """Objections to the contract of an initiative that the person owns."""
    for row in look.rows("contract_objections"):
        ref = Initiative.ref_of(row.initiative_number)
        yield InboxTask(
            "answer",
            f"Objection to the contract of {row.initiative_title}",
            reverse("contract", args=[ref]),
            "Read and answer",
            f"{row.who} objects for the seat {Seat.word(row.seat).lower()} since {day(row.at)}. No version comes into "
            "force meanwhile.",
            ref,
        )
