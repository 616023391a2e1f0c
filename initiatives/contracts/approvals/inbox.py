"""Inbox tasks for calls that wait for approval, and one message to each approver."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.models import User
from governance.notifications.due import Due
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import phrase
from initiatives.contracts.approvals import queries
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.reminders.wording import subject
from initiatives.models import ApprovalRequest

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

MOST = 5  # tasks of one initiative; one more has the number of the others


def approvals(look: "Look"):
    """Yield a task for each call that waits for the person, also as a deputy."""
    shown: Counter[int] = Counter()
    others: dict[int, list] = {}
    for row in sorted(look.rows("approvals"), key=lambda row: (row.expires_at, row.pk)):
        holder = _holder(look, row)
        if holder is None:
            continue
        initiative = look.working[row.initiative_id][0]
        shown[initiative.pk] += 1
        if shown[initiative.pk] > MOST:
            others.setdefault(initiative.pk, []).append(row)
            continue
        amount = queries.amount_of({"properties": {"amount": row.amount, "currency": row.currency}})
        yield InboxTask(
            "approve",
            f"{row.key.system}: {row.does}{f', {amount}' if amount else ''}",
            reverse("approval", args=[row.reference]),
            phrase("Read and answer"),
            phrase(
                "{}: on {}, for {}. If no one answers, the call is denied.",
                initiative.title,
                row.resource,
                row.subject,
            ),
            initiative.ref,
            clock.local_day(row.expires_at),
            when=queries.time_left(row.expires_at, look.now),
            on_behalf="" if holder.pk == look.person.pk else holder.full_name,
            since=clock.local_day(row.asked_at),
            matter=key_of(row),
        )
    for pk, count in shown.items():
        if count > MOST:
            initiative = look.working[pk][0]
            yield InboxTask(
                "approve",
                phrase("{} more calls of {}", count - MOST, initiative.title),
                reverse("approvals", args=[initiative.ref]),
                phrase("See all of them"),
                phrase(
                    "You see the {} calls that expire first. The other calls appear when you have "
                    "answered these calls.",
                    MOST,
                ),
                initiative.ref,
                since=min(clock.local_day(row.asked_at) for row in others[pk]),
                about=tuple(map(key_of, others[pk])),
            )


def _holder(look: "Look", row) -> User | None:
    """Return the holder of the role in which the person may answer, or None."""
    if look.person.pk in row.principals:
        return None
    heard = {*row.answered, *row.spoken_for}
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


KIND = "approval"


def key_of(request: ApprovalRequest) -> str:
    """Return the object key of notifications about the request."""
    return f"approval:{request.pk}"


def approvals_asked(moment: datetime):
    """Yield one message on each waiting request to each approver without an answer."""
    rows = list(
        ApprovalRequest.objects.waiting_at(moment)
        .select_related("initiative", "key", "version")
        .prefetch_related("answers")
        .order_by("expires_at", "pk")
    )
    roles = initiative_rows.roles_of_each({row.initiative_id for row in rows})
    asked = {row.pk: queries.people_asked(row, roles.get(row.initiative_id, ())) for row in rows}
    people = User.objects.active().in_bulk({key for voices in asked.values() for key, _ in voices})
    for row in rows:
        answered = {answer.person_id for answer in row.answers.all()}
        for key, voice in asked[row.pk]:
            person = people.get(key)
            if person is None or key in answered or queries.is_principal(row, person):
                continue
            away = phrase("You are the deputy of {}, who is away. ", voice.holder) if voice.holder else ""
            yield Due(
                person,
                KIND,
                key_of(row),
                subject(row.initiative, phrase("{} asks for your approval", row.key.system)),
                text=f"{away}{words_of(row)}",
                link=row.get_absolute_url(),
                initiative_ref=row.initiative.ref,
                due_on=clock.local_day(row.expires_at),
                personal=True,  # the code above finds the deputies of absent people
            )


def words_of(row: ApprovalRequest) -> str:
    """Return in a few words what the system asks and until when. The page shows all of it."""
    amount = queries.amount_of(row.arguments["action"])
    cost = f", {amount}" if amount else ""
    return phrase(
        "The system asks to do “{}” on {}, for {}{}. You can answer until {}. If no one "
        "answers, the call is denied.",
        row.action,
        row.resource,
        row.subject,
        cost,
        queries.until_words(row),
    )
