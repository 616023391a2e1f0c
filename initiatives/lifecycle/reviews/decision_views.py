"""The chair's pages, and the other pages that confirm one act at a review."""

from datetime import date, datetime

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.database.shown_state import ShownOtherwise
from governance.models import Rulebook, ServiceKey
from governance.permission_result import Conflict, Reason, Refused
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import Layer, ReviewOutcome, Role, SignOffVerdict, Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import label, phrase
from initiatives.contributions import contributed
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.access.initiative_lookup import review_for
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import rehearsal, review_state
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, insist, pick
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct, on_initiative
from initiatives.lifecycle.initiative.similar_initiatives import stopped_twins
from initiatives.lifecycle.reviews import actions, review_turn
from initiatives.lifecycle.reviews.actions import refuse_closed
from initiatives.lifecycle.reviews.forms import (
    ConditionFormSet,
    DecisionForm,
    ReasonOfActForm,
    people_around,
)
from initiatives.models import Initiative, Review, SignOff

OUTCOMES = {
    ReviewOutcome.APPROVED: "Approve",
    ReviewOutcome.WITH_CONDITIONS: "Approve with conditions",
    ReviewOutcome.REFUSED: "Reject",
}


def insist_open(request, row: Review, name: str) -> None:
    """Refuse a POST for an ended review, naming who ended it. The refusal leaves its entry."""
    if not row.is_open:
        with act(name, by=request.user, initiative=row.initiative):
            refuse_closed(row)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request, pk):
    """Decide as chair, with the effects shown: approve, with conditions, or refuse."""
    row = review_for(request.user, pk)
    if not row.is_open and request.method != "POST":
        return redirect(row)
    insist_open(request, row, "decide")
    initiative = row.initiative
    insist(request, initiative_permissions.may_chair(initiative, request.user), "decide", initiative)
    proposed = _proposed(row)
    usual = ReviewOutcome.WITH_CONDITIONS if proposed else ReviewOutcome.APPROVED
    outcome = pick(request.POST.get("outcome") or request.GET.get("outcome"), OUTCOMES, usual)
    refusing = outcome == ReviewOutcome.REFUSED
    rows = (
        _condition_rows(request, initiative, _proposed_rows(proposed))
        if outcome == ReviewOutcome.WITH_CONDITIONS
        else None
    )
    # Read where the page is shown, after the act, which judges under its lock.
    snapshot = SimpleLazyObject(lambda: review_state.snapshot_of(row))
    form = DecisionForm(
        request.POST or None,
        request=request,
        purpose=f"decide on {initiative.ref}",
        shows=lambda: review_state.decision_facts(snapshot),
        facts=lambda: {
            "outcome": outcome,
            "conditions": _conditions(rows) if rows is None or rows.is_valid() else None,
            "sign_offs": {
                sign_off.seat: sign_off.digest for sign_off in initiative_rows.current_sign_offs(row)
            },
        },
        label=_("Reason for the rejection") if refusing else _("Reason"),
        help_text=_("The team reads your reason.")
        if refusing
        else _("The reason stays with the decision permanently."),
        required=refusing,
    )
    refusal = None
    if request.method == "POST" and (rows is None or rows.is_valid()) and form.is_valid():
        try:
            done = actions.decide(
                review=row,
                outcome=outcome,
                reason=form.cleaned_data["reason"],
                conditions=_conditions(rows),
                shown=form.seen_marks,
                by=request.user,
            )
        except ValidationError as error:
            put_errors(form, error)
        except ShownOtherwise as changed:
            form.say_changed(changed.names)
            proposed = _proposed(row)
            rows = None if rows is None else _rows_again(request, initiative, rows, proposed)
        except Conflict:
            raise
        except Refused as refused:
            refusal = refused
        else:
            messages.success(
                request,
                phrase("{}. Plumbline notified the team.", label(done.get_outcome_display())).in_language(),
            )
            return redirect(row)
    blockers = refusal.answer.reasons if refusal else _blockers(snapshot, outcome, proposed)
    if refusal is None and not refusing and row.gate != "retire":
        blockers = (*blockers, *initiative_permissions.may_raise(initiative, request.user).reasons)
    context = initiative_context(request, initiative, "review-open", facts=snapshot.judged.facts) | {
        "title": f"Decide: {snapshot.judged.rulebook.gates[row.gate].title}",
        "review": row,
        "outcome": outcome,
        "outcomes": list(OUTCOMES.items()),
        "verb": OUTCOMES[outcome],
        "form": form,
        "rows": rows,
        "proposed": proposed,
        "blockers": blockers,
        "happens": SimpleLazyObject(lambda: what_happens(snapshot, outcome, by=request.user)),
        "danger": outcome == ReviewOutcome.REFUSED,
        "unanswered": [one for one in initiative_rows.questions(row) if not one.answer],
        "lapsed": review_turn.lapsed_objections(snapshot),
        "missing": [] if refusing else not_recorded(snapshot, clock.now()),
        "twins": stopped_twins(initiative, visibility.visible_to(request.user)),
    }
    return render(
        request,
        "initiatives/reviews/review_decide.html",
        context,
        status=refusal.status if refusal else form.status,
    )


def _proposed(row: Review) -> list[SignOff]:
    """Return the current sign-offs that propose a condition."""
    current = initiative_rows.current_sign_offs(row)
    return [sign_off for sign_off in current if sign_off.verdict == SignOffVerdict.CONDITION]


def _proposed_rows(proposed: list[SignOff]) -> list[dict]:
    """Return the proposed conditions as rows of the form, each with its sign-off."""
    return [
        {
            "sign_off": sign_off.pk,
            "text": sign_off.condition["text"],
            "owner": sign_off.condition.get("owner"),
            "due": sign_off.condition.get("due"),
        }
        for sign_off in proposed
    ]


def _condition_rows(request, initiative: Initiative, initial: list[dict], *, again: bool = False):
    """Return the conditions as a form for the chair, filled in by what was sent unless it is shown `again`."""
    owners = [row["owner"] for row in initial if isinstance(row.get("owner"), int)]
    return ConditionFormSet(
        None if again else request.POST or None,
        prefix="conditions",
        initial=initial,
        form_kwargs={"people": people_around(initiative, *owners)},
    )


def _rows_again(request, initiative: Initiative, rows, proposed: list[SignOff]):
    """Return the conditions that are proposed now, with what the chair typed.

    The row of a sign-off that no longer counts is left out, unless the chair wrote it anew.
    """
    typed = [form.cleaned_data for form in rows.forms if form.cleaned_data.get("text")]
    typed = [{**given, "owner": given["owner"].pk} for given in typed]
    of_sign_offs = {given["sign_off"]: given for given in typed if given["sign_off"]}
    initial = [of_sign_offs.pop(row["sign_off"], row) for row in _proposed_rows(proposed)]
    gone = SignOff.objects.filter(pk__in=[*of_sign_offs]).exclude(condition=None)
    for row in _proposed_rows(list(gone)):
        if row["text"].strip() == of_sign_offs[row["sign_off"]]["text"].strip():
            del of_sign_offs[row["sign_off"]]
    own = [*of_sign_offs.values(), *(given for given in typed if not given["sign_off"])]
    return _condition_rows(
        request, initiative, initial + [{**given, "sign_off": None} for given in own], again=True
    )


def _conditions(rows) -> list[dict]:
    """Return the conditions that the chair set, each with the key of the sign-off that proposed it, or None."""
    if rows is None:
        return []
    given = [form.cleaned_data for form in rows.forms]
    return [
        {name: one[name] for name in ("text", "owner", "due", "sign_off")}
        for one in given
        if one.get("text") and not one.get("DELETE")
    ]


def _blockers(snapshot: review_state.ReviewSnapshot, outcome: str, proposed) -> tuple[Reason, ...]:
    """Return the reasons why this outcome cannot be chosen now, or none."""
    if outcome == ReviewOutcome.REFUSED:
        if snapshot.judged_sign_offs:
            return ()
        return (Reason("No seat has signed off yet.", "Return the review with questions instead."),)
    if outcome == ReviewOutcome.APPROVED and proposed:
        names = ", ".join(sign_off.person.full_name for sign_off in proposed)
        words = Reason(
            phrase("{} signed with a condition.", names),
            "Choose “Approve with conditions” and enter each condition with a due date.",
        )
        return (*snapshot.verdict.blockers, words)
    return snapshot.verdict.blockers


def not_recorded(snapshot: review_state.ReviewSnapshot, now: datetime) -> list[dict]:
    """Return records that the stage of this gate needs and lacks.

    `what` is to be recorded, `then` what is refused without it, `who` records it. The decision API refuses requests of
    the systems for the same reasons (`governance.authorization.decision`).
    """
    facts, stage = snapshot.judged.facts, snapshot.judged.rulebook.gates[snapshot.review.gate].to
    if stage not in (Stage.MVP, Stage.PRODUCTION):
        return []
    initiative, refused = (
        snapshot.initiative,
        "Plumbline refuses every call of the initiative's systems until then.",
    )
    people = facts.people
    owner = people.get(Role.OWNER, "the owner (no one yet)")
    found = []
    if not any(version.in_force_at(now) for version in facts.contracts):
        found.append({"what": _("A contract in force"), "then": refused, "who": owner, "page": "contract"})
    if stage == Stage.MVP and not facts.scopes:
        found.append({"what": _("A scope"), "then": refused, "who": owner, "page": "deployments"})
    if not any(one.layer == Layer.MODEL and one.until is None for one in facts.deployments):
        found.append(
            {
                "what": _("The model version in use"),
                "then": (
                    "Plumbline cannot detect a change of the model until then, so the change ends no "
                    "evidence."
                ),
                "who": people.get(Role.TECHNICAL_LEAD, owner),
                "page": "deployments",
            }
        )
    if not facts.tier:
        found.append(
            {
                "what": _("A confirmed risk tier"),
                "then": "The requirements of a higher tier do not apply until then.",
                "who": "the risk seat",
                "page": "initiative",
            }
        )
    keys = ServiceKey.objects.filter(contract=initiative.contract_id) if initiative.contract_id else ()
    if not any(key.good_at(now) for key in keys):
        found.append(
            {
                "what": _("An API key"),
                "then": "The systems cannot send requests until then.",
                "who": owner,
                "page": "api-access",
            }
        )
    return found


def what_happens(snapshot: review_state.ReviewSnapshot, outcome: str, *, by) -> list[str]:
    """Return the effects of this decision, from the entries of an undone run."""
    row, initiative = snapshot.review, snapshot.initiative
    standby = [{"text": "-", "owner": by, "due": clock.today()}]

    def run():
        actions.decide(
            review=row,
            outcome=outcome,
            reason="Looking ahead",
            conditions=standby if outcome == ReviewOutcome.WITH_CONDITIONS else None,
            by=by,
        )

    entries = rehearsal.entries_of(run, by=by)
    if not entries:
        return []
    planned = [scope.words for scope in snapshot.judged.facts.scopes if scope.planned]
    gate = snapshot.judged.rulebook.gates[row.gate]
    lines = [line for kind, facts in entries if (line := _will(kind, facts, initiative, planned))]
    if outcome != ReviewOutcome.REFUSED and gate.to == Stage.MVP:
        count = len(snapshot.judged.facts.declared)
        lines.append(f"The declaration of the MVP is frozen: {count} goals.")
    if outcome == ReviewOutcome.REFUSED and not any(
        kind == EntryKind.OBLIGATION_OPENED for kind, _ in entries
    ):
        lines.append("The stage does not change, and no obligation is opened.")
    elif outcome == ReviewOutcome.REFUSED:
        lines.append("The stage does not change.")
    if outcome == ReviewOutcome.WITH_CONDITIONS:
        lines.append("Each condition below has a due date. An overdue condition blocks later decisions.")
    if outcome != ReviewOutcome.REFUSED and row.gate == "retire":
        lines += [words for left in contributed.left_open for words in left(initiative)]
    told = ", ".join(sorted(set(snapshot.judged.facts.people.values())))
    lines.append("The findings, sign-offs and statements are frozen as they are now.")
    lines.append(f"Notified at once: {told or 'no one, because no one holds a role'}.")
    return lines


def _will(kind: str, facts: dict, initiative: Initiative, planned: list[str]) -> str:
    """Return one entry of the decision in the future tense, or ""."""
    if kind == EntryKind.STAGE_CHANGED:
        return (
            f"{initiative.ref} moves from {stage_word(facts['from'])} to {stage_word(facts['to'])} at once."
        )
    if kind == EntryKind.SCOPE_IN_FORCE:
        return f"The planned scope starts: {planned[0] if planned else str(facts['users']) + ' users'}."
    if kind == EntryKind.CHANGED and facts["voided"]:
        number = len(facts["voided"])
        ends = "1 item of evidence stops" if number == 1 else f"{number} items of evidence stop"
        return f"{facts['what']}: {ends} counting, because the evidence shows the earlier state."
    if kind == EntryKind.OBLIGATION_OPENED:
        return (
            f"Due from {facts['responsible'] or 'no one yet'}: {facts['text']}, by {_day_of(facts['due'])}."
        )
    if kind == EntryKind.OBLIGATION_COMPLETED:
        return f"No longer due: {facts['text']}."
    return ""


def _day_of(written: str) -> str:
    return day(date.fromisoformat(written))


REVIEWS = Review.objects.select_related("initiative__unit", "rulebook")
SIGN_OFFS_KEPT = gettext_lazy("The review ends. The sign-offs are kept and do not count for a later review.")
ROW_ACTS["reviews/return"] = RowAct(
    rows=REVIEWS,
    may=on_initiative(initiative_permissions.may_chair),
    act=actions.return_review,
    noun="review",
    page="review-open",
    form=ReasonOfActForm,
    given=lambda row, request: {
        "label": _("What must the owner answer?"),
        "help_text": _("The owner receives this text."),
    },
    back=Review.get_absolute_url,
    title=gettext_lazy("Request changes"),
    happens=(
        SIGN_OFFS_KEPT,
        gettext_lazy("No obligation is opened. The next attempt starts from the same answers and evidence."),
    ),
    verb=gettext_lazy("Request changes"),
    done=gettext_lazy("The review went back to its owner."),
)
ROW_ACTS["reviews/withdraw"] = RowAct(
    rows=REVIEWS,
    may=on_initiative(initiative_permissions.may_manage),
    act=actions.withdraw_review,
    noun="review",
    page="review-open",
    form=ReasonOfActForm,
    given=lambda row, request: {
        "label": _("Why"),
        "help_text": _("The board reads your reason."),
        "required": False,
    },
    back=Review.get_absolute_url,
    title=gettext_lazy("Withdraw the review"),
    happens=(
        SIGN_OFFS_KEPT,
        gettext_lazy("Answers and evidence stay. You can open another review at any time."),
    ),
    verb=gettext_lazy("Withdraw the review"),
    danger=True,
    done=gettext_lazy("The review is withdrawn."),
)


def _stale(row: Review) -> str:
    """Return whose sign-offs are needed again under another rulebook."""
    latest = row.sign_offs.latest().select_related("person")
    names = [sign_off.person.full_name for sign_off in latest if sign_off.approves]
    if not names:
        return "All sign-offs go stale. No one has signed off yet."
    return f"All sign-offs go stale and are needed again: {', '.join(names)}."


def _switch(row: Review) -> str:
    return phrase("Switch to rulebook {}", Rulebook.objects.current().version)


ROW_ACTS["reviews/rebase"] = RowAct(
    rows=REVIEWS,
    may=on_initiative(initiative_permissions.may_manage),
    act=actions.rebase_review,
    noun="review",
    page="review-open",
    form=Form,
    back=Review.get_absolute_url,
    title=_switch,
    happens=(
        lambda row: (
            f"The review uses rulebook {Rulebook.objects.current().version} instead of {row.rulebook.version}."
        ),
        _stale,
    ),
    verb=_switch,
    done=gettext_lazy("The review now uses the rulebook in force. Every seat must sign again."),
)
