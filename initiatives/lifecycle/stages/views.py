"""Pages of moves: each shows the effects and the obligations, then does the move."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.models import Rulebook, User
from governance.permission_result import Answer, ended, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import day, in_days, stage_word
from governance.vocabulary import ReviewOutcome, Role, Stage
from governance.vocabulary.phrases import phrase
from initiatives.contributions import contributed
from initiatives.lifecycle.access import roles_and_seats, visibility
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import rulebook_in_effect, stage_expiry, supported_stage
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.lifecycle.initiative.who_may import judgement_of_stop
from initiatives.lifecycle.stages import actions
from initiatives.lifecycle.stages.actions import emergency_of, end_to_decide, later_criteria, lower_stages
from initiatives.lifecycle.stages.forms import (
    ContinueForm,
    ReattestForm,
    StageForm,
    StepBackForm,
    StopForm,
    WithdrawForm,
)
from initiatives.lifecycle.stages.permissions import NOT_IN_PRODUCTION, may_confirm_production
from initiatives.models import Initiative


def _due_later(rulebook, gate: str, *, emergency: bool = False) -> list[str]:
    """Return a sentence with the day for each later criterion of a gate."""
    return [
        f"Due by {day(clock.today() + timedelta(days=days))}: {criterion.question}"
        for criterion, days in later_criteria(rulebook, gate, emergency=emergency)
    ]


def _post_mortem(rulebook, what: str) -> str:
    due = clock.today() + timedelta(days=rulebook.freshness.post_mortem_due_days)
    return f"Due from the owner by {day(due)}: {what}."


def _review_ends(initiative) -> list[str]:
    review = initiative.reviews.filter(outcome=ReviewOutcome.OPEN).first()
    return [f"The open review of the gate {review.gate} is withdrawn."] if review else []


def left_open(initiative: Initiative) -> list[str]:
    """Return what stays open when the initiative is stopped or retired, in sentences."""
    return [words for told in contributed.left_open for words in told(initiative)]


TIES_END = phrase("The contract and the scope end. Requests for the approval of calls expire.")
STAGE = {"signed": "stage", "page": "initiative"}


INITIATIVE_ACTS["withdraw"] = PageStep(
    may=initiative_permissions.may_withdraw,
    act=detail_actions.withdraw,
    form=WithdrawForm,
    given=lambda row, request: {"visible": visibility.visible_to(request.user)},
    title=gettext_lazy("Withdraw the initiative"),
    happens=(
        lambda row: f"{row.ref} is marked as registered by mistake and no longer changes.",
        gettext_lazy("The activity is kept. The reference is never used again."),
        gettext_lazy("No obligation is opened."),
    ),
    danger=True,
    verb=gettext_lazy("Withdraw initiative"),
    done=lambda row: f"{row.ref} is withdrawn.",
)


def _stop_happens(initiative: Initiative) -> list[str]:
    rulebook = Rulebook.objects.current().parsed
    happens = [
        f"{initiative.ref} stops at once, without a review.",
        *_review_ends(initiative),
        TIES_END,
        *left_open(initiative),
    ]
    if initiative.stage == Stage.PROPOSED:
        return [*happens, "No post-mortem is due, because the initiative is an idea."]
    return [*happens, _post_mortem(rulebook, "a post-mortem"), *_due_later(rulebook, "stop")]


INITIATIVE_ACTS["stop"] = PageStep(
    may=initiative_permissions.may_stop,
    act=actions.stop,
    form=StopForm,
    title=gettext_lazy("Stop this initiative"),
    happens=_stop_happens,
    danger=True,
    verb=gettext_lazy("Stop initiative"),
    done=lambda row: f"{row.ref} is stopped.",
    **STAGE,
)


def _may_retire(initiative: Initiative, person: User) -> Answer:
    may = initiative_permissions.may_chair(initiative, person)
    if may:
        emergency_of(initiative)
    return may


def _retire_happens(initiative: Initiative) -> list[str]:
    rulebook = Rulebook.objects.current().parsed
    return [
        f"{initiative.ref} is retired at once, by you alone. A retired initiative cannot be reopened.",
        *_review_ends(initiative),
        TIES_END,
        *left_open(initiative),
        _post_mortem(rulebook, "an end-of-life review"),
        *_due_later(rulebook, "retire", emergency=True),
    ]


INITIATIVE_ACTS["retire"] = PageStep(
    may=_may_retire,
    act=actions.retire,
    form=StageForm,
    title=gettext_lazy("Retire in an emergency"),
    lede=gettext_lazy(
        "Use this only if waiting does harm. Otherwise, open a review to retire the initiative."
    ),
    happens=_retire_happens,
    danger=True,
    verb=gettext_lazy("Retire initiative"),
    done=lambda row: f"{row.ref} is retired.",
    **STAGE,
)


def _reopened(initiative: Initiative) -> str:
    target = stage_word("prototype" if judgement_of_stop(initiative).was_prototype else "proposed")
    return f"{initiative.ref} becomes a {target.lower()} again."


INITIATIVE_ACTS["reopen"] = PageStep(
    may=initiative_permissions.may_raise,
    act=actions.reopen,
    form=StageForm,
    title=gettext_lazy("Reopen"),
    happens=(
        _reopened,
        gettext_lazy("Earlier evidence and earlier sign-offs do not count."),
        gettext_lazy("Every API key is revoked. The contract and the scope are approved anew."),
        gettext_lazy("The post-mortem must be published first."),
    ),
    verb=gettext_lazy("Reopen initiative"),
    done=lambda row: f"{row.ref} is open again.",
    **STAGE,
)


def _lower_form(initiative: Initiative, request: SignedInRequest) -> dict:
    """Return the form of a demotion: the supported stage and the present scope are preset."""
    lower = lower_stages(initiative)
    supported = supported_stage.judged(initiative).support.supported
    preset = supported if supported in lower else lower[-1]
    current = (
        initiative.scopes.filter(starts_at__isnull=False, ended_at__isnull=True).order_by("-number").first()
    )
    initial = {name: getattr(current, name) for name in StepBackForm.SCOPE} if current else {}
    initial["target"] = preset
    if preset == Stage.PROTOTYPE:
        initial |= {"rollout": False, "live_data": False}
    vacant = initiative.holds.open().filter(kind="owner_vacant").first()
    if vacant:  # the obligation asks the chair for a successor or for this
        initial["reason"] = f"No owner since {day(vacant.opened_at)}, and no one took over."
    if initial.get("ends_on") and initial["ends_on"] < clock.today():
        initial["ends_on"] = None  # a bound that has passed bounds nothing from now on
    return {"initial": initial, "lower": lower}


def _step_back_happens(initiative: Initiative) -> list[str]:
    words = " or ".join(stage_word(stage) for stage in lower_stages(initiative))
    supported = supported_stage.judged(initiative).support.supported
    ending = [row.who for row in initiative.dependants.filter(ended_at__isnull=True)]
    return [
        (
            f"{initiative.ref} becomes {words} at once. The approved stage is no longer "
            f"{stage_word(initiative.stage)}."
        ),
        f"The evidence supports {stage_word(supported) or 'no stage'}.",
        _("The smaller scope below comes into force."),
        _("The owner explains what changed since. No review is approved before."),
        *_review_ends(initiative),
        *(
            [f"A prototype cannot have dependants. Plumbline closes these dependants: {', '.join(ending)}."]
            if ending
            else []
        ),
    ]


INITIATIVE_ACTS["demote"] = PageStep(
    may=initiative_permissions.may_chair,
    act=actions.step_back,
    form=StepBackForm,
    given=_lower_form,
    fields=lambda form: {
        "scope": form.scope(),
        **{
            name: form.cleaned_data[name]
            for name in ("reason", "users_told", "target")
            if name in form.fields
        },
    },
    title=gettext_lazy("Demote"),
    happens=_step_back_happens,
    danger=True,
    verb=gettext_lazy("Demote"),
    done=lambda row: f"{row.ref} is demoted.",
    **STAGE,
)


def _time_box(initiative: Initiative) -> str:
    ends = end_to_decide(initiative)
    question = rulebook_in_effect.rulebook_of(initiative).parsed.stages[initiative.stage].question
    end = f"The end {'was' if ends < clock.today() else 'is'} {in_days(ends)}"
    before = initiative.continuations.filter(stage=initiative.stage).select_related("by").first()
    once = f" {before.by} continued it on {day(before.at)}: {ended(before.reason)}" if before else ""
    return f"{stage_word(initiative.stage)} since {day(initiative.since)}. {end}: {question}{once}"


def _continued(initiative: Initiative) -> str:
    rule = rulebook_in_effect.rulebook_of(initiative).parsed.stages[initiative.stage]
    last = clock.today() + timedelta(days=rule.max_days_before_review)
    return (
        f"The initiative stays {stage_word(initiative.stage)} until the day you set, at the latest "
        f"{day(last)}. Then you are asked again."
    )


INITIATIVE_ACTS["continue"] = PageStep(
    may=initiative_permissions.may_continue,
    act=actions.continue_stage,
    form=ContinueForm,
    given=lambda row, request: {"initial": {"was": end_to_decide(row)}},
    template="initiatives/stages/move_continue.html",
    title=gettext_lazy("Stage time-box review"),
    lede=_time_box,
    happens=(_continued, gettext_lazy("The requirements do not change.")),
    verb=gettext_lazy("Continue the stage"),
    done=lambda row: f"{row.ref} continues.",
    **STAGE,
)


def _confirmation(initiative: Initiative, request: SignedInRequest) -> dict:
    """Return who has to accept again before the chair confirms, and whether the person may confirm now."""
    accepted = stage_expiry.accepted_again([initiative.pk]).get(initiative.pk, ())
    people = [
        {
            "role": Role(role).label,
            "done": role in accepted,
            "row": roles_and_seats.accepted(initiative, role),
        }
        for role in stage_expiry.ACCEPTING
    ]
    return {
        "people": people,
        "may_confirm": may_confirm_production(initiative, request.user),
        "grace": Rulebook.objects.current().parsed.freshness.grace_days,
    }


def _next_confirmation(initiative: Initiative) -> str:
    rule = Rulebook.objects.current().parsed.stages["production"]
    days = rule.reattest_days_high if initiative.high_risk else rule.reattest_days
    return f"The next confirmation is due {day(clock.today() + timedelta(days=days))}."


INITIATIVE_ACTS["confirm-production"] = PageStep(
    may=may_confirm_production,
    # Owner and support owner read here who has accepted again.
    may_open=lambda row, person: yes() if row.stage == Stage.PRODUCTION else NOT_IN_PRODUCTION,
    act=actions.reattest,
    form=ReattestForm,
    signed="attestation",
    template="initiatives/stages/move_reattest.html",
    context=_confirmation,
    title=gettext_lazy("Confirm production again"),
    happens=(_next_confirmation,),
    verb=gettext_lazy("Confirm for another term"),
    done=gettext_lazy("Production is confirmed for another term."),
)
