"""What people without an account wrote: in the inbox of the chair, and of admins where the sender is to be invited."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.text import Truncator

from governance.notifications.inbox import InboxTask
from governance.templatetags.plumbline import day
from initiatives.models import Initiative

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Requests that the person answers now, and senders that an admin is asked to invite."""
    for row in sorted(look.rows("intake"), key=lambda row: row.pk):
        if look.chairs_now(row.unit_id):
            yield InboxTask(
                "decide",
                f"Somebody wrote to {row.unit.name}",
                row.get_absolute_url(),
                "Read and answer",
                f"By the intake link: {Truncator(row.problem).chars(120)}",
                when=f"since {day(row.received_at)}",
            )
    for row in look.intake_invitations:
        yield InboxTask(
            "confirm",
            f"Invite who wrote to {row['unit']}",
            reverse("intake-invite", args=[row["pk"]]),
            "Look and invite",
            "The chair made an idea of it and asks for an account.",
            Initiative.ref_of(row["number"]),
            when=f"since {day(datetime.fromisoformat(row['at']))}",
        )
