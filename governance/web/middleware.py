"""Middleware: the id of a request for the audit log, and refusals turned into pages."""

import uuid

import structlog
from django.contrib import auth
from django.db import DatabaseError, connection, transaction
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin

from governance.audit_log import entries
from governance.database import request_memo, row_history
from governance.permission_result import Conflict, Refused
from governance.sign_in import sessions, signing
from governance.transparency_log import as_of
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.readable_text import shown
from governance.web import request_errors
from governance.web.pages import error_views
from governance.web.pages.as_of_views import CannotBeShown, Day, Look, cannot_be_shown

log = structlog.get_logger("plumbline.pages")


class Machines:
    """Requests of running systems go straight to their views: they carry a key, not a session, and there are many.

    Which addresses those are is what their views say (`for_machines`), so that there is one list of addresses.
    """

    PREFIX = ("/access/", "/otlp/", "/adoption/v1/", "/scim/", "/.well-known/")

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

    PREFIX = ("/healthz", "/readyz")


def for_machines(view):
    """Mark a view that asks for a key itself or for none, and is reached without anything that serves people."""
    view.for_machines = view.open_to_all = view.csrf_exempt = True
    return view


class Unknown:
    """Whoever answers a survey, reports a problem or reads a public page stays unknown: what their browser says about
    them is taken off before anybody reads it.

    Not even that somebody is signed in here, whose session would otherwise note when they were there last; and no
    response asks the browser to remember anything.
    """

    PREFIXES = ("/survey/", "/report/", "/public/")

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
        response.headers.setdefault("Cache-Control", "no-store")  # a badge says how long it is good
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response


def for_the_unknown(view):
    """Mark a view that nobody signs in for, and whose address is what allows to send: no cookie could add to that."""
    view.open_to_all = view.csrf_exempt = True
    return view


class PackedPages(GZipMiddleware):
    """Pages leave compressed; Django pads each by a random length, so that their size tells nothing of a secret.

    Files and answers for programs leave as they are: most are small or compressed already.
    """

    def process_response(self, request, response):
        """The response, compressed where it is a page and the browser takes that."""
        if response.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        return response


class ReadablePages(MiddlewareMixin):
    """Spell out the hidden characters of every page, so that each stored text has one reading."""

    def process_response(self, request, response):
        """The response; of a page or picture made of text, its readable form."""
        if response.streaming or not response.get("Content-Type", "").startswith(
            ("text/html", "image/svg+xml")
        ):
            return response
        page = response.content.decode()
        if (readable := shown(page)) != page:
            response.content = readable
        return response


class RequestId:
    """Give every request an id, which entries of the audit log carry."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = uuid.uuid4().hex
        token = row_history.set_request_id(request.id)
        row_history.concerns(None)
        try:
            response = self.get_response(request)
        finally:
            row_history.reset_request_id(token)
        response["X-Request-Id"] = request.id
        return response


class OneLook:
    """A page that is only looked at reads each thing once; whatever is sent reads anew."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with request_memo.one_look():
            return self.get_response(request)


class PlainText(MiddlewareMixin):
    """Turn away text with a zero byte, which the database cannot hold, before it reaches a view."""

    def process_view(self, request, view, args, kwargs):
        """A page with status 400 when the address, or a field or its name, holds a zero byte."""
        values = [request.path, *(value for name, row in request.GET.lists() for value in (name, *row))]
        if request.method == "POST":
            values += [value for name, row in request.POST.lists() for value in (name, *row)]
        if any("\x00" in value for value in values):
            return render(request, "400.html", status=400)
        return None


class RefusalPages(MiddlewareMixin):
    """Show a refusal with its reasons (403), a lost race with who was first (409), a statement that ran away (503)."""

    def process_exception(self, request, exception):
        """A page for `Refused`, `Conflict` and what the database's own guards refuse or stop; nothing for others."""
        if isinstance(exception, signing.Shown):
            return exception.response()
        if request_errors.stopped(exception):
            log.error("a statement took too long and was stopped", path=request.path)
            if (
                connection.in_atomic_block
            ):  # around this page a day is being looked back at: nothing more is read
                transaction.set_rollback(True)
            return error_views.page(error_views.STOPPED, 503)
        if isinstance(exception, DatabaseError):
            exception = _refused_by_the_database(exception)
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
            }
            return render(request, "409.html", context, status=409)
        return render(request, "403.html", {"answer": exception.answer, "back_url": own}, status=403)


def _refused_by_the_database(error: DatabaseError) -> Refused | None:
    """The refusal in words, when one of our triggers raised it (their codes begin with PL)."""
    cause = error.__cause__
    if not getattr(cause, "sqlstate", None) or not cause.sqlstate.startswith("PL"):
        return None
    said = cause.diag.message_primary.removeprefix("Plumbline: ")
    return Refused(said[:1].upper() + said[1:], cause.diag.message_hint or "")


class SignedInOnly(MiddlewareMixin):
    """Everybody signs in first, except on the pages marked with `open_to_all`."""

    def process_view(self, request, view, args, kwargs):
        """Send strangers to the sign-in page; API callers are answered by their own views."""
        if request.user.is_authenticated or getattr(view, "open_to_all", False):
            return None
        from django.contrib.auth.views import redirect_to_login  # which needs the apps

        return redirect_to_login(request.get_full_path())


class SeenNow:
    """The session of whoever signed in says when they were there last, and in which browser; one left alone for long
    ends.

    Before the day is turned back: somebody who looks at 2024 is there today.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated and sessions.was_left(request):
            auth.logout(request)
        if request.user.is_authenticated:
            sessions.seen(request)
        return self.get_response(request)


class AsOf:
    """`?as_of=` shows a page as it was known on another day. Rights are those of today, asked before turning back."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        asked = request.GET.get("as_of")
        if not asked or not request.user.is_authenticated:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            why = "Nothing can be changed on another day. What you sent was not taken; today's page takes it."
            response = cannot_be_shown(request, why, status=405)
            response["Allow"] = "GET, HEAD"
            return response
        try:
            page = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        if not hasattr(page.func, "on_any_day"):
            return cannot_be_shown(request, "This page is only shown as it is today.")
        try:
            opened = page.func.on_any_day(request.user, *page.args, **page.kwargs)
            known_until = as_of.known_until()
            day = Day.read(asked).can_be_shown(known_until)
        except Refused as refusal:
            context = {"answer": refusal.answer, "back_url": request.path}
            return render(request, "403.html", context, status=403)
        except CannotBeShown as trouble:
            return cannot_be_shown(request, str(trouble))
        read_of(request.user, opened.initiative, page=page.view_name, as_of=day.asked)
        request.look = Look.at(request, day, known_until)
        with as_of.day(day.moment, opened=opened):
            response = self.get_response(request)
        if response.status_code == 404:
            return render(request, "governance/pages/asof_nothing.html", status=404)
        return response


def read_of(person, initiative=None, **facts) -> None:
    """Record that an auditor looks back, in a transaction of its own: what was read is told although the page fails."""
    if person.is_auditor:
        with row_history.acting(by=person):
            entries.record(EntryKind.PAST_READ, initiative=initiative, **facts)


def on_any_day(door):
    """Mark a view as one that shows other days too.

    `door(person, **arguments of the view)` says by the rights of today what is opened (`asof.Opened`); it raises
    Refused, or Http404 to strangers.
    """

    def mark(view):
        view.on_any_day = door
        return view

    return mark
