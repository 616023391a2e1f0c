"""Alerts of monitoring in one shape, from three formats. Pure.

The formats are Alertmanager's webhook, Azure Monitor's common schema and plain JSON. A faulty alert does not block the
others of its request. Every text is made safe to show: one line, hidden characters spelled out, cut to the stored
length.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from adoption.models.monitoring import ALERTMANAGER, AZURE, OTHER
from governance.vocabulary import strict_json
from governance.vocabulary.readable_text import refusal, shown, storable

MOST_ALERTS = 500  # in one request
MOST_BODY = 8_000  # letters of what one alert said that are kept
AHEAD = timedelta(minutes=10)  # by which the clock of a sender may be fast
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # an earlier moment means "not said" (Alertmanager: year 1)
COMMON_SCHEMA = "azureMonitorCommonAlertSchema"
EXAMPLE = (
    '{"alerts": [{"id": "disk-7", "rule": "DiskFull", "severity": "critical", "state": "firing", '
    '"started": "2026-11-20T10:00:00Z", "summary": "Disk 7 is full", "link": "https://…"}]}'
)


@dataclass(frozen=True)
class Sent:
    """One alert as it was sent. `ended`: the moment of its end, None while it fires."""

    sender: str
    fingerprint: str
    rule: str
    severity: str
    started: datetime
    ended: datetime | None
    summary: str
    link: str
    body: str


@dataclass(frozen=True)
class Wrong:
    """The reason why one alert of a request (counted from 1) is not taken."""

    number: int
    words: str


@dataclass(frozen=True)
class Batch:
    """The contents of a request. `left_out`: the number of alerts that the sender omitted."""

    alerts: tuple[Sent, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    left_out: int = 0


class Unreadable(ValueError):
    """The request as a whole is unreadable. The words show how to fix it."""


class _Wrong(ValueError):
    """One alert cannot be taken."""


def read(body: bytes, now: datetime) -> Batch:
    """Return the alerts of a request, none for a heartbeat without alerts. Raises Unreadable."""
    try:
        said = strict_json.read(body)
    except strict_json.NotJson as trouble:
        raise Unreadable(f"{trouble} A request looks like this: {EXAMPLE}") from None
    if not isinstance(said, dict):
        raise Unreadable(f"The body is not a JSON object with alerts. Send for example {EXAMPLE}")
    if said.get("heartbeat") is True:
        return Batch()
    if "schemaId" in said:
        if said["schemaId"] != COMMON_SCHEMA:
            raise Unreadable(
                "This alert schema is not supported. Switch on the common alert schema in the action group."
            )
        return _batch([said], _azure, now)
    rows = said.get("alerts")
    if not isinstance(rows, list) or not rows:
        raise Unreadable(f"The body has no list of alerts. Send for example {EXAMPLE}")
    if len(rows) > MOST_ALERTS:
        raise Unreadable(
            f"The request has {len(rows)} alerts. Send at most {MOST_ALERTS} at once. In "
            f"Alertmanager set max_alerts: {MOST_ALERTS} for this webhook."
        )
    left_out = said.get("truncatedAlerts")
    first = next((row for row in rows if isinstance(row, dict)), {})
    reader = _alertmanager if isinstance(first.get("labels"), dict) else _other
    return _batch(rows, reader, now, left_out if type(left_out) is int and left_out > 0 else 0)


def _batch(rows: list, reader, now: datetime, left_out: int = 0) -> Batch:
    alerts, wrong = [], []
    for number, row in enumerate(rows, 1):
        try:
            if not isinstance(row, dict):
                raise _Wrong("The alert is not a JSON object.")
            alerts.append(reader(row, now))
        except _Wrong as trouble:
            wrong.append(Wrong(number, str(trouble)))
    return Batch(tuple(alerts), tuple(wrong), min(left_out, 1_000_000))


def _alertmanager(row: dict, now: datetime) -> Sent:
    """Return one alert of Alertmanager's webhook of version 4, or of its format."""
    labels, notes = _table(row, "labels"), _table(row, "annotations")
    resolved = _state(row.get("status"), "status", "firing", "resolved")
    rule = _line(labels.get("alertname"), 160)
    if not rule:
        raise _Wrong("The labels have no alertname. Add one.")
    said = next((notes[name] for name in ("summary", "description", "message") if notes.get(name)), rule)
    known = row.get("fingerprint") or json.dumps(labels, sort_keys=True)
    return _sent(
        row,
        now,
        sender=ALERTMANAGER,
        known=known,
        rule=rule,
        severity=labels.get("severity"),
        times=("startsAt", "endsAt"),
        times_of=row,
        resolved=resolved,
        summary=said,
        link=row.get("generatorURL"),
    )


def _azure(said: dict, now: datetime) -> Sent:
    """Return the alert of Azure Monitor's common schema."""
    data = said.get("data")
    row = data.get("essentials") if isinstance(data, dict) else None
    if not isinstance(row, dict):
        raise _Wrong("The alert has no data.essentials. Send it in the common alert schema.")
    resolved = _state(row.get("monitorCondition"), "monitorCondition", "Fired", "Resolved")
    rule, known = _line(row.get("alertRule"), 160), row.get("alertId")
    if not rule or not known:
        raise _Wrong("The alert has no alertRule or no alertId. Send both.")
    return _sent(
        said,
        now,
        sender=AZURE,
        known=known,
        rule=rule,
        severity=row.get("severity"),
        times=("firedDateTime", "resolvedDateTime"),
        times_of=row,
        resolved=resolved,
        summary=row.get("description") or rule,
        link=row.get("investigationLink"),
    )


def _other(row: dict, now: datetime) -> Sent:
    """Return one alert of any other sender. The example shows its fields."""
    rule = _line(row.get("rule"), 160)
    if not rule:
        raise _Wrong("The alert has no rule. Add one.")
    return _sent(
        row,
        now,
        sender=OTHER,
        known=row.get("id") or rule,
        rule=rule,
        severity=row.get("severity"),
        times=("started", "ended"),
        times_of=row,
        resolved=_state(row.get("state"), "state", "firing", "resolved"),
        summary=row.get("summary") or rule,
        link=row.get("link"),
    )


def _sent(
    row: dict,
    now: datetime,
    *,
    sender: str,
    known,
    rule: str,
    severity,
    times: tuple[str, str],
    times_of: dict,
    resolved: bool,
    summary,
    link,
) -> Sent:
    """Return one alert of any sender, its moments compared with the clock here. Raises _Wrong."""
    first, last = times
    started = _moment(times_of.get(first))
    if started is None:
        raise _Wrong(f"{first} is not a time with a time zone. Write the time like 2026-11-20T10:00:00Z.")
    ended = (_moment(times_of.get(last)) or max(now, started)) if resolved else None
    for name, moment in ((first, started), (last, ended)):
        if moment is not None and moment > now + AHEAD:
            raise _Wrong(
                f"{name} ({moment:%Y-%m-%dT%H:%M:%SZ}) is ahead of the clock of Plumbline "
                f"({now:%Y-%m-%dT%H:%M:%SZ}). Set the clock of the sender."
            )
    if ended is not None and ended < started:
        raise _Wrong(f"{last} is before {first}. Check the two times.")
    return Sent(
        sender,
        _fingerprint(known),
        rule,
        _line(severity, 40).lower(),
        started,
        ended,
        _line(summary, 300) or rule,
        _link(link),
        _body(row),
    )


def _table(row: dict, name: str) -> dict:
    found = row.get(name)
    if found is None and name == "annotations":
        return {}
    if not isinstance(found, dict):
        raise _Wrong(f"The {name} of the alert are not a JSON object.")
    return found


def _state(said, name: str, firing: str, resolved: str) -> bool:
    """Return True if the alert is over. Raises _Wrong."""
    if said not in (firing, resolved):
        raise _Wrong(f"{name} must be {firing} or {resolved}.")
    return said == resolved


def _moment(said) -> datetime | None:
    """Return a moment in UTC, or None if it is invalid, too early, or without a time zone."""
    if not isinstance(said, str) or len(said) > 40:
        return None
    try:
        moment = datetime.fromisoformat(said.strip())
        if moment.tzinfo is None:
            return None
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment >= EARLIEST else None


def _line(said, most: int) -> str:
    """Return a text on one line, with each hidden character spelled out or replaced."""
    text = said if isinstance(said, str) else "" if said is None else json.dumps(said)
    text = " ".join(shown(storable(text[: 4 * most])).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _fingerprint(known) -> str:
    """Return the sender's key of the alert. A long one, or one with forbidden characters, gives its SHA-256."""
    text = known if isinstance(known, str) else json.dumps(known, sort_keys=True)
    if len(text) <= 200 and text.strip() == text and not refusal(text):
        return text
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _link(said) -> str:
    """Return an address of the web, or "" for everything else."""
    if not isinstance(said, str) or len(said) > 500 or refusal(said) or len(said.split()) != 1:
        return ""
    try:
        parts = urlsplit(said)
    except ValueError:
        return ""
    return said if parts.scheme in ("http", "https") and parts.hostname else ""


def _body(row: dict) -> str:
    """Return the alert as JSON that can be shown, cut to the stored length."""
    text = json.dumps(row, indent=1, ensure_ascii=False)[: MOST_BODY + 1]
    safe = shown(storable(text))
    return safe if len(safe) <= MOST_BODY else f"{safe[:MOST_BODY]}…"
