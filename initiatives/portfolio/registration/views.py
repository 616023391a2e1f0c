"""Registering an idea in four fields, beside the initiatives that resemble it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.initiative_frame import one_act, sent
from initiatives.lifecycle.initiative.similar_initiatives import Similar
from initiatives.lifecycle.initiative.similar_initiatives import similar as find_similar
from initiatives.models import BusinessCase, Initiative, Obligation
from initiatives.portfolio.registration import actions
from initiatives.portfolio.registration.forms import BusinessCaseForm, RegisterForm


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """Register an idea. Where similar initiatives exist the person joins one, or says why this is new."""
    initiative_permissions.may_register(request.user).or_refuse()
    visible = initiative_permissions.visible_to(request.user)
    initial = {name: request.GET[name][:20] for name in ("successor_of",) if name in request.GET}
    sent = request.POST if request.method == "POST" else None
    form = RegisterForm(sent, person=request.user, visible=visible, initial=initial)
    near, asked = Similar([]), False
    if request.method == "POST":
        near = _similar(request.POST, visible)
        if form.is_valid():
            asked = bool(near.stubs) and not form.cleaned_data["why_new"].strip()
            if not asked:
                initiative = _registered(form, request.user)
                if initiative is not None:
                    messages.success(
                        request, f"{initiative.ref} is registered. Nobody has promised anything yet."
                    )
                    return redirect(initiative)
    said = (request.POST if sent is not None else initial).get
    parts = parts_shown(
        contributed.beside_registering, request.user, (said("title", ""), said("problem", ""))
    )
    owner = _key(said("owner", "")) if sent is not None else request.user.pk
    context = {"nav": "portfolio", "form": form, "near": near, "asked": asked, "parts": parts}
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
            reason=wanted["why_new"],
            by=person,
        )
    except ValidationError as wrong:
        form.add_error(None, wrong)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
def business_case(request: SignedInRequest, ref: str) -> HttpResponse:
    """State what the initiative costs, what it should bring, and when."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_describe(initiative, request.user).or_refuse()
    row = BusinessCase.objects.filter(initiative=initiative).first()
    return one_act(
        request,
        initiative,
        BusinessCaseForm(sent(request), instance=row),
        lambda said: actions.state_business_case(initiative=initiative, said=said, by=request.user),
        _("The business case is saved."),
        title=_("Business case"),
        lede=_("Your word: no gate looks at it. It is shown as stated, beside what is measured."),
        verb=_("Save"),
    )


@require_POST
def similar(request: SignedInRequest) -> HttpResponse:
    """Initiatives like what is being typed: the part of the page that htmx puts in place.

    Posted, though it changes nothing: what somebody is about to register stands in no address.
    """
    visible, typed = initiative_permissions.visible_to(request.user), request.POST
    form = RegisterForm(
        person=request.user, visible=visible, initial={"why_new": typed.get("why_new", "")[:1000]}
    )
    said = (typed.get("title", ""), typed.get("problem", ""))
    parts = parts_shown(contributed.beside_registering, request.user, said)
    context = {"near": _similar(typed, visible), "form": form, "asked": False, "parts": parts}
    context["open_obligations"] = _open_obligations(_key(typed.get("owner", "")), visible)
    return render(request, "initiatives/registration/_similar.html", context)


@require_POST
def not_similar(request: SignedInRequest, ref: str) -> HttpResponse:
    """Say that the initiative named by its number is not similar to this one."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    other = get_object_or_404(Initiative.objects.told(), number=_key(request.POST.get("other", "")))
    detail_actions.not_similar(initiative=initiative, other=other, by=request.user)
    messages.success(request, f"{other.ref} is not shown as similar any more, on neither of the two.")
    return redirect(f"{reverse('initiative', args=[initiative.ref])}#similar")


def _similar(sent: QueryDict, visible) -> Similar:
    """Initiatives like what was typed so far."""
    title, problem = sent.get("title", ""), sent.get("problem", "")
    return find_similar(title, problem, visible, owner=_key(sent.get("owner", "")))


def _open_obligations(owner: int | None, visible) -> list[Obligation]:
    """What the owner who is chosen still has to write in writing, on initiatives that whoever registers may hear of."""
    told = Q(initiative__in=visible) | Q(initiative__confidential=False)
    rows = Obligation.objects.open().in_writing().filter(told, responsible=owner)
    return list(rows.select_related("initiative", "responsible").order_by("due", "pk")) if owner else []


def _key(typed: str) -> int | None:
    """The key that a choice of the form stands for; none where it is not one."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else None
