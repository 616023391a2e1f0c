"""Owing a message: one row per person, kind, object and period, however often it is found due."""

from collections.abc import Iterable
from datetime import date

from governance import clock
from governance.models import Notice, User


def owe(
    people: User | Iterable[User],
    kind: str,
    object_key: str,
    *,
    subject: str,
    text: str = "",
    link: str = "",
    case_ref: str = "",
    due_on: date | None = None,
    period: str = "once",
) -> None:
    """Owe the person, or each of several, one message. Shown in the app at once, mailed with the day's mail.

    Inactive people are owed nothing.
    """
    now = clock.now()
    Notice.objects.bulk_create(
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
                owed_at=now,
            )
            for person in ([people] if isinstance(people, User) else people)
            if person.is_active
        ],
        ignore_conflicts=True,
    )
