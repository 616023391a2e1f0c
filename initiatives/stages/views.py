"""Moves of a case: pages that say exactly what will happen and what is owed, then do it."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from governance import clock
from governance.models import Rulebook
from governance.permission_result import ended, no
from governance.templatetags.plumbline import day, in_days, stage_word
from governance.vocabulary import ReviewOutcome, Stage
from initiatives.access import case_lookup
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import one_act, sent
from initiatives.cases.stage_judgement import judgement_of_stop
from initiatives.facts import rulebook_in_effect
from initiatives.form_fields import ReasonForm
from initiatives.registration import actions as registration_actions
from initiatives.stages import actions
from initiatives.stages.actions import emergency_of, end_to_decide, later_criteria, step_back_of
from initiatives.stages.forms import ContinueForm, ReattestForm, StepBackForm, StopForm, WithdrawForm
from initiatives.stages.permissions import may_be_accepted_again


def _owed(book, gate: str, *, emergency: bool = False) -> list[str]:
    """What a gate's later criteria become: one sentence each, with the day."""
    return [
        f"Due by {day(clock.today() + timedelta(days=days))}: {criterion.question}"
        for criterion, days in later_criteria(book, gate, emergency=emergency)
    ]


def _post_mortem(book, what: str) -> str:
    due = clock.today() + timedelta(days=book.freshness.post_mortem_due_days)
    return f"Due from the owner by {day(due)}: {what}."


def _review_ends(case) -> list[str]:
    review = case.reviews.filter(outcome=ReviewOutcome.OPEN).first()
    return [f"The open review of the gate {review.gate} is withdrawn."] if review else []


def withdraw(request, ref):
    """Withdraw an idea registered by mistake, or joined to another."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_withdraw(case, request.user).or_refuse()
    form = WithdrawForm(sent(request), visible=case_permissions.visible_to(request.user))
    return one_act(
        request,
        case,
        form,
        lambda fields: registration_actions.withdraw(case=case, by=request.user, **fields),
        f"{case.ref} is withdrawn.",
        title=_("Withdraw"),
        happens=[
            f"{case.ref} is marked as registered by mistake and no longer changes.",
            _("It is kept with its history; its reference is never used again."),
            _("Nothing becomes due."),
        ],
        danger=True,
        verb=_("Withdraw it"),
    )


def stop(request, ref):
    """Stop a case, at once."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_stop(case, request.user).or_refuse()
    book = Rulebook.objects.current().book
    happens = [f"{case.ref} stops at once; no review and no paperwork comes first.", *_review_ends(case)]
    if case.stage == Stage.PROPOSED:
        happens.append("Of a stopped idea only its reason is asked.")
    else:
        happens += [_post_mortem(book, "a post-mortem"), *_owed(book, "stop")]
    return one_act(
        request,
        case,
        StopForm(sent(request)),
        lambda fields: actions.stop(case=case, by=request.user, **fields),
        f"{case.ref} is stopped.",
        title=_("Stop this initiative"),
        happens=happens,
        danger=True,
        verb=_("Stop it now"),
    )


def retire(request, ref):
    """Retire production in an emergency, as chair alone."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_chair(case, request.user).or_refuse()
    emergency_of(case)
    book = Rulebook.objects.current().book
    return one_act(
        request,
        case,
        ReasonForm(sent(request)),
        lambda fields: actions.retire(case=case, by=request.user, **fields),
        f"{case.ref} is retired.",
        title=_("Retire in an emergency"),
        lede=_(
            "The ordinary way is a review of the gate to retire. This one is for when waiting would do harm."
        ),
        happens=[
            f"{case.ref} is retired at once, by you alone. Nothing leads out of that: a successor is registered anew.",
            *_review_ends(case),
            _post_mortem(book, "an end-of-life review"),
            *_owed(book, "retire", emergency=True),
        ],
        danger=True,
        verb=_("Retire it now"),
    )


def reopen(request, ref):
    """Reopen a stopped case, as chair."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_raise(case, request.user).or_refuse()
    target = stage_word("prototype" if judgement_of_stop(case).was_prototype else "proposed")
    return one_act(
        request,
        case,
        ReasonForm(sent(request)),
        lambda fields: actions.reopen(case=case, by=request.user, **fields),
        f"{case.ref} is open again.",
        title=_("Reopen"),
        happens=[
            f"{case.ref} becomes a {target.lower()} again.",
            _("No old evidence and no old sign-off is current: everything is shown anew."),
            _("Its post-mortem has to be published before."),
        ],
        verb=_("Reopen it"),
    )


def step_back(request, ref):
    """Take production back to an MVP, or an MVP back to a prototype, as chair."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_chair(case, request.user).or_refuse()
    target = step_back_of(case).target
    current = case.scopes.filter(starts_at__isnull=False, ended_at__isnull=True).order_by("-number").first()
    initial = {name: getattr(current, name) for name in StepBackForm.SCOPE} if current else {}
    if target == "prototype":
        initial |= {"rollout": False, "live_data": False}
    vacant = case.holds.open().filter(kind="owner_vacant").first()
    if vacant:  # the debt asks the chair for a successor or for this
        initial["reason"] = f"No owner since {day(vacant.opened_at)}, and nobody took it over."
    if initial.get("ends_on") and initial["ends_on"] < clock.today():
        initial["ends_on"] = None  # a bound that has passed bounds nothing from now on
    form = StepBackForm(sent(request), initial=initial)
    happens = [
        f"{case.ref} becomes {stage_word(target)} at once; it claims {stage_word(case.stage)} no longer.",
        "The smaller scope below comes into force.",
        *_review_ends(case),
    ]
    if target == "prototype":
        ending = [row.who for row in case.dependants.filter(ended_at__isnull=True)]
        if ending:
            happens.append(f"These are no longer listed as depending on it: {', '.join(ending)}.")

    def act(fields):
        actions.step_back(
            case=case,
            reason=fields["reason"],
            users_told=fields["users_told"],
            scope=form.scope(),
            by=request.user,
        )

    return one_act(
        request,
        case,
        form,
        act,
        f"{case.ref} stepped back to {stage_word(target)}.",
        title=f"Demote to {stage_word(target)}",
        happens=happens,
        danger=True,
        verb=_("Demote"),
    )


def go_on(request, ref):
    """Let a prototype or MVP go on past its age, as chair, until a new end; or stop it instead."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_continue(case, request.user).or_refuse()
    ends = end_to_decide(case)
    book = rulebook_in_effect.rulebook_of(case).book
    last = clock.today() + timedelta(days=book.stages[case.stage].max_days_before_review)
    word = stage_word(case.stage)
    end = f"Its end {'was' if ends < clock.today() else 'is'} {in_days(ends)}"
    before = case.continuations.filter(stage=case.stage).select_related("by").first()
    once = f" {before.by} let it go on before, on {day(before.at)}: {ended(before.reason)}" if before else ""
    return one_act(
        request,
        case,
        ContinueForm(sent(request), initial={"was": ends}),
        lambda fields: actions.continue_stage(case=case, by=request.user, **fields),
        f"{case.ref} goes on.",
        template="initiatives/stages/move_continue.html",
        title=_("Stage time-box review"),
        lede=f"{word} since {day(case.since)}. {end}: {book.stages[case.stage].question}{once}",
        happens=[
            f"It stays {word} until the day you set, at most until {day(last)}; then you are asked again.",
            _("Its evidence is asked for as before; nothing else changes."),
        ],
        verb=_("Continue"),
    )


@sensitive_post_parameters("password")
def reattest(request, ref):
    """Confirm, as chair, that production is accepted again."""
    case = case_lookup.case_for(request.user, ref)
    if request.method == "POST" or case.stage != Stage.PRODUCTION:
        case_permissions.may_raise(case, request.user).or_refuse()
    if case.stage != Stage.PRODUCTION:
        no("Only production is accepted again.").or_refuse()
    book = Rulebook.objects.current().book
    rule = book.stages["production"]
    days = rule.reattest_days_high if case.high_risk else rule.reattest_days
    since = clock.today() - timedelta(days=book.freshness.grace_days)
    accepted = set(
        case.evidence.filter(acceptance__ended_at__isnull=True, observed_on__gte=since).values_list(
            "acceptance__role", flat=True
        )
    )
    people = [
        {
            "role": words,
            "done": role in accepted,
            "row": case_permissions.accepted(case, role),
        }
        for role, words in (("owner", "Business owner"), ("support_owner", "Support owner"))
    ]
    return one_act(
        request,
        case,
        ReattestForm(sent(request), request=request, purpose=f"confirm production of {case.ref}"),
        lambda fields: actions.reattest(case=case, by=request.user, **fields),
        _("Production is accepted again."),
        template="initiatives/stages/move_reattest.html",
        title=_("Accept production again"),
        people=people,
        renewal=may_be_accepted_again(case),
        grace=book.freshness.grace_days,
        happens=[f"The next re-attestation is due {day(clock.today() + timedelta(days=days))}."],
        verb=_("Confirm for another term"),
    )
