"""Intake requests in the inbox of the chair, and invitations in those of admins."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.text import Truncator

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import phrase
from initiatives.models import Initiative

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield requests that the person answers, and senders that an admin invites."""
    for row in sorted(look.rows("intake"), key=lambda row: row.pk):
        if look.chairs_now(row.unit_id):
            yield InboxTask(
                "decide",
                phrase("New idea for {}", row.unit.name),
                row.get_absolute_url(),
                phrase("Read and answer"),
                phrase("Received by the intake link: {}", Truncator(row.problem).chars(120)),
                since=clock.local_day(row.received_at),
            )
    for row in look.intake_invitations:
        yield InboxTask(
            "confirm",
            phrase("Invite the sender of an idea for {}", row["unit"]),
            reverse("intake-invite", args=[row["pk"]]),
            phrase("Check and invite"),
            phrase("The chair registered the idea and asks for an account."),
            Initiative.ref_of(row["number"]),
            since=clock.local_day(datetime.fromisoformat(row["at"])),
        )
