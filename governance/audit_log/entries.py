"""Entries of acts: an append-only stream with one entry a decision or refusal.

docs/audit-log.md describes the shapes. `Entry` holds only what anyone may see. The bytes of `EntryBody` hold names,
reasons and free text. The entry's digest commits to those bytes with a salt.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime

from governance import clock
from governance.database import prepared_statements, rehearsing, row_history
from governance.models.audit_log import Entry
from governance.vocabulary.entry_kinds import EntryKind

_signed: ContextVar[dict | None] = ContextVar("plumbline_signed", default=None)


@contextmanager
def signed(facts: dict | None) -> Iterator[None]:
    """Put the proof of the signature into every entry of the running act. With None, entries have no proof."""
    token = _signed.set(facts)
    try:
        yield
    finally:
        _signed.reset(token)


def canonical(value) -> bytes:
    """Return an object's one form in bytes: JSON with sorted keys, no spaces, UTF-8.

    Times are in ISO 8601. Raises TypeError for anything that has no single written form.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    ).encode()


def _plain(value):
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no canonical form in the audit log.")


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return the digest an entry carries: HMAC-SHA256 of the body under its salt. Destroying the salt ends guessing."""
    return hmac.new(salt, body, hashlib.sha256).digest()


def record(kind: EntryKind, *, initiative=None, on_behalf_of=None, **facts) -> Entry:
    """Write one entry for the running act: kind, actor, moment, initiative and facts.

    Must run inside `history.acting`, in the same transaction as the recorded change. Raises history.NoActor otherwise.
    Facts must have a canonical form.
    """
    return record_many(kind, [(initiative, facts)], on_behalf_of=on_behalf_of)[0]


def record_many(kind: EntryKind, acts: list[tuple], *, on_behalf_of=None) -> list[Entry]:
    """Write one entry per (initiative, facts) in one statement, otherwise as `record`."""
    who = row_history.current()
    if who is None:
        raise row_history.NoActor(f"The entry '{kind}' has no acting person or system.")
    at = clock.now()
    actor_id = who.person.pk if who.person is not None else None
    behalf_id = on_behalf_of.pk if on_behalf_of is not None else None
    refs = [initiative.ref if initiative is not None else "" for initiative, _ in acts]
    proof = {"signature": _signed.get()} if _signed.get() else {}
    bodies = [
        canonical(
            {
                "kind": kind,
                "at": at,
                "actor": {"id": actor_id, "name": who.name},
                "initiative": {"ref": initiative.ref, "title": initiative.title}
                if initiative is not None
                else None,
                "reason": who.reason,
                "facts": facts | proof,
            }
        )
        for initiative, facts in acts
    ]
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            "SELECT plumbline_record(%s, %s, %s, %s, %s, %s::text[], %b::bytea[])",
            [kind, actor_id, behalf_id, who.request_id, at, refs, bodies],
        )
        keys = [key for (key,) in cursor.fetchall()]
    if (rehearsal := rehearsing.current()) is not None:
        rehearsal.entries += [(kind, initiative, facts) for initiative, facts in acts]
    return [
        Entry(
            id=key,
            kind=kind,
            actor_id=actor_id,
            on_behalf_of_id=behalf_id,
            initiative_ref=ref,
            at=at,
            request_id=who.request_id,
        )
        for key, ref in zip(keys, refs, strict=True)
    ]
