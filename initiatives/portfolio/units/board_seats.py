"""Boards as their page shows them: seat holders, demands of stages, and blockers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from governance import clock
from governance.database.request_memo import one_look
from governance.gates import criteria
from governance.gates.separation_of_duties import TeamMembers
from governance.models import Board, Membership, Rulebook, Unit
from governance.people import boards, cooling_off
from governance.permission_result import Answer, Reason, all_of, no, yes
from governance.rulebook import ParsedRulebook
from governance.vocabulary import BoardRole, ReviewOutcome, Seat, Stage, Tier
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.signers import EligibleSigners
from initiatives.lifecycle.initiative.review_state import seat_states
from initiatives.models import Review
from initiatives.portfolio.units.plans import nearest


@dataclass(frozen=True)
class Held:
    """A seat held now or later. It counts for no rise before `cools_until`. `begins` is its start, if later."""

    seat: Membership
    cools_until: datetime | None
    begins: datetime | None


@dataclass(frozen=True)
class StageRow:
    """The demands of a gate on a board, and why the board cannot meet them, if so.

    The quorum at high and at minimal risk is None if it is the same.
    """

    stage: str
    quorum: int
    at_high_risk: int | None
    at_minimal_risk: int | None
    seats: int
    must_include: tuple[str, ...]
    cannot: tuple[Reason, ...]


@dataclass(frozen=True)
class BoardRows:
    """A board with each of its seats, filled or vacant, in the order of the field.

    `decides` is the board that decides for the unit now, and `lacks` is why this one cannot take over yet.
    """

    board: Board
    units: int
    reviews: int
    seats: list[tuple[BoardRole, list[Held]]]
    stages: list[StageRow]
    decides: Board | None
    lacks: tuple[Reason, ...]

    @property
    def vacant(self) -> list[str]:
        """Return the seats without a holder now, in words."""
        return [role.label for role, held in self.seats if all(one.begins for one in held)]


def board_rows() -> list[BoardRows]:
    """Return all boards by name, with those that wait."""
    now = clock.now()
    current = Rulebook.objects.in_force()
    with one_look():
        decides = _decides(boards.boards())
        every = list(Board.objects.select_related("unit"))
        boards.read_members(every)
        held = _held(now)
        reviews = dict(
            Review.objects.filter(outcome=ReviewOutcome.OPEN)
            .order_by()
            .values_list("initiative__unit")
            .annotate(Count("pk"))
        )
        return [
            BoardRows(
                board=board,
                units=len(decides.get(board.pk, ())),
                reviews=sum(reviews.get(unit, 0) for unit in decides.get(board.pk, ())),
                decides=board if board.decides_from else boards.board_for(board.unit),
                lacks=() if board.decides_from else may_take_over(board).reasons,
                seats=[(role, held.get((board.pk, role), [])) for role in BoardRole],
                stages=stages_of(current.parsed, boards.members_now(board)) if current else [],
            )
            for board in every
        ]


def may_take_over(board: Board) -> Answer:
    """Return yes if the board waits, has a chair or a deputy, and the seats that each gate needs."""
    if board.decides_from is not None:
        return no(
            phrase("{} already decides for {}.", board, board.unit), "Open the page of the boards again."
        )
    current = Rulebook.objects.in_force()
    members = boards.members_now(board)
    rows = stages_of(current.parsed, members) if current else []
    missing = {str(reason): reason for row in rows for reason in row.cannot}
    chaired = (
        yes()
        if any(boards.chairs(members))
        else no(
            phrase("{} has no chair and no deputy chair.", board), "Ask an admin to grant one of these seats."
        )
    )
    return all_of(chaired, *(Answer(False, (reason,)) for reason in missing.values()))


def _held(now: datetime) -> dict[tuple[int, str], list[Held]]:
    """Return the holders of each seat, now or from a later day. Delegates come last."""
    rows = (
        Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), person__is_active=True)
        .select_related("person", "granted_by", "delegate_of__person")
        .annotate(away=boards.away(now))
        .order_by("delegate_of", "starts_at", "pk")
    )
    found: dict[tuple[int, str], list[Held]] = {}
    for seat in sorted(rows, key=lambda seat: seat.delegate_of_id is not None):
        begins = seat.starts_at if seat.starts_at > now else None
        one = Held(seat, cooling_off.seat_until(seat, now), begins)
        found.setdefault((seat.board_id, seat.seat), []).append(one)
    return found


def _decides(every: list[Board]) -> dict[int, list[int]]:
    """Return for each board the living units that it decides for."""
    places = {board.unit.path: board for board in every}
    found: dict[int, list[int]] = {board.pk: [] for board in every}
    for pk, path in Unit.objects.living().values_list("pk", "path"):
        board = nearest(places, path)
        if board is not None:
            found[board.pk].append(pk)
    return found


def stages_of(rulebook: ParsedRulebook, members: Iterable[Membership]) -> list[StageRow]:
    """Return what each gate asks of a board with these members, before any is barred."""
    states = seat_states(EligibleSigners(tuple(members), TeamMembers()))
    minimal = rulebook.at_tier(Tier.MINIMAL).gates
    return [
        StageRow(
            stage=Stage(gate.to).label,
            quorum=gate.quorum,
            at_high_risk=_other(gate.quorum_high_risk, gate.quorum),
            at_minimal_risk=_other(minimal[gate.key].quorum, gate.quorum),
            seats=len(gate.seats),
            must_include=tuple(Seat(seat).label for seat in gate.must_include),
            cannot=criteria.reach(rulebook, gate.key, "", states),
        )
        for gate in sorted(rulebook.gates.values(), key=lambda gate: list(Stage).index(Stage(gate.to)))
    ]


def _other(quorum: int | None, usual: int) -> int | None:
    return quorum if quorum != usual else None
