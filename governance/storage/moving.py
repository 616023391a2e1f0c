"""Moving files from the former store to the present one, while people work.

Reads fall back to the former store, so nothing is missing meanwhile. Each file is compared with its fingerprint before
and after it is copied. A move that was interrupted goes on where it ended.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured

from governance.storage import backup, data_folder, file_fingerprints
from governance.storage.file_fingerprints import GONE, THERE
from governance.storage.kept_files import PASSING, KeptFiles
from governance.storage.sealed_files import Unreadable

SAY_EVERY = 1000  # files


@dataclass
class Moved:
    """The number of files copied now and of files that were there, and the files that could not be moved, with why."""

    copied: int = 0
    there: int = 0
    left: list[str] = field(default_factory=list)


def move(*, tell: Callable[[str], None] = lambda line: None) -> Moved:
    """Copy every file that rows name, and every file that waits, to the present store.

    Files that the audit log knows as missing are left out. Raises ImproperlyConfigured without a former store,
    WrongFolder and StoreAway.
    """
    here, *others = data_folder.stores()
    if not others:
        raise ImproperlyConfigured(
            "no former store is set. Set PLUMBLINE_STORE_FORMER to the store to move from."
        )
    data_folder.demand()
    (former,) = others
    named = {name: (sha256, missed) for name, (_, sha256, missed) in backup.files_named().items()}
    passing = {name: ("", True) for folder in PASSING for name in former.below(folder)}
    done = Moved()
    for number, (name, (sha256, missed)) in enumerate(sorted((passing | named).items()), start=1):
        _move_one(name, sha256, missed, here, former, done)
        if number % SAY_EVERY == 0:
            tell(f"{number} files looked at.")
    return done


def _move_one(name: str, sha256: str, missed: bool, here: KeptFiles, former: KeptFiles, done: Moved) -> None:
    found = _state(name, sha256, here)
    if found == GONE and (found := _state(name, sha256, former)) == THERE:
        try:
            copied = _copy(name, here, former)
        except Unreadable as trouble:  # of no row, so it was not hashed
            done.left.append(str(trouble))
            return
        if copied:
            found = _state(name, sha256, here)
            done.copied += 1
        else:
            return  # deleted meanwhile
    elif found == THERE:
        done.there += 1
    if found != THERE and not missed:
        done.left.append(f"{name} {file_fingerprints.WORDS[found]}")


def _state(name: str, sha256: str, store: KeptFiles) -> str:
    """Return the state of the file. One that no row has the fingerprint of only has to be there."""
    if not sha256:
        return THERE if store.exists(name) else GONE
    return file_fingerprints.state(name, sha256, store)


def _copy(name: str, here: KeptFiles, former: KeptFiles) -> bool:
    """Copy a file. Returns False if it was deleted meanwhile, in both stores."""
    with former.open(name) as file:
        stored = here.save(name, file)
    if stored != name:  # another move was faster
        here.delete(stored)
    # A deletion goes through the former store first.
    if not former.exists(name):
        here.delete(name)
        return False
    return True
