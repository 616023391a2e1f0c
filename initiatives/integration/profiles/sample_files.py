"""Files of samples while they are measured, and no longer: a folder of the server's own disk.

Nothing here knows of cases; that a sample is gone when it should be, the sweep sees to (`actions.remove_samples`).
"""

import hashlib
import os
from pathlib import Path
from uuid import uuid4

from django.conf import settings


def folder() -> Path:
    """The folder, for this user alone."""
    place = Path(settings.SAMPLES_DIR)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def place_of(name: str) -> Path:
    """Where a sample lies; its name is one of ours."""
    return folder() / Path(name).name


def keep(upload) -> tuple[str, str, int]:
    """Write an upload to the disk piece by piece; its name there, its SHA-256, its size in bytes."""
    name, digest, size = uuid4().hex, hashlib.sha256(), 0
    descriptor = os.open(place_of(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        for chunk in upload.chunks():
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    return name, digest.hexdigest(), size


def forget(name: str) -> bool:
    """Remove a sample; whether there was one."""
    try:
        place_of(name).unlink()
    except FileNotFoundError:
        return False
    return True


def there() -> dict[str, float]:
    """Names of what lies in the folder, with the moment it was last written to, in seconds since 1970."""
    return {entry.name: entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(folder())}
