"""Break-glass accounts: two admins who can sign in without provider or local accounts.

Each use makes an entry and a notification to every admin and auditor. It gives only the rights of an admin.
"""

from django.db import transaction

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.permissions import breaks_glass, may_keep_providers
from governance.models import BreakGlass, SignInPolicy, User
from governance.models.identity.providers import BREAK_GLASS_SLOTS
from governance.permission_result import no
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase


def those_told() -> list[User]:
    """Return the people who must know at once: all admins and auditors."""
    people = User.objects.active()
    return list((people.filter(is_admin=True) | people.filter(is_auditor=True)).distinct())


def mark(*, person: User, by: User) -> BreakGlass:
    """Mark an admin with a password as break-glass. Two are allowed. Raises Refused."""
    with acting(by=by, reason="Break-glass account marked"):
        may_keep_providers(by).or_refuse()
        person = User.objects.select_for_update().get(pk=person.pk)
        if person.pk == by.pk:
            no("You cannot mark your own account as break-glass.", "Ask a different admin.").or_refuse()
        if not (person.is_active and person.is_admin):
            no(phrase("{} is not an admin.", person), "Choose an admin.").or_refuse()
        if not person.has_usable_password():
            no(
                phrase("{} has no password in Plumbline.", person),
                "Send this admin a link to choose a password, then mark the account.",
            ).or_refuse()
        if breaks_glass(person):
            no(phrase("{} is already marked.", person)).or_refuse()
        taken = set(BreakGlass.objects.select_for_update().values_list("slot", flat=True))
        free = [slot for slot in BREAK_GLASS_SLOTS if slot not in taken]
        if not free:
            no(
                "Two admins already have a break-glass account.",
                "First remove the break-glass mark from one of these admins.",
            ).or_refuse()
        row = BreakGlass(slot=free[0], person=person, marked_at=clock.now(), marked_by=by)
        row.save()
        entries.record(EntryKind.BREAK_GLASS_MARKED, person=person.full_name, person_id=person.pk)
        _tell(f"{person} was marked as a break-glass account", f"Changed by {by}.", f"break-glass:{row.pk}")
    return row


def revoke(*, row: BreakGlass, by: User) -> None:
    """Take the mark away. Raises Refused if local accounts are off and no one else can sign in."""
    with acting(by=by, reason="Break-glass account revoked"):
        may_keep_providers(by).or_refuse()
        rows = {each.pk: each for each in BreakGlass.objects.select_for_update().select_related("person")}
        if row.pk not in rows:
            return
        policy = SignInPolicy.objects.first()
        if policy is not None and not policy.local_accounts and len(rows) == 1:
            no(
                "Local accounts are off. Without a break-glass account, no one can sign in if the provider "
                "fails.",
                "Switch local accounts on, or mark another admin first.",
            ).or_refuse()
        row = rows[row.pk]
        entries.record(EntryKind.BREAK_GLASS_REVOKED, person=row.person.full_name, person_id=row.person_id)
        _tell(
            f"{row.person} is no longer a break-glass account", f"Changed by {by}.", f"break-glass:{row.pk}"
        )
        row.delete()


def used(person: User, *, address: str | None) -> None:
    """Record the use of a break-glass account, and notify all who must know."""
    if not breaks_glass(person):
        return
    with acting(by=person, reason="Signed in with a break-glass account"):
        entries.record(
            EntryKind.BREAK_GLASS_USED, person=person.full_name, person_id=person.pk, address=address
        )
        moment = clock.moment_in_words(clock.now())
        _tell(
            f"The break-glass account of {person} was used",
            f"Used at {moment}, from {address or 'an unknown address'}. If you do not know why, ask "
            f"{person} now.",
            f"break-glass-used:{person.pk}",
        )


def _tell(subject: str, text: str, about: str) -> None:
    for person in those_told():
        account_notifications.tell(person, about, subject=subject, text=text)


def switch_local_accounts(*, on: bool, by: User) -> SignInPolicy:
    """Switch local accounts on or off, except break-glass accounts. Raises Refused."""
    with acting(by=by, reason=f"Local accounts switched {'on' if on else 'off'}"), transaction.atomic():
        may_keep_providers(by).or_refuse()
        if not on and not BreakGlass.objects.filter(person__is_active=True).exists():
            no(
                "No break-glass account exists, so no one could sign in if the provider fails.",
                "Mark one admin, or better two, then switch local accounts off.",
            ).or_refuse()
        if not on and not _somebody_comes_in():
            no(
                "No admin is linked to a provider that is switched on.",
                "Link your own account first, and sign in with the provider once.",
            ).or_refuse()
        row = SignInPolicy.objects.select_for_update().first() or SignInPolicy()
        row.local_accounts, row.changed_at = on, clock.now()
        row.save()
        entries.record(EntryKind.LOCAL_ACCOUNTS_SWITCHED, on=on)
        word = "on" if on else "off"
        _tell(f"Local accounts were switched {word}", f"Changed by {by}.", "local-accounts")
    return row


def _somebody_comes_in() -> bool:
    return (
        User.objects.active()
        .filter(
            is_admin=True,
            external_identities__ended_at__isnull=True,
            external_identities__provider__switched_on=True,
        )
        .exists()
    )
