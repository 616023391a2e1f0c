"""Waivers of a case: what is not asked for until a day, who agreed, and asking for one."""

from django.contrib import messages
from django.db.models import F
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.gates import criteria
from governance.models import Rulebook
from governance.permission_result import ended
from governance.sign_in.signing import SigningForm
from governance.templatetags.plumbline import day
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK
from initiatives.access.case_lookup import case_for, of_case
from initiatives.cases.case_frame import acted, case_context, sent
from initiatives.checklist import waivers as checklist_waivers
from initiatives.checklist.waiver_forms import WaiverForm
from initiatives.facts import supported_stage
from initiatives.models import Waiver
from initiatives.models.initiative import gate_out_of
from initiatives.reviews.decision_views import act_page, insist
from initiatives.reviews.forms import SignedReasonForm


@require_http_methods(["GET", "HEAD", "POST"])
def waivers(request, ref):
    """The waivers of a case: running, asked for, past; and for its owner the form that asks for one."""
    case = case_for(request.user, ref)
    context = case_context(request, case, "waivers")
    may = context["may"].manage
    if request.method == "POST":
        insist(request, may, "request waiver", case)
    rows = list(
        case.waivers.select_related("requested_by", "chair", "risk", "refused_by").order_by(
            F("until").desc(), "-id"
        )
    )
    longest = context["book"].freshness.waiver_max_days
    choices, waivable = _choices(case, context, rows)
    initial = {"key": request.GET.get("key", "")}
    form = WaiverForm(request.POST or None, initial=initial, choices=choices, longest=longest)
    if acted(
        request,
        form,
        lambda: checklist_waivers.request_waiver(case=case, by=request.user, **form.cleaned_data),
    ):
        messages.success(request, _("Asked for. It runs once the chair and the risk seat have both agreed."))
        return redirect("waivers", case.ref)
    today = clock.today()
    lines = [_line(row, case, request.user) for row in rows]
    context |= {
        "title": _("Waivers"),
        "running": [line for line in lines if line["row"].granted_at and line["row"].until >= today],
        "asked": [line for line in lines if _asked(line["row"], today)],
        "past": [
            line
            for line in lines
            if not _asked(line["row"], today) and not (line["row"].granted_at and line["row"].until >= today)
        ],
        "form": form if may and waivable else None,
        "longest": longest,
        "worthless": worth_nothing(case) if (may and waivable) or any(line["part"] for line in lines) else [],
    }
    return render(request, "initiatives/checklist/waivers.html", context)


def _asked(row: Waiver, today) -> bool:
    return row.refused_at is None and row.granted_at is None and row.until >= today


def _line(row: Waiver, case, person) -> dict:
    return {"row": row, "question": _question(row), "part": _part_of(row, case, person)}


def _part_of(row: Waiver, case, person) -> str:
    """In which part this person can answer the request now; "" for neither, and once it was answered."""
    return checklist_waivers.part_of(row, case, person)[0] if _asked(row, clock.today()) else ""


def _choices(case, context, rows) -> tuple[list, bool]:
    """What can be waived on this case, what is missing now first; and whether there is anything at all."""
    book, facts, states = context["book"], context["facts"], context["states"]
    stages = RUNNING_STAGES[1 : STAGE_RANK.get(case.stage, 0) + 1]
    keys = [book.gate_to(stage).key for stage in stages]
    if ahead := gate_out_of(case.stage):
        keys.append(ahead)
    taken = {row.key for row in rows if row.refused_at is None and row.until >= clock.today()}
    missing, shown = {}, {}
    for gate in keys:
        for finding in criteria.findings(facts, book, gate, states, context["now"]):
            criterion = finding.criterion
            if criterion.key not in taken and book.waivable_criterion(criterion.key):
                (shown if finding.met else missing)[criterion.key] = criterion.question
            for state in finding.requirements:
                if state.key not in taken and book.waivable_requirement(state.key):
                    (shown if state.satisfies(gate) else missing)[state.key] = book.requirements[
                        state.key
                    ].question
    groups = [("Not shown now", list(missing.items())), ("Shown now", list(shown.items()))]
    groups = [(word, found) for word, found in groups if found]
    return [("", "Choose one"), *groups], bool(groups)


def _waiver(request, pk) -> Waiver:
    rows = Waiver.objects.select_related("initiative__unit", "initiative__contract", "requested_by")
    return of_case(rows, request.user, pk)


def _question(row: Waiver) -> str:
    book = Rulebook.objects.current().book
    known = book.requirements.get(row.key) or book.criteria.get(row.key)
    return known.question if known else row.key


def worth_nothing(case) -> list[str]:
    """Why a waiver would change nothing now: holds that stop the case whatever is waived, in sentences."""
    book, now = Rulebook.objects.current().book, clock.now()
    facts = supported_stage.facts_of(case)
    ahead = book.gates.get(gate_out_of(case.stage))
    wanted = ahead.to if ahead is not None and ahead.to in STAGE_RANK else case.stage
    told = []
    for hold in criteria.holds_at(facts, book, now):
        capped = hold.cap is not None and STAGE_RANK.get(wanted, 0) > STAGE_RANK[hold.cap]
        if hold.blocking or capped:
            why = ended(f"Held: {hold.words[:1].lower()}{hold.words[1:]}. {hold.reason}")
            told.append(
                f"{why} While that stands, this waiver lets nothing pass, and its days run all the same."
            )
    return told


def _facts(row: Waiver) -> dict:
    """What a signature on a waiver rests on: its own words."""
    return {"key": row.key, "until": row.until, "reason": row.reason, "requested by": row.requested_by_id}


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def agree(request, pk):
    """Agree to a waiver as chair or as risk seat."""
    row = _waiver(request, pk)
    case, back = row.initiative, reverse("waivers", args=[row.initiative.ref])
    part = _part_of(row, case, request.user)
    if not part:
        if request.method != "POST":
            return redirect(back)
        insist(request, checklist_waivers.part_of(row, case, request.user)[1], "agree to waiver", case)
    form = SigningForm(
        sent(request),
        request=request,
        purpose=f"agree to a waiver on {case.ref}",
        act="waiver",
        facts=_facts(row),
    )
    if request.method == "POST" and form.is_valid():
        done = checklist_waivers.agree_to_waiver(waiver=row, by=request.user)
        words = "It runs now." if done.granted_at else "It runs once the other of the two has agreed."
        messages.success(request, f"Agreed. {words}")
        return redirect(back)
    second = row.chair_id is not None or row.risk_id is not None
    happens = [
        f"You agree as {part}: “{_question(row)}” is not asked for until {day(row.until)}.",
        "It runs from now on and shows on every page of the initiative."
        if second
        else "It does not run yet: the other of the two has to agree as well.",
        f"Asked for by {row.requested_by}: {row.reason}",
        *worth_nothing(case),
    ]
    return act_page(
        request,
        case,
        title=_("Agree to a waiver"),
        form=form,
        verb=_("Agree"),
        happens=happens,
        back=back,
        page="waivers",
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def refuse(request, pk):
    """Refuse a request for a waiver as chair or as risk seat."""
    row = _waiver(request, pk)
    case, back = row.initiative, reverse("waivers", args=[row.initiative.ref])
    form = SignedReasonForm(
        sent(request),
        request=request,
        purpose=f"refuse a waiver on {case.ref}",
        act="waiver",
        facts=_facts(row),
        label=_("Why"),
        help_text=_("It stays in the record."),
        required=False,
    )
    if request.method == "POST" and form.is_valid():
        checklist_waivers.refuse_waiver(waiver=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("Refused. The owner can show it, or ask anew with other words."))
        return redirect(back)
    if not _part_of(row, case, request.user) and request.method != "POST":
        return redirect(back)
    happens = [
        f"“{_question(row)}” stays asked for.",
        "The owner may ask again; this request is kept with your name.",
    ]
    return act_page(
        request,
        case,
        title=_("Refuse a waiver"),
        form=form,
        verb=_("Refuse it"),
        happens=happens,
        danger=True,
        back=back,
        page="waivers",
    )
