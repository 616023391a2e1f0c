"""Accounts by their linked key, never by email address or name, and their links."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import break_glass, same_person, ways_in
from governance.identity.permissions import breaks_glass, may_keep_providers, may_revoke
from governance.identity.providers import identity_claims
from governance.identity.providers.denials import Denied
from governance.identity.providers.round_trip import VerifiedToken
from governance.models import ExternalIdentity, IdentityProvider, ManagedAccount, Unit, User
from governance.models.people import LOGIN_LETTERS, LONGEST_LOGIN
from governance.people import cooling_off
from governance.permission_result import no
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

NOT_OF_A_LOGIN = re.compile(rf"[^{LOGIN_LETTERS}]")


def identity_of(token: VerifiedToken) -> ExternalIdentity | None:
    """Return the link of the token's key, made now for an account of the provider's directory, or None."""
    return _identity(token.provider, token.key) or _of_directory(token)


def person_of(token: VerifiedToken, identity: ExternalIdentity | None) -> User:
    """Return the person of the token, by its link, or newly made if the provider allows. Raises Denied."""
    if identity is None:
        if not token.provider.makes_people:
            raise Denied(
                "unknown",
                f"No Plumbline account is linked with this account of {token.provider}.",
                "Sign in as before and link your account on the page Your account, or ask an admin for an "
                "account.",
            )
        return _made(token)
    if identity.counts_from is not None and identity.counts_from > clock.now():
        raise Denied(
            "waits",
            "An admin linked this account. The link takes effect after one day.",
            f"Sign in as before until {clock.moment_in_words(identity.counts_from)}, then sign in with this "
            "account.",
        )
    if not identity.person.is_active:
        raise Denied(
            "ended", "Your Plumbline account is deactivated.", "Ask an admin if you still need the account."
        )
    subject = token.identity.subject
    if identity.subject != subject:
        with acting(by=identity.person, reason="Signed in with the provider"):
            identity.subject = subject
            identity.save()
    return identity.person


def _identity(provider: IdentityProvider, key: str) -> ExternalIdentity | None:
    rows = ExternalIdentity.objects.open().select_related("person", "provider")
    return rows.filter(provider=provider, key=key).first()


def kept_for(token: VerifiedToken) -> ManagedAccount | None:
    """Return the open account that a directory of this provider keeps for the token's key."""
    ids = {token.key, token.key.rpartition("/")[2]} if token.provider.is_entra else {token.key}
    rows = ManagedAccount.objects.filter(
        directory__provider=token.provider,
        removed_at__isnull=True,
        external_id__in=ids,
        person__is_active=True,
    )
    return rows.select_related("person").first()


def _of_directory(token: VerifiedToken) -> ExternalIdentity | None:
    """Return a link, made now, for an account that this provider's directory made.

    The person does not need to link the account, because the directory made it for this id, which no one else had.
    """
    kept = kept_for(token)
    if kept is None or ExternalIdentity.objects.filter(provider=token.provider, key=token.key).exists():
        return None
    with acting(system="sign-in", reason=f"First sign-in with {token.provider}"):
        User.objects.select_for_update().get(pk=kept.person_id)
        if ExternalIdentity.objects.open().filter(provider=token.provider, person=kept.person).exists():
            return _identity(token.provider, token.key)
        return _link(kept.person, token, by=None)


def _made(token: VerifiedToken) -> User:
    """Make a person without any role or seat. An existing account is never taken over."""
    provider, who = token.provider, token.identity
    with acting(system="sign-in", reason=f"First sign-in with {provider}"):
        # Locked: two first sign-ins at once make one person.
        provider = IdentityProvider.objects.select_for_update().get(pk=provider.pk)
        there = _identity(provider, token.key)
        if there is not None:
            return there.person
        if ExternalIdentity.objects.filter(provider=provider, key=token.key).exists():
            raise Denied(
                "ended",
                f"The link of this account of {provider} was revoked.",
                "Sign in as before and link your account again on the page Your account, or ask an admin.",
            )
        login = free_login(who.login or who.mail.split("@")[0])
        person = User.objects.create_user(login, full_name=who.name or login, email=address_in(token.claims))
        _link(person, token, by=None)
        proposed, overage = identity_claims.proposed_by(token.claims, provider.unit_claim)
        units = Unit.objects.own().filter(code__in=[word.lower() for word in proposed])
        entries.record(
            EntryKind.ACCOUNT_ADDED,
            person=person.full_name,
            person_id=person.pk,
            login=login,
            admin=False,
            auditor=False,
            how=f"first sign-in with {provider}",
            proposed_units=[unit.name for unit in units],
            overage=bool(overage),
        )
        same_person.look(person)
        _tell_admins(person, provider, list(units), overage)
    return person


def _tell_admins(person: User, provider: IdentityProvider, units: list[Unit], overage: str) -> None:
    proposed = (
        f" The suggested unit is {' or '.join(map(str, units))}, because of the account's roles at the provider."
        if units
        else ""
    )
    for admin in User.objects.active().filter(is_admin=True):
        account_notifications.tell(
            admin,
            f"first-sign-in:{person.pk}",
            subject=f"{person} signed in with {provider} for the first time",
            text=(
                f"The account {person.login} was made, without a role or seat.{proposed} {overage}"
            ).strip(),
        )


def free_login(wanted: str) -> str:
    """Return an unused sign-in name, made from the one elsewhere."""
    base = NOT_OF_A_LOGIN.sub("", wanted)[:LONGEST_LOGIN] or "person"
    login, number = base, 2
    while User.objects.filter(login__iexact=login).exists():
        ending = f"-{number}"
        login, number = base[: LONGEST_LOGIN - len(ending)] + ending, number + 1
    return login


def address_in(said: dict[str, Any]) -> str:
    """Return the person's email address, or "" unless its claim of verification is true or missing.

    Some providers send `email_verified` as text.
    """
    address, verified = said.get("email"), said.get("email_verified", True)
    if not isinstance(address, str) or not (verified is True or verified == "true"):
        return ""
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address if len(address) <= 254 else ""


# --- Linking ----------------------------------------------------------------------------------------------------------


def link_own(token: VerifiedToken, *, by: User) -> ExternalIdentity:
    """Link the account of a person who signed in here and, again, there. Raises Denied."""
    with acting(by=by, reason=f"The person linked their own account with {token.provider}"):
        User.objects.select_for_update().get(pk=by.pk)
        if token.round_trip.max_age != 0 or token.round_trip.person_id != by.pk:
            raise Denied(
                "fresh",
                "You did not start this sign-in at the provider to link an account.",
                "Start again on the page Your account.",
            )
        _check_free(token.provider, token.key, by)
        row = _link(by, token, by=by)
        account_notifications.tell(
            by,
            f"identity:{row.pk}",
            subject=f"Your account was linked with {token.provider}",
            text=(
                "You can sign in with the provider now. You can sign statements with the provider from "
                "tomorrow. If this was not "
                "you, revoke the link on the page Your account, change your password, and tell an admin."
            ),
        )
    return row


def _check_free(provider: IdentityProvider, key: str, person: User) -> None:
    there = _identity(provider, key)
    if there is not None and there.person_id != person.pk:
        raise Denied(
            "taken",
            f"This account of {provider} is linked with a different Plumbline account.",
            "Sign in with that account, or ask an admin.",
        )
    if ExternalIdentity.objects.open().filter(provider=provider, person=person).exists():
        raise Denied(
            "linked",
            f"Your account is already linked with {provider}.",
            "Revoke that link on the page Your account, then link your account again.",
        )


def _link(person: User, token: VerifiedToken, *, by: User | None) -> ExternalIdentity:
    row = ExternalIdentity(
        person=person,
        provider=token.provider,
        key=token.key,
        subject=token.identity.subject,
        linked_at=clock.now(),
        linked_by=by,
    )
    row.save()
    _record_link(row)
    return row


def _record_link(row: ExternalIdentity) -> None:
    entries.record(
        EntryKind.IDENTITY_LINKED,
        person=row.person.full_name,
        person_id=row.person_id,
        provider=row.provider.name,
        key=row.key,
        counts_from=row.counts_from,
    )


def link_for(*, person: User, provider: IdentityProvider, key: str, by: User) -> ExternalIdentity:
    """Link a person's account as admin. The link counts a day later.

    The person gets a notification at once, and may refuse the link. Raises Refused, Denied.
    """
    key, counts_from = key.strip(), clock.now() + cooling_off.LASTS
    with acting(by=by, reason=f"Account linked with {provider} by an admin"):
        may_keep_providers(by).or_refuse()
        person = User.objects.select_for_update().get(pk=person.pk)
        if person.pk == by.pk:
            no(
                "Admins cannot link their own account here.", "Link your account on the page Your account."
            ).or_refuse()
        if not person.is_active:
            no(
                phrase("The account of {} is deactivated.", person),
                "Ask an admin to reactivate the account first.",
            ).or_refuse()
        if breaks_glass(person):
            no(
                phrase("{} is a break-glass account.", person),
                "Choose a different account. A break-glass account is never linked with a provider.",
            ).or_refuse()
        if provider.is_entra:
            key = key.lower()
        if not (
            re.fullmatch(r"[0-9a-f-]{36}/[0-9a-f-]{36}", key) if provider.is_entra else 0 < len(key) <= 255
        ):
            no(
                "The key is not a valid key of this provider.",
                "Enter the tenant id/object id for Entra, or the sub of the person for other providers.",
            ).or_refuse()
        _check_free(provider, key, person)
        row = ExternalIdentity(
            person=person,
            provider=provider,
            key=key,
            linked_at=counts_from - cooling_off.LASTS,
            linked_by=by,
            counts_from=counts_from,
        )
        row.save()
        _record_link(row)
        account_notifications.tell(
            person,
            f"identity:{row.pk}",
            subject=f"An admin linked your account with {provider}",
            text=(
                f"{by} linked your account. The person with the key {key} at the provider can sign in as "
                f"you from {clock.moment_in_words(counts_from)}. If that person is not you, revoke the link "
                "on the page Your "
                "account now."
            ),
        )
    return row


def revoke_link(*, identity: ExternalIdentity, reason: str, by: User, keep: str | None = None) -> None:
    """Revoke a link, as its person or as admin, with the ways in that end with it. Raises Refused."""
    with acting(by=by, reason=reason):
        identity = ExternalIdentity.objects.select_for_update(of=("self",)).get(pk=identity.pk)
        may_revoke(identity, by).or_refuse()
        if not reason.strip():
            no("The reason for revoking the link is missing.", "Enter the reason in the field.").or_refuse()
        waited = identity.counts_from is not None and identity.counts_from > clock.now()
        identity.ended_at, identity.ended_by, identity.ended_reason = clock.now(), by, reason.strip()
        identity.save()
        go_on = ways_in.take(identity.person, EntryKind.IDENTITY_REVOKED, by=by, keep=keep)
        entries.record(
            EntryKind.IDENTITY_REVOKED,
            person=identity.person.full_name,
            person_id=identity.person_id,
            provider=identity.provider.name,
            key=identity.key,
            refused=waited and by.pk == identity.person_id,
        )
        told = [identity.person] if by.pk != identity.person_id else []
        if waited and not told:
            told = [person for person in break_glass.those_told() if person.pk != by.pk]
        for person in told:
            account_notifications.tell(
                person,
                f"identity:{identity.pk}",
                subject=f"The link of {identity.person} with {identity.provider} was revoked",
                text=f"By {by}: {reason.strip()} {go_on}".strip(),
            )
