"""Roles to accept, handovers and missing owners, in inbox and reminders."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef
from django.urls import reverse

from governance import clock
from governance.models import User
from governance.notifications.due import Due, since
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.vocabulary import CLOSED_STAGES, Role, Seat, Stage
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.lifecycle.reminders.recipients import BOARD_AFTER, CHAIR_AFTER, Circle, told
from initiatives.lifecycle.reminders.wording import about, days_between
from initiatives.models import Hold, Initiative, RoleAssignment

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

NAMED = 3  # initiatives that one line or message names


def to_accept(look: "Look") -> Iterator[InboxTask]:
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
            _of_several([row.initiative.title for row in together]),
            since=clock.local_day(min(row.proposed_at for row in together)),
            about=(f"roles:{look.person.pk}", *(f"role:{row.pk}" for row in together)),
        )
    for row in rows:
        if row not in together or len(together) == 1:
            yield replace(_described(row).task(), about=(f"roles:{look.person.pk}",))


def _described(row: RoleAssignment) -> DueTask:
    name = label(Role(row.role).label, inside=True)
    return DueTask(
        f"role:{row.pk}",
        row.initiative,
        row.person,
        Role(row.role).label,
        Act("accept", reverse("row-act", args=["roles", row.pk, "accept"]), phrase("Read and answer")),
        phrase(
            "{}. {} proposed you. The role takes effect after you have accepted it. You can also decline.",
            row.initiative.title,
            row.proposed_by,
        ),
        clock.local_day(row.proposed_at),
        None,
        phrase("you are asked to be its {}", name),
        ("role", "role"),
        waits=(0, 3, 7),
        says_all=True,
        personal=True,
        escalates=False,
    )


def _of_several(initiatives: list[str]) -> str:
    """Return the text of a line or a message on several roles. `initiatives` are titles or references."""
    more = len(initiatives) - NAMED
    named = ", ".join(initiatives[:NAMED]) + (phrase(" and {} more", more) if more > 0 else "")
    return phrase(
        "{}. Each role takes effect after you have accepted it. You sign once for all roles. You can decline "
        "any role.",
        named,
    )


def asked(look: "Look") -> Iterator[InboxTask]:
    """Yield absences in which the person is asked to stand in, and handovers: one task for each person who leaves."""
    for row in look.asked_to_stand_in:
        what = (
            phrase("the seat {} of {}", label(Seat(row.seat).label), row.board)
            if row.seat
            else phrase("roles on initiatives")
        )
        yield InboxTask(
            "accept",
            phrase("Stand in for {}", row.who),
            reverse("row-act", args=["delegations", row.pk, "accept"]),
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


def left(look: "Look") -> Iterator[InboxTask]:
    """Yield ideas and prototypes that need an owner, for the chair and the sponsor."""
    found = {row.pk: row for row in look.rows("left") if look.chairs_now(row.unit_id)}
    found |= {row.pk: row for row in look.rows("left_to_sponsor")}
    for row in found.values():
        yield InboxTask(
            "decide",
            phrase("{} has no owner", row.title),
            f"{reverse('initiative-act', args=[row.ref, 'role-propose'])}?role={Role.OWNER}",
            phrase("Propose an owner"),
            phrase("The owner left. Only an owner can answer the requirements and request a review."),
            row.ref,
            since=clock.local_day(row.left_at),
        )


def roles_to_accept(moment: datetime):
    """Yield reminders of proposed roles: to the person at once, after 3 and 7 days.

    Roles proposed on one day share a message. After two weeks the proposer gets one. An owner who does not answer
    leaves the initiative without an owner, for which there are other messages.
    """
    today = clock.local_day(moment)
    rows = list(
        RoleAssignment.objects.waiting()
        .filter(initiative__withdrawn_at__isnull=True, person__is_active=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("initiative__unit", "person", "proposed_by")
        .order_by("pk")
    )
    together = _asked_together(rows)
    for (person, start), some in together.items():
        yield from told([person], since(start, today, (0, 3, 7)), _several(person, start, some))
    alone = {row.pk for row in rows} - {row.pk for some in together.values() for row in some}
    yield from remind(
        [_described(row) for row in rows if row.pk in alone], moment, lambda circle, one: [one.person]
    )
    for row in rows:
        initiative, start = row.initiative, clock.local_day(row.proposed_at)
        if row.role == Role.OWNER and not initiative.imported:
            continue
        yield from told(
            [row.proposed_by],
            since(start, today, (BOARD_AFTER,)),
            about(
                initiative,
                "role unanswered",
                f"role:{row.pk}",
                phrase("{} has not answered for two weeks", row.person),
                text=phrase(
                    "{} has been asked to be its {} since {}. Speak to this person, or propose someone else.",
                    row.person,
                    label(Role(row.role).label, inside=True),
                    start,
                ),
                link=reverse("people", args=[initiative.ref]),
            ),
        )


def _asked_together(rows: list[RoleAssignment]) -> dict[tuple[User, date], list[RoleAssignment]]:
    """Return by person and day the rows that were proposed to them together.

    Answered rows count too, so that the message is the same while they are answered.
    """
    by_itself = RoleAssignment.objects.filter(person__in={row.person_id for row in rows}, handover=None)
    asked = Counter(
        (person, clock.local_day(at)) for person, at in by_itself.values_list("person", "proposed_at")
    )
    found: dict[tuple[User, date], list[RoleAssignment]] = {}
    for row in rows:
        start = clock.local_day(row.proposed_at)
        if row.handover_id is None and asked[row.person_id, start] > 1:
            found.setdefault((row.person, start), []).append(row)
    return found


def _several(person: User, start: date, rows: list[RoleAssignment]):
    """Return the message on roles proposed to a person on one day, for `told`."""
    return partial(
        Due,
        kind="role",
        object_key=f"roles:{person.pk}:{start.isoformat()}",
        subject=phrase("You are asked to accept 1 role")
        if len(rows) == 1
        else phrase("You are asked to accept {} roles", len(rows)),
        text=_of_several([row.initiative.ref for row in rows]),
        link=reverse("roles-to-accept"),
        personal=True,
    )


def vacancies(moment: datetime):
    """Yield MVP and production that lost their owner.

    Sponsor and chair get it at once, the chair after 7 days, then board and sponsor.
    """
    today = clock.local_day(moment)
    holds = list(
        Hold.objects.open()
        .filter(kind="owner_vacant", opened_by__isnull=True)
        .exclude(initiative__basis="import")
        .select_related("initiative__unit")
        .order_by("pk")
    )
    circle = Circle(hold.initiative for hold in holds)
    for hold in holds:
        initiative, start = hold.initiative, clock.local_day(hold.opened_at)
        sponsor, chair = circle.role(initiative, "sponsor"), circle.chair(initiative)
        period = since(start, today, (0, CHAIR_AFTER, BOARD_AFTER))
        people = {
            "after0d": [sponsor, chair],
            f"after{CHAIR_AFTER}d": [chair],
            f"after{BOARD_AFTER}d": [sponsor, *circle.board(initiative)],
        }
        yield from told(
            people.get(period, []),
            period,
            about(
                initiative,
                "owner vacant",
                f"hold:{hold.pk}",
                f"no owner since {start:%-d %B %Y}",
                text=(
                    f"{hold.reason} No decision is possible until then. The sponsor or the chair can "
                    "propose a successor, who accepts in person."
                ),
                link=reverse("people", args=[initiative.ref]),
            ),
        )


def ideas_without_owner(moment: datetime):
    """Yield ideas and prototypes without an owner. The person who registered them gets it, then the chair."""
    today = clock.local_day(moment)
    owned = RoleAssignment.objects.in_force().filter(initiative=OuterRef("pk"), role=Role.OWNER)
    initiatives = list(
        Initiative.objects.live()
        .filter(~Exists(owned), stage__in=[Stage.PROPOSED, Stage.PROTOTYPE])
        .exclude(basis="import")
        # Ideas of a list that was imported remind nobody: nobody here began them.
        .exclude(stage=Stage.PROPOSED, registered_by__isnull=True)
        .select_related("unit", "registered_by")
        .prefetch_related("roles")
        .order_by("pk")
    )
    circle = Circle(initiatives)
    for initiative in initiatives:
        ended = [
            row.ended_at
            for row in initiative.roles.all()
            if row.role == Role.OWNER and row.accepted_at and row.ended_at
        ]
        start = clock.local_day(max([initiative.registered_at, *ended]))
        asked = any(
            row.role == Role.OWNER
            for row in initiative.roles.all()
            if not row.declined_at and not row.ended_at
        )
        period = since(start, today, (3, CHAIR_AFTER, BOARD_AFTER))
        people = [circle.role(initiative, "sponsor"), initiative.registered_by]
        if period == f"after{BOARD_AFTER}d":
            people.append(circle.chair(initiative))
        yield from told(
            people,
            period,
            about(
                initiative,
                "no owner",
                f"initiative:{initiative.pk}:{start.isoformat()}",
                f"no owner since {start:%-d %B %Y}",
                text="Someone was asked and has not answered. Speak to this person, or propose someone else."
                if asked
                else "Propose an owner, who accepts in person, or withdraw the initiative.",
                link=reverse("people", args=[initiative.ref]),
            ),
        )
