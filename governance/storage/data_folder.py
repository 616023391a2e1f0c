"""The data folder, identified by a mark in it that also stands in the database.

A folder that is not mounted looks like an empty one. Whoever trusted it would write into the audit log that all files
are gone. So a process on `DATABASE_URL` does not start, no file is looked for and none is taken in, unless the mark
fits.
"""

import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage
from django.db import DatabaseError, connection, models

from governance import clock
from governance.models import DataFolder
from governance.runtime.secret_files import kept

MARK = "installation"  # the file with the mark, beside the files themselves
SAMPLED = 25  # of the oldest and of the newest files of each kind


class WrongFolder(ImproperlyConfigured):
    """The folder of files is not the one that the database names; the text says what to do."""


@dataclass(frozen=True)
class Sample:
    """How many recorded files were looked for, and how many of them are in the folder."""

    looked: int
    found: int

    @property
    def fits(self) -> bool:
        """Whether this can be the folder: at least half are there. Where no file is recorded, any folder fits."""
        return self.found * 2 >= self.looked


# --- The mark ---------------------------------------------------------------------------------------------------------


def place() -> Path:
    """The file with the mark."""
    return Path(settings.MEDIA_ROOT) / MARK


def mark_here() -> str:
    """The mark of the folder as it is now; empty where there is none."""
    try:
        return place().read_text().strip()
    except OSError:
        return ""


def mark_named() -> str:
    """The mark that the database names; empty where it names none yet."""
    return DataFolder.objects.values_list("mark", flat=True).first() or ""


def take() -> None:
    """Make this folder the one that the database names: by the mark that it has, or a new one. Raises OSError.

    A mark that is there is kept, because another database may name it too: a restore beside a running installation
    must not take its folder away.
    """
    place().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = not place().exists()
    mark = kept(place().parent, MARK, size=16)
    if made:
        place().chmod(0o644)  # no secret, and who migrates may be another user than who serves
    DataFolder.objects.update_or_create(only=True, defaults={"mark": mark, "marked_at": clock.now()})


def wrong() -> str:
    """Why this folder is not the one that the database names, as a sentence; empty when it is."""
    named, here = mark_named(), mark_here()
    if named and secrets.compare_digest(named, here):
        return ""
    way = "`manage.py adopt_folder` makes this folder the right one for good"
    if not named:
        return f"the database names no folder of files yet; run `manage.py migrate` beside {place().parent}, or {way}."
    state = "has the mark of another installation" if here else "has no mark"
    return (
        f"the folder of files {settings.MEDIA_ROOT} {state}: it is not the one that this database names. See that it "
        f"is mounted and that PLUMBLINE_DATA is right; {way}."
    )


def condition() -> str:
    """ "ok", or what is wrong, in words for strangers: without a path."""
    return "is not the one that the database names; see PLUMBLINE_DATA" if wrong() else "ok"


def demand() -> None:
    """Raises WrongFolder where files must not be looked for or taken in."""
    if why := wrong():
        raise WrongFolder(why)


def demand_at_start() -> None:
    """The same for a process that starts on `DATABASE_URL`. What cannot be asked yet is left to /readyz."""
    if settings.EMBEDDED:
        return
    try:
        demand()
    except DatabaseError:
        pass
    finally:
        connection.close()


# --- Which folder it is, where the database does not say --------------------------------------------------------------


def take_first(*, tell: Callable[[str], None] = lambda line: None) -> None:
    """Take the folder where the database names none yet, if the files that it records are there; else say so.

    The embedded database lies in the data folder itself, so there it is always the right one.
    """
    if DataFolder._meta.db_table not in connection.introspection.table_names() or mark_named():
        return
    seen = sample()
    if not (settings.EMBEDDED or seen.fits):
        tell(
            f"Of {seen.looked} recorded files {seen.found} are in {settings.MEDIA_ROOT}: it was not marked as the "
            "folder of this database. Mount the right one and run `manage.py migrate` again, or "
            "`manage.py adopt_folder`."
        )
        return
    try:
        take()
    except OSError as trouble:
        tell(
            f"The folder {settings.MEDIA_ROOT} could not be marked ({trouble.strerror}); run `manage.py adopt_folder`."
        )


def after_migrate(*, stdout=None, **_) -> None:
    """Signal receiver for post_migrate, which is sent when the migrations of all apps are done."""
    take_first(tell=stdout.write if stdout else partial(print, file=sys.stderr))


def sample() -> Sample:
    """Look for some of the recorded files that are not known to be missing: the oldest and the newest of each kind."""
    looked = found = 0
    for model, field in kinds():
        rows = model._base_manager.exclude(**{field.name: ""})
        if any(one.name == "missing_since" for one in model._meta.concrete_fields):
            rows = rows.filter(missing_since__isnull=True)
        for order in ("pk", "-pk"):
            for name in rows.order_by(order).values_list(field.name, flat=True)[:SAMPLED]:
                looked += 1
                found += field.storage.exists(name)
    return Sample(looked, found)


def kinds() -> Iterator[tuple[type[models.Model], models.FileField]]:
    """Every model whose rows speak of files, with the field, where its table is there."""
    present = set(connection.introspection.table_names())
    for model in apps.get_models():
        if model._meta.db_table in present:
            for field in model._meta.concrete_fields:
                if isinstance(field, models.FileField):
                    yield model, field


def storage_of_files() -> Storage:
    """Where rows keep their files: one storage for all."""
    return next(field.storage for _, field in kinds())
