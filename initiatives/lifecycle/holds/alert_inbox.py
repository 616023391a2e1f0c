"""Tasks of the inbox from holds: for the chair, the owner, dependants and affected seats.

The same people are told of it at once (`alerts`). A hold and a grace that is over stay until they are gone; a stop and
a step-back until the message about them was opened.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from django.urls import reverse

from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import BoardRole, HoldKind, Role
from initiatives.lifecycle.findings import alerts
from initiatives.models import Hold, Initiative, Obligation

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

OWNING = {Role.OWNER, Role.DEPUTY}
MOST = 20  # holds and graces of others on one inbox; the list of initiatives has all


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Holds, days of grace that are over, stops and step-backs that reach the person."""
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
            f"{len(others) - MOST} more stand against initiatives near you",
            f"{reverse('portfolio')}?held=on",
            "See them all",
            "Holds, and days of grace that are over.",
            to_know=True,
        )
    initiatives = {row.initiative_id for row in (*holds.values(), *lapsed.values())}
    yield from (_depending(row) for row in look.depending if row.initiative_id not in initiatives)
    for row in look.to_read:
        link, text = reverse("notification", args=[row["pk"]]), row["text"]
        yield InboxTask("see", row["subject"].partition(" ")[2], link, "Read it", text[:200], row["ref"])


def _owns(look: "Look", initiative: Initiative) -> bool:
    return initiative.pk in look.working and bool(look.working[initiative.pk][1] & OWNING)


def _reaches(look: "Look", initiative: Initiative, requirements: Sequence[str] = ()) -> bool:
    """Whether what stands against the initiative reaches the person: as owner, chair, or in a seat that it affects."""
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
    why = f"{words}: {ended(hold.reason)}"
    if initiative.pk in look.chaired and (hold.opened_by_id or hold.liftable_since):
        return InboxTask(
            "decide",
            f"Hold on {initiative.title}",
            reverse("row-act", args=["holds", hold.pk, "lift"]),
            "Look at the hold",
            why,
            initiative.ref,
            when=f"since {day(hold.opened_at)}",
            is_hold=True,
        )
    closes = "The chair lifts it." if hold.opened_by_id else "It closes with its cause."
    return InboxTask(
        "see",
        f"{initiative.title} is held",
        alerts.link_of(hold),
        "See what it takes",
        f"{why} {closes}",
        initiative.ref,
        when=f"since {day(hold.opened_at)}",
        on_behalf=look.standing_in_on.get(initiative.pk, ""),
        is_hold=True,
        to_know=not _owns(look, initiative),
    )


def _grace(look: "Look", obligation: Obligation) -> InboxTask:
    initiative, chairs = obligation.initiative, obligation.initiative_id in look.chaired
    return InboxTask(
        "decide" if chairs else "see",
        f"The days of grace of {initiative.title} are over",
        reverse("initiative-step-back" if chairs else "initiative", args=[initiative.ref]),
        "Decide on stepping back" if chairs else "See what is missing",
        f"{ended(obligation.text)} Its evidence does not support {stage_word(initiative.stage)}.",
        initiative.ref,
        obligation.due,
        on_behalf="" if chairs else look.standing_in_on.get(initiative.pk, ""),
        to_know=not (chairs or _owns(look, initiative)),
    )


def _depending(row) -> InboxTask:
    """What somebody who depends on an initiative sees, who may not be able to open it."""
    initiative = row.initiative
    what = f"held: {HoldKind(row.held).label.lower()}" if row.held else "past its days of grace"
    return InboxTask(
        "see",
        f"{row.who} depends on {initiative.title}",
        reverse("dependant", args=[row.pk]) if row.executive_id else initiative.get_absolute_url(),
        "See what was agreed",
        f"It is {what}. Bearable without it: {row.outage}. Ask its owner what still works.",
        initiative.ref,
        due=row.lapsed,
        to_know=True,
    )
