"""What is due about post-mortems: the ones owed, and the ones that wait for the adoption seat. Queries only."""

from datetime import datetime

from django.urls import reverse

from adoption.models import PostMortem
from adoption.permissions import SEAT, WRITTEN
from governance import clock
from governance.reminders import Due, since
from initiatives.models import Obligation
from initiatives.reminders.circle import Circle, told
from initiatives.reminders.debts import debts_due
from initiatives.reminders.words import subject


def owed(moment: datetime):
    """Post-mortems that nobody has published: 14 and 3 days before their day, on it, weekly after it, escalated."""
    rows = Obligation.objects.unsettled().filter(kind__in=WRITTEN)
    rows = rows.exclude(post_mortem__state__in=[PostMortem.PUBLISHED, PostMortem.CONFIRMED])
    yield from debts_due(rows, moment, lambda debt: reverse("post-mortem-start", args=[debt.pk]))


def to_confirm(moment: datetime):
    """Published post-mortems without a word of the adoption seat after 3 and 7 days; escalated from publishing on."""
    today = clock.local_day(moment)
    rows = list(
        PostMortem.objects.filter(state=PostMortem.PUBLISHED)
        .select_related("initiative__unit", "obligation", "author", "published_by")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        case, start = row.initiative, clock.local_day(row.published_at)
        writers = {row.author_id, row.published_by_id, row.obligation.debtor_id}
        holders = [person for person in circle.holders(case, SEAT) if person.pk not in writers]
        yield from told(
            holders,
            since(start, today, (3, 7)),
            lambda person, period, row=row, case=case, start=start: Due(
                person,
                "confirm post-mortem",
                f"postmortem:{row.pk}",
                subject(case, f"a post-mortem has waited since {start:%-d %B %Y}"),
                text=f"{row.published_by} published it. The adoption seat confirms it, or sends it back with what "
                "is missing; until then the debt stays open.",
                link=reverse("post-mortem-confirm", args=[row.pk]),
                case_ref=case.ref,
                due_on=row.obligation.due,
                period=f"version{row.version}:{period}",
            ),
            circle.escalated(case, start, today),
        )


QUERIES = [owed, to_confirm]
# What each kind of notice asks for, as the words of the button in the mail.
VERBS = {"confirm post-mortem": "Read and confirm", "post-mortem": "Open the post-mortem"}
