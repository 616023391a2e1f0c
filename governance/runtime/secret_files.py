"""Secrets: made once on the machine itself and kept in files only their owner may read, or given to it."""

import base64
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEPT_SIGNING_KEY = "signing-key"  # in the data folder, where the settings hold no key


def kept(folder: Path, name: str, *, size: int = 32) -> str:
    """Return the text kept in `folder/name`, made of `size` random bytes if it is new.

    Two processes that ask at the same moment get the same text, because the file appears complete or not at all. Raises
    OSError when the folder cannot be written or the file not read.
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


def secret_text(name: str, text: str, path: str) -> str:
    """Return the secret in `name` or in the file at `path`, or "" without both.

    Raises ImproperlyConfigured with the fix.
    """
    if text and path:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Set only one of the two.")
    try:
        found = (Path(path).read_text("utf-8") if path else text).strip()
    except (OSError, ValueError):
        found = "\0"
    if not found.isprintable():
        raise ImproperlyConfigured(
            f"{name} cannot be read. Set {name} to one line of text, or {name}_FILE to a file with one line "
            "that this user may read."
        )
    return found


def seed(name: str, text: str, path: str) -> bytes | None:
    """Return the 32 bytes of the Ed25519 key in `name` or the file at `path`, or None.

    The key is in Base64, also in the form for addresses without padding, as `kept` writes it. Raises
    ImproperlyConfigured with the fix.
    """
    if text and path:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Set only one of the two.")
    try:
        text = Path(path).read_text() if path else text
        standard = text.strip().replace("-", "+").replace("_", "/")
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except OSError as trouble:
        raise ImproperlyConfigured(
            f"{name}_FILE names {path}, which cannot be read ({trouble.strerror}). Set it to a file this "
            "user may read."
        ) from None
    except ValueError:  # not Base64, or not even text
        decoded = b"?"
    if not text.strip() and not path:
        return None
    if len(decoded) != 32:
        raise ImproperlyConfigured(
            f"{name} is not a key. Set it to 32 random bytes in Base64, such as from: openssl rand -base64 32"
        )
    return decoded
