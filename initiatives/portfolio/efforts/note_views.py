"""Pages of notes: events, money and observations."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.templatetags.plumbline import stage_word
from governance.transparency_log import as_of
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    STRUCK_OUT,
    PageStep,
    RowAct,
    recorded,
)
from initiatives.models import Event, FundingDecision, Observation
from initiatives.portfolio.efforts import notes as effort_notes
from initiatives.portfolio.efforts import permissions as effort_permissions
from initiatives.portfolio.efforts.note_forms import EventForm, FundingForm, ObservationForm

PER_PAGE = 20


@on_any_day(initiative_lookup.initiative_on_any_day)
def notes(request, ref):
    """Show events, funding decisions and observations, newest first."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "notes")
    who = ("by", "withdrawn_by")
    context |= {
        "title": _("Notes"),
        "events": list(initiative.events.select_related(*who)),
        "funding": [_funding(row) for row in initiative.funding.select_related(*who)],
        "page": page_of(request, initiative.observations.select_related(*who), PER_PAGE),
    }
    for note in (*context["events"], *(entry["row"] for entry in context["funding"]), *context["page"]):
        may = as_of.current() is None and effort_permissions.may_withdraw_note(initiative, note, request.user)
        note.may_withdraw_note = bool(may)
    return render(request, "initiatives/efforts/notes.html", context)


def _funding(row: FundingDecision) -> dict:
    """Return a funding decision with the stage at which it was given, in words."""
    if not row.approved_stage:
        given_at = "not registered here yet"
    else:
        given_at = f"approved {stage_word(row.approved_stage)}, supported {stage_word(row.supported)}"
    return {"row": row, "given_at": given_at}


NOTE = {"page": "notes", "verb": gettext_lazy("Save note")}
INITIATIVE_ACTS["record-event"] = PageStep(
    may=initiative_permissions.may_note,
    act=effort_notes.record_event,
    form=EventForm,
    title=gettext_lazy("Record an event"),
    lede=gettext_lazy("For example an announcement, a demo or a budget talk. An event changes no stage."),
    done=gettext_lazy("The event is recorded."),
    **NOTE,
)
INITIATIVE_ACTS["record-funding"] = PageStep(
    may=initiative_permissions.may_fund,
    act=effort_notes.record_funding,
    form=FundingForm,
    title=gettext_lazy("Record a funding decision"),
    lede=gettext_lazy(
        "Plumbline keeps the approved stage and the supported stage of that day with the decision."
    ),
    done=gettext_lazy("The funding decision is recorded."),
    **NOTE,
)
INITIATIVE_ACTS["add-note"] = PageStep(
    may=initiative_permissions.may_note,
    act=effort_notes.observe,
    form=ObservationForm,
    title=gettext_lazy("Add note"),
    lede=gettext_lazy("Write what you saw. The board and the team read the note. A note is not evidence."),
    done=gettext_lazy("The note is added."),
    **NOTE,
)


for _rows, _model in {"events": Event, "funding": FundingDecision, "observations": Observation}.items():
    ROW_ACTS[f"{_rows}/withdraw"] = RowAct(
        rows=_model.objects.select_related("initiative__unit", "by"),
        may=lambda row, person: effort_permissions.may_withdraw_note(row.initiative, row, person),
        act=effort_notes.withdraw,
        noun="note",
        page="notes",
        title=gettext_lazy("Withdraw a note"),
        lede=recorded,
        happens=(STRUCK_OUT,),
        verb=gettext_lazy("Withdraw the note"),
        done=gettext_lazy("The note is withdrawn."),
    )
