"""Changes that are recorded only in part, in inbox and reminders."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary import RUNNING_STAGES, Role
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.models import ChangeRecord, Initiative

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield the changes on the person's initiatives that name no approver or no rollback."""
    for row in look.rows("changes"):
        initiative = look.working[row.initiative_id][0]
        yield _described(row, initiative).task(look.standing_in_on.get(initiative.pk, ""))


def _described(row: ChangeRecord, initiative: Initiative) -> DueTask:
    missing = [
        words
        for words, lacks in (
            (phrase("the approver"), not row.approver_id),
            (phrase("the rollback"), not row.rollback),
        )
        if lacks
    ]
    start = clock.local_day(max(row.effective_at, row.recorded_at))
    return DueTask(
        f"change:{row.pk}",
        initiative,
        None,
        row.what,
        Act(
            "complete",
            reverse("row-act", args=["changes", row.pk, "complete"]),
            phrase("Complete the audit log"),
        ),
        phrase(
            "{}. The change does not name {}. The change is in effect from {}. The owner or the technical "
            "lead can add what is missing.",
            initiative.title,
            f" {phrase('and')} ".join(missing),
            clock.local_day(row.effective_at),
        ),
        start,
        None,
        phrase("the change “{}” is recorded only in part", row.what[:80]),
        ("change", "change"),
        matter=f"changes:{initiative.pk}",
        waits=(0, 3),
        says_all=True,
    )


def reminders(moment: datetime):
    """Return the reminders of changes without approver or rollback, to owner and technical lead, then the chair."""
    rows = (
        ChangeRecord.objects.exclude(layer="")
        .filter(Q(approver__isnull=True) | Q(rollback=""), effective_at__lte=moment)
        .filter(initiative__withdrawn_at__isnull=True, initiative__stage__in=RUNNING_STAGES)
        .select_related("initiative__unit")
        .order_by("pk")
    )
    return remind(
        [_described(row, row.initiative) for row in rows],
        moment,
        lambda circle, one: [
            circle.owner(one.initiative),
            circle.role(one.initiative, Role.TECHNICAL_LEAD),
        ],
    )
