"""Seats in their first day, for those who may confirm them."""

from django.db.models import F, Q
from django.urls import reverse

from governance import clock, cooling_off
from governance.boards import seats_held
from governance.desk import Line
from governance.models import Membership, User
from governance.models.people import CHAIR, DEPUTY_CHAIR


def to_confirm(person: User) -> list[Membership]:
    """Seats that cool off, or will from a day to come, and that the person may confirm by office."""
    now = clock.now()
    held = [seat for seat in seats_held(person) if seat.seat in (CHAIR, DEPUTY_CHAIR)]
    boards = {seat.board_id for seat in held if cooling_off.seat_until(seat, now) is None}
    if not person.is_active or not (boards or person.is_admin):
        return []
    rows = Membership.objects.filter(signs_from__gt=F("starts_at"), confirmed_at=None)
    rows = rows.filter(Q(ends_at=None) | Q(ends_at__gt=now), signs_from__gt=now, person__is_active=True)
    rows = rows.exclude(person=person).exclude(granted_by=person)
    if not person.is_admin:
        rows = rows.filter(board__in=boards)
    return list(rows.select_related("board", "person", "granted_by").order_by("signs_from", "pk"))


def lines(person: User) -> list[Line]:
    """New seats, on the desks of the chair of the board and of admins who did not grant them."""
    return [
        Line(
            "confirm",
            f"{seat.person} as {seat.get_seat_display().lower()} of {seat.board}",
            reverse("seat-confirm", args=[seat.pk]),
            "Look at the seat",
            f"Granted by {seat.granted_by or 'the system'}. Until you confirm it, the seat approves nothing before "
            f"{clock.moment_in_words(seat.signs_from)}.",
        )
        for seat in to_confirm(person)
    ]
