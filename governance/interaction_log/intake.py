"""Keep received reports: encrypt them, write them to disk, then answer.

No words of a person reach a file unencrypted. Each report is one line: the clear columns of its row, its encrypted
body, its digest, and its key wrapped for the month of the person (or of the conversation, if no person is known).
Files are closed every few seconds, and the worker loads them (`governance.interaction_log.loading`).
"""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from governance.audit_log import entries
from governance.interaction_log import bodies, keys, shape
from governance.interaction_log.loading import KEPT, loader
from governance.interaction_log.shape import Interaction, Kind
from governance.queue.spooled_log import SpooledLog

EVERY = 5.0  # seconds after which a file is let go of
LARGEST = 20_000  # reports in one file
MOST_WAITING = 1 << 30  # bytes that may wait, of all processes
LONGEST_WAIT = 60.0  # seconds that a file of this process may wait to be let go of
AHEAD = timedelta(minutes=5)  # by which the clock of a sender may be before ours
BEHIND = KEPT  # before which nothing that is reported began
_CLEAR = (
    *("model", "version", "tokens_in", "tokens_out", "sampled", "has_input", "has_output"),
    *("has_source", "failed", "milliseconds"),
)
NAME = 120  # characters of a model's name that a row holds


class Log(SpooledLog):
    """The interactions of one process."""

    def __init__(self, folder: Path):
        super().__init__(
            folder,
            loader,
            every=EVERY,
            largest=LARGEST,
            most_waiting=MOST_WAITING,
            longest_wait=LONGEST_WAIT,
            brings=False,
            reserve=settings.INTERACTION_RESERVE,
        )

    def keep(
        self,
        reports: list[Interaction],
        *,
        initiative: int,
        key: int | None,
        decision_of: Callable[[str], bytes | None],
        now: datetime,
    ) -> None:
        """Keep reports of an initiative (its number), on disk when this returns.

        Unstorable characters are replaced first (`shape.storable`), so that a report that was accepted can be loaded
        later. `decision_of` returns the digest of the decision that a report names, if the initiative has it. Raises
        OSError without disk space and DatabaseError without a key. Then no report is kept.
        """
        fit = [shape.storable(report) for report in reports]
        placed = [_placed(report, said, initiative, now) for report, said in fit]
        under = keys.for_writing(initiative, ((holder, keys.month_of(row["at"])) for row, holder in placed))
        lines = []
        for (report, said), (row, holder) in zip(fit, placed, strict=True):
            holder_key, wrapping = under[holder, keys.month_of(row["at"])]
            decision = decision_of(report.decision) if report.decision else None
            lines.append(_line(report, said, row, initiative, key, decision, holder_key, wrapping))
        self.sync(self.append_lines(lines))


def _placed(
    report: Interaction, said: dict[str, Any], initiative: int, now: datetime
) -> tuple[dict[str, Any], bytes]:
    """Return the row's time and pseudonyms, and the holder of its key."""
    number = str(initiative)
    at = report.started
    odd = at is None or not now - BEHIND < at < now + AHEAD
    if report.place is not None:
        call = keys.pseudonym("call", number, *report.place)
    else:
        call = keys.pseudonym("line", number, report.id or entries.canonical(said).decode())
    mark = call
    if report.kind == Kind.EVENTS:
        mark = keys.pseudonym("events", number, entries.canonical(said).decode())
    subject = keys.pseudonym("subject", report.subject) if report.subject else None
    within = report.conversation or report.trace_id
    conversation = keys.pseudonym("conversation", number, within) if within else None
    row = {
        "at": now if odd or at is None else at,
        "received_at": now,
        "odd_clock": odd,
        "call": call,
        "mark": mark,
        "subject": subject,
        "conversation": conversation,
    }
    return row, subject or conversation or call


def _line(
    report: Interaction,
    said: dict[str, Any],
    row: dict[str, Any],
    initiative: int,
    key: int | None,
    decision: bytes | None,
    holder_key: int,
    wrapping: bytes,
) -> bytes:
    own = bodies.new_key()
    body = entries.canonical(
        {
            "initiative": initiative,
            "key": key,
            "received_at": row["received_at"].astimezone(UTC),
            "report": said,
        }
    )
    content = bodies.closed(body, own)
    line = {
        "at": row["at"].isoformat(),
        "received_at": row["received_at"].isoformat(),
        "initiative_number": initiative,
        "key_id": key,
        "kind": report.kind,
        **{name: getattr(report, name) for name in _CLEAR},
        "model": report.model[:NAME],
        "version": report.version[:NAME],
        "action": report.act,
        "unread": list(report.unread) or None,
        "odd_clock": row["odd_clock"],
        **{
            name: row[name].hex() if row[name] else None
            for name in ("call", "mark", "subject", "conversation")
        },
        "decision": decision.hex() if decision else None,
        "size": len(body),
        "stored": len(content),
        "holder_key": holder_key,
        "wrapped": bodies.wrapped(own, wrapping).hex(),
        "body": b64encode(content).decode(),
        "digest": bodies.digest(body, own).hex(),
    }
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


interactions = Log(Path(settings.INTERACTIONS_DIR) / "waiting")
