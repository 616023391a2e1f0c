"""ID tokens that prove a signature: whose, put beside the frozen statement that they answer, and what counts later.

The nonce of such a token is the challenge of one frozen statement, so that it was made for that alone, after it was
shown; `auth_time` says that its person was asked anew, and did not ride on a session of the provider.
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

AGAIN = "Go back to the page that you came from, and sign with it once more."


class KeyNotSealed(ValueError):
    """The key that signed a token is not sealed into the audit log yet; it is in a moment, and nothing is used up."""


def links_of(person: User) -> QuerySet[ExternalIdentity]:
    """The linked accounts by which the person can prove something now.

    One that they linked themselves proves nothing in its first day, as a new passkey: whoever is told of it and did not
    do it has that day. Of nobody else's linking it is the account that they have had from the beginning.
    """
    now = clock.now()
    return (
        ExternalIdentity.objects.counting(now)
        .filter(person=person, provider__switched_on=True)
        .filter(Q(linked_by=None) | Q(linked_at__lte=now - passkeys.WAITS))
        .select_related("provider")
    )


def own_link(person: User, token: VerifiedToken) -> ExternalIdentity:
    """The person's own linked account that the token is of. Raises Denied."""
    link = links_of(person).filter(provider=token.provider, key=token.key).first()
    if link is None:
        raise Denied(
            "person",
            f"The account that signed in at {token.provider} is not the one that is linked to yours.",
            f"Sign in there with your own account. {AGAIN}",
        )
    return link


def keep(person: User, token: VerifiedToken) -> FrozenStatement:
    """Put the token beside the statement of this person that it answers, or beside all of a batch; the first of them.
    Raises Denied.

    What is kept is checked as everybody outside will check it.
    """
    link, now = own_link(person, token), clock.now()
    asked = FrozenStatement.objects.filter(
        person=person, challenge=base64url_to_bytes(token.round_trip.nonce)
    )
    frozen = asked.order_by("pk").first()
    if frozen is None:
        raise Denied("statement", "What this answers was shown anew since, or never to you.", AGAIN)
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
        raise Denied("late", "That took too long, or was signed already.", AGAIN)
    return frozen


def _key(token: VerifiedToken) -> ProviderKey:
    thumbprint, kid = jwk_rules.thumbprint(token.jwk), token.jwk.get("kid", "")
    return token.provider.keys.get(thumbprint=thumbprint, kid=kid)


def check_sealed(statements: list[FrozenStatement]) -> None:
    """Raise KeyNotSealed where the key behind these frozen statements is not sealed into the audit log yet."""
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
    """Why what was signed at a provider does not count any more; empty where it does."""
    if frozen.identity_id is None:
        return "Nobody has signed this in at a provider."
    if not links_of(frozen.person).filter(pk=frozen.identity_id).exists():
        return "Signing with this provider was switched off, or your account is not linked with it any more."
    return ""
