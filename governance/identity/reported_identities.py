"""Keys, addresses and names of people that providers and directories report, and that differ here.

A report changes nothing. Admins take reports over or decline them, many at once. A key that is taken over counts a day
later, like every link that an admin makes.
"""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import linked_accounts, same_person, ways_in
from governance.identity.permissions import may_keep_providers
from governance.identity.proofs import ceremony
from governance.identity.proofs.ceremony import Proof
from governance.identity.providers.denials import Denied
from governance.identity.providers.round_trip import VerifiedToken
from governance.models import Directory, ExternalIdentity, IdentityProvider, ReportedIdentity, User
from governance.notifications.inbox import InboxTask
from governance.notifications.notify import notify
from governance.people import cooling_off
from governance.permission_result import Conflict, no
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import Phrase, phrase

KEY, ADDRESS, NAME = ReportedIdentity.Kind.KEY, ReportedIdentity.Kind.ADDRESS, ReportedIdentity.Kind.NAME
ORDER: dict[str, int] = {KEY: 0, ADDRESS: 1, NAME: 2}  # on the page
CHANGED_NAME = "name changed"  # the kind of notification


# --- Reporting -----------------------------------------------------------------------------------------------------


def refuse_new_key(token: VerifiedToken) -> None:
    """Raise Denied for an unknown key of one person who has a link with another key. The key is reported.

    The directory of the provider names the person by the key, or else the token does by its address. The address opens
    nothing. A declined key, or a key that was another person's, is not of this kind.
    """
    provider, address = token.provider, linked_accounts.address_in(token.claims)
    kept = linked_accounts.kept_for(token)
    person = kept.person if kept else _linked_with_address(address)
    if person is None or not current(person, KEY):
        return
    anothers = ExternalIdentity.objects.filter(provider=provider, key=token.key).exclude(person=person)
    if anothers.exists() or _declined(person, KEY, token.key).exists():
        return
    with acting(system="sign-in", reason=f"New key at {provider}"):
        _report(
            person,
            KEY,
            token.key,
            provider=provider,
            address=address,
            verified=kept is not None or _states_verified(token),
        )
    raise Denied(
        "new key",
        f"{provider} identifies you by a new key, which no Plumbline account has.",
        "Ask an admin to take over the new key on the page Identity. You can sign in with it a day later. Sign in "
        "with your Plumbline password until then, if you have one.",
    )


def _linked_with_address(address: str) -> User | None:
    """Return the only active person with the address who has a link, or None."""
    people = User.objects.active().filter(email__iexact=address) if address else User.objects.none()
    linked = people.filter(pk__in=ExternalIdentity.objects.open().values("person"))
    found = list(linked[:2])
    return found[0] if len(found) == 1 else None


def report_of_sign_in(token: VerifiedToken, person: User) -> None:
    """Report another address or name in the token of a person who signs in.

    A directory that keeps the account reports them itself.
    """
    if hasattr(person, "managed") and person.managed.removed_at is None:
        return
    said = {ADDRESS: linked_accounts.address_in(token.claims), NAME: token.identity.name}
    for kind, value in said.items():
        if value and not same(kind, current(person, kind), value):
            verified = kind == NAME or _states_verified(token)
            with acting(system="sign-in", reason=f"Another {kind.label} at {token.provider}"):
                _report(person, kind, value, provider=token.provider, verified=verified)
        elif value:
            _open_of(person, kind).filter(provider=token.provider).delete()


def report_address(person: User, address: str, *, directory: Directory) -> None:
    """Report the address that a directory has for its account, in the running act."""
    if same(ADDRESS, person.email, address):
        _open_of(person, ADDRESS).delete()
    else:
        _report(person, ADDRESS, address, directory=directory)


def tell_of_name(person: User, before: str, *, directory: Directory) -> None:
    """Notify the person of a name that their directory changed, and the admins once a day, without an extra email."""
    said = f"{directory} changed the name from {before} to {person.full_name}."
    notify(
        person,
        CHANGED_NAME,
        f"name:{person.pk}",
        period=clock.now().isoformat(),
        subject="The name of your account was changed",
        text=said,
        link=reverse("account"),
    )
    notify(
        admins().exclude(pk=person.pk),
        CHANGED_NAME,
        f"names:{directory.pk}",
        period=clock.today().isoformat(),
        subject=f"{directory} changed names of accounts",
        text=f"{said} The audit log has each change of the day.",
        link=reverse("accounts"),
    )


def current(person: User, kind: str, provider: IdentityProvider | None = None) -> str:
    """Return what the account has now: its address, its name, or its key at the provider or at another."""
    if kind == ADDRESS:
        return person.email
    if kind == NAME:
        return person.full_name
    links = [row for row in person.external_identities.all() if row.ended_at is None]
    own = [row for row in links if provider is not None and row.provider_id == provider.pk]
    return (own or links)[0].key if links else ""


def same(kind: str, one: str, other: str) -> bool:
    """Return True if two values are the same in small letters, a name also in another order of its words."""
    if kind == NAME:
        return _words(one) == _words(other)
    return one.casefold() == other.casefold()


def _words(name: str) -> list[str]:
    return sorted(name.casefold().replace(",", " ").split())


def _states_verified(token: VerifiedToken) -> bool:
    return token.claims.get("email_verified") in (True, "true")


def _open_of(person: User, kind: str):
    return ReportedIdentity.objects.waiting().filter(person=person, kind=kind)


def _declined(person: User, kind: str, value: str):
    return ReportedIdentity.objects.filter(
        person=person, kind=kind, value=value, answered_at__isnull=False, taken=False
    )


def admins():
    """Return the admins, who answer reports."""
    return User.objects.active().filter(is_admin=True)


def _report(
    person: User,
    kind: ReportedIdentity.Kind,
    value: str,
    *,
    provider: IdentityProvider | None = None,
    directory: Directory | None = None,
    address: str = "",
    verified: bool = True,
) -> None:
    """Keep a report in place of an earlier one of its kind, in the running act, and tell the person once a value."""
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if _open_of(person, kind).filter(value=value).exists() or _declined(person, kind, value).exists():
        return
    _open_of(person, kind).delete()
    row = ReportedIdentity(
        person=person,
        kind=kind,
        provider=provider,
        directory=directory,
        value=value,
        address=address,
        verified=verified,
        reported_at=clock.now(),
    )
    row.save()
    entries.record(EntryKind.IDENTITY_REPORTED, **_facts(row))
    if kind == NAME:
        notify(
            person,
            CHANGED_NAME,
            f"reported:{row.pk}",
            subject=f"{row.source} has another name for you",
            text=f"The name is {value}. Your account keeps the name {person.full_name} until an admin changes it.",
            link=reverse("account"),
        )
    else:
        account_notifications.tell(
            person, f"reported:{row.pk}", subject=f"{row.source} has {_news(row)} for you", text=_told(row)
        )


def _news(row: ReportedIdentity) -> str:
    return "a new key" if row.kind == KEY else "another email address"


def _told(row: ReportedIdentity) -> str:
    if row.kind == KEY:
        return (
            f"Someone with the address {row.address or 'none'} signed in at {row.source} with a key that your account "
            "does not have. The key opens nothing until an admin takes it over. If that was not you, tell an admin."
        )
    return (
        f"The address there is {row.value or 'none'}. Your account keeps the address {row.person.email or 'none'} "
        "until an admin takes the other one over. If you do not know the other address, tell an admin."
    )


def _facts(row: ReportedIdentity) -> dict:
    return {
        "person": row.person.full_name,
        "person_id": row.person_id,
        "what": row.get_kind_display(),
        "value": row.value,
        "address": row.address,
        "verified": row.verified,
        "source": row.source.name,
    }


def change_address(*, person: User, address: str, by: User | str) -> None:
    """Change an account's email address in the running act, and notify the old one.

    Links for a password go to the new address after a day. An account that already has the new address may be the same
    human's. `by` is a person, or a directory's name. The caller saves the account.
    """
    before = User.objects.values_list("email", flat=True).get(pk=person.pk)
    if before == address:
        return
    person.email, person.address_changed_at = address, clock.now()
    go_on = ways_in.take(person, EntryKind.ACCOUNT_CHANGED, by=None)
    account_notifications.tell(
        person,
        f"address:{person.pk}",
        subject="The email address of your account was changed",
        text=(
            f"{by} changed the address to {address or 'none'}. Links for your password go to the new address from "
            f"{clock.moment_in_words(person.address_changed_at + cooling_off.LASTS)}, and to the old "
            f"address until then. {go_on}"
        ),
    )
    same_person.look(person)


# --- Answering ------------------------------------------------------------------------------------------------------


def waiting() -> list[ReportedIdentity]:
    """Return the reports that wait for an admin, about active people, keys first."""
    rows = ReportedIdentity.objects.waiting().filter(person__is_active=True)
    rows = rows.select_related("person", "provider", "directory")
    return sorted(rows, key=lambda row: (ORDER[row.kind], row.person.full_name, row.pk))


def tasks(person: User) -> list[InboxTask]:
    """Return one task of an admin for each kind of report that waits."""
    if not (person.is_admin and person.is_active):
        return []
    rows = waiting()
    found = []
    for kind, words in ((KEY, _key_words), (ADDRESS, _address_words), (NAME, _name_words)):
        mine = [row for row in rows if row.kind == kind]
        if mine:
            found.append(
                InboxTask(
                    "confirm",
                    words(len(mine)),
                    f"{reverse('identity-reported')}#{kind}",
                    phrase("Open the list"),
                    phrase("Reported by {}.", ", ".join(sorted({str(row.source) for row in mine}))),
                    since=clock.local_day(min(row.reported_at for row in mine)),
                )
            )
    return found


def _key_words(count: int) -> Phrase:
    return (
        phrase("1 person came with a new key")
        if count == 1
        else phrase("{} people came with new keys", count)
    )


def _address_words(count: int) -> Phrase:
    return (
        phrase("1 person has another email address")
        if count == 1
        else phrase("{} people have other email addresses", count)
    )


def _name_words(count: int) -> Phrase:
    return phrase("1 person has another name") if count == 1 else phrase("{} people have other names", count)


def why_not(row: ReportedIdentity, by: User) -> Phrase:
    """Return why this admin cannot take the report over, and what to do, or ""."""
    if row.person_id == by.pk:
        return phrase("Ask another admin, because the account is yours.")
    return Phrase("")


def signed_facts(row: ReportedIdentity) -> dict:
    """Return what an admin signs about a report: the person, the value here and the reported one."""
    return {
        "person": row.person_id,
        "login": row.person.login,
        "source": row.source.name,
        "what": row.kind,
        "now": current(row.person, row.kind, row.provider),
        "new": row.value,
        "address": row.address,
    }


def take_over(
    *, reports: Sequence[ReportedIdentity], proofs: Mapping[int, Proof | None] | None = None, by: User
) -> None:
    """Take reports over, all or none, each with its proof. Raises Refused, Conflict, Denied."""
    with acting(by=by, reason="Reported identities taken over"):
        may_keep_providers(by).or_refuse()
        for row in _answered(reports, by, taken=True):
            with ceremony.signing((proofs or {}).get(row.pk)):
                _take_over(row, by)


def decline(*, reports: Sequence[ReportedIdentity], by: User) -> None:
    """Decline reports: these values are not reported again. A declined key may get a new account."""
    with acting(by=by, reason="Reported identities declined"):
        may_keep_providers(by).or_refuse()
        for row in _answered(reports, by, taken=False):
            entries.record(EntryKind.IDENTITY_REPORT_DECLINED, **_facts(row))


def _answered(reports: Sequence[ReportedIdentity], by: User, *, taken: bool) -> list[ReportedIdentity]:
    keys = [row.pk for row in reports]
    rows = list(ReportedIdentity.objects.waiting().select_for_update(of=("self",)).filter(pk__in=keys))
    if len(rows) < len(keys):
        raise Conflict("One of the reports was already answered. Open the page again.")
    for row in rows:
        if why := why_not(row, by):
            no(why).or_refuse()
        row.answered_at, row.answered_by, row.taken = clock.now(), by, taken
        row.save()
    return rows


def _take_over(row: ReportedIdentity, by: User) -> None:
    person = User.objects.select_for_update(of=("self",)).get(pk=row.person_id)
    if row.kind == KEY and row.provider is not None:
        old = ExternalIdentity.objects.open().filter(person=person, provider=row.provider).first()
        if old is not None:
            linked_accounts.revoke_link(identity=old, reason=f"Replaced by the key {row.value}", by=by)
        linked_accounts.link_for(person=person, provider=row.provider, key=row.value, by=by)
        return
    column, before = ("email", person.email) if row.kind == ADDRESS else ("full_name", person.full_name)
    if row.kind == ADDRESS:
        change_address(person=person, address=row.value, by=by)
    else:
        person.full_name = row.value
    person.save()
    entries.record(
        EntryKind.ACCOUNT_CHANGED,
        row=person.full_name,
        row_id=person.pk,
        before={column: before},
        after={column: row.value},
    )
