"""Acts of admins on providers: add, change, renew a secret or our key, switch."""

from typing import Any

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.permissions import may_keep_providers
from governance.identity.providers import client_keys, discovery, provider_keys, secret_box
from governance.identity.providers.denials import Denied
from governance.models import IdentityProvider, Session, User
from governance.permission_result import no
from governance.vocabulary.entry_kinds import EntryKind

PINNED = ("slug", "issuer", "key_claim")
CHANGED_HERE = (
    "name",
    "kind",
    "client_id",
    "authentication",
    "scopes",
    "takes_guests",
    "makes_people",
    "unit_claim",
    "signing_acr",
)


def add_provider(*, secret: str = "", by: User, **said: Any) -> IdentityProvider:
    """Add a provider, switched off until it was tried. Raises ValidationError, Refused."""
    with acting(by=by, reason="Identity provider added"):
        may_keep_providers(by).or_refuse()
        try:
            discovery.check_issuer(said["issuer"])
        except Denied as denied:
            raise ValidationError({"issuer": str(denied)}) from None
        row = IdentityProvider(**said, switched_on=False, added_at=clock.now())
        _keep_secret(row, secret)
        row.full_clean()
        row.save()
        _make_key(row)
        entries.record(EntryKind.PROVIDER_ADDED, name=row.name, issuer=row.issuer, settings=_facts(row))
    return row


def change_provider(
    *, provider: IdentityProvider, secret: str = "", by: User, **said: Any
) -> IdentityProvider:
    """Change what may change; an empty secret keeps the one there is. Raises ValidationError, Refused."""
    with acting(by=by, reason="Identity provider changed"):
        may_keep_providers(by).or_refuse()
        row = IdentityProvider.objects.select_for_update().get(pk=provider.pk)
        before = _facts(row)
        for name in CHANGED_HERE:
            setattr(row, name, said.get(name, getattr(row, name)))
        _keep_secret(row, secret)
        row.full_clean()
        row.save()
        _make_key(row)
        entries.record(
            EntryKind.PROVIDER_CHANGED, before=before, after=_facts(row), secret_replaced=bool(secret)
        )
    provider_keys.forget(row)
    return row


def switch_provider(*, provider: IdentityProvider, on: bool, by: User) -> None:
    """Let people sign in with the provider, or end every session that came by it. Raises Refused."""
    with acting(by=by, reason=f"Identity provider switched {'on' if on else 'off'}"):
        may_keep_providers(by).or_refuse()
        row = IdentityProvider.objects.select_for_update().get(pk=provider.pk)
        if on and row.authentication == row.Authentication.SECRET and not row.secret_box:
            no("The provider has no client secret yet.", "First enter the client secret.").or_refuse()
        if row.switched_on == on:
            return
        row.switched_on = on
        row.save()
        ended = 0 if on else Session.objects.filter(provider=row).delete()[0]
        entries.record(
            EntryKind.PROVIDER_CHANGED, before={"on": not on}, after={"on": on}, name=row.name, sessions=ended
        )


def renew_key(*, provider: IdentityProvider, by: User) -> None:
    """Make a new client key for the provider. The earlier key signs nothing more. Raises Refused."""
    with acting(by=by, reason="Key for a provider renewed"):
        may_keep_providers(by).or_refuse()
        row = IdentityProvider.objects.select_for_update().get(pk=provider.pk)
        for old in row.client_keys.filter(ended_at__isnull=True):
            old.ended_at = clock.now()
            old.save()
        _make_key(row)


def _keep_secret(row: IdentityProvider, secret: str) -> None:
    if secret:
        row.secret_box = secret_box.closed(secret, f"client secret {row.slug}")
        row.secret_set_at = clock.now()


def _make_key(row: IdentityProvider) -> None:
    """Make our key if the provider needs one and has none."""
    if row.authentication != row.Authentication.PRIVATE_KEY:
        return
    if not row.client_keys.filter(ended_at__isnull=True).exists():
        key = client_keys.new_key(row, clock.now())
        key.save()
        entries.record(EntryKind.CLIENT_KEY_MADE, provider=row.name, kid=key.kid)


def _facts(row: IdentityProvider) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*PINNED, *CHANGED_HERE)} | {"on": row.switched_on}
