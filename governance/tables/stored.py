"""Files that wait up to an hour for an answer, kept by hash under a signed word."""

import hashlib

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

SECONDS = 3600


def keep(folder: str, content: bytes, name: str, *, of: str) -> str:
    """Keep a file for an hour. Return the word with which only `of` gets it back."""
    digest = hashlib.sha256(content).hexdigest()
    _forget_old(folder)
    if not default_storage.exists(f"{folder}/{digest}"):
        default_storage.save(f"{folder}/{digest}", ContentFile(content))
    return signing.dumps({"sha256": digest, "name": name}, salt=f"kept in {folder} of {of}")


def kept(folder: str, word: str, *, of: str) -> tuple[bytes, str]:
    """Return the file of the word, and its name. Raises ValidationError on "file"."""
    try:
        told = signing.loads(word, salt=f"kept in {folder} of {of}", max_age=SECONDS)
        with default_storage.open(f"{folder}/{told['sha256']}") as stored:
            content = stored.read()
    except (signing.BadSignature, OSError):
        content = None
    if content is None or hashlib.sha256(content).hexdigest() != told["sha256"]:
        raise ValidationError({"file": "The file was kept for one hour. Choose the file again."})
    return content, told["name"]


def throw_away(folder: str, content: bytes) -> None:
    """Delete a file after its use."""
    default_storage.delete(f"{folder}/{hashlib.sha256(content).hexdigest()}")


def _forget_old(folder: str) -> None:
    for name in default_storage.listdir(folder)[1]:
        age = timezone.now() - default_storage.get_modified_time(f"{folder}/{name}")
        if age.total_seconds() > SECONDS:
            default_storage.delete(f"{folder}/{name}")
