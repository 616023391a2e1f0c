"""Previews of moving or merging units, computed to be shown and inside the act.

Units are few, so the whole tree is read and rebuilt in memory. The database counts initiatives.
"""

import hashlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Count, Q

from governance.models import Board, Unit, User
from governance.models.people import LONGEST_PATH
from governance.organisation.actions import open_to_own
from governance.people import boards
from governance.vocabulary import ReviewOutcome
from governance.vocabulary.phrases import phrase
from initiatives.models import Initiative, Review, SignOff
from initiatives.models.imports import ROOT

NAMED = 5  # how many of a kind a sentence names before it counts the rest


@dataclass(frozen=True)
class Shift:
    """Units whose initiatives get another board, or None if no unit above has a board."""

    before: Board | None
    after: Board | None
    units: tuple[int, ...]
    initiatives: int
    reviews: tuple[Review, ...]


@dataclass(frozen=True)
class Plan:
    """Everything that an act on the tree or a board changes.

    `into` is the new parent, or the unit that takes the other in. `takes_over` is a board that begins to decide.
    """

    unit: Unit
    into: Unit | None
    merges: bool
    below: tuple[Unit, ...]
    initiatives: int
    people: int
    closes: Board | None
    carries: Board | None
    shifts: tuple[Shift, ...]
    takes_over: Board | None = None

    @property
    def reviews(self) -> list[Review]:
        """Return the open reviews that get another board, with their current `sign_offs`."""
        return [review for shift in self.shifts for review in shift.reviews]

    @property
    def digest(self) -> str:
        """Return the digest of the shown plan. The act refuses any other plan."""
        sign_offs = [
            (review.pk, [sign_off.pk for sign_off in review.latest_sign_offs]) for review in self.reviews
        ]
        return hashlib.sha256(repr((self.sentences(), sign_offs)).encode()).hexdigest()

    def sentences(self) -> list[str]:
        """Return the changes in sentences, the most asked first."""
        return [*self._tree(), *self._boards(), *self._open_reviews(), *self._seen()]

    def _tree(self):
        unit, into = self.unit, self.into
        if self.takes_over:
            yield f"{self.takes_over} becomes the board of {unit}, and of the units below without their own board."
            return
        if not self.merges:
            yield f"{unit} moves below {into}." if into else f"{unit} moves to the top, below no other unit."
            if self.below:
                yield f"The units below {unit} move too: {listed(self.below, 'unit')}."
            initiatives = counted(self.initiatives, "initiative")
            yield f"{initiatives} stay{'s' if self.initiatives == 1 else ''} in {unit}."
            return
        initiatives, people = (
            counted(self.initiatives, "initiative"),
            counted(self.people, "person", "people"),
        )
        yield (f"{into} gets {initiatives} of {unit}, with everything that belongs to them, and {people}.")
        if self.below:
            yield f"The units below {unit} move below {into}: {listed(self.below, 'unit')}."
        yield (
            f"You can still read {unit}, but it takes no new initiative and no new person. You cannot "
            "undo the merge."
        )

    def _boards(self):
        if self.carries:
            yield f"{self.carries} becomes the board of {self.into}. The seats stay as they are."
            if self.carries.decides_from is None:
                yield f"{self.carries} still waits until an admin lets it take over."
        if self.closes:
            yield (
                f"{self.closes} no longer has a unit, so its seats end. {self.into} keeps its own board, "
                "or the board above it."
            )
        for shift in self.shifts:
            initiatives, it = (
                counted(shift.initiatives, "initiative"),
                "it" if shift.initiatives == 1 else "them",
            )
            was = f"that {shift.before} decided until now" if shift.before else "that had no board"
            if shift.after is not None:
                yield f"{shift.after} now decides on {initiatives} {was}."
            else:
                yield f"{initiatives} {was}. No one can decide on {it} until a unit above has a board."
        if not self.shifts:
            yield "The same boards decide as before."

    def _open_reviews(self):
        for shift in self.shifts:
            for review in shift.reviews:
                ref, count = review.initiative.ref, len(review.latest_sign_offs)
                goes = (
                    f"goes to {shift.after} with its questions and answers"
                    if shift.after
                    else "stays open, and no one can decide it for now"
                )
                lost = f"{counted(count, 'earlier sign-off')} no longer count{'s' if count == 1 else ''}"
                yield (
                    f"The open review of {ref} {goes}. "
                    f"{(lost[:1].upper() + lost[1:]) if count else 'No one has signed off yet'}."
                )

    def _seen(self):
        if self.takes_over:
            for shift in self.shifts:
                yield (
                    f"Members of {shift.before} no longer see {counted(shift.initiatives, 'initiative')} by "
                    "their seats."
                )
            return
        yield (
            "Reading rights by unit or board follow the new tree. Pages for earlier days still show the old tree."
        )


def plan_move(unit: Unit, parent: Unit | None) -> Plan:
    """Return the plan of `unit` below `parent` (None: at the top). Raises ValidationError at `into`."""
    _stands(unit)
    if parent is not None and parent.path.startswith(unit.path):
        lies = "the same unit" if parent.pk == unit.pk else f"below {unit}"
        raise _wrong(f"{parent} is {lies}. Choose a place outside {unit}.")
    open_to_own(parent, "into")
    if unit.parent_id == (parent.pk if parent else None):
        raise _wrong(f"{unit} is already at this place. Choose another place.")
    path = f"{parent.path if parent else '/'}{unit.code}/"
    return _chaired(_laid_out(unit, parent, {unit.path: path}))


def plan_merge(unit: Unit, into: Unit, *, carry: bool = False) -> Plan:
    """Return the plan of merging `unit`. Raises ValidationError at `into` or `carry`.

    With `carry`, its board becomes that of `into`, if `into` has none. Otherwise its board closes.
    """
    _stands(unit)
    open_to_own(into, "into")
    if into.pk == unit.pk:
        raise _wrong(f"{unit} cannot be merged into itself. Choose a different unit.")
    if into.path.startswith(unit.path):
        raise _wrong(f"{into} is below {unit}. Move {into} out of {unit} first, or merge {into} into {unit}.")
    owns = dict(Board.objects.filter(unit__in=[unit, into]).values_list("unit", "name"))
    if carry and unit.pk not in owns:
        raise ValidationError({"carry": phrase("{} has no separate board. Clear “Keep its board”.", unit)})
    if carry and into.pk in owns:
        raise ValidationError(
            {
                "carry": phrase(
                    "{} already has {}. Clear “Keep its board”, and the other board closes.",
                    into,
                    owns[into.pk],
                )
            }
        )
    return _chaired(_laid_out(unit, into, {unit.path: into.path}, merges=True, carry=carry))


def plan_take_over(board: Board) -> Plan:
    """Return the plan by which a board that waits begins to decide for its unit."""
    return _laid_out(board.unit, None, {board.unit.path: board.unit.path}, takes_over=board)


def _chaired(plan: Plan) -> Plan:
    """Return the plan. Raises ValidationError at `into` if initiatives would go to a board that no one chairs."""
    for shift in plan.shifts:
        if shift.after and not any(boards.chairs(boards.members_now(shift.after))):
            raise _wrong(
                f"{shift.after} has no chair and no deputy chair, so no one could decide on "
                f"{counted(shift.initiatives, 'initiative')}. Grant one of these seats first."
            )
    return plan


def _laid_out(unit, into, paths, *, merges=False, carry=False, takes_over=None) -> Plan:
    """Return the plan, from the tree as it is and as it would be."""
    [(old, new)] = paths.items()
    units = list(Unit.objects.order_by("path"))
    after = {
        one.pk: new + one.path.removeprefix(old) if one.path.startswith(old) else one.path for one in units
    }
    if too_long := next((one for one in units if len(after[one.pk]) > LONGEST_PATH), None):
        raise _wrong(
            f"{too_long} would have too many levels above it. Choose a place that is higher in the tree."
        )
    every = list(Board.objects.select_related("unit"))
    own = next((board for board in every if merges and board.unit_id == unit.pk), None)
    places = {board.unit.path: board for board in every if board.decides_from}
    later = {
        after[board.unit_id]: board
        for board in every
        if (board.decides_from or board == takes_over) and (board is not own or carry)
    }
    counts = dict(Initiative.objects.order_by().values_list("unit").annotate(Count("pk")))
    return Plan(
        unit=unit,
        into=into,
        merges=merges,
        below=tuple(one for one in units if one.path.startswith(old) and one.pk != unit.pk),
        initiatives=counts.get(unit.pk, 0),
        people=User.objects.active().filter(unit=unit).count(),
        closes=None if carry else own,
        carries=own if carry else None,
        shifts=_shifts(
            {one.pk: (nearest(places, one.path), nearest(later, after[one.pk])) for one in units}, counts
        ),
        takes_over=takes_over,
    )


def nearest(places: dict[str, Board], path: str) -> Board | None:
    """Return the board of the longest of these paths that `path` begins with, or None."""
    above = [place for place in places if path.startswith(place)]
    return places[max(above, key=len)] if above else None


def _shifts(deciding: dict[int, tuple], counts: dict[int, int]) -> tuple[Shift, ...]:
    found: dict[tuple, list[int]] = {}
    for pk, (before, after) in deciding.items():
        if before != after and counts.get(pk):
            found.setdefault((before, after), []).append(pk)
    if not found:
        return ()
    reviews: dict[int, list[Review]] = {}
    moved = [pk for units in found.values() for pk in units]
    for review in _open_reviews(Q(initiative__unit__in=moved)):
        reviews.setdefault(review.initiative.unit_id, []).append(review)
    return tuple(
        Shift(
            before,
            after,
            tuple(units),
            sum(counts[pk] for pk in units),
            tuple(review for pk in units for review in reviews.get(pk, ())),
        )
        for (before, after), units in found.items()
    )


def shifts_of(initiatives: list[Initiative], unit: Unit) -> list[tuple[list[Initiative], Shift]]:
    """Return these initiatives that another board decides in the unit, with their shift, by board of now."""
    after, found = boards.board_for(unit), {}
    for initiative in initiatives:
        before = boards.board_for(initiative.unit)
        if before != after:
            found.setdefault(before, []).append(initiative)
    return [
        (moved, Shift(before, after, (), len(moved), tuple(_open_reviews(Q(initiative__in=moved)))))
        for before, moved in found.items()
    ]


def _open_reviews(where: Q) -> list[Review]:
    """Return the open reviews of these initiatives with their `latest_sign_offs`."""
    rows = Review.objects.filter(where, outcome=ReviewOutcome.OPEN).select_related("initiative__unit")
    opened = list(rows.order_by("initiative"))
    sign_offs: dict[int, list[SignOff]] = {}
    latest = SignOff.objects.latest().filter(review__in=opened).select_related("person")
    for sign_off in latest.order_by("pk"):
        sign_offs.setdefault(sign_off.review_id, []).append(sign_off)
    for review in opened:
        review.latest_sign_offs = sign_offs.get(review.pk, [])
    return opened


def _stands(unit: Unit) -> None:
    if unit.merged_into_id:
        raise _wrong(f"{unit} was already merged into {unit.merged_into}. Choose that unit.")
    if unit.code == ROOT[1]:
        raise _wrong(
            f"{unit} cannot move, because imports put their units below {unit}. Choose another unit."
        )


def _wrong(words: str) -> ValidationError:
    return ValidationError({"into": words})


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 initiative", "12 initiatives"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(rows, noun: str) -> str:
    """Return the first names, and the number of others."""
    names = [str(row) for row in rows[:NAMED]]
    more = len(rows) - NAMED
    return ", ".join(names) + (f" and {counted(more, f'more {noun}')}" if more > 0 else "")
