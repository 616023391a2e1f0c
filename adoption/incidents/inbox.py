"""What waits for a person about incidents and reporting clocks.

One of severity 1 stands in the inbox of everybody on the board and of who depends on the initiative until it is closed.
"""

from collections.abc import Iterable

from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.translation import gettext_noop as _  # looked up when shown

from adoption.incidents import incident_metrics, reminders
from adoption.incidents.permissions import OPERATING
from adoption.models import Deadline, Incident
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution, InitiativePage
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.models import Dependant


def tasks(person: User) -> list[InboxTask]:
    """Incidents and reporting clocks that run, of the person's initiatives and boards and of what their work depends
    on.
    """
    look = look_of(person)
    initiatives = working(look, OPERATING)
    running = list(
        Incident.objects.unfinished()
        .filter(
            Q(initiative__in=initiatives)
            | Q(lead=person)
            | Q(severity=1, initiative__unit__in=list(look.seats_by_unit))
        )
        .select_related("initiative")
    )
    deadlines = Deadline.objects.filter(met_at__isnull=True, incident__initiative__in=initiatives)
    return [
        *(_incident(row, person) for row in running),
        *(_upstream(row) for row in _depended_on(person, {row.initiative_id for row in running})),
        *(_clock(row) for row in deadlines.select_related("incident__initiative")),
    ]


def working(look: Look, roles: Iterable[str]) -> list[int]:
    """Keys of the initiatives, ended ones too, on which the person holds one of these roles, or stands in for the
    owner.
    """
    held = {row.initiative_id for row in look.roles if row.accepted_at and row.role in roles}
    return sorted(held | {initiative.pk for initiative in look.standing_in})


def _depended_on(person: User, told: set[int]) -> Iterable[Dependant]:
    """The person's work that depends on an initiative with an open incident of severity 1, but on those `told`
    already.
    """
    severe = Incident.objects.unfinished().filter(severity=1, initiative=OuterRef("initiative"))
    return (
        Dependant.objects.filter(
            Q(executive=person) | Q(executive__isnull=True, stated_by=person), ended_at__isnull=True
        )
        .annotate(incident=Subquery(severe.order_by("opened_at").values("title")[:1]))
        .filter(incident__isnull=False)
        .exclude(initiative__in=told)
        .select_related("initiative")
    )


def _incident(row: Incident, person: User) -> InboxTask:
    who = "You lead it." if row.lead_id == person.pk else "" if row.lead_id else "Nobody leads it yet."
    return InboxTask(
        "see",
        f"Incident: {row.title}",
        reverse("incident", args=[row.pk]),
        "Open it",
        why=f"Severity {row.severity}, {row.state}. {who}".strip(),
        ref=row.initiative.ref,
    )


def _upstream(row: Dependant) -> InboxTask:
    """An incident of severity 1 of an initiative that the person's work depends on, which they may not be able to
    open.
    """
    initiative = row.initiative
    return InboxTask(
        "see",
        f"{row.who} depends on {initiative.title}",
        reverse("dependant", args=[row.pk]) if row.executive_id else initiative.get_absolute_url(),
        "See what was agreed",
        why=f"Incident of severity 1: {ended(row.incident)} Bearable without it: {row.outage}.",
        ref=initiative.ref,
    )


def _clock(row: Deadline) -> InboxTask:
    return InboxTask(
        "complete",
        f"{row.words}: {row.incident.title}",
        reverse("row-act", args=["deadlines", row.pk, "meet"]),
        "Say that it was reported",
        why=f"Source: {row.source}. A template, no legal advice.",
        ref=row.incident.initiative.ref,
        due=row.due,
    )


CONTRIBUTION = Contribution(
    initiative_pages=[InitiativePage("Operation", _("Incidents"), "incidents")],
    inbox_tasks=[tasks],
    # What puts nothing in an inbox that was not there, or takes nothing away.
    quiet_acts={
        EntryKind.INCIDENT_LINE_WRITTEN,
        EntryKind.INCIDENT_AMENDED,
        EntryKind.EDGE_CLAUSE_TAKEN_OVER,
        EntryKind.REPORTING_DUTIES_LAID_OUT,
    },
    due_queries=[reminders.incidents, reminders.deadlines],
    notification_verbs={
        "incident": "Open the incident",
        "incident upstream": "See what is known",
        "reporting clock": "Say that it was reported",
    },
    reports=[incident_metrics.OPEN],
)
