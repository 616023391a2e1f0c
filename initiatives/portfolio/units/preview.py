"""Preview of moving or merging units: worked out to be shown, and again inside the act.

Units are few, so the whole tree is read and laid out anew in memory; initiatives are counted by the database.
"""

import hashlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Count

from governance.models import Board, Unit, User
from governance.models.people import LONGEST_PATH
from governance.organisation.actions import open_to_own
from governance.vocabulary import ReviewOutcome
from initiatives.models import Initiative, Review, SignOff
from initiatives.models.imports import ROOT

NAMED = 5  # how many of a kind a sentence names before it counts the rest


@dataclass(frozen=True)
class Shift:
    """Some units whose initiatives another board decides from now on; None where no unit above has a board."""

    before: Board | None
    after: Board | None
    units: tuple[int, ...]
    initiatives: int
    reviews: tuple[Review, ...]


@dataclass(frozen=True)
class Plan:
    """Everything that an act on the tree changes. `into` is the new parent, or the unit that takes the other in."""

    unit: Unit
    into: Unit | None
    merges: bool
    below: tuple[Unit, ...]
    initiatives: int
    people: int
    closes: Board | None
    carries: Board | None
    shifts: tuple[Shift, ...]

    @property
    def reviews(self) -> list[Review]:
        """Open reviews that another board decides from now on, each with its current `sign_offs`."""
        return [review for shift in self.shifts for review in shift.reviews]

    @property
    def digest(self) -> str:
        """Names what was shown: the act refuses when it would do anything else."""
        sign_offs = [
            (review.pk, [sign_off.pk for sign_off in review.latest_sign_offs]) for review in self.reviews
        ]
        return hashlib.sha256(repr((self.sentences(), sign_offs)).encode()).hexdigest()

    def sentences(self) -> list[str]:
        """What happens, in the order in which people ask about it."""
        return [*self._tree(), *self._boards(), *self._open_reviews(), *self._seen()]

    def _tree(self):
        unit, into = self.unit, self.into
        if not self.merges:
            yield f"{unit} moves below {into}." if into else f"{unit} stands at the top, below no other unit."
            if self.below:
                yield f"With it moves what is below it: {listed(self.below, 'unit')}."
            initiatives = counted(self.initiatives, "initiative")
            yield f"{initiatives} stay{'s' if self.initiatives == 1 else ''} in it."
            return
        initiatives, people = (
            counted(self.initiatives, "initiative"),
            counted(self.people, "person", "people"),
        )
        yield f"{into} takes in {initiatives} of {unit}, with all that is theirs, and {people}."
        if self.below:
            yield f"What is below {unit} goes below {into}: {listed(self.below, 'unit')}."
        yield f"{unit} is kept to be read, and takes no new initiative and no new person. It does not come back."

    def _boards(self):
        if self.carries:
            yield f"{self.carries} becomes the board of {self.into}; its seats stay as they are."
        if self.closes:
            yield f"{self.closes} has no unit any more: its seats end. {self.into} has its own way to a board."
        for shift in self.shifts:
            initiatives, it = (
                counted(shift.initiatives, "initiative"),
                "it" if shift.initiatives == 1 else "them",
            )
            was = f"that {shift.before} decided until now" if shift.before else "that had no board"
            if shift.after is not None:
                yield f"{shift.after} now decides on {initiatives} {was}."
            else:
                yield f"{initiatives} {was}: nobody can decide on {it} until a unit above {it} has a board."
        if not self.shifts:
            yield "The same boards decide as before."

    def _open_reviews(self):
        for shift in self.shifts:
            for review in shift.reviews:
                ref, count = review.initiative.ref, len(review.latest_sign_offs)
                goes = (
                    f"goes to {shift.after} with its questions and answers"
                    if shift.after
                    else "stays open, and nobody can decide it for now"
                )
                lost = f"{counted(count, 'sign-off')} given before no longer count{'s' if count == 1 else ''}"
                yield f"The open review of {ref} {goes}; {lost if count else 'nobody has signed_off yet'}."

    def _seen(self):
        yield "Who may read an initiative by unit or board follows the new tree. Earlier days still show the old one."


def plan_move(unit: Unit, parent: Unit | None) -> Plan:
    """What putting `unit` below `parent` (None: at the top) changes. Raises ValidationError at `into`."""
    _stands(unit)
    if parent is not None and parent.path.startswith(unit.path):
        lies = "the same unit" if parent.pk == unit.pk else f"below {unit}"
        raise _wrong(f"{parent} is {lies}; a unit does not stand below itself. Choose another.")
    open_to_own(parent, "into")
    if unit.parent_id == (parent.pk if parent else None):
        raise _wrong(f"{unit} stands there already.")
    path = f"{parent.path if parent else '/'}{unit.code}/"
    return _laid_out(unit, parent, {unit.path: path})


def plan_merge(unit: Unit, into: Unit, *, carry: bool = False) -> Plan:
    """What merging `unit` into another changes. Raises ValidationError at `into` or `carry`.

    `carry`: its board becomes the board of `into`, where that has none of its own; else its board closes.
    """
    _stands(unit)
    open_to_own(into, "into")
    if into.path.startswith(unit.path):
        lies = "the same unit" if into.pk == unit.pk else f"below {unit}"
        raise _wrong(f"{into} is {lies}. Move it out first, or merge it into {unit}.")
    owns = dict(Board.objects.filter(unit__in=[unit, into]).values_list("unit", "name"))
    if carry and unit.pk not in owns:
        raise ValidationError({"carry": f"{unit} has no board of its own to keep."})
    if carry and into.pk in owns:
        raise ValidationError({"carry": f"{into} has {owns[into.pk]} already; the other one closes."})
    return _laid_out(unit, into, {unit.path: into.path}, merges=True, carry=carry)


def _laid_out(unit, into, paths, *, merges=False, carry=False) -> Plan:
    """The plan, from the whole tree as it stands and as it would stand."""
    [(old, new)] = paths.items()
    units = list(Unit.objects.order_by("path"))
    after = {
        one.pk: new + one.path.removeprefix(old) if one.path.startswith(old) else one.path for one in units
    }
    if too_long := next((one for one in units if len(after[one.pk]) > LONGEST_PATH), None):
        raise _wrong(f"{too_long} would lie too deep in the tree. Choose a place higher up.")
    boards = list(Board.objects.select_related("unit"))
    own = next((board for board in boards if merges and board.unit_id == unit.pk), None)
    places = {board.unit.path: board for board in boards}
    later = {after[board.unit_id]: board for board in boards if board is not own or carry}
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
    )


def nearest(places: dict[str, Board], path: str) -> Board | None:
    """The board of the longest of these paths that `path` begins with."""
    above = [place for place in places if path.startswith(place)]
    return places[max(above, key=len)] if above else None


def _shifts(boards: dict[int, tuple], counts: dict[int, int]) -> tuple[Shift, ...]:
    found: dict[tuple, list[int]] = {}
    for pk, (before, after) in boards.items():
        if before != after and counts.get(pk):
            found.setdefault((before, after), []).append(pk)
    if not found:
        return ()
    reviews: dict[int, list[Review]] = {}
    moved = [pk for units in found.values() for pk in units]
    rows = Review.objects.filter(outcome=ReviewOutcome.OPEN, initiative__unit__in=moved).select_related(
        "initiative__unit"
    )
    opened = list(rows.order_by("initiative"))
    sign_offs: dict[int, list[SignOff]] = {}
    for sign_off in SignOff.objects.latest().filter(review__in=opened).order_by("pk"):
        sign_offs.setdefault(sign_off.review_id, []).append(sign_off)
    for review in opened:
        review.latest_sign_offs = sign_offs.get(review.pk, [])
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


def _stands(unit: Unit) -> None:
    if unit.merged_into_id:
        raise _wrong(f"{unit} was merged into {unit.merged_into} already.")
    if unit.code == ROOT[1]:
        raise _wrong(f"Imports put their units below {unit}; it stays.")


def _wrong(words: str) -> ValidationError:
    return ValidationError({"into": words})


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 initiative", "12 initiatives"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(rows, noun: str) -> str:
    """The first of them by name, and how many more."""
    names = [str(row) for row in rows[:NAMED]]
    more = len(rows) - NAMED
    return ", ".join(names) + (f" and {counted(more, f'more {noun}')}" if more > 0 else "")
