"""Whether a model that a log names is one that the register names, by pins and aliases. Pure.

Names are compared without capitals and without the path in front ("openai/gpt-4o"); spaces and _ are -. A name that
ends with a date, a build number or "latest" is a pin of the alias before it: gpt-4o-2024-08-06 is one of gpt-4o. The
rule: where the register names an alias, every pin of it is declared; where the register names a pin, that pin is, and
the alias as far as the log says no more. Another pin of the same alias is another model.
"""

import re
from collections.abc import Iterable

_PIN = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{3,4}|latest)$")
_ONLY_PIN = re.compile(r"^(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{3,4}|latest)$")


def normal(name: str) -> str:
    """The name as it is compared."""
    return re.sub(r"[\s_]+", "-", name.strip().casefold().rpartition("/")[2])


def alias_of(name: str) -> str:
    """The alias that a normal name is a pin of; the name itself where it is none."""
    return _PIN.sub("", name)


def names_of(name: str, version: str) -> set[str]:
    """What a recorded model may be called: "gpt-4o" with the version "2024-08-06" is gpt-4o-2024-08-06 and no more."""
    name, version = normal(name), normal(version)
    if not version or version == name:
        return {name}
    if _ONLY_PIN.match(version):
        return {f"{name}-{version}"}
    if version.startswith(f"{name}-"):
        return {version}
    return {name, version, f"{name}-{version}"}


def is_declared(model: str, version: str, names: Iterable[str]) -> bool:
    """Whether what answered is one of these names (`names_of`).

    `model` is what was asked for, `version` what answered, as the log has them; where it has both, what answered
    decides: a gateway that asks for one model and is answered by another is told by that alone.
    """
    known, seen = set(names), normal(version or model)
    alias = alias_of(seen)
    return seen in known or alias in known or any(alias_of(one) == seen for one in known)
