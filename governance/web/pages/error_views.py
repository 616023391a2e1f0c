"""The pages for what went wrong around a request: each says what, and what to do, with the status that is true.

They need no database and no session, either of which may be what is missing.
"""

import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import bad_request as not_understood
from django.views.defaults import server_error as broken

from governance.web import request_errors

log = structlog.get_logger("plumbline.pages")

AWAY = (
    "Come back in a minute",
    "Plumbline cannot reach its database just now. Nothing was saved, and nothing was half done.",
    "Go back and try again in a minute. What you typed is usually still in the form. If it lasts, tell an "
    "administrator.",
)
STOPPED = (
    "This takes too long just now",
    "The database was told to stop. Nothing was saved, and nothing was half done.",
    "Go back and try again in a minute or two, or ask for less: a shorter period, one unit, one initiative. "
    "What you typed "
    "is usually still in the form. If it happens again, tell an administrator the time and the page.",
)
NO_ROOM = (
    "There is no room left",
    "The disk that Plumbline writes to is full. What you sent was not saved, and nothing was half done.",
    "Tell an administrator now: room has to be made. Then go back and send it again. Reading works meanwhile.",
)
TOO_LARGE = (
    "That was too much at once",
    "What was sent is larger than one form may be, or has too many fields or files. Nothing was saved.",
    "Go back and send it in parts: fewer rows, shorter texts, fewer files at a time.",
)


def page(words: tuple[str, str, str], status: int) -> HttpResponse:
    """One of the pages above; where to come back makes sense, the browser is told when."""
    heading, what, then = words
    context = {"heading": heading, "what": what, "then": then}
    headers = {"Retry-After": "60"} if status == 503 else None
    return HttpResponse(render_to_string("trouble.html", context), status=status, headers=headers)


def server_error(request: HttpRequest) -> HttpResponse:
    """No room (507), no database or one that stopped us (503), else an error of ours (500)."""
    trouble = sys.exc_info()[1]
    if request_errors.no_room(trouble):
        return page(NO_ROOM, 507)
    if request_errors.stopped(trouble):
        return page(STOPPED, 503)
    if request_errors.away(trouble):
        return page(AWAY, 503)
    return broken(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """More than one request may hold (413), else what could not be read (400)."""
    if isinstance(exception, request_errors.TOO_LARGE):
        return page(TOO_LARGE, 413)
    return not_understood(request, exception)
