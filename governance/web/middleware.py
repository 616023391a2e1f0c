"""Middleware: the id of a request for the audit log, and refusals turned into pages."""

import re
import time
import uuid

import structlog
from django.conf import settings
from django.contrib import auth
from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.http import HttpResponse, QueryDict
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from psycopg.errors import UniqueViolation

from governance.audit_log import entries
from governance.database import replica, request_memo, row_history
from governance.database.database_catalogue import broken_rule
from governance.operations import preparing
from governance.permission_result import Conflict, Refused
from governance.sign_in import sessions, signing, throttling
from governance.transparency_log import as_of
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.readable_text import one_spelling, shown
from governance.web import request_errors
from governance.web.pages import error_views
from governance.web.pages.as_of_views import CannotBeShown, Day, Look, cannot_be_shown

log = structlog.get_logger("plumbline.pages")
requests = structlog.get_logger("plumbline.requests")


class Machines:
    """Sends requests of running systems straight to their views. They are many and carry a key, not a session.

    The views mark their addresses (`for_machines`), so that there is one list of addresses.
    """

    PREFIX = (
        "/access/",
        "/otlp/",
        "/adoption/v1/",
        "/api/v1/",
        "/evidence/v1/",
        "/mcp",
        "/scim/",
        "/.well-known/",
    )

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info.startswith(self.PREFIX):
            try:
                found = resolve(request.path_info)
            except Resolver404:
                return self.get_response(request)
            if getattr(found.func, "for_machines", False):
                response = found.func(request, *found.args, **found.kwargs)
                response.headers.setdefault("Content-Length", str(len(response.content)))
                return response
        return self.get_response(request)


class Probes(Machines):
    """Load balancers ask by the address of a machine, not by a name that is known here: they are answered before the
    name is looked at, under the id and the headers that every page has.
    """

    PREFIX = ("/healthz", "/readyz", "/metrics")


def for_machines(view):
    """Mark a view that asks for a key itself or for none, and is reached without anything that serves people."""
    view.for_machines = view.open_to_all = view.csrf_exempt = True
    return view


class Unknown:
    """Keeps people unknown who answer surveys or report problems.

    The data of their browser is removed before any code reads it. So is a sign-in here, because its session would
    record the time. No response asks the browser to remember anything.
    """

    PREFIXES = ("/survey/", "/report/")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.path_info.startswith(self.PREFIXES):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        request.__dict__.pop("COOKIES", None)
        response = self.get_response(request)
        response.cookies.clear()
        if response.get("Vary") == "Cookie":
            del response["Vary"]  # it was taken off before anything was answered
        response.headers.setdefault("Cache-Control", "no-store")
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response


def for_the_unknown(view):
    """Mark a view without sign-in, whose address alone allows sending. A cookie could add nothing to that."""
    view.open_to_all = view.csrf_exempt = True
    return view


class PackedPages(GZipMiddleware):
    """Compresses pages. Django pads each by a random length, so the size does not reveal a secret.

    Files and answers for programs leave as they are: most are small or compressed already.
    """

    def process_response(self, request, response):
        """Return the response, compressed where it is a page and the browser takes that."""
        if response.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        return response


class ReadablePages(MiddlewareMixin):
    """Spell out the hidden characters of every page, so that each stored text has one reading."""

    def process_response(self, request, response):
        """Return the response. A page or picture made of text gets its readable form."""
        if response.streaming or not response.get("Content-Type", "").startswith(
            ("text/html", "image/svg+xml")
        ):
            return response
        page = response.content.decode()
        if (readable := shown(page)) != page:
            response.content = readable
        return response


class RequestId:
    """Give every request an id. Entries of the audit log, lines of the log, error pages and the response carry it.

    A proxy of ours may have given it already (`X-Request-ID`).
    """

    GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        began = time.monotonic()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        known = bool(self.GIVEN.fullmatch(given)) and throttling.is_proxy(request.META.get("REMOTE_ADDR", ""))
        request.id = given if known else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.id)
        token = row_history.set_request_id(request.id)
        row_history.concerns(None)
        try:
            response = self.get_response(request)
        finally:
            row_history.reset_request_id(token)
        response["X-Request-Id"] = request.id
        requests.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round((time.monotonic() - began) * 1000),
        )
        return response

    def process_view(self, request, view, args, kwargs):
        """Have lines of the log name the initiative of the address."""
        if ref := kwargs.get("ref"):
            structlog.contextvars.bind_contextvars(initiative=ref)


class OneLook:
    """Makes a page that only shows read each thing once. Sent forms read anew."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with request_memo.one_look():
            return self.get_response(request)


class PlainText(MiddlewareMixin):
    """Give every sent text one spelling before a view reads it (`one_spelling`). Passwords stay as they were typed.

    Text with a zero byte, which the database cannot hold, is turned away.
    """

    def process_view(self, request, view, args, kwargs):
        """Return a page with status 400 for a zero byte in address, field or its name."""
        request.GET = _spelled(request.GET)
        if request.method == "POST":
            request.POST = _spelled(request.POST)
        values = [request.path, *(value for name, row in request.GET.lists() for value in (name, *row))]
        if request.method == "POST":
            values += [value for name, row in request.POST.lists() for value in (name, *row)]
        if any("\x00" in value for value in values):
            return render(request, "400.html", status=400)
        return None


def _spelled(sent: QueryDict) -> QueryDict:
    """Return the sent fields with one spelling each, or the very same if they have it already."""
    found = {
        name: [one_spelling(value) for value in values]
        for name, values in sent.lists()
        if "password" not in name
    }
    if all(sent.getlist(name) == values for name, values in found.items()):
        return sent
    spelled = sent.copy()
    for name, values in found.items():
        spelled.setlist(name, values)
    spelled._mutable = False
    return spelled


class RefusalPages(MiddlewareMixin):
    """Show a refusal with its reasons (403), a lost race with who was first (409), a statement that ran away (503)."""

    def process_exception(self, request, exception):
        """Return a page for `Refused`, `Conflict` and the database's refusals, or None."""
        if isinstance(exception, signing.Shown):
            return exception.response()
        if request_errors.stopped(exception):
            log.error("a statement took too long and was stopped", path=request.path)
            if (
                connection.in_atomic_block
            ):  # around this page a day is being looked back at: nothing more is read
                transaction.set_rollback(True)
            return error_views.page(error_views.STOPPED, 503)
        if isinstance(exception, DatabaseError) and not isinstance(exception, ValidationError):
            exception = _refused_by_the_database(exception)
        if isinstance(exception, ValidationError):
            exception = Refused(" ".join(exception.messages))
        if not isinstance(exception, Refused):
            return None
        if request.method == "POST" and request.user.is_authenticated and not exception.recorded:
            # Refused by the page before an act began: it leaves its entry all the same (docs/architecture.md, trap 17).
            with row_history.acting(by=request.user):
                name = request.resolver_match.view_name
                entries.record(
                    EntryKind.REFUSED,
                    initiative=row_history.concerned(),
                    act=name,
                    answer=str(exception.answer),
                )
        back = request.META.get("HTTP_REFERER", "")
        own = back if back.startswith(f"{request.scheme}://{request.get_host()}/") else "/"
        if isinstance(exception, Conflict):
            link = next((reason.link for reason in exception.answer.reasons if reason.link), own)
            context = {
                "reason": str(exception.answer),
                "answer": exception.answer,
                "back_url": link,
                "back_text": "Go on",
                "typed": _typed(request),
            }
            return render(request, "409.html", context, status=409)
        context = {"answer": exception.answer, "back_url": own, "typed": _typed(request)}
        return render(request, "403.html", context, status=403)


def _typed(request) -> list[str]:
    """Return the texts of several words that were sent, so that a refusal loses nothing that someone wrote."""
    secret = re.compile("password|secret|code|token|key")
    sent = [value for name, values in request.POST.lists() if not secret.search(name) for value in values]
    return list(dict.fromkeys(value for value in sent if " " in value.strip()))


def _refused_by_the_database(error: DatabaseError) -> Refused | ValidationError | None:
    """Return what a trigger, a constraint or the size of a column refused, in words, or None for other errors.

    The codes of our triggers begin with PL.
    """
    cause = error.__cause__
    if isinstance(error, DataError):
        return Refused(
            "A text or a number is too large to be stored.", "Go back, correct it and send it again."
        )
    if isinstance(cause, UniqueViolation):
        return Conflict("The same was saved a moment ago.", "Open the page again to see it.")
    if isinstance(error, IntegrityError):
        return broken_rule(error)
    if not getattr(cause, "sqlstate", None) or not cause.sqlstate.startswith("PL"):
        return None
    said = cause.diag.message_primary.removeprefix("Plumbline: ")
    return Refused(said[:1].upper() + said[1:], cause.diag.message_hint or "")


class Language:
    """Pages are in the language that the person chose in their settings, else in that of the installation.

    `request.offered_language` is the language of the browser, with its own name, if the person has not chosen yet and
    pages are in another one.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        chosen = sessions.language(request) if settings.SESSION_COOKIE_NAME in request.COOKIES else ""
        of_browser = "" if chosen else translation.get_language_from_request(request)
        request.offered_language = (
            translation.get_language_info(of_browser)
            if of_browser and of_browser != settings.LANGUAGE_CODE
            else None
        )
        with translation.override(chosen or settings.LANGUAGE_CODE):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
        return response


class DemoBeingBuilt:
    """Refuses forms while `manage.py run` builds the demo, which acts for the same people. Pages show a note."""

    OPEN = ("/sign-in/", "/sign-out/")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.preparing = preparing.read()
        if request.preparing and request.method == "POST" and request.path_info not in self.OPEN:
            return error_views.page(error_views.DEMO_BEING_BUILT, 503)
        return self.get_response(request)


class SignedInOnly(MiddlewareMixin):
    """Everybody signs in first, except on the pages marked with `open_to_all`."""

    def process_view(self, request, view, args, kwargs):
        """Send strangers to the sign-in page. API callers are answered by their own views."""
        if request.user.is_authenticated:
            structlog.contextvars.bind_contextvars(person=request.user.pk)
            return None
        if getattr(view, "open_to_all", False):
            return None
        from django.contrib.auth.views import redirect_to_login  # which needs the apps

        back = request.META.get("HTTP_REFERER", "")
        if request.method == "POST" and url_has_allowed_host_and_scheme(back, {request.get_host()}):
            # To the page with the form, where the browser has kept what was typed.
            return redirect_to_login(back.partition(request.get_host())[2])
        return redirect_to_login(request.get_full_path())


class SeenNow:
    """Records when and in which browser a session was used, and ends one left long.

    Runs before the day is turned back, because a person who looks at 2024 is there today.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated and sessions.was_left(request):
            auth.logout(request)
        if request.user.is_authenticated:
            sessions.seen(request)
        return self.get_response(request)


class Replica:
    """Has pages that only show much read from the replica (`governance.database.replica`), where it is up to date.

    Pages of the past and the views that are marked with `reads_replica` are such pages. The primary
    answers again where the replica refuses, finds no page or fails, so that no page refuses by an older state.

    A person sees what they did: the browser keeps the place in the log up to which the replica must be.
    """

    SAFE = ("GET", "HEAD")
    MARGIN = 5  # seconds for which the place is kept beyond the bound of the lag

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not replica.set_up():
            return self.get_response(request)
        if request.method not in self.SAFE:
            return self._done(self.get_response(request))
        if not _only_shows_much(request):
            return self.get_response(request)
        found = replica.watch.latest()
        if not found.has(_place(request)):
            return self.get_response(request)
        with replica.reading(found):
            response = self.get_response(request)
        if response.status_code >= 400 and not hasattr(request, "ran_away"):
            return self.get_response(request)
        if response.streaming:
            response.streaming_content = replica.in_steps(response.streaming_content, found)
        return response

    def process_exception(self, request, exception):
        """Return a response that is made again from the primary, where the database failed and did not stop us."""
        if replica.read_from() is None or not isinstance(exception, DatabaseError):
            return None
        if request_errors.stopped(exception):
            request.ran_away = True  # it would run away from the primary too
            return None
        log.warning(
            "the replica failed, so the primary is read", path=request.path, trouble=str(exception).strip()
        )
        if request_errors.away(exception):
            replica.watch.failed()
        if connection.in_atomic_block:
            transaction.set_rollback(True)
        return HttpResponse(status=503)

    def _done(self, response):
        try:
            place = replica.place_now()
        except DatabaseError:  # it went away after the act, and the answer is the act's
            return response
        response.set_cookie(
            settings.WROTE_COOKIE_NAME,
            str(place),
            max_age=settings.REPLICA_LAG_SECONDS + self.MARGIN,
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
        return response


def _only_shows_much(request) -> bool:
    """Return True if the page is one of the past, or its view is marked."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    return hasattr(view, "reads_replica") or ("as_of" in request.GET and hasattr(view, "on_any_day"))


def _place(request) -> int:
    """Return the place in the log up to which this browser has written lately, or 0."""
    kept = request.COOKIES.get(settings.WROTE_COOKIE_NAME, "")
    return int(kept) if re.fullmatch(r"[0-9]{1,20}", kept) else 0


class AsOf:
    """`?as_of=` shows a page as it was known on another day. Rights are those of today, asked before turning back."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        asked = request.GET.get("as_of")
        if not asked or not request.user.is_authenticated:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            why = (
                "You cannot change the past, so your input was not saved. Open the page of today and send "
                "it again."
            )
            response = cannot_be_shown(request, why, status=405)
            response["Allow"] = "GET, HEAD"
            return response
        try:
            page = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        if not hasattr(page.func, "on_any_day"):
            return cannot_be_shown(request, "This page is available only for today.")
        try:
            opened = page.func.on_any_day(request.user, *page.args, **page.kwargs)
            known_until = as_of.known_until()
            day = Day.read(asked).can_be_shown(known_until)
        except Refused as refusal:
            context = {"answer": refusal.answer, "back_url": request.path}
            return render(request, "403.html", context, status=403)
        except CannotBeShown as trouble:
            return cannot_be_shown(request, str(trouble))
        if not hasattr(request, "look"):  # else the replica did not find it, and the primary is asked
            read_of(request.user, opened.initiative, page=page.view_name, as_of=day.asked)
        request.look = Look.at(request, day, known_until)
        with as_of.day(day.moment, opened=opened):
            response = self.get_response(request)
        if response.status_code == 404:
            return render(request, "governance/pages/asof_nothing.html", status=404)
        return response


def read_of(person, initiative=None, **facts) -> None:
    """Record that an auditor looks back. The separate transaction stays even if the page fails."""
    if person.is_auditor:
        with row_history.acting(by=person):
            entries.record(EntryKind.PAST_READ, initiative=initiative, **facts)


def on_any_day(door):
    """Mark a view as one that shows other days too.

    `door(person, **arguments of the view)` returns what is opened (`asof.Opened`) by the rights of today. It raises
    Refused, or Http404 to strangers.
    """

    def mark(view):
        view.on_any_day = door
        return view

    return mark
