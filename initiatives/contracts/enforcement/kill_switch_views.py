"""Pages of the kill switch: pressed, released, and the drill made from having used it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from governance import clock
from governance.models import Rulebook
from governance.permission_result import ended, no
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.contracts.enforcement import kill_switch
from initiatives.contracts.enforcement.key_forms import DrillForm, SwitchForm
from initiatives.contracts.enforcement.kill_switch import IN_EFFECT_WITHIN, last_allowed_after
from initiatives.lifecycle.access import initiative_lookup, kill_switch_permissions
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import ask, fix, one_act, sent


@sensitive_post_parameters("password")
def switch_off(request: SignedInRequest, ref: str) -> HttpResponse:
    """Deny everything that systems of the initiative ask."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    kill_switch_permissions.may_switch(initiative, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        SwitchForm(sent(request), request=request, purpose=f"switch the systems of {initiative.ref} off"),
        lambda fields: kill_switch.switch_off(initiative=initiative, by=request.user, **fields),
        _("Its systems are switched off: whatever they ask is denied."),
        title=_("Switch its systems off"),
        happens=[
            _(
                "Within a second everything that its systems ask is denied, also what a person approved before."
            ),
            _("The systems are told your reason, and every page of this initiative says that they are off."),
            _(
                "Its stage, its evidence and its reviews stay as they are. You or the chair can switch it on again."
            ),
        ],
        verb=_("Switch them off"),
        danger=True,
    )


@sensitive_post_parameters("password")
def switch_on(request: SignedInRequest, ref: str) -> HttpResponse:
    """Let the contract decide again; what was learned may become a drill record."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    kill_switch_permissions.may_switch_on(initiative, request.user).or_refuse()
    pressed = initiative.kill_switches.filter(released_at__isnull=True).select_related("pressed_by").first()
    if pressed is None and request.method != "POST":
        no("Its systems are switched on.", "There is nothing to switch back.").or_refuse()
    form = SwitchForm(sent(request), request=request, purpose=f"switch the systems of {initiative.ref} on")
    if request.method == "POST" and form.is_valid():
        released = kill_switch.switch_on(initiative=initiative, by=request.user, **form.cleaned_data)
        messages.success(request, _("Its systems are switched on: the contract decides again."))
        if initiative_permissions.may_collaborate(initiative, request.user):
            return redirect("initiative-drill", initiative.ref, released.pk)
        return redirect("initiative", initiative.ref)
    lede = (
        f"{pressed.pressed_by} switched them off at {clock.moment_in_words(pressed.pressed_at)}: "
        f"{ended(pressed.reason)}"
        if pressed
        else ""
    )
    return ask(
        request,
        initiative,
        "initiative",
        form,
        title=_("Switch its systems on again"),
        lede=lede,
        happens=[_("Its systems are answered by the contract again, within a second.")],
        verb=_("Switch them on"),
    )


def drill(request: SignedInRequest, ref: str, pk: int) -> HttpResponse:
    """Record a use of the switch as a drill: what the log shows of it becomes evidence."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    pressed = initiative.kill_switches.select_related("pressed_by", "released_by").filter(pk=pk).first()
    if pressed is None:
        raise Http404("No such use of the switch on this initiative.")
    if pressed.released_at is None:
        no("It is still switched off.", "The drill ends when it is switched on again.").or_refuse()
    if pressed.drill_id is not None:
        no(
            "This drill was recorded already.",
            "Read the drill record.",
            reverse("evidence-item", args=[initiative.ref, pressed.drill_id]),
        ).or_refuse()
    form = DrillForm(sent(request), rulebook=Rulebook.objects.current().parsed)
    if request.method == "POST" and form.is_valid():
        try:
            evidence = kill_switch.record_drill(pressed=pressed, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            fix(form, error)
        else:
            messages.success(request, _("The drill is recorded as evidence."))
            return redirect("evidence-item", initiative.ref, evidence.pk)
    last = last_allowed_after(pressed)
    after = f"{(last - pressed.pressed_at).total_seconds():.2f} s after the press" if last else ""
    return ask(
        request,
        initiative,
        "api-access",
        form,
        title=_("Record it as a drill"),
        lede=f"{pressed.pressed_by} switched its systems off at {clock.moment_in_words(pressed.pressed_at)}, and "
        f"{pressed.released_by} on again at {clock.moment_in_words(pressed.released_at)}.",
        happens=[
            f"The last request that was still allowed came {after}."
            if after
            else _("Nothing was allowed meanwhile."),
            f"It passes when nothing was allowed later than {IN_EFFECT_WITHIN:g} s after the press, and something was "
            "asked at all.",
            _("What the log shows becomes a drill record of this initiative, with the requests you choose."),
        ],
        verb=_("Record the drill"),
        back_url=reverse("api-access", args=[initiative.ref]),
    )
