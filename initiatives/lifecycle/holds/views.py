"""Pages of holds, obligations and gaps: opened, lifted, completed, excused, closed."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.models import Rulebook, User
from governance.permission_result import Answer, ended, no, yes
from governance.templatetags.plumbline import day
from governance.vocabulary import WRITTEN_OBLIGATIONS, HoldKind, ObligationKind
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.holds import actions
from initiatives.lifecycle.holds.actions import held_up
from initiatives.lifecycle.holds.forms import (
    CloseGapForm,
    CompleteForm,
    ExcuseForm,
    GapForm,
    HoldForm,
    ShownByForm,
)
from initiatives.lifecycle.initiative.initiative_frame import one_act, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct
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


ROW_ACTS["holds/lift"] = RowAct(
    rows=Hold.objects.select_related("initiative__unit", "opened_by"),
    may=initiative_permissions.may_lift,
    act=actions.lift_hold,
    noun="hold",
    page="initiative",
    title=gettext_lazy("Lift the hold"),
    lede=lambda row: (
        f"{HoldKind(row.kind).label}, opened by {row.opened_by or 'the system'} on {day(row.opened_at)}: {row.reason}"
    ),
    happens=(
        lambda row: row.liftable_since and f"Its cause is gone since {day(row.liftable_since)}.",
        gettext_lazy(
            "Reviews of this initiative can be decided again, as far as this hold stood in the way."
        ),
    ),
    verb=gettext_lazy("Lift it"),
    done=gettext_lazy("The hold is lifted."),
)


OBLIGATIONS = Obligation.objects.select_related("initiative__unit", "responsible")


def _may_complete(obligation: Obligation, person: User) -> Answer:
    may = actions.may_complete(obligation.initiative, obligation, person)
    if may and obligation.kind in WRITTEN_OBLIGATIONS:
        return no(
            "It is completed by publishing the post-mortem and its confirmation.",
            "Write it on its page.",
            reverse("post-mortem-start", args=[obligation.pk]),
        )
    return may


def _asked_first(obligation: Obligation) -> str:
    """What has to be answered before an obligation of a criterion is completed; "" of any other."""
    if obligation.kind != ObligationKind.CRITERION:
        return ""
    rulebook = Rulebook.objects.current().parsed
    criterion = rulebook.criteria.get(obligation.source.split(":")[0])
    if criterion is None:
        return ""
    questions = " ".join(rulebook.requirements[key].question for key in criterion.requirements)
    return f"That is accepted only once these are answered with evidence: {questions}"


ROW_ACTS["obligations/complete"] = RowAct(
    rows=OBLIGATIONS,
    may=_may_complete,
    act=actions.complete,
    noun="obligation",
    page="initiative",
    form=CompleteForm,
    title=gettext_lazy("Complete the obligation"),
    lede=lambda row: f"{row.text} Due {day(row.due)}.",
    happens=("The obligation is marked as completed, by you, today.", _asked_first),
    verb=gettext_lazy("Complete"),
    done="Completed.",
)


def show_by(request, ref):
    """Set the day by which an imported initiative shows what its reported stage lacks, or change it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    actions.may_set_day(initiative, request.user).or_refuse()
    before = initiative.obligations.open().filter(kind=ObligationKind.SHOWN_BY).first()
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
    obligation = get_object_or_404(OBLIGATIONS, pk=pk)
    held = [
        initiative
        for initiative in held_up(obligation)
        if initiative_permissions.is_acting_chair(initiative, request.user)
    ]
    if not held:  # whoever decides on none of what it holds up opens it as any obligation of the initiative
        obligation = initiative_lookup.of_initiative(OBLIGATIONS, request.user, pk)
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


def _may_close(gap: Gap, person: User) -> Answer:
    return (
        yes() if gap.owner_id == person.pk else initiative_permissions.may_collaborate(gap.initiative, person)
    )


ROW_ACTS["gaps/close"] = RowAct(
    rows=Gap.objects.select_related("initiative__unit", "owner"),
    may=_may_close,
    act=actions.close_gap,
    noun="gap",
    page="initiative",
    form=CloseGapForm,
    given=lambda row: {"initiative": row.initiative},
    title=gettext_lazy("Close a gap"),
    lede=lambda row: f"{row.text} Owned by {row.owner}, due {day(row.due)}.",
    verb=gettext_lazy("Close it"),
    done=gettext_lazy("The gap is closed."),
)
