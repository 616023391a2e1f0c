"""Who may, as answers that carry their reasons. Whether an initiative is ready is another question:
`governance.gates.criteria`."""

from django.conf import settings
from django.urls import reverse

from governance.gates.separation_of_duties import (
    RestsOn,
    said,
    why_barred,
    why_reset_by_team_member,
    why_team_member,
)
from governance.models import Membership, Rulebook, User
from governance.models.rulebook import NoRulebook
from governance.people import cooling_off
from governance.people.boards import board_for, chairs, members_now, seats_held
from governance.people.permissions import may_import
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import APPROVING, BoardRole, Role, Seat, SignOffVerdict, Stage
from initiatives.lifecycle.access.signers import (
    contract_authors,
    ever_owned,
    signer_of,
    team_members_of,
    team_roles_of,
    why_approved_twice,
)
from initiatives.lifecycle.access.visibility import past_visible_to, visible_to
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Initiative, Review, RoleAssignment, SignOff
from initiatives.models.stage_machine import STOP, WHO_MAY, offered

ARCHITECTURE = "architecture_integration"
COLLABORATORS = (Role.OWNER, Role.DEPUTY, Role.SUPPORT_OWNER, Role.TECHNICAL_LEAD, Role.DATA_STEWARD)


def holds_architecture_seat(person: User) -> bool:
    """Whether the person sits for architecture and integration on any board now: what is shared belongs to no board."""
    return person.is_active and any(member.seat == ARCHITECTURE for member in seats_held(person))


def may_look_back(initiative: Initiative, person: User) -> Answer:
    """See the initiative on another day: its owner, its board, auditors."""
    if person.is_active and (
        person.is_auditor or is_owner(initiative, person) or sits_on_board(initiative, person)
    ):
        return yes()
    return no("Other days are shown to the owner, the board and auditors.", "Ask one of them.")


def may_look_back_anywhere(person: User) -> Answer:
    """See the portfolio on another day: whoever may look back at any initiative."""
    if person.is_active and (person.is_auditor or seats_held(person) or past_visible_to(person).exists()):
        return yes()
    return no("Other days are shown to owners, boards and auditors.", "Ask one of them.")


def may_see(initiative: Initiative, person: User) -> bool:
    """Whether the person may open the initiative."""
    return visible_to(person).filter(pk=initiative.pk).exists()


def may_open_file(initiative: Initiative, person: User) -> Answer:
    """Evidence bodies: whoever may see the initiative, but not admins and privacy officers who hold no role on it."""
    if not may_see(initiative, person):
        return no("This initiative is not yours to see.")
    marked = person.is_admin or (person.is_privacy_officer and not person.is_auditor)
    if marked and not (roles_of(initiative, person) or sits_on_board(initiative, person)):
        who = "Admins" if person.is_admin else "Privacy officers"
        return no(f"{who} do not read evidence.", "Ask the owner or an auditor.")
    return yes()


def may_read_decision_requests(initiative: Initiative, person: User) -> Answer:
    """What systems asked, word by word, and about whom: whoever may open the files of evidence."""
    if may_open_file(initiative, person):
        return yes()
    return no("Admins do not read what systems asked.", "Ask the owner or an auditor.")


def may_capture(initiative: Initiative, person: User) -> Answer:
    """Have what stands behind a link fetched and kept: whoever may add evidence, where it is switched on."""
    if not settings.CAPTURE_LINKS:
        return no(
            "Links are not captured on this installation.",
            "Save the page as PDF and add that as a newer item.",
        )
    return may_collaborate(initiative, person)


def roles_of(initiative: Initiative, person: User) -> frozenset[str]:
    """The roles in force that the person accepted on the initiative, or stands in for; none for inactive people."""
    if not person.is_active:
        return frozenset()
    return frozenset(
        row.role
        for row in initiative_rows.roles(initiative)
        if row.in_force and (row.person_id == person.pk or person.pk in initiative_rows.standing_in(row))
    )


def accepted(initiative: Initiative, role: str) -> RoleAssignment | None:
    """The assignment in force for a role, if any."""
    return next((row for row in initiative_rows.roles(initiative) if row.in_force and row.role == role), None)


def sits_on_board(initiative: Initiative, person: User) -> bool:
    """Whether the person holds any seat of the initiative's board now."""
    return bool(_seats_on(initiative, person))


def _seats_on(initiative: Initiative, person: User) -> set[str]:
    """The seats, chair and deputy chair among them, that the person holds on the initiative's board now."""
    return {member.seat for member in memberships_on(initiative, person)}


def memberships_on(initiative: Initiative, person: User, seats=tuple(BoardRole)) -> list[Membership]:
    """What the person holds now on the initiative's board of these seats, chair and deputy chair among them."""
    board = board_for(initiative.unit)
    held = seats_held(person) if board is not None else []
    return [member for member in held if member.board_id == board.pk and member.seat in seats]


def _closed(initiative: Initiative) -> Answer:
    if initiative.withdrawn_at:
        return no("This initiative was withdrawn as registered by mistake.", "Register a new one.")
    if initiative.closed:
        return no(
            f"This initiative is {initiative.stage}; it no longer changes.",
            "The chair can reopen a stopped one.",
        )
    return yes()


def _active(person: User) -> Answer:
    return yes() if person.is_active else no("This account is no longer active.", "Ask an admin.")


def is_owner(initiative: Initiative, person: User) -> bool:
    """The accepted owner; while nobody ever accepted, whoever registered the initiative stands in."""
    if "owner" in roles_of(initiative, person):
        return True
    return person.is_active and initiative.registered_by_id == person.pk and not ever_owned(initiative)


def may_register(person: User) -> Answer:
    """Anyone signed in, once there is a rulebook to hold an initiative to."""
    return all_of(_active(person), _rules())


def _rules() -> Answer:
    return yes() if Rulebook.objects.in_force() is not None else NoRulebook().answer


def may_manage(initiative: Initiative, person: User) -> Answer:
    """What only the owner does: propose roles, contract versions and waivers, open reviews, change details."""
    return all_of(_closed(initiative), _owner_only(initiative, person))


def may_describe(initiative: Initiative, person: User) -> Answer:
    """Say what it is called, what it is for, what it costs, how risky it is: the owner; of what an import brought an
    admin too, while nobody accepted it.
    """
    brought = initiative.imported or initiative.brought_in
    if brought and person.is_admin and person.is_active and accepted(initiative, Role.OWNER) is None:
        return _closed(initiative)
    return may_manage(initiative, person)


def _owner_only(initiative: Initiative, person: User) -> Answer:
    if is_owner(initiative, person):
        return yes()
    owner = accepted(initiative, Role.OWNER)
    who = owner.person.full_name if owner else "nobody accepted ownership yet"
    return no("Only the owner does this.", f"Ask {who}." if owner else f"On this initiative {who}.")


def may_collaborate(initiative: Initiative, person: User) -> Answer:
    """Answer and add evidence: the owner, and whoever accepted a working role."""
    closed = _closed(initiative)
    if not closed and not _has_obligations(initiative):
        return closed
    if is_owner(initiative, person) or roles_of(initiative, person) & set(COLLABORATORS):
        return yes()
    return no(
        "You hold no accepted role on this initiative that answers or adds evidence.",
        "The owner can propose you as deputy, technical lead, support owner or data steward.",
    )


def _has_obligations(initiative: Initiative) -> bool:
    return bool(initiative_rows.obligations(initiative))


def may_change_what_runs(initiative: Initiative, person: User) -> Answer:
    """Scope, components and reported changes: the owner and the technical lead."""
    if is_owner(initiative, person) or "technical_lead" in roles_of(initiative, person):
        return _closed(initiative)
    return no("Only the owner or the technical lead records this.", "Ask one of them.")


def may_accept_role(assignment: RoleAssignment, person: User) -> Answer:
    """Accept, or accept again: the proposed person, whose acceptance is evidence and closes holds."""
    return all_of(may_answer_role(assignment, person), cooling_off.may_lift(person))


def may_propose_role(initiative: Initiative, person: User) -> Answer:
    """The owner; while there is none: sponsor, chair, or for imported initiatives an admin."""
    closed = _closed(initiative)
    if not closed:
        return closed
    if is_owner(initiative, person):
        return yes()
    if accepted(initiative, Role.OWNER) is None:
        if "sponsor" in roles_of(initiative, person) or is_acting_chair(initiative, person):
            return yes()
        if person.is_admin and person.is_active and (initiative.imported or initiative.brought_in):
            return yes()
        return no("No owner has accepted this initiative.", "Its sponsor or the chair can propose one.")
    return _owner_only(initiative, person)


def may_hand_over(leaver: User, person: User) -> Answer:
    """Hand over what somebody holds: that person, and admins, who deactivate accounts. The successors answer
    themselves.
    """
    if person.is_active and (person.pk == leaver.pk or person.is_admin):
        return yes()
    return no(f"Only {leaver} or an admin hands over what {leaver} holds.", "Ask one of them.")


def may_answer_role(assignment: RoleAssignment, person: User) -> Answer:
    """Accept or decline: the proposed person, nobody else (docs/domain.md, invariant 6)."""
    if assignment.person_id != person.pk:
        return no(f"Only {assignment.person} can answer this.", "Nobody accepts a role for another.")
    return _active(person)


# The board


def acting_chair(initiative: Initiative, members: list[Membership] | None = None) -> tuple[User | None, str]:
    """Who decides on this initiative now: the chair, or the deputy when the chair is absent or a team member; and
    why.
    """
    members = members_now(board_for(initiative.unit)) if members is None else members
    chair, deputy = chairs(members)
    why = "the board has no chair"
    for member in chair:
        roles = team_roles_of(initiative, member.person)
        if not roles and not member.away:
            return member.person, "chair"
        why = (
            f"{member.person} is a team member of the initiative ({roles})"
            if roles
            else f"{member.person} is away"
        )
    for member in deputy:
        if not member.away and not team_roles_of(initiative, member.person):
            return member.person, f"deputy chair, because {why}"
    return None, why


def is_acting_chair(initiative: Initiative, person: User) -> bool:
    """Whether the person decides on this initiative now."""
    chair, _ = acting_chair(initiative)
    return chair is not None and chair.pk == person.pk


def may_chair(initiative: Initiative, person: User) -> Answer:
    """Decide, promote, step back, return a review, lift holds: the chair unless a team member, else the deputy."""
    chair, why = acting_chair(initiative)
    if chair is not None and chair.pk == person.pk:
        return _active(person)
    seated = [member for member in members_now(board_for(initiative.unit)) if member.person_id == person.pk]
    if any(member.away and member.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR) for member in seated):
        return no(
            "You are away: meanwhile others decide.",
            f"{chair} decides ({why}). End your absence when you are back." if chair else "End your absence.",
            reverse("away"),
        )
    chairing = any(member.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR) for member in seats_held(person))
    if chairing and (roles := team_roles_of(initiative, person)):
        return no(
            f"You are a team member of this initiative ({roles}) and cannot decide it.",
            f"{chair} decides." if chair else "The board needs a deputy chair.",
        )
    if chair is None:
        return no(f"Nobody can decide: {why}.", "An admin can appoint a chair or deputy chair.")
    return no("Only the chair of the initiative's board decides.", f"That is {chair} now ({why}).")


def may_raise(initiative: Initiative, person: User) -> Answer:
    """What only the chair does and what lets the initiative rise or go on: approve, lift, excuse, reopen, continue."""
    seated = [row for row in members_now(board_for(initiative.unit)) if row.person_id == person.pk]
    chaired = [row for row in seated if row.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)]
    decides = may_chair(initiative, person)
    gains = _not_reset_by_team_member(initiative, person) if decides else decides
    return all_of(gains, cooling_off.may_lift(person, chaired))


def _not_reset_by_team_member(initiative: Initiative, person: User) -> Answer:
    """Nobody gains by having reset the second factors of whoever signs."""
    reasons = why_reset_by_team_member(signer_of(person, now=True), team_members_of(initiative))
    return no(said(reasons), "A day after the reset this can be signed.") if reasons else yes()


def barred_from_signing(initiative: Initiative, person: User, *, now: bool = False) -> list[str]:
    """Why this person must not sign off on an initiative; empty when nothing bars them (docs/domain.md, invariant 4).

    `now`: they are about to sign.
    """
    return why_team_member(signer_of(person, now=now), team_members_of(initiative))


def holds_seat(initiative: Initiative, person: User, seat: str) -> bool:
    """Whether the person holds this seat of the initiative's board now."""
    return seat in _seats_on(initiative, person)


def seats_of(initiative: Initiative, person: User) -> list[str]:
    """The signing seats the person holds on the initiative's board now, in the order of the rulebook."""
    held = _seats_on(initiative, person)
    return [seat for seat in Seat if seat in held]


def may_sign(review: Review, seat: str, person: User, *, verdict: str = "approve") -> Answer:
    """Whether the person may cast this sign-off for this seat now. Evidence and contract are looked at in signing."""
    initiative = review.initiative
    approving = verdict in APPROVING
    reasons = []
    if verdict != SignOffVerdict.RECUSE:
        reasons = why_barred(
            signer_of(person, now=True), seat, team_members_of(initiative), approving=approving
        )
    if reasons:
        return no(said(reasons), "Separation of duties: somebody else must sign.")
    if not holds_seat(initiative, person, seat):
        return no(f"You do not hold the seat {Seat.word(seat)} of this board.", "Its holder can sign.")
    signed = (
        row for row in initiative_rows.sign_offs(review) if row.person_id == person.pk and row.seat != seat
    )
    other = next(signed, None)
    if other is not None:
        return no(
            f"You signed for {other.get_seat_display()} already.", "One person signs one seat of a review."
        )
    if approving and (twice := why_approved_twice(review, person)):
        return no(said(twice), "One human, one approval: an admin says whether these are two people.")
    if not review.is_open:
        return no(f"This review has ended: {review.get_outcome_display().lower()}.")
    if approving and review.gate != "retire":
        return cooling_off.may_lift(person, memberships_on(initiative, person, (seat,)))
    return yes()


def may_withdraw_sign_off(row: SignOff, person: User) -> Answer:
    """Withdraw a sign-off: who gave it, and who holds its seat now."""
    if row.person_id == person.pk or holds_seat(row.review.initiative, person, row.seat):
        return yes()
    return no("Only its signer, or who holds the seat now, withdraws a sign-off.")


def may_ask(review: Review, person: User) -> Answer:
    """Ask a question on a criterion: members of the board, while the review is open."""
    if not review.is_open:
        return no("This review has ended.")
    if sits_on_board(review.initiative, person):
        return yes()
    return no("Only members of the board ask questions here.", "Owners answer them.")


def may_read_costs(person: User) -> Answer:
    """Money and people of the portfolio: boards, sponsors, auditors and admins, of the initiatives they may open."""
    sponsored = RoleAssignment.objects.in_force().filter(person=person, role=Role.SPONSOR)
    office = person.is_admin or person.is_auditor or seats_held(person)
    if person.is_active and (office or sponsored.exists()):
        return yes()
    return no("Boards, sponsors, auditors and admins read what the portfolio costs.", "Ask one of them.")


def may_accept_exception(initiative: Initiative, seats, person: User) -> Answer:
    """Accept that a requirement does not apply: a holder of one of the seats that sign for it, on no team."""
    reasons = barred_from_signing(initiative, person, now=True)
    if reasons:
        return no(said(reasons), "Somebody else in the seat can accept it.")
    if not set(seats_of(initiative, person)) & set(seats):
        named = " or ".join(Seat(seat).label for seat in seats)
        return no(f"Only the seat {named} accepts this.")
    return cooling_off.may_lift(person, memberships_on(initiative, person, seats))


def may_confirm_tier(initiative: Initiative, person: User) -> Answer:
    """The risk seat of the initiative's board, on no team."""
    if not initiative.proposed_tier:
        return no("No risk tier is proposed yet.", "The owner proposes one.")
    return may_accept_exception(initiative, ["risk_compliance"], person)


def may_approve_contract(initiative: Initiative, seat: str, person: User) -> Answer:
    """A seat the rulebook names for contracts, on no team, not its author."""
    wrote = RestsOn(contract_authors=contract_authors(initiative))
    reasons = why_barred(signer_of(person, now=True), seat, team_members_of(initiative), rests_on=wrote)
    if reasons:
        return no(said(reasons), "Somebody else in the seat can sign it.")
    if not holds_seat(initiative, person, seat):
        return no(f"You do not hold the seat {Seat.word(seat)} of this board.", "Its holder can sign.")
    return cooling_off.may_lift(person, memberships_on(initiative, person, (seat,)))


def may_stop(initiative: Initiative, person: User) -> Answer:
    """Owner or chair, at once, always."""
    if offered(initiative, kind=STOP) is None:
        return no(f"An initiative that is {initiative.stage} is not stopped.", "Production is retired.")
    if is_owner(initiative, person) or is_any_chair(initiative, person):
        return yes()
    return no("Only the owner or the chair stops an initiative.", "Put it on hold instead.")


def is_any_chair(initiative: Initiative, person: User) -> bool:
    """Whether the person is the chair of the initiative's board, away or not, or decides in their place."""
    return BoardRole.CHAIR in _seats_on(initiative, person) or is_acting_chair(initiative, person)


def may_manage_keys(initiative: Initiative, person: User) -> Answer:
    """Make, rotate and revoke the keys of its systems: the owner and the technical lead."""
    return may_change_what_runs(initiative, person)


def may_withdraw(initiative: Initiative, person: User) -> Answer:
    """An idea registered by mistake: owner, whoever registered it, or the chair."""
    if initiative.stage != Stage.PROPOSED:
        return no("Only a proposed idea is withdrawn.", "Stop it instead.")
    if initiative.withdrawn_at:
        return no("It was withdrawn already.")
    if (
        is_owner(initiative, person)
        or initiative.registered_by_id == person.pk
        or is_acting_chair(initiative, person)
    ):
        return yes()
    return no("Only the owner or the chair withdraws an idea.")


def may_hold(initiative: Initiative, person: User) -> Answer:
    """Raise a concern: owner, collaborators, members of the board."""
    if initiative.closed:
        return no(f"An initiative that is {initiative.stage} needs no hold.")
    if is_owner(initiative, person) or roles_of(initiative, person) or sits_on_board(initiative, person):
        return yes()
    return no("Only people on the initiative or its board open a hold.")


def may_note(initiative: Initiative, person: User) -> Answer:
    """Record an event or an observation: whoever is on the initiative or its board (S1-39), after it ended too."""
    if initiative.withdrawn_at:
        return no("This initiative was withdrawn as registered by mistake.")
    if is_owner(initiative, person) or roles_of(initiative, person) or sits_on_board(initiative, person):
        return yes()
    return no("Only people on the initiative or its board write this down.", "Ask one of them.")


def may_fund(initiative: Initiative, person: User) -> Answer:
    """Record that money was given: owner, sponsor or chair."""
    if (
        is_owner(initiative, person)
        or "sponsor" in roles_of(initiative, person)
        or is_acting_chair(initiative, person)
    ):
        return _closed(initiative)
    return no("Only the owner, the sponsor or the chair records this.", "Ask one of them.")


def may_withdraw_note(initiative: Initiative, note, person: User) -> Answer:
    """Take a note back: who wrote it, or the chair."""
    if note.by_id == person.pk or is_acting_chair(initiative, person):
        return _active(person)
    return no(f"Only {note.by} takes this back, or the chair.", "Add a note of your own instead.")


def may_state(dependant, person: User) -> Answer:
    """State or decline a dependence: the named executive, nobody else (S2-13)."""
    if dependant.executive_id != person.pk:
        who = dependant.executive or "the executive, whom nobody has named"
        return no(f"Only {who} can answer this.", "Nobody states a dependence for another.")
    return _active(person)


def may_continue(initiative: Initiative, person: User) -> Answer:
    """Let a prototype or MVP go on past its age: the chair."""
    if initiative.stage not in (Stage.PROTOTYPE, Stage.MVP) or initiative.withdrawn_at:
        return no(
            f"A {initiative.stage} initiative has no age to go on past.", "Production is accepted again."
        )
    if initiative.imported:
        return no("Nothing is asked of a stage that an import reported.", "Decide a gate here first.")
    return may_raise(initiative, person)


def may_lift(hold, person: User) -> Answer:
    """The chair; people lift only what people opened, or what is marked liftable."""
    if hold.opened_by_id is None and hold.liftable_since is None:
        return no(
            f"The system opened this hold: {hold.get_kind_display().lower()}.",
            "It closes by itself when its cause is gone.",
        )
    return may_raise(hold.initiative, person)


WHO_MAY.update(
    {"raise": may_raise, "chair": may_chair, "stop": may_stop, "import": lambda _, person: may_import(person)}
)
