"""Incidents: opening one, its page with the timeline, and each step on its way."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from adoption.edge_clauses import actions as edge_clause_actions
from adoption.edge_clauses import clause_drafts
from adoption.incidents import (
    actions,
    forms,
    incident_metrics,
    merging,
    permissions,
    reporting_clocks,
    runbook,
)
from adoption.incidents.reporting_duties import TEMPLATES
from adoption.models import (
    BehaviourReport,
    Deadline,
    Incident,
    IncidentDraft,
    IncidentLine,
    ProblemReport,
    ReportingDuty,
)
from governance.contracts.wording import sentence
from governance.models import User
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Part
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.lifecycle.initiative.permissions import may_manage
from initiatives.models import Initiative

TAB = "incidents"
# Kinds of reports that can become an incident.
REPORTS = (BehaviourReport, ProblemReport, IncidentDraft)


def _open(**fields: Any) -> Incident:
    try:
        return actions.open_incident(**fields)
    except Conflict as other:
        raise ValidationError(str(other)) from other


def _open_already(initiative: Initiative, request: SignedInRequest) -> dict:
    """Return the part of the page with the incidents that are open, and their keys, which the form sends back."""
    rows = list(initiative.incidents.running().select_related("reported_by"))
    part = Part("adoption/incidents/_open_already.html", {"rows": rows})
    return {"parts": [part] if rows else [], "hidden": {"seen": ",".join(str(row.pk) for row in rows)}}


INITIATIVE_ACTS["open-incident"] = PageStep(
    may=permissions.may_open,
    act=_open,
    page=TAB,
    after=lambda initiative, row, person: reverse("incident", args=[row.pk]),
    form=forms.OpenForm,
    given=lambda initiative, request: {"initiative": initiative},
    title=gettext_lazy("Open an incident"),
    lede=gettext_lazy("Enter a title and a severity. You can add everything else later."),
    context=_open_already,
    verb=gettext_lazy("Open the incident"),
    danger=True,
    done=gettext_lazy("The incident is open. The next steps are below."),
)


def _incident_for(person: User, pk: int) -> Incident:
    rows = Incident.objects.select_related(
        "initiative__unit", "initiative__contract", "reported_by", "lead", "scribe", "speaker", "merged_into"
    ).prefetch_related("systems__system")
    return initiative_lookup.of_initiative(rows, person, pk)


@require_http_methods(["GET", "HEAD", "POST"])
def incident(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show an incident: steps, timeline with a form, dues, possible acts."""
    row = _incident_for(request.user, pk)
    form = forms.LineForm(sent(request))
    if acted(request, form, lambda: actions.write_line(incident=row, by=request.user, **form.cleaned_data)):
        return redirect(f"{reverse('incident', args=[row.pk])}#timeline")
    initiative = row.initiative
    may_work, may_judge = (
        permissions.may_work(row, request.user),
        permissions.may_judge(row, request.user),
    )
    context = initiative_context(request, initiative, TAB) | {
        "title": row.title,
        "incident": row,
        "form": form,
        "events": _events(row),
        "steps": runbook.steps(row, request.user) if may_work else [],
        "obligations": initiative.obligations.filter(
            source__in=[row.source, *(other.source for other in row.merged.all())]
        ).select_related("responsible"),
        "deadlines": row.all_deadlines.select_related("met_by"),
        "merged": row.merged.all(),
        "reports": [
            report
            for kind in REPORTS
            for report in kind.objects.filter(incident__in=[row, *row.merged.all()])
        ],
        "may_work": may_work,
        "may_judge": may_judge,
        "drafted": _clause_words(row),
        "may_draft": may_manage(initiative, request.user),
    }
    return render(
        request, "adoption/incidents/incident.html", context, status=422 if request.method == "POST" else 200
    )


def _events(row: Incident) -> list[dict]:
    """Return the lines and moments of the incident and of its duplicates, sorted by moment."""
    noticed = f"The incident was noticed {incident_metrics.span_words(row.to_detect)} after its start."
    found = [
        {"at": row.started_at, "words": "The incident started."},
        {"at": row.detected_at, "words": noticed},
    ]
    lines = IncidentLine.objects.filter(incident__in=[row, *row.merged.all()])
    found += [
        {"at": line.happened_at, "words": line.words, "line": line} for line in lines.select_related("by")
    ]
    found += [
        {
            "at": other.opened_at,
            "words": "\n".join(filter(None, [f"“{other.title}” was opened.", other.words])),
        }
        for other in row.merged.all()
    ]
    if row.contained_at:
        found.append({"at": row.contained_at, "words": "The incident was contained."})
    if row.resolved_at:
        lasted = incident_metrics.span_words(row.to_resolve)
        found.append({"at": row.resolved_at, "words": f"The incident was resolved {lasted} after its start."})
    return sorted(found, key=lambda event: event["at"])


def _clause_words(row: Incident) -> str:
    """Return the drafted edge clause as a sentence."""
    written = clause_drafts.drafted(row)
    return sentence(written.kind, written.terms, {})


def _lede(row: Incident) -> str:
    return f"{row.title}: severity {row.severity}."


def _step(name: str, act: Callable, may: Callable, **declared) -> None:
    """Declare one step of an incident that leads back to the incident."""
    ROW_ACTS[f"incidents/{name}"] = RowAct(
        **{
            "rows": Incident.objects.select_related("initiative__unit", "initiative__contract"),
            "may": may,
            "act": act,
            "noun": "incident",
            "page": TAB,
            "back": lambda row: reverse("incident", args=[row.pk]),
            "lede": _lede,
            "verb": gettext_lazy("Save"),
            "done": gettext_lazy("Saved."),
        }
        | declared
    )


_step(
    "state",
    actions.move_on,
    permissions.may_work,
    form=forms.StateForm,
    given=lambda row, request: {"initial": {"state": "contained" if row.state == "open" else "resolved"}},
    title=gettext_lazy("Status of the incident"),
)
_step(
    "severity",
    actions.correct_severity,
    permissions.may_judge,
    form=forms.SeverityForm,
    given=lambda row, request: {"initial": {"severity": row.severity}},
    title=gettext_lazy("Severity"),
    lede=lambda row: phrase(
        "{}: severity {}. A lower severity does not remove obligations or restore voided evidence.",
        row.title,
        row.severity,
    ),
    verb=gettext_lazy("Correct the severity"),
    done=gettext_lazy("Corrected."),
)
_step(
    "known",
    actions.amend,
    permissions.may_work,
    form=forms.AmendForm,
    given=lambda row, request: {"incident": row},
    title=gettext_lazy("Known facts"),
    verb=gettext_lazy("Save the facts"),
    done=gettext_lazy("Saved. The activity shows the earlier text."),
)
_step(
    "parts",
    actions.take_part,
    permissions.may_work,
    form=forms.PartForm,
    given=lambda row, request: {"initial": {"role": "lead"}},
    title=gettext_lazy("Incident roles"),
    done=gettext_lazy("Saved. The person is notified."),
)
_step(
    "close",
    actions.close,
    permissions.may_judge,
    form=forms.CloseForm,
    title=gettext_lazy("Close the incident"),
    happens=(
        gettext_lazy(
            "Obligations that this incident opened stay due. Reporting deadlines stay open until the "
            "report is recorded."
        ),
    ),
    verb=gettext_lazy("Close the incident"),
    done=gettext_lazy("The incident is closed."),
)
_step(
    "reopen",
    actions.reopen,
    permissions.may_judge,
    title=gettext_lazy("Reopen the incident"),
    happens=(
        lambda row: (
            phrase("Evidence renewed since then is voided again. A new post-mortem is due.")
            if row.serious
            else phrase("The reminders start again from today.")
        ),
    ),
    verb=gettext_lazy("Reopen the incident"),
    done=gettext_lazy("The incident is open again. The owner and the other responsible people are notified."),
)
_step(
    "merge",
    merging.merge,
    permissions.may_judge,
    form=forms.MergeForm,
    given=lambda row, request: {"incident": row},
    title=gettext_lazy("Mark as duplicate"),
    happens=(
        gettext_lazy("This incident is closed and linked to the older incident."),
        gettext_lazy(
            "The older incident takes the worse severity, the earlier dates, the timeline and the obligations of "
            "the two incidents. The older incident is open while one of the two is open."
        ),
    ),
    verb=gettext_lazy("Merge the incidents"),
    done=gettext_lazy("The incidents are merged. Use the older incident for new entries."),
)


def _judge_clock(*, incident: Incident, duty: ReportingDuty | None, reason: str, by: User, **since) -> None:
    """Start the clock of a reporting duty, or record why none runs."""
    if duty is None:
        reporting_clocks.judge_no_duty(incident=incident, reason=reason, by=by)
    else:
        reporting_clocks.start_clock(incident=incident, duty=duty, by=by, **since)


def _about_clocks(row: Incident) -> str:
    said = f"{row.title}. These templates with their sources are not legal advice. Ask your legal advisers."
    if ReportingDuty.objects.exists():
        return said
    return f"{said} No templates yet. An admin can add templates under Reporting duties."


_step(
    "clock",
    _judge_clock,
    permissions.may_work,
    form=forms.ClockForm,
    title=gettext_lazy("Regulatory reporting"),
    lede=_about_clocks,
)
_step(
    "clause",
    edge_clause_actions.take_over_clause,
    lambda row, person: may_manage(row.initiative, person),
    page="contract",
    back="contract",
    form=forms.ClauseForm,
    given=lambda row, request: {"initial": {"failure": clause_drafts.failure_of(row)}},
    title=gettext_lazy("Edge clause from this incident"),
    lede=lambda row: f"{row.title}. Choose what went wrong from the list. The contract uses the same list.",
    happens=(lambda row: f"The draft of the contract gets the clause: {_clause_words(row)}",),
    verb=gettext_lazy("Add the clause"),
    done=gettext_lazy("The clause is in the contract draft. Continue there."),
)


ROW_ACTS["deadlines/meet"] = RowAct(
    rows=Deadline.objects.select_related("incident__initiative__unit", "incident__initiative__contract"),
    of="incident",
    may=lambda row, person: permissions.may_work(row.incident, person),
    act=reporting_clocks.meet_deadline,
    noun="deadline",
    page=TAB,
    back=lambda row: reverse("incident", args=[row.incident_id]),
    form=forms.MetForm,
    title=gettext_lazy("Report to the authority"),
    lede=lambda row: f"{row.words}: by {row.due:%-d %B %Y}. Source: {row.source}.",
    verb=gettext_lazy("Record the report"),
    done=gettext_lazy("Saved."),
)


@require_http_methods(["GET", "HEAD", "POST"])
def duties(request: SignedInRequest) -> HttpResponse:
    """Show the reporting duties that clocks can run for, each with its source. Admins add the templates."""
    if request.method == "POST":
        new = reporting_clocks.lay_out_duties(by=request.user)
        messages.success(
            request,
            phrase("{} templates added.", len(new)).in_language()
            if new
            else _("All templates were added already."),
        )
        return redirect("reporting-duties")
    rows = list(ReportingDuty.objects.all())
    known = {row.name for row in rows}
    context = {
        "nav": "portfolio",
        "duties": rows,
        "missing": [one for one in TEMPLATES if one.name not in known],
        "may_keep": permissions.may_keep_duties(request.user),
    }
    return render(request, "adoption/incidents/reporting_duties.html", context)
