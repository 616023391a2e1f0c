"""The steps of an admin from an empty installation to the first initiative."""

from dataclasses import dataclass

from django.db.models import Count, Exists, Q
from django.urls import reverse

from governance import clock
from governance.models import Board, Membership, Rulebook, Unit, User
from governance.vocabulary import BoardRole, Seat
from governance.vocabulary.phrases import phrase
from initiatives.models import Initiative

# Without these a board can decide nothing; a deputy is good to have.
NEEDED = dict(Seat.choices) | {BoardRole.CHAIR: BoardRole.CHAIR.label}


@dataclass(frozen=True)
class Step:
    """One step: its text, its reason, its state and its link.

    `whose` names who acts if it is not the admin. Without a `link`, the step cannot be done yet.
    """

    key: str
    text: str
    why: str
    state: str
    done: bool
    link: str
    button: str
    whose: str = ""


def steps(person: User) -> list[Step]:
    """Return all steps, or none if all are done or the person is not an active admin."""
    if not (person.is_active and person.is_admin) or _complete(person):
        return []
    board, seats = _board_steps()
    rulebook = _rulebook_step()
    return [_units_step(), board, _people_step(), seats, rulebook, _initiative(rules=rulebook.done)]


def _complete(person: User) -> bool:
    """Return True if no step is missing. Uses one query, because every admin inbox calls it."""
    seated = (
        Membership.objects.held_at(clock.now())
        .filter(seat__in=NEEDED)
        .order_by()
        .values("board")
        .annotate(seats=Count("seat", distinct=True))
        .filter(seats=len(NEEDED))
    )
    asked = [
        Exists(Unit.objects.own()),
        Exists(User.objects.active().exclude(pk=person.pk)),
        Exists(seated),
        Exists(Rulebook.objects.published()),
        Exists(Initiative.objects.own()),
    ]
    return all(User.objects.filter(pk=person.pk).values_list(*asked).get())


def _units_step() -> Step:
    """Return the step that adds units."""
    count = Unit.objects.own().count()
    return Step(
        "units",
        phrase("Add the units"),
        phrase(
            "The units form a tree. Each initiative belongs to a unit. The board of a unit also decides for "
            "the units below."
        ),
        _number_of(count, "unit"),
        count > 0,
        reverse("plain-act", args=["add-unit"]),
        phrase("Add a unit"),
    )


def _people_step() -> Step:
    """Return the step that adds and invites people."""
    said = User.objects.active().aggregate(
        all=Count("pk"), silent=Count("pk", filter=Q(password="") | Q(password__startswith="!"))
    )
    state = _number_of(said["all"], "account")
    if said["silent"]:
        state += phrase(", {} without a password yet", said["silent"])
    return Step(
        "people",
        phrase("Add people and invite them"),
        phrase(
            "Add everyone who owns initiatives, works on them, signs or reads. You can import people and their seats "
            "from a table. Each person receives a link to choose a password."
        ),
        state,
        said["all"] > 1,
        reverse("accounts-add"),
        "Add people",
    )


def _board_steps() -> tuple[Step, Step]:
    """Return the steps for a board and its seats, of the board with most seats filled."""
    boards = list(Board.objects.order_by("pk"))
    held = Membership.objects.held_at(clock.now()).values_list("board_id", "seat")
    filled: dict[int, set[str]] = {}
    for board, seat in held:
        filled.setdefault(board, set()).add(seat)
    best = max((filled.get(board.pk, set()) & set(NEEDED) for board in boards), key=len, default=set())
    missing = [words.lower() for seat, words in NEEDED.items() if seat not in best]
    board = Step(
        "board",
        phrase("Give a board to a unit"),
        phrase("The board decides the initiatives of its unit and of every unit below."),
        _number_of(len(boards), "board"),
        bool(boards),
        reverse("plain-act", args=["add-board"]),
        phrase("Add a board"),
    )
    seats = Step(
        "seats",
        phrase("Fill the seats"),
        (
            "Six seats sign, and a chair decides. You cannot give yourself a seat. You can import people and "
            "their seats from a table."
        )
        + (f" Missing: {', '.join(missing)}." if missing else ""),
        phrase("{} missing", _number_of(len(missing), "seat")) if missing else "all seats are filled",
        bool(boards) and not missing,
        reverse("boards"),
        phrase("Fill a seat"),
    )
    return board, seats


def _rulebook_step() -> Step:
    """Return the step for a rulebook in force."""
    newest = Rulebook.objects.defer("source").order_by("-pk").first()
    in_force = Rulebook.objects.published().exists()
    why = phrase(
        "The rulebook defines the requirements of each stage, and who signs. An admin loads and proposes "
        "the rulebook. A chair publishes the rulebook."
    )
    name, link, button, whose = (
        phrase("Put a rulebook in force"),
        reverse("rulebook-load"),
        phrase("Load a rulebook"),
        "",
    )
    if in_force:
        state = "a rulebook is in force"
    elif newest is None:
        state = "no rulebook is loaded"
    else:
        link, button = reverse("rulebook-version", args=[newest.version]), phrase("Open the rulebook")
        state = phrase("{} is loaded, but no one has proposed it", newest.version)
        if newest.admin_id:
            state, whose = phrase("{} is proposed", newest.version), "waiting for a chair to publish it"
    return Step("rulebook", name, why, state, in_force, link, button, whose)


def _initiative(*, rules: bool) -> Step:
    count = Initiative.objects.own().count()
    return Step(
        "initiative",
        phrase("Register the first initiative"),
        phrase(
            "Fill in four fields: a title, a unit, the problem, an owner. You can also import a whole portfolio "
            "under Administration, Imports."
        ),
        _number_of(count, "initiative"),
        count > 0,
        reverse("register") if rules else "",
        phrase("Register the initiative") if rules else "",
        "" if rules else "waiting for the rulebook",
    )


def _number_of(count: int, noun: str) -> str:
    """Return a count with its noun, such as "3 units" or "no unit"."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
