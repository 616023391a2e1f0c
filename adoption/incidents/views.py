"""Incidents: opening one, its page with the timeline, and each step on its way."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
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
from adoption.models import Deadline, Incident, ReportingDuty
from governance.contracts.wording import sentence
from governance.models import User
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.access import initiative_lookup
from initiatives.access.permissions import may_manage
from initiatives.form_fields import ReasonForm
from initiatives.initiative.initiative_frame import acted, ask, fix, initiative_context, one_act, sent

TAB = "incidents"


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
    """An incident: what to do now, its timeline with a form, what is owed, what can be said of it."""
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
        "reports": [*row.behaviourreports.all(), *row.problemreports.all(), *row.incidentdrafts.all()],
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


def _step(request, row: Incident, form, act, done: str, *, may, **page) -> HttpResponse:
    """A page of one step of an incident; back to the incident."""
    may(row, request.user).or_refuse()
    back = reverse("incident", args=[row.pk])
    if acted(request, form, lambda: act(form.cleaned_data)):
        messages.success(request, done)
        return redirect(back)
    page.setdefault("lede", f"{row.title}: severity {row.severity}.")
    status = 422 if request.method == "POST" else 200
    return ask(request, row.initiative, TAB, form, back_url=back, status=status, **page)


def state(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that it is contained or resolved."""
    row = _incident_for(request.user, pk)
    return _step(
        request,
        row,
        forms.StateForm(sent(request), initial={"state": "contained" if row.state == "open" else "resolved"}),
        lambda fields: actions.move_on(incident=row, by=request.user, **fields),
        "Noted.",
        may=permissions.may_work,
        title=_("How it stands"),
        verb=_("Say so"),
    )


def amend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put right what is known."""
    row = _incident_for(request.user, pk)
    form = forms.AmendForm(sent(request), incident=row)
    return _step(
        request,
        row,
        form,
        lambda fields: actions.amend(incident=row, by=request.user, **form.act()),
        "Put right; what stood before is in the history.",
        may=permissions.may_work,
        title=_("What is known"),
        verb=_("Save"),
    )


def part(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a part, or hand it to somebody."""
    row = _incident_for(request.user, pk)
    return _step(
        request,
        row,
        forms.PartForm(sent(request), initial={"role": "lead"}),
        lambda fields: actions.take_part(incident=row, by=request.user, **fields),
        "Noted; whoever it is has been told.",
        may=permissions.may_work,
        title=_("Incident roles"),
        verb=_("Say so"),
    )


def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close it."""
    row = _incident_for(request.user, pk)
    return _step(
        request,
        row,
        forms.CloseForm(sent(request)),
        lambda fields: actions.close(incident=row, by=request.user, **fields),
        "The incident is closed.",
        may=permissions.may_judge,
        title=_("Close the incident"),
        happens=[
            _("What is due because of it stays due, and clocks run on until somebody says what was reported.")
        ],
        verb=_("Close it"),
    )


def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Open it again."""
    row = _incident_for(request.user, pk)
    return _step(
        request,
        row,
        ReasonForm(sent(request)),
        lambda fields: actions.reopen(incident=row, by=request.user, **fields),
        "It is open again, and those who answer for the initiative are told.",
        may=permissions.may_judge,
        title=_("Open it again"),
        verb=_("Open it again"),
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


def merge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that it is the same as an older one."""
    row = _incident_for(request.user, pk)
    return _step(
        request,
        row,
        forms.MergeForm(sent(request), incident=row),
        lambda fields: merging.merge(incident=row, by=request.user, **fields),
        "Merged; the older one tells it from now on.",
        may=permissions.may_judge,
        title=_("Mark as duplicate"),
        happens=[
            _("This one is closed, and names the older one."),
            _("The older one gets the worse severity, the earlier days and what is due."),
        ],
        verb=_("Merge it"),
    )


def clock_(request: SignedInRequest, pk: int) -> HttpResponse:
    """Start the clock of a reporting duty, or say why none runs."""
    row = _incident_for(request.user, pk)

    def act(fields):
        if fields["duty"] is None:
            reporting_clocks.judge_no_duty(incident=row, reason=fields["reason"], by=request.user)
        else:
            reporting_clocks.start_clock(
                incident=row, duty=fields["duty"], aware_on=fields["aware_on"], by=request.user
            )

    form = forms.ClockForm(sent(request))
    lede = f"{row.title}. These are templates with their source, no legal advice: ask those who advise you."
    if not form.fields["duty"].queryset.exists():
        lede += " None is laid out here yet; an admin can do that under Reporting duties."
    return _step(
        request,
        row,
        form,
        act,
        "Noted.",
        may=permissions.may_work,
        title=_("Regulatory reporting"),
        lede=lede,
        verb=_("Say so"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def deadline(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that it was reported."""
    rows = Deadline.objects.select_related("incident")
    found = rows.filter(pk=pk).first()
    row = _incident_for(request.user, found.incident_id if found is not None else 0)
    return _step(
        request,
        row,
        forms.MetForm(sent(request)),
        lambda fields: reporting_clocks.meet_deadline(deadline=found, by=request.user, **fields),
        "Noted.",
        may=permissions.may_work,
        title=_("It was reported"),
        lede=f"{found.words}: by {found.due:%-d %B %Y}. Source: {found.source}.",
        verb=_("Say so"),
    )


def clause(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take the drafted edge clause over into the contract in preparation."""
    row = _incident_for(request.user, pk)
    may_manage(row.initiative, request.user).or_refuse()
    form = forms.ClauseForm(sent(request), initial={"failure": clause_drafts.failure_of(row)})
    return one_act(
        request,
        row.initiative,
        form,
        lambda fields: edge_clause_actions.take_over_clause(
            incident=row, failure=fields["failure"], by=request.user
        ),
        _("The clause is in the draft of the contract. Go on with it there."),
        page="contract",
        title=_("An edge clause from this incident"),
        lede=f"{row.title}. Choose what went wrong, as the contract calls it.",
        happens=[f"The draft of the contract gets the clause: {_clause_words(row)}"],
        verb=_("Take it over"),
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
