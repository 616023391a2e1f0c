"""Files that wait for an answer about them, for an hour at most: kept by their hash, named by a signed word."""

import hashlib

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

SECONDS = 3600


def keep(folder: str, content: bytes, name: str, *, of: str) -> str:
    """Keep a file; returns the word under which `of`, and nobody else, gets it back within the hour."""
    digest = hashlib.sha256(content).hexdigest()
    _forget_old(folder)
    if not default_storage.exists(f"{folder}/{digest}"):
        default_storage.save(f"{folder}/{digest}", ContentFile(content))
    return signing.dumps({"sha256": digest, "name": name}, salt=f"kept in {folder} of {of}")


def kept(folder: str, word: str, *, of: str) -> tuple[bytes, str]:
    """The file behind the word, and its name. Raises ValidationError on "file" once it is gone."""
    try:
        told = signing.loads(word, salt=f"kept in {folder} of {of}", max_age=SECONDS)
        with default_storage.open(f"{folder}/{told['sha256']}") as stored:
            return stored.read(), told["name"]
    except (signing.BadSignature, FileNotFoundError):
        raise ValidationError({"file": "The file was kept for an hour only; choose it again."}) from None


def throw_away(folder: str, content: bytes) -> None:
    """Forget a file that was dealt with."""
    default_storage.delete(f"{folder}/{hashlib.sha256(content).hexdigest()}")


def _forget_old(folder: str) -> None:
    if not default_storage.exists(folder):
        return
    for name in default_storage.listdir(folder)[1]:
        age = timezone.now() - default_storage.get_modified_time(f"{folder}/{name}")
        if age.total_seconds() > SECONDS:
            default_storage.delete(f"{folder}/{name}")
