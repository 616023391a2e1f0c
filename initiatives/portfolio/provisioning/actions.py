"""Acts of directories on accounts and groups, and of admins on directories.

A directory acts as a named part of the system, and only on rows that it made. It never adopts an existing account by
its name or address, and it cannot see local accounts, such as emergency ones. Deactivating an account ends roles, seats
and sessions in the same transaction. No person is ever deleted. An account that the directory deleted and makes again
is the same account.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
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
from governance.identity import linked_accounts, reported_identities, same_person
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
from governance.organisation.actions import open_to_own
from governance.people.permissions import may_keep_accounts
from governance.permission_result import no
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.portfolio.provisioning.queries import uid_of
from initiatives.portfolio.provisioning.resources import (
    address_in,
    etag,
    external_id_in,
    full_name_in,
    kept_of,
    login_in,
    manager_in,
    one_line,
)
from initiatives.portfolio.units import leaving

LONGEST_LIFE = timedelta(days=366)


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
    """Make the account that a directory describes, without a role, seat or password, or the one that it deleted again.

    Raises UniquenessException (409) if someone here has the name already, and InvalidValueException.
    """
    with acting(system=_system(directory), reason="Account made by the directory"):
        login, full_name, address = login_in(said.user_name), full_name_in(said), address_in(said)
        if (deleted := _deleted(directory, said)) is not None:
            return _made_again(deleted, said)
        login = _login_for(directory, login)
        _check_name(said.user_name, login=login)
        _check_external_id(directory, external_id_in(said))
        manager = _manager(directory, said, None)
        person = User.objects.create_user(
            login, full_name=full_name, email=address, manager=manager, is_active=said.active is not False
        )
        now = clock.now()
        row = ManagedAccount(
            directory=directory,
            person=person,
            user_name=said.user_name,
            external_id=external_id_in(said),
            said=kept_of(said),
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


def _check_name(user_name: str, but: ManagedAccount | None = None, *, login: str = "") -> None:
    """Raise UniquenessException if another account has the name, with words about that account."""
    people = User.objects.filter(login__iexact=login or user_name)
    person = people.exclude(pk=but.person_id if but else 0).first()
    others = ManagedAccount.objects.filter(user_name__iexact=user_name, removed_at=None)
    if person is not None and not person.is_active:
        raise UniquenessException(
            detail=f"A deactivated account has the user name {user_name}, and this directory did not make it. Send "
            "another userName, or ask an admin to reactivate the account."
        )
    if person is not None or others.exclude(pk=but.pk if but else 0).exists():
        raise UniquenessException(
            detail=f"An account {user_name} exists already, and a directory cannot take it over. Ask the "
            "person to sign in and link the account."
        )


def _deleted(directory: Directory, said: Any) -> ManagedAccount | None:
    """Return the account that this directory deleted and now makes again: by external id, or else by name.

    Entra ID renames what it deletes at once, and deletes it here thirty days later.
    """
    rows = ManagedAccount.objects.filter(directory=directory).select_for_update(of=("self",))
    login, named = Q(person__login__iexact=said.user_name), Q(user_name__iexact=said.user_name)
    gone, renamed = Q(removed_at__isnull=False), Q(person__is_active=False) & login & ~named
    if said.external_id and (row := rows.filter(gone, external_id=said.external_id).first()):
        return row
    return rows.filter(gone & (named | login) | renamed).order_by("-removed_at", "-pk").first()


def _login_for(directory: Directory, user_name: str) -> str:
    """Return the user name of a new account, or a free one like it if the directory renamed the account that has it."""
    renamed = ManagedAccount.objects.filter(directory=directory, person__login__iexact=user_name)
    if renamed.filter(removed_at=None).exclude(user_name__iexact=user_name).exists():
        return linked_accounts.free_login(user_name)
    return user_name


def _made_again(row: ManagedAccount, said: Any) -> ManagedAccount:
    """Let the directory keep a deleted account again, with a new id and without roles or seats. Admins are told.

    The account waits for an admin if its external id is another one, because it may be of another person, or if an
    admin ended it.
    """
    directory = row.directory
    _check_name(said.user_name, row)
    _check_external_id(directory, external_id_in(said), row.pk)
    waits = row.external_id != external_id_in(said)
    row.uid, row.removed_at, row.made_at = uuid.uuid4(), None, clock.now()
    row.user_name, row.external_id, row.said = said.user_name, external_id_in(said), kept_of(said)
    row.said["waits"] = waits
    _touch(row)
    person = User.objects.select_for_update(of=("self",)).get(pk=row.person_id)
    if said.active is not False:
        _return(directory, person, row, waits=waits)
        person.refresh_from_db()
    _carry_over(directory, person, said, _manager(directory, said, row))
    _come_as_manager(row)
    _changed(person, {"directory": None}, {"directory": directory.name, "user_name": row.user_name})
    if person.is_active or said.active is False:
        _tell_admins(
            f"made again:{row.uid}",
            subject=f"{directory} made the account of {person} again",
            text=f"The account {person.login} is the same one as before, without roles and seats.",
        )
    return ManagedAccount.objects.get(pk=row.pk)


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
            _check_name(login_in(said.user_name), row)
        if directory.provider_id and row.external_id and said.external_id != row.external_id:
            raise MutabilityException(
                detail="externalId identifies the person who signs in to this account, and cannot change. "
                "Delete the account and make a new account."
            )
        _check_external_id(directory, external_id_in(said), row.pk)
        person = User.objects.select_for_update(of=("self",)).get(pk=row.person_id)
        _carry_over(directory, person, said, _manager(directory, said, row))
        waits = bool(row.said.get("waits")) and not person.is_active
        row.user_name, row.external_id, row.said = said.user_name, external_id_in(said), kept_of(said)
        row.said |= {"active_removed": unset, "waits": waits}
        _touch(row)
        wanted = person.is_active if said.active is None else said.active
        if person.is_active and not wanted:
            leaving.deactivate(person=person, reason=f"Ended by {directory}", system=_system(directory))
        elif wanted and not person.is_active:
            _return(directory, person, row, waits=waits)
    return ManagedAccount.objects.get(pk=row.pk)


def _return(directory: Directory, person: User, row: ManagedAccount, *, waits: bool) -> None:
    """Reactivate an account for its directory, or ask the admins if one ended it or it waits for them."""
    ended = _ended_here(person)
    if not ended and not waits:
        leaving.reactivate(person=person, reason=f"Reactivated by {directory}", system=_system(directory))
        return
    about = f"returned:{person.pk}:{ended or row.uid}"
    if Notification.objects.filter(kind=account_notifications.KIND, object_key=about).exists():
        return  # once for an end
    why = (
        f"An admin deactivated the account {person.login}. The account stays deactivated until an admin "
        "reactivates it."
        if ended
        else f"The account {person.login} has another id in the directory than before. Reactivate the account if "
        "it is the same person. If it is another person, delete the account in the directory, and make an account "
        "with another user name there."
    )
    _tell_admins(about, subject=f"{directory} calls {person} active again", text=why)


def _ended_here(person: User) -> int | None:
    """Return the row of history by which a person, not a directory, ended this inactive account, or None."""
    rows = person.history.order_by("history_id")
    active = rows.filter(is_active=True).last()
    end = rows.filter(is_active=False, history_id__gt=active.history_id if active else 0).first()
    return end.history_id if end is not None and end.history_user_id is not None else None


def _tell_admins(about: str, *, subject: str, text: str) -> None:
    for admin in reported_identities.admins():
        account_notifications.tell(admin, about, subject=subject, text=text)


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
    """Copy name and manager from the directory into the account. Another address waits for an admin."""
    full_name, address = full_name_in(said), address_in(said)
    before = {"full_name": person.full_name, "email": person.email, "manager": _name(person.manager)}
    name, person.full_name, person.manager = person.full_name, full_name, manager
    if person.email:
        reported_identities.report_address(person, address, directory=directory)
    else:
        reported_identities.change_address(person=person, address=address, by=directory.name)
    after = {"full_name": full_name, "email": person.email, "manager": _name(manager)}
    if before != after:
        person.save()
        _changed(
            person,
            {name: value for name, value in before.items() if after[name] != value},
            {name: value for name, value in after.items() if before[name] != value},
        )
    if name != full_name:
        reported_identities.tell_of_name(person, name, directory=directory)


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
            display_name=one_line(said.display_name, "displayName"),
            external_id=external_id_in(said),
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
        row.display_name = one_line(said.display_name, "displayName")
        row.external_id = external_id_in(said)
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


# --- What a directory names -----------------------------------------------------------------------------------------


def _system(directory: Directory) -> str:
    return f"directory {directory.name}"


def _name(person: User | None) -> str | None:
    return person.full_name if person is not None else None


def _manager(directory: Directory, said: Any, row: ManagedAccount | None) -> User | None:
    """Return the manager that the directory names by either id, or None without one."""
    # Okta sends its own id. A manager without an account yet is kept in `said`, and counts once the account exists.
    value = manager_in(said)
    uid = uid_of(value)
    named = Q(uid=uid) if uid else Q(external_id=value)
    here = ManagedAccount.objects.filter(named, directory=directory, removed_at=None)
    found = here.first() if value else None
    if found is None:
        return None
    if row is not None and found.pk == row.pk:
        raise InvalidValueException(detail="A person cannot be their own manager. Send another manager.")
    return found.person


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


def _check_external_id(directory: Directory, external_id: str, but: int = 0) -> None:
    others = ManagedAccount.objects.filter(directory=directory, external_id=external_id, removed_at=None)
    if external_id and others.exclude(pk=but).exists():
        raise UniquenessException(
            detail=f"externalId {external_id!r} belongs to another account. Send another one."
        )
