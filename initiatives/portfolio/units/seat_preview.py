"""Previews of granting or ending a seat, with the effects on open reviews."""

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
from initiatives.portfolio.units import decision_gaps
from initiatives.portfolio.units.board_seats import stages_of
from initiatives.portfolio.units.plans import counted, listed


def of_grant(
    *, board: Board, person: User, seat: str, starts_at: datetime | None = None, **_others
) -> list[str]:
    """Return what happens when the seat is granted with arguments of `appoint`."""
    role, starts = BoardRole(seat), starts_at or clock.now()
    said = [
        f"{person} gets the seat {role.label} of {board}, is notified, and can read the initiatives of "
        "the board."
    ]
    until = cooling_off.seat_from(starts)
    if until > starts:
        said.append(
            f"The seat cannot approve anything before {clock.moment_in_words(until)}, unless the chair or "
            "a second admin confirms it earlier."
        )
    members = boards.members_now(board)
    beside = [member.person for member in boards.seat_holders(members, seat)]
    if beside:
        said.append(
            f"{listed(beside, 'person')} also holds this seat. The seat has one sign-off, and either "
            "person can give it."
        )
    others = [m.get_seat_display() for m in members if m.person_id == person.pk and m.seat != seat]
    if others:
        said.append(
            f"{person} also holds {', '.join(others)}, and can sign for only one seat in each review."
        )
    works = (
        RoleAssignment.objects.open()
        .filter(person=person, initiative__unit__in=boards.units_of_board(board))
        .order_by("initiative")
        .values_list("initiative__number", flat=True)
        .distinct()
    )
    if works:
        refs = listed([Initiative.ref_of(number) for number in works], "initiative")
        said.append(f"{person} works on {refs}, and cannot sign off there.")
    return said


def of_end(membership: Membership) -> list[str]:
    """Return what happens when the seat ends now: sign-offs and quorums that are lost."""
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
    if membership.seat in decision_gaps.CHAIRS:
        said += decision_gaps.made_by(board, ended={membership.pk})
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
            "No open review loses a sign-off or its quorum. The board has "
            f"{counted(len(reviews), 'open review')}."
        )
    current = Rulebook.objects.in_force()
    if current is not None:
        members = boards.members_now(board)
        now = {row.stage: row for row in stages_of(current.parsed, members)}
        for row in stages_of(current.parsed, _left(members, gone)):
            if row.cannot and not now[row.stage].cannot:
                said.append(
                    f"Without this seat, the board can no longer decide on {row.stage}: {row.cannot[0].text}"
                )
    return said


def _without_quorum(snapshot: ReviewSnapshot, gone: set[int]) -> list[str]:
    """Return a sentence if the review loses its quorum without these seats, or none."""
    recused = {one.person_id for one in snapshot.judged_sign_offs if one.verdict == SignOffVerdict.RECUSE}
    left = replace(snapshot.eligible_signers, members=tuple(_left(snapshot.eligible_signers.members, gone)))
    about = (snapshot.judged.rulebook, snapshot.review.gate, snapshot.judged.facts.tier)
    before = criteria.reach(*about, snapshot.seats)
    after = criteria.reach(*about, seat_states(left, recused))
    if before or not after:
        return []
    why = " ".join(reason.text for reason in after)
    return [f"Without this seat, the review of {snapshot.initiative.ref} has no quorum: {why}"]


def _left(members: Iterable[Membership], gone: set[int]) -> list[Membership]:
    return [one for one in members if one.pk not in gone]
