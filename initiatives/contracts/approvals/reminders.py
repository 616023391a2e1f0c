"""Reminders of calls that wait for approval: once to each who may answer, or to their delegate."""

from datetime import datetime

from governance import clock
from governance.models import User
from governance.notifications.due import Due
from initiatives.contracts.approvals import queries
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.reminders.wording import subject
from initiatives.models import ApprovalRequest

KIND = "approval"


def key_of(request: ApprovalRequest) -> str:
    """What a notification about the request names it by."""
    return f"approval:{request.pk}"


def approvals_asked(moment: datetime):
    """Requests that wait: once to each person in one of the roles who has not answered. There is no second message."""
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
            away = f"For {voice.holder}, who is away: you stand in. " if voice.holder else ""
            yield Due(
                person,
                KIND,
                key_of(row),
                subject(row.initiative, f"{row.key.system} asks for your approval"),
                text=f"{away}{words_of(row)}",
                link=row.get_absolute_url(),
                initiative_ref=row.initiative.ref,
                due_on=clock.local_day(row.expires_at),
                personal=True,  # whom it goes to while somebody is away is worked out above
            )


def words_of(row: ApprovalRequest) -> str:
    """What is asked, and until when, in a few words; the page has all of it."""
    amount = queries.amount_of(row.arguments["action"])
    cost = f", {amount}" if amount else ""
    return (
        f"It would do “{row.action}” on {row.resource}, for {row.subject}{cost}. "
        f"You can answer until {queries.until_words(row)}; when nobody does, nothing is done."
    )
