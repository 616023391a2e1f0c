"""Permissions on an initiative. Every function returns an answer with its reasons."""

from django.conf import settings
from django.urls import reverse

from governance.gates.separation_of_duties import said, why_barred, why_reports, why_reset_by_team_member
from governance.models import User
from governance.people import cooling_off
from governance.people.boards import board_for, members_now, seats_held
from governance.people.permissions import may_import
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import APPROVING, BoardRole, Role, Seat, SignOffVerdict, Stage
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access.roles_and_seats import (
    COLLABORATORS,
    accepted,
    acting_chair,
    active,
    holds_seat,
    is_acting_chair,
    is_any_chair,
    is_owner,
    memberships_on,
    roles_of,
    seats_of,
    sits_on_board,
)
from initiatives.lifecycle.access.signers import (
    barred_from_signing,
    signer_of,
    team_members_of,
    why_approved_twice,
    why_lowers_no_tier,
    why_not_decide,
)
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Initiative, Review
from initiatives.models.stage_machine import STOP, WHO_MAY, offered


def may_capture(initiative: Initiative, person: User) -> Answer:
    """Allow those who may add evidence to capture a link, if switched on."""
    if not settings.CAPTURE_LINKS:
        return no(
            "Plumbline is not set up to capture links here.",
            "Save the page as PDF and add the PDF as a newer item.",
        )
    return may_collaborate(initiative, person)


def _closed(initiative: Initiative) -> Answer:
    if initiative.withdrawn_at:
        return no("This initiative was withdrawn as registered by mistake.", "Register a new initiative.")
    if initiative.closed:
        return no(
            phrase("This initiative is {} and can no longer change.", initiative.stage),
            "If the initiative was stopped, ask the chair to reopen it.",
        )
    return yes()


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


def may_chair(initiative: Initiative, person: User) -> Answer:
    """Allow the acting chair to decide. They also promote, step back, return a review and lift holds."""
    chair, why = acting_chair(initiative)
    if chair is not None and chair.pk == person.pk:
        return active(person)
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


def may_accept_exception(initiative: Initiative, seats, person: User) -> Answer:
    """Allow a signing seat of the requirement, on no team, to accept "not applicable"."""
    reasons = barred_from_signing(initiative, person, now=True)
    if reasons:
        return no(said(reasons), "Ask another holder of the seat.")
    if not set(seats_of(initiative, person)) & set(seats):
        named = " or ".join(Seat(seat).label for seat in seats)
        return no(phrase("Only the seat {} can accept this.", named), "Ask the person who holds the seat.")
    return cooling_off.may_lift(person, memberships_on(initiative, person, seats))


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


def may_state(dependant, person: User) -> Answer:
    """Allow only the named executive to state or decline a dependence (S2-13)."""
    if dependant.executive_id != person.pk:
        who = dependant.executive or "the executive (not named yet)"
        return no(
            phrase("Only {} can answer this.", who),
            phrase("Ask {} to answer, or ask the owner to name someone else.", who),
        )
    return active(person)


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


def may_switch(initiative: Initiative, person: User) -> Answer:
    """Allow those who may stop the initiative to deny all its systems' requests."""
    if initiative.closed:
        return no(
            phrase("Plumbline already denies every request of an initiative that is {}.", initiative.stage)
        )
    if is_owner(initiative, person) or is_any_chair(initiative, person):
        return yes()
    return no(
        "Only the owner or the chair can use the kill switch.",
        "Put the initiative on hold: a hold denies requests as well.",
    )


def may_confirm_tier(initiative: Initiative, person: User) -> Answer:
    """Allow the board's risk seat, on no team, to confirm the tier. Lower: no one who reports to the owner."""
    if not initiative.proposed_tier:
        return no("No one has proposed a risk tier yet.", "Ask the owner to propose a risk tier.")
    if reports := why_lowers_no_tier(initiative, person):
        return no(said(reports), "Ask another holder of the seat to confirm the lower risk tier.")
    return may_accept_exception(initiative, [Seat.RISK_COMPLIANCE], person)


def may_refuse_tier(initiative: Initiative, person: User) -> Answer:
    """Allow the board's risk seat, on no team, to refuse a proposed tier. No one who reports to the owner may."""
    if initiative.proposed_tier == initiative.tier:
        return no("No other risk tier is proposed.", "Ask the owner to propose a risk tier.")
    if reports := why_reports(signer_of(person, now=True), team_members_of(initiative)):
        return no(said(reports), "Ask another holder of the seat to refuse the risk tier.")
    return may_accept_exception(initiative, [Seat.RISK_COMPLIANCE], person)


WHO_MAY.update(
    {"raise": may_raise, "chair": may_chair, "stop": may_stop, "import": lambda _, person: may_import(person)}
)
