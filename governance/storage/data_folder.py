"""The folder or bucket of files, identified by a mark that is also in the database.

A folder that is not mounted looks empty. If a process trusted it, the process would record in the audit log that all
files are gone. A process on `DATABASE_URL` therefore starts, reads files and takes files only if the mark fits.
"""

import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, models

from governance import clock
from governance.models import DataFolder
from governance.storage.kept_files import KeptFiles, StoreAway
from governance.storage.sealed_files import Unreadable

MARK = "installation"  # the file with the mark, beside the files themselves
FRESH = 10  # seconds for which a process relies on the mark that it read from a bucket
SAMPLED = 25  # of the oldest and of the newest files of each kind


class WrongFolder(ImproperlyConfigured):
    """The folder of files is not the one that the database names. The text has the fix."""


@dataclass(frozen=True)
class Sample:
    """The number of recorded files that were checked and that the folder has."""

    looked: int
    found: int

    @property
    def fits(self) -> bool:
        """Return True if at least half of the files exist. Without recorded files, any folder fits."""
        return self.found * 2 >= self.looked


# --- The mark ---------------------------------------------------------------------------------------------------------


def stores() -> list[KeptFiles]:
    """Return the present store of files, and the former if files move."""
    return cast(KeptFiles, default_storage).each()


def mark_here() -> str:
    """Return the mark of the present store as it is now, or "". Raises StoreAway, Unreadable."""
    here = stores()[0]
    if here.is_folder:
        return _mark_in(here)
    found = cache.get(_cached(here))
    if found is None:
        try:
            found = _mark_in(here)
        except StoreAway as away:  # is remembered too, so that pages do not wait for it again and again
            found = away
        cache.set(_cached(here), found, FRESH)
    if isinstance(found, StoreAway):
        raise found
    return str(found)


def _cached(store: KeptFiles) -> str:
    return f"mark:{store.address}"


def _mark_in(store: KeptFiles) -> str:
    try:
        with store.open(MARK) as file:
            return file.read().decode().strip()
    except Unreadable:
        raise
    except (OSError, ValueError):
        return ""


def mark_named() -> str:
    """Return the mark that the database names, or "" if it names none yet."""
    return DataFolder.objects.values_list("mark", flat=True).first() or ""


def take() -> None:
    """Make this store the one that the database names: by the mark that it has, or a new one.

    A mark that is there is kept, because another database may name it too: a restore beside a running installation
    must not take its folder away. A store gets the mark of its former store, so hosts that still have the former
    settings go on. Raises OSError, StoreAway.
    """
    here, *former = stores()
    if not here.exists(MARK):
        mark = next(filter(None, map(_mark_in, former)), "") or secrets.token_urlsafe(16)
        stored = here.save(MARK, ContentFile(f"{mark}\n".encode()))
        if stored != MARK:
            here.delete(stored)  # another process was first
        elif here.is_folder:
            # It is no secret, and the user that migrates may be another than the one that serves.
            Path(here.path(MARK)).chmod(0o644)
    cache.delete(_cached(here))
    DataFolder.objects.update_or_create(only=True, defaults={"mark": mark_here(), "marked_at": clock.now()})


def wrong() -> str:
    """Return why this folder is not the one that the database names, or ""."""
    named, store = mark_named(), stores()[0]
    try:
        here = mark_here()
    except (Unreadable, StoreAway) as trouble:
        return str(trouble)
    if named and secrets.compare_digest(named, here):
        return ""
    way = "run `manage.py adopt_folder` to use this folder permanently"
    if not named:
        return (
            f"the database names no folder of files yet. Run `manage.py migrate` beside {store.address}, "
            f"or {way}."
        )
    state = "has the mark of another installation" if here else "has no mark"
    if not store.is_folder:
        return (
            f"the bucket of files {store.address} {state}. The database names another store. Check that "
            "PLUMBLINE_STORE is right. If this bucket is right, run `manage.py adopt_folder`."
        )
    return (
        f"the folder of files {store.address} {state}. The database names another folder. Check that "
        f"the right folder is mounted and that PLUMBLINE_DATA is right. If this folder is "
        "right, run `manage.py adopt_folder`."
    )


def condition() -> str:
    """ "ok", or what is wrong, in words for strangers: without a path."""
    setting = "PLUMBLINE_DATA" if stores()[0].is_folder else "PLUMBLINE_STORE"
    return f"is not the one that the database names. See {setting}" if wrong() else "ok"


def demand() -> None:
    """Raises WrongFolder where files must not be looked for or taken in."""
    if why := wrong():
        raise WrongFolder(why)


def demand_at_start() -> None:
    """Demand the right folder at the start on `DATABASE_URL`. If the database is away, /readyz checks later."""
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
    """Take the folder if the database names none and has files there, else warn.

    The embedded database is in the data folder itself, so that folder is always the right one.
    """
    if DataFolder._meta.db_table not in connection.introspection.table_names() or mark_named():
        return
    seen = sample()
    if not (settings.EMBEDDED or seen.fits):
        tell(
            f"The folder was not marked as the folder of this database: {seen.found} of {seen.looked} "
            f"recorded files are in {stores()[0].address}. Mount the right folder and run `manage.py "
            "migrate` again, or `manage.py adopt_folder`."
        )
        return
    try:
        take()
    except (OSError, StoreAway) as trouble:
        tell(f"{cannot_be_marked(trouble)} Run `manage.py adopt_folder`.")


def cannot_be_marked(trouble: Exception) -> str:
    """Return in a sentence that the store could not be marked."""
    return f"{stores()[0].address} could not be marked ({getattr(trouble, 'strerror', '') or trouble})."


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
    """Yield every model whose rows name files, with the field, if its table exists."""
    present = set(connection.introspection.table_names())
    for model in apps.get_models():
        if model._meta.db_table in present:
            for field in model._meta.concrete_fields:
                if isinstance(field, models.FileField):
                    yield model, field
