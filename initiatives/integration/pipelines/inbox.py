"""Inbox tasks about pipelines: declare what one must show, and confirm it."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import phrase

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def to_declare(look: "Look"):
    """Yield, for owner and technical lead, pipelines for which nobody declared what they must show."""
    for row in look.rows("without_bar"):
        initiative = look.working[row.initiative_id][0]
        yield InboxTask(
            "answer",
            phrase("What must the pipeline {} show?", row.name),
            reverse("row-act", args=["pipelines", row.pk, "declare-bar"]),
            phrase("Declare it"),
            phrase("Name the tests that must run and the threshold. Results are documented before that."),
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
            since=clock.local_day(row.at),
            matter=f"pipeline:{row.pk}",
        )


def to_confirm(look: "Look"):
    """Yield pipelines, and what they must show, for the seats that confirm it."""
    for row in look.rows("pipelines"):
        initiative = row.initiative
        if look.rulebook is None or initiative.pk in look.team_initiatives:
            continue
        rulebook, seats = look.rulebook.at_tier(initiative.tier), set(look.seats_on(initiative))
        asked = [
            (one["pk"], "bars", one["requirement"], datetime.fromisoformat(one["at"]))
            for one in row.to_confirm
            if seats & set(rulebook.seats_asking(one["requirement"]))
        ]
        if rulebook.pipeline_seat in seats and (
            row.confirmed_until is None or row.confirmed_until <= clock.now()
        ):
            asked.append((row.pk, "pipelines", "", row.at))
        for pk, rows, requirement, at in asked:
            yield InboxTask(
                "confirm",
                phrase("Bar of the pipeline {} for {}", row.name, requirement)
                if requirement
                else phrase("Platform and issuer of the pipeline {}", row.name),
                reverse("row-act", args=[rows, pk, "confirm"]),
                phrase("Read and confirm"),
                phrase(
                    "{}: results of the pipeline are documented until a seat confirms it.", initiative.title
                ),
                initiative.ref,
                since=clock.local_day(at),
                matter=f"pipeline:{row.pk}",
            )
