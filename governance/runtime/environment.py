"""Variables of the environment as switches and numbers. The error of a wrong one has the fix."""

import os
import re
import ssl
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from governance.runtime.secret_files import secret_text, seed

SAFE_ADDRESS = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)[:/])\S+\Z")  # http only on this machine


def yes_or_no(name: str) -> bool:
    """Return the variable as a switch, which is off if it is not set."""
    text = os.environ.get(name, "").strip().lower()
    if text in ("", "0", "no", "off", "false"):
        return False
    if text in ("1", "yes", "on", "true"):
        return True
    raise ImproperlyConfigured(f"{name} is {text!r}. Set it to 1 or 0.")


def whole_number(name: str, default: int, least: int, most: int | None, advice: str) -> int:
    """Return the variable as a whole number from `least` to `most`. `advice` is the fix in the error."""
    text = os.environ.get(name, str(default))
    try:
        found = int(text)
    except ValueError:
        found = None
    if found is None or found < least or (most is not None and found > most):
        raise ImproperlyConfigured(f"{name} is {text!r}. Set it to {advice}.")
    return found


def secret(name: str) -> str:
    """Return the variable, or the text of the file that the variable `name`_FILE names, or "".

    Raises ImproperlyConfigured.
    """
    return secret_text(name, os.environ.get(name, ""), os.environ.get(f"{name}_FILE", ""))


def key_seed(name: str) -> bytes | None:
    """Return the 32 bytes of the key in the variable, or in the file that the variable `name`_FILE names, or None.

    Raises ImproperlyConfigured.
    """
    return seed(name, os.environ.get(name, ""), os.environ.get(f"{name}_FILE", ""))


def another_database(name: str, whose: str) -> dict | None:
    """Return the database that the variable or its file names like DATABASE_URL, or None. `whose` is for the fix.

    Raises ImproperlyConfigured.
    """
    url = secret(name)
    if not url:
        return None
    wrong = ImproperlyConfigured(
        f"{name} cannot be read. Set it like DATABASE_URL, with {whose}. Write the characters @ : / # in its password "
        "as %40 %3A %2F %23."
    )
    if not re.match(r"(postgres|postgresql)://.*/.+", url):
        raise wrong
    try:
        found = environ.Env.db_url_config(url)
    except ValueError:
        raise wrong from None
    # A socket folder arrives as ?host=..., because the host part of an address cannot hold a path.
    found["HOST"] = found.get("OPTIONS", {}).pop("host", found["HOST"])
    return found


def host_names(name: str) -> list[str]:
    """Return the hosts that a variable lists, with commas between them. Raises ImproperlyConfigured."""
    found = os.environ.get(name, "").replace(",", " ").lower().split()
    for host in found:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?", host):
            raise ImproperlyConfigured(
                f"{name} names {host!r}. Set it to host names with commas between them, such as "
                "wiki.example.org,tickets.example.org:8443."
            )
    return found


def syslog_receiver() -> tuple[str, int, str] | None:
    """Return host, port and file of certificates ("": those of the system) of the receiver of the audit log, or None.

    Raises ImproperlyConfigured.
    """
    text, file = os.environ.get("PLUMBLINE_SYSLOG", ""), os.environ.get("PLUMBLINE_SYSLOG_CA", "")
    if not text:
        return None
    found = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})", text)
    if not found or not 1 <= int(found[2]) <= 65535:
        raise ImproperlyConfigured(
            f"PLUMBLINE_SYSLOG is {text!r}. Set it to the host and the port of a syslog receiver over TLS, such as "
            "siem.example.org:6514."
        )
    try:
        ssl.create_default_context(cafile=file or None)
    except OSError as trouble:
        raise ImproperlyConfigured(
            f"PLUMBLINE_SYSLOG_CA is {file!r}, which cannot be used ({trouble.strerror or trouble}). Set it to a file "
            "with the certificates of the authorities (PEM) that sign for the syslog receiver."
        ) from None
    return found[1].strip("[]"), int(found[2]), file


def embeddings_service() -> tuple[str, str, str]:
    """Return address, model and key of the company's embeddings service, or all ""."""
    url = os.environ.get("PLUMBLINE_EMBEDDINGS_URL", "")
    model = os.environ.get("PLUMBLINE_EMBEDDINGS_MODEL", "")
    key = secret("PLUMBLINE_EMBEDDINGS_KEY")
    if url and not SAFE_ADDRESS.match(url):
        raise ImproperlyConfigured(
            f"PLUMBLINE_EMBEDDINGS_URL is {url!r}. Set it to an https address such as "
            "https://models.example.org/v1/embeddings (http only on this machine: "
            "http://127.0.0.1:8080/v1/embeddings)."
        )
    if url and not model:
        raise ImproperlyConfigured(
            "PLUMBLINE_EMBEDDINGS_MODEL is not set. Set it to the name of a model that the service in "
            "PLUMBLINE_EMBEDDINGS_URL has."
        )
    return url, model, key


def witnesses(name: str, key_of: Callable[[str], Any]) -> list[tuple[str, Any]]:
    """Return address and key of each witness that a variable lists.

    `key_of` reads a public key, or raises ValueError. Raises ImproperlyConfigured.
    """
    found: list[tuple[str, Any]] = []
    for pair in re.split(r"[;\n]", os.environ.get(name, "")):
        if not pair.strip():
            continue
        url, _, text = pair.strip().partition(" ")
        try:
            key = key_of(text.strip())
        except ValueError as why:
            raise _wrong_witness(name, pair, str(why)) from None
        if len(key.name) > 100:
            raise _wrong_witness(name, pair, "The name of the witness has more than 100 characters.")
        if not SAFE_ADDRESS.match(url):
            raise _wrong_witness(name, pair, "The address does not begin with https://.")
        if key.name in {other.name for _, other in found}:
            raise _wrong_witness(name, pair, f"The witness {key.name} is named twice.")
        found.append((url.rstrip("/"), key))
    return found


def _wrong_witness(name: str, pair: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{name} names {pair.strip()!r}: {why} Set it to an https address and the key of the witness, with a space "
        "between them (http only on this machine), such as https://witness.example.org/plumbline "
        "witness.example.org+1a2b3c4d+BA... Separate witnesses with semicolons."
    )


def file_stores() -> dict[str, Any]:
    """Return the arguments of the storage of files (`governance.storage.kept_files`). Raises ImproperlyConfigured.

    A former store takes missing values from the present store.
    """
    here, former = os.environ.get("PLUMBLINE_STORE", ""), os.environ.get("PLUMBLINE_STORE_FORMER", "")
    if former and former == (here or "folder"):
        raise ImproperlyConfigured(
            "PLUMBLINE_STORE and PLUMBLINE_STORE_FORMER name the same store. Unset PLUMBLINE_STORE_FORMER."
        )
    present = {
        "endpoint_url": os.environ.get("PLUMBLINE_STORE_ENDPOINT", ""),
        "region_name": os.environ.get("PLUMBLINE_STORE_REGION", ""),
        "access_key": secret("PLUMBLINE_STORE_KEY_ID"),
        "secret_key": secret("PLUMBLINE_STORE_SECRET"),
    }
    earlier = {
        "endpoint_url": os.environ.get("PLUMBLINE_STORE_FORMER_ENDPOINT", ""),
        "region_name": os.environ.get("PLUMBLINE_STORE_FORMER_REGION", ""),
        "access_key": secret("PLUMBLINE_STORE_FORMER_KEY_ID"),
        "secret_key": secret("PLUMBLINE_STORE_FORMER_SECRET"),
    }
    earlier = {part: value or present[part] for part, value in earlier.items()}
    days = whole_number("PLUMBLINE_STORE_LOCK_DAYS", 0, 0, 36_500, "days from 1 to 36500, or 0 for no lock")
    key = key_seed("PLUMBLINE_STORE_ENCRYPTION_KEY")
    earlier_key = key_seed("PLUMBLINE_STORE_FORMER_ENCRYPTION_KEY")
    place = _bucket("PLUMBLINE_STORE", here, present)
    return {
        "here": place and place | {"lock_days": days},
        "former": [_bucket("PLUMBLINE_STORE_FORMER", former, earlier)] if former else [],
        "keys": [one for one in (key, earlier_key) if one is not None],
        "encrypts": key is not None,
    }


def _bucket(name: str, address: str, told: dict[str, str]) -> dict[str, Any] | None:
    """Return the arguments of the bucket of an address, or None for the folder. Raises ImproperlyConfigured."""
    if address in ("", "folder"):
        return None
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._-]+)*)/?", address)
    if not found or ".." in address:
        raise ImproperlyConfigured(
            f"{name} is {address!r}. Set it to folder, or to a bucket and a prefix such as "
            "s3://plumbline-files/production."
        )
    if not (find_spec("storages") and find_spec("boto3")):
        raise ImproperlyConfigured(
            f"{name} names a bucket, but the libraries for it are not installed. Install the libraries of "
            "requirements-s3.lock."
        )
    if told["endpoint_url"] and not re.match(r"https?://[^\s/]+/?\Z", told["endpoint_url"]):
        raise ImproperlyConfigured(
            f"{name}_ENDPOINT is {told['endpoint_url']!r}. Set it to an address such as "
            "https://s3.example.org."
        )
    if bool(told["access_key"]) is not bool(told["secret_key"]):
        raise ImproperlyConfigured(
            f"Only one of {name}_KEY_ID and {name}_SECRET is set. Set both, or unset both to use the "
            "role of the host."
        )
    place = {"bucket_name": found[1], "location": found[2].strip("/")}
    return place | {part: value or None for part, value in told.items()}
