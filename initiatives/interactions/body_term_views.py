"""How long interactions of a case are kept: the page, and a shorter time for what was said asked for and signed."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.interaction_keeping import holds
from governance.interaction_log.loading import KEPT
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.templatetags.plumbline import day
from initiatives.access.case_lookup import case_for, of_case
from initiatives.cases.case_frame import acted, case_context, sent
from initiatives.interactions import body_terms
from initiatives.interactions.forms import BodyTermForm
from initiatives.models import BodyTerm, Initiative
from initiatives.reviews.decision_views import act_page, insist
from initiatives.reviews.forms import SignedReasonForm


@require_http_methods(["GET", "HEAD", "POST"])
def keeping(request: SignedInRequest, ref: str) -> HttpResponse:
    """For how long, under which hold, which shorter times run, are asked for, are past; its owner asks for one."""
    case = case_for(request.user, ref)
    context = case_context(request, case, "systems")
    may = context["may"].manage
    if request.method == "POST":
        insist(request, may, "request body term", case)
    form = BodyTermForm(sent(request))
    if acted(request, form, lambda: body_terms.request_term(case=case, by=request.user, **form.cleaned_data)):
        messages.success(
            request, _("Asked for. It runs once the risk seat and an auditor have both signed it.")
        )
        return redirect("interactions-kept", case.ref)
    today = clock.today()
    rows = list(
        case.body_terms.select_related("requested_by", "risk", "auditor", "refused_by").order_by("-id")
    )
    running = [row for row in rows if row.signed_at and row.until >= today]
    asked = [row for row in rows if _asked(row)]
    context |= {
        "title": _("How long interactions are kept"),
        "days": KEPT.days,
        "held": case.number in holds.held_cases(),
        "running": running,
        "asked": [{"row": row, "part": _part_of(row, case, request.user)} for row in asked],
        "past": [row for row in rows if row not in running and row not in asked],
        "form": form if may and not asked else None,
    }
    return render(request, "initiatives/interactions/keeping.html", context)


def _asked(row: BodyTerm) -> bool:
    return row.refused_at is None and row.signed_at is None and row.until >= clock.today()


def _part_of(row: BodyTerm, case: Initiative, person) -> str:
    """In which part this person can sign it now; "" for neither, and once it was answered."""
    return body_terms.part_of(row, case, person)[0] if _asked(row) else ""


def _term(request: SignedInRequest, pk: int) -> BodyTerm:
    rows = BodyTerm.objects.select_related("initiative__unit", "initiative__contract", "requested_by")
    return of_case(rows, request.user, pk)


def _facts(row: BodyTerm) -> dict:
    """What a signature on a shorter time rests on: its own words."""
    return {
        "days": row.days,
        "until": row.until,
        "legal basis": row.legal_basis,
        "requested by": row.requested_by_id,
    }


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign a shorter time as risk seat or as auditor."""
    row = _term(request, pk)
    case, back = row.initiative, reverse("interactions-kept", args=[row.initiative.ref])
    part = _part_of(row, case, request.user)
    if not part:
        if request.method != "POST":
            return redirect(back)
        insist(request, body_terms.part_of(row, case, request.user)[1], "sign body term", case)
    form = SigningForm(
        sent(request),
        request=request,
        purpose=f"sign a shorter time for interactions of {case.ref}",
        act="term",
        facts=_facts(row),
    )
    if request.method == "POST" and form.is_valid():
        done = body_terms.sign_term(term=row, by=request.user)
        words = "It runs now." if done.signed_at else "It runs once the other of the two has signed."
        messages.success(request, f"Signed. {words}")
        return redirect(back)
    happens = [
        f"You sign as {part}: what was said to its systems is kept for {row.days} days, until {day(row.until)}.",
        "What is older is removed within hours once it runs, and nobody brings it back."
        if row.risk_id is not None or row.auditor_id is not None
        else "It does not run yet: the other of the two has to sign as well.",
        f"The legal basis, as {row.requested_by} gives it: {row.legal_basis}",
    ]
    return act_page(
        request,
        case,
        title=_("Sign a shorter time"),
        form=form,
        verb=_("Sign"),
        happens=happens,
        back=back,
        danger=True,
        page="systems",
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def refuse(request: SignedInRequest, pk: int) -> HttpResponse:
    """Refuse a shorter time as risk seat or as auditor."""
    row = _term(request, pk)
    case, back = row.initiative, reverse("interactions-kept", args=[row.initiative.ref])
    form = SignedReasonForm(
        sent(request),
        request=request,
        purpose=f"refuse a shorter time for interactions of {case.ref}",
        act="term",
        facts=_facts(row),
        label=_("Why"),
        help_text=_("It stays in the record."),
        required=False,
    )
    if request.method == "POST" and form.is_valid():
        body_terms.refuse_term(term=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("Refused. The owner may ask anew with another basis."))
        return redirect(back)
    if not _part_of(row, case, request.user) and request.method != "POST":
        return redirect(back)
    return act_page(
        request,
        case,
        title=_("Refuse a shorter time"),
        form=form,
        verb=_("Refuse"),
        happens=[
            f"What was said stays kept for {KEPT.days} days.",
            _("This request is kept with your name."),
        ],
        back=back,
        page="systems",
    )
