"""Moves of an initiative: pages that say exactly what will happen and what is due, then do it."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from governance import clock
from governance.models import Rulebook
from governance.permission_result import ended, no
from governance.templatetags.plumbline import day, in_days, stage_word
from governance.vocabulary import ReviewOutcome, Stage
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import rulebook_in_effect
from initiatives.lifecycle.initiative.initiative_frame import one_act, sent
from initiatives.lifecycle.initiative.stage_judgement import judgement_of_stop
from initiatives.lifecycle.stages import actions
from initiatives.lifecycle.stages.actions import emergency_of, end_to_decide, later_criteria, step_back_of
from initiatives.lifecycle.stages.forms import (
    ContinueForm,
    ReattestForm,
    StepBackForm,
    StopForm,
    WithdrawForm,
)
from initiatives.lifecycle.stages.permissions import may_be_accepted_again


def _due_later(rulebook, gate: str, *, emergency: bool = False) -> list[str]:
    """What a gate's later criteria become: one sentence each, with the day."""
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


def withdraw(request, ref):
    """Withdraw an idea registered by mistake, or joined to another."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_withdraw(initiative, request.user).or_refuse()
    form = WithdrawForm(sent(request), visible=initiative_permissions.visible_to(request.user))
    return one_act(
        request,
        initiative,
        form,
        lambda fields: detail_actions.withdraw(initiative=initiative, by=request.user, **fields),
        f"{initiative.ref} is withdrawn.",
        title=_("Withdraw"),
        happens=[
            f"{initiative.ref} is marked as registered by mistake and no longer changes.",
            _("It is kept with its history; its reference is never used again."),
            _("Nothing becomes due."),
        ],
        danger=True,
        verb=_("Withdraw it"),
    )


def stop(request, ref):
    """Stop an initiative, at once."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_stop(initiative, request.user).or_refuse()
    rulebook = Rulebook.objects.current().parsed
    happens = [
        f"{initiative.ref} stops at once; no review and no paperwork comes first.",
        *_review_ends(initiative),
    ]
    if initiative.stage == Stage.PROPOSED:
        happens.append("Of a stopped idea only its reason is asked.")
    else:
        happens += [_post_mortem(rulebook, "a post-mortem"), *_due_later(rulebook, "stop")]
    return one_act(
        request,
        initiative,
        StopForm(sent(request)),
        lambda fields: actions.stop(initiative=initiative, by=request.user, **fields),
        f"{initiative.ref} is stopped.",
        title=_("Stop this initiative"),
        happens=happens,
        danger=True,
        verb=_("Stop it now"),
    )


def retire(request, ref):
    """Retire production in an emergency, as chair alone."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_chair(initiative, request.user).or_refuse()
    emergency_of(initiative)
    rulebook = Rulebook.objects.current().parsed
    return one_act(
        request,
        initiative,
        ReasonForm(sent(request)),
        lambda fields: actions.retire(initiative=initiative, by=request.user, **fields),
        f"{initiative.ref} is retired.",
        title=_("Retire in an emergency"),
        lede=_(
            "The ordinary way is a review of the gate to retire. This one is for when waiting would do harm."
        ),
        happens=[
            f"{initiative.ref} is retired at once, by you alone. "
            "Nothing leads out of that: a successor is registered anew.",
            *_review_ends(initiative),
            _post_mortem(rulebook, "an end-of-life review"),
            *_due_later(rulebook, "retire", emergency=True),
        ],
        danger=True,
        verb=_("Retire it now"),
    )


def reopen(request, ref):
    """Reopen a stopped initiative, as chair."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_raise(initiative, request.user).or_refuse()
    target = stage_word("prototype" if judgement_of_stop(initiative).was_prototype else "proposed")
    return one_act(
        request,
        initiative,
        ReasonForm(sent(request)),
        lambda fields: actions.reopen(initiative=initiative, by=request.user, **fields),
        f"{initiative.ref} is open again.",
        title=_("Reopen"),
        happens=[
            f"{initiative.ref} becomes a {target.lower()} again.",
            _("No old evidence and no old sign-off is current: everything is shown anew."),
            _("Its post-mortem has to be published before."),
        ],
        verb=_("Reopen it"),
    )


def step_back(request, ref):
    """Take production back to an MVP, or an MVP back to a prototype, as chair."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_chair(initiative, request.user).or_refuse()
    target = step_back_of(initiative).target
    current = (
        initiative.scopes.filter(starts_at__isnull=False, ended_at__isnull=True).order_by("-number").first()
    )
    initial = {name: getattr(current, name) for name in StepBackForm.SCOPE} if current else {}
    if target == "prototype":
        initial |= {"rollout": False, "live_data": False}
    vacant = initiative.holds.open().filter(kind="owner_vacant").first()
    if vacant:  # the obligation asks the chair for a successor or for this
        initial["reason"] = f"No owner since {day(vacant.opened_at)}, and nobody took it over."
    if initial.get("ends_on") and initial["ends_on"] < clock.today():
        initial["ends_on"] = None  # a bound that has passed bounds nothing from now on
    form = StepBackForm(sent(request), initial=initial)
    happens = [
        f"{initiative.ref} becomes {stage_word(target)} at once; its approved stage is no longer "
        f"{stage_word(initiative.stage)}.",
        "The smaller scope below comes into force.",
        *_review_ends(initiative),
    ]
    if target == "prototype":
        ending = [row.who for row in initiative.dependants.filter(ended_at__isnull=True)]
        if ending:
            happens.append(f"These are no longer listed as depending on it: {', '.join(ending)}.")

    def act(fields):
        actions.step_back(
            initiative=initiative,
            reason=fields["reason"],
            users_told=fields["users_told"],
            scope=form.scope(),
            by=request.user,
        )

    return one_act(
        request,
        initiative,
        form,
        act,
        f"{initiative.ref} stepped back to {stage_word(target)}.",
        title=f"Demote to {stage_word(target)}",
        happens=happens,
        danger=True,
        verb=_("Demote"),
    )


def go_on(request, ref):
    """Let a prototype or MVP go on past its age, as chair, until a new end; or stop it instead."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_continue(initiative, request.user).or_refuse()
    ends = end_to_decide(initiative)
    rulebook = rulebook_in_effect.rulebook_of(initiative).parsed
    last = clock.today() + timedelta(days=rulebook.stages[initiative.stage].max_days_before_review)
    word = stage_word(initiative.stage)
    end = f"Its end {'was' if ends < clock.today() else 'is'} {in_days(ends)}"
    before = initiative.continuations.filter(stage=initiative.stage).select_related("by").first()
    once = f" {before.by} let it go on before, on {day(before.at)}: {ended(before.reason)}" if before else ""
    return one_act(
        request,
        initiative,
        ContinueForm(sent(request), initial={"was": ends}),
        lambda fields: actions.continue_stage(initiative=initiative, by=request.user, **fields),
        f"{initiative.ref} goes on.",
        template="initiatives/stages/move_continue.html",
        title=_("Stage time-box review"),
        lede=f"{word} since {day(initiative.since)}. {end}: {rulebook.stages[initiative.stage].question}{once}",
        happens=[
            f"It stays {word} until the day you set, at most until {day(last)}; then you are asked again.",
            _("Its evidence is asked for as before; nothing else changes."),
        ],
        verb=_("Continue"),
    )


@sensitive_post_parameters("password")
def reattest(request, ref):
    """Confirm, as chair, that production is accepted again."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    if request.method == "POST" or initiative.stage != Stage.PRODUCTION:
        initiative_permissions.may_raise(initiative, request.user).or_refuse()
    if initiative.stage != Stage.PRODUCTION:
        no("Only production is accepted again.").or_refuse()
    rulebook = Rulebook.objects.current().parsed
    rule = rulebook.stages["production"]
    days = rule.reattest_days_high if initiative.high_risk else rule.reattest_days
    since = clock.today() - timedelta(days=rulebook.freshness.grace_days)
    accepted = set(
        initiative.evidence.filter(acceptance__ended_at__isnull=True, observed_on__gte=since).values_list(
            "acceptance__role", flat=True
        )
    )
    people = [
        {
            "role": words,
            "done": role in accepted,
            "row": initiative_permissions.accepted(initiative, role),
        }
        for role, words in (("owner", "Business owner"), ("support_owner", "Support owner"))
    ]
    return one_act(
        request,
        initiative,
        ReattestForm(sent(request), request=request, purpose=f"confirm production of {initiative.ref}"),
        lambda fields: actions.reattest(initiative=initiative, by=request.user, **fields),
        _("Production is accepted again."),
        template="initiatives/stages/move_reattest.html",
        title=_("Accept production again"),
        people=people,
        renewal=may_be_accepted_again(initiative),
        grace=rulebook.freshness.grace_days,
        happens=[f"The next re-attestation is due {day(clock.today() + timedelta(days=days))}."],
        verb=_("Confirm for another term"),
    )
