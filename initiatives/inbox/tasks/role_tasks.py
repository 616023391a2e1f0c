"""Tasks of the inbox on roles to accept, absences and handovers, and on ideas and prototypes without owner."""

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.vocabulary import Role, Seat
from governance.vocabulary.phrases import label, phrase
from initiatives.inbox.rows.person_rows import Look
from initiatives.lifecycle.reminders.wording import days_between

NAMED = 3  # initiatives that one task names


def to_accept(look: Look):
    """Yield roles proposed to the person, without handovers. Several roles are one task."""
    rows = [
        row
        for row in look.roles
        if row.accepted_at is None and row.person_id == look.person.pk and row.handover_id is None
    ]
    together = [row for row in rows if not row.initiative.closed]
    if len(together) > 1:
        yield InboxTask(
            "accept",
            phrase("{} roles to accept", len(together)),
            reverse("roles-to-accept"),
            phrase("Read and answer"),
            phrase(
                "{}. Only you can accept these roles.", _named([row.initiative.title for row in together])
            ),
            since=clock.local_day(min(row.proposed_at for row in together)),
            about=(f"roles:{look.person.pk}", *(f"role:{row.pk}" for row in together)),
        )
    for row in rows:
        if row not in together or len(together) == 1:
            yield InboxTask(
                "accept",
                Role(row.role).label,
                reverse("role", args=[row.pk]),
                phrase("Read and answer"),
                phrase(
                    "{}. Proposed by {}. Only you can accept this role.",
                    row.initiative.title,
                    row.proposed_by,
                ),
                row.initiative.ref,
                since=clock.local_day(row.proposed_at),
                matter=f"role:{row.pk}",
                about=(f"roles:{look.person.pk}",),
            )


def asked(look: Look):
    """Yield absences in which the person is asked to stand in, and for what."""
    for row in look.asked_to_stand_in:
        what = (
            phrase("the seat {} of {}", label(Seat(row.seat).label), row.board)
            if row.seat
            else phrase("roles on initiatives")
        )
        yield InboxTask(
            "accept",
            phrase("Stand in for {}", row.who),
            reverse("delegation", args=[row.pk]),
            phrase("Read and answer"),
            phrase("You would stand in for {}. Only you can accept this request.", what),
            when=days_between(row.since, row.until),
            since=clock.local_day(row.planned),
            matter=f"delegation:{row.pk}",
        )
    leavers: dict[str, list] = {}
    for row in look.rows("handovers"):
        leavers.setdefault(row.who, []).append(row)
    for who, rows in leavers.items():
        yield InboxTask(
            "accept",
            phrase("Take over from {}: 1 initiative", who)
            if len(rows) == 1
            else phrase("Take over from {}: {} initiatives", who, len(rows)),
            reverse("handovers"),
            phrase("Read and answer"),
            phrase("{} Only you can accept the handover.", ended(rows[0].reason)),
            since=clock.local_day(min(row.proposed_at for row in rows)),
            about=tuple(f"handover:{row.pk}" for row in rows),
        )


def left(look: Look):
    """Yield ideas and prototypes that need an owner, for the chair and the sponsor."""
    found = {row.pk: row for row in look.rows("left") if look.chairs_now(row.unit_id)}
    found |= {row.pk: row for row in look.rows("left_to_sponsor")}
    for row in found.values():
        yield InboxTask(
            "decide",
            phrase("{} has no owner", row.title),
            f"{reverse('role-propose', args=[row.ref])}?role={Role.OWNER}",
            phrase("Propose an owner"),
            phrase("The owner left. Only an owner can answer the requirements and request a review."),
            row.ref,
            since=clock.local_day(row.left_at),
        )


def _named(titles: list[str]) -> str:
    """Return the first few of these titles, and how many more there are."""
    named, more = titles[:NAMED], len(titles) - NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
