"""Client authentication: a client secret, or an assertion by our key (RFC 7523)."""

import base64
import json
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import quote

from joserfc import jwt
from joserfc.jwk import ECKey

from governance import clock
from governance.identity.providers import discovery, secret_box
from governance.identity.providers.denials import Denied
from governance.models import ClientKey, IdentityProvider

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LASTS = 60  # seconds of an assertion
ALGORITHM = "ES256"


def new_key(provider: IdentityProvider, at: datetime) -> ClientKey:
    """Return a new unsaved P-256 key of ours, with the private half encrypted."""
    key = ECKey.generate_key("P-256", private=True)
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
    box = secret_box.closed(json.dumps(key.as_dict(private=True)), f"client key {kid}")
    return ClientKey(provider=provider, kid=kid, public_jwk=public, private_box=box, made_at=at)


def published(provider: IdentityProvider) -> dict[str, Any]:
    """Return the JWKS of the key that signs for this provider."""
    return {"keys": [row.public_jwk for row in provider.client_keys.filter(ended_at__isnull=True)]}


def proof_of(
    provider: IdentityProvider, metadata: discovery.Metadata
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields and headers that authenticate us at the token endpoint. Raises Denied."""
    private = provider.authentication == IdentityProvider.Authentication.PRIVATE_KEY
    way = discovery.way_of(metadata, private_key=private)
    if way == discovery.PRIVATE_KEY:
        assertion = _assertion(provider, metadata)
        return {
            "client_id": provider.client_id,
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion,
        }, {}
    secret = secret_box.opened(provider.secret_box, f"client secret {provider.slug}")
    if way == discovery.POST:
        return {"client_id": provider.client_id, "client_secret": secret}, {}
    # RFC 6749 2.3.1: both are form-encoded before they are joined.
    pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
    return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _assertion(provider: IdentityProvider, metadata: discovery.Metadata) -> str:
    row = provider.client_keys.filter(ended_at__isnull=True).first()
    if row is None:
        raise Denied(
            "client",
            "Plumbline has no key for this provider.",
            "An admin can make a key on the page of the provider.",
        )
    key = ECKey.import_key(json.loads(secret_box.opened(row.private_box, f"client key {row.kid}")))
    now = int(clock.now().timestamp())
    claims = {
        "iss": provider.client_id,
        "sub": provider.client_id,
        # The issuer alone, not the token endpoint: what signs for one provider is taken by no other.
        "aud": metadata.issuer if provider.kind != IdentityProvider.Kind.ENTRA else metadata.token,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + LASTS,
    }
    return jwt.encode({"alg": ALGORITHM, "kid": row.kid, "typ": "JWT"}, claims, key)
