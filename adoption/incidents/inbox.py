"""The tasks and reminders about incidents and reporting clocks.

An incident of severity 1 is in the inbox of everyone on the board and of its dependants until it is closed.
"""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_noop as _  # looked up when shown

from adoption.inbox_rows import rows_of
from adoption.incidents import incident_metrics
from adoption.models import Deadline, Incident
from governance import clock
from governance.models import User
from governance.notifications.due import since
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Contribution, InitiativePage
from initiatives.inbox.rows.person_rows import look_of
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Dependant, Initiative


def tasks(person: User) -> list[InboxTask]:
    """Return the running incidents and clocks that concern the person.

    They belong to the person's initiatives and boards, and to initiatives that their work depends on.
    """
    rows = rows_of(look_of(person))
    running = {row.pk: row for row in [*rows["incidents"], *rows["led"], *rows["severe"]]}.values()
    told = {row.initiative_id for row in running}
    upstream = [row for row in [*rows["depending"], *rows["stated"]] if row.initiative_id not in told]
    return [
        *(_incident(row, person) for row in running),
        *map(_upstream, upstream),
        *(_clock(row).task() for row in rows["clocks"]),
    ]


def _incident(row: Incident, person: User) -> InboxTask:
    who = (
        phrase("You lead the response.")
        if row.lead_id == person.pk
        else ""
        if row.lead_id
        else phrase("No one leads the response yet.")
    )
    return InboxTask(
        "see",
        phrase("Incident: {}", row.title),
        reverse("incident", args=[row.pk]),
        phrase("Open the incident"),
        why=phrase("Severity {}, {}. {}", row.severity, row.state, who).strip(),
        ref=row.initiative.ref,
        since=clock.local_day(row.running_since),
        matter=row.source,
    )


def _upstream(row: Dependant) -> InboxTask:
    """Return the task of a dependant's severe incident. The person may not be able to open its initiative."""
    initiative = row.initiative
    return InboxTask(
        "see",
        phrase("{} depends on {}", row.who, initiative.title),
        reverse("row-act", args=["dependants", row.pk, "state"])
        if row.executive_id
        else initiative.get_absolute_url(),
        phrase("See the agreed plan"),
        why=phrase(
            "Incident of severity 1. {} Longest bearable outage: {}.", ended(row.incident), row.outage
        ),
        ref=initiative.ref,
        since=clock.local_day(row.incident_at),
        matter=f"depending:{row.pk}",
        about=(f"incident:{row.incident_key}",),
    )


def _clock(row: Deadline) -> DueTask:
    """Return the task of a reporting clock."""
    late = row.due < clock.today()
    when = phrase("was to be reported by {}", row.due) if late else phrase("by {}", row.due)
    return DueTask(
        f"deadline:{row.pk}",
        row.incident.initiative,
        None,
        phrase("{}: {}", row.words, row.incident.title),
        Act(
            "complete",
            reverse("row-act", args=["deadlines", row.pk, "meet"]),
            phrase("Record the report"),
        ),
        phrase(
            "{}. Source: {}. This template is not legal advice. On the page of the incident, "
            "record the content of the report and the authority.",
            row.incident.title,
            row.source,
        ),
        clock.local_day(row.started_at),
        row.due,
        phrase("{}: {}", row.words, when),
        ("reporting clock", "reporting clock"),
        matter=row.incident.source,
        weekly=True,
        days=(7, 3, 1, 0),
        says_all=True,
    )


def incidents(moment: datetime):
    """Yield reminders of incidents that are not closed 1, 3 and 7 days after they opened, or were reopened.

    These escalate. The lead, owner and support owner get them.
    """
    today = clock.local_day(moment)
    rows = list(Incident.objects.unfinished().select_related("initiative__unit", "lead").order_by("pk"))
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        initiative, start = row.initiative, clock.local_day(row.running_since)
        yield from told(
            [row.lead, *circle.in_charge(initiative), circle.role(initiative, Role.SUPPORT_OWNER)],
            since(start, today, (1, 3, 7)),
            about(
                initiative,
                "incident",
                # A reopened incident has its own time, whatever was sent before.
                f"{row.source}:{start}" if row.reopened_at else row.source,
                phrase("an incident of {} is {}", start, row.state),
                text=phrase("{}. Update the status, or close the incident.", row.title),
                link=reverse("incident", args=[row.pk]),
            ),
            circle.escalated(initiative, start, today),
        )


def deadlines(moment: datetime):
    """Return reminders of running clocks 7, 3, 1 and 0 days before, then weekly. They escalate."""
    running = Deadline.objects.filter(met_at__isnull=True).order_by("pk")
    rows = list(running.select_related("incident__initiative__unit", "incident__lead", "incident__speaker"))
    of = {f"deadline:{row.pk}": row.incident for row in rows}
    return remind(
        [_clock(row) for row in rows],
        moment,
        lambda circle, one: [*circle.in_charge(one.initiative), of[one.key].lead, of[one.key].speaker],
    )


def left_open(initiative: Initiative) -> list[str]:
    """Return a sentence on the incidents that a stop or a retirement leaves open, or nothing."""
    titles = list(
        Incident.objects.unfinished()
        .filter(initiative=initiative)
        .order_by("pk")
        .values_list("title", flat=True)
    )
    if not titles:
        return []
    if len(titles) == 1:
        return [phrase("1 incident runs: {}. The incident stays open.", titles[0])]
    return [phrase("{} incidents run: {}. The incidents stay open.", len(titles), "; ".join(titles))]


CONTRIBUTION = Contribution(
    left_open=[left_open],
    initiative_pages=[InitiativePage("Operation", _("Incidents"), "incidents")],
    inbox_tasks=[tasks],
    # Acts that neither add a task to an inbox nor remove one.
    quiet_acts={
        EntryKind.INCIDENT_LINE_WRITTEN,
        EntryKind.INCIDENT_AMENDED,
        EntryKind.EDGE_CLAUSE_TAKEN_OVER,
        EntryKind.REPORTING_DUTIES_LAID_OUT,
    },
    passing={"incident", "incident upstream", "reporting clock"},
    due_queries=[incidents, deadlines],
    notification_verbs={
        "incident": phrase("Open the incident"),
        "incident upstream": phrase("See what is known"),
        "reporting clock": phrase("Record the report"),
    },
    reports=[incident_metrics.OPEN],
)
