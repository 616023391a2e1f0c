"""Variables of the environment as switches and numbers; a wrong one says what to set."""

import os

from django.core.exceptions import ImproperlyConfigured


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
