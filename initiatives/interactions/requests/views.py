"""Pages of requests of persons: the list, one request, and a page for each step."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.interaction_log.keys import NoMaster
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from initiatives.interactions.requests import actions, copies, erasing, searches
from initiatives.interactions.requests.forms import (
    AnswerForm,
    CopyForm,
    EraseForm,
    IdentityForm,
    RequestForm,
    TextForm,
    WhyForm,
)
from initiatives.interactions.requests.permissions import (
    may_change,
    may_handle_requests,
    may_search,
    may_see_requests,
    may_take_copy,
    may_work_on,
)
from initiatives.interactions.views import NO_MASTER
from initiatives.lifecycle.evidence.file_views import guarded
from initiatives.lifecycle.initiative.initiative_frame import acted, page_of, sent
from initiatives.models import Initiative, SubjectExport, SubjectRequest

TAKES = ["GET", "HEAD", "POST"]
NAV = "subject-requests"


def _found(pk: int) -> SubjectRequest:
    rows = SubjectRequest.objects.select_related(
        "handler", "recorded_by", "identified_by", "searched_by", "extended_by", "answered_by", "closed_by"
    )
    return get_object_or_404(rows, pk=pk)


def form_page(request: SignedInRequest, row: SubjectRequest | None, form, **more) -> HttpResponse:
    """Show one form with its title, effects and button. `more`: title, verb, happens, danger."""
    status = form.status if isinstance(form, SigningForm) else 200
    back = row.get_absolute_url() if row else reverse("subject-requests")
    words = _("Request %(pk)s") % {"pk": row.pk} if row else _("Requests of persons")
    context = {
        "nav": NAV,
        "form": form,
        "back_url": back,
        "back_words": words,
        "happens": [],
        "danger": False,
    }
    context |= more
    return render(request, "initiatives/interactions/requests/request_form.html", context, status=status)


def with_master(act: Callable):
    """Return the result of an act. Raises Conflict if the file of a master key is missing."""
    try:
        return act()
    except NoMaster:
        raise Conflict(NO_MASTER) from None


def _step(request, pk, may, form_of, act, done, **more) -> HttpResponse:
    """Show one step of a request on its page, or do it."""
    row = _found(pk)
    may(row, request.user).or_refuse()
    form = form_of(row)
    if acted(request, form, lambda: with_master(lambda: act(row, form.cleaned_data))):
        messages.success(request, done)
        return redirect(row)
    return form_page(request, row, form, **more)


@require_safe
def requests(request: SignedInRequest) -> HttpResponse:
    """Show every request, newest first, with its progress and without names."""
    may_see_requests(request.user).or_refuse()
    context = {
        "nav": NAV,
        "page": page_of(request, SubjectRequest.objects.select_related("handler")),
        "handles": bool(may_handle_requests(request.user)),
        "today": clock.today(),
    }
    return render(request, "initiatives/interactions/requests/requests.html", context)


@sensitive_post_parameters("name", "contact", "identifiers", "words")
@require_http_methods(TAKES)
def receive(request: SignedInRequest) -> HttpResponse:
    """Record a request."""
    may_handle_requests(request.user).or_refuse()
    initiatives = Initiative.objects.own().order_by("number")
    form = RequestForm(sent(request), initiatives=initiatives, initial={"received_on": clock.today()})
    row = acted(
        request, form, lambda: with_master(lambda: actions.receive(**form.cleaned_data, by=request.user))
    )
    if row:
        messages.success(request, _("The request is recorded. Check the identity next, then you can search."))
        return redirect(row)
    return form_page(
        request,
        None,
        form,
        title=_("Record a request of a person"),
        verb=_("Record the request"),
        happens=[
            _("You handle the request. The answer is due a month after the day of receipt."),
            _("The name of the person is encrypted, and destroyed 30 days after the request is closed."),
        ],
    )


@require_safe
def request_page(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one request: its steps, its hits, and the next step."""
    may_see_requests(request.user).or_refuse()
    row, person = _found(pk), request.user
    hits = row.hits.all()
    exports = list(row.exports.select_related("made_by"))
    open_copy = next((one for one in exports if one.ended_at is None), None)
    searches_ = list(row.text_searches.select_related("initiative"))
    context = {
        "nav": NAV,
        "row": row,
        "late": row.answered_at is None and clock.today() > row.due_on,
        "scope": searches.within(row) if row.numbers else [],
        "counts": {
            "all": hits.count(),
            "open": hits.filter(belongs__isnull=True).count(),
            "theirs": hits.filter(belongs=True).count(),
        },
        "texts": searches_,
        "exports": exports,
        "copy": open_copy,
        "erasure": row.erasures.select_related("by").first(),
        "works": bool(may_work_on(row, person)),
        "changes": bool(may_change(row, person)),
        "searches": bool(may_search(row, person)),
        "takes": bool(may_take_copy(row, person)),
        "takes_over": bool(may_handle_requests(person)) and row.handler_id != person.pk and not row.closed_at,
    }
    return render(request, "initiatives/interactions/requests/request.html", context)


@never_cache
@require_POST
def person(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the person who asks to the handler. The access is recorded."""
    row = _found(pk)
    who = with_master(lambda: actions.open_person(request=row, by=request.user))
    context = {"nav": NAV, "row": row, "who": who}
    return render(request, "initiatives/interactions/requests/person.html", context)


@require_http_methods(TAKES)
def identity(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record how the identity was checked."""
    return _step(
        request,
        pk,
        may_change,
        lambda row: IdentityForm(sent(request)),
        lambda row, said: actions.check_identity(request=row, by=request.user, **said),
        _("The identity check is recorded. You can search the log now."),
        title=_("Check the identity"),
        verb=_("I checked the identity"),
        happens=[_("The check is recorded with your name. Then you can search the log for this person.")],
    )


@require_http_methods(TAKES)
def extend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Extend the time by two months."""
    return _step(
        request,
        pk,
        may_change,
        lambda row: WhyForm(sent(request)),
        lambda row, said: actions.extend(request=row, by=request.user, **said),
        _("The time is extended. Tell the person now, with the reason."),
        title=_("Extend the time"),
        verb=_("Extend the time"),
        happens=[
            _(
                "The answer is then due three months after the day of receipt. Only one extension is "
                "possible (GDPR, Article 12(3))."
            ),
            _("You must tell the person, with the reason, within the first month."),
        ],
    )


@require_http_methods(TAKES)
def take_over(request: SignedInRequest, pk: int) -> HttpResponse:
    """Handle a request in place of another person."""
    return _step(
        request,
        pk,
        lambda row, person: may_handle_requests(person),
        lambda row: WhyForm(sent(request)),
        lambda row, said: actions.take_over(request=row, by=request.user, **said),
        _("You handle this request now."),
        title=_("Take over the request"),
        verb=_("Take over the request"),
        happens=[_("You get the reminders. The earlier handler can no longer work on the request.")],
    )


@require_POST
def search(request: SignedInRequest, pk: int) -> HttpResponse:
    """Search by pseudonym."""
    row = _found(pk)
    count, new = with_master(lambda: searches.search(request=row, by=request.user))
    messages.success(
        request,
        _("The search found %(count)s interactions, %(new)s of them new.") % {"count": count, "new": new},
    )
    return redirect(row)


@sensitive_post_parameters("text")
@require_http_methods(TAKES)
def search_text(request: SignedInRequest, pk: int) -> HttpResponse:
    """Search for a text."""
    today = clock.today()
    return _step(
        request,
        pk,
        may_search,
        lambda row: TextForm(
            sent(request),
            initiatives=Initiative.objects.filter(
                pk__in=[initiative.pk for initiative in searches.within(row)]
            ).order_by("number"),
            initial={"first": actions.months_after(today, -12), "last": today},
        ),
        lambda row, said: searches.search_text(request=row, by=request.user, **said),
        _("The search runs, one initiative after the other. Plumbline adds the results to the request."),
        title=_("Search for a text"),
        verb=_("Start the search"),
        happens=[_("Texts are decrypted in memory only. Your search text is kept only in the request.")],
    )


@require_http_methods(TAKES)
def copy(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make the copy."""
    return _step(
        request,
        pk,
        may_search,
        lambda row: CopyForm(sent(request)),
        lambda row, said: copies.make_copy(request=row, by=request.user, **said),
        _("The copy is made. Download its file, and give it to the person."),
        title=_("Make the copy"),
        verb=_("Make the copy"),
        happens=[
            _(
                "The copy contains each interaction of the person, with its text, time, system, model and "
                "clause."
            ),
            _("No file of the copy contains words that are blacked out."),
            _(
                "Only the handler of the request can download the file. The file is removed after 30 "
                "days, or when the request ends."
            ),
        ],
    )


def _export(pk: int) -> SubjectExport:
    return get_object_or_404(SubjectExport.objects.select_related("request"), pk=pk)


@never_cache
@require_POST
def copy_file(request: SignedInRequest, pk: int) -> HttpResponse:
    """Return the file of a copy."""
    export = _export(pk)
    content = with_master(lambda: copies.take_copy(export=export, by=request.user))
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = (
        f'attachment; filename="request-{export.request_id}-copy-{export.pk}.zip"'
    )
    return guarded(response, framed_by="'none'")


@require_POST
def copy_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke a copy before its day."""
    export = _export(pk)
    copies.revoke_copy(export=export, by=request.user)
    messages.success(request, _("The copy is revoked, and its file is removed."))
    return redirect(export.request)


@sensitive_post_parameters("password")
@require_http_methods(TAKES)
def erase(request: SignedInRequest, pk: int) -> HttpResponse:
    """Erase what belongs to the person, with a signature."""
    return _step(
        request,
        pk,
        may_search,
        lambda row: EraseForm(
            sent(request),
            request=request,
            purpose=f"erase for request {row.pk} of a person",
            facts=lambda: {"request": row.pk, "found to belong": row.hits.filter(belongs=True).count()},
        ),
        lambda row, said: erasing.erase(request=row, by=request.user, **said),
        _(
            "The interactions are erased. The page of the erasure shows the checks. You can repeat the "
            "checks there."
        ),
        title=_("Erase the interactions of the person"),
        verb=_("Erase the interactions"),
        danger=True,
        happens=[
            _("The keys of these interactions are destroyed. No one can read the texts again."),
            _(
                "The audit log still shows that each interaction happened, when, and with which model, "
                "under a pseudonym."
            ),
            _("Plumbline then checks every body. If a body is still readable, nothing is erased."),
            _("You cannot erase while a legal hold is on an initiative or on the person."),
        ],
    )


@require_safe
def erasure(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what was erased, and the result of trying every body again now."""
    may_see_requests(request.user).or_refuse()
    row = _found(pk)
    erasure = get_object_or_404(row.erasures.select_related("by"))
    tried, opened = with_master(lambda: erasing.tried_now(row))
    context = {
        "nav": NAV,
        "row": row,
        "erasure": erasure,
        "tried": tried,
        "opened": opened,
        "now": clock.now(),
    }
    return render(request, "initiatives/interactions/requests/erasure.html", context)


@require_http_methods(TAKES)
def answer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record how the person was answered."""
    return _step(
        request,
        pk,
        may_change,
        lambda row: AnswerForm(sent(request)),
        lambda row, said: actions.answer(request=row, by=request.user, **said),
        _("The answer is recorded. Close the request when nothing is left to do."),
        title=_("Record the answer"),
        verb=_("Record the answer"),
        happens=[_("After the answer you can no longer search, copy or erase for this request.")],
    )


@require_POST
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close a request."""
    row = _found(pk)
    actions.close(request=row, by=request.user)
    messages.success(request, _("The request is closed. The personal data in it are destroyed in 30 days."))
    return redirect(row)
