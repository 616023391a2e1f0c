"""What waits in the inbox of whoever records what runs: components that near their end of life."""

from typing import TYPE_CHECKING

from governance.notifications.inbox import InboxTask
from initiatives.integration.components.findings import endings
from initiatives.integration.components.remedies import replacing

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look"):
    """Components of the person's initiatives that are asked about: from 90 days before their end of life on."""
    for one in endings(look.rows("ending_components")):
        if one.opens > look.today or one.counts_from is None:
            continue
        initiative = look.working[one.use.initiative_id][0]
        yield InboxTask(
            "answer",
            f"What replaces {one.version} in {initiative.title}?",
            replacing(initiative, one.use),
            "Record what replaces it",
            f"{'Its end of life is near.' if one.day > look.today else 'It reached its end of life.'} {one.fix}",
            initiative.ref,
            one.day,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
        )
