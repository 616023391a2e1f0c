"""Second looks in the inbox of the people who may take them, and messages to seats that can verify."""

from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.database import row_history
from governance.notifications.inbox import InboxTask
from governance.people.boards import board_for, members_now, seat_holders
from governance.vocabulary import Seat
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.reminders.telling import tell
from initiatives.models import Initiative

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look"):
    """Yield tasks on second looks for seats that may verify. They hide the first verdict."""
    for row in look.rows("second_looks"):
        initiative = row.evidence.initiative
        held = look.seats_by_unit[initiative.unit_id]
        asking = look.rulebook.at_tier(initiative.tier).seats_asking(row.requirement) if look.rulebook else ()
        seat = next((one for one in asking if one in held), "")
        barred = look.person.pk in (row.evidence.author_id, *row.verifiers)
        if not seat or barred or initiative.pk in look.team_initiatives:
            continue
        yield InboxTask(
            "verify",
            row.evidence.title,
            reverse("evidence-verify", args=[initiative.ref, row.evidence_id, row.requirement]),
            phrase("Open and verify"),
            phrase(
                "{}: the item was drawn for a second verification. Decide whether the item shows the answer.",
                initiative.title,
            ),
            initiative.ref,
            on_behalf=look.holder_on(initiative, seat),
            since=clock.local_day(row.drawn_at),
        )


def tell_seats(initiatives: list[Initiative], to_verify: dict[int, list[dict]]) -> None:
    """Notify the seats of answers that wait for verification since today, once a day for each initiative."""
    today = clock.today().isoformat()
    for initiative in initiatives:
        new = [one for one in to_verify[initiative.pk] if one["on"] == today]
        if not new or initiative.withdrawn_at:
            continue
        members = members_now(board_for(initiative.unit))
        team = {row.person_id for row in initiative_rows.roles(initiative) if row.open}
        for seat in Seat:
            able = [
                member.person
                for member in seat_holders(members, seat)
                if member.person_id not in team
                and any(seat in one["seats"] and member.person_id not in one["not"] for one in new)
            ]
            if able:
                tell(
                    initiative,
                    able,
                    "evidence to verify",
                    f"board:{initiative.pk}:{seat}",
                    "evidence waits to be verified",
                    seat=seat,
                    but=row_history.current().person,
                    period=today,
                    text=f"Verify as {Seat(seat).label.lower()} whether the evidence shows its answers.",
                    link=reverse("evidence-verify-first", args=[initiative.ref]),
                )
