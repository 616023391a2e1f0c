"""What came of decisions, as the systems that asked report it: read strictly, kept at most once, never changed.

A decision is named by an id that its answer carried. The id proves itself, by a code under the secret key of the
installation: a report may come before the log has brought its decision into the database, and nobody finds out by
trying which decisions other initiatives got.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from governance import clock
from governance.authorization.authzen import LONGEST_NAME, BadRequest
from governance.database.row_history import acting
from governance.models import KeyHeartbeat, OutcomeReport
from governance.vocabulary import OutcomeKind
from governance.vocabulary.readable_text import storable, storable_name

LONGEST_NOTE = 300
SKEW = timedelta(minutes=5)  # by which the clock of a system may be off
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # what is said to be older has a wrong clock
SYSTEM = "decision API"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT, _DIGEST, _MAC = 8, 32, 16  # bytes of an id


class UnknownDecision(Exception):
    """No decision of this initiative has that id."""


class Contradiction(Exception):
    """What is reported does not fit the decision, or what was reported of it before; its text says which."""


# --- How a decision is named ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """A decision of an initiative by its place in the log: when it was made, its digest, and whether it allowed the
    call.
    """

    at: datetime
    digest: bytes
    allowed: bool


def issued(initiative: int, named: Named) -> str:
    """The id of a decision on the initiative with this number, as answers carry it: 75 letters that fit an address."""
    place = ((named.at - _EPOCH) // timedelta(microseconds=1)).to_bytes(_MOMENT, "big") + named.digest
    return urlsafe_b64encode(place + _mac(initiative, place, named.allowed)).rstrip(b"=").decode()


def decision_of(initiative: int, text: str) -> Named:
    """The decision with this id, where it is one on the initiative with this number. Raises UnknownDecision."""
    try:
        found = urlsafe_b64decode(text.encode("ascii") + b"=")
    except ValueError:
        raise UnknownDecision from None
    place, mac = found[: _MOMENT + _DIGEST], found[_MOMENT + _DIGEST :]
    for allowed in (True, False):
        if hmac.compare_digest(mac, _mac(initiative, place, allowed)):
            micros = int.from_bytes(place[:_MOMENT], "big")
            return Named(_EPOCH + timedelta(microseconds=micros), place[_MOMENT:], allowed)
    raise UnknownDecision


def _mac(initiative: int, place: bytes, allowed: bool) -> bytes:
    said = b"%d %d " % (initiative, allowed) + place
    return hmac.digest(_key_of(settings.SECRET_KEY), said, "sha256")[:_MAC]


@cache
def _key_of(secret: str) -> bytes:
    """A key for this purpose alone."""
    return hashlib.sha256(f"plumbline decision id {secret}".encode()).digest()


# --- What is sent -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """One report as it came. `decision` is empty where nobody was asked; `action` then says what was done."""

    kind: str
    decision: str = ""
    action: str = ""
    at: datetime | None = None
    note: str = ""


def read(body: dict[str, Any]) -> Sent | None:
    """The report in a request; None for a heartbeat. Raises BadRequest with how to write it."""
    if body.get("heartbeat") is not None:
        if body["heartbeat"] is not True or body.keys() - {"heartbeat"}:
            raise BadRequest('A heartbeat is {"heartbeat": true} and nothing else.')
        return None
    kind, unasked = body.get("outcome"), body.get("unasked", False)
    if kind not in OutcomeKind.values:
        raise BadRequest(f"outcome is one of {', '.join(OutcomeKind.values)}.")
    if not isinstance(unasked, bool):
        raise BadRequest("unasked is true or false.")
    sent = Sent(
        kind,
        decision=_text(body, "decision", LONGEST_NAME),
        action=_text(body, "action", LONGEST_NAME),
        at=_moment(body.get("at")),
        note=_text(body, "note", LONGEST_NOTE),
    )
    if unasked:
        if kind != OutcomeKind.DONE or sent.decision:
            raise BadRequest("What nobody asked about is reported as done, without a decision.")
        if not sent.action or sent.at is None:
            raise BadRequest("Say with unasked what was done (action) and when (at).")
    elif not sent.decision or sent.action:
        raise BadRequest(
            "Name the decision by the context.id of its answer; action is said with unasked only, where there is none."
        )
    return sent


def _text(body: dict[str, Any], name: str, longest: int) -> str:
    said = body.get(name)
    if said is None:
        return ""
    if not isinstance(said, str):
        raise BadRequest(f"{name} is a text.")
    if len(said) > longest:
        raise BadRequest(f"{name} is longer than {longest} characters.")
    # Reports of what happened are kept: two actions stay two, since a report is found again by its action.
    return storable_name(said.strip(), longest) if name == "action" else storable(said.strip())


def _moment(said: object) -> datetime | None:
    """When it happened, by the system's own clock. Raises BadRequest."""
    if said is None:
        return None
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else None
        found = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        found = None
    if found is None or found < EARLIEST:
        raise BadRequest("at is a moment with its zone, such as 2026-11-22T09:30:00Z.")
    if found > clock.now() + SKEW:
        raise BadRequest("at lies in the future: report what has happened, or set the clock of the system.")
    return found


# --- What is kept -----------------------------------------------------------------------------------------------------


def keep(sent: Sent, *, initiative: int, key: int) -> OutcomeReport:
    """Keep a report of a key of the initiative (its number); the same one sent again is the row that is there.

    Raises UnknownDecision, and Contradiction where it does not fit the decision or what was reported before.
    """
    row = OutcomeReport(
        initiative_number=initiative,
        key_id=key,
        kind=sent.kind,
        action=sent.action,
        at=sent.at,
        note=sent.note,
    )
    if sent.decision:
        decided = decision_of(initiative, sent.decision)
        if not decided.allowed:
            raise Contradiction("That decision allowed nothing, so nothing can have come of it.")
        if sent.at is not None and sent.at < decided.at - SKEW:
            raise Contradiction(
                "That is before it was allowed. Where it was done without asking, report it with unasked."
            )
        row.decision, row.decided_at = decided.digest, decided.at
    if (before := _same(row)) is not None:
        return before
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # another was first
        before = _same(row)
        if before is None:
            raise
        return before
    return row


def _same(row: OutcomeReport) -> OutcomeReport | None:
    """The row that says the same already; None where there is none. Raises Contradiction where one says otherwise."""
    if row.decision is None:
        told = OutcomeReport.objects.filter(
            key_id=row.key_id, action=row.action, at=row.at, decision__isnull=True
        ).first()
        return told if told is None else _repeated(told, row)
    kept = {told.kind: told for told in OutcomeReport.objects.filter(decision=row.decision)}
    if row.kind in kept:
        return _repeated(kept[row.kind], row)
    if row.kind == OutcomeKind.UNDONE:
        done = kept.get(OutcomeKind.DONE)
        if done is None:
            raise Contradiction("Only what was reported as done can be undone; report that first.")
        if row.at is not None and done.at is not None and row.at < done.at:
            raise Contradiction("It was undone before it was done, by what is reported.")
    elif kept:
        raise Contradiction(
            f"It was reported as {min(kept)} already. Each decision is for one try: ask anew before another."
        )
    return None


def _repeated(told: OutcomeReport, again: OutcomeReport) -> OutcomeReport:
    """What was told, where it is told again: a repeat may leave out what it said, and say nothing else."""
    if (again.at is not None and again.at != told.at) or (again.note and again.note != told.note):
        raise Contradiction(
            f"It was reported as {told.kind} already, with another time or note; that one stands."
        )
    return told


def beat(*, key: int) -> None:
    """Keep that the system of this key runs and asks here: once for each day, however often it is told."""
    now = clock.now()
    today = clock.local_day(now)
    if KeyHeartbeat.objects.filter(key_id=key, day=today).exists():
        return
    try:
        with acting(system=SYSTEM):
            KeyHeartbeat(key_id=key, day=today, at=now).save()
    except IntegrityError:  # another was first
        return
