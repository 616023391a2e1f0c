"""Inbox tasks on findings of the logs, for those who record what runs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary import LogFindingKind
from governance.vocabulary.phrases import phrase

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

_TEXTS: dict[str, str] = {
    LogFindingKind.NEVER_ASKED: phrase("Acts without a request for a decision: {title}"),
    LogFindingKind.AFTER_DENIAL: phrase("Acts after a denial: {title}"),
    LogFindingKind.OTHER_MODEL: phrase("A model that is not declared: {title}"),
    LogFindingKind.SILENT: phrase("The interaction log has no new entries: {title}"),
    "subjects": phrase("More people than the scope declares: {title}"),
    "promise": phrase("A performance promise is not kept: {title}"),
}


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield one task for each finding until it is fixed, not one for each requirement."""
    told: set[tuple[int, str]] = set()
    for row in look.rows("log_findings"):
        if (row.initiative_id, row.source) in told:
            continue
        told.add((row.initiative_id, row.source))
        kind = row.source.split(":")[1]
        initiative = look.working[row.initiative_id][0]
        yield InboxTask(
            "see",
            _TEXTS[kind].format(title=initiative.title),
            reverse("interactions", args=[initiative.ref])
            + (f"?found={kind}" if kind in LogFindingKind else "#figures"),
            phrase("Open the interaction log"),
            phrase("{} {}", row.words, row.fix),
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
            since=clock.local_day(row.since),
        )
