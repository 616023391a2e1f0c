"""After an initiative ended: the word of each system's owner that nothing flows to or from it any more.

That its links ended in the register shuts nothing: the feed stands in the other system, and its owner alone knows.
"""

from datetime import timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary import ObligationKind
from initiatives.integration.systems import permissions as system_permissions
from initiatives.lifecycle.holds.actions import complete_row, open_obligations
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, Link, Obligation

DAYS_TO_SHUT = 14  # as the rulebook's `retire.access_closed`


def open_shutdown_obligations(initiative: Initiative, links: list[Link]) -> None:
    """Inside the act that ends an initiative: open for each system that it was tied to the word that the feed is shut.

    Due from the system's owner; while it has none, by nobody by name, so that it reaches who leads the initiative.
    """
    systems = {link.system_id: link.system for link in links}
    due = clock.today() + timedelta(days=DAYS_TO_SHUT)
    open_obligations(
        initiative,
        [
            Obligation(
                kind=ObligationKind.FEED,
                source=f"system:{key}",
                text=f"Confirm that the feed between {system} and {initiative.ref} is shut"[:250],
                due=due,
                responsible=system.owner if system.owner is not None and system.owner.is_active else None,
            )
            for key, system in sorted(systems.items())
        ],
    )


def confirm_shut(*, obligation: Obligation, words: str, by: User) -> Obligation:
    """Say as the owner of the system that nothing flows any more, and how one knows; that completes the obligation.

    Raises ValidationError without words, Refused for others, Conflict once it was said.
    """
    if not words.strip():
        raise ValidationError({"reason": "Say how you know: what was switched off, where, and on which day."})
    with act("confirm feed shut", by=by, initiative=obligation.initiative_id, reason=words):
        row = Obligation.objects.select_related("initiative", "responsible").get(pk=obligation.pk)
        system_permissions.may_confirm_shut(row, by).or_refuse()
        if row.completed_at:
            raise Conflict(f"It was confirmed on {clock.local_day(row.completed_at):%-d %B %Y} already.")
        complete_row(row, by=by, note=words.strip())
    return row
