"""Reports: the list with the incidents of an initiative, one page for each, judging it, reporting behaviour, who
asked.
"""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adoption.incidents import incident_metrics
from adoption.incidents import permissions as incident_permissions
from adoption.incidents.preview import sentences_of
from adoption.models import IncidentDraft, Report
from adoption.models.reports import INCIDENT
from adoption.reports import actions, permissions, public_link, sealed_reporter, sources
from adoption.reports.forms import BehaviourReportForm, JudgeForm
from adoption.reports.report_kinds import KINDS, Outcome, kind_of, outcomes_of
from governance import clock
from governance.models import User
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import throttling
from governance.transparency_log import as_of
from governance.web.form_fields import ReasonForm
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access.permissions import may_see
from initiatives.lifecycle.initiative.initiative_frame import ask, fix, initiative_context, page_of, sent
from initiatives.models import Initiative

TAB = "incidents"
PER_PAGE = 20
SHOWN = 50  # the newest reports of each kind
PER_PERSON = 10  # in ten minutes: nobody floods an initiative from behind the protection


@require_safe
@on_any_day(initiative_lookup.initiative_on_any_day)
def incidents(request: SignedInRequest, ref: str) -> HttpResponse:
    """Incidents of one initiative, and the reports of all kinds that came in about it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rows = list(initiative.incidents.select_related("merged_into", "lead"))
    found = incident_metrics.means(rows)
    keeps_link = as_of.current() is None and permissions.may_keep_link(initiative, request.user)
    link = initiative.problem_links.filter(ended_at__isnull=True).first() if keeps_link else None
    context = initiative_context(request, initiative, TAB) | {
        "title": _("Incidents and reports"),
        "unfinished": [row for row in rows if row.state != "closed"],
        "page": page_of(request, [row for row in rows if row.state == "closed"], PER_PAGE),
        "reports": _reports_of(initiative),
        "means": found,
        "to_detect": incident_metrics.span_words(found.to_detect),
        "to_resolve": incident_metrics.span_words(found.to_resolve),
        "may_open": incident_permissions.may_open(initiative, request.user),
        "may_report": permissions.may_report(initiative, request.user),
        "keeps_link": keeps_link,
        "address": link and request.build_absolute_uri(reverse("report-problem", args=[link.token])),
    }
    return render(request, "adoption/reports/incidents.html", context)


def _reports_of(initiative: Initiative) -> list[Report]:
    """The newest reports of each kind, those that wait first."""
    rows = [
        row
        for kind in KINDS.values()
        for row in kind.model.objects.filter(initiative=initiative).order_by("-pk")[:SHOWN]
    ]
    return sorted(rows, key=lambda row: (row.waits, row.reported_on), reverse=True)


def _report_for(person: User, kind: str, pk: int) -> Report:
    if kind not in KINDS:
        raise Http404("No such kind of report.")
    rows = KINDS[kind].model.objects.select_related(
        "initiative__unit", "initiative__contract", "judged_by", "incident"
    )
    return initiative_lookup.of_initiative(rows, person, pk)


@require_safe
def report(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """What came in, what became of it, and what the reader may make of it."""
    row = _report_for(request.user, kind, pk)
    has_source = bool(KINDS[kind].ask_source)
    context = initiative_context(request, row.initiative, TAB) | {
        "title": str(row),
        "report": row,
        "kind": KINDS[kind],
        "told": [(term, words) for term, words in KINDS[kind].facts(row) if words],
        "outcomes": outcomes_of(row),
        "may_judge": KINDS[kind].may_judge(row.initiative, request.user),
        "may_ask": has_source and permissions.may_ask_source(row, request.user),
        "questions": row.source_questions.select_related("by") if has_source else (),
    }
    if isinstance(row, IncidentDraft):
        context["page"] = page_of(request, row.alerts.select_related("key"))
    return render(request, "adoption/reports/report.html", context)


def judge(request: SignedInRequest, kind: str, pk: int, outcome: str) -> HttpResponse:
    """Say what becomes of a report. What an incident would bring is told first to whoever wants to look."""
    row = _report_for(request.user, kind, pk)
    KINDS[kind].may_judge(row.initiative, request.user).or_refuse()
    chosen = _outcome(row, outcome)
    form = JudgeForm(sent(request), report=row, outcome=outcome)
    status = 422 if request.method == "POST" else 200
    more: dict = {"happens": chosen.happens}
    if request.method == "POST" and form.is_valid():
        try:
            if outcome == INCIDENT and request.POST.get("step") == "look":
                effects = sentences_of(
                    row.initiative,
                    lambda initiative: actions.judge(report=row, by=request.user, **form.act()),
                    request.user,
                )
                status, more = 200, {"effects": effects, "seen": True}
            else:
                judged = actions.judge(report=row, by=request.user, **form.act())
                messages.success(request, chosen.done)
                return redirect(
                    reverse("incident", args=[judged.incident_id])
                    if judged.incident_id
                    else row.get_absolute_url()
                )
        except ValidationError as error:
            fix(form, error)
    return ask(
        request,
        row.initiative,
        TAB,
        form,
        title=chosen.words,
        lede=f"“{row.summary[:400]}”",
        impact_verb=_("Opening it"),
        two_steps=outcome == INCIDENT,
        verb=chosen.words,
        back_url=row.get_absolute_url(),
        status=status,
        **more,
    )


def _outcome(row: Report, key: str) -> Outcome:
    """The outcome of this name among those of the kind. Raises Http404."""
    for one in kind_of(row).outcomes:
        if one.key == key:
            return one
    raise Http404("Nothing of the kind becomes of such a report.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_source(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """Ask who reported it: the chair, with a reason; the answer is on this one page and kept nowhere."""
    row = _report_for(request.user, kind, pk)
    if not KINDS[kind].ask_source:
        raise Http404("Nobody reported this.")
    permissions.may_ask_source(row, request.user).or_refuse()
    form, told = ReasonForm(sent(request)), None
    form.fields[
        "reason"
    ].help_text = "Whoever reported it reads this, and so does everybody who reads the history."
    if request.method == "POST" and form.is_valid():
        try:
            told = sources.ask_source(about=row, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            fix(form, error)
    context = initiative_context(request, row.initiative, TAB) | {
        "title": KINDS[kind].ask_source,
        "lede": f"“{row.summary[:400]}”",
        "form": form,
        "asked": told is not None,
        "told": told,
        "back_url": row.get_absolute_url(),
    }
    status = 422 if request.method == "POST" and told is None else 200
    return render(request, "adoption/reports/source_ask.html", context, status=status)


# --- Reporting behaviour ---------------------------------------------------------------------------------------------


def initiative_or_stub(person: User, ref: str) -> Initiative:
    """The initiative, for whoever may open it or read its stub: of what is not confidential, everybody.

    Raises Http404.
    """
    number = ref.removeprefix("AI-")
    found = None
    if ref.startswith("AI-") and number.isdecimal() and len(number) < 10:
        rows = Initiative.objects.filter(number=int(number)).select_related("unit", "contract")
        found = rows.first()
    if found is None or found.ref != ref or (found.confidential and not may_see(found, person)):
        raise Http404("No such initiative, or not yours to see.")
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report_behaviour(request: SignedInRequest, ref: str) -> HttpResponse:
    """Report how people behave towards the system of an initiative; who may ever know who said so stands above the
    form.
    """
    initiative = initiative_or_stub(request.user, ref)
    permissions.may_report(initiative, request.user).or_refuse()
    form = BehaviourReportForm(sent(request))
    if request.method == "POST" and form.is_valid() and not _too_many(request, form):
        try:
            actions.report_behaviour_report(initiative=initiative, by=request.user, **form.act())
        except ValidationError as error:
            fix(form, error)
        else:
            messages.success(request, _("It is reported, without your name."))
            return redirect("reports-mine")
    status = 422 if request.method == "POST" else 200
    context = {
        "nav": "portfolio",
        "reported_on": initiative,
        "form": form,
        "who_can_know": permissions.WHO_CAN_KNOW,
        "chair": permissions.chairs_words(initiative, request.user),
    }
    return render(request, "adoption/reports/report_behaviour.html", context, status=status)


def _too_many(request, form) -> bool:
    """Whether the person reported so much just now that it has to wait; counted under a mark, not under a name."""
    mark = sealed_reporter.mark(f"{request.user.pk} {clock.today()}")[:40]
    until = throttling.enter_try(mark, purpose="behaviour_report", most=PER_PERSON)
    if until is not None:
        form.add_error(None, f"That is a lot at once. Send it again after {clock.local(until):%H:%M}.")
    return until is not None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: SignedInRequest) -> HttpResponse:
    """What the reader reported, what the board answered, and who asked for the reader's name."""
    if request.method == "POST":
        sources.seen_questions(by=request.user)
        return redirect("reports-mine")
    context = {
        "nav": "account",
        "behaviour_reports": sources.reported_by(request.user),
        "untold": sources.untold(request.user),
        "who_can_know": permissions.WHO_CAN_KNOW,
    }
    return render(request, "adoption/reports/reports_mine.html", context)


@require_POST
def link(request: SignedInRequest, ref: str) -> HttpResponse:
    """Switch the public link on, renew it, or switch it off."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    permissions.may_keep_link(initiative, request.user).or_refuse()
    there = initiative.problem_links.filter(ended_at__isnull=True).first()
    if "off" in request.POST:
        if there is not None:
            public_link.close_link(link=there, by=request.user)
        messages.success(request, _("The address is switched off."))
    else:
        public_link.open_link(initiative=initiative, by=request.user)
        said = "Its former address no longer works." if there else "Give it to those who use this AI."
        messages.success(request, f"There is a new address for problems. {said}")
    return redirect(f"{reverse(TAB, args=[initiative.ref])}#reports")
