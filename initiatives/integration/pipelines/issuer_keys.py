"""The public keys of the issuers of pipelines, fetched over https and kept for a while by each process.

People who work on an initiative write the issuer, so it is fetched like a link that they wrote
(`governance.files.safe_fetch`): no address of the internal network, unless the settings name its host.
"""

from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache

from governance.files import safe_fetch
from governance.identity.providers import discovery, jwk_rules
from governance.identity.providers.denials import Denied
from governance.vocabulary import strict_json

FRESH = 600  # seconds for which a process relies on keys
PAUSE = 60  # seconds between two fetches of one issuer, whoever asks
LONGEST = 512 * 1024  # bytes of a document


class NoKeys(Exception):
    """The keys of an issuer cannot be fetched. The message has the cause and the fix."""


def check_issuer(issuer: str) -> str:
    """Return why an issuer cannot be declared, with the fix, or "" if it can."""
    try:
        discovery.check_issuer(issuer)
    except Denied as why:
        return str(why)
    return "" if urlsplit(issuer).scheme == "https" else "Use an issuer that begins with https://."


def keys_of(issuer: str, *, anew: bool = False) -> list[jwk_rules.Jwk]:
    """Return the keys that an issuer publishes, fetched if not known, or if `anew`. Raises NoKeys.

    Within a minute after a fetch the known keys are returned also if `anew`, so that no token makes Plumbline ask
    more often.
    """
    place = f"pipeline-keys:{issuer}"
    known: list[jwk_rules.Jwk] | None = cache.get(place)
    if known is not None and not anew:
        return known
    if not cache.add(f"pipeline-keys-asked:{issuer}", True, PAUSE):
        if known is not None:
            return known
        raise NoKeys(f"The keys of {issuer} could not be fetched a moment ago. Try again in a minute.")
    try:
        document = _json_at(f"{issuer.rstrip('/')}{discovery.WELL_KNOWN}")
        if not isinstance(document, dict) or document.get("issuer") != issuer:
            raise NoKeys(
                f"The discovery document of {issuer} does not name this issuer. Check the declared issuer."
            )
        address = document.get("jwks_uri")
        if not isinstance(address, str):
            raise NoKeys(f"The discovery document of {issuer} has no jwks_uri. Check the declared issuer.")
        found = jwk_rules.usable(_json_at(address))
    except Denied as why:
        raise NoKeys(f"The keys of {issuer} cannot be used. {why}") from None
    cache.set(place, found, FRESH)
    return found


def _json_at(address: str) -> Any:
    if urlsplit(address).scheme != "https":
        raise NoKeys(f"{discovery.plain(address, 200)} is not an https address. Check the declared issuer.")
    try:
        fetched = safe_fetch.fetch(address, safe_fetch.Rules.of_settings())
        if len(fetched.content) > LONGEST:
            raise NoKeys(f"{address} answers with more than {LONGEST // 1024} KB. Check the declared issuer.")
        return strict_json.read(fetched.content)
    except (safe_fetch.NotFetched, strict_json.NotJson):
        raise NoKeys(
            f"Plumbline cannot read {address}. Check the declared issuer, and that this server reaches it. A host "
            "of the internal network must be in PLUMBLINE_CAPTURE_HOSTS."
        ) from None
