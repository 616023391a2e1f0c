"""Reminders of roles that wait for an answer, and of initiatives without an owner."""

from collections import Counter
from datetime import date, datetime
from functools import partial

from django.db.models import Exists, OuterRef
from django.urls import reverse

from governance import clock
from governance.models import User
from governance.notifications.due import Due, since
from governance.vocabulary import CLOSED_STAGES, Role, Stage
from initiatives.lifecycle.reminders.recipients import BOARD_AFTER, CHAIR_AFTER, Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Hold, Initiative, RoleAssignment

NAMED = 3  # initiatives that one message names


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
    for row in rows:
        initiative, start = row.initiative, clock.local_day(row.proposed_at)
        role = row.get_role_display().lower()
        yield from told(
            [row.person] if row.pk in alone else [],
            since(start, today, (0, 3, 7)),
            about(
                initiative,
                "role",
                f"role:{row.pk}",
                f"you are asked to be its {role}",
                text=(
                    f"{row.proposed_by} proposed you. The role takes effect after you have accepted it. "
                    "You can also decline."
                ),
                link=reverse("role", args=[row.pk]),
                personal=True,
            ),
        )
        if row.role == Role.OWNER and not initiative.imported:
            continue
        yield from told(
            [row.proposed_by],
            since(start, today, (BOARD_AFTER,)),
            about(
                initiative,
                "role unanswered",
                f"role:{row.pk}",
                f"{row.person} has not answered for two weeks",
                text=(
                    f"{row.person} has been asked to be its {role} since {start:%-d %B %Y}. Speak to this "
                    "person, or propose someone else."
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
    count = len(rows)
    named = [row.initiative.ref for row in rows[:NAMED]]
    more = f" and {count - NAMED} more" if count > NAMED else ""
    return partial(
        Due,
        kind="role",
        object_key=f"roles:{person.pk}:{start.isoformat()}",
        subject=f"You are asked to accept {count} role{'' if count == 1 else 's'}",
        text=(
            f"{', '.join(named)}{more}. Each role takes effect after you have accepted it. You sign once "
            "for all roles. You can decline any role."
        ),
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
