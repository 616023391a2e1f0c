"""The catch-up plan of one initiative: as it stands, proposed or changed, agreed to or sent back."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from governance import clock
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.access import case_lookup
from initiatives.cases.case_frame import acted, case_context, one_act, sent
from initiatives.catch_up import actions, queries
from initiatives.catch_up.forms import AGREE, AnswerForm, PlanForm
from initiatives.catch_up.permissions import may_answer, may_propose
from initiatives.catch_up.waves import Wave, default_days, wave_of
from initiatives.models import CatchUpPlan

TAKES = ["GET", "HEAD", "POST"]


@require_safe
def plan(request: SignedInRequest, ref: str) -> HttpResponse:
    """The plan with its waves, how far each is, what no wave names, and earlier versions."""
    case = case_lookup.case_for(request.user, ref)
    (now,) = queries.progress_of([case])
    context = case_context(request, case, "case")
    book = context["judged"].rulebook.book
    versions = CatchUpPlan.objects.filter(initiative=case).select_related("proposed_by", "answer__by")
    context |= {
        "title": _("Catch-up plan"),
        "now": now,
        "may_propose": may_propose(case, request.user),
        "may_answer": may_answer(now.plan, request.user) if now.plan and now.state == "dated" else None,
        "waves": [_shown(case, wave, book, context["today"]) for wave in now.waves],
        "outside": [_question(case, key, book) for key in now.outside],
        "earlier": [
            {"row": row, "state": queries.state_of(row), "waves": row.waves.all()}
            for row in versions.prefetch_related("waves")[1:]
        ],
    }
    return render(request, "initiatives/catch_up/plan.html", context)


def _question(case, key: str, book) -> dict:
    asked = book.requirements.get(key)
    return {"key": key, "text": asked.question if asked else key, "known": asked is not None}


def _shown(case, wave: Wave, book, today) -> dict:
    return {
        "wave": wave,
        "late": wave.overdue(today),
        "open": [_question(case, key, book) for key in wave.open],
        "met": [_question(case, key, book) for key in wave.keys if key not in wave.open],
    }


@require_http_methods(TAKES)
def propose(request: SignedInRequest, ref: str) -> HttpResponse:
    """Propose the plan, or change it: days by default, each gap in the wave that the rulebook's words put it in."""
    case = case_lookup.case_for(request.user, ref)
    may_propose(case, request.user).or_refuse()
    (now,) = queries.progress_of([case])
    context = case_context(request, case, "case")
    book = context["judged"].rulebook.book
    was = {key: wave.number for wave in now.waves for key in wave.keys}
    keys = list(dict.fromkeys([*was, *now.gaps]))
    days = default_days(clock.today()) | {wave.number: wave.due for wave in now.waves}
    form = PlanForm(
        sent(request),
        asked={key: _question(case, key, book)["text"] for key in keys},
        chosen={key: was.get(key) or wave_of(book, key, case.tier) for key in keys},
        days=days,
        changing=now.plan is not None,
    )
    if acted(request, form, lambda: actions.propose_plan(case=case, by=request.user, **form.plan())):
        messages.success(
            request, _("The plan is proposed. Its dates count as agreed once the chair says so.")
        )
        return redirect("case-catch-up", case.ref)
    context |= {
        "title": _("Change the catch-up plan") if now.plan else _("Propose a catch-up plan"),
        "frame": "form",
        "form": form,
        "now": now,
        "answer": getattr(now.plan, "answer", None) if now.plan else None,
    }
    return render(request, "initiatives/catch_up/propose.html", context, status=422 if form.errors else 200)


@require_http_methods(TAKES)
def answer(request: SignedInRequest, ref: str) -> HttpResponse:
    """The chair's word on the dates."""
    case = case_lookup.case_for(request.user, ref)
    found = queries.plans_of([case]).get(case.pk)
    if found is None:
        raise Http404("Nobody proposed a catch-up plan for this initiative.")
    found.initiative = case
    may_answer(found, request.user).or_refuse()
    form = AnswerForm(sent(request), initial={"plan": found.pk, "outcome": AGREE})

    def act(fields):
        read = CatchUpPlan.objects.filter(initiative=case, pk=fields["plan"]).first() or found
        return actions.answer_plan(
            plan=read, agreed=fields["outcome"] == AGREE, words=fields["words"], by=request.user
        )

    days = "; ".join(f"wave {row.number} by {row.due:%-d %B %Y}" for row in found.waves.all())
    return one_act(
        request,
        case,
        form,
        act,
        _("Your word on the dates is kept."),
        back="case-catch-up",
        title=_("Dates of the catch-up plan"),
        lede=f"Version {found.number}, proposed by {found.proposed_by}: {days}.",
        happens=[
            _("Nothing that the initiative claims, lacks or supports changes by it."),
            _("A wave that is not met by its day is shown as overdue to its owner and to the board."),
        ],
        verb=_("Keep my word"),
    )
