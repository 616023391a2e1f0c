"""A meeting of a board that was held, with a decision in it, and one that is planned."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from adoption.actions import meetings
from adoption.demo.chapters import Tale
from adoption.demo.people import Company
from adoption.models import AgendaPoint
from governance import clock
from governance.boards import board_for, chairs, members_now

PLACE = "Room 4.12"


@contextmanager
def held(tale: Tale, ago: int, words: str) -> Iterator[None]:
    """The board meets on that day; what is decided meanwhile is decided there, and `words` are its minutes."""
    chair, seats = tale.team.chair, tale.team.seats
    with tale.day(ago + 7):
        day = tale.today - timedelta(days=ago)
        meeting = meetings.plan(board=board_for(tale.case.unit), held_on=day, place=PLACE, by=chair)
    with tale.day(ago, 15):
        meetings.begin(meeting=meeting, by=chair)
        there = {person.pk for person in (chair, *list(seats.values())[:5])}
        meetings.attend(meeting=meeting, present=there, by=chair)
    yield
    with tale.day(ago, 18):
        point = AgendaPoint.objects.get(meeting=meeting, initiative=tale.case)
        meetings.write_minutes(meeting=meeting, point=point, text=words, version=0, by=chair)
        meetings.close(meeting=meeting, by=chair)


def planned(company: Company, unit: str) -> None:
    """The board of a unit meets in five days."""
    board = board_for(company.units[unit])
    (chair, *_), _ = chairs(members_now(board))
    with clock.simulated(clock.now() - timedelta(days=1)):
        meeting = meetings.plan(
            board=board,
            held_on=clock.today() + timedelta(days=6),
            place=PLACE,
            by=chair.person,
        )
        meetings.add_point(meeting=meeting, words="Dates of the next half year", by=chair.person)
