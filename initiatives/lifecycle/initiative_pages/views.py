"""The page of an initiative: what stands between the approved and the supported stage; its details, its risk tier, its
activity.
"""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from governance import clock
from governance.gates import criteria
from governance.models import Entry, Rulebook, User
from governance.people.permissions import may_see_audit_log
from governance.rulebook.judgements import judgement_of, judgement_of_declared
from governance.transparency_log import as_of
from governance.vocabulary import WRITTEN_OBLIGATIONS, Role, Stage, Tier
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed, parts_shown
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.activity import headlines, recent_changes, timeline
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.details import preview as detail_preview
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.lifecycle.facts.wording import profile_of, profile_words
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.forms import DetailsForm, RenameForm, TierForm
from initiatives.lifecycle.initiative.initiative_frame import (
    acted,
    ask,
    initiative_context,
    on_inbox_of,
    one_act,
    outgrown_banner,
    page_of,
    pick,
    sent,
    who_answers,
)
from initiatives.lifecycle.initiative.similar_initiatives import said_not_similar, similar_to_each
from initiatives.lifecycle.initiative_pages import banners, next_step, past_views
from initiatives.lifecycle.requirements.row_presentation import fix_of
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
AGES_SHOWN = 3
BECOMES = {Stage.PROTOTYPE: "a prototype", Stage.MVP: "an MVP", Stage.PRODUCTION: "production"}
# How the gaps of an initiative can stand together.
GROUPINGS = {"layer": "by layer", "judgement": "by judgement"}
# So many things stand open on the overview, which is one screen and a half: what is next, banners, and of its lists
# what there is room for besides; the others are folded.
SHOWN = 2


@on_any_day(initiative_lookup.initiative_on_any_day)
def initiative(request, ref):
    """What stands between: gaps to hold the approved stage and to go on, who can fix them, what is tolerated, who is
    who.
    """
    row = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, row, "initiative")
    facts, rulebook, states, may = (context[name] for name in ("facts", "rulebook", "states", "may"))
    asked = supported_stage.asked(facts, rulebook)
    ahead = rulebook.gates.get(gate_out_of(row.stage))
    if row.withdrawn_at:
        ahead = None
    later = rulebook.deferred(ahead) if ahead else frozenset()
    further = [key for key in ahead.requirements() if key not in asked and key not in later] if ahead else []
    context |= {
        "holding": gap_rows(row, facts, rulebook, states, asked, may),
        "reaching": gap_rows(row, facts, rulebook, states, further, may)
        + missed_rows(row, facts, rulebook, ahead, may),
        "ahead": ahead,
        "ahead_word": BECOMES.get(ahead.to, "") if ahead else "",
        "tests": test_rows(context),
        "profile": profile_words(profile_of(states, asked or further)),
        "leads": []
        if row.closed
        else next_step.lead_rows(row, facts, rulebook, states, set(asked), context["now"]),
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
        "gaps": list(row.gaps.filter(closed_at__isnull=True).select_related("owner")),
    }
    if ahead and context["open_review"] is None and may.team_member:
        seats = review_state.seat_states(review_state.eligible_signers_of(row))
        context["impossible"] = criteria.reach(rulebook, ahead.key, row.tier, seats)
    context["banners"] = [*context["banners"], *banners.enforced_elsewhere(row, context["now"])]
    if row.stage == Stage.PROPOSED and row.withdrawn_at is None and may.team_member and not as_of.current():
        context["similar"] = similar_to_each([row], initiative_permissions.visible_to(request.user))[row.pk]
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
    """The lists of the overview that stand open: what holds the stage first, as far as all of them are short."""
    found, left = [], SHOWN - len(context["banners"]) - bool(context.get("next"))
    for name in ("holding", "obligations", "reaching", "gaps"):
        if 0 < len(context[name]) <= left:
            found.append(name)
            left -= len(context[name])
    return found


def _obligations(initiative, may, person):
    """What is due on the initiative, each with the decisions that the chair let pass it, and what whoever looks may
    do.
    """
    obligations, today = initiative_rows.obligations(initiative), clock.today()
    for obligation in obligations:
        obligation.passes = [(initiative.ref_of(one["number"]), one["reason"]) for one in obligation.let_pass]
        obligation.act = _act_on(obligation, person) if may.team_member else None
        obligation.may_pass = bool(may.chair) and obligation.due < today
    return obligations


def _act_on(obligation, person) -> tuple[str, str]:
    """Where an obligation is completed: the address, and what its button says."""
    if obligation.kind in WRITTEN_OBLIGATIONS:
        return reverse("post-mortem-start", args=[obligation.pk]), "Write it"
    if obligation.kind == "feed":
        verb = "Say that it is shut" if obligation.responsible_id == person.pk else "Open"
        return reverse("feed-shut", args=[obligation.pk]), verb
    if obligation.kind == "measurement":
        return reverse("adoption", args=[obligation.initiative.ref]), "Read it"
    return reverse("row-act", args=["obligations", obligation.pk, "complete"]), "Complete"


def gap_rows(initiative, facts, rulebook, states, keys, may) -> list[dict]:
    """One finding for each requirement that is not satisfied, or only waived: what, who can fix it, how, where."""
    rows = []
    for key in keys:
        state, asked = states[key], rulebook.requirements[key]
        if state.satisfied and state.state != "waived":
            continue
        mine = bool(state.fix) and not state.fixed_by and on_inbox_of(facts, asked, may)
        who = "You" if mine else state.fixed_by or who_answers(facts, asked)
        # What the register says is listed at the requirement, each with its own page.
        there = fix_of(initiative, rulebook, state, may) if mine and state.state != "register" else None
        rows.append(
            {
                "layer": asked.layer,
                "judgement": judgement_of(asked),
                "state": MARKS.get(state.state, "unmet") if asked.blocking else "advisory",
                "text": asked.question,
                "who": "" if state.state == "waived" else who,
                "how": state.words if mine else f"{state.words} {state.fix}".strip(),
                "link": there[0] if there else reverse("requirement", args=[initiative.ref, key]),
                "link_text": state.fix.rstrip(".") if mine else _("Open the requirement"),
            }
        )
    return rows


def missed_rows(initiative, facts, rulebook, gate, may) -> list[dict]:
    """What was declared for the gate and has no result, or was missed."""
    rows = []
    for criterion in gate.criteria if gate else ():
        for key in criterion.declared_goals:
            declared = facts.declared.get(key)
            if declared is not None and declared.result == "met":
                continue
            words = (
                "declared and missed"
                if declared and declared.result
                else "no result yet for what was declared"
            )
            rows.append(
                {
                    "layer": criterion.layer,
                    "judgement": judgement_of_declared(key),
                    "state": "unmet",
                    "text": f"{key.replace('_', ' ').capitalize()}: {words}.",
                    "who": "You"
                    if may.manage
                    else facts.people.get("owner", "the owner (nobody has accepted yet)"),
                    "how": "report what came of it, beside what was declared.",
                    "link": reverse("declaration", args=[initiative.ref]),
                    "link_text": _("Open the declaration"),
                }
            )
    return rows


def test_rows(context) -> list[dict]:
    """The three scale tests: what each says, whether it passes, and how many of its requirements are open."""
    rows, judged = [], context["judged"]
    for key, test in judged.rulebook.scale_tests.items():
        states = [judged.states[item] for item in test.items]
        left = sum(1 for state in states if not state.satisfies("production") or state.state == "waived")
        rows.append(
            {
                "key": key,
                "word": key.capitalize(),
                "statement": test.statement,
                "passes": context["support"].tests[key],
                "left": left,
                "of": len(states),
            }
        )
    return rows


def people_rows(initiative) -> list[dict]:
    """Everybody in a role or asked for one, in the order people are looked for."""
    rows = [row for row in initiative_rows.roles(initiative) if row.open]
    return sorted(rows, key=lambda row: (ROLE_ORDER.index(row.role), row.accepted_at is None))


def ages(rulebook, states, keys) -> list[tuple[str, object]]:
    """The evidence that expires next: requirement and last day on which each is current."""
    today = clock.today()
    ends = [
        (states[key].last_day, rulebook.requirements[key].question)
        for key in keys
        if states[key].state in supported_stage.CURRENT
        and states[key].last_day
        and states[key].last_day >= today
    ]
    return [(question, day) for day, question in sorted(ends)[:AGES_SHOWN]]


def details(request, ref):
    """Change problem, platform and confidentiality."""
    row = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_describe(row, request.user).or_refuse()
    names = ("problem", "platform", "confidential")
    form = DetailsForm(sent(request), initial={name: getattr(row, name) for name in names})
    if acted(
        request,
        form,
        lambda: detail_actions.change_details(initiative=row, by=request.user, **form.cleaned_data),
    ):
        messages.success(request, _("The details are saved."))
        return redirect(row)
    effects = detail_preview.of_details(row, by=request.user) if _named_in_sign_offs(request, row) else None
    return ask(request, row, "initiative", form, title=_("Details"), verb=_("Save"), effects=effects)


def _named_in_sign_offs(request, row) -> bool:
    """Whether a page about the initiative's own words is opened while there are sign-offs whose statements name
    them.
    """
    return request.method != "POST" and any(
        review.is_open and initiative_rows.current_sign_offs(review)
        for review in initiative_rows.reviews(row)
    )


def rename(request, ref):
    """Give the initiative another name."""
    row = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_describe(row, request.user).or_refuse()
    return one_act(
        request,
        row,
        RenameForm(sent(request), initial={"title": row.title}),
        lambda fields: detail_actions.rename(initiative=row, by=request.user, **fields),
        _("The initiative has its new name."),
        title=_("Rename the initiative"),
        happens=[
            f"{row.ref} stays its reference.",
            _("Search finds it under its old name too, and its page says what it was called."),
            _("On days before today it keeps the name that it had then."),
        ],
        effects=detail_preview.of_name(row, by=request.user) if _named_in_sign_offs(request, row) else None,
        verb=_("Rename it"),
    )


def tier(request, ref):
    """Propose a risk tier with the worst credible harm."""
    row = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_describe(row, request.user).or_refuse()
    rulebook = Rulebook.objects.current().parsed
    initial = {"tier": row.proposed_tier, "worst_credible_harm": row.worst_credible_harm}
    form = TierForm(sent(request), initial=initial, rulebook=rulebook)
    if acted(
        request,
        form,
        lambda: detail_actions.propose_tier(initiative=row, by=request.user, **form.cleaned_data),
    ):
        messages.success(request, _("The tier is proposed; the risk seat confirms it."))
        return redirect(row)
    return ask(
        request,
        row,
        "initiative",
        form,
        title=_("Risk tier"),
        lede=_(
            "It counts once the risk seat has confirmed it. High means that evidence expires sooner, and a "
            "larger quorum."
        ),
        verb=_("Propose"),
    )


def confirm_tier(request, ref):
    """Confirm the proposed tier, as the risk seat."""
    row = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_confirm_tier(row, request.user).or_refuse()
    if request.method == "POST":
        detail_actions.confirm_tier(initiative=row, tier=request.POST.get("tier", ""), by=request.user)
        messages.success(request, _("The tier is confirmed."))
        return redirect(row)
    before = row.get_tier_display().lower()
    happens = [
        f"{row.get_proposed_tier_display()} becomes the tier of {row.ref}"
        + (f", instead of {before}." if before else ".")
    ]
    if row.proposed_tier == Tier.HIGH:
        happens.append("Evidence expires sooner and more seats must sign.")
    return ask(
        request,
        row,
        "initiative",
        None,
        title=_("Confirm the risk tier"),
        lede=f"Worst credible harm, in the owner's words: {row.worst_credible_harm}",
        happens=happens,
        effects=detail_preview.of_tier(row, row.proposed_tier, by=request.user),
        verb=f"Confirm {row.get_proposed_tier_display().lower()}",
        hidden={"tier": row.proposed_tier},
    )


@on_any_day(initiative_lookup.initiative_on_any_day)
def activity(request, ref):
    """The activity: decisions as headlines with what lies between them folded, or a list of acts of one kind."""
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
    """The key of an entry out of an address; None for junk."""
    return int(text) if text and text.isdecimal() and len(text) < 18 else None
