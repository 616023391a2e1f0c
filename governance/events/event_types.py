"""Types of events, and the entries of the audit log and reminders that they come from."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.vocabulary.entry_kinds import EntryKind

TEST = "test"
OBLIGATION_DUE = "obligation.due"


@dataclass(frozen=True)
class EventType:
    """One type: its words, the kinds of entries that it comes from, and whether a chat gets it by default."""

    words: str | Promise
    kinds: tuple[EntryKind, ...] = ()
    in_chat: bool = False


EVENT_TYPES: dict[str, EventType] = {
    "initiative.registered": EventType(_("initiative registered"), (EntryKind.REGISTERED,)),
    "review.opened": EventType(_("review opened"), (EntryKind.REVIEW_OPENED,), in_chat=True),
    "review.decided": EventType(
        _("review decided"),
        (
            EntryKind.REVIEW_APPROVED,
            EntryKind.REVIEW_APPROVED_WITH_CONDITIONS,
            EntryKind.REVIEW_REFUSED,
            EntryKind.REVIEW_RETURNED,
        ),
        in_chat=True,
    ),
    "review.closed": EventType(
        _("review withdrawn or expired"), (EntryKind.REVIEW_WITHDRAWN, EntryKind.REVIEW_EXPIRED)
    ),
    "sign_off.recorded": EventType(_("sign-off recorded"), (EntryKind.SIGNED_OFF,)),
    "sign_off.withdrawn": EventType(_("sign-off withdrawn"), (EntryKind.SIGN_OFF_WITHDRAWN,)),
    "stage.changed": EventType(_("stage changed"), (EntryKind.STAGE_CHANGED,), in_chat=True),
    "task.opened": EventType(
        _("task opened for a person"),
        (
            EntryKind.APPROVAL_ASKED,
            EntryKind.CONTRACT_PROPOSED,
            EntryKind.HANDOVER_PROPOSED,
            EntryKind.OBLIGATION_OPENED,
            EntryKind.RISK_ACCEPTANCE_REQUESTED,
            EntryKind.ROLE_PROPOSED,
            EntryKind.WAIVER_REQUESTED,
        ),
        in_chat=True,
    ),
    OBLIGATION_DUE: EventType(_("obligation or condition due soon, or overdue"), in_chat=True),
    "incident.opened": EventType(_("incident opened"), (EntryKind.INCIDENT_OPENED,), in_chat=True),
    "incident.closed": EventType(_("incident closed"), (EntryKind.INCIDENT_CLOSED,)),
    "contract.in_force": EventType(_("contract in force"), (EntryKind.CONTRACT_IN_FORCE,)),
    "initiative.on_hold": EventType(_("initiative on hold"), (EntryKind.HOLD_OPENED,), in_chat=True),
    "initiative.hold_lifted": EventType(_("hold lifted"), (EntryKind.HOLD_LIFTED,)),
    "systems.switched_off": EventType(
        _("systems of an initiative switched off"), (EntryKind.SWITCHED_OFF,), in_chat=True
    ),
    "systems.switched_on": EventType(
        _("systems of an initiative switched on again"), (EntryKind.SWITCHED_ON,)
    ),
    "rulebook.published": EventType(_("rulebook published"), (EntryKind.RULEBOOK_PUBLISHED,)),
}
TYPE_OF = {str(kind): name for name, one in EVENT_TYPES.items() for kind in one.kinds}
# Kinds of reminders, of which one for each person is written: together they are one event.
REMINDERS = ("condition", "condition overdue", "due", "overdue")
