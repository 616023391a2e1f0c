"""Tasks of the inbox from adoption: what a person has to write, confirm, read or measure."""

from datetime import timedelta

from django.db.models import F, Q
from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.models import Meeting, PostMortem
from adoption.postmortems import permissions as postmortem_permissions
from governance.database.batch_read import Batch, Given, Rows
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary import WRITTEN_OBLIGATIONS, BoardRole, Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.inbox.rows.inbox_queries import INITIATIVE
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Obligation

MEETING_DAYS = 3  # so long before a meeting its pack waits to be read
# Acts after which every inbox says what it said before.
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

_open_obligations = (
    Obligation.objects.open()
    .filter(kind__in=WRITTEN_OBLIGATIONS)
    .exclude(post_mortem__state=PostMortem.IN_REVIEW)
    .annotate(draft=F("post_mortem"))
)
_orphaned = _open_obligations.filter(Q(responsible__isnull=True) | Q(responsible__is_active=False))
_joined = {"initiative": INITIATIVE, "responsible": ("id", "full_name", "is_active")}

_today, _soon = Given("today"), Given("soon")
_ROWS = Batch(
    mine=Rows(_open_obligations, "responsible", joined=_joined, keys="person"),
    of_initiatives=Rows(_orphaned, "initiative", joined=_joined, keys="initiatives"),
    of_units=Rows(_orphaned, "initiative__unit", joined=_joined, keys="chaired"),
    meetings=Rows(
        Meeting.objects.filter(
            Q(state=Meeting.HELD) | Q(state=Meeting.PLANNED, held_on__gte=_today, held_on__lte=_soon)
        ),
        "board",
        joined={"board": ("id", "name")},
        keys="boards",
    ),
    in_review=Rows(
        PostMortem.objects.filter(state=PostMortem.IN_REVIEW),
        "initiative__unit",
        joined={
            "initiative": INITIATIVE,
            "obligation": ("id", "responsible_id", "due"),
            "handed_in_by": ("id", "full_name"),
        },
        without=PostMortem.TEXTS,
        keys="adopting",
    ),
)


def tasks(person: User) -> list[InboxTask]:
    """The post-mortems this person has to write, may write where the responsible person is gone, or confirms in their
    seat.
    """
    look = look_of(person)
    answering = [row for row in look.roles if row.accepted_at and row.role in (Role.OWNER, Role.SPONSOR)]
    rows = _ROWS.ask(
        {
            "person": [person.pk],
            "initiatives": {row.initiative_id for row in answering}
            | {initiative.pk for initiative in look.standing_in},
            "chaired": look.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR]),
            "adopting": look.units_with([SEAT]),
            "boards": {member.board_id for member in look.memberships},
        },
        today=look.today,
        soon=look.today + timedelta(days=MEETING_DAYS),
    )
    written = [_writing(obligation, "Due from you") for obligation in rows["mine"]]
    written += [
        _writing(
            obligation,
            f"It was due from {obligation.responsible}, who is gone"
            if obligation.responsible
            else "It is due from nobody",
        )
        for obligation in _startable(look, [*rows["of_initiatives"], *rows["of_units"]])
    ]
    written += [_silent(obligation) for obligation in look.obligations if obligation.kind == "measurement"]
    confirming = [_confirming(row) for row in rows["in_review"] if _confirms(look, row)]
    return written + confirming + [_meeting(row, look) for row in rows["meetings"]]


def _startable(look: Look, orphaned: list[Obligation]) -> list[Obligation]:
    """Those of these obligations that the person may begin to write, once each."""
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


def _writing(obligation: Obligation, why: str) -> InboxTask:
    link = (
        reverse("post-mortem", args=[obligation.draft])
        if obligation.draft
        else reverse("post-mortem-start", args=[obligation.pk])
    )
    return InboxTask(
        "write",
        f"{obligation.text}: {obligation.initiative.title}",
        link,
        "Go on writing" if obligation.draft else "Write",
        why=f"{why}; while it is overdue, the owner's other reviews wait.",
        ref=obligation.initiative.ref,
        due=obligation.due,
    )


def _meeting(row: Meeting, look: Look) -> InboxTask:
    under_way = row.state == Meeting.HELD
    return InboxTask(
        "see",
        f"Meeting of {row.board}",
        row.get_absolute_url() if under_way else reverse("meeting-pack", args=[row.pk]),
        "Open the meeting" if under_way else "Read the pack",
        why="It is under way." if under_way else f"The pack has every initiative on its agenda.{_where(row)}",
        due=row.held_on if row.held_on >= look.today else None,
    )


def _where(row: Meeting) -> str:
    return f" Where: {row.place}." if row.place else ""


def _confirms(look: Look, row: PostMortem) -> bool:
    """Whether the person confirms it: what `permissions.may_confirm` asks, told from the rows of an inbox."""
    wrote = (row.author_id, row.handed_in_by_id, row.obligation.responsible_id)
    return row.initiative_id not in look.team_initiatives and look.person.pk not in wrote


def _silent(obligation: Obligation) -> InboxTask:
    return InboxTask(
        "refresh",
        f"{obligation.text}",
        reverse("measure", args=[int(obligation.source.partition(":")[2])]),
        "Add measurement",
        why=f"Measured on {obligation.initiative.title}; a measurement completes it.",
        ref=obligation.initiative.ref,
        due=obligation.due,
    )


def _confirming(row: PostMortem) -> InboxTask:
    return InboxTask(
        "confirm",
        f"Post-mortem: {row.initiative.title}",
        reverse("post-mortem-confirm", args=[row.pk]),
        "Read and confirm",
        why=f"{row.handed_in_by} handed it in; your seat confirms it or sends it back.",
        ref=row.initiative.ref,
        due=row.obligation.due,
    )
