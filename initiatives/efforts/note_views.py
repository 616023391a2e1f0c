"""Pages of notes: events, money and observations."""

from django.shortcuts import render
from django.utils.translation import gettext as _

from governance.templatetags.plumbline import day, stage_word
from governance.transparency_log import as_of
from governance.web.middleware import on_any_day
from initiatives.access import initiative_lookup
from initiatives.access import permissions as initiative_permissions
from initiatives.efforts import notes as effort_notes
from initiatives.efforts.note_forms import EventForm, FundingForm, ObservationForm
from initiatives.form_fields import ReasonForm
from initiatives.initiative.initiative_frame import initiative_context, one_act, page_of, sent
from initiatives.models import Event, FundingDecision, Observation

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
        may = as_of.current() is None and initiative_permissions.may_take_back(initiative, note, request.user)
        note.may_take_back = bool(may)
    return render(request, "initiatives/efforts/notes.html", context)


def _funding(row: FundingDecision) -> dict:
    """A funding decision with the stage it was given at, in words."""
    if not row.claimed:
        given_at = "before it was registered here"
    else:
        given_at = f"claims {stage_word(row.claimed)}, supported {stage_word(row.supported)}"
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
            "Kept with it for good: the stage the initiative claimed on that day, and the stage its evidence "
            "supported."
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


def take_back_event(request, pk):
    """Take an event back."""
    return _take_back(request, Event, pk)


def take_back_funding(request, pk):
    """Take a funding decision back."""
    return _take_back(request, FundingDecision, pk)


def take_back_observation(request, pk):
    """Take an observation back."""
    return _take_back(request, Observation, pk)


def _take_back(request, model, pk: int):
    row = initiative_lookup.of_initiative(
        model.objects.select_related("initiative__unit", "by"), request.user, pk
    )
    initiative = row.initiative
    initiative_permissions.may_take_back(initiative, row, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        ReasonForm(sent(request)),
        lambda fields: effort_notes.take_back(note=row, by=request.user, **fields),
        _("It is taken back."),
        page="notes",
        title=_("Take a note back"),
        lede=f"{row}, written down by {row.by} on {day(row.at)}.",
        happens=[_("It stays where it is, struck out, with your name and your reason.")],
        verb=_("Take it back"),
    )
