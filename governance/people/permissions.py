"""Who may, where no initiative is concerned: answers that carry their reasons."""

from governance import clock
from governance.models import LegalHold, Membership, User
from governance.people import cooling_off
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole


def may_audit(person: User) -> Answer:
    """The auditor's inbox: search the whole audit log, draw samples, see who read and who held what."""
    if person.is_active and person.is_auditor:
        return yes()
    return no("Only auditors open these pages.", "An admin can make an account an auditor's.")


def may_keep_accounts(person: User) -> Answer:
    """Accounts, invitations, and what runs beside the web server: admins."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins keep the accounts and see how the installation is.", "Ask an admin.")


def may_read_organisation(person: User) -> Answer:
    """Units, boards and who sits on them, on pages of their own: admins, who act there, and auditors."""
    if person.is_active and (person.is_admin or person.is_auditor):
        return yes()
    return no("Only admins and auditors open these pages.", "Ask an admin for what you need to know.")


def may_confirm_seat(membership: Membership, person: User) -> Answer:
    """Confirm a seat in its first day: the chair of its board, or an admin who did not grant it; never its person.

    Whoever confirms has cooled off too: an admin for a day, a chair in a seat that counts.
    """
    now = clock.now()
    if cooling_off.seat_until(membership, now) is None:
        return no("This seat is not waiting to be confirmed.", "It signs already.")
    if membership.ends_at is not None and membership.ends_at <= now:
        return no("This seat has ended.")
    if person.pk in (membership.person_id, membership.granted_by_id):
        return no(
            "Whoever holds a seat or granted it does not confirm it.",
            "The chair of the board does, or another admin.",
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
            "Only the chair of the board, or an admin of more than a day, confirms a seat.",
            "Ask one of them.",
        )
    return cooling_off.may_lift(person)


def may_import(person: User) -> Answer:
    """Admins import inventories."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins import inventories.", "Give the file to an admin.")


def may_see_audit_log(person: User) -> Answer:
    """Refusals and the acts of other people: auditors and admins."""
    if person.is_active and (person.is_auditor or person.is_admin):
        return yes()
    return no("Only auditors and admins see the whole audit log.")


def may_hold(person: User) -> Answer:
    """Admins and auditors open and lift legal holds."""
    if person.is_active and (person.is_admin or person.is_auditor):
        return yes()
    return no("Only admins and auditors open or lift a legal hold.", "Ask one of them.")


def may_reorganise(person: User) -> Answer:
    """Admins add, rename, move and merge units, add boards and fill their seats."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins change units, boards and seats.", "Ask an admin.")


def may_take(*, by: User) -> Answer:
    """Admins take the report of a person: they are asked for it, and hand it over."""
    if by.is_active and by.is_admin:
        return yes()
    return no("Only admins take the report of a person.", "Ask an admin.")


def may_erase(person: User, *, override=None, by: User) -> Answer:
    """Whether this admin may erase this person's data now; against retention only together with an auditor.

    `override` names that auditor and the duty (`governance.privacy.erasure.Override`).
    """
    if not (by.is_active and by.is_admin):
        return no("Only admins erase personal data.", "Ask an admin.")
    if by.pk == person.pk:
        return no("Nobody erases their own data.", "Ask another admin.")
    if person.is_active:
        return no(
            f"The account {person.login} is active.",
            "End it first: its roles and seats end in their own way.",
        )
    held = LegalHold.objects.open().filter(person=person).first()
    if held is not None:
        return no(f"Legal hold {held.pk} is on this person.", "Lift it first, where it may be lifted.")
    if override is not None:
        auditor = override.auditor
        if not override.duty.strip() or not (auditor.is_active and auditor.is_auditor):
            return no("Retention gives way to a named duty only, with an auditor who agrees.")
        if auditor.pk in (by.pk, person.pk):
            return no("Two people put retention aside: an admin and another who is auditor.")
    return yes()


def may_draft(person: User) -> Answer:
    """Copy a rulebook, edit the copy, load it as a version: admins (docs/domain.md, "Who may")."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins edit a draft of the rulebook.", "Tell an admin what should change.")


def may_forecast(person: User) -> Answer:
    """Have worked out what a draft would do, and read it: admins, and chairs, who publish; deputies too."""
    if person.is_active and (person.is_admin or chairs(person)):
        return yes()
    return no("Admins and chairs see what a rulebook would do.", "Ask one of them.")


def chairs(person: User) -> bool:
    """Whether the person chairs a board now, or is deputy of one."""
    held = Membership.objects.held_at(clock.now())
    return held.filter(person=person, seat__in=(BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)).exists()
