"""Who may, on the ground floor: answers that carry their reasons."""

from governance import clock
from governance.answers import Answer, no, yes
from governance.models import LegalHold, Membership, User
from governance.models.people import CHAIR, DEPUTY_CHAIR


def may_audit(person: User) -> Answer:
    """The auditor's desk: search the whole record, draw samples, see who read and who held what."""
    if person.is_active and person.is_auditor:
        return yes()
    return no("Only auditors open the auditor's desk.", "An admin can make an account an auditor's.")


def may_keep_accounts(person: User) -> Answer:
    """Accounts, invitations, and what runs beside the web server: admins."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins keep the accounts and see how the installation is.", "Ask an admin.")


def may_hold(person: User) -> Answer:
    """Admins and auditors open and lift legal holds."""
    if person.is_active and (person.is_admin or person.is_auditor):
        return yes()
    return no("Only admins and auditors open or lift a legal hold.", "Ask one of them.")


def may_reorganise(person: User) -> Answer:
    """Admins move and merge units."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins move or merge units.", "Ask an admin.")


def may_take(*, by: User) -> Answer:
    """Admins take the report of a person: they are asked for it, and hand it over."""
    if by.is_active and by.is_admin:
        return yes()
    return no("Only admins take the report of a person.", "Ask an admin.")


def may_erase(person: User, *, override=None, by: User) -> Answer:
    """Whether this admin may erase this person's data now; against retention only together with an auditor.

    `override` names that auditor and the duty (`governance.erasure.Override`).
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
    """Copy a rulebook, edit the copy, load it as a version: admins (domain.md, "Who may")."""
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
    return held.filter(person=person, seat__in=(CHAIR, DEPUTY_CHAIR)).exists()
