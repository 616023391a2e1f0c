"""Incidents: opening one, its page with the timeline, and each step on its way."""

from collections.abc import Callable

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
from adoption.incidents.preview import of_opening, of_severity
from adoption.incidents.reporting_duties import TEMPLATES
from adoption.models import BehaviourReport, Deadline, Incident, IncidentDraft, ProblemReport, ReportingDuty
from governance.contracts.wording import sentence
from governance.models import User
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access.permissions import may_manage
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, fix, initiative_context, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct, on_initiative

TAB = "incidents"
# What becomes an incident.
REPORTS = (BehaviourReport, ProblemReport, IncidentDraft)


@require_http_methods(["GET", "HEAD", "POST"])
def open_(request: SignedInRequest, ref: str) -> HttpResponse:
    """Open an incident: a title and a severity are enough. What it brings is told before, if one wants to look."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    permissions.may_open(initiative, request.user).or_refuse()
    running = list(initiative.incidents.running().select_related("reported_by"))
    form = forms.OpenForm(
        sent(request), initiative=initiative, initial={"seen": ",".join(str(row.pk) for row in running)}
    )
    effects, conflict, status = None, None, 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            fields = form.act()
            if request.POST.get("step") == "look":
                effects, status = of_opening(initiative, by=request.user, **fields), 200
            else:
                try:
                    row = actions.open_incident(initiative=initiative, by=request.user, **fields)
                except ValidationError as error:
                    fix(form, error)
                except Conflict as other:
                    conflict, status = other, 409
                else:
                    messages.success(request, _("It is open. What to do now stands below."))
                    return redirect("incident", row.pk)
    more = {
        "title": _("Open an incident"),
        "running": running,
        "conflict": conflict,
        "seen_now": ",".join(str(row.pk) for row in running),
        "seen": effects is not None,
        "effects": effects,
        "status": status,
        "template": "adoption/incidents/incident_open.html",
        "back_url": reverse(TAB, args=[initiative.ref]),
    }
    return ask(request, initiative, TAB, form, **more)


def _incident_for(person: User, pk: int) -> Incident:
    rows = Incident.objects.select_related(
        "initiative__unit", "initiative__contract", "reported_by", "lead", "scribe", "speaker", "merged_into"
    ).prefetch_related("systems__system")
    return initiative_lookup.of_initiative(rows, person, pk)


@require_http_methods(["GET", "HEAD", "POST"])
def incident(request: SignedInRequest, pk: int) -> HttpResponse:
    """An incident: what to do now, its timeline with a form, what is due, what can be said of it."""
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
        "deadlines": row.deadlines.select_related("met_by"),
        "merged": row.merged.all(),
        "reports": [report for kind in REPORTS for report in kind.objects.filter(incident=row)],
        "may_work": may_work,
        "may_judge": may_judge,
        "drafted": _clause_words(row),
        "may_draft": may_manage(initiative, request.user),
    }
    return render(
        request, "adoption/incidents/incident.html", context, status=422 if request.method == "POST" else 200
    )


def _events(row: Incident) -> list[dict]:
    """What happened, in the order of its moments: the lines, and what the incident itself says."""
    noticed = f"It was noticed {incident_metrics.span_words(row.to_detect)} after its start."
    found = [{"at": row.started_at, "words": "It started."}, {"at": row.detected_at, "words": noticed}]
    found += [
        {"at": line.happened_at, "words": line.words, "line": line} for line in row.lines.select_related("by")
    ]
    if row.contained_at:
        found.append({"at": row.contained_at, "words": "It was contained."})
    if row.resolved_at:
        lasted = incident_metrics.span_words(row.to_resolve)
        found.append({"at": row.resolved_at, "words": f"It was resolved {lasted} after its start."})
    return sorted(found, key=lambda event: event["at"])


def _clause_words(row: Incident) -> str:
    """The drafted edge clause as it would be read aloud."""
    written = clause_drafts.drafted(row)
    return sentence(written.kind, written.terms, {})


def _lede(row: Incident) -> str:
    return f"{row.title}: severity {row.severity}."


def _step(name: str, act: Callable, may: Callable, **declared) -> None:
    """Declare one step of an incident; back to the incident."""
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
    given=lambda row: {"initial": {"state": "contained" if row.state == "open" else "resolved"}},
    title=gettext_lazy("Status of the incident"),
)
_step(
    "known",
    actions.amend,
    permissions.may_work,
    form=forms.AmendForm,
    given=lambda row: {"incident": row},
    title=gettext_lazy("What is known"),
    verb=gettext_lazy("Save"),
    done=gettext_lazy("Saved. The activity shows the earlier text."),
)
_step(
    "parts",
    actions.take_part,
    permissions.may_work,
    form=forms.PartForm,
    given=lambda row: {"initial": {"role": "lead"}},
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
            "What is due because of it stays due, and clocks run on until somebody says what was reported."
        ),
    ),
    verb=gettext_lazy("Close it"),
    done=gettext_lazy("The incident is closed."),
)
_step(
    "reopen",
    actions.reopen,
    permissions.may_judge,
    title=gettext_lazy("Open it again"),
    verb=gettext_lazy("Open it again"),
    done=gettext_lazy("It is open again, and those who answer for the initiative are told."),
)
_step(
    "merge",
    merging.merge,
    permissions.may_judge,
    form=forms.MergeForm,
    given=lambda row: {"incident": row},
    title=gettext_lazy("Mark as duplicate"),
    happens=(
        gettext_lazy("This one is closed, and names the older one."),
        gettext_lazy("The older one gets the worse severity, the earlier days and what is due."),
    ),
    verb=gettext_lazy("Merge it"),
    done=gettext_lazy("Merged. Later entries belong to the older incident."),
)


def severity(request: SignedInRequest, pk: int) -> HttpResponse:
    """Correct how bad it is, after a look at what that brings."""
    row = _incident_for(request.user, pk)
    permissions.may_judge(row, request.user).or_refuse()
    form, effects = forms.SeverityForm(sent(request), initial={"severity": row.severity}), None
    back = reverse("incident", args=[row.pk])
    if request.method == "POST" and form.is_valid():
        if request.POST.get("step") == "look":
            effects = of_severity(row, by=request.user, **form.cleaned_data)
        else:
            try:
                actions.correct_severity(incident=row, by=request.user, **form.cleaned_data)
            except ValidationError as error:
                fix(form, error)
            else:
                messages.success(request, _("Corrected."))
                return redirect(back)
    return ask(
        request,
        row.initiative,
        TAB,
        form,
        title=_("How bad is it"),
        lede=f"{row.title}: severity {row.severity}. A lower one withdraws nothing that is due or voided.",
        effects=effects,
        impact_verb=_("Correcting it"),
        two_steps=True,
        seen=effects is not None,
        verb=_("Correct it"),
        back_url=back,
    )


def _judge_clock(*, incident: Incident, duty: ReportingDuty | None, reason: str, by: User, **since) -> None:
    """Start the clock of a reporting duty, or say why none runs."""
    if duty is None:
        reporting_clocks.judge_no_duty(incident=incident, reason=reason, by=by)
    else:
        reporting_clocks.start_clock(incident=incident, duty=duty, by=by, **since)


def _about_clocks(row: Incident) -> str:
    said = f"{row.title}. These are templates with their source, no legal advice: ask those who advise you."
    if ReportingDuty.objects.exists():
        return said
    return f"{said} None is laid out here yet; an admin can do that under Reporting duties."


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
    on_initiative(may_manage),
    page="contract",
    back="contract",
    form=forms.ClauseForm,
    given=lambda row: {"initial": {"failure": clause_drafts.failure_of(row)}},
    title=gettext_lazy("An edge clause from this incident"),
    lede=lambda row: f"{row.title}. Choose what went wrong, as the contract calls it.",
    happens=(lambda row: f"The draft of the contract gets the clause: {_clause_words(row)}",),
    verb=gettext_lazy("Take it over"),
    done=gettext_lazy("The clause is in the draft of the contract. Go on with it there."),
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
    title=gettext_lazy("It was reported"),
    lede=lambda row: f"{row.words}: by {row.due:%-d %B %Y}. Source: {row.source}.",
    verb=gettext_lazy("Record the report"),
    done=gettext_lazy("Saved."),
)


@require_http_methods(["GET", "HEAD", "POST"])
def duties(request: SignedInRequest) -> HttpResponse:
    """The reporting duties that incidents can start the clock of, each with its source; admins lay them out."""
    if request.method == "POST":
        new = reporting_clocks.lay_out_duties(by=request.user)
        messages.success(request, f"{len(new)} laid out." if new else _("They were all there already."))
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
