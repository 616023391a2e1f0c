"""Times in which no one can decide for a board: acts report them at once, the worker those that come by time."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from governance import clock
from governance.models import Absence, Board, Membership, User
from governance.notifications import due
from governance.notifications.due import Due
from governance.people import boards
from governance.templatetags.plumbline import day
from governance.vocabulary import BoardRole, ReviewOutcome
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.reminders.recipients import Circle
from initiatives.lifecycle.reminders.wording import days_between, subject
from initiatives.models import Initiative, Review

LOOKED_AHEAD = timedelta(days=366)  # as long as the longest absence
UNENDED_AHEAD = timedelta(
    days=14
)  # how early people hear of a gap without an end, such as the end of the last seat
CHAIRS = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)


@dataclass(frozen=True)
class Gap:
    """A time without anyone who can decide. `starts_at` is None before the first chair, `ends_at` without an end."""

    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def words(self) -> str:
        """Return the time in words, such as "from 3 December to 10 December"."""
        if self.ends_at is None:
            return f"from {day(self.starts_at)}" if self.starts_at else "yet"
        return days_between(self.starts_at or clock.now(), self.ends_at)

    def __str__(self) -> str:
        return f"{clock.local_day(self.starts_at):%Y-%m-%d}" if self.starts_at else "never"


def chair_seats(board: Board) -> list[Membership]:
    """Return all seats of chair and deputy of the board, ended and future ones too, with their `person`."""
    return list(Membership.objects.filter(board=board, seat__in=CHAIRS).select_related("person"))


def gaps(seats: Iterable[Membership], absences: Iterable[Absence]) -> list[Gap]:
    """Return the gaps that are open now or begin within `LOOKED_AHEAD`, in order."""
    now = clock.now()
    until = now + LOOKED_AHEAD
    away: dict[int, list[Absence]] = {}
    for absence in sorted(absences, key=lambda one: one.starts_at):
        away.setdefault(absence.person_id, []).append(absence)
    there = []
    for seat in seats:
        if not seat.person.is_active or seat.granted_by_id == seat.person_id:
            continue
        start, end = seat.starts_at, seat.ends_at or until + LOOKED_AHEAD
        for absence in away.get(seat.person_id, ()):
            there.append((start, min(end, absence.starts_at)))
            start = max(start, absence.ends_at)
        there.append((start, end))
    found, last = [], None
    for start, end in sorted(one for one in there if one[0] < one[1]):
        if start > until:
            break
        if (last is None or start > last) and start > now:
            found.append(Gap(last, start))
        last = end if last is None else max(last, end)
    if last is None or last <= until:
        found.append(Gap(last, None))
    return found


def _near(gap: Gap) -> bool:
    """Return True if people must know of the gap: it has an end, is open, or begins soon."""
    return gap.ends_at is not None or gap.starts_at is None or gap.starts_at <= clock.now() + UNENDED_AHEAD


def undecided(moment: datetime, of: Iterable[Board] | None = None) -> Iterator[Due]:
    """Yield the gaps of boards to admins, and those of open reviews to their owners.

    `of` has the boards to look at. Without it, all boards are looked at.
    """
    admins = list(User.objects.active().filter(is_admin=True))
    for board in boards.boards() if of is None else of:
        decides = Initiative.objects.live().filter(unit__in=boards.units_of_board(board))
        if not decides.exists():
            continue
        seats = chair_seats(board)
        absences = _absences(seats, moment)
        reviews = list(
            Review.objects.filter(outcome=ReviewOutcome.OPEN, initiative__in=decides)
            .select_related("initiative__unit")
            .order_by("initiative")
        )
        found = [gap for gap in gaps(seats, absences) if _near(gap)]
        for gap in found:
            for admin in admins:
                yield _of_board(board, gap, reviews, admin)
        circle = Circle(review.initiative for review in reviews)
        for review in reviews:
            able = [seat for seat in seats if _may_decide(review.initiative, seat)]
            own = found if len(able) == len(seats) else [gap for gap in gaps(able, absences) if _near(gap)]
            owner = circle.owner(review.initiative)
            for gap in own:
                if owner is not None:
                    yield _of_review(board, gap, review, owner)
                if gap not in found:
                    yield from (_of_review(board, gap, review, admin) for admin in admins)


def tell_at_once(of: Iterable[Board]) -> None:
    """Write the messages on gaps of these boards now, in the running act. Each is written once."""
    changed = {board.pk: board for board in of}
    if changed:
        due.run(queries=[lambda moment: undecided(moment, changed.values())])


def boards_chaired(memberships: Iterable[Membership]) -> list[Board]:
    """Return the boards of those of the seats that are seats of a chair or deputy."""
    return [one.board for one in memberships if one.seat in CHAIRS]


def made_by(board: Board, *, ended: Collection[int] = (), absence: Absence | None = None) -> list[str]:
    """Return in sentences the gaps that a change makes: these seats end now, or this absence is planned."""
    seats = chair_seats(board)
    absences = _absences(seats, clock.now())
    before = gaps(seats, absences)
    for seat in seats:
        if seat.pk in ended:
            seat.ends_at = max(clock.now(), seat.starts_at)
    after = gaps(seats, [*absences, absence] if absence else absences)
    count = Review.objects.filter(
        outcome=ReviewOutcome.OPEN, initiative__unit__in=boards.units_of_board(board)
    ).count()
    waiting = f"{count} open {'review waits' if count == 1 else 'reviews wait'}."
    told = "The admins and the owners of the reviews are notified."
    return [
        f"No one can decide for {board} {gap.words}. {waiting} {told}" for gap in after if gap not in before
    ]


def _absences(seats: Iterable[Membership], moment: datetime) -> list[Absence]:
    people = {seat.person_id for seat in seats}
    return list(Absence.objects.filter(person__in=people, ends_at__gt=moment - LOOKED_AHEAD))


def _may_decide(initiative: Initiative, seat: Membership) -> bool:
    """Return True if nothing but an absence keeps the person in this seat from deciding."""
    seat.away = False
    return roles_and_seats.acting_chair(initiative, [seat])[0] is not None


def _period(gap: Gap) -> str:
    return "now" if gap.starts_at is None or gap.starts_at <= clock.now() else "ahead"


def _of_board(board: Board, gap: Gap, reviews: list[Review], admin: User) -> Due:
    refs = ", ".join(review.initiative.ref for review in reviews)
    return Due(
        admin,
        "no chair",
        f"board:{board.pk}:{gap}",
        f"No one can decide for {board} {gap.words}",
        text=(
            f"The board has no chair or deputy chair who is there. {f'Open reviews: {refs}. ' if refs else ''}"
            "Appoint a chair or a deputy chair."
        ),
        link=f"{reverse('boards')}#board-{board.pk}",
        due_on=clock.local_day(gap.starts_at) if gap.starts_at else None,
        period=_period(gap),
        personal=True,
    )


def _of_review(board: Board, gap: Gap, review: Review, person: User) -> Due:
    return Due(
        person,
        "review without chair",
        f"board:{board.pk}:{gap}:review:{review.pk}",
        subject(review.initiative, f"no one can decide its review {gap.words}"),
        text=(
            f"{board} has no chair or deputy chair who is there and can decide on this initiative. An admin can "
            "appoint one."
        ),
        link=review.get_absolute_url(),
        initiative_ref=review.initiative.ref,
        due_on=clock.local_day(gap.starts_at) if gap.starts_at else None,
        period=_period(gap),
    )
