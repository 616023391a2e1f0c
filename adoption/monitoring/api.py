"""The API for alerts of monitoring: a webhook, with a key.

The key is in a header, or in the address if the sender sets no header. The answer 200 lists the result of the alerts,
also if some were not taken: a sender would repeat the request in vain. A repeated request changes nothing.
"""

from adoption.monitoring import actions
from adoption.monitoring.alert_senders import Batch, Unreadable, read
from governance import clock
from governance.models import ServiceKey
from governance.models.sign_in import ALERTS
from governance.permission_result import Conflict
from governance.sign_in.rate_limits import Rate
from governance.web.machine_api import JSON, Answered, body_of
from initiatives.contracts.enforcement.api import AWAY, api, opened
from initiatives.contracts.enforcement.decision_cache import Key, Known
from initiatives.models import Initiative

MOST_BYTES = 1024 * 1024
ALERTS_A_SECOND = 50  # of one key, in one process
ENDED = "This initiative has ended, so it takes no alerts. Remove it from the monitoring."

rate = Rate()


@api.view("POST")
def send(request):
    """Take in alerts, by the key in the header."""
    return _taken(request, *opened(request, ALERTS, within=(rate, ALERTS_A_SECOND)))


@api.view("POST")
def send_by_address(request, secret: str):
    """Take in alerts, by the key in the address. Addresses come into logs, so this key is for alerts only."""
    known, key = opened(request, ALERTS, within=(rate, ALERTS_A_SECOND), secret=secret)
    if key.scopes != {ALERTS}:
        raise Answered(
            403,
            "Only a key that is limited to alerts can be part of an address. Make a key only for alerts, "
            "or send this key as Authorization: Bearer.",
        )
    return _taken(request, known, key)


def _taken(request, known: Known, key: Key) -> dict:
    if known.away:
        raise Answered(503, AWAY, Retry_After="1")
    batch = _read(request)
    rate.pay(key.id, ALERTS_A_SECOND, len(batch.alerts) + len(batch.wrong) - 1)
    if batch.wrong and not batch.alerts:
        raise Answered(400, f"Alert {batch.wrong[0].number}: {batch.wrong[0].words}")
    initiative = Initiative.objects.get(pk=known.initiative)
    if initiative.closed or initiative.withdrawn_at:
        raise Answered(409, ENDED)
    try:
        taken = actions.take(
            initiative=initiative,
            key=ServiceKey.objects.get(pk=key.id),
            sent=batch.alerts,
            left_out=batch.left_out,
        )
    except Conflict:
        raise Answered(409, ENDED) from None
    said = {
        "new": taken.new,
        "known": taken.known,
        "rejected": [{"alert": one.number, "error": one.words} for one in batch.wrong],
    }
    if taken.beyond:
        said |= {
            "not_kept": taken.beyond,
            "message": f"This key sent {actions.MOST_A_DAY} new alerts today. Plumbline keeps no more new "
            "alerts from this key before midnight. Group the alerts in your monitoring system.",
        }
    if batch.left_out:
        said["left_out_by_sender"] = batch.left_out
    return said


def _read(request) -> Batch:
    """Return the alerts of a request. Raises Answered, NotJson."""
    try:
        return read(body_of(request, JSON, most=MOST_BYTES), clock.now())
    except Unreadable as trouble:
        raise Answered(400, str(trouble)) from None
