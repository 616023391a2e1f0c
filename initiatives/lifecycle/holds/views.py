"""Pages of holds, obligations and gaps: open, lift, complete, excuse, close."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from governance.models import Rulebook, User
from governance.permission_result import Answer, ended, no, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import day
from governance.vocabulary import WRITTEN_OBLIGATIONS, HoldKind, ObligationKind
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.findings import alerts
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
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    SignedReasonForm,
)
from initiatives.models import Gap, Hold, Initiative, Obligation


def _denied(initiative: Initiative) -> str:
    """Return which systems a hold stops at once, or an empty text."""
    keys = alerts.deciding_keys([initiative])
    return alerts.denied_words(keys) if keys else ""


INITIATIVE_ACTS["hold"] = PageStep(
    may=initiative_permissions.may_hold,
    act=actions.hold,
    form=HoldForm,
    signed="stage",
    title=gettext_lazy("Put on hold"),
    happens=(
        gettext_lazy("No review of this initiative can be decided until the chair lifts the hold."),
        gettext_lazy("The supported stage does not change."),
        _denied,
    ),
    verb=gettext_lazy("Put on hold"),
    danger=True,
    done=gettext_lazy("The initiative is on hold. The chair can lift the hold."),
)


ROW_ACTS["holds/lift"] = RowAct(
    rows=Hold.objects.select_related("initiative__unit", "opened_by"),
    may=initiative_permissions.may_lift,
    act=actions.lift_hold,
    noun="hold",
    form=SignedReasonForm,
    signed="stage",
    page="initiative",
    title=gettext_lazy("Lift the hold"),
    lede=lambda row: (
        f"{HoldKind(row.kind).label}, opened by {row.opened_by or 'Plumbline'} on {day(row.opened_at)}: "
        f"{row.reason}"
    ),
    happens=(
        lambda row: row.liftable_since and f"The cause has been gone since {day(row.liftable_since)}.",
        gettext_lazy("This hold no longer blocks reviews of this initiative."),
    ),
    verb=gettext_lazy("Lift the hold"),
    done=gettext_lazy("The hold is lifted."),
)


OBLIGATIONS = Obligation.objects.select_related("initiative__unit", "responsible")


def _may_complete(obligation: Obligation, person: User) -> Answer:
    may = actions.may_complete(obligation.initiative, obligation, person)
    if may and obligation.kind in WRITTEN_OBLIGATIONS:
        return no(
            "A published and confirmed post-mortem completes this obligation.",
            "Write the post-mortem on its page.",
            reverse("post-mortem-start", args=[obligation.pk]),
        )
    return may


def _asked_first(obligation: Obligation) -> str:
    """Return what to answer before an obligation of a criterion is completed, else ""."""
    if obligation.kind != ObligationKind.CRITERION:
        return ""
    rulebook = Rulebook.objects.current().parsed
    criterion = rulebook.criteria.get(obligation.source.split(":")[0])
    if criterion is None:
        return ""
    questions = " ".join(rulebook.requirements[key].question for key in criterion.requirements)
    return f"Answer these requirements with evidence first: {questions}"


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
    verb=gettext_lazy("Complete the obligation"),
    done=gettext_lazy("Completed."),
)


def _dated(initiative: Initiative) -> Obligation | None:
    """Return the open obligation to show what the reported stage lacks, or None."""
    return initiative.obligations.open().filter(kind=ObligationKind.SHOWN_BY).first()


def _day_form(initiative: Initiative, request: SignedInRequest) -> dict:
    before = _dated(initiative)
    return {"changing": before is not None, "initial": {"due": before.due} if before else {}}


INITIATIVE_ACTS["set-day"] = PageStep(
    may=actions.may_set_day,
    act=actions.show_by,
    form=ShownByForm,
    given=_day_form,
    title=gettext_lazy("Set the day by which the evidence is added"),
    lede=lambda row: (
        f"{len(actions.lacking(row))} requirements of {row.get_stage_display()} are not met now."
    ),
    happens=(
        gettext_lazy("Plumbline reminds you of the day. The portfolio shows when the day has passed."),
        gettext_lazy("The day blocks no decision and does not change the supported stage."),
    ),
    verb=gettext_lazy("Set the day"),
    done=gettext_lazy("The day is set."),
)


def _what_is_due(obligation: Obligation, person) -> str:
    """Return the obligation in words. A chair who may not open its confidential initiative reads only the day."""
    said = {"day": day(obligation.due), "value": obligation.responsible or "no one"}
    if obligation.initiative.confidential and not initiative_permissions.may_see(
        obligation.initiative, person
    ):
        return gettext("An obligation on a confidential initiative. Due %(day)s, from %(value)s.") % said
    said |= {"ended": ended(obligation.text), "ref": obligation.initiative.ref}
    return gettext("%(ended)s Due %(day)s, from %(value)s on %(ref)s.") % said


def excuse(request, pk):
    """Let one decision pass an overdue obligation, as the chair there."""
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
        _("You allowed one decision. The obligation is still due."),
        title=_("Allow one decision despite this obligation"),
        lede=_what_is_due(obligation, request.user),
        happens=[
            _("You can allow one decision on the chosen initiative although this obligation is due."),
            _(
                "The obligation stays due and blocks every other initiative of the same person. You can "
                "allow this once for each initiative."
            ),
        ],
        verb=_("Allow the decision"),
    )


def _may_record_gap(initiative: Initiative, person: User) -> Answer:
    chairs = initiative_permissions.is_acting_chair(initiative, person)
    return yes() if chairs else initiative_permissions.may_collaborate(initiative, person)


INITIATIVE_ACTS["record-gap"] = PageStep(
    may=_may_record_gap,
    act=actions.open_gap,
    form=GapForm,
    title=gettext_lazy("Record a gap"),
    lede=gettext_lazy(
        "The gap stays open until evidence closes it or its owner accepts it. The gap stays open after the "
        "initiative has ended, too."
    ),
    verb=gettext_lazy("Record the gap"),
    done=gettext_lazy("The gap is recorded."),
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
    given=lambda row, request: {"gap": row, "owns": row.owner_id == request.user.pk},
    title=gettext_lazy("Close a gap"),
    lede=lambda row: f"{row.text} Owned by {row.owner}, due {day(row.due)}.",
    verb=gettext_lazy("Close the gap"),
    done=gettext_lazy("The gap is closed."),
)
