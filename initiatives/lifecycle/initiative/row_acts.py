"""Acts on one row of an initiative: each noun declares its own, and one view shows and does them all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from governance.models import User
from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import day
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, back_to, insist, sent
from initiatives.models import Initiative

Words = Any  # a text, or what makes one of the row
STRUCK_OUT = _("It stays where it is, struck out, with your name and your reason.")


@dataclass(frozen=True, kw_only=True)
class RowAct:
    """What an act on a row declares; texts are words, or made of the row by a function."""

    rows: QuerySet  # those it can be done to, each with an `initiative`
    of: str = ""  # what of them has it, where they have none of their own
    may: Callable[[Any, User], Answer]  # of the row and the person
    act: Callable[..., Any]  # what is done: takes the row as `noun`, `by`, and what the form says
    noun: str
    page: str  # the page of a section that it belongs to
    back: Words = (
        ""  # where it leads: a name of an address of the initiative, or an address; "": to that page
    )
    form: Callable[..., forms.Form] = ReasonForm
    given: Callable[[Any], dict] = lambda row: {}  # what the form is made with
    title: Words
    lede: Words = ""
    happens: tuple[Words, ...] = ()
    effects: Callable[[Any, User], list[str] | None] = lambda row, person: None
    impact_verb: Words = ""
    verb: Words
    danger: bool = False
    done: Words


# By the rows and the verb that stand in the address: "drills/withdraw". Views of the nouns add theirs.
ROW_ACTS: dict[str, RowAct] = {}


def recorded(row: Any) -> str:
    """The row with who recorded it and when."""
    return f"{row}, recorded by {row.by} on {day(row.at)}."


def on_initiative(may: Callable[[Initiative, User], Answer]) -> Callable[[Any, User], Answer]:
    """A permission on the initiative, whatever the row."""
    return lambda row, person: may(row.initiative, person)


def _said(form: forms.Form) -> dict:
    """What a form says, as the act takes it."""
    return form.act() if hasattr(form, "act") else form.cleaned_data


@require_http_methods(["GET", "HEAD", "POST"])
def row_act(request: SignedInRequest, rows: str, pk: int, verb: str) -> HttpResponse:
    """One act on one row: what will happen, what has to be typed, one button. Raises Http404 for any other."""
    if (kind := ROW_ACTS.get(f"{rows}/{verb}")) is None:
        raise Http404("No such act.")
    row = initiative_lookup.of_initiative(kind.rows, request.user, pk, kind.of)
    initiative = (getattr(row, kind.of) if kind.of else row).initiative
    insist(request, kind.may(row, request.user), f"{verb.replace('-', ' ')} {kind.noun}", initiative)

    def said(words):
        return words(row) if callable(words) else words

    back = said(kind.back) or kind.page
    back = back if back.startswith("/") else reverse(back, args=[initiative.ref])
    form = kind.form(sent(request), **kind.given(row))
    if acted(request, form, lambda: kind.act(**{kind.noun: row}, by=request.user, **_said(form))):
        messages.success(request, said(kind.done))
        return redirect(back)
    return ask(
        request,
        initiative,
        kind.page,
        form,
        title=said(kind.title),
        lede=said(kind.lede),
        happens=[words for words in map(said, kind.happens) if words],
        effects=kind.effects(row, request.user),
        impact_verb=kind.impact_verb,
        verb=said(kind.verb),
        danger=kind.danger,
        back_url=back_to(request, back),
    )
