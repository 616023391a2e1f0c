"""The discovery document of a provider, and its keys as rows, recorded before use."""

from datetime import datetime
from typing import Any

from django.core.cache import cache

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.providers import discovery, http_client, jwk_rules
from governance.identity.providers.denials import Denied
from governance.models import IdentityProvider, ProviderKey
from governance.queue.task_base import after_commit
from governance.sign_in import throttling
from governance.vocabulary.entry_kinds import EntryKind

FRESH = 600  # seconds for which a process relies on a discovery document
KEYS_FRESH = 600  # seconds for which it relies on keys: one that was withdrawn ends by then
UNKNOWN_KEY = "keys of a provider"
FETCHES = 5  # for keys that are not known, in ten minutes, by all processes together


def metadata_of(provider: IdentityProvider) -> discovery.Metadata:
    """Return the judged discovery document of the pinned issuer. Raises Denied."""
    discovery.check_issuer(provider.issuer)
    place = f"identity-metadata-{provider.pk}"
    found: discovery.Metadata | None = cache.get(place)
    if found is None:
        address = f"{provider.issuer.rstrip('/')}{discovery.WELL_KNOWN}"
        document = http_client.get(address, f"The discovery document of {provider}")
        found = discovery.judge_document(document, issuer=provider.issuer)
        cache.set(place, found, FRESH)
    return found


def keys_of(
    provider: IdentityProvider, metadata: discovery.Metadata, *, anew: bool = False
) -> list[ProviderKey]:
    """Return the present keys, fetched if ten minutes old, or if `anew`. Raises Denied."""
    place = f"identity-keys-{provider.pk}"
    if anew or cache.get(place) is None:
        fetch(provider, metadata)
        cache.set(place, True, KEYS_FRESH)
    return list(provider.keys.filter(gone_at__isnull=True))


def after_unknown(provider: IdentityProvider, metadata: discovery.Metadata) -> list[ProviderKey]:
    """Return the keys fetched again, because a token names an unknown key. Raises Denied.

    A fetch happens at most a few times in ten minutes for all processes, so that tokens cannot make us ask more.
    """
    until = throttling.enter_try(f"provider {provider.pk}", purpose=UNKNOWN_KEY, most=FETCHES)
    if until is not None:
        raise Denied(
            "unknown key",
            "Too many tokens with unknown keys arrived, so the keys of the provider are not fetched again "
            "yet.",
            f"Try again from {clock.hour_in_words(until)}.",
        )
    return keys_of(provider, metadata, anew=True)


def fetch(provider: IdentityProvider, metadata: discovery.Metadata) -> list[ProviderKey]:
    """Fetch the keys, and record new and removed ones with an entry before their use.

    Raises Denied.
    """
    said = jwk_rules.usable(http_client.get(metadata.jwks, f"The address of the keys of {provider}"))
    now = clock.now()
    published = {(jwk_rules.thumbprint(jwk), jwk.get("kid", "")): jwk for jwk in said}
    with acting(system="sign-in", reason="Keys as the provider publishes them"):
        IdentityProvider.objects.select_for_update().get(pk=provider.pk)
        rows = {(row.thumbprint, row.kid): row for row in provider.keys.all()}
        changed: list[dict[str, Any]] = []
        for name, jwk in published.items():
            row = rows.get(name)
            if row is None:
                row = _row(provider, name, jwk, now)
            elif row.gone_at is None:
                continue
            row.gone_at = None
            row.save()
            changed.append({"kid": row.kid, "thumbprint": row.thumbprint, "state": "published"})
        for name, row in rows.items():
            if name not in published and row.gone_at is None:
                row.gone_at = now
                row.save()
                changed.append({"kid": row.kid, "thumbprint": row.thumbprint, "state": "gone"})
        if changed:
            entries.record(
                EntryKind.PROVIDER_KEYS_RECORDED, provider=provider.name, issuer=provider.issuer, keys=changed
            )
            after_commit("governance.tasks.seal_audit_log")  # before one of them proves a signature
    return list(provider.keys.filter(gone_at__isnull=True))


def _row(provider: IdentityProvider, name: tuple[str, str], jwk: jwk_rules.Jwk, now: datetime) -> ProviderKey:
    thumbprint, kid = name
    return ProviderKey(
        provider=provider,
        kid=kid,
        thumbprint=thumbprint,
        algorithm=jwk.get("alg") or jwk_rules.algorithms_of(jwk)[0],
        jwk=jwk,
        fetched_at=now,
    )


def forget(provider: IdentityProvider) -> None:
    """Make this process fetch the provider's document and keys again, after a change."""
    cache.delete_many([f"identity-metadata-{provider.pk}", f"identity-keys-{provider.pk}"])
