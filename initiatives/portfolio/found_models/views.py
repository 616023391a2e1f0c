"""Pages of found models: the list, one model with its sightings, and the answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.db.models import F, Max, Min, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from governance.models import ServiceKey, User
from governance.people.boards import board_for
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import RUNNING_STAGES, FoundAnswer, FoundSource
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.lifecycle.initiative.initiative_frame import acted, page_of, sent
from initiatives.models import Evidence, FoundModel, ImportBatch, Initiative
from initiatives.portfolio.found_models import actions, permissions
from initiatives.portfolio.found_models.forms import BelongsForm, IdeaForm, NotOursForm


@dataclass(frozen=True)
class Sighting:
    """One place of a found model, with days and count. `initiative` is None if the person may not see it."""

    source: str
    initiative: Initiative | None
    place: str
    first: date
    last: date
    times: int


@dataclass(frozen=True)
class Answering:
    """One answer: its form, its act, and its words."""

    form: Callable
    act: Callable
    title: str
    verb: str
    happens: str


def _idea(data, found: FoundModel, person: User) -> IdeaForm:
    return IdeaForm(data, found=found, board=board_for(found.unit))


def _belongs(data, found: FoundModel, person: User) -> BelongsForm:
    rows = visible_to(person).filter(stage__in=RUNNING_STAGES, withdrawn_at__isnull=True)
    return BelongsForm(data, running=rows.order_by("number"))


def _not_ours(data, found: FoundModel, person: User) -> NotOursForm:
    return NotOursForm(data)


def _answers() -> dict[str, Answering]:
    return {
        "idea": Answering(
            _idea,
            actions.make_idea,
            _("Register the model as a proposed initiative"),
            _("Register the idea"),
            _(
                "The idea is registered. The owner is asked to accept the role and to record the model as a "
                "component."
            ),
        ),
        "belongs": Answering(
            _belongs,
            actions.belongs,
            _("Assign the model to an initiative"),
            _("Save the answer"),
            _(
                "The owner and the technical lead of the initiative are asked to record the model as a "
                "component."
            ),
        ),
        "not-ours": Answering(
            _not_ours,
            actions.not_ours,
            _("Not AI, or not of your organisation"),
            _("Save the answer"),
            _("Your board is not asked about this name again."),
        ),
    }


@require_safe
def listing(request: SignedInRequest) -> HttpResponse:
    """Show the found models that the person reads, those that wait first."""
    permissions.may_look(request.user).or_refuse()
    rows = permissions.found_for(request.user).select_related("unit", "answered_by")
    rows = rows.annotate(times=Coalesce(Sum("days__times"), 0)).order_by("answered_at", "pk").reverse()
    context = {"nav": "reviews", "page": page_of(request, rows)}
    return render(request, "initiatives/found_models/found_models.html", context)


def _found(request: SignedInRequest, pk: int) -> FoundModel:
    """Return the found model with this key. Raises Refused if the person reads none, else Http404."""
    permissions.may_look(request.user).or_refuse()
    rows = permissions.found_for(request.user).select_related("unit", "initiative", "answered_by")
    if (found := rows.filter(pk=pk).first()) is None:
        raise Http404("This model does not exist, or you cannot see it.")
    return found


@require_safe
def found_model(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one found model: its sightings, and its answer or the three ways to answer."""
    row = _found(request, pk)
    seen = visible_to(request.user)
    context = {
        "nav": "reviews",
        "found": row,
        "sightings": _sightings(row, request.user),
        "waiting": row.answer == FoundAnswer.WAITING,
        "may": permissions.may_answer(row, request.user),
        "opens": row.initiative_id is not None and seen.filter(pk=row.initiative_id).exists(),
        "answers": [(verb, one.title) for verb, one in _answers().items()],
    }
    return render(request, "initiatives/found_models/found_model.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: SignedInRequest, pk: int, verb: str) -> HttpResponse:
    """Give one of the three answers."""
    row = _found(request, pk)
    if (one := _answers().get(verb)) is None:
        raise Http404("This page does not exist.")
    permissions.may_answer(row, request.user).or_refuse()
    form = one.form(sent(request), row, request.user)
    if acted(request, form, lambda: one.act(found=row, by=request.user, **form.cleaned_data)):
        messages.success(request, _("The answer is saved."))
        return redirect(row)
    context = {"nav": "reviews", "found": row, "form": form, "answering": one}
    return render(request, "initiatives/found_models/found_model_answer.html", context)


def _sightings(row: FoundModel, person: User) -> list[Sighting]:
    """Return where a model was seen, oldest first. Initiatives are those the person sees."""
    days = row.days.order_by().values("source", "initiative", "place")
    places = list(
        days.annotate(first=Min("day"), last=Max("day"), n=Sum("times")).order_by(F("first"), "source")
    )
    seen = visible_to(person).in_bulk([one["initiative"] for one in places])

    def keys(*sources: str) -> list[int]:
        return [one["place"] for one in places if one["source"] in sources and one["initiative"] in seen]

    words: dict[str, dict[int, str]] = {
        FoundSource.SAMPLE: dict(
            Evidence.objects.filter(pk__in=keys(FoundSource.SAMPLE)).values_list("pk", "title")
        ),
        FoundSource.IMPORT: dict(
            ImportBatch.objects.filter(pk__in=keys(FoundSource.IMPORT)).values_list("pk", "file_name")
        ),
    }
    systems = ServiceKey.objects.filter(pk__in=keys(FoundSource.INTERACTIONS, FoundSource.DECISIONS))
    words[FoundSource.INTERACTIONS] = words[FoundSource.DECISIONS] = dict(systems.values_list("pk", "system"))
    return [
        Sighting(
            str(FoundSource(one["source"]).label),
            seen.get(one["initiative"]),
            words[one["source"]].get(one["place"], ""),
            one["first"],
            one["last"],
            one["n"],
        )
        for one in places
    ]
