"""The API of the interaction log: OTLP over HTTP, and lines of JSON for systems that have nothing else.

The same keys and the same throttle as the decision API, with a scope and a rate of their own. What is answered with
200 is on disk, encrypted; what is answered with 429 or 503 was not kept, and says when to send it again.
"""

import json
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from governance import clock
from governance.interaction_log import conventions, lines, otlp
from governance.interaction_log.intake import interactions
from governance.interaction_log.keys import NoMaster
from governance.interaction_log.shape import Interaction
from governance.models.sign_in import INTERACTIONS
from governance.sign_in.rate_limits import Rate
from governance.web.middleware import for_machines
from initiatives.enforcement.api import AWAY, Answered, opened
from initiatives.enforcement.decision_cache import Key, Known
from initiatives.interactions.actions import decision_named

log = structlog.get_logger("plumbline.interactions")

TABLE = "text/csv"
LINES = ("application/x-ndjson", "application/jsonl", "application/json")
NO_ROOM = "The log has no room just now and took nothing: send it again later."
NOT_NOW = "The log cannot be written just now and took nothing: send it again later."
NO_IDS = "Spans without a trace id and a span id were not taken; the others were."
LATER = 30  # seconds

rate = Rate()


def traces(request: HttpRequest) -> HttpResponse:
    """Spans as an OpenTelemetry SDK or collector sends them."""
    return _otlp(request, otlp.read_traces, logs=False)


def logs(request: HttpRequest) -> HttpResponse:
    """Log records likewise: the events of generative AI."""
    return _otlp(request, otlp.read_logs, logs=True)


def _otlp(request: HttpRequest, read: Callable[[bytes, str], otlp.Batch], *, logs: bool) -> HttpResponse:
    form = otlp.PROTOBUF
    try:
        known, key = _entered(request)
        form = otlp.form_of(request.META.get("CONTENT_TYPE", ""))
        batch = read(_body(request), form)
        _keep(known, key, conventions.read(batch), len(batch.spans) + len(batch.events))
    except (Answered, otlp.Refused) as answered:
        body = otlp.failure(form, answered.status, answered.words)
        return _response(body, form, answered.status, getattr(answered, "headers", {}))
    except Exception:
        log.exception("a report of a system ended in an error")
        return _response(otlp.failure(form, 503, NOT_NOW), form, 503, {"Retry-After": str(LATER)})
    words = NO_IDS if batch.rejected else ""
    return _response(otlp.success(form, logs=logs, rejected=batch.rejected, words=words), form)


def reported(request: HttpRequest) -> HttpResponse:
    """Interactions, one a line, as JSON or as the rows of a table: also a file, as it is."""
    try:
        known, key = _entered(request)
        kind = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind not in (*LINES, TABLE):
            raise Answered(415, f"Send one of {', '.join((*LINES, TABLE))}.")
        body = _body(request)
        found, wrong = lines.read_csv(body) if kind == TABLE else lines.read(body)
        if wrong and not found:
            raise Answered(400, f"Line {wrong[0].number}: {wrong[0].words}")
        _keep(known, key, found, len(found))
    except (Answered, otlp.Refused) as answered:
        body = json.dumps({"error": answered.words}, ensure_ascii=False).encode()
        return _response(body, otlp.JSON, answered.status, getattr(answered, "headers", {}))
    except Exception:
        log.exception("a report of a system ended in an error")
        return _response(json.dumps({"error": NOT_NOW}).encode(), otlp.JSON, 503, {"Retry-After": str(LATER)})
    said = {
        "kept": len(found),
        "rejected": [{"line": one.number, "error": one.words} for one in wrong[:100]],
        "rejected_count": len(wrong),
    }
    return _response(json.dumps(said, ensure_ascii=False).encode(), otlp.JSON)


for _view in (traces, logs, reported):
    for_machines(_view)


def _entered(request: HttpRequest) -> tuple[Known, Key]:
    if request.method != "POST":
        raise Answered(405, "Send POST.", Allow="POST")
    known, key = opened(request, INTERACTIONS, within=(rate, settings.INTERACTION_RATE))
    if known.away:
        raise Answered(503, AWAY, Retry_After=str(LATER))
    return known, key


def _body(request: HttpRequest) -> bytes:
    """What was sent, unpacked within bounds. Raises Answered, otlp.Refused."""
    try:
        body = request.body
    except RequestDataTooBig:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise Answered(
            413, f"The request is longer than {most} bytes: have the sender send smaller batches."
        ) from None
    except UnreadablePostError:
        raise Answered(400, "The request ended before it was whole: send it again.") from None
    return otlp.unpacked(body, request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower())


def _keep(known: Known, key: Key, reports: list[Interaction], count: int) -> None:
    """Keep what was read, and have the key pay for it. Raises Answered where nothing could be kept."""
    rate.pay(key.id, settings.INTERACTION_RATE, count - 1)
    try:
        interactions.keep(
            reports,
            case=known.number,
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


def _response(
    body: bytes, form: str, status: int = 200, headers: dict[str, str] | None = None
) -> HttpResponse:
    response = HttpResponse(body, content_type=form, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    for name, value in (headers or {}).items():
        response[name] = value
    return response
