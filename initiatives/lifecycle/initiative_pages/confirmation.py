"""The step before every act: consequences are shown and confirmed."""

import copy
import hashlib
import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.messages.storage import default_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from governance.database import rehearsing, row_history
from initiatives.lifecycle.initiative.rehearsal import rehearse

CONFIRMED = "confirmed"  # the field by which a page sends back which consequences it showed
ASKED = "HTTP_X_CONSEQUENCES"  # the header by which a script asks for the consequences alone
# Signing in, ways to sign, and what a person keeps for themselves: no initiative is concerned.
UNREHEARSED = (
    "governance.sign_in.",
    "governance.identity.",
    "governance.api_tokens.",
    "governance.notifications.",
    "governance.events.",  # looks up names of hosts
    "governance.web.pages.status_views",  # sends mails
    "django.contrib.auth.",
)


@dataclass
class Consequences:
    """The sentences that a page shows before its act. A form of the page, shown again, carries the digest.

    `asked` is True until the person has confirmed them. `shown` is the number of forms that show them.
    """

    sentences: list[str]
    digest: str
    asked: bool = True
    shown: int = 0


class Confirmation:
    """Middleware that shows the consequences of a POST before its act.

    The view runs in a rehearsal that is rolled back. A view without consequences then runs for good at once. A view
    with consequences runs with its acts withheld, and a page with a form shows itself again with all input. One page
    asks for all others.
    """

    def __init__(self, get_response: Callable):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response of the view, or of the step before."""
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs) -> HttpResponse | None:
        """Return the step before the act, or None if the act may be done."""
        if request.method != "POST" or not request.user.is_authenticated:
            return None
        if getattr(view, "open_to_all", False) or getattr(view, "not_rehearsed", False):
            return None
        if view.__module__.startswith(UNREHEARSED):
            return None

        def run() -> HttpResponse:
            with _aside(request):
                return view(request, *args, **kwargs)

        sentences = rehearsed(request, run)
        digest = digest_of(request, sentences)
        if request.META.get(ASKED):
            return _asked(request, Consequences(sentences, digest))
        if not sentences:
            return None
        confirmed = request.POST.get(CONFIRMED) == digest
        request.consequences = Consequences(sentences, digest, asked=not confirmed)
        if confirmed:
            return None
        try:
            with rehearsing.withheld():
                response = run()
        except rehearsing.Unconfirmed:
            response = None
        if response is not None and request.consequences.shown:
            return response
        return _page(request)


def rehearsed(request: HttpRequest, run: Callable[[], HttpResponse]) -> list[str]:
    """Return the consequences of the request. Empty if its view fails, because the view shows the error."""
    try:
        return rehearse(run, by=request.user)
    finally:
        row_history.concerns(None)
        for file in request.FILES.values():
            file.seek(0)


def digest_of(request: HttpRequest, sentences: list[str]) -> str:
    """Return a digest of consequences, page, person and files."""
    said = json.dumps([request.path, request.user.pk, sentences, sorted(request.FILES)])
    return hashlib.sha256(said.encode()).hexdigest()


@contextmanager
def _aside(request: HttpRequest):
    """Keep a view's changes of session, messages and person apart."""
    kept: dict[str, Any] = {name: getattr(request, name) for name in ("session", "_messages", "user")}
    request.session, request.user = copy.copy(request.session), copy.copy(request.user)
    if hasattr(request.session, "_session_cache"):
        request.session._session_cache = copy.deepcopy(request.session._session_cache)
    request._messages = default_storage(request)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(request, name, value)


def _asked(request: HttpRequest, consequences: Consequences) -> JsonResponse:
    """Return the consequences for a script to show above a form with a file. Empty if there are none."""
    context = {"consequences": consequences}
    html = render_to_string("_components/consequences.html", context) if consequences.sentences else ""
    return JsonResponse({"html": html, CONFIRMED: consequences.digest})


def _page(request: HttpRequest) -> HttpResponse:
    """Show the page that asks, for acts whose own page cannot."""
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in (CONFIRMED, "csrfmiddlewaretoken", "password")
    ]
    back = request.META.get("HTTP_REFERER", "")
    own = back if back.startswith(f"{request.scheme}://{request.get_host()}/") else "/"
    context = {
        "typed": typed,
        "back_url": own,
        "files": bool(request.FILES),
        "signed": "password" in request.POST,
    }
    return render(request, "initiatives/initiative/confirm.html", context)
