"""What waits for a person about reports: those they judge, and questions for their own name."""

from collections.abc import Callable

from django.db.models import Q
from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.incidents.inbox import working
from adoption.incidents.permissions import OPERATING, TREATING
from adoption.models import Report
from adoption.models.reports import BEHAVIOUR_REPORT
from adoption.reports import findings, reminders
from adoption.reports.report_kinds import KINDS, kind_of
from adoption.reports.sources import untold
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary import BoardRole
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.lifecycle.facts import initiative_rows

# Where the reports lie that the person may judge, by kind.
_NEAR: dict[str, Callable[[Look], Q]] = {
    BEHAVIOUR_REPORT: lambda look: Q(
        initiative__unit__in=look.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR, SEAT])
    ),
    "problem": lambda look: Q(initiative__in=working(look, TREATING)),
    "draft": lambda look: Q(initiative__in=working(look, OPERATING)),
}


def tasks(person: User) -> list[InboxTask]:
    """Reports that the person judges, and who asked for their name."""
    look = look_of(person)
    return [*(_inbox_task(row) for row in _waiting(look)), *_asked(person)]


def _waiting(look: Look) -> list[Report]:
    rows = [
        row
        for slug, kind in KINDS.items()
        for row in kind.model.objects.waiting().filter(_NEAR[slug](look)).select_related("initiative__unit")
    ]
    if rows:
        initiative_rows.read_together([row.initiative for row in rows])
    return [row for row in rows if kind_of(row).may_judge(row.initiative, look.person)]


def _inbox_task(row: Report) -> InboxTask:
    kind, initiative = kind_of(row), row.initiative
    return InboxTask(
        "answer",
        f"{kind.news}: {initiative.title}",
        row.get_absolute_url(),
        kind.verb,
        why=row.summary[:160],
        ref=initiative.ref,
    )


def _asked(person: User) -> list[InboxTask]:
    return [
        InboxTask(
            "see",
            "Somebody asked who wrote a behaviour report of yours",
            reverse("reports-mine"),
            "Read who and why",
            why=row.group,
        )
        for row in untold(person)
    ]


CONTRIBUTION = Contribution(
    inbox_tasks=[tasks],
    # What puts nothing in an inbox that was not there, or takes nothing away.
    quiet_acts={EntryKind.MONITORING_PROMISED, EntryKind.ALERTS_MAPPED, EntryKind.ALERT_MAPPING_CLOSED},
    due_queries=[reminders.reports],
    notification_verbs={"report": "Read and judge it"},
    more_says=[findings.behaviour],
    lagging=[findings.TRUST_LOST],
    why={findings.TRUST_LOST.key: findings.why_trust_lost},
)
