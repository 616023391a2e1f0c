"""Notifications of people: one row per person, kind, object and period."""

from collections.abc import Iterable
from datetime import date

from governance import clock
from governance.contributions import contributed
from governance.database import prepared_statements
from governance.models import Notification, User


def readable(person: User, notifications: Iterable[Notification]) -> list[Notification]:
    """Return these notifications without those about initiatives that the person may not open now.

    The reason does not matter: an ended role or seat, another board, a confidential initiative. A message without
    `initiative_ref` is always shown. It is about several initiatives, or for people who need not be able to open the
    initiative, so its words contain no title.
    """
    notifications = list(notifications)
    refs = {row.initiative_ref for row in notifications} - {""}
    opened = {ref for find in contributed.openable for ref in find(person, refs)} if refs else set()
    return [row for row in notifications if row.initiative_ref in opened or not row.initiative_ref]


def notify(
    people: User | Iterable[User],
    kind: str,
    object_key: str,
    *,
    subject: str,
    text: str = "",
    link: str = "",
    initiative_ref: str = "",
    due_on: date | None = None,
    period: str = "once",
) -> None:
    """Write one message to each of these people who is active.

    The app shows the message at once. The day's email carries it.
    """
    told = [person.pk for person in ([people] if isinstance(people, User) else people) if person.is_active]
    if not told:
        return
    same = {
        "kind": kind,
        "object_key": object_key,
        "period": period,
        "initiative_ref": initiative_ref,
        "subject": subject[:250],
        "text": text,
        "link": link,
        "due_on": due_on,
        "created_at": clock.now(),
    }
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO governance_notification (person_id, {', '.join(same)})"
            f" SELECT person, {', '.join(['%s'] * len(same))} FROM unnest(%s::bigint[]) AS told(person)"
            " ON CONFLICT DO NOTHING",
            [*same.values(), told],
        )
