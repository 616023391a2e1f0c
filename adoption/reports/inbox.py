"""The inbox tasks and reminders about reports to judge and questions for a name."""

from datetime import datetime

from django.urls import reverse

from adoption.inbox_rows import rows_of
from adoption.models import Report
from adoption.reports import findings
from adoption.reports.report_kinds import KINDS, kind_of
from adoption.reports.sources import untold
from governance import clock
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Contribution
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind


def tasks(person: User) -> list[InboxTask]:
    """Return tasks for reports to judge, and for questions about the person's name."""
    look = look_of(person)
    return [
        *(_described(row).task() for row in _waiting(look)),
        *(_asked(person) if rows_of(look)["asked_for"] else ()),
    ]


def _waiting(look: Look) -> list[Report]:
    found = rows_of(look)
    rows: list[Report] = [*found["behaviour"], *found["problems"], *found["drafts"]]
    if rows:
        initiative_rows.read_together([row.initiative for row in rows])
    return [row for row in rows if kind_of(row).may_judge(row.initiative, look.person)]


def _described(row: Report) -> DueTask:
    kind, initiative = kind_of(row), row.initiative
    return DueTask(
        row.place,
        initiative,
        None,
        phrase("{}: {}", kind.news, initiative.title),
        Act("answer", row.get_absolute_url(), kind.verb),
        phrase("{} {}", ended(row.summary[:300]), kind.asks),
        row.reported_on,
        None,
        phrase("a {} has been waiting since {}", row.noun, row.reported_on),
        ("report", "report"),
        waits=kind.days,
        says_all=True,
    )


def _asked(person: User) -> list[InboxTask]:
    return [
        InboxTask(
            "see",
            phrase("Someone asked who wrote your behaviour report"),
            reverse("reports-mine"),
            phrase("Read who asked and why"),
            why=row.group,
            since=clock.today(),
        )
        for row in untold(person)
    ]


def reports(moment: datetime):
    """Yield reports that wait after the days of their kind, for those who judge them. They escalate."""
    for kind in KINDS.values():
        rows = kind.model.objects.waiting().select_related("initiative__unit").order_by("pk")
        yield from remind(
            [_described(row) for row in rows],
            moment,
            lambda circle, one, kind=kind: [*kind.reminded(circle, one.initiative)],
        )


CONTRIBUTION = Contribution(
    inbox_tasks=[tasks],
    # Acts that neither add a task to an inbox nor remove one.
    quiet_acts={EntryKind.MONITORING_PROMISED, EntryKind.ALERTS_MAPPED, EntryKind.ALERT_MAPPING_CLOSED},
    passing={"report"},
    due_queries=[reports],
    notification_verbs={"report": phrase("Read and judge")},
    more_says=[findings.behaviour],
    lagging=[findings.TRUST_LOST],
    why={findings.TRUST_LOST.key: findings.why_trust_lost},
)
