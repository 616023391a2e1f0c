"""Tasks from holds for the chair, the owner, dependants and seats.

The same people get an alert at once (`alerts`). Tasks on a hold or an ended grace period stay until it is resolved.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.vocabulary import BoardRole, HoldKind, Role
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.holds.due_tasks import support_of
from initiatives.models import Hold, Initiative, Obligation

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

OWNING = {Role.OWNER, Role.DEPUTY}
MOST = 20  # holds and graces of others on one inbox; the list of initiatives has all


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield the open holds, and ended days of grace, that concern the person."""
    holds = {row.pk: row for row in [*look.rows("holds"), *look.rows("own_holds")]}
    lapsed = {row.pk: row for row in [*look.rows("lapsed"), *look.rows("own_lapsed")]}
    shown = [_hold(look, row) for row in holds.values() if _reaches(look, row.initiative, row.against)]
    shown += [_grace(look, row) for row in lapsed.values() if _reaches(look, row.initiative)]
    deciding = [task for task in shown if task.verb == "decide"]
    others = [task for task in shown if task.verb != "decide"]
    yield from deciding
    yield from others[:MOST]
    if len(others) > MOST:
        yield InboxTask(
            "see",
            phrase(
                "{} more holds and ended days of grace on initiatives that concern you", len(others) - MOST
            ),
            f"{reverse('portfolio')}?held=on",
            phrase("See all of them"),
            phrase("Holds, and days of grace that are over."),
            to_know=True,
            since=min(task.since for task in others[MOST:]),
        )
    initiatives = {row.initiative_id for row in (*holds.values(), *lapsed.values())}
    yield from (_depending(row) for row in look.depending if row.initiative_id not in initiatives)


def _owns(look: "Look", initiative: Initiative) -> bool:
    return initiative.pk in look.working and bool(look.working[initiative.pk][1] & OWNING)


def _reaches(look: "Look", initiative: Initiative, requirements: Sequence[str] = ()) -> bool:
    """Return True if a blocker concerns the person as owner, chair or seat."""
    if _owns(look, initiative) or initiative.pk in look.chaired:
        return True
    seats = look.seats_by_unit.get(initiative.unit_id, set())
    if BoardRole.CHAIR in seats:
        return True
    return look.rulebook is not None and bool(
        seats & alerts.affected_seats(look.rulebook.at_tier(initiative.tier), initiative.stage, requirements)
    )


def _hold(look: "Look", hold: Hold) -> InboxTask:
    initiative, words = hold.initiative, HoldKind(hold.kind).label
    why = phrase("{}: {}", words, ended(hold.reason))
    if initiative.pk in look.chaired and (hold.opened_by_id or hold.liftable_since):
        return InboxTask(
            "decide",
            phrase("Hold on {}", initiative.title),
            reverse("row-act", args=["holds", hold.pk, "lift"]),
            phrase("Open the hold"),
            why,
            initiative.ref,
            is_hold=True,
            since=clock.local_day(hold.liftable_since or hold.opened_at),
            matter=_matter(hold),
            about=(f"hold:{hold.pk}",),
        )
    closes = (
        phrase("The chair lifts the hold.")
        if hold.opened_by_id
        else phrase("The hold closes automatically when its cause is gone.")
    )
    return InboxTask(
        "see",
        phrase("{} is held", initiative.title),
        alerts.link_of(hold),
        phrase("See how the hold ends"),
        phrase("{} {}", why, closes),
        initiative.ref,
        on_behalf=look.standing_in_on.get(initiative.pk, ""),
        is_hold=True,
        to_know=not _owns(look, initiative),
        since=clock.local_day(hold.opened_at),
        matter=_matter(hold),
        about=(f"hold:{hold.pk}",),
    )


def _matter(hold: Hold) -> str:
    """Return the matter of a hold. Holds of a kind share one, but each concern has its own."""
    return f"hold:{hold.pk}" if hold.kind == HoldKind.CONCERN else f"{hold.kind}:{hold.initiative_id}"


def _grace(look: "Look", obligation: Obligation) -> InboxTask:
    initiative, chairs = obligation.initiative, obligation.initiative_id in look.chaired
    return InboxTask(
        "decide" if chairs else "see",
        phrase("The days of grace of {} are over", initiative.title),
        reverse("initiative-act", args=[initiative.ref, "demote"])
        if chairs
        else reverse("requirements", args=[initiative.ref]),
        phrase("Decide whether to step back") if chairs else phrase("See what is open"),
        ended(obligation.text),
        initiative.ref,
        obligation.due,
        on_behalf="" if chairs else look.standing_in_on.get(initiative.pk, ""),
        to_know=not (chairs or _owns(look, initiative)),
        since=obligation.due + timedelta(days=1),
        matter=support_of(initiative),
        about=(f"obligation:{obligation.pk}",),
    )


def _depending(row) -> InboxTask:
    """Return the task for a dependant, who may not be able to open the initiative."""
    initiative = row.initiative
    what = f"held: {HoldKind(row.held).label.lower()}" if row.held else "past its days of grace"
    return InboxTask(
        "see",
        phrase("{} depends on {}", row.who, initiative.name_for_all),
        reverse("row-act", args=["dependants", row.pk, "state"])
        if row.executive_id
        else initiative.get_absolute_url(),
        phrase("See the outage plan"),
        phrase(
            "The initiative is {}. Bearable outage: {}. Ask the owner of the initiative what still works.",
            what,
            row.outage,
        ),
        initiative.ref,
        due=row.lapsed,
        to_know=True,
        since=clock.local_day(row.held_since) if row.held else row.lapsed + timedelta(days=1),
        matter=f"depending:{row.pk}",
        about=(f"hold:{row.held_key}", f"obligation:{row.lapsed_key}"),
    )
