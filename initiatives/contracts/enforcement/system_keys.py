"""Keys of the systems of an initiative: made, rotated, revoked.

What is shown of a key is shown once, by whoever made it.
"""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.authorization import service_keys
from governance.models import ServiceKey, User
from governance.models.sign_in import KEY_SCOPES
from governance.permission_result import no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.requirements import standalone
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
    """Make a key for one system of the initiative. The token in full is in nobody's hands but the caller's.

    `principal` answers for the system, and approves nothing that it asks. Raises Refused, ValidationError.
    """
    wrong = {}
    if not system.strip():
        wrong["system"] = "Name the system that will ask, as its people call it."
    if not scopes or set(scopes) - set(KEY_SCOPES):
        wrong["scopes"] = "Choose what the key is for."
    if not clock.now() < expires_at <= clock.now() + LONGEST_LIFE:
        wrong["expires_on"] = "A key lives until a day within the next year."
    if not principal.is_active:
        wrong["principal"] = "Choose somebody who works here."
    if wrong:
        raise ValidationError(wrong)
    with act("make key", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage_keys(initiative, by).or_refuse()
        if initiative.contract_id is None:
            no(
                "This initiative has no contract yet.",
                "A key belongs to a contract: write its first version.",
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
        standalone.end_row(initiative, f"a key was made for {key.system}")
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
    """Make the successor of a key; the old one still opens for the change-over, then no more."""
    with act("rotate key", by=by, initiative=key.contract.initiative) as initiative:
        key = ServiceKey.objects.select_related("principal", "contract").get(pk=key.pk)
        if not key.good_at(clock.now()):
            no("This key opens nothing any more.", "Make a new one.").or_refuse()
        if ServiceKey.objects.filter(rotates=key).exists():
            no("This key was rotated already.", "Revoke it, or rotate its successor.").or_refuse()
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
        raise ValidationError({"reason": "Say why: it is kept with the key."})
    with act("revoke key", by=by, initiative=key.contract.initiative, reason=reason) as initiative:
        initiative_permissions.may_manage_keys(initiative, by).or_refuse()
        key = ServiceKey.objects.get(pk=key.pk)
        if key.revoked_at is not None:
            no("This key was revoked already.").or_refuse()
        key.revoked_at, key.revoked_by, key.revoked_reason = clock.now(), by, reason.strip()
        key.save()
        entries.record(EntryKind.KEY_REVOKED, initiative=initiative, system=key.system, public=key.public)
    return key
