"""Registering an idea in four fields, beside the initiatives that resemble it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.lifecycle.initiative.similar_initiatives import Similar
from initiatives.lifecycle.initiative.similar_initiatives import similar as find_similar
from initiatives.models import BusinessCase, Obligation
from initiatives.portfolio.registration import actions
from initiatives.portfolio.registration import permissions as registration_permissions
from initiatives.portfolio.registration.forms import BusinessCaseForm, OtherForm, RegisterForm


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """Register an idea, and show similar initiatives beside the form."""
    registration_permissions.may_register(request.user).or_refuse()
    visible = visibility.visible_to(request.user)
    initial = {name: request.GET[name][:20] for name in ("successor_of",) if name in request.GET}
    sent = request.POST if request.method == "POST" else None
    form = RegisterForm(sent, person=request.user, visible=visible, initial=initial)
    if request.method == "POST" and form.is_valid():
        initiative = _registered(form, request.user)
        if initiative is not None:
            messages.success(
                request,
                phrase(
                    "{} is registered. You can withdraw the initiative at any time.", initiative.ref
                ).in_language(),
            )
            return redirect(initiative)
    near = _similar(request.POST, visible) if request.method == "POST" else Similar([])
    said = (request.POST if sent is not None else initial).get
    parts = parts_shown(
        contributed.beside_registering, request.user, (said("title", ""), said("problem", ""))
    )
    owner = _key(said("owner", "")) if sent is not None else request.user.pk
    context = {"nav": "portfolio", "form": form, "near": near, "parts": parts}
    context["open_obligations"] = _open_obligations(owner, visible)
    return render(request, "initiatives/registration/register.html", context)


def _registered(form: RegisterForm, person):
    wanted = form.cleaned_data
    try:
        return actions.register(
            title=wanted["title"],
            unit=wanted["unit"],
            problem=wanted["problem"],
            owner=wanted["owner"],
            successor_of=wanted["successor_of"],
            by=person,
        )
    except ValidationError as wrong:
        put_errors(form, wrong)
        return None


INITIATIVE_ACTS["business-case"] = PageStep(
    may=initiative_permissions.may_describe,
    act=actions.state_business_case,
    form=BusinessCaseForm,
    given=lambda row, request: {"instance": BusinessCase.objects.filter(initiative=row).first()},
    title=gettext_lazy("Business case"),
    lede=gettext_lazy(
        "No gate depends on the business case. Pages show the stated values beside measured values."
    ),
    verb=gettext_lazy("Save business case"),
    done=gettext_lazy("The business case is saved."),
)


@require_POST
def similar(request: SignedInRequest) -> HttpResponse:
    """Show initiatives like the typed one, as the part of the page that htmx replaces.

    It is posted without a change, so that no address contains the text.
    """
    visible, typed = visibility.visible_to(request.user), request.POST
    said = (typed.get("title", ""), typed.get("problem", ""))
    parts = parts_shown(contributed.beside_registering, request.user, said)
    context = {"near": _similar(typed, visible), "parts": parts}
    context["open_obligations"] = _open_obligations(_key(typed.get("owner", "")), visible)
    return render(request, "initiatives/registration/_similar.html", context)


INITIATIVE_ACTS["not-similar"] = PageStep(
    may=initiative_permissions.may_collaborate,
    act=detail_actions.not_similar,
    form=OtherForm,
    given=lambda initiative, request: {"initial": {"other": request.GET.get("other", "")}},
    back=lambda initiative: f"{reverse('initiative', args=[initiative.ref])}#similar",
    title=gettext_lazy("Mark two initiatives as not duplicates"),
    happens=(
        gettext_lazy(
            "The two initiatives are no longer shown beside each other. Your name is kept with this choice."
        ),
    ),
    verb=gettext_lazy("Not a duplicate"),
    done=gettext_lazy("The two initiatives are no longer shown as similar."),
)


def _similar(sent: QueryDict, visible) -> Similar:
    """Return initiatives like the typed text."""
    title, problem = sent.get("title", ""), sent.get("problem", "")
    return find_similar(title, problem, visible, owner=_key(sent.get("owner", "")))


def _open_obligations(owner: int | None, visible) -> list[Obligation]:
    """Return the open written obligations of the owner that the person may see."""
    told = Q(initiative__in=visible) | Q(initiative__confidential=False)
    rows = Obligation.objects.open().in_writing().filter(told, responsible=owner)
    return list(rows.select_related("initiative", "responsible").order_by("due", "pk")) if owner else []


def _key(typed: str) -> int | None:
    """Return the key of a choice in the form, or None if it is not a key."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else None
