"""Who may plan, lead, write down and see a meeting, as answers that carry their reasons."""

from django.db.models import Q, QuerySet

from adoption.models import Meeting
from governance.models import Board, User
from governance.people.boards import members_now, seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole
from initiatives.lifecycle.access import permissions as initiative_permissions

LEADING = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)


def visible_meetings(person: User) -> QuerySet:
    """Meetings of the boards on which the person sits, and those at which an initiative came up that the person may
    see.

    Admins and auditors see all of them. Of the points, everybody sees those of initiatives that they may see.
    """
    rows = Meeting.objects.all()
    if person.is_admin or person.is_auditor:
        return rows
    boards = {member.board_id for member in seats_held(person)}
    seen = initiative_permissions.visible_to(person).order_by().values("pk")
    return rows.filter(Q(board__in=boards) | Q(secretary=person) | Q(points__initiative__in=seen)).distinct()


def led_by(person: User) -> list[Board]:
    """The boards on which the person is chair or deputy chair now."""
    return list({seat.board_id: seat.board for seat in seats_held(person) if seat.seat in LEADING}.values())


def may_plan(board: Board, person: User) -> Answer:
    """Plan a meeting: chair and deputy chair of the board."""
    if leads(board, person):
        return yes()
    return no(f"Meetings of {board} are planned by its chair or deputy chair.", _ask(board))


def may_lead(meeting: Meeting, person: User) -> Answer:
    """Order the agenda, begin, close, call off: chair and deputy chair, while the meeting is not over."""
    if not meeting.open:
        return no(f"The meeting is {meeting.get_state_display().lower()}; it stands as it is.")
    if leads(meeting.board, person):
        return yes()
    return no("That is for the chair or the deputy chair of the board.", _ask(meeting.board))


def may_write_minutes(meeting: Meeting, person: User) -> Answer:
    """Write minutes and who came: chair, deputy chair and the secretary that they named, until it is closed."""
    if not meeting.open:
        return no(
            f"The meeting is {meeting.get_state_display().lower()}; its minutes stand as they are.",
            "Say it in the minutes of the next one.",
        )
    if (meeting.secretary_id == person.pk and person.is_active) or leads(meeting.board, person):
        return yes()
    return no("Minutes are written by the chair, the deputy chair or the secretary.", _ask(meeting.board))


def may_take_pack(meeting: Meeting, person: User) -> Answer:
    """Take the pack: whoever sits on the board, its secretary, admins and auditors."""
    on_board = any(member.person_id == person.pk for member in members_now(meeting.board))
    if on_board or person.is_admin or person.is_auditor or meeting.secretary_id == person.pk:
        return yes()
    return no("The pack is for the members of the board.", _ask(meeting.board))


def leads(board: Board, person: User) -> bool:
    """Whether the person is chair or deputy chair of the board now."""
    return any(member.person_id == person.pk and member.seat in LEADING for member in members_now(board))


def _ask(board: Board) -> str:
    people = [member.person.full_name for member in members_now(board) if member.seat in LEADING]
    return f"Ask {' or '.join(people)}." if people else "The board has no chair; an admin can appoint one."
