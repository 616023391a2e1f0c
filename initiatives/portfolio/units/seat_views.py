"""Pages of boards and seats: holders, demands of stages, and acts of admins."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from governance import clock
from governance.database.rehearsing import not_rehearsed
from governance.models import Board, Membership, User
from governance.organisation import actions as organisation_actions
from governance.people.permissions import may_end_seat, may_read_organisation, may_reorganise
from governance.permission_result import Answer, no
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import BoardRole
from governance.vocabulary.phrases import label, phrase
from governance.web.confirmation_pages import ReasonForm, looked_or_done
from initiatives.lifecycle.initiative.initiative_frame import acted, pick, sent
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.portfolio.units import actions as unit_actions
from initiatives.portfolio.units import board_seats, leaving, plans, seat_preview
from initiatives.portfolio.units.forms import AddBoardForm, GrantForm, RevokeForm
from initiatives.portfolio.units.views import ON_ORGANISATION, organisation_page

TAKES = ["GET", "HEAD", "POST"]


@require_safe
def boards(request: SignedInRequest) -> HttpResponse:
    """Show each board with its seats, their holders, and the quorum of each stage."""
    may_read_organisation(request.user).or_refuse()
    context = {"nav": "units", "boards": board_seats.board_rows(), "may": bool(may_reorganise(request.user))}
    return render(request, "initiatives/units/boards.html", context)


@not_rehearsed
@require_http_methods(TAKES)
def take_over(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what changes when a board that waits begins to decide, and let it begin."""
    may_reorganise(request.user).or_refuse()
    board = get_object_or_404(Board.objects.select_related("unit"), pk=pk)
    board_seats.may_take_over(board).or_refuse()
    form = ReasonForm(sent(request))
    look = looked_or_done(
        request,
        form,
        lambda _: plans.plan_take_over(board),
        lambda said, seen: unit_actions.take_over(board=board, **said, seen=seen, by=request.user),
    )
    if look.done:
        messages.success(request, phrase("{} now decides for {}.", board, board.unit).in_language())
        return redirect(f"{reverse('boards')}#board-{board.pk}")
    return organisation_page(
        request,
        form,
        title=_("Let %(board)s take over") % {"board": board},
        verb=_("Take over"),
        look=look,
        back_url=reverse("boards"),
        back_words=_("Boards and seats"),
    )


@sensitive_post_parameters("password")
@require_http_methods(TAKES)
def grant(request: SignedInRequest, pk: int) -> HttpResponse:
    """Grant a seat of the board to someone, with a preview on request."""
    may_reorganise(request.user).or_refuse()
    board = get_object_or_404(Board, pk=pk)
    initial = {"seat": pick(request.GET.get("seat"), BoardRole.values)}
    looks = request.POST.get("step") == "look"
    form = GrantForm(
        sent(request),
        board=board,
        by=request.user,
        initial=initial,
        request=request,
        purpose=f"grant a seat of {board}",
        facts={"board": board.pk},
    )
    form.fields["password"].required = not looks
    happens = []
    if looks:
        happens = seat_preview.of_grant(**form.granted) if form.is_valid() else []
    else:
        seat = acted(request, form, lambda: organisation_actions.appoint(**form.granted, by=request.user))
        if seat:
            messages.success(
                request,
                phrase(
                    "{} was given the seat {} of {}.", seat.person, label(seat.get_seat_display()), board
                ).in_language(),
            )
            return redirect(f"{reverse('boards')}#board-{board.pk}")
    return organisation_page(
        request,
        form,
        title=_("Grant a seat of %(board)s") % {"board": board},
        verb=_("Grant the seat"),
        happens=happens,
        two_steps=True,
        back_url=reverse("boards"),
        back_words=_("Boards and seats"),
    )


def _may_revoke(seat: Membership, person: User) -> Answer:
    ended = seat.ends_at is not None and seat.ends_at <= clock.now()
    may = may_end_seat(seat, person)
    return no("This seat has already ended.") if may and ended else may


ROW_ACTS["seats/revoke"] = RowAct(
    rows=Membership.objects.select_related("person", "board__unit"),
    frame=ON_ORGANISATION,
    may=_may_revoke,
    act=leaving.revoke_membership,
    noun="membership",
    form=RevokeForm,
    signed="seat",
    given=lambda seat, request: {"purpose": f"revoke a seat of {seat.board}", "facts": {"seat": seat.pk}},
    title=lambda seat: phrase("Revoke a seat: {}", seat.person),
    happens=seat_preview.of_end,
    back=lambda seat: reverse("boards"),
    context=lambda seat, request: (
        {"back_words": _("Boards and seats")}
        if request.user.is_admin
        else {"back_url": reverse("away"), "back_words": _("Absence and handover")}
    ),
    verb=_("Revoke the seat"),
    danger=True,
    after=lambda seat, made, person: (
        f"{reverse('boards')}#board-{seat.board_id}" if person.is_admin else reverse("away")
    ),
    done=lambda seat: phrase("{} no longer holds the seat {}.", seat.person, label(seat.get_seat_display())),
)


def _say_added(request: SignedInRequest, board: Board) -> None:
    said = (
        phrase("{} is added. Now grant the seats of the board.", board)
        if board.decides_from
        else phrase("{} is added and waits. Grant its seats, then let it take over.", board)
    )
    messages.success(request, said.in_language())


PLAIN_ACTS["add-board"] = PageStep(
    frame=ON_ORGANISATION,
    may=lambda _, person: may_reorganise(person),
    act=organisation_actions.add_board,
    noun="by",
    form=AddBoardForm,
    given=lambda __, request: {"initial": {"unit": request.GET.get("unit", "")[:20]}},
    title=_("Add a board"),
    back=lambda _: reverse("boards"),
    context=lambda __, request: {"back_words": _("Boards and seats")},
    then=_say_added,
    after=lambda _, board, person: f"{reverse('boards')}#board-{board.pk}",
    verb=_("Add the board"),
    done="",
)
