"""Deliveries: each event once to each receiver, in the order of each initiative.

The audit log is the outbox: an entry is written in the transaction of its act, and sealing gives it its place. `spread`
reads the places that follow the last one and makes a row for each receiver that wants the event. So no event is sent
without its entry, and no entry is left out, however late its transaction ended. Reminders of obligations have no entry,
and are found by what has no row yet.

A row is claimed by one worker and marked afterwards. A worker that dies between the answer and the mark leaves a claim
that runs out, and the event is sent again with the same id. The id comes from the digest of the entry, so it is the
same for each receiver and after a restored backup.
"""

import hashlib
import hmac
import random
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.events import webhook_messages
from governance.events.event_types import EVENT_TYPES, OBLIGATION_DUE, REMINDERS, TEST, TYPE_OF
from governance.files import safe_fetch
from governance.files.safe_fetch import NotFetched, Posted, Rules
from governance.models import AuditLogReader, Checkpoint, EventDelivery, EventReceiver, Notification, User
from governance.queue.task_base import named
from governance.runtime import sealed_box
from governance.vocabulary.entry_kinds import EntryKind

log = structlog.get_logger("plumbline.events")

SECONDS = 15.0  # for one attempt, from the look-up of the name to the answer
LONGEST_ANSWER = 500  # bytes that are kept of an answer
CLAIM = timedelta(minutes=5)  # a worker that died over an event holds it no longer than this
# Rests after the first attempt, the second, and so on; each is up to a fifth longer.
RESTS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 840, 1200, 1440))
JITTER = 0.2
LONGEST_REST = timedelta(days=1)  # that a Retry-After is taken for
LIFETIME = timedelta(days=5)  # of an event that waited for earlier ones of its initiative
KEPT = timedelta(days=90)  # for the page of deliveries
LATELY = timedelta(days=2)  # in which reminders without a delivery are looked for
FAILS_LONG = timedelta(days=1)  # after which admins are told
GONE = 410
BATCH = 20_000  # places of the audit log read at once
RUN = 150.0  # seconds for one receiver in one task
AWAY = 3  # failures in a row after which a run leaves the receiver alone
KEY = "governance.events.receivers"


# --- From the audit log to rows -------------------------------------------------------------------------------------


def after_sealing(checkpoint: Checkpoint) -> None:
    """Have new entries sent at once. Only for installations with a receiver."""
    if not clock.simulating() and active().exists():
        named("governance.tasks.send_events").delay()


def active() -> QuerySet[EventReceiver]:
    """Return the receivers that were not ended."""
    return EventReceiver.objects.filter(ended_at__isnull=True)


def spread() -> int:
    """Make a row for each new event and each receiver that wants it. Return the number of rows."""
    made = 0
    size = Checkpoint.objects.order_by("-pk").values_list("size", flat=True).first() or 0
    for receiver in active().select_related("unit"):
        while True:
            with transaction.atomic():
                reader = _locked_reader(receiver)
                if reader is None:
                    break
                end = min(size, reader.position + BATCH)
                fresh = [*_of_entries(receiver, reader, end), *_of_reminders(receiver)]
                made += len(EventDelivery.objects.bulk_create(fresh, ignore_conflicts=True))
                if end > reader.position:
                    AuditLogReader.objects.filter(pk=reader.pk).update(position=end)
            if end >= size:
                break
    return made


def _locked_reader(receiver: EventReceiver) -> AuditLogReader | None:
    """Return the locked row of a receiver, or None if another worker has it or the receiver ended meanwhile."""
    rows = AuditLogReader.objects.select_for_update(skip_locked=True, of=("self",))
    return rows.filter(receiver=receiver, receiver__ended_at__isnull=True).first()


def _of_entries(receiver: EventReceiver, reader: AuditLogReader, end: int) -> list[EventDelivery]:
    kinds = [str(kind) for name in receiver.event_types for kind in EVENT_TYPES[name].kinds]
    if not kinds or end <= reader.position:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, e.kind, e.initiative_ref, e.at, e.digest FROM governance_leaf AS l"
            " JOIN governance_entry AS e ON e.id = l.entry_id"
            " WHERE l.position >= %s AND l.position < %s AND e.\"table\" = '' AND NOT e.simulated"
            " AND e.kind = ANY(%s) AND e.id > %s ORDER BY l.position",
            [reader.position, end, kinds, reader.after_entry],
        )
        found = cursor.fetchall()
    wanted = _wanted(receiver, {ref for _, _, ref, _, _ in found})
    return [
        _row(
            receiver,
            message_id=f"msg_{bytes(digest).hex()[:32]}",
            event_type=TYPE_OF[kind],
            entry_id=key,
            initiative_ref=ref,
            act=kind,
            happened_at=at,
        )
        for key, kind, ref, at, digest in found
        if ref in wanted
    ]


def _of_reminders(receiver: EventReceiver) -> list[EventDelivery]:
    if OBLIGATION_DUE not in receiver.event_types:
        return []
    since = max(receiver.made_at, clock.now() - LATELY)
    rows = Notification.objects.filter(kind__in=REMINDERS, created_at__gte=since)
    found = (
        rows.order_by()
        .values_list("kind", "object_key", "period", "initiative_ref", "due_on")
        .annotate(at=Min("created_at"))
    )
    ids = {_reminder_id(*one[:3]): one for one in found}
    known = set(
        EventDelivery.objects.filter(receiver=receiver, message_id__in=ids).values_list(
            "message_id", flat=True
        )
    )
    wanted = _wanted(receiver, {one[3] for key, one in ids.items() if key not in known})
    return [
        _row(
            receiver,
            message_id=key,
            event_type=OBLIGATION_DUE,
            initiative_ref=ref,
            act=kind,
            due_on=due_on,
            happened_at=at,
        )
        for key, (kind, _, _, ref, due_on, at) in sorted(ids.items(), key=lambda one: one[1][-1])
        if key not in known and ref in wanted
    ]


def _reminder_id(*identity: str) -> str:
    key = sealed_box.derived_key("governance.events.reminders")
    return f"msg_{hmac.new(key, chr(0).join(identity).encode(), hashlib.sha256).hexdigest()[:32]}"


def _wanted(receiver: EventReceiver, refs: set[str]) -> set[str]:
    """Return those of these references ("" for no initiative) whose events the receiver gets."""
    if receiver.initiative_ref:
        return refs & {receiver.initiative_ref}
    if receiver.unit is None:
        return refs
    about = webhook_messages.subjects(refs)
    return {ref for ref in refs if ref in about and about[ref].unit_path.startswith(receiver.unit.path)}


def _row(receiver: EventReceiver, **values: Any) -> EventDelivery:
    now = clock.now()
    return EventDelivery(receiver=receiver, made_at=now, next_at=now, **values)


def test_row(receiver: EventReceiver, message_id: str) -> EventDelivery:
    """Return the row of a test event, which comes from no entry."""
    return _row(receiver, message_id=message_id, event_type=TEST, act="test", happened_at=clock.now())


# --- From rows to receivers -----------------------------------------------------------------------------------------


def waiting() -> QuerySet[EventDelivery]:
    """Return the events that were neither delivered nor given up."""
    return EventDelivery.objects.filter(sent_at__isnull=True, given_up_at__isnull=True)


def due() -> QuerySet[EventDelivery]:
    """Return the events to send now: of each receiver and initiative at most the earliest that waits."""
    now = clock.now()
    earlier = waiting().filter(
        receiver=OuterRef("receiver"), initiative_ref=OuterRef("initiative_ref"), pk__lt=OuterRef("pk")
    )
    return (
        waiting()
        .filter(Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - CLAIM))
        .filter(next_at__lte=now, receiver__ended_at__isnull=True)
        .filter(~Exists(earlier))
    )


def receivers_due() -> list[int]:
    """Return the keys of receivers that have an event to send now."""
    return list(due().order_by("receiver_id").values_list("receiver_id", flat=True).distinct())


def send_to(receiver_key: int) -> int:
    """Send what is due to one receiver, and return the number of delivered events.

    The run ends after some time, or after a few failures in a row: the receiver is away.
    """
    until, failures, sent = time.monotonic() + RUN, 0, 0
    while failures < AWAY and time.monotonic() < until:
        row = _claim(receiver_key)
        if row is None:
            break
        if attempt(row):
            failures, sent = 0, sent + 1
        else:
            failures += 1
    return sent


def _claim(receiver_key: int) -> EventDelivery | None:
    with transaction.atomic():
        row = (
            due()
            .filter(receiver=receiver_key)
            .select_related("receiver")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("pk")
            .first()
        )
        if row is not None:
            row.attempts += 1
            EventDelivery.objects.filter(pk=row.pk).update(claimed_at=clock.now(), attempts=row.attempts)
    return row


def attempt(row: EventDelivery) -> bool:
    """Send a claimed event, and mark the result. Return True if the receiver took it."""
    receiver = row.receiver
    try:
        answer = _post(row, receiver)
    except NotFetched as trouble:
        _failed(row, None, _WHY.get(trouble.cause, str(trouble)))
        return False
    except ValueError:  # of the sealed box
        _failed(
            row,
            None,
            "The address cannot be decrypted. PLUMBLINE_SECRET_KEY was changed. Add the receiver again.",
        )
        return False
    if 200 <= answer.status < 300:
        EventDelivery.objects.filter(pk=row.pk).update(
            sent_at=clock.now(), claimed_at=None, last_error="", **_told(answer)
        )
        AuditLogReader.objects.filter(receiver=receiver).exclude(failing_since=None).update(
            failing_since=None, last_error=""
        )
        return True
    _failed(row, answer, _answered(answer))
    if answer.status == GONE:
        end_by_answer(receiver)
    return False


def _post(row: EventDelivery, receiver: EventReceiver) -> Posted:
    key = sealed_box.derived_key(KEY)
    address = sealed_box.opened(bytes(receiver.address_box), key, f"address {receiver.name}").decode()
    secret = (
        sealed_box.opened(bytes(receiver.key_box), key, f"key {receiver.name}") if receiver.key_box else b""
    )
    subject = webhook_messages.subjects({row.initiative_ref}).get(row.initiative_ref)
    body = webhook_messages.body_of(row, receiver.kind, subject)
    headers = webhook_messages.headers_of(row, receiver, secret, body, clock.now())
    return safe_fetch.post(address, body, headers, rules(), seconds=SECONDS, longest=LONGEST_ANSWER)


def rules() -> Rules:
    """Return which addresses receivers may have."""
    return Rules(inside=frozenset(settings.EVENT_HOSTS))


_WHY = {
    "inside": "The host has an address in the internal network or on this machine. Name it in PLUMBLINE_EVENT_HOSTS.",
    "port": "The port is not 443. Name host and port in PLUMBLINE_EVENT_HOSTS.",
    "unknown": "The name of the host was not found.",
    "slow": f"No answer within {SECONDS:.0f} seconds.",
    "certificate": "The certificate of the host is not valid.",
    "silent": "The host does not answer.",
}


def _answered(answer: Posted) -> str:
    if 300 <= answer.status < 400:
        return f"Status {answer.status}: a redirect, which is not followed. Add a receiver with the final address."
    return f"Status {answer.status}."


def _told(answer: Posted) -> dict[str, Any]:
    """Return the columns of an answer. Characters that cannot be shown or stored are replaced."""
    text = answer.content.decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return {"status": answer.status, "answer": shown[:LONGEST_ANSWER].strip()}


def _failed(row: EventDelivery, answer: Posted | None, why: str) -> None:
    now = clock.now()
    marks: dict[str, Any] = {"claimed_at": None, "last_error": why[:300], "status": None, "answer": ""}
    if answer is not None:
        marks |= _told(answer)
    if row.attempts > len(RESTS) or now - row.made_at > LIFETIME:
        marks["given_up_at"] = now
    else:
        marks["next_at"] = now + _rest(row.attempts, answer, now)
    EventDelivery.objects.filter(pk=row.pk).update(**marks)
    readers = AuditLogReader.objects.filter(receiver=row.receiver)
    readers.filter(failing_since=None).update(failing_since=now)
    readers.update(last_error=why)
    log.warning(
        "event not delivered",
        receiver=row.receiver_id,
        message=row.message_id,
        attempts=row.attempts,
        status=answer.status if answer else None,
    )


def _rest(attempts: int, answer: Posted | None, now: datetime) -> timedelta:
    """Return the rest until the next attempt: at least the planned one, and what the receiver asks for up to a day."""
    planned = RESTS[attempts - 1] * (1 + random.random() * JITTER)
    return max(planned, min(_asked_rest(answer.retry_after if answer else "", now), LONGEST_REST))


def _asked_rest(text: str, now: datetime) -> timedelta:
    """Return the rest of a Retry-After header in seconds or as a date, or none."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), 10**6))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta())
    except (ValueError, TypeError, OverflowError):
        return timedelta()


def end_by_answer(receiver: EventReceiver) -> None:
    """End a receiver that answered 410: it wants no more events."""
    why = "The receiver answered 410 Gone"
    with acting(system="events", reason=why):
        row = EventReceiver.objects.select_for_update(of=("self",)).get(pk=receiver.pk)
        if row.ended_at is None:
            end(row, why, None)


def end(row: EventReceiver, why: str, by: User | None) -> None:
    """End a locked receiver inside an act, and give up what waits for it."""
    row.ended_at, row.ended_by, row.ended_reason = clock.now(), by, why
    row.save()
    waiting().filter(receiver=row).update(given_up_at=row.ended_at, last_error="The receiver was ended.")
    AuditLogReader.objects.filter(receiver=row).update(failing_since=None, last_error="")
    entries.record(EntryKind.EVENT_RECEIVER_ENDED, receiver=row.name, host=row.host, why=why)


def forget() -> None:
    """Remove the rows of events that ended long ago."""
    before = clock.now() - KEPT
    EventDelivery.objects.filter(Q(sent_at__lt=before) | Q(given_up_at__lt=before)).delete()


# --- What can be asked of it ----------------------------------------------------------------------------------------


def failing() -> Iterable[AuditLogReader]:
    """Return the readers, of receivers and of syslog, whose sending has failed for longer than a day."""
    return (
        AuditLogReader.objects.filter(failing_since__lt=clock.now() - FAILS_LONG)
        .select_related("receiver")
        .order_by(F("failing_since"))
    )
