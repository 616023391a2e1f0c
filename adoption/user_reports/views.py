"""What users reported by the public link: read and treated by whoever answers for the case; the link itself."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from adoption.incidents import permissions as incident_permissions
from adoption.models import ProblemReport
from adoption.signals import permissions as signal_permissions
from adoption.signals.views import TAB, ask_about
from adoption.user_reports import actions
from adoption.user_reports.forms import ToIncidentForm, ToSignalForm, TreatForm
from adoption.user_reports.preview import of_reported
from governance.models import User
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.access import case_lookup
from initiatives.cases.case_frame import ask, case_context, mend, sent


def _problem_for(person: User, pk: int) -> ProblemReport:
    rows = ProblemReport.objects.select_related(
        "initiative__unit", "initiative__contract", "treated_by", "signal", "incident"
    )
    return case_lookup.of_case(rows, person, pk)


@require_http_methods(["GET", "HEAD"])
def problem(request: SignedInRequest, pk: int) -> HttpResponse:
    """What a user reported, what became of it, and the three ways to treat it."""
    row = _problem_for(request.user, pk)
    context = case_context(request, row.initiative, TAB) | {
        "title": _("A reported problem"),
        "problem": row,
        "may_treat": incident_permissions.may_treat(row.initiative, request.user),
        "may_ask": signal_permissions.may_chair(row.initiative, request.user),
        "questions": row.source_questions.select_related("by"),
    }
    return render(request, "adoption/user_reports/problem.html", context)


def _treated(request, row: ProblemReport, form, act, done: str, *, ahead=None, **page) -> HttpResponse:
    """One way to treat a report. `ahead`: what it brings, told first to whoever wants to look."""
    incident_permissions.may_treat(row.initiative, request.user).or_refuse()
    back, status = reverse("problem", args=[row.pk]), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                if ahead is not None and request.POST.get("step") == "look":
                    page |= {"effects": ahead(form), "seen": True, "happens": []}
                    status = 200
                else:
                    to = act(form)
                    messages.success(request, done)
                    return redirect(to or back)
            except ValidationError as error:
                mend(form, error)
    return ask(
        request, row.initiative, TAB, form, lede=f"“{row.what[:400]}”", back_url=back, status=status, **page
    )


def answer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close it with an answer."""
    row = _problem_for(request.user, pk)

    def act(form):
        actions.answer_problem(problem=row, by=request.user, **form.cleaned_data)

    return _treated(
        request,
        row,
        TreatForm(sent(request)),
        act,
        "Answered.",
        title=_("Answer it"),
        verb=_("Answer and close"),
    )


def to_signal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make a signal of it."""
    row = _problem_for(request.user, pk)

    def act(form):
        made = actions.make_signal(problem=row, by=request.user, **form.cleaned_data)
        return reverse("signal", args=[made.pk])

    return _treated(
        request,
        row,
        ToSignalForm(sent(request)),
        act,
        "It is a behaviour report now.",
        title=_("Make a behaviour report of it"),
        happens=[
            _(
                "Its words become the words of the behaviour report; whoever reported it stays as unknown as before."
            )
        ],
        verb=_("Make a behaviour report"),
    )


def to_incident(request: SignedInRequest, pk: int) -> HttpResponse:
    """Open an incident from it, or say which one it belongs to."""
    row = _problem_for(request.user, pk)

    def act(form):
        made = actions.open_from_problem(problem=row, by=request.user, **form.act())
        return reverse("incident", args=[made.pk])

    return _treated(
        request,
        row,
        ToIncidentForm(sent(request), problem=row),
        act,
        "It belongs to this incident now.",
        ahead=lambda form: of_reported(row, by=request.user, **form.act()),
        title=_("Make an incident of it"),
        happens=[_("Severity 1 and 2 end evidence and ask for a post-mortem, as for any incident.")],
        impact_verb=_("Opening it"),
        two_steps=True,
        verb=_("Make an incident"),
    )


@never_cache
def ask_reporter(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask how to reach whoever reported it."""
    row = _problem_for(request.user, pk)
    signal_permissions.may_chair(row.initiative, request.user).or_refuse()
    return ask_about(request, row, f"“{row.what[:400]}”")


@require_http_methods(["POST"])
def link(request: SignedInRequest, ref: str) -> HttpResponse:
    """Switch the public link on, renew it, or switch it off."""
    case = case_lookup.case_for(request.user, ref)
    incident_permissions.may_treat(case, request.user).or_refuse()
    there = case.problem_links.filter(ended_at__isnull=True).first()
    if "off" in request.POST:
        if there is not None:
            actions.close_link(link=there, by=request.user)
        messages.success(request, _("The address is switched off."))
    else:
        actions.open_link(case=case, by=request.user)
        said = "Its former address no longer works." if there else "Give it to those who use this AI."
        messages.success(request, f"There is a new address for problems. {said}")
    return redirect(f"{reverse(TAB, args=[case.ref])}#reported")
