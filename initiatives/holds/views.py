"""Pages of holds, obligations and gaps: opened, lifted, settled, excused, closed."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from governance.models import Rulebook
from governance.permission_result import ended, no
from governance.templatetags.plumbline import day
from governance.vocabulary import HoldKind, ObligationKind
from initiatives.access import initiative_lookup
from initiatives.access import permissions as initiative_permissions
from initiatives.form_fields import ReasonForm
from initiatives.holds import actions
from initiatives.holds.actions import held_up, may_settle
from initiatives.holds.forms import CloseGapForm, ExcuseForm, GapForm, HoldForm, SettleForm, ShownByForm
from initiatives.initiative.initiative_frame import one_act, sent
from initiatives.models import Gap, Hold, Obligation


def open_hold(request, ref):
    """Raise a concern that blocks decisions."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_hold(initiative, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        HoldForm(sent(request)),
        lambda fields: actions.hold(initiative=initiative, by=request.user, **fields),
        _("The hold is open; the chair lifts it."),
        title=_("Put on hold"),
        happens=[
            _("No review of this initiative can be decided until the chair lifts the hold."),
            _("The stage that its evidence supports does not change by it."),
        ],
        verb=_("Hold it"),
        danger=True,
    )


def lift(request, pk):
    """Lift a hold, as chair."""
    hold = initiative_lookup.of_initiative(
        Hold.objects.select_related("initiative__unit", "opened_by"), request.user, pk
    )
    initiative_permissions.may_lift(hold, request.user).or_refuse()
    who = (
        f"{hold.opened_by} on {day(hold.opened_at)}"
        if hold.opened_by_id
        else f"the system on {day(hold.opened_at)}"
    )
    return one_act(
        request,
        hold.initiative,
        ReasonForm(sent(request)),
        lambda fields: actions.lift_hold(hold=hold, by=request.user, **fields),
        _("The hold is lifted."),
        title=_("Lift the hold"),
        lede=f"{HoldKind(hold.kind).label}, opened by {who}: {hold.reason}",
        happens=[
            *([f"Its cause is gone since {day(hold.liftable_since)}."] if hold.liftable_since else []),
            _("Reviews of this initiative can be decided again, as far as this hold stood in the way."),
        ],
        verb=_("Lift it"),
    )


def _obligation(request, pk: int) -> Obligation:
    return initiative_lookup.of_initiative(
        Obligation.objects.select_related("initiative__unit", "responsible"), request.user, pk
    )


def settle(request, pk):
    """Settle an obligation with a note; obligations of proof need the proof first."""
    obligation = _obligation(request, pk)
    initiative = obligation.initiative
    may_settle(initiative, obligation, request.user).or_refuse()
    if obligation.kind in ("post_mortem", "retrospective"):
        no(
            "It is resolved by publishing the post-mortem and its confirmation.",
            "Write it on its page.",
            reverse("post-mortem-start", args=[obligation.pk]),
        ).or_refuse()
    lede = f"{obligation.text} Due {day(obligation.due)}."
    happens = ["The obligation is marked as resolved, by you, today."]
    if obligation.kind == "criterion":
        book = Rulebook.objects.current().book
        criterion = book.criteria.get(obligation.source.split(":")[0])
        if criterion is not None:
            happens.append(
                "That is accepted only once these are answered with evidence: "
                + " ".join(book.requirements[key].question for key in criterion.requirements)
            )
    return one_act(
        request,
        initiative,
        SettleForm(sent(request)),
        lambda fields: actions.settle(obligation=obligation, by=request.user, **fields),
        "Resolved.",
        title=_("Resolve the obligation"),
        lede=lede,
        happens=happens,
        verb=_("Resolve"),
    )


def show_by(request, ref):
    """Set the day by which an imported initiative shows what its claim lacks, or change it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    actions.may_set_day(initiative, request.user).or_refuse()
    before = initiative.obligations.unsettled().filter(kind=ObligationKind.SHOWN_BY).first()
    days = {"due": before.due} if before else {}
    return one_act(
        request,
        initiative,
        ShownByForm(sent(request), changing=before is not None, initial=days),
        lambda fields: actions.show_by(initiative=initiative, by=request.user, **fields),
        _("The day is set."),
        title=_("By when this is shown"),
        lede=f"{len(actions.lacking(initiative))} of what {initiative.get_stage_display()} asks are missing now.",
        happens=[
            _("You are reminded of the day, and the portfolio shows when it has passed."),
            _("It holds up no decision, and the stage that the evidence supports does not change by it."),
        ],
        verb=_("Set the day"),
    )


def excuse(request, pk):
    """Let one decision on one initiative pass an overdue obligation, as the chair who decides there."""
    obligation = get_object_or_404(
        Obligation.objects.select_related("initiative__unit", "responsible"), pk=pk
    )
    held = [
        initiative
        for initiative in held_up(obligation)
        if initiative_permissions.is_acting_chair(initiative, request.user)
    ]
    if not held:  # whoever decides on none of what it holds up opens it as any obligation of the initiative
        obligation = _obligation(request, pk)
        initiative_permissions.may_raise(obligation.initiative, request.user).or_refuse()
    return one_act(
        request,
        held[0] if len(held) == 1 else obligation.initiative,
        ExcuseForm(sent(request), initiatives=held),
        lambda fields: actions.excuse_obligation(obligation=obligation, by=request.user, **fields),
        _("One decision is allowed meanwhile; it stays due."),
        title=_("Allow one decision meanwhile"),
        lede=f"{ended(obligation.text)} Due {day(obligation.due)}, from {obligation.responsible or 'nobody'} on "
        f"{obligation.initiative.ref}.",
        happens=[
            _(
                "The next decision on the initiative that you choose may go on while this is due, and uses your "
                "word up."
            ),
            _(
                "It stays due, and holds up every other initiative of the same person. For one initiative this is "
                "possible once."
            ),
        ],
        verb=_("Allow it"),
    )


def open_gap(request, ref):
    """Record something unresolved that bites downstream."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    allowed = initiative_permissions.may_collaborate(initiative, request.user)
    if not initiative_permissions.is_acting_chair(initiative, request.user):
        allowed.or_refuse()
    return one_act(
        request,
        initiative,
        GapForm(sent(request)),
        lambda fields: actions.open_gap(initiative=initiative, by=request.user, **fields),
        _("The gap is recorded."),
        title=_("Record a gap"),
        lede=_(
            "It stays open, beyond the initiative itself, until evidence closes it or its owner accepts it."
        ),
        verb=_("Record it"),
    )


def close_gap(request, pk):
    """Close a gap with proof, or by its owner's acceptance."""
    gap = initiative_lookup.of_initiative(
        Gap.objects.select_related("initiative__unit", "owner"), request.user, pk
    )
    initiative = gap.initiative
    if gap.owner_id != request.user.pk:
        initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    form = CloseGapForm(sent(request), initiative=initiative)
    return one_act(
        request,
        initiative,
        form,
        lambda fields: actions.close_gap(gap=gap, by=request.user, **fields),
        _("The gap is closed."),
        title=_("Close a gap"),
        lede=f"{gap.text} Owned by {gap.owner}, due {day(gap.due)}.",
        verb=_("Close it"),
    )
