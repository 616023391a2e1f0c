"""What running systems send: readings of the measures of their case, in batches, by their key.

Idempotent by the key of each reading, in any order. Each row gets its own answer, in the order in which it was sent.
"""

import json
from datetime import date

from django.db import Error as DatabaseError

from adoption.models.measures import SENT
from adoption.readings import reading_validation
from adoption.readings.actions import measures_asked, record_readings
from adoption.readings.reading_validation import DIFFERS, WRONG, Asked, Fate, Sent
from governance.authorization.authzen import BadRequest, TooLong
from governance.models import ServiceKey
from governance.models.sign_in import READINGS
from governance.sign_in.rate_limits import Rate
from initiatives.enforcement.api import AWAY, Answered, answers, opened
from initiatives.models import Initiative

MOST_BYTES = 2 * 1024 * 1024
MOST_READINGS = 5_000
READINGS_A_SECOND = 20_000  # of one key, in one process
WHOLE = ("n", "hits")
FIGURES = ("value", "sd")
TEXTS = ("team", "about", "replaces", "reason")
EXAMPLE = (
    '{"readings": [{"key": "2026-W47", "measure": "usage.active", "from": "2026-11-16", "to": "2026-11-22", '
    '"hits": 31, "n": 40}]}'
)

rate = Rate()


@answers("POST")
def send(request):
    """Keep a batch of readings; what became of each, in their order."""
    known, key = opened(request, READINGS)
    rows = _read(request.content_type or "", request.body)
    if wait := rate.wait(key.id, READINGS_A_SECOND, len(rows)):
        raise Answered(429, "This key sends too many readings.", Retry_After=str(wait))
    try:
        case = Initiative.objects.get(pk=known.case)
        asked = measures_asked(case)
        fates: list[Fate | None] = [None] * len(rows)
        sent: list[Sent] = []
        places: list[int] = []
        for place, row in enumerate(rows):
            one = _sent(row, asked)
            if isinstance(one, Fate):
                fates[place] = one
            else:
                sent.append(one)
                places.append(place)
        service_key = ServiceKey.objects.get(pk=key.id)
        kept = record_readings(case=case, sent=sent, came=SENT, source=service_key.system, key=service_key)
    except DatabaseError:
        raise Answered(503, AWAY, Retry_After="1") from None
    for place, fate in zip(places, kept, strict=True):
        fates[place] = fate
    counts: dict[str, int] = {}
    for fate in fates:
        counts[fate.state] = counts.get(fate.state, 0) + 1
    return {"counts": counts, "readings": [_said(row, fate) for row, fate in zip(rows, fates, strict=True)]}


@answers("GET", "HEAD")
def measures(request):
    """The measures that this key may send readings of, and how each is sent."""
    known, _ = opened(request, READINGS)
    try:
        asked = measures_asked(Initiative.objects.get(pk=known.case))
    except DatabaseError:
        raise Answered(503, AWAY, Retry_After="1") from None
    return {
        "measures": [
            {
                "measure": one.key,
                "instrument": one.instrument,
                "words": one.words,
                "figure": ["hits", "n"] if one.share else ["value", "sd", "n"],
                "weekly": one.weekly,
                "teams": list(one.teams),
            }
            for one in asked.values()
            if not one.ended
        ]
    }


def _read(content_type: str, body: bytes) -> list[dict]:
    """The rows of a request. Raises BadRequest with an example."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("Send the readings with Content-Type: application/json.")
    if len(body) > MOST_BYTES:
        raise TooLong(f"The request is longer than {MOST_BYTES} bytes. Send fewer readings at once.")
    try:
        found = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadRequest(f"The body is not JSON. It looks like {EXAMPLE}") from None
    rows = found.get("readings") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadRequest(f"The body holds a list of readings: {EXAMPLE}")
    if len(rows) > MOST_READINGS:
        raise BadRequest(f"At most {MOST_READINGS} readings at once; these are {len(rows)}.")
    return rows


def _no_constant(name: str):
    raise ValueError(f"{name} is not JSON")


def _sent(row: dict, asked: dict[int, Asked]) -> Sent | Fate:
    """One row with its types; or why it cannot be read."""
    said = row.get("measure")
    found = [
        one
        for one in asked.values()
        if (one.key == said and not isinstance(said, bool)) or (one.instrument == said and not one.ended)
    ]
    if len(found) != 1:
        names = ", ".join(f"{one.key} ({one.instrument})" for one in asked.values() if not one.ended)
        if isinstance(said, str) and said.casefold() in reading_validation.TRAINING_WORDS:
            return Fate(WRONG, reading_validation.TRAINING_PROVES_NOTHING)
        return Fate(
            WRONG, "It names no measure of this initiative.", f"Give measure, one of: {names or 'none yet'}."
        )
    days = [_day(row.get(name)) for name in ("from", "to")]
    if None in days:
        return Fate(WRONG, "It does not say its period.", "Give from and to as days, like 2026-11-16.")
    for name in WHOLE:
        value = row.get(name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or abs(value) > reading_validation.MOST
        ):
            return Fate(WRONG, f"{name} is no whole number.", f"Give {name} as a number without a point.")
    for name in FIGURES:
        value = row.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            return Fate(WRONG, f"{name} is no number.", f"Give {name} as a number.")
    for name in ("key", *TEXTS):
        value = row.get(name)
        if value is not None and (not isinstance(value, str) or _unkeepable(value)):
            return Fate(WRONG, f"{name} is no text that can be kept.", f"Give {name} as a text.")
    return Sent(
        found[0].key,
        days[0],
        days[1],
        row.get("n") or 0,
        row.get("key") or "",
        hits=row.get("hits"),
        value=_figure(row.get("value")),
        sd=_figure(row.get("sd")),
        team=row.get("team") or "",
        about=row.get("about") or reading_validation.USERS,
        replaces=row.get("replaces") or "",
        reason=row.get("reason") or "",
    )


def _figure(value: float | None) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf")  # which no measure keeps


def _unkeepable(text: str) -> bool:
    """A text with a zero character or half of a character, which no database could keep."""
    return "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def _day(said) -> date | None:
    try:
        return date.fromisoformat(said) if isinstance(said, str) and len(said) == 10 else None
    except ValueError:
        return None


def _said(row: dict, fate: Fate) -> dict:
    said = {"key": row.get("key"), "state": fate.state}
    if fate.reading is not None:
        said["reading"] = fate.reading
    if fate.state in (WRONG, DIFFERS):
        said["message"] = f"{fate.words} {fate.fix}".strip()
    return said
