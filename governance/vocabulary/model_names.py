"""Comparison of model names in logs with those in the register, by pins and aliases.

This module is pure. Names are compared without capitals and without the provider in front ("openai/gpt-4o",
"eu.anthropic.claude-3-haiku"). Spaces and _ are -. A name that ends with a date, a build number or "latest" is a pin
of the alias before it: gpt-4o-2024-08-06 is a pin of gpt-4o. For one initiative, an alias in the register declares
every pin of the alias. A pin in the register declares the pin, and the alias if the log contains only the alias.
Another pin of the same alias is another model. For all initiatives together, every pin of an alias is one name
(`key_of`).
"""

import re
from collections.abc import Iterable

_PROVIDER = re.compile(
    r"^(?:(?:us|eu|apac|global)\.)?"
    r"(?:ai21|amazon|anthropic|azure|bedrock|cohere|deepseek|google|meta|mistral|openai|vertex-ai)[.:]"
)
# A date, a build number or "latest", and what Amazon Bedrock puts behind a date.
_PIN = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{3,4}|latest)(?:-v\d+(?::\d+)?)?$")
_ONLY_PIN = re.compile(r"^(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{3,4}|latest)$")


def normal(name: str) -> str:
    """Return the name in the form that is compared."""
    return _PROVIDER.sub("", re.sub(r"[\s_]+", "-", name.strip().casefold().rpartition("/")[2]))


def alias_of(name: str) -> str:
    """Return the alias that a normal name is a pin of, or the name itself."""
    return _PIN.sub("", name)


def names_of(name: str, version: str) -> set[str]:
    """Return the names of a model: "gpt-4o", "2024-08-06" is gpt-4o-2024-08-06 only."""
    name, version = normal(name), normal(version)
    if not version or version == name:
        return {name}
    if _ONLY_PIN.match(version):
        return {f"{name}-{version}"}
    if version.startswith(f"{name}-"):
        return {version}
    return {name, version, f"{name}-{version}"}


def is_declared(model: str, version: str, names: Iterable[str]) -> bool:
    """Return True if the model that answered has one of these names (`names_of`).

    `model` is the model that was asked for, `version` the one that answered, as the log has them. `version` decides
    if the log has both, because a gateway may pass a request on to another model.
    """
    known, seen = set(names), normal(version or model)
    alias = alias_of(seen)
    return seen in known or alias in known or any(alias_of(one) == seen for one in known)


def key_of(name: str) -> str:
    """Return the common part of a name's spellings, providers and pins, or ""."""
    return alias_of(normal(name))


def keys_of(name: str, version: str) -> set[str]:
    """Return the keys by which a recorded model is found, whichever pin of it is named."""
    return {alias_of(one) for one in names_of(name, version)} - {""}
