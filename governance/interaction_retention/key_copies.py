"""The folder of the masters, copied and restored apart from database backups.

A copy of the keys and one of the database together open everything. Two separate commands make them, and a folder with
a backup of the database cannot take the copy of the keys. Only the newest copy is kept. An older one has masters that
were destroyed since, and a list of destroyed keys that lacks the last.
"""

import hashlib
import os
from pathlib import Path

from django.db import transaction

from governance.interaction_log import keys
from governance.interaction_retention import destroyed
from governance.runtime.spool_files import sync_folder

SUMS = "sha256sums"
NEVER_BESIDE = "manifest.json"  # what every backup of the database holds


class KeyCopyTrouble(Exception):
    """The keys cannot be copied or put back. The text is one sentence with the fix."""


def take(folder: Path) -> int:
    """Copy the masters, the pseudonym key and the list of keys to a new folder. Returns how many files."""
    for place in (folder, *folder.parents):
        if (place / NEVER_BESIDE).exists():
            raise KeyCopyTrouble(
                f"{place} contains a backup of the database. Use a different folder for the keys."
            )
    if folder.exists():
        raise KeyCopyTrouble(f"{folder} already exists. Name a new folder.")
    found = {path.name: path.read_bytes() for path in _files()}
    if not found:
        raise KeyCopyTrouble(f"{keys.folder()} has no keys yet, so there is nothing to copy.")
    try:
        folder.mkdir(mode=0o700, parents=True)
        for name, content in found.items():
            _write(folder / name, content)
        sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in found.items())
        _write(folder / SUMS, sums.encode())
    except OSError as trouble:
        raise KeyCopyTrouble(f"{folder} cannot be written ({trouble.strerror}).") from None
    sync_folder(folder)
    return len(found)


def put(folder: Path) -> tuple[int, int]:
    """Restore a copy of the keys, whole or not at all. Returns (files, destroyed keys).

    Keys on the copied list are destroyed again. Existing files stay. Raises KeyCopyTrouble if the copy was changed, or
    if another key has the same name.
    """
    try:
        listed = [line.split("  ", 1) for line in (folder / SUMS).read_text().splitlines()]
        found = {name: (folder / name).read_bytes() for _, name in listed}
    except (OSError, ValueError):
        raise KeyCopyTrouble(f"{folder} is not a complete copy of the keys. Use a different copy.") from None
    place = keys.folder()
    for sum_of, name in listed:
        if hashlib.sha256(found[name]).hexdigest() != sum_of or Path(name).name != name:
            raise KeyCopyTrouble(f"{folder / name} was changed after it was copied. Use a different copy.")
        if name != destroyed.LIST and (place / name).exists() and (place / name).read_bytes() != found[name]:
            raise KeyCopyTrouble(
                f"{place / name} contains a different key than the copy. Move this file to a different "
                "folder first, and keep it."
            )
    count = 0
    for name, content in found.items():
        if not (place / name).exists():
            _write(place / name, content)
            count += 1
        elif name == destroyed.LIST:
            destroyed.join(content.decode())
    sync_folder(place)
    keys.forget_read()
    with transaction.atomic():
        return count, destroyed.again()


def _files() -> list[Path]:
    return sorted(path for path in keys.folder().iterdir() if path.is_file() and "." not in path.name)


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
