"""Tasks of the inbox from contracts: versions that wait for a seat, and objections that wait for the owner."""

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary import Seat
from governance.vocabulary.phrases import joined, label, phrase
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
            seat = Seat(mine[0]).label.lower()
            why = phrase("Proposed by {}. Your seat ({}) has not signed the contract.", version.author, seat)
            may = look.may_lift_in(version.initiative_unit, mine[0])
            yield InboxTask(
                "sign",
                phrase("Contract of {}, version {}", version.initiative_title, version.number),
                reverse("contract-approve" if may else "contract", args=[ref]),
                phrase("Review and sign") if may else phrase("Read the contract"),
                why if may else joined(why, may.reasons[0]),
                ref,
                since=clock.local_day(version.written_at),
            )


def objected(look: Look):
    """Objections to the contract of an initiative that the person owns."""
    for row in look.rows("contract_objections"):
        ref = Initiative.ref_of(row.initiative_number)
        yield InboxTask(
            "answer",
            phrase("Objection to the contract of {}", row.initiative_title),
            reverse("contract", args=[ref]),
            phrase("Read and answer"),
            phrase(
                "{} objects for the seat {}. The contract cannot come into force until the objection "
                "is withdrawn.",
                row.who,
                label(Seat.word(row.seat), inside=True),
            ),
            ref,
            since=clock.local_day(row.at),
            matter=f"contract-objections:{ref}",
        )
