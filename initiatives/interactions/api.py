"""The API of the interaction log: OTLP over HTTP, and lines of JSON for others.

It uses the keys and the throttle of the decision API, with a separate scope and rate. After a 200 the reports are on
disk, encrypted. After a 429 or 503 they are not kept, and the answer contains when to send them again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse

from governance import clock
from governance.interaction_log import lines, otlp
from governance.interaction_log.conventions import spans
from governance.interaction_log.intake import interactions
from governance.interaction_log.keys import NoMaster
from governance.interaction_log.shape import Interaction
from governance.models.sign_in import INTERACTIONS
from governance.sign_in.rate_limits import Rate
from governance.web.machine_api import Answered, Api, json_response
from initiatives.contracts.enforcement.api import AWAY, opened
from initiatives.contracts.enforcement.decision_cache import Key, Known
from initiatives.interactions.actions import decision_named

log = structlog.get_logger("plumbline.interactions")

TABLE = "text/csv"
LINES = ("application/x-ndjson", "application/jsonl", "application/json")
NO_ROOM = "The interaction log has no space now, so nothing was saved. Send the request again later."
NOT_NOW = "The interaction log cannot be written now, so nothing was saved. Send the request again later."
NOTHING = (
    "The request contains no interaction. Send one interaction on each line as JSON, or send the rows of "
    "a table."
)
LATER = 30  # seconds
MOST_TOLD = 100  # lines that are not taken, in one answer

rate = Rate()


def _form(request: HttpRequest) -> str:
    """Return the format of an OTLP answer: protobuf, unless the sender uses JSON."""
    kind = (request.content_type or "").strip().lower()
    return otlp.JSON if kind == otlp.JSON else otlp.PROTOBUF


def _otlp_error(request: HttpRequest, answered: Answered) -> HttpResponse:
    form = _form(request)
    return _response(otlp.failure(form, answered.status, answered.words), form, answered.status)


def _lines_error(request: HttpRequest, answered: Answered) -> HttpResponse:
    return json_response({"error": answered.words}, answered.status)


def _known(trouble: Exception) -> Answered | None:
    return Answered(trouble.status, trouble.words) if isinstance(trouble, otlp.Refused) else None


otlp_api = Api(_otlp_error, _known, retry_after=LATER)
lines_api = Api(_lines_error, _known, retry_after=LATER)
nothing = otlp_api.nothing


@otlp_api.view("POST")
def traces(request: HttpRequest) -> HttpResponse:
    """Keep spans as an OpenTelemetry SDK or collector sends them."""
    return _otlp(request, otlp.read_traces, logs=False)


@otlp_api.view("POST")
def logs(request: HttpRequest) -> HttpResponse:
    """Keep log records in the same way: the events of generative AI."""
    return _otlp(request, otlp.read_logs, logs=True)


def _otlp(request: HttpRequest, read: Callable[[bytes, str], otlp.Batch], *, logs: bool) -> HttpResponse:
    known, key = _entered(request)
    form = otlp.form_of(request.META.get("CONTENT_TYPE", ""))
    with _paid(key) as cost:
        body = cost.body = _body(request)
        batch = read(body, form)
        cost.count = batch.count
    if batch.rejected == batch.count > 0:
        raise otlp.Refused(400, batch.why)
    _keep(known, key, spans.read(batch))
    return _response(otlp.success(form, logs=logs, rejected=batch.rejected, words=batch.why), form)


@lines_api.view("POST")
def reported(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    """Keep interactions, one a line, as JSON or as rows of a table. A file can be sent as it is."""
    known, key = _entered(request)
    kind = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind not in (*LINES, TABLE):
        raise Answered(415, f"Use one of these content types: {', '.join((*LINES, TABLE))}.")
    with _paid(key) as cost:
        body = cost.body = _body(request)
        found, wrong = lines.read_csv(body) if kind == TABLE else lines.read(body)
        cost.count = len(found) + len(wrong)
    if not found:
        words = f"Line {wrong[0].number}: {wrong[0].words}" if wrong else NOTHING
        return json_response(_told(found, wrong) | {"error": words}, 400)
    _keep(known, key, found)
    return _told(found, wrong)


def _told(found: list[Interaction], wrong: list[lines.Wrong]) -> dict[str, Any]:
    """Return the number of kept and of rejected lines, and the errors by line."""
    return {
        "kept": len(found),
        "rejected": [{"line": one.number, "error": one.words} for one in wrong[:MOST_TOLD]],
        "rejected_count": sum(one.count for one in wrong),
    }


@dataclass
class _Cost:
    """The cost of a request: its unpacked bytes, and its number of reports."""

    body: bytes = b""
    count: int = 1


@contextmanager
def _paid(key: Key) -> Iterator[_Cost]:
    """Charge the key for every report and byte read in the block, also if refused."""
    cost = _Cost()
    try:
        yield cost
    except otlp.Refused as refused:
        cost.count = refused.count
        raise
    finally:
        rate.pay(key.id, settings.INTERACTION_RATE, max(cost.count, len(cost.body) // otlp.PAID_BYTES) - 1)


def _entered(request: HttpRequest) -> tuple[Known, Key]:
    known, key = opened(request, INTERACTIONS, within=(rate, settings.INTERACTION_RATE))
    if known.away:
        raise Answered(503, AWAY, Retry_After=str(LATER))
    return known, key


def _body(request: HttpRequest) -> bytes:
    """Return the body, unpacked within bounds. Raises otlp.Refused."""
    return otlp.unpacked(request.body, request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower())


def _keep(known: Known, key: Key, reports: list[Interaction]) -> None:
    """Keep the reports. Raises Answered if they could not be kept."""
    try:
        interactions.keep(
            reports,
            initiative=known.number,
            key=key.id,
            decision_of=lambda text: decision_named(known.number, text),
            now=clock.now(),
        )
    except OSError as trouble:
        log.error("reports of a system could not be kept", trouble=str(trouble))
        raise Answered(503, NO_ROOM, Retry_After=str(LATER)) from None
    except (DatabaseError, NoMaster) as trouble:
        log.error("reports of a system could not be kept", trouble=str(trouble))
        raise Answered(503, NOT_NOW, Retry_After=str(LATER)) from None


def _response(body: bytes, form: str, status: int = 200) -> HttpResponse:
    return HttpResponse(body, content_type=form, status=status)
