"""Owing a message: one row per person, kind, object and period, however often it is found due."""

from datetime import date

from governance import clock
from governance.models import Notice, User


def owe(
    person: User,
    kind: str,
    object_key: str,
    *,
    subject: str,
    text: str = "",
    link: str = "",
    case_ref: str = "",
    due_on: date | None = None,
    period: str = "once",
) -> bool:
    """Owe the person one message; True when it is new. Shown in the app at once, mailed with the day's mail.

    Inactive people are owed nothing.
    """
    if not person.is_active:
        return False
    rows = Notice.objects.bulk_create(
        [
            Notice(
                person=person,
                kind=kind,
                object_key=object_key,
                period=period,
                case_ref=case_ref,
                subject=subject[:250],
                text=text,
                link=link,
                due_on=due_on,
                owed_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    return bool(
        rows
        and Notice.objects.filter(
            person=person, kind=kind, object_key=object_key, period=period, owed_at=rows[0].owed_at
        ).exists()
    )
