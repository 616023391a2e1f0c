"""Permissions that concern no initiative. The answers contain their reasons."""

from governance import clock
from governance.models import LegalHold, Membership, User
from governance.people import cooling_off
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole
from governance.vocabulary.phrases import phrase


def may_audit(person: User) -> Answer:
    """Return yes for auditors, who search the audit log, draw samples and see reports."""
    if person.is_active and person.is_auditor:
        return yes()
    return no("Only auditors can open these pages.", "An admin can make you an auditor.")


def may_keep_accounts(person: User) -> Answer:
    """Accounts, invitations, and what runs beside the web server: admins."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins can manage accounts and see the status of the installation.", "Ask an admin.")


def may_cease_as_admin(person: User) -> Answer:
    """Return yes unless the person is the last active admin. The admins stay locked until the transaction ends."""
    admins = User.objects.active().filter(is_admin=True).order_by("pk").select_for_update()
    if not person.is_admin or {admin.pk for admin in admins} - {person.pk}:
        return yes()
    return no(phrase("{} is the last admin.", person), "Make another person an admin first.")


def may_read_organisation(person: User) -> Answer:
    """Return yes for admins and auditors, on the pages of units, boards and members."""
    if person.is_active and (person.is_admin or person.is_auditor):
        return yes()
    return no("Only admins and auditors can open these pages.", "Ask an admin for the information.")


def may_confirm_seat(membership: Membership, person: User) -> Answer:
    """Return yes for the chair or an admin, except the seat's granter and its person.

    The confirming person has cooled off too: an admin for a day, a chair in a seat that counts.
    """
    now = clock.now()
    if cooling_off.seat_until(membership, now) is None:
        return no(
            "This seat is not waiting to be confirmed.",
            "You can sign with this seat now, because no confirmation is needed.",
        )
    if membership.ends_at is not None and membership.ends_at <= now:
        return no("This seat has ended.")
    if person.pk in (membership.person_id, membership.granted_by_id):
        return no(
            "You hold this seat or granted it, so you cannot confirm it.",
            "Ask the chair of the board, or another admin.",
        )
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    chairs = [
        seat
        for seat in Membership.objects.held_at(now).filter(
            board=membership.board_id, person=person, seat__in=(BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)
        )
        if cooling_off.seat_until(seat, now) is None
    ]
    if not chairs and not (person.is_admin and cooling_off.admin_for_a_day(person)):
        return no(
            "Only the chair of the board, or someone who has been an admin for more than a day, can "
            "confirm a seat.",
            "Ask the chair or an admin.",
        )
    return cooling_off.may_lift(person)


def may_import(person: User) -> Answer:
    """Admins import inventories."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins can import inventories.", "Give the file to an admin.")


def may_see_audit_log(person: User) -> Answer:
    """Refusals and the acts of other people: auditors and admins."""
    if person.is_active and (person.is_auditor or person.is_admin):
        return yes()
    return no("Only auditors and admins can see the whole audit log.")


def may_hold(person: User) -> Answer:
    """Admins and auditors open and lift legal holds."""
    if person.is_active and (person.is_admin or person.is_auditor):
        return yes()
    return no("Only admins and auditors can open or lift a legal hold.", "Ask an admin or auditor.")


def may_reorganise(person: User) -> Answer:
    """Admins add, rename, move and merge units, add boards and fill their seats."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins can change units, boards and seats.", "Ask an admin.")


def may_end_seat(membership: Membership, person: User) -> Answer:
    """Return yes for admins and for the person in the seat."""
    if person.is_active and (person.is_admin or person.pk == membership.person_id):
        return yes()
    return no(
        "Only admins, or the person in the seat, can end a seat.",
        phrase("Ask {} or an admin.", membership.person),
    )


def may_take(*, by: User) -> Answer:
    """Admins take the report of a person: they are asked for it, and hand it over."""
    if by.is_active and by.is_admin:
        return yes()
    return no("Only admins can export the data about a person.", "Ask an admin.")


def may_erase(person: User, *, override=None, by: User) -> Answer:
    """Return yes if this admin may erase this person's data now.

    An admin needs an auditor against retention. `override` has the auditor and the duty
    (`governance.privacy.erasure.Override`).
    """
    if not (by.is_active and by.is_admin):
        return no("Only admins can erase personal data.", "Ask an admin.")
    if by.pk == person.pk:
        return no("You cannot erase your own data.", "Ask another admin.")
    if person.is_active:
        return no(
            phrase("The account {} is active.", person.login),
            "Ask an admin to end its roles and seats and to deactivate it first.",
        )
    held = LegalHold.objects.open().filter(person=person).first()
    if held is not None:
        return no(
            phrase("Legal hold {} covers this person.", held.pk),
            "Lift the legal hold first, if that is allowed.",
        )
    if override is not None:
        auditor = override.auditor
        if not override.duty.strip() or not (auditor.is_active and auditor.is_auditor):
            return no(
                "Data under retention can be erased only for a named legal duty, with the agreement of an "
                "auditor."
            )
        if auditor.pk in (by.pk, person.pk):
            return no(
                "Two different people must agree to erase data under retention: an admin and an auditor."
            )
    return yes()


def may_draft(person: User) -> Answer:
    """Copy a rulebook, edit the copy, load it as a version: admins (docs/domain.md, "Who may")."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins can edit a draft of the rulebook.", "Ask an admin for the change.")


def may_forecast(person: User) -> Answer:
    """Return yes for admins, chairs and deputies. They compute and read a draft's impact."""
    if person.is_active and (person.is_admin or chairs(person)):
        return yes()
    return no("Only admins and chairs can see the impact of a rulebook.", "Ask an admin or a chair.")


def chairs(person: User) -> bool:
    """Return True if the person now is chair or deputy chair of a board."""
    held = Membership.objects.held_at(clock.now())
    return held.filter(person=person, seat__in=(BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)).exists()
