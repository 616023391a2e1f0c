"""Reminders of obligations, conditions, gaps, waivers that end, and production to be accepted again."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.urls import reverse

from governance import clock
from governance.database.request_memo import one_look
from governance.models import Rulebook, User
from governance.notifications.due import Due, before, late
from governance.permission_result import ended
from governance.vocabulary import CLOSED_STAGES, WRITTEN_OBLIGATIONS, ObligationKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about, subject
from initiatives.models import Condition, Gap, Initiative, Obligation, Waiver

# Completed by what is written on the app above; it reminds of them.
WRITTEN = (*WRITTEN_OBLIGATIONS, ObligationKind.MEASUREMENT)


def obligations(moment: datetime):
    """Obligations that are not completed by writing: 14 and 3 days before their day, on it, and weekly after it."""
    rows = Obligation.objects.open().exclude(kind__in=WRITTEN)
    links = {
        "vacancy": "initiative-step-back",
        "step_back": "initiative",
        ObligationKind.SHOWN_BY: "requirements",
    }

    def link(obligation: Obligation) -> str:
        if obligation.account_key is not None:
            return reverse("account-close", args=[obligation.account_key])
        if obligation.system_key is not None:
            return reverse("feed-shut", args=[obligation.pk])
        if obligation.kind in links:
            return reverse(links[obligation.kind], args=[obligation.initiative.ref])
        return reverse("row-act", args=["obligations", obligation.pk, "complete"])

    yield from obligations_due(rows, moment, link)


def obligations_due(rows: Iterable[Obligation], moment: datetime, link: Callable[[Obligation], str]):
    """The messages about these obligations: to the responsible person, or in charge of the initiative where that person
    is gone; escalated.

    A step-back whose grace is over goes at once to the chair, who decides on it, and to all whom that touches.
    """
    today = clock.local_day(moment)
    rows = list(rows.select_related("initiative__unit", "responsible").order_by("pk"))
    circle = Circle(obligation.initiative for obligation in rows)
    for obligation in rows:
        initiative = obligation.initiative
        responsible = (
            obligation.responsible
            if obligation.responsible is not None and obligation.responsible.is_active
            else None
        )
        asked: list[User | None] = (
            [responsible] if responsible else [*circle.in_charge(initiative), circle.chair(initiative)]
        )
        period = before(obligation.due, today) or late(obligation.due, today, weekly=True)
        escalation = circle.escalated(initiative, obligation.due, today)
        overdue = obligation.due < today
        if obligation.kind == "step_back" and overdue:
            yield from _grace_over(obligation, initiative, asked)
        when = (
            f"was due on {obligation.due:%-d %B %Y}" if overdue else f"is due by {obligation.due:%-d %B %Y}"
        )
        yield from told(
            asked,
            period,
            lambda person, period, obligation=obligation, initiative=initiative, when=when, overdue=overdue: (
                Due(
                    person,
                    "overdue" if overdue else "due",
                    f"obligation:{obligation.pk}",
                    subject(initiative, f"{DUE_WORDS[obligation.kind]} {when}"),
                    text=f"{obligation.text.rstrip('.')}{'' if obligation.text.endswith('?') else '.'} "
                    f"{_responsible_for(obligation, person)}."
                    + (f" {BLOCKS[obligation.kind]}" if overdue and obligation.kind in BLOCKS else ""),
                    link=link(obligation),
                    initiative_ref=initiative.ref,
                    due_on=obligation.due,
                    period=period,
                )
            ),
            escalation,
        )


def _grace_over(obligation: Obligation, initiative: Initiative, asked: list):
    """The days of grace are over: to the chair, whose decision it is, the seats it affects and who depends on it.

    the responsible person hears of it as of any that is overdue.
    """
    rulebook = Rulebook.objects.current().parsed
    knowing = {person.pk for person in asked if person is not None and person.pk == obligation.responsible_id}
    with one_look():
        people = {
            person.pk: person
            for person in alerts.readers(
                initiative, alerts.affected_seats(rulebook.at_tier(initiative.tier), initiative.stage)
            )
        }
    lead = f"{obligation.text.rstrip('.')}. {BLOCKS['step_back']}"
    dues = {pk: (person, lead, reverse("initiative", args=[initiative.ref])) for pk, person in people.items()}
    for row in alerts.depending([initiative]):
        person = row.executive or row.stated_by
        if person.pk not in dues:
            plain = alerts.words_for(row, "Its days of grace are over; ask its owner what still works.")
            seen = initiative_permissions.may_see(initiative, person)
            dues[person.pk] = (person, lead, initiative.get_absolute_url()) if seen else (person, plain, "")
    for pk, (person, text, link) in dues.items():
        if pk not in knowing:
            yield Due(
                person,
                "overdue",
                f"obligation:{obligation.pk}",
                subject(initiative, f"the days of grace ended on {obligation.due:%-d %B %Y}"),
                text=text,
                link=link,
                initiative_ref=initiative.ref,
                due_on=obligation.due,
                period="grace over",
            )


DUE_WORDS = {
    "post_mortem": "its post-mortem",
    "retrospective": "its retrospective after go-live",
    "criterion": "an item left to do after the move",
    "step_back": "bringing its support back",
    "vacancy": "finding it an owner",
    "service_account": "closing a service account",
    "measurement": "measurement of a silent measure",
    ObligationKind.FEED: "the word that a feed is shut",
    ObligationKind.SHOWN_BY: "showing what its reported stage lacks",
}
BLOCKS = {
    "step_back": "The days of grace are over: the chair decides whether the initiative steps back.",
    "criterion": "While it is overdue, no review of the owner's for MVP or production can be decided.",
    "post_mortem": "While it is overdue, no review of the owner's for MVP or production can be decided.",
    "retrospective": "While it is overdue, no review of the owner's for MVP or production can be decided.",
    "vacancy": "The chair can propose an owner, or take the stage back.",
}


def _responsible_for(obligation: Obligation, reader) -> str:
    return (
        "Due from you"
        if obligation.responsible == reader
        else f"Due from {obligation.responsible or 'nobody named'}"
    )


def conditions(moment: datetime):
    """Conditions of a decision that nobody has met: to who owns them; overdue to the initiative's owner too,
    escalated.
    """
    today = clock.local_day(moment)
    rows = list(
        Condition.objects.filter(met_at__isnull=True, review__initiative__withdrawn_at__isnull=True)
        .exclude(review__initiative__stage__in=CLOSED_STAGES)
        .select_related("owner", "review__initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.review.initiative for row in rows)
    for row in rows:
        initiative, overdue = row.review.initiative, row.due < today
        asked = [row.owner] if row.owner.is_active else circle.in_charge(initiative)
        when = f"was due on {row.due:%-d %B %Y}" if overdue else f"is due by {row.due:%-d %B %Y}"
        yield from told(
            [*asked, circle.owner(initiative)] if overdue else asked,
            before(row.due, today) or late(row.due, today),
            lambda person, period, row=row, initiative=initiative, when=when, overdue=overdue: Due(
                person,
                "condition overdue" if overdue else "condition",
                f"condition:{row.pk}",
                subject(initiative, f"a condition {when}"),
                text=f"{ended(row.text)} {'It is yours' if row.owner == person else f'Owned by {row.owner}'}."
                + (" While it is overdue, nothing on this initiative can be decided." if overdue else ""),
                link=reverse("condition-meet", args=[row.pk]),
                initiative_ref=initiative.ref,
                due_on=row.due,
                period=period,
            ),
            circle.escalated(initiative, row.due, today),
        )


def gaps(moment: datetime):
    """Open gaps: to who owns them, 14 and 3 days before their day, on it, and once after it; escalated."""
    today = clock.local_day(moment)
    rows = list(
        Gap.objects.filter(closed_at__isnull=True, due__lte=today + timedelta(days=14))
        .exclude(initiative__basis="import")
        .select_related("owner", "initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        initiative = row.initiative
        overdue = row.due < today
        when = (
            f"was to be closed by {row.due:%-d %B %Y}"
            if overdue
            else f"is to be closed by {row.due:%-d %B %Y}"
        )
        yield from told(
            [row.owner] if row.owner.is_active else circle.in_charge(initiative),
            before(row.due, today) or late(row.due, today),
            about(
                initiative,
                "gap",
                f"gap:{row.pk}",
                f"a gap {when}",
                text=f"{ended(row.text)} Close it with evidence, or accept it as its owner.",
                link=reverse("row-act", args=["gaps", row.pk, "close"]),
                due_on=row.due,
            ),
            circle.escalated(initiative, row.due, today),
        )


def waivers(moment: datetime):
    """Granted waivers that end in 14 or 3 days: to who asked for them and to the owner, else to sponsor and chair."""
    today = clock.local_day(moment)
    rows = list(
        Waiver.objects.granted()
        .filter(until__range=(today, today + timedelta(days=14)), initiative__withdrawn_at__isnull=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("requested_by", "initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    rulebook = Rulebook.objects.current().parsed if rows else None
    for row in rows:
        initiative = row.initiative
        known = rulebook.requirements.get(row.key) or rulebook.criteria.get(row.key)
        yield from told(
            [row.requested_by, *circle.in_charge(initiative)],
            before(row.until, today, (14, 3)),
            about(
                initiative,
                "waiver",
                f"waiver:{row.pk}",
                f"a waiver ends on {row.until:%-d %B %Y}",
                text=f"{known.question if known else row.key} After that day it has to be shown; "
                "a waiver does not run twice in a row.",
                link=row.get_absolute_url(),
                due_on=row.until,
            ),
        )
