"""Pages of an initiative: gaps of its stage, details, tier, activity."""

from collections.abc import Callable

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.gates import criteria
from governance.gates.levels import MODEL
from governance.gates.requirements import IN_DEPLOYMENTS
from governance.models import Entry, Rulebook, User
from governance.people.permissions import may_see_audit_log
from governance.permission_result import ended
from governance.rulebook.judgements import judgement_of, judgement_of_declared
from governance.rulebook.pairings import PAIRINGS
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, WRITTEN_OBLIGATIONS, Role, Stage, Tier
from governance.vocabulary.phrases import joined, label, phrase
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import initiative_lookup, signers, visibility
from initiatives.lifecycle.access.visibility import openable
from initiatives.lifecycle.activity import headlines, recent_changes, timeline
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import initiative_rows, open_requirements, supported_stage
from initiatives.lifecycle.facts.initiative_rows import scope_ahead
from initiatives.lifecycle.facts.wording import profile_of, profile_words
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds import due_tasks
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.forms import ConfirmTierForm, DetailsForm, RefuseTierForm, TierForm
from initiatives.lifecycle.initiative.initiative_frame import (
    initiative_context,
    outgrown_banner,
    page_of,
    pick,
    waits_for,
)
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep, buttons, with_buttons
from initiatives.lifecycle.initiative.similar_initiatives import said_not_similar, similar_to_each
from initiatives.lifecycle.initiative_pages import banners, day_comparison_views, next_step, past_views
from initiatives.lifecycle.requirements.row_presentation import FIRST, fix_of
from initiatives.models import Initiative, RoleAssignment
from initiatives.models.initiative import gate_out_of

ROLE_ORDER = (
    Role.OWNER,
    Role.DEPUTY,
    Role.SUPPORT_OWNER,
    Role.TECHNICAL_LEAD,
    Role.DATA_STEWARD,
    Role.RECORD_OWNER,
    Role.SPONSOR,
)
# What the finding's mark says for a state that is not satisfied; all others are plainly not met.
MARKS = {"expired": "stale", "voided": "stale", "waived": "waived"}
_ASKED = PAIRINGS["lead_questions"]
# What each scale test answers (S0-30).
QUESTIONS = dict(zip(("governance", "integration", "adoption"), _ASKED.values(), strict=True))
AGES_SHOWN = 3
BECOMES = {Stage.PROTOTYPE: "a prototype", Stage.MVP: "an MVP", Stage.PRODUCTION: "production"}
# How the gaps of an initiative can stand together.
GROUPINGS = {"layer": "by layer", "judgement": "by judgement"}
# So many things stand open on the overview, which is one screen and a half: what is next, banners, and of its lists
# what there is room for besides; the others are folded.
SHOWN = 2


@on_any_day(initiative_lookup.initiative_on_any_day)
def initiative(request, ref):
    """Show the gaps to hold the stage and to go on, and who can close them."""
    row = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, row, "initiative")
    facts, rulebook, states, may = (context[name] for name in ("facts", "rulebook", "states", "may"))
    judged, judged_next = context["judged"], context["judged_next"]
    asked = supported_stage.asked(facts, rulebook)
    ahead = None if row.withdrawn_at else rulebook.gates.get(gate_out_of(row.stage))
    further = criteria.open_at(judged_next, ahead.key) if ahead else []
    context |= {
        "holding": open_rows(row, judged, criteria.gaps_to(judged, row.stage), may),
        "reaching": open_rows(row, judged_next, further, may),
        "missed": missed_rows(row, facts, ahead, may),
        "counts_next": bool(ahead) and ahead.to in RUNNING_STAGES,
        "ahead": ahead,
        "ahead_word": BECOMES.get(ahead.to, "") if ahead else "",
        "tests": test_rows(context),
        "profile": profile_words(profile_of(states, asked or further)),
        "standards": next_step.standard_rows(context),
        "standard_stages": next_step.standard_stages(row.stage),
        "by": pick(request.GET.get("by"), GROUPINGS, "layer"),
        "groupings": GROUPINGS,
        "rule": rulebook.stages.get(row.stage),
        "tolerated": rulebook.tolerated(row.stage),
        "people": people_rows(row),
        "bound": next((scope for scope in facts.scopes if not scope.planned), None),
        "planned": next((scope for scope in facts.scopes if scope.planned), None),
        "models": facts.models_at(context["now"]),
        "ages": ages(rulebook, states, asked + further),
        "ends": supported_stage.review_by(row),
        "to_decide": supported_stage.decision_due(row),
        "own_question": facts.answers.get("proto.question"),
        "business": getattr(row, "business_case", None),
        "obligations": _obligations(row, may, request.user),
        "gaps": with_buttons(row.gaps.filter(closed_at__isnull=True).select_related("owner"), request.user),
        "accepted_risks": facts.accepted_risks_at(context["now"]),
    }
    if ahead and context["open_review"] is None and may.team_member:
        seats = review_state.seat_states(signers.eligible_signers_of(row))
        context["impossible"] = criteria.reach(rulebook, ahead.key, row.tier, seats)
    context["banners"] = [*context["banners"], *banners.runs_without(row, judged)]
    if row.stage == Stage.PROPOSED and row.withdrawn_at is None and may.team_member and not as_of.current():
        context["similar"] = similar_to_each([row], visibility.visible_to(request.user))[row.pk]
        context["not_similar"] = said_not_similar([row])[row.pk]
    if as_of.current():
        context["kept"] = past_views.kept_beside_now(context)
    else:
        context["parts"] = parts_shown(contributed.beside_initiative, request.user, row)
        context["banners"] = [*context["banners"], *outgrown_banner(row)]
        context["next"] = next_step.next_step(context, request.user)
        context["changed"] = recent_changes.of_initiative(row, request.user, context["judged_next"])
    context["unfolded"] = _unfolded(context)
    return render(request, "initiatives/initiative_pages/initiative_page.html", context)


def _unfolded(context) -> list[str]:
    """Return the lists to unfold, what holds the stage first, while short."""
    found, left = [], SHOWN - len(context["banners"]) - bool(context.get("next"))
    for name in ("holding", "obligations", "missed", "reaching", "gaps"):
        if 0 < len(context[name]) <= left:
            found.append(name)
            left -= len(context[name])
    return found


def _obligations(initiative, may, person):
    """Return the open obligations, with the excuses that the reader may open and the reader's acts."""
    obligations, today = initiative_rows.obligations(initiative), clock.today()
    passed = {initiative.ref_of(one["number"]) for obligation in obligations for one in obligation.let_pass}
    opened = openable(person, passed) if passed else set()
    for obligation in obligations:
        passes = [(initiative.ref_of(one["number"]), one["reason"]) for one in obligation.let_pass]
        obligation.passes = [(ref, reason) for ref, reason in passes if ref in opened]
        act = _act_on(obligation, person) if may.team_member else None
        obligation.buttons = ([act] if act else []) + buttons(
            obligation, person, without=hold_deeds.complete_obligation
        )
        obligation.may_pass = bool(may.chair) and obligation.due < today
    return obligations


def _act_on(obligation, person) -> tuple[str, str] | None:
    """Return address and button to complete an obligation, or None."""
    if obligation.kind in WRITTEN_OBLIGATIONS:
        return reverse("post-mortem-start", args=[obligation.pk]), phrase("Write it")
    if obligation.kind == "feed":
        verb = (
            phrase("Confirm that the feed is switched off")
            if obligation.responsible_id == person.pk
            else "Open"
        )
        return reverse("feed-shut", args=[obligation.pk]), verb
    if obligation.kind == "measurement":
        return reverse("adoption", args=[obligation.initiative.ref]), "Read it"
    if not hold_deeds.may_answer_for(obligation, person):
        return None
    act = due_tasks.act_of(obligation)
    return act.link, act.button


def open_rows(initiative, judged: criteria.Judged, keys, may) -> list[dict]:
    """Return a finding for each open requirement: question, person, fix."""
    rulebook, rows = judged.rulebook, []
    for key in keys:
        state, asked = judged.states[key], rulebook.requirements[key]
        mine = open_requirements.turn(judged, key) in may.turns
        # What the register says is listed at the requirement, each with its own page; a measure has one page.
        listed = state.state == "register" and key not in contributed.renewals
        there = fix_of(initiative, rulebook, state, may) if mine and not listed else None
        rows.append(
            {
                "layer": asked.layer,
                "judgement": judgement_of(asked),
                "state": MARKS.get(state.state, "unmet"),
                "before": str(FIRST[MODEL][0]) if state.place == IN_DEPLOYMENTS else "",
                "text": asked.question,
                "who": "You" if mine else waits_for(initiative, judged, key),
                "how": state.words if mine else joined(state.words, state.fix),
                "link": there[0] if there else reverse("requirement", args=[initiative.ref, key]),
                "link_text": there[1]
                if there
                else (mine and state.fix.rstrip(".")) or _("Open the requirement"),
            }
        )
    return rows


def missed_rows(initiative, facts, gate, may) -> list[dict]:
    """Return declared goals of the gate without a result, and missed ones. Each group is one row."""
    found: dict[str, list] = {}
    for criterion in gate.criteria if gate else ():
        for key in criterion.declared_goals:
            declared = facts.declared.get(key)
            if declared is None or declared.result != "met":
                words = (
                    phrase("Declared, but missed")
                    if declared and declared.result
                    else phrase("No result yet for the declaration")
                )
                found.setdefault(words, []).append((criterion.layer, key))
    return [
        {
            "layer": goals[0][0],
            "judgement": judgement_of_declared(goals[0][1]),
            "state": "unmet",
            "text": phrase("{}: {}.", words, ", ".join((key.replace("_", " ") for _layer, key in goals))),
            "who": "You" if may.manage else facts.people.get("owner", "the owner (no one has accepted yet)"),
            "how": "report the result beside the declaration.",
            "link": reverse("declaration", args=[initiative.ref]),
            "link_text": _("Open the declaration"),
        }
        for words, goals in found.items()
    ]


def test_rows(context) -> list[dict]:
    """Return the three scale tests from MVP on, with outcome and gaps.

    Earlier stages have no scale tests, because no gate asks for them.
    """
    initiative, judged, may = context["initiative"], context["judged"], context["may"]
    if initiative.stage not in (Stage.MVP, Stage.PRODUCTION):
        return []
    rows = []
    for key, test in judged.rulebook.scale_tests.items():
        support, states = context["support"], [judged.states[item] for item in test.items]
        left = [state.key for state in states if not state.satisfies("production") or state.state == "waived"]
        against = support.against[key]
        rows.append(
            {
                "key": key,
                "word": key.capitalize(),
                "question": QUESTIONS.get(key, ""),
                "statement": test.statement,
                "outcome": support.tests[key],
                "against": against,
                "next": open_rows(initiative, judged, left[:1], may),
            }
        )
    return rows


def people_rows(initiative) -> list[RoleAssignment]:
    """Return everyone in a role or proposed for one, in the usual order of roles."""
    rows = [row for row in initiative_rows.roles(initiative) if row.open]
    return sorted(rows, key=lambda row: (ROLE_ORDER.index(row.role), row.accepted_at is None))


def ages(rulebook, states, keys) -> list[tuple[str, object]]:
    """Return the evidence that expires next: requirements with their last current day."""
    today = clock.today()
    ends = [
        (states[key].last_day, rulebook.requirements[key].question)
        for key in keys
        if states[key].state in supported_stage.CURRENT
        and states[key].last_day
        and states[key].last_day >= today
    ]
    return [(question, day) for day, question in sorted(ends)[:AGES_SHOWN]]


INITIATIVE_ACTS["edit"] = PageStep(
    may=initiative_permissions.may_describe,
    act=detail_actions.edit,
    form=DetailsForm,
    given=lambda row, request: {
        "initial": {name: getattr(row, name) for name in ("title", "problem", "platform", "confidential")}
    },
    title=gettext_lazy("Edit the initiative"),
    happens=(
        lambda row: phrase("The reference stays {}.", row.ref),
        gettext_lazy(
            "Search also finds earlier titles. The page of an earlier day shows the title of that day."
        ),
    ),
    verb=gettext_lazy("Save the initiative"),
    done=gettext_lazy("The initiative is saved."),
)


INITIATIVE_ACTS["propose-tier"] = PageStep(
    may=initiative_permissions.may_describe,
    act=detail_actions.propose_tier,
    form=TierForm,
    given=lambda row, request: {
        "initial": {"tier": row.proposed_tier, "worst_credible_harm": row.worst_credible_harm},
        "rulebook": Rulebook.objects.current().parsed,
    },
    title=gettext_lazy("Risk tier"),
    lede=gettext_lazy(
        "The tier counts after the risk seat has confirmed it. High risk means that evidence expires sooner "
        "and the quorum is larger."
    ),
    verb=gettext_lazy("Propose tier"),
    done=gettext_lazy("The tier is proposed. The risk seat confirms the tier."),
)


def _tier_happens(initiative: Initiative) -> list[str]:
    before = initiative.get_tier_display().lower()
    proposed = initiative.get_proposed_tier_display().lower()
    happens = [
        f"The risk tier of {initiative.ref} becomes {proposed}{f' instead of {before}' if before else ''}."
    ]
    if initiative.proposed_tier == Tier.HIGH:
        happens.append(phrase("Evidence expires sooner and more seats must sign."))
    scopes = initiative_rows.rows(initiative, "scopes")
    ahead = scope_ahead(initiative)
    if ahead is None:
        happens.append(phrase("No scope is recorded. The tier must be confirmed again for the first scope."))
    else:
        happens.append(
            phrase("The tier is confirmed for {}. Purpose: {}", ahead.in_words, ended(initiative.problem))
        )
    for row in scopes:
        if row.number == initiative.tier_scope and row != ahead:
            happens.append(phrase("The tier was confirmed for {} before.", row.in_words))
    if initiative.purpose_changed_at is not None:
        happens.append(
            phrase("The tier was confirmed for this purpose before: {}", ended(initiative.tier_purpose))
        )
    return happens


def _other_answer(verb: str) -> Callable[[Initiative, SignedInRequest], dict]:
    """Return the context that links the other answer to the same question, for people who may give it."""

    def context(initiative: Initiative, request: SignedInRequest) -> dict:
        step = INITIATIVE_ACTS[verb]
        if not step.may(initiative, request.user):
            return {}
        return {"instead": (reverse("initiative-act", args=[initiative.ref, verb]), step.title)}

    return context


INITIATIVE_ACTS["confirm-tier"] = PageStep(
    may=initiative_permissions.may_confirm_tier,
    act=detail_actions.confirm_tier,
    form=ConfirmTierForm,
    given=lambda row, request: {
        "request": request,
        "purpose": phrase("confirm the risk tier of {}", row.ref),
        "facts": {
            "tier proposed": row.proposed_tier,
            "worst credible harm": row.worst_credible_harm,
            "scope": str(scope_ahead(row) or "none"),
            "purpose": row.problem,
        },
        "initial": {"tier": row.proposed_tier, "scope": getattr(scope_ahead(row), "number", 0)},
    },
    title=gettext_lazy("Confirm the risk tier"),
    lede=lambda row: phrase("Worst credible harm, in the owner's words: {}", row.worst_credible_harm),
    happens=_tier_happens,
    context=_other_answer("refuse-tier"),
    verb=lambda row: phrase("Confirm {} risk", label(row.get_proposed_tier_display(), inside=True)),
    done=gettext_lazy("The tier is confirmed."),
)


INITIATIVE_ACTS["refuse-tier"] = PageStep(
    may=initiative_permissions.may_refuse_tier,
    act=detail_actions.refuse_tier,
    form=RefuseTierForm,
    given=lambda row, request: {
        "request": request,
        "purpose": phrase("refuse the risk tier of {}", row.ref),
        "facts": {"tier proposed": row.proposed_tier, "tier": row.tier},
        "initial": {"tier": row.proposed_tier},
    },
    title=gettext_lazy("Refuse the proposed risk tier"),
    lede=lambda row: phrase("Worst credible harm, in the owner's words: {}", row.worst_credible_harm),
    happens=(
        lambda row: (
            phrase("The risk tier stays {}.", label(row.get_tier_display(), inside=True)) if row.tier else ""
        ),
        gettext_lazy("The owner and the chair are notified with your reason."),
    ),
    context=_other_answer("confirm-tier"),
    verb=lambda row: phrase("Refuse {} risk", label(row.get_proposed_tier_display(), inside=True)),
    done=gettext_lazy("The proposed tier is refused."),
)


@on_any_day(initiative_lookup.initiative_on_any_day)
def activity(request, ref):
    """Show the activity: decisions as headlines, or acts of one kind.

    With `one`, show two days side by side.
    """
    if "one" in request.GET:
        return day_comparison_views.compare(request, ref)
    row = initiative_lookup.initiative_for(request.user, ref)
    entries = Entry.objects.acts().of_initiative(row.ref)
    if not may_see_audit_log(request.user):
        entries = timeline.without_private(entries, request.user)
    # Asked first, and by the initiative alone: joined to the people, a plan may read all that one of them ever did.
    done = set(entries.order_by().values_list("actor_id", "kind").distinct())
    actors = User.objects.filter(pk__in={actor for actor, _ in done} - {None})
    kinds = sorted({kind for _, kind in done})
    who = pick(request.GET.get("who"), {str(person.pk) for person in actors})
    kind = pick(request.GET.get("kind"), kinds)
    after, before = (_key(request.GET.get(name)) for name in ("after", "before"))
    listed = kind or after or before
    show = pick(request.GET.get("show"), headlines.GROUPS, "everything" if listed else "decisions")
    if who:
        entries = entries.filter(actor_id=int(who))
    context = initiative_context(request, row, "initiative-activity")
    if show == "decisions" and not listed:
        page = page_of(request, headlines.decided(row, entries), headlines.PAGE)
        told = headlines.told(row, entries, page, context["rulebook"])
        context |= {"told": told, "lines": [line for one in told for line in one.lines]}
    else:
        if kind:
            entries = entries.filter(kind=kind)
        elif headlines.GROUPS[show]:
            entries = entries.filter(kind__in=headlines.GROUPS[show])
        page = page_of(request, headlines.between(entries, after, before))
        context |= {"lines": timeline.lines(row, page.object_list, context["rulebook"])}
    context |= {
        "title": "Activity",
        "page": page,
        "parts": parts_shown(contributed.beside_activity, request.user, row),
        "simulated": bool(context["lines"]) and all(line.simulated for line in context["lines"]),
        "groups": {key: key.capitalize() for key in headlines.GROUPS},
        "show": "" if kind else show,
        "actors": actors,
        "kinds": kinds,
        "who": who,
        "kind": kind,
    }
    return render(request, "initiatives/initiative_pages/initiative_activity.html", context)


def _key(text: str | None) -> int | None:
    """Return the key of an entry out of an address, or None for junk."""
    return int(text) if text and text.isdecimal() and len(text) < 18 else None
