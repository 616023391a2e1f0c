"""Inbox tasks of people who look after shared systems, accounts and definitions."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.contracts.wording import listed
from governance.notifications.inbox import InboxTask
from governance.vocabulary import HoldKind, Role
from governance.vocabulary.phrases import phrase
from governance.web.charts.primitives import count

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

REVIEW_DAYS = 30  # before its day an account is in the inbox


def tasks(look: "Look"):
    """Yield links that wait for the owner, one task a system, and accounts to review."""
    for system in look.rows("systems"):
        yield InboxTask(
            "agree",
            phrase("{} asking to depend on {}", count(system.waiting, "initiative"), system.name),
            f"{system.get_absolute_url()}#waiting",
            phrase("Read and answer"),
            phrase("You are the owner of the system. Agree to or decline each link. No one else can answer."),
            since=clock.local_day(system.waits_since),
        )
    for account in look.rows("accounts"):
        if account.review_by <= look.today + timedelta(days=REVIEW_DAYS):
            yield InboxTask(
                "confirm",
                phrase("Service account {} in {}", account.name, account.place),
                reverse("row-act", args=["service-accounts", account.pk, "review"]),
                phrase("Review it"),
                phrase(
                    "Check the permissions of the account and record the review. If the review is overdue, each "
                    "initiative that uses the account gets a finding."
                ),
                due=account.review_by,
                since=account.review_by - timedelta(days=REVIEW_DAYS),
                matter=f"account:{account.pk}",
            )
    yield from _unconfirmed_terms(look)
    yield from _conflicts(look)


def _unconfirmed_terms(look: "Look"):
    """Yield unconfirmed terms of vendors that the person can confirm."""
    for row in look.unconfirmed_terms:
        yield InboxTask(
            "confirm",
            phrase("A term of {}: {}", row["vendor"], row["reference"]),
            reverse("row-act", args=["vendor-terms", row["pk"], "confirm"]),
            phrase("Read and confirm"),
            phrase("{} filed this term. The term has no effect until someone confirms it.", row["who"]),
            since=clock.local_day(datetime.fromisoformat(row["at"])),
            matter=f"vendor-term:{row['pk']}",
        )


def _conflicts(look: "Look"):
    """Yield open conflicts by initiative, to the data steward, or else the owner."""
    by_initiative: dict[int, list] = {}
    for row in look.rows("conflicts"):
        by_initiative.setdefault(row.initiative_id, []).append(row)
    for pk, rows in by_initiative.items():
        initiative, held = look.working[pk]
        terms = sorted({name for row in rows for name in (row.one_term, row.other_term)})
        found = phrase("{} on {}", count(len(rows), "open conflict"), listed(terms))
        same = {
            "on_behalf": look.standing_in_on.get(pk, ""),
            "since": min(clock.local_day(row.found_at) for row in rows),
            "matter": f"{HoldKind.DEFINITION_CONFLICT}:{pk}",
        }
        if Role.DATA_STEWARD in held:
            yield InboxTask(
                "decide",
                found,
                reverse("integration-definitions", args=[initiative.ref]),
                phrase("Reconcile"),
                phrase("{}. Only the data steward can resolve or accept these conflicts.", initiative.title),
                initiative.ref,
                **same,
            )
        elif not rows[0].steward:
            yield InboxTask(
                "see",
                phrase("{} has no data steward", initiative.title),
                f"{reverse('initiative-act', args=[initiative.ref, 'role-propose'])}?role={Role.DATA_STEWARD}",
                phrase("Propose a data steward"),
                phrase("{}. Only a data steward can resolve the conflicts.", found),
                initiative.ref,
                **same,
            )
