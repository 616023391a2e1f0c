"""Pages of a person's preferences: language, weekly digest, calendar."""

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
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.contributions import contributed
from governance.database.row_history import acting
from governance.identity import ways_in
from governance.models import CalendarFeed, Preferences
from governance.notifications import calendar_feed as notification_calendar_feed
from governance.notifications import preferences
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import sessions, throttling
from governance.sign_in.sessions import open_to_all
from governance.vocabulary.entry_kinds import EntryKind

WRONG_SECRETS = 20  # from one address, in that time
WRONG_SECONDS = 600


class PreferencesForm(forms.Form):
    """The language of a person's pages and emails, and which weekly digest they get."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        help_text=gettext_lazy(
            "For pages and emails. Tasks, refusals, the audit log and the statements that you sign are in English."
        ),
        choices=settings.LANGUAGES,
        required=False,
    )
    digest = forms.ChoiceField(
        label=gettext_lazy("You get the digest"),
        help_text=gettext_lazy("People without a unit get the whole organisation."),
        choices=list(Preferences.DIGESTS.items()),
        widget=forms.RadioSelect,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: SignedInRequest) -> HttpResponse:
    """Show the preferences. A new calendar address is shown only once, right after its creation."""
    chosen = Preferences.objects.filter(person=request.user).first() or Preferences(person=request.user)
    initial = {"digest": chosen.digest, "language": chosen.language or settings.LANGUAGE_CODE}
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        preferences.choose_digest(choice=form.cleaned_data["digest"], by=request.user)
        if language := form.cleaned_data["language"]:
            preferences.choose_language(language=language, by=request.user)
            sessions.keep_language(request, language)
        messages.success(request, _("Saved."))
        return redirect("settings")
    context = {
        "nav": "settings",
        "form": form,
        "ways": ways_in.preview(
            request.user, EntryKind.CALENDAR_ADDRESS_REVOKED, request.session.session_key
        ),
        "feed": CalendarFeed.objects.filter(person=request.user).first(),
        "mails": settings.MAILS_A_WEEK,
        "units": [unit for follow in contributed.digest_units for unit in follow(request.user)],
    }
    return render(request, "governance/pages/settings.html", context)


@never_cache
@require_POST
def make_calendar(request: SignedInRequest) -> HttpResponse:
    """Make a new secret address and show it once, in the answer."""
    secret = preferences.make_calendar(by=request.user)
    address = f"{settings.ADDRESS}{reverse('calendar', args=[secret])}"
    return render(request, "governance/pages/calendar_made.html", {"nav": "settings", "address": address})


@require_POST
def revoke_calendar_address(request: SignedInRequest) -> HttpResponse:
    """Revoke the calendar address."""
    with acting(by=request.user, reason="Calendar address revoked"):
        preferences.revoke_calendar_address(person=request.user)
    messages.success(request, _("The address no longer works."))
    return redirect("settings")


@open_to_all
@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Show a calendar program what is due to the secret's owner. The limit is hourly, with an ETag."""
    address = throttling.address_of(request)
    feed = None if _guesses(address) > WRONG_SECRETS else preferences.open_calendar(secret)
    if feed is None:
        _guesses(address, one_more=True)
        return _quietly("This calendar does not exist.", 404)
    until = preferences.count_read(feed)
    if until is not None:
        answer = _quietly("Too many requests. Read the calendar once an hour.", 429)
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
    """Count recent wrong secrets from an address. A guess is hopeless, but the limit saves work."""
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
    """End the digests of the person with this address, without signing in. Mail programs may post it (RFC 8058)."""
    person = preferences.person_leaving(token)
    if person is None:
        return render(request, "404.html", status=404)
    if request.method == "POST":
        preferences.choose_digest(choice=Preferences.NEVER, by=person)
    return render(request, "governance/pages/digest_left.html", {"left": request.method == "POST"})
