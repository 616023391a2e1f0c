"""Secrets that are made once, on the machine itself, and kept in files only their owner may read."""

import os
import secrets
from pathlib import Path


def kept(folder: Path, name: str, *, size: int = 32) -> str:
    """The text kept in `folder/name`; made of `size` random bytes if it is not there yet.

    Two processes that ask at the same moment get the same text: the file appears complete or not at all.
    Raises OSError when the folder cannot be written or the file not read.
    """
    path = folder / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    draft = folder / f".{name}.{os.getpid()}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(size) + "\n")
    try:
        os.link(draft, path)  # unlike a rename, this does not overwrite what another process made first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
