"""Confirmations by owners of systems that feeds of ended initiatives are shut.

Ending a link in the register does not shut the feed in the other system, which only its owner knows.
"""

from datetime import timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary import ObligationKind
from governance.vocabulary.phrases import phrase
from initiatives.integration.systems import permissions as system_permissions
from initiatives.lifecycle.holds.actions import complete_row, open_obligations
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, Link, Obligation

DAYS_TO_SHUT = 14  # as the rulebook's `retire.access_closed`


def open_shutdown_obligations(initiative: Initiative, links: list[Link]) -> None:
    """Open, for each linked system, the obligation to confirm that its feed is shut.

    Runs inside the act that ends the initiative. Due from the system's owner. Without one, no one is named, and the
    obligation reaches who leads the initiative.
    """
    systems = {link.system_id: link.system for link in links}
    due = clock.today() + timedelta(days=DAYS_TO_SHUT)
    open_obligations(
        initiative,
        [
            Obligation(
                kind=ObligationKind.FEED,
                source=f"system:{key}",
                text=f"Confirm that the feed between {system} and {initiative.ref} is switched off"[:250],
                due=due,
                responsible=system.owner if system.owner is not None and system.owner.is_active else None,
            )
            for key, system in sorted(systems.items())
        ],
    )


def confirm_shut(*, obligation: Obligation, words: str, by: User) -> Obligation:
    """Confirm as owner of the system that nothing flows, and how the owner knows.

    Completes the obligation. Raises ValidationError without words, Refused for others, Conflict if confirmed already.
    """
    if not words.strip():
        raise ValidationError(
            {"reason": "Describe how you know: what was switched off, where, and on which day."}
        )
    with act("confirm feed shut", by=by, initiative=obligation.initiative_id, reason=words):
        row = Obligation.objects.select_related("initiative", "responsible").get(pk=obligation.pk)
        system_permissions.may_confirm_shut(row, by).or_refuse()
        if row.completed_at:
            raise Conflict(
                phrase("The shutdown was already confirmed on {}.", clock.local_day(row.completed_at))
            )
        complete_row(row, by=by, note=words.strip())
    return row
