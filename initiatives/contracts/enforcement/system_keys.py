"""Acts on keys of an initiative's systems: make, rotate, revoke, and name who is responsible, with its reminder.

A key is shown once, to the person who made it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.authorization import service_keys
from governance.models import ServiceKey, User
from governance.models.sign_in import KEY_SCOPES
from governance.notifications import due
from governance.notifications.due import Due, before, late
from governance.permission_result import no
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Contribution
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Initiative

LONGEST_LIFE = timedelta(days=366)
# How long the old key of a rotated one still opens, so that a system can change over without a gap.
CHANGE_OVER = timedelta(hours=24)


def make_key(
    *,
    initiative: Initiative,
    system: str,
    scopes: list[str],
    principal: User,
    expires_at: datetime,
    rotates: ServiceKey | None = None,
    by: User,
) -> tuple[ServiceKey, service_keys.Token]:
    """Make a key for one system of the initiative. Only the caller gets the full token.

    The account `principal` answers for the system, and cannot approve its requests. Raises Refused, ValidationError.
    """
    wrong = {}
    if not system.strip():
        wrong["system"] = "Enter the name that people use for the system."
    if not scopes or set(scopes) - set(KEY_SCOPES):
        wrong["scopes"] = "Choose the purpose of the key."
    if not clock.now() < expires_at <= clock.now() + LONGEST_LIFE:
        wrong["expires_on"] = "Choose a last day within the next year."
    if not principal.is_active:
        wrong["principal"] = "Choose an active person."
    if wrong:
        raise ValidationError(wrong)
    with act("make key", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage_keys(initiative, by).or_refuse()
        if initiative.contract_id is None:
            no(
                "This initiative has no contract yet.",
                "Write the first version of the contract: a key belongs to a contract.",
            ).or_refuse()
        token = service_keys.fresh()
        key = ServiceKey(
            contract=initiative.contract,
            system=system.strip(),
            public=token.public,
            secret_hash=token.digest,
            scopes=sorted(set(scopes)),
            principal=principal,
            made_by=by,
            made_at=clock.now(),
            expires_at=expires_at,
            rotates=rotates,
        )
        key.save()
        entries.record(
            EntryKind.KEY_MADE,
            initiative=initiative,
            system=key.system,
            public=key.public,
            scopes=key.scopes,
            expires_at=expires_at,
        )
    return key, token


def rotate_key(*, key: ServiceKey, expires_at: datetime, by: User) -> tuple[ServiceKey, service_keys.Token]:
    """Make the successor of a key. The old key still opens for the change-over."""
    with act("rotate key", by=by, initiative=key.contract.initiative) as initiative:
        key = ServiceKey.objects.select_related("principal", "contract").get(pk=key.pk)
        if not key.good_at(clock.now()):
            no("This key has expired or was revoked.", "Make a new key.").or_refuse()
        if key.principal_left_at is not None:
            no(
                phrase("The account of {} has ended.", key.principal),
                "Name another responsible person first.",
            ).or_refuse()
        if ServiceKey.objects.filter(rotates=key).exists():
            no("This key was already rotated.", "Revoke this key, or rotate the new key.").or_refuse()
        made = make_key(
            initiative=initiative,
            system=key.system,
            scopes=key.scopes,
            principal=key.principal,
            expires_at=expires_at,
            rotates=key,
            by=by,
        )
        key.expires_at = min(key.expires_at, clock.now() + CHANGE_OVER)
        key.save()
    return made


def revoke_key(*, key: ServiceKey, reason: str, by: User) -> ServiceKey:
    """Revoke a key at once. Raises Refused."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. The reason is kept with the key."})
    with act("revoke key", by=by, initiative=key.contract.initiative, reason=reason) as initiative:
        initiative_permissions.may_manage_keys(initiative, by).or_refuse()
        key = ServiceKey.objects.get(pk=key.pk)
        if key.revoked_at is not None:
            no("This key was already revoked.").or_refuse()
        key.revoked_at, key.revoked_by, key.revoked_reason = clock.now(), by, reason.strip()
        key.save()
        entries.record(EntryKind.KEY_REVOKED, initiative=initiative, system=key.system, public=key.public)
    return key


def revoke_all(initiative: Initiative, why: str, *, by: User) -> None:
    """Revoke every key that still opens, inside the act that reopens the initiative."""
    if initiative.contract_id is None:
        return
    for key in initiative.contract.keys.filter(revoked_at=None, expires_at__gt=clock.now()):
        key.revoked_at, key.revoked_by, key.revoked_reason = clock.now(), by, why
        key.save()
        entries.record(EntryKind.KEY_REVOKED, initiative=initiative, system=key.system, public=key.public)


def name_principal(*, key: ServiceKey, principal: User, by: User) -> ServiceKey:
    """Name another person who is responsible for a key. Raises Refused, ValidationError."""
    with act("name principal", by=by, initiative=key.contract.initiative) as initiative:
        initiative_permissions.may_manage_keys(initiative, by).or_refuse()
        if not principal.is_active:
            raise ValidationError({"principal": "Choose an active person."})
        key = ServiceKey.objects.select_related("principal").get(pk=key.pk)
        if not key.good_at(clock.now()):
            no("This key has expired or was revoked.", "Make a new key.").or_refuse()
        before, key.principal, key.principal_left_at = key.principal, principal, None
        key.save()
        entries.record(
            EntryKind.KEY_PRINCIPAL_NAMED,
            initiative=initiative,
            system=key.system,
            public=key.public,
            before=before.full_name,
            after=principal.full_name,
        )
    return key


def keys_of(person: User) -> QuerySet[ServiceKey]:
    """Return the keys that are valid now and for which the person is responsible."""
    return (
        ServiceKey.objects.filter(principal=person, revoked_at=None, expires_at__gt=clock.now())
        .select_related("contract__initiative")
        .order_by("pk")
    )


def principal_left(person: User) -> None:
    """Note in the running act that the account of a responsible person ended, and notify the owners."""
    keys = list(keys_of(person))
    for key in keys:
        key.principal_left_at = clock.now()
        key.save()
        entries.record(
            EntryKind.KEY_LEFT,
            initiative=key.contract.initiative,
            system=key.system,
            public=key.public,
            person=person.full_name,
            until=key.named_until,
        )
    if keys:
        due.run(queries=[keys_without_person])


def principal_back(person: User) -> None:
    """Note in the running act that a responsible person has their account again."""
    for key in keys_of(person).exclude(principal_left_at=None):
        key.principal_left_at = None
        key.save()


def keys_without_person(moment: datetime) -> Iterator[Due]:
    """Yield the keys for which another person must be named, to the owner, or to sponsor and chair without one."""
    today = clock.local_day(moment)
    keys = list(
        ServiceKey.objects.filter(principal_left_at__isnull=False, revoked_at=None, expires_at__gt=moment)
        .select_related("principal", "contract__initiative__unit")
        .order_by("pk")
    )
    circle = Circle(key.contract.initiative for key in keys)
    for key in keys:
        initiative, last = key.contract.initiative, clock.last_day_before(key.named_until)
        yield from told(
            circle.in_charge(initiative),
            before(last, today) or late(last, today, weekly=True),
            about(
                initiative,
                "key without person",
                # A second person who leaves is another matter than the first.
                f"key:{key.pk}:{clock.local_day(key.principal_left_at)}",
                f"no one is responsible for the key of {key.system}",
                text=(
                    f"The account of {key.principal} has ended. Name another person by {last:%-d %B %Y}. After that "
                    "day, Plumbline denies every request for a decision with this key."
                ),
                link=reverse("api-access", args=[initiative.ref]),
                due_on=last,
            ),
        )


CONTRIBUTION = Contribution(reopeners=[revoke_all])
