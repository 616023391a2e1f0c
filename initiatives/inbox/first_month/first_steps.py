"""From an empty installation to its first initiative: the steps of an admin, each with what is there and what is
missing.
"""

from dataclasses import dataclass

from django.db.models import Count, Exists, Q
from django.urls import reverse

from governance import clock
from governance.models import Board, Membership, Rulebook, Unit, User
from governance.vocabulary import BoardRole, Seat
from initiatives.models import Initiative

# Without these a board can decide nothing; a deputy is good to have.
NEEDED = dict(Seat.choices) | {BoardRole.CHAIR: BoardRole.CHAIR.label}


@dataclass(frozen=True)
class Step:
    """One step: what, why, how far it is, where it is done.

    `whose` says what it waits for where it is not the admin's move; without a `link` nothing can be done yet.
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
    """Every step in its order, while one is missing; nothing once all are done, or for whoever is no admin."""
    if not (person.is_active and person.is_admin) or _complete(person):
        return []
    board, seats = board_steps()
    rulebook = rulebook_step()
    return [units_step(), board, people_step(), seats, rulebook, _initiative(rules=rulebook.done)]


def _complete(person: User) -> bool:
    """Whether no step is missing, asked in one query: every inbox of an admin asks it."""
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


def units_step() -> Step:
    """The units of one's own."""
    count = Unit.objects.own().count()
    return Step(
        "units",
        "Add the units",
        "The organisation as a tree; each initiative belongs to a unit, and a unit's board decides those below it.",
        number_of(count, "unit"),
        count > 0,
        reverse("unit-add"),
        "Add a unit",
    )


def people_step() -> Step:
    """Who can sign in."""
    said = User.objects.active().aggregate(
        all=Count("pk"), silent=Count("pk", filter=Q(password="") | Q(password__startswith="!"))
    )
    state = number_of(said["all"], "account")
    if said["silent"]:
        state += f", {said['silent']} without a password yet"
    return Step(
        "people",
        "Add people and invite them",
        "Whoever owns, works on, signs or reads. From a table, seats too; each gets a link to choose a password.",
        state,
        said["all"] > 1,
        reverse("accounts-add"),
        "Add people",
    )


def board_steps() -> tuple[Step, Step]:
    """A board, and its seats: of the board that is filled best."""
    boards = list(Board.objects.order_by("pk"))
    held = Membership.objects.held_at(clock.now()).values_list("board_id", "seat")
    filled: dict[int, set[str]] = {}
    for board, seat in held:
        filled.setdefault(board, set()).add(seat)
    best = max((filled.get(board.pk, set()) & set(NEEDED) for board in boards), key=len, default=set())
    missing = [words.lower() for seat, words in NEEDED.items() if seat not in best]
    board = Step(
        "board",
        "Give a unit its board",
        "It decides the initiatives of its unit and of every unit below.",
        number_of(len(boards), "board"),
        bool(boards),
        reverse("board-add"),
        "Add a board",
    )
    seats = Step(
        "seats",
        "Fill the seats",
        "Six seats sign, a chair decides. Nobody seats themselves, and a table of people can name their seats."
        + (f" Missing: {', '.join(missing)}." if missing else ""),
        f"{number_of(len(missing), 'seat')} missing" if missing else "every seat is held",
        bool(boards) and not missing,
        reverse("boards"),
        "Fill a seat",
    )
    return board, seats


def rulebook_step() -> Step:
    """A rulebook in force."""
    newest = Rulebook.objects.defer("source").order_by("-pk").first()
    in_force = Rulebook.objects.published().exists()
    why = "What each stage asks, and who signs. An admin loads and proposes it, a chair publishes it."
    name, link, button, whose = "Put a rulebook in force", reverse("rulebook-load"), "Load one", ""
    if in_force:
        state = "one is in force"
    elif newest is None:
        state = "none is loaded"
    else:
        link, button = reverse("rulebook-version", args=[newest.version]), "Open it"
        state = f"{newest.version} is loaded, nobody proposed it yet"
        if newest.admin_id:
            state, whose = f"{newest.version} is proposed", "it waits for a chair to publish it"
    return Step("rulebook", name, why, state, in_force, link, button, whose)


def _initiative(*, rules: bool) -> Step:
    count = Initiative.objects.own().count()
    return Step(
        "initiative",
        "Register the first initiative",
        "Four fields: a title, a unit, the problem, an owner. For a whole portfolio see First month.",
        number_of(count, "initiative"),
        count > 0,
        reverse("register") if rules else "",
        "Register it" if rules else "",
        "" if rules else "it waits for the rulebook",
    )


def number_of(count: int, noun: str) -> str:
    """ "3 units", "no unit": a count with its noun."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
