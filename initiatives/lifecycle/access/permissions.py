"""Permissions on initiatives, with reasons. `governance.gates.criteria` judges if one is ready."""

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
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access.signers import (
    contract_authors,
    ever_owned,
    signer_of,
    team_members_of,
    why_approved_twice,
    why_not_decide,
)
from initiatives.lifecycle.access.visibility import past_visible_to, visible_to
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Initiative, Review, RoleAssignment, SignOff
from initiatives.models.stage_machine import STOP, WHO_MAY, offered

ARCHITECTURE = "architecture_integration"
COLLABORATORS = (Role.OWNER, Role.DEPUTY, Role.SUPPORT_OWNER, Role.TECHNICAL_LEAD, Role.DATA_STEWARD)


def holds_architecture_seat(person: User) -> bool:
    """Return True if the person sits for architecture and integration on any board. Shared rows belong to no board."""
    return person.is_active and any(member.seat == ARCHITECTURE for member in seats_held(person))


def may_look_back(initiative: Initiative, person: User) -> Answer:
    """Allow the owner, the board and auditors to see the initiative on another day."""
    if person.is_active and (
        person.is_auditor or is_owner(initiative, person) or sits_on_board(initiative, person)
    ):
        return yes()
    return no("Only the owner, the board and auditors can see earlier days.", "Ask the owner or an auditor.")


def may_look_back_anywhere(person: User) -> Answer:
    """Allow auditors, board members and owners to see the portfolio on another day."""
    if person.is_active and (person.is_auditor or seats_held(person) or past_visible_to(person).exists()):
        return yes()
    return no("Only owners, boards and auditors can see earlier days.", "Ask an auditor.")


def may_see(initiative: Initiative, person: User) -> bool:
    """Return True if the person may open the initiative."""
    return visible_to(person).filter(pk=initiative.pk).exists()


def may_open_file(initiative: Initiative, person: User) -> Answer:
    """Allow readers to open evidence. Admins and privacy officers need a part in the initiative."""
    if not may_see(initiative, person):
        return no("You do not have permission to see this initiative.")
    marked = person.is_admin or (person.is_privacy_officer and not person.is_auditor)
    if marked and not (roles_of(initiative, person) or sits_on_board(initiative, person)):
        who = "Admins" if person.is_admin else "Privacy officers"
        return no(phrase("{} cannot read evidence.", who), "Ask the owner or an auditor.")
    return yes()


def may_read_decision_requests(initiative: Initiative, person: User) -> Answer:
    """Allow readers of evidence files to read the requests of systems. Requests name their subjects."""
    if may_open_file(initiative, person):
        return yes()
    return no("Admins cannot read the requests of systems.", "Ask the owner or an auditor.")


def may_capture(initiative: Initiative, person: User) -> Answer:
    """Allow those who may add evidence to capture a link, if switched on."""
    if not settings.CAPTURE_LINKS:
        return no(
            "Plumbline is not set up to capture links here.",
            "Save the page as PDF and add the PDF as a newer item.",
        )
    return may_collaborate(initiative, person)


def roles_of(initiative: Initiative, person: User) -> frozenset[str]:
    """Return the roles in force that the person accepted or stands in for. An inactive person has none."""
    if not person.is_active:
        return frozenset()
    return frozenset(
        row.role
        for row in initiative_rows.roles(initiative)
        if row.in_force and (row.person_id == person.pk or person.pk in initiative_rows.standing_in(row))
    )


def accepted(initiative: Initiative, role: str) -> RoleAssignment | None:
    """Return the assignment in force for a role, if any."""
    return next((row for row in initiative_rows.roles(initiative) if row.in_force and row.role == role), None)


def sits_on_board(initiative: Initiative, person: User) -> bool:
    """Return True if the person holds any seat of the initiative's board now."""
    return bool(_seats_on(initiative, person))


def _seats_on(initiative: Initiative, person: User) -> set[str]:
    """Return the seats, chair and deputy included, that the person holds there now."""
    return {member.seat for member in memberships_on(initiative, person)}


def memberships_on(initiative: Initiative, person: User, seats=tuple(BoardRole)) -> list[Membership]:
    """Return the person's memberships on the initiative's board in these seats. Chair and deputy are seats too."""
    board = board_for(initiative.unit)
    held = seats_held(person) if board is not None else []
    return [member for member in held if member.board_id == board.pk and member.seat in seats]


def _closed(initiative: Initiative) -> Answer:
    if initiative.withdrawn_at:
        return no("This initiative was withdrawn as registered by mistake.", "Register a new initiative.")
    if initiative.closed:
        return no(
            phrase("This initiative is {} and can no longer change.", initiative.stage),
            "If the initiative was stopped, ask the chair to reopen it.",
        )
    return yes()


def _active(person: User) -> Answer:
    return yes() if person.is_active else no("This account is no longer active.", "Ask an admin.")


def is_owner(initiative: Initiative, person: User) -> bool:
    """Return True for the accepted owner. The person who registered it counts while none ever accepted."""
    if "owner" in roles_of(initiative, person):
        return True
    return person.is_active and initiative.registered_by_id == person.pk and not ever_owned(initiative)


def may_register(person: User) -> Answer:
    """Allow every signed-in person to register, once a rulebook is published."""
    return all_of(_active(person), _rules())


def _rules() -> Answer:
    return yes() if Rulebook.objects.in_force() is not None else NoRulebook().answer


def may_manage(initiative: Initiative, person: User) -> Answer:
    """Allow the owner to manage it. They propose roles, contracts and waivers, open reviews and change details."""
    return all_of(_closed(initiative), _owner_only(initiative, person))


def may_describe(initiative: Initiative, person: User) -> Answer:
    """Allow the owner to describe name, purpose, cost and risk. An admin may for an import without owner."""
    brought = initiative.imported or initiative.brought_in
    if brought and person.is_admin and person.is_active and accepted(initiative, Role.OWNER) is None:
        return _closed(initiative)
    return may_manage(initiative, person)


def _owner_only(initiative: Initiative, person: User) -> Answer:
    if is_owner(initiative, person):
        return yes()
    owner = accepted(initiative, Role.OWNER)
    who = owner.person.full_name if owner else "the sponsor or the chair to propose an owner"
    return no("Only the owner can do this.", phrase("Ask {}.", who))


def may_collaborate(initiative: Initiative, person: User) -> Answer:
    """Allow the owner and accepted working roles to answer and add evidence."""
    closed = _closed(initiative)
    if not closed and not _has_obligations(initiative):
        return closed
    if is_owner(initiative, person) or roles_of(initiative, person) & set(COLLABORATORS):
        return yes()
    return no(
        "Your accepted roles on this initiative do not let you answer or add evidence.",
        "Ask the owner to propose you as deputy, technical lead, support owner or data steward.",
    )


def _has_obligations(initiative: Initiative) -> bool:
    return bool(initiative_rows.obligations(initiative))


def may_change_what_runs(initiative: Initiative, person: User) -> Answer:
    """Allow owner and technical lead to change scope, components and pipelines. They also report changes."""
    if is_owner(initiative, person) or "technical_lead" in roles_of(initiative, person):
        return _closed(initiative)
    return no("Only the owner or the technical lead can record this.", "Ask the owner or the technical lead.")


def may_accept_role(assignment: RoleAssignment, person: User) -> Answer:
    """Allow the proposed person to accept, or accept again. The acceptance is evidence and closes holds."""
    return all_of(may_answer_role(assignment, person), cooling_off.may_lift(person))


def may_propose_role(initiative: Initiative, person: User) -> Answer:
    """Allow the owner to propose roles. Without one, sponsor or chair may, or an admin if it was imported."""
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
        return no(
            "No owner has accepted this initiative.", "Ask its sponsor or the chair to propose an owner."
        )
    return _owner_only(initiative, person)


def may_hand_over(leaver: User, person: User) -> Answer:
    """Allow a person, or an admin, to hand over what the person holds. The successors answer themselves."""
    if person.is_active and (person.pk == leaver.pk or person.is_admin):
        return yes()
    who_may = phrase("Only {} or an admin can hand over the roles and tasks of {}.", leaver, leaver)
    return no(who_may, "Ask an admin.")


def may_answer_role(assignment: RoleAssignment, person: User) -> Answer:
    """Allow only the proposed person to answer (docs/domain.md, invariant 6)."""
    if assignment.person_id != person.pk:
        return no(
            phrase("Only {} can answer this.", assignment.person),
            phrase("Ask {} to answer, or ask the owner to propose someone else.", assignment.person),
        )
    return _active(person)


# The board


def acting_chair(initiative: Initiative, members: list[Membership] | None = None) -> tuple[User | None, str]:
    """Return the person who decides now, or None, and why. The deputy replaces a chair who is absent or barred."""
    members = members_now(board_for(initiative.unit)) if members is None else members
    chair, deputy = chairs(members)
    why = "the board has no chair"
    for member in chair:
        barred = why_not_decide(initiative, member.person)
        if not barred and not member.away:
            return member.person, "chair"
        why = f"{member.person} {barred or 'is away'}"
    for member in deputy:
        if not member.away and not why_not_decide(initiative, member.person):
            return member.person, f"deputy chair, because {why}"
    return None, why


def is_acting_chair(initiative: Initiative, person: User) -> bool:
    """Return True if the person decides on this initiative now."""
    chair, _ = acting_chair(initiative)
    return chair is not None and chair.pk == person.pk


def may_chair(initiative: Initiative, person: User) -> Answer:
    """Allow the acting chair to decide. They also promote, step back, return a review and lift holds."""
    chair, why = acting_chair(initiative)
    if chair is not None and chair.pk == person.pk:
        return _active(person)
    seated = [member for member in members_now(board_for(initiative.unit)) if member.person_id == person.pk]
    if any(member.away and member.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR) for member in seated):
        return no(
            "You are away, so you cannot decide now.",
            phrase("Ask {} to decide ({}), or end your absence when you are back.", chair, why)
            if chair
            else "End your absence.",
            reverse("away"),
        )
    chairing = any(member.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR) for member in seats_held(person))
    if chairing and (barred := why_not_decide(initiative, person, "are")):
        return no(
            phrase("You {}, so you cannot decide it.", barred),
            phrase("Ask {} to decide.", chair) if chair else "Ask an admin to appoint a deputy chair.",
        )
    if chair is None:
        return no(phrase("No one can decide: {}.", why), "Ask an admin to appoint a chair or deputy chair.")
    return no("Only the chair of the initiative's board can decide.", phrase("Ask {} ({}).", chair, why))


def may_raise(initiative: Initiative, person: User) -> Answer:
    """Allow a cooled-off acting chair to approve, lift, excuse, reopen and continue."""
    seated = [row for row in members_now(board_for(initiative.unit)) if row.person_id == person.pk]
    chaired = [row for row in seated if row.seat in (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)]
    decides = may_chair(initiative, person)
    gains = _not_reset_by_team_member(initiative, person) if decides else decides
    return all_of(gains, cooling_off.may_lift(person, chaired))


def _not_reset_by_team_member(initiative: Initiative, person: User) -> Answer:
    """Refuse a person whose second factors a team member has reset lately."""
    reasons = why_reset_by_team_member(signer_of(person, now=True), team_members_of(initiative))
    return no(said(reasons), "Wait until one day after the reset, then sign.") if reasons else yes()


def barred_from_signing(initiative: Initiative, person: User, *, now: bool = False) -> list[str]:
    """Return why this person must not sign off here (docs/domain.md, invariant 4).

    `now` is True if they are about to sign. An empty list bars no one.
    """
    return why_team_member(signer_of(person, now=now), team_members_of(initiative))


def holds_seat(initiative: Initiative, person: User, seat: str) -> bool:
    """Return True if the person holds this seat of the initiative's board now."""
    return seat in _seats_on(initiative, person)


def seats_of(initiative: Initiative, person: User) -> list[str]:
    """Return the person's signing seats on the board now, in the rulebook's order."""
    held = _seats_on(initiative, person)
    return [seat for seat in Seat if seat in held]


def may_sign(review: Review, seat: str, person: User, *, verdict: str = "approve") -> Answer:
    """Allow the person to cast this sign-off for this seat now. The act of signing checks evidence and contract."""
    initiative = review.initiative
    approving = verdict in APPROVING
    reasons = []
    if verdict != SignOffVerdict.RECUSE:
        reasons = why_barred(
            signer_of(person, now=True), seat, team_members_of(initiative), approving=approving
        )
    if reasons:
        return no(said(reasons), "Ask another holder of the seat to sign.")
    if not holds_seat(initiative, person, seat):
        return no(
            phrase("You do not hold the seat {}.", label(Seat.word(seat))),
            "Ask the person who holds the seat to sign.",
        )
    signed = (
        row for row in initiative_rows.sign_offs(review) if row.person_id == person.pk and row.seat != seat
    )
    other = next(signed, None)
    if other is not None:
        return no(
            phrase("You already signed for {}.", label(other.get_seat_display())),
            "Ask another holder of the seat to sign. In one review, a person can sign for only one seat.",
        )
    if approving and (twice := why_approved_twice(review, person)):
        return no(said(twice), "Ask an admin to confirm that the two accounts belong to different people.")
    if not review.is_open:
        return no(phrase("This review has ended: {}.", label(review.get_outcome_display(), inside=True)))
    if approving and review.gate != "retire":
        return cooling_off.may_lift(person, memberships_on(initiative, person, (seat,)))
    return yes()


def may_withdraw_sign_off(row: SignOff, person: User) -> Answer:
    """Allow the signer, or a present holder of the seat, to withdraw a sign-off."""
    if row.person_id == person.pk or holds_seat(row.review.initiative, person, row.seat):
        return yes()
    return no(
        "Only the signer, or the current holder of the seat, can withdraw a sign-off.",
        "Ask the signer or the holder of the seat.",
    )


def may_ask(review: Review, person: User) -> Answer:
    """Allow board members to ask on a criterion while the review is open."""
    if not review.is_open:
        return no("This review has ended.")
    if sits_on_board(review.initiative, person):
        return yes()
    return no(
        "Only members of the board can ask questions here.", "Ask a member of the board to ask for you."
    )


def may_read_costs(person: User) -> Answer:
    """Allow boards, sponsors, auditors and admins to read costs. They read those of visible initiatives."""
    sponsored = RoleAssignment.objects.in_force().filter(person=person, role=Role.SPONSOR)
    office = person.is_admin or person.is_auditor or seats_held(person)
    if person.is_active and (office or sponsored.exists()):
        return yes()
    return no("Only boards, sponsors, auditors and admins can see portfolio costs.", "Ask an admin.")


def may_accept_exception(initiative: Initiative, seats, person: User) -> Answer:
    """Allow a signing seat of the requirement, on no team, to accept "not applicable"."""
    reasons = barred_from_signing(initiative, person, now=True)
    if reasons:
        return no(said(reasons), "Ask another holder of the seat.")
    if not set(seats_of(initiative, person)) & set(seats):
        named = " or ".join(Seat(seat).label for seat in seats)
        return no(phrase("Only the seat {} can accept this.", named), "Ask the person who holds the seat.")
    return cooling_off.may_lift(person, memberships_on(initiative, person, seats))


def may_approve_contract(initiative: Initiative, seat: str, person: User) -> Answer:
    """Allow a contract seat of the rulebook to approve. Authors and team members may not."""
    wrote = RestsOn(contract_authors=contract_authors(initiative))
    reasons = why_barred(signer_of(person, now=True), seat, team_members_of(initiative), rests_on=wrote)
    if reasons:
        return no(said(reasons), "Ask another holder of the seat to sign the contract.")
    if not holds_seat(initiative, person, seat):
        return no(
            phrase("You do not hold the seat {}.", label(Seat.word(seat))),
            "Ask the person who holds the seat to sign.",
        )
    return cooling_off.may_lift(person, memberships_on(initiative, person, (seat,)))


def may_stop(initiative: Initiative, person: User) -> Answer:
    """Allow the owner or the chair to stop the initiative at any time."""
    if offered(initiative, kind=STOP) is None:
        return no(
            phrase("An initiative that is {} cannot be stopped.", initiative.stage),
            "If the initiative is in production, open a review to retire it.",
        )
    if is_owner(initiative, person) or is_any_chair(initiative, person):
        return yes()
    return no("Only the owner or the chair can stop an initiative.", "Put the initiative on hold instead.")


def is_any_chair(initiative: Initiative, person: User) -> bool:
    """Return True for the board's chair, even if away, or who decides in their place."""
    return BoardRole.CHAIR in _seats_on(initiative, person) or is_acting_chair(initiative, person)


def may_manage_keys(initiative: Initiative, person: User) -> Answer:
    """Allow owner and technical lead to make, rotate and revoke its systems' keys."""
    return may_change_what_runs(initiative, person)


def may_withdraw(initiative: Initiative, person: User) -> Answer:
    """Allow owner, chair or the person who registered it to withdraw a mistaken idea."""
    if initiative.stage != Stage.PROPOSED:
        return no(
            "This initiative is no longer a proposed idea, so it cannot be withdrawn.",
            "Stop the initiative instead.",
        )
    if initiative.withdrawn_at:
        return no("This initiative was already withdrawn.")
    if (
        is_owner(initiative, person)
        or initiative.registered_by_id == person.pk
        or is_acting_chair(initiative, person)
    ):
        return yes()
    return no("Only the owner or the chair can withdraw an idea.", "Ask the owner or the chair.")


def may_hold(initiative: Initiative, person: User) -> Answer:
    """Allow the owner, collaborators and members of the board to raise a concern."""
    if initiative.closed:
        return no(phrase("An initiative that is {} needs no hold.", initiative.stage))
    if is_owner(initiative, person) or roles_of(initiative, person) or sits_on_board(initiative, person):
        return yes()
    return no("Only people on the initiative or its board can open a hold.", "Ask the owner or the chair.")


def may_note(initiative: Initiative, person: User) -> Answer:
    """Allow its people and board to record an event or observation. The initiative may have ended (S1-39)."""
    if initiative.withdrawn_at:
        return no("This initiative was withdrawn as registered by mistake.")
    if is_owner(initiative, person) or roles_of(initiative, person) or sits_on_board(initiative, person):
        return yes()
    return no("Only people on the initiative or its board can record this.", "Ask the owner or the chair.")


def may_fund(initiative: Initiative, person: User) -> Answer:
    """Allow the owner, the sponsor or the chair to record that money was given."""
    if (
        is_owner(initiative, person)
        or "sponsor" in roles_of(initiative, person)
        or is_acting_chair(initiative, person)
    ):
        return _closed(initiative)
    return no("Only the owner, the sponsor or the chair can record this.", "Ask the owner or the chair.")


def may_withdraw_note(initiative: Initiative, note, person: User) -> Answer:
    """Allow the author of a note, or the chair, to take it back."""
    if note.by_id == person.pk or is_acting_chair(initiative, person):
        return _active(person)
    return no(phrase("Only {} or the chair can withdraw this.", note.by), "Add your own note instead.")


def may_state(dependant, person: User) -> Answer:
    """Allow only the named executive to state or decline a dependence (S2-13)."""
    if dependant.executive_id != person.pk:
        who = dependant.executive or "the executive (not named yet)"
        return no(
            phrase("Only {} can answer this.", who),
            phrase("Ask {} to answer, or ask the owner to name someone else.", who),
        )
    return _active(person)


def may_continue(initiative: Initiative, person: User) -> Answer:
    """Allow the chair to let a prototype or MVP continue past its age."""
    if initiative.stage not in (Stage.PROTOTYPE, Stage.MVP) or initiative.withdrawn_at:
        return no(
            phrase("An initiative that is {} has no end date to move.", initiative.stage),
            "If the initiative is in production, confirm production again.",
        )
    if initiative.imported:
        return no("An import reported this stage, so it has no end date.", "First open a review of a gate.")
    return may_raise(initiative, person)


def may_lift(hold, person: User) -> Answer:
    """Allow the chair to lift a hold that a person opened or that is marked liftable."""
    if hold.opened_by_id is None and hold.liftable_since is None:
        return no(
            phrase("Plumbline opened this hold: {}.", label(hold.get_kind_display(), inside=True)),
            "Wait: the hold closes automatically when its cause is gone.",
        )
    return may_raise(hold.initiative, person)


WHO_MAY.update(
    {"raise": may_raise, "chair": may_chair, "stop": may_stop, "import": lambda _, person: may_import(person)}
)
