"""Pages of notes: events, money and observations."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.templatetags.plumbline import stage_word
from governance.transparency_log import as_of
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, one_act, page_of, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, STRUCK_OUT, RowAct, recorded
from initiatives.models import Event, FundingDecision, Observation
from initiatives.portfolio.efforts import notes as effort_notes
from initiatives.portfolio.efforts.note_forms import EventForm, FundingForm, ObservationForm

PER_PAGE = 20


@on_any_day(initiative_lookup.initiative_on_any_day)
def notes(request, ref):
    """Events, funding decisions and observations, newest first."""
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
        may = as_of.current() is None and initiative_permissions.may_withdraw_note(
            initiative, note, request.user
        )
        note.may_withdraw_note = bool(may)
    return render(request, "initiatives/efforts/notes.html", context)


def _funding(row: FundingDecision) -> dict:
    """A funding decision with the stage it was given at, in words."""
    if not row.approved_stage:
        given_at = "before it was registered here"
    else:
        given_at = f"approved {stage_word(row.approved_stage)}, supported {stage_word(row.supported)}"
    return {"row": row, "given_at": given_at}


def event(request, ref):
    """Record an event."""
    return _note(
        request,
        ref,
        EventForm,
        initiative_permissions.may_note,
        lambda initiative, fields: effort_notes.record_event(
            initiative=initiative, by=request.user, **fields
        ),
        "The event is recorded.",
        title=_("Record an event"),
        lede=_(
            "An announcement, a demo, a choice of model, a budget talk: they are remembered, and move no stage."
        ),
    )


def funding(request, ref):
    """Record a funding decision."""
    return _note(
        request,
        ref,
        FundingForm,
        initiative_permissions.may_fund,
        lambda initiative, fields: effort_notes.record_funding(
            initiative=initiative, by=request.user, **fields
        ),
        "The funding decision is recorded.",
        title=_("Record a funding decision"),
        lede=_(
            "Kept with it for good: the approved stage on that day, and the stage its evidence supported."
        ),
    )


def observation(request, ref):
    """Add note."""
    return _note(
        request,
        ref,
        ObservationForm,
        initiative_permissions.may_note,
        lambda initiative, fields: effort_notes.observe(initiative=initiative, by=request.user, **fields),
        "The note is added.",
        title=_("Add note"),
        lede=_(
            "What you saw, as you saw it. It is no evidence and blames nobody; the board and the team read it."
        ),
    )


def _note(request, ref, form, may, act, done: str, **page):
    """The page of one kind of note: who may, the form, the act, and back to the notes."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    may(initiative, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        form(sent(request)),
        lambda fields: act(initiative, fields),
        done,
        page="notes",
        verb=_("Record it"),
        **page,
    )


for _rows, _model in {"events": Event, "funding": FundingDecision, "observations": Observation}.items():
    ROW_ACTS[f"{_rows}/withdraw"] = RowAct(
        rows=_model.objects.select_related("initiative__unit", "by"),
        may=lambda row, person: initiative_permissions.may_withdraw_note(row.initiative, row, person),
        act=effort_notes.withdraw,
        noun="note",
        page="notes",
        title=gettext_lazy("Take a note back"),
        lede=recorded,
        happens=(STRUCK_OUT,),
        verb=gettext_lazy("Withdraw it"),
        done=gettext_lazy("It is withdrawn."),
    )
