"""Acts on service accounts: open, change, review and close. Source: S1-13.

The closing of an account is due once the last initiative that used it ends.
"""

from datetime import date, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Rulebook, User
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.systems import permissions
from initiatives.lifecycle.access.roles_and_seats import accepted
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.holds.actions import complete_row, open_obligations
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, Link, Obligation, ServiceAccount, System

OBLIGATION = "service_account"
LONGEST_REVIEW = 366  # days between two looks at what an account may do


def open_account(
    *,
    system: System,
    name: str,
    owner: User | None = None,
    privileges: str = "",
    review_by: date | None = None,
    by: User,
) -> ServiceAccount:
    """Record a service account in a system. Raises ValidationError, Refused.

    `review_by` is the last day for the next review of its permissions. An account without this day or an owner is a
    finding of every initiative that uses it.
    """
    account = ServiceAccount(
        system=system,
        name=name.strip(),
        owner=owner,
        privileges=privileges.strip(),
        review_by=review_by,
        opened_by=by,
        opened_at=clock.now(),
    )
    with act("open account", by=by, register=True):
        account.system = System.objects.select_related("owner").get(pk=system.pk)
        permissions.may_change_system(account.system, by).or_refuse()
        _check(account)
        account.save()
        entries.record(EntryKind.ACCOUNT_OPENED, **_told(account))
    return account


def change_account(
    *,
    account: ServiceAccount,
    name: str,
    owner: User | None,
    privileges: str,
    review_by: date | None,
    by: User,
) -> ServiceAccount:
    """Change the data of an account, and update the initiatives that use it."""
    with act("change account", by=by, register=True):
        account, initiatives = _locked(account)
        permissions.may_change_account(account, by).or_refuse()
        before, was = _told(account), account.owner_id
        if was != (owner and owner.pk):
            permissions.may_hand_over_account(account, by).or_refuse()
        account.name, account.owner = name.strip(), owner
        account.privileges, account.review_by = privileges.strip(), review_by
        _check(account, was)
        if _told(account) == before:
            return account
        account.save()
        entries.record(EntryKind.ACCOUNT_CHANGED, before=before, **_told(account))
        follow(initiatives)
    return account


def review_account(*, account: ServiceAccount, privileges: str, review_by: date, by: User) -> ServiceAccount:
    """Record a review of an account: what it may do, and the day of the next review."""
    wrong = {}
    if not privileges.strip():
        wrong["privileges"] = "Describe the permissions of the account, as you found them."
    last = clock.today() + timedelta(days=LONGEST_REVIEW)
    if not clock.today() < review_by <= last:
        wrong["review_by"] = f"Choose a day from tomorrow to {last:%-d %B %Y}."
    if wrong:
        raise ValidationError(wrong)
    with act("review account", by=by, register=True):
        account, initiatives = _locked(account)
        permissions.may_change_account(account, by).or_refuse()
        account.privileges, account.review_by = privileges.strip(), review_by
        account.save()
        entries.record(EntryKind.ACCOUNT_REVIEWED, **_told(account))
        follow(initiatives)
    return account


def close_account(*, account: ServiceAccount, reason: str, by: User) -> ServiceAccount:
    """Record that an account is closed in its system, and complete what is due for it.

    Initiatives whose links still name the account lack an identity until they name another. Raises ValidationError,
    Refused.
    """
    if not reason.strip():
        raise ValidationError(
            {
                "reason": "Describe how the account was closed, and name the person who closed it in its system."
            }
        )
    with act("close account", by=by, register=True, reason=reason):
        account, initiatives = _locked(account)
        permissions.may_close_account(account, by).or_refuse()
        account.closed_at, account.closed_by, account.closed_reason = clock.now(), by, reason.strip()
        account.save()
        entries.record(EntryKind.ACCOUNT_CLOSED, why=account.closed_reason, **_told(account))
        _complete(account, by=by, note="The account was closed")
        follow(initiatives)
    return account


# What the acts on links share with these


def used_again(account: ServiceAccount | None, *, by: User) -> None:
    """Complete the obligation to close an account that an initiative uses again.

    Runs inside the act in which the owner of its system agrees.
    """
    if account is not None:
        _complete(account, by=by, note="Another initiative uses the account")


def open_closing_obligations(initiative: Initiative, links: list[Link]) -> None:
    """Open an obligation to close each account that only the ended initiative used.

    Runs inside the act that ends the initiative. Due from the account's owner, else the system's, else the
    initiative's, within the rulebook's days for a post-mortem.
    """
    keys = {link.account_id for link in links if link.account_id}
    others = Link.objects.current().filter(account__in=keys).exclude(initiative=initiative)
    alone = keys - set(others.values_list("account", flat=True))
    accounts = ServiceAccount.objects.open().filter(pk__in=alone).select_related("system__owner", "owner")
    owner = accepted(initiative, Role.OWNER)
    last = owner.person if owner else initiative.registered_by
    days = Rulebook.objects.current().parsed.freshness.post_mortem_due_days
    open_obligations(
        initiative,
        [
            Obligation(
                kind=OBLIGATION,
                source=f"account:{account.pk}",
                text=f"Close the service account {account} in {account.system}: no link uses the account"[
                    :250
                ],
                due=clock.today() + timedelta(days=days),
                responsible=next(
                    (
                        one
                        for one in (account.owner, account.system.owner)
                        if one is not None and one.is_active
                    ),
                    last,
                ),
            )
            for account in accounts.order_by("pk")
        ],
    )


def _complete(account: ServiceAccount, *, by: User, note: str) -> None:
    obligations = Obligation.objects.open().filter(kind=OBLIGATION, source=f"account:{account.pk}")
    for obligation in obligations.select_related("initiative"):
        complete_row(obligation, by=by, note=note)


def _locked(account: ServiceAccount) -> tuple[ServiceAccount, list[Initiative]]:
    """Return the account as it is now, and the locked initiatives whose links name it."""
    row = ServiceAccount.objects.select_related("system__owner", "owner").get(pk=account.pk)
    links = Link.objects.current().filter(account=row)
    return row, lock_initiatives(links.values_list("initiative", flat=True))


def _told(account: ServiceAccount) -> dict:
    return {
        "account": account.name,
        "system": account.system.name,
        "owner": account.owner.full_name if account.owner else None,
        "privileges": account.privileges,
        "review_by": account.review_by,
    }


def _check(account: ServiceAccount, was: int | None = None) -> None:
    wrong = {}
    if not account.name:
        wrong["name"] = "Use the name that the account has in its system."
    elif (
        account.system.service_accounts.open()
        .filter(name__iexact=account.name)
        .exclude(pk=account.pk)
        .exists()
    ):
        wrong["name"] = f"{account} of {account.system} is recorded already. Use that record."
    if account.owner is not None and not account.owner.is_active and account.owner_id != was:
        wrong["owner"] = f"{account.owner} is no longer active. Name someone else."
    if wrong:
        raise ValidationError(wrong)
