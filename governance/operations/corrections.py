"""Derived rows that the worker corrected, for the status page and notifications.

A derived row follows from other rows. It differs from them only if someone changed the database past Plumbline, or if
Plumbline has a fault. Admins and auditors are notified of both (docs/adr/0072).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.urls import reverse

from governance import clock
from governance.models import Entry, User
from governance.notifications.due import Due
from governance.vocabulary.entry_kinds import EntryKind

KIND = "derived row corrected"
SHOWN = timedelta(days=7)  # for which a correction stays on the status page
MOST = 20  # of which people are told one by one
WHY = (
    "Someone changed the database outside of Plumbline, or Plumbline has a fault. Run manage.py "
    "verify_audit_log."
)


def recent(moment: datetime | None = None) -> list[Entry]:
    """Return the entries of the corrections of the last week, the newest first, at most `MOST`."""
    since = (moment or clock.now()) - SHOWN
    rows = Entry.objects.filter(kind=EntryKind.DERIVED_CORRECTED, at__gte=since).select_related("body")
    return list(rows.order_by("-pk")[:MOST])


def words_of(entry: Entry) -> str:
    """Return the corrections as sentences. Words of erased entries stay empty."""
    said = entry.facts.get("facts") or {}
    return (
        f"{said.get('what', 'A computed value')} had the value {said.get('kept', '?')}. The correct value is "
        f"{said.get('right', '?')}."
    )


def corrections_due(moment: datetime) -> Iterator[Due]:
    """Tell every admin and auditor once of each correction."""
    entries = recent(moment)
    for person in _told() if entries else ():
        for entry in entries:
            yield Due(
                person,
                KIND,
                f"entry:{entry.pk}",
                f"{entry.initiative_ref or 'A table'}: a computed value was wrong and was corrected",
                text=f"{words_of(entry)} {WHY}",
                link=_link(person, entry),
            )


def _told() -> list[User]:
    people = User.objects.active()
    return list((people.filter(is_admin=True) | people.filter(is_auditor=True)).distinct().order_by("pk"))


def _link(person: User, entry: Entry) -> str:
    return f"{reverse('status')}#derived" if person.is_admin else reverse("audit-entry", args=[entry.pk])
