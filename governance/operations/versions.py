"""The versions of code, schema and rulebook, as probes, pages and `manage.py version` show them."""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from governance.models import Rulebook

OURS = ("governance", "initiatives", "adoption")
KEPT = 60.0  # seconds for which a process keeps the rulebook in force
SHOWN = 4  # digits of a migration's name

_rulebook: tuple[float, str] | None = None  # when it was read, and its version


@dataclass(frozen=True)
class Versions:
    """The versions in the footer. `rulebook` is "" before the first rulebook is published."""

    code: str
    schema: str
    rulebook: str


@cache
def newest_migrations() -> dict[str, str]:
    """Return the newest migration of each app, read from the files once per process."""
    return {
        app: max(path.stem for path in Path(settings.BASE_DIR, app, "migrations").glob("[0-9]*.py"))
        for app in OURS
    }


def schema() -> str:
    """Return the schema of the code in short: the numbers of the newest migrations, in the order of the apps."""
    return ".".join(name[:SHOWN] for name in newest_migrations().values())


def shown() -> Versions:
    """Return the versions for a page. A query reads the rulebook at most once in `KEPT` seconds."""
    global _rulebook
    now = time.monotonic()
    if _rulebook is None or now >= _rulebook[0] + KEPT:
        in_force = Rulebook.objects.in_force()
        _rulebook = (now, in_force.version if in_force else "")
    return Versions(settings.VERSION, schema(), _rulebook[1])


def forget() -> None:
    """Read the rulebook again at the next page."""
    global _rulebook
    _rulebook = None
