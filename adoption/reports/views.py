"""The pages of reports: list, one report, judgement, behaviour form, questions."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from adoption.incidents import incident_metrics
from adoption.incidents import permissions as incident_permissions
from adoption.models import IncidentDraft, ProblemLink, Report
from adoption.reports import actions, permissions, public_link, sealed_reporter, sources
from adoption.reports.forms import BehaviourReportForm, JudgeForm
from adoption.reports.report_kinds import KINDS, kind_of, outcomes_of
from governance import clock
from governance.models import User
from governance.permission_result import Answer, no
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import throttling
from governance.transparency_log import as_of
from governance.vocabulary.phrases import Phrase, phrase
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access.visibility import may_see, visible_to
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, page_of, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.models import Initiative

TAB = "incidents"
PER_PAGE = 20
SHOWN = 50  # the newest reports of each kind
PER_PERSON = 10  # in ten minutes, so that the protection does not help to flood an initiative


@require_safe
@on_any_day(initiative_lookup.initiative_on_any_day)
def incidents(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the incidents of one initiative, and the reports of all kinds about it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rows = list(initiative.incidents.select_related("merged_into", "lead"))
    found = incident_metrics.means(rows)
    keeps_link = as_of.current() is None and permissions.may_open_link(initiative, request.user)
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
    """Return the newest reports of each kind, those that wait first."""
    rows = [
        row
        for kind in KINDS.values()
        for row in kind.model.objects.filter(initiative=initiative).order_by("-pk")[:SHOWN]
    ]
    return sorted(rows, key=lambda row: (row.waits, row.reported_on), reverse=True)


def _report_for(person: User, kind: str, pk: int) -> Report:
    if kind not in KINDS:
        raise Http404("This kind of report does not exist.")
    return initiative_lookup.of_initiative(_reports(kind), person, pk)


def _reports(kind: str) -> QuerySet[Report]:
    return KINDS[kind].model.objects.select_related(
        "initiative__unit", "initiative__contract", "judged_by", "incident"
    )


@require_safe
def report(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """Show a report, its outcome, and the outcomes that the reader may choose."""
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


def _step(kind: str, name: str, **declared: Any) -> None:
    """Declare one step of a report of this kind that leads back to the report."""
    ROW_ACTS[f"{kind}/{name}"] = RowAct(
        rows=_reports(kind),
        noun="report",
        page=TAB,
        back=lambda report: report.get_absolute_url(),
        lede=lambda report: f"“{report.summary[:400]}”",
        **declared,
    )


@never_cache
def _show_told(request: SignedInRequest, found: tuple[Report, str]) -> HttpResponse:
    """Show the answer on who reported it. The answer is on this page only and is not kept."""
    row, told = found
    more = {"title": kind_of(row).ask_source, "told": told, "back_url": row.get_absolute_url()}
    context = initiative_context(request, row.initiative, TAB) | more
    return render(request, "adoption/reports/source_told.html", context)


for slug, kind in KINDS.items():
    for outcome in kind.outcomes:
        _step(
            slug,
            f"judge-{outcome.key}",
            may=lambda report, person: kind_of(report).may_judge(report.initiative, person),
            act=actions.judge,
            after=lambda report, judged, person: (
                reverse("incident", args=[judged.incident_id])
                if judged.incident_id
                else report.get_absolute_url()
            ),
            form=partial(JudgeForm, outcome=outcome.key),
            given=lambda report, request: {"report": report},
            title=outcome.words,
            happens=outcome.happens,
            verb=outcome.words,
            done=outcome.done,
        )
    if kind.ask_source:
        _step(
            slug,
            "ask-source",
            may=permissions.may_ask_source,
            act=lambda report, **asked: (report, sources.ask_source(about=report, **asked)),
            then=_show_told,
            title=kind.ask_source,
            happens=(
                gettext_lazy(
                    "Everyone who can read the activity of the initiative sees your question and your reason."
                ),
                gettext_lazy("The reporter is notified, with your reason."),
                gettext_lazy("If you get a name, only the next page shows the name."),
            ),
            verb=gettext_lazy("Ask for the name"),
            danger=True,
            done="",
        )


# --- Reporting behaviour ---------------------------------------------------------------------------------------------


def initiative_or_stub(person: User, ref: str) -> Initiative:
    """Return the initiative if the person may open it or read its stub.

    Everyone may read the stub of an initiative that is not confidential. Raises Http404.
    """
    number = ref.removeprefix("AI-")
    found = None
    if ref.startswith("AI-") and number.isdecimal() and len(number) < 10:
        rows = Initiative.objects.filter(number=int(number)).select_related("unit", "contract")
        found = rows.first()
    if found is None or found.ref != ref or (found.confidential and not may_see(found, person)):
        raise Http404("This initiative does not exist, or you cannot see it.")
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report_behaviour(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the form that reports behaviour, with who can ever know the reporter."""
    initiative = initiative_or_stub(request.user, ref)
    permissions.may_report(initiative, request.user).or_refuse()
    form = BehaviourReportForm(sent(request))

    def send() -> None:
        if wait := _wait(request.user):
            raise ValidationError(wait)
        actions.report_behaviour_report(initiative=initiative, by=request.user, **form.act())

    if acted(request, form, send):
        messages.success(request, _("Your report is sent, without your name."))
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


def _wait(person: User) -> Phrase | None:
    """Return why the person must wait after many reports. The count is under a mark, not a name."""
    mark = sealed_reporter.mark(f"{person.pk} {clock.today()}")[:40]
    until = throttling.enter_try(mark, purpose="behaviour_report", most=PER_PERSON)
    return until and phrase(
        "You sent many reports in a short time. You can send this report after {}.",
        f"{clock.local(until):%H:%M}",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: SignedInRequest) -> HttpResponse:
    """Show the reader's reports, the answers, and who asked for the reader's name."""
    if request.method == "POST":
        sources.seen_questions(by=request.user)
        return redirect("reports-mine")
    reports = sources.reported_by(request.user)
    named = visible_to(request.user).filter(pk__in={row.initiative_id for row in reports})
    context = {
        "nav": "account",
        "behaviour_reports": reports,
        "named": set(named.values_list("pk", flat=True)),
        "untold": sources.untold(request.user),
        "who_can_know": permissions.WHO_CAN_KNOW,
    }
    return render(request, "adoption/reports/reports_mine.html", context)


def _link_of(initiative: Initiative) -> ProblemLink | None:
    return initiative.problem_links.filter(ended_at__isnull=True).first()


def _reports_of_page(initiative: Initiative) -> str:
    return f"{reverse(TAB, args=[initiative.ref])}#reports"


INITIATIVE_ACTS["open-report-link"] = PageStep(
    may=permissions.may_open_link,
    act=public_link.open_link,
    form=Form,
    page=TAB,
    back=_reports_of_page,
    title=gettext_lazy("Make a public link for problem reports"),
    happens=(
        gettext_lazy("Everyone with the link can report a problem without an account."),
        lambda row: _link_of(row) and "The earlier link stops working.",
    ),
    verb=gettext_lazy("Make the link"),
    done=gettext_lazy("The new link is ready. Give it to the people who use this AI."),
)


def _may_close_link(initiative: Initiative, person: User) -> Answer:
    may = permissions.may_keep_link(initiative, person)
    if may and _link_of(initiative) is None:
        return no("This initiative has no public link.", "Open the reports.", _reports_of_page(initiative))
    return may


def _close_link(*, initiative: Initiative, by: User) -> ProblemLink:
    return public_link.close_link(link=_link_of(initiative), by=by)


INITIATIVE_ACTS["close-report-link"] = PageStep(
    may=_may_close_link,
    act=_close_link,
    form=Form,
    page=TAB,
    back=_reports_of_page,
    title=gettext_lazy("Switch off the public link"),
    happens=(
        gettext_lazy("The link stops working. Reports stay, and reporters can still read their answers."),
    ),
    verb=gettext_lazy("Switch off the link"),
    danger=True,
    done=gettext_lazy("The link is switched off."),
)
