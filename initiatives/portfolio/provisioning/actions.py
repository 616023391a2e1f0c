"""Acts of directories on accounts and groups, and of admins on directories.

A directory acts as a named part of the system, and only on rows that it made. It never adopts an existing account by
its name or address, and it cannot see local accounts, such as emergency ones. Deactivating an account ends roles, seats
and sessions in the same transaction. No person is ever deleted.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from scim2_models import (
    InvalidValueException,
    MutabilityException,
    PreconditionFailedException,
    UniquenessException,
)

from governance import clock
from governance.audit_log import entries
from governance.authorization import service_keys
from governance.database.row_history import acting
from governance.identity import same_person
from governance.models import (
    Directory,
    IdentityProvider,
    ManagedAccount,
    ManagedGroup,
    ManagedMembership,
    Notification,
    Unit,
    User,
)
from governance.organisation.actions import change_address, open_to_own
from governance.people.permissions import may_keep_accounts
from governance.permission_result import no
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.portfolio.provisioning.queries import uid_of
from initiatives.portfolio.provisioning.resources import Enterprise, etag
from initiatives.portfolio.units import leaving

LONGEST_LIFE = timedelta(days=366)
LONGEST_EXTERNAL_ID = ManagedAccount._meta.get_field("external_id").max_length or 0
LONGEST_NAME = User._meta.get_field("full_name").max_length or 0


# --- Directories ---------------------------------------------------------------------------------------------------


def add_directory(
    *, name: str, expires_at: datetime, provider: IdentityProvider | None = None, by: User
) -> tuple[Directory, service_keys.Token]:
    """Let a directory keep accounts here, and return its row and its key, shown once.

    `provider` signs in the people of its accounts, by their external id. Raises Refused, ValidationError.
    """
    with acting(by=by, reason="Directory added"):
        may_keep_accounts(by).or_refuse()
        name = name.strip()
        if not name:
            raise ValidationError(
                {"name": "Name the directory as your organisation does, for example Entra ID."}
            )
        if Directory.objects.filter(name__iexact=name).exists():
            raise ValidationError(
                {
                    "name": "A directory with this name is already connected. Give that directory a new key "
                    "instead."
                }
            )
        token = service_keys.fresh()
        row = Directory(name=name, provider=provider, made_by=by)
        _give_key(row, token, expires_at)
        entries.record(
            EntryKind.DIRECTORY_ADDED,
            directory=name,
            public=token.public,
            expires_at=expires_at,
            provider=provider.name if provider else None,
        )
    return row, token


def renew_key(*, directory: Directory, expires_at: datetime, by: User) -> service_keys.Token:
    """Give the directory a new key. The earlier key ends at once. Raises Refused, ValidationError."""
    with acting(by=by, reason="New key of a directory"):
        may_keep_accounts(by).or_refuse()
        row = Directory.objects.select_for_update(of=("self",)).get(pk=directory.pk)
        token = service_keys.fresh()
        row.revoked_at, row.revoked_by, row.revoked_reason = None, None, ""
        _give_key(row, token, expires_at)
        entries.record(
            EntryKind.DIRECTORY_KEY_RENEWED, directory=row.name, public=token.public, expires_at=expires_at
        )
    return token


def _give_key(row: Directory, token: service_keys.Token, expires_at: datetime) -> None:
    now = clock.now()
    if not now < expires_at <= now + LONGEST_LIFE:
        raise ValidationError({"expires_on": "Choose a day for the end of the key within the next year."})
    row.public, row.secret_hash, row.made_at, row.expires_at = token.public, token.digest, now, expires_at
    row.save()


def revoke_key(*, directory: Directory, reason: str, by: User) -> Directory:
    """End the key of a directory at once. Its accounts stay as they are. Raises Refused."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. The reason is kept with the key."})
    with acting(by=by, reason=reason):
        may_keep_accounts(by).or_refuse()
        row = Directory.objects.select_for_update(of=("self",)).get(pk=directory.pk)
        if row.revoked_at is not None:
            no("This key was already revoked.").or_refuse()
        row.revoked_at, row.revoked_by, row.revoked_reason = clock.now(), by, reason.strip()
        row.save()
        entries.record(EntryKind.DIRECTORY_KEY_REVOKED, directory=row.name, public=row.public)
    return row


def propose_unit(*, group: ManagedGroup, unit: Unit | None, by: User) -> ManagedGroup:
    """Set the unit that a group of a directory proposes. No one is moved. Raises Refused."""
    with acting(by=by, reason="Unit of a group"):
        may_keep_accounts(by).or_refuse()
        open_to_own(unit, "unit")
        group = ManagedGroup.objects.select_for_update(of=("self",)).get(pk=group.pk)
        group.proposes = unit
        group.save(update_fields=["proposes"])
        entries.record(
            EntryKind.GROUP_PROPOSES_UNIT,
            group=group.display_name,
            directory=group.directory.name,
            unit=unit.name if unit else None,
        )
    return group


def accept_proposed_unit(*, account: ManagedAccount, unit: Unit, by: User) -> User:
    """Move a person into the unit that one of their groups proposes. Raises Refused if none does."""
    with acting(by=by, reason="Unit proposed by a directory"):
        may_keep_accounts(by).or_refuse()
        person = User.objects.select_for_update(of=("self",)).get(pk=account.person_id)
        if not account.memberships.filter(group__proposes=unit).exists():
            no(phrase("No group of {} still proposes {}.", person, unit), "Open the page again.").or_refuse()
        open_to_own(unit, "unit")
        before, person.unit = person.unit, unit
        if before != unit:
            person.save()
            _changed(person, {"unit": before.name if before else None}, {"unit": unit.name})
    return person


# --- Accounts ------------------------------------------------------------------------------------------------------


def make_account(*, directory: Directory, said: Any) -> ManagedAccount:
    """Make the account that a directory describes, without a role, seat or password.

    Raises UniquenessException (409) if someone here has the name already, and InvalidValueException.
    """
    with acting(system=_system(directory), reason="Account made by the directory"):
        login, full_name, address = _login(said.user_name), _full_name(said), _address(said)
        taken = User.objects.filter(login__iexact=login).exists()
        if taken or ManagedAccount.objects.filter(user_name__iexact=said.user_name, removed_at=None).exists():
            raise UniquenessException(
                detail=f"An account {login} exists already, and a directory cannot take it over. Ask the "
                "person to sign in and link the account."
            )
        _check_external_id(directory, _external_id(said))
        manager = _manager(directory, said, None)
        person = User.objects.create_user(
            login, full_name=full_name, email=address, manager=manager, is_active=said.active is not False
        )
        now = clock.now()
        row = ManagedAccount(
            directory=directory,
            person=person,
            user_name=said.user_name,
            external_id=_external_id(said),
            said=_said(said),
            made_at=now,
            changed_at=now,
        )
        row.save()
        same_person.look(person)
        _come_as_manager(row)
        entries.record(
            EntryKind.ACCOUNT_ADDED,
            person=full_name,
            person_id=person.pk,
            login=login,
            admin=False,
            auditor=False,
            directory=directory.name,
        )
    return row


def change_account(
    *, row: ManagedAccount, said: Any, asked_of: str = "", unset: bool = False
) -> ManagedAccount:
    """Update an account from its directory. `active` false ends it, true returns it, without it nothing changes.

    A returned account has no roles. `unset` hides `active` from the directory, which took it away. An account that an
    admin here ended waits for an admin. `asked_of` is the ETag that the directory has seen, or empty. Raises
    PreconditionFailedException (412), UniquenessException, InvalidValueException, Refused.
    """
    directory = row.directory
    with acting(system=_system(directory), reason="Account changed by the directory"):
        row = _locked(row, asked_of)
        if said.user_name.lower() != row.user_name.lower():
            others = ManagedAccount.objects.filter(user_name__iexact=said.user_name, removed_at=None)
            people = User.objects.filter(login__iexact=said.user_name).exclude(pk=row.person_id)
            if others.exclude(pk=row.pk).exists() or people.exists():
                raise UniquenessException(
                    detail=f"{said.user_name} is another account here. Send another userName."
                )
        if directory.provider_id and row.external_id and said.external_id != row.external_id:
            raise MutabilityException(
                detail="externalId identifies the person who signs in to this account, and cannot change. "
                "Delete the account and make a new account."
            )
        _check_external_id(directory, _external_id(said), row.pk)
        person = User.objects.select_for_update(of=("self",)).get(pk=row.person_id)
        _carry_over(directory, person, said, _manager(directory, said, row))
        row.user_name, row.external_id, row.said = said.user_name, _external_id(said), _said(said)
        row.said["active_removed"] = unset
        _touch(row)
        wanted = person.is_active if said.active is None else said.active
        if person.is_active and not wanted:
            leaving.deactivate(person=person, reason=f"Ended by {directory}", system=_system(directory))
        elif wanted and not person.is_active and (ended := _ended_here(person)):
            _ask_admins(directory, person, ended)
        elif wanted and not person.is_active:
            leaving.reactivate(person=person, reason=f"Reactivated by {directory}", system=_system(directory))
    return ManagedAccount.objects.get(pk=row.pk)


def _ended_here(person: User) -> int | None:
    """Return the row of history by which a person, not a directory, ended this inactive account, or None."""
    rows = person.history.order_by("history_id")
    active = rows.filter(is_active=True).last()
    end = rows.filter(is_active=False, history_id__gt=active.history_id if active else 0).first()
    return end.history_id if end is not None and end.history_user_id is not None else None


def _ask_admins(directory: Directory, person: User, ended: int) -> None:
    """Tell the admins, once for an end, that a directory wants an account back that an admin ended."""
    about = f"returned:{person.pk}:{ended}"
    told = Notification.objects.filter(kind=account_notifications.KIND, object_key=about)
    for admin in User.objects.active().filter(is_admin=True).exclude(pk__in=told.values("person")):
        account_notifications.tell(
            admin,
            about,
            subject=f"{directory} calls {person} active again",
            text=(
                f"An admin deactivated the account {person.login}. The account stays deactivated until an admin "
                "reactivates it."
            ),
        )


def remove_account(*, row: ManagedAccount, asked_of: str = "") -> None:
    """End an account that its directory deletes. The directory no longer keeps it, and its person stays."""
    directory = row.directory
    with acting(system=_system(directory), reason="Account deleted in the directory"):
        row = _locked(row, asked_of)
        person = User.objects.select_for_update(of=("self",)).get(pk=row.person_id)
        if person.is_active:
            leaving.deactivate(person=person, reason=f"Deleted in {directory}", system=_system(directory))
        row.memberships.all().delete()
        row.removed_at, row.said = clock.now(), {}
        _touch(row)


def _carry_over(directory: Directory, person: User, said: Any, manager: User | None) -> None:
    """Copy name, address and manager from the directory into the account."""
    full_name, address = _full_name(said), _address(said)
    before = {"full_name": person.full_name, "email": person.email, "manager": _name(person.manager)}
    person.full_name, person.manager = full_name, manager
    change_address(person=person, address=address, by=directory.name)
    after = {"full_name": full_name, "email": address, "manager": _name(manager)}
    if before != after:
        person.save()
        _changed(
            person,
            {name: value for name, value in before.items() if after[name] != value},
            {name: value for name, value in after.items() if before[name] != value},
        )


def _changed(person: User, before: dict, after: dict) -> None:
    entries.record(
        EntryKind.ACCOUNT_CHANGED, row=person.full_name, row_id=person.pk, before=before, after=after
    )


def _locked(row: ManagedAccount, asked_of: str) -> ManagedAccount:
    row = ManagedAccount.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if row.removed_at is not None:
        raise PreconditionFailedException(
            detail="The account was deleted before this request. Read it again."
        )
    _insist(row, asked_of)
    return row


def _insist(row, asked_of: str) -> None:
    versions = {one.strip().removeprefix("W/") for one in asked_of.split(",") if one.strip()}
    if versions and "*" not in versions and etag(row.version).removeprefix("W/") not in versions:
        raise PreconditionFailedException(
            detail="The resource was changed before this request. First read the resource again."
        )


def _touch(row) -> None:
    row.version, row.changed_at = row.version + 1, clock.now()
    row.save()


# --- Groups --------------------------------------------------------------------------------------------------------


def make_group(*, directory: Directory, said: Any) -> ManagedGroup:
    """Keep a group of a directory, with its members. Raises InvalidValueException for members that are not here."""
    with acting(system=_system(directory), reason="Group of the directory"):
        now = clock.now()
        row = ManagedGroup(
            directory=directory,
            display_name=_short(said.display_name, "displayName"),
            external_id=_external_id(said),
            made_at=now,
            changed_at=now,
        )
        row.save()
        _set_members(row, said)
    return row


def change_group(*, row: ManagedGroup, said: Any, asked_of: str = "") -> ManagedGroup:
    """Update a group from its directory. Raises PreconditionFailedException, InvalidValueException."""
    with acting(system=_system(row.directory), reason="Group of the directory"):
        row = ManagedGroup.objects.select_for_update(of=("self",)).get(pk=row.pk)
        _insist(row, asked_of)
        row.display_name = _short(said.display_name, "displayName")
        row.external_id = _external_id(said)
        _touch(row)
        _set_members(row, said)
    return row


def remove_group(*, row: ManagedGroup, asked_of: str = "") -> None:
    """Delete a group. Its members lose no rights, because a group gives none."""
    with acting(system=_system(row.directory), reason="Group of the directory"):
        row = ManagedGroup.objects.select_for_update(of=("self",)).get(pk=row.pk)
        _insist(row, asked_of)
        row.delete()


def _set_members(row: ManagedGroup, said: Any) -> None:
    wanted = {one.value for one in said.members or [] if one.value}
    uids = {uid_of(value) for value in wanted}
    found = {
        one.uid: one
        for one in ManagedAccount.objects.filter(
            directory=row.directory, removed_at=None, uid__in=uids - {None}
        )
    }
    if len(found) < len(wanted):
        missing = sorted(value for value in wanted if uid_of(value) not in found)
        raise InvalidValueException(
            detail=f"No account of this directory has the id {missing[0]!r}. Send the id of an account that "
            "this directory made."
        )
    row.memberships.exclude(account__in=found.values()).delete()
    there = set(row.memberships.values_list("account_id", flat=True))
    for account in found.values():
        if account.pk not in there:
            ManagedMembership(group=row, account=account).save()


# --- What a directory says -----------------------------------------------------------------------------------------


def _system(directory: Directory) -> str:
    return f"directory {directory.name}"


def _name(person: User | None) -> str | None:
    return person.full_name if person is not None else None


def _login(user_name: str) -> str:
    field = User._meta.get_field("login")
    try:
        field.run_validators(user_name)  # its length too
    except ValidationError as wrong:
        words = " ".join(wrong.messages)
        raise InvalidValueException(
            detail=f"userName {user_name[:100]!r} cannot be a user name here: {words}"
        ) from None
    return user_name


def _full_name(said: Any) -> str:
    name = said.name
    parts = " ".join(part for part in (name.given_name, name.family_name) if part) if name else ""
    return _short(
        said.display_name or (name.formatted if name else "") or parts or said.user_name[:LONGEST_NAME],
        "displayName",
    )


def _short(text: str, attribute: str) -> str:
    text = (text or "").strip()
    if not text or len(text) > LONGEST_NAME:
        raise InvalidValueException(
            detail=f"{attribute} is empty or too long. Send 1 to {LONGEST_NAME} characters."
        )
    if len(text.splitlines()) > 1 or "\t" in text:
        raise InvalidValueException(
            detail=f"{attribute} has several lines or a tab. Send one line without tabs."
        )
    return text


def _address(said: Any) -> str:
    rows = [one for one in said.emails or [] if one.value]
    found = next((one.value for one in rows if one.primary), rows[0].value if rows else "")
    try:
        if found:
            validate_email(found)
            User._meta.get_field("email").run_validators(found)  # its length too
    except ValidationError:
        raise InvalidValueException(
            detail=f"emails: {found[:300]!r} is not an email address. Send an address such as ana@example.org."
        ) from None
    return found


def _manager(directory: Directory, said: Any, row: ManagedAccount | None) -> User | None:
    """Return the manager that the directory names by either id, or None without one."""
    # Okta sends its own id. A manager without an account yet is kept in `said`, and counts once the account exists.
    value = _manager_said(said)
    uid = uid_of(value)
    named = Q(uid=uid) if uid else Q(external_id=value)
    here = ManagedAccount.objects.filter(named, directory=directory, removed_at=None)
    found = here.first() if value else None
    if found is None:
        return None
    if row is not None and found.pk == row.pk:
        raise InvalidValueException(detail="A person cannot be their own manager. Send another manager.")
    return found.person


def _manager_said(said: Any) -> str:
    extension = said[Enterprise]
    return (extension.manager.value or "") if extension is not None and extension.manager is not None else ""


def _come_as_manager(row: ManagedAccount) -> None:
    """Set this account as the manager of people whose directory named it earlier."""
    if not row.external_id:
        return
    waiting = ManagedAccount.objects.filter(
        directory=row.directory, removed_at=None, person__manager=None, said__manager=row.external_id
    ).exclude(pk=row.pk)
    for person in User.objects.filter(managed__in=waiting).select_for_update(of=("self",)):
        person.manager = row.person
        person.save()
        _changed(person, {"manager": None}, {"manager": _name(row.person)})


def _external_id(said: Any) -> str:
    found = said.external_id or ""
    if len(found) > LONGEST_EXTERNAL_ID:
        raise InvalidValueException(
            detail=f"externalId has more than {LONGEST_EXTERNAL_ID} characters. Send a shorter externalId."
        )
    return found


def _check_external_id(directory: Directory, external_id: str, but: int = 0) -> None:
    others = ManagedAccount.objects.filter(directory=directory, external_id=external_id, removed_at=None)
    if external_id and others.exclude(pk=but).exists():
        raise UniquenessException(
            detail=f"externalId {external_id!r} belongs to another account. Send another one."
        )


def _said(said: Any) -> dict:
    """Return what is kept beside the columns, so the resource reads as it was sent."""
    name = said.name
    return {
        "display_name": said.display_name,
        "manager": _manager_said(said),
        "name": {
            part: getattr(name, part)
            for part in ("formatted", "family_name", "given_name")
            if getattr(name, part)
        }
        if name
        else None,
        "emails": [
            {"value": one.value, "type": one.type, "primary": one.primary} for one in said.emails or []
        ],
    }
