"""Pages of the board: open reviews, one review, opening, questions."""

from dataclasses import replace

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from governance import clock
from governance.gates import levels, requirements
from governance.identity.proofs import demands
from governance.models import Rulebook
from governance.people.boards import board_for, members_now
from governance.permission_result import all_of
from governance.templatetags.plumbline import count_words
from governance.transparency_log import as_of
from governance.vocabulary import SignOffVerdict
from governance.vocabulary.phrases import phrase
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed, parts_shown, where_decided
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.initiative_lookup import initiative_for, review_for, review_on_any_day
from initiatives.lifecycle.access.visibility import openable
from initiatives.lifecycle.activity import recent_changes
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.holds.actions import HELD_UP
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct, with_buttons
from initiatives.lifecycle.reviews import actions, presentation, review_turn
from initiatives.lifecycle.reviews import permissions as review_permissions
from initiatives.lifecycle.reviews.decision_views import REVIEWS
from initiatives.lifecycle.reviews.forms import QuestionForm, TextForm
from initiatives.models import Condition, Question, Review
from initiatives.models.initiative import gate_out_of


@on_any_day(review_on_any_day)
@require_safe
def review(request, pk):
    """Show one review: blockers, criteria by seats, evidence, own statement."""
    row = review_for(request.user, pk)
    if row.is_open:
        return render(request, "initiatives/reviews/review_in_progress.html", _open_page(request, row))
    return render(request, "initiatives/reviews/review_ended.html", _ended_page(request, row))


def _common(request, row: Review, lines, sign_offs, *, facts=None) -> dict:
    rulebook = row.parsed_rulebook
    by_criterion = {line.key: line for line in lines}
    current = {sign_off.row.pk for sign_off in sign_offs.values()}
    gone: dict[str, presentation.Line] = {}
    for question in initiative_rows.questions(row):
        line = by_criterion.get(question.criterion) or gone.setdefault(
            question.criterion, presentation.gone_line(row, question.criterion)
        )
        line.questions.append(question)
    return initiative_context(request, row.initiative, "review-open", facts=facts) | {
        "title": rulebook.gates[row.gate].title,
        "review": row,
        "early": review_turn.fast_lane(row.initiative, row.gate, row.opened_at),
        "lines": lines,
        "gone": list(gone.values()),
        "sign_offs": list(sign_offs.values()),
        "past_sign_offs": [
            sign_off for sign_off in initiative_rows.sign_offs(row) if sign_off.pk not in current
        ],
        "compared": presentation.declared_against_results(row),
        # Fixed with the decision: while the review is open there are none.
        "conditions": () if row.is_open else _conditions(row, request.user),
    }


def _conditions(row: Review, person) -> list[Condition]:
    """Return the conditions of a decision, each with the buttons of the person."""
    conditions = list(row.conditions.select_related("owner", "met_by", "not_met_by"))
    for condition in conditions:
        condition.review = row  # with its initiative, which the permission reads
    return with_buttons(conditions, person)


def _open_page(request, row: Review) -> dict:
    person, snapshot = request.user, review_state.snapshot_of(row)
    lines, sign_offs = presentation.live_lines(snapshot), presentation.live_sign_offs(snapshot)
    context = _common(request, row, lines, sign_offs, facts=snapshot.judged.facts)
    acting = as_of.current() is None  # on another day nobody signs, asks or answers
    mine = roles_and_seats.seats_of(snapshot.initiative, person) if acting else []
    awaited = review_turn.moves(snapshot)
    seats = presentation.by_seat(
        snapshot.judged.rulebook,
        row.gate,
        lines,
        sign_offs,
        mine,
        review_turn.awaited_seats(awaited),
        ended=False,
    )
    current = Rulebook.objects.current()
    may_ask = acting and bool(review_permissions.may_ask(row, person))
    manages = bool(context["may"].manage)
    for line in lines:
        line.may_ask = may_ask
        line.open = bool(line.objections) or (line.seat in mine and line.state != "met")
        line.waivable = line.waivable and manages and line.state in ("unmet", "expired")
    own = presentation.own_seats(snapshot, person, sign_offs, lines) if acting else []
    others = [line for line in lines if line.seat not in {one["seat"] for one in own}]
    return context | {
        "verdict": snapshot.verdict,
        "seats": seats,
        "caption": presentation.quorum_words(snapshot.verdict, snapshot.judged.rulebook, row.gate),
        "seat_table": presentation.seats_table(snapshot, sign_offs),
        "own_seats": own,
        "objected": [line for line in others if line.objections],
        "others": [line for line in others if not line.objections],
        "state": presentation.decision_state(snapshot.verdict),
        "cooling": presentation.cooling(snapshot),
        "lapsed": review_turn.lapsed_objections(snapshot),
        "changed": recent_changes.of_review(row, person, snapshot.judged) if acting else None,
        "awaited": presentation.waits(awaited),
        "may_answer": bool(context["may"].collaborate),
        "manages": manages,
        "in_arrears": _in_arrears(snapshot, person) if context["may"].chair else [],
        "newer": current if current.pk != row.rulebook_id else None,
        "acting_chair": roles_and_seats.acting_chair(snapshot.initiative),
        "proposed": [
            sign_off for sign_off in sign_offs.values() if sign_off.row.verdict == SignOffVerdict.CONDITION
        ],
        "expired": row.expires_at <= clock.now(),
        "warnings": parts_shown(contributed.review_warnings, person, snapshot.review) if acting else [],
        "parts": parts_shown(contributed.beside_review, person, snapshot.review) if acting else [],
        "own_question": snapshot.judged.facts.answers.get("proto.question"),
        "bound": next((scope for scope in snapshot.judged.facts.scopes if not scope.planned), None),
        "planned": next((scope for scope in snapshot.judged.facts.scopes if scope.planned), None),
    }


def _in_arrears(snapshot: review_state.ReviewSnapshot, person) -> list:
    """Return overdue obligations of the owner that block the decision. The chair may excuse each once.

    One on a confidential initiative has its words only for people who may open it.
    """
    if snapshot.review.gate not in HELD_UP:
        return []
    day = clock.local_day(snapshot.judged.at)
    found = [
        obligation
        for obligation in snapshot.judged.facts.obligations
        if day > obligation.due and not obligation.excused
    ]
    opened = openable(person, {obligation.initiative_ref for obligation in found if obligation.secret})
    return [
        replace(obligation, text=_("an obligation on a confidential initiative"))
        if obligation.secret and obligation.initiative_ref not in opened
        else obligation
        for obligation in found
    ]


def _ended_page(request, row: Review) -> dict:
    lines, sign_offs = presentation.frozen_lines(row), presentation.frozen_sign_offs(row)
    seats = presentation.by_seat(row.parsed_rulebook, row.gate, lines, sign_offs, (), {}, ended=True)
    return _common(request, row, lines, sign_offs) | {
        "where": where_decided([row.pk]).get(row.pk) if as_of.current() is None else None,
        "seats": seats,
        "caption": "State at the end of the review",
        "obligations": row.initiative.obligations.filter(source=f"refusal:{row.pk}"),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def open_review(request, ref):
    """Submit an initiative to its next gate, after a page on the effects."""
    initiative = initiative_for(request.user, ref)
    if request.method == "POST":
        row = actions.open_review(initiative=initiative, by=request.user)
        messages.success(request, _("The review is open. Plumbline notified the seats that sign."))
        return redirect(row)
    context = initiative_context(request, initiative, "review-open")
    past = list(initiative.reviews.select_related("rulebook").order_by("-id"))
    for row in past:
        row.gate_title = row.parsed_rulebook.gates[row.gate].title
    context |= {"title": _("Reviews of this initiative"), "past": past}
    gate = gate_out_of(initiative.stage)
    if gate and context["open_review"] is None and not initiative.withdrawn_at:
        context |= _before_opening(initiative, gate, context)
    return render(request, "initiatives/reviews/review_open.html", context)


def _before_opening(initiative, gate: str, context) -> dict:
    rulebook, facts, now = context["rulebook"], context["facts"], context["now"]
    rules = rulebook.gates[gate]
    where = board_for(initiative.unit)
    able = presentation.feasibility(initiative, gate, rulebook)
    seats = able.seats
    found = context["judged_next"].at_gate(gate)
    told = [m for m in members_now(where) if m.seat in rules.seats]
    names = ", ".join(dict.fromkeys(m.person.full_name for m in told))
    happens = [
        f"Plumbline notifies the seats that sign: {names or 'no one holds these seats yet'}.",
        (
            f"The review uses rulebook {rulebook.version} and closes automatically after "
            f"{rulebook.freshness.review_expires_days} days."
        ),
        "You can still change your answers. A changed answer makes the sign-offs based on it stale.",
    ]
    signers = list({m.person_id: m.person for m in told}.values())
    if asks := demands.before_signing(signers, "sign_off", initiative.tier):
        happens.append(asks)
    if gate == "production":
        happens.append("A new governance index is generated and added to the evidence.")
        if drawn := rulebook.drawn_at(facts.tier):
            happens.append(
                f"{count_words(drawn).capitalize()} of the requirements of the gate are drawn at the next "
                "checkpoint of the audit log. A seat verifies them. If a drawn requirement is refused or "
                "changed before its verification, a different one is drawn."
            )
    return {
        "gate": rules,
        "early": review_turn.fast_lane(initiative, gate, now),
        "quorum": rules.quorum_for(facts.tier),
        "reach": (
            *able.never,
            *levels.too_few_verifiers(
                facts,
                rulebook,
                gate,
                context["states"],
                {seat: one.people for seat, one in seats.items()},
                now,
            ),
        ),
        "not_today": able.today,
        "waits": able.waits,
        "may_submit": all_of(context["may"].manage, review_state.tier_confirmed(initiative, gate)),
        "tier_waits": _tier_waits(initiative, seats),
        "who_signs": [
            {
                "seat": seat,
                "able": ", ".join(seats[seat].eligible),
                "barred": seats[seat].barred,
                "must": seat in rules.must_include,
            }
            for seat in presentation.seats_of_gate(rulebook, gate)
        ],
        "unmet": [finding for finding in found if finding.blocks],
        "unanswered": list(requirements.unanswered(facts, gate, now)),
        "happens": happens,
        "board": where,
    }


def _tier_waits(initiative, seats) -> str:
    """Return who can confirm the proposed tier, or "" if none waits."""
    if not initiative.proposed_tier or initiative.proposed_tier == initiative.tier:
        return ""
    able = seats["risk_compliance"].eligible if "risk_compliance" in seats else ()
    who = " or ".join(able)
    return (
        f"{who} can confirm the tier."
        if who
        else "No one holds the risk seat. Ask an admin to appoint someone."
    )


ROW_ACTS["reviews/ask"] = RowAct(
    rows=REVIEWS,
    may=review_permissions.may_ask,
    act=actions.ask_question,
    noun="review",
    page="review-open",
    form=QuestionForm,
    given=lambda row, request: {
        "gate": row.parsed_rulebook.gates[row.gate],
        "initial": {"criterion": request.GET.get("criterion", "")},
    },
    back=Review.get_absolute_url,
    after=lambda row, made, person: f"{row.get_absolute_url()}#{made.criterion}",
    title=gettext_lazy("Ask the owner"),
    verb=gettext_lazy("Ask the owner"),
    done=gettext_lazy("Asked. The owner was notified. The answer will be shown beside the criterion."),
)
ROW_ACTS["questions/answer"] = RowAct(
    rows=Question.objects.select_related("asked_by", "review__initiative__unit", "review__rulebook"),
    of="review",
    may=lambda row, person: initiative_permissions.may_collaborate(row.review.initiative, person),
    act=actions.answer_question,
    noun="question",
    page="review-open",
    form=TextForm,
    back=lambda row: f"{row.review.get_absolute_url()}#{row.criterion}",
    title=gettext_lazy("Answer the board"),
    lede=lambda row: phrase(
        "{} asks: {} The question is about “{}”",
        row.asked_by,
        row.text,
        row.review.criterion(row.criterion).question,
    ),
    verb=gettext_lazy("Send the answer"),
    done=lambda row: phrase("Answered. {} was notified.", row.asked_by),
)
