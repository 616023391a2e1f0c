"""Tasks of the inbox: calls that wait for a person's approval, soonest to expire first, bounded in number."""

from collections import Counter
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.models import User
from governance.notifications.inbox import InboxTask
from initiatives.contracts.approvals.queries import amount_of, time_left

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

MOST = 5  # tasks of one initiative; one more says how many there are besides


def approvals(look: "Look"):
    """Calls that wait for the person's role; whoever stands in sees for whom."""
    shown: Counter[int] = Counter()
    for row in sorted(look.rows("approvals"), key=lambda row: (row.expires_at, row.pk)):
        holder = _holder(look, row)
        if holder is None:
            continue
        initiative = look.working[row.initiative_id][0]
        shown[initiative.pk] += 1
        if shown[initiative.pk] > MOST:
            continue
        amount = amount_of({"properties": {"amount": row.amount, "currency": row.currency}})
        yield InboxTask(
            "approve",
            f"{row.key.system}: {row.does}{f', {amount}' if amount else ''}",
            reverse("approval", args=[row.reference]),
            "Read and answer",
            f"{initiative.title}: on {row.resource}, for {row.subject}. When nobody answers, nothing is done.",
            initiative.ref,
            clock.local_day(row.expires_at),
            when=time_left(row.expires_at, look.now),
            on_behalf="" if holder.pk == look.person.pk else holder.full_name,
        )
    for pk, count in shown.items():
        if count > MOST:
            initiative = look.working[pk][0]
            yield InboxTask(
                "approve",
                f"{count - MOST} more of {initiative.title}",
                reverse("approvals", args=[initiative.ref]),
                "See them all",
                f"The {MOST} that end first stand here; the others come up as these are answered.",
                initiative.ref,
            )


def _holder(look: "Look", row) -> User | None:
    """In whose role the person would answer: their own, or of somebody they stand in for; None where not at all."""
    if look.person.pk in row.principals:
        return None
    heard = {answer[part] for answer in row.answered for part in ("by", "behalf_of")}
    for own in (True, False):
        for role in look.roles:
            if (
                role.accepted_at
                and role.initiative_id == row.initiative_id
                and role.role in row.approvers
                and (role.person_id == look.person.pk) is own
                and role.person_id not in row.principals
            ):
                return None if {look.person.pk, role.person_id} & heard else role.person
    return None
