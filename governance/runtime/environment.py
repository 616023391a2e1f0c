"""Variables of the environment as switches and numbers; a wrong one says what to set."""

import os
import re

from django.core.exceptions import ImproperlyConfigured

from governance.runtime.secret_files import secret_text


def yes_or_no(name: str) -> bool:
    """The variable as a switch; off when it is not set."""
    text = os.environ.get(name, "").strip().lower()
    if text in ("", "0", "no", "off", "false"):
        return False
    if text in ("1", "yes", "on", "true"):
        return True
    raise ImproperlyConfigured(f"{name} is {text!r}; set it to 1 or 0.")


def whole_number(name: str, default: int, least: int, most: int | None, advice: str) -> int:
    """The variable as a whole number from `least` to `most`; `advice` says what to set it to."""
    text = os.environ.get(name, str(default))
    try:
        found = int(text)
    except ValueError:
        found = None
    if found is None or found < least or (most is not None and found > most):
        raise ImproperlyConfigured(f"{name} is {text!r}; set it to {advice}.")
    return found


def host_names(name: str) -> list[str]:
    """The hosts that a variable lists, with commas between them. Raises ImproperlyConfigured."""
    found = os.environ.get(name, "").replace(",", " ").lower().split()
    for host in found:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?", host):
            raise ImproperlyConfigured(
                f"{name} names {host!r}; set it to host names with commas between them, "
                "such as wiki.example.org,tickets.example.org:8443."
            )
    return found


def embeddings_service() -> tuple[str, str, str]:
    """Address, model and key of an embeddings service of the company's own; all "" where none is set."""
    url = os.environ.get("PLUMBLINE_EMBEDDINGS_URL", "")
    model = os.environ.get("PLUMBLINE_EMBEDDINGS_MODEL", "")
    key = secret_text(
        "PLUMBLINE_EMBEDDINGS_KEY",
        os.environ.get("PLUMBLINE_EMBEDDINGS_KEY", ""),
        os.environ.get("PLUMBLINE_EMBEDDINGS_KEY_FILE", ""),
    )
    if url and not re.match(r"(https://|http://(127\.0\.0\.1|localhost)[:/])\S+\Z", url):
        raise ImproperlyConfigured(
            f"PLUMBLINE_EMBEDDINGS_URL is {url!r}; set it to an https address such as "
            "https://models.example.org/v1/embeddings (http only on this machine: http://127.0.0.1:8080/v1/embeddings)."
        )
    if url and not model:
        raise ImproperlyConfigured(
            "PLUMBLINE_EMBEDDINGS_MODEL is not set; set it to the name of a model that the service in "
            "PLUMBLINE_EMBEDDINGS_URL has."
        )
    return url, model, key
