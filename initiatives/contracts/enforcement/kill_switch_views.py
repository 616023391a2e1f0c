"""Pages of the kill switch: press, release, and record the drill."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.models import Rulebook, User
from governance.permission_result import Answer, ended, no
from initiatives.contracts.enforcement import kill_switch
from initiatives.contracts.enforcement.key_forms import DrillForm, SwitchForm
from initiatives.contracts.enforcement.kill_switch import IN_EFFECT_WITHIN, last_allowed_after
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.models import Initiative, KillSwitch


def _signed(words: str):
    """Return the arguments of the switch's form, to sign these words."""
    return lambda row, request: {"request": request, "purpose": f"switch the systems of {row.ref} {words}"}


INITIATIVE_ACTS["switch-off"] = PageStep(
    may=initiative_permissions.may_switch,
    act=kill_switch.switch_off,
    form=SwitchForm,
    given=_signed("off"),
    title=gettext_lazy("Switch the systems off"),
    happens=(
        gettext_lazy(
            "Within a second, every request of the systems is denied. Approved calls are denied too."
        ),
        gettext_lazy(
            "The systems receive your reason. Every page of this initiative shows that the systems are off."
        ),
        gettext_lazy(
            "The stage, the evidence and the reviews do not change. You or the chair can switch the systems on again."
        ),
    ),
    verb=gettext_lazy("Switch systems off"),
    danger=True,
    done=gettext_lazy("The systems are switched off. Every request is denied."),
)


def _pressed(initiative: Initiative) -> KillSwitch | None:
    """Return the use of the switch that has not ended, or None."""
    return initiative.kill_switches.filter(released_at__isnull=True).select_related("pressed_by").first()


def _may_switch_on(initiative: Initiative, person: User) -> Answer:
    may = kill_switch.may_switch_on(initiative, person)
    if may and _pressed(initiative) is None:
        off = reverse("initiative-act", args=[initiative.ref, "switch-off"])
        return no("The systems are already switched on.", "Switch the systems off to stop them.", off)
    return may


def _who_pressed(initiative: Initiative) -> str:
    pressed = _pressed(initiative)
    if pressed is None:  # released since the page was asked for
        return ""
    at = clock.moment_in_words(pressed.pressed_at)
    return f"{pressed.pressed_by} switched the systems off at {at}: {ended(pressed.reason)}"


def _after_on(initiative: Initiative, released: KillSwitch, person: User) -> str:
    """Return the address after a release: the drill, for people who can record it."""
    if initiative_permissions.may_collaborate(initiative, person):
        return reverse("row-act", args=["switch", released.pk, "record-drill"])
    return initiative.get_absolute_url()


INITIATIVE_ACTS["switch-on"] = PageStep(
    may=_may_switch_on,
    act=kill_switch.switch_on,
    form=SwitchForm,
    given=_signed("on"),
    after=_after_on,
    title=gettext_lazy("Switch the systems on again"),
    lede=_who_pressed,
    happens=(gettext_lazy("Within a second, the contract decides about requests of the systems again."),),
    verb=gettext_lazy("Switch systems on"),
    done=gettext_lazy("The systems are switched on. The contract decides again."),
)


def _may_drill(pressed: KillSwitch, person: User) -> Answer:
    may = initiative_permissions.may_collaborate(pressed.initiative, person)
    if may and pressed.released_at is None:
        return no("The systems are still switched off.", "Switch the systems on again to end the drill.")
    if may and pressed.drill_id is not None:
        there = reverse("evidence-item", args=[pressed.initiative.ref, pressed.drill_id])
        return no("This drill was recorded already.", "Read the drill record.", there)
    return may


def _shown_by(pressed: KillSwitch) -> list:
    last = last_allowed_after(pressed)
    after = f"{(last - pressed.pressed_at).total_seconds():.2f} s after the press" if last else ""
    return [
        f"The last allowed request came {after}."
        if after
        else _("No request was allowed while the systems were off."),
        (
            "The drill passes if the switch denied at least one request of a system, and no request was allowed "
            f"later than {IN_EFFECT_WITHIN:g} s after the press."
        ),
        _("The decision log becomes a drill record, for the requirements that you choose."),
    ]


ROW_ACTS["switch/record-drill"] = RowAct(
    rows=KillSwitch.objects.select_related("initiative__unit", "pressed_by", "released_by"),
    may=_may_drill,
    act=kill_switch.record_drill,
    after=lambda pressed, made, person: reverse("evidence-item", args=[pressed.initiative.ref, made.pk]),
    noun="pressed",
    form=DrillForm,
    given=lambda pressed, request: {"rulebook": Rulebook.objects.current().parsed},
    page="api-access",
    title=gettext_lazy("Record the use of the switch as a drill"),
    lede=lambda row: (
        f"{row.pressed_by} switched the systems off at {clock.moment_in_words(row.pressed_at)}, and "
        f"{row.released_by} switched them on at {clock.moment_in_words(row.released_at)}."
    ),
    happens=_shown_by,
    verb=gettext_lazy("Record the drill"),
    done=gettext_lazy("The drill is recorded as evidence."),
)
