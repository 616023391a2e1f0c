"""Seats in their first day, for those who may confirm them."""

from django.db.models import Q, Value
from django.db.models.functions import Greatest
from django.urls import reverse

from governance import clock
from governance.database.batch_read import Batch, Given, Rows
from governance.models import Membership, User
from governance.notices.desk import Line
from governance.people import cooling_off
from governance.people.boards import PERSON, seats_held
from governance.vocabulary import BoardRole

_NOW = Given("now")
# Seats that cool off, or will from a day to come.
_COOLING = Membership.objects.filter(
    Q(ends_at=None) | Q(ends_at__gt=_NOW),
    signs_from__gt=Greatest("starts_at", _NOW),
    confirmed_at=None,
    person__is_active=True,
)
_NAMED = {"board": ("id", "name"), "person": PERSON, "granted_by": PERSON}
_NEW = Batch(
    of_board=Rows(_COOLING, "board", joined=_NAMED),
    everywhere=Rows(_COOLING.annotate(every=Value(1)), "every", joined=_NAMED),
)


def to_confirm(person: User) -> list[Membership]:
    """Seats that cool off, or will from a day to come, and that the person may confirm by office."""
    now = clock.now()
    held = [seat for seat in seats_held(person) if seat.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)]
    chaired = {seat.board_id for seat in held if cooling_off.seat_until(seat, now) is None}
    name, asked = ("everywhere", {1}) if person.is_admin else ("of_board", chaired)
    if not person.is_active:
        return []
    found = _NEW.ask(asked, name)[name]
    others = [seat for seat in found if person.pk not in (seat.person_id, seat.granted_by_id)]
    return sorted(others, key=lambda seat: (seat.signs_from, seat.pk))


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
