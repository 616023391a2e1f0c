"""Preview of a seat granted or ended: what it changes for open reviews, worked out to be shown."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from governance import clock
from governance.gates import criteria
from governance.models import Board, Membership, Rulebook, User
from governance.people import boards, cooling_off
from governance.vocabulary import BoardRole, ReviewOutcome, SignOffVerdict
from initiatives.lifecycle.initiative.review_state import ReviewSnapshot, seat_states, snapshot_of
from initiatives.models import Initiative, Review, RoleAssignment
from initiatives.portfolio.units.board_seats import stages_of
from initiatives.portfolio.units.preview import counted, listed


def of_grant(
    *, board: Board, person: User, seat: str, starts_at: datetime | None = None, **_others
) -> list[str]:
    """What happens when the person is given the seat, as `organisation.actions.appoint` takes it."""
    role, starts = BoardRole(seat), starts_at or clock.now()
    said = [
        f"{person} holds the seat {role.label} of {board}, is told, and reads the initiatives it decides."
    ]
    until = cooling_off.seat_from(starts)
    if until > starts:
        said.append(
            f"Until {clock.moment_in_words(until)} the seat approves nothing, unless the chair or a second admin "
            "confirms it before."
        )
    members = boards.members_now(board)
    beside = [member.person for member in boards.seat_holders(members, seat)]
    if beside:
        said.append(
            f"{listed(beside, 'person')} holds this seat too. It has one sign-off; either of them gives it."
        )
    others = [m.get_seat_display() for m in members if m.person_id == person.pk and m.seat != seat]
    if others:
        said.append(f"{person} also holds {', '.join(others)}, and signs for one seat only in each review.")
    works = (
        RoleAssignment.objects.open()
        .filter(person=person, initiative__unit__in=boards.units_of_board(board))
        .order_by("initiative")
        .values_list("initiative__number", flat=True)
        .distinct()
    )
    if works:
        refs = listed([Initiative.ref_of(number) for number in works], "initiative")
        said.append(f"{person} works on {refs}, and does not sign off there.")
    return said


def of_end(membership: Membership) -> list[str]:
    """What happens when the seat ends now: sign-offs that stop counting, and what is left without a quorum by that."""
    board, person, seat = membership.board, membership.person, membership.get_seat_display()
    said = [f"{person} no longer holds the seat {seat} of {board}."]
    reviews = Review.objects.filter(
        outcome=ReviewOutcome.OPEN, initiative__unit__in=boards.units_of_board(board)
    ).select_related("initiative__unit", "initiative__contract", "rulebook")
    # Whoever stands in for the seat during an absence leaves with it.
    gone = {
        membership.pk,
        *membership.delegates.filter(delegation__isnull=False).values_list("pk", flat=True),
    }
    signed_off, stuck = [], []
    for review in reviews.order_by("initiative"):
        snapshot = snapshot_of(review)
        if any(
            (sign_off.person_id, sign_off.seat) == (person.pk, membership.seat) and sign_off.fresh
            for sign_off in snapshot.judged_sign_offs
        ):
            signed_off.append(review.initiative.ref)
        stuck += _without_quorum(snapshot, gone)
    if signed_off:
        one = len(signed_off) == 1
        said.append(
            f"The sign-off{'' if one else 's'} of {person} in the review{'' if one else 's'} of "
            f"{listed(signed_off, 'initiative')} no longer count{'s' if one else ''}."
        )
    said += stuck
    if not signed_off and not stuck:
        said.append(
            f"No open review loses a sign-off or its quorum; the board has {counted(len(reviews), 'open review')}."
        )
    current = Rulebook.objects.in_force()
    if current is not None:
        members = boards.members_now(board)
        now = {row.stage: row for row in stages_of(current.parsed, members)}
        for row in stages_of(current.parsed, _left(members, gone)):
            if row.cannot and not now[row.stage].cannot:
                said.append(f"From then on the board cannot decide on {row.stage}: {row.cannot[0].text}")
    return said


def _without_quorum(snapshot: ReviewSnapshot, gone: set[int]) -> list[str]:
    """That the review could be decided by those who can sign, and cannot without these seats; empty otherwise."""
    recused = {one.person_id for one in snapshot.judged_sign_offs if one.verdict == SignOffVerdict.RECUSE}
    left = replace(snapshot.eligible_signers, members=tuple(_left(snapshot.eligible_signers.members, gone)))
    about = (snapshot.judged.rulebook, snapshot.review.gate, snapshot.judged.facts.tier)
    before = criteria.reach(*about, snapshot.seats)
    after = criteria.reach(*about, seat_states(left, recused))
    if before or not after:
        return []
    why = " ".join(reason.text for reason in after)
    return [f"The review of {snapshot.initiative.ref} is left without a quorum: {why}"]


def _left(members: Iterable[Membership], gone: set[int]) -> list[Membership]:
    return [one for one in members if one.pk not in gone]
