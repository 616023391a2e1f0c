"""Shared parts of the APIs for machines: reading a body, errors in their format.

An API is an `Api` with its way to write an error. Each of its views is decorated with `Api.view`, so that no machine
receives a page of HTML. `Answered` is raised to answer with an error.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from governance.vocabulary import readable_text
from governance.vocabulary.strict_json import NotJson
from governance.web import request_errors
from governance.web.middleware import for_machines

log = structlog.get_logger("plumbline.apis")

JSON = "application/json"
AWAY = (
    "Plumbline cannot reach its database. The request was denied and not stored. Send the request again "
    "later."
)
NO_ROOM = "The disk of Plumbline is full. The request was denied and not stored. Tell an administrator."
STOPPED = "The database took too long. The request was denied and not stored. Ask for less, or send it again."
NOT_STORABLE = (
    "The request holds a text or a number that the database cannot store. Correct it, then send it again."
)


class Answered(Exception):
    """The request is answered with an error: its status, a sentence, the API's own code, and headers."""

    def __init__(self, status: int, words: str, *, code: str = "", **headers: str):
        super().__init__(words)
        self.status, self.words, self.code = status, words, code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Api:
    """An API. `error` writes an error in its format. `known` maps its own exceptions to errors, others to None."""

    error: Callable[[HttpRequest, Answered], HttpResponse]
    known: Callable[[Exception], Answered | None] = lambda trouble: None
    retry_after: int = 1  # seconds, while the database is away

    def view(self, *methods: str) -> Callable[[Callable[..., Any]], Callable[..., HttpResponse]]:
        """Decorate a view of this API, which answers these methods, or all if none is named.

        The view returns a response, or what is sent as JSON. An id that the request brings goes back with it.
        """

        def wrap(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
            @for_machines
            @wraps(view)
            def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
                headers: dict[str, str] = {}
                try:
                    if methods and request.method not in methods:
                        raise Answered(405, f"Send {' or '.join(methods)}.", Allow=", ".join(methods))
                    found = view(request, *args, **kwargs)
                    response = found if isinstance(found, HttpResponse) else json_response(found)
                except Exception as trouble:
                    answered = self.answered(trouble)
                    headers, response = answered.headers, self.error(request, answered)
                for name, value in headers.items():
                    response[name] = value
                response.headers.setdefault("Cache-Control", "no-store")
                response["X-Content-Type-Options"] = "nosniff"
                if request_id := request.META.get("HTTP_X_REQUEST_ID"):
                    response["X-Request-ID"] = request_id
                return response

            answer.api = self
            return answer

        return wrap

    @property
    def nothing(self) -> Callable[..., HttpResponse]:
        """Return a view for unknown addresses below this API."""

        @self.view()
        def nothing(request: HttpRequest, **named: Any) -> HttpResponse:
            raise Answered(404, "This address does not exist. Check the path of the request.")

        return nothing

    def answered(self, trouble: Exception) -> Answered:
        """Return the error for the exception. An unforeseen one is logged with a reference."""
        if isinstance(trouble, Answered):
            return trouble
        return self.known(trouble) or _expected(trouble, self.retry_after) or _unforeseen(trouble)


def _expected(trouble: Exception, retry_after: int) -> Answered | None:
    """Return the error for what can happen to any request, or None."""
    if isinstance(trouble, NotJson):
        return Answered(400, str(trouble), code="invalidSyntax")
    if isinstance(trouble, RequestDataTooBig):
        return too_long(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    if isinstance(trouble, UnreadablePostError):
        return Answered(400, "The request was not complete. Send the request again.", code="invalidSyntax")
    if isinstance(trouble, RecursionError):
        return Answered(
            400, "The request has too many levels. Send a request with fewer levels.", code="invalidSyntax"
        )
    if request_errors.no_room(trouble):
        log.error("no room is left", trouble=str(trouble))
        return Answered(507, NO_ROOM)
    if request_errors.away(trouble):
        return Answered(503, AWAY, Retry_After=str(retry_after))
    if request_errors.stopped(trouble):
        log.error("a statement took too long and was stopped")
        return Answered(503, STOPPED, Retry_After=str(retry_after))
    if isinstance(trouble, ValidationError):
        return Answered(400, " ".join(trouble.messages), code="invalidValue")
    if isinstance(trouble, DataError | UnicodeError):
        log.warning("a request holds what cannot be stored", trouble=str(trouble))
        return Answered(400, NOT_STORABLE, code="invalidValue")
    return None


def _unforeseen(trouble: Exception) -> Answered:
    reference = uuid.uuid4().hex[:12]
    log.error("a request of a machine ended in an error", reference=reference, exc_info=trouble)
    return Answered(
        500,
        "Plumbline could not answer. The request was denied and not stored. Give an administrator the "
        f"reference {reference}.",
    )


def too_long(most: int) -> Answered:
    """Return the error for a request of more than `most` bytes."""
    return Answered(413, f"The request is longer than {most} bytes. Send it in smaller parts.")


def body_of(request: HttpRequest, *types: str, most: int = 0) -> bytes:
    """Return the body of a request of one of these content types, up to `most` bytes (0: what any request may hold).

    Raises Answered: 413, 415.
    """
    kind = (request.content_type or "").strip().lower()
    if kind not in types and (kind or request.body):  # without a body there is no type either
        raise Answered(415, f"Send the request with Content-Type: {' or '.join(types)}.")
    if request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise Answered(415, "Send the request without Content-Encoding.")
    if most and len(request.body) > most:
        raise too_long(most)
    return request.body


def json_response(body: Any, status: int = 200, content_type: str = JSON) -> HttpResponse:
    """Return `body` as JSON in UTF-8. Half a character repeated from a request becomes U+FFFD."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    try:
        sent = text.encode()
    except UnicodeEncodeError:
        sent = readable_text.storable(text).encode()
    return HttpResponse(sent, content_type=content_type, status=status)
