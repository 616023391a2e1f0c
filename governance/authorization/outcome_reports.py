"""Outcomes of decisions as systems report them: kept once and never changed.

Reports are read strictly. An answer carries the id of its decision, with a code under the installation's secret key.
So a report may arrive before its decision is in the database, and no one can find other initiatives' decisions by
trying.
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
from governance.vocabulary.phrases import in_the_future
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
    """The report contradicts the decision or an earlier report. The text names which."""


# --- How a decision is named ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """A decision by its place in the log: its time, its digest, and whether it allows."""

    at: datetime
    digest: bytes
    allowed: bool


def issued(initiative: int, named: Named) -> str:
    """Return the id of an initiative's decision: 75 letters that fit an address."""
    place = ((named.at - _EPOCH) // timedelta(microseconds=1)).to_bytes(_MOMENT, "big") + named.digest
    return urlsafe_b64encode(place + _mac(initiative, place, named.allowed)).rstrip(b"=").decode()


def decision_of(initiative: int, text: str) -> Named:
    """Return the decision with this id on this initiative. Raises UnknownDecision."""
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
    """Return a key for this purpose alone."""
    return hashlib.sha256(f"plumbline decision id {secret}".encode()).digest()


# --- What is sent -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """One report as received. Without a request, `decision` is "" and `action` is set."""

    kind: str
    decision: str = ""
    action: str = ""
    at: datetime | None = None
    note: str = ""


def read(body: dict[str, Any]) -> Sent | None:
    """Return the report in a request, or None for a heartbeat. Raises BadRequest."""
    if body.get("heartbeat") is not None:
        if body["heartbeat"] is not True or body.keys() - {"heartbeat"}:
            raise BadRequest('A heartbeat must be {"heartbeat": true}, without other fields.')
        return None
    kind, unasked = body.get("outcome"), body.get("unasked", False)
    if kind not in OutcomeKind.values:
        raise BadRequest(f"The field “outcome” must be one of {', '.join(OutcomeKind.values)}.")
    if not isinstance(unasked, bool):
        raise BadRequest("The field “unasked” must be true or false.")
    sent = Sent(
        kind,
        decision=_text(body, "decision", LONGEST_NAME),
        action=_text(body, "action", LONGEST_NAME),
        at=_moment(body.get("at")),
        note=_text(body, "note", LONGEST_NOTE),
    )
    if unasked:
        if kind != OutcomeKind.DONE or sent.decision:
            raise BadRequest(
                "A report with the field “unasked” must have the outcome “done” and no decision. Remove "
                "the field “decision”, or set the outcome to “done”."
            )
        if not sent.action or sent.at is None:
            raise BadRequest(
                "A report with the field “unasked” needs the fields “action” (what was done) and “at” (when)."
            )
    elif not sent.decision or sent.action:
        raise BadRequest(
            "The field “decision” is missing, or the field “action” is set without the field “unasked”. "
            "Set the field “decision” to the context.id of the answer. Set the field “action” only "
            "together with “unasked”."
        )
    return sent


def _text(body: dict[str, Any], name: str, longest: int) -> str:
    said = body.get(name)
    if said is None:
        return ""
    if not isinstance(said, str):
        raise BadRequest(f"{name} must be a text.")
    if len(said) > longest:
        raise BadRequest(f"{name} is longer than {longest} characters.")
    # Two actions must keep different names, because a report is found again by its action.
    return storable_name(said.strip(), longest) if name == "action" else storable(said.strip())


def _moment(said: object) -> datetime | None:
    """Return when it happened by the system's own clock. Raises BadRequest."""
    if said is None:
        return None
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else None
        found = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        found = None
    if found is None or found < EARLIEST:
        raise BadRequest("The field “at” must be a time with a time zone, such as 2026-11-22T09:30:00Z.")
    if found > clock.now() + SKEW:
        raise BadRequest(
            f"{in_the_future(clock.moment_in_words(found), clock.moment_in_words(clock.now()))} This is the time "
            "in the field “at”. Report an act after it has happened, or correct the clock of the system."
        )
    return found


# --- What is kept -----------------------------------------------------------------------------------------------------


def keep(sent: Sent, *, initiative: int, key: int) -> OutcomeReport:
    """Keep a report of an initiative (its number), or return its identical row.

    Raises UnknownDecision, and Contradiction if it does not fit the decision or an earlier report.
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
            raise Contradiction("This decision did not allow the call, so its outcome cannot be reported.")
        if sent.at is not None and sent.at < decided.at - SKEW:
            raise Contradiction(
                "The time in the field “at” is before the decision. If the act was done without a "
                "request, report the act with the field “unasked”."
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
    """Return the row with the same report, or None. A conflict raises Contradiction."""
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
            raise Contradiction(
                "This decision was not reported as done. First report the outcome “done”, then “undone”."
            )
        if row.at is not None and done.at is not None and row.at < done.at:
            raise Contradiction("The time of “undone” is before the time of “done”. Correct the field “at”.")
    elif kept:
        raise Contradiction(
            f"This decision was already reported as {min(kept)}. Send a new request before the next try."
        )
    return None


def _repeated(told: OutcomeReport, again: OutcomeReport) -> OutcomeReport:
    """Return the earlier report if the repeat has no other value. It may omit some."""
    if (again.at is not None and again.at != told.at) or (again.note and again.note != told.note):
        raise Contradiction(
            f"This decision was already reported as {told.kind}, with a different time or note. The earlier "
            "report is kept."
        )
    return told


def beat(*, key: int) -> None:
    """Keep that the system of this key runs, once a day however often it reports."""
    now = clock.now()
    today = clock.local_day(now)
    if KeyHeartbeat.objects.filter(key_id=key, day=today).exists():
        return
    try:
        with acting(system=SYSTEM):
            KeyHeartbeat(key_id=key, day=today, at=now).save()
    except IntegrityError:  # another was first
        return
