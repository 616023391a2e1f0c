"""A form that a browser sends twice at once counts once: a double click adds one row."""

import hashlib
import time
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.utils.translation import gettext as _

from governance import clock
from governance.models import Session
from governance.web.pages import error_views

TOKEN = "csrfmiddlewaretoken"  # each page that is shown has its own, so it tells one page from the next
AT_ONCE = timedelta(seconds=30)  # the same page, sent again after that, is meant
WAIT, STEP = 10.0, 0.1  # seconds: for how long the second request waits for the first, and how often it looks


class SentOnce:
    """Answers the second of two requests with the same form from the same page as the first was answered.

    The session keeps the last form: its digest and the address to which its answer led. An answer that leads nowhere
    (an error, a page with a remark, a file) leaves nothing behind, so that the form can be sent again.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if digest := getattr(request, "sent_form", None):
            answered = Session.objects.filter(session_key=request.session.session_key, sent=digest)
            if response.status_code in (302, 303):
                answered.update(sent_to=response["Location"])
            else:
                answered.update(sent="")
        return response

    def process_view(self, request, view, args, kwargs):
        """Return where the first request led, or None if this one is the first."""
        if request.method != "POST" or not request.user.is_authenticated or not request.POST.get(TOKEN):
            return None
        digest = _digest(request)
        if _is_first(request, digest):
            request.sent_form = digest
            return None
        to = _answer_to_first(request, digest)
        if not to:
            return error_views.page(error_views.STILL_SAVING, 409)
        messages.info(request, _("Your browser sent this form twice. Plumbline saved the form once."))
        return HttpResponseRedirect(to)


def _digest(request) -> str:
    """Return the digest of address, fields, and names and sizes of files."""
    files = sorted((name, one.name, one.size) for name, row in request.FILES.lists() for one in row)
    sent = repr((request.get_full_path(), sorted(request.POST.lists()), files))
    return hashlib.sha256(sent.encode()).hexdigest()


def _is_first(request, digest: str) -> bool:
    """Note the form in the session. Return False if the session noted the same one a moment ago."""
    now = clock.now()
    mine = Session.objects.filter(session_key=request.session.session_key)
    noted = mine.exclude(sent=digest, sent_at__gt=now - AT_ONCE)
    return bool(noted.update(sent=digest, sent_at=now, sent_to="")) or not mine.exists()


def _answer_to_first(request, digest: str) -> str | None:
    """Wait for the answer to the first request. Return where it led, empty or None if it led nowhere in time."""
    mine = Session.objects.filter(session_key=request.session.session_key, sent=digest)
    ends = time.monotonic() + WAIT
    while True:
        to = mine.values_list("sent_to", flat=True).first()
        if to or to is None or time.monotonic() >= ends:
            return to
        time.sleep(STEP)
