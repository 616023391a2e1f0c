"""Permissions to keep providers, sign in locally, link and unlink."""

from governance.models import BreakGlass, ExternalIdentity, SignInPolicy, User
from governance.permission_result import Answer, no, yes


def may_keep_providers(person: User) -> Answer:
    """Keep the providers, who may break the glass, and pairs of accounts: admins."""
    if person.is_active and person.is_admin:
        return yes()
    return no("Only admins can change how people sign in.", "Ask an admin.")


def local_accounts_on() -> bool:
    """Return True if people sign in with a password of this installation."""
    policy = SignInPolicy.objects.first()
    return policy is None or policy.local_accounts


def breaks_glass(person: User) -> bool:
    """Return True if the person's password works also while local accounts are off."""
    return BreakGlass.objects.filter(person=person).exists()


def may_sign_in_locally(person: User) -> Answer:
    """Sign in with the password of this installation."""
    if local_accounts_on() or breaks_glass(person):
        return yes()
    return no("Local accounts are switched off.", "Sign in with the provider of your organisation.")


def may_revoke(identity: ExternalIdentity, person: User) -> Answer:
    """Revoke a link: its person, or an admin."""
    if identity.ended_at is not None:
        return no("This link was already revoked.")
    if person.pk != identity.person_id:
        return may_keep_providers(person)
    others = ExternalIdentity.objects.open().filter(person=person).exclude(pk=identity.pk)
    waits = identity.linked_by_id not in (None, person.pk)
    if not waits and not person.has_usable_password() and not others.exists():
        return no(
            "You have no other way to sign in.",
            "Ask for a password link on the sign-in page first, or ask an admin.",
        )
    return yes()
