"""What waits in the inbox of whoever looks after systems, service accounts and definitions that initiatives depend
on.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.urls import reverse

from governance.contracts.wording import listed
from governance.notifications.inbox import InboxTask
from governance.templatetags.plumbline import day
from governance.vocabulary import Role
from governance.web.charts.primitives import count
from initiatives.models.integration.proposals import PROPOSED_KINDS

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

REVIEW_DAYS = 30  # before its day an account is in the inbox


def tasks(look: "Look"):
    """Initiatives that wait for the owner's word, one task a system; accounts that are to be looked at."""
    for system in look.rows("systems"):
        yield InboxTask(
            "agree",
            f"{count(system.waiting, 'initiative')} would depend on {system.name}",
            f"{system.get_absolute_url()}#waiting",
            "Read and answer",
            "You look after it: say whether they may, link by link. Nobody can agree for you.",
        )
    for account in look.rows("accounts"):
        if account.review_by <= look.today + timedelta(days=REVIEW_DAYS):
            yield InboxTask(
                "confirm",
                f"Service account {account.name} in {account.place}",
                reverse("account-review", args=[account.pk]),
                "Review it",
                "Look at what it may do, and say so; overdue, each initiative that uses it is short of an identity.",
                due=account.review_by,
            )
    yield from _proposed(look)
    yield from _conflicts(look)


def _proposed(look: "Look"):
    """Changes that others propose of what the person owns or their seat answers for; terms that bind nobody yet."""
    for row in look.proposals:
        yield _proposal(row.pk, row.get_kind_display(), row.place, row.who, row.at)
    owned = {row.pk for row in look.proposals}
    for row in look.proposals_to_seats:
        if row["pk"] not in owned:
            words = PROPOSED_KINDS[row["kind"]]
            yield _proposal(row["pk"], words, row["place"], row["who"], datetime.fromisoformat(row["at"]))
    for row in look.unconfirmed_terms:
        yield InboxTask(
            "confirm",
            f"A term of {row['vendor']}: {row['reference']}",
            reverse("vendor-term-confirm", args=[row["pk"]]),
            "Read and confirm",
            f"{row['who']} filed it. It forbids nothing until somebody confirms it.",
            when=f"since {day(datetime.fromisoformat(row['at']))}",
        )


def _proposal(key: int, kind: str, place: str | None, who: str, at: datetime) -> InboxTask:
    return InboxTask(
        "decide",
        f"{kind}: {place}" if place else kind,
        reverse("proposal", args=[key]),
        "Read and answer",
        f"{who} proposes it. Nothing changes until it is confirmed.",
        when=f"since {day(at)}",
    )


def _conflicts(look: "Look"):
    """Definitions that disagree, a task an initiative: the data steward resolves them; without one, the owner names
    one.
    """
    by_initiative: dict[int, list] = {}
    for row in look.rows("conflicts"):
        by_initiative.setdefault(row.initiative_id, []).append(row)
    for pk, rows in by_initiative.items():
        initiative, held = look.working[pk]
        terms = sorted({name for row in rows for name in (row.one_term, row.other_term)})
        found = f"{count(len(rows), 'open conflict')} on {listed(terms)}"
        behind = look.standing_in_on.get(pk, "")
        if Role.DATA_STEWARD in held:
            yield InboxTask(
                "decide",
                found,
                reverse("integration-definitions", args=[initiative.ref]),
                "Reconcile",
                f"{initiative.title}. Reconciled, or accepted, by its data steward; nobody else can.",
                initiative.ref,
                on_behalf=behind,
            )
        elif not rows[0].steward:
            yield InboxTask(
                "see",
                f"{initiative.title} has no data steward",
                f"{reverse('role-propose', args=[initiative.ref])}?role={Role.DATA_STEWARD}",
                "Propose one",
                f"{found}: only a data steward can resolve that.",
                initiative.ref,
                on_behalf=behind,
            )
