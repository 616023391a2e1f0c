"""Acts of admins on receivers of events: add, end, send a test, send an event again."""

import os
import secrets

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.events import deliveries, webhook_messages
from governance.events.event_types import EVENT_TYPES
from governance.files import safe_fetch
from governance.files.safe_fetch import NotFetched
from governance.models import AuditLogReader, Checkpoint, EventDelivery, EventReceiver, Unit, User
from governance.people.permissions import may_keep_accounts
from governance.permission_result import no
from governance.queue.task_base import after_commit
from governance.runtime import sealed_box
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

# Why an address is not taken, by the cause of NotFetched.
REFUSED = {
    "address": "The address is not valid. Copy the address again.",
    "scheme": "The address does not begin with https://. Enter an https address.",
    "password": "The address contains a user name or a password. Remove both.",
    "unknown": "The host of this address was not found. Check the address.",
    "port": (
        "The port of this address is not 443. Ask the operator to name host and port in PLUMBLINE_EVENT_HOSTS."
    ),
    "inside": (
        "The host has an address in the internal network or on this machine. Ask the operator to name the host in "
        "PLUMBLINE_EVENT_HOSTS."
    ),
}


def add_receiver(
    *,
    name: str,
    kind: str,
    owner: User,
    address: str,
    event_types: list[str],
    unit: Unit | None = None,
    initiative_ref: str = "",
    by: User,
) -> tuple[EventReceiver, str]:
    """Add a receiver, and return its row and its shared secret, which is shown once ("" without one).

    It gets the events from now on. Raises Refused, ValidationError.
    """
    with acting(by=by, reason="Event receiver added"):
        may_keep_accounts(by).or_refuse()
        name = name.strip()
        host = _checked(name, owner, address, event_types, unit, initiative_ref)
        key = os.urandom(webhook_messages.SECRET_BYTES)
        row = EventReceiver(
            name=name,
            kind=kind,
            owner=owner,
            host=host,
            event_types=sorted(event_types),
            unit=unit,
            initiative_ref=initiative_ref,
            made_at=clock.now(),
            made_by=by,
        )
        box = sealed_box.derived_key(deliveries.KEY)
        row.address_box = sealed_box.closed(address.encode(), box, f"address {name}")
        if not row.is_chat:
            row.key_box = sealed_box.closed(key, box, f"key {name}")
        if kind == row.Kind.ED25519:
            row.public_key = webhook_messages.public_words(key)
        row.full_clean(exclude=["address_box", "key_box"])
        row.save()
        size = Checkpoint.objects.order_by("-pk").values_list("size", flat=True).first() or 0
        entry = entries.record(
            EntryKind.EVENT_RECEIVER_ADDED,
            receiver=name,
            receiver_kind=kind,
            host=host,
            owner=owner.full_name,
            event_types=row.event_types,
            unit=unit.name if unit else None,
            of=initiative_ref or None,
            public_key=row.public_key or None,
        )
        AuditLogReader.objects.create(
            name=f"receiver {row.pk}", receiver=row, position=size, after_entry=entry.pk
        )
    return row, webhook_messages.secret_words(key) if kind == row.Kind.HMAC else ""


def _checked(
    name: str, owner: User, address: str, event_types: list[str], unit: Unit | None, ref: str
) -> str:
    """Return the host of the address. Raises ValidationError for a field that cannot be taken."""
    if not name:
        raise ValidationError({"name": "Name the receiver, for example Ticket system."})
    if deliveries.active().filter(name__iexact=name).exists():
        raise ValidationError({"name": "Another receiver has this name. Choose another name."})
    if not owner.is_active:
        raise ValidationError(
            {"owner": phrase("The account of {} is not active. Choose someone else.", owner)}
        )
    if not event_types or set(event_types) - set(EVENT_TYPES):
        raise ValidationError({"event_types": "Choose at least one of the types in the list."})
    if unit and ref:
        raise ValidationError({"initiative_ref": "Choose a unit or an initiative, not both."})
    if ref and ref not in webhook_messages.subjects({ref}):
        raise ValidationError(
            {
                "initiative_ref": phrase(
                    "{} is not an initiative. Enter a reference such as AI-0042.", ref[:20]
                )
            }
        )
    try:
        return safe_fetch.check(address, deliveries.rules())
    except NotFetched as why:
        raise ValidationError({"address": REFUSED.get(why.cause, str(why))}) from None


def end_receiver(*, receiver: EventReceiver, reason: str, by: User) -> EventReceiver:
    """End a receiver. Events that wait for the receiver are not sent. Raises Refused, ValidationError."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. The reason is kept with the receiver."})
    with acting(by=by, reason=reason):
        may_keep_accounts(by).or_refuse()
        row = _open(receiver)
        deliveries.end(row, reason.strip(), by)
    return row


def send_test(*, receiver: EventReceiver, by: User) -> EventDelivery:
    """Send a test event to a receiver soon. Raises Refused."""
    with acting(by=by, reason="Test event sent"):
        may_keep_accounts(by).or_refuse()
        row = deliveries.test_row(_open(receiver), f"msg_{secrets.token_hex(16)}")
        row.save()
        entries.record(EntryKind.EVENT_SENT_AGAIN, receiver=receiver.name, message=row.message_id, test=True)
        after_commit("governance.tasks.send_events")
    return row


def send_again(*, delivery: EventDelivery, by: User) -> EventDelivery:
    """Send an event again now, with the same id and a new series of attempts. Raises Refused."""
    with acting(by=by, reason="Event sent again"):
        may_keep_accounts(by).or_refuse()
        _open(delivery.receiver)
        row = EventDelivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
        if row.claimed_at is not None and row.claimed_at > clock.now() - deliveries.CLAIM:
            no("A worker sends this event now.", "Open the page again in a minute.").or_refuse()
        row.sent_at = row.given_up_at = row.claimed_at = None
        row.attempts, row.made_at, row.next_at = 0, clock.now(), clock.now()
        row.save()
        entries.record(EntryKind.EVENT_SENT_AGAIN, receiver=delivery.receiver.name, message=row.message_id)
        after_commit("governance.tasks.send_events")
    return row


def _open(receiver: EventReceiver) -> EventReceiver:
    row = EventReceiver.objects.select_for_update(of=("self",)).get(pk=receiver.pk)
    if row.ended_at is not None:
        no(phrase("The receiver {} was ended.", row.name), "Add a new receiver.").or_refuse()
    return row
