"""Registering an idea in four fields, beside the cases that resemble it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from initiatives import actions, permissions
from initiatives.forms.register import RegisterForm
from initiatives.similar import similar as find_similar


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Register an idea. Where similar cases exist the person joins one, or says why this is new."""
    permissions.may_register(request.user).or_refuse()
    visible = permissions.visible_to(request.user)
    initial = {
        name: request.GET[name][:200] for name in ("title", "problem", "successor_of") if name in request.GET
    }
    sent = request.POST if request.method == "POST" else None
    form = RegisterForm(sent, person=request.user, visible=visible, initial=initial)
    stubs, asked = [], False
    if request.method == "POST":
        stubs = find_similar(
            request.POST.get("title", ""), request.POST.get("problem", ""), request.user, visible
        )
        if form.is_valid():
            asked = bool(stubs) and not form.cleaned_data["why_new"].strip()
            if not asked:
                case = _registered(form, request.user)
                if case is not None:
                    messages.success(request, f"{case.ref} is registered. Nobody has promised anything yet.")
                    return redirect(case)
    context = {"nav": "portfolio", "form": form, "stubs": stubs, "asked": asked}
    return render(request, "initiatives/register.html", context)


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


@require_safe
def similar(request: HttpRequest) -> HttpResponse:
    """Cases like what is being typed: the part of the page that htmx puts in place."""
    visible = permissions.visible_to(request.user)
    stubs = find_similar(request.GET.get("title", ""), request.GET.get("problem", ""), request.user, visible)
    form = RegisterForm(
        person=request.user, visible=visible, initial={"why_new": request.GET.get("why_new", "")[:1000]}
    )
    return render(request, "initiatives/_similar.html", {"stubs": stubs, "form": form, "asked": False})
