"""The storage of all files: a folder or a bucket, encrypted where a key is set, beside a former store while files move.

Callers use Django's `default_storage`. A file is put only where its name is free. It is read from the former store if
the present one does not have it. A rehearsal writes and deletes no file: its rows are undone, and files could not be.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import IO, Any, cast

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage

from governance.database import rehearsing
from governance.storage import sealed_files

# Folders whose files are deleted after hours or days. No row of the database names them for good, so none is locked.
PASSING = ("exports", "import-runs", "imports", "lines", "measurements")


class StoreAway(Exception):
    """The store of files does not answer. It is no OSError, so that no file is taken as gone."""


class KeptFiles(Storage):
    """One or two stores of files. `here` and `former` are the arguments of a bucket, or None for the folder.

    New files are encrypted under the first of `keys`, if there is one. The others open older files.
    """

    def __init__(
        self,
        *,
        here: dict[str, Any] | None = None,
        former: Sequence[dict[str, Any] | None] = (),
        keys: Sequence[bytes] = (),
        encrypts: bool = False,
    ):
        self._stores = [_store(one) for one in (here, *former)]
        self.keys, self.encrypts = keys, encrypts

    def each(self) -> list["KeptFiles"]:
        """Return the stores apart: the present one, and the former if there is one."""
        found = []
        for store in self._stores:
            alone = copy.copy(self)
            alone._stores = [store]
            found.append(alone)
        return found

    @property
    def is_folder(self) -> bool:
        """Return True if the present store is a folder."""
        return isinstance(self._stores[0], FileSystemStorage)

    @property
    def address(self) -> str:
        """Return the path of the folder, or the address of the bucket."""
        store: Any = self._stores[0]
        return store.location if self.is_folder else store.address

    def path(self, name: str) -> str:
        """Return the path of a file in the folder. Raises NotImplementedError for a bucket."""
        return self._stores[0].path(name)

    def exists(self, name: str) -> bool:
        """Return True if a store has the file. Raises StoreAway."""
        return any(store.exists(name) for store in self._stores)

    def delete(self, name: str) -> None:
        """Delete the file in all stores, unless an act is only rehearsed. Raises StoreAway.

        The former store goes first: `moving` then never brings a deleted file back.
        """
        if not rehearsing.unsigned():
            for store in reversed(self._stores):
                store.delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of folders and files of all stores below a path. Raises StoreAway."""
        folders: set[str] = set()
        files: set[str] = set()
        for store in self._stores:
            try:
                inner, names = store.listdir(path)
            except FileNotFoundError:
                continue
            folders.update(inner)
            files.update(names)
        return sorted(folders), sorted(files)

    def below(self, folder: str) -> set[str]:
        """Return the name of every file below a folder. Raises StoreAway."""
        found: set[str] = set()
        left = [folder]
        while left:
            path = left.pop()
            folders, files = self.listdir(path)
            found.update(f"{path}/{name}" for name in files)
            left += [f"{path}/{name}" for name in folders]
        return found

    def get_modified_time(self, name: str) -> datetime:
        """Return when the file was stored. Raises FileNotFoundError, StoreAway."""
        return self._first(name).get_modified_time(name)

    def _first(self, name: str) -> Storage:
        return next((store for store in self._stores if store.exists(name)), self._stores[0])

    def _open(self, name: str, mode: str = "rb") -> File:
        stored = self._stored(name)
        content = sealed_files.opened(stored, name, self.keys)
        if content is not stored:
            stored.close()
        return File(content, name)

    def _stored(self, name: str) -> IO[bytes]:
        *first, last = self._stores
        for store in first:
            try:
                return cast(IO[bytes], store.open(name))
            except FileNotFoundError:
                continue
        return cast(IO[bytes], last.open(name))

    def _save(self, name: str, content: File) -> str:
        if rehearsing.unsigned():
            return name
        store: Any = self._stores[0]
        if not self.encrypts:
            sealed_files.refuse_header(cast(IO[bytes], content))
            return store._save(name, content)
        for tried in self._names(name):
            content.seek(0)
            with closing(sealed_files.sealed(cast(IO[bytes], content), tried, self.keys[0])) as sealed:
                stored = store._save(tried, File(sealed, tried))
            if stored == tried:
                return stored
            store.delete(stored)  # another process took the name meanwhile, and the encryption is bound to it
        raise AssertionError("names do not end")

    def _names(self, name: str) -> Iterator[str]:
        while True:
            yield name
            name = self.get_available_name(name)


def _store(place: dict[str, Any] | None) -> Storage:
    if place is None:
        return FileSystemStorage()
    from governance.storage.bucket import Bucket  # an extra of the installation

    return Bucket(**place)
