"""The pages for errors around a request, each with its error, fix and status.

They need no database and no session, either of which may be what is missing.
"""

import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import bad_request as not_understood
from django.views.defaults import server_error as broken

from governance.storage.kept_files import StoreAway
from governance.web import request_errors

log = structlog.get_logger("plumbline.pages")

AWAY = (
    "Come back in a minute",
    "Plumbline cannot reach its database at this moment. Your changes were not saved.",
    (
        "Go back and try again in a minute. Your text is usually still in the form. If this continues, tell an "
        "admin."
    ),
)
STORE_AWAY = (
    "Come back in a minute",
    "Plumbline cannot reach its store of files at this moment. Your changes were not saved.",
    "Go back and try again in a minute. If this continues, tell an admin.",
)
STOPPED = (
    "This takes too long at this moment",
    "The database stopped the request. Your changes were not saved.",
    (
        "Go back and try again in a minute or two, or ask for less: a shorter period, one unit, one "
        "initiative. Your text is usually still in the form. If this happens again, tell an admin the time and "
        "the page."
    ),
)
NO_ROOM = (
    "The disk is full",
    "The disk of Plumbline is full. Your changes were not saved.",
    (
        "Tell an admin now, so that space is freed. Then go back and send the form again. You can still read "
        "pages."
    ),
)
DEMO_BEING_BUILT = (
    "The demo is not complete yet",
    "Plumbline is building the demo. Your changes were not saved.",
    "You can read pages now. Send the form again when pages no longer show the note about the demo.",
)
STILL_SAVING = (
    "This form was sent twice",
    "The first time counts, and Plumbline still works on it.",
    "Go back and open the page again in a minute. The page shows whether your changes were saved.",
)
TOO_LARGE = (
    "The form is too large",
    "The form is too large, or has too many fields or files. Your changes were not saved.",
    "Go back and send the form in parts, with fewer rows, shorter texts or fewer files.",
)


def page(words: tuple[str, str, str], status: int) -> HttpResponse:
    """Return one of the pages above. A page with status 503 has a Retry-After of 60 seconds."""
    heading, what, then = words
    context = {"heading": heading, "what": what, "then": then}
    headers = {"Retry-After": "60"} if status == 503 else None
    return HttpResponse(render_to_string("trouble.html", context), status=status, headers=headers)


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the page for a full disk (507), the database or the store of files (503) or another error (500)."""
    trouble = sys.exc_info()[1]
    if request_errors.no_room(trouble):
        return page(NO_ROOM, 507)
    if request_errors.stopped(trouble):
        return page(STOPPED, 503)
    if isinstance(trouble, StoreAway):
        return page(STORE_AWAY, 503)
    if request_errors.away(trouble):
        return page(AWAY, 503)
    return broken(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """More than one request may hold (413), else what could not be read (400)."""
    if isinstance(exception, request_errors.TOO_LARGE):
        return page(TOO_LARGE, 413)
    return not_understood(request, exception)
