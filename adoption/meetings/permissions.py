"""Permissions on meetings, as answers that carry their reasons."""

from django.db.models import Q, QuerySet

from adoption.models import Meeting
from governance.models import Board, User
from governance.people.boards import members_now, seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access import visibility

LEADING = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)


def visible_meetings(person: User) -> QuerySet:
    """Return meetings of the person's boards and about initiatives they may see.

    Admins and auditors see all of them. A person sees only the points of initiatives that they may see.
    """
    rows = Meeting.objects.all()
    if person.is_admin or person.is_auditor:
        return rows
    boards = {member.board_id for member in seats_held(person)}
    seen = visibility.visible_to(person).order_by().values("pk")
    return rows.filter(Q(board__in=boards) | Q(secretary=person) | Q(points__initiative__in=seen)).distinct()


def led_by(person: User) -> list[Board]:
    """Return the boards on which the person is chair or deputy chair now."""
    return list({seat.board_id: seat.board for seat in seats_held(person) if seat.seat in LEADING}.values())


def may_plan(board: Board, person: User) -> Answer:
    """Return whether the person may plan a meeting. Chair and deputy chair of the board may."""
    if leads(board, person):
        return yes()
    return no(phrase("Only the chair or deputy chair can plan meetings of {}.", board), _ask(board))


def may_lead(meeting: Meeting, person: User) -> Answer:
    """Return whether the person may lead it: order, begin, close, call off. The chairs may, until it is over."""
    if not meeting.open:
        return no(
            phrase(
                "The meeting is {}, so it can no longer change.",
                label(meeting.get_state_display(), inside=True),
            )
        )
    if leads(meeting.board, person):
        return yes()
    return no("Only the chair or the deputy chair of the board can do this.", _ask(meeting.board))


def may_write_minutes(meeting: Meeting, person: User) -> Answer:
    """Return whether the person may write minutes and attendance. Chairs and secretary may, until it closes."""
    if not meeting.open:
        return no(
            phrase(
                "The meeting is {}, so its minutes can no longer change.",
                label(meeting.get_state_display(), inside=True),
            ),
            "Add the text to the minutes of the next meeting.",
        )
    if (meeting.secretary_id == person.pk and person.is_active) or leads(meeting.board, person):
        return yes()
    return no("Only the chair, the deputy chair or the secretary can write the minutes.", _ask(meeting.board))


def may_take_pack(meeting: Meeting, person: User) -> Answer:
    """Return whether the person may take the pack. Board members, the secretary, admins and auditors may."""
    on_board = any(member.person_id == person.pk for member in members_now(meeting.board))
    if on_board or person.is_admin or person.is_auditor or meeting.secretary_id == person.pk:
        return yes()
    return no("Only members of the board can download the board pack.", _ask(meeting.board))


def leads(board: Board, person: User) -> bool:
    """Return True if the person is chair or deputy chair of the board now."""
    return any(member.person_id == person.pk and member.seat in LEADING for member in members_now(board))


def _ask(board: Board) -> str:
    people = [member.person.full_name for member in members_now(board) if member.seat in LEADING]
    return f"Ask {' or '.join(people)}." if people else "The board has no chair. Ask an admin to appoint one."
