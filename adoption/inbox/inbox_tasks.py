"""Tasks of the inbox from adoption: what a person has to write, confirm, read or measure."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.inbox_rows import MEETING_DAYS, rows_of
from adoption.models import Meeting, PostMortem
from adoption.postmortems import permissions as postmortem_permissions
from governance import clock
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.holds import due_tasks
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.models import Obligation

CONFIRM = "confirm post-mortem"
# Acts that change no inbox.
QUIET = {
    EntryKind.POST_MORTEM_WRITTEN,
    EntryKind.POST_MORTEM_COMMENTED,
    EntryKind.POST_MORTEM_COMMENT_RESOLVED,
    EntryKind.GAP_LINKED,
    EntryKind.ATTACHED,
    EntryKind.ATTACHMENT_TAKEN_OUT,
    EntryKind.ATTACHMENT_OPENED,
    EntryKind.ATTACHMENT_FILE_MISSING,
    EntryKind.ATTACHMENT_FILE_CHANGED,
    EntryKind.ATTACHMENT_FILE_FOUND,
    EntryKind.AGENDA_POINT_ADDED,
    EntryKind.AGENDA_POINT_LEFT_OUT,
    EntryKind.AGENDA_POINT_PLACED,
    EntryKind.AGENDA_POINT_PUT_BACK,
    EntryKind.ATTENDANCE_WRITTEN,
    EntryKind.MINUTES_WRITTEN,
    EntryKind.PACK_TAKEN,
}


def tasks(person: User) -> list[InboxTask]:
    """Return tasks: post-mortems to write or confirm in a seat, and meetings. Those of people who left are included."""
    look = look_of(person)
    rows = rows_of(look)
    written = [
        replace(one.task(), why=phrase("Due from {}, who has left. {}", one.person or "no one", one.blocks))
        for one in due_tasks.of_obligations(_startable(look, [*rows["of_initiatives"], *rows["of_units"]]))
    ]
    confirming = [_confirming(row).task() for row in rows["in_review"] if _confirms(look, row)]
    return written + confirming + [_meeting(row, look) for row in rows["meetings"]]


def _startable(look: Look, orphaned: list[Obligation]) -> list[Obligation]:
    """Return those of these obligations that the person may begin to write, once each."""
    obligations = list(
        {
            obligation.pk: obligation
            for obligation in orphaned
            if obligation.responsible_id != look.person.pk
        }.values()
    )
    for obligation in obligations:
        if obligation.initiative.unit_id in look.units:
            obligation.initiative.unit = look.units[obligation.initiative.unit_id]
    if obligations:
        initiative_rows.read_together([obligation.initiative for obligation in obligations])
    return [
        obligation for obligation in obligations if postmortem_permissions.may_start(obligation, look.person)
    ]


def writing(rows: list[Obligation]) -> dict[int, Act]:
    """Return the link for writing each due post-mortem. Handed-in ones have none: the adoption seat confirms them."""
    begun = {
        row.obligation_id: row
        for row in PostMortem.objects.filter(obligation__in=rows).only("obligation", "state")
    }
    return {
        row.pk: Act("write", reverse("post-mortem", args=[begun[row.pk].pk]), "Continue writing")
        if row.pk in begun
        else Act("write", reverse("post-mortem-start", args=[row.pk]), "Write")
        for row in rows
        if row.pk not in begun or begun[row.pk].state == PostMortem.DRAFT
    }


def measuring(rows: list[Obligation]) -> dict[int, Act]:
    """Return the link for a new measurement of each silent measure."""
    return {
        row.pk: Act(
            "refresh", reverse("measure", args=[int(row.source.partition(":")[2])]), "Add measurement"
        )
        for row in rows
    }


def _meeting(row: Meeting, look: Look) -> InboxTask:
    under_way = row.state == Meeting.HELD
    return InboxTask(
        "see",
        phrase("Meeting of {}", row.board),
        row.get_absolute_url() if under_way else reverse("meeting-pack", args=[row.pk]),
        phrase("Open the meeting") if under_way else phrase("Read the pack"),
        why=phrase("The meeting is in progress.")
        if under_way
        else phrase("The pack has every initiative on the agenda.{}", _where(row)),
        due=row.held_on if row.held_on >= look.today else None,
        since=clock.local_day(row.begun_at)
        if under_way
        else max(row.held_on - timedelta(days=MEETING_DAYS), clock.local_day(row.planned_at)),
        matter=f"meeting:{row.pk}",
    )


def _where(row: Meeting) -> str:
    return f" Place: {row.place}." if row.place else ""


def _confirms(look: Look, row: PostMortem) -> bool:
    """Return True if the person may confirm it, as `permissions.may_confirm` does."""
    return row.initiative_id not in look.team_initiatives and look.person.pk not in _writers(row)


def _writers(row: PostMortem) -> set[int | None]:
    return {row.author_id, row.handed_in_by_id, row.obligation.responsible_id}


def _confirming(row: PostMortem) -> DueTask:
    return DueTask(
        f"postmortem:{row.pk}:{row.version}",
        row.initiative,
        None,
        phrase("Post-mortem: {}", row.initiative.title),
        Act("confirm", reverse("post-mortem-confirm", args=[row.pk]), phrase("Read and confirm")),
        phrase(
            "{} handed in the post-mortem. Your seat confirms the post-mortem, or sends it back with a note on "
            "what is missing. The obligation stays open until the seat confirms.",
            row.handed_in_by,
        ),
        clock.local_day(row.handed_in_at),
        row.obligation.due,
        phrase("a post-mortem has been waiting since {}", clock.local_day(row.handed_in_at)),
        (CONFIRM, CONFIRM),
        matter=f"postmortem:{row.pk}",
        waits=(3, 7),
        says_all=True,
    )


def post_mortems_to_confirm(moment: datetime):
    """Return the reminders of post-mortems that wait for the adoption seat, after 3 and 7 days. They escalate."""
    rows = {
        f"postmortem:{row.pk}:{row.version}": row
        for row in PostMortem.objects.filter(state=PostMortem.IN_REVIEW)
        .select_related("initiative__unit", "obligation", "handed_in_by")
        .order_by("pk")
    }
    return remind(
        [_confirming(row) for row in rows.values()],
        moment,
        lambda circle, one: [
            person
            for person in circle.holders(one.initiative, SEAT)
            if person.pk not in _writers(rows[one.key])
        ],
    )
