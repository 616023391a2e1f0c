"""ID tokens that prove a signature: their person, their statement, their validity.

The nonce of a token is the challenge of one frozen statement, so that the token was made for that statement after it
was shown. `auth_time` shows that the person signed in again, without an earlier session of the provider.
"""

from django.db.models import Q, QuerySet
from webauthn.helpers import base64url_to_bytes

from governance import clock
from governance.identity.factors import passkeys
from governance.identity.providers import jwk_rules
from governance.identity.providers.denials import Denied
from governance.identity.providers.round_trip import VerifiedToken
from governance.models import Entry, ExternalIdentity, FrozenStatement, ProviderKey, User
from governance.offline import verify

AGAIN = "Go back to the page with the statement, and sign again."


class KeyNotSealed(ValueError):
    """The key of a token is not sealed into the audit log yet. The statement stays unused."""


def links_of(person: User) -> QuerySet[ExternalIdentity]:
    """Return the linked accounts by which the person can prove something now.

    A link that someone made proves nothing in its first day, as a new passkey, so that the person has a day to act on
    its notification. A link without a maker, from the first sign-in, proves at once.
    """
    now = clock.now()
    return (
        ExternalIdentity.objects.counting(now)
        .filter(person=person, provider__switched_on=True)
        .filter(Q(linked_by=None) | Q(linked_at__lte=now - passkeys.WAITS))
        .select_related("provider")
    )


def own_link(person: User, token: VerifiedToken) -> ExternalIdentity:
    """Return the person's linked account of the token. Raises Denied."""
    link = links_of(person).filter(provider=token.provider, key=token.key).first()
    if link is None:
        raise Denied(
            "person",
            f"The account that signed in at {token.provider} is not linked with your Plumbline account.",
            f"Sign in at the provider with your own account. {AGAIN}",
        )
    return link


def keep(person: User, token: VerifiedToken) -> FrozenStatement:
    """Put the token beside the statements that it answers. Return the first. Raises Denied.

    A token answers one statement of this person, or all of a batch. It is checked as everyone outside will check it.
    """
    link, now = own_link(person, token), clock.now()
    asked = FrozenStatement.objects.filter(
        person=person, challenge=base64url_to_bytes(token.round_trip.nonce)
    )
    frozen = asked.order_by("pk").first()
    if frozen is None:
        raise Denied(
            "statement",
            "A newer version of the statement was shown, or the statement was never shown to you.",
            AGAIN,
        )
    evidence = {
        "id_token": token.raw,
        "jwk": verify.key_of_jwk(token.jwk),
        "algorithm": token.algorithm,
        "issuer": token.issuer,
        "client_id": token.provider.client_id,
        "fetched_at": token.fetched_at.isoformat(),
        "identity": link.pk,
        "provider_key": _key(token).pk,
    }
    try:
        moments = {"shown_at": frozen.shown_at.timestamp(), "at": now.timestamp()}
        verify.check_id_token(evidence, bytes(frozen.challenge), **moments)
    except verify.Rejected as rejected:
        raise Denied("evidence", str(rejected), AGAIN) from None
    rows = asked.filter(used_at=None, expires_at__gt=now)
    if not rows.update(identity=link, evidence=evidence):
        raise Denied("late", "The time to sign has passed, or the statement is already signed.", AGAIN)
    return frozen


def _key(token: VerifiedToken) -> ProviderKey:
    thumbprint, kid = jwk_rules.thumbprint(token.jwk), token.jwk.get("kid", "")
    return token.provider.keys.get(thumbprint=thumbprint, kid=kid)


def check_sealed(statements: list[FrozenStatement]) -> None:
    """Raise KeyNotSealed if the key of these frozen statements is not sealed yet."""
    if not statements or not statements[0].evidence:
        return
    sealed = Entry.objects.filter(
        table=ProviderKey._meta.db_table,
        key=str(statements[0].evidence["provider_key"]),
        operation="+",
        leaf__isnull=False,
    )
    if not sealed.exists():
        raise KeyNotSealed("The key of the provider is new and not sealed into the audit log yet.")


def why_not_counting(frozen: FrozenStatement) -> str:
    """Return why a signature at a provider no longer counts, or ""."""
    if frozen.identity_id is None:
        return "No one has signed this statement at a provider."
    if not links_of(frozen.person).filter(pk=frozen.identity_id).exists():
        return "Signing with this provider was switched off, or your account is no longer linked with it."
    return ""
