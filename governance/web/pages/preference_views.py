"""Pages of one's own preferences: weekly digest, calendar, the key of the search."""

import hashlib

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.contributions import contributed
from governance.database.row_history import acting
from governance.models import CalendarFeed, Telling
from governance.notifications import calendar_feed as notification_calendar_feed
from governance.notifications import preferences
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import throttling
from governance.sign_in.sessions import open_to_all

WRONG_SECRETS = 20  # from one address, in that time
WRONG_SECONDS = 600


class DigestForm(forms.Form):
    """Whether and of what a person wants the weekly digest."""

    digest = forms.ChoiceField(
        label="You get it",
        help_text="Who works in no unit has the whole organisation for theirs.",
        choices=list(Telling.DIGESTS.items()),
        widget=forms.RadioSelect,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: SignedInRequest) -> HttpResponse:
    """What I chose; a new calendar address is shown here once, right after it was made."""
    chosen = Telling.objects.filter(person=request.user).first() or Telling(person=request.user)
    form = DigestForm(request.POST if request.method == "POST" else None, initial={"digest": chosen.digest})
    if request.method == "POST" and form.is_valid():
        preferences.choose_digest(choice=form.cleaned_data["digest"], by=request.user)
        messages.success(request, _("Saved."))
        return redirect("settings")
    context = {
        "nav": "settings",
        "form": form,
        "feed": CalendarFeed.objects.filter(person=request.user).first(),
        "units": [unit for follow in contributed.digest_units for unit in follow(request.user)],
    }
    return render(request, "governance/pages/settings.html", context)


@never_cache
@require_POST
def make_calendar(request: SignedInRequest) -> HttpResponse:
    """A new secret address, shown in the answer and never again."""
    secret = preferences.make_calendar(by=request.user)
    address = f"{settings.ADDRESS}{reverse('calendar', args=[secret])}"
    return render(request, "governance/pages/calendar_made.html", {"nav": "settings", "address": address})


@require_POST
def revoke_calendar_address(request: SignedInRequest) -> HttpResponse:
    """No address any more."""
    with acting(by=request.user, reason="Calendar address revoked"):
        preferences.revoke_calendar_address(person=request.user)
    messages.success(request, _("The address opens nothing any more."))
    return redirect("settings")


@open_to_all
@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """What is due to whoever made this secret, for a calendar program: no session, a limit an hour, an ETag."""
    address = throttling.address_of(request)
    feed = None if _guesses(address) > WRONG_SECRETS else preferences.open_calendar(secret)
    if feed is None:
        _guesses(address, one_more=True)
        return _quietly("No such calendar.", 404)
    until = preferences.count_read(feed)
    if until is not None:
        answer = _quietly("Too often. Once an hour is enough.", 429)
        answer["Retry-After"] = str(max(1, int((until - clock.now()).total_seconds())))
        return answer
    days = [day for due in contributed.calendar_days for day in due(feed.person)]
    body = notification_calendar_feed.written(days, name="Plumbline")
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="plumbline.ics"'
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, max-age=3600"
    return get_conditional_response(request, etag=etag, response=answer)


def _guesses(address: str | None, *, one_more: bool = False) -> int:
    """Wrong secrets from an address lately. A guess is hopeless; this keeps one who tries from keeping us busy."""
    key = f"calendar-guesses-{address}"
    cache.add(key, 0, WRONG_SECONDS)
    return cache.incr(key) if one_more else cache.get(key, 0)


def _quietly(words: str, status: int) -> HttpResponse:
    """A refusal whose address, which may be a secret that was right once, is not written into a log."""
    answer = HttpResponse(f"{words}\n", content_type="text/plain; charset=utf-8", status=status)
    answer._has_been_logged = True
    return answer


@csrf_exempt
@open_to_all
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave_digest(request: HttpRequest, token: str) -> HttpResponse:
    """End the digests of whoever got this address in one, without signing in; mail programs may press it (RFC 8058)."""
    person = preferences.person_leaving(token)
    if person is None:
        return render(request, "404.html", status=404)
    if request.method == "POST":
        preferences.choose_digest(choice=Telling.NEVER, by=person)
    return render(request, "governance/pages/digest_left.html", {"left": request.method == "POST"})
