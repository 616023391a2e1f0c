"""What waits on the desk of whoever looks after systems and service accounts that cases depend on."""

from datetime import timedelta

from django.urls import reverse

from governance.desk import Line
from initiatives.desk_look import Look
from initiatives.drawings import count

REVIEW_DAYS = 30  # before its day an account is on the desk


def lines(look: Look):
    """Cases that wait for the owner's word, one line a system; accounts that are to be looked at."""
    for system in look.systems:
        yield Line(
            "agree",
            f"{count(system.waiting, 'case')} would depend on {system.name}",
            f"{system.get_absolute_url()}#waiting",
            "Read and answer",
            "You look after it: say whether they may, link by link. Nobody can agree for you.",
        )
    for account in look.accounts:
        if account.review_by <= look.today + timedelta(days=REVIEW_DAYS):
            yield Line(
                "confirm",
                f"Service account {account.name} in {account.place}",
                reverse("account-review", args=[account.pk]),
                "Look at it",
                "Look at what it may do, and say so; overdue, each case that uses it is short of an identity.",
                due=account.review_by,
            )
