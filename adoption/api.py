"""The API for measurements that running systems send in batches, with their key.

Sending is idempotent by the key of each measurement, in any order. Each row gets its own answer, in the order in which
it was sent.
"""

from collections import Counter
from datetime import date
from typing import Any

from adoption.measurements import measurement_validation
from adoption.measurements.actions import measures_asked, record_measurements
from adoption.measurements.measurement_validation import KNOWN, WRONG, Asked, Fate, Sent
from adoption.models.measures import SENT
from governance.models import ServiceKey
from governance.models.sign_in import MEASUREMENTS
from governance.sign_in.rate_limits import Rate
from governance.vocabulary import strict_json
from governance.web.machine_api import JSON, Answered, body_of, json_response
from initiatives.contracts.enforcement.api import api, opened
from initiatives.models import Initiative

MOST_BYTES = 2 * 1024 * 1024
MOST_MEASUREMENTS = 5_000
MEASUREMENTS_A_SECOND = 20_000  # of one key, in one process
WHOLE = ("n", "hits")
FIGURES = ("value", "sd")
TEXTS = ("team", "about", "replaces", "reason")
EXAMPLE = (
    '{"measurements": [{"key": "2026-W47", "measure": "usage.active", "from": "2026-11-16", "to": "2026-11-22", '
    '"hits": 31, "n": 40}]}'
)

rate = Rate()
nothing = api.nothing


@api.view("POST")
def send(request):
    """Keep a batch of measurements, and return their results in order. 400 if none could be kept."""
    known, key = opened(request, MEASUREMENTS)
    rows = _read(body_of(request, JSON, most=MOST_BYTES))
    if wait := rate.wait(key.id, MEASUREMENTS_A_SECOND, len(rows)):
        raise Answered(429, "This key sends too many measurements.", Retry_After=str(wait))
    initiative = Initiative.objects.get(pk=known.initiative)
    asked = measures_asked(initiative)
    read = [_sent(row, asked) for row in rows]
    service_key = ServiceKey.objects.get(pk=key.id)
    kept = iter(
        record_measurements(
            initiative=initiative,
            sent=[one for one in read if isinstance(one, Sent)],
            came=SENT,
            source=service_key.system,
            key=service_key,
        )
    )
    fates = [one if isinstance(one, Fate) else next(kept) for one in read]
    counts = Counter(fate.state for fate in fates)
    good = sum(fate.good for fate in fates)
    said = {
        "kept": good,
        "not_kept": len(fates) - good,
        "counts": counts,
        "measurements": [_said(row, fate) for row, fate in zip(rows, fates, strict=True)],
    }
    return json_response(said, 200 if good else 400)


@api.view("GET", "HEAD")
def measures(request):
    """Return the measures that this key may send values of, and how each is sent."""
    known, _ = opened(request, MEASUREMENTS)
    asked = measures_asked(Initiative.objects.get(pk=known.initiative))
    return {
        "measures": [
            {
                "measure": one.key,
                "instrument": one.instrument,
                "words": one.words,
                "figure": ["hits", "n"] if one.share else ["value", "sd", "n"],
                "weekly": one.weekly,
                "people": one.people,
                "teams": list(one.teams),
            }
            for one in asked.values()
            if not one.ended
        ]
    }


def _read(body: bytes) -> list:
    """Return the rows of a request. Raises NotJson, Answered with an example."""
    found = strict_json.read(body)
    rows = found.get("measurements") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not rows:
        raise Answered(400, f"The body has no list of measurements. Send a body like {EXAMPLE}")
    if len(rows) > MOST_MEASUREMENTS:
        raise Answered(
            400, f"The body holds {len(rows)} measurements. Send at most {MOST_MEASUREMENTS} at once."
        )
    return rows


def _sent(row: Any, asked: dict[int, Asked]) -> Sent | Fate:
    """Return one row with its types, or why it cannot be read."""
    if not isinstance(row, dict):
        return Fate(WRONG, "The measurement is not a JSON object.", f"Send an object like those in {EXAMPLE}")
    said = row.get("measure")
    found = [
        one
        for one in asked.values()
        if (one.key == said and not isinstance(said, bool)) or (one.instrument == said and not one.ended)
    ]
    if len(found) != 1:
        names = ", ".join(f"{one.key} ({one.instrument})" for one in asked.values() if not one.ended)
        if isinstance(said, str) and said.casefold() in measurement_validation.TRAINING_WORDS:
            return Fate(WRONG, measurement_validation.TRAINING_PROVES_NOTHING)
        return Fate(
            WRONG,
            "The measurement does not name a measure of this initiative.",
            f"Give the field “measure” one of these values: {names or 'none yet'}.",
        )
    days = [_day(row.get(name)) for name in ("from", "to")]
    if None in days:
        return Fate(
            WRONG,
            "The measurement has no period.",
            "Give the fields “from” and “to” as days, for example 2026-11-16.",
        )
    for name in WHOLE:
        value = row.get(name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or abs(value) > measurement_validation.MOST
        ):
            return Fate(
                WRONG, f"{name} is not a whole number.", f"Give {name} as a number without a decimal point."
            )
    for name in FIGURES:
        value = row.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            return Fate(WRONG, f"{name} is not a number.", f"Give {name} as a number.")
    for name in ("key", *TEXTS):
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            return Fate(WRONG, f"{name} is not a text.", f"Give {name} as a text.")
    if not isinstance(row.get("others") or False, bool):
        return Fate(WRONG, "others is not true or false.", "Give others as true or false.")
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
        about=row.get("about") or measurement_validation.USERS,
        replaces=row.get("replaces") or "",
        reason=row.get("reason") or "",
        others=row.get("others") or False,
    )


def _figure(value: float | None) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf")  # which no measure keeps


def _day(said) -> date | None:
    try:
        return date.fromisoformat(said) if isinstance(said, str) and len(said) == 10 else None
    except ValueError:
        return None


def _said(row: Any, fate: Fate) -> dict:
    said = {"key": row.get("key") if isinstance(row, dict) else None, "state": fate.state}
    if fate.measurement is not None:
        said["measurement"] = fate.measurement
    if fate.words and fate.state != KNOWN:
        said["message"] = f"{fate.words} {fate.fix}".strip()
    return said
