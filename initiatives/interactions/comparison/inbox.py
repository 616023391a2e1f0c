"""Tasks of who records what runs: what the logs of their initiatives show that nobody permitted, declared or
announced.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.urls import reverse

from governance.notifications.inbox import InboxTask
from governance.vocabulary import LogFindingKind

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

_TEXTS: dict[str, str] = {
    LogFindingKind.NEVER_ASKED: "Acts that nobody asked about: {title}",
    LogFindingKind.AFTER_DENIAL: "Acts after a denial: {title}",
    LogFindingKind.OTHER_MODEL: "A model that nobody declared: {title}",
    LogFindingKind.SILENT: "The interaction log is silent: {title}",
    "subjects": "More people than the scope declares: {title}",
    "promise": "What was promised of calls is not kept: {title}",
}


def tasks(look: "Look") -> Iterator[InboxTask]:
    """One task a finding, whatever it stands against, until it is fixed."""
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
            "See what the log shows",
            f"{row.words} {row.fix}",
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
        )
