"""Seats in their first day, for those who may confirm them."""

from django.db.models import Q
from django.db.models.functions import Greatest
from django.urls import reverse

from governance import clock
from governance.models import Membership, User
from governance.notifications.inbox import InboxTask
from governance.people import cooling_off
from governance.people.boards import seats_held
from governance.vocabulary import BoardRole
from governance.vocabulary.phrases import label, phrase


def to_confirm(person: User) -> list[Membership]:
    """Seats that cool off, or will from a day to come, and that the person may confirm by office."""
    now = clock.now()
    chaired = [
        seat.board_id
        for seat in seats_held(person)
        if seat.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)
        and cooling_off.seat_until(seat, now) is None
    ]
    if not person.is_active or not (person.is_admin or chaired):
        return []
    cooling = (
        Membership.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=now),
            signs_from__gt=Greatest("starts_at", now),
            confirmed_at=None,
            person__is_active=True,
        )
        .exclude(person=person)
        .exclude(granted_by=person)
    )
    if not person.is_admin:
        cooling = cooling.filter(board__in=chaired)
    return list(cooling.select_related("board", "person", "granted_by").order_by("signs_from", "pk"))


def tasks(person: User) -> list[InboxTask]:
    """New seats, in the inboxes of the chair of the board and of admins who did not grant them."""
    return [
        InboxTask(
            "confirm",
            phrase("{} as {} of {}", seat.person, label(seat.get_seat_display(), inside=True), seat.board),
            reverse("seat-confirm", args=[seat.pk]),
            phrase("Open the seat"),
            phrase(
                "{} granted this seat. The seat cannot approve before {}, unless you confirm it.",
                seat.granted_by or "the system",
                clock.moment_in_words(seat.signs_from),
            ),
            since=min(clock.local_day(seat.starts_at), clock.today()),
        )
        for seat in to_confirm(person)
    ]
