"""Boards and seats on a page of their own: who holds what, what stages ask, and the acts of admins on them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from governance import clock
from governance.models import Board, Membership
from governance.organisation import actions as organisation_actions
from governance.people.permissions import may_read_organisation, may_reorganise
from governance.permission_result import no
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import BoardRole
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.initiative.initiative_frame import acted, pick, sent
from initiatives.portfolio.units import board_seats, leaving, seat_preview
from initiatives.portfolio.units.forms import AddBoardForm, GrantForm

TAKES = ["GET", "HEAD", "POST"]


@require_safe
def boards(request: SignedInRequest) -> HttpResponse:
    """Every board with its seats, who holds them, and the quorum of each stage."""
    may_read_organisation(request.user).or_refuse()
    context = {"nav": "units", "boards": board_seats.board_rows(), "may": bool(may_reorganise(request.user))}
    return render(request, "initiatives/units/boards.html", context)


@require_http_methods(TAKES)
def add(request: SignedInRequest) -> HttpResponse:
    """Give a unit a board of its own."""
    may_reorganise(request.user).or_refuse()
    form = AddBoardForm(sent(request), initial={"unit": request.GET.get("unit", "")[:20]})
    board = acted(request, form, lambda: organisation_actions.add_board(**form.cleaned_data, by=request.user))
    if board:
        messages.success(request, f"{board} is added. Nobody sits on it yet; fill its seats.")
        return redirect(f"{reverse('boards')}#board-{board.pk}")
    return _form(request, form, title=_("Add a board"), verb=_("Add the board"))


@require_http_methods(TAKES)
def grant(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give somebody a seat of the board; what that means is said first where it is asked for."""
    may_reorganise(request.user).or_refuse()
    board = get_object_or_404(Board, pk=pk)
    initial = {"seat": pick(request.GET.get("seat"), BoardRole.values)}
    form = GrantForm(sent(request), board=board, by=request.user, initial=initial)
    happens = []
    if request.POST.get("step") == "look":
        happens = seat_preview.of_grant(**form.granted) if form.is_valid() else []
    else:
        seat = acted(request, form, lambda: organisation_actions.appoint(**form.granted, by=request.user))
        if seat:
            messages.success(
                request, f"{seat.person} was given the seat {seat.get_seat_display()} of {board}."
            )
            return redirect(f"{reverse('boards')}#board-{board.pk}")
    return _form(
        request,
        form,
        title=f"Grant a seat of {board}",
        verb=_("Grant the seat"),
        happens=happens,
        two_steps=True,
    )


@require_http_methods(TAKES)
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke a seat now, below what that does to the open reviews of its board."""
    may_reorganise(request.user).or_refuse()
    seat = get_object_or_404(Membership.objects.select_related("person", "board__unit"), pk=pk)
    if seat.ends_at is not None and seat.ends_at <= clock.now():
        no("This seat has ended.").or_refuse()
    form = ReasonForm(sent(request))
    if acted(
        request,
        form,
        lambda: leaving.revoke_membership(
            membership=seat, reason=form.cleaned_data["reason"], by=request.user
        ),
    ):
        messages.success(request, f"{seat.person} no longer holds the seat {seat.get_seat_display()}.")
        return redirect(f"{reverse('boards')}#board-{seat.board_id}")
    form.fields["reason"].help_text = "Stands in the audit log."
    return _form(
        request,
        form,
        title=f"Revoke a seat: {seat.person}",
        verb=_("Revoke the seat"),
        happens=seat_preview.of_end(seat),
        danger=True,
    )


def _form(request, form, **more) -> HttpResponse:
    context = {
        "nav": "units",
        "form": form,
        "back_url": reverse("boards"),
        "back_words": "Boards and seats",
        "happens": [],
        "danger": False,
        **more,
    }
    return render(request, "initiatives/units/organisation_form.html", context)
