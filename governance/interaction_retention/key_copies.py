"""The folder of the masters copied by itself, never beside a backup of the database, and put back.

Whoever has a copy of the keys and one of the database reads everything in it. So the two are two commands, and the copy
of the keys is refused in a folder that a backup of the database lies in. Only the newest copy is kept: an older one
holds masters that were destroyed since, and a list of destroyed keys that lacks the last.
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
    """The keys cannot be copied or put back; the text is one sentence that says what to do."""


def take(folder: Path) -> int:
    """Copy the masters, the key of pseudonyms and the list of destroyed keys into a new folder; how many files."""
    for place in (folder, *folder.parents):
        if (place / NEVER_BESIDE).exists():
            raise KeyCopyTrouble(f"{place} holds a backup of the database; keep the keys apart from it.")
    if folder.exists():
        raise KeyCopyTrouble(f"{folder} is there already; name a folder that is not.")
    found = {path.name: path.read_bytes() for path in _files()}
    if not found:
        raise KeyCopyTrouble(f"{keys.folder()} holds no keys yet; nothing was copied.")
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
    """Put a copy back, whole or not at all, and destroy again what its list names; how many files, how many keys.

    What is there already stays. Raises KeyCopyTrouble where the copy was changed, or another key has the same name.
    """
    try:
        listed = [line.split("  ", 1) for line in (folder / SUMS).read_text().splitlines()]
        found = {name: (folder / name).read_bytes() for _, name in listed}
    except (OSError, ValueError):
        raise KeyCopyTrouble(f"{folder} is no whole copy of the keys; use another one.") from None
    place = keys.folder()
    for sum_of, name in listed:
        if hashlib.sha256(found[name]).hexdigest() != sum_of or Path(name).name != name:
            raise KeyCopyTrouble(f"{folder / name} was changed after it was copied; use another copy.")
        if name != destroyed.LIST and (place / name).exists() and (place / name).read_bytes() != found[name]:
            raise KeyCopyTrouble(f"{place / name} is another key; move it away first, and keep it.")
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
