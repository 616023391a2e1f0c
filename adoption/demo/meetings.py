"""A meeting of a board that was held, with a decision in it, and one that is planned."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from adoption.demo.chapters import Tale
from adoption.demo.people import Company
from adoption.meetings import actions as meeting_actions
from adoption.models import AgendaPoint
from governance import clock
from governance.people.boards import board_for, chairs, members_now

PLACE = "Room 4.12"


@contextmanager
def held(tale: Tale, ago: int, words: str) -> Iterator[None]:
    """The board meets on that day; what is decided meanwhile is decided there, and `words` are its minutes."""
    chair, seats = tale.team.chair, tale.team.seats
    with tale.day(ago + 7):
        day = tale.today - timedelta(days=ago)
        meeting = meeting_actions.plan(
            board=board_for(tale.initiative.unit), held_on=day, place=PLACE, by=chair
        )
    with tale.day(ago, 15):
        meeting_actions.begin(meeting=meeting, by=chair)
        there = {person.pk for person in (chair, *list(seats.values())[:5])}
        meeting_actions.attend(meeting=meeting, present=there, by=chair)
    yield
    with tale.day(ago, 18):
        point = AgendaPoint.objects.get(meeting=meeting, initiative=tale.initiative)
        meeting_actions.write_minutes(meeting=meeting, point=point, text=words, version=0, by=chair)
        meeting_actions.close(meeting=meeting, by=chair)


def planned(company: Company, unit: str) -> None:
    """The board of a unit meets in five days."""
    board = board_for(company.units[unit])
    (chair, *_), _ = chairs(members_now(board))
    with clock.simulated(clock.now() - timedelta(days=1)):
        meeting = meeting_actions.plan(
            board=board,
            held_on=clock.today() + timedelta(days=6),
            place=PLACE,
            by=chair.person,
        )
        meeting_actions.add_point(meeting=meeting, words="Dates of the next half year", by=chair.person)
