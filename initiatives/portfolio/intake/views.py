"""The pages of intake: a unit's public form, the links and the requests."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.people.boards import board_for
from governance.people.permissions import may_keep_accounts
from governance.permission_result import Refused
from governance.runtime import link_tokens
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import throttling
from governance.sign_in.sessions import open_to_all
from governance.vocabulary import IntakeState, Invitation
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import acted, fix, page_of, sent
from initiatives.lifecycle.initiative.similar_initiatives import Similar, similar
from initiatives.models import IntakeLink, IntakeRequest
from initiatives.portfolio.intake import actions
from initiatives.portfolio.intake import permissions as intake_permissions
from initiatives.portfolio.intake.forms import (
    DeclineForm,
    IdeaForm,
    IntakeForm,
    InviteForm,
    LeaveForm,
    LinkForm,
)

PER_LINK = 100  # in ten minutes; from one address as many as wrong passwords
USUAL_DAYS = 90


# Without an account. Nothing that is said here depends on any initiative.


@open_to_all
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, token: str) -> HttpResponse:
    """Show and receive the public form of a unit's link. Without an open link, show that."""
    links = IntakeLink.objects.open_on(clock.today()).select_related("unit")
    link = link_tokens.rows_of(links, token).first()
    if link is None:
        return _nothing(request)
    form = IntakeForm(sent(request), initial={"once": uuid4()})
    context, status = {"unit": link.unit, "form": form, "days": actions.KEPT_DAYS}, 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            until = throttling.enter_try(
                str(link.pk), throttling.address_of(request), purpose="intake", most=PER_LINK
            )
            if until is not None:
                return _too_many(request, context, until)
            try:
                actions.receive(link=link, **form.cleaned_data)
            except ValidationError as error:
                fix(form, error)
            except Refused:
                return _nothing(request)
            else:
                return redirect("intake-sent")
    return render(request, "initiatives/intake/intake_form.html", context, status=status)


def _nothing(request: HttpRequest) -> HttpResponse:
    return render(request, "initiatives/intake/intake_nothing.html", status=404)


def _too_many(request: HttpRequest, context: dict, until: datetime) -> HttpResponse:
    response = render(
        request, "initiatives/intake/intake_form.html", context | {"too_many": True}, status=429
    )
    response["Retry-After"] = str(max(1, int((until - clock.now()).total_seconds())))
    return response


@open_to_all
@never_cache
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Show that the request was received."""
    return render(request, "initiatives/intake/intake_sent.html", {"days": actions.KEPT_DAYS})


# Links and requests


@require_http_methods(["GET", "HEAD", "POST"])
def links(request: SignedInRequest) -> HttpResponse:
    """Show the links of the person's units, their requests, and the form for a link."""
    intake_permissions.may_look(request.user).or_refuse()
    units = intake_permissions.units_for(request.user)
    until = clock.today() + timedelta(days=USUAL_DAYS)
    form = LinkForm(sent(request), units=units, initial={"until": until})
    made = acted(
        request,
        form,
        lambda: actions.make_link(
            unit=form.cleaned_data["unit"], until=form.cleaned_data["until"], by=request.user
        ),
    )
    if made:
        messages.success(
            request,
            phrase(
                "{} has an intake link. Give the link to the people who you want to ask for ideas.", made.unit
            ).in_language(),
        )
        return redirect("intake")
    there = IntakeLink.objects.open_on(clock.today()).filter(unit__in=units.order_by().values("pk"))
    rows = intake_permissions.requests_for(request.user).select_related("unit", "initiative", "decided_by")
    context = {
        "nav": "reviews",
        "form": form,
        "links": [
            (row, request.build_absolute_uri(reverse("intake-write", args=[row.token])))
            for row in there.select_related("unit", "made_by").order_by("unit__name")
        ],
        "page": page_of(request, rows.order_by("decided_at", "pk").reverse()),
    }
    return render(request, "initiatives/intake/intake.html", context)


@require_POST
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Switch an intake link off."""
    intake_permissions.may_look(request.user).or_refuse()
    units = intake_permissions.units_for(request.user).order_by().values("pk")
    link = get_object_or_404(IntakeLink.objects.select_related("unit").filter(unit__in=units), pk=pk)
    actions.close_link(link=link, by=request.user)
    messages.success(
        request,
        phrase(
            "The intake link of {} is switched off. The ideas received are kept.", link.unit
        ).in_language(),
    )
    return redirect("intake")


def _request_for(request: SignedInRequest, pk: int) -> IntakeRequest:
    """Return the request with this key. Raises Refused if the person reads none, else Http404."""
    intake_permissions.may_look(request.user).or_refuse()
    rows = intake_permissions.requests_for(request.user)
    found = rows.select_related("unit", "initiative", "decided_by", "sender").filter(pk=pk).first()
    if found is None:
        raise Http404("This request does not exist, or you cannot read it.")
    return found


@require_safe
def asked(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a request, its sender and its outcome."""
    row = _request_for(request, pk)
    sender = getattr(row, "sender", None)
    visible = initiative_permissions.visible_to(request.user)
    context = {
        "nav": "reviews",
        "asked": row,
        "sender": sender,
        "known": actions.account_of(sender) if sender else None,
        "may": intake_permissions.may_answer(row, request.user),
        "waiting": row.state == IntakeState.WAITING,
        "inviting": row.invitation == Invitation.ASKED,
        "opens": row.initiative_id is not None and visible.filter(pk=row.initiative_id).exists(),
        "days": actions.KEPT_DAYS,
    }
    return render(request, "initiatives/intake/intake_request.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def idea(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make an idea of a request, and show similar initiatives beside the form."""
    row = _request_for(request, pk)
    intake_permissions.may_answer(row, request.user).or_refuse()
    form = IdeaForm(sent(request), board=board_for(row.unit))
    sender = getattr(row, "sender", None)
    if sender is None or actions.account_of(sender) is not None:
        del form.fields["invite"]  # nobody is left to invite, or they are here
    title = request.POST.get("title", "")
    near = similar(title, actions.problem_of(row), initiative_permissions.visible_to(request.user))
    made = acted(
        request,
        form,
        lambda: actions.make_idea(
            request=row,
            title=form.cleaned_data["title"],
            owner=form.cleaned_data["owner"],
            invite=form.cleaned_data.get("invite", False),
            by=request.user,
        ),
    )
    if made:
        messages.success(
            request,
            phrase("{} is registered. You can withdraw the initiative at any time.", made.ref).in_language(),
        )
        return redirect(row)
    return _answer(
        request,
        row,
        form,
        "Register the idea",
        "Register the idea",
        near=near,
        template="initiatives/intake/intake_idea.html",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: SignedInRequest, pk: int) -> HttpResponse:
    """Decline a request with a reason."""
    row = _request_for(request, pk)
    intake_permissions.may_answer(row, request.user).or_refuse()
    form = DeclineForm(sent(request))
    if acted(request, form, lambda: actions.decline(request=row, by=request.user, **form.cleaned_data)):
        messages.success(request, _("The idea is declined. Plumbline sent no email."))
        return redirect(row)
    happens = ["Plumbline does not write to the sender. Write to the address of the sender yourself."]
    return _answer(request, row, form, "Decline the idea", "Decline the idea", happens=happens)


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add an account for the sender and invite them, as admin."""
    may_keep_accounts(request.user).or_refuse()
    row = _request_for(request, pk)
    if row.invitation != Invitation.ASKED:
        return redirect(row)
    initial = {"full_name": row.sender.name, "unit": actions.unit_now(row.unit)}
    form = InviteForm(sent(request), initial=initial)
    made = acted(
        request, form, lambda: actions.invite_sender(request=row, by=request.user, **form.cleaned_data)
    )
    if made:
        messages.success(
            request,
            phrase("{} gets a link to choose a password. The link works for a week.", made).in_language(),
        )
        return redirect(row)
    happens = [
        "An account is added. The address below gets an email with a link to choose a password.",
        "The address is not checked. If you do not know the sender, ask the chair, or call the sender.",
    ]
    return _answer(
        request, row, form, "Invite the sender", "Add account and invite", happens=happens, sender=row.sender
    )


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: SignedInRequest, pk: int) -> HttpResponse:
    """Do not invite the sender, as admin, with a reason."""
    may_keep_accounts(request.user).or_refuse()
    row = _request_for(request, pk)
    if row.invitation != Invitation.ASKED:
        return redirect(row)
    form = LeaveForm(sent(request))
    if acted(request, form, lambda: actions.leave_sender(request=row, by=request.user, **form.cleaned_data)):
        messages.success(request, _("The request is answered. No one is invited."))
        return redirect(row)
    return _answer(request, row, form, "Do not invite the sender", "Do not invite")


@require_POST
def forget(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete who sent it."""
    row = _request_for(request, pk)
    actions.remove_sender(request=row, by=request.user)
    messages.success(request, _("The name and the address are deleted."))
    return redirect(row)


def _answer(request, row: IntakeRequest, form, title: str, verb: str, **more) -> HttpResponse:
    """Show a page with one form about a request."""
    template = more.pop("template", "initiatives/intake/intake_answer.html")
    context = {"nav": "reviews", "asked": row, "form": form, "title": title, "verb": verb}
    return render(request, template, context | {"near": Similar([]), "happens": []} | more)
