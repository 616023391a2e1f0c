"""Pages of found models: the list, one model with its sightings, and the answers."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, Max, Min, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from governance.models import ServiceKey, User
from governance.people.boards import board_for
from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import RUNNING_STAGES, FoundAnswer, FoundSource
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, Frame, RowAct
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
        "answers": [(verb, ROW_ACTS[f"found-models/{verb}"].title) for verb in ANSWERS],
    }
    return render(request, "initiatives/found_models/found_model.html", context)


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


def _seen(rows: QuerySet[FoundModel], person: User) -> QuerySet[FoundModel]:
    """Return what the person may read. A person who reads none is refused by the permission."""
    if not permissions.may_look(person):
        return rows
    return rows.filter(pk__in=permissions.found_for(person).values("pk"))


def _running(row: FoundModel, request: SignedInRequest) -> dict:
    rows = visible_to(request.user).filter(stage__in=RUNNING_STAGES, withdrawn_at__isnull=True)
    return {"running": rows.order_by("number")}


def _may_answer(row: FoundModel, person: User) -> Answer:
    return permissions.may_look(person) and permissions.may_answer(row, person)


def _answer(key: str, **declared: Any) -> None:
    """Declare one answer to a found model."""
    ROW_ACTS[f"found-models/{key}"] = RowAct(
        rows=FoundModel.objects.select_related("unit", "initiative", "answered_by"),
        frame=ON_FOUND_MODELS,
        may=_may_answer,
        noun="found",
        done=_("The answer is saved."),
        **declared,
    )


ANSWERS = ("idea", "belongs", "not-ours")  # in the order of the page
ON_FOUND_MODELS = Frame(
    nav="reviews", seen=_seen, template="initiatives/found_models/found_model_answer.html"
)
_answer(
    "idea",
    act=actions.make_idea,
    form=IdeaForm,
    given=lambda row, request: {"found": row, "board": board_for(row.unit)},
    title=_("Register the model as a proposed initiative"),
    lede=_(
        "The idea is registered. The owner is asked to accept the role and to record the model as a component."
    ),
    verb=_("Register the idea"),
)
_answer(
    "belongs",
    act=actions.belongs,
    form=BelongsForm,
    given=_running,
    title=_("Assign the model to an initiative"),
    lede=_(
        "The owner and the technical lead of the initiative are asked to record the model as a component."
    ),
    verb=_("Save the answer"),
)
_answer(
    "not-ours",
    act=actions.not_ours,
    form=NotOursForm,
    title=_("Not AI, or not of your organisation"),
    lede=_("Your board is not asked about this name again."),
    verb=_("Save the answer"),
)
